"""DnD's mechanism, executed: networks are compiled to bytes, and the bytes alone give them back.

Two small compilers (`compiler_a`, `compiler_b`) make loop nests of operators, `codegen` and
`assemble` make bytes of them for three instruction sets (`isa`), with the weights in an image of
constants. `decompile` reads the bytes: functions and natural loops (`control_flow`), induction
variables by a constant step that feeds the exit (`induction`), one symbolic iteration a loop
(`summary`, `symbolic`), a normal form (`expressions`, `normal`), templates (`lifting`),
attributes, topology by base addresses, and float32 parameters. It knows the instruction set and
where memory is mapped, never the network.

What it calls recovered was checked twice: the store that the recovered attributes stand for must
equal the store that was found, and the network must answer like the original, bit for bit, in
`inference`. All else is refused with its reason.

Where it differs from the release: weights are told from activations by where memory is mapped,
not by the range of counters; strides are read off addresses; an iteration is executed by affine
arithmetic, not by a solver, so its seconds are not angr's. Steps and ranks can be compared, times
cannot. Not supported, as in the release: kernels and maps that are not square, linear layers that
widen, depthwise convolutions, norms; skips that reach beyond `window` functions; strides of 3 and
more where the padding formula of the release is off. What no byte tells: a convolution
that covers its input whole is a linear layer, and the height of an input of one channel without
padding is taken to be its width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from time import perf_counter
from typing import Annotated

import numpy as np
from pydantic import Field

from dse import registry
from dse.errors import unknown
from dse.mechanism import Case, Reference
from dse.provenance import Number
from dse.spec import Bounds, Catalog, Config, Metric, Real, Record, Symbol, Unit

from .assemble import Image, Layout, built
from .config import DATA, GIVEN, Count
from .decompile import Recovery, decompiled
from .inference import answer
from .isa import ISAS
from .loops import Plan
from .network import NETWORKS, Network, same
from .topology import LOST

DIRECT = "a"
"""The compiler that has no plan."""


class Size(Record):
    """How large a network is."""

    image: Count
    """Rows and columns of its input."""
    width: Count
    """Channels of its first convolution."""


class Habits(Record):
    """How a compiler writes operators down."""

    split: Count
    tile: Count
    unroll: Count
    fuses: Count
    reuses: Count
    rotates: Count


class Registers(Record):
    """What an instruction set has."""

    registers: Count


class Deployment(Config):
    """A network, what compiles it and for what, and how far the tool looks back."""

    network: Annotated[Size, Catalog("dnd.reference_network", "lenet"), Symbol("W")]
    """What is compiled."""
    compiler: Annotated[Habits, Catalog("dnd.reference_compiler", "a"), Symbol("C")]
    """`a` writes direct nests, `b` tiles, splits, unrolls and fuses."""
    isa: Annotated[Registers, Catalog("dnd.reference_isa", "wide"), Symbol("A")]
    """Instruction set of the bytes."""
    window: Annotated[Real, Field(ge=1), Unit("1"), Symbol("W"), Bounds(1, 64, integer=True)] = (
        GIVEN("reference.window")
    )
    """Functions that are searched for the one that wrote what another reads."""
    seed: Annotated[Real, Field(ge=0), Unit("1"), Symbol("r"), Bounds(0, 1000, integer=True)] = (
        GIVEN("reference.seed")
    )
    """Of the parameters and of the input that both networks answer."""


def drawn(config: Deployment) -> tuple[Network, np.random.Generator]:
    """The network that is compiled."""
    make = NETWORKS.get(config.network.slug)
    if make is None:
        raise unknown("network", config.network.slug, NETWORKS)
    rng = np.random.default_rng(int(config.seed))
    return make(int(config.network.image), int(config.network.width), rng), rng


def deployed(config: Deployment, network: Network) -> tuple[Image, Layout]:
    """The bytes of a network."""
    if config.isa.slug not in ISAS:
        raise unknown("isa", config.isa.slug, ISAS)
    habits = config.compiler
    plan = Plan(
        split=int(habits.split),
        tile=int(habits.tile),
        unroll=int(habits.unroll),
        fuses=bool(habits.fuses),
        reuses=bool(habits.reuses),
        rotates=bool(habits.rotates),
    )
    return built(network, config.isa.slug, None if habits.slug == DIRECT else plan)


def equal(network: Network, recovery: Recovery, rng: np.random.Generator) -> bool:
    """Whether the recovered network is the original, and answers an input with the same bits."""
    found = recovery.network()
    if found is None or not same(network, found):
        return False
    values = rng.standard_normal(network.shape).astype(np.float32)
    return answer(network, values).tobytes() == answer(found, values).tobytes()


@cache
def run(config: Deployment) -> Mapping[str, float | bool | str]:
    """Compile a network and take it apart; once per process, so that its time is one time."""
    network, rng = drawn(config)
    image, _ = deployed(config, network)
    begin = perf_counter()
    recovery = decompiled(image, int(config.window))
    seconds = perf_counter() - begin
    right = equal(network, recovery, rng)
    efforts, nodes = recovery.efforts, recovery.nodes
    return {
        "operators": float(len(network.nodes)),
        "recovered_operators": float(len(nodes)),
        "recovered_share": len(nodes) / len(network.nodes),
        "operator_types": float(len({node.kind for node in nodes})),
        "functions": float(len(efforts)),
        "parameters": float(sum(node.weight.size + node.bias.size for node in nodes)),
        "code_bytes": float(len(image.code)),
        "instructions": float(sum(one.instructions for one in efforts)),
        "symbolic_steps": float(sum(one.steps() for one in efforts)),
        "identify_steps": float(sum(one.identified for one in efforts)),
        "recovery_seconds": seconds,
        "equal": right,
        "feasible": right,
        "reason": "" if right else reason(recovery),
    }


def reason(recovery: Recovery) -> str:
    """Why not all came back: what was refused, and how many functions read of it."""
    roots = [one for one in recovery.reasons if not one.endswith(LOST)]
    lost = len(recovery.reasons) - len(roots)
    further = [f"{lost} more functions read of what was not recovered"] if lost else []
    return "; ".join([*roots, *further]) or "what came back is another network"


_KINDS = {
    "lenet": {"convolution": 2, "activation": 2, "pooling": 2, "linear": 1},
    "resnet_small": {
        "convolution": 9,
        "activation": 7,
        "add": 3,
        "pooling": 1,
        "linear": 1,
        "softmax": 1,
    },
}
"""Operators of the tool's two sample binaries, as the page names them."""
_CLASS = {"convolution": "convolution", "linear": "gemm", "softmax": "softmax"}
_COMPILERS = {"a": "tvm-o0", "b": "glow"}
"""The page's compiler with the same habit of fusing."""
_ISAS = {"narrow": "thumb", "wide": "aarch64", "vary": "x86-64"}


