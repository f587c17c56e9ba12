"""The validation report: the scoreboard, the calibration of intervals, and every page's rows."""

from typing import Any

import pytest

from dse import scoreboard, validate
from reports import printing, validated
from tests.reports import made, papers, printed
from tests.reports.printed import needs_poppler
from tests.reports.test_paper import LEFTOVERS

SLUGS = ("a3", "codesign", "dfx", "oneshot")
"""Pages of every kind: with and without points, mechanism and published points executed."""


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return validated.described([papers.dossier(slug) for slug in SLUGS], date=made.DATE)


@pytest.fixture(scope="module")
def sections(described: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {section["title"]: section["blocks"] for section in described["sections"]}


def test_the_board_is_what_validate_prints(sections: dict[str, list[dict[str, Any]]]):
    (board,) = papers.tables(sections["Scoreboard"])
    _, rows = scoreboard.table([papers.dossier(slug).card for slug in SLUGS])
    assert [list(row) for row in board["rows"]] == rows


def test_the_verdict_counts_points_and_cases(sections: dict[str, list[dict[str, Any]]]):
    rows = [row for slug in SLUGS for row in validate.rows(slug)]
    checks = sum(row.use == "check" for row in rows)
    said = papers.said(sections["Scoreboard"])
    assert f"4 pages were held against {len(rows)} published points" in said
    assert f"no constant has seen {checks}" in said


def test_intervals_are_held_to_their_word_in_one_chart(sections: dict[str, list[dict[str, Any]]]):
    (figure,) = sections["Do intervals hold what they promise?"]
    assert figure["kind"] == "Figure"
    assert "Source: " in figure["caption"]


@pytest.mark.parametrize("slug", SLUGS)
def test_every_row_of_every_page_is_there(slug: str, sections: dict[str, list[dict[str, Any]]]):
    said = papers.said(sections[f"Page '{slug}'"])
    assert [row.id for row in validate.rows(slug) if row.id not in said] == []


@needs_poppler
def test_it_prints_without_a_leftover(described: dict[str, Any], tmp_path):
    path = tmp_path / "validation.pdf"
    path.write_bytes(printing.pdf(described))
    text = printed.text(path)
    assert LEFTOVERS.findall(text) == []
    assert [s["title"] for s in described["sections"] if s["title"] not in text] == []
    assert printing.pdf(described) == path.read_bytes()


def test_all_pages_are_gathered_and_the_caller_is_told(monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(validated, "gather", lambda slug, date: slug)
    monkeypatch.setattr(validated, "described", lambda found, date: {"pages": found})
    found = validated.describe(date=made.DATE, tick=lambda *step: told.append(step))
    assert found == {"pages": list(papers.SLUGS)}
    assert told == [(n, len(papers.SLUGS)) for n in range(1, len(papers.SLUGS) + 1)]
