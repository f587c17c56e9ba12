"""A page against a person's own measurements: scored as check rows are, or fitted anew on them.

A fit minimises the squared relative errors of all measured values alike. It is judged on the rows
it saw, and on each row (or group of rows) by constants that were fitted without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dse import measurements, registry, validate
from dse.errors import InputError, unknown
from dse.executed import Tick
from dse.measurements import Covered, Refused
from dse.provenance import USES, Point
from dse.scores import Feasibility, Pair, Score, score
from dse.spec import AnyModel, Array, Mask, at, knobs
from dse.study import flat
from dse.validate import Solved

if TYPE_CHECKING:
    import pandas as pd

AS_IS = "as the page stands"
SEEN = "fitted on them"
LEFT_OUT = "fitted without them"


@dataclass(frozen=True)
class Value:
    """One measured value beside what the page predicts; numbers in SI."""

    line: int
    id: str
    metric: str
    unit: str
    measured: float
    predicted: float
    error: float
    """Relative: predicted / measured - 1."""
    fitted: float | None = None
    """What the page predicts with the constants fitted on all rows."""
    fitted_error: float | None = None
    left_out_error: float | None = None
    """With constants that were fitted without this row."""


@dataclass(frozen=True)
class Constant:
    """A fitted knob, before and after; numbers in SI."""

    knob: str
    unit: str
    old: float
    new: float
    at_bound: bool
    """Whether the fit stopped at an end of the knob's range."""


@dataclass(frozen=True)
class Published:
    """Mean error on the page's own published points that leave the fitted knobs alone."""

    use: str
    rows: int
    old: float
    new: float


@dataclass(frozen=True)
class Refit:
    """What a fit on the measurements changed."""

    constants: tuple[Constant, ...]
    folds: int
    """Fits that left rows out; 0 where too few rows would have been left."""
    published: tuple[Published, ...]

    @property
    def settings(self) -> str:
        """The options that use the constants."""
        return " ".join(f"--set {found.knob}={found.new:.6g}" for found in self.constants)


@dataclass(frozen=True)
class Against:
    """A page judged by a person's own measurements."""

    model: str
    file: str
    values: tuple[Value, ...]
    scores: tuple[Score, ...]
    """As the page stands; after a fit also on the rows it saw and on those it did not."""
    refused: tuple[Refused, ...]
    misjudged: tuple[str, ...]
    """Rows that are infeasible to one of page and measurement."""
    refit: Refit | None = None

    def to_pandas(self) -> pd.DataFrame:
        """A row for every measured value; columns as in `Value`."""
        import pandas as pd  # noqa: PLC0415 - half a second that other verbs save

        return pd.DataFrame([asdict(value) for value in self.values])

    def as_json(self) -> dict[str, object]:
        """Plain data; what is unknown or infinite is null."""
        plain = asdict(self)
        if self.refit is not None:
            plain["refit"]["settings"] = self.refit.settings
        plain["values"] = [{k: _finite(v) for k, v in row.items()} for row in plain["values"]]
        return plain


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def against(
    slug: str,
    path: Path,
    *,
    settings: Mapping[str, object] | None = None,
    fit: Sequence[str] | None = None,
    skip: bool = False,
    tick: Tick | None = None,
) -> Against:
    """Hold a page against measurements.

    Args:
        slug: the page.
        path: a CSV file as `dse.measurements` reads it.
        settings: dotted knob -> value of every row, for knobs that the file does not set.
        fit: knobs to fit on the rows; empty for the page's own fitted constants.
        skip: whether rows that the page refuses are left out and listed.
        tick: told of fits done and fits in all.

    Raises:
        InputError: anything in file, settings or knobs that does not fit the page, or fewer
            values than knobs to fit.
    """
    page = registry.model(slug)
    covered, refused = measurements.priceable(page, path, flat(settings or {}), skip=skip)
    predicted = covered.predicted()
    scores = (
        [_score(covered, AS_IS, predicted, Feasibility.of(_verdicts(covered)))]
        if len(predicted)
        else []
    )
    values, refit = _values(covered, predicted), None
    if fit is not None:
        chosen = _chosen(covered, fit or list(validate.fitted_constants(page)))
        refit, fitted, left_out = _refit(covered, chosen, predicted, tick)
        values = _after(values, fitted, left_out)
        scores.append(_score(covered, SEEN, fitted, None))
        scores += [_score(covered, LEFT_OUT, left_out, None)] if refit.folds else []
    return Against(
        model=slug,
        file=str(path),
        values=tuple(values),
        scores=tuple(scores),
        refused=tuple(refused),
        misjudged=tuple(_misjudged(covered)),
        refit=refit,
    )


