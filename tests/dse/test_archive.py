"""What a search keeps: the exact front, the nearest designs without one, and honest reasons."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import archive as archiving
from dse.archive import Archive, explain_infeasible, points_of
from dse.errors import InputError
from dse.evaluate import Table, evaluate
from dse.pareto import hypervolume
from dse.study import Study
from tests.dse import toy as toys
from tests.dse.test_pareto import reference

pytestmark = pytest.mark.usefixtures("toy")


def whole(study: Study) -> Table:
    return evaluate(study, study.space.grid(0, study.space.size))


def filled(study: Study, *cuts: int) -> Archive:
    """An archive of all designs, in the portions that cuts make of them."""
    archive, table = Archive(study), whole(study)
    ends = [0, *sorted(cuts), len(table)]
    for low, high in itertools.pairwise(ends):
        archive.add(table.take(np.arange(low, high)))
    return archive


def front_of(archive: Archive) -> Table:
    assert archive.front is not None
    return archive.front


@pytest.mark.parametrize(
    "objectives", [["latency"], ["latency", "cost"], ["throughput", "cost", "energy", "power"]]
)
@given(cuts=st.lists(st.integers(0, 324), max_size=6))
def test_the_front_is_that_of_all_accepted_designs_whatever_the_portions(
    objectives: list[str], cuts: list[int]
):
    study = toys.study(objectives=objectives)
    table = whole(study)
    good = np.flatnonzero(table["accepted"])
    expected = good[reference(points_of(study, table.take(good)))]
    archive = filled(study, *cuts)
    np.testing.assert_array_equal(front_of(archive)["row"], expected)
    assert (archive.seen, archive.accepted) == (len(table), len(good))
    for name, column in table.columns.items():
        np.testing.assert_array_equal(front_of(archive)[name], column[expected])


def test_designs_of_equal_answers_are_all_kept_and_equal_designs_once():
    study = toys.study(space={"cache": [1e6, 2e6], "chips": [1, 2]}, objectives=["latency"])
    archive = filled(study)
    assert len(front_of(archive)) == 2  # the cache is idle, so both of its sizes tie
    archive.add(whole(study))
    assert len(front_of(archive)) == 2
    assert archive.seen == 8


def test_a_violating_design_is_never_on_the_front():
    free = front_of(filled(toys.study(constraints=[])))
    bound = front_of(filled(toys.study(constraints=["power <= 40 W"])))
    assert free["power"].max() > 40
    assert (bound["power"] <= 40).all()
    assert (bound["violation"] == 0).all()


def test_without_a_front_the_least_violating_known_designs_are_kept():
    study = toys.study(constraints=["latency <= 1 us"])
    archive = filled(study, 100, 200)
    table = whole(study)
    assert archive.front is None
    assert archive.nearest is not None
    assert len(archive.nearest) == archiving.KEPT
    known = np.isfinite(table["cost"])
    missed = (table["violation"] + ~table["feasible"])[known]
    kept = archive.nearest["violation"] + ~archive.nearest["feasible"]
    np.testing.assert_array_equal(kept, np.sort(missed)[: archiving.KEPT])


def test_the_reason_names_the_constraint_that_binds_and_by_how_much():
    study = toys.study(constraints=["latency <= 1 us", "power <= 1 kW"])
    archive = filled(study)
    assert archive.nearest is not None
    (line,) = explain_infeasible(archive)
    share = 100 * (archive.nearest["latency"][0] / 1e-6 - 1)
    assert line.startswith(f"'latency <= 1 us' is missed by {share:,.3g} %: the nearest reaches")


def test_the_reason_says_when_nothing_can_run():
    study = toys.study(set={"items": 1024}, space={"chips": [1, 2]}, constraints=[])
    assert explain_infeasible(filled(study)) == [
        "no design can run at all: the page calls each infeasible"
    ]


def test_the_reason_says_when_an_objective_is_never_known():
    study = toys.study(set={"chip": "unpriced"}, space={"chips": [1, 2]}, constraints=[])
    assert explain_infeasible(filled(study)) == [
        "no design has every objective known: cost unknown"
    ]


def test_the_reason_tells_the_infinite_from_the_unknown():
    study = toys.study(space={"chips": [1, 2]}, constraints=[])
    table = whole(study)
    endless = {"cost": np.full(2, np.inf), "latency": np.full(2, np.nan)}
    archive = Archive(study)
    refused = {"accepted": np.zeros(2, dtype=bool)}
    archive.add(Table({**table.columns, **endless, **refused}, table.units, table.labels))
    assert explain_infeasible(archive) == [
        "no design has every objective known: latency unknown and cost infinite"
    ]


def test_the_reason_says_when_only_a_design_that_cannot_run_comes_near():
    fixed = {"chip": "large", "chips": 1, "items": 8, "link.bandwidth": 1e9}
    study = toys.study(set=fixed, space={"link.lanes": [1, 8]}, constraints=["latency <= 45 ms"])
    archive = filled(study)
    assert archive.nearest is not None
    np.testing.assert_array_equal(archive.nearest["feasible"], [False, True])
    assert explain_infeasible(archive) == [
        "the nearest design cannot run; those that can miss more"
    ]


def test_an_archive_of_nothing_has_a_reason_too():
    assert explain_infeasible(Archive(toys.study())) == ["no design could be priced"]


def test_a_row_whose_objective_is_never_known_is_left_out_by_name():
    archive = filled(toys.study(space={"chip": "all", "chips": [1, 2]}))
    assert archive.left_out() == {
        "unfinished": "has no known rate",
        "unpriced": "cost unknown",
    }


@given(st.lists(st.integers(0, 16), max_size=5))
def test_what_is_known_of_a_row_does_not_depend_on_the_portions(cuts: list[int]):
    study = toys.study(space={"chip": "all", "chips": [1, 2, 4, 8]})
    assert filled(study, *cuts).left_out() == filled(study).left_out()


def test_an_idle_row_does_not_pass_for_a_known_one():
    axes = {"cached": [0, 1], "chip": {"choices": ["tiny", "unpriced"], "when": "cached == 1"}}
    archive = filled(toys.study(space=axes))
    assert archive.left_out() == {"unpriced": "cost unknown"}


def test_the_best_designs_are_the_best_of_each_objective_and_the_balanced_one():
    study = toys.study(objectives=["throughput", "cost", "energy"])
    archive = filled(study)
    why, best = archive.best()
    front = front_of(archive)
    reasons = ", ".join(why)
    assert sorted(reasons.split(", ")) == [
        "balanced",
        "best cost",
        "best energy",
        "best throughput",
    ]
    row = next(i for i, text in enumerate(why) if "best throughput" in text)
    assert best["throughput"][row] == front["throughput"].max()
    row = next(i for i, text in enumerate(why) if "best cost" in text)
    assert best["cost"][row] == front["cost"].min()


def test_one_best_design_carries_all_its_reasons():
    why, best = filled(toys.study(objectives=["latency"])).best()
    assert why == ["best latency, balanced"]
    assert len(best) == 1


def test_each_compared_choice_shows_its_best_even_where_it_loses():
    study = toys.study(compare="chip", objectives=["latency"], constraints=[])
    why, best = filled(study, 50, 150).best()
    assert dict(zip(why, best.words("chip"), strict=True)) == {
        "best latency, balanced": "unpriced",
        "balanced large, dominated": "large",
        "balanced small, dominated": "small",
        "balanced tiny, dominated": "tiny",
    }


def test_nothing_is_best_where_nothing_is_feasible():
    with pytest.raises(InputError, match="nothing is feasible, so nothing is best"):
        filled(toys.study(constraints=["latency <= 1 us"])).best()


def test_the_history_grows_and_ends_with_the_final_front():
    study = toys.study()
    archive = filled(study, 20, 40, 80, 160)
    history = archive.history()
    volumes = [row["hypervolume"] for row in history]
    assert volumes == sorted(volumes)
    assert [row["designs"] for row in history] == sorted(row["designs"] for row in history)
    final = points_of(study, front_of(archive))
    ends = final.max(axis=0) + 0.1 * (final.max(axis=0) - final.min(axis=0))
    assert history[-1] == {
        "designs": 324,
        "front": len(final),
        "hypervolume": hypervolume(final, ends),
    }


def test_the_history_of_no_front_is_empty():
    assert filled(toys.study(constraints=["latency <= 1 us"])).history() == []


def test_a_volume_that_would_take_minutes_stays_unknown(monkeypatch: pytest.MonkeyPatch):
    four = ["latency", "cost", "energy", "power"]
    monkeypatch.setattr(archiving, "VOLUME", 5)
    assert np.isnan(filled(toys.study(objectives=four)).history()[-1]["hypervolume"])
    assert filled(toys.study(objectives=four[:3])).history()[-1]["hypervolume"] > 0


def test_a_study_that_varies_nothing_has_its_one_design_as_front():
    archive = filled(toys.study(space={}))
    assert len(front_of(archive)) == 1
    assert archive.history()[-1]["front"] == 1
