"""Errors of several pages carried through the page that joins them, by Monte Carlo.

A joining page holds truth over prediction of each page it uses in a knob of its own, so a draw of
all errors is a design like any other. An error is drawn once a page and metric: what two parts
share, such as that of one GPU which trains and serves, is one error and not two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np

from dse import interval, registry
from dse.interval import LEVEL, Error
from dse.space import Columns, Constraint, Space
from dse.spec import AnyModel, Array, Config, Result, Uncertain, at

DRAWS = 2048
"""Draws behind the interval of one design."""

FRONT_DRAWS = 256
"""Draws behind the probabilities of many."""

CONSTRAINT_DRAWS = 64
"""Stratified draws by which a search holds a constraint with a probability."""

SETTLING_DRAWS = 1024
"""Draws for designs of which those leave it open."""

PROBES = 256
"""Designs of a space that are asked whether an error moves a metric."""

BLOCK = 2**15
"""Designs times draws that are evaluated at once."""

FARTHEST = 100.0
"""Largest ln of a ratio: tails of one group's t reach beyond what a float holds."""

HELD = 512
"""Sets of draws that stay in memory: 8 MB of those behind one design's intervals."""


@dataclass(frozen=True)
class Drawn:
    """One page's error of one metric in every draw, before it is scaled; shape (draws,)."""

    page: str
    metric: str
    draws: int
    seed: int

    def _rng(self, what: str) -> np.random.Generator:
        words = f"{self.page} {self.metric} {what}"
        return np.random.default_rng([self.seed, crc32(words.encode())])

    def uniform(self, what: str) -> Array:
        """One number in each of so many equal strata, in random order."""
        rng = self._rng(what)
        return (rng.permutation(self.draws) + rng.random(self.draws)) / self.draws

    def normal(self, what: str) -> Array:
        """Standard normal deviates, the same whenever they are asked for."""
        return _normal(self, what)

    def deviates(self, own: Array, error: Error) -> Array:
        """Student's t of the error's groups, part shared, part each row's own.

        Args:
            own: normal deviates of the rows, shape (..., draws).
            error: the error model.
        """
        shared = self.normal("shared")
        mixed = np.sqrt(1.0 - error.own) * shared + np.sqrt(error.own) * own
        return np.asarray(error.scale * mixed * _spread_by(self, error.freedom))


@lru_cache(maxsize=HELD)
def _normal(drawn: Drawn, what: str) -> Array:
    """See `Drawn.normal`; held, since every design that a person looks at asks for the same."""
    from scipy.special import ndtri  # noqa: PLC0415 - 60 ms that listing and help save

    return _still(ndtri(drawn.uniform(what)))


@lru_cache(maxsize=HELD)
def _spread_by(drawn: Drawn, freedom: float) -> Array:
    """What makes normal deviates Student's t of so many degrees of freedom; held, as above."""
    from scipy.special import gammaincinv  # noqa: PLC0415 - as above

    half = freedom / 2
    return _still(np.sqrt(half / gammaincinv(half, drawn.uniform("spread"))))


def _still(values: Array) -> Array:
    """Numbers that nobody can change, since many share them."""
    values.setflags(write=False)
    return values


def ratios(
    known: Mapping[tuple[str, str], Error],
    metric: str,
    where: Mapping[str, Array],
    own: Array,
    drawn: Drawn,
) -> Array:
    """Truth over prediction of a page's metric, 1 where nothing was checked; shape (..., draws).

    Args:
        known: the page's error models.
        metric: the metric whose check rows count.
        where: regime -> mask of the designs, '' for none of the weak ones, shape (...).
        own: normal deviates of the designs, shape (..., draws).
        drawn: the page's error.
    """
    found: Array = np.zeros(())
    for regime, mask in where.items():
        error = interval.error_in(known, metric, regime)
        if error is not None and np.any(mask):
            column = np.asarray(mask)[..., np.newaxis]
            found = np.where(column, drawn.deviates(own, error), found)
    wide = np.broadcast_to(found, np.broadcast_shapes(found.shape, np.shape(own)))
    return np.exp(np.clip(wide, -FARTHEST, FARTHEST))


