"""The scoreboard as files, as the README has it, and as what a later day is compared with."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse import cli, executed, interval, scoreboard, scores, verbs
from dse.errors import InputError
from dse.scoreboard import Kept
from dse.scores import Card, Coverage, Feasibility
from tests.dse import toy_mechanism as mechanism


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The toy with its mechanism; answers and scores are kept in an empty folder."""
    mechanism.install(monkeypatch.setattr)
    monkeypatch.setattr(executed, "place_of", lambda slug: tmp_path / f"{slug}.json")
    monkeypatch.setattr(scoreboard, "place_of", lambda slug: tmp_path / f"{slug}-scores.json")
    monkeypatch.setattr(interval, "place_of", lambda slug: tmp_path / f"{slug}-errors.yaml")
    interval.forget()
    yield tmp_path
    interval.forget()


@pytest.fixture
def card() -> Card:
    (crossed,) = verbs.crossings("toy", keep=True)
    return scores.card("toy", crossed)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["validate", *map(str, arguments)])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def refused(ended: tuple[int, str, str]) -> str:
    """The one line of a refusal."""
    code, out, err = ended
    assert (code, out, err.count("\n")) == (2, "", 1), err
    return err


def test_the_table_has_a_row_for_each_comparison_and_use(card: Card) -> None:
    heads, rows = scoreboard.table([card])
    assert heads[-1] == "wrong feasibility"  # no coverage is known, so it has no column
    assert [row[:3] for row in rows] == [
        ["toy", "closed form to paper, fit", "3"],
        ["toy", "closed form to paper, check", "1"],
        ["toy", "closed form to mechanism, fit", "2"],
        ["toy", "closed form to mechanism, check", "6"],
        ["toy", "mechanism to paper, fit", "2"],
    ]
    by_head = dict(zip(heads, rows[3], strict=True))
    assert (by_head["mean error"], by_head["worst"]) == ("6.67 %", "20.00 %")
    assert by_head["bias"] == "7.17 % too little"  # 0.8 ** (2 / 6) - 1
    assert by_head["wrong feasibility"] == "1 false-feasible of 8"


def test_coverage_has_a_column_as_soon_as_one_is_known(card: Card) -> None:
    covered = replace(card.scores[0], coverage=Coverage(3, 4, 0.194, 0.994))
    heads, rows = scoreboard.table([replace(card, scores=(covered, *card.scores[1:]))])
    assert heads[-1] == "in the 90 % interval"
    assert [row[-1] for row in rows[:2]] == ["3 of 4 (19 to 99 %)", ""]


def test_rows_without_an_error_are_counted_beside_the_others(card: Card) -> None:
    odd = replace(card.scores[0], odd=2)
    assert scoreboard.table([replace(card, scores=(odd,))])[1][0][2] == "3 of 5"


@pytest.mark.parametrize(
    ("bias", "words"),
    [(0.1, "10.00 % too much"), (-0.5, "50.00 % too little"), (-1e-9, "none"), (None, "")],
)
def test_a_bias_says_its_direction_in_words(bias: float | None, words: str) -> None:
    assert scoreboard.tendency(bias) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Feasibility(5, 2, 0, 0), "0 of 7"),
        (Feasibility(5, 2, 1, 2), "1 false-infeasible, 2 false-feasible of 10"),
        (None, ""),
    ],
)
def test_feasibility_says_how_it_is_wrong(found: Feasibility | None, words: str) -> None:
    assert scoreboard.mistaken(found) == words


def test_markdown_is_one_table_with_empty_cells_where_nothing_is_known(card: Card) -> None:
    lines = scoreboard.markdown([card, Card("bare", (), (), {})]).splitlines()
    assert lines[0].startswith("| page | compared | rows | mean error |")
    assert lines[1] == "|" + " --- |" * 9
    assert lines[2].startswith("| `toy` | closed form to paper, fit | 3 | 0.00 % |")
    assert lines[-1] == "| `bare` " + "| " * 8 + "|"
    assert {line.count("|") for line in lines} == {10}


