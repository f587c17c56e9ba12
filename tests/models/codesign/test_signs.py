"""The sign table of the joint sheet, Sec. 4: paired differences over random platforms.

`+` a metric never falls as the knob goes up, `-` it never rises, `0` it does not change. Both
designs of a pair must be feasible. Knobs with both signs (`?`) stand in the sheet only.

Two things the sheet leaves unsaid: the split over CPU and GPU is held, as `auto` may choose
another when a device gets faster; and int8 is asked of GPUs whose int8 peak is the higher one,
which that of a V100 is not.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

from dse import registry
from dse.spec import Array, Mask, Record
from dse.units import YEAR
from models.codesign.model import MODEL
from models.codesign.platform import Platform

from .drawn import GIVEN, drawn, rows_of

PAIRS = {"datasheet": 2**15, "calibrated": 2**13}
"""Designs by the law that prices GPUs."""
RELATIVE = 1e-9
METRICS = (
    "throughput",
    "drive_lifetime",
    "capital_cost",
    "cost",
    "latency",
    "tokens_per_second",
    "energy_per_token",
    "quality_loss",
    "tuning_time",
    "recovery_time",
    "exposed_share",
    "feasible",
)
SIGNS = {
    "trials": "+ + 0 ? - + - 0 + 0 0 +",
    "train_size": "+ + 0 ? - + - 0 + 0 0 +",
    "fusion": "? ? 0 ? ? ? ? 0 + + - ?",
    "batch": "? ? 0 ? 0 0 0 + 0 0 0 -",
    "drive.count": "+ + + ? 0 0 0 0 0 0 0 +",
    "drive.dies": "+ + + ? 0 0 0 0 0 0 0 +",
    "drive.link": "+ + 0 - 0 0 0 0 0 0 0 +",
    "slc_fraction": "? ? 0 ? 0 0 0 0 0 0 0 -",
    "lii": "+ + 0 - 0 0 0 0 0 0 0 +",
    # The sheet has `-` for its cost. Without LII a step may lengthen by cleaning: where no drive
    # is replaced within the horizon, that costs energy (one pair of 7405, by 1.5e-7).
    "eadm": "? + 0 ? 0 0 0 0 0 0 0 ?",
    "offload": "0 0 0 0 0 0 0 0 0 0 0 +",
    "fp16_store": "+ + 0 - 0 0 0 + 0 0 0 +",
    "amp": "+ + 0 - 0 0 0 - 0 0 0 +",
    "replicas": "0 0 + + - + + 0 0 0 0 +",
    "serve.batch": "0 0 0 - ? + - 0 0 0 0 ?",
    "fpgas": "0 0 + + - + + 0 0 0 0 +",
    "clock": "0 0 0 - - + - 0 0 0 0 +",
    "a3 on": "0 0 0 ? ? ? ? + 0 0 0 -",
    "a3.m": "0 0 0 + + - + - 0 0 0 0",
    "a3.units": "0 0 0 - - + - 0 0 0 0 0",
    "vector": "0 0 0 - - + - 0 0 0 0 +",
    # From decode on the CPU to both phases there: the sheet counts a subgraph of a graph, where
    # the price may fall by a GPU; here the pair of devices stays.
    "to CPU": "0 0 0 ? ? ? ? 0 0 + + ?",
    "int8": "0 0 0 - - + - + 0 - - ?",
}
"""Knob -> signs in the order of `METRICS`, as the sheet prints them."""

# The sheet knows no measured kernels: none is of int8, and of a larger batch of requests operands
# may leave the L2 cache, which costs time and energy.
MEASURED = {knob: signs for knob, signs in SIGNS.items() if knob != "int8"}
MEASURED["serve.batch"] = "0 0 0 ? ? ? ? 0 0 0 0 ?"

Change = Callable[[Platform], tuple[Mapping[str, object], Mapping[str, object]]]


def one(path: str, slug: str) -> Record:
    return next(row for row in rows_of(path) if row.slug == slug)


def switched(path: str, low: str, high: str) -> Change:
    """From one row of a catalog to another."""
    return lambda _: ({path: one(path, low)}, {path: one(path, high)})


def raised(path: str, factor: float) -> Change:
    """The knob as drawn, and `factor` times as much."""

    def change(config: Platform) -> tuple[Mapping[str, object], Mapping[str, object]]:
        value: Any = config
        for name in path.split("."):
            value = getattr(value, name)
        return {path: value}, {path: value * factor}

    return change


CHANGES: dict[str, Change] = {
    "trials": raised("compile.trials", 4),
    "train_size": raised("compile.train_size", 3),
    "fusion": switched("compile.fusion", "none", "aggressive"),
    "batch": raised("train.batch", 2),
    "drive.count": raised("drive.count", 2),
    "drive.dies": raised("drive.dies", 2),
    "drive.link": switched("drive.link", "gen3x4", "gen5x4"),
    "slc_fraction": raised("drive.slc_fraction", 1.1),
    "lii": switched("drive.lii", "off", "on"),
    "eadm": switched("drive.eadm", "off", "on"),
    "offload": switched("train.offload", "off", "on"),
    "fp16_store": switched("train.fp16_store", "off", "on"),
    "amp": switched("train.precision", "fp32", "amp"),
    "replicas": raised("serve.replicas", 2),
    "serve.batch": raised("serve.batch", 2),
    "fpgas": raised("dfx.fpgas", 2),
    "clock": raised("dfx.clock", 1.25),
    "a3 on": switched("a3.on", "off", "on"),
    "a3.m": raised("a3.m", 1.5),
    "a3.units": raised("a3.units", 2),
    "vector": switched("compile.vector", "sse", "avx2"),
    "to CPU": switched("duet.assignment", "gc", "cc"),
    "int8": switched("serve.precision", "fp16", "int8"),
}


class Pairs(NamedTuple):
    """Designs that differ in one knob, where the page covers both."""

    before: dict[str, Array]
    after: dict[str, Array]
    run: Mask
    """Whether both are feasible."""
    in_time: Mask
    """Whether both keep up with requests and jobs, which the sheet leaves to constraints."""


def pairs(knob: str, form: str) -> Pairs:
    """Metrics of random designs before and after a change."""
    count = PAIRS[form]
    splits = [row for row in rows_of("duet.assignment") if len(row.slug) == 2]
    held = type(splits[0]).take(splits, np.random.default_rng(5).integers(0, len(splits), count))
    given = {**GIVEN, "roofline": {"form": form}}
    base = Platform.batched({"duet.assignment": held}, drawn(count, seed=11, given=given))
    gpu, kept = base.serve.gpu, np.ones(count, dtype=np.bool_)
    if knob == "int8":
        kept &= gpu.peak_int8 >= gpu.peak_fp16
    in_time, found = np.ones(count, dtype=np.bool_), []
    for columns in CHANGES[knob](base):
        config = Platform.batched(columns, base)
        with np.errstate(all="ignore"):
            metrics = MODEL.evaluate(config).metrics
        kept &= np.all([np.broadcast_to(r.holds(config), count) for r in MODEL.rules], axis=0)
        in_time &= (metrics["utilisation"] < 0.95) & (
            metrics["retrain_time"] * config.train.jobs_per_year <= YEAR
        )
        found.append({n: np.broadcast_to(metrics[n], count).astype(float) for n in METRICS})
    before, after = ({n: v[kept] for n, v in one.items()} for one in found)
    run = (before["feasible"] * after["feasible"]).astype(np.bool_)
    return Pairs(before, after, run, in_time[kept])


@pytest.mark.parametrize("knob", SIGNS)
def test_signs_of_the_sheet_hold_in_every_pair(knob: str) -> None:
    hold(SIGNS[knob], pairs(knob, "datasheet"), knob)


@pytest.mark.parametrize("knob", MEASURED)
def test_signs_hold_in_every_pair_by_measured_kernels(knob: str) -> None:
    hold(MEASURED[knob], pairs(knob, "calibrated"), knob)


def hold(signs: str, found: Pairs, knob: str) -> None:
    """Assert that no pair goes against its sign."""
    assert found.run.sum() > 200, "too few feasible pairs to say anything"
    for metric, sign in zip(METRICS, signs.split(), strict=True):
        if sign == "?":
            continue
        rows = found.in_time if metric == "feasible" else found.run
        low, high = found.before[metric][rows], found.after[metric][rows]
        slack = RELATIVE * np.minimum(np.abs(low), np.abs(high))
        with np.errstate(invalid="ignore"):  # endless on both sides
            difference = np.where(low == high, 0.0, high - low)
        rises, falls = difference > slack, difference < -slack
        if sign in "-0":
            assert not rises.any(), f"{metric} rises with {knob} in {rises.sum()} pairs"
        if sign in "+0":
            assert not falls.any(), f"{metric} falls with {knob} in {falls.sum()} pairs"


def test_every_row_names_a_change_and_every_metric_a_sign() -> None:
    assert SIGNS.keys() == CHANGES.keys()
    assert all(len(row.split()) == len(METRICS) for row in SIGNS.values())
    assert registry.model("codesign") is MODEL
