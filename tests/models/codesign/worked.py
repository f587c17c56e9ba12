"""The worked designs of the joint sheet, Sec. 5: settings, and the numbers it gives for them."""

from typing import Any

from dse import verbs
from dse.units import YEAR

SCENARIO: dict[str, Any] = {
    "workload": "gpt2-345m",
    "train.mode": "train",
    "train.batch": 12,
    "drive.count": 2,
    "drive.link": "gen4x4",
}
W1 = SCENARIO | {"serve.target": "dfx", "dfx.fpgas": 1}
W2 = SCENARIO | {
    "train.gpu": "a100-pcie-40gb",
    "train.precision": "amp",
    "train.batch": 64,
    "drive.count": 1,
    "drive.dies": 64,
    "serve.target": "dfx",
    "dfx.fpgas": 4,
}
W3 = SCENARIO | {
    "compile.tuner": "framework",
    "drive.zones": "tlc",
    "drive.lii": "off",
    "serve.replicas": 3,
}
W4: dict[str, Any] = {
    "workload": "gpt2-345m",
    "input_tokens": 16384,
    "output_tokens": 128,
    "prompt_cached": "on",
    "request_rate": 0.3,
    "serve.target": "dfx",
    "dfx.fpgas": 1,
    "a3.on": "on",
    "a3.m": 0.25,
    "a3.units": 16,
}
NUMBERS: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "W1": (
        W1,
        {
            "offloaded_bytes": 13.5668e9,
            "step_time": 2.81429,
            "throughput": 4.26395,
            "slc_fraction": 0.866430,
            "drive_lifetime": 8.19058 * YEAR,
            "retrain_time": 2.60582 * 3600,
            "training_power": 1.23288e9 / YEAR,
            "service_time": 0.696132,
            "utilisation": 0.556906,
            "latency": 1.13360,
            "tokens_per_second": 91.9366,
            "energy_per_token": 2.67626,
            "capital_cost": 28044.5,
            "cost": 28741.6,
            "quality_loss": 0.001,
            "tuning_time": 1.21120 * 3600,
        },
    ),
    "W2": (
        W2,
        {
            "offloaded_bytes": 29.4194e9,
            "step_time": 8.41150,
            "throughput": 7.60863,
            "slc_fraction": 0.866430,
            "drive_lifetime": 10.5759 * YEAR,
            "retrain_time": 1.46033 * 3600,
            "training_power": 3.29785e8 / YEAR,
            "service_time": 0.311006,
            "utilisation": 0.248805,
            "latency": 0.362510,
            "tokens_per_second": 205.784,
            "energy_per_token": 4.41238,
            "capital_cost": 49821.5,
            "cost": 50756.3,
            "quality_loss": 0.0,
            "tuning_time": 1.21120 * 3600,
        },
    ),
    "W3": (
        W3,
        {
            "offloaded_bytes": 13.5668e9,
            "step_time": 4.06743,
            "throughput": 2.95026,
            "slc_fraction": 0.0,
            "drive_lifetime": 1.40975 * YEAR,
            "retrain_time": 3.76614 * 3600,
            "training_power": 1.56801e9 / YEAR,
            "service_time": 2.32226,
            "utilisation": 0.619270,
            "latency": 2.95180,
            "tokens_per_second": 82.6780,
            "energy_per_token": 4.97636,
            "capital_cost": 54623.5,
            "cost": 56717.4,
            "quality_loss": 0.001,
            "tuning_time": 0.0,
        },
    ),
    "W4": (W4, {"latency": 0.965130, "quality_loss": 0.0332525, "service_time": 128 * 6.47047e-3}),
}


def priced(settings: dict[str, Any]) -> dict[str, Any]:
    """Metrics of a design by name."""
    answer = verbs.evaluate("codesign", settings)
    return {name: metric["value"] for name, metric in answer["metrics"].items()}


def terms(settings: dict[str, Any]) -> dict[str, float]:
    """What its latency is the sum of."""
    found: dict[str, float] = verbs.evaluate("codesign", settings)["terms"]
    return found
