"""Functions, blocks and natural loops of a stretch of code; which function is the inference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from .assemble import CODE, Image
from .encoding import Undecodable
from .isa import ISAS
from .machine import Step


class Unsupported(Exception):
    """What cannot be recovered, and why."""


@dataclass(frozen=True)
class Decoded:
    """One instruction."""

    address: int
    after: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Block:
    """Instructions that run one after another."""

    start: int
    instructions: tuple[Decoded, ...]
    successors: tuple[int, ...]


@dataclass(frozen=True)
class NaturalLoop:
    """A header and the blocks that come back to it."""

    header: int
    blocks: frozenset[int]


@dataclass(frozen=True)
class Routine:
    """One function."""

    entry: int
    instructions: tuple[Decoded, ...]

    @cached_property
    def blocks(self) -> dict[int, Block]:
        """Blocks by their first address."""
        leaders = {self.entry}
        for one in self.instructions:
            if jump := _jump(one):
                leaders |= {jump.b if jump.op == "jumpif" else jump.a, one.after}
        found: dict[int, Block] = {}
        held: list[Decoded] = []
        for one in self.instructions:
            held.append(one)
            if _ends(one) or one.after in leaders:
                start = held[0].address
                found[start] = Block(start, tuple(held), _successors(one))
                held = []
        return found

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Blocks in reverse postorder: a block after all that lead to it, but for loops."""
        seen: set[int] = set()
        found: list[int] = []
        stack = [(self.entry, False)]
        while stack:
            block, left = stack.pop()
            if left:
                found.append(block)
            elif block not in seen:
                seen.add(block)
                stack.append((block, True))
                stack += [(one, False) for one in self.blocks[block].successors]
        return tuple(reversed(found))

    @cached_property
    def dominators(self) -> dict[int, frozenset[int]]:
        """Blocks that every path to a block goes through."""
        before: dict[int, list[int]] = {block: [] for block in self.order}
        for block in self.order:
            for after in self.blocks[block].successors:
                before[after].append(block)
        everything = frozenset(self.order)
        found = dict.fromkeys(self.order, everything)
        found[self.entry] = frozenset({self.entry})
        changed = True
        while changed:
            changed = False
            for block in self.order[1:]:
                common = frozenset.intersection(*(found[one] for one in before[block]))
                if (new := common | {block}) != found[block]:
                    found[block], changed = new, True
        return found

    @cached_property
    def loops(self) -> dict[int, NaturalLoop]:
        """Natural loops by their header; those with one header are one loop."""
        place = {block: i for i, block in enumerate(self.order)}
        before: dict[int, set[int]] = {block: set() for block in self.order}
        for block in self.order:
            for after in self.blocks[block].successors:
                before[after].add(block)
        bodies: dict[int, set[int]] = {}
        for block in self.order:
            for after in self.blocks[block].successors:
                if after in self.dominators[block]:
                    bodies.setdefault(after, {after}).update(_into(block, after, before))
                elif place[after] <= place[block]:
                    raise Unsupported(f"the loop at {after:#x} has more than one entry")
        return {header: NaturalLoop(header, frozenset(body)) for header, body in bodies.items()}

    def depth(self) -> int:
        """Loops around the innermost block."""
        nested = [sum(block in one.blocks for one in self.loops.values()) for block in self.order]
        return max(nested)

    def calls(self) -> list[int]:
        """Functions it calls, in the order of the code."""
        return [s.a for one in self.instructions for s in one.steps if s.op == "call"]

    def exponential(self) -> bool:
        """Whether it computes exponentials."""
        return any(step.op == "fexp" for one in self.instructions for step in one.steps)


def _jump(one: Decoded) -> Step | None:
    last = one.steps[-1]
    return last if last.op in {"jump", "jumpif"} else None


def _ends(one: Decoded) -> bool:
    return one.steps[-1].op in {"jump", "jumpif", "return"}


def _successors(one: Decoded) -> tuple[int, ...]:
    last = one.steps[-1]
    match last.op:
        case "jump":
            return (last.a,)
        case "jumpif":
            return (last.b, one.after)
        case "return":
            return ()
    return (one.after,)


def _into(block: int, header: int, before: Mapping[int, Iterable[int]]) -> set[int]:
    """Blocks that reach a block without passing the header."""
    found, stack = {header}, [block]
    while stack:
        one = stack.pop()
        if one not in found:
            found.add(one)
            stack += before[one]
    return found


def routines(image: Image) -> dict[int, Routine]:
    """All functions by their entry: what is called, and the start of the code."""
    isa, offset = ISAS[image.isa], 0
    decoded: list[Decoded] = []
    while offset < len(image.code):
        address = CODE + offset
        try:
            _, size, steps = isa.decode(image.code, offset, address)
        except Undecodable as reason:
            raise Unsupported(str(reason)) from None
        decoded.append(Decoded(address, address + size, steps))
        offset += size
    called = {s.a for one in decoded for s in one.steps if s.op == "call"}
    entries = sorted(called | {CODE})
    ends = [*entries[1:], CODE + len(image.code)]
    return {
        entry: Routine(entry, tuple(one for one in decoded if entry <= one.address < end))
        for entry, end in zip(entries, ends, strict=True)
    }


def dispatcher(found: Mapping[int, Routine]) -> Routine:
    """The inference function: the one caller with most calls of what looks like an operator."""
    votes = Counter(
        caller.entry
        for caller in found.values()
        for called in caller.calls()
        if found[called].depth() > 2 or found[called].exponential()
    )
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        raise Unsupported("no function calls more operators than every other")
    return found[ranked[0][0]]
