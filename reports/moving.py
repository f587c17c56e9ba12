"""Which given numbers an answer hangs on: constants of pages, knobs as they stand, catalog rows.

Each number is made a little larger and a little smaller alone, and what then moves no answer of
the designs need not be checked by their reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dse.errors import InputError
from dse.grounds import NUDGE
from dse.spec import AnyModel, Array, Config, Mask, Record, Result, at

from .nudged import Copy, Place

FACTORS = (NUDGE, 1 / NUDGE)
"""How many times as large each number is taken."""

Answers = Mapping[str, Array]
"""Metric -> its values over a batch."""


def constants(
    page: AnyModel, config: Config, metrics: Sequence[str], pages: Sequence[AnyModel]
) -> set[Place]:
    """The constants that a page's equations ask for and that move a metric of some design.

    A number that is read once, as the page is imported, cannot be tried and counts as moving.

    Args:
        page: what prices the designs.
        config: a batch of them.
        metrics: those that count.
        pages: whose constants are looked for.
    """
    copy = Copy(page, [])
    here = _priced(copy, page, config, metrics)
    moving = copy.imported([(p.slug, name) for p in pages for name in p.data.parameters])
    for place in sorted(copy.asked):
        for copy.shifted, copy.factor in ((place, factor) for factor in FACTORS):
            if _moved(here, _priced(copy, page, config, metrics)):
                moving.add(place)
    return moving


def _priced(copy: Copy, page: AnyModel, config: Config, metrics: Sequence[str]) -> Answers:
    with np.errstate(all="ignore"):
        result: Result = copy.function(page.evaluate)(config)
    return {name: np.asarray(result.metrics[name], dtype=np.float64) for name in metrics}


def _moved(here: Answers, there: Answers) -> bool:
    return not all(_same(value, there[name]).all() for name, value in here.items())


def _same(here: Array, there: Array) -> Mask:
    found: Mask = np.isclose(here, there, rtol=1e-12, atol=0.0, equal_nan=True)
    return found


def knobs(
    page: AnyModel, config: Config, paths: Sequence[str], metrics: Sequence[str]
) -> set[str]:
    """The numeric knobs of one design that move a metric from where they stand."""
    tried = [(path, factor) for path in paths for factor in FACTORS]
    rows = len(tried) + 1
    columns = {path: np.full(rows, at(config, path)) for path in paths}
    for place, (path, factor) in enumerate(tried):
        columns[path][place] *= factor
    moves = _against_last(page, type(config).batched(columns, config), rows, metrics)
    return {path for (path, _), moved in zip(tried, moves, strict=False) if moved}


def fields(
    page: AnyModel, config: Config, rows: Mapping[str, Record], metrics: Sequence[str]
) -> set[tuple[str, str]]:
    """The numbers of catalog rows that move a metric of one design, each with its knob.

    Args:
        page: what prices the design.
        config: the design.
        rows: category knob -> the row that the design has.
        metrics: those that count.
    """
    tried = [(path, name) for path, row in rows.items() for name in _numbers(row)]
    variants = [
        (path, name, other)
        for path, name in tried
        for factor in FACTORS
        if (other := _shifted(rows[path], name, factor)) is not None
    ]
    count = len(variants) + 1
    columns: dict[str, object] = {}
    for path, row in rows.items():
        own = [place for place, variant in enumerate(variants) if variant[0] == path]
        code = np.zeros(count, dtype=np.intp)
        code[own] = np.arange(1, len(own) + 1)
        columns[path] = type(row).take([row, *(variants[place][2] for place in own)], code)
    moves = _against_last(page, type(config).batched(columns, config), count, metrics)
    return {(v[0], v[1]) for v, moved in zip(variants, moves, strict=False) if moved}


def _numbers(row: Record) -> list[str]:
    """The numbers of a row that a factor shifts: a zero it does not."""
    values = {name: getattr(row, name) for name in type(row).model_fields}
    return [n for n, v in values.items() if isinstance(v, float) and np.isfinite(v) and v != 0]


def _shifted(row: Record, name: str, factor: float) -> Record | None:
    """The row with one number shifted; None where it may not be, as a share that is 1 already."""
    try:
        return type(row).model_validate({**row.model_dump(), name: getattr(row, name) * factor})
    except (InputError, ValueError):
        return None


def _against_last(
    page: AnyModel, config: Config, rows: int, metrics: Sequence[str]
) -> Sequence[bool]:
    """Whether each row of a batch has a metric that differs from the last row's."""
    with np.errstate(all="ignore"):
        result = page.evaluate(config)
    found = [np.broadcast_to(np.asarray(result.metrics[n], np.float64), rows) for n in metrics]
    return [bool(moved) for moved in ~np.all([_same(v, v[-1:]) for v in found], axis=0)]
