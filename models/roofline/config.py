"""What one pass is: the network, the device, the number format and the knobs."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Operator, Real, Record, Symbol, Unit, leaf

DATA = provenance.sheet(__package__)
GIVEN = DATA.default
UNKNOWN, OFF, ONCE = leaf(math.nan), leaf(0.0), leaf(1.0)

Flops = Annotated[Real, Unit("FLOP/s")]
Size = Annotated[Real, Field(ge=1), Unit("sequence"), Bounds(1, 512, log=True, integer=True)]
Length = Annotated[Real, Field(ge=1), Unit("token"), Bounds(1, 2**17, log=True, integer=True)]
Share = Annotated[Real, Field(gt=0, le=1), Unit("1"), Bounds(0.05, 1)]
Switch = Annotated[Real, Unit("1")]


class Network(Record):
    """What the page reads of a network."""

    parameters: Annotated[Real, Unit("1")]
    operators: tuple[Operator, ...]
    kv_elements: Annotated[Real, Unit("1")] = OFF
    """Keys and values kept per token; 0 for a network without a cache."""
    context: Annotated[Real, Unit("token")] = leaf(1.0)
    """Most tokens of a sample; 1 for a picture."""
    heads: Annotated[Real, Unit("1")] = OFF
    """Attention heads; 0 where layers of unlike shapes are added up, as in convolutions."""
    kv_heads: Annotated[Real, Unit("1")] = OFF
    """Heads of keys and values."""


class Device(Record):
    """What the page reads of a GPU; a peak it does not list is unknown."""

    memory_bandwidth: Annotated[Real, Unit("B/s")]
    memory_capacity: Annotated[Real, Unit("B")]
    peak_fp32: Flops
    power: Annotated[Real, Unit("W")] = UNKNOWN
    peak_tf32: Flops = UNKNOWN
    peak_fp16: Flops = UNKNOWN
    peak_bf16: Flops = UNKNOWN
    peak_fp8: Flops = UNKNOWN
    peak_int8: Flops = UNKNOWN
    multiprocessors: Annotated[Real, Unit("1")] = UNKNOWN
    base_clock: Annotated[Real, Unit("Hz")] = UNKNOWN
    boost_clock: Annotated[Real, Unit("Hz")] = UNKNOWN
    l2_capacity: Annotated[Real, Unit("B")] = UNKNOWN
    l1_capacity: Annotated[Real, Unit("B")] = UNKNOWN
    """L1 cache and shared memory of one multiprocessor."""
    compute_capability: Annotated[Real, Unit("1")] = UNKNOWN
    """As NVIDIA numbers its generations; unknown on other boards."""
    memory_type: str = ""
    """As the datasheet names it; empty in a batch over several boards."""
    stacked: Switch = UNKNOWN
    """1 with stacked memory (HBM), 0 with GDDR; read off the memory's type."""
    measured: Switch = OFF
    """1 where peaks and bandwidth were measured on the device: they are reached as they stand."""
    pace_tensor: Annotated[Real, Field(gt=0), Unit("1")] = ONCE
    """Rate of a large product measured on the board's tensor cores, over what the law says."""
    pace_vector: Annotated[Real, Field(gt=0), Unit("1")] = ONCE
    """The same of its vector lanes."""

    @model_validator(mode="before")
    @classmethod
    def _read_memory_type(cls, row: Any) -> Any:  # noqa: ANN401 - whatever pydantic was given
        """Stacked memory is told by its name, so that no string reaches an equation."""
        named = row.get("memory_type") if isinstance(row, Mapping) else ""
        return {**row, "stacked": float(named.startswith("HBM"))} if named else row


class Precision(Record):
    """The width of an element, and a 1 beside the peak it runs at."""

    width: Annotated[Real, Unit("B")]
    fp32: Switch = OFF
    tf32: Switch = OFF
    fp16: Switch = OFF
    bf16: Switch = OFF
    fp8: Switch = OFF
    int8: Switch = OFF


class Form(Record):
    """Which law prices an operator."""

    calibrated: Switch = OFF
    """1 for the law fitted on measured kernels, 0 for the roof of the datasheet."""


class Kernels(Record):
    """The kernels that a framework starts for a network; the calibrated form alone reads them."""

    fused: Switch = OFF
    """1 where one kernel does scores, softmax and values."""
    linears: Annotated[Real, Unit("1")] = leaf(1.0)
    """Kernels that project to queries, keys and values."""
    pair_calls: Annotated[Real, Unit("1")] = OFF
    """Further kernels over the scores of a layer: scale, mask, limit."""
    pair_moved: Annotated[Real, Unit("1")] = OFF
    """Elements those move per score."""
    token_calls: Annotated[Real, Unit("1")] = OFF
    """Further kernels over the width of a layer: copies, scale of the queries."""
    token_moved: Annotated[Real, Unit("1")] = OFF
    """Elements those move per element of the width."""
    activation_calls: Annotated[Real, Unit("1")] = OFF
    """Further kernels of an activation that is not fused."""
    activation_moved: Annotated[Real, Unit("1")] = OFF
    """Elements those move per element of the activation."""


class Pass(Config):
    """One pass of a network on a device."""

    workload: Annotated[Network, Catalog("workloads", "gpt2-1.5b"), Symbol("N")]
    """The network."""
    device: Annotated[Device, Catalog("gpus", "v100-pcie-16gb", also=("cpus",)), Symbol("D")]
    """The GPU it runs on, or the file of a measured CPU."""
    precision: Annotated[Precision, Catalog("roofline.precision", "fp16"), Symbol("w")]
    """Number format of weights, activations and arithmetic."""
    batch: Annotated[Size, Symbol("b")] = GIVEN("batch")
    """Sequences in one pass."""
    tokens: Annotated[Length, Symbol("t")] = GIVEN("tokens")
    """New tokens of each sequence: the prompt in prefill, 1 in decoding."""
    context: Annotated[Length, Symbol("c")] = GIVEN("context")
    """Tokens that each new token attends to, itself included."""
    compute_efficiency: Annotated[Share, Symbol(r"\eta_c")] = GIVEN("compute_efficiency")
    """Share of the peak that arithmetic reaches."""
    memory_efficiency: Annotated[Share, Symbol(r"\eta_m")] = GIVEN("memory_efficiency")
    """Share of the datasheet's bandwidth that traffic reaches."""
    dispatch_time: Annotated[Real, Field(ge=0), Unit("s"), Symbol("t_d"), Bounds(0, 100e-6)] = (
        GIVEN("dispatch_time")
    )
    """Time to start one kernel."""
    form: Annotated[Form, Catalog("roofline.form", "datasheet"), Symbol("f")]
    """The law: the roof of the datasheet, or kernels as measured ones say."""
    kernels: Annotated[Kernels, Catalog("roofline.kernels", "listed"), Symbol(r"\kappa")]
    """Kernels that the framework starts; the calibrated form alone reads it."""
    host_time: Annotated[Real, Field(ge=0), Unit("s"), Symbol("t_h"), Bounds(0, 100e-6)] = GIVEN(
        "host_time"
    )
    """Time the host takes to dispatch one kernel, which binds when kernels are shorter."""
    pace: Annotated[Real, Field(gt=0), Unit("1"), Symbol("a"), Bounds(0.2, 2)] = GIVEN("pace")
    """Rate of a large product measured on the board, over what the calibrated form says."""
