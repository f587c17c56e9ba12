"""A device named by its file: read like a row of a catalog, refused in a line, kept by runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import devices, documents, registry, units, verbs
from dse.devices import Device
from dse.errors import InputError
from dse.provenance import Number, Source
from dse.spec import at

KINDS = ("gpus", "cpus")
SHEET: Mapping[str, Any] = {"where": "a sheet", "kind": "table"}
NUMBERS = {
    "peak_fp32": (30.0, "TFLOPS"),
    "peak_fp16": (120.0, "TFLOPS"),
    "memory_bandwidth": (800.0, "GB/s"),
    "memory_capacity": (24.0, "GB"),
    "power": (300.0, "W"),
}


def board(**changes: tuple[float, str] | None) -> dict[str, Any]:
    """The document of a made-up GPU; None leaves a number out."""
    kept = {k: v for k, v in {**NUMBERS, **changes}.items() if v is not None}
    row = {k: {"value": v, "unit": u, "source": "sheet"} for k, (v, u) in kept.items()}
    return {
        "kind": "gpus",
        "sources": {"sheet": SHEET},
        "devices": {"mine": {"title": "Mine", **row}},
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(document: Mapping[str, Any], name: str = "mine.yaml") -> str:
    Path(name).write_text(documents.dump(document))
    return name


def latency(**settings: object) -> float:
    return float(verbs.evaluate("roofline", settings)["metrics"]["latency"]["value"])


@pytest.mark.usefixtures("folder")
def test_a_file_prices_as_the_catalog_row_with_the_same_numbers():
    row = registry.devices("gpus")["a100-sxm-80gb"]
    written(Device("gpus", "a100-sxm-80gb", row).document())
    for form in ("datasheet", "calibrated"):
        both = [latency(device=d, form=form) for d in ("mine.yaml", "a100-sxm-80gb")]
        assert both[0] == both[1]


@pytest.mark.usefixtures("folder")
def test_a_file_with_the_slug_of_a_listed_device_has_its_price():
    row = registry.devices("gpus")["v100-pcie-16gb"]
    written(Device("gpus", "v100-pcie-16gb", row).document())
    page = registry.model("codesign")
    config = registry.configure(page, {"serve": {"gpu": "mine.yaml"}})
    listed = registry.prices().tables["prices"]["prices"]["v100-pcie-16gb"]
    assert at(config, "serve.gpu.price") == listed.value  # type: ignore[union-attr]


NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
SOURCES = st.builds(Source, where=st.sampled_from(["here", "there"]), kind=st.just("measured"))
FIELDS = st.one_of(
    st.text("xyz ", max_size=5),
    st.builds(
        Number,
        value=st.floats(1e-9, 1e15),
        unit=st.sampled_from(["B/s", "FLOP/s", "s", "1", "W"]),
        source=SOURCES | st.just(Source("a sheet", "table")),
        note=st.text("abc", max_size=5),
    ),
)


@given(row=st.dictionaries(NAMES, FIELDS, max_size=6), note=st.text("abc", max_size=5))
def test_what_is_written_is_read_back(row: dict[str, Any], note: str):
    device = Device("cpus", "mine", row, note, {"threads": 2}, ({"seconds": 0.5},))
    text = documents.dump(device.document())
    document = documents.parse(text)
    assert isinstance(document, dict)
    assert devices.read(document, place="f.yaml", kinds=KINDS) == device


def other_kind() -> dict[str, Any]:
    return board() | {"kind": "cpus"}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("document", "words"),
    [
        (board() | {"kind": "gpu"}, "kind: unknown kind of device 'gpu'; did you mean gpus"),
        (board() | {"price": 3}, "unknown section 'price'"),
        (board() | {"devices": {}}, "must hold one device, got 0"),
        (board() | {"measured": 3}, "measured a list"),
        (board(memory_bandwidth=(800.0, "s")), "is not a quantity in B/s|must be"),
        (board(memory_bandwidth=None), "'mine.yaml' has no known memory_bandwidth"),
        (board() | {"sources": {}}, "unknown source 'sheet'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(document: dict[str, Any], words: str):
    with pytest.raises(InputError, match=words) as caught:
        latency(device=written(document))
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("knob", ["cpu", "gpu"])
def test_a_file_of_another_kind_is_refused_where_the_page_does_not_take_it(knob: str):
    document = board() | {"kind": "fpgas"}
    with pytest.raises(
        InputError, match=f"{knob}: 'mine.yaml' is one of fpgas, and one of {knob}"
    ):
        verbs.evaluate("duet", {knob: written(document)})


@pytest.mark.usefixtures("folder")
def test_a_missing_file_and_a_catalog_of_policies_are_refused():
    with pytest.raises(InputError, match=r"device: none\.yaml: No such file"):
        latency(device="none.yaml")
    with pytest.raises(InputError, match=r"unknown precision 'mine\.yaml'"):
        latency(precision=written(board()))


@pytest.mark.usefixtures("folder")
def test_unknown_power_leaves_energy_unknown_and_refuses_the_calibrated_form():
    name = written(board(power=None))
    answer = verbs.evaluate("roofline", {"device": name})
    assert answer["metrics"]["energy"]["value"] is None
    assert answer["metrics"]["latency"]["value"] > 0
    with pytest.raises(InputError, match="clocks, caches and multiprocessors"):
        latency(device=name, form="calibrated")


STUDY = """
question: which?
model: roofline
set: {{workload: gpt2{fixed}}}
space:
  device: {devices}
  batch: [1, 2, 4]
