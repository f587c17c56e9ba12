"""FlashNeuron executed: a plan of what leaves, and one step of kernels and transfers under it.

The plan is the G10 artifact's single phase (`linear`), the authors' two phases (`aware`), or every
saved tensor (`everything`); store `none` is the GPU alone and `host` its memory path. The step is
a discrete-event simulation over a first-fit map of pages, so a run can end for want of a hole.
With the artifact's profiles and settings the published rows come out within 0.5 %.

Nothing here reads the page's equations. What both share: knobs and numbers of `data.yaml`, record
types of `config`, and the reader of trace files. Assumed: a trace is FP32 and FP16 may store all
of it; compressing takes no time; the index of a sparse tensor stands among the residents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from typing import Annotated

from pydantic import Field

from dse.mechanism import Reference
from dse.spec import Bounds, Catalog, Config, Metric, Real, Record, Symbol, Unit

from . import traces
from .config import GIVEN, Bytes, Compression, Count, Share, Store, Switch
from .executor import Freight, Machine, StuckError
from .program import Program, Recorded, program
from .sample import cases
from .scheduler import Route, Saved, artifact, schedule


class Policy(Record):
    """How tensors are chosen; a 1 switches on, none is the artifact's single phase."""

    aware: Switch
    """The authors' two phases."""
    everything: Switch
    """Whatever is saved."""


class Execution(Config):
    """One step to execute."""

    trace: Annotated[Recorded, Catalog("flashneuron.chain", "layers"), Symbol(r"\Theta")]
    """Kernels and tensors; without a file a chain of layers."""
    policy: Annotated[Policy, Catalog("flashneuron.policy", "linear"), Symbol(r"\pi")]
    """How the tensors that leave are chosen."""
    store: Annotated[Store, Catalog("flashneuron.store", "ssd"), Symbol("D")]
    """Where they go."""
    compression: Annotated[Compression, Catalog("flashneuron.compression", "none"), Symbol("C")]
    """How they are compressed on the way."""
    memory: Annotated[Bytes, Symbol("M"), Bounds(0, 200e9)] = GIVEN("memory")
    """Memory of the GPU; 0 takes what the trace's GPU had."""
    ssd_bandwidth: Annotated[
        Real, Field(gt=0), Unit("B/s"), Symbol("B_w"), Bounds(0.5e9, 35e9, log=True)
    ] = GIVEN("ssd_bandwidth")
    """Rate at which one drive is written."""
    drives: Annotated[Count, Field(ge=1), Symbol("N_d"), Bounds(1, 8, integer=True)] = GIVEN(
        "drives"
    )
    """Drives side by side, RAID-0."""
    read_ratio: Annotated[Count, Field(gt=0), Symbol("B_r/B_w"), Bounds(0.5, 4)] = GIVEN(
        "read_ratio"
    )
    """Rate of reading over rate of writing."""
    room_share: Annotated[Count, Field(gt=0, le=1), Symbol(r"\sigma"), Bounds(0.3, 1)] = GIVEN(
        "room_share"
    )
    """Share of the free memory that the plan fills; the authors trust 0.6."""
    sparsity: Annotated[Share, Symbol("z"), Bounds(0.3, 0.9)] = GIVEN("sparsity")
    """Share of zeros in what a ReLU wrote."""


@dataclass(frozen=True)
class Plan:
    """Chosen tensors with what travels of each, and whether the rest then fits."""

    freight: Mapping[int, Freight]
    fits: bool


def read_trace(path: Path) -> dict[str, object]:
    """The record `trace` of a trace file, kernel by kernel.

    Raises:
        InputError: a file that is missing, too large or not a trace, in one line.
    """
    profile = traces.read(path)
    place = {index: number for number, index in enumerate(profile.tensors)}
    relus = {
        index
        for kernel in profile.kernels[: profile.loss]
        if kernel.name.lower().startswith("relu")
        for index in kernel.outputs
    }
    kernels = [
        {"time": kernel.time, "touched": [place[i] for i in kernel.touched]}
        for kernel in profile.kernels
    ]
    tensors = [
        {
            "size": tensor.size,
            "resident": float(tensor.resident),
            "scratch": float(tensor.death == traces.NOT and not tensor.resident),
            "relu": float(index in relus),
        }
        for index, tensor in profile.tensors.items()
    ]
    return {"trace": {"loss": float(profile.loss), "kernels": kernels, "tensors": tensors}}


