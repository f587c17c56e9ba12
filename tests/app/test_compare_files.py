"""Files of a comparison: designs that eval prices alike, the table in full, figures."""

import csv
import io
from pathlib import Path

import pytest

from app import compare, compare_files, compared
from app.context import Context
from dse import registry, verbs
from dse.errors import InputError

from .test_compared import THREE


def test_each_design_is_saved_as_what_eval_gives_the_same_values_of(context, tmp_path: Path):
    found = compared.compared(context, ["balanced", "row:17", *THREE])
    for design, held in zip(found.shown, found.found.answers, strict=True):
        file = compare_files.single(found, design.name)
        path = tmp_path / file["filename"]
        path.write_text(file["content"])
        assert verbs.evaluate(path) == held


def test_a_design_at_a_persons_own_prices_is_saved_with_them(tmp_path: Path):
    own = tmp_path / "own.yaml"
    own.write_text("date: 2026-12-01\nprices:\n  t4: {value: 12345, unit: USD}\n")
    names = ["codesign:serve.gpu=t4", "codesign"]
    with registry.priced_by(own):
        found = compared.compared(Context(), names)
        file = compare_files.single(found, names[0])
    path = tmp_path / file["filename"]
    path.write_text(file["content"])
    alone, shipped = verbs.evaluate(path), verbs.evaluate("codesign", {"serve.gpu": "t4"})
    assert alone["metrics"] == found.found.answers[0]["metrics"]
    assert alone["metrics"]["cost"] != shipped["metrics"]["cost"]


def test_the_csv_holds_every_number_in_full_with_units_in_its_header(context):
    found = compared.compared(context, THREE)
    text = compare_files.whole(context, found, "table")["content"]
    rows = list(csv.DictReader(io.StringIO(text)))
    for row, held in zip(rows, found.found.answers, strict=True):
        assert float(row["latency [s]"]) == held["metrics"]["latency"]["value"]
        assert row["latency_low [s]"] == ""  # nothing of the toy was checked
        assert row["latency_tier"] == "unchecked"
        assert float(row["terms.memory [s]"]) == held["terms"]["memory"]
    assert [row["requests [request]"] for row in rows] == ["4.0", "2.0", "4.0"]


def test_figures_are_saved_as_svg(context):
    found = compared.compared(context, THREE)
    for kind in compare.KINDS:
        file = compare_files.whole(context, found, kind)
        assert file["content"].startswith("<?xml")
        assert file["filename"] == f"compare-toy-{kind}.svg"


def test_there_is_nothing_to_save_before_there_is_a_comparison(context):
    found = compared.compared(context, ["toy"])
    with pytest.raises(InputError, match="add a second design"):
        compare_files.whole(context, found, "table")