def regimes(uncertain: Uncertain[Config], config: Config) -> dict[str, Array]:
    """Regime -> where it counts, of a joining page's use of another."""
    named = uncertain.regimes(config) if uncertain.regimes else {}
    left: Array = np.asarray(True)
    found: dict[str, Array] = {}
    for name, mask in named.items():
        found[name] = np.logical_and(left, mask)
        left = np.logical_and(left, np.logical_not(mask))
    return {**found, "": left}


Rows = Callable[[str], tuple[Sequence[str], Array]]
"""Category knob -> slugs of its rows, and which of them each design has, shape (designs) or ()."""


def rows_of_one(config: Config) -> Rows:
    """The rows of a single design; '' stands for no category."""
    return lambda path: ((at(config, path).slug if path else "",), np.asarray(0))


def rows_of_many(space: Space, columns: Columns) -> Rows:
    """The rows of a batch of designs."""
    alone = rows_of_one(space.base)

    def found(path: str) -> tuple[Sequence[str], Array]:
        axis = space.by_path.get(path)
        return (axis.labels, columns[path]) if axis else alone(path)

    return found


def factors(
    page: AnyModel, config: Config, rows: Rows, *, draws: int, seed: int = 0
) -> dict[str, Array]:
    """Knob that holds an error -> truth over prediction in every draw.

    Args:
        page: a page that joins others.
        config: one design, or a batch.
        rows: the rows of its categories.
        draws: how many.
        seed: same seed, same draws.

    Returns:
        arrays of shape (draws,), or (designs, draws) where designs of a batch differ in it.
    """
    found = {}
    for knob, uncertain in page.uncertain.items():
        judged, sign = interval.judged_by(registry.model(uncertain.page), uncertain.metric)
        drawn = Drawn(uncertain.page, judged, draws, seed)
        slugs, codes = rows(uncertain.per)
        own = np.stack([drawn.normal(f"of {slug}") for slug in slugs])[codes.astype(np.intp)]
        where, known = regimes(uncertain, config), interval.own_errors(uncertain.page)
        found[knob] = ratios(known, judged, where, own, drawn) ** sign
    return found