def _values(covered: Covered, predicted: Array) -> list[Value]:
    values = []
    for (i, metric), answer in zip(covered.measured, predicted.tolist(), strict=True):
        row, unit = covered.rows[i], covered.page.metrics[metric].unit
        measured = row.values[metric]
        error = validate.relative_error(answer, measured)
        values.append(Value(row.line, row.id, metric, unit, measured, answer, error))
    return values


def _after(values: Sequence[Value], fitted: Array, left_out: Array) -> list[Value]:
    """The same values with what the fitted constants predict."""
    return [
        replace(
            value,
            fitted=answer,
            fitted_error=validate.relative_error(answer, value.measured),
            left_out_error=None
            if math.isnan(without)
            else validate.relative_error(without, value.measured),
        )
        for value, answer, without in zip(values, fitted.tolist(), left_out.tolist(), strict=True)
    ]


def _score(
    covered: Covered, comparison: str, predicted: Array, confusion: Feasibility | None
) -> Score:
    pairs = []
    for (i, name), answer in zip(covered.measured, predicted.tolist(), strict=True):
        row, metric = covered.rows[i], covered.page.metrics[name]
        pairs.append(
            Pair(
                model=covered.page.slug,
                comparison=comparison,
                use="fit" if comparison == SEEN else "check",
                group=row.group,
                id=row.id,
                metric=name,
                sense=metric.sense,
                unit=metric.unit,
                reference=row.values[name],
                predicted=answer,
            )
        )
    return score(pairs, confusion)


def _verdicts(covered: Covered) -> list[tuple[bool, bool]]:
    """Of each row whether it ran and whether the page calls it feasible."""
    fits = covered.metrics()["feasible"] > 0
    return [(row.ran, bool(fit)) for row, fit in zip(covered.rows, fits, strict=True)]


def _misjudged(covered: Covered) -> list[str]:
    words = {
        (True, False): "was measured, but the page calls it infeasible",
        (False, True): "was infeasible, but the page calls it feasible",
    }
    judged = zip(covered.rows, _verdicts(covered), strict=True)
    return [f"{row.id} {words[pair]}" for row, pair in judged if pair in words]


def _chosen(covered: Covered, names: Sequence[str]) -> dict[str, float]:
    """The knobs to fit, and the values that they start from.

    Raises:
        InputError: none, an unknown one, one that is no continuous number, or one that rows set.
    """
    page, known = covered.page, knobs(covered.page.config)
    if not names:
        raise InputError(f"'{page.slug}' has no fitted constant; name a knob with --fit")
    start = {}
    for name in names:
        if name not in known:
            raise InputError(f"--fit: {unknown('knob', name, known)}")
        bounds = known[name].bounds
        if known[name].catalog or (bounds and bounds.integer):
            kind = "choice" if known[name].catalog else "whole number"
            raise InputError(f"--fit {name}: is a {kind}; a fit needs a continuous knob")
        held = {float(at(config, name)) for config in covered.configs}
        if len(held) > 1 or any(name in row.settings for row in covered.rows):
            raise InputError(f"--fit {name}: the rows set it; drop the column or --fit {name}")
        start[name] = held.pop()
    return start


