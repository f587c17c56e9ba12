"""One design in a terminal: value, interval, tier, and what that rests on where there is room."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from dse import show, verbs
from dse.answers import Answer


def printed(found: Answer, width: int) -> str:
    out = Console(width=width, highlight=False, record=True, file=StringIO())
    show.answer(out, found)
    return out.export_text()


def line_of(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(f"{name} "))


def test_every_metric_says_what_it_is_known_from() -> None:
    answer = verbs.evaluate("dfx")
    text = printed(answer, 200)
    for name, metric in answer["metrics"].items():
        line = line_of(text, name)
        assert ("unchecked" in line) == (metric["low"] is None)
        assert (metric["tier"] in line) == (metric["low"] is not None)


def test_an_interval_stands_beside_its_value_and_its_basis_behind_it() -> None:
    answer = verbs.evaluate("dfx", {"fpgas": 4})
    metric = answer["metrics"]["latency"]
    line = line_of(printed(answer, 200), "latency")
    assert line.split()[1:3] == ["879", "ms"]
    assert " to " in line
    assert line.rstrip().endswith(metric["basis"])


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_narrow_terminal_keeps_the_tier_and_drops_the_basis(width: int) -> None:
    text = printed(verbs.evaluate("dfx"), width)
    assert "known" in text
    assert "basis" not in text
    assert max(map(cell_len, text.splitlines())) <= width


def test_a_page_that_was_never_checked_says_so_of_every_metric(toy) -> None:
    text = printed(verbs.evaluate("toy"), 120)
    rows = [line_of(text, name) for name in toy.TOY.metrics]
    assert all("unchecked" in row for row in rows)


@pytest.mark.parametrize("slug", ["roofline", "codesign", "dnd"])
def test_no_truth_gets_an_interval(slug: str) -> None:
    line = line_of(printed(verbs.evaluate(slug), 200), "feasible")
    assert line.split() == ["feasible", "yes", "unchecked"]
