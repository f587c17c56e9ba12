"""The HTML report says what the PDF says, asks for nothing, and never runs a text."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dse.exposition import Maths
from dse.formula import formula
from reports import document, printing
from reports.formulas import RichFacts, RichParagraph, RichTable, rich
from reports.section import DataTable, Facts, Figure, Paragraph
from tests.reports import made, papers, printed
from tests.reports.conftest import Searched
from tests.reports.papers import SLUGS
from tests.reports.printed import needs_poppler

EVIL = (
    "</p><script>alert(1)</script><img src='https://e.org/x' onerror=x> "
    '{{ 7*7 }} {% x %} &amp; " ` <!--'
)
DIGITS = re.compile(r"\d+")


class _Read(HTMLParser):
    """The words a reader sees, and every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.unseen += tag in ("style", "svg", "title")

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in ("style", "svg", "title")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.words.append(data)


def read(page: str) -> _Read:
    found = _Read()
    found.feed(page)
    return found


def page_of(*blocks: object) -> dict[str, object]:
    return printing.content(
        kind="Report", title="t", subtitle="s", date="d", parts=[("Section", list(blocks))]
    )


def digits(text: str) -> Counter[str]:
    """Every run of digits; a line may break at the other letters of a number."""
    return Counter(DIGITS.findall(text.replace("\u200b", "")))


@needs_poppler
@pytest.mark.parametrize("slug", SLUGS)
def test_both_forms_hold_the_same_numbers(slug: str):
    screen = digits("\n".join(read(papers.html(slug)).words))
    paper = digits(printed.body(papers.path(slug)))
    sections = papers.described(slug)["sections"]
    heads = [head for s in sections for t in papers.tables(s["blocks"]) for head in t["header"]]
    assert screen.total() > 500
    assert screen - paper == Counter()
    assert set(paper - screen) <= set(digits("\n".join(heads)))  # repeated on each page


@needs_poppler
@pytest.mark.parametrize("slug", SLUGS)
def test_both_forms_hold_every_text(slug: str):
    screen = printed.squeezed("".join(read(papers.html(slug)).words))
    paper = printed.squeezed(printed.text(papers.path(slug)))
    for title in (s["title"] for s in papers.described(slug)["sections"]):
        assert printed.squeezed(title) in screen
        assert printed.squeezed(title) in paper
    for block in (b for s in papers.described(slug)["sections"] for b in s["blocks"]):
        said = [text for text in printing.texts(block) if text not in (block["kind"], "unsure")]
        assert [text for text in said if printed.squeezed(text) not in screen + str(block)] == []


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_asks_for_nothing_and_runs_nothing(slug: str):
    found = read(papers.html(slug))
    tags = {tag for tag, _ in found.tags}
    assert not tags & {"script", "iframe", "object", "embed", "img", "audio", "video", "form"}
    for _, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))
    assert "default-src 'none'" in papers.html(slug)
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", papers.html(slug)))
    assert {a for a in addresses if not a.startswith("http://www.w3.org/")} <= _said(slug)


def _said(slug: str) -> set[str]:
    """Addresses that stand in the report as text."""
    said = " ".join(printing.texts(papers.described(slug)))
    return set(re.findall(r"https?://[^\s\"'<>]+", said))


def test_no_name_stands_twice_in_a_page():
    names = [a["id"] for _, a in read(papers.html("dfx")).tags if "id" in a]
    assert names
    assert len(names) == len(set(names))


def test_every_drawing_is_there_and_well_formed():
    drawings = re.findall(r"<svg.*?</svg>", papers.html("dfx"), re.DOTALL)
    blocks = [b for s in papers.described("dfx")["sections"] for b in s["blocks"]]
    assert len(drawings) > sum(b["kind"] == "Figure" for b in blocks) > 0
    for svg in drawings:
        ElementTree.fromstring(svg)


def test_text_is_data_in_every_block():
    table = DataTable([EVIL], [[EVIL]], EVIL, marked=[0])
    formulas = rich((EVIL, Maths("x"), EVIL))
    blocks = (
        *(Paragraph(EVIL, tone) for tone in ("plain", "quote", "verdict", "warning", "code")),
        Facts([(EVIL, EVIL)]),
        table,
        Figure("<svg></svg>", EVIL),
        RichParagraph(formulas),
        RichFacts([(EVIL, formulas)]),
        RichTable([EVIL], [[formulas]], EVIL),
    )
    found = read(printing.html(page_of(*blocks)).decode())
    assert not {tag for tag, _ in found.tags} & {"script", "img"}
    assert not [name for _, attributes in found.tags for name in attributes if name == "onerror"]
    assert "".join(found.words).count(EVIL) == 5 + 2 + 3 + 1 + 2 + 3 + 4


@needs_poppler
def test_the_same_text_is_data_for_typst_too(tmp_path: Path):
    evil = '#panic("x") $x^2$ *bold* _it_ ] [ } { \\ // /* <a> @b `c`'
    formulas = rich((evil, Maths("x"), evil))
    blocks = (
        RichParagraph(formulas),
        RichFacts([(evil, formulas)]),
        RichTable([evil], [[formulas]], evil),
    )
    path = tmp_path / "evil.pdf"
    path.write_bytes(printing.pdf(page_of(*blocks)))
    assert printed.squeezed(printed.text(path)).count(printed.squeezed(evil)) == 2 + 3 + 4


def test_a_formula_stands_on_its_line_and_says_its_latex():
    block = RichParagraph(rich(("a ", Maths(r"\frac{a}{b}"), " b")))
    page = printing.html(page_of(block)).decode()
    (span,) = (a for tag, a in read(page).tags if a.get("class") == "formula")
    drawn = formula(r"\frac{a}{b}")
    assert span["aria-label"] == r"\frac{a}{b}"
    assert f"height: {drawn.height}em" in str(span["style"])
    assert "a <span" in page
    assert "</span> b" in page


def test_other_scripts_stay_as_they_are_on_a_screen():
    assert "机器" in printing.html(page_of(Paragraph("机器"))).decode()


def test_a_run_has_the_same_sections_on_a_screen(searched: Searched, tmp_path: Path):
    run = searched()
    page = document.write(run, date=made.DATE, form="html")
    assert page == run.path / "report.html"
    found = "".join(read(page.read_text(encoding="utf-8")).words)
    assert run.study().question in found
    assert [s.title for s in document.sections() if s.title not in found] == []
    again = document.write(run, date=made.DATE, path=tmp_path / "again.html")
    assert again.read_bytes() == page.read_bytes()
