"""The scoreboard shows the kept errors at once, then today's; a line leads to its rows."""

import os

import pytest

from app import scored, validation
from app.context import Context
from dse import registry, scoreboard
from dse.errors import InputError
from dse.scores import EXECUTED, MECHANISM, PAPER, Coverage, Feasibility, Score

from .test_front import text_of

DFX = {"model": "dfx", "comparison": PAPER, "use": "check"}


@pytest.fixture(scope="module")
def board():
    return scored.Board()


def test_the_kept_errors_are_there_at_once():
    rows = [row for slug in registry.slugs() for row in scored.kept_rows(slug)]
    kept = scoreboard.kept("dfx").mape[PAPER]["check"]
    (found,) = (row for row in rows if all(row[k] == v for k, v in DFX.items()))
    assert found["mape"] == kept
    assert found["mape_text"] == scoreboard.percent(kept)
    assert found["tau"] is None
    shown = text_of(validation.layout(Context(), ""))
    assert "How far can each page be trusted?" in shown
    assert "as they were kept" in shown


def test_todays_scores_are_those_of_the_scoreboard(board):
    card = board.card("dfx")
    rows = [scored.board_row(score) for score in card.scores]
    heads, cells = scoreboard.table([card])
    assert len(rows) == len(cells)
    for row, cell in zip(rows, cells, strict=True):
        told = dict(zip(heads, cell, strict=True))
        assert row["mape_text"] == told["mean error"]
        assert row["bias_text"] == told["bias"]
        assert row["tau_text"] == told["order"]
        assert row["feasibility_text"] == told["wrong feasibility"]


def test_a_score_sorts_by_number_and_reads_in_words():
    score = Score(
        "toy", MECHANISM, "check", 8, 2, 0.1, 0.3, "x", -0.05, None, None, 0,
        Feasibility(5, 2, 1, 0), Coverage(9, 10, 0.55, 0.99),
    )  # fmt: skip
    row = scored.board_row(score)
    assert (row["rows"], row["rows_text"]) == (8, "8 of 10")
    assert (row["bias"], row["bias_text"]) == (-0.05, "5.00 % too little")
    assert (row["tau"], row["tau_text"]) == (None, "")
    assert row["feasibility"] == 1 / 8
    assert row["coverage_text"] == "9 of 10 (55% to 99%)"
    assert set(row) >= set(scored.COLUMNS)


def test_the_rows_of_a_line_have_source_and_error_the_worst_first(board):
    rows = scored.rows_of(board.card("dfx"), DFX)
    points = {p.id: p for p in registry.model("dfx").data.points if p.use == "check"}
    assert {row["id"] for row in rows} == set(points)
    errors = [abs(row["error"]) for row in rows]
    assert errors == sorted(errors, reverse=True)
    assert all(row["source"].startswith(points[row["id"]].number.source.where) for row in rows)


def test_rows_of_the_mechanism_say_that_they_were_executed(board):
    which = {**DFX, "comparison": MECHANISM}
    card = board.card("dfx")
    rows = scored.rows_of(card, which)
    assert rows
    assert all(row["source"].startswith("executed mechanism") for row in rows)
    chart = scored.chart_of(card, which)
    assert chart.title == "Executed against predicted"
    assert chart.x_label.startswith("Executed")
    assert len(chart.frame) == len(rows)


@pytest.mark.parametrize("comparison", [PAPER, EXECUTED])
def test_against_the_paper_all_points_are_drawn_each_kind_apart(board, comparison):
    chart = scored.chart_of(board.card("dfx"), {**DFX, "comparison": comparison})
    assert set(chart.frame["series"]) == {"fit", "check", "mechanism"}
    assert chart.frame["low"].notna().any()


def test_a_page_is_scored_once_until_its_files_change(tmp_path, monkeypatch):
    calls = []
    cards = scored.scores.cards

    def count(slugs):
        calls.append(tuple(slugs))
        return cards(slugs)

    kept = tmp_path / "scores.json"
    kept.touch()
    monkeypatch.setattr(scored.scores, "cards", count)
    monkeypatch.setattr(scored.scoreboard, "place_of", lambda slug: kept)
    board = scored.Board()
    first = board.card("roofline")
    assert board.card("roofline") is first
    os.utime(kept, (1, 1))
    assert board.card("roofline") == first
    assert calls == [("roofline",), ("roofline",)]


def test_two_servers_share_no_scores(board):
    assert scored.Board()._held == {}
    assert board._held is not scored.Board()._held


def test_a_link_names_the_line():
    asked = "?model=a3&comparison=mechanism+to+paper&use=fit"
    assert validation.chosen(asked) == {"model": "a3", "comparison": EXECUTED, "use": "fit"}
    assert validation.chosen("")["use"] == "check"


@pytest.mark.parametrize("asked", ["?model=dfy", "?comparison=nothing", "?use=chek"])
def test_a_link_to_nothing_is_refused_with_what_there_is(asked: str):
    with pytest.raises(InputError, match="unknown"):
        validation.layout(Context(), asked)


def test_the_status_names_what_has_no_score(board):
    told = validation._status([board.card("dfx"), board.card("codesign")])
    assert "Nothing to hold against: codesign." in told