def sampled(
    page: AnyModel, config: Config, names: Sequence[str], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Array]:
    """Metrics of one design of a joining page in every draw, shape (draws,)."""
    drawn = factors(page, config, rows_of_one(config), draws=draws, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = page.evaluate(type(config).batched(drawn, config))
    return {name: np.broadcast_to(result.metrics[name], (draws,)) for name in names}


def batches(
    page: AnyModel,
    space: Space,
    columns: Columns,
    names: Sequence[str],
    *,
    draws: int,
    seed: int = 0,
) -> Iterator[dict[str, Array]]:
    """Metrics of designs in every draw, shape (designs, draws), in cache-sized portions."""
    rows = _count(columns)
    step = max(BLOCK // draws, 1)
    for start in range(0, rows, step):
        part = {path: column[start : start + step] for path, column in columns.items()}
        yield _portion(page, space, part, names, draws=draws, seed=seed)


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 1


def _portion(
    page: AnyModel, space: Space, columns: Columns, names: Sequence[str], *, draws: int, seed: int
) -> dict[str, Array]:
    config = space.config(columns)
    rows = _count(columns)
    if page.uncertain:
        drawn = factors(page, config, rows_of_many(space, columns), draws=draws, seed=seed)
        each = space.config({path: np.repeat(column, draws) for path, column in columns.items()})
        flat = {k: np.broadcast_to(ratio, (rows, draws)).ravel() for k, ratio in drawn.items()}
        config = type(config).batched(flat, each)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = page.evaluate(config)
    if page.uncertain:
        wide = {name: np.broadcast_to(result.metrics[name], rows * draws) for name in names}
        return {name: column.reshape(rows, draws) for name, column in wide.items()}
    return _spread(page, result, names, rows, draws, seed)


def _spread(
    page: AnyModel, result: Result, names: Sequence[str], rows: int, draws: int, seed: int
) -> dict[str, Array]:
    """Metrics of a page that is judged by its own check rows, in every draw."""
    where = {k: np.broadcast_to(v, rows) for k, v in interval.regimes(page, result).items()}
    found = {}
    for name in names:
        judged, sign = interval.judged_by(page, name)
        drawn = Drawn(page.slug, judged, draws, seed)
        own = np.random.default_rng([seed, crc32(judged.encode())]).standard_normal((rows, draws))
        ratio = ratios(interval.errors(page.slug), judged, where, own, drawn) ** sign
        value = np.broadcast_to(np.asarray(result.metrics[name]), rows)
        facts = page.metrics[name]
        found[name] = np.clip(value[:, np.newaxis] * ratio, facts.least, facts.most)
    return found


def ends(page: AnyModel, name: str, samples: Array, shares: Sequence[float] | Array) -> Array:
    """Quantiles of a metric over its draws; a draw in which it is unknown counts as its worst.

    Args:
        page: the page.
        name: the metric.
        samples: shape (..., draws).
        shares: probabilities.

    Returns:
        shape (shares, ...).
    """
    worst = -np.inf if page.metrics[name].sense == "max" else np.inf
    known = np.where(np.isnan(samples), worst, samples)
    return np.quantile(known, shares, axis=-1, method="inverted_cdf")


def has_interval(page: AnyModel, space: Space, metric: str) -> bool:
    """Whether any check row says how far a metric errs, in some designs of a space."""
    if not page.uncertain:
        judged, _ = interval.judged_by(page, metric)
        return any(name == judged for name, _ in interval.errors(page.slug))
    few = np.random.default_rng(0).random((PROBES, max(len(space.axes), 1)))
    portions = batches(page, space, space.sample(few), [metric], draws=2)
    return any(bool(np.any(part[metric][:, 0] != part[metric][:, 1])) for part in portions)


def quantile(
    page: AnyModel, space: Space, columns: Columns, constraint: Constraint, share: float
) -> Array:
    """What a metric of designs of a joining page stays below with a probability, shape (designs,).

    The draws are few and stratified, since a search asks this of millions; where two standard
    errors of so few leave open whether the constraint holds, many draws settle it.
    """
    error = 2.0 * np.sqrt(share * (1.0 - share) / CONSTRAINT_DRAWS)
    shares = np.clip([share, share - error, share + error], 0.0, 1.0)
    name = constraint.metric
    three = _quantiles(page, space, columns, name, shares, draws=CONSTRAINT_DRAWS)
    found, low, high = (np.asarray(each) for each in three)
    met = constraint.violation(low) == 0
    open_ = np.flatnonzero(met != (constraint.violation(high) == 0))
    if len(open_):
        some = {path: column[open_] for path, column in columns.items()}
        found[open_] = _quantiles(page, space, some, name, shares[:1], draws=SETTLING_DRAWS)[0]
    return found


def _quantiles(
    page: AnyModel, space: Space, columns: Columns, name: str, shares: Array, *, draws: int
) -> Array:
    portions = batches(page, space, columns, [name], draws=draws)
    parts = [ends(page, name, part[name], shares) for part in portions]
    return np.asarray(np.concatenate(parts, axis=1))


def spans(
    page: AnyModel, config: Config, result: Result, level: float = LEVEL
) -> dict[str, tuple[float, float]]:
    """Metric -> low and high end for one design, NaN where nothing was checked."""
    if not page.uncertain:
        spans = interval.spans(page, result, level)
        return {name: (float(low), float(high)) for name, (low, high) in spans.items()}
    tail, nothing = 0.5 - level / 2, (float("nan"), float("nan"))
    names = [name for name in page.metrics if name != "feasible"]
    found = {"feasible": nothing}
    for name, samples in sampled(page, config, names).items():
        value = float(result.metrics[name])
        low, high = ends(page, name, samples, (tail, 1 - tail))
        known = not np.isnan(value) and bool(np.any(samples != samples[0]))
        found[name] = (float(min(low, value)), float(max(high, value))) if known else nothing
    return found
