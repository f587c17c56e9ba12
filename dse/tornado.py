"""One change at a time: what each knob alone does to a design, and the change that helps most.

What cannot run or is not covered is skipped and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import moves
from dse.choice import chosen
from dse.moves import REACH, Move, Setting
from dse.spec import AnyModel, Array, Config, Mask
from dse.study import Study

SAME = 1e-9
"""Relative change below which nothing changed but rounding."""

NOTABLE = 0.01
"""Relative change from which a metric that gets worse is told."""


@dataclass(frozen=True)
class Swing:
    """How far one knob alone moves one metric; the ends count the design as it stands."""

    knob: str
    setting: Setting
    """As the design stands."""
    low: float
    high: float
    low_at: Setting
    high_at: Setting
    elasticity: float | None
    """d ln(metric) / d ln(knob) between the least and the largest setting; None where either is
    not positive or the knob is a category."""

    @property
    def size(self) -> float:
        """Distance of the ends, in the metric's unit; infinite where one of them is."""
        return 0.0 if self.low == self.high else self.high - self.low


@dataclass(frozen=True)
class Best:
    """The single change that improves a metric most."""

    metric: str
    knob: str
    setting: Setting
    value: float
    here: float
    worsens: Mapping[str, float]
    """Ranked metrics that get worse by it or, as NaN, unknown: the value they take, the most
    worsened first."""


@dataclass(frozen=True)
class Tornado:
    """A design, and what it answers with one knob changed at a time; a row a change."""

    page: AnyModel
    start: Mapping[str, Setting]
    """The knobs that were moved, as they stand."""
    here: Mapping[str, float]
    """What the design answers as it stands; NaN is unknown."""
    runs_here: bool
    knob: NDArray[Any]
    setting: NDArray[Any]
    runs: Mask
    metrics: Mapping[str, Array]
    """Metric -> value after each change; NaN where it cannot run or is unknown."""
    still: Mapping[str, str]
    """Knobs that were left alone, and why."""

    @property
    def fixed(self) -> set[str]:
        """Knobs that hold a fitted constant: they tell of the page, nobody can choose them."""
        named = self.page.data.parameters
        return {k for k in self.start if k in named and named[k].source.kind == "fitted"}

    def swings(self, metric: str) -> list[Swing]:
        """How far each knob moves a metric, the farthest first; none where it is unknown here."""
        if not self.runs_here or math.isnan(self.here[metric]):
            return []
        found = [self._swing(metric, knob) for knob in self.start]
        return sorted(found, key=lambda swing: -swing.size)

    def _swing(self, metric: str, knob: str) -> Swing:
        values = self.metrics[metric]
        rows = np.flatnonzero((self.knob == knob) & ~np.isnan(values))
        settings: list[Setting] = [self.start[knob], *self.setting[rows]]
        answers = np.array([self.here[metric], *values[rows]])
        low, high = int(np.argmin(answers)), int(np.argmax(answers))
        return Swing(
            knob=knob,
            setting=self.start[knob],
            low=float(answers[low]),
            high=float(answers[high]),
            low_at=settings[low],
            high_at=settings[high],
            elasticity=_elasticity(settings, answers),
        )

    def best(self, metric: str) -> Best | None:
        """The single change that helps a metric most; none where no change helps."""
        sense = self.page.metrics[metric].sense
        if not sense or not self.runs_here or math.isnan(self.here[metric]):
            return None
        sign = 1.0 if sense == "min" else -1.0
        open_to = self.runs & ~np.isin(self.knob, list(self.fixed))
        costs = np.where(open_to, sign * self.metrics[metric], np.nan)
        if np.isnan(costs).all():
            return None
        row = int(np.nanargmin(costs))
        here, value = self.here[metric], float(self.metrics[metric][row])
        if not sign * change(here, value) < -SAME:
            return None
        return Best(
            metric, self.knob[row], self.setting[row], value, here, self._worsened(metric, row)
        )

    def _worsened(self, metric: str, row: int) -> dict[str, float]:
        """Other metrics that a change makes notably worse or unknown, the worst first."""
        by: dict[str, float] = {}
        for name in chosen(self.page):
            sign = 1.0 if self.page.metrics[name].sense == "min" else -1.0
            here, there = self.here[name], float(self.metrics[name][row])
            lost = math.isnan(there) and not math.isnan(here)
            worse = math.inf if lost else sign * change(here, there)
            if name != metric and worse > NOTABLE:
                by[name] = worse
        ranked = sorted(by, key=lambda name: -by[name])
        return {name: float(self.metrics[name][row]) for name in ranked}

    def counts(self, knob: str) -> tuple[int, int]:
        """Changes of a knob that were tried, and those of them that cannot run."""
        rows = self.knob == knob
        return int(np.sum(rows)), int(np.sum(rows & ~self.runs))

    def frees(self) -> list[tuple[str, Setting]]:
        """Single changes by which a design that cannot run does."""
        if self.runs_here:
            return []
        rows = np.flatnonzero(self.runs)
        return [(str(self.knob[row]), self.setting[row]) for row in rows]


