"""The order in which DFX walks the d x l tiles of a matrix, and the cycles that order takes.

One tile enters the multipliers per cycle: d rows of the input against l output columns. The sum
of a tile's products is added to its columns' partial sums by an adder that takes `lag` cycles, so
the same columns may not return sooner. [walkthrough] says the tiles go in a zigzag, between reuse
of the input and few partial sums. Here [derived]: bands of as few column tiles as hide the adder,
each band walked over all rows, downwards and upwards in turn so that the last input chunk stays.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import pairwise


@cache
def bands(columns: int, lag: int) -> tuple[int, ...]:
    """Widths of the bands: as even as whole tiles allow, none narrower than the adder's lag.

    >>> bands(64, 11)
    (13, 13, 13, 13, 12)
    """
    count = max(1, columns // lag)
    edges = [-(-columns * i // count) for i in range(count + 1)]
    return tuple(after - before for before, after in pairwise(edges))


def zigzag(rows: int, columns: int, lag: int) -> Iterator[tuple[int, int]]:
    """Tiles of a matrix as row and column index, in the order of their visit.

    >>> list(zigzag(2, 4, 2))
    [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (1, 3), (0, 2), (0, 3)]
    """
    left = 0
    for band, width in enumerate(bands(columns, lag)):
        for row in range(rows) if band % 2 == 0 else reversed(range(rows)):
            yield from ((row, left + column) for column in range(width))
        left += width


def by_columns(rows: int, columns: int, lag: int) -> Iterator[tuple[int, int]]:
    """The plain order: down each column of tiles. One partial sum, and every visit waits for it.

    >>> list(by_columns(2, 2, 11))
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    """
    del lag
    return ((row, column) for column in range(columns) for row in range(rows))


def visit(width: int, lag: int, interval: float) -> float:
    """Cycles from one row of a band to the next: its tiles, or the adder's lag if that is longer.

    Args:
        width: column tiles of the band.
        lag: cycles of an addition.
        interval: cycles between two tiles out of memory, 1 or more.
    """
    return max(width * interval, lag)


def stream_cycles(rows: int, columns: int, lag: int, interval: float = 1.0) -> float:
    """Cycles in which all tiles of a matrix enter the multipliers, in zigzag order.

    >>> stream_cycles(16, 64, 11), stream_cycles(2, 4, 11)
    (1024.0, 15.0)
    """
    whole = [(rows - 1) * visit(w, lag, interval) + w * interval for w in bands(columns, lag)]
    return float(sum(whole))


def tiles(rows: float, columns: float, depth: int, lanes: int) -> tuple[int, int]:
    """Rows and columns of tiles that a matrix fills, the last ones in part.

    >>> tiles(1024, 50257, 64, 16)
    (16, 3142)
    """
    return math.ceil(rows / depth), math.ceil(columns / lanes)
