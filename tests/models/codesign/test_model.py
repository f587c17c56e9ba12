"""The joint page against the worked numbers of its sheet, and what it refuses and says."""

from typing import Any

import numpy as np
import pytest

from dse import registry, verbs
from dse.errors import InputError

from .worked import NUMBERS, W1, W2, W3, W4, priced, terms

TO_THE_DIGIT = 1e-5
"""The sheet prints six digits; its bar is 1e-4."""
SERVING = {"workload": "gpt2-345m"}


@pytest.mark.parametrize("design", NUMBERS)
def test_worked_designs_of_the_sheet_are_met(design: str) -> None:
    settings, numbers = NUMBERS[design]
    found = priced(settings)
    for name, number in numbers.items():
        assert found[name] == pytest.approx(number, rel=TO_THE_DIGIT, abs=1e-12), name


def test_a_token_of_w1_is_the_sum_the_sheet_prints() -> None:
    # 12 e^2 L + V e = 353,453,056 weights over 0.4369 x 204.8 G/s: 3.95021 ms; 14 tiles of
    # 11.444 ns for 16 heads of 24 layers: 61.5244 us; 24 x 59.45 us: 1.4268 ms. 128 passes.
    found = terms(W1)
    assert found["weights"] / 128 == pytest.approx(3.95021e-3, rel=TO_THE_DIGIT)
    assert found["attention"] / 128 == pytest.approx(61.5244e-6, rel=TO_THE_DIGIT)
    assert found["launch"] / 128 == pytest.approx(24 * 59.45e-6, rel=1e-12)


def test_eager_terms_are_those_of_the_sheet() -> None:
    # W3: decode 1.152 + 0.015299 + 34.56 ms a token; 24 kernels, 24 layers, 60 us, 65 passes.
    found = terms(W3)
    assert found["launch"] == pytest.approx(65 * 24 * 24 * 60e-6, rel=1e-12)
    assert found["weights"] == pytest.approx(65 * 1.152e-3, rel=1e-4)
    assert found["batching"] == found["transfer"] == 0.0


def test_exact_attention_at_16k_takes_what_the_sheet_says() -> None:
    exact = terms(W4 | {"a3.on": "off"})
    assert exact["attention"] / 128 == pytest.approx(9.035e-3, rel=1e-4)
    assert terms(W4)["attention"] / 128 == pytest.approx(1.09346e-3, rel=TO_THE_DIGIT)


def test_large_batches_of_w2_lose_to_the_batch_that_fits() -> None:
    # The sheet: 34 fit without offload at 0.27 s a step; 64 take 8.4 s, as no drive keeps up.
    alone = priced(W2 | {"train.batch": 34, "train.offload": "off"})
    assert alone["feasible"] is True
    # Its law F (b + 4) gives 0.29 s; the 0.27 of the text leaves the 4 out.
    assert alone["step_time"] == pytest.approx(0.2926, rel=1e-3)
    assert priced(W2 | {"train.batch": 35, "train.offload": "off"})["feasible"] is False
    assert alone["throughput"] > 10 * priced(W2)["throughput"]


