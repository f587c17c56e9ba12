"""The table of designs: the front or what is selected, whole numbers below units."""

import json

import numpy as np
import pytest

from app import listing
from app.columns import Opened
from dse import interval
from dse.certainty import CHANCES, span
from dse.interval import Error
from dse.search import search
from dse.store import create

from . import toy as toys


@pytest.fixture
def opened(context):
    return context.opened()


def test_units_and_intervals_stand_in_the_header(opened):
    heads = {c["field"]: c["headerName"] for c in listing.columns(opened.study, opened.front)}
    assert heads["latency"] == "Latency [ms]"
    assert heads["memory.bandwidth"] == "Memory bandwidth [GB/s]"
    assert heads["chance_nondominated"] == "Chance to be non-dominated [%]"
    first = ["row", "front", "latency", "latency interval", "cost", "cost interval", *CHANCES]
    assert list(heads)[:9] == [*first, "chip"]


def test_the_front_is_listed_in_full_precision(opened):
    rows, said = listing.shown_rows(opened, opened.front, None)
    assert [row["latency"] for row in rows] == list(opened.front["latency"])
    assert [row["id"] for row in rows] == [str(row) for row in opened.front["row"]]
    assert {row["front"] for row in rows} == {"yes"}
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert said.startswith("12 designs of the front.")


def test_intervals_are_those_that_the_search_wrote(monkeypatch, toy, run):
    monkeypatch.setattr(
        interval, "errors", lambda slug: {("latency", ""): Error(0.1, 9, 99, 0.5, "published", 9)}
    )
    question = toys.study()
    erring = search(question, create(question, output=run.path.parent / "erring")).run
    opened = Opened(erring)
    rows, _ = listing.shown_rows(opened, opened.front, None)
    lines = {line["row"]: line for line in erring.lines("front.csv")}
    for row in rows:
        ends = [float(lines[row["id"]][f"latency_{end} [s]"]) for end in ("low", "high")]
        assert row["latency interval"] == span(*ends, "s")
        assert row["cost interval"] == "unchecked"


def test_a_selection_lists_the_fronts_designs_first(opened):
    chosen = np.union1d(opened.front["row"][3:5], [0, 1, 2])
    rows, said = listing.shown_rows(opened, opened.front, chosen)
    assert [row["row"] for row in rows[:2]] == list(opened.front["row"][3:5])
    assert {row["row"] for row in rows} == set(chosen)
    assert [row["front"] for row in rows].count("no") == len(chosen) - 2
    assert said.startswith(f"{len(chosen)} designs that are selected")


def test_a_long_selection_says_how_much_is_listed(opened, monkeypatch):
    monkeypatch.setattr(listing, "LISTED", 20)
    rows, said = listing.shown_rows(opened, opened.front, np.arange(144))
    assert len(rows) == 20
    assert said.startswith("The first 20 of 144 designs that are selected")


def test_the_unknown_is_an_empty_cell_and_the_infinite_a_word(opened):
    part = opened.front.take(np.array([0, 1]))
    part.columns["latency"][:] = [np.nan, np.inf]
    assert [row["latency"] for row in listing.rows(part, opened.study)] == [None, "infinite"]
