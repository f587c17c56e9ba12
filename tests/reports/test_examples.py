"""Finished reports under docs/examples: small, linked, and of a question that still can be asked.

dse search docs/examples/boards.yaml --no-report -o out/boards/example
dse report out/boards/example -o docs/examples/boards.pdf --force
dse report --paper dfx -o docs/examples/dfx.pdf --force
"""

from pathlib import Path

import pytest

from dse.study import load
from tests.reports import printed
from tests.reports.printed import needs_poppler
from tests.reports.test_document import LEFTOVERS

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.pdf"))

LARGEST = 350_000
"""Bytes of an example; half of a PDF are the tags that a screen reader needs."""


def test_there_is_a_study_and_a_paper():
    assert [path.stem for path in EXAMPLES] == ["boards", "dfx"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_small_and_the_readme_links_it(path: Path):
    assert path.stat().st_size < LARGEST
    assert f"(docs/examples/{path.name})" in (ROOT / "README.md").read_text(encoding="utf-8")


@needs_poppler
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_clean_and_names_no_place_of_one_machine(path: Path):
    text = printed.text(path)
    assert LEFTOVERS.findall(text) == []
    assert "/tmp" not in text
    assert "/home" not in text


@needs_poppler
def test_the_question_of_the_example_is_the_one_in_its_file():
    study = load(str(ROOT / "docs" / "examples" / "boards.yaml"))
    assert study.question in printed.text(ROOT / "docs" / "examples" / "boards.pdf")
