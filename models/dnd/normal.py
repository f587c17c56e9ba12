"""The normal form of a store: counters that are one counter are merged, names are by rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .affine import Affine
from .expressions import (
    Counter,
    Effect,
    Expression,
    Gate,
    Group,
    Load,
    Reduce,
    affines,
    loads,
    mapped,
)


def relabelled(effect: Effect, names: Mapping[str, str]) -> Effect:
    """A store under other names of its counters."""

    def change(found: Affine) -> Affine:
        return found.renamed(lambda name: names.get(name, name))

    counters = tuple((names.get(name, name), extent) for name, extent in effect.counters)
    return Effect(change(effect.address), mapped(effect.value, change), counters)


def _pair(counters: Sequence[Counter], found: Sequence[Affine]) -> tuple[Counter, Counter] | None:
    """Two counters that only occur as extent times the first plus the second."""
    for first in counters:
        for second in counters:
            same = first[0] != second[0] and all(
                one.coefficient(first[0]) == second[1] * one.coefficient(second[0])
                for one in found
            )
            if same and any(one.coefficient(second[0]) for one in found):
                return first, second
    return None


def _fewer(counters: tuple[Counter, ...], first: Counter, second: Counter) -> tuple[Counter, ...]:
    joined = (second[0], first[1] * second[1])
    return tuple(joined if one == second else one for one in counters if one != first)


def _inside(one: Expression) -> Expression:
    """Counters of every reduction merged."""
    match one:
        case Group():
            return Group(one.op, tuple(map(_inside, one.parts)))
        case Gate():
            return Gate(one.tests, _inside(one.value))
        case Reduce():
            value, counters = _inside(one.value), one.counters
            while pair := _pair(counters, affines(value)):
                gone = pair[0][0]
                value = mapped(value, lambda found, gone=gone: found.replaced(gone, 0))  # type: ignore[misc]
                counters = _fewer(counters, *pair)
            return Reduce(one.op, counters, value)
    return one


def merged(effect: Effect) -> Effect:
    """Tiles, splits and unrolled parts put together wherever every address allows it."""
    address, value, counters = effect.address, _inside(effect.value), effect.counters
    while pair := _pair(counters, [address, *affines(value)]):
        gone = pair[0][0]
        address = address.replaced(gone, 0)
        value = mapped(value, lambda found, gone=gone: found.replaced(gone, 0))  # type: ignore[misc]
        counters = _fewer(counters, *pair)
    return Effect(address, value, counters)


def extents(effect: Effect) -> dict[str, int]:
    """Extent of every counter of a store and of the reductions in it."""
    found = dict(effect.counters)
    stack: list[Expression] = [effect.value]
    while stack:
        one = stack.pop()
        if isinstance(one, Reduce):
            found |= dict(one.counters)
        if isinstance(one, Group):
            stack += one.parts
        elif isinstance(one, Gate | Reduce):
            stack.append(one.value)
    return found


def least(found: Affine, sizes: Mapping[str, int]) -> int:
    """Smallest value over all counters."""
    return found.constant + sum(min(0, size * (sizes[name] - 1)) for name, size in found.terms)


def ranked(counters: Sequence[Counter], by: Affine) -> list[Counter]:
    """Counters, the one that moves an address most first."""
    return sorted(counters, key=lambda counter: -by.coefficient(counter[0]))


def canonical(effect: Effect) -> Effect:
    """One form for all stores that do the same: merged, sure tests dropped, named by rank."""
    effect = merged(effect)
    sizes = extents(effect)
    names = {
        name: f"w{rank}" for rank, (name, _) in enumerate(ranked(effect.counters, effect.address))
    }
    value = _named(_tidy(effect.value, sizes))
    found = relabelled(Effect(effect.address, value, effect.counters), names)
    return Effect(found.address, _tidy(found.value, {}), tuple(sorted(found.counters)))


def _tidy(one: Expression, sizes: Mapping[str, int]) -> Expression:
    """Parts and tests in order; with sizes, tests that always hold are dropped."""
    match one:
        case Group():
            parts = [_tidy(part, sizes) for part in one.parts]
            ordered = one.op in {"sum", "product", "max"}
            return Group(one.op, tuple(sorted(parts, key=repr) if ordered else parts))
        case Gate():
            tests = {t for t in one.tests if not sizes or least(t, sizes) < 0}
            value = _tidy(one.value, sizes)
            return Gate(tuple(sorted(tests, key=repr)), value) if tests else value
        case Reduce():
            return Reduce(one.op, one.counters, _tidy(one.value, sizes))
    return one


def _named(one: Expression) -> Expression:
    """Counters of reductions named by how far they move the first load."""
    match one:
        case Group():
            return Group(one.op, tuple(map(_named, one.parts)))
        case Gate():
            return Gate(one.tests, _named(one.value))
        case Reduce():
            first = loads(one.value)[0] if loads(one.value) else Load(Affine())
            order = ranked(one.counters, first.address)
            names = {name: f"r{rank}" for rank, (name, _) in enumerate(order)}
            value = mapped(
                _named(one.value), lambda found: found.renamed(lambda n: names.get(n, n))
            )
            counters = tuple(sorted((names[name], extent) for name, extent in one.counters))
            return Reduce(one.op, counters, value)
    return one
