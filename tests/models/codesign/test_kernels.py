"""GPU times by measured kernels: those of page `roofline`, tuned and started by the compiler."""

from typing import Any

import numpy as np
import pytest

from dse import registry, verbs
from dse.errors import InputError
from dse.study import nest
from models.codesign.kernels import EXTRAPOLATED

from ..designs import at, draw, stacked
from .worked import W1, W2, W3, W4, priced, terms

A100 = {"serve.gpu": "a100-pcie-40gb", "train.gpu": "a100-pcie-40gb"}
MEASURED: dict[str, Any] = {"workload": "gpt2-345m", "roofline.form": "calibrated", **A100}
LIBRARY = MEASURED | {
    "compile.tuner": "framework",
    "compile.dispatch_time": 0,
    "compile.eager_dispatch_time": 0,
}
"""A framework starts the library's kernels as they were measured, for nothing."""
TRAINING = {"train.mode": "train", "train.batch": 4, "train.tokens": 512}


def one_pass(**changes: Any) -> float:
    """Latency of a pass as page `roofline` says it, starts left out."""
    alone = {"workload": "gpt2-345m", "device": "a100-pcie-40gb", "form": "calibrated"}
    answer = verbs.evaluate("roofline", alone | {"dispatch_time": 0} | changes)
    return float(answer["metrics"]["latency"]["value"])


@pytest.mark.parametrize(
    ("precision", "alone", "kernels"),
    [("fp32", "fp32", "listed"), ("fp32", "fp32", "eager-gpt2"), ("amp", "fp16", "fused")],
)
def test_a_forward_pass_of_a_library_is_that_of_the_roofline(
    precision: str, alone: str, kernels: str
) -> None:
    settings = TRAINING | {"train.precision": precision, "roofline.train_kernels": kernels}
    found = priced(LIBRARY | settings)
    shape = {"batch": 4, "tokens": 512, "context": 512}
    passed = one_pass(precision=alone, kernels=kernels, **shape)
    assert found["forward_time"] == pytest.approx(passed, rel=1e-12)
    assert found["backward_time"] > 2 * passed


@pytest.mark.parametrize("kernels", ["listed", "fused"])
def test_a_request_of_a_library_is_its_prompt_and_its_tokens(kernels: str) -> None:
    # The cache holds 64 + 64 / 2 = 96 rows in the mean while 65 tokens are written.
    request = {"serve.batch": 8, "output_tokens": 65, "roofline.serve_kernels": kernels}
    found = priced(LIBRARY | request)
    work = {"batch": 8, "kernels": kernels, "precision": "fp16"}
    prompt = one_pass(tokens=64, context=64, **work)
    token = one_pass(tokens=1, context=96, **work)
    assert found["service_time"] == pytest.approx(prompt + 65 * token, rel=1e-12)


def test_a_tuned_kernel_takes_less_than_the_librarys_by_what_it_leaves() -> None:
    # A framework's kernel takes 1.1 times the best schedule, an untuned one 1.826 times.
    unfused = {"compile.fusion": "none", "compile.dispatch_time": 0}
    library = terms(LIBRARY)["weights"]
    untuned = terms(LIBRARY | unfused | {"compile.tuner": "default"})["weights"]
    assert untuned / library == pytest.approx(1.826 / 1.1)
    best = LIBRARY | unfused | {"compile.tuner": "oneshot", "trust.regret": 0.05}
    assert terms(best)["weights"] / library == pytest.approx(1 / 1.1)


def test_fused_small_operators_move_nothing() -> None:
    compiled = MEASURED | {"compile.tuner": "default", "serve.batch": 32, "input_tokens": 512}
    none, pattern, aggressive = (
        terms(compiled | {"compile.fusion": fusion})["weights"]
        for fusion in ("none", "pattern", "aggressive")
    )
    # 0.4 and 0.15 of the small operators are left, by page data.
    assert (none - pattern) / (none - aggressive) == pytest.approx(0.6 / 0.85)


def test_a_start_is_paid_once_by_the_device_or_by_the_host() -> None:
    eager = MEASURED | {"compile.tuner": "framework", "compile.eager_dispatch_time": 60e-6}
    slow, none = (terms(eager | {"compile.dispatch_time": t}) for t in (5e-6, 0))
    # 24 kernels of 24 layers take 34.56 ms of the host a pass, which is longer than they work.
    assert slow == none
    assert slow["launch"] + slow["weights"] + slow["attention"] == pytest.approx(65 * 34.56e-3)
    fast = eager | {"compile.eager_dispatch_time": 0, "compile.dispatch_time": 5e-6}
    assert terms(fast)["launch"] == pytest.approx(65 * 24 * 24 * 5e-6)


