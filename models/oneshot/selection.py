r"""What a wrong ranking costs: the expected best time among the variants that are measured.

The predictor scores a variant by its log time plus an error, and the best m of n scores are
measured. A kernel is its quantile function, cut into cells. Arrays of cells have the cells on
their last axis, so every other argument gets one more axis before it meets them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from dse.spec import Array

from .config import GIVEN, Kernel

NAMES = tuple(name for name in Kernel.model_fields if name[0] == "p")
SHARES = np.array([float(name[1:].replace("_", ".")) for name in NAMES]) / 100
TENTH = 1 / 10
STEPS = 6
"""Newton steps to the threshold: with fewer, declared monotonicities break in rare designs."""
TINY = 1e-12
"""Distance to 0 or 1 at which logs, quotients and normal quantiles stay finite."""


@dataclass(frozen=True)
class Cells:
    """A kernel's variants from the best on, in cells: the best one alone, then percentiles."""

    edge: Array
    """Share of all variants up to the end of the cell."""
    share: Array
    """Share of all variants in the cell."""
    score: Array
    """Mean of minus the log of the time ratio."""
    width: Array
    """Standard deviation of that within the cell."""
    weight: Array
    """Time ratio lost if everything up to the end of the cell is missed."""
    space: Array
    """Number of all variants."""


def cells(kernel: Kernel) -> Cells:
    """The quantile function of a kernel as cells, the log of the time a line within each."""
    space = np.expand_dims(kernel.space, -1)
    ratios = np.stack(np.broadcast_arrays(*(getattr(kernel, name) for name in NAMES)), axis=-1)
    first = np.ones((*np.broadcast_shapes(np.shape(kernel.space), ratios.shape[:-1]), 1))
    edge = np.concatenate([first / space, first * np.maximum(SHARES, 1 / space)], axis=-1)
    log = np.log(np.concatenate([first, first * ratios], axis=-1))
    return _between(edge=edge, log=log, space=space)


def normal_cells(grid: Cells) -> Cells:
    """The same number of variants, their log times normal and spread as much."""
    # The expected place of the best of N normal numbers (Blom), and of the worst.
    least = 5 / 8 / (grid.space + 1 / 4)
    place = ndtri(np.minimum(np.maximum(grid.edge, least), 1 - least)) - ndtri(least)
    place = np.where(grid.edge > 1 / grid.space, place, 0.0)
    spread = np.expand_dims(moments(score=grid.score, share=grid.share)[1], -1)
    return _between(edge=grid.edge, log=spread * place, space=grid.space)


def _between(*, edge: Array, log: Array, space: Array) -> Cells:
    """Cells between edges where the logs of the time ratio are known."""
    ratio, rise = np.exp(log), np.diff(log, axis=-1, prepend=0.0)
    gain = np.diff(ratio, axis=-1, prepend=1.0)
    none = 0.0 * ratio[..., :1]
    return Cells(
        edge=edge,
        share=np.diff(edge, axis=-1, prepend=0.0),
        score=rise / 2 - log,
        width=rise / np.sqrt(12),
        weight=(gain + np.concatenate([gain[..., 1:], none], axis=-1)) / 2,
        space=space,
    )


