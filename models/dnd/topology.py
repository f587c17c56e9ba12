"""Which operator reads which: base addresses of buffers, matched with what was written last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

from .affine import Affine
from .control_flow import Unsupported
from .expressions import Gate, Load, walk
from .lifting import Lifted
from .network import INPUT
from .normal import extents, least

LOST = "it reads what was not recovered"
"""Why a function is left that reads one that was left."""
MOST = 10**6
"""Combinations of counters that are tried for one lowest address."""


def lowest(read: Load, tests: Iterable[Affine], sizes: Mapping[str, int]) -> int:
    """Lowest address that is really read: counters in one test are tried together."""
    groups: list[set[str]] = []
    relevant = [test for test in tests if least(test, sizes) < 0]
    for test in relevant:
        touching = [one for one in groups if one & test.names()]
        groups = [one for one in groups if one not in touching]
        groups.append(test.names().union(*touching))
    free = read.address.names().difference(*groups)
    alone = Affine.of(0, {name: read.address.coefficient(name) for name in free})
    found = read.address.constant + least(alone, sizes)
    for names in groups:
        inside = [test for test in relevant if test.names() <= names]
        found += _least_of(read.address, sorted(names), inside, sizes)
    return found


def _least_of(
    address: Affine, names: list[str], tests: list[Affine], sizes: Mapping[str, int]
) -> int:
    """Least part of an address that some counters make where their tests hold."""
    total = 1
    for name in names:
        total *= sizes[name]
    if total > MOST:
        raise Unsupported("tests over more counters than can be tried")
    allowed = [
        sum(address.coefficient(name) * value for name, value in zip(names, values, strict=True))
        for values in product(*(range(sizes[name]) for name in names))
        if all(_value(test, names, values) >= 0 for test in tests)
    ]
    if not allowed:
        raise Unsupported("a load that never happens")
    return min(allowed)


def _value(test: Affine, names: list[str], values: tuple[int, ...]) -> int:
    pairs = zip(names, values, strict=True)
    return test.constant + sum(test.coefficient(name) * value for name, value in pairs)


def bases(found: Lifted) -> tuple[int, ...]:
    """Base addresses of the buffers that an operator reads."""
    sizes = extents(found.effect)
    tests = [t for part in walk(found.effect.value) if isinstance(part, Gate) for t in part.tests]
    return tuple(lowest(read, tests, sizes) for read in found.reads)


@dataclass
class Buffers:
    """What was written where, function by function."""

    window: int
    """Functions that are looked back at."""
    written: list[tuple[int, int | None]] = field(default_factory=list)
    """Base address and node of every function so far; no node where it was not recovered."""
    given: int | None = None
    """Base address of the network's input."""

    def source(self, base: int) -> int:
        """The node that wrote a buffer last, or the network's input.

        Raises:
            Unsupported: nobody in the window wrote it.
        """
        recent = self.written[-self.window :]
        for address, node in reversed(recent):
            if address == base:
                if node is None:
                    raise Unsupported(LOST)
                return node
        if self.given is None and not self.written:
            self.given = base
        if base == self.given:
            return INPUT
        raise Unsupported(f"none of the last {self.window} functions wrote what it reads")
