"""What the knobs do that hold truth over prediction of other pages; at 1 they do nothing."""

from typing import Any

import numpy as np
import pytest

from dse import interval, registry
from dse.spec import knobs
from dse.study import nest
from models.codesign.attention import candidate_rows, kept_rows
from models.codesign.compiling import found_ratio
from models.codesign.model import MODEL
from models.codesign.platform import Platform
from models.codesign.trust import Trust

from . import golden
from .drawn import drawn
from .worked import W1, W2, W3, W4, priced, terms

TO_THE_LAST_DIGITS = 1e-12
"""Powers and logarithms differ in the last digits between processors."""
KNOBS = [f"trust.{name}" for name in Trust.model_fields]
TRAINING = ["trust.training_time", "trust.offload", "trust.drive_life"]
SERVING = ["serving_time", "cpu_time", "ring_time", "ring_power", "split", "candidates"]
EXPOSED = ["trust.instructions", "trust.recovered"]
ON_CPU = W3 | {"serve.target": "cpu"}
APART = {"workload": "gpt2-345m", "serve.target": "duet", "duet.assignment": "gc"}


def moved(settings: dict[str, Any], knob: str, value: float) -> set[str]:
    """Metrics that a factor changes."""
    before, after = priced(settings), priced(settings | {knob: value})
    return {name for name, number in before.items() if after[name] != number}


def ratio(settings: dict[str, Any], knob: str, value: float, metric: str) -> float:
    """A metric with a factor over the same without."""
    return float(priced(settings | {knob: value})[metric] / priced(settings)[metric])


@pytest.mark.parametrize("name", golden.DESIGNS)
def test_with_every_factor_at_one_nothing_is_as_it_was_not(name: str) -> None:
    found, kept = priced(golden.DESIGNS[name]), golden.kept()[name]
    assert found.keys() == kept.keys()
    for metric, number in kept.items():
        assert found[metric] == pytest.approx(number, rel=TO_THE_LAST_DIGITS, abs=0), metric


def test_every_factor_is_one_by_default() -> None:
    assert {knob.default for path, knob in knobs(Platform).items() if path in KNOBS} == {1.0}


@pytest.mark.parametrize("knob", [*TRAINING, *EXPOSED])
def test_factors_of_training_and_cpu_change_nothing_where_a_gpu_only_serves(knob: str) -> None:
    assert not moved({"workload": "gpt2-345m"}, knob, 3.0)


@pytest.mark.parametrize("name", SERVING)
def test_a_factor_moves_only_designs_that_use_its_part(name: str) -> None:
    uses = {
        "serving_time": [W3, APART],
        "cpu_time": [ON_CPU, APART],
        "ring_time": [W1, W4],
        "ring_power": [W1, W4],
        "split": [APART],
        "candidates": [W4],
    }
    for settings in (W1, W3, W4, ON_CPU, APART):
        changed = moved(settings, f"trust.{name}", 1.5)
        assert bool(changed) == (settings in uses[name]), settings


def test_a_gpu_twice_as_slow_serves_in_twice_the_time() -> None:
    for settings in (W3, W4 | {"serve.target": "gpu"}):
        assert ratio(settings, "trust.serving_time", 2.0, "service_time") == pytest.approx(2)
    assert ratio(ON_CPU, "trust.cpu_time", 2.0, "service_time") == pytest.approx(2)
    assert ratio(W1, "trust.ring_time", 2.0, "service_time") == pytest.approx(2)


def test_parts_of_a_pair_are_slowed_one_by_one_and_together() -> None:
    plain, gpu, cpu = (
        terms(APART | dict.fromkeys(slowed, 2.0))
        for slowed in ([], ["trust.serving_time"], ["trust.cpu_time"])
    )
    working = ("weights", "attention", "launch")
    more = sum(gpu[name] + cpu[name] - plain[name] for name in working)
    assert more == pytest.approx(2 * sum(plain[name] for name in working))
    assert ratio(APART, "trust.split", 1.5, "service_time") == pytest.approx(1.5)
    assert ratio(APART, "trust.split", 1.5, "exposed_share") == 1


