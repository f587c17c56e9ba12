"""Induction variables and trip counts: what changes by a constant and feeds the loop's exit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .affine import Affine
from .control_flow import Decoded, NaturalLoop, Routine, Unsupported
from .symbolic import Path, Test, register, slot

_WRITES = {"const", "extend", "high", "move", "add", "addc", "mul", "mulc", "load"}


def changed(routine: Routine, loop: NaturalLoop) -> tuple[set[str], set[int]]:
    """Registers and slots, and float registers, that the blocks of a loop write."""
    integers: set[str] = set()
    floats: set[int] = set()
    for one in _instructions(routine, loop):
        for step in one.steps:
            if step.op in _WRITES:
                integers.add(register(step.a))
            elif step.op == "store":
                integers.add(slot(step.b))
            elif step.op.startswith("f") and step.op not in {"fstore", "fcompare"}:
                floats.add(step.a)
    return integers, floats


def _instructions(routine: Routine, loop: NaturalLoop) -> Sequence[Decoded]:
    return [one for block in loop.blocks for one in routine.blocks[block].instructions]


def constant_step(difference: Affine) -> int | None:
    """Step of a variable whose change over one iteration is a constant, else nothing."""
    return None if difference.terms else difference.constant


def steps(symbols: Mapping[str, str], back: Path) -> dict[str, int]:
    """Variable -> step, of those that change by a constant; 0 where it stays as it is.

    Args:
        symbols: variable -> name of its value at the head of the iteration.
        back: the path that closes the iteration.
    """
    found: dict[str, int] = {}
    for variable, symbol in symbols.items():
        step = constant_step(back.state.integer(variable) - Affine.name(symbol))
        if step is not None:
            found[variable] = step
    return found


def feeds_exit(
    tests: Collection[Test], symbols: Mapping[str, str], found: Mapping[str, int]
) -> bool:
    """Whether an induction variable decides when the loop ends."""
    moving = {symbols[variable] for variable, step in found.items() if step}
    return any(isinstance(test, Affine) and test.names() & moving for test in tests)


def last(tests: Sequence[Test], counter: str) -> int:
    """First iteration, from 0, whose test leaves the loop."""
    test = tests[0] if len(tests) == 1 else None
    if not isinstance(test, Affine) or test.names() - {counter}:
        raise Unsupported("a loop whose number of iterations is no constant")
    start, slope = test.constant, test.coefficient(counter)
    if start >= 0:
        return 0
    if slope <= 0:
        raise Unsupported("a loop whose test never ends it")
    return -(start // slope)
