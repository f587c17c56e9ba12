import re
from dataclasses import asdict
from pathlib import Path

import pytest

from dse import registry, store
from dse.errors import InputError
from dse.search import search
from dse.store import Run
from dse.study import load
from reports import document
from reports.section import DataTable, Section
from tests.reports import made, printed
from tests.reports.conftest import Searched
from tests.reports.printed import needs_poppler

LEFTOVERS = re.compile(
    r"\bnan\b|\bNaN\b|\bNone\b|\binf\b|sys\.inputs|#let|\{|\}|__|PosixPath|array\("
)
EVIL = '#panic("x") $ x^2 $ *bold* _it_ ] [ } { \\ // /* <a> @b `c` = head -- "q" https://e.org'


@pytest.fixture(scope="module")
def run(searched: Searched) -> Run:
    return searched()


@pytest.fixture(scope="module")
def report(run: Run) -> Path:
    return document.write(run, date=made.DATE)


def titles() -> list[str]:
    return [section.title for section in document.sections()]


def test_sections_are_found_by_discovery_in_their_order():
    found = document.sections()
    assert all(isinstance(section, Section) for section in found)
    assert [s.order for s in found] == sorted({s.order for s in found})
    homes = [section.build.__module__.rpartition(".")[2] for section in found]
    assert homes[:3] == ["question", "front", "best"]


def test_every_file_of_the_folder_that_names_a_section_is_in_the_report():
    folder = Path(document.__file__).parent
    named = [
        p.stem for p in folder.glob("*.py") if "\nSECTION = " in p.read_text(encoding="utf-8")
    ]
    assert len(document.sections()) == len(named) >= 8


def test_the_report_lies_in_the_run_folder_and_nothing_else_is_left(run: Run, report: Path):
    assert report == run.path / "report.pdf"
    assert report.read_bytes().startswith(b"%PDF")
    assert [p.name for p in run.path.iterdir() if p.name.startswith(".")] == []


def test_two_builds_are_equal_to_the_byte(run: Run, report: Path, tmp_path: Path):
    again = document.write(run, date=made.DATE, path=tmp_path / "again.pdf")
    assert again.read_bytes() == report.read_bytes()


def test_another_date_makes_another_report(run: Run, report: Path, tmp_path: Path):
    other = document.write(run, date="2027-01-01", path=tmp_path / "other.pdf")
    assert other.read_bytes() != report.read_bytes()


