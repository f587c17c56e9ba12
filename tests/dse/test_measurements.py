"""A CSV file of measurements, read cell by cell, and priced as arrays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dse import measurements, registry, units
from dse.errors import InputError
from dse.measurements import Measurement, priceable, read
from tests.dse import toy_mechanism as mechanism

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    mechanism.install(monkeypatch.setattr)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines into a file."""

    def made(*lines: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "mine.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return made


def rows(path: Path) -> list[Measurement]:
    return read(registry.model("toy"), path)


def told(path: Path) -> str:
    """The refusal of a file, after its name."""
    with pytest.raises(InputError) as caught:
        rows(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(str(path))


def test_settings_and_measurements_are_read_in_si(write: Write) -> None:
    path = write(
        "id,chip,items,link.bandwidth [GB/s],latency [ms]", "a,large,4,3.2,5", "b,tiny,8,6,7"
    )
    assert rows(path) == [
        Measurement(
            line=2,
            id="a",
            group="",
            ran=True,
            settings={"chip": "large", "items": 4.0, "link.bandwidth": 3.2e9},
            values={"latency": 0.005},
        ),
        Measurement(
            line=3,
            id="b",
            group="",
            ran=True,
            settings={"chip": "tiny", "items": 8.0, "link.bandwidth": 6e9},
            values={"latency": 0.007},
        ),
    ]


@pytest.mark.parametrize(
    ("head", "cell", "value"),
    [
        ("latency", "0.005", 0.005),
        ("latency", "5 ms", 0.005),
        ("latency [ms]", "5", 0.005),
        ("latency [ms]", "0.005 s", 0.005),
        ("latency[ms]", '"1,200"', 1.2),
        ("utilisation [%]", "40", 0.4),
        ("utilisation", "40 %", 0.4),
        ("throughput [1/s]", "1e3", 1000.0),
    ],
)
def test_a_unit_stands_in_the_head_or_in_the_cell(
    write: Write, head: str, cell: str, value: float
) -> None:
    (row,) = rows(write(f"items,{head}", f"4,{cell}"))
    assert list(row.values.values()) == pytest.approx([value], rel=1e-15)


def test_empty_cells_leave_defaults_and_unmeasured_metrics(write: Write) -> None:
    for line in ("4,,0.1,", "4,,0.1"):  # a spreadsheet may drop the last commas
        (row,) = rows(write("items,clock,latency,energy", line))
        assert row.settings == {"items": 4.0}
        assert row.values == {"latency": 0.1}


def test_empty_lines_are_passed_over_and_lines_keep_their_numbers(write: Write) -> None:
    found = rows(write("items,latency", "4,0.1", "", ",", "8,0.2", ""))
    assert [(row.line, row.id) for row in found] == [(2, "line 2"), (5, "line 5")]


def test_a_row_may_say_that_it_failed(write: Write) -> None:
    found = rows(write("items,latency,feasible", "4,0.1,yes", "99,,no", "8,0.1,"))
    assert [row.ran for row in found] == [True, False, True]
    assert [row.values for row in found] == [{"latency": 0.1}, {}, {"latency": 0.1}]


def test_groups_and_spaces_and_a_mark_of_byte_order_are_read(write: Write) -> None:
    path = write("group, items ,latency", "one, 4, 0.1", encoding="utf-8-sig")
    (row,) = rows(path)
    assert (row.group, row.settings) == ("one", {"items": 4.0})


def test_a_kind_of_file_is_a_column_of_paths(write: Write, tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("4")
    path = write("trace,latency", f"{tmp_path / 'trace'},0.1")
    covered, _ = priceable(registry.model("toy"), path, {})
    assert covered.configs[0].items == 4.0  # type: ignore[attr-defined]  # the toy's


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["itms,latency", "4,1"],
            ":1: 'itms' is neither a knob nor a metric of 'toy'; did you mean",
        ),
        (["items;latency", "4;1"], "separate columns by commas"),
        (["items,latncy", "4,1"], "did you mean latency?"),
        (["items,chips", "4,1"], ":1: no column is a measured metric of 'toy': latency, through"),
        (["items,feasible", "4,1"], ":1: no column is a measured metric"),
        (["items,latency,items", "4,1,4"], ":1: column 'items' stands twice; drop one"),
        (["items,latency [GB]", "4,1"], ":1: column 'latency': [GB] measures B, not s"),
        (["items,latency [parsecs]", "4,1"], ":1: column 'latency': unknown unit 'parsecs'"),
        (["chip [GB],latency", "tiny,1"], ":1: column 'chip': holds names, which have no unit"),
        (["items,latency", "4,1,5"], ": not readable as CSV: Expected 2 fields in line 2, saw 3"),
        (["items,latency", "4,fast"], ":2: latency: 'fast' is not a quantity in s"),
        (["items,latency", "4,1 GB"], ":2: latency: '1 GB' is not a quantity in s"),
        (["items,latency", "4,nan"], ":2: latency: 'nan' is not a quantity in s"),
        (["items,latency [ms]", "4,1e999"], ":2: latency: '1e999 ms' is not a quantity in s"),
        (["items,latency", "four,1"], ":2: items: 'four' is not a number"),
        (["items,latency", "4,"], ":2: nothing was measured; fill a metric or drop the line"),
        (["items,latency,feasible", "4,1,no"], ":2: called infeasible, yet latency was measured"),
        (["items,latency,feasible", "4,1,maybe"], ":2: feasible: 'maybe' is none of 1, true, yes"),
        (["items,latency", '"4', '5",1'], ":2: a cell goes on over several lines"),
        (["items,latency"], ": holds no row below its column names"),
        ([""], ": not readable as CSV"),
        (["items,latency", '"4,1'], ": not readable as CSV"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(
    write: Write, lines: list[str], message: str
) -> None:
    assert message in told(write(*lines))


def test_what_is_no_text_and_what_is_not_there_is_refused(write: Write, tmp_path: Path) -> None:
    assert "not UTF-8 text" in told(write("items,latency", "4,µ", encoding="latin-1"))
    assert "give an existing file" in told(tmp_path / "none.csv")
    assert "give an existing file" in told(tmp_path)


def test_rows_priced_as_arrays_are_the_rows_priced_alone(write: Write) -> None:
    page = registry.model("toy")
    lines = [
        f"{chip},{items},{lanes},1"
        for chip in ("tiny", "small", "large")
        for items in (1, 7, 64)
        for lanes in (1, 3)
    ]
    covered, refused = priceable(page, write("chip,items,link.lanes,latency", *lines), {})
    assert refused == []
    assert len(covered.batches) == 3  # one for each chip
    together = covered.metrics()
    for i, config in enumerate(covered.configs):
        alone = page.evaluate(config).metrics
        assert {name: column[i] for name, column in together.items()} == pytest.approx(
            {name: float(value) for name, value in alone.items()}, rel=1e-15
        )
    twice = covered.predicted({"overhead": 1.0})
    assert twice - covered.predicted() == pytest.approx(np.full(18, 1.0 - 2e-3))


def test_settings_hold_for_every_row(write: Write) -> None:
    path = write("items,latency", "4,1", "8,1")
    covered, _ = priceable(registry.model("toy"), path, {"chip": "large"})
    assert {config.chip.slug for config in covered.configs} == {"large"}  # type: ignore[attr-defined]  # the toy's
    with pytest.raises(InputError, match=r"items is a column of .* and given by --set; drop one"):
        priceable(registry.model("toy"), path, {"items": 3})
    with pytest.raises(InputError, match="--set: unknown knob 'itms'"):
        priceable(registry.model("toy"), path, {"itms": 3})


def test_refused_rows_end_it_unless_they_may_be_left_out(write: Write) -> None:
    page = registry.model("toy")
    path = write("link.lanes,chips,latency", "2,1,1", "8,1,1", "8,2,1", "7,1,1")
    with pytest.raises(InputError) as caught:
        priceable(page, path, {})
    text = str(caught.value)
    assert f"{path}:3: `link.lanes <= 4 chips` must hold" in text
    assert text.endswith("2 of 4 rows are refused, --skip-refused leaves them out")
    covered, refused = priceable(page, path, {}, skip=True)
    assert [row.line for row in covered.rows] == [2, 4]
    assert [row.line for row in refused] == [3, 5]
    assert all("link.lanes" in row.reason for row in refused)


def test_a_file_of_which_every_row_is_refused_is_refused(write: Write) -> None:
    path = write("chip,latency", "none,1")
    with pytest.raises(InputError, match=r"unknown chip 'none'.*1 of 1 rows are refused$"):
        priceable(registry.model("toy"), path, {}, skip=True)


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_knob_and_metric_of_every_page_can_be_a_column(write: Write, slug: str) -> None:
    page = registry.model(slug)
    config = registry.configure(page)
    known = measurements.knobs(page.config)
    values = {path: measurements.at(config, path) for path in known}
    texts = [values[p].slug if k.catalog else repr(float(values[p])) for p, k in known.items()]
    metrics = [name for name in page.metrics if name != "feasible"]
    heads = [p if k.catalog else f"{p} [{units.si(k.unit)[1]}]" for p, k in known.items()]
    path = write(",".join([*heads, *metrics]), ",".join([*texts, *("1" for _ in metrics)]))
    covered, _ = priceable(page, path, {})
    assert covered.configs[0] == config
    expected = {name: float(v) for name, v in page.evaluate(config).metrics.items()}
    for name, column in covered.metrics().items():
        assert column[0] == pytest.approx(expected[name], rel=1e-12, nan_ok=True)
