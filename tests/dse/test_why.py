"""Why a design and not another, on machines whose every answer is worked out by hand.

With 8 items a toy takes `64 / (rate * chips * GHz) + 8 ms / lanes + 2 ms` and costs `chips *
price + 50 * lanes` dollars. Of the 54 machines 15 are on the front: small chips by two and by
four, and large ones, all at 1 GHz with any lanes.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse import verbs
from dse.documents import dump
from dse.errors import InputError
from dse.search import search
from dse.spec import Result
from dse.standing import beats
from dse.store import Run, create
from dse.study import build
from dse.why import Why, explain
from tests.dse import toy as toys

SPACE = {
    "chip": ["tiny", "small", "large"],
    "chips": [1, 2, 4],
    "link.lanes": [1, 2, 4],
    "clock": ["500 MHz", "1 GHz"],
}


def machines(**changes: object) -> dict[str, object]:
    """The study's document, with some entries changed."""
    return toys.document(space=SPACE, constraints=["latency <= 100 ms"], **changes)


def write(name: str = "machines.yaml", **changes: object) -> str:
    Path(name).write_text(dump({**machines(), **changes}))
    return name


@pytest.fixture(autouse=True)
def folder(toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write()


def why(chip: str, chips: float, lanes: float = 1, clock: float = 1e9, **changes: Any) -> Why:
    settings = {"chip": chip, "chips": chips, "link.lanes": lanes, "clock": clock}
    return explain("toy", write(**changes), settings)


def told(found: Why) -> dict[str, object]:
    """Each single change, and what it adds."""
    return {change.shown: pytest.approx(change.cost) for change in found.changes}


def test_a_design_on_the_front_needs_nothing() -> None:
    found = why("small", 2)
    assert found.verdict.kind == "front"
    assert found.verdict.text == "it is on the front, one of 15"
    assert (found.goal, found.changes, found.rival, found.stuck) == ("", (), None, [])


def test_a_dominated_design_names_its_dominators_and_the_one_knob_that_frees_it() -> None:
    found = why("small", 4, clock=5e8)
    assert found.verdict.text == "it is dominated by 4 of 15 on the front"
    assert told(found) == {"clock 500 MHz -> 1 GHz": 0}
    assert found.stuck == ["chip", "chips", "link.lanes"]


def test_the_difference_is_told_from_the_nearest_dominator_term_by_term() -> None:
    found = why("small", 4, clock=5e8)
    assert found.rival is not None
    assert found.rival.differing == {"clock": [5e8, 1e9]}
    assert found.rival.named("terms") == ["compute", "transfer", "overhead"]
    assert found.differences == ["latency is 40 ms more, all from compute", "cost is the same"]


def test_a_missed_bound_tells_its_distance_and_the_bound_that_would_do() -> None:
    found = why("small", 1)
    assert found.verdict.text == "it misses 'latency <= 100 ms' by 70 ms (70 %)"
    (bound,) = found.bounds
    assert (bound.state, bound.loosened, bound.alone) == ("missed", "latency <= 170 ms", True)
    assert bound.distance == pytest.approx(0.07)
    assert found.dominators == 0


def test_single_changes_that_meet_a_bound_are_ranked_by_what_they_add() -> None:
    found = why("small", 1)
    assert found.measure.text == "cost"
    assert told(found) == {"chips 1 -> 2": 500, "chip small -> large": 5500}
    assert [change.others for change in found.changes] == [1, 0]
    assert found.stuck == ["link.lanes", "clock"]


def test_what_cannot_run_is_told_from_what_only_misses() -> None:
    found = why("tiny", 1)
    assert found.verdict.kind == "cannot run"
    assert found.verdict.text.startswith("it cannot run, and it misses 'latency <= 100 ms'")
    assert found.troubles == ("'toy' calls it infeasible: whether the design can run at all",)
    assert [c.shown for c in found.running] == ["chips 1 -> 2", "chip tiny -> small"]
    assert told(found) == {"chip tiny -> large": 5900}
    assert not found.bounds[0].alone


def test_a_rule_that_does_not_hold_is_the_verdict() -> None:
    found = why("small", 1, lanes=8)
    assert found.verdict.kind == "not covered"
    assert "`link.lanes <= 4 chips` must hold; set link.lanes lower" in found.verdict.text
    assert found.near.outside == {"link.lanes": "8; the study tries 1, 2, 4"}
    assert told(found)["chips 1 -> 2"] == 500
    with pytest.raises(InputError, match=r"link.lanes <= 4 chips"):
        verbs.evaluate("toy", {"chips": 1, "link.lanes": 8})


def test_an_unknown_objective_is_not_compared() -> None:
    found = why("unpriced", 1)
    assert found.verdict.text == (
        "it meets every constraint, but its cost is unknown: not to be compared"
    )
    assert found.dominators == 0
    assert found.measure.text == "cost, all of it, as the design's own is unknown"
    assert told(found) == {"chip unpriced -> large": 6050}
    assert found.differences[1] == "cost is not known of both"


def test_several_missed_bounds_each_tell_what_they_need() -> None:
    found = why("small", 1, constraints=["latency <= 100 ms", "cost <= 500 USD"])
    assert [bound.loosened for bound in found.bounds] == ["latency <= 170 ms", "cost <= $550"]
    assert not any(bound.alone for bound in found.bounds)
    assert found.verdict.text == (
        "it misses 'latency <= 100 ms' by 70 ms (70 %) and 'cost <= 500 USD' by $50 (10 %)"
    )


def test_a_bound_that_is_met_is_binding_or_slack() -> None:
    found = why("small", 2, constraints=["latency <= 90.5 ms", "latency <= 100 ms"])
    assert [bound.state for bound in found.bounds] == ["binding", "slack"]
    assert [bound.distance for bound in found.bounds] == pytest.approx([5e-4, 1e-2])
    assert not any(bound.loosened or bound.missed for bound in found.bounds)


def test_where_nothing_is_feasible_nothing_dominates() -> None:
    found = why("small", 2, constraints=["latency <= 1 ms"])
    assert found.searched.front is None
    assert (found.dominators, found.rival, found.changes) == (0, None, ())
    assert found.bounds[0].loosened == "latency <= 90 ms"
    assert found.bounds[0].alone
    assert found.stuck == list(SPACE)


def test_equal_objectives_are_not_dominated() -> None:
    found = why("small", 2, clock=2e9, objectives=["cost"], constraints=["latency <= 90 ms"])
    assert found.verdict.text == "it ties with 1 of 1 on the front"
    assert (found.dominators, found.goal) == (0, "")
    assert beats(np.ones((1, 2)), np.ones((1, 2))).tolist() == [[False]]


def test_a_better_design_than_was_searched_says_what_it_dominates() -> None:
    found = why("small", 2, clock=2e9)
    assert found.near.outside == {"clock": "2 GHz; the study tries 500 MHz, 1 GHz"}
    # 50 ms for 1050 dollars: better than two small ones, and four of them with one lane
    assert found.verdict.text == (
        "no design of the front dominates it, though it lies outside the study; "
        "it dominates 4 of the 15"
    )


def test_what_the_study_fixes_lies_under_the_design_or_is_told() -> None:
    assert "items" not in why("small", 2).near.outside
    found = explain("toy", "machines.yaml", {"items": 4, "chips": 2, "link.lanes": 1})
    assert found.near.outside == {"items": "4; the study fixes 8"}
    assert found.searched.near == 0


def test_a_page_without_a_price_ranks_by_the_loss_of_its_objectives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = {name: m for name, m in toys.TOY.metrics.items() if name != "cost"}
    monkeypatch.setattr(toys, "TOY", replace(toys.TOY, metrics=free))
    found = why("small", 1, objectives=["latency", "power"])
    assert found.measure.text == "loss in latency and power, each in ranges of the front"
    assert found.searched.front is not None
    span = {name: float(np.ptp(found.searched.front[name])) for name in ("latency", "power")}
    # from 170 ms to 90 ms, and from 22 W to 42 W
    added = -0.08 / span["latency"] + 20 / span["power"]
    assert told(found)["chips 1 -> 2"] == pytest.approx(added)


def test_a_switch_names_the_knobs_that_it_opens() -> None:
    space = {
        "cached": [0, 1],
        "cache": {"choices": ["1 MB", "64 MB"], "when": "cached == 1"},
    }
    fixed = {"items": 8, "chip": "small", "link": {"lanes": 1}}
    name = write(space=space, set=fixed, constraints=["latency <= 89 ms"])
    bare = explain("toy", name)
    assert "cache" not in bare.near.moved
    assert bare.changes == ()  # 1 MB hides 0.1 ms of 8 ms
    held = explain("toy", name, {"cache": "64 MB"})
    (change,) = held.changes
    assert (change.shown, dict(change.opens)) == ("cached 0 -> 1", {"cache": 64e6})
    assert change.cost == pytest.approx(6.4)


def test_a_continuous_knob_moves_no_further_than_it_must() -> None:
    space = {"clock": {"low": "500 MHz", "high": "1.5 GHz"}, "chips": [1, 2]}
    fixed = {"items": 8, "chip": "small", "link": {"lanes": 1}}
    name = write(space=space, set=fixed, constraints=["latency <= 100 ms"])
    found = explain("toy", name, {"clock": 5e8})
    by_knob = {change.knob: change for change in found.changes}
    # 80 ms / GHz + 10 ms <= 100 ms holds from 889 MHz on
    needed, step = 8e9 / 9, 1e9 / 256
    assert 0 <= float(str(by_knob["clock"].value)) - needed < step
    assert "chips" in found.stuck


def run_of(document: dict[str, object], *, most: float = float("inf")) -> Run:
    """A run of the study, interrupted once it holds so many designs."""

    def interrupt(done: int, total: int, front: int) -> None:
        if done >= most:
            raise KeyboardInterrupt

    study = build("asked", document, place="asked.yaml")
    return search(study, create(study, output=Path("run")), progress=interrupt).run


def test_a_run_answers_as_the_study_that_is_searched_anew() -> None:
    run_of(machines())
    settings = {"chip": "small", "chips": 4, "link.lanes": 1, "clock": 5e8}
    ours, anew = explain("toy", "run", settings), explain("toy", "machines.yaml", settings)
    assert ours.verdict == anew.verdict
    assert ours.changes == anew.changes
    assert ours.searched.whole
    assert ours.searched.finished
    assert ours.searched.near == ours.searched.near_priced == 7
    assert ours.rival is not None
    nearest = verbs.evaluate(ours.rival.names[1])
    assert nearest["metrics"]["latency"]["value"] == pytest.approx(0.05)


def test_a_design_of_a_run_is_judged_by_its_own_run() -> None:
    run_of(machines())
    found = explain("run:balanced")
    assert found.verdict.kind == "front"
    assert explain("run:1", settings={"clock": 5e8}).verdict.kind in ("dominated", "misses")


def test_a_sampled_run_says_how_many_neighbours_it_priced() -> None:
    run = run_of(machines(search={"method": "random", "budget": 30, "seed": 1}))
    found = explain("toy", "run", {"chip": "small", "chips": 2, "link.lanes": 1})
    held = {json.dumps([row[path] for path in SPACE]) for row in _rows(run)}
    around = [[1, a, 1, 1e9] for a in (1, 4)] + [[1, 2, a, 1e9] for a in (2, 4)]
    around += [[a, 2, 1, 1e9] for a in (0, 2)] + [[1, 2, 1, 5e8]]
    priced = sum(json.dumps([float(v) for v in design]) in held for design in around)
    assert not found.searched.whole
    assert (found.searched.near, found.searched.near_priced) == (7, priced)
    assert 0 < priced < 7


def _rows(run: Run) -> list[dict[str, float]]:
    table = run.designs()
    return [{path: float(table[path][i]) for path in SPACE} for i in range(len(table))]


def test_an_interrupted_run_is_judged_by_what_it_holds() -> None:
    space = {**SPACE, "items": list(range(1, 2001))}
    run_of({**machines(search={"budget": 10**6}), "space": space, "set": {}}, most=30_000)
    found = explain("toy", "run", {"items": 8, "chip": "tiny"})
    assert not found.searched.finished
    assert not found.searched.whole
    assert 0 < found.searched.designs < 108_000


def test_a_run_that_holds_nothing_is_refused() -> None:
    create(build("asked", machines(), place="x"), output=Path("empty"))
    with pytest.raises(InputError, match="holds no designs yet"):
        explain("toy", "empty")


def test_a_front_that_the_page_prices_otherwise_now_is_priced_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_of(machines())

    def slower(config: toys.Machine) -> Result:
        result = toys.price_machine(config)
        late = {**result.metrics, "latency": result.metrics["latency"] * 1.05}
        return replace(result, metrics=late)

    monkeypatch.setattr(toys, "TOY", replace(toys.TOY, evaluate=slower))
    found = explain("toy", "run", {"chip": "small", "chips": 4, "link.lanes": 1, "clock": 5e8})
    assert found.searched.drifted
    assert found.dominators == 4
    assert found.searched.points[:, 0].min() == pytest.approx(0.012 * 1.05)


def test_infinity_in_an_objective_is_told_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def lasting(config: toys.Machine) -> Result:
        result = toys.price_machine(config)
        endless = np.where(np.asarray(config.chips) > 2, np.inf, result.metrics["throughput"])
        late = np.where(np.asarray(config.clock) < 1e9, np.inf, result.metrics["latency"])
        return replace(result, metrics={**result.metrics, "throughput": endless, "latency": late})

    monkeypatch.setattr(toys, "TOY", replace(toys.TOY, evaluate=lasting))
    found = why("large", 2, 4, objectives=["throughput", "power"], constraints=[])
    assert found.verdict.kind == "dominated"
    assert found.differences[0] == "throughput is 400 1/s against infinite"
    late = why("small", 2, clock=5e8)
    assert late.verdict.text == "it misses 'latency <= 100 ms', as latency is infinite"
    assert (late.bounds[0].state, late.bounds[0].loosened) == ("missed", "")


@pytest.mark.parametrize(
    ("design", "study", "words"),
    [
        ("toy", "", "name a study or a run to judge toy by: --study STUDY"),
        ("dfx", "machines.yaml", "'dfx' is a design of 'dfx', but machines asks about 'toy'"),
        ("toy", "edge-releas", "did you mean edge-release"),
        ("toy", "grid.csv", "no run 'grid.csv'"),
        ("toy", "no/run", "no run 'no/run'"),
        ("run:77", "", "there is no design 77 on the front"),
        ("toi", "machines.yaml", "unknown model 'toi'; did you mean toy"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(design: str, study: str, words: str) -> None:
    run_of(machines())
    with pytest.raises(InputError) as refused:
        explain(design, study)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_run_takes_no_budget_and_no_other_prices() -> None:
    run_of(machines())
    Path("own.yaml").write_text("date: 2026-12-01\nprices: {u280: {value: 3000, unit: USD}}\n")
    with pytest.raises(InputError, match="drop --budget"):
        explain("toy", "run", budget=5)
    with pytest.raises(InputError, match="searched at other prices"):
        explain("toy", "run", prices="own.yaml")
