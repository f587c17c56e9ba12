"""The executed step: published rows, what breaks them, its invariants, and the page beside it."""

import json
from functools import cache
from math import isinf, isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import cli, registry
from dse.errors import InputError
from dse.units import GiB
from models.flashneuron import sample, traces
from models.flashneuron.executor import Channel, Freight, Machine, StuckError, pages
from models.flashneuron.model import MODEL
from models.flashneuron.page_map import PageMap
from models.flashneuron.program import Kernel, Program, Recorded, Tensor, program
from models.flashneuron.reference import REFERENCE, Execution
from tests.models.flashneuron.executed import configured, names, traced

PAGE = 4096
FILES = {"bert": "BERT_Base_{}", "resnet152": "ResNet152_{}"}
FIRST = {
    "bert-128",
    "bert-256",
    "bert-512",
    "resnet152-256",
    "resnet152-512",
    "resnet152-768",
    "resnet152-1024",
    "resnet152-1280",
}
"""Rows at the artifact's own bandwidth; the rest are its sweep."""
BREAKDOWN = {
    # compute without transfers, overlapped and stalled ms at 40 GiB and 3.2 GiB/s
    "BERT_Base_256": (3879.82, 3405.64, 2930.03),
    "ResNet152_1280": (20191.6, 92397.8, 62671.5),
}


@cache
def loaded(data: Path, name: str) -> Execution:
    return configured({**traced(data, name), "memory": 40 * GiB, "ssd_bandwidth": 3.2 * GiB})


def ran(config: Execution, **knobs: float) -> dict[str, Any]:
    return dict(REFERENCE.run(Execution.batched(knobs, config)))


def errors(data: Path, ids: set[str]) -> np.ndarray:
    """Relative errors on published rows; infinite where the step does not end."""
    found = []
    for point in MODEL.data.points:
        if point.id in ids:
            network, batch = str(point.settings["trace"]).removeprefix("bert-base-"), point.group
            config = loaded(data, FILES[batch].format(network.removeprefix("resnet152-")))
            rate = float(str(point.settings["ssd_bandwidth"]).split()[0]) * GiB
            time = ran(config, ssd_bandwidth=rate)["iteration_time"]
            found.append(time / point.number.value - 1)
    assert len(found) == len(ids)
    return np.abs(found)


SWEEP = {point.id for point in MODEL.data.points} - FIRST


def test_the_eight_rows_are_met_within_half_a_percent_each_and_a_fifth_in_the_mean(data: Path):
    found = errors(data, FIRST)
    assert found.max() <= 0.005
    assert found.mean() < 0.002


def test_the_bandwidth_sweep_is_met_within_the_same_bar(data: Path):
    found = errors(data, SWEEP)
    assert len(found) == 10
    assert found.max() <= 0.005
    assert found.mean() < 0.002


def test_the_offloaded_bytes_are_those_of_the_artifact(data: Path):
    # The table prints 0.01 GiB.
    for name, gone in (("BERT_Base_512", 59.29), ("ResNet152_1280", 248.11)):
        assert ran(loaded(data, name))["offloaded_bytes"] / GiB == pytest.approx(gone, abs=6e-3)


@pytest.mark.parametrize("name", BREAKDOWN)
def test_overlap_and_stall_are_those_of_the_artifact(data: Path, name: str):
    found = ran(loaded(data, name))
    _, overlap, stall = BREAKDOWN[name]
    # The total is off by 0.34 and 0.39 %, all of it stall: a third or half of the total.
    assert found["overlap_time"] * 1e3 == pytest.approx(overlap, rel=0.012)
    assert found["stall_time"] * 1e3 == pytest.approx(stall, rel=0.012)


def test_decimal_gigabytes_turn_bert_512_infeasible(data: Path):
    found = ran(loaded(data, "BERT_Base_512"), memory=40e9)
    assert not found["feasible"]
    assert isinf(found["iteration_time"])
    assert found["reason"].startswith("plan:")


@pytest.mark.parametrize("batch", [640, 768])
def test_bert_s_larger_batches_are_rejected_by_the_plan(data: Path, batch: int):
    # Published as infinite. BERT's residents and activations grow with the batch.
    config = loaded(data, "BERT_Base_512")
    grown = [
        Tensor(**{**t.model_dump(), "size": t.size * batch / 512}) for t in config.trace.tensors
    ]
    trace = {**config.trace.model_dump(), "tensors": [t.model_dump() for t in grown]}
    found = dict(REFERENCE.run(configured({"trace": trace, "memory": "40 GiB"})))
    assert found["reason"].startswith("plan:")


