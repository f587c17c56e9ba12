"""One symbolic iteration a loop: what a function stores, as sums over its loops' counters.

A loop is entered twice. Once with unknown variables, to see which change by a constant; then
with these as start + step n, to see what an iteration n adds to registers and memory. Each time
the edge back to its head is dropped after one iteration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .affine import Affine
from .control_flow import NaturalLoop, Routine, Unsupported
from .expressions import (
    Effect,
    Expression,
    Held,
    Load,
    affines,
    group,
    held,
    loads,
    reduced,
    replaced,
    rerolled,
    rerolled_effects,
    without,
)
from .induction import changed, feeds_exit, last, steps
from .symbolic import Path, State, execute, met, mystery, register, tests, unknown


@dataclass(frozen=True)
class Leaving:
    """A path that leaves a region: from which block, to which."""

    source: int
    target: int | None
    path: Path


class Summary:
    """Symbolic execution of one function, and how many instructions it took."""

    def __init__(self, routine: Routine) -> None:
        """Prepare the loops of a function."""
        self.routine = routine
        self.found: dict[int, dict[str, int]] = {}
        self.identified, self.extracted = 0, 0
        self._identifying = 0

    def effects(self, arguments: Mapping[str, Affine]) -> tuple[Effect, ...]:
        """Stores of the whole function, called with these registers."""
        start = Path((), State(integers=dict(arguments)))
        blocks = frozenset(self.routine.order)
        leaving = self._run(blocks, self.routine.entry, start)
        return met([one.path for one in leaving]).state.effects

    def _run(self, blocks: frozenset[int], entry: int, start: Path) -> list[Leaving]:
        """One pass over a region; loops inside it are summarised where they are met."""
        pending: dict[int, list[Path]] = {entry: [start]}
        leaving: list[Leaving] = []
        for block in self.routine.order:
            if block not in pending or block not in blocks:
                continue
            path = met(pending.pop(block))
            loop = self.routine.loops.get(block)
            if loop and loop.blocks != blocks:
                found = [self._summarised(loop, path)]
            else:
                found = self._block(block, path)
            for one in found:
                if one.target in blocks and one.target != entry:
                    pending.setdefault(one.target, []).append(one.path)
                else:
                    leaving.append(one)
        return leaving

    def _block(self, start: int, path: Path) -> list[Leaving]:
        """The instructions of a block, and where they lead."""
        block, state = self.routine.blocks[start], path.state.copy()
        for one in block.instructions:
            self._count()
            for step in one.steps:
                if step.op == "return":
                    return [Leaving(start, None, Path(path.tests, state))]
                if step.op == "jumpif":
                    return self._forked(start, path, state)
                if step.op != "jump":
                    execute(step, state)
        return [Leaving(start, block.successors[0], Path(path.tests, state))]

    def _count(self) -> None:
        if self._identifying:
            self.identified += 1
        else:
            self.extracted += 1

    def _forked(self, start: int, path: Path, state: State) -> list[Leaving]:
        """Both ways of a conditional jump, or the only one that is possible."""
        block = self.routine.blocks[start]
        jump = block.instructions[-1].steps[-1]
        found: list[Leaving] = []
        for target, test in zip(block.successors, tests(jump, state), strict=True):
            if isinstance(test, Affine) and not test.terms:
                if test.constant >= 0:
                    found.append(Leaving(start, target, Path(path.tests, state.copy())))
            else:
                found.append(Leaving(start, target, Path((*path.tests, test), state.copy())))
        return found

    def _iteration(
        self, loop: NaturalLoop, state: State, heads: Mapping[str, Affine], counter: str
    ) -> tuple[Leaving, Leaving, State]:
        """One iteration from given variables: the way back, the way out and the start."""
        _, floats = changed(self.routine, loop)
        start = state.copy()
        start.effects, start.flags = (), None
        start.integers |= heads
        start.floats |= {number: Held(f"{counter}.f{number}") for number in floats}
        leaving = self._run(loop.blocks, loop.header, Path((), start))
        back = [one for one in leaving if one.target == loop.header]
        out = [one for one in leaving if one.target != loop.header]
        if len(back) != 1 or len(out) != 1:
            raise Unsupported(f"the loop at {loop.header:#x} has no single way back and out")
        return back[0], out[0], start

    def _steps(self, loop: NaturalLoop, state: State, counter: str) -> dict[str, int]:
        """Steps of the loop's variables, found once."""
        if loop.header not in self.found:
            integers, _ = changed(self.routine, loop)
            symbols = {name: f"{counter}.{name}" for name in sorted(integers)}
            heads = {name: Affine.name(symbol) for name, symbol in symbols.items()}
            self._identifying += 1
            back, out, _ = self._iteration(loop, state, heads, counter)
            self._identifying -= 1
            found = steps(symbols, back.path)
            if not feeds_exit(out.path.tests, symbols, found):
                raise Unsupported("a loop without an induction variable that ends it")
            self.found[loop.header] = found
        return self.found[loop.header]

    def _summarised(self, loop: NaturalLoop, path: Path) -> Leaving:
        """What is left when a loop has ended."""
        counter, state = f"n{loop.header:x}", path.state
        found = self._steps(loop, state, counter)
        integers, floats = changed(self.routine, loop)
        heads = {
            name: state.integer(name) + Affine.name(counter) * found[name]
            if name in found
            else unknown()
            for name in sorted(integers)
        }
        back, out, start = self._iteration(loop, state, heads, counter)
        final = last(out.path.tests, counter)
        rotated = back.source == out.source
        times = final + rotated
        early = out.path.state.effects or out.path.state.floats != start.floats
        if not times or (not rotated and (out.source != loop.header or early)):
            raise Unsupported(f"the loop at {loop.header:#x} ends inside its body")
        after = State(effects=state.effects, integers=dict(state.integers))
        for name in sorted(integers):
            after.integers[name] = out.path.state.integer(name).replaced(counter, final)
        after.floats = dict(state.floats)
        for number in sorted(floats):
            value = back.path.state.float(number)
            after.floats[number] = _closed(
                value, start.float(number), state.float(number), (counter, times)
            )
        for effect in rerolled_effects(back.path.state.effects, f"{counter}e"):
            after.append(_repeated(effect, (counter, times)))
        return Leaving(out.source, out.target, Path(path.tests, after))


