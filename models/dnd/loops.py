"""Loop nests over buffers: what a compiler makes of an operator before it emits code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from .affine import Affine
from .network import Floats

Name: TypeAlias = str
LOWEST = -3.4028234663852886e38
"""The least float32: where a maximum starts."""


@dataclass(frozen=True)
class Read:
    """An element of a buffer."""

    buffer: Name
    index: Affine


@dataclass(frozen=True)
class Literal:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Local:
    """A variable that lives in a float register."""

    name: Name


@dataclass(frozen=True)
class Apply:
    """An operation: add, sub, mul, div, max or exp."""

    op: Name
    arguments: tuple[Value, ...]


Value: TypeAlias = Read | Literal | Local | Apply


@dataclass(frozen=True)
class Loop:
    """A counter from 0 to below its extent."""

    counter: Name
    extent: int
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Guard:
    """What runs only where 0 <= value < limit."""

    value: Affine
    limit: int
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Assign:
    """A new value of a local variable."""

    name: Name
    value: Value


@dataclass(frozen=True)
class Write:
    """A new value of a buffer's element."""

    buffer: Name
    index: Affine
    value: Value


Statement: TypeAlias = Loop | Guard | Assign | Write


@dataclass(frozen=True)
class Nest:
    """The code of one operator."""

    buffers: tuple[Name, ...]
    """Its arguments, in the order of the registers that hold their addresses."""
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Call:
    """A nest and what its buffers are: a node's output, or constants."""

    nest: Nest
    output: int
    """The node whose value it writes."""
    inputs: tuple[int, ...]
    """Nodes it reads, for the buffers after the first."""
    constants: tuple[Floats, ...] = ()
    """For the last buffers."""


@dataclass(frozen=True)
class Plan:
    """How a compiler writes operators down."""

    split: int = 1
    """Outputs that share a loop body, at most."""
    tile: int = 1
    """Rows and columns of a tile."""
    unroll: int = 1
    """Iterations of a flat loop that share a body, at most; kernels are unrolled whole."""
    fuses: bool = False
    """Whether an activation moves into the loop nest of what is before it."""
    reuses: bool = False
    """Whether buffers are given back."""
    rotates: bool = False
    """Whether loops test at their end."""


def counter(name: Name, scale: int = 1) -> Affine:
    """A counter times a constant."""
    return Affine.name(name) * scale


def nested(loops: Iterable[tuple[Name, int]], body: Iterable[Statement]) -> tuple[Statement, ...]:
    """Loops around a body, the first outermost."""
    inner = tuple(body)
    for name, extent in reversed(list(loops)):
        inner = (Loop(name, extent, inner),)
    return inner


def guarded(
    tests: Iterable[tuple[Affine, int]], body: Iterable[Statement]
) -> tuple[Statement, ...]:
    """Guards around a body, the first outermost."""
    inner = tuple(body)
    for value, limit in reversed(list(tests)):
        inner = (Guard(value, limit, inner),)
    return inner


def rectified(value: Value) -> Value:
    """The activation of networks with rectified linear units."""
    return Apply("max", (value, Literal(0.0)))


def counters(body: Iterable[Statement], depth: int = 0) -> Iterator[tuple[int, Name]]:
    """Depth and name of every loop."""
    for statement in body:
        if isinstance(statement, Loop):
            yield depth, statement.counter
            yield from counters(statement.body, depth + 1)
        elif isinstance(statement, Guard):
            yield from counters(statement.body, depth)