def change(here: float, there: float) -> float:
    """Relative change; from 0 or infinity it is infinite, from and to NaN it is NaN.

    >>> change(4.0, 5.0), change(-2.0, -1.0), change(0.0, 3.0)
    (0.25, 0.5, inf)
    """
    if here == there:
        return 0.0
    if here == 0 or math.isinf(here):
        return math.copysign(math.inf, there - here)
    return (there - here) / abs(here)


def _elasticity(settings: Sequence[Setting], answers: Array) -> float | None:
    if any(isinstance(setting, str) for setting in settings):
        return None
    numbers = np.array(settings, dtype=np.float64)
    low, high = int(np.argmin(numbers)), int(np.argmax(numbers))
    ends = answers[[low, high]]
    positive = numbers[low] > 0 and bool(np.all((ends > 0) & np.isfinite(ends)))
    if low == high or not positive:
        return None
    return float(np.log(ends[1] / ends[0]) / np.log(numbers[high] / numbers[low]))


def around(
    page: AnyModel, config: Config, *, reach: float = REACH, asked: Sequence[str] = ()
) -> Tornado:
    """Every knob of a scalar design changed alone; see `moves.around`."""
    return _priced(page, config, *moves.around(page, config, reach=reach, asked=asked))


def along(study: Study, start: Mapping[str, float]) -> Tornado:
    """Every axis of a study visited alone, from one of its designs; see `moves.along`."""
    return _priced(study.page, *moves.along(study, start))


def _priced(
    page: AnyModel, config: Config, changes: Sequence[Move], still: Mapping[str, str]
) -> Tornado:
    """The design and all its changes, priced a knob at a time."""
    runs_here, here = answers(page, config, 1)
    answered = [answers(page, move.batch, len(move.values)) for move in changes]
    names = [name for name in page.metrics if name != "feasible"]
    runs = np.concatenate([np.zeros(0, dtype=np.bool_), *(mask for mask, _ in answered)])
    metrics = {
        name: np.where(
            runs, np.concatenate([np.zeros(0), *(m[name] for _, m in answered)]), np.nan
        )
        for name in names
    }
    return Tornado(
        page=page,
        start={move.axis.path: move.here for move in changes},
        here={name: float(here[name][0]) for name in names},
        runs_here=bool(runs_here[0]),
        knob=_objects(move.axis.path for move in changes for _ in move.values),
        setting=_objects(setting for move in changes for setting in move.settings),
        runs=runs,
        metrics=metrics,
        still=still,
    )


def _objects(items: Iterable[object]) -> NDArray[Any]:
    return np.array([*items, None], dtype=object)[:-1]


def answers(page: AnyModel, batch: Config, rows: int) -> tuple[Mask, dict[str, Array]]:
    """Which designs are covered and can run, and every metric, shape (rows,)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = page.evaluate(batch)
        held = [rule.holds(batch) for rule in page.rules]
    metrics = {
        name: np.broadcast_to(np.asarray(result.metrics[name], dtype=np.float64), rows)
        for name in page.metrics
    }
    covered = reduce(np.logical_and, held, metrics["feasible"] > 0)
    return np.asarray(covered), metrics
