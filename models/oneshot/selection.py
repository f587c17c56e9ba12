r"""What a wrong ranking costs: the expected best time among the variants that are measured.

The predictor scores a variant by its log time plus an error, and the best m of n scores are
measured. A kernel is its quantile function, cut into cells. Arrays of cells have the cells on
their last axis, so every other argument gets one more axis before it meets them.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from dse.spec import Array

from .config import GIVEN, NAMES, SHARES, Kernel

TENTH = 1 / 10
STEPS = 3
"""Newton steps to the threshold: of 20,000 designs the worst is off by 4e-5 in log time."""
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


def spread_by(grid: Cells, *, normal: Array) -> Cells:
    """The cells as they are, or where asked the same number of variants with normal log times."""
    # The expected place of the best of N normal numbers (Blom), and of the worst.
    least = 5 / 8 / (grid.space + 1 / 4)
    place = ndtri(np.minimum(np.maximum(grid.edge, least), 1 - least)) - ndtri(least)
    place = np.where(grid.edge > 1 / grid.space, place, 0.0)
    spread = np.expand_dims(moments(score=grid.score, share=grid.share)[1], -1)
    bell = _between(edge=grid.edge, log=spread * place, space=grid.space)
    asked = np.expand_dims(np.greater(normal, 0), -1)
    return replace(
        grid,
        score=np.where(asked, bell.score, grid.score),
        width=np.where(asked, bell.width, grid.width),
        weight=np.where(asked, bell.weight, grid.weight),
    )


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


def dot(left: Array, right: Array) -> Array:
    """Sum of products over cells, which stay an axis of length one.

    >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([11.])
    """
    return np.expand_dims(np.einsum("...i,...i->...", left, right), -1)


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


def first_guess(grid: Cells, seen: Scores, *, aim: Array, picked: Array) -> Array:
    r"""Score that is about right: $c - \bar g = \pm\sqrt{|\pm q^2 \pm a^2 e^2|}$ [derived].

    q is the distance of the true threshold, without errors, from the mean score, a e that of the
    errors alone. Exact without errors for any kernel, and for any error on a normal one.
    """
    share = np.maximum(grid.share, TINY)
    part = np.minimum(np.maximum((picked - grid.edge + grid.share) / share, 0.0), 1.0)
    centre = np.expand_dims(moments(score=seen.mean, share=grid.share)[0], -1)
    true = -np.sqrt(12) * dot(grid.width, part) - centre
    noise = dot(seen.deviation * seen.deviation, grid.share)
    square = true * np.abs(true) + aim * np.abs(aim) * noise
    guess: Array = centre + np.sign(square) * np.sqrt(np.abs(square))
    return guess


def threshold(grid: Cells, seen: Scores, *, picked: Array) -> Array:
    r"""Score exceeded by a share of all, $\sum_i u_i \Phi((g_i - c) / e_i) = p$ [derived].

    Newton's method on normal quantiles, where the sum is nearly a line.

    >>> pair = Cells(*map(np.array, ([0.5, 1], [0.5, 0.5], [0, 0], [0, 0], [0, 0], [2])))
    >>> seen = Scores(mean=np.zeros(2), deviation=np.ones(2), top_correlation=np.ones(()))
    >>> threshold(pair, seen, picked=np.array([0.158655])).round(5)
    array([1.])
    """
    aim, weight = -ndtri(picked), grid.share / seen.deviation
    ends = seen.mean + seen.deviation * aim
    low, high = np.min(ends, axis=-1, keepdims=True), np.max(ends, axis=-1, keepdims=True)
    here = first_guess(grid, seen, aim=aim, picked=picked)
    for _ in range(STEPS):
        here = np.minimum(np.maximum(here, low), high)
        distance = (seen.mean - here) / seen.deviation
        above = dot(ndtr(distance), grid.share)
        found = -ndtri(np.minimum(np.maximum(above, TINY**20), 1 - TINY / 10))
        density = np.exp((found * found - distance * distance) / 2)
        slope = np.maximum(dot(density, weight), TINY)
        here = here + (aim - found) / slope
    return here


def power(*, chance: Array, draws: Array) -> Array:
    r"""Draws that m without putting back are worth, $\ln(1 - q) / \ln(1 - q / m)$ [derived].

    q is the chance that a given variant is drawn. It is m where q is small, and grows without
    end near 1: nothing is drawn twice.

    >>> round(float(power(chance=0.75, draws=3)), 4)
    4.8188
    """
    rare = np.minimum(np.maximum(chance, TINY), 1 - TINY)
    return np.log1p(-rare) / np.log1p(-rare / draws)


def random_regret(grid: Cells, *, measured: Array) -> Array:
    r"""Expected time of the best of m random variants over the best one [derived].

    $1 + \sum_i (Q_{i+1} - Q_i) P(\text{all m miss the best } i)$, here for half of two variants.

    >>> pair = Cells(*map(np.array, ([0.5, 1], [0.5, 0.5], [0, -1], [0, 0], [1, 0], [2])))
    >>> float(random_regret(pair, measured=1))
    1.5
    """
    missed = _absent(grid, draws=np.expand_dims(measured, -1))
    regret: Array = 1 + np.squeeze(dot(missed, grid.weight), axis=-1)
    return regret


def _absent(grid: Cells, *, draws: Array) -> Array:
    """Chance that all of the best, up to the end of a cell, are missed by so many at random."""
    worth = power(chance=draws / grid.space, draws=draws)
    missed: Array = np.exp(worth * np.log(np.maximum(1 - grid.edge, TINY * TINY)))
    return missed


def expected_regret(grid: Cells, seen: Scores, *, measured: Array, candidates: Array) -> Array:
    r"""Expected time of the best of the m measured over the best of all variants [derived].

    As `random_regret`, but a draw hits a variant with the chance $\Phi((g_i - c) / e_i)$ that its
    score exceeds the threshold c, which m of n do. It is never below measuring all n candidates.
    """
    draws, drawn = np.expand_dims(measured, -1), np.expand_dims(candidates, -1)
    picked = np.minimum((draws + 0.5) / (drawn + 0.5), 1 - TINY)
    limit = threshold(grid, seen, picked=picked)
    chance = np.where(draws < drawn, ndtr((seen.mean - limit) / seen.deviation), 1.0)
    mass = chance * grid.share
    total = np.sum(mass, axis=-1, keepdims=True)
    left = np.maximum(1 - np.cumsum(mass, axis=-1) / total, TINY * TINY)
    steps = np.diff(np.log(left), axis=-1, prepend=0.0)
    before = left + mass / total
    worth = power(chance=draws * chance / (total * grid.space * before), draws=draws)
    missed = np.exp(np.cumsum(worth * steps, axis=-1))
    known = np.maximum(missed, _absent(grid, draws=drawn))
    regret: Array = 1 + np.squeeze(dot(known, grid.weight), axis=-1)
    return regret