def test_the_command_writes_all_four_files_and_pandas_reads_them(
    run: Any, tmp_path: Path, card: Card
) -> None:
    code, out, err = run("toy", "--output", tmp_path / "board")
    assert (code, out) == (0, "")
    assert "scoreboard.csv, scoreboard.json, scoreboard.md, rows.csv written to" in err
    frame = pd.read_csv(tmp_path / "board" / "scoreboard.csv")
    assert list(frame["rows"]) == [3, 1, 2, 6, 2]
    assert frame["mape [1]"][3] == pytest.approx(0.4 / 6)
    assert frame["feasibility false_feasible"][3] == 1
    assert frame["coverage covered"].isna().all()
    rows = pd.read_csv(tmp_path / "board" / "rows.csv")
    assert len(rows) == len(card.pairs)
    assert rows["error [1]"].to_list() == pytest.approx([pair.error for pair in card.pairs])
    (page,) = json.loads((tmp_path / "board" / "scoreboard.json").read_text())
    assert page["scores"][0]["tau"] is None
    assert page["scores"][3]["feasibility"]["false_feasible"] == 1
    assert (tmp_path / "board" / "scoreboard.md").read_text() == scoreboard.markdown([card])


def test_cross_writes_the_scores_of_this_very_run(run: Any, tmp_path: Path) -> None:
    assert run("toy", "--cross", "--output", tmp_path / "board", "--jobs", "1")[0] == 0
    frame = pd.read_csv(tmp_path / "board" / "scoreboard.csv")
    assert set(frame["comparison"]) == {scores.PAPER, scores.MECHANISM, scores.EXECUTED}
    assert not (tmp_path / "toy.json").exists()


def test_a_file_in_the_way_is_kept_and_nothing_is_written(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "scoreboard.md").write_text("mine")
    assert "scoreboard.md exists; choose another --output" in refused(
        run("toy", "--output", folder)
    )
    assert "exists" in refused(run("toy", "--cross", "--write", "--jobs", "1", "--output", folder))
    assert not (tmp_path / "toy.json").exists()  # nothing was run in vain
    assert [path.name for path in folder.iterdir()] == ["scoreboard.md"]
    assert (folder / "scoreboard.md").read_text() == "mine"


