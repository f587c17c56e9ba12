"""DUET's placements against loops over plain numbers, one placement at a time."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.duet import schedule
from models.duet.schedule import Costs

properties = settings(derandomize=True, deadline=None, max_examples=80)

PATHS, TRUNK, JOIN = (0, 1, 2, 3), 4, 5


@st.composite
def graphs(draw: st.DrawFn) -> Costs:
    """Random costs of six subgraphs, some of them absent; path 0 always exists."""
    present = [1.0, *draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=5, max_size=5))]
    times = st.integers(1, 60).map(float)
    rows = [[draw(times) * held for held in present] for _ in range(3)]
    outputs = [draw(times) * held for held in present]
    return costs(*rows, outputs, present)


def costs(cpu: list, gpu: list, inputs: list, outputs: list, present: list) -> Costs:
    return Costs(*([np.float64(x) for x in row] for row in (cpu, gpu, inputs, outputs, present)))


def by_hand(found: Costs, place: tuple[int, ...]) -> float:
    """Latency of a placement, edge by edge: 1 is the GPU; an absent join reads on the CPU."""
    join = place[JOIN] if found.present[JOIN] else 0
    there = [p for p in PATHS if found.present[p]]
    total = (found.gpu if place[TRUNK] else found.cpu)[TRUNK]
    total += max(
        sum(found.cpu[p] for p in there if not place[p]),
        sum(found.gpu[p] for p in there if place[p]),
    )
    total += (found.gpu if join else found.cpu)[JOIN]
    total += sum(found.inputs[s] for s in range(6) if place[s])
    if any(place[p] != place[TRUNK] for p in there):
        total += found.outputs[TRUNK]
    total += sum(found.outputs[p] for p in there if place[p] != join)
    return float(total + (found.outputs[JOIN] if join else 0))


def bits(code: int) -> tuple[int, ...]:
    return tuple(code >> s & 1 for s in range(6))


@properties
@given(found=graphs())
def test_every_placement_is_priced_as_edge_by_edge(found: Costs):
    table = schedule.latencies(found)
    assert table.tolist() == [by_hand(found, bits(code)) for code in range(64)]


@properties
@given(found=graphs(), code=st.integers(0, 63))
def test_the_terms_of_a_placement_sum_to_its_latency(found: Costs, code: int):
    place = schedule.placement(np.intp(code), found.present)
    assert sum(schedule.parts(found, place).values()) == by_hand(found, bits(code))


@properties
@given(found=graphs())
def test_the_best_placement_is_the_minimum_over_all(found: Costs):
    table = schedule.latencies(found)
    best = min(by_hand(found, place) for place in product((0, 1), repeat=6))
    assert table[schedule.exhaustive(table)] == best


@properties
@given(found=graphs())
def test_the_optimum_keeps_its_bounds(found: Costs):
    table = schedule.latencies(found)
    best, fastest = table.min(), np.minimum(found.cpu, found.gpu)
    assert best <= min(table[0], table[63])
    assert best >= fastest[TRUNK] + fastest[JOIN] + fastest[:4].max()
    assert best >= fastest.sum() / 2


def greedily(found: Costs) -> int:
    code = sum(1 << s for s in (TRUNK, JOIN) if found.gpu[s] < found.cpu[s])
    ends = [0.0, 0.0]
    for p in sorted(PATHS, key=lambda p: -min(found.cpu[p], found.gpu[p])):
        if max(ends[0], ends[1] + found.gpu[p]) < max(ends[0] + found.cpu[p], ends[1]):
            code, ends[1] = code + (1 << p), ends[1] + found.gpu[p]
        else:
            ends[0] += found.cpu[p]
    return code


@properties
@given(found=graphs())
def test_greedy_places_the_longest_first_where_the_phase_ends_sooner(found: Costs):
    assert int(schedule.greedy(found)) == greedily(found)


def climbed(found: Costs, code: int) -> int:
    """Best step among moves, swaps and one device alone, until none lowers the latency."""
    while True:
        place = bits(code)
        steps = [code, *(code ^ 1 << s for s in range(6))]
        steps += [
            code ^ 1 << s ^ 1 << t for s, t in combinations(range(6), 2) if place[s] != place[t]
        ]
        best = min([*steps, 0, 63], key=lambda other: by_hand(found, bits(other)))
        if best == code:
            return code
        code = best


@properties
@given(found=graphs())
def test_the_correction_takes_the_best_step_until_none_is_left(found: Costs):
    start = schedule.greedy(found)
    code, left = schedule.corrected(schedule.latencies(found), start)
    if not left:
        assert int(code) == climbed(found, int(start))


def test_the_correction_sees_the_transfers_that_greedy_does_not():
    # Greedy puts path 1 on the GPU, as max(6, 4) < 6 + 5, whatever its input takes on the way.
    for way, best in ((3, 0b10), (7, 0)):
        rest = [0, 0, 0, 0]
        found = costs([6, 5, *rest], [9, 4, *rest], [3, way, *rest], [2, 2, *rest], [1, 1, *rest])
        table, start = schedule.latencies(found), schedule.greedy(found)
        assert int(start) == 0b10
        assert table[0b10] == 6 + way + 2
        assert table[0] == 6 + 5
        assert int(schedule.corrected(table, start)[0]) == best


def test_a_trunk_is_moved_once_for_all_paths_that_read_it_elsewhere():
    one, two = [1, 0, 0, 0, 1, 0], [1, 1, 0, 0, 1, 0]
    for present in (one, two):
        zero = [0.0] * 6
        found = costs(zero, zero, zero, [0, 0, 0, 0, 7, 0], present)
        assert schedule.latencies(found)[1 << TRUNK] == 7


@properties
@given(found=graphs(), scale=st.sampled_from([0.25, 2.0, 1024.0]))
def test_scaling_all_times_and_transfers_scales_every_latency(found: Costs, scale: float):
    groups = (found.cpu, found.gpu, found.inputs, found.outputs)
    longer = Costs(*([scale * x for x in group] for group in groups), present=found.present)
    # Powers of two scale without rounding.
    assert np.array_equal(schedule.latencies(longer), scale * schedule.latencies(found))
    assert schedule.greedy(longer) == schedule.greedy(found)


def test_a_transfer_of_nothing_takes_no_time():
    time = schedule.transfer_time(bytes_=np.array([0.0, 12e3]), latency=1e-5, bandwidth=12e9)
    assert time.tolist() == [0, pytest.approx(1.1e-5)]


def test_neighbours_are_moves_swaps_and_one_device():
    assert set(schedule.NEIGHBOURS[0].tolist()) == {0, 1, 2, 4, 8, 16, 32, 63}
    near = set(schedule.NEIGHBOURS[0b000111].tolist())
    assert len(near) == 1 + 6 + 9 + 2
    assert near == {code for code in range(64) if (code ^ 0b111).bit_count() <= 1} | {0, 63} | {
        c for c in range(64) if (c ^ 0b111).bit_count() == 2 and c.bit_count() == 3
    }
