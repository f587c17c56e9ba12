"""The table of best designs: values, intervals and chances as the run has them."""

import numpy as np
import pytest

from app import best
from app.context import Context
from dse import interval
from dse.certainty import chance, span
from dse.interval import Error
from dse.search import search
from dse.store import create

from . import toy as toys
from .test_controls import walk
from .test_front import text_of


@pytest.fixture
def erring(monkeypatch) -> None:
    """The toy's latency was checked, its cost was not."""
    error = Error(0.1, 9, 99, 0.5, "published", np.inf)
    monkeypatch.setattr(interval, "errors", lambda slug: {("latency", ""): error})


def lines(context: Context) -> dict[str, list[str]]:
    """Rows of the table by their first cell."""
    rows = [part for part in walk(best.panel(context.opened())) if type(part).__name__ == "Tr"][1:]
    return {
        row.children[0].children: [text_of(cell).strip() for cell in row.children[1:]]
        for row in rows
    }


def test_values_stand_over_their_intervals_as_the_run_wrote_them(erring, run):
    found = lines(Context(run))
    written = run.lines("best.csv")
    assert found["Latency"][0] == "published"
    for cell, line in zip(found["Latency"][1:], written, strict=True):
        assert span(float(line["latency_low [s]"]), float(line["latency_high [s]"]), "s") in cell


def test_chances_are_those_that_the_search_wrote(erring, run):
    found = lines(Context(run))
    for name, said in (
        ("chance_nondominated", "Chance to be non-dominated"),
        ("chance_constraints", "Chance to meet all constraints"),
    ):
        written = [chance(float(line[f"{name} [1]"])) for line in run.lines("best.csv")]
        assert found[said][1:] == written


def test_what_nobody_checked_is_called_so_and_has_no_interval(context):
    found = lines(context)
    assert {found["Latency"][0], found["Cost"][0]} == {"unchecked"}
    assert not any(" to " in cell for cell in found["Latency"])


def test_the_name_of_a_design_opens_it(context):
    links = [part for part in walk(best.panel(context.opened())) if type(part).__name__ == "A"]
    assert [link.children.lower() for link in links] == list(context.opened().why)
    assert all(link.href.startswith("/design?model=toy&") for link in links)
    assert all("run=toy/first" in link.href for link in links)


def test_without_best_designs_the_panel_is_hidden(toy, tmp_path):
    question = toys.study(constraints=["latency <= 1 us"])
    none = Context(search(question, create(question, output=tmp_path / "toy" / "none")).run)
    assert best.panel(none.opened()).hidden
    assert not lines(none)
