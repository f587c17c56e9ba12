"""Exports of PyTorch's profiler: a step worked by hand, and what is refused.

The export here is written by hand in the documented form. None of this was tried on a real one.
"""

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import verbs
from dse.errors import InputError
from models.flashneuron import profiler, traces

NO_TIME = 1e-12
"""Relative: a few ulps of a sum."""

EVALUATE = "autograd::engine::evaluate_function: "
Event = dict[str, Any]


def span(name: str, category: str, start: float, time: float, **args: object) -> Event:
    args = {key.replace("_", " "): value for key, value in args.items()}
    return {"ph": "X", "cat": category, "name": name, "ts": start, "dur": time, "args": args}


def op(name: str, start: float, time: float, identity: int, **args: object) -> Event:
    return span(name, "cpu_op", start, time, External_id=identity, **args)


def memory(time: float, added: int, total: int, *, kind: int = 1, device: int = 0) -> Event:
    args = {"Bytes": added, "Total Allocated": total, "Device Type": kind, "Device Id": device}
    return {"ph": "i", "s": "t", "name": "[memory]", "ts": time, "args": args}


def step(number: int, at: float) -> list[Event]:
    """One step from `at` on: forward 10 to 50 us, backward from 50, optimizer from 80."""
    first, second = 10 * number + 1, 10 * number + 2
    conv = {"Sequence_number": first, "Input_Dims": [[32, 3, 8, 8], [4, 3, 3, 3]]}
    backward = {"Fwd_thread_id": 1}
    return [
        span(f"ProfilerStep#{number}", "user_annotation", at, 100),
        op("aten::randn", at + 2, 1, first + 100, Input_Dims=[[7]]),
        op("aten::conv2d", at + 10, 20, first, **conv),
        op("aten::cudnn_convolution", at + 12, 10, first + 200),
        span("cudaLaunchKernel", "cuda_runtime", at + 15, 2, correlation=first),
        # Kernels run later than they are launched: this one when the backward pass has begun.
        span("implicit_gemm", "kernel", at + 52, 40, correlation=first, External_id=first + 200),
        op("aten::relu", at + 35, 10, second, Sequence_number=second, Input_Dims=[[32, 4, 8, 8]]),
        span("relu", "kernel", at + 92, 2, External_id=second),
        op(f"{EVALUATE}ReluBackward0", at + 50, 10, first + 3, Sequence_number=second, **backward),
        op("ReluBackward0", at + 52, 5, first + 4, Sequence_number=second, **backward),
        span("relu_grad", "kernel", at + 94, 3, External_id=first + 4),
        op(f"{EVALUATE}ConvolutionBackward0", at + 62, 15, 900, Sequence_number=first, **backward),
        span("dgrad", "kernel", at + 97, 70, correlation=900 + number, External_id=900),
        span("cudaLaunchKernel", "cuda_runtime", at + 65, 2, correlation=900 + number),
        op("aten::_foreach_add_", at + 80, 5, first + 6),
        span("adam", "kernel", at + 167, 5, External_id=first + 6),
        span("Memcpy HtoD", "gpu_memcpy", at + 12, 500, External_id=first),
        memory(at + 5, 100, 1000),
        memory(at + 12, 400, 1400),
        memory(at + 14, 250, 1650),
        memory(at + 20, -250, 1400),
        memory(at + 36, 200, 1600),
        memory(at + 13, 9000, 9000, kind=0),
        memory(at + 53, 300, 1900),
        memory(at + 60, -200, 1700),
        memory(at + 70, -400, 1300),
        memory(at + 90, -300, 1000),
    ]


def export() -> dict[str, Any]:
    """Two steps and the beginning of a third."""
    third = [event for event in step(3, 2200) if event["ts"] < 2240]
    events = [*step(1, 2000), *step(2, 2100), *third]
    return {"schemaVersion": 1, "deviceProperties": [], profiler.KEY: events}


def written(folder: Path, document: object) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def without(drop: Callable[[Event], bool]) -> dict[str, Any]:
    return {profiler.KEY: [event for event in export()[profiler.KEY] if not drop(event)]}


def test_the_last_whole_step_becomes_the_sums_worked_by_hand():
    assert profiler.sums(export()) == pytest.approx(
        {
            "batch": 32,
            "forward_time": 42e-6,
            "backward_time": 78e-6,
            "resident": 1000,
            "activations": 600,
            # Forward: 1650 less the 1400 that stay. Backward: 300 over the 1600 of its start.
            "workspace": 300,
            "kernels": 5,
        },
        rel=NO_TIME,
    )


def test_without_kernels_the_time_is_that_of_cpu_ops_each_moment_once():
    document = without(lambda event: event.get("cat") == "kernel")
    for event in document[profiler.KEY]:
        if event["name"] == "[memory]":
            event["args"]["Device Type"] = 1 - event["args"]["Device Type"]
    found = profiler.sums(document)
    # Convolution 20 and ReLU 10; the backward functions 10 and 15, the optimizer 5.
    assert found["forward_time"] == pytest.approx(30e-6, rel=NO_TIME)
    assert found["backward_time"] == pytest.approx(30e-6, rel=NO_TIME)
    assert (found["kernels"], found["activations"]) == (0, 600)


def test_an_embedding_gives_the_batch_by_its_indices():
    document = export()
    for event in document[profiler.KEY]:
        if event["name"] == "aten::conv2d":
            event["name"] = "aten::embedding"
            event["args"]["Input Dims"] = [[50000, 64], [16, 128], [], [], []]
    assert profiler.sums(document)["batch"] == 16


