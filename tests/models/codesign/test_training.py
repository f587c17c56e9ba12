"""Training in the joint page: the sheet's worked memory, sharing of drives, wear and cost."""

from typing import Any

import numpy as np
import pytest

from dse import registry, verbs
from dse.errors import InputError
from dse.units import DAY, YEAR

W2 = {
    "workload": "gpt2-345m",
    "train.mode": "train",
    "train.gpu": "a100-pcie-40gb",
    "train.precision": "amp",
    "train.batch": 64,
    "train.drive": "intel-optane-p5800x-1.6tb",
}
PARAMETERS = 354_823_168


def priced(settings: dict[str, Any]) -> dict[str, float]:
    answer = verbs.evaluate("codesign", W2 | settings)
    return {name: metric["value"] for name, metric in answer["metrics"].items()}


def test_what_leaves_the_gpu_is_the_sheets_worked_number() -> None:
    # W2: A = 59.5927 GB, W = 16 N, w = 0.07 A, so V = A - (40 GB - W - w) = 29.4194 GB. The sheet
    # counts N = 12 e^2 L + V e, the page all parameters: 16 B x 1.37 million = 0.022 GB more.
    more = 16 * (PARAMETERS - 353_453_056)
    assert priced({})["offloaded_bytes"] == pytest.approx(29.4194e9 + more, rel=1e-3)


def test_without_training_its_half_is_zero_and_drives_last() -> None:
    found = priced({"train.mode": "none"})
    for name in ("throughput", "retrain_time", "offloaded_bytes", "training_capital"):
        assert found[name] == 0
    assert found["replacement_cost"] == 0
    assert found["drive_lifetime"] >= 999 * YEAR


def test_a_gpu_without_the_precision_does_not_matter_when_nothing_is_trained() -> None:
    settings = {"train.mode": "none", "train.gpu": "gtx-1080ti", "train.precision": "amp"}
    assert priced(settings)["feasible"] is True
    with pytest.raises(InputError, match="training GPU's peak"):
        priced(settings | {"train.mode": "train"})


def test_a_second_gpu_shares_the_drives_and_waits_for_the_gradients() -> None:
    one, two = priced({}), priced({"train.gpus": 2})
    assert two["offloaded_bytes"] == one["offloaded_bytes"]
    # bound by the drive: two GPUs write twice as much through the same drive, so the node gains
    # next to nothing and pays the all-reduce
    assert 0.9 * one["throughput"] < two["throughput"] < 1.2 * one["throughput"]
    free = {"train.batch": 8, "train.drives": 8}
    alone, pair = priced(free), priced(free | {"train.gpus": 2})
    assert alone["offloaded_bytes"] == 0
    assert 1.5 * alone["throughput"] < pair["throughput"] < 2 * alone["throughput"]


def test_gpus_of_a_node_are_marked_as_data_parallel() -> None:
    words = verbs.evaluate("codesign", W2 | {"train.gpus": 4})["warnings"]
    assert any("data-parallel only" in text for text in words)
    assert not any("data-parallel" in t for t in verbs.evaluate("codesign", W2)["warnings"])


def test_a_narrow_host_link_slows_the_drives() -> None:
    wide = priced({"train.drives": 4, "train.host_link": "48 GB/s"})
    narrow = priced({"train.drives": 4, "train.host_link": "6 GB/s"})
    assert narrow["throughput"] < wide["throughput"]


def test_wear_is_bytes_written_against_the_rating() -> None:
    found = priced({})
    steps = 365 * 40_000 / 64
    written = steps * found["offloaded_bytes"]
    rated = 2.92e17  # 1.6 TB at 100 drive writes a day for five years
    # checkpoints of 16 N every 600 s of training come on top
    checkpoints = 365 * found["retrain_time"] / 600 * 16 * PARAMETERS
    expected = rated / (written + checkpoints) * YEAR
    assert found["drive_lifetime"] == pytest.approx(expected, rel=1e-9)


