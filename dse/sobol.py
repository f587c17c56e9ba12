"""Sobol indices: the share of a metric's variance that each input has a hand in.

The first order S is what an input does alone, the total order ST what it does alone and with
others; ST = S where nothing interacts. The sample and the estimators are those of
`scipy.stats.sobol_indices` (Saltelli et al. 2010, Table 2 b and f), and a test holds the two
equal. SciPy's own function refuses a sample with holes and its bootstrap takes no seed, so rows
that cannot run are left out here, pair by pair, and the rows are resampled from a seed.

Inputs must be independent. An input is only a name and a quantile function, so that knobs of a
space and errors of a prediction go through the same call: with the quantiles of truth over
prediction, the largest total order names what to measure first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.evaluate import BLOCK
from dse.spec import Array

SAMPLES = 2048
"""Rows of the sample by default; every input adds as many designs."""

MOST = 2**20
"""Most rows of a sample."""

FEWEST = 128
"""Rows of the sample that an index needs at least."""

RESAMPLES = 400
"""Bootstrap resamples behind an interval."""

LEVEL = 0.90
"""Share of resamples that an interval holds."""

DECADE = 10.0
"""A positive metric whose inner 98 % spread by more than this is taken by its logarithm."""

FLAT = 1e-12
"""Standard deviation over mean, below which a metric is constant: rounding, no effect."""

EDGE = 2.0**-53
"""Shares keep this far from 0 and 1, where quantiles of unbounded distributions are infinite."""

WEIGHTS = 2**22
"""Weights of resampled rows that are held at once."""

Scale = Literal["auto", "ln", "plain"]
"""Whether indices are of a metric's logarithm: `ln` where all its values are positive, `auto`
where they spread over more than a decade besides."""

Columns: TypeAlias = Mapping[str, Array]
"""Input -> its values, or metric -> its values; shape (n,)."""

Evaluate: TypeAlias = Callable[[Columns], Columns]
"""Prices a block: columns of every input -> every metric, shape (n,) or one that broadcasts.

NaN marks what is unknown and what cannot run; no number stands in for it.
"""

Progress: TypeAlias = Callable[[int, int], None]
"""Is told designs done and designs in all."""


@dataclass(frozen=True)
class Input:
    """One independent input: a name, and the quantile function of its values.

    `quantile` takes shares in (0, 1) of any shape: `Axis.at` for the knob of a space, and
    `lambda u: np.exp(scale * stdtrit(groups, u))` for a lognormal-t error of a prediction.
    """

    name: str
    quantile: Callable[[Array], Array]


@dataclass(frozen=True)
class Indices:
    """Sobol indices of one metric; arrays have a number per input and are NaN where refused."""

    metric: str
    inputs: tuple[str, ...]
    ln: bool
    """Whether they are of the metric's logarithm."""
    first: Array
    total: Array
    first_ends: Array
    """Low and high end of the bootstrap interval, shape (2, inputs)."""
    total_ends: Array
    designs: int
    """Designs of the sample."""
    left_out: int
    """Designs without a finite value: they cannot run, or the metric is unknown or infinite."""
    rows: int
    """Rows of the sample behind the index that rests on the fewest."""
    refusal: str = ""
    """Why there are no indices."""

    @property
    def approximate(self) -> bool:
        """Whether the indices speak of a part of the space only, in which inputs may depend."""
        return self.left_out > 0

    @property
    def ranked(self) -> list[int]:
        """Positions of the inputs, the largest total order first."""
        return [int(i) for i in np.argsort(-np.nan_to_num(self.total), kind="stable")]