def test_a_split_that_is_found_worse_than_predicted_is_not_taken() -> None:
    best = {"workload": "gpt2-345m", "serve.target": "duet", "serve.precision": "fp32"}
    alone = [priced(best | {"duet.assignment": one})["service_time"] for one in ("gg", "cc")]
    assert priced(best | {"trust.split": 20.0})["service_time"] == min(alone)
    assert priced(best | {"trust.split": 0.05})["service_time"] < min(alone)


def test_a_training_gpu_twice_as_slow_computes_twice_as_long_and_waits_no_longer() -> None:
    before, after = priced(W2), priced(W2 | {"trust.training_time": 2.0})
    for name in ("forward_time", "backward_time"):
        assert after[name] == pytest.approx(2 * before[name])
    assert after["exposed_transfer"] < before["exposed_transfer"]


def test_transfers_twice_as_slow_are_half_the_drives_behind_half_the_link() -> None:
    half = {"drive.count": 1, "drive.dies": 32, "train.host_link": "3 GB/s"}
    whole = W1 | {"train.host_link": "6 GB/s", "drive.lii": "on", "drive.link": "gen5x4"}
    slowed = priced(whole | {"trust.offload": 2.0, "drive.dies": 32})
    assert slowed["step_time"] == pytest.approx(priced(whole | half)["step_time"], rel=1e-9)


def test_a_step_that_offloads_nothing_does_not_mind_transfers() -> None:
    assert ratio(W1 | {"train.batch": 2}, "trust.offload", 3.0, "step_time") == 1


def test_drives_live_as_much_longer_as_is_said_up_to_the_cap() -> None:
    assert ratio(W3, "trust.drive_life", 2.0, "drive_lifetime") == pytest.approx(2)
    longest = priced({"workload": "gpt2-345m"})["drive_lifetime"]
    assert priced(W1 | {"trust.drive_life": 20.0, "train.jobs_per_year": 1})[
        "drive_lifetime"
    ] == pytest.approx(longest)


def test_boards_that_draw_more_cost_energy_and_no_time() -> None:
    assert ratio(W1, "trust.ring_power", 1.5, "device_energy_per_token") == pytest.approx(1.5)
    assert ratio(W1, "trust.ring_power", 1.5, "latency") == 1


def test_a_schedule_is_never_better_than_the_best_one() -> None:
    found = {"trials": np.asarray(64.0), "correlation": np.asarray(0.58)}
    worse = found_ratio(**found, regret_ratio=np.asarray(1.1), trust=np.asarray(1.5))
    assert float(worse) == pytest.approx(1.5 * 1.0218, rel=1e-3)
    assert float(found_ratio(**found, regret_ratio=np.asarray(1.1), trust=np.asarray(0.05))) == 1
    assert not moved(W3, "trust.regret", 2.0), "a framework's kernels are not searched"


def test_selected_rows_are_bound_by_all_rows() -> None:
    # 1/4 of the rows as steps select 19.5 % of them and keep 1.4 %.
    share = np.asarray(0.25)
    assert float(candidate_rows(share=share)) == pytest.approx(0.25 * (0.90 - 0.12))
    assert float(candidate_rows(share=share, trust=np.asarray(2.0))) == pytest.approx(0.39)
    assert float(candidate_rows(share=share, trust=np.asarray(20.0))) == 1
    assert float(kept_rows(share=share, trust=np.asarray(2.0))) == pytest.approx(0.04 * 0.5**0.5)
    for knob in ("trust.candidates", "trust.kept_rows"):
        assert ratio(W4, knob, 2.0, "service_time") > 1


def test_a_function_of_twice_the_instructions_takes_longer_by_their_power() -> None:
    quick = ON_CPU | {"attacker.bulk_extract": "on", "serve.precision": "int8"}
    found = ratio(quick, "trust.instructions", 2.0, "recovery_time")
    assert 2 < found < 2**1.21, "the exponent is 1.2; what is read stays"
    assert priced(ON_CPU | {"trust.recovered": 20.0})["exposed_share"] == 1


