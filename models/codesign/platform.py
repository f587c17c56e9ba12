"""What a platform is: the records and knobs of the joint page, with units, bounds and symbols."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Real, Record, Symbol, Unit, leaf

from ..dfx import model as dfx
from ..flashneuron import config as flashneuron
from ..roofline import model as roofline

GIVEN = provenance.sheet(__package__).default
UNKNOWN = leaf(float("nan"))

Count = Annotated[Real, Unit("1")]


class Network(dfx.Decoder, flashneuron.Trained):
    """What serving and training read of a decoder."""

    attention_macs: Count
    """Products of attention per token and token of context, over all layers."""


class Target(Record):
    """Where requests are served: one of the switches is 1."""

    on_gpu: Count
    on_dfx: Count


class Gpu(roofline.Device):
    """What serving reads of a GPU; a price may be unknown."""

    price: Annotated[Real, Unit("USD")] = UNKNOWN


class Training(Record):
    """Whether the platform trains at all."""

    active: Count


class TrainingGpu(flashneuron.Device):
    """What training reads of a GPU; price and NVLink may be unknown."""

    price: Annotated[Real, Unit("USD")] = UNKNOWN
    nvlink_bandwidth: Annotated[Real, Unit("B/s")] = UNKNOWN


class Drive(Record):
    """What training reads of an SSD."""

    read_bandwidth: Annotated[Real, Unit("B/s")]
    write_bandwidth: Annotated[Real, Unit("B/s")]
    written_limit: Annotated[Real, Unit("B")]
    """Bytes it is rated to be written in its life."""
    price: Annotated[Real, Unit("USD")] = UNKNOWN


class Runtime(Record):
    """How kernels are made and started on a GPU."""

    time_ratio: Count
    """Time of an operator against its best schedule, R."""
    kernels: Count
    """Kernels per layer, nu."""
    dispatch_time: Annotated[Real, Unit("s")]
    """Host time to start one kernel, t_d."""


class Precision(roofline.Precision):
    """How weights are held and multiplied, and what that costs in quality."""

    quality_loss: Count


class Serve(Config):
    """What answers requests."""

    target: Annotated[Target, Catalog("codesign.target", "gpu"), Symbol("T")]
    """GPUs, or rings of FPGAs."""
    gpu: Annotated[Gpu, Catalog("gpus", "v100-pcie-16gb"), Symbol("G")]
    """The GPU of a replica."""
    precision: Annotated[Precision, Catalog("codesign.precision", "fp16"), Symbol("q")]
    """Weights on the GPU; DFX has FP16 only."""
    runtime: Annotated[Runtime, Catalog("codesign.runtime", "compiled"), Symbol(r"R, \nu, t_d")]
    """Framework kernels started one by one, or a compiled network."""
    batch: Annotated[Count, Field(ge=1), Symbol("B"), Bounds(1, 32, log=True, integer=True)] = (
        GIVEN("serve.batch")
    )
    """Requests answered together on a GPU."""
    replicas: Annotated[Count, Field(ge=1), Symbol(r"\rho"), Bounds(1, 8, integer=True)] = GIVEN(
        "serve.replicas"
    )
    """Equal GPUs, or equal rings, behind one queue."""


class Ring(Config):
    """The FPGAs of one replica."""

    fpga: Annotated[dfx.Board, Catalog("fpgas", "u280"), Symbol("F")]
    """The board."""
    fpgas: Annotated[Count, Field(ge=1), Symbol("p"), Bounds(1, 8, integer=True)] = GIVEN(
        "dfx.fpgas"
    )
    """Boards in a ring; divides the heads."""
    depth: Annotated[Count, Field(ge=1), Symbol("d"), Bounds(16, 256, integer=True)] = GIVEN(
        "dfx.depth"
    )
    """Products of one lane per cycle."""
    lanes: Annotated[Count, Field(ge=1), Symbol("l"), Bounds(4, 64, integer=True)] = GIVEN(
        "dfx.lanes"
    )
    """Output columns computed side by side."""
    clock: Annotated[Real, Field(gt=0), Unit("Hz"), Symbol("f"), Bounds(100e6, 300e6)] = GIVEN(
        "dfx.clock"
    )
    """Clock of the core."""


class Train(Config):
    """What trains the network again and again: data-parallel GPUs of one node."""

    mode: Annotated[Training, Catalog("codesign.training", "none"), Symbol("m")]
    """Whether the platform trains at all."""
    gpu: Annotated[TrainingGpu, Catalog("gpus", "v100-pcie-16gb"), Symbol("G_t")]
    """The GPU."""
    gpus: Annotated[Count, Field(ge=1), Symbol("g"), Bounds(1, 8, integer=True)] = GIVEN(
        "train.gpus"
    )
    """GPUs of the node, data-parallel only: each holds the whole network."""
    precision: Annotated[
        flashneuron.Precision, Catalog("flashneuron.precision", "fp32"), Symbol("e")
    ]
    """Number format of training."""
    batch: Annotated[Count, Field(ge=1), Symbol("b"), Bounds(1, 512, log=True, integer=True)] = (
        GIVEN("train.batch")
    )
    """Sequences of one GPU in a step."""
    tokens: Annotated[
        Real, Field(ge=1), Unit("token"), Symbol("s"), Bounds(1, 4096, log=True, integer=True)
    ] = GIVEN("train.tokens")
    """Length of a sequence."""
    sequences: Annotated[
        Real, Field(gt=0), Unit("sequence"), Symbol("N_s"), Bounds(1e3, 1e7, log=True)
    ] = GIVEN("train.sequences")
    """Sequences of one training job."""
    jobs_per_year: Annotated[Count, Field(gt=0), Symbol("R_y"), Bounds(1, 1000, log=True)] = GIVEN(
        "train.jobs_per_year"
    )
    """Training jobs in a year; together they must fit into it."""
    store: Annotated[flashneuron.Store, Catalog("flashneuron.store", "ssd"), Symbol("D")]
    """Where saved tensors go that do not fit."""
    compression: Annotated[
        flashneuron.Compression, Catalog("flashneuron.compression", "none"), Symbol("C")
    ]
    """How they are compressed on the way."""
    drive: Annotated[Drive, Catalog("ssds", "samsung-pm1725b-1.6tb-u2"), Symbol("S")]
    """The drives of the node."""
    drives: Annotated[Count, Field(ge=1), Symbol("N_d"), Bounds(1, 8, integer=True)] = GIVEN(
        "train.drives"
    )
    """Drives side by side, shared by the GPUs."""
    host_link: Annotated[
        Real, Field(gt=0), Unit("B/s"), Symbol("B_h"), Bounds(4e9, 400e9, log=True)
    ] = GIVEN("train.host_link")
    """What the host moves between all its drives and GPUs."""


class Platform(Config):
    """A serving platform and its scenario."""

    workload: Annotated[Network, Catalog("workloads", "gpt2-1.5b"), Symbol("N")]
    """The network that is served."""
    input_tokens: Annotated[
        Real, Field(ge=1), Unit("token"), Symbol("n_{in}"), Bounds(1, 1024, integer=True)
    ] = GIVEN("input_tokens")
    """Tokens of a prompt."""
    output_tokens: Annotated[
        Real, Field(ge=1), Unit("token"), Symbol("n_{out}"), Bounds(1, 1024, integer=True)
    ] = GIVEN("output_tokens")
    """Tokens written per request."""
    request_rate: Annotated[
        Real, Field(gt=0), Unit("request/s"), Symbol(r"\lambda"), Bounds(0.01, 100, log=True)
    ] = GIVEN("request_rate")
    """Requests that arrive per second, over all replicas."""
    horizon: Annotated[Real, Field(gt=0), Unit("s"), Symbol("H"), Bounds(2.6e6, 3.2e8)] = GIVEN(
        "horizon"
    )
    """Time over which cost is counted."""
    electricity: Annotated[Real, Field(ge=0), Unit("USD/J"), Symbol("c_e"), Bounds(0, 3e-7)] = (
        GIVEN("electricity")
    )
    """Price of energy."""
    host: Annotated[Real, Field(ge=0), Unit("USD"), Symbol("c_h"), Bounds(0, 50e3)] = GIVEN("host")
    """Price of the host of up to four devices."""
    compute_efficiency: Annotated[Count, Field(gt=0, le=1), Symbol(r"\eta_c"), Bounds(0.1, 1)] = (
        GIVEN("compute_efficiency")
    )
    """Best schedule's share of the datasheet peak."""
    memory_efficiency: Annotated[Count, Field(gt=0, le=1), Symbol(r"\eta_m"), Bounds(0.1, 1)] = (
        GIVEN("memory_efficiency")
    )
    """Share of the datasheet bandwidth that a stream of weights reaches."""
    serve: Serve
    """What answers requests."""
    dfx: Ring
    """The FPGAs, where they serve."""
    train: Train
    """What trains, where the platform trains."""