def _closed(
    value: Expression, head: Expression, entry: Expression, counter: tuple[str, int]
) -> Expression:
    """A float register after a loop: what it was and what all iterations added."""
    name, _ = counter
    if value == head:
        return entry
    split = without(value, head)
    if split and not held(split[1], f"{name}."):
        op, rest = split
        return group(op, entry, reduced(op, (counter,), rerolled(op, rest, f"{name}u")))
    alone = not held(value, f"{name}.") and all(name not in a.names() for a in affines(value))
    return value if alone else mystery()


def _repeated(effect: Effect, counter: tuple[str, int]) -> Effect:
    """A store of a loop's body after all iterations."""
    (name, times), before = counter, Load(effect.address)
    if held(effect.value, f"{name}."):
        return Effect(effect.address, mystery(), effect.counters)
    if name in effect.address.names():
        if times == 1:
            value = replaced(effect.value, name, 0)
            return Effect(effect.address.replaced(name, 0), value, effect.counters)
        return Effect(effect.address, effect.value, (counter, *effect.counters))
    split = without(effect.value, before)
    if split and before not in loads(split[1]):
        op, rest = split
        value = group(op, before, reduced(op, (counter,), rerolled(op, rest, f"{name}u")))
        return Effect(effect.address, value, effect.counters)
    if all(name not in one.names() for one in affines(effect.value)) or times == 1:
        return Effect(effect.address, replaced(effect.value, name, 0), effect.counters)
    return Effect(effect.address, mystery(), effect.counters)


def arguments(routine: Routine, count: int) -> list[tuple[int, dict[str, Affine]]]:
    """Called function and argument registers of every call of a dispatcher without loops."""
    state, found = State(), []
    for one in routine.instructions:
        for step in one.steps:
            if step.op == "call":
                names = map(register, range(count))
                found.append((step.a, {name: state.integer(name) for name in names}))
            elif step.op != "return":
                execute(step, state)
    return found
