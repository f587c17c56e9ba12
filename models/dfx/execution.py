"""The inputs of the executed mechanism: the page's design, and the latencies of the machine."""

from typing import Annotated

from pydantic import Field

from dse.spec import Bounds, Real, Symbol, Unit

from .config import GIVEN, Count, Served

Cycles = Annotated[Real, Field(ge=1), Unit("1"), Bounds(1, 200, integer=True)]
Latency = Annotated[Real, Field(ge=0), Unit("s"), Bounds(0, 1e-5)]


class Execution(Served):
    """A request on an appliance, with what the closed form need not know."""

    multiply_latency: Annotated[Cycles, Symbol("c_{mul}")] = GIVEN("reference.multiply_latency")
    """Cycles of a product."""
    add_latency: Annotated[Cycles, Symbol("c_{add}")] = GIVEN("reference.add_latency")
    """Cycles of a sum or difference; a partial sum may not be added to sooner."""
    exp_latency: Annotated[Cycles, Symbol("c_{exp}")] = GIVEN("reference.exp_latency")
    """Cycles of an exponential."""
    bypass_latency: Annotated[Cycles, Symbol("c_{by}")] = GIVEN("reference.bypass_latency")
    """Cycles of what only passes the vector unit on its way to the adder tree."""
    reciprocal_latency: Annotated[Cycles, Symbol("c_{rec}")] = GIVEN(
        "reference.reciprocal_latency"
    )
    """Cycles of a reciprocal."""
    root_latency: Annotated[Cycles, Symbol("c_{root}")] = GIVEN("reference.root_latency")
    """Cycles of a reciprocal root."""
    gelu_latency: Annotated[Cycles, Symbol("c_{gelu}")] = GIVEN("reference.gelu_latency")
    """Cycles of a look-up with interpolation."""
    compare_latency: Annotated[Cycles, Symbol("c_{max}")] = GIVEN("reference.compare_latency")
    """Cycles of a level of the tree that finds a maximum."""
    channels: Annotated[Count, Field(ge=1), Symbol("h"), Bounds(1, 64, integer=True)] = GIVEN(
        "reference.channels"
    )
    """HBM channels that are read side by side."""
    channel_width: Annotated[Real, Field(gt=0), Unit("B"), Symbol("w"), Bounds(8, 256)] = GIVEN(
        "reference.channel_width"
    )
    """Bytes that a channel hands over per cycle of the core."""
    hbm_latency: Annotated[Latency, Symbol("t_{hbm}")] = GIVEN("reference.hbm_latency")
    """From a read of HBM to its first word."""
    ddr_latency: Annotated[Latency, Symbol("t_{ddr}")] = GIVEN("reference.ddr_latency")
    """From a read of DDR to its first word."""
    ddr_bandwidth: Annotated[Real, Field(gt=0), Unit("B/s"), Symbol("B_d"), Bounds(1e9, 1e11)] = (
        GIVEN("reference.ddr_bandwidth")
    )
    """Bandwidth of the memory of biases, gains and embeddings."""
    hop_latency: Annotated[Latency, Symbol("t_{hop}")] = GIVEN("hop_latency")
    """From one board's router to the next one's."""
    heads_ahead: Annotated[Count, Field(ge=0), Symbol("a"), Bounds(0, 8, integer=True)] = GIVEN(
        "reference.heads_ahead"
    )
    """Heads whose scores are issued before the softmax of an earlier head."""
