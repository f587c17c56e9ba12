"""The changes of one knob at a time: around a design, or along the axes of a study.

Around a design a number moves by a share of itself, within its bounds, and a category takes every
row of its catalog. In a study a knob visits the levels of its axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from dse import registry
from dse.axes import field_of
from dse.errors import InputError, unknown
from dse.evaluate import evaluate
from dse.space import Axis, Space
from dse.spec import AnyModel, Array, Bounds, Catalog, Config, Knob, Record, at, kind_of, knobs
from dse.study import Study

REACH = 0.1
"""Share of itself by which a number moves."""

LEVELS = 33
"""Most levels of one axis that are visited."""

TRIED = 2**12
"""Designs of a study among which one that runs is looked for, where its own start cannot."""

Setting = float | str
"""A number in SI, or the slug of a row."""


@dataclass(frozen=True)
class Move:
    """The settings that one knob takes, and the designs with them."""

    axis: Axis
    here: Setting
    """The design's own setting."""
    values: Array
    """Numbers, or codes into the axis's rows; shape (n,)."""
    batch: Config

    @property
    def settings(self) -> list[Setting]:
        """The settings as a person writes them."""
        labels = self.axis.labels
        return [labels[int(v)] if labels else float(v) for v in self.values]


def around(
    page: AnyModel,
    config: Config,
    *,
    reach: float = REACH,
    asked: Sequence[str] = (),
) -> tuple[list[Move], dict[str, str]]:
    """The changes of a scalar design, and why other knobs are left alone.

    Args:
        page: what prices it.
        config: the design.
        reach: share of itself by which a number moves, up and down; on a range that is spread in
            the logarithm it is divided and multiplied by 1 + reach. A whole number moves by one
            at least. A number at 0, which no share moves, stays.
        asked: knobs; by default all but networks, which are what is asked, not an answer.

    Raises:
        InputError: an unknown knob, or a share that is not between 0 and 1.
    """
    ranges, still = ranges_of(page, config, reach=reach, asked=asked)
    moves: list[Move] = []
    for path, knob in knobs(page.config).items():
        if path in ranges:
            axis = ranges[path]
            ends = np.unique([axis.low, axis.high])
            moves.append(_moved(config, axis, axis.default, ends[ends != axis.default]))
        elif knob.catalog is not None and path in (asked or (path,)) and path not in still:
            found = list(_categories(page, config, path, knob.catalog))
            still |= {} if found else {path: "the page reads no other row of its catalog"}
            moves += found
    return moves, still


def ranges_of(
    page: AnyModel, config: Config, *, reach: float = REACH, asked: Sequence[str] = ()
) -> tuple[dict[str, Axis], dict[str, str]]:
    """The numbers of a design as axes around it, and why other knobs are left alone.

    Raises:
        InputError: see `around`.
    """
    if not 0 < reach < 1:
        raise InputError(f"`0 < range < 1` must hold, got {reach:g}; try --range '10 %'")
    known = knobs(page.config)
    for path in asked:
        if path not in known:
            raise unknown("knob", path, known)
    found: dict[str, Axis] = {}
    still: dict[str, str] = {}
    for path, knob in known.items():
        if asked and path not in asked:
            continue
        if path in page.uncertain:
            still[path] = "it holds an error of a prediction"
        elif knob.catalog is not None:
            if knob.catalog.name == "workloads" and not asked:
                still[path] = "it names what is computed; ask for it by --knob"
        elif axis := _range(knob, float(at(config, path)), reach):
            found[path] = axis
        else:
            still[path] = "it is 0" if at(config, path) == 0 else "its bounds leave no room"
    return found, still


def _range(knob: Knob, here: float, reach: float) -> Axis | None:
    """A number's surroundings as an axis; none where it cannot move."""
    bounds = knob.bounds or Bounds(-math.inf, math.inf)
    switch = (bounds.low, bounds.high, bounds.integer) == (0, 1, True)
    if here == 0 and not switch:
        return None
    down = here / (1 + reach) if bounds.log else here - reach * abs(here)
    up = here * (1 + reach) if bounds.log else here + reach * abs(here)
    if bounds.integer:
        down, up = min(here - 1, float(round(down))), max(here + 1, float(round(up)))
    low, high = max(down, min(bounds.low, here)), min(up, max(bounds.high, here))
    if not low < high:
        return None
    values = tuple(np.arange(low, high + 1).tolist()) if bounds.integer else ()
    return Axis(knob.path, knob.unit, here, values, low, high, log=bounds.log and not values)


