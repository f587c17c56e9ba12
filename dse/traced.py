"""A declared curve of a page in numbers: every line and level priced at once, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import interval, joint, registry
from dse.curves import AnyCurve, Curve, Settings, Span, Timeline
from dse.errors import InputError
from dse.interval import LEVEL
from dse.joint import Rows
from dse.spec import AnyModel, Array, Config, Mask, Record, Result, at, knobs
from dse.study import nest

POINTS = 41
"""Levels of a knob that goes from bound to bound."""

DRAWS = 128
"""Stratified draws behind the intervals of a page that joins others: a slider waits for them."""

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Trace:
    """The numbers of a curve, one design for each line and level; arrays are (designs,)."""

    page: AnyModel
    curve: Curve
    line: NDArray[Any]
    """What the line of each design is called."""
    levels: NDArray[Any]
    """SI numbers of the knob, or slugs."""
    metrics: Mapping[str, Array]
    """NaN where the page does not cover a design, or it cannot run."""
    ends: Mapping[str, tuple[Array, Array]]
    """Low and high end of each metric's interval, NaN where nothing was checked."""
    extrapolates: Mask

    @property
    def across(self) -> NDArray[Any]:
        """Where each design stands along x: its level, or the metric that the curve names."""
        return self.metrics[self.curve.across] if self.curve.across else self.levels


@dataclass(frozen=True)
class _Batch:
    """What the designs of a curve are made of: a config for each line, a value for each level."""

    page: AnyModel
    base: Config
    lines: Sequence[Config]
    varied: Sequence[str]
    """Knobs in which lines differ."""
    knob: str
    levels: Sequence[Any]
    """Numbers or records."""

    def config(self, line: Codes, level: Codes) -> Config:
        """Designs by the number of their line and level."""
        columns = {
            path: _taken([at(one, path) for one in self.lines], line) for path in self.varied
        }
        return type(self.base).batched(
            {**columns, self.knob: _taken(self.levels, level)}, self.base
        )

    def rows(self, line: Codes, level: Codes) -> Rows:
        """The rows of the designs' categories; '' stands for none."""

        def found(path: str) -> tuple[Sequence[str], Array]:
            if not path:
                return ("",), np.asarray(0)
            if path == self.knob:
                return [str(row.slug) for row in self.levels], level.astype(np.float64)
            return [str(at(one, path).slug) for one in self.lines], line.astype(np.float64)

        return found


def _taken(values: Sequence[Any], code: Codes) -> object:
    """The value or record of each code."""
    if isinstance(values[0], Record):
        return type(values[0]).take(values, code)
    return np.take(np.asarray(values, dtype=np.float64), code)


def base_of(page: AnyModel, curve: AnyCurve, moved: Settings) -> Config:
    """The design that a curve starts from, with what a reader has moved.

    Raises:
        InputError: a moved knob that the page does not have, or a value that it refuses.
    """
    return registry.starting_point(page, nest({**curve.given, **moved}))


def levels_of(page: AnyModel, curve: Curve) -> tuple[float | str, ...]:
    """The values that a curve's knob takes; from bound to bound where it names none.

    Raises:
        TypeError: it names none, and the knob has no bounds.
    """
    bounds = knobs(page.config)[curve.knob].bounds
    if curve.levels:
        return curve.levels
    if bounds is None:
        raise TypeError(f"{page.slug}: the curve over {curve.knob} must name levels: no bounds")
    step = np.geomspace if bounds.log and bounds.low > 0 else np.linspace
    found: Array = step(bounds.low, bounds.high, POINTS)
    return tuple((np.unique(np.round(found)) if bounds.integer else found).tolist())


def _batch(page: AnyModel, curve: Curve, moved: Settings) -> tuple[_Batch, list[str]]:
    """The designs of a curve, and what its lines are called."""
    base = base_of(page, curve, moved)
    lines = curve.lines(base) if callable(curve.lines) else curve.lines
    ends = [base_of(page, curve, {**moved, **settings}) for settings in lines.values()]
    varied = dict.fromkeys(path for settings in lines.values() for path in settings)
    levels: Sequence[Any] = levels_of(page, curve)
    if knobs(page.config)[curve.knob].catalog:
        levels = [at(base_of(page, curve, {curve.knob: slug}), curve.knob) for slug in levels]
    return _Batch(page, base, ends, list(varied), curve.knob, levels), list(lines)


