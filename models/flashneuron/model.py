r"""FlashNeuron (Bae et al., FAST 2021): training with saved tensors on an SSD.

Question: does the transfer hide under compute, and what does a larger batch buy?
The forward pass writes some saved tensors to an SSD, the backward pass reads them back; what does
not hide under compute is exposed.

Three warnings. (1) The rows here are of the G10 artifact, a re-implementation, and its "GB" is
GiB. (2) Its profiles of convolutional networks are not physical: a convolution takes about 0.35 s
whatever the batch. They validate the scheduling, not compute times: read `roofline_time` beside
them. (3) The rows are uncompressed and know the scheduler's phase 1 only, while the paper
compresses: compression is a knob and defaults to none.

| symbol     | name                                 | unit | where                            |
|------------|--------------------------------------|------|----------------------------------|
| b, M       | batch, memory                        | 1, B | of a step; of the GPU            |
| A, W, w    | activations, resident, workspace     | B    | lines in b: trace, or roofline   |
| R, V       | room, offloaded                      | B    | left for activations; must go    |
| B_w, B_r   | write_bandwidth, read_bandwidth      | B/s  | drives, or host memory; the link |
| c, S       | wire_share (1 / c), transferred V/c  | 1, B | compression                      |
| T_f, T_b   | forward, backward                    | s    | compute: trace, or roofline      |
| X_w, X_r   | write_time, read_time                | s    | S / B                            |
| kappa, q   | overlap, exponent                    | 1    | fitted on executed steps         |
| z, phi     | sparsity, fp16_share                 | 1    | of the network's tensors         |

Arguments carry these units and broadcast. The sheet's closed forms are [derived] from the authors'
code and the abstract, as the paper's own text could not be read.

Assumptions: A, W, w, T_f and T_b are lines in b; transfers run at a constant rate, writes in the
forward pass, reads in the backward pass; compressing costs no time; no fragmentation.
Range: V100 and A100, batches up to 14 times what the GPU alone holds.

Where we differ from the paper: no second phase of its scheduler, which swaps tensors for ones that
compress; its 0.6 of the free memory is the knob `room_share`. Tensors under 1 MiB, never offloaded
there, and the rounding to 4096 B are left out: `notes.tensors`.

Known weak regimes (sign of the bias of the time), against the executed reference: working set over
25 % of memory -, to 17 %, or + to 20 % where transfer takes as long as a pass; residents over 35 %
of memory +, to 22 %, likewise. It never sees fragmentation, which ends 39 of 480 executed steps
that run here, with a wide working set or a few spare holes. Roofline of eager kernels -, time at
small batches hangs on `half_batch`. The abstract's batches of 12 to 14 times run here, but do not
hide; its gain of 37.8 % is not met at them: `notes.headline`.
"""

from typing import cast

import numpy as np

from dse.spec import Array, Mask, Metric, Model, Monotone, Paper, Rests, Result, Rule, leaf
from dse.units import DAY

from ..roofline import model as roofline
from .config import DATA, GIVEN, Step, Trace
from .demand import Demand, Line, demand
from .traces import settings
from .transfer import (
    bandwidth,
    exponent,
    exposed_time,
    free_room,
    hidden_batch,
    largest_batch,
    must_leave,
    planned_bytes,
    transfer_time,
    wire_share,
)

__all__ = ["MODEL", "Step", "Trace", "evaluate"]

NO_SAMPLE = leaf(0.0)


def _memory(config: Step) -> Array:
    """Memory of the GPU: as set, or of the profiled machine, or of the catalog's GPU."""
    traced = np.greater(config.trace.batch, 0)
    own = np.where(traced, GIVEN("trace_memory"), config.gpu.memory_capacity)
    return np.where(np.greater(config.memory, 0), config.memory, own)


def _rates(config: Step) -> tuple[Array, Array]:
    """Write and read bandwidth of the store, capped by the GPU's slot."""
    traced = np.greater(config.trace.batch, 0)
    link = np.where(traced, config.trace.link_bandwidth, config.gpu.host_bandwidth)
    drives = config.drives * config.ssd_bandwidth
    host = config.store.host * GIVEN("host_bandwidth")
    on_host = np.greater(config.store.host, 0)
    write = bandwidth(store=np.where(on_host, host, drives), link=link)
    read = bandwidth(store=np.where(on_host, host, drives * config.read_ratio), link=link)
    return write, read


def _compression(config: Step) -> tuple[Array, Array]:
    """Share of offloaded bytes on the wire, and share that stays behind on the GPU as index."""
    traced = np.greater(config.trace.batch, 0)
    relu = np.where(traced, config.trace.relu_share, config.workload.relu_share)
    able = config.precision.compressible
    sparse = able * config.compression.csr * relu
    halved = np.maximum(able * config.compression.fp16 * config.fp16_share, sparse)
    share = wire_share(halved=halved, sparse=sparse, sparsity=config.sparsity)
    return share / config.compression_factor, GIVEN("csr_residue") * sparse


