"""A metric that may be infinite, such as a time between failures, from the page to the answer."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from dse import figures, show, store, verbs
from dse.search import Outcome, search
from dse.side_by_side import ratio
from dse.spec import Result
from dse.study import Objective, Study
from dse.terminal import print_json
from tests.dse import toy as toys


def lasting(config: toys.Machine) -> Result:
    """The toy's answer, but its rate is infinite where there is a cache."""
    result = toys.price_machine(config)
    endless = np.where(np.asarray(config.cached) > 0, np.inf, result.metrics["throughput"])
    return replace(result, metrics={**result.metrics, "throughput": endless})


@pytest.fixture(autouse=True)
def endless(toy: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toys, "TOY", replace(toys.TOY, evaluate=lasting))


def asked(method: str = "grid", **changes: object) -> Study:
    search = {"method": method, "budget": 324 if method == "grid" else 128, "seed": 2}
    return toys.study(search=search, **({"objectives": ["throughput", "cost"]} | changes))


@pytest.fixture
def ended(tmp_path: Path) -> Outcome:
    study = asked()
    return search(study, store.create(study, output=tmp_path / "toy" / "run"))


def test_infinity_ranks_only_where_larger_is_better():
    values = np.array([1.0, np.inf, -np.inf, np.nan])
    most, least = Objective("rate", -1.0), Objective("time", 1.0)
    np.testing.assert_array_equal(most.ranks(values), [True, True, False, False])
    np.testing.assert_array_equal(least.ranks(values), [True, False, False, False])


def test_an_infinitely_good_design_is_accepted_and_wins(ended: Outcome):
    archive = ended.archive
    assert archive.front is not None
    first, second = archive.winners()
    assert archive.front["throughput"][first.place] == np.inf
    assert np.isfinite(archive.front["throughput"][second.place])
    held = ended.run.designs()
    best = held["cost"][held["accepted"] & np.isinf(held["throughput"])].min()
    assert archive.front["cost"][first.place] == best


def test_the_front_is_that_of_comparing_every_pair(ended: Outcome):
    held = ended.run.designs()
    good = held.take(held["accepted"])
    rate, cost = good["throughput"], good["cost"]
    beaten = [
        ((rate >= r) & (cost <= c) & ((rate > r) | (cost < c))).any()
        for r, c in zip(rate, cost, strict=True)
    ]
    assert ended.archive.size == np.count_nonzero(~np.array(beaten))


def test_the_history_still_grows(ended: Outcome):
    volumes = [row["hypervolume"] for row in ended.archive.history()]
    assert np.isfinite(volumes).all()
    assert volumes == sorted(volumes)


def test_a_person_and_a_script_read_that_it_is_infinite(ended: Outcome):
    out = Console(width=100)
    with out.capture() as caught:
        show.outcome(out, ended)
    assert "infinite" in caught.get()
    told = show.outcome_json(ended)
    text = json.dumps(told, allow_nan=False)
    assert "Infinity" not in text
    assert told["winners"][0]["value"] == "infinite"
    frame = pd.read_csv(ended.run.path / "front.csv")
    assert math.isinf(frame["throughput [1/s]"].max())


def test_the_figure_says_how_many_marks_it_cannot_draw(ended: Outcome):
    assert ended.archive.front is not None
    chart = figures.front(
        ended.archive.study, ended.run.designs(), ended.run.front(), x="cost", y="throughput"
    )
    assert "marks with an unknown or infinite value are left out" in chart.caption
    assert np.isfinite(chart.frame["throughput"]).all()


@pytest.mark.parametrize("method", ["nsga2", "nsga3", "tpe"])
def test_a_search_that_learns_finds_the_infinite_too(method: str, tmp_path: Path):
    study = asked(method)
    found = search(study, store.create(study, output=tmp_path / "toy" / "run")).archive
    assert found.front is not None
    assert np.isinf(found.front["throughput"]).any()


def test_an_endless_answer_is_a_word_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"metrics": {"life": {"value": math.inf}}, "terms": [1.0, -math.inf]})
    assert json.loads(capsys.readouterr().out) == {
        "metrics": {"life": {"value": "infinite"}},
        "terms": [1.0, "-infinite"],
    }


def test_an_endless_answer_stays_endless_in_python() -> None:
    found = verbs.evaluate("codesign", {"workload": "gpt2-345m"})
    assert found["metrics"]["recovery_time"]["value"] == math.inf


def test_beside_an_endless_answer_there_is_no_ratio() -> None:
    assert ratio(math.inf, math.inf, "s") == "="
    assert ratio(3.0, math.inf, "s") == ratio(math.inf, 3.0, "s") == ""