def silent(_done: int, _total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class _Sample:
    """Two independent samples, and for each input the first with that input from the second."""

    inputs: Sequence[Input]
    shares: Array
    """Scrambled Sobol points, shape (n, 2 * inputs)."""

    @property
    def designs(self) -> int:
        return len(self.shares) * (len(self.inputs) + 2)

    def columns(self, low: int, high: int) -> Columns:
        """Designs `low` to `high`: all of A, all of B, then A with one input from B, and so on."""
        page, row = np.divmod(np.arange(low, high), len(self.shares))
        columns = {}
        for i, given in enumerate(self.inputs):
            swapped = (page == 1) | (page == i + 2)
            column = np.where(swapped, i + len(self.inputs), i)
            shares = np.clip(self.shares[row, column], EDGE, 1 - EDGE)
            columns[given.name] = given.quantile(shares)
        return columns


def _sampled(inputs: Sequence[Input], samples: int, seed: int) -> _Sample:
    from scipy.stats import qmc  # noqa: PLC0415 - a second of import that pricing saves

    if not inputs:
        raise InputError("nothing varies, so no input can matter; give at least one a range")
    if samples < 2 * FEWEST or samples > MOST or samples & (samples - 1):
        raise InputError(
            f"`samples` must be a power of two from {2 * FEWEST} to {MOST:,}, got {samples:,}; "
            f"try --samples {SAMPLES}"
        )
    engine = qmc.Sobol(2 * len(inputs), bits=64, rng=np.random.default_rng(seed))
    return _Sample(inputs, np.asarray(engine.random(samples)))


def indices(
    inputs: Sequence[Input],
    evaluate: Evaluate,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    scale: Scale = "auto",
    progress: Progress = silent,
) -> dict[str, Indices]:
    """First and total orders of every metric that `evaluate` answers, with bootstrap intervals.

    Args:
        inputs: what varies, each independent of the others.
        evaluate: prices a block of at most `BLOCK` designs.
        samples: rows n of the sample, a power of two; n * (inputs + 2) designs are priced.
        seed: same seed, same result.
        scale: see `Scale`; a heavy tail would drown the variance of a plain metric.
        progress: called with designs done and designs in all.

    Raises:
        InputError: no input, or a size that is no power of two.
    """
    sample = _sampled(inputs, samples, seed)
    names = tuple(given.name for given in inputs)
    found = {}
    for metric, values in _priced(sample, evaluate, progress).items():
        pages = np.reshape(values, (len(inputs) + 2, samples))
        found[metric] = _estimated(metric, names, pages, scale, np.random.default_rng(seed))
    return found


def _priced(sample: _Sample, evaluate: Evaluate, progress: Progress) -> dict[str, Array]:
    """Every metric of every design of the sample, shape (designs,)."""
    blocks: list[Columns] = []
    for low, high in _spans(sample.designs):
        found = evaluate(sample.columns(low, high))
        blocks.append({k: np.broadcast_to(v, high - low) for k, v in found.items()})
        progress(high, sample.designs)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _spans(stop: int) -> Iterator[tuple[int, int]]:
    return ((low, min(low + BLOCK, stop)) for low in range(0, stop, BLOCK))


def _estimated(
    metric: str, names: tuple[str, ...], values: Array, scale: Scale, rng: np.random.Generator
) -> Indices:
    """The indices of one metric, values of shape (inputs + 2, n)."""
    known = np.isfinite(values)
    ln = _in_logarithms(values[known], scale)
    rows = int(np.sum(known[0] & known[1] & known[2:], axis=1).min())
    open_ends = np.full((2, len(names)), np.nan)
    held = Indices(
        metric=metric,
        inputs=names,
        ln=ln,
        first=open_ends[0],
        total=open_ends[0],
        first_ends=open_ends,
        total_ends=open_ends,
        designs=values.size,
        left_out=int(np.sum(~known)),
        rows=rows,
        refusal=_refusal(values[:2][known[:2]], rows, values.shape[1]),
    )
    if held.refusal:
        return held
    taken = np.log(np.where(known, values, 1.0)) if ln else np.where(known, values, 0.0)
    orders, low, high = _bootstrapped(_terms(taken, known), len(names), rng)
    ends = np.stack([low, high], axis=1)
    return replace(held, first=orders[0], total=orders[1], first_ends=ends[0], total_ends=ends[1])


def _in_logarithms(known: Array, scale: Scale) -> bool:
    if scale == "plain" or known.size == 0 or known.min() <= 0:
        return False
    low, high = np.quantile(known, [0.01, 0.99])
    return scale == "ln" or bool(high > DECADE * low)


def _refusal(known: Array, rows: int, asked: int) -> str:
    """Why a metric has no indices; empty where it has."""
    if rows < FEWEST:
        more = "; take more samples" if rows else ""
        return f"only {rows:,} of {asked:,} rows hold values to compare, {FEWEST} are needed{more}"
    if np.std(known) <= FLAT * abs(np.mean(known)):
        return "constant"
    return ""


def _terms(values: Array, known: NDArray[np.bool_]) -> Array:
    """Everything that the estimators sum up over rows, shape (4 * inputs + 3, n).

    Saltelli's first order is the mean of f_B (f_AB - f_A), Jansen's total order that of
    (f_A - f_AB)^2 / 2, both over the variance of f in A and B; a row in which one of them is
    unknown counts in neither sum nor number.
    """
    both = known[:2]
    centred = np.where(known, values - np.sum(values[:2] * both) / np.sum(both), 0.0)
    a, b, ab = centred[0], centred[1], centred[2:]
    pair = known[0] & known[2:]
    triple = pair & known[1]
    return np.concatenate(
        [
            np.where(triple, b * (ab - a), 0.0),
            np.where(pair, 0.5 * (a - ab) ** 2, 0.0),
            triple,
            pair,
            np.stack([a + b, a**2 + b**2, both.sum(axis=0)]),
        ]
    )


def _orders(sums: Array, inputs: int) -> Array:
    """First and total orders out of summed terms, shape (2, inputs, resamples).

    A resample in which nothing varies has none; its orders are NaN.
    """
    first, total, triples, pairs = np.reshape(sums[:-3], (4, inputs, -1))
    plain, squares, count = sums[-3:]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares / count - (plain / count) ** 2
        return np.asarray(np.stack([first / triples, total / pairs]) / variance)


def _bootstrapped(
    terms: Array, inputs: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """First and total orders, and the ends of their percentile intervals, each (2, inputs)."""
    from scipy.stats import (  # noqa: PLC0415 - a second of import that pricing saves
        DegenerateDataWarning,
        bootstrap,
    )

    rows = terms.shape[1]

    def statistic(drawn: NDArray[np.intp], axis: int) -> Array:
        resample = np.arange(len(drawn))[:, np.newaxis]
        weights = np.bincount((drawn + resample * rows).ravel(), minlength=drawn.size)
        return _orders(terms @ weights.reshape(drawn.shape).T, inputs)

    with warnings.catch_warnings():  # resamples of a rare event may hold none: no interval then
        warnings.simplefilter("ignore", DegenerateDataWarning)
        found = bootstrap(
            (np.arange(rows),),
            statistic,
            vectorized=True,
            axis=-1,
            batch=max(1, WEIGHTS // rows),
            n_resamples=RESAMPLES,
            confidence_level=LEVEL,
            method="percentile",
            rng=rng,
        )
    orders = _orders(terms.sum(axis=1, keepdims=True), inputs)[..., 0]
    return orders, found.confidence_interval.low, found.confidence_interval.high
