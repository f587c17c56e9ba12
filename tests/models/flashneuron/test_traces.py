"""Trace files: what they stand for, the table's sums from them, and what is refused."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse import cli, verbs
from dse.errors import InputError
from dse.units import GiB
from models.flashneuron import traces
from tests.models.flashneuron.test_model import TABLE

SETTINGS = {"memory": "40 GiB", "ssd_bandwidth": "3.2 GiB/s"}
ROWS = {
    # T_f ms, T_b ms, act, W and w in GiB
    "BERT_Base_128": (464.7, 5441.3, 15.50, 8.49, 1.125),
    "BERT_Base_256": (743.6, 6541.9, 30.98, 16.60, 2.25),
    "BERT_Base_512": (1296.4, 8536.5, 61.92, 32.82, 4.5),
    "ResNet152_256": (64698.2, 41409.1, 54.46, 0.23, 3.06),
    "ResNet152_512": (65935.1, 42483.4, 108.92, 0.23, 6.13),
    "ResNet152_768": (66565.6, 43245.1, 163.37, 0.23, 9.19),
    "ResNet152_1024": (67196.1, 44006.8, 217.83, 0.23, 12.25),
    "ResNet152_1280": (67777.1, 44812.3, 272.29, 0.23, 15.31),
}
"""The table's sums; w counts a tensor once where the table counts some of BERT's twice."""


def slug(name: str) -> str:
    return name.lower().replace("_base_", "-base-").replace("_", "-")


def small() -> dict[str, Any]:
    """A trace of three kernels: one tensor is saved, one dies in the forward pass."""
    return {
        "net": "Tiny",
        "batch": 2,
        "loss_kernel": 2,
        "kernels": [
            ["ReLU_Forward", 1.0, [0], [1, 2]],
            ["Linear_Forward", 2, [0, 1, 1], [3]],
            ["Linear_Backward", 4.0, [1, 3], []],
        ],
        "tensors": {
            "0": [1000, 1, -1, -1, -1],
            "1": [400, 0, 0, 3, 1],
            "2": [50, 0, 0, 1, -1],
            "3": [600, 0, 1, 3, 1],
        },
    }


def written(folder: Path, document: object, name: str = "trace.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_trace_becomes_the_sums_of_its_passes():
    profile = traces.profile_of(small())
    found = traces.sums(profile)
    assert found["forward_time"] == pytest.approx(3e-3)
    assert found["backward_time"] == pytest.approx(4e-3)
    assert found["batch"] == 2
    assert found["resident"] == 1000
    # The second kernel touches tensors 0, 1 and 3; tensor 1 counts once.
    assert found["workspace"] == 2000
    assert found["activations"] == 1000
    assert found["candidates"] == [{"size": 400.0}, {"size": 600.0}]
    assert found["relu_share"] == pytest.approx(0.4)
    assert found["kernels"] == 3


def test_gzip_plain_and_csv_say_the_same(tmp_path: Path):
    plain = traces.read(written(tmp_path, small()))
    packed = tmp_path / "trace.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(small()).encode()))
    listed = tmp_path / "trace.csv"
    document = small()
    with listed.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerows([word, document[word]] for word in ("net", "batch", "loss_kernel"))
        for name, time, *touched in document["kernels"]:
            lines.writerow(["kernel", name, time, *(" ".join(map(str, ids)) for ids in touched)])
        lines.writerows(["tensor", key, *row] for key, row in document["tensors"].items())
    assert traces.read(packed) == plain == traces.read(listed)


def test_a_known_network_is_set_beside_its_trace(tmp_path: Path):
    known = traces.settings(written(tmp_path, {**small(), "net": "BERT_Base"}))
    assert known["workload"] == "bert-base"
    assert "workload" not in traces.settings(written(tmp_path, small()))


def test_a_trace_is_priced_by_the_same_page(tmp_path: Path):
    answer = verbs.evaluate("flashneuron", SETTINGS, files={"trace": written(tmp_path, small())})
    assert answer["metrics"]["iteration_time"]["value"] == pytest.approx(7e-3)
    assert answer["metrics"]["offloaded_bytes"]["value"] == 0
    assert answer["metrics"]["feasible"]["value"] is True
    tight = verbs.evaluate(
        "flashneuron", SETTINGS | {"memory": 3700}, files={"trace": written(tmp_path, small())}
    )
    # 3700 - 1000 - 2000 leave 700 of 1000 bytes: the first tensor has to go, whole.
    assert tight["metrics"]["offloaded_bytes"]["value"] == 400


def test_the_command_prints_what_scripts_rely_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = written(tmp_path, small())
    fixed = ["--set", "memory=40 GiB", "--set", "ssd_bandwidth=3.2 GiB/s", "--json"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["eval", "flashneuron", "--trace", str(path), *fixed])
    answer = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert answer == verbs.evaluate("flashneuron", SETTINGS, files={"trace": path})
    assert {"iteration_time", "offloaded_bytes", "feasible"} <= answer["metrics"].keys()


@pytest.mark.parametrize("name", ROWS)
def test_the_files_hold_the_sums_of_the_table(data: Path, name: str):
    found = traces.sums(traces.read(data / "flashneuron-traces" / f"{name}.json.gz"))
    forward, backward, *sizes = ROWS[name]
    # Printed to 0.1 ms and 0.01 GiB.
    assert found["forward_time"] == pytest.approx(forward / 1e3, abs=6e-5)
    assert found["backward_time"] == pytest.approx(backward / 1e3, abs=6e-5)
    for key, size in zip(("activations", "resident", "workspace"), sizes, strict=True):
        assert float(str(found[key])) / GiB == pytest.approx(size, abs=6e-3)


@pytest.mark.parametrize("name", ROWS)
def test_the_files_plan_the_offloaded_bytes_of_the_table(data: Path, name: str):
    path = data / "flashneuron-traces" / f"{name}.json.gz"
    metrics = verbs.evaluate("flashneuron", SETTINGS, files={"trace": path})["metrics"]
    found = metrics["offloaded_bytes"]["value"] / GiB
    assert found == pytest.approx(TABLE[slug(name)][1], abs=6e-3)
    published = json.loads(gzip.decompress(path.read_bytes()))["published_total_ms"] / 1e3
    # The fit's worst row; the rows of data.yaml and the files differ by rounding only.
    assert metrics["iteration_time"]["value"] == pytest.approx(published, rel=0.016)


def test_every_file_given_is_read_and_priced(data: Path):
    paths = sorted((data / "flashneuron-traces").glob("*.json.gz"))
    assert len(paths) == 20
    for path in paths:
        metrics = verbs.evaluate("flashneuron", SETTINGS, files={"trace": path})["metrics"]
        assert metrics["iteration_time"]["value"] > 0, path.name


def changed(**parts: object) -> Callable[[], dict[str, Any]]:
    return lambda: {**small(), **parts}


def tensor(*row: object) -> Callable[[], dict[str, Any]]:
    return changed(tensors={**small()["tensors"], "1": list(row)})


def kernel(*row: object) -> Callable[[], dict[str, Any]]:
    return changed(kernels=[list(row), *small()["kernels"][1:]])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (list, "must be an object"),
        (lambda: {"batch": 1}, "no loss_kernel, kernels, tensors"),
        (changed(kernel=[]), "unknown key 'kernel'; did you mean"),
        (changed(batch=0), "'batch' must be a whole number from 1"),
        (changed(batch=2.5), "'batch' must be a whole number"),
        (changed(batch=True), "'batch' must be a whole number"),
        (changed(loss_kernel=3), "'loss_kernel' must be a whole number from 1 to 2, got 3"),
        (changed(kernels=[]), "at least two kernels"),
        (changed(kernels="many"), "at least two kernels"),
        (changed(tensors={}), "must map ids to lists"),
        (changed(tensors={"a": [1, 0, 0, 1, -1]}), "ids must be whole numbers"),
        (tensor(1, 0, 0, 3), r"\[bytes, resident, birth, death, issue\]"),
        (tensor(-1, 0, 0, 3, 1), "bytes' must be a whole number from 0"),
        (tensor(400, 2, 0, 3, 1), "resident' must be a whole number from 0 to 1"),
        (tensor(400, 0, 2, 1, 1), "birth < death must hold, got 2, 1"),
        (tensor(400, 0, 0, 4, 1), "lives beyond the last of 3 kernels"),
        (kernel("k", -1.0, [0], [1]), "finite and not negative, got -1.0"),
        (kernel("k", float("nan"), [0], [1]), "must be finite, got NaN"),
        (kernel("k", float("inf"), [0], [1]), "must be finite, got Infinity"),
        (kernel("k", "1", [0], [1]), "must be a number of ms"),
        (kernel("k", 1.0, [0]), "must be .name, time in ms"),
        (kernel("k", 1.0, [9], [1]), "no tensor 9"),
        (kernel("k", 1.0, 0, [1]), "must be lists of ids"),
        (changed(kernels=[["k", 0, [], []]] * 3), "must take time"),
    ],
)
def test_what_is_no_trace_is_refused_in_one_line(document, words: str, tmp_path: Path):
    with pytest.raises(InputError, match=words) as refusal:
        traces.read(written(tmp_path, document()))
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON|must be an object"),
        (b"\xff\xfe\x00", "neither JSON, gzip of JSON nor CSV"),
        (b"\x1f\x8b not gzip", "cannot be read"),
        (gzip.compress(b"{}")[:-6], "cannot be read"),
    ],
)
def test_files_that_hold_something_else_are_refused(content: bytes, words: str, tmp_path: Path):
    path = tmp_path / "trace.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        traces.read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            traces.read(path)


def test_a_small_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(traces, "LIMIT", 10_000)
    path = tmp_path / "trace.json.gz"
    path.write_bytes(gzip.compress(b" " * 10_001))
    with pytest.raises(InputError, match="unpacked"):
        traces.read(path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kernels,1", "line 1: unknown kind of line 'kernels'"),
        ("kernel,k,1", "line 1: 'kernel' takes 4 values, got 2"),
        ("kernel,k,fast,1,2", "line 1: 'kernel' has a value that is no number"),
        ("tensor,1,1,0,0,1,-1\ntensor,1,1,0,0,1,-1", "line 2: .*an id twice"),
        ("batch,many", "line 1: 'batch' has a value that is no number"),
    ],
)
def test_lines_that_are_not_of_the_form_are_named(line: str, words: str, tmp_path: Path):
    path = tmp_path / "trace.csv"
    path.write_text(line)
    with pytest.raises(InputError, match=words):
        traces.read(path)
