"""The verb: what is measured becomes a file that prices, and every mistake one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from dse import calibrate, cli, documents, registry, verbs
from dse.calibrate import Anchor, Calibration, Line, Measurements, Probe
from dse.devices import Device
from dse.provenance import Number, Source
from dse.terminal import Tick

HERE = Source("measured here", "measured")
LINES = (
    Line("one", "compute", measured=1.0, after=1.1, left_out=1.2, spread=0.03),
    Line("two", "memory", measured=2.0, after=1.6, left_out=1.6, spread=0.5),
)


def device() -> Device:
    told = {"peak_fp32": (2e11, "FLOP/s"), "memory_bandwidth": (2e10, "B/s")}
    row = {k: Number(v, u, HERE, "least of 5") for k, (v, u) in told.items()}
    memory = Number(8e9, "B", Source("the system", "secondary"))
    note = "Made CPU; power is unknown"
    return Device("cpus", "made", {"title": "Made", **row, "memory_capacity": memory}, note)


def measure(progress: Tick) -> Calibration:
    progress(1, 1)
    settings = {"precision": "fp32", "dispatch_time": "0.5 us"}
    return Calibration("roofline", device(), "device", settings, LINES, warnings=("busy",))


def anchor(asked: Measurements) -> Calibration:
    inline = ({"device": asked.device, "pace": "0.9"},)
    before = (Line("one", "compute", measured=1.0, after=1.0, before=1.5),)
    return Calibration("roofline", device(), "device", {}, before, inline)


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    known = {"machine": Probe("this machine", measure), "kernel": Anchor("kernels", anchor)}
    monkeypatch.setattr(calibrate, "calibrators", lambda: known)


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["calibrate", *arguments])
    captured = capsys.readouterr()
    return int(stopped.value.code or 0), captured.out, captured.err


def test_a_machine_becomes_a_file_that_the_printed_command_prices(
    capsys: pytest.CaptureFixture[str],
):
    code, out, err = ended(capsys, "machine")
    assert (code, err) == (0, "warning: busy\n")
    assert "200 GFLOP/s" in out
    command = next(line for line in out.splitlines() if line.startswith("dse eval"))
    assert command == (
        "dse eval roofline --set device=machine.yaml --set precision=fp32 "
        "--set 'dispatch_time=0.5 us'"
    )
    settings = {"device": "machine.yaml", "precision": "fp32", "dispatch_time": "0.5 us"}
    assert verbs.evaluate("roofline", settings)["metrics"]["latency"]["value"] > 0


def test_a_script_reads_what_a_person_sees(capsys: pytest.CaptureFixture[str]):
    code, out, err = ended(capsys, "machine", "--json", "--output", "mine.yaml")
    answer = json.loads(out)
    assert (code, err, answer["file"]) == (0, "", "mine.yaml")
    assert answer["measured"]["peak_fp32"] == {
        "value": 2e11,
        "unit": "FLOP/s",
        "note": "least of 5",
    }
    assert "memory_capacity" not in answer["measured"]
    assert answer["kernels"][0]["before"] is None
    assert answer["warnings"] == ["busy"]
    held = documents.read(Path("mine.yaml"))
    assert held == documents.parse(documents.dump(device().document()))


def test_errors_are_over_all_kernels_and_by_what_binds_them():
    found = {(e.regime, e.prediction): e for e in measure(lambda *_, **__: None).errors()}
    assert {said for _, said in found} == {"after", "left_out"}  # nothing was said before
    assert found["all", "after"].error == pytest.approx((0.1 + 0.2) / 2)
    assert found["all", "after"].bias == pytest.approx((1.1 * 0.8) ** 0.5 - 1)
    assert found["memory", "left_out"].bias == pytest.approx(-0.2)
    assert found["compute", "left_out"].rows == 1


def test_what_was_measured_elsewhere_writes_a_file_only_when_asked(
    capsys: pytest.CaptureFixture[str],
):
    code, out, _ = ended(capsys, "kernel", "--against", "a.csv", "--device", "t4")
    assert code == 0
    assert "dse eval roofline --set device=t4 --set pace=0.9" in out
    assert list(Path().iterdir()) == []
    ended(capsys, "kernel", "--against", "a.csv", "--device", "t4", "-o", "t4.yaml")
    assert registry.device("t4.yaml", ("cpus",)).slug == "made"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["machin"], "unknown thing to calibrate 'machin'; did you mean machine?"),
        (["kernel"], "'kernel' reads measurements; give --against FILE and --device SLUG"),
        (["kernel", "--device", "t4"], "give --against FILE"),
        (["machine", "--device", "t4"], "'machine' measures this machine; drop --against"),
        (["machine", "-o", "mine.csv"], "--output mine.csv must end in .yaml"),
        (["machine", "-o", "no/mine.yaml"], "--output no/mine.yaml: no such folder"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_measured(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    def never(_: Any) -> Calibration:
        raise AssertionError

    known = {"machine": Probe("", never), "kernel": Anchor("", never)}
    monkeypatch.setattr(calibrate, "calibrators", lambda: known)
    code, out, err = ended(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert list(Path().iterdir()) == []


def test_without_a_name_there_is_the_list(capsys: pytest.CaptureFixture[str]):
    code, out, _ = ended(capsys)
    assert code == 0
    assert "this machine" in out
    assert json.loads(ended(capsys, "--json")[1]) == {
        "machine": "this machine",
        "kernel": "kernels",
    }


def test_a_file_in_the_way_stays_unless_it_is_named(capsys: pytest.CaptureFixture[str]):
    Path("machine.yaml").write_text("mine: 1\n")
    code, _, err = ended(capsys, "machine")
    assert (code, err) == (2, "error: machine.yaml exists; choose --output\n")
    assert Path("machine.yaml").read_text() == "mine: 1\n"
    assert ended(capsys, "machine", "-o", "machine.yaml")[0] == 0


class TestPages:
    def test_what_pages_calibrate_is_found(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.undo()
        calibrate.calibrators.cache_clear()
        assert {"cpu", "cuda", "gemm"} <= calibrate.calibrators().keys()

    def test_two_pages_cannot_calibrate_the_same_thing(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.undo()
        rooms = type("Rooms", (), {"CALIBRATORS": {"cpu": Probe("", measure)}})
        calibrate.calibrators.cache_clear()
        monkeypatch.setattr(registry, "slugs", lambda: ("roofline", "roofline"))
        monkeypatch.setattr(registry, "module", lambda *_: rooms)
        with pytest.raises(TypeError, match="another page has 'cpu' too"):
            calibrate.calibrators()