def test_the_command_prints_what_scripts_rely_on(data: Path, capsys: pytest.CaptureFixture[str]):
    path = data / "flashneuron-traces" / "BERT_Base_256.json.gz"
    fixed = ["--memory", "40 GiB", "--ssd-bandwidth", "3.2 GiB/s", "--json"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", "flashneuron", "--trace", str(path), *fixed])
    answer = json.loads(capsys.readouterr().out)["metrics"]
    assert ended.value.code == 0
    assert answer.keys() == REFERENCE.quantities.keys()
    assert answer["iteration_time"]["value"] == pytest.approx(10.2155, rel=0.005)


def test_fragmentation_ends_a_step_that_sums_of_bytes_let_through(data: Path):
    found = ran(loaded(data, "SENet154_768"), memory=24 * GiB)
    assert not found["feasible"]
    assert found["reason"].startswith(
        "fragmentation: kernel 2301 needs 4.59 GiB, 6.61 GiB are free"
    )
    summed = traces.settings(data / "flashneuron-traces" / "SENet154_768.json.gz")
    page = registry.configure(MODEL, {"trace": summed["trace"], "memory": "24 GiB"})
    assert MODEL.evaluate(page).metrics["feasible"]


# Rules broken one at a time, and what then misses.


def test_a_map_with_one_side_misses_published_rows(data: Path, monkeypatch: pytest.MonkeyPatch):
    two_sided = PageMap.take
    monkeypatch.setattr(
        PageMap, "take", lambda self, pages, *, high: two_sided(self, pages, high=False)
    )
    found = errors(data, FIRST)
    # BERT at batch 512 finds no hole; ResNet152 is off by up to 2.9 %.
    assert isinf(found.max())
    assert np.sort(found)[-2] > 0.02


def test_a_memory_that_never_fragments_misses_published_rows(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    class Bytes(PageMap):
        """Counts pages and needs no hole."""

        def __init__(self, pages: int) -> None:
            self.left = pages

        def take(self, pages: int, *, high: bool) -> int:
            if pages > self.left:
                return -1
            self.left -= pages
            return 0

        def give(self, start: int, pages: int) -> None:
            self.left += pages

        def largest(self) -> int:
            return self.left

    monkeypatch.setattr("models.flashneuron.executor.PageMap", Bytes)
    assert errors(data, FIRST).max() > 0.01


def test_without_prefetch_published_rows_are_missed(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Machine, "prefetch", lambda self, start: None)
    assert errors(data, {"resnet152-1280"}).max() > 0.1


def both_ways() -> Program:
    """The loss kernel's own offload meets a fetch: tensor 1 leaves while tensor 0 comes back.

    Tensors of 4 pages. Kernels of 1 s: make 0, make 1, then backward: scratch, need 0, need 1.
    """
    sizes = [Tensor(size=4.0 * PAGE), Tensor(size=4.0 * PAGE), Tensor(size=1.0 * PAGE)]
    touched = [(0,), (1,), (2,), (0,), (2,), (1,)]
    return Program([Kernel(time=1.0, touched=i) for i in touched], sizes, loss=2)


def step_time(kind: type[Machine]) -> float:
    plan = {index: Freight(4.0 * PAGE) for index in (0, 1)}
    return kind(both_ways(), plan, memory=20.0 * PAGE, write=PAGE, read=PAGE).run()


class OneWay(Machine):
    """A machine whose transfers wait for one another whatever their direction."""

    def channels(self) -> tuple[Channel, Channel]:
        shared = Channel()
        return shared, shared


def test_two_directions_at_once_beat_one():
    # A transfer takes 4 s. Tensor 0 leaves from 1 s until 5, the drain. Then the loss kernel runs
    # until 6 while tensor 1 leaves until 9, and tensor 0 comes back from 6 until 10. Its kernel
    # ends at 11. Tensor 1 comes from 11 until 15, and its kernel ends at 16.
    assert step_time(Machine) == pytest.approx(16)
    # In one queue tensor 0 comes from 9 until 13, its kernel ends at 14, tensor 1 comes until 18.
    assert step_time(OneWay) == pytest.approx(19)


def test_half_duplex_changes_no_published_row(data: Path, monkeypatch: pytest.MonkeyPatch):
    rows = {"bert-256", "resnet152-1280"}
    before = errors(data, rows)
    monkeypatch.setattr(Machine, "channels", OneWay.channels)
    assert errors(data, rows) == pytest.approx(before, abs=1e-12)


# Policies.


def test_policies_and_stores_order_as_they_must(data: Path):
    name = "BERT_Base_256"
    found = {
        words: dict(REFERENCE.run(configured({**base(data, name), **given})))
        for words, given in {
            "linear": {},
            "everything": {"policy": "everything"},
            "host": {"store": "host"},
            "none": {"store": "none"},
            "aware": {"policy": "aware", "room_share": 0.6},
            "fp16": {"compression": "fp16"},
            "sparse": {"compression": "csr-fp16", "policy": "aware"},
        }.items()
    }
    times = {words: answer["iteration_time"] for words, answer in found.items()}
    assert times["host"] < times["fp16"] < times["linear"] < times["aware"] < times["everything"]
    assert found["everything"]["offloaded_bytes"] / GiB == pytest.approx(30.98, abs=0.01)
    assert not found["none"]["feasible"]
    assert times["sparse"] < times["linear"]


def base(data: Path, name: str) -> dict[str, object]:
    return {**traced(data, name), "memory": "40 GiB", "ssd_bandwidth": "3.2 GiB/s"}


def test_the_gpu_alone_runs_what_fits_without_a_stall(data: Path):
    found = dict(REFERENCE.run(configured({**base(data, "BERT_Base_128"), "store": "none"})))
    assert found["feasible"]
    assert found["stall_time"] == pytest.approx(0, abs=1e-9)
    assert found["overlap_time"] == found["offloaded_bytes"] == 0
    assert found["reason"] == ""


def test_the_index_of_sparse_tensors_stays_behind_and_is_freed():
    # A ReLU's 10 pages send 10 (1 - 0.5) / 2 pages and leave one page of index.
    tensors = [
        Tensor(size=10.0 * PAGE, relu=1.0),
        Tensor(size=2.0 * PAGE),
        Tensor(size=1.0 * PAGE),
    ]
    kernels = [Kernel(time=9.0, touched=i) for i in ((0,), (1,), (2,), (1,), (0,))]
    steps = Program(kernels, tensors, loss=2)
    machine = Machine(
        steps, {0: Freight(2.5 * PAGE, 0.5 * PAGE)}, memory=40.0 * PAGE, write=PAGE, read=PAGE
    )
    assert machine.run() == pytest.approx(5 * 9.0)
    assert machine.map.free() == 40
    assert machine.busy == pytest.approx(5.0)


# Programs.


def test_lifetimes_follow_from_the_kernels_as_the_files_say(data: Path):
    for name in ("BERT_Base_256", "VIT_512"):
        profile = traces.read(data / "flashneuron-traces" / f"{name}.json.gz")
        steps = program(loaded(data, name).trace)
        for place, (index, tensor) in enumerate(profile.tensors.items()):
            if steps.tensors[place].moves:
                assert steps.death(place) == tensor.death
                assert steps.uses[place][0] == tensor.birth
            if index in profile.candidates():
                assert steps.issue(place) == tensor.issue


def test_every_trace_is_executed_at_any_memory_or_says_why_not(data: Path):
    for name in names(data)[::4]:
        for memory in (1.0, 12 * GiB, 200 * GiB):
            found = ran(loaded(data, name), memory=memory)
            assert found["feasible"] == (found["reason"] == "")
            assert isnan(found["overlap_time"]) != found["feasible"]
            assert set(found) == set(REFERENCE.quantities)


def test_a_chain_has_the_sums_it_was_given():
    chain = {"layers": 8, "forward_time": 2, "backward_time": 3, "activations": 80e6}
    given = Recorded.model_validate({**chain, "resident": 8e6, "scratch": 1e6, "taper": 4})
    steps = program(given)
    sums = sample.sums(steps)
    assert sums["forward_time"] == pytest.approx(2)
    assert sums["backward_time"] == pytest.approx(3)
    assert sums["activations"] == pytest.approx(80e6)
    assert sums["resident"] == pytest.approx(8e6)
    sizes = [float(steps.tensors[i].size) for i in steps.candidates]
    assert sizes[0] / sizes[-1] == pytest.approx(4)


def test_a_file_that_is_no_trace_is_refused(tmp_path: Path):
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"kernels": []}))
    with pytest.raises(InputError, match="a trace needs"):
        REFERENCE.readers["trace"](path)


