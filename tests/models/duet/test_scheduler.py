"""DUET's scheduler: greedy, correction and oracle on random graphs, and a correction that errs."""

from functools import cache, partial
from itertools import combinations
from operator import le

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.duet.config import DATA
from models.duet.scheduler import correct, exhaustive, greedy
from models.duet.simulator import CPU, GPU, Task
from tests.models.duet.drawn import fork_join, layered, makespan

DRAWS = {"fork-join": fork_join, "layered": layered}
GRAPHS = 250
"""Random graphs of each kind that the note on the mechanism is about."""


@cache
def outcomes(kind: str) -> list[dict[str, float]]:
    """Latencies of every policy on the random graphs of one kind."""
    return [_outcome(*DRAWS[kind](seed)) for seed in range(GRAPHS)]


def _outcome(tasks: tuple[Task, ...], phases: tuple[tuple[int, ...], ...]) -> dict[str, float]:
    latency = cache(partial(makespan, tasks))
    start = greedy(tasks, phases)
    return {
        "greedy": latency(start),
        "moves": latency(correct(start, latency, retreat=False)),
        "corrected": latency(correct(start, latency)),
        "best": latency(exhaustive(len(tasks), latency)),
        "alone": min(latency((device,) * len(tasks)) for device in (CPU, GPU)),
    }


def share(kind: str, policy: str) -> float:
    """How often a policy reaches the best placement's latency."""
    # Placements that mirror each other may add the same numbers up in another order.
    found = [row[policy] <= row["best"] * (1 + 1e-12) for row in outcomes(kind)]
    return sum(found) / len(found)


def test_the_note_says_how_often_the_correction_finds_the_best_placement():
    note = " ".join(DATA.notes["mechanism"].split())
    assert f"{GRAPHS} random graphs of each kind" in note
    for kind in DRAWS:
        rates = [100 * share(kind, policy) for policy in ("greedy", "moves", "corrected")]
        assert "{:.1f}, {:.1f} and {:.1f} % of {}".format(*rates, kind) in note
    worst = max(row["corrected"] / row["best"] for kind in DRAWS for row in outcomes(kind)) - 1
    assert f"at most {100 * worst:.1f} % above it" in note


@pytest.mark.parametrize("kind", DRAWS)
def test_the_correction_never_loses_to_greedy_nor_to_one_device(kind: str):
    for row in outcomes(kind):
        assert row["best"] <= row["corrected"] <= row["moves"] <= row["greedy"]
        assert row["corrected"] <= row["alone"]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(kind=st.sampled_from(sorted(DRAWS)), seed=st.integers(0, 10**6))
def test_no_move_and_no_swap_is_left(kind: str, seed: int):
    tasks, phases = DRAWS[kind](seed)
    latency = partial(makespan, tasks)
    place = correct(greedy(tasks, phases), latency)
    for size in (1, 2):
        for flips in combinations(range(len(tasks)), size):
            if size == 2 and place[flips[0]] == place[flips[1]]:
                continue
            other = tuple(at ^ (i in flips) for i, at in enumerate(place))
            assert latency(other) >= latency(place)


@pytest.mark.parametrize("kind", DRAWS)
def test_a_placement_is_the_same_each_time(kind: str):
    tasks, phases = DRAWS[kind](7)
    latency = partial(makespan, tasks)
    assert len({correct(greedy(tasks, phases), latency) for _ in range(3)}) == 1


def test_equal_subgraphs_go_to_the_cpu_first():
    twins = (Task((1, 1)), Task((1, 1)))
    assert greedy(twins, ((0, 1),)) == (CPU, GPU)
    assert exhaustive(2, partial(makespan, twins)) == (CPU, GPU)


@pytest.mark.parametrize(("times", "device"), [((3.0, 2.0), GPU), ((2.0, 3.0), CPU)])
def test_a_chain_runs_on_the_better_single_device(times: tuple[float, float], device: int):
    one = (Task(times, given=0.2, sent=0.2),)
    latency = partial(makespan, one)
    assert correct(greedy(one, ((0,),)), latency) == exhaustive(1, latency) == (device,)


def test_greedy_takes_the_longest_first_where_the_phase_ends_sooner():
    # By their faster times 8, 6 and 3. The first to the GPU, the second to the CPU at 7 as that
    # ends sooner than 8 + 6; the third would end at 12 on the CPU and at 11 on the GPU.
    tasks = (Task((7, 6)), Task((5, 3)), Task((20, 8)))
    assert greedy(tasks, ((0, 1, 2),)) == (CPU, GPU, GPU)


def test_the_correction_sees_transfers_that_greedy_does_not():
    tasks = (Task((6, 20)), Task((5, 4), given=7, sent=2))
    latency = partial(makespan, tasks)
    start = greedy(tasks, ((0, 1),))
    assert start == (CPU, GPU)
    assert latency(start) == 7 + 4 + 2
    assert correct(start, latency) == (CPU, CPU)


def test_a_correction_that_accepts_equal_latencies_would_never_end():
    # One of the short ones goes to the GPU: 10 on both devices. Then they may swap for ever.
    tasks = (Task((9, 20)), Task((20, 9)), Task((1, 1)), Task((1, 1)))
    start, latency = (CPU, GPU, CPU, CPU), partial(makespan, tasks)
    assert latency(correct(start, latency)) == 10
    with pytest.raises(RuntimeError, match="came back"):
        correct(start, latency, accepts=le)


def test_the_oracle_refuses_more_than_it_can_try():
    with pytest.raises(ValueError, match="16"):
        exhaustive(17, lambda place: 0.0)
