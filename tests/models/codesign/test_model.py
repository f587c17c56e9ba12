"""The joint page against the worked numbers of its sheet, and against the pages it is made of."""

from typing import Any

import numpy as np
import pytest

from dse import registry, verbs
from dse.errors import InputError
from dse.units import YEAR

SHEET = {"workload": "gpt2-345m", "input_tokens": 64, "output_tokens": 64, "request_rate": 0.8}
W1 = SHEET | {"serve.target": "dfx", "dfx.fpgas": 1}
W3 = SHEET | {"serve.target": "gpu", "serve.runtime": "framework", "serve.replicas": 3}


def priced(settings: dict[str, Any]) -> dict[str, float]:
    answer = verbs.evaluate("codesign", settings)
    return {name: metric["value"] for name, metric in answer["metrics"].items()}


def test_three_eager_v100_give_the_worked_numbers_of_the_sheet() -> None:
    # W3: decode 1.152 + 0.015299 + 34.56 ms a token, prefill 35.7159 ms, S = 2.32226 s.
    found = priced(W3)
    assert found["service_time"] == pytest.approx(2.32226, rel=1e-5)
    assert found["utilisation"] == pytest.approx(0.619270, rel=1e-5)
    assert found["latency"] == pytest.approx(2.95180, rel=1e-5)
    assert found["tokens_per_second"] == pytest.approx(82.6780, rel=1e-5)
    assert found["energy_per_token"] == pytest.approx(4.97636, rel=1e-5)
    # Three V100 at 11,458 $ and one host of 4,000 $; 254.79 W over three years at 0.15 $/kWh.
    assert found["capital_cost"] == 3 * 11458 + 4000
    energy = 4.97636 * 0.8 * 64 * 3 * YEAR * 0.15 / 3.6e6
    assert found["energy_cost"] == pytest.approx(energy, rel=1e-5)


def test_eager_terms_are_those_of_the_sheet() -> None:
    terms = verbs.evaluate("codesign", W3)["terms"]
    # 24 kernels a layer, 24 layers, 60 us each, once per prompt and 64 tokens.
    assert terms["launch"] == pytest.approx(65 * 24 * 24 * 60e-6, rel=1e-12)
    assert terms["weights"] == pytest.approx(65 * 1.152e-3, rel=1e-4)
    assert terms["batching"] == 0.0


def test_one_u280_stays_within_half_a_percent_of_the_sheet() -> None:
    # W1 was worked with eta = 0.4369 and 59.45 us, fitted on four points, and charges attention
    # from the first token; the dfx page fits six points and charges it beyond 384 tokens.
    found = priced(W1)
    assert found["service_time"] == pytest.approx(0.696132, rel=0.013)
    assert found["capital_cost"] == 7795 + 4000


def test_service_on_fpgas_is_the_latency_of_the_dfx_page() -> None:
    for fpgas in (1, 2, 4):
        alone = verbs.evaluate(
            "dfx",
            {"workload": "gpt2-345m", "fpgas": fpgas, "input_tokens": 64, "output_tokens": 64},
        )
        joint = priced(W1 | {"dfx.fpgas": fpgas})
        expected = alone["metrics"]["latency"]["value"]
        assert joint["service_time"] == pytest.approx(expected, rel=1e-12)


def test_a_batch_waits_until_it_is_full() -> None:
    alone, eight = priced(W3), priced(W3 | {"serve.batch": 8})
    waits = verbs.evaluate("codesign", W3 | {"serve.batch": 8})["terms"]
    assert waits["batching"] == pytest.approx(7 / (2 * 0.8))
    assert eight["utilisation"] < alone["utilisation"]


def test_a_platform_that_cannot_keep_up_is_infeasible_and_says_so() -> None:
    answer = verbs.evaluate("codesign", W3 | {"serve.replicas": 1})
    assert answer["metrics"]["feasible"]["value"] is False
    assert any("faster than they are served" in text for text in answer["warnings"])


def test_a_network_that_does_not_fit_the_gpu_is_infeasible() -> None:
    settings = {"workload": "llama2-13b", "request_rate": 0.01, "serve.gpu": "t4"}
    assert priced(settings)["feasible"] is False
    assert priced(settings | {"serve.gpu": "a100-pcie-40gb"})["feasible"] is True


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"workload": "bert-base"}, "decoder"),
        ({"serve.gpu": "gtx-1080ti"}, "peak"),
        ({"serve.gpu": "v100-sxm2-16gb", "serve.precision": "int8"}, "peak"),
        ({"serve.target": "dfx", "serve.batch": 2}, "serve.batch == 1"),
        ({"serve.target": "dfx", "dfx.fpgas": 5}, "heads % fpgas"),
    ],
)
def test_what_is_not_covered_is_refused_with_the_rule(settings: dict[str, Any], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        verbs.evaluate("codesign", settings)


def test_a_gpu_without_a_price_has_no_cost_instead_of_a_wrong_one() -> None:
    found = priced({"serve.gpu": "a100-sxm-80gb"})
    assert found["cost"] is None
    assert found["capital_cost"] is None
    assert found["energy_per_token"] > 0


def test_batches_on_a_gpu_are_told_apart_from_one_request_at_a_time() -> None:
    words = verbs.evaluate("codesign", {"serve.batch": 4})["warnings"]
    assert any("one request a time" in text for text in words)
    assert not verbs.evaluate("codesign")["warnings"]


def test_the_page_says_that_no_joint_point_was_published() -> None:
    page = registry.model("codesign")
    assert not page.data.points
    assert "no published point" in page.note


def test_cost_is_linear_in_the_horizon() -> None:
    one, two = priced(W3 | {"horizon": "1 year"}), priced(W3 | {"horizon": "2 years"})
    assert two["energy_cost"] == pytest.approx(2 * one["energy_cost"])
    assert two["capital_cost"] == one["capital_cost"]


def test_queueing_is_finite_however_heavy_the_load() -> None:
    page = registry.model("codesign")
    base = registry.configure(page, {"request_rate": 0.5})
    rates = page.config.batched({"request_rate": np.geomspace(0.01, 100, 50)}, base)
    metrics = page.evaluate(rates).metrics
    assert np.isfinite(metrics["latency"]).all()
    assert (np.diff(metrics["utilisation"]) > 0).all()