# Properties.

chains = st.fixed_dictionaries(
    {
        "layers": st.integers(2, 8).map(float),
        "forward_time": st.floats(0.1, 10),
        "backward_time": st.floats(0.1, 10),
        "activations": st.floats(1e6, 1e8),
        "resident": st.floats(0, 1e7),
        "scratch": st.floats(0, 1e7),
        "taper": st.floats(0.2, 5),
    }
)


@settings(max_examples=25)
@given(chains, st.floats(0.6, 1.5), st.floats(1e5, 1e9), st.sampled_from(["linear", "everything"]))
def test_a_step_is_no_shorter_than_its_kernels_nor_than_its_transfers(
    chain: dict[str, float], share: float, rate: float, policy: str
):
    steps = program(Recorded.model_validate(chain))
    memory = share * (chain["activations"] + steps.resident_bytes() + steps.workspace_bytes())
    # The knob's bounds are no limits of the mechanism: rates here are those of small chains.
    knobs = {"trace": chain, "memory": memory, "ssd_bandwidth": rate, "policy": policy}
    found = dict(REFERENCE.run(configured(knobs)))
    if not found["feasible"]:
        return
    compute, sent = steps.ready[-1], found["offloaded_bytes"] / rate
    assert found["stall_time"] >= -1e-9 * compute
    assert found["iteration_time"] >= max(compute, sent) * (1 - 1e-9)
    # Kernels and transfers one after the other are the slowest that a machine can be.
    assert found["iteration_time"] <= (compute + 2 * sent) * (1 + 1e-9)
    assert -1e-9 * compute <= found["overlap_time"] <= compute * (1 + 1e-9)