def test_doubling_the_time_of_training_never_raises_throughput() -> None:
    one = drawn(2**12, seed=21)
    trust = one.trust.training_time
    two = Platform.batched({"trust.training_time": 2 * trust}, one)
    with np.errstate(all="ignore"):
        before, after = (MODEL.evaluate(c).metrics["throughput"] for c in (one, two))
    known = np.isfinite(before) & np.isfinite(after)
    assert known.sum() > 2**10
    assert (after[known] <= before[known] * (1 + TO_THE_LAST_DIGITS)).all()


def test_every_factor_holds_an_error_that_its_page_has_check_rows_of() -> None:
    assert list(MODEL.uncertain) == KNOBS
    for knob, uncertain in MODEL.uncertain.items():
        page = registry.model(uncertain.page)
        judged, _ = interval.judged_by(page, uncertain.metric)
        checked = {metric for metric, _ in interval.errors(page.slug)}
        assert judged in checked, f"{knob}: no check row of {uncertain.page} {judged}"
        assert not uncertain.per or knobs(Platform)[uncertain.per].catalog is not None


@pytest.mark.parametrize("knob", KNOBS)
def test_regimes_are_weak_ones_of_that_page_and_broadcast(knob: str) -> None:
    uncertain, batch = MODEL.uncertain[knob], drawn(64, seed=3)
    if uncertain.regimes is None:
        return
    found = uncertain.regimes(batch)
    assert set(found) <= set(registry.model(uncertain.page).weak)
    assert all(np.broadcast_shapes(np.shape(mask), (64,)) == (64,) for mask in found.values())
    assert all(np.asarray(mask).dtype == np.bool_ for mask in found.values())


def regimes_of(knob: str, settings: dict[str, Any]) -> set[str]:
    """Weak regimes that a design's use of a page falls in."""
    config = registry.configure(MODEL, nest({"workload": "gpt2-345m"} | settings))
    regimes = MODEL.uncertain[knob].regimes
    assert isinstance(config, Platform)
    assert regimes is not None
    return {name for name, mask in regimes(config).items() if bool(mask)}


@pytest.mark.parametrize(
    ("knob", "settings", "regimes"),
    [
        ("trust.serving_time", {}, {"datasheet"}),
        ("trust.serving_time", {"roofline.form": "calibrated"}, {"unmeasured"}),
        (
            "trust.serving_time",
            {"roofline.form": "calibrated", "serve.gpu": "a100-pcie-40gb"},
            set(),
        ),
        ("trust.training_time", {"roofline.form": "calibrated"}, set()),
        (
            "trust.training_time",
            {"roofline.form": "calibrated", "train.gpu": "t4"},
            {"throttled"},
        ),
        ("trust.cpu_time", {"roofline.form": "calibrated"}, {"datasheet"}),
        ("trust.drive_life", {}, set()),
        ("trust.drive_life", {"drive.lii": "off"}, {"uniform"}),
        ("trust.drive_life", {"drive.zones": "tlc"}, {"uniform"}),
        ("trust.regret", {}, set()),
        ("trust.regret", {"compile.train_size": 100, "compile.trials": 4}, {"misses"}),
        ("trust.regret", {"compile.tuner": "iterative", "compile.trials": 8}, set()),
        ("trust.split", {"serve.target": "duet"}, set()),
    ],
)
def test_weak_regimes_are_those_of_the_design(
    knob: str, settings: dict[str, Any], regimes: set[str]
) -> None:
    assert regimes_of(knob, settings) == regimes


def test_one_gpu_that_trains_and_serves_has_one_error() -> None:
    one, two = (MODEL.uncertain[f"trust.{name}_time"] for name in ("training", "serving"))
    assert (one.page, one.metric) == (two.page, two.metric)
    assert (one.per, two.per) == ("train.gpu", "serve.gpu")
