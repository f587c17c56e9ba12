"""A closed form held against its mechanism and both against the paper, on the toy."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse import cli, cross, executed, interval, scoreboard, scores, verbs
from dse.cross import Judged, regime, regimes
from dse.errors import InputError
from dse.mechanism import Case
from dse.validate import relative_error
from tests.dse import toy_mechanism as mechanism

ROUNDING = 1e-12
"""The mechanism adds item by item what the page multiplies."""


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The toy with its mechanism, whose answers are kept in an empty folder."""
    mechanism.install(monkeypatch.setattr)
    monkeypatch.setattr(executed, "place_of", lambda slug: tmp_path / f"{slug}.json")
    monkeypatch.setattr(scoreboard, "place_of", lambda slug: tmp_path / f"{slug}-scores.json")
    monkeypatch.setattr(interval, "place_of", lambda slug: tmp_path / f"{slug}-errors.yaml")
    interval.forget()
    yield tmp_path
    interval.forget()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments, "--jobs", "1"])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def crossed() -> cross.Crossing:
    (found,) = verbs.crossings("toy")
    return found


def row(reference: float, closed: float, **changes: object) -> Judged:
    error = relative_error(closed, reference)
    made = Judged(
        "toy", f"at {reference:g}", "check", "", "latency", "s", reference, closed, error
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # whatever a test changes


def test_a_closed_form_that_is_right_has_no_error_and_keeps_the_order() -> None:
    (plain,) = (r for r in regimes(crossed().rows) if r.group == "plain")
    assert (plain.metric, plain.use, plain.cases) == ("latency", "check", 4)
    assert plain.mean < ROUNDING
    assert plain.tau == pytest.approx(1.0)


def test_a_weak_regime_shows_with_size_sign_and_worst_case() -> None:
    (slow,) = (r for r in regimes(crossed().rows) if r.group == "slow")
    # The mechanism is a quarter slower in every part, so the page says 1/1.25 - 1 of it.
    assert slow.mean == pytest.approx(0.2, rel=ROUNDING)
    assert slow.bias == pytest.approx(-0.2, rel=ROUNDING)
    assert slow.worst == pytest.approx(-0.2, rel=ROUNDING)
    assert slow.at in ("slow-2", "slow-16")


def test_fit_and_check_cases_are_apart_and_groups_come_after_the_whole() -> None:
    found = [(r.use, r.group, r.cases) for r in regimes(crossed().rows)]
    assert found == [("fit", "", 2), ("check", "", 6), ("check", "plain", 4), ("check", "slow", 2)]


def test_only_one_of_both_feasible_is_a_dispute_and_is_named_with_the_reason() -> None:
    found = crossed()
    (dispute,) = found.disputes
    assert (dispute.id, dispute.reference) == ("tight-38", False)
    assert dispute.reason == "item 37 finds no memory"
    assert found.infeasible == 1
    assert {"tight-38", "never-99"}.isdisjoint(r.id for r in found.rows)
    assert found.cases == len(found.rows) + len(found.disputes) + found.infeasible


def test_published_points_stand_beside_both() -> None:
    exact, slow = crossed().points
    assert (exact.id, exact.use, exact.quantity) == ("f2", "fit", "latency")
    assert exact.reference_error == pytest.approx(0, abs=ROUNDING)
    # Every part of f3 is run a tenth slower than the page that the point was made with.
    assert slow.reference_error == pytest.approx(0.1, rel=ROUNDING)
    assert slow.closed_error == pytest.approx(0, abs=ROUNDING)


def test_a_regime_counts_signs_sizes_and_order() -> None:
    found = regime([row(1.0, 1.1), row(2.0, 1.6), row(4.0, 4.0)])
    assert found.mean == pytest.approx(0.1)  # (0.1 + 0.2 + 0) / 3
    assert found.bias == pytest.approx(-0.1 / 3)
    assert found.worst == pytest.approx(-0.2)
    assert found.at == "at 2"
    assert found.tau == pytest.approx(1.0)
    assert regime([row(1.0, 2.0), row(2.0, 1.0)]).tau == pytest.approx(-1.0)


@pytest.mark.parametrize(("reference", "closed"), [(0.0, 1.0), (math.nan, 1.0), (1.0, math.nan)])
def test_what_has_no_finite_error_is_named_and_spoils_no_mean(
    reference: float, closed: float
) -> None:
    found = regime([row(1.0, 1.1), row(reference, closed, id="odd")])
    assert (found.cases, found.odd) == (1, ("odd",))
    assert found.mean == pytest.approx(0.1)
    alone = regime([row(reference, closed, id="odd")])
    assert alone.cases == 0
    assert math.isnan(alone.mean)
    assert alone.at == ""


def test_a_constant_side_has_no_rank_correlation() -> None:
    assert math.isnan(regime([row(1.0, 2.0), row(1.0, 3.0)]).tau)
    assert math.isnan(regime([row(1.0, 2.0)]).tau)


def test_a_case_may_give_a_file_to_both(monkeypatch: pytest.MonkeyPatch, installed: Path) -> None:
    path = installed / "items"
    path.write_text("4")
    case = Case("file", {"trace": path}, {"trace": path, "clock": 1e9})
    mechanism.install(monkeypatch.setattr, cases=lambda: [case])
    (judged,) = crossed().rows
    assert judged.reference == pytest.approx(0.044, rel=ROUNDING)
    assert judged.error == pytest.approx(0, abs=ROUNDING)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cases": lambda: [Case("a", {"itms": 1}, {})]}, "cases.a: unknown knob 'itms'"),
        ({"cases": lambda: [Case("a", {}, {"itms": 1})]}, "reference.py: a: unknown knob 'itms'"),
        ({"published": lambda: [Case("f9", {}, {})]}, "published: unknown point 'f9'"),
    ],
)
def test_a_case_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], message: str
) -> None:
    mechanism.install(monkeypatch.setattr, **changes)
    with pytest.raises(InputError) as caught:
        crossed()
    assert str(caught.value).startswith("models/toy/reference.py: ")
    assert message in f"reference.py: {caught.value}".replace("models/toy/reference.py: ", "", 1)


