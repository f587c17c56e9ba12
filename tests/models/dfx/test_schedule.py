"""A token's instructions and their times: worked by hand, held to rules, broken on purpose."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dfx import model as page
from models.dfx.gpt2 import Shape, Weights
from models.dfx.program import Program, Task, token
from models.dfx.ring import Ring
from models.dfx.schedule import (
    UNITS,
    Event,
    Machine,
    Rules,
    Scoreboard,
    Valid,
    by_layer,
    counts,
    request,
)

properties = settings(derandomize=True, deadline=None, max_examples=25)

PAPER = Machine(
    depth=64, lanes=16, multiply=6, add=11, exp=4, bypass=1, reciprocal=24, root=30, gelu=18,
    compare=1, port=2048, hbm_latency=24.44, channels=32, ddr=190, ddr_latency=17.98,
    link=12.5e9 * 64 / 66 / 200e6, hop=100,
)  # fmt: skip
"""The paper's core at 200 MHz: 60.6 bytes a cycle on the ring, 0.5 us = 100 cycles a hop."""
MEDIUM = Task(layers=24, width=1024, heads=16, head_dim=64, vocab=50257, boards=1, context=64)
"""GPT-2 345M, one chunk and four column tiles of context."""
TILES = {(1024, 1): 12288, (1280, 2): 9600, (1536, 4): 6912}
"""Tiles of weights per layer and board that the sheet derives: 345M, 774M and 1.5B."""

NORM = 630
"""Cycles from a residual's start to the next product's. The adder tree of 64 is 6 x 11 = 66 deep.

16 chunks; add from 0. accum from 16: bypass 1, tree 66, 16 sums of 11: 259. mean 6: 265. sub from
265, square behind its chunks: 281. accum from 297: 540. variance 6, guard 11, root 30: 587. Three
products and sums of 16 chunks, one behind the other: from 587, 603 and 619, the last one's first
chunk is there 11 later: 630.
"""
DRAIN = 6 + 66 + 11 - 1
"""Cycles from the entry of a matrix's last tile to its end: product, tree, running sum."""
HEAD = 4 + (DRAIN + 4) + 11 + 4 + (1 + 66 + 11) + 24 + 6 + 4 - 1 + 1
"""Cycles of one head at 64 tokens: 217.

4 tiles of scores and their drain, 4 levels of maximum, sub 11, exp 4, sum 78, reciprocal 24,
product 6, 4 tiles of S V. The next head's scores follow at once.
"""


def gather_cycles(boards: int, elements: int) -> float:
    return (boards - 1) * (elements * 2 / boards / PAPER.link + 100)


def worked(boards: int) -> float:
    """Cycles of a layer of 345M by hand, from one residual to the next."""
    weights = 12288 / boards
    heads = 16 / boards * HEAD
    if boards == 1:
        # The residual reads 16 chunks behind the product, so 15 of its cycles are hidden.
        return weights + 2 * NORM + heads + 2 * (DRAIN - 15)
    gathers = 3 * gather_cycles(boards, 1024) + gather_cycles(boards, 4096)
    # A gather waits for the last element: four drains, one behind the table of GELU.
    drains = 4 * DRAIN + 18
    # On 4 boards the 16 column tiles of the queries are one band: the first of 4 heads is
    # complete 15 / 4 cycles after its first column, which came 15 cycles before the end.
    first_head = DRAIN - 15 + 15 / 4 if boards == 4 else 0.0
    return weights + 2 * NORM + heads + gathers + drains + first_head


@pytest.mark.parametrize(("boards", "cycles"), [(1, 17154.0), (2, 10004.27), (4, 6994.16)])
def test_a_layer_of_345m_takes_the_cycles_worked_out_by_hand(boards: int, cycles: float):
    assert HEAD == 217
    _, layer = by_layer(PAPER, replace(MEDIUM, boards=boards))
    assert layer["cycles"] == pytest.approx(worked(boards), rel=1e-9)
    assert layer["cycles"] == pytest.approx(cycles, abs=0.01)