def _categories(page: AnyModel, config: Config, path: str, catalog: Catalog) -> Iterator[Move]:
    """Every other row of a knob's catalog; rows that cannot be stacked are apart."""
    owner, name = field_of(page.config, path)
    kind: type[Any] = kind_of(owner, name)
    here = at(config, path)
    rows, _ = registry.covered(kind, catalog.name)
    groups: dict[object, list[Record]] = {}
    for row in rows.values():
        if row.slug != here.slug:
            groups.setdefault(_build(row), []).append(row)
    for group in groups.values():
        codes = np.arange(float(len(group)))
        axis = Axis(path, "", -1.0, tuple(codes), rows=tuple(group))
        yield _moved(config, axis, here.slug or "a row of its own", codes)


def _build(value: object) -> object:
    """What rows must share to be columns of one batch: the names of their parts."""
    if isinstance(value, Record):
        return tuple(_build(getattr(value, name)) for name in type(value).model_fields)
    return tuple(item.slug for item in value) if isinstance(value, tuple) else None


def _moved(config: Config, axis: Axis, here: Setting, values: Array) -> Move:
    return Move(axis, here, values, Space(config, (axis,)).config({axis.path: values}))


def along(study: Study, start: Mapping[str, float]) -> tuple[Config, list[Move], dict[str, str]]:
    """A design of a study, its changes along one axis each, and why other axes are left alone.

    Args:
        study: the study.
        start: the design, knob -> SI number or code of a row.
    """
    one = study.space.canonical({path: np.array([value]) for path, value in start.items()})
    playing = {path: bool(mask[0]) for path, mask in study.space.active(one).items()}
    moves, still = [], {}
    for axis in study.space.axes:
        if not playing[axis.path]:
            still[axis.path] = "it plays no part in this design"
            continue
        levels, here = _levels(axis), float(one[axis.path][0])
        levels = levels[~np.isclose(levels, here, rtol=1e-9, atol=0.0)]
        columns = {path: np.repeat(column, len(levels)) for path, column in one.items()}
        batch = study.space.config(study.space.canonical({**columns, axis.path: levels}))
        moves.append(Move(axis, axis.labels[int(here)] if axis.rows else here, levels, batch))
    return study.space.config({path: column[0] for path, column in one.items()}), moves, still


def _levels(axis: Axis) -> Array:
    if len(axis.grid) <= LEVELS:
        return axis.grid
    return axis.grid[np.linspace(0, len(axis.grid) - 1, LEVELS).round().astype(np.intp)]


def start_of(study: Study, *, seed: int = 0) -> dict[str, float] | None:
    """The study's own starting point: its settings and defaults, moved onto its axes.

    Where that cannot run, the design of a sample that can and differs from it in the fewest
    knobs, one that meets every constraint before others. None where nothing runs.
    """
    from scipy.stats import qmc  # noqa: PLC0415 - a second of import that pricing saves

    space = study.space
    own = {axis.path: _own(axis) for axis in space.axes}
    shares = qmc.Sobol(len(own), rng=np.random.default_rng(seed)).random(TRIED)
    sample = space.sample(shares)
    tried = space.canonical({k: np.concatenate([[own[k]], sample[k]]) for k in own})
    table = evaluate(study, tried)
    if table["feasible"][0]:
        return {path: float(column[0]) for path, column in tried.items()}
    alike = reduce(np.add, ((column == column[0]).astype(int) for column in tried.values()))
    ranks = np.where(table["feasible"], alike + len(own) * table["accepted"], -1)
    row = int(np.argmax(ranks))
    return {path: float(c[row]) for path, c in tried.items()} if ranks[row] >= 0 else None


def _own(axis: Axis) -> float:
    """The study's own setting of an axis, or the one next to it."""
    if axis.rows:
        return axis.default if axis.default in axis.values else axis.values[0]
    if axis.values:
        return float(axis.grid[np.argmin(np.abs(axis.grid - axis.default))])
    return float(np.clip(axis.default, axis.low, axis.high))
