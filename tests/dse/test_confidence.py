"""Chances of a front: what errors can and cannot change, and constraints with a probability."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from dse import interval, verbs
from dse.confidence import confidence, of_run, widened
from dse.errors import InputError
from dse.evaluate import evaluate
from dse.interval import Error
from dse.study import Study, build


def rings(*constraints: str, objectives: tuple[str, ...] = ("latency", "cost")) -> Study:
    document = {
        "question": "How many boards?",
        "model": "dfx",
        "set": {"workload": "gpt2-1.5b"},
        "space": {"fpgas": [1, 2, 4]},
        "objectives": list(objectives),
        "constraints": list(constraints),
    }
    return build("rings", document, place="rings.yaml")


def err(monkeypatch: pytest.MonkeyPatch, *, scale: float, own: float) -> Error:
    error = Error(scale, 9, 99, own, "published", 9.0)
    monkeypatch.setattr(interval, "errors", lambda slug: {("token_time", ""): error})
    return error


def priced(study: Study):
    return evaluate(study, study.space.grid(0, study.space.size))


def test_an_error_that_all_designs_share_changes_no_order(monkeypatch: pytest.MonkeyPatch):
    err(monkeypatch, scale=2.0, own=0.0)
    study = rings(objectives=("latency",))
    found = confidence(study, priced(study))
    assert found.nondominated.tolist() == [0.0, 0.0, 1.0]


def test_errors_of_their_own_may_let_the_slower_design_win(monkeypatch: pytest.MonkeyPatch):
    err(monkeypatch, scale=0.5, own=1.0)
    study = rings(objectives=("latency",))
    found = confidence(study, priced(study))
    assert found.nondominated.sum() == pytest.approx(1.0)  # one of them wins each draw
    assert np.all(np.diff(found.nondominated) > 0)
    assert 0 < found.nondominated[0] < 0.2


def test_the_chance_of_a_bound_is_what_the_distribution_says(monkeypatch: pytest.MonkeyPatch):
    error = err(monkeypatch, scale=0.2, own=0.0)
    study = rings("latency <= 2 s")
    table = priced(study)
    found = confidence(study, table, draws=4096)
    room = np.log(2.0 / table["latency"]) / error.scale
    assert found.by_constraint["latency <= 2 s"] == pytest.approx(stats.t.cdf(room, 9), abs=0.02)
    assert np.array_equal(found.met, found.by_constraint["latency <= 2 s"])


@pytest.mark.parametrize("percent", [60, 90, 99])
def test_a_bound_with_a_probability_is_met_exactly_where_the_chance_is_that_high(
    percent: int, monkeypatch: pytest.MonkeyPatch
):
    error = err(monkeypatch, scale=0.2, own=0.5)
    table = priced(rings(f"latency <= 2 s with {percent} %"))
    chance = stats.t.cdf(np.log(2.0 / table["latency"]) / error.scale, 9)
    assert np.array_equal(table["accepted"], chance >= percent / 100)


def test_a_lower_bound_with_a_probability_judges_the_low_end(monkeypatch: pytest.MonkeyPatch):
    error = err(monkeypatch, scale=0.2, own=0.5)
    table = priced(rings("tokens_per_second >= 40 token/s with 90 %"))
    low = table["tokens_per_second"] * np.exp(-error.scale * stats.t.ppf(0.9, 9))
    assert table["tokens_per_second_at_90"] == pytest.approx(low)
    assert np.array_equal(table["accepted"], low >= 40)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("latency <= 2 s with 20 %", r"50 % <= probability <= 99.9 % must hold, got '20%?"),
        ("latency <= 2 s with 100 %", "must hold, got '100"),
        ("latency <= 2 s with many %", "must hold, got 'many"),
        ("latency <= 2 s with 90", "must hold, got '90'"),
        ("cost <= 9000 USD with 90 %", "nothing was checked of cost"),
        ("with 90 %", "is not a comparison"),
    ],
)
def test_a_probability_that_nobody_can_know_is_refused(text: str, words: str):
    with pytest.raises(InputError, match=words):
        rings(text)


def test_a_wide_table_has_ends_in_the_units_of_their_metrics():
    study = rings("latency <= 4 s")
    table = priced(study)
    wide = widened(table, confidence(study, table))
    assert wide.units["latency_low"] == wide.units["latency_high"] == "s"
    assert np.all(
        (wide["latency_low"] < wide["latency"]) & (wide["latency"] < wide["latency_high"])
    )
    assert np.isnan(wide["cost_low"]).all()
    assert set(wide.columns) - set(table.columns) == {
        *("latency_low", "latency_high", "cost_low", "cost_high"),
        *("chance_nondominated", "chance_constraints"),
    }


def test_a_search_keeps_intervals_and_chances_beside_its_front(tmp_path: Path):
    study = tmp_path / "rings.yaml"
    study.write_text(
        "question: How many boards?\nmodel: dfx\nspace: {fpgas: [1, 2, 4]}\n"
        "objectives: [latency, cost]\nconstraints: [latency <= 4 s with 90 %]\n"
    )
    ended = verbs.search(study, output=tmp_path / "run")
    front, why, best = of_run(ended.archive)
    assert len(why) == len(best)
    lines = ended.run.lines("front.csv")
    kept = [float(line["latency_high [s]"]) for line in lines]
    assert kept == pytest.approx(front["latency_high"].tolist())
    assert all(float(line["chance_constraints [1]"]) >= 0.9 for line in lines)
    assert {"latency_at_90 [s]", "chance_nondominated [1]"} <= lines[0].keys()


@pytest.mark.parametrize("percent", ["99.9", "50"])
def test_the_ends_of_what_can_be_asked_are_allowed(percent: str):
    (constraint,) = rings(f"latency <= 2 s with {percent} %").constraints
    assert constraint.confidence == pytest.approx(float(percent) / 100)


def test_few_draws_decide_a_bound_as_many_would_where_it_is_close():
    document = {
        "question": "How many replicas?",
        "model": "codesign",
        "set": {"workload": "gpt2-1.5b", "request_rate": "0.8 request/s"},
        "space": {"serve.gpu": "all", "serve.replicas": [1, 2, 4], "serve.batch": [1, 4]},
        "objectives": ["latency"],
        "constraints": ["latency <= 2 s with 95 %"],
    }
    study = build("serving", document, place="serving.yaml")
    table = priced(study)
    chance = confidence(study, table, draws=2048).met
    settled = np.abs(chance - 0.95) > 0.02  # three standard errors of 1,024 draws
    known = np.isfinite(table["latency"]) & table["feasible"]
    wrong = (table["accepted"] != (chance >= 0.95)) & settled & known
    assert known.sum() > 50
    assert wrong.sum() == 0