def test_a_token_is_its_layers_an_embedding_and_the_head():
    whole, layer = by_layer(PAPER, MEDIUM)
    # Two rows out of DDR, the second behind the first; an add starts when both are there. The
    # last LayerNorm; 3142 columns of 16 tiles; drain; maximum.
    start = 2 * 2048 / 190 + 17.98
    last = NORM + 16 * 3142 + DRAIN + 4
    assert whole["cycles"] == pytest.approx(start + 24 * layer["cycles"] + last, rel=1e-9)


def test_every_layer_from_the_second_on_takes_the_same_cycles():
    for boards in (1, 4):
        task = replace(MEDIUM, boards=boards, context=200)
        whole, _ = by_layer(PAPER, task)
        assert whole == pytest.approx(counts(PAPER, task), rel=1e-9)


def test_a_request_is_the_sum_of_its_passes():
    passes = [by_layer(PAPER, replace(MEDIUM, context=c))[0]["cycles"] for c in range(1, 41)]
    assert request(PAPER, MEDIUM, 40)["cycles"] == pytest.approx(sum(passes), rel=1e-12)


@pytest.mark.parametrize(("width", "boards"), TILES)
def test_weight_tiles_per_layer_are_those_of_the_sheet(width: int, boards: int):
    task = replace(MEDIUM, width=width, heads=width // 64, boards=boards)
    assert by_layer(PAPER, task)[1]["weight_tiles"] == TILES[width, boards]


def test_instructions_come_in_the_paper_s_order():
    program = token(replace(MEDIUM, layers=1, boards=4))
    matrices = [i.target for i in program if i.queue == "compute" and i.rows]
    heads = [word for h in range(4) for word in (f"0.scores.{h}", "0.heads")]
    order = ["0.value", "0.key", "0.query", *heads, "0.projection", "0.expand", "0.contract"]
    assert matrices == [*order, "logits"]
    assert {i.kind for i in program if i.rows} == {"conv1d", "masked_mm", "mm", "read_hbm"}


@pytest.mark.parametrize("boards", [2, 4])
def test_the_program_gathers_what_the_numbers_need(boards: int):
    shape = Shape(layers=2, width=128, heads=8, vocab=64, context=4)
    machine = Ring(Weights.drawn(shape, np.random.default_rng(0)).as_type(np.float16), boards)
    machine.step(0)
    task = Task(2, 128, 8, 16, 64, boards, 1)
    gathers = [2 * i.columns for i in token(task) if i.queue == "router"]
    assert gathers[:-1] == [size for _, size in machine.sent]


def ring_bound(task: Task) -> float:
    found = page.sync_time(width=task.width, fpgas=task.boards, link=12.5e9)
    return float(found) * 200e6


@pytest.mark.parametrize("boards", [1, 2, 4, 8])
def test_the_ring_takes_its_lower_bound_and_no_more(boards: int):
    task = replace(MEDIUM, boards=boards)
    layer = by_layer(PAPER, task)[1]
    assert layer["router"] == pytest.approx(ring_bound(task), rel=1e-9)


tasks = st.builds(
    Task,
    layers=st.just(2),
    width=st.sampled_from([64, 256, 640]),
    heads=st.sampled_from([4, 8]),
    head_dim=st.sampled_from([16, 64, 96]),
    vocab=st.sampled_from([100, 5000]),
    boards=st.sampled_from([1, 2, 4]),
    context=st.integers(1, 300),
    heads_ahead=st.integers(0, 2),
)
machines = st.builds(
    replace,
    st.just(PAPER),
    depth=st.sampled_from([16, 64, 128]),
    lanes=st.sampled_from([4, 16, 64]),
    port=st.sampled_from([700.0, 2048.0]),
    hop=st.sampled_from([0.0, 100.0]),
)


def sources_are_there(board: Scoreboard, events: Sequence[Event]) -> None:
    """Nothing starts before its sources' first element, or is done before their last."""
    for event in events:
        made = board.valid[event.instruction.target]
        for i, name in enumerate(event.instruction.sources):
            source: Valid = board.valid[name]
            whole = i > 0 or event.instruction.part == (0, 1)
            if not name.endswith("heads.stream"):  # a name that every head uses again
                assert event.start >= source.first
                assert made.last >= source.last or not whole


@properties
@given(machine=machines, task=tasks)
def test_units_do_one_thing_at_a_time_in_order_and_on_what_is_there(machine: Machine, task: Task):
    board = Scoreboard(machine, task.boards)
    events = board.run(token(task))
    sources_are_there(board, events)
    for unit in {event.unit for event in events}:
        held = [(e.start, e.end) for e in events if e.unit == unit and e.end > e.start]
        assert all(b[0] >= a[1] - 1e-6 for a, b in pairwise(held)), unit
    for queue in ("compute", "router"):
        starts = [e.start for e in events if e.instruction.queue == queue]
        assert all(b > a for a, b in pairwise(starts)), queue


@properties
@given(machine=machines, task=tasks)
def test_no_token_is_faster_than_its_stream_or_its_ring(machine: Machine, task: Task):
    found = counts(machine, task)
    assert found["cycles"] >= found["matrix"] >= found["weights"] * (1 - 1e-12)
    for unit in UNITS:
        assert 0 <= found[unit] <= found["cycles"]


@properties
@given(machine=machines, task=tasks)
def test_more_context_or_a_longer_hop_never_makes_a_token_faster(machine: Machine, task: Task):
    cycles = counts(machine, task)["cycles"]
    slack = 1 + 1e-12
    assert cycles <= slack * counts(machine, replace(task, context=task.context + 7))["cycles"]
    assert cycles <= slack * counts(replace(machine, hop=150.0), task)["cycles"]
    assert cycles <= slack * counts(machine, task, Rules(chaining=False))["cycles"]


SHORT = replace(MEDIUM, layers=3)


def misses(task: Task = SHORT, rules: Rules | None = None) -> float:
    """How far a layer's cycles are from those worked out by hand."""
    two = counts(PAPER, replace(task, layers=2), rules)
    return (counts(PAPER, task, rules)["cycles"] - two["cycles"]) / worked(task.boards) - 1


def test_weights_that_do_not_stream_while_they_are_used_take_the_layer_half_as_long_again():
    assert misses() == pytest.approx(0, abs=1e-9)
    assert misses(rules=Rules(overlap=False)) > 0.5


def test_a_machine_without_chaining_is_seen():
    assert misses(rules=Rules(chaining=False)) > 0.01


@pytest.mark.parametrize("left_out", ["heads", "projection", "expand", "contract"])
def test_a_missing_gather_is_seen_in_the_time_of_the_ring(
    left_out: str, monkeypatch: pytest.MonkeyPatch
):
    whole = Program.gather

    def some(self: Program, source: str, *, size: int) -> str:
        return source if source.endswith(left_out) else whole(self, source, size=size)

    monkeypatch.setattr(Program, "gather", some)
    task = replace(SHORT, boards=4)
    assert counts(PAPER, task)["router"] < 3 * 0.9 * ring_bound(task)
    assert misses(task) < -0.01


def test_a_board_that_keeps_whole_matrices_is_seen_in_its_tiles(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Task, "shared", lambda self, columns: columns)
    found = counts(PAPER, replace(SHORT, boards=4))
    assert found["weight_tiles"] == 3 * 12288 != 3 * 12288 / 4


def test_a_context_one_token_short_is_seen_where_a_tile_ends():
    def kv_tiles(context: int) -> float:
        found = counts(PAPER, replace(SHORT, context=context))
        return (found["hbm"] - found["weights"]) / (3 * 16)

    # 64 tokens: 4 tiles of keys, 1 x 4 of values; the 65th begins a tile and a row of each.
    assert kv_tiles(64) == 4 + 4
    assert kv_tiles(65) == 5 + 8


def test_sums_that_return_too_soon_make_few_columns_slow():
    # 1024 / 8 boards / 16 lanes = 8 column tiles for an adder of 11 cycles.
    eight = by_layer(PAPER, replace(MEDIUM, boards=8))[1]
    # Each of the 15 (63) descents of a row waits 3 cycles in the four (one) matrices of width e.
    waits = 3 * (4 * 15 + 63)
    assert eight["matrix"] == pytest.approx(12288 / 8 + 2 * (4 + 4) + waits)


def test_scores_issued_one_head_ahead_hide_their_drain():
    ahead = by_layer(PAPER, replace(MEDIUM, heads_ahead=1))[1]["cycles"]
    # 15 of 16 heads no longer wait for their own scores and their maximum.
    assert worked(1) - ahead == pytest.approx(15 * (DRAIN + 4), rel=0.05)
