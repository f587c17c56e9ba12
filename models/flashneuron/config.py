"""What a training step is: the network or its trace, the GPU, the store and the knobs."""

import math
from typing import Annotated

from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Operator, Real, Record, Symbol, Unit, leaf

from ..roofline import model as roofline

DATA = provenance.sheet(__package__)
GIVEN = DATA.default
UNKNOWN, OFF = leaf(math.nan), leaf(0.0)

Count = Annotated[Real, Unit("1")]
Bytes = Annotated[Real, Field(ge=0), Unit("B")]
Seconds = Annotated[Real, Field(ge=0), Unit("s")]
Switch = Annotated[Real, Unit("1")]
Share = Annotated[Real, Field(ge=0, le=1), Unit("1")]
Efficiency = Annotated[Real, Field(gt=0, le=1), Unit("1"), Bounds(0.05, 1)]


class Trained(Record):
    """What the page reads of a network; a sample is a sequence or a picture."""

    parameters: Count
    operators: tuple[Operator, ...]
    activation_token: Count
    """Elements saved for the backward pass per token."""
    activation_pair: Count
    """Elements saved for the backward pass per pair of tokens."""
    context: Annotated[Real, Unit("token")] = leaf(1.0)
    """Most tokens of a sample; 1 for a picture."""
    relu_share: Share = OFF
    """Share of the saved bytes that a ReLU wrote."""


class Device(roofline.Device):
    """What the page reads of a GPU."""

    host_bandwidth: Annotated[Real, Unit("B/s")]
    """Of its slot, one direction."""


class Candidate(Record):
    """A saved tensor of a trace, in the order of the forward pass."""

    size: Bytes


class Trace(Record):
    """Sums over a profile of kernels at one batch; batch 0 means there is none.

    Slopes are per sample. A single profile does not tell them: then the batches stay unknown.
    """

    batch: Annotated[Real, Field(ge=0), Unit("1")] = OFF
    forward_time: Seconds = OFF
    backward_time: Seconds = OFF
    activations: Bytes = OFF
    """Saved in the forward pass for the backward pass."""
    resident: Bytes = OFF
    """Weights and whatever else never leaves."""
    workspace: Bytes = OFF
    """Most that one kernel touches."""
    surplus: Bytes = OFF
    """What whole tensors take beyond what must go, where `candidates` are not known."""
    relu_share: Share = OFF
    link_bandwidth: Annotated[Real, Field(gt=0), Unit("B/s")] = GIVEN("trace_link")
    """Of the machine that was profiled, one direction; no trace says it."""
    kernels: Count = OFF
    forward_slope: Annotated[Real, Unit("s")] = UNKNOWN
    backward_slope: Annotated[Real, Unit("s")] = UNKNOWN
    activations_slope: Annotated[Real, Unit("B")] = UNKNOWN
    resident_slope: Annotated[Real, Unit("B")] = UNKNOWN
    workspace_slope: Annotated[Real, Unit("B")] = UNKNOWN
    candidates: tuple[Candidate, ...] = ()


class Compression(Record):
    """What happens to a tensor on its way out; a 1 switches on."""

    fp16: Switch
    csr: Switch


class Store(Record):
    """Where tensors go; a 1 beside it, none for the GPU alone."""

    ssd: Switch
    host: Switch


class Precision(roofline.Precision):
    """How the network is trained, and whether its saved tensors may still be compressed."""

    compressible: Switch


class Step(Config):
    """One training step, where its tensors go, and the fitted constant."""

    workload: Annotated[Trained, Catalog("workloads", "bert-large"), Symbol("N")]
    """The network that is trained."""
    gpu: Annotated[Device, Catalog("gpus", "v100-pcie-16gb"), Symbol("G")]
    """The GPU it is trained on."""
    trace: Annotated[Trace, Catalog("flashneuron.trace", "none"), Symbol(r"\Theta")]
    """Measured sums that replace the roofline of network and GPU, at their own batch."""
    precision: Annotated[Precision, Catalog("flashneuron.precision", "fp32"), Symbol("e")]
    """Number format of training."""
    store: Annotated[Store, Catalog("flashneuron.store", "ssd"), Symbol("D")]
    """Where saved tensors go."""
    compression: Annotated[Compression, Catalog("flashneuron.compression", "none"), Symbol("C")]
    """How they are compressed on the way."""
    batch: Annotated[Count, Field(ge=1), Symbol("b"), Bounds(1, 512, log=True, integer=True)] = (
        GIVEN("batch")
    )
    """Samples of a step; a trace has its own."""
    memory: Annotated[Bytes, Symbol("M"), Bounds(0, 200e9)] = GIVEN("memory")
    """Memory of the GPU; 0 takes what the GPU has, or what the trace's GPU had."""
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
    tokens: Annotated[
        Real, Field(ge=1), Unit("token"), Symbol("s"), Bounds(1, 4096, log=True, integer=True)
    ] = GIVEN("tokens")
    """Length of a sample, at most what the network takes; nothing to a picture."""
    compression_factor: Annotated[Count, Field(ge=1), Symbol("c"), Bounds(1, 4)] = GIVEN(
        "compression_factor"
    )
    """Measured mean factor, on top of what `compression` gives."""
    sparsity: Annotated[Share, Symbol("z"), Bounds(0.3, 0.9)] = GIVEN("sparsity")
    """Share of zeros in what a ReLU wrote."""
    fp16_share: Annotated[Share, Symbol(r"\varphi"), Bounds(0, 1)] = GIVEN("fp16_share")
    """Share of the saved bytes that FP16 may store."""
    room_share: Annotated[Count, Field(gt=0, le=1), Symbol(r"\sigma"), Bounds(0.3, 1)] = GIVEN(
        "room_share"
    )
    """Share of the free memory that the plan fills."""
    overlap: Annotated[Count, Field(ge=0), Symbol(r"\kappa"), Bounds(0.5, 8)] = GIVEN("overlap")
    """Calibrated: how well transfers hide; 0 is one after the other."""
    compute_efficiency: Annotated[Efficiency, Symbol(r"\eta_c")] = GIVEN("compute_efficiency")
    """Share of the GPU's peak that arithmetic reaches at a large batch."""
    memory_efficiency: Annotated[Efficiency, Symbol(r"\eta_m")] = GIVEN("memory_efficiency")
    """Share of the GPU's bandwidth that traffic reaches."""
    half_batch: Annotated[Count, Field(ge=0), Symbol("b_h"), Bounds(0, 32)] = GIVEN("half_batch")
    """Batch at which arithmetic reaches half its rate."""
    dispatch_time: Annotated[Seconds, Symbol("t_d"), Bounds(0, 100e-6)] = GIVEN("dispatch_time")
    """Time to start one kernel."""
    workspace_share: Annotated[Share, Symbol(r"\omega"), Bounds(0.02, 0.3)] = GIVEN(
        "workspace_share"
    )
    """Working set of the largest kernel over the activations."""
    checkpoint_interval: Annotated[
        Real, Field(gt=0), Unit("s"), Symbol(r"\tau"), Bounds(60, 86400, log=True)
    ] = GIVEN("checkpoint_interval")
    """Time between two checkpoints on the drive."""