def moments(*, score: Array, share: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of scores that have shares; the latter never 0.

    >>> [float(value) for value in moments(score=np.array([0, 4]), share=np.array([1, 1]))]
    [2.0, 2.0]
    """
    total = np.sum(share, axis=-1)
    mean = np.sum(score * share, axis=-1) / total
    square = np.sum(score * score * share, axis=-1) / total
    return mean, np.sqrt(np.maximum(square - mean * mean, TINY))


def linear_correlation(*, rank: Array) -> Array:
    r"""Linear correlation of a pair with a rank correlation, $2 \sin(\pi \rho / 6)$.

    Exact for a normal pair; never 0 here, so that an error stays finite.

    >>> round(float(linear_correlation(rank=0.5)), 4)
    0.5176
    """
    found: Array = np.maximum(2 * np.sin(np.pi / 6 * rank), GIVEN("least_correlation"))
    return found


def rank_of(*, linear: Array) -> Array:
    """Rank correlation of a normal pair, the inverse of `linear_correlation`.

    >>> round(float(rank_of(linear=0.5)), 4)
    0.4826
    """
    return 6 / np.pi * np.arcsin(linear / 2)


def prediction_error(*, correlation: Array, spread: Array, scale: Array) -> Array:
    r"""Standard deviation of log prediction over time, $\kappa s \sqrt{1 / r^2 - 1}$ [derived].

    The spread s is that of the log times; even a perfect ranking keeps the error of a measurement.

    >>> round(float(prediction_error(correlation=0.9, spread=0.546, scale=1)), 4)
    0.252
    """
    linear = np.minimum(linear_correlation(rank=correlation), 1.0)
    return np.maximum(scale * spread * np.sqrt(1 / (linear * linear) - 1), GIVEN("least_error"))


def kept(*, top_correlation: Array, error: Array, spread: Array) -> Array:
    r"""Share of the order within the best tenth that survives, $\min(1, r \sqrt{1 + e^2 / s^2})$.

    [derived] The error e alone leaves a correlation of $1 / \sqrt{1 + e^2 / s^2}$ there; a
    measured one below it asks for a shuffle within the tenth on top. 0 = no shuffle.

    >>> round(float(kept(top_correlation=0.5, error=0.1, spread=0.1)), 4)
    0.7321
    """
    linear = linear_correlation(rank=top_correlation)
    limit = linear * np.sqrt(1 + (error / spread) ** 2)
    return np.where(np.greater(top_correlation, 0), np.minimum(limit, 1.0), 1.0)


@dataclass(frozen=True)
class Scores:
    """What the predictor sees of each cell: its mean score and its standard deviation."""

    mean: Array
    deviation: Array
    top_correlation: Array
    """Linear correlation that is left within the best tenth."""


def scores(grid: Cells, *, error: Array, top: Array) -> Scores:
    """Predicted scores of the cells, at an error and a correlation within the best tenth."""
    inside = np.less_equal(grid.edge, TENTH)
    centre, spread = moments(score=grid.score, share=grid.share * inside)
    keep = kept(top_correlation=top, error=error, spread=spread)
    share, noise = np.expand_dims(keep, -1), np.expand_dims(error, -1)
    middle, sides = np.expand_dims(centre, -1), np.expand_dims(spread, -1)
    order = np.where(inside, share, 1.0)
    shuffle = np.where(inside, (1 - share * share) * sides * sides, 0.0)
    return Scores(
        mean=np.where(inside, middle + order * (grid.score - middle), grid.score),
        deviation=np.sqrt(noise * noise + (order * grid.width) ** 2 + shuffle),
        top_correlation=keep / np.sqrt(1 + (error / spread) ** 2),
    )


def threshold(*, mean: Array, deviation: Array, share: Array, picked: Array) -> Array:
    r"""Score exceeded by a share of all, $\sum_i u_i \Phi((g_i - c) / e_i) = p$ [derived].

    Newton's method on normal quantiles, where the sum is nearly a line, between safe ends.

    >>> one = np.ones(1)
    >>> threshold(mean=0 * one, deviation=one, share=one, picked=0.158655).round(5)
    array([1.])
    """
    aim = -ndtri(picked)
    ends = mean + deviation * aim
    low, high = np.min(ends, axis=-1, keepdims=True), np.max(ends, axis=-1, keepdims=True)
    centre, spread = moments(score=mean, share=share)
    wide = np.sqrt(spread * spread + np.sum(deviation * deviation * share, axis=-1))
    guess = np.expand_dims(centre, -1) + aim * np.expand_dims(wide, -1)
    here: Array = np.minimum(np.maximum(guess, low), high)
    for _ in range(STEPS):
        distance = (mean - here) / deviation
        above = np.sum(ndtr(distance) * share, axis=-1, keepdims=True)
        found = -ndtri(np.minimum(np.maximum(above, TINY**20), 1 - TINY / 10))
        density = np.exp((found * found - distance * distance) / 2) / deviation * share
        slope = np.maximum(np.sum(density, axis=-1, keepdims=True), TINY)
        low = np.where(found <= aim, np.maximum(low, here), low)
        high = np.where(found >= aim, np.minimum(high, here), high)
        there = here + (aim - found) / slope
        here = np.where((there >= low) & (there <= high), there, (low + high) / 2)
    return here


def survival(*, hit: Array, chance: Array, draws: Array) -> Array:
    r"""Chance that m draws miss a part of the variants, $(1 - x)^{\ln(1 - q) / \ln(1 - q / m)}$.

    [derived] x is the part's share of a draw, q the chance that a given variant is drawn. The
    power is m where q is small, and grows without end near 1: nothing is drawn twice.

    >>> round(float(survival(hit=0.25, chance=0.75, draws=3)), 6)
    0.25
    """
    rare = np.minimum(np.maximum(chance, TINY), 1 - TINY)
    found: Array = np.power(1 - np.minimum(hit, 1.0), np.log1p(-rare) / np.log1p(-rare / draws))
    return found


def random_regret(grid: Cells, *, measured: Array) -> Array:
    r"""Expected time of the best of m random variants over the best one [derived].

    $1 + \sum_i (Q_{i+1} - Q_i) P(\text{all m miss the best } i)$, here for half of two variants.

    >>> pair = Cells(*map(np.array, ([0.5, 1], [0.5, 0.5], [0, -1], [0, 0], [1, 0], [2])))
    >>> float(random_regret(pair, measured=1))
    1.5
    """
    draws = np.expand_dims(measured, -1)
    missed = survival(hit=grid.edge, chance=draws / grid.space, draws=draws)
    regret: Array = 1 + np.sum(missed * grid.weight, axis=-1)
    return regret


def expected_regret(grid: Cells, seen: Scores, *, measured: Array, candidates: Array) -> Array:
    r"""Expected time of the best of the m measured over the best of all variants [derived].

    As `random_regret`, but a draw hits a variant with the chance $\Phi((g_i - c) / e_i)$ that its
    score exceeds the threshold c, which m of n do. It is never below measuring all n candidates.
    """
    draws, drawn = np.expand_dims(measured, -1), np.expand_dims(candidates, -1)
    picked = np.minimum((draws + 0.5) / (drawn + 0.5), 1 - TINY)
    limit = threshold(mean=seen.mean, deviation=seen.deviation, share=grid.share, picked=picked)
    chance = np.where(draws < drawn, ndtr((seen.mean - limit) / seen.deviation), 1.0)
    mass = chance * grid.share
    total = np.sum(mass, axis=-1, keepdims=True)
    part = mass / total
    left = np.maximum(1 - np.cumsum(part, axis=-1) + part, TINY * TINY)
    rate = draws * chance / (total * grid.space * left)
    missed = np.cumprod(survival(hit=part / left, chance=rate, draws=draws), axis=-1)
    absent = survival(hit=grid.edge, chance=drawn / grid.space, draws=drawn)
    regret: Array = 1 + np.sum(np.maximum(missed, absent) * grid.weight, axis=-1)
    return regret