def test_worn_drives_are_bought_again() -> None:
    weak = {"train.drive": "samsung-980pro-1000gb"}
    found = priced(weak)
    life = found["drive_lifetime"]
    assert life < 200 * DAY
    expected = (3 * YEAR / life - 1) * 229.99
    assert found["replacement_cost"] == pytest.approx(expected, rel=1e-9)
    parts = found["capital_cost"] + found["energy_cost"] + found["replacement_cost"]
    assert found["cost"] == pytest.approx(parts, rel=1e-12)


def test_a_platform_without_drives_needs_no_price_for_them() -> None:
    unpriced = {"train.drive": "samsung-990pro-4tb", "train.batch": 8}
    assert priced(unpriced)["cost"] is None
    assert priced(unpriced | {"train.store": "none"})["cost"] > 0


def test_a_job_that_does_not_fit_into_the_year_is_infeasible() -> None:
    assert priced({"train.sequences": 1e7, "train.jobs_per_year": 1000})["feasible"] is False


def test_what_does_not_fit_without_offloading_is_infeasible() -> None:
    assert priced({"train.store": "none"})["feasible"] is False
    assert priced({})["feasible"] is True


def test_training_is_the_flashneuron_page_at_the_gpus_share() -> None:
    alone = verbs.evaluate(
        "flashneuron",
        {
            "workload": "gpt2-345m",
            "gpu": "a100-pcie-40gb",
            "precision": "amp",
            "batch": 64,
            "tokens": 512,
            "ssd_bandwidth": 6.1e9,
            "read_ratio": 7.2 / 6.1,
            "store": "ssd",
            "compute_efficiency": 0.5,
            "memory_efficiency": 0.75,
        },
    )
    time = alone["metrics"]["iteration_time"]["value"]
    assert priced({})["throughput"] == pytest.approx(64 / time, rel=1e-12)


def test_the_sum_of_gpus_never_trains_faster_than_they_would_apart() -> None:
    page = registry.model("codesign")
    base = registry.configure(page, {})
    gpus = np.arange(1.0, 9.0)
    on = {"train.mode": registry.record(type(base.train.mode), "codesign.training", "train")}
    batch = page.config.batched({"train.gpus": gpus, **on}, base)
    rate = page.evaluate(batch).metrics["throughput"]
    assert (rate <= gpus * rate[0] * (1 + 1e-12)).all()


def test_a_persons_own_prices_change_what_is_recommended(tmp_path: Any) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("date: 2026-12-01\nprices:\n  a40: {value: 300, unit: USD}\n")

    def cheapest(**prices: Any) -> str:
        run = tmp_path / f"run{len(prices)}"
        ended = verbs.search("gpt2-serving", output=run, **prices)
        why, best = ended.archive.best()
        place = next(i for i, reason in enumerate(why) if "best cost" in reason)
        return str(best.words("serve.gpu")[place])

    assert cheapest() == "rtx-2080ti"
    assert cheapest(prices=own) == "a40"


def test_tensors_stored_in_fp16_cost_quality() -> None:
    # Sheet, W1: q = 0.001 when anything is stored in FP16 and widened again; amp stores as it is.
    fp32 = {"train.precision": "fp32", "train.batch": 16}
    assert priced(fp32 | {"train.compression": "fp16"})["quality_loss"] == pytest.approx(0.001)
    both = priced(fp32 | {"train.compression": "fp16", "serve.precision": "int8"})
    assert both["quality_loss"] == pytest.approx(1 - 0.999 * 0.992)
    assert priced({"train.compression": "fp16"})["quality_loss"] == 0
    assert priced(fp32)["quality_loss"] == 0


def test_the_shipped_rates_are_the_defaults() -> None:
    config = registry.configure(registry.model("codesign"))
    rates = registry.prices().parameters
    assert config.host == rates["host"].value == 4000
    assert config.electricity == rates["electricity"].value
