"""What a platform is, group by group: train and its drive, compile, serve, and who looks at it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dse.spec import Bounds, Catalog, Config, Real, Symbol, Unit

from ..dfx import model as dfx
from ..flashneuron import config as flashneuron
from .rows import (
    GIVEN,
    Assignment,
    Cells,
    Compiler,
    Count,
    Cpu,
    DriveLink,
    Fusion,
    Gpu,
    Network,
    Precision,
    SlcCells,
    Switch,
    Target,
    TrainingGpu,
    Tuner,
    Vector,
    Zones,
)
from .trust import Law, Trust

Power = Bounds(1, 32, log=True, integer=True)


class Train(Config):
    """What trains the network again and again: data-parallel GPUs of one node."""

    mode: Annotated[Switch, Catalog("codesign.training", "none"), Symbol("m")]
    """Whether the platform trains at all."""
    gpu: Annotated[TrainingGpu, Catalog("gpus", "v100-pcie-16gb"), Symbol("g")]
    """The GPU."""
    gpus: Annotated[Count, Field(ge=1), Symbol("n_g"), Bounds(1, 8, integer=True)] = GIVEN(
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
    offload: Annotated[Switch, Catalog("codesign.switch", "on"), Symbol("o")]
    """FlashNeuron: saved tensors that do not fit go to the drives."""
    fp16_store: Annotated[Switch, Catalog("codesign.switch", "on"), Symbol("h")]
    """They are stored in FP16; only elements of four bytes can be."""
    csr: Annotated[Switch, Catalog("codesign.switch", "off"), Symbol("z")]
    """What a ReLU wrote is stored as sparse rows, where FP16 storage is on too."""
    host_link: Annotated[
        Real, Field(gt=0), Unit("B/s"), Symbol("B_h"), Bounds(4e9, 400e9, log=True)
    ] = GIVEN("train.host_link")
    """What the host moves between all its drives and GPUs."""
    dataset: Annotated[Real, Field(ge=0), Unit("B"), Symbol("D"), Bounds(0, 1e13)] = GIVEN(
        "train.dataset"
    )
    """Training data on the drives."""
    refresh: Annotated[Real, Field(ge=0), Unit("B"), Symbol("D_r"), Bounds(0, 1e12)] = GIVEN(
        "train.refresh"
    )
    """New training data written for every job."""
    checkpoint_interval: Annotated[
        Real, Field(gt=0), Unit("s"), Symbol(r"\tau"), Bounds(60, 86400, log=True)
    ] = GIVEN("train.checkpoint_interval")
    """Time between two checkpoints on the drives."""


class Drive(Config):
    """The drives of the training node: 3D TLC of which some blocks hold one bit a cell."""

    count: Annotated[Count, Field(ge=1), Symbol("N_d"), Bounds(1, 8, integer=True)] = GIVEN(
        "drive.count"
    )
    """Drives side by side, RAID-0, shared by the GPUs."""
    dies: Annotated[Count, Field(ge=1), Symbol("n"), Bounds(16, 128, log=True, integer=True)] = (
        GIVEN("drive.dies")
    )
    """Dies of a drive."""
    link: Annotated[DriveLink, Catalog("codesign.link", "gen3x4"), Symbol("B_d")]
    """Slot of a drive."""
    zones: Annotated[Zones, Catalog("codesign.zones", "dual"), Symbol("z_d")]
    """TLC alone, an SLC cache that is folded, or two zones by lifetime."""
    slc_fraction: Annotated[Count, Field(gt=0, lt=1), Symbol("f"), Bounds(0.02, 0.9)] = GIVEN(
        "drive.slc_fraction"
    )
    """Share of the blocks in SLC mode, where EADM does not choose it."""
    lii: Annotated[Switch, Catalog("codesign.switch", "on"), Symbol("l")]
    """Data that dies together shares blocks, so that nothing is moved; needs two zones."""
    eadm: Annotated[Switch, Catalog("codesign.switch", "on"), Symbol("a")]
    """Both zones are sized to wear out together; needs two zones."""
    slc: Annotated[SlcCells, Catalog("nand", "slc-mode"), Symbol("S")]
    """A block with one bit a cell."""
    tlc: Annotated[Cells, Catalog("nand", "tlc-3d"), Symbol("T")]
    """A block as it is."""
    controller: Annotated[Real, Field(ge=0), Unit("USD"), Symbol("c_d"), Bounds(0, 2000)] = GIVEN(
        "drive.controller"
    )
    """Price of a drive without its flash."""
    flash: Annotated[Real, Field(ge=0), Unit("USD/B"), Symbol("c_f"), Bounds(0, 1e-9)] = GIVEN(
        "drive.flash"
    )
    """Price of flash by its capacity as TLC."""


class Compile(Config):
    """How kernels are made, for the training GPU and for what serves."""

    tuner: Annotated[Tuner, Catalog("codesign.tuner", "oneshot"), Symbol("t")]
    """Vendor kernels started one by one, a compiler's defaults, or a tuner."""
    trials: Annotated[Count, Field(ge=1), Symbol("m"), Bounds(8, 2048, log=True, integer=True)] = (
        GIVEN("compile.trials")
    )
    """Schedules measured for every task."""
    train_size: Annotated[
        Count, Field(ge=50), Symbol("n_{tr}"), Bounds(100, 3000, log=True, integer=True)
    ] = GIVEN("compile.train_size")
    """Samples of every task that One-Shot's predictor learns from."""
    fusion: Annotated[Fusion, Catalog("codesign.fusion", "pattern"), Symbol(r"\varphi")]
    """How far operators are fused; a framework fuses none."""
    compiler: Annotated[Compiler, Catalog("codesign.compiler", "glow"), Symbol("k")]
    """What compiles for the CPU."""
    vector: Annotated[Vector, Catalog("codesign.vector", "avx2"), Symbol("v")]
    """Vector instructions on the CPU."""
    tasks: Annotated[Count, Field(ge=1), Symbol("n_t"), Bounds(1, 100, integer=True)] = GIVEN(
        "compile.tasks"
    )
    """Different operators that are tuned."""
    deployments: Annotated[Count, Field(ge=1), Symbol("K"), Bounds(1, 100, integer=True)] = GIVEN(
        "compile.deployments"
    )
    """Deployments that share the predictor's training."""
    dispatch_time: Annotated[
        Real, Field(ge=0), Unit("s"), Symbol("t_d"), Bounds(1e-6, 100e-6, log=True)
    ] = GIVEN("compile.dispatch_time")
    """Time to start one kernel of a compiled network on a GPU, on top of its work."""
    eager_dispatch_time: Annotated[
        Real, Field(ge=0), Unit("s"), Symbol("t_e"), Bounds(1e-6, 200e-6, log=True)
    ] = GIVEN("compile.eager_dispatch_time")
    """The same where a framework starts kernels one by one; measured kernels hide it."""


