"""Files that a page reads: what they stand for lies under the settings given beside them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dse import registry, verbs
from dse.errors import InputError


def halves(path: Path) -> Mapping[str, object]:
    """A reader for tests: a file with a number of items."""
    text = path.read_text()
    if not text.strip().isdigit():
        raise InputError("must hold a number of items")
    return {"items": float(text), "link": {"lanes": 4.0}}


@pytest.fixture
def reading(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy's page with a reader of item files."""
    page, known = replace(toy.TOY, readers={"trace": halves}), registry.model
    monkeypatch.setattr(registry, "model", lambda slug: page if slug == "toy" else known(slug))
    return page


def test_a_file_stands_for_the_settings_it_is_read_as(reading: Any, tmp_path: Path) -> None:
    (tmp_path / "items").write_text("16")
    answer = verbs.evaluate("toy", files={"trace": tmp_path / "items"})
    assert answer == verbs.evaluate("toy", {"items": 16, "link.lanes": 4})


def test_settings_lie_over_what_a_file_says(reading: Any, tmp_path: Path) -> None:
    (tmp_path / "items").write_text("16")
    answer = verbs.evaluate("toy", {"link.lanes": 2}, files={"trace": tmp_path / "items"})
    assert answer == verbs.evaluate("toy", {"items": 16, "link.lanes": 2})


def test_a_mistake_in_a_file_names_the_option_and_the_file(reading: Any, tmp_path: Path) -> None:
    (tmp_path / "items").write_text("many")
    with pytest.raises(InputError, match=r"--trace .*items: must hold a number"):
        verbs.evaluate("toy", files={"trace": tmp_path / "items"})


def test_a_page_without_that_reader_refuses_the_file_and_names_those_with_one(
    reading: Any, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"'dfx' reads no trace; drop --trace; .*toy"):
        verbs.evaluate("dfx", files={"trace": tmp_path / "items"})