def test_a_failed_build_leaves_the_old_report_as_it_was(
    run: Run, report: Path, monkeypatch: pytest.MonkeyPatch
):
    old = report.read_bytes()
    monkeypatch.setattr(document, "pdf", lambda content: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        document.write(run, date=made.DATE)
    assert report.read_bytes() == old


def test_a_folder_that_is_not_there_is_named(run: Run, tmp_path: Path):
    with pytest.raises(InputError, match=r"absent.*choose another --output"):
        document.write(run, date=made.DATE, path=tmp_path / "absent" / "report.pdf")


@needs_poppler
def test_the_text_holds_question_verdict_and_every_section(run: Run, report: Path):
    text = printed.text(report)
    assert run.study().question in text
    assert "meet every constraint, and no other design beats" in text
    assert [title for title in titles() if title not in text] == []
    assert made.DATE in text


@needs_poppler
def test_the_text_holds_no_leftover_of_a_template_or_of_python(report: Path):
    assert LEFTOVERS.findall(printed.text(report)) == []


@needs_poppler
def test_every_page_says_which_of_how_many_it_is(report: Path):
    pages = printed.pages(report)
    numbers = [re.findall(r"(\d+) ?/ ?(\d+)$", page.rstrip()) for page in pages]
    assert numbers == [[(str(n), str(len(pages)))] for n in range(1, len(pages) + 1)]


@needs_poppler
def test_every_font_is_embedded_and_is_one_of_typst(report: Path):
    fonts = printed.fonts(report)
    assert fonts
    assert {font["embedded"] for font in fonts} == {"yes"}
    families = {re.sub(r"^[A-Z]{6}\+", "", font["name"]).split("-")[0] for font in fonts}
    assert families <= {"LibertinusSerif", "DejaVuSansMono", "NewCMSans10", "NewComputerModern"}


@needs_poppler
def test_drawings_stay_vector(report: Path):
    assert printed.images(report) == 0


@needs_poppler
@pytest.mark.parametrize("slug", sorted(registry.data_files("studies")))
def test_every_shipped_study_has_a_clean_report(slug: str, tmp_path: Path):
    study = load(slug, search={"method": "random", "budget": 4000})
    shipped = store.create(study, output=tmp_path / slug / "run")
    search(study, shipped)
    text = printed.text(document.write(shipped, date=made.DATE))
    assert study.question in text
    assert [title for title in titles() if title not in text] == []
    assert LEFTOVERS.findall(text) == []
    assert f"dse search {slug} --method random --budget 4000 --seed 0" in text


@needs_poppler
def test_an_infeasible_run_has_a_full_report(searched: Searched):
    made_of = searched(constraints=["latency <= 1 us"])
    text = printed.text(document.write(made_of, date=made.DATE))
    assert "Not one of" in text
    assert "'latency <= 1 us' is missed by" in text
    assert [title for title in titles() if title not in text] == []
    assert LEFTOVERS.findall(text) == []


@needs_poppler
def test_user_text_is_printed_and_never_run(searched: Searched):
    made_of = searched(question=EVIL)
    text = printed.text(document.write(made_of, date=made.DATE))
    assert printed.squeezed(EVIL) in printed.squeezed(text)


@needs_poppler
@pytest.mark.parametrize("word", ["word ", "w", "#[", "…"])
def test_a_question_of_ten_thousand_letters_is_printed_in_full(searched: Searched, word: str):
    question = (word * 10_000)[:10_000].strip()
    pdf = document.write(searched(question=question), date=made.DATE)
    pages = printed.pages(pdf)
    body = [line for page in pages for line in page.splitlines()[2:-2]]
    assert printed.squeezed(question)[:9000] in printed.squeezed("".join(body))


@needs_poppler
def test_a_script_without_glyphs_is_named_and_warned_of(searched: Searched):
    made_of = searched(question="how big 机器 is enough 🙂 for Ωmega and Москва?")
    text = printed.text(document.write(made_of, date=made.DATE))
    assert "how big [2 x CJK] is enough [1 x symbol] for Ωmega and Москва?" in text
    assert "Warning: this report's fonts cover Latin, Greek and Cyrillic" in text
    assert "(CJK, symbol)" in text


@needs_poppler
def test_a_report_without_foreign_letters_carries_no_such_warning(report: Path):
    assert "fonts cover" not in printed.text(report)


@needs_poppler
def test_a_long_table_breaks_over_pages_and_repeats_its_header(tmp_path: Path):
    rows = [[f"row {n}", "value"] for n in range(200)]
    block = DataTable(["First head", "Second head"], rows, "A long table.")
    plain = {"kind": "DataTable", **asdict(block)}
    pdf = tmp_path / "long.pdf"
    pdf.write_bytes(document.pdf(page_of(plain)))
    pages = printed.pages(pdf)
    assert len(pages) > 2
    assert all(page.count("First head") == 1 for page in pages)
    assert all(f"row {n} " in "".join(pages) for n in range(200))


def page_of(*blocks: object) -> dict[str, object]:
    sections = [{"title": "Section", "blocks": list(blocks)}]
    return {"title": "t", "subtitle": "s", "date": "d", "warnings": [], "sections": sections}


@needs_poppler
def test_a_heading_never_stands_alone_at_the_foot_of_a_page(report: Path):
    for page in printed.pages(report):
        body = [line.strip() for line in page.splitlines() if line.strip()][:-1]
        assert not re.fullmatch(r"\d\s+(" + "|".join(map(re.escape, titles())) + ")", body[-1])
