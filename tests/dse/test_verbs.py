"""Files that a page reads: what they stand for lies under the settings given beside them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dse import documents, registry, verbs
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


@pytest.mark.parametrize("kind", [str, Path])
def test_a_trace_may_be_text_or_a_path(reading: Any, tmp_path: Path, kind: Any) -> None:
    (tmp_path / "items").write_text("2")
    answer = verbs.evaluate("toy", files={"trace": kind(tmp_path / "items")})
    assert answer == verbs.evaluate("toy", {"items": 2, "link.lanes": 4})


@pytest.mark.parametrize("kind", [str, Path])
def test_a_study_a_run_and_a_report_may_be_text_or_a_path(
    toy: Any, tmp_path: Path, kind: Any
) -> None:
    question, folder = tmp_path / "question.yaml", tmp_path / "run"
    question.write_text(documents.dump(toy.document()))
    outcome = verbs.search(kind(question), budget=8, output=kind(folder))
    assert outcome.run.path == folder
    assert verbs.search("", resume=kind(folder)).run.path == folder
    assert len(verbs.front(kind(folder))) == outcome.archive.size
    printed = verbs.report(outcome.run, date="2026-11-23", path=kind(tmp_path / "a.pdf"))
    assert printed == tmp_path / "a.pdf"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_design_file_may_be_text_or_a_path(toy: Any, tmp_path: Path, kind: Any) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("model: toy\nset: {chips: 4}\n")
    answer = verbs.evaluate(kind(file))
    assert answer == verbs.evaluate("toy", {"chips": 4})
    assert list(verbs.compare([kind(file), "toy"]).index) == [str(file), "toy"]


@pytest.mark.parametrize("kind", [str, Path])
def test_an_imported_config_may_be_text_or_a_path(tmp_path: Path, kind: Any) -> None:
    source, output = tmp_path / "config.json", tmp_path / "mine.yaml"
    shape = {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 100, "n_positions": 32}
    source.write_text(json.dumps({"model_type": "gpt2", "_name_or_path": "mine", **shape}))
    made = verbs.import_workload(kind(source), name="mine", output=kind(output))
    assert made["file"] == str(output)
    assert output.exists()
