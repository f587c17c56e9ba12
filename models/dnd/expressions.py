"""What a function computes, as expressions over loads, and their normal form.

Sums, products and maxima are flat, tests stand inside reductions, and nested reductions are one.
A counter stands for 0, 1, ... below its extent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from .affine import Affine
from .loops import LOWEST

Counter: TypeAlias = tuple[str, int]
"""Name and extent."""


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Load:
    """A float of memory."""

    address: Affine


@dataclass(frozen=True)
class Held:
    """A float register at the head of a loop's iteration, or one that nothing is known of."""

    name: str


@dataclass(frozen=True)
class Group:
    """Parts under one operation: sum, product, max, exp or div."""

    op: str
    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Gate:
    """A value where all tests are at least 0, else 0."""

    tests: tuple[Affine, ...]
    value: Expression


@dataclass(frozen=True)
class Reduce:
    """The sum or the max of a value over counters."""

    op: str
    counters: tuple[Counter, ...]
    value: Expression


Expression: TypeAlias = Number | Load | Held | Group | Gate | Reduce


@dataclass(frozen=True)
class Effect:
    """A value that goes to memory, once for every value of the counters."""

    address: Affine
    value: Expression
    counters: tuple[Counter, ...] = ()


def _flat(op: str, parts: Iterable[Expression]) -> Iterator[Expression]:
    for part in parts:
        if isinstance(part, Group) and part.op == op:
            yield from part.parts
        else:
            yield part


NEUTRAL = {"sum": 0.0, "product": 1.0}


def group(op: str, *parts: Expression) -> Expression:
    """Parts under an associative operation, flat and without what changes nothing."""
    found = [
        part
        for part in _flat(op, parts)
        if not isinstance(part, Number)
        or (part.value > LOWEST if op == "max" else part.value != NEUTRAL[op])
    ]
    if len(found) == 1:
        return found[0]
    return Group(op, tuple(found)) if found else Number(NEUTRAL.get(op, LOWEST))


def gated(tests: tuple[Affine, ...], value: Expression) -> Expression:
    """A value under tests, which move into reductions."""
    if not tests:
        return value
    if isinstance(value, Reduce) and value.op == "sum":
        return Reduce("sum", value.counters, gated(tests, value.value))
    if isinstance(value, Gate):
        return Gate((*tests, *value.tests), value.value)
    return Gate(tests, value)


def reduced(op: str, counters: Iterable[Counter], value: Expression) -> Expression:
    """A reduction; counters of one value are 0, and reductions of reductions are one."""
    kept: list[Counter] = []
    for name, extent in counters:
        if extent == 1:
            value = replaced(value, name, 0)
        else:
            kept.append((name, extent))
    if isinstance(value, Reduce) and value.op == op:
        return Reduce(op, (*kept, *value.counters), value.value)
    return Reduce(op, tuple(kept), value) if kept else value


def mapped(one: Expression, change: Callable[[Affine], Affine]) -> Expression:
    """The same expression over other addresses and tests."""
    match one:
        case Load():
            return Load(change(one.address))
        case Group():
            return Group(one.op, tuple(mapped(part, change) for part in one.parts))
        case Gate():
            return Gate(tuple(map(change, one.tests)), mapped(one.value, change))
        case Reduce():
            return Reduce(one.op, one.counters, mapped(one.value, change))
    return one


def walk(one: Expression) -> Iterator[Expression]:
    """An expression and all its parts, in order."""
    yield one
    inner: tuple[Expression, ...] = ()
    if isinstance(one, Group):
        inner = one.parts
    elif isinstance(one, Gate | Reduce):
        inner = (one.value,)
    for part in inner:
        yield from walk(part)


def affines(one: Expression) -> list[Affine]:
    """Every address and test, in order."""
    found: list[Affine] = []
    for part in walk(one):
        if isinstance(part, Load):
            found.append(part.address)
        elif isinstance(part, Gate):
            found += part.tests
    return found


def loads(one: Expression) -> list[Load]:
    """Every load, in order."""
    return [part for part in walk(one) if isinstance(part, Load)]


def held(one: Expression, prefix: str) -> bool:
    """Whether a register of the loop of this prefix stands in it."""
    return any(isinstance(part, Held) and part.name.startswith(prefix) for part in walk(one))


def replaced(one: Expression, name: str, value: Affine | int) -> Expression:
    """The same with a value in place of a counter."""
    return mapped(one, lambda found: found.replaced(name, value))


def substituted(one: Expression, load: Load, value: Expression) -> Expression:
    """The same with a value in place of a load."""
    if one == load:
        return value
    match one:
        case Group():
            parts = (substituted(part, load, value) for part in one.parts)
            if one.op in {"sum", "product", "max"}:
                return group(one.op, *parts)
            return Group(one.op, tuple(parts))
        case Gate():
            return gated(one.tests, substituted(one.value, load, value))
        case Reduce():
            return Reduce(one.op, one.counters, substituted(one.value, load, value))
    return one


def without(one: Expression, part: Expression) -> tuple[str, Expression] | None:
    """Operation and rest where one is a sum or a maximum with this part."""
    if not isinstance(one, Group) or one.op not in {"sum", "max"}:
        return None
    gone = part.parts if isinstance(part, Group) and part.op == one.op else (part,)
    rest = list(one.parts)
    for each in gone:
        if each not in rest:
            return None
        rest.remove(each)
    return (one.op, group(one.op, *rest)) if rest else None


def _shape(one: Expression) -> Expression:
    return mapped(one, lambda found: Affine(0, found.terms))


def _constants(one: Expression) -> list[int]:
    return [found.constant for found in affines(one)]


def progression(rows: Iterable[list[Affine]]) -> list[int] | None:
    """Difference of the constants at every place, where all rows go on evenly."""
    first, *rest = [[one.constant for one in row] for row in rows]
    steps = [b - a for a, b in zip(first, rest[0], strict=True)]
    even = all(
        row == [a + number * step for a, step in zip(first, steps, strict=True)]
        for number, row in enumerate(rest, 1)
    )
    return steps if even else None


def stretched(one: Expression, steps: Iterable[int], name: str) -> Expression:
    """Every address and test moves with a new counter."""
    moves = iter(steps)
    return mapped(one, lambda found: found + Affine.name(name) * next(moves))


def rerolled(op: str, one: Expression, name: str) -> Expression:
    """Unrolled parts of a reduction as one part and a new counter."""
    if isinstance(one, Gate):
        return gated(one.tests, rerolled(op, one.value, name))
    if not isinstance(one, Group) or one.op != op:
        return one
    parts = sorted(one.parts, key=_constants)
    if any(_shape(part) != _shape(parts[0]) for part in parts):
        return one
    steps = progression([affines(part) for part in parts])
    if steps is None:
        return one
    return reduced(op, ((name, len(parts)),), stretched(parts[0], steps, name))


def rerolled_effects(found: tuple[Effect, ...], name: str) -> tuple[Effect, ...]:
    """Unrolled stores of a loop body as one store and a new counter."""
    shapes = {(Affine(0, e.address.terms), _shape(e.value), e.counters) for e in found}
    if len(found) < 2 or len(shapes) > 1:
        return found
    found = tuple(sorted(found, key=lambda effect: effect.address.constant))
    steps = progression([[effect.address, *affines(effect.value)] for effect in found])
    if steps is None or not steps[0]:
        return found
    first, counter = found[0], (name, len(found))
    address = first.address + Affine.name(name) * steps[0]
    return (Effect(address, stretched(first.value, steps[1:], name), (*first.counters, counter)),)
