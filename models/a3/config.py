"""What an A3 design is: the matrix it searches, how hard it looks, the pipeline's constants."""

from typing import Annotated

from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Real, Record, Symbol, Unit

DATA = provenance.sheet(__package__)
GIVEN = DATA.default

Count = Annotated[Real, Field(ge=1), Unit("1")]
Cycles = Annotated[Real, Field(ge=0), Unit("cycle")]


class Scan(Record):
    """Whether looking through the greedy scores for candidates costs cycles of its own."""

    exposed: Annotated[Real, Unit("1")]
    """1 if it is on the critical path, else 0."""


class Selection(Config):
    """One query on one key matrix, and the two fitted constants."""

    rows: Annotated[
        Real, Field(ge=2), Unit("1"), Symbol("n"), Bounds(16, 1024, log=True, integer=True)
    ] = GIVEN("rows")
    """Keys that the query is compared with; the chip is sized for 320."""
    width: Annotated[Count, Symbol("d"), Bounds(16, 128, log=True, integer=True)] = GIVEN("width")
    """Elements of a key; the chip is sized for 64."""
    iterations: Annotated[Count, Symbol("M"), Bounds(1, 512, log=True, integer=True)] = GIVEN(
        "iterations"
    )
    """Steps of candidate selection, two products each: n/8 is the paper's aggressive setting."""
    threshold: Annotated[
        Real, Field(gt=0, le=1), Unit("1"), Symbol("T"), Bounds(0.005, 0.5, log=True)
    ] = GIVEN("threshold")
    """Weight below which a candidate is dropped, as a share of the largest: '10 %' or 0.1."""
    spread: Annotated[Real, Field(gt=0), Unit("1"), Symbol("s"), Bounds(0.5, 8)] = GIVEN("spread")
    """Standard deviation of the scores before the softmax."""
    queries: Annotated[Count, Symbol("Q"), Bounds(1, 4096, log=True, integer=True)] = GIVEN(
        "queries"
    )
    """Queries asked of one key matrix, which pay for its sorting together."""
    sort_rate: Annotated[Count, Unit("1"), Symbol("r_s"), Bounds(1, 64, log=True)] = GIVEN(
        "sort_rate"
    )
    """Comparisons per cycle of whatever sorts the key columns."""
    fraction_bits: Annotated[Count, Symbol("f"), Bounds(2, 6, integer=True)] = GIVEN(
        "fraction_bits"
    )
    """Fraction bits of the inputs; the integer part has four bits."""
    clock: Annotated[Real, Field(gt=0), Unit("Hz"), Symbol("f_c"), Bounds(1e8, 2e9, log=True)] = (
        GIVEN("clock")
    )
    """Clock of the pipeline."""
    scan: Annotated[Scan, Catalog("a3.scan", "hidden"), Symbol("S")]
    """Whether the scan for candidates is exposed; both ends of the latency gain are reported."""
    interval_fill: Annotated[Cycles, Symbol(r"\alpha_T"), Bounds(0, 40)] = GIVEN("interval_fill")
    """Calibrated: cycles between two queries beyond the slowest stage."""
    latency_fill: Annotated[Cycles, Symbol(r"\alpha_L"), Bounds(0, 200)] = GIVEN("latency_fill")
    """Calibrated: cycles of one query beyond its stages."""
