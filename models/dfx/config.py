"""What a DFX design is: the network it serves, the board, the knobs and the fitted constants."""

import math
from typing import Annotated

from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Real, Record, Symbol, Unit, leaf

DATA = provenance.sheet(__package__)
GIVEN = DATA.default

Above = Field(gt=0)
Count = Annotated[Real, Unit("1")]
Whole = Annotated[Real, Field(ge=1), Unit("1")]
Tokens = Annotated[Real, Field(ge=1), Unit("token"), Bounds(1, 1024, integer=True)]


class Decoder(Record):
    """What the page reads of a network."""

    layers: Count
    width: Count
    heads: Count
    head_dim: Count
    vocab: Count
    matrix_weights: Count
    head_weights: Count
    kv_elements: Count
    """Keys and values kept per token, over all layers."""
    decoder: Count
    """1 for a network that writes text token by token, else 0."""


class Board(Record):
    """What the page reads of an FPGA board."""

    dsp: Count
    hbm_bandwidth: Annotated[Real, Unit("B/s")]
    hbm_capacity: Annotated[Real, Unit("B")]
    power: Annotated[Real, Unit("W")]
    link_bandwidth: Annotated[Real, Unit("B/s")] = leaf(math.nan)
    price: Annotated[Real, Unit("USD")] = leaf(math.nan)
    qsfp_ports: Count = leaf(math.nan)
    """Serial ports; a ring of three or more boards takes two on each."""


class Served(Config):
    """An appliance and the request that it serves."""

    workload: Annotated[Decoder, Catalog("workloads", "gpt2-1.5b"), Symbol("N")]
    """The network it serves."""
    fpga: Annotated[Board, Catalog("fpgas", "u280"), Symbol("F")]
    """The board."""
    fpgas: Annotated[Whole, Symbol("p"), Bounds(1, 8, integer=True)] = GIVEN("fpgas")
    """Boards in the ring; their number divides the heads."""
    input_tokens: Annotated[Tokens, Symbol("n_{in}")] = GIVEN("input_tokens")
    """Tokens of the prompt."""
    output_tokens: Annotated[Tokens, Symbol("n_{out}")] = GIVEN("output_tokens")
    """Tokens written."""
    depth: Annotated[Whole, Symbol("d"), Bounds(16, 256, integer=True)] = GIVEN("depth")
    """Products of one lane per cycle: the width of its adder tree."""
    lanes: Annotated[Whole, Symbol("l"), Bounds(4, 64, integer=True)] = GIVEN("lanes")
    """Output columns computed side by side."""
    clock: Annotated[Real, Above, Unit("Hz"), Symbol("f"), Bounds(1e8, 3e8)] = GIVEN("clock")
    """Clock of the core."""


class Appliance(Served):
    """An appliance, what it runs, and the two fitted constants."""

    stream_efficiency: Annotated[Count, Field(gt=0, le=1), Symbol(r"\eta"), Bounds(0.2, 1)] = (
        GIVEN("stream_efficiency")
    )
    """Calibrated: achieved share of the stream rate."""
    layer_overhead: Annotated[
        Real, Field(ge=0), Unit("s"), Symbol("t_{layer}"), Bounds(0, 2e-4)
    ] = GIVEN("layer_overhead")
    """Calibrated: fixed time per layer and token, synchronisation and short attention included."""
    board_power: Annotated[Real, Above, Unit("W"), Symbol("P"), Bounds(20, 225)] = GIVEN(
        "board_power"
    )
    """Average draw of one board while it serves."""