def test_numbers_of_numpy_are_kept_as_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(config: object) -> dict[str, object]:
        return {"batch_time": np.float64(1), "waiting": 1, "feasible": np.True_, "reason": ""}

    mechanism.install(monkeypatch.setattr, run=run)
    verbs.crossings("toy", keep=True)
    outcome = executed.kept("toy")["case slow-2"].outcome
    assert (outcome["batch_time"], outcome["feasible"]) == (1.0, True)


def test_progress_counts_every_run() -> None:
    told: list[tuple[int, int]] = []
    verbs.crossings("toy", progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 12) for done in range(1, 13)]  # ten cases, two points


def test_processes_answer_the_same_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executed, "_start_worker", mechanism.install)  # they know no toy
    assert repr(verbs.crossings("toy", jobs=2)) == repr(verbs.crossings("toy"))


def test_without_kept_answers_the_scoreboard_says_how_to_get_them() -> None:
    (card,) = verbs.scoreboard("toy")
    assert [(s.comparison, s.use, s.rows) for s in card.scores] == [
        (scores.PAPER, "fit", 3),
        (scores.PAPER, "check", 1),
    ]
    assert card.note.endswith("run 'dse validate toy --cross --write'")


def test_kept_answers_make_the_same_scoreboard_without_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (live,) = verbs.crossings("toy", keep=True)
    monkeypatch.setattr(executed, "answer", None)  # running anything would now fail
    (card,) = verbs.scoreboard("toy")
    assert card == scores.card("toy", live)
    by = {(score.comparison, score.use): score for score in card.scores}
    check = by[scores.MECHANISM, "check"]
    assert check.at in ("slow-2", "slow-16")
    assert check.rows == 6
    assert check.mape == pytest.approx(0.4 / 6, rel=ROUNDING)  # two of 20 %, four exact
    assert by[scores.EXECUTED, "fit"].at == "f3"
    assert card.note == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"cases": lambda: [*mechanism.sample(), Case("new", {}, {})]},
        {"cases": lambda: list(mechanism.sample())[1:]},
        {"published": lambda: [Case("f2", {}, {"items": 15})]},
    ],
    ids=["a further case", "a case less", "other inputs"],
)
def test_kept_answers_to_other_questions_do_not_count(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, object]
) -> None:
    verbs.crossings("toy", keep=True)
    mechanism.install(monkeypatch.setattr, **changed)
    (card,) = verbs.scoreboard("toy")
    assert "no kept answer" in card.note
    assert {score.comparison for score in card.scores} == {scores.PAPER}