def test_gradients_accumulated_stand_beside_the_offloaded_batch() -> None:
    found = priced(W2)
    assert found["accumulated_throughput"] > 10 * found["throughput"]
    fits = priced(W2 | {"train.batch": 34, "train.offload": "off"})
    assert fits["accumulated_throughput"] == pytest.approx(fits["throughput"])


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"workload": "bert-base"}, "decoder or a network of branches"),
        ({"workload": "resnet50", "serve.target": "none", "train.mode": "train"}, "transformer"),
        ({"workload": "wide-deep-edge", "train.mode": "train"}, "transformer"),
        ({"workload": "wide-deep-edge", "serve.target": "dfx"}, "writes text|decoder"),
        ({"workload": "llama2-70b", "a3.on": "on"}, "keys for every head"),
        ({"workload": "wide-deep-edge", "a3.on": "on"}, "keys for every head"),
        ({"serve.target": "none"}, "something is trained or served"),
        ({"serve.gpu": "gtx-1080ti"}, "peak"),
        ({"serve.gpu": "v100-sxm2-16gb", "serve.precision": "int8"}, "peak"),
        ({"train.gpu": "gtx-1080ti", "train.precision": "amp", "train.mode": "train"}, "peak"),
        ({"serve.target": "dfx", "serve.batch": 2}, "serve.batch == 1"),
        ({"serve.target": "dfx", "dfx.fpgas": 5}, "heads % fpgas"),
    ],
)
def test_what_is_not_covered_is_refused_with_the_rule(settings: dict[str, Any], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        verbs.evaluate("codesign", settings)


def test_a_platform_that_cannot_keep_up_is_infeasible_and_says_so() -> None:
    answer = verbs.evaluate("codesign", W3 | {"serve.replicas": 1})
    assert answer["metrics"]["feasible"]["value"] is False
    assert any("faster than they are served" in text for text in answer["warnings"])


def test_a_network_that_does_not_fit_the_gpu_is_infeasible() -> None:
    settings = {"workload": "llama2-13b", "request_rate": 0.01, "serve.gpu": "t4"}
    assert priced(settings)["feasible"] is False
    assert priced(settings | {"serve.gpu": "a100-pcie-40gb"})["feasible"] is True


def test_a_gpu_without_a_price_has_no_cost_instead_of_a_wrong_one() -> None:
    found = priced({"serve.gpu": "a100-sxm-80gb"})
    assert found["cost"] is None
    assert found["capital_cost"] is None
    assert found["energy_per_token"] > 0


def test_a_platform_that_only_trains_serves_nothing_and_pays_nothing_for_it() -> None:
    found = priced(W3 | {"workload": "bert-large", "serve.target": "none"})
    assert found["latency"] == found["power"] == found["devices"] == found["exposed_share"] == 0.0
    assert found["capital_cost"] == found["training_capital"]
    assert found["feasible"] is True


def test_a_step_is_the_sum_of_its_parts_and_names_its_bottleneck() -> None:
    answer = verbs.evaluate("codesign", W2 | {"serve.target": "none"})
    assert answer["bottleneck"] == "step_transfer"
    assert answer["metrics"]["exposed_transfer"]["value"] > 7
    assert verbs.evaluate("codesign", W2)["bottleneck"] == "launch"


def test_more_tokens_than_a_network_was_trained_on_are_flagged() -> None:
    for settings in (W4, W1 | {"train.tokens": 2048}):
        words = verbs.evaluate("codesign", settings)["warnings"]
        assert any("more tokens than" in text for text in words)


def test_a_platform_that_only_serves_wears_no_drive() -> None:
    found = priced(SERVING)
    assert found["throughput"] == found["training_capital"] == found["replacement_cost"] == 0.0
    assert not verbs.evaluate("codesign", SERVING)["warnings"]


def test_batches_on_a_gpu_are_told_apart_from_one_request_at_a_time() -> None:
    words = verbs.evaluate("codesign", {"serve.batch": 4})["warnings"]
    assert any("one request a time" in text for text in words)


def test_the_page_says_that_no_joint_point_was_published() -> None:
    page = registry.model("codesign")
    assert not page.data.points
    assert "no published point" in page.note


def test_cost_is_linear_in_the_horizon_while_drives_last() -> None:
    one, two = priced(W1 | {"horizon": "1 year"}), priced(W1 | {"horizon": "2 years"})
    assert two["energy_cost"] == pytest.approx(2 * one["energy_cost"])
    assert two["capital_cost"] == one["capital_cost"]
    assert one["replacement_cost"] == two["replacement_cost"] == 0.0


def test_drives_that_wear_out_are_bought_again() -> None:
    # W3's two drives live 1.40975 years: 3 / 1.40975 - 1 times 791.52 $ more.
    assert priced(W3)["replacement_cost"] == pytest.approx(
        (3 / 1.40975 - 1) * 791.52, rel=TO_THE_DIGIT
    )


def test_queueing_is_finite_however_heavy_the_load() -> None:
    page = registry.model("codesign")
    base = registry.configure(page, {"request_rate": 0.5})
    rates = page.config.batched({"request_rate": np.geomspace(0.01, 100, 50)}, base)
    metrics = page.evaluate(rates).metrics
    assert np.isfinite(metrics["latency"]).all()
    assert (np.diff(metrics["utilisation"]) > 0).all()


def test_one_kind_of_platform_is_as_good_as_another_row_of_its_batch() -> None:
    # GPU and FPGA rows of one batch keep to themselves: the designs of W1 and W3 as two rows.
    page = registry.model("codesign")
    alone = [priced(W1)["latency"], priced(W3)["latency"]]
    both = verbs.sweep("codesign", {"serve.target": "gpu,dfx"}, {"workload": "gpt2-345m"})
    assert len(both) == 2
    assert page.total == "latency"
    assert alone == pytest.approx([1.13360, 2.95180], rel=TO_THE_DIGIT)
