r"""The mean field of d-choices cleaning (Van Houdt), solved once on a grid and read by index.

Let $M_j$ be the share of blocks with at least j of b pages valid. What the sheet integrates in
time stands still where blocks enter and leave the state j at the same rate [derived]:

$j (M_j - M_{j+1}) = c (1 - M_j^d)$ with $c = b \rho / (b - k)$ and $k = \sum_{j \ge 1} M_j^d$.

So $M_j$ follows from $M_{j+1}$ by one scalar equation, down from $M_{b+1} = 0$. A chosen c gives
$\rho = \sum M_j / b$ and the excess of the amplification over 1, $k / (b - k)$: a curve without
outer iteration, and without the time steps whose drift the sheet warns of.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from dse.spec import Array

LEAST_SPARE, MOST_SPARE = 0.005, 8.0
MOST_CHOICES, LEAST_PAGES, MOST_PAGES = 64, 4, 1024
COARSE_RATES, FINE = 64, (128, 64, 64)
"""Points on a curve; of the table that is read: spare, choices, pages."""
LEAST_EVER = 1e-12
NEWTON_STEPS, CLOSE = 30, 1e-10


class Table(NamedTuple):
    """Logarithm of the excess on a grid that is even in the logarithms of its axes."""

    spare: Array
    choices: Array
    pages: Array
    excess: Array


def stationary(*, rate: Array, choices: Array, pages: Array) -> tuple[Array, Array]:
    r"""Share of flash in use and excess amplification of the fixed point with $c$ = `rate`.

    >>> used, excess = stationary(rate=10 / 3, choices=1.0, pages=64.0)
    >>> round(float(used), 4), round(float(excess), 4)
    (0.7692, 3.3333)
    """
    above = np.zeros(np.broadcast_shapes(np.shape(rate), np.shape(choices), np.shape(pages)))
    held, moved = above, above
    for valid in range(int(np.max(pages)), 0, -1):
        reached = np.where(valid <= pages, _reached(above, rate / valid, choices), 0.0)
        above, held, moved = reached, held + reached, moved + reached**choices
    return held / pages, moved / (pages - moved)


def _reached(above: Array, step: Array, choices: Array) -> Array:
    """Root M of $M + h M^d = M' + h$ by Newton's method from its right, where it cannot fail."""
    wanted = above + step
    found = np.minimum(np.minimum(1.0, wanted), (wanted / step) ** (1 / choices))
    for _ in range(NEWTON_STEPS):
        power = found ** (choices - 1)
        change = (found + step * power * found - wanted) / (1 + choices * step * power)
        found = found - change
        if np.max(np.abs(change)) < CLOSE:
            break
    return found


@cache
def table() -> Table:
    """The grid, solved at nodes and drawn finer by curves that keep it monotone; under 1 s."""
    rates = np.geomspace(0.1, 250, COARSE_RATES)
    choices = 2.0 ** np.arange(0, np.log2(MOST_CHOICES) + 0.5, 0.5)
    pages = np.unique(np.round(2.0 ** np.arange(2, np.log2(MOST_PAGES) + 0.5, 0.5)))
    used, excess = stationary(
        rate=rates[:, None, None], choices=choices[:, None], pages=pages[None, None, :]
    )
    ends = ((LEAST_SPARE, MOST_SPARE), (1, MOST_CHOICES), (LEAST_PAGES, MOST_PAGES))
    axes = [
        np.linspace(np.log(low), np.log(high), count)
        for (low, high), count in zip(ends, FINE, strict=True)
    ]
    spare, logged = np.log(1 / used - 1)[::-1], np.log(excess)[::-1]
    drawn = np.empty((FINE[0], choices.size, pages.size))
    for node in np.ndindex(choices.size, pages.size):
        at = (slice(None), *node)
        drawn[at] = PchipInterpolator(spare[at], logged[at])(axes[0])
    drawn = PchipInterpolator(np.log(choices), drawn, axis=1)(axes[1])
    drawn = PchipInterpolator(np.log(pages), drawn, axis=2)(axes[2])
    return Table(axes[0], axes[1], axes[2], drawn)


@cache
def _flat() -> tuple[Array, Array]:
    """The table row by row, and the place of each number in it."""
    flat = table().excess.ravel()
    return flat, np.arange(flat.size, dtype=np.float64)


def _place(axis: Array, value: Array) -> tuple[NDArray[np.intp], Array]:
    """Cell of a logarithm on an axis, and where in the cell it lies."""
    cell = np.clip(np.searchsorted(axis, value) - 1, 0, axis.size - 2)
    return cell, (value - axis[0]) / (axis[1] - axis[0]) - cell


def mean_field_excess(*, spare: Array, pages: Array, choices: Array) -> Array:
    r"""Excess of the amplification over 1, linear between the table's logarithms.

    Below the least spare it grows as 1 / OP; above the largest it stays. Choices are at most 64,
    pages 4 to 1024: beyond, the edge is read.

    >>> round(float(mean_field_excess(spare=0.3, pages=64, choices=1)), 3)
    3.333
    """
    grid, flat, places = table(), *_flat()
    x, u = _place(grid.spare, np.log(np.clip(spare, LEAST_EVER, MOST_SPARE)))
    y, v = _place(grid.choices, np.log(np.clip(choices, 1.0, MOST_CHOICES)))
    along = np.log(np.clip(pages, LEAST_PAGES, MOST_PAGES)) - grid.pages[0]
    z = np.minimum(along / (grid.pages[1] - grid.pages[0]), FINE[2] - 1)
    logged = np.zeros(())
    for i, j in np.ndindex(2, 2):
        weight = (u if i else 1 - u) * (v if j else 1 - v)
        # Rows of pages lie end to end, so one place is a row and where in it.
        place = ((x + i) * FINE[1] + y + j) * FINE[2] + z
        logged = logged + weight * np.interp(place, places, flat)
    found: Array = np.exp(logged)
    return found