def test_what_is_kept_is_read_again_as_it_was(installed: Path) -> None:
    plan = executed.Plan.of(mechanism.REFERENCE)
    (answers,) = executed.execute([plan])
    executed.write("toy", answers)
    assert executed.kept("toy").keys() == answers.keys()
    again = executed.kept("toy")["case tight-38"]
    assert again.inputs == answers["case tight-38"].inputs
    assert again.outcome["reason"] == "item 37 finds no memory"
    assert set(again.outcome) == {"batch_time", "feasible", "reason"}  # nobody judges `waiting`
    assert len((installed / "toy.json").read_text().splitlines()) == len(answers) + 2
    assert executed.stale(plan, executed.kept("toy")) == []


@pytest.mark.parametrize("text", ["{", "[1]", '{"case a": 3}', '{"case a": ["x", 3]}'])
def test_a_broken_file_of_answers_is_refused_in_one_line(installed: Path, text: str) -> None:
    (installed / "toy.json").write_text(text)
    with pytest.raises(
        InputError, match=r"holds no answers .*; make it again by 'dse validate toy"
    ):
        verbs.scoreboard("toy")


def test_the_command_prints_three_comparisons(run: Any) -> None:
    code, out, err = run("validate", "toy", "--cross")
    assert (code, err) == (0, "")
    assert "closed form against its mechanism" in out
    assert "mean > 10 %" in out
    assert "-20.00 %" in out
    assert "1 of 10 cases infeasible, the closed form does not: tight-38 (item 37 finds" in out
    assert "both call 1 of 10 cases infeasible" in out
    assert "mechanism and closed form against the paper" in out
    assert "check 6 6.67 % 20.00 %" in " ".join(out.split())
    assert "1 false-feasible of 8" in out


def test_a_mechanism_without_cases_says_so(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mechanism.install(monkeypatch.setattr, cases=None, published=None)
    assert "it names no cases" in run("validate", "toy", "--cross")[1]


def test_validate_ends_with_the_scoreboard_of_what_was_kept(run: Any) -> None:
    assert "run 'dse validate toy --cross --write'" in run("validate", "toy")[1]
    assert run("validate", "toy", "--cross", "--write")[0] == 0
    words = run("validate", "toy")[1]
    assert "check 6 6.67 % 20.00 %" in " ".join(words.split())
    assert "--write" not in words


def test_scripts_get_rows_regimes_disputes_and_points(run: Any) -> None:
    (found,) = json.loads(run("validate", "toy", "--cross", "--json")[1])
    assert (found["model"], found["cases"], found["infeasible"]) == ("toy", 10, 1)
    assert len(found["rows"]) == 8
    assert set(found["rows"][0]) == set(asdict(row(1.0, 1.0)))
    assert [regime["group"] for regime in found["regimes"]] == ["", "", "plain", "slow"]
    assert found["disputes"][0]["id"] == "tight-38"
    assert found["points"][1]["reference_error"] == pytest.approx(0.1)


def test_unknown_numbers_are_null_for_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    mechanism.install(monkeypatch.setattr, compared={"latency": "waiting"})
    text = json.dumps(crossed().as_json(), allow_nan=False)
    assert json.loads(text)["rows"][0]["reference"] is None


def test_the_python_twin_is_a_frame_of_every_metric_of_every_case() -> None:
    frame = verbs.validate("toy", cross=True)
    assert len(frame) == 8
    assert frame.groupby("group")["error"].mean()["slow"] == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["roofline", "--cross"], "'roofline' has no mechanism to execute"),
        (["toy", "--write"], "no answer of its mechanism is kept; run 'dse validate toy --cross"),
        (["tyo", "--cross"], "did you mean toy"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run: Any, words: list[str], hint: str) -> None:
    code, out, err = run("validate", *words)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert hint in err