def rates(config: Execution) -> tuple[float, float]:
    """Rates of writing and reading, no faster than the link [B/s]."""
    link = float(config.trace.link_bandwidth)
    if config.store.host:
        host = min(float(GIVEN("host_bandwidth")), link)
        return host, host
    write = float(config.drives * config.ssd_bandwidth)
    return min(write, link), min(write * float(config.read_ratio), link)


def freight(config: Execution, size: float, *, relu: bool) -> Freight:
    """What travels of a tensor: FP16 halves it, sparse rows send the nonzeros in FP16."""
    if config.compression.csr and relu:
        kept = 1.0 - float(config.sparsity)
        return Freight(size * kept / 2.0, size * float(GIVEN("csr_residue")))
    return Freight(size / 2.0 if config.compression.fp16 else size)


def plan(config: Execution, steps: Program, memory: float) -> Plan:
    """What leaves under a policy."""
    room = memory - steps.resident_bytes() - steps.workspace_bytes()
    wanted = {
        tensor: freight(config, float(found.size), relu=bool(found.relu))
        for tensor in steps.candidates
        for found in [steps.tensors[tensor]]
    }
    freed = [float(steps.tensors[i].size) - load.index for i, load in wanted.items()]
    trusted = float(config.room_share) * room
    if not (config.store.ssd or config.store.host):
        return Plan({}, sum(freed) <= trusted)
    if config.policy.everything:
        return Plan(wanted, room >= 0)
    if config.policy.aware:
        chosen = [list(wanted)[i] for i in two_phases(config, steps, trusted)]
        return Plan({tensor: wanted[tensor] for tensor in chosen}, room >= 0)
    count, fits = artifact(freed, room=trusted)
    return Plan(dict(list(wanted.items())[:count]), fits and room >= 0)


def two_phases(config: Execution, steps: Program, room: float) -> tuple[int, ...]:
    """Places among the candidates of what the authors' scheduler chooses."""
    saved = [
        Saved(
            size=float(steps.tensors[i].size),
            ready=steps.ready[max(steps.issue(i), steps.uses[i][0] + 1)],
            fp16=True,
            csr=bool(steps.tensors[i].relu),
        )
        for i in steps.candidates
    ]
    route = Route(rates(config)[0], bool(config.compression.fp16), bool(config.compression.csr))
    return schedule(saved, forward=steps.ready[steps.loss], room=room, route=route).chosen


def run(config: Execution) -> dict[str, float | bool | str]:
    """Execute one step; where it cannot run the time is infinite and `reason` says why."""
    steps = program(config.trace)
    memory = float(config.memory) or float(GIVEN("trace_memory"))
    found = plan(config, steps, memory)
    write, read = rates(config)
    machine = Machine(steps, found.freight, memory=memory, write=write, read=read)
    time, reason = inf, "plan: with all that may leave away, the rest does not fit"
    if found.fits:
        try:
            time, reason = machine.run(), ""
        except StuckError as stuck:
            reason = str(stuck)
    stall = time - steps.ready[-1]
    return {
        "iteration_time": time,
        "stall_time": stall,
        "overlap_time": machine.busy - stall if found.fits and not reason else nan,
        "offloaded_bytes": machine.offloaded,
        "feasible": not reason,
        "reason": reason,
    }


REFERENCE = Reference(
    slug="flashneuron",
    text="plans what leaves, then executes a step kernel by kernel over a map of pages",
    config=Execution,
    run=run,
    quantities={
        "iteration_time": Metric("s", "min", "time of one training step"),
        "stall_time": Metric("s", "min", "of it, kernels waiting for places or contents"),
        "overlap_time": Metric("s", "max", "transfers under way less the stalls"),
        "offloaded_bytes": Metric("B", "min", "saved tensors that left the GPU, as they were"),
        "feasible": Metric("1", "", "whether the step ran to its end"),
        "reason": Metric("", "", "why it did not"),
    },
    compared={"iteration_time": "iteration_time"},
    cases=cases,
    readers={"trace": read_trace},
)
