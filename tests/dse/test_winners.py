"""Who wins what: exact over all designs, ties told, and objectives that decide nothing named."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.archive import Archive
from dse.evaluate import Table, evaluate
from dse.study import Study
from dse.winners import (
    differing,
    flat_objectives,
    flat_warnings,
    listed,
    points_of,
    told,
    verdict,
    winners,
)
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")

MANY = ["latency", "throughput", "energy", "power", "cost", "utilisation"]


def whole(study: Study) -> Table:
    return evaluate(study, study.space.grid(0, study.space.size))


def filled(study: Study, *cuts: int) -> Archive:
    archive, table = Archive(study), whole(study)
    for low, high in itertools.pairwise([0, *sorted(cuts), len(table)]):
        archive.add(table.take(np.arange(low, high)))
    return archive


def front_of(archive: Archive) -> Table:
    assert archive.front is not None
    return archive.front


def made(study: Study, *points: tuple[float, ...]) -> Table:
    """A front with these objectives, to be minimised, and knobs that do not matter."""
    rows = study.space.grid(0, len(points))
    goals = {
        o.metric: o.sign * np.array(column)
        for o, column in zip(study.objectives, zip(*points, strict=True), strict=True)
    }
    return Table({**rows, **goals}, {}, {})


@pytest.mark.parametrize("objectives", [["latency"], ["latency", "cost"], MANY])
@given(cuts=st.lists(st.integers(0, 324), max_size=4))
def test_a_winner_goes_as_far_as_any_design_that_meets_the_constraints(
    objectives: list[str], cuts: list[int]
):
    study = toys.study(objectives=objectives)
    table = whole(study)
    archive = filled(study, *cuts)
    ends = points_of(study, table.take(table["accepted"])).min(axis=0)
    front = front_of(archive)
    reached = points_of(study, front)
    for i, winner in enumerate(archive.winners()):
        assert reached[winner.place, i] == ends[i]
        assert winner.tied == np.count_nonzero(reached[:, i] == ends[i]) - 1
        assert table["accepted"][front["row"][winner.place]]


@given(cuts=st.lists(st.integers(0, 324), max_size=4))
def test_the_winners_do_not_depend_on_the_portions(cuts: list[int]):
    study = toys.study(objectives=MANY)
    assert filled(study, *cuts).winners() == filled(study).winners()


def test_of_equally_good_designs_the_one_that_wins_more_stands_for_them():
    study = toys.study(objectives=["latency", "cost", "energy"])
    front = made(study, (1, 9, 9), (1, 9, 2), (5, 1, 5), (1, 3, 8))
    found = winners(study, front)
    assert [winner.place for winner in found] == [1, 2, 1]
    assert [winner.tied for winner in found] == [2, 0, 0]


def test_an_objective_that_is_constant_on_the_front_is_told_with_its_value():
    study = toys.study(objectives=["latency", "cost", "power"])
    front = made(study, (1, 2, 7), (2, 1, 7), (3, 0, 7))
    assert flat_objectives(study, front) == ["power"]
    assert [winner.flat for winner in winners(study, front)] == [False, False, True]
    assert flat_warnings(study, front) == [
        "objective 'power' is 7 in all 3 designs on the front, so it tells no designs apart; "
        "drop it from the objectives, or widen the space"
    ]


def test_an_objective_that_no_knob_moves_is_told_even_when_it_leaves_one_design():
    study = toys.study(set={"items": 8, "cached": 0}, space={"cache": ["1 MB", "64 MB"]})
    archive = filled(study)  # without a cache its size moves nothing
    assert archive.constant == ["latency", "cost"]
    (first, second) = archive.warnings()
    assert first.startswith("objective 'latency' is ")
    assert "in every design that meets the constraints" in second
    assert verdict(archive.winners()) == ""


def test_one_design_alone_is_no_reason_to_doubt_the_objectives():
    study = toys.study(space={"chips": [1]})
    archive = filled(study)
    assert archive.accepted == 1
    assert archive.warnings() == []
    assert verdict(archive.winners()) == "one design wins latency and cost at once"


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([(1, 2, 3), (2, 1, 3.5), (3, 3, 1)], "the winners differ: no design wins two objectives"),
        (
            [(1, 1, 2), (2, 2, 1)],
            "the winners differ: one design wins latency and cost; energy is won by another",
        ),
        ([(1, 1, 1)], "one design wins latency, cost and energy at once"),
        ([(1, 2, 5), (2, 1, 5)], "the winners differ: no design wins two objectives"),
    ],
)
def test_the_verdict_says_whether_winners_differ(points: list[tuple[float, ...]], said: str):
    study = toys.study(objectives=["latency", "cost", "energy"])
    assert verdict(winners(study, made(study, *points))) == said


def test_two_designs_that_win_several_objectives_are_told_apart():
    study = toys.study(objectives=["latency", "cost", "energy", "power"])
    assert verdict(winners(study, made(study, (1, 1, 2, 2), (2, 2, 1, 1)))) == (
        "the winners differ: one design wins latency and cost, another energy and power"
    )


def test_a_single_objective_has_a_winner_and_no_verdict():
    archive = filled(toys.study(objectives=["latency"]))
    (winner,) = archive.winners()
    assert not winner.flat
    assert verdict((winner,)) == ""


def test_winners_are_told_by_the_knobs_in_which_they_differ():
    study = toys.study(objectives=["latency", "cost"])
    archive = filled(study)
    front, found = front_of(archive), archive.winners()
    best = front.take(np.array([winner.place for winner in found]))
    for paths in differing(study, front, found):
        assert "chip" in paths
    for axis in study.space.axes:
        same = len(np.unique(best[axis.path])) == 1
        if same:
            assert all(axis.path not in paths for paths in differing(study, front, found))
    fast, cheap = told(study, front, found)
    assert fast.knobs["chip"] == "large"
    assert fast.others == {"cost": told(study, front, found)[0].others["cost"]}
    assert list(cheap.others) == ["latency"]


def test_a_knob_that_plays_no_part_in_a_winner_is_not_named_for_it():
    axes = {"cached": [0, 1], "cache": {"choices": ["1 MB", "64 MB"], "when": "cached == 1"}}
    study = toys.study(space=axes, constraints=[])
    archive = filled(study)
    fast, cheap = told(study, front_of(archive), archive.winners())
    assert set(fast.knobs) == {"cached", "cache"}
    assert set(cheap.knobs) == {"cached"}


def test_infinitely_good_wins_and_reads_as_infinite():
    study = toys.study(objectives=["throughput", "cost"])
    front = made(study, (-np.inf, 5), (-3, 1))
    found = winners(study, front)
    assert [winner.place for winner in found] == [0, 1]
    assert told(study, front, found)[0].value == "infinite"
    assert told(study, front, found)[1].others == {"throughput": "3"}


def test_nothing_wins_where_nothing_is_feasible():
    archive = filled(toys.study(constraints=["latency <= 1 us"]))
    assert archive.winners() == ()
    assert archive.warnings() == []
    assert verdict(archive.winners()) == ""


def test_designs_with_an_unknown_objective_are_counted_apart():
    study = toys.study(space={"chip": ["small", "unpriced"], "chips": [1, 2, 4]})
    archive = filled(study)
    table = whole(study)
    met = table["feasible"] & (table["violation"] == 0)
    assert archive.unranked == {"cost": np.count_nonzero(met & np.isnan(table["cost"]))} != {}
    assert archive.accepted + archive.unranked["cost"] == np.count_nonzero(met)


@pytest.mark.parametrize(
    ("items", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ([*"abc"], "a, b and c")]
)
def test_a_list_reads_as_a_sentence(items: list[str], said: str):
    assert listed(items) == said


def test_a_design_that_wins_twice_is_named_once():
    study = toys.study(objectives=["latency", "cost", "energy"])
    front = made(study, (1, 1, 2), (2, 2, 1), (1, 3, 1.5))
    first, second, third = told(study, front, winners(study, front))
    assert first.knobs
    assert first.note == "1 other ties"
    assert (second.knobs, second.note) == ({}, "the design of best latency")
    assert third.knobs
    assert third.note == ""