objectives: [latency, tokens_per_second]
"""


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("devices", ["[mine.yaml, t4]", "{choices: [t4, mine.yaml]}"])
def test_a_run_outlives_the_files_that_its_study_names(devices: str):
    written(board())
    Path("study.yaml").write_text(STUDY.format(fixed="", devices=devices))
    outcome = verbs.search("study.yaml", output="run")
    before = verbs.evaluate("run:1")
    written(board(peak_fp16=(1.0, "TFLOPS"), memory_bandwidth=(1.0, "GB/s")))
    assert verbs.evaluate("run:1") == before
    Path("mine.yaml").unlink()
    again = outcome.run.study()
    assert sorted(again.space.by_path["device"].labels) == ["mine.yaml", "t4"]
    assert documents.dump(again.document) == Path("run/config.yaml").read_text()
    assert verbs.evaluate("run:1") == before
    assert verbs.evaluate("run:1", {"device": "t4"}) != before


@pytest.mark.usefixtures("folder")
def test_a_run_keeps_a_file_that_is_fixed_beside_its_study():
    written(board())
    Path("study.yaml").write_text(STUDY.format(fixed=", device: mine.yaml", devices="[t4]"))
    verbs.search("study.yaml", settings={"device": "mine.yaml"}, output="run")
    echo = documents.read(Path("run/config.yaml"))
    kept: Any = echo["set"]
    power = units.parse("300 W", "W")
    assert (kept["device"]["slug"], kept["device"]["power"]) == ("mine.yaml", power)
    before = verbs.evaluate("run:1")
    Path("mine.yaml").unlink()
    assert verbs.evaluate("run:1") == before


@pytest.mark.usefixtures("folder")
def test_a_sweep_shows_a_file_by_its_name():
    frame = verbs.sweep("roofline", {"device": f"{written(board())},t4"})
    assert list(frame["device"]) == ["mine.yaml", "t4"]
    assert json.loads(frame.to_json())


@pytest.mark.usefixtures("folder")
def test_a_row_in_a_study_that_does_not_fit_is_refused_in_one_line():
    Path("study.yaml").write_text(STUDY.format(fixed="", devices="[{power: 3}]"))
    with pytest.raises(InputError, match=r"space\.device: .*must be given"):
        verbs.search("study.yaml", output="run")
