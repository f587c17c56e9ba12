"""The event simulator: hand-worked passes, its bounds, and what a wrong link would say."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.duet.simulator import CPU, GPU, Link, Place, Task, simulate
from tests.models.duet.drawn import fork_join, layered

properties = settings(derandomize=True, deadline=None, max_examples=60)
seeds = st.integers(0, 10**6)
ROUNDING = 1 + 1e-12
"""Sums of the same terms in another order differ by a few ulps."""


class Unqueued(Link):
    """A link that carries any number of tensors at once."""

    def carry(self, now: float, duration: float) -> float:
        return now + duration


def places(tasks: tuple[Task, ...], seed: int) -> Place:
    return tuple(int(x) for x in np.random.default_rng(seed).integers(0, 2, len(tasks)))


def fork(*times: tuple[float, float], into: float, sent: float) -> tuple[Task, ...]:
    return tuple(Task(pair, given=into, sent=sent) for pair in times)


def test_two_towers_on_the_gpu_hide_one_s_input_behind_the_other():
    # Inputs arrive at 2 and 4; the towers run from 2 to 7 and from 7 to 12; the first's output
    # has gone home by 10, the second's leaves at 12 and is there at 15.
    towers = fork((50, 5), (50, 5), into=2, sent=3)
    trace = simulate(towers, (GPU, GPU))
    assert trace.spans == ((2, 7), (7, 12))
    assert trace.makespan == 15
    assert trace.busy == (0, 10, 10)


def test_outputs_wait_for_inputs_on_a_half_duplex_link():
    # The input of the second takes the link until 9. The first has ended at 1 + 2, but its output
    # cannot leave before 9.
    tasks = (Task((9, 2), given=1, sent=4), Task((9, 1), given=8))
    trace = simulate(tasks, (GPU, GPU))
    assert trace.spans == ((1, 3), (9, 10))
    assert trace.makespan == 13


def test_a_link_without_a_queue_misses_the_hand_worked_pass():
    tasks = (Task((9, 2), given=1, sent=4), Task((9, 1), given=8))
    # The first's output leaves at 3, beside the second's input; that has run at 9.
    assert simulate(tasks, (GPU, GPU), link=Unqueued).makespan == 9


def test_a_trunk_s_output_is_moved_once_for_all_that_read_it_there():
    trunk = Task((1, 1), sent=10)
    heads = [Task((1, 9), reads=frozenset({0})) for _ in range(3)]
    trace = simulate((trunk, *heads), (GPU, CPU, CPU, CPU))
    assert trace.busy[2] == 10
    assert trace.makespan == 1 + 10 + 3


def test_a_device_runs_what_has_most_before_it_first():
    # The second starts first: 1 and then 7 remain behind it, on whichever device.
    tasks = (Task((3, 3)), Task((1, 1)), Task((7, 7), reads=frozenset({1})))
    assert simulate(tasks, (CPU, CPU, CPU)).spans == ((8, 11), (0, 1), (1, 8))


@properties
@given(seed=seeds, draw=st.sampled_from([fork_join, layered]))
def test_a_pass_keeps_the_order_and_one_subgraph_at_a_time(draw, seed: int):
    tasks, _ = draw(seed)
    place = places(tasks, seed)
    trace = simulate(tasks, place)
    for number, task in enumerate(tasks):
        start, end = trace.spans[number]
        assert end == start + task.times[place[number]]
        for source in task.reads:
            away = place[source] != place[number]
            assert start >= trace.spans[source][1] + away * tasks[source].sent
        if place[number] == GPU:
            assert start >= task.given
    for device in (CPU, GPU):
        spans = sorted(s for s, at in zip(trace.spans, place, strict=True) if at == device)
        assert all(a[1] <= b[0] for a, b in pairwise(spans))


def phase_sum(tasks: tuple[Task, ...], phases: tuple[tuple[int, ...], ...], place: Place) -> float:
    """The closed form: phases one after another, and every transfer between them in full."""
    total = 0.0
    moved = set()
    read = {source for task in tasks for source in task.reads}
    for phase in phases:
        for number in phase:
            total += tasks[number].given * (place[number] == GPU)
            for source in tasks[number].reads:
                if place[source] != place[number] and (source, place[number]) not in moved:
                    moved.add((source, place[number]))
                    total += tasks[source].sent
        total += max(sum(tasks[i].times[d] for i in phase if place[i] == d) for d in (CPU, GPU))
        total += sum(tasks[i].sent for i in phase if i not in read and place[i] == GPU)
    return total


@properties
@given(seed=seeds, draw=st.sampled_from([fork_join, layered]))
def test_barriers_make_the_pass_the_sum_of_its_phases(draw, seed: int):
    tasks, phases = draw(seed)
    for place in (places(tasks, seed), (CPU,) * len(tasks), (GPU,) * len(tasks)):
        found = simulate(tasks, place, barriers=phases).makespan
        assert found == pytest.approx(phase_sum(tasks, phases, place), rel=1e-12)


def test_without_a_queue_or_without_transfers_barriers_do_not_give_the_sum():
    towers, phases, place = fork(*[(50, 5)] * 3, into=2, sent=3), ((0, 1, 2),), (GPU,) * 3
    assert phase_sum(towers, phases, place) == 3 * (2 + 5 + 3)
    assert simulate(towers, place, barriers=phases).makespan == 30
    assert simulate(towers, place, barriers=phases, link=Unqueued).makespan == 2 + 15 + 3
    free = fork(*[(50, 5)] * 3, into=0, sent=0)
    assert simulate(free, place, barriers=phases).makespan == 15


@properties
@given(seed=seeds)
def test_queues_are_never_slower_than_barriers_where_phases_read_the_one_before(seed: int):
    tasks, phases = fork_join(seed)
    place = places(tasks, seed)
    free, strict = (simulate(tasks, place, barriers=b).makespan for b in ((), phases))
    assert free <= strict * ROUNDING


@properties
@given(seed=seeds, draw=st.sampled_from([fork_join, layered]))
def test_scaling_all_times_and_transfers_scales_the_pass(draw, seed: int):
    tasks, _ = draw(seed)
    place = places(tasks, seed)
    longer = tuple(
        Task((4 * t.times[0], 4 * t.times[1]), 4 * t.given, 4 * t.sent, t.reads) for t in tasks
    )
    # Powers of two scale without rounding.
    assert simulate(longer, place).makespan == 4 * simulate(tasks, place).makespan


@properties
@given(seed=seeds, draw=st.sampled_from([fork_join, layered]))
def test_no_pass_is_shorter_than_its_longest_way_or_half_of_its_work(draw, seed: int):
    tasks, _ = draw(seed)
    fastest = [min(task.times) for task in tasks]
    ends: list[float] = []
    for number, task in enumerate(tasks):
        ends.append(fastest[number] + max((ends[s] for s in task.reads), default=0.0))
    found = simulate(tasks, places(tasks, seed)).makespan
    assert found * ROUNDING >= max(*ends, math.fsum(fastest) / 2)