def _batches(
    config: Step, need: Demand, idle: Line, memory: Array, rate: Array
) -> dict[str, Array]:
    """Largest batches: of the GPU alone, of this design, and without a slower forward pass."""
    here, offloads = need.batch, np.greater(config.store.ssd + config.store.host, 0)
    slope = need.activations.slope + idle.slope
    left = memory - idle.at(NO_SAMPLE, here)
    room = left - need.activations.at(NO_SAMPLE, here)
    alone = largest_batch(room=room, slope=slope)
    most = np.where(offloads, largest_batch(room=left, slope=idle.slope), alone)
    unslowed = hidden_batch(
        room=room,
        slope=slope,
        rate=rate,
        intercept=need.forward.at(NO_SAMPLE, here),
        sample_time=need.forward.slope,
    )
    return {
        "gpu_only_batch": alone,
        "max_batch": most,
        "hidden_batch": np.minimum(np.maximum(np.floor(unslowed), alone), most),
        "batch_gain": most / np.where(alone >= 1, alone, np.nan),
    }


def _written(config: Step, transferred: Array, resident: Array, time: Array) -> dict[str, Array]:
    """Bytes a step writes to the drives by lifetime: a step, or until the next checkpoint."""
    short = config.store.ssd * transferred
    # A trace does not say which of its resident bytes a checkpoint would hold.
    held = np.where(np.greater(config.trace.batch, 0), 0.0, resident)
    long = config.store.ssd * held * time / config.checkpoint_interval
    return {
        "written_short": short,
        "written_long": long,
        "written_per_step": short + long,
        "written_per_day": (short + long) * DAY / time,
    }


def _offloaded(config: Step, saved: Array, room: Array, residue: Array) -> tuple[Array, Mask]:
    """Bytes that leave, and whether the rest then fits."""
    offloads = np.greater(config.store.ssd + config.store.host, 0)
    wanted = must_leave(saved=saved, room=config.room_share * room, residue=residue)
    planned = planned_bytes(
        needed=wanted,
        saved=saved,
        surplus=config.trace.surplus,
        sizes=[candidate.size for candidate in config.trace.candidates],
    )
    fits = np.where(offloads, wanted <= saved, wanted <= 0)
    return np.where(offloads, planned, 0.0), fits & (room >= 0)


def _terms(need: Demand, writing: Array, reading: Array, sharpness: Array) -> dict[str, Array]:
    """Exposed times of a step; seconds."""
    forward, backward = need.forward.value, need.backward.value
    return {
        "forward": forward,
        "backward": backward,
        "exposed_offload": exposed_time(compute=forward, transfer=writing, exponent=sharpness),
        "exposed_prefetch": exposed_time(compute=backward, transfer=reading, exponent=sharpness),
    }


def evaluate(config: Step) -> Result:
    """Compose the equations; terms and resources are seconds of one step."""
    need, roof = demand(config)
    memory, (write, read), (wire, residue) = _memory(config), _rates(config), _compression(config)
    idle, compute, saved = need.idle_bytes(), need.compute_time(), need.activations.value
    room = free_room(memory=memory, idle=idle.value)
    offloaded, fits = _offloaded(config, saved, room, residue)
    transferred = offloaded * wire
    writing = transfer_time(transferred=transferred, bandwidth=write)
    reading = transfer_time(transferred=transferred, bandwidth=read)
    sharpness = exponent(room=room, memory=memory, overlap=config.overlap)
    terms = _terms(need, writing, reading, sharpness)
    exposed = terms["exposed_offload"] + terms["exposed_prefetch"]
    time = compute.value + exposed
    batches = _batches(config, need, idle, memory, write / wire)
    alone = batches["gpu_only_batch"]
    known, rate = np.where(alone >= 1, alone, np.nan), need.batch / time
    metrics = {
        "iteration_time": time,
        "throughput": rate,
        "throughput_gain": rate * compute.at(known, need.batch) / known,
        **batches,
        "offloaded_bytes": offloaded,
        "transferred_bytes": transferred,
        "exposed_transfer": exposed,
        "forward_slack": terms["forward"] - writing,
        "activation_bytes": saved,
        "idle_bytes": idle.value,
        **_written(config, transferred, need.resident.value, time),
        "roofline_time": roof.compute_time().value,
        "feasible": cast("Array", fits),
    }
    resources = {"compute": compute.value, "transfer": writing + reading}
    flags = _flags(config, need, memory, room, alone)
    return Result(metrics=metrics, terms=terms, resources=resources, flags=flags)


