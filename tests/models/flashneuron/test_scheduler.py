"""The authors' scheduler: both cases worked out by hand, its stop rules, the artifact's plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.units import MiB
from models.flashneuron import scheduler
from models.flashneuron.scheduler import Route, Saved, artifact, queue_end, schedule

WRITE = 3072 * MiB
SIZE = 400 * MiB
"""At 3072 MiB/s a transfer takes 130.208 ms."""


def case_a() -> list[Saved]:
    return [Saved(SIZE, 0.1 * index) for index in range(6)]


def case_b() -> list[Saved]:
    return [Saved(SIZE, 0.05 * i, fp16=i >= 4, csr=i >= 5) for i in range(8)]


def test_case_a_stops_after_phase_1():
    # 2400 - 1500 MiB must go: 400, 800, 1200 > 900. The queue: 130.2; waits 30.2, ends 260.4;
    # waits 60.4, ends 390.6 ms, before the forward pass at 600 ms.
    found = schedule(case_a(), forward=0.6, room=1500 * MiB, route=Route(WRITE))
    assert found.chosen == found.linear == (0, 1, 2)
    assert found.finish == pytest.approx(0.390625, rel=1e-9)


def test_case_b_swaps_two_plain_tensors_for_two_sparse_ones():
    # 3200 - 1300 = 1900 MiB: five tensors, four at 130.2 ms and one at 65.1 end at 585.94 ms.
    # 3 -> 5 leaves 488.3 ms, 2 -> 6 leaves 390.6 ms <= 400 ms.
    route = Route(WRITE, fp16=True, csr=True)
    found = schedule(case_b(), forward=0.4, room=1300 * MiB, route=route)
    assert found.linear == (0, 1, 2, 3, 4)
    first = queue_end([case_b()[i] for i in found.linear], route)
    assert first == pytest.approx(0.5859375, rel=1e-9)
    assert found.chosen == (0, 1, 4, 5, 6)
    assert found.finish == pytest.approx(0.390625, rel=1e-9)


def test_phase_2_needs_compression_that_is_switched_on():
    found = schedule(case_b(), forward=0.4, room=1300 * MiB, route=Route(WRITE))
    assert found.chosen == found.linear
    assert found.finish > 0.4


def test_phase_2_runs_out_of_tensors_and_training_goes_on_with_stalls():
    route = Route(WRITE, fp16=True, csr=True)
    found = schedule(case_b(), forward=0.2, room=1300 * MiB, route=route)
    assert found.chosen == (0, 4, 5, 6, 7)
    assert found.finish > 0.2


def test_nothing_leaves_where_everything_fits():
    found = schedule(case_a(), forward=0.6, room=2400 * MiB, route=Route(WRITE))
    assert found.chosen == ()
    assert found.finish == 0


def test_the_rest_is_not_tested_after_the_very_first_tensor():
    # 100 MiB must go and the first tensor has 400: the authors' loop takes a second one.
    found = schedule(case_a(), forward=0.6, room=2300 * MiB, route=Route(WRITE))
    assert found.chosen == (0, 1)


def test_tensors_of_at_most_1_mib_stay():
    small = [Saved(MiB, 0.0), *case_a(), Saved(MiB, 0.6)]
    found = schedule(small, forward=1.0, room=0.0, route=Route(WRITE))
    assert found.chosen == (1, 2, 3, 4, 5, 6)


def test_without_the_queue_s_delay_case_a_would_end_too_early(monkeypatch: pytest.MonkeyPatch):
    def undelayed(tensors, route):
        return max(tensor.ready + route.time(tensor) for tensor in tensors)

    monkeypatch.setattr(scheduler, "queue_end", undelayed)
    found = schedule(case_a(), forward=0.6, room=1500 * MiB, route=Route(WRITE))
    assert found.finish < 0.390625 - 0.05


def test_the_artifact_takes_one_more_where_the_rest_equals_the_room():
    assert artifact([1.0, 1.0, 1.0], room=2.0) == (2, True)
    assert artifact([1.0, 1.0, 1.0], room=4.0) == (0, True)
    assert artifact([1.0, 1.0], room=-1.0) == (2, False)


tensors = st.lists(
    st.tuples(st.integers(1, 500), st.floats(0, 0.1), st.booleans(), st.booleans()),
    min_size=1,
    max_size=25,
)


@given(tensors, st.floats(0, 1), st.floats(0, 1), st.booleans(), st.booleans())
def test_a_plan_frees_what_must_go_or_all_that_may(rows, share, end, fp16, csr):
    ready, saved = 0.0, []
    for size, gap, half, sparse in rows:
        ready += gap
        saved.append(Saved(size * MiB, ready, fp16=half or sparse, csr=sparse))
    total = sum(tensor.size for tensor in saved)
    route = Route(WRITE, fp16=fp16, csr=csr)
    found = schedule(saved, forward=end * ready, room=share * total, route=route)
    gone = sum(saved[index].size for index in found.linear)
    large = tuple(index for index, tensor in enumerate(saved) if tensor.size > MiB)
    assert gone >= (1 - share) * total or found.linear == large
    assert found.linear == large[: len(found.linear)]
    assert found.finish <= queue_end((saved[i] for i in found.linear), route) or csr or fp16
    assert list(found.chosen) == sorted(set(found.chosen))