def test_a_file_without_steps_is_one_step():
    alone = [event for event in step(2, 2100) if not event["name"].startswith(profiler.STEP)]
    assert profiler.sums({profiler.KEY: alone}) == profiler.sums(export())


def test_several_iterations_without_steps_are_refused():
    document = without(lambda event: event["name"].startswith(profiler.STEP))
    with pytest.raises(InputError, match=r"one forward and one backward pass; call .* step\(\)"):
        profiler.sums(document)


def test_the_page_prices_an_export_and_settings_lie_over_it(tmp_path: Path):
    plain = written(tmp_path, export())
    packed = tmp_path / "export.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        metrics = verbs.evaluate("flashneuron", files={"trace": path})["metrics"]
        assert metrics["iteration_time"]["value"] == pytest.approx(120e-6, rel=NO_TIME)
        assert metrics["activation_bytes"]["value"] == 600
    given = {"trace.batch": 64, "memory": 1700}
    over = verbs.evaluate("flashneuron", given, files={"trace": plain})["metrics"]
    # 1700 - 1000 - 300 leave 400 of 600 bytes, and no tensor is rounded.
    assert over["offloaded_bytes"]["value"] == 200
    assert over["throughput"]["value"] * over["iteration_time"]["value"] == pytest.approx(64)


def test_the_page_says_that_an_export_names_no_tensors_and_when_it_holds_no_kernels(
    tmp_path: Path,
):
    def words(document: object) -> str:
        answer = verbs.evaluate("flashneuron", files={"trace": written(tmp_path, document)})
        return " ".join(answer["warnings"])

    whole = words(export())
    assert "names no saved tensors" in whole
    assert "counts no kernels" not in whole
    bare = without(lambda event: event.get("cat") == "kernel")
    for event in bare[profiler.KEY]:
        if event["name"] == "[memory]":
            event["args"]["Device Type"] = 1 - event["args"]["Device Type"]
    assert "counts no kernels" in words(bare)
    for trace in ("none", "bert-base-128"):
        others = verbs.evaluate("flashneuron", {"trace": trace})["warnings"]
        assert not [text for text in others if "saved tensors" in text or "no kernels" in text]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(1, 1000), st.integers(0, 10**6))
def test_the_order_of_events_does_not_matter_and_bytes_scale(random, factor, shift):
    document = copy.deepcopy(export())
    random.shuffle(document[profiler.KEY])
    for event in document[profiler.KEY]:
        event["ts"] += shift
        if event["name"] == "[memory]":
            event["args"]["Total Allocated"] *= factor
    found, plain = profiler.sums(document), profiler.sums(export())
    for key in ("resident", "activations", "workspace"):
        assert found.pop(key) == pytest.approx(float(str(plain.pop(key))) * factor, rel=NO_TIME)
    assert found == pytest.approx(plain, rel=NO_TIME)


def changed(name: str, key: str, value: object) -> Callable[[], object]:
    """The export with one value of the events of a name, or one of their arguments, changed."""

    def document() -> object:
        made = export()
        for event in made[profiler.KEY]:
            if event["name"] == name:
                (event if key in event else event["args"])[key] = value
        return made

    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (lambda: {profiler.KEY: {}}, "'traceEvents' must be a list"),
        (lambda: {profiler.KEY: []}, "no step with a forward and a backward pass"),
        (lambda: {profiler.KEY: [1]}, "'traceEvents.0' must be an object"),
        (lambda: without(lambda e: e["name"].startswith(EVALUATE)), "and a backward pass"),
        (lambda: without(lambda e: e["name"] == "[memory]"), "record with profile_memory=True"),
        (changed("[memory]", "Device Type", 0), "record with profile_memory=True"),
        (changed("[memory]", "Total Allocated", 5), "allocated bytes must grow"),
        (changed("[memory]", "Total Allocated", "5"), "needs a number 'Total Allocated'"),
        (changed("aten::conv2d", "dur", -1), "'dur' must be finite and not negative, got -1"),
        (changed("aten::conv2d", "dur", float("nan")), "numbers must be finite, got NaN"),
        (changed("aten::conv2d", "ts", 10**400), "'ts' must be finite"),
        (changed("aten::conv2d", "ts", None), "needs a number 'ts', got None"),
        (changed("aten::conv2d", "args", [1]), "args' must be an object"),
        (changed("implicit_gemm", "dur", True), "needs a number 'dur', got True"),
        (
            lambda: without(lambda e: "External id" in e["args"] and e["cat"] == "cpu_op"),
            "no step",
        ),
    ],
)
def test_what_is_no_export_of_a_step_is_refused_in_one_line(document, words, tmp_path: Path):
    with pytest.raises(InputError, match=words) as refusal:
        traces.settings(written(tmp_path, document()))
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_missing_shapes_are_named():
    document = export()
    for event in document[profiler.KEY]:
        event["args"].pop("Input Dims", None)
    with pytest.raises(InputError, match="record with record_shapes=True"):
        profiler.sums(document)


def test_kernels_that_no_op_of_the_step_launched_are_refused():
    document = export()
    for event in document[profiler.KEY]:
        if event.get("cat") == "kernel":
            event["args"] = {}
    with pytest.raises(InputError, match="no kernel is linked"):
        profiler.sums(document)


def test_two_gpus_are_refused():
    document = export()
    document[profiler.KEY].append(memory(2150, 1, 1, device=1))
    with pytest.raises(InputError, match="several GPUs"):
        profiler.sums(document)


def test_an_export_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(traces, "LIMIT", 1000)
    with pytest.raises(InputError, match="unpacked are read"):
        traces.settings(written(tmp_path, export()))
