"""What each technique of a design brings, alone and together: every on/off combination, priced.

Cells lie on a cube: axis i belongs to technique i, 0 is off and 1 is on. The term of a set S of
techniques is its Harsanyi dividend on ln(metric), I(S) = sum over T in S of
(-1)^(|S|-|T|) ln m(T). Terms add up to ln m(all on) - ln m(all off); a zero term says that its
techniques compose multiplicatively. A cell that cannot run has no value, and neither has a term
that needs it: nothing is imputed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import registry
from dse.choice import chosen, numbers
from dse.errors import InputError, placed, unknown
from dse.evaluate import Table
from dse.spec import AnyModel, Array, Config, Mask, Record, Result, Technique, at, knobs, plain
from dse.study import overlaid

SMALL = 0.005
"""Size of ln from which a term says something: below it, its factor reads x1.00."""

Settings = Mapping[str, object]
"""Dotted knob -> slug, number or text, as a page writes it."""

Values = Mapping[str, object]
"""Dotted knob -> record or number."""


@dataclass(frozen=True)
class Term:
    """What a set of techniques brings beyond what its parts bring; NaN where that is unknown."""

    techniques: tuple[str, ...]
    ln: float
    verdict: str

    @property
    def factor(self) -> float:
        """What the term multiplies the metric by."""
        return float(np.exp(self.ln))

    def as_json(self) -> dict[str, object]:
        """The term as scripts read it; what is unknown is null."""
        known = not np.isnan(self.ln)
        return {
            "techniques": list(self.techniques),
            "ln": self.ln if known else None,
            "factor": self.factor if known else None,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Ablation:
    """A design with its techniques off and on in all combinations."""

    page: AnyModel
    techniques: tuple[Technique, ...]
    left_out: tuple[Technique, ...]
    """Techniques that the design does not have."""
    idle: tuple[Technique, ...]
    """Techniques of the design that change no metric of any combination; none if none can run."""
    offs: Mapping[str, Settings]
    """Slug -> what switches a technique off in this design, with all that this entails."""
    clashes: tuple[str, ...]
    """Words for techniques that set one knob differently."""
    cells: Table
    """A mask a technique, a column a metric (NaN where it has no value), and `extrapolates`."""
    refusals: tuple[str, ...]
    """Why a cell has no value; empty for those that can run."""
    warnings: Mapping[str, int]
    """Words of the page's flags and remarks, and how many cells that run raise each."""

    def terms(self, metric: str) -> list[Term]:
        """What each set brings from all off: every term, the largest first, unknown ones last."""
        return self._ranked(dividends(self._cube(metric)), metric)

    def on_top(self, metric: str) -> list[Term]:
        """What each set brings while all the others are on, where `terms` has them off.

        It says something even where the combination with all off cannot run, but adds up to
        nothing.
        """
        return self._ranked(dividends(self._cube(metric), others_on=True), metric)

    def _cube(self, metric: str) -> Array:
        return np.reshape(self.cells[metric], (2,) * len(self.techniques))

    def _ranked(self, logs: Array, metric: str) -> list[Term]:
        sense = self.page.metrics[metric].sense
        sets = (s for n in range(1, logs.ndim + 1) for s in combinations(range(logs.ndim), n))
        found = [self._term(axes, logs, sense) for axes in sets]
        return sorted(found, key=lambda t: (np.isnan(t.ln), -np.nan_to_num(abs(t.ln)).round(9)))

    def _term(self, axes: tuple[int, ...], logs: Array, sense: str) -> Term:
        ln = float(logs[tuple(int(axis in axes) for axis in range(logs.ndim))])
        names = tuple(self.techniques[axis].slug for axis in axes)
        return Term(names, ln, verdict(ln, together=len(names) > 1, sense=sense))

    def effect(self, metric: str) -> Term:
        """All on over all off: what the terms add up to."""
        logs, sense = _logs(self.cells[metric]), self.page.metrics[metric].sense
        ln = float(logs[-1] - logs[0])
        names = tuple(t.slug for t in self.techniques)
        return Term(names, ln, verdict(ln, together=False, sense=sense))

    def as_json(self, metrics: Sequence[str] = ()) -> dict[str, object]:
        """Cells and terms as scripts read them; what is unknown is null."""
        names, rows = chosen(self.page, metrics), range(len(self.cells))
        slugs = [t.slug for t in self.techniques]
        return {
            "model": self.page.slug,
            "techniques": [
                {"slug": t.slug, "text": t.text, "off": dict(self.offs[t.slug])}
                for t in self.techniques
            ],
            "left_out": [t.slug for t in self.left_out],
            "idle": [t.slug for t in self.idle],
            "clashes": list(self.clashes),
            "cells": [
                {
                    "on": [slug for slug in slugs if self.cells[slug][row]],
                    "refusal": self.refusals[row] or None,
                    "extrapolates": bool(self.cells["extrapolates"][row]),
                    "metrics": {name: _finite(self.cells[name][row]) for name in names},
                }
                for row in rows
            ],
            "effects": {name: self.effect(name).as_json() for name in names},
            "terms": {name: [t.as_json() for t in self.terms(name)] for name in names},
            "on_top": {name: [t.as_json() for t in self.on_top(name)] for name in names},
            "warnings": dict(self.warnings),
        }