class Serve(Config):
    """What answers requests."""

    target: Annotated[Target, Catalog("codesign.target", "gpu"), Symbol("T")]
    """GPUs, CPUs, both together, or rings of FPGAs; none, where a platform only trains."""
    gpu: Annotated[Gpu, Catalog("gpus", "v100-pcie-16gb"), Symbol("G")]
    """The GPU of a replica."""
    cpu: Annotated[Cpu, Catalog("cpus", "epyc-7502"), Symbol("C")]
    """The CPU of a replica."""
    precision: Annotated[Precision, Catalog("codesign.precision", "fp16"), Symbol("q")]
    """Weights on GPU and CPU; DFX has FP16 only."""
    batch: Annotated[Count, Field(ge=1), Symbol("B"), Power] = GIVEN("serve.batch")
    """Requests answered together; DFX answers one at a time."""
    replicas: Annotated[Count, Field(ge=1), Symbol(r"\rho"), Bounds(1, 8, integer=True)] = GIVEN(
        "serve.replicas"
    )
    """Equal devices, or equal rings, behind one queue."""


class Duet(Config):
    """Which part runs where, if CPU and GPU serve together."""

    assignment: Annotated[Assignment, Catalog("codesign.assignment", "auto"), Symbol("a")]
    """The split of least latency that fits, or a letter a part: g on the GPU, c on the CPU."""


