"""Every number has value, unit and source; what a data file lacks is refused by its place."""

from pathlib import Path

import numpy as np
import pytest

from dse import provenance
from dse.errors import InputError
from dse.provenance import KINDS, Source, read_number, read_sheet

WHOLE = """
paper: {title: Toys, year: 2024}
sources:
  table: {where: Table 2, kind: table}
parameters:
  rate: {value: 3.2, unit: GB/s, source: table, symbol: r, note: at 25 C}
  loss: {value: 10, unit: "%", source: {where: refit, kind: fitted}, fitted_on: [p1]}
tables:
  chips:
    small: {title: a small one, area: {value: 10, unit: mm^2, source: table}}
points:
  - {id: p1, use: fit, quantity: latency, value: 5, unit: ms, source: table, set: {chips: 2}}
  - {id: p2, use: check, quantity: latency, value: 7, unit: ms, source: table}
notes: {energy: a guess}
"""


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_sheet(text, where="models/toy/data.yaml")
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


def test_numbers_arrive_in_si_with_their_source():
    sheet = read_sheet(WHOLE, where="models/toy/data.yaml")
    rate = sheet.parameters["rate"]
    assert (rate.value, rate.unit, rate.symbol, rate.note) == (3.2e9, "B/s", "r", "at 25 C")
    assert rate.source == Source("Table 2", "table")
    assert sheet.parameters["loss"].value == pytest.approx(0.1)
    assert sheet.parameters["loss"].fitted_on == ("p1",)
    assert sheet.name == "toy"
    assert sheet.paper["year"] == "2024"
    assert sheet.notes == {"energy": "a guess"}


def test_a_row_of_a_table_holds_words_and_numbers():
    row = read_sheet(WHOLE, where="models/toy/data.yaml").tables["chips"]["small"]
    assert row["title"] == "a small one"
    assert not isinstance(row["area"], str)
    assert (row["area"].value, row["area"].unit) == (pytest.approx(1e-5), "m^2")


def test_points_keep_their_use_and_settings():
    sheet = read_sheet(WHOLE, where="models/toy/data.yaml")
    (fit,) = sheet.select("fit")
    assert (fit.id, fit.quantity, fit.number.value, fit.settings) == (
        "p1",
        "latency",
        0.005,
        {"chips": 2},
    )
    assert [point.id for point in sheet.select("check")] == ["p2"]


def test_a_default_is_a_parameter_by_name_and_an_unknown_one_is_refused():
    sheet = read_sheet(WHOLE, where="models/toy/data.yaml")
    assert np.asarray(sheet.default("rate")) == 3.2e9
    with pytest.raises(InputError, match="unknown parameter of toy 'rat'; did you mean rate"):
        sheet.default("rat")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            changed("source: table, symbol: r", "symbol: r"),
            "parameters.rate: a number needs value",
        ),
        (changed("unit: GB/s, ", ""), "parameters.rate: a number needs value, unit and source"),
        (changed("unit: GB/s", "unit: GBps"), "parameters.rate: unknown unit 'GBps'"),
        (changed("value: 3.2", "value: fast"), "rate: value must be a finite number, got 'fast'"),
        (changed("value: 3.2", "value: true"), "rate: value must be a finite number, got True"),
        (changed("value: 3.2", "value: .nan"), "rate: value must be a finite number, got nan"),
        (changed("value: 3.2", "value: .inf"), "rate: value must be a finite number, got inf"),
        (changed("source: table, sym", "source: tabel, sym"), "unknown source 'tabel'; did you"),
        (changed("kind: table", "kind: rumour"), "sources.table: unknown kind of source 'rumour'"),
        (changed("where: Table 2, ", ""), "sources.table: a source must say where the number"),
        (changed("rate: {value", "rate: 3\n  rate2: {value"), "parameters.rate: must hold 'key"),
        (changed("use: fit", "use: train"), "points[0]: unknown use of a point 'train'"),
        (changed("id: p2, ", ""), "points[1]: a point needs an id and a quantity; no ['id']"),
        (changed("quantity: latency, value: 7", "value: 7"), "no ['quantity']"),
        (changed("id: p2", "id: p1"), "points: every id stands once; rename one of ['p1']"),
        (changed("set: {chips: 2}", "set: 2"), "points[0]: must hold 'key: value' lines, got 2"),
        (changed("parameters:", "paramters:"), "unknown section 'paramters'; did you mean param"),
        (changed("notes: {energy: a guess}", "notes: a guess"), "notes: must hold 'key: value'"),
        ("points: {p1: 3}", "points: must be a list of points, got {'p1': 3}"),
        ("- 1", "must hold 'key: value' lines, got [1]"),
        ("", "must hold 'key: value' lines, got None"),
    ],
)
def test_a_broken_data_file_is_refused_by_its_place(text: str, message: str):
    line = refusal(text)
    assert line.startswith("models/toy/data.yaml: ")
    assert message in line


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_accepted(kind: str):
    given = {"value": 1, "unit": "s", "source": {"where": "here", "kind": kind}}
    assert read_number(given, {}, where="x").source.kind == kind


def test_a_page_without_sections_has_empty_ones():
    sheet = read_sheet("paper: {}", where="models/toy/data.yaml")
    assert (sheet.parameters, sheet.tables, sheet.points, sheet.notes) == ({}, {}, (), {})


def test_the_sheet_of_a_package_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "toypage").mkdir()
    (tmp_path / "toypage" / "__init__.py").touch()
    (tmp_path / "toypage" / "data.yaml").write_text(WHOLE)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert provenance.sheet("toypage") is provenance.sheet("toypage")
    assert provenance.sheet("toypage").name == "toypage"