def dividends(cells: Array, *, others_on: bool = False) -> Array:
    """Harsanyi dividends of ln(metric): the fast Moebius transform, one difference an axis.

    Args:
        cells: the metric, shape (2,) * k; index 0 of an axis is off. Unknown is NaN.
        others_on: take the differences of each set with all the others on, not off.

    Returns:
        a term for every set of techniques, in the same shape; the first is ln of all off, or of
        all on.

    >>> dividends(np.array([[1.0, 2.0], [3.0, 12.0]])).round(3).tolist()
    [[0.0, 0.693], [1.099, 0.693]]
    """
    terms = _logs(cells)
    for axis in range(terms.ndim):
        off, on = np.split(terms, 2, axis=axis)
        terms = np.concatenate([on if others_on else off, on - off], axis=axis)
    return terms


def _flat(cube: NDArray[Any], axis: int) -> bool:
    """Whether nothing changes along an axis; unknown equals unknown."""
    off, on = np.split(cube, 2, axis)
    return bool(np.all((off == on) | ((off != off) & (on != on))))  # noqa: PLR0124 - NaN


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _logs(cells: Array) -> Array:
    return np.log(np.where((cells > 0) & np.isfinite(cells), cells, np.nan))


def verdict(ln: float, *, together: bool, sense: str) -> str:
    """A term in a word.

    Args:
        ln: the term.
        together: whether it belongs to several techniques.
        sense: which way the metric is better, `min` or `max`; nothing where neither is.

    >>> verdict(-0.3, together=True, sense="max"), verdict(-0.3, together=False, sense="min")
    ('cancel', 'helps')
    """
    if np.isnan(ln):
        return "unknown"
    if abs(ln) < SMALL:
        return "compose" if together else "no effect"
    if not sense:
        return "raises" if ln > 0 else "lowers"
    good = (ln > 0) == (sense == "max")
    if together:
        return "reinforce" if good else "cancel"
    return "helps" if good else "hurts"


def ablate(page: AnyModel, config: Config) -> Ablation:
    """Price a scalar design with its techniques off and on in all combinations, in one batch.

    Raises:
        InputError: the page declares no technique, or the design has none of them.
    """
    if not page.techniques:
        pages = [slug for slug in registry.slugs() if registry.model(slug).techniques]
        known = f"models that do: {', '.join(pages) or 'none'}"
        raise InputError(f"'{page.slug}' declares no technique to switch off; {known}")
    offs = {t.slug: t.off_in(config) for t in page.techniques}
    values = {t.slug: values_of(page, config, t, offs[t.slug]) for t in page.techniques}
    live = [t for t in page.techniques if _has(page, config, t, values[t.slug])]
    if not live:
        raise InputError(f"the design has no technique on, of {', '.join(offs)}; set one on")
    cube = _priced(page, config, {t.slug: values[t.slug] for t in live})
    idle = tuple(t for axis, t in enumerate(live) if _idle(page, cube, axis))
    at_work = {t.slug: values[t.slug] for t in live if t not in idle}
    if idle:
        cube = _priced(page, config, at_work)
    return Ablation(
        page=page,
        techniques=tuple(t for t in live if t not in idle),
        left_out=tuple(t for t in page.techniques if t not in live),
        idle=idle,
        offs=offs,
        clashes=tuple(_clashes(at_work)),
        cells=cube.cells,
        refusals=cube.refusals,
        warnings=cube.warnings,
    )


@dataclass(frozen=True)
class _Cube:
    """Every combination of some techniques, priced; an axis a technique."""

    cells: Table
    refusals: tuple[str, ...]
    warnings: Mapping[str, int]