def _refit(
    covered: Covered, start: Mapping[str, float], predicted: Array, tick: Tick | None
) -> tuple[Refit, Array, Array]:
    """The fit, what it predicts of the rows, and what fits without each row predict of it."""
    reference = np.array([covered.rows[i].values[name] for i, name in covered.measured])
    usable = np.isfinite(predicted) & (reference != 0)
    if usable.sum() < len(start):
        told = f"{len(start)} knobs need as many measured values, got {int(usable.sum())}"
        raise InputError(f"--fit: {told}; fit fewer knobs or measure more")
    keys = [covered.rows[i].group or covered.rows[i].line for i, _ in covered.measured]
    folds = [np.array([key == fold for key in keys]) for fold in dict.fromkeys(keys)]
    folds = [fold for fold in folds if (usable & ~fold).sum() >= len(start)]
    found = _solve(covered, start, usable, reference)
    _refuse_blind(found)
    _refuse_uncovered(covered, found.values)
    left_out = np.full(len(reference), np.nan)
    for i, fold in enumerate(folds, start=1):
        without = _solve(covered, start, usable & ~fold, reference).values
        left_out[fold] = covered.predicted(without)[fold]
        if tick is not None:
            tick(i, len(folds))
    constants = tuple(_constant(covered.page, k, v, found.values[k]) for k, v in start.items())
    refit = Refit(constants, len(folds), _published(covered.page, found.values))
    return refit, covered.predicted(found.values), left_out


def _solve(covered: Covered, start: Mapping[str, float], rows: Mask, reference: Array) -> Solved:
    return validate.solve(
        covered.page,
        start,
        lambda values: covered.predicted(values)[rows],
        reference[rows],
    )


BLIND = 1e-6
"""Share of the strongest effect below which an effect is rounding of finite differences."""


def _refuse_blind(found: Solved) -> None:
    """Refuse constants that the rows say nothing of."""
    sizes = np.linalg.norm(found.slopes, axis=0)
    for name, size in zip(found.values, sizes, strict=True):
        if size <= BLIND * sizes.max():
            raise InputError(f"--fit {name}: it changes no measured value; fit without it")
    effects = np.linalg.svd(found.slopes / sizes, compute_uv=False)
    if effects[-1] <= BLIND * effects[0]:
        names = ", ".join(found.values)
        raise InputError(f"--fit: these rows cannot tell {names} apart; fit fewer of them")


def _refuse_uncovered(covered: Covered, constants: Mapping[str, float]) -> None:
    for _, config in covered.batches:
        moved = config.batched(constants, config)
        for rule in covered.page.rules:
            if not np.all(rule.holds(moved)):
                raise InputError(f"--fit ends where `{rule.text}` does not hold; fit other knobs")


def _constant(page: AnyModel, name: str, old: float, new: float) -> Constant:
    knob = knobs(page.config)[name]
    ends = (knob.bounds.low, knob.bounds.high) if knob.bounds else ()
    stopped = any(math.isclose(new, end, rel_tol=1e-6, abs_tol=1e-12) for end in ends)
    return Constant(name, knob.unit, old, new, stopped)


def _published(page: AnyModel, constants: Mapping[str, float]) -> tuple[Published, ...]:
    found = []
    for use in USES:
        free = [p for p in page.data.select(use) if not constants.keys() & flat(p.settings)]
        pairs = [(_error(page, p, {}), _error(page, p, constants)) for p in free]
        known = [pair for pair in pairs if all(map(math.isfinite, pair))]
        if known:
            old, new = np.mean(known, axis=0).tolist()
            found.append(Published(use, len(known), old, new))
    return tuple(found)


def _error(page: AnyModel, point: Point, constants: Mapping[str, float]) -> float:
    predicted = validate.predict(page, point, constants)
    return abs(validate.relative_error(predicted, point.number.value))
