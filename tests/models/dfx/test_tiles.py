"""The order of tiles: every tile once, no partial sum before its adder is done, its cycles."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dfx import tiles

properties = settings(derandomize=True, deadline=None, max_examples=60)
sizes = {"rows": st.integers(1, 12), "columns": st.integers(1, 40), "lag": st.integers(1, 12)}


def walked(rows: int, columns: int, lag: int, interval: float) -> float:
    """Cycles of the order tile by tile: one an interval, a column only when its sum is there."""
    ready: dict[int, float] = {}
    now = 0.0
    for _, column in tiles.zigzag(rows, columns, lag):
        entered = max(now, ready.get(column, 0.0))
        ready[column], now = entered + lag, entered + interval
    return now


@pytest.mark.parametrize("order", [tiles.zigzag, tiles.by_columns])
@properties
@given(**sizes)
def test_every_tile_is_visited_once(order, rows: int, columns: int, lag: int):
    visits = list(order(rows, columns, lag))
    assert sorted(visits) == [(i, j) for i in range(rows) for j in range(columns)]


@properties
@given(**sizes, interval=st.sampled_from([1.0, 1.5, 4.0]))
def test_the_cycles_are_those_of_a_walk_tile_by_tile(
    rows: int, columns: int, lag: int, interval: float
):
    assert tiles.stream_cycles(rows, columns, lag, interval) == walked(
        rows, columns, lag, interval
    )


@properties
@given(**sizes)
def test_a_tile_enters_every_cycle_where_the_columns_hide_the_adder(
    rows: int, columns: int, lag: int
):
    stalls = tiles.stream_cycles(rows, columns, lag) - rows * columns
    assert stalls == (rows - 1) * max(lag - columns, 0)


def test_the_last_input_chunk_is_used_again_at_the_turn_of_a_band():
    visits = list(tiles.zigzag(3, 4, 2))
    turns = [(a[0], b[0]) for a, b in pairwise(visits) if b[1] == 2 > a[1]]
    assert turns[0] == (2, 2)


def test_going_down_each_column_would_wait_for_every_sum():
    # 16 x 64 tiles: 15 of 16 visits of a column wait 11 cycles for the sum before.
    ready, now = dict.fromkeys(range(64), 0.0), 0.0
    for _, column in tiles.by_columns(16, 64, 11):
        entered = max(now, ready[column])
        ready[column], now = entered + 11, entered + 1
    assert now == 64 * (15 * 11 + 1)
    assert tiles.stream_cycles(16, 64, 11) == 16 * 64
