"""What would free a design: every varied knob moved alone.

All single changes of a design are rows of one table, priced in one batch: row 0 is the design.
A change leaves every other knob as the design has it. Where it opens knobs that played no part
before, those count from then on with the values that the design holds for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dse import units
from dse.evaluate import Table, evaluate
from dse.pareto import grounded
from dse.space import Axis, Space
from dse.spec import Array, Config, Knob, Mask, Record, at, knobs, plain
from dse.study import Study
from dse.winners import points_of

FINE = 257
"""Levels that are tried along a continuous range: steps of 0.4 % of it."""

MANY = 8
"""Values of a knob that a message lists; of more it says the range."""


@dataclass(frozen=True)
class Change:
    """One knob at another value."""

    knob: str
    was: object
    value: object
    """SI number, or slug."""
    shown: str
    """The change as people read it: `chips 2 -> 4`."""
    opens: Mapping[str, object]
    """Knobs that count from then on, and the values they have."""
    opened: tuple[str, ...]
    """The same as people read it: `cache 64 MB`."""
    cost: float
    """What it adds, by the measure that changes are ranked by; NaN where that is unknown."""
    others: int
    """Further values of the knob that do as well."""
    row: int
    """Its row among the priced changes."""

    def as_json(self) -> dict[str, object]:
        """The change as scripts read it; an unknown cost is null."""
        return {
            "knob": self.knob,
            "was": self.was,
            "value": self.value,
            "opens": dict(self.opens),
            "cost": None if np.isnan(self.cost) else self.cost,
            "others": self.others,
        }


@dataclass(frozen=True)
class Measure:
    """What single changes are ranked by, the least first."""

    text: str
    unit: str
    values: Array
    """What each row adds to the design's own; NaN where that is unknown."""


@dataclass(frozen=True)
class Neighbourhood:
    """A design and every design that one change of a varied knob makes of it."""

    study: Study
    """The study with the design as its base, and the design's values as defaults."""
    table: Table
    knob: NDArray[np.intp]
    """Number of the axis that each row moves; -1 in row 0, which is the design."""
    step: Array
    """How far it moves along its axis, in the logarithm where the axis is one; 0 for rows of a
    catalog, which stand in no order."""
    outside: Mapping[str, str]
    """Knobs by which the design leaves the study's space: what it has, and what the study does."""

    @property
    def space(self) -> Space:
        """The study's space around the design."""
        return self.study.space

    @cached_property
    def used(self) -> dict[str, Mask]:
        """Which rows each knob matters to."""
        return self.space.active({a.path: self.table[a.path] for a in self.space.axes})

    @cached_property
    def moved(self) -> list[str]:
        """The knobs that can be moved: they matter to the design and have another value."""
        return [self.space.axes[i].path for i in np.unique(self.knob[self.knob >= 0])]

    @cached_property
    def on_grid(self) -> Mask:
        """Rows at levels that an exhaustive search visits; the design is none of them."""
        found = self.knob < 0
        for i, axis in enumerate(self.space.axes):
            found = found | ((self.knob == i) & np.isin(self.table[axis.path], axis.grid))
        return found & (self.knob >= 0)

    @cached_property
    def inside(self) -> Mask:
        """Rows that the study's space holds."""
        axes = self.space.by_path
        fixed = [path for path in self.outside if path not in axes]
        found = np.full(len(self.table), not fixed)
        for path, axis in axes.items():
            found &= _on_axis(axis, self.table[path]) | ~self.used[path]
        return found

    def nearest(self, goal: Mask, measure: Measure) -> tuple[Change, ...]:
        """The nearest change of each knob that reaches a goal, those that cost least first.

        Of equally near ones, as all rows of a catalog are, the one that costs least is taken.

        Args:
            goal: which rows reach it, shape (rows,).
            measure: what the changes cost.
        """
        cost = np.where(np.isnan(measure.values), np.inf, measure.values)
        found = []
        for i in range(len(self.space.axes)):
            rows = np.flatnonzero((self.knob == i) & goal)
            if len(rows):
                first = int(rows[np.lexsort((cost[rows], self.step[rows]))[0]])
                found.append(self._change(first, len(rows) - 1, float(measure.values[first])))
        return tuple(sorted(found, key=lambda change: (np.isnan(change.cost), change.cost)))

    def _change(self, row: int, others: int, cost: float) -> Change:
        axis = self.space.axes[self.knob[row]]
        was, value = axis.default, float(self.table[axis.path][row])
        used = self.used
        opens = [a for a in self.space.axes if used[a.path][row] and not used[a.path][0]]
        values = [(a, float(self.table[a.path][row])) for a in opens]
        return Change(
            knob=axis.path,
            was=_plain(axis, was),
            value=_plain(axis, value),
            shown=f"{axis.path} {axis.show(was)} -> {axis.show(value)}",
            opens={a.path: _plain(a, held) for a, held in values},
            opened=tuple(f"{a.path} {a.show(held)}" for a, held in values),
            cost=cost,
            others=others,
            row=row,
        )


def _plain(axis: Axis, value: float) -> object:
    return axis.labels[int(value)] if axis.rows else value


