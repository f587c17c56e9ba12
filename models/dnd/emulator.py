"""Runs the bytes of an image: slow, exact, and ignorant of networks."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from .assemble import CODE, CONSTANTS, MEMORY, Image, Layout
from .isa import ISAS
from .machine import LESS, NONE, WORD, Step, wrapped
from .network import Floats

FINISHED = -1
"""Where the outermost return goes."""


def run(image: Image, layout: Layout, values: Floats) -> tuple[Floats, int]:
    """The answer to an input, and how many steps it took."""
    machine = Machine(image)
    machine.write(layout.given, values)
    steps = machine.run()
    return machine.read(layout.answer, layout.size), steps


class Machine:
    """Registers, memory and the steps of every instruction."""

    def __init__(self, image: Image) -> None:
        """Map constants and memory, decode the code."""
        isa = ISAS[image.isa]
        self.integers, self.floats = [0] * isa.registers, [0.0] * isa.registers
        self.pointer, self.flags = isa.pointer, 0.0
        self.returns = [FINISHED]
        space = bytearray(MEMORY + image.memory)
        space[CONSTANTS : CONSTANTS + len(image.constants)] = image.constants
        view = memoryview(space)
        self.memory, self.words = view.cast("f"), view.cast("i")
        self.code: dict[int, tuple[Callable[[], int | None], ...]] = {}
        self.next: dict[int, int] = {}
        offset = 0
        while offset < len(image.code):
            _, size, steps = isa.decode(image.code, offset, CODE + offset)
            after = CODE + offset + size
            self.code[CODE + offset] = tuple(self._bound(step, after) for step in steps)
            self.next[CODE + offset] = after
            offset += size

    def write(self, address: int, values: Floats) -> None:
        """Put floats into memory."""
        for place, value in enumerate(values.ravel().tolist(), address // WORD):
            self.memory[place] = value

    def read(self, address: int, size: int) -> Floats:
        """Floats out of memory."""
        first = address // WORD
        return np.array(self.memory[first : first + size].tolist(), np.float32)

    def run(self) -> int:
        """From the first instruction to the return of the first function; steps taken."""
        place, steps = CODE, 0
        while place != FINISHED:
            after: int | None = None
            for action in self.code[place]:
                steps += 1
                after = action()
            place = self.next[place] if after is None else after
        return steps

    def _bound(self, step: Step, after: int) -> Callable[[], int | None]:
        """A step as an action on this machine; a jump gives the next place."""
        if step.op in _CONTROL:
            return _CONTROL[step.op](self, step, after)
        action: Callable[[Machine, Step], Any] = _ACTIONS[step.op]
        bound: Callable[[], int | None] = action(self, step)
        return bound


def _integer(compute: Callable[[list[int], Step], int]) -> Callable[[Machine, Step], Any]:
    def bind(machine: Machine, step: Step) -> Callable[[], None]:
        registers, target = machine.integers, step.a

        def act() -> None:
            registers[target] = wrapped(compute(registers, step))

        return act

    return bind


def _float(compute: Callable[[list[float], Step], float]) -> Callable[[Machine, Step], Any]:
    def bind(machine: Machine, step: Step) -> Callable[[], None]:
        registers, target = machine.floats, step.a

        def act() -> None:
            registers[target] = compute(registers, step)

        return act

    return bind


def _number(value: int) -> float:
    return float(struct.unpack("<f", struct.pack("<i", value))[0])


def _word(machine: Machine, step: Step) -> Callable[[], None]:
    registers, words = machine.integers, machine.words

    def load() -> None:
        registers[step.a] = words[(registers[machine.pointer] + step.b) // WORD]

    def store() -> None:
        words[(registers[machine.pointer] + step.b) // WORD] = registers[step.a]

    return load if step.op == "load" else store


def _touch(machine: Machine, step: Step) -> Callable[[], None]:
    integers, floats, memory = machine.integers, machine.floats, machine.memory
    op, a, b, c, d, e = step

    def place() -> int:
        return (integers[b] + (0 if c == NONE else integers[c] * d) + e) // WORD

    def load() -> None:
        floats[a] = memory[place()]

    def store() -> None:
        memory[place()] = floats[a]

    return load if op == "fload" else store


def _bits(machine: Machine, step: Step) -> Callable[[], None]:
    def act() -> None:
        machine.floats[step.a] = _number(machine.integers[step.b])

    return act


def _compare(machine: Machine, step: Step) -> Callable[[], None]:
    def act() -> None:
        if step.op == "fcompare":
            machine.flags = machine.floats[step.a] - machine.floats[step.b]
        else:
            right = step.b if step.op == "comparec" else machine.integers[step.b]
            machine.flags = float(machine.integers[step.a] - right)

    return act


_ACTIONS: dict[str, Callable[[Machine, Step], Any]] = {
    "const": _integer(lambda _, s: s.b),
    "extend": _integer(lambda r, s: r[s.a] * 256 + s.b),
    "high": _integer(lambda r, s: r[s.a] + s.b * 65536),
    "move": _integer(lambda r, s: r[s.b]),
    "add": _integer(lambda r, s: r[s.b] + r[s.c]),
    "mul": _integer(lambda r, s: r[s.b] * r[s.c]),
    "addc": _integer(lambda r, s: r[s.b] + s.c),
    "mulc": _integer(lambda r, s: r[s.b] * s.c),
    "load": _word,
    "store": _word,
    "fload": _touch,
    "fstore": _touch,
    "fbits": _bits,
    "fconst": _float(lambda _, s: _number(s.b)),
    "fmove": _float(lambda r, s: r[s.b]),
    "fexp": _float(lambda r, s: math.exp(r[s.b])),
    "fadd": _float(lambda r, s: r[s.b] + r[s.c]),
    "fsub": _float(lambda r, s: r[s.b] - r[s.c]),
    "fmul": _float(lambda r, s: r[s.b] * r[s.c]),
    "fdiv": _float(lambda r, s: r[s.b] / r[s.c]),
    "fmax": _float(lambda r, s: max(r[s.b], r[s.c])),
    "fmadd": _float(lambda r, s: r[s.b] * r[s.c] + r[s.d]),
    "compare": _compare,
    "comparec": _compare,
    "fcompare": _compare,
}


def _jumpif(machine: Machine, step: Step, after: int) -> Callable[[], int]:
    if step.a == LESS:
        return lambda: step.b if machine.flags < 0 else after
    return lambda: after if machine.flags < 0 else step.b


def _jump(machine: Machine, step: Step, after: int) -> Callable[[], int]:
    del machine, after
    return lambda: step.a


def _call(machine: Machine, step: Step, after: int) -> Callable[[], int]:
    def act() -> int:
        machine.returns.append(after)
        return step.a

    return act


def _return(machine: Machine, step: Step, after: int) -> Callable[[], int]:
    del step, after
    return machine.returns.pop


_CONTROL = {"jumpif": _jumpif, "jump": _jump, "call": _call, "return": _return}
