"""How runs stand, in words."""

from pathlib import Path

import pytest

from app import progress, watched
from app.runs import State
from dse.store import Run

from .test_front import text_of

RUN = Run(Path("out/toy/first"))
GOING = State(RUN, "running", done=250_000, total=1_000_000, seconds=2.0)


def test_a_running_search_says_how_far_how_fast_and_how_long() -> None:
    assert progress.facts(GOING) == (
        "250,000 of 1,000,000 designs stored · 125,000 a second · 2 s searched · about 6 s left"
    )
    assert progress.said(GOING) == "Running."


def test_a_search_that_has_stored_nothing_promises_no_rate() -> None:
    facts = progress.facts(State(RUN, "running", total=100))
    assert facts == "0 of 100 designs stored · designs are stored every 5 s"


def test_only_a_living_search_has_time_left() -> None:
    assert progress.cells(GOING)["left"] == "6 s"
    paused = State(RUN, "paused", done=250_000, total=1_000_000, seconds=2.0)
    assert progress.cells(paused)["left"] == ""


def test_a_broken_run_says_why() -> None:
    assert progress.said(State(RUN, "broken", said="no space")) == "Broken: no space."


def test_a_run_of_a_terminal_is_paused_where_it_was_started() -> None:
    assert "Pause it where it was started" in progress.said(State(RUN, "elsewhere"))


def test_the_list_marks_the_watched_run_and_counts_what_it_leaves_out() -> None:
    table = progress.listing([GOING, State(Run(Path("out/toy/b")), "finished", 9)], 3, "toy/first")
    text = text_of(table)
    assert "toy/first" in text
    assert "3 older runs are not listed" in text
    assert str(table).count("aria-current") == 1


def test_an_empty_list_says_what_to_do() -> None:
    assert "Start one here" in text_of(progress.listing([], 0, ""))


@pytest.mark.parametrize("beside", ["", "9 designs drawn at random reach 50%."])
def test_importances_are_a_table_with_the_fronts_first_knob_on_top(beside: str) -> None:
    shares = {"latency": {"a": 0.9, "b": 0.1}, watched.FRONT: {"a": 0.25, "b": 0.75}}
    text = text_of(progress.weighed(watched.Importance(60, shares), beside))
    assert beside in text
    assert text.index("75%") < text.index("25%")
    assert "60 stored designs" in text