def test_fused_attention_holds_its_own_three_starts() -> None:
    compiled = MEASURED | {"compile.dispatch_time": 5e-6, "compile.fusion": "pattern"}
    listed, fused = (
        terms(compiled | {"roofline.serve_kernels": k})["launch"] for k in ("listed", "fused")
    )
    assert listed == pytest.approx(65 * 24 * 12 * 5e-6)
    assert fused == pytest.approx(65 * 24 * 9 * 5e-6)
    selected = compiled | {"roofline.serve_kernels": "fused", "a3.on": "on"}
    assert terms(selected)["launch"] == pytest.approx((9 + 64 * 12) * 24 * 5e-6)


@pytest.mark.parametrize("knob", ["compute_efficiency", "memory_efficiency"])
def test_efficiencies_are_left_aside(knob: str) -> None:
    both = MEASURED | TRAINING
    assert priced(both | {knob: 0.2}) == priced(both | {knob: 0.9})


def test_what_is_no_gpu_is_as_it_was() -> None:
    for design in (W1, W4, W3 | {"serve.target": "cpu"}):
        serving = design | {"train.mode": "none"}
        assert priced(serving | {"roofline.form": "calibrated"}) == priced(serving)


def test_a_step_of_w2_on_its_a100_is_faster_by_measured_kernels() -> None:
    # Half of 312 TFLOPS against products of 0.89 less what edges and waves take, all pairs.
    roofed, measured = priced(W2), priced(W2 | {"roofline.form": "calibrated"})
    assert 0.5 < measured["forward_time"] / roofed["forward_time"] < 1.5
    assert measured["backward_time"] > 2 * measured["forward_time"]


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (
            {"serve.precision": "int8"},
            "of serve.gpu.*set serve.precision to fp32 or fp16, or roofline.form to",
        ),
        ({"workload": "wide-deep-edge"}, "shapes.*roofline.form to datasheet"),
        ({"serve.gpu": "gtx-1080ti"}, "peak"),
        (
            {"serve.precision": "fp32", "roofline.serve_kernels": "fused"},
            "half precision, of serve.gpu.*roofline.serve_kernels to listed",
        ),
        (
            TRAINING | {"roofline.train_kernels": "fused"},
            "of train.gpu.*set train.precision to amp, or roofline.train_kernels to listed",
        ),
        (
            {"workload": "llama3.1-405b", "roofline.serve_kernels": "fused"},
            "at most 8 heads",
        ),
    ],
)
def test_what_no_kernel_covers_is_refused(settings: dict[str, Any], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        verbs.evaluate("codesign", MEASURED | settings)


def test_a_gpu_that_is_not_used_is_not_asked_about() -> None:
    aside = {"serve.target": "dfx", "serve.gpu": "gtx-1080ti", "train.gpu": "gtx-1080ti"}
    assert priced(W1 | aside | {"train.mode": "none", "roofline.form": "calibrated"})["latency"]


def flags_of(changes: dict[str, Any]) -> set[str]:
    """Flags that a design raises."""
    page = registry.model("codesign")
    config = registry.configure(page, nest(MEASURED | changes))
    return {name for name, mask in page.evaluate(config).flags.items() if bool(mask)}


def test_gpus_without_a_measured_kernel_and_parts_without_its_law_are_flagged() -> None:
    names = {*EXTRAPOLATED, "uncalibrated"}
    assert not flags_of(TRAINING) & names
    assert flags_of({"serve.gpu": "v100-pcie-16gb"}) & names == {"unmeasured"}
    assert flags_of(TRAINING | {"train.gpu": "t4"}) & names == {"throttled"}
    assert flags_of({"serve.target": "duet"}) & names == {"uncalibrated"}
    assert flags_of({"a3.on": "on"}) & names == {"uncalibrated"}
    assert not flags_of({"serve.target": "dfx", "a3.on": "on"}) & names
    roofed = {"roofline.form": "datasheet", "serve.gpu": "v100-pcie-16gb"}
    assert not flags_of(roofed | {"serve.target": "duet"}) & names


def test_designs_of_both_forms_in_one_batch_keep_to_themselves() -> None:
    page, given = registry.model("codesign"), {"workload": "gpt2-345m"}
    configs = draw(page, 64, seed=8, given=given)
    assert {at(config, "roofline.form").slug for config in configs} == {"datasheet", "calibrated"}
    with np.errstate(all="ignore"):
        both = page.evaluate(stacked(page, configs)).metrics
        alone = [page.evaluate(config).metrics for config in configs]
    for name, column in both.items():
        ones = np.array([float(metrics[name]) for metrics in alone])
        np.testing.assert_allclose(np.broadcast_to(column, ones.shape), ones, rtol=1e-12)