def _priced(page: AnyModel, config: Config, offs: Mapping[str, Values]) -> _Cube:
    """The design in one batch, with each technique off and on; without techniques as it is."""
    on = np.array(list(product((False, True), repeat=len(offs))), dtype=np.bool_).T
    batch = _batch(config, list(offs.values()), on)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = page.evaluate(batch)
        refusals = _refusals(page, batch, result, on.shape[1])
    cells = _cells(page, result, dict(zip(offs, on, strict=True)), refusals)
    return _Cube(cells, refusals, _warnings(page, result, refusals))


def _idle(page: AnyModel, cube: _Cube, axis: int) -> bool:
    """Whether a technique changes nothing in any combination, though some can run."""
    metrics = (cube.cells[name] for name in numbers(page))
    columns: list[NDArray[Any]] = [np.array(cube.refusals), *metrics]
    shape = (2,) * (len(cube.refusals).bit_length() - 1)
    return not all(cube.refusals) and all(_flat(c.reshape(shape), axis) for c in columns)


def values_of(page: AnyModel, config: Config, technique: Technique, settings: Settings) -> Values:
    """The values that settings of a technique, its `off` or its `on`, give to their knobs.

    Raises:
        InputError: a knob that the page does not have, or a setting that it does not take.
    """
    with placed(f"technique '{technique.slug}' of {page.slug}"):
        for path in settings:
            if path not in knobs(page.config):
                raise unknown("knob", path, knobs(page.config))
        found = registry.starting_point(page, overlaid(config.echo(), settings))
        return {path: at(found, path) for path in settings}


def _has(page: AnyModel, config: Config, technique: Technique, off: Values) -> bool:
    """Whether a design has a technique: its own settings hold, and those of off do not."""
    own = values_of(page, config, technique, technique.on)
    return _holds(config, own) and not _holds(config, off)


def _holds(config: Config, values: Values) -> bool:
    return all(plain(at(config, path)) == plain(value) for path, value in values.items())


def _batch(config: Config, offs: Sequence[Values], on: Mask) -> Config:
    """The design with techniques off where `on`, shape (k, cells), says so; a later one wins."""
    paths = dict.fromkeys(path for off in offs for path in off)
    columns = {path: _column(at(config, path), path, offs, on) for path in paths}
    return type(config).batched(columns, config)


def _column(value: object, path: str, offs: Sequence[Values], on: Mask) -> object:
    """One knob in every cell: as it stands, or as the last of the techniques that are off says."""
    values, code = [value], np.zeros(on.shape[1], dtype=np.intp)
    for off, lit in zip(offs, on, strict=True):
        if path in off:
            code = np.where(lit, code, len(values))
            values.append(off[path])
    rows = [row for row in values if isinstance(row, Record)]
    with placed(path):
        return type(rows[0]).take(rows, code) if rows else np.array(values)[code]


def _refusals(page: AnyModel, batch: Config, result: Result, cells: int) -> tuple[str, ...]:
    """Why each cell cannot run: the first rule it breaks, or that it is infeasible."""
    feasible = np.broadcast_to(np.asarray(result.metrics["feasible"]) > 0, cells)
    words = np.where(feasible, "", "infeasible").astype(object)
    for rule in reversed(page.rules):
        words = np.where(rule.holds(batch), words, f"refused: {rule.text}")
    return tuple(str(word) for word in np.broadcast_to(words, cells))


def _warnings(page: AnyModel, result: Result, refusals: Sequence[str]) -> dict[str, int]:
    words, runs = {**page.flags, **page.remarks}, np.array([not text for text in refusals])
    raised = {words[name]: np.count_nonzero(runs & mask) for name, mask in result.flags.items()}
    return {text: int(count) for text, count in raised.items() if count}


def _clashes(offs: Mapping[str, Values]) -> Iterable[str]:
    """Words for every two techniques that leave one knob at different values."""
    for (early, first), (late, second) in combinations(offs.items(), 2):
        for path in first:
            if path in second and plain(first[path]) != plain(second[path]):
                yield f"{early} and {late} both set {path}; with both off it is as {late} says"


def _cells(
    page: AnyModel, result: Result, on: Mapping[str, Mask], refusals: Sequence[str]
) -> Table:
    runs = np.array([not text for text in refusals])
    metrics = {
        name: np.where(runs, np.asarray(result.metrics[name], dtype=np.float64), np.nan)
        for name in page.metrics
        if name != "feasible"
    }
    raised = (result.flags[name] for name in page.flags)
    flagged = reduce(np.logical_or, raised, np.zeros(len(runs), dtype=np.bool_))
    units = {name: page.metrics[name].unit for name in metrics}
    return Table({**on, **metrics, "extrapolates": flagged}, units)
