"""Every page has a full, clean report of its own, from its data alone."""

import re

import pytest

from dse import cross, scoreboard, units, validate
from dse.provenance import Number
from dse.scores import PAPER
from dse.spec import knobs
from reports import paper, paper_points, printing
from reports.wording import UNSURE
from tests.reports import made, papers, printed
from tests.reports.papers import SLUGS
from tests.reports.printed import needs_poppler

LEFTOVERS = re.compile(
    r"\bnan\b|\bNaN\b|\bNone\b|\binf\b|sys\.inputs|#let|\{|\}|PosixPath|array\(|\\[a-z]+\{|`|\$[A-Za-z\\]"
)
TITLES = [
    "Question and answer",
    "Symbols",
    "Equations",
    "Assumptions and range of validity",
    "Where we differ",
    "Knobs",
    "Constants and their sources",
    "Published against predicted",
    "Scoreboard and coverage",
    "Known weak regimes",
    "The mechanism against the closed form",
    "Notes",
    "Environment and reproduction",
]
every_page = pytest.mark.parametrize("slug", SLUGS)


@needs_poppler
@every_page
def test_the_text_of_every_page_holds_every_section_and_no_leftover(slug: str):
    text, facts = printed.text(papers.path(slug)), papers.dossier(slug).page.paper
    heads = [f"{i} {title}" for i, title in enumerate(TITLES, start=1)]
    assert [head for head in heads if head not in text] == []
    for fact in (facts.title, facts.venue, facts.question, facts.doi.removeprefix("none; ")):
        assert printed.squeezed(fact) in printed.squeezed(text)
    assert LEFTOVERS.findall(text) == []


@needs_poppler
@every_page
def test_every_report_is_of_sane_length_with_numbered_pages(slug: str):
    pages = printed.pages(papers.path(slug))
    assert 5 <= len(pages) <= 15
    numbers = [re.findall(r"(\d+) ?/ ?(\d+)$", page.rstrip()) for page in pages]
    assert numbers == [[(str(n), str(len(pages)))] for n in range(1, len(pages) + 1)]


@needs_poppler
@every_page
def test_every_font_is_embedded_and_every_drawing_vector(slug: str):
    assert {font["embedded"] for font in printed.fonts(papers.path(slug))} == {"yes"}
    assert printed.images(papers.path(slug)) == 0


def test_two_builds_are_equal_to_the_byte():
    again = paper.describe("dfx", date=made.DATE)
    assert printing.pdf(again) == papers.pdf("dfx")
    assert printing.html(again).decode() == papers.html("dfx")


@every_page
def test_the_answer_is_two_sentences_with_numbers(slug: str):
    (verdict,) = (
        b["text"]
        for b in papers.section(slug, "Question and answer")
        if b.get("tone") == "verdict"
    )
    assert len(re.findall(r"\.(?: |$)", verdict)) == 2
    assert "90 % intervals in brackets" in verdict
    assert re.search(r"\d", verdict)


def test_the_answer_is_what_the_page_says_of_its_defaults():
    found = papers.dossier("dfx")
    latency, ground = float(found.result.metrics["latency"]), found.sure["latency"]
    ends = [units.show(number, "s") for number in (latency, ground.low, ground.high)]
    assert "latency is {} ({} to {})".format(*ends) in paper.reached(found)
    score = found.score(PAPER, "check")
    assert f"{100 * score.mape:.3g} % in the mean" in paper.trusted(found)


@every_page
def test_every_knob_has_its_default_bounds_and_kind(slug: str):
    page = papers.dossier(slug).page
    (table,) = papers.tables(papers.section(slug, "Knobs"))
    assert len(table["rows"]) == len(knobs(page.config))
    for row, knob in zip(table["rows"], knobs(page.config).values(), strict=True):
        number = page.data.parameters.get(knob.path)
        if number is not None and knob.catalog is None:
            assert row[2] == units.show(float(knob.default), knob.unit or "1")
            assert row[6] == number.source.kind
        if knob.bounds is not None:
            assert row[3] == units.show(knob.bounds.low, knob.unit or "1")
        assert all(isinstance(cell, str) for cell in row[1:])


