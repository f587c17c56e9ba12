r"""Write amplification: pages programmed over pages written, by which block is cleaned next.

Traffic is uniform over the user's pages unless a law says otherwise. Argument `spare` is flash
beyond the user's pages over the user's pages, $OP = (T - U) / U$, so $\alpha = T / U = 1 + OP$ and
$\rho = U / T$. No law lies below 1. Laws broadcast, need no config and are used by other pages.
The closed forms are from memory or [derived], confirmed by a simulator of ours: see data.yaml.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import lambertw

from dse.spec import Array

from .mean_field import mean_field_excess

SERIES_BELOW = 3e-4
"""Spare under which the branch point of W costs more digits than three terms of a series."""
VANISHING = 700.0
"""alpha from which exp(-alpha) leaves the doubles; W is zero long before."""
NO_DATA = 1e-100
"""Share of the data of an empty pool, whose spare is then endless."""
ROUNDS = 40


def _lambert(alpha: Array) -> Array:
    """W of the principal branch at $-a e^{-a}$, above -a for a > 1."""
    bounded = np.minimum(alpha, VANISHING)
    found: Array = np.real(lambertw(-bounded * np.exp(-bounded)))
    return found


def random_victim(*, spare: Array) -> Array:
    r"""A random block is cleaned: $(1 + OP) / OP$.

    >>> round(float(random_victim(spare=0.3)), 4)
    4.3333
    """
    return np.where(spare > 0, 1 + 1 / np.where(spare > 0, spare, 1.0), np.inf)


def lru(*, spare: Array) -> Array:
    r"""The oldest block is cleaned (LRU, FIFO), also greedy with endless blocks.

    $\alpha / (\alpha + W(-\alpha e^{-\alpha}))$, or $\alpha = -\ln(u) / (1 - u)$ with
    $1 / (1 - u)$. Near no spare its inverse is
    $2 OP - \tfrac{8}{3} OP^2 + \tfrac{28}{9} OP^3$.

    >>> round(float(lru(spare=0.3)), 4)
    2.3642
    """
    near = np.clip(spare, 0.0, SERIES_BELOW)
    series = 2 * near - 8 / 3 * near**2 + 28 / 9 * near**3
    alpha = 1 + np.maximum(spare, SERIES_BELOW)
    # An endless spare divides endless by endless: 1 + W/alpha does not.
    freed = np.where(spare < SERIES_BELOW, series, 1 + _lambert(alpha) / alpha)
    return np.where(freed > 0, 1 / np.where(freed > 0, freed, 1.0), np.inf)


def agarwal(*, spare: Array) -> Array:
    r"""Agarwal and Marrow (2010) for greedy: $(1 + OP) / (2\,OP)$, at least 1.

    >>> round(float(agarwal(spare=0.3)), 4)
    2.1667
    """
    return np.maximum(random_victim(spare=spare) / 2, 1.0)


def greedy(*, spare: Array, pages: Array) -> Array:
    r"""The block with the fewest valid pages is cleaned; blocks of b pages (Desnoyers).

    $X_0 = \tfrac12 - \tfrac{b}{\alpha} W(-a e^{-a})$ with $a = (1 + \tfrac{1}{2b}) \alpha$, then
    $b / (b - (X_0 - 1))$.

    >>> round(float(greedy(spare=0.28, pages=64)), 4)
    2.402
    """
    alpha = 1 + np.maximum(spare, 0.0)
    left = 1 / 2 - pages / alpha * _lambert((1 + 1 / (2 * pages)) * alpha)
    found: Array = np.maximum(pages / (pages - (left - 1)), 1.0)
    return found


def d_choices(*, spare: Array, pages: Array, choices: Array) -> Array:
    r"""The block with the fewest valid pages out of d random ones is cleaned (Van Houdt).

    $1 + k / (b - k)$ at the fixed point of the mean field, which is read from a table that the
    page solves once; to 0.1 %, and to 0.6 % where d comes near b.

    >>> round(float(d_choices(spare=0.3, pages=64, choices=10)), 3)
    2.357
    """
    return 1 + mean_field_excess(spare=spare, pages=pages, choices=choices)


def separated(
    *, spare: Array, writes: Array, data: Array, split: Array, law: Callable[..., Array] = lru
) -> Array:
    r"""Hot and cold pages in blocks of their own: a share r of writes to a share f of the data.

    $r A(OP a / f) + (1 - r) A(OP (1 - a) / (1 - f))$; the hot pool gets a share a of the spare.

    >>> round(float(separated(spare=0.28, writes=0.8, data=0.2, split=0.491)), 4)
    1.8655
    """
    hot = law(spare=spare * split / np.maximum(data, NO_DATA))
    cold = law(spare=spare * (1 - split) / np.maximum(1 - data, NO_DATA))
    # A pool that is never written costs nothing, even without any spare.
    hot_cost = writes * np.where(writes > 0, hot, 1.0)
    return hot_cost + (1 - writes) * np.where(writes < 1, cold, 1.0)


def best_split(
    *, spare: Array, writes: Array, data: Array, law: Callable[..., Array] = lru
) -> Array:
    r"""Share of the spare that the hot pool gets where `separated` is least, by golden section.

    The sum is convex in a, as the law is in its spare. Half and half is near it.

    >>> round(float(best_split(spare=0.07, writes=0.8, data=0.2)), 3)
    0.499
    """
    price = partial(separated, spare=spare, writes=writes, data=data, law=law)
    golden = (np.sqrt(5.0) - 1) / 2
    low = np.zeros_like(spare * writes * data, dtype=np.float64)
    high = np.ones_like(low)
    for _ in range(ROUNDS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        falls = price(split=left) > price(split=right)
        low, high = np.where(falls, left, low), np.where(falls, high, right)
    return (low + high) / 2


def live_spare(*, spare: Array, filled: Array) -> Array:
    r"""Spare over the pages that hold data, trimmed ones left out: $(1 + OP) / x - 1$.

    >>> round(float(live_spare(spare=0.28, filled=0.8)), 9)
    0.6
    """
    return (1 + spare) / filled - 1
