import unicodedata
from importlib import resources

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import document
from reports.letters import COVERED, LONGEST, foreign, printable

ALL = [chr(code) for first, last in COVERED for code in range(first, last + 1)]


def archived(text: str) -> bytes:
    """The text through the report's template as PDF/A, which refuses what no font can show."""
    template = resources.files("reports").joinpath("template.typ").read_text(encoding="utf-8")
    dated = template.replace("date: none", "date: datetime(year: 2026, month: 1, day: 1)")
    assert dated != template
    block = {"kind": "Paragraph", "text": text, "tone": "plain"}
    content = {"title": "t", "subtitle": "", "date": "", "warnings": [], "sections": []}
    content["sections"] = [{"title": "t", "blocks": [block]}]
    return typst.compile(
        dated.encode(),
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards="a-2b",
        sys_inputs={"data": document.as_json(content)},
    )


def test_typst_has_a_glyph_for_every_character_that_is_called_covered():
    assert archived(" ".join(ALL)).startswith(b"%PDF")


@pytest.mark.parametrize("letter", ["中", "あ", "🙂", "א", "\u0301", "\ue000", "\x07"])
def test_a_character_outside_the_coverage_never_reaches_the_compiler(letter: str):
    assert letter not in printable(f"a {letter} b")
    assert foreign(f"a {letter} b")


def test_a_character_that_no_font_shows_is_refused_by_the_archive_format():
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        archived("中")


def test_what_is_missing_is_named_where_it_stood():
    assert printable("run 中文 now 🙂") == "run [2 x CJK] now [1 x symbol]"
    assert foreign("run 中文 now 🙂") == {"CJK", "symbol"}


@pytest.mark.parametrize(
    "text", ["latency ≤ 5 µs", "η τ Ωμέγα", "Мощность", "naïve façade, 3 × €"]
)
def test_latin_greek_cyrillic_and_signs_stay_as_they_are(text: str):
    assert printable(text) == text
    assert foreign(text) == set()


def test_a_letter_and_its_accent_become_one_letter():
    assert printable("e\u0301") == "é"


@given(st.text())
def test_every_printable_text_holds_only_covered_characters(text: str):
    assert set(printable(text)) <= set(ALL)


@given(st.text(alphabet=st.sampled_from([c for c in ALL if unicodedata.category(c)[0] == "L"])))
def test_covered_letters_lose_nothing_but_their_decomposition(text: str):
    assert printable(text).replace("\u200b", "") == unicodedata.normalize("NFC", text)


@given(st.text())
def test_every_long_word_has_places_to_break(text: str):
    pieces = printable(text).replace("\u200b", " ").split()
    assert all(len(piece) <= LONGEST for piece in pieces)


@settings(max_examples=40)
@given(st.text())
def test_no_text_ends_the_compiler_or_prints_an_empty_box(text: str):
    assert archived(printable(text)).startswith(b"%PDF")