@every_page
def test_exactly_the_unsure_numbers_are_marked(slug: str):
    for title, kind in (("Knobs", 6), ("Constants and their sources", 2)):
        table = papers.tables(papers.section(slug, title))[0]
        if table["header"][0] in ("Symbol", "Constant"):
            unsure = [i for i, row in enumerate(table["rows"]) if row[kind] in UNSURE]
            assert list(table["marked"]) == unsure
            assert table["mark"] == "unsure"


@every_page
def test_every_number_of_the_data_is_shown_or_counted(slug: str):
    data = papers.dossier(slug).page.data
    shown = papers.said(papers.section(slug, "Constants and their sources"))
    own = knobs(papers.dossier(slug).page.config)
    for name, number in data.parameters.items():
        if name not in own:
            assert units.show(number.value, number.unit) in shown
    for table in data.tables.values():
        count = sum(isinstance(v, Number) for row in table.values() for v in row.values())
        assert f"\n{count}\n" in f"\n{shown}\n"


@every_page
def test_fit_and_check_points_stand_apart_beside_the_mechanism(slug: str):
    found = papers.dossier(slug)
    by_use = {"fit": [], "check": []}
    for table in papers.tables(papers.section(slug, "Published against predicted")):
        by_use["fit" if "were fitted" in table["caption"] else "check"] += table["rows"]
    for row in validate.rows(slug):
        (shown,) = (cells for cells in by_use[row.use] if cells[0] == row.id)
        assert shown[2:4] == [units.show(n, row.unit) for n in (row.published, row.predicted)]
        assert shown[5] == paper_points.off(row.error)
        if row.id in found.executed:
            assert shown[6] == units.show(found.executed[row.id].reference, row.unit)
    assert sum(map(len, by_use.values())) == len(found.rows)


@every_page
def test_the_scoreboard_is_that_of_validate(slug: str):
    found = papers.dossier(slug)
    _, rows = scoreboard.table([found.card])
    tables = papers.tables(papers.section(slug, "Scoreboard and coverage"))
    if found.card.scores:
        assert [list(row) for row in tables[0]["rows"]] == [row[1:] for row in rows]
    else:
        assert not tables


@every_page
def test_every_regime_of_the_mechanism_has_a_row(slug: str):
    found = papers.dossier(slug)
    blocks = papers.section(slug, "The mechanism against the closed form")
    if found.crossing is None:
        assert "no mechanism" in papers.said(blocks)
        return
    regimes = cross.regimes(found.crossing.rows)
    (table, *_) = papers.tables(blocks)
    shown = [(row[1], row[2]) for row in table["rows"]]
    assert shown == [(regime.use, regime.group or "all") for regime in regimes]
    assert f"{found.crossing.cases} cases were executed" in papers.said(blocks)


@every_page
def test_weak_regimes_name_every_flag(slug: str):
    page = papers.dossier(slug).page
    said = papers.said(papers.section(slug, "Known weak regimes"))
    words = [*page.flags.values(), *page.remarks.values()]
    assert [text for text in words if text.replace("`", "") not in said] == []
    assert "sign of the bias" in said or "Known weak regimes" in said


@every_page
def test_every_figure_says_its_source(slug: str):
    blocks = [b for s in papers.described(slug)["sections"] for b in s["blocks"]]
    captions = [b["caption"] for b in blocks if b["kind"] == "Figure"]
    assert [text for text in captions if "Source: " not in text] == []


def test_a_page_without_points_says_so_instead_of_a_table():
    said = papers.said(papers.section("codesign", "Published against predicted"))
    assert "has no published point of its own" in said


def test_the_commands_name_the_page_and_the_date():
    said = papers.said(papers.section("dfx", "Environment and reproduction"))
    assert f"dse report --paper dfx --date {made.DATE}" in said
    assert "dse validate dfx --cross" in said