class Ring(Config):
    """The FPGAs of one replica."""

    fpga: Annotated[dfx.Board, Catalog("fpgas", "u280"), Symbol("F")]
    """The board."""
    fpgas: Annotated[Count, Field(ge=1), Symbol("p"), Bounds(1, 8, integer=True)] = GIVEN(
        "dfx.fpgas"
    )
    """Boards in a ring; divides the heads."""
    depth: Annotated[Count, Field(ge=1), Symbol("d_t"), Bounds(16, 256, integer=True)] = GIVEN(
        "dfx.depth"
    )
    """Products of one lane per cycle."""
    lanes: Annotated[Count, Field(ge=1), Symbol("l_t"), Bounds(4, 64, integer=True)] = GIVEN(
        "dfx.lanes"
    )
    """Output columns computed side by side."""
    clock: Annotated[Real, Field(gt=0), Unit("Hz"), Symbol("f_c"), Bounds(100e6, 300e6)] = GIVEN(
        "dfx.clock"
    )
    """Clock of the core."""


class Attention(Config):
    """A3: candidates of the keys while text is written."""

    on: Annotated[Switch, Catalog("codesign.switch", "off"), Symbol("x")]
    """Whether candidates are selected."""
    m: Annotated[Count, Field(gt=0, le=1), Symbol(r"\mu"), Bounds(1 / 16, 0.5, log=True)] = GIVEN(
        "a3.m"
    )
    """Steps of the selection over rows of the context, M / n."""
    units: Annotated[Count, Field(ge=1), Symbol("u"), Bounds(1, 16, integer=True)] = GIVEN(
        "a3.units"
    )
    """Selection units of an FPGA."""


class Attacker(Config):
    """What-ifs of whoever holds the binary."""

    bulk_extract: Annotated[Switch, Catalog("codesign.switch", "off"), Symbol("x_b")]
    """Parameters are read in blocks, not one by one."""
    lifts_avx512: Annotated[Switch, Catalog("codesign.switch", "on"), Symbol("x_v")]
    """The tool lifts AVX-512; the released one does not."""


class Platform(Config):
    """A platform and its scenario."""

    workload: Annotated[Network, Catalog("workloads", "gpt2-1.5b"), Symbol("N")]
    """The network that is trained and served."""
    input_tokens: Annotated[
        Real,
        Field(ge=1),
        Unit("token"),
        Symbol("n_{in}"),
        Bounds(1, 16384, log=True, integer=True),
    ] = GIVEN("input_tokens")
    """Tokens of a prompt."""
    output_tokens: Annotated[
        Real, Field(ge=1), Unit("token"), Symbol("n_{out}"), Bounds(1, 1024, integer=True)
    ] = GIVEN("output_tokens")
    """Tokens written per request."""
    prompt_cached: Annotated[Switch, Catalog("codesign.switch", "off"), Symbol("p_c")]
    """Keys and values of the prompt are on the device already."""
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
    machine_hour: Annotated[Real, Field(ge=0), Unit("USD/s"), Symbol("c_m"), Bounds(0, 0.01)] = (
        GIVEN("machine_hour")
    )
    """Price of a device while tuning measures on it."""
    idle_share: Annotated[Count, Field(ge=0, le=1), Symbol("P_0/P"), Bounds(0, 0.5)] = GIVEN(
        "idle_share"
    )
    """Idle power of a GPU over its board power."""
    compute_efficiency: Annotated[Count, Field(gt=0, le=1), Symbol(r"\eta_c"), Bounds(0.1, 1)] = (
        GIVEN("compute_efficiency")
    )
    """Best schedule's share of the datasheet peak."""
    memory_efficiency: Annotated[Count, Field(gt=0, le=1), Symbol(r"\eta_m"), Bounds(0.1, 1)] = (
        GIVEN("memory_efficiency")
    )
    """Share of the datasheet bandwidth that a stream of weights reaches."""
    train: Train
    """What trains, where the platform trains."""
    drive: Drive
    """The drives of the training node."""
    compile: Compile
    """How kernels are made."""
    serve: Serve
    """What answers requests."""
    duet: Duet
    """Which part runs where, if CPU and GPU serve together."""
    dfx: Ring
    """The FPGAs, where they serve."""
    a3: Attention
    """Approximate attention while text is written."""
    attacker: Attacker
    """What-ifs of whoever holds the binary."""
    roofline: Law
    """By which law GPU times are priced."""
    trust: Trust
    """Truth over prediction of what other pages say; all 1, unless an interval draws them."""