def test_a_disk_that_fails_in_between_leaves_nothing(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file = scoreboard.documents.replace

    def failing(path: Path, content: str) -> None:
        if path.name == "rows.csv":
            raise OSError(28, "No space left on device", str(path))
        replace_file(path, content)

    monkeypatch.setattr(scoreboard.documents, "replace", failing)
    assert "rows.csv: No space left on device" in refused(
        run("toy", "--output", tmp_path / "board")
    )
    assert list((tmp_path / "board").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "choose another --output" in refused(run("toy", "--output", tmp_path / "file" / "in"))


def test_published_designs_that_the_page_calls_infeasible_are_named(run: Any) -> None:
    assert "toy calls infeasible what was published: c1\n" in run("toy")[1]


def test_markdown_is_all_that_is_printed(run: Any, card: Card) -> None:
    assert run("toy", "--markdown") == (0, scoreboard.markdown([card]), "")


def test_what_is_kept_is_read_again(card: Card) -> None:
    path, errors = scoreboard.keep(["toy"])
    then = scoreboard.kept("toy")
    assert (path.name, errors.name) == ("toy-scores.json", "toy-errors.yaml")
    assert then.worked == card.worked
    assert then.mape[scores.MECHANISM]["check"] == pytest.approx(0.4 / 6, rel=1e-5)  # six digits
    assert scoreboard.broken(then, card) == []
    assert scoreboard.unkept(then, card) == []
    assert scoreboard.drift(then, card) == []


def test_write_keeps_answers_and_scores(run: Any, installed: Path) -> None:
    code, _, err = run("toy", "--cross", "--write", "--jobs", "1")
    written = [installed / name for name in ("toy-scores.json", "toy-errors.yaml")]
    assert (code, err) == (0, "".join(f"wrote {path}\n" for path in written))
    assert (installed / "toy.json").exists()
    assert run("toy", "--write")[0] == 0


def test_scores_are_not_kept_without_their_mechanism(run: Any, installed: Path) -> None:
    assert "toy: no answer of its mechanism is kept; run" in refused(run("toy", "--write"))
    assert list(installed.iterdir()) == []


def test_a_row_that_stops_working_is_broken_and_a_lost_one_too(card: Card) -> None:
    then = Kept({}, card.worked)
    cases = card.worked[scores.MECHANISM]
    fewer = {name: works for name, works in cases.items() if name != "slow-16"}
    worse = {**card.worked, scores.MECHANISM: {**fewer, "slow-2": False}}
    assert scoreboard.broken(then, replace(card, worked=worse)) == [
        "toy, closed form to mechanism, slow-2: no longer works",
        "toy, closed form to mechanism, slow-16: is gone",
    ]
    gone = {scores.PAPER: card.worked[scores.PAPER]}
    worked = sum(cases.values()) + len(card.worked[scores.EXECUTED])
    assert len(scoreboard.broken(then, replace(card, worked=gone))) == worked


def test_a_row_that_never_worked_may_go_on_failing_or_begin_to_work(card: Card) -> None:
    then = Kept({}, {scores.MECHANISM: {"tight-38": False}})
    assert scoreboard.broken(then, card) == []
    repaired = replace(card, worked={scores.MECHANISM: {"tight-38": True}})
    assert scoreboard.broken(then, repaired) == []


def test_a_new_row_is_not_kept_yet(card: Card) -> None:
    then = Kept({}, {**card.worked, scores.PAPER: {"f1": True}})
    assert scoreboard.unkept(then, card) == [
        f"toy, closed form to paper, {name}" for name in ("f2", "f3", "c1")
    ]
    assert len(scoreboard.unkept(scoreboard.kept("toy"), card)) == 16  # 4 points, 10 cases, 2 runs


def test_drift_tells_before_and_after_where_two_digits_show_it(card: Card) -> None:
    then = Kept(
        {scores.MECHANISM: {"check": 0.05, "fit": 1e-9}, scores.EXECUTED: {"check": 0.1}}, {}
    )
    assert scoreboard.drift(then, card) == [
        "toy, closed form to mechanism, check: mean error 5.00 % -> 6.67 %",
        "toy, mechanism to paper, check: mean error 10.00 % -> unknown",
    ]


@pytest.mark.parametrize("text", ["{", "[1]", '{"mape": {}}', '{"mape": {}, "wrked": {}}'])
def test_a_broken_file_of_scores_is_refused_in_one_line(installed: Path, text: str) -> None:
    (installed / "toy-scores.json").write_text(text)
    with pytest.raises(
        InputError, match=r"holds no scores .*; make it again by 'dse validate toy"
    ):
        scoreboard.kept("toy")


def test_what_is_unknown_is_empty_in_the_rows(card: Card) -> None:
    odd = replace(card.pairs[0], predicted=float("nan"))
    zero = replace(card.pairs[1], reference=0.0)
    texts = scoreboard.files([replace(card, pairs=(odd, zero))])
    frame = pd.read_csv(io.StringIO(texts["rows.csv"]), dtype=str, keep_default_na=False)
    assert frame["predicted"][0] == ""
    assert list(frame["error [1]"]) == ["", ""]


def test_a_page_without_rows_has_files_with_heads_only() -> None:
    texts = scoreboard.files([Card("bare", (), (), {})])
    assert json.loads(texts["scoreboard.json"]) == [{"model": "bare", "note": "", "scores": []}]
    for name in ("rows.csv", "scoreboard.csv"):
        frame = pd.read_csv(io.StringIO(texts[name]))
        assert len(frame) == 0
        assert frame.columns[0] == "model"