def workload(network: str) -> dict[str, object]:
    """A sample network as the page takes it."""
    found = [
        {"slug": name, "kind": _CLASS.get(name, "elementwise"), "calls": calls}
        for name, calls in _KINDS[network].items()
    ]
    return {"parameters": 0, "operators": found}


def compiled_case(network: str, compiler: str, isa: str, **knobs: float) -> Case:
    """The page is told the size of the first convolution, as its knob asks, and no other."""
    inputs = {"network": network, "compiler": compiler, "isa": isa, **knobs}
    config = registry.resolve(Deployment, inputs, "")
    _, layout = deployed(config, drawn(config)[0])
    expansion = DATA.tables["compiler"][_COMPILERS[compiler]]["expansion"]
    size = layout.instructions[0] / (expansion.value if isinstance(expansion, Number) else 1)
    settings = {
        "workload": workload(network),
        "compiler": _COMPILERS[compiler],
        "isa": _ISAS[isa],
        "instructions": round(size),
    }
    group = (
        "released window" if knobs else f"{network}, {'fused' if compiler == 'b' else 'direct'}"
    )
    name = "-".join([network, compiler, isa, *knobs])
    return Case(name, settings, inputs, group=group)


def cases() -> Iterator[Case]:
    """All 2 x 2 x 3 networks, compilers and instruction sets, and the release's window.

    Nothing of the page was fitted on them. What both sides can be asked: how many functions,
    instructions and types of operators there are, and whether all of it comes back.
    """
    for network, compiler, isa in product(_KINDS, _COMPILERS, _ISAS):
        yield compiled_case(network, compiler, isa)
    window = float(GIVEN("reference.released_window"))
    for compiler in _COMPILERS:
        yield compiled_case("resnet_small", compiler, "wide", window=window)


REFERENCE = Reference(
    slug="dnd",
    text="a network compiled to bytes by one of two small compilers for one of three instruction"
    " sets, and recovered from the bytes alone",
    config=Deployment,
    run=run,
    quantities={
        "operators": Metric("1", "", "operators of the network that was compiled"),
        "recovered_operators": Metric("1", "min", "operators that came back"),
        "recovered_share": Metric("1", "min", "share of the operators that came back"),
        "operator_types": Metric("1", "", "distinct operators that came back"),
        "functions": Metric("1", "", "functions of operators"),
        "parameters": Metric("1", "min", "parameters that came back"),
        "code_bytes": Metric("B", "", "code of the binary"),
        "instructions": Metric("1", "", "instructions of the functions of operators"),
        "symbolic_steps": Metric("1", "max", "instructions that were executed symbolically"),
        "identify_steps": Metric("1", "max", "those of them that look for induction variables"),
        "recovery_seconds": Metric("s", "max", "wall clock of this machine; not the tool's time"),
        "equal": Metric("1", "min", "whether the network came back bit for bit"),
        "feasible": Metric("1", "", "the same: whether all of it came back"),
        "reason": Metric("", "", "what was not recovered, and why"),
    },
    compared={
        "functions": "functions",
        "operator_types": "operator_types",
        "binary_instructions": "instructions",
    },
    cases=cases,
)