def neighbourhood(study: Study, config: Config) -> Neighbourhood:
    """A scalar design and all its single changes, priced in one batch."""
    space = around(study.space, config)
    own = replace(study, space=space)
    used = space.active({a.path: np.array([a.default]) for a in space.axes})
    levels = [_levels(a) if used[a.path][0] else np.empty(0) for a in space.axes]
    counts = [len(found) for found in levels]
    knob = np.concatenate([[-1], np.repeat(np.arange(len(levels)), counts)]).astype(np.intp)
    moved = np.concatenate([[np.nan], *levels])
    columns = {
        a.path: np.where(knob == i, moved, a.default if used[a.path][0] else _start(a))
        for i, a in enumerate(space.axes)
    }
    steps = [_steps(a, found) for a, found in zip(space.axes, levels, strict=True)]
    table = evaluate(own, space.canonical(columns))
    outside = _outside(study.space, space, used)
    return Neighbourhood(own, table, knob, np.concatenate([[0.0], *steps]), outside)


def around(space: Space, config: Config) -> Space:
    """A study's space with a design as its base; idle knobs keep the design's values."""
    axes = tuple(_through(axis, at(config, axis.path)) for axis in space.axes)
    return Space(config, axes, space.left_out)


def _outside(space: Space, own: Space, used: Mapping[str, Mask]) -> dict[str, str]:
    """Knobs by which a design leaves a study's space: varied ones first, then fixed ones."""
    varied = {
        axis.path: f"{axis.show(axis.default)}; the study tries {_tried(space.by_path[axis.path])}"
        for axis in own.axes
        if used[axis.path][0] and not _on_axis(axis, np.array(axis.default))
    }
    fixed = {
        path: f"{_shown(knob, mine)}; the study fixes {_shown(knob, its)}"
        for path, knob in knobs(type(space.base)).items()
        if path not in space.by_path
        and (mine := plain(at(own.base, path))) != (its := plain(at(space.base, path)))
    }
    return varied | fixed


def _on_axis(axis: Axis, values: Array) -> Mask:
    """Which values a study tries, or could try along a continuous range."""
    if axis.values:
        return np.isin(values, axis.values)
    return (values >= axis.low) & (values <= axis.high)


def _tried(axis: Axis) -> str:
    """What a study tries of a knob, in words."""
    if axis.values and len(axis.values) <= MANY:
        return ", ".join(axis.show(value) for value in axis.values)
    ends = axis.values or (axis.low, axis.high)
    if axis.rows:
        return f"{len(ends)} others"
    return f"{axis.show(min(ends))} to {axis.show(max(ends))}"


def _shown(knob: Knob, value: object) -> str:
    if isinstance(value, float | int):
        return units.show(value, knob.unit) if knob.unit else f"{value:g}"
    return value if isinstance(value, str) else "a row of its own"


def _through(axis: Axis, value: Record | float) -> Axis:
    """An axis whose default is a design's value; a row that is no choice is put behind them."""
    if not isinstance(value, Record):
        return replace(axis, default=float(value))
    if value.slug and value.slug in axis.labels:
        return replace(axis, default=float(axis.labels.index(value.slug)))
    return replace(axis, default=float(len(axis.rows)), rows=(*axis.rows, value))


def _levels(axis: Axis) -> Array:
    """Every other value that a knob can be moved to."""
    levels = axis.grid
    if not axis.values:
        levels = np.union1d(levels, replace(axis, levels=FINE).grid)
    return np.asarray(levels[levels != axis.default])


def _start(axis: Axis) -> float:
    """The value on the axis with which an idle knob begins to count: the design's, or near it."""
    if not axis.values:
        return float(np.clip(axis.default, axis.low, axis.high))
    if axis.default in axis.values or axis.rows:
        return axis.default if axis.default in axis.values else axis.values[0]
    return float(axis.grid[np.argmin(np.abs(axis.grid - axis.default))])


def _steps(axis: Axis, levels: Array) -> Array:
    if axis.rows:
        return np.zeros(len(levels))
    if axis.log and axis.default > 0:
        return np.abs(np.log(levels / axis.default))
    return np.abs(levels - axis.default)


def measure(near: Neighbourhood, front: Table | None) -> Measure:
    """What changes are ranked by: the page's cost in USD, else what the objectives lose.

    The cost is the first metric in USD among the objectives, then the constraints, then the
    page's own, sums before their parts. A page without one ranks by the loss of its objectives,
    each in ranges of the front, or of what meets everything here where there is no front.
    """
    name = _cost(near.study)
    if name is None:
        return _loss(near, front)
    values, unit = near.table[name], near.study.metrics[name].unit
    own = float(values[0])
    if not np.isfinite(own):
        unknown = f"{name}, all of it, as the design's own is {units.show(own, unit)}"
        return Measure(unknown, unit, _finite(values))
    return Measure(name, unit, _finite(values - own))


def _cost(study: Study) -> str | None:
    asked = [o.metric for o in study.objectives] + [c.metric for c in study.constraints]
    own = sorted(study.metrics, key=lambda name: not study.metrics[name].parts)
    names = (n for n in [*asked, *own] if study.metrics[n].unit == "USD")
    return next(names, None)


def _loss(near: Neighbourhood, front: Table | None) -> Measure:
    study, table = near.study, near.table
    scale = table.take(table["accepted"]) if front is None else front
    points = points_of(study, table)
    span = np.ptp(grounded(points_of(study, scale)), axis=0) if len(scale) else 0.0
    with np.errstate(invalid="ignore"):  # from infinite to infinite is no known loss
        lost = (points - points[0]) / np.where(np.greater(span, 0), span, 1.0)
    names = " and ".join(o.metric for o in study.objectives)
    text = f"loss in {names}, each in ranges of the front"
    return Measure(text, "1", _finite(lost.sum(axis=1)))


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)
