"""What a DUET design is: the graph and its branches, the two devices, the link and the policy."""

from typing import Annotated

from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Operator, Real, Record, Symbol, Unit, leaf

DATA = provenance.sheet(__package__)
GIVEN = DATA.default
OFF = leaf(0.0)

Count = Annotated[Real, Unit("1")]
Switch = Annotated[Real, Field(ge=0, le=1), Unit("1")]
Whole = Annotated[Real, Field(ge=1), Unit("1")]
Share = Annotated[Real, Field(gt=0, le=1), Unit("1"), Bounds(0.05, 1)]
Seconds = Annotated[Real, Field(ge=0), Unit("s")]


class Graph(Record):
    """Which subgraphs exist: a 1 for each; parts of one path run one after another.

    An encoder comes first, if there is one. Then four paths a to d run side by side; a join ends
    them. What is absent takes no time and moves no byte.
    """

    encoder: Switch = OFF
    """Trunk that all paths read."""
    wide_a: Switch = OFF
    linear_a: Switch = OFF
    """Task head of one linear layer."""
    deep_b: Switch = OFF
    linear_b: Switch = OFF
    rnn_c: Switch = OFF
    cnn_c: Switch = OFF
    answer_c: Switch = OFF
    """Task head over a pair of sentences, a recurrent answer module."""
    rnn_d: Switch = OFF
    cnn_d: Switch = OFF
    answer_d: Switch = OFF
    join: Switch = OFF
    """One layer over what the paths put out; without it their outputs go to the CPU."""


class Pictures(Record):
    """What the page reads of a convolutional network."""

    parameters: Count
    operators: tuple[Operator, ...]
    image: Count
    """Pixels of a side."""
    classes: Count


class Encoder(Record):
    """What the page reads of a transformer."""

    parameters: Count
    operators: tuple[Operator, ...]
    width: Count
    context: Annotated[Real, Unit("token")]
    """Most tokens of a sample."""
    head_parameters: Count = OFF
    """Of task heads inside the network."""


class Processor(Record):
    """What the page reads of a CPU."""

    peak_fp32: Annotated[Real, Unit("FLOP/s")]
    memory_bandwidth: Annotated[Real, Unit("B/s")]
    llc_capacity: Annotated[Real, Unit("B")]


class Accelerator(Record):
    """What the page reads of a GPU."""

    peak_fp32: Annotated[Real, Unit("FLOP/s")]
    memory_bandwidth: Annotated[Real, Unit("B/s")]
    memory_capacity: Annotated[Real, Unit("B")]


class Policy(Record):
    """How subgraphs are placed; a 1 beside the way, none for the CPU alone."""

    gpu: Switch = OFF
    greedy: Switch = OFF
    correction: Switch = OFF
    exhaustive: Switch = OFF


class Setting(Config):
    """What page and reference are both asked: a graph of several branches on a CPU and a GPU."""

    graph: Annotated[Graph, Catalog("duet.graph", "wide_and_deep"), Symbol("G")]
    """Which subgraphs there are."""
    policy: Annotated[Policy, Catalog("duet.policy", "greedy_correction"), Symbol("a")]
    """How they are placed."""
    cpu: Annotated[Processor, Catalog("cpus", "xeon-6148"), Symbol("C")]
    """The CPU; inputs start and outputs end in its memory."""
    gpu: Annotated[Accelerator, Catalog("gpus", "titan-v"), Symbol("D")]
    """The GPU."""
    batch: Annotated[Whole, Symbol("B"), Bounds(1, 256, log=True, integer=True)] = GIVEN("batch")
    """Samples of one pass."""
    rnn_layers: Annotated[Whole, Symbol("L"), Bounds(1, 8, integer=True)] = GIVEN("rnn_layers")
    """LSTM layers of a recurrent path."""
    hidden: Annotated[Whole, Symbol("H"), Bounds(32, 2048, log=True, integer=True)] = GIVEN(
        "hidden"
    )
    """Numbers of a state, and of a word."""
    sequence: Annotated[
        Real, Field(ge=1), Unit("token"), Symbol("T"), Bounds(1, 512, integer=True)
    ] = GIVEN("sequence")
    """Tokens of a sentence."""
    ffn_layers: Annotated[Whole, Symbol("L_f"), Bounds(1, 16, integer=True)] = GIVEN("ffn_layers")
    """Layers of the deep path."""
    ffn_width: Annotated[Whole, Symbol("W"), Bounds(64, 8192, log=True, integer=True)] = GIVEN(
        "ffn_width"
    )
    """Outputs of each of them."""
    link_bandwidth: Annotated[
        Real, Field(gt=0), Unit("B/s"), Symbol("B_l"), Bounds(1e9, 64e9, log=True)
    ] = GIVEN("link_bandwidth")
    """Rate of the link between CPU and GPU."""
    link_latency: Annotated[Seconds, Symbol("t_l"), Bounds(0, 1e-4)] = GIVEN("link_latency")
    """Fixed time of one transfer."""
    gpu_launch: Annotated[Seconds, Symbol("k_D"), Bounds(0, 1e-4)] = GIVEN("gpu_launch")
    """Time to start one kernel on the GPU."""
    cpu_launch: Annotated[Seconds, Symbol("k_C"), Bounds(0, 1e-4)] = GIVEN("cpu_launch")
    """Time to start one kernel on the CPU."""
    gpu_efficiency: Annotated[Share, Symbol(r"\eta_D")] = GIVEN("gpu_efficiency")
    """Share of the GPU's peak that arithmetic reaches."""
    cpu_efficiency: Annotated[Share, Symbol(r"\eta_C")] = GIVEN("cpu_efficiency")
    """Share of the CPU's peak that arithmetic reaches."""
    memory_efficiency: Annotated[Share, Symbol(r"\eta_m")] = GIVEN("memory_efficiency")
    """Share of the datasheet's bandwidth that traffic reaches, on both."""
    cache_ratio: Annotated[Real, Field(ge=1), Unit("1"), Symbol("r"), Bounds(1, 16)] = GIVEN(
        "cache_ratio"
    )
    """Bandwidth of the CPU's last cache over that of its memory."""
    fusion: Annotated[Switch, Symbol(r"\phi"), Bounds(0, 1)] = GIVEN("fusion")
    """Share of the element-by-element kernels that the compiler fuses away."""


class Placement(Setting):
    """A network of several branches on a CPU and a GPU."""

    cnn: Annotated[Pictures, Catalog("workloads", "resnet18"), Symbol("N_c")]
    """The network of a convolutional path; its depth is that of the network."""
    encoder: Annotated[Encoder, Catalog("workloads", "bert-base"), Symbol("N_e")]
    """The network of the trunk."""
