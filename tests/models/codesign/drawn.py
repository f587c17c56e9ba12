"""Random joint designs as one batch: rows of every catalog, knobs spread inside their bounds."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from dse import registry
from dse.spec import Knob, Record, knobs
from models.codesign.platform import Platform

from ..designs import priced_rows

GIVEN = {"workload": "gpt2-345m", "train": {"mode": "train"}}
KEPT = ("workload", "train.mode", "drive.slc", "drive.tlc", "roofline.form")


@cache
def rows_of(path: str) -> tuple[Record, ...]:
    """Priced rows of a knob's catalog."""
    page = registry.model("codesign")
    return tuple(priced_rows(page, knobs(Platform)[path]).values())


def column(knob: Knob, count: int, rng: np.random.Generator) -> Any:
    """Random values of a knob."""
    if knob.catalog is not None:
        rows = rows_of(knob.path)
        return type(rows[0]).take(rows, rng.integers(0, len(rows), count))
    assert knob.bounds is not None
    low, high, share = knob.bounds.low, knob.bounds.high, rng.random(count)
    values = low * (high / low) ** share if knob.bounds.log else low + share * (high - low)
    return np.round(values) if knob.bounds.integer else values


def drawn(
    count: int, *, seed: int, given: Mapping[str, object] = GIVEN, kept: tuple[str, ...] = KEPT
) -> Platform:
    """Random platforms that train and serve GPT-2 345M; knobs of `kept` stay as given.

    GPUs are priced by their datasheet unless `given` says otherwise, which is tenfold as fast.
    """
    rng = np.random.default_rng(seed)
    base = registry.starting_point(registry.model("codesign"), given)
    assert isinstance(base, Platform)
    columns = {k.path: column(k, count, rng) for k in knobs(Platform).values()}
    return Platform.batched({k: v for k, v in columns.items() if k not in kept}, base)
