"""The sign table of the joint sheet, Sec. 4: paired differences over random platforms.

`+` a metric never falls as the knob goes up, `-` it never rises, `0` it does not change. Both
designs of a pair must be feasible. Knobs with both signs (`?`) stand in the sheet only.

Two things the sheet leaves unsaid: the split over CPU and GPU is held, as `auto` may choose
another when a device gets faster; and int8 is asked of GPUs whose int8 peak is the higher one,
which that of a V100 is not.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from dse import registry
from dse.spec import Array, Record
from models.codesign.model import MODEL
from models.codesign.platform import Platform

from .drawn import drawn, rows_of

PAIRS = 2**15
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
)
SIGNS = {
    "trials": "+ + 0 ? - + - 0 + 0 0",
    "train_size": "+ + 0 ? - + - 0 + 0 0",
    "fusion": "? ? 0 ? ? ? ? 0 + + -",
    "batch": "? ? 0 ? 0 0 0 + 0 0 0",
    "drive.count": "+ + + ? 0 0 0 0 0 0 0",
    "drive.dies": "+ + + ? 0 0 0 0 0 0 0",
    "drive.link": "+ + 0 - 0 0 0 0 0 0 0",
    "slc_fraction": "? ? 0 ? 0 0 0 0 0 0 0",
    "lii": "+ + 0 - 0 0 0 0 0 0 0",
    # The sheet has `-` for its cost. Without LII a step may lengthen by cleaning: where no drive
    # is replaced within the horizon, that costs energy (one pair of 7405, by 1.5e-7).
    "eadm": "? + 0 ? 0 0 0 0 0 0 0",
    "offload": "0 0 0 0 0 0 0 0 0 0 0",
    "fp16_store": "+ + 0 - 0 0 0 + 0 0 0",
    "amp": "+ + 0 - 0 0 0 - 0 0 0",
    "replicas": "0 0 + + - + + 0 0 0 0",
    "serve.batch": "0 0 0 - ? + - 0 0 0 0",
    "fpgas": "0 0 + + - + + 0 0 0 0",
    "clock": "0 0 0 - - + - 0 0 0 0",
    "a3 on": "0 0 0 ? ? ? ? + 0 0 0",
    "a3.m": "0 0 0 + + - + - 0 0 0",
    "a3.units": "0 0 0 - - + - 0 0 0 0",
    "vector": "0 0 0 - - + - 0 0 0 0",
    "int8": "0 0 0 - - + - + 0 - -",
}
"""Knob -> signs in the order of `METRICS`, as the sheet prints them."""

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
    "int8": switched("serve.precision", "fp16", "int8"),
}


def pairs(knob: str) -> tuple[dict[str, Array], dict[str, Array]]:
    """Metrics before and after, of the pairs that are covered and feasible at both ends."""
    splits = rows_of("duet.assignment")[1:]
    held = type(splits[0]).take(splits, np.random.default_rng(5).integers(0, len(splits), PAIRS))
    base = Platform.batched({"duet.assignment": held}, drawn(PAIRS, seed=11))
    gpu = base.serve.gpu
    found = []
    for columns in CHANGES[knob](base):
        config = Platform.batched(columns, base)
        with np.errstate(all="ignore"):
            result = MODEL.evaluate(config)
        covered = np.all([np.broadcast_to(r.holds(config), PAIRS) for r in MODEL.rules], axis=0)
        metrics = {n: np.broadcast_to(result.metrics[n], PAIRS) for n in METRICS}
        found.append((metrics, covered & result.metrics["feasible"].astype(bool)))
    (before, ran), (after, runs) = found
    both = ran & runs
    if knob == "int8":
        both &= gpu.peak_int8 >= gpu.peak_fp16
    return {n: v[both] for n, v in before.items()}, {n: v[both] for n, v in after.items()}


@pytest.mark.parametrize("knob", SIGNS)
def test_signs_of_the_sheet_hold_in_every_pair(knob: str) -> None:
    before, after = pairs(knob)
    assert len(before["cost"]) > 200, "too few feasible pairs to say anything"
    for metric, sign in zip(METRICS, SIGNS[knob].split(), strict=True):
        if sign == "?":
            continue
        low, high = before[metric], after[metric]
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