def _flags(
    config: Step, need: Demand, memory: Array, room: Array, alone: Array
) -> dict[str, Mask]:
    compresses = (config.compression.fp16 > 0) | (config.compression_factor > 1)
    traced = np.greater(config.trace.batch, 0)
    # Rows of the catalog list no tensors either, but come with slopes and their surplus.
    single = np.isnan(config.trace.activations_slope)
    unnamed = traced & single & (not config.trace.candidates)
    return {
        "workspace": need.workspace.value > GIVEN("widest_workspace") * memory,
        "resident": need.resident.value > GIVEN("most_resident") * memory,
        "room": room < GIVEN("least_room") * memory,
        "batch": need.batch > GIVEN("most_batch_gain") * np.maximum(alone, 1),
        "compressed": compresses,
        "host": np.greater(config.store.host, 0),
        "roofline": ~traced,
        "trace": traced,
        "unnamed": unnamed,
        "operators": unnamed & np.equal(config.trace.kernels, 0),
    }


ON_SSD, ROOFED = {"store": "ssd", "memory": 0}, {"trace": "none"}
PACKED = {**ON_SSD, "compression": "csr-fp16", "precision": "fp32"}
SPARSE = {**PACKED, **ROOFED, "workload": "vgg16"}

MODEL = Model(
    slug="flashneuron",
    weak=("roofline",),
    rests={"iteration_time": Rests("roofline", "latency", "datasheet", ("roofline",))},
    paper=Paper.of(DATA, "Does the transfer hide under compute, what does a larger batch buy?"),
    config=Step,
    evaluate=evaluate,
    metrics={
        "iteration_time": Metric("s", "min", "time of one training step"),
        "throughput": Metric("1/s", "max", "samples per second", error="1/iteration_time"),
        "throughput_gain": Metric("1", "max", "against the GPU alone at its largest batch"),
        "gpu_only_batch": Metric("1", "", "largest batch of the GPU alone"),
        "max_batch": Metric("1", "max", "largest batch that runs"),
        "hidden_batch": Metric("1", "max", "largest batch whose writes end with the forward pass"),
        "batch_gain": Metric("1", "max", "largest batch against that of the GPU alone"),
        "offloaded_bytes": Metric("B", "min", "saved tensors that leave the GPU, as they were"),
        "transferred_bytes": Metric("B", "min", "what of them goes over the wire, one way"),
        "exposed_transfer": Metric("s", "min", "transfer that compute does not hide"),
        "forward_slack": Metric("s", "max", "forward time left when all is written; below 0 none"),
        "activation_bytes": Metric("B", "", "saved for the backward pass"),
        "idle_bytes": Metric("B", "", "resident bytes and the largest kernel's working set"),
        "written_short": Metric("B", "", "written per step, dead after it: activations"),
        "written_long": Metric("B", "", "written per step, kept: its share of a checkpoint"),
        "written_per_step": Metric(
            "B", "min", "written per step, all drives", ("written_short", "written_long")
        ),
        "written_per_day": Metric("B", "min", "written in a day of training, all drives"),
        "roofline_time": Metric("s", "", "compute time by roofline of the network that is set"),
        "feasible": Model.FEASIBLE,
    },
    total="iteration_time",
    data=DATA,
    flags={
        "workspace": "working set over 25 % of memory: fragmentation, not seen here, decides"
        " whether it runs at all",
        "resident": "what never leaves takes over 35 % of memory: up to 22 % too slow",
        "room": "resident bytes and working set leave under 6 % of memory: outside what was seen",
        "batch": "batch over 14 times what the GPU alone holds: beyond what the paper reached",
        "compressed": "compressed: the fitted steps are not, and compressing costs no time here",
        "host": "host memory as store: the fitted steps have an SSD",
        "roofline": "compute by roofline: the fitted steps have measured compute times",
    },
    remarks={
        "trace": "compute from the trace at its own batch, physical or not; see roofline_time",
        "unnamed": "an estimate: the trace names no saved tensors, as an export of PyTorch's"
        " profiler does not, so none is rounded whole, and what a ReLU wrote is unknown if 0",
        "operators": "the trace counts no kernels: from a profiler's export, its times are those"
        " of CPU operators",
    },
    rules=(
        Rule(
            "the GPU's peak at this precision is known",
            lambda c: ~np.isnan(roofline.peak(c.gpu, c.precision)),
            "set precision to fp32, or gpu to one that lists FP16",
        ),
    ),
    monotone=(
        *(Monotone(k, "iteration_time", -1) for k in ("compression_factor", "overlap")),
        *(Monotone(k, "iteration_time", -1) for k in ("memory", "room_share")),
        Monotone("ssd_bandwidth", "iteration_time", -1, given=ON_SSD),
        *(Monotone(k, "iteration_time", -1, given=ON_SSD) for k in ("drives", "read_ratio")),
        Monotone("sparsity", "iteration_time", -1, given=SPARSE),
        *(Monotone(k, "iteration_time", 1, given=ROOFED) for k in ("batch", "dispatch_time")),
        Monotone("tokens", "iteration_time", 1, given={**ROOFED, "workload": "gpt3-xl-1.3b"}),
        Monotone("memory", "max_batch", 1),
        Monotone("fp16_share", "transferred_bytes", -1, given=PACKED),
    ),
    note=DATA.notes["warnings"],
    readers={"trace": settings},
)