@settings(max_examples=25)
@given(chains, st.floats(0.6, 1.5), st.floats(1e5, 1e9))
def test_after_a_step_only_what_never_leaves_holds_pages(
    chain: dict[str, float], share: float, rate: float
):
    steps = program(Recorded.model_validate(chain))
    memory = share * (chain["activations"] + steps.resident_bytes() + steps.workspace_bytes())
    plan = {i: Freight(float(steps.tensors[i].size)) for i in steps.candidates}
    machine = Machine(steps, plan, memory=memory, write=rate, read=rate)
    try:
        machine.run()
    except StuckError:
        return
    held = [pages(float(t.size)) for t in steps.tensors if not t.moves]
    assert machine.map.free() == int(memory // PAGE) - sum(held)
    assert not machine.blocks


def test_a_second_drive_is_a_drive_of_twice_the_rate(data: Path):
    config = loaded(data, "ResNet152_512")
    twice = ran(config, ssd_bandwidth=6.4 * GiB)["iteration_time"]
    assert ran(config, drives=2.0)["iteration_time"] == pytest.approx(twice, rel=1e-12)


# The page beside it.


@cache
def compared() -> list[tuple[str, float, float]]:
    """Group, error of the time and error of the bytes of every chain of the sample."""
    found = []
    for case in sample.cases():
        answer = dict(REFERENCE.run(configured(dict(case.inputs))))
        assert answer["feasible"], case.id
        metrics = MODEL.evaluate(registry.configure(MODEL, dict(case.settings))).metrics
        named = ("iteration_time", "offloaded_bytes")
        time, gone = (float(metrics[name]) / answer[name] - 1 for name in named)
        found.append((case.group, time, gone))
    return found


def test_the_page_names_the_bytes_that_the_plan_takes():
    assert max(abs(error) for _, _, error in compared()) < 1e-9


@pytest.mark.parametrize(
    ("group", "low", "high"),
    # What the docstring of the page says of its weak regimes; "usual" holds residents of 40 %.
    [
        ("usual", -0.10, 0.14),
        ("short", -0.10, 0.11),
        ("wide", -0.14, 0.21),
        ("short-wide", -0.17, 0.08),
    ],
)
def test_the_page_is_off_by_no_more_than_it_says_of_each_regime(
    group: str, low: float, high: float
):
    found = [error for named, error, _ in compared() if named == group]
    assert len(found) == 24
    assert low <= min(found)
    assert max(found) <= high


def test_on_chains_that_shaped_no_constant_the_page_keeps_the_bar_of_the_mean():
    found = np.array([error for _, error, _ in compared()])
    assert len(found) == 96
    assert np.abs(found).mean() <= 0.06
    assert np.abs(found).max() <= 0.21
