"""What is taken apart: a network or one function, its compiler, its ISA and the constants."""

from typing import Annotated

from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Operator, Real, Record, Symbol, Unit, leaf

DATA = provenance.sheet(__package__)
GIVEN = DATA.default
OFF = leaf(0.0)

Count = Annotated[Real, Unit("1")]
Switch = Annotated[Real, Unit("1")]
Seconds = Annotated[Real, Field(gt=0), Unit("s")]


class Deployed(Record):
    """What the page reads of a network."""

    parameters: Count
    operators: tuple[Operator, ...]


class Class(Record):
    """What is priced: a whole network, or one function of a class of operators."""

    whole: Switch = OFF
    conv: Switch = OFF
    fc: Switch = OFF
    other: Switch = OFF
    """Poolings, sums, activations: all that is no product of matrices."""


class Compiler(Record):
    """What a compiler makes of an operator."""

    expansion: Count
    """Instructions of a function over those that Glow gives it."""
    fuses: Switch
    """1 where norms and activations have no functions of their own."""
    tvm: Switch


class Isa(Record):
    """What the instruction set means to the tool."""

    lifted: Switch
    """1 where the release can lift it; else it is out of the tool's scope."""
    expansion: Count
    """Instructions of a function over those it has in Thumb."""


class Extraction(Record):
    """How parameters are read out of the binary."""

    bulk: Switch


class Binary(Config):
    """A deployed network, or one function of it, and what recovering it costs."""

    operator: Annotated[Class, Catalog("dnd.operator", "network"), Symbol("k")]
    """A whole network, or one function of this class of operators."""
    workload: Annotated[Deployed, Catalog("workloads", "resnet18"), Symbol("W")]
    """The network; nothing to a single function."""
    compiler: Annotated[Compiler, Catalog("dnd.compiler", "glow"), Symbol("C")]
    """What compiled the network; a single function is given as compiled."""
    isa: Annotated[Isa, Catalog("dnd.isa", "thumb"), Symbol("A")]
    """Instruction set of the binary."""
    extraction: Annotated[Extraction, Catalog("dnd.extraction", "each"), Symbol("B")]
    """How parameters are read: `each` as released, `bulk` is a what-if."""
    instructions: Annotated[
        Count, Field(ge=1), Symbol("I"), Bounds(50, 10_000, log=True, integer=True)
    ] = GIVEN("instructions")
    """Of the function; of a network, of a convolution under Glow, which all classes scale with."""
    loops: Annotated[Count, Field(ge=1), Symbol("L"), Bounds(1, 40, integer=True)] = GIVEN("loops")
    """Of the function; of a network, of a convolution, which all classes scale with."""
    parameters: Annotated[Count, Field(ge=0), Symbol("N"), Bounds(0, 1e8)] = GIVEN("parameters")
    """Parameters of the single function; a network brings its own."""
    failure: Annotated[Count, Field(ge=0, lt=1), Symbol("p"), Bounds(0, 0.5)] = GIVEN("failure")
    """Share of attempts that fail and start again."""
    conv_coefficient: Annotated[
        Seconds, Symbol(r"\kappa_{conv}"), Bounds(0.003, 0.3, log=True)
    ] = GIVEN("conv_coefficient")
    """Calibrated: time scale of convolutions; of linear layers too, which is assumed."""
    pool_coefficient: Annotated[
        Seconds, Symbol(r"\kappa_{pool}"), Bounds(0.0006, 0.06, log=True)
    ] = GIVEN("pool_coefficient")
    """Calibrated: time scale of poolings and of all that is no product of matrices."""
    solve_time: Annotated[Seconds, Symbol("c"), Bounds(0.5e-3, 5e-3)] = GIVEN("solve_time")
    """Of one solver evaluation, which gives one parameter."""
    type_support: Annotated[Count, Field(gt=0, le=1), Symbol("q"), Bounds(0.8, 1)] = GIVEN(
        "type_support"
    )
    """Calibrated: chance that the tool supports a type of operator that a network uses."""