def trace(page: AnyModel, curve: Curve, moved: Settings) -> Trace:
    """Price a curve: all its lines and levels are one batch, evaluated once.

    Args:
        page: the model.
        curve: one of its curves.
        moved: knobs that a reader has moved; a line's own settings come before them.

    Raises:
        InputError: see `base_of`.
    """
    batch, names = _batch(page, curve, moved)
    levels = np.array(levels_of(page, curve))
    line, level = (codes.ravel() for codes in np.indices((len(names), len(levels))))
    config = batch.config(line, level)
    wanted = (*curve.metrics, *filter(None, [curve.across]))
    price = _joined if page.uncertain else _alone
    result, ends = price(batch, config, (line, level), curve.metrics)
    held = [rule.holds(config) for rule in page.rules]
    kept = reduce(np.logical_and, held, np.greater(result.metrics["feasible"], 0))
    flags = [result.flags[name] for name in page.flags]
    return Trace(
        page=page,
        curve=curve,
        line=np.array(names, dtype=object)[line],
        levels=levels[level],
        metrics={name: _where(kept, result.metrics[name], len(line)) for name in wanted},
        ends={n: (_where(kept, a, len(line)), _where(kept, b, len(line))) for n, (a, b) in ends},
        extrapolates=reduce(np.logical_or, flags, np.zeros(len(line), dtype=np.bool_)),
    )


def _where(kept: Mask, values: Array, rows: int) -> Array:
    """Numbers of all designs, NaN where one is not covered or cannot run; shape (rows,)."""
    return np.broadcast_to(np.where(kept, values, np.nan), rows)


def _evaluated(page: AnyModel, config: Config) -> Result:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return page.evaluate(config)


Priced = tuple[Result, list[tuple[str, tuple[Array, Array]]]]
"""Results of designs, and each metric with the ends of its interval."""


def _alone(
    batch: _Batch, config: Config, _codes: tuple[Codes, Codes], names: Sequence[str]
) -> Priced:
    """Designs of a page that is judged by its own check rows."""
    result = _evaluated(batch.page, config)
    spans = interval.spans(batch.page, result)
    return result, [(name, spans[name]) for name in names]


def _joined(
    batch: _Batch, config: Config, codes: tuple[Codes, Codes], names: Sequence[str]
) -> Priced:
    """Designs of a page that joins others: in the first draw nobody errs, in the rest all do."""
    page, (line, level) = batch.page, codes
    each, rows = DRAWS + 1, len(line)
    wide = batch.config(np.repeat(line, each), np.repeat(level, each))
    drawn = joint.factors(page, config, batch.rows(line, level), draws=DRAWS)
    ratios = {
        knob: np.insert(np.broadcast_to(ratio, (rows, DRAWS)), 0, 1.0, axis=1).ravel()
        for knob, ratio in drawn.items()
    }
    result = _evaluated(page, type(wide).batched(ratios, wide))
    samples = {
        name: np.broadcast_to(values, rows * each).reshape(rows, each)
        for name, values in result.metrics.items()
    }
    first = Result(
        metrics={name: values[:, 0] for name, values in samples.items()},
        terms={},
        resources={},
        flags={k: np.broadcast_to(v, rows * each)[::each] for k, v in result.flags.items()},
    )
    return first, [(name, _around(page, name, samples[name])) for name in names]


def _around(page: AnyModel, name: str, samples: Array) -> tuple[Array, Array]:
    """Ends of intervals of drawn values, the prediction first; NaN where no error moves it."""
    value, tail = samples[:, 0], 0.5 - LEVEL / 2
    low, high = joint.ends(page, name, samples[:, 1:], (tail, 1 - tail))
    still = np.all(samples == samples[:, :1], axis=1)
    ends = np.minimum(low, value), np.maximum(high, value)
    return np.where(still, np.nan, ends[0]), np.where(still, np.nan, ends[1])


def spans(page: AnyModel, line: Timeline, moved: Settings) -> tuple[Sequence[Span], float]:
    """What happens on a timeline, and the page's total for that design.

    Raises:
        InputError: see `base_of`; or a rule of the page that does not hold.
    """
    config = base_of(page, line, moved)
    for rule in page.rules:
        if not np.all(rule.holds(config)):
            raise InputError(rule.refusal)
    result = _evaluated(page, config)
    return line.spans(config, result), float(result.metrics[page.total])
