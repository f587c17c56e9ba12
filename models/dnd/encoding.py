"""How instructions are packed into bytes and what they lift to, whatever the instruction set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from dse.provenance import Number

from .config import DATA
from .machine import NONE, WORD, Step

Instruction: TypeAlias = tuple[str, tuple[int, ...]]
"""Name and fields; a target is a label until it is assembled."""
Lift: TypeAlias = Callable[..., tuple[Step, ...]]


TWO = ("fadd", "fsub", "fmul", "fdiv")
"""Operations on two floats that every instruction set has."""


def registers(slug: str) -> int:
    """Integer registers of an instruction set, and as many for floats."""
    row = DATA.tables["reference_isa"][slug]["registers"]
    return int(row.value) if isinstance(row, Number) else 0


class Undecodable(ValueError):
    """Bytes that are no instruction."""


@dataclass(frozen=True)
class Form:
    """How an instruction is packed and what it means."""

    widths: tuple[int, ...]
    """Bits of each field; negative where it has a sign."""
    lift: Lift
    target: bool = False
    """Whether the last field is a place in the code."""


@dataclass(frozen=True)
class Isa:
    """An instruction set."""

    registers: int
    """For integers, and as many for floats."""
    opcode: int
    """Bits of the operation."""
    unit: int
    """Instructions are multiples of this many bytes."""
    little: bool
    """Whether fields are packed from the lowest bit of the first byte."""
    relative: bool
    """Whether targets count from the instruction."""
    forms: Mapping[str, Form]
    select: Callable[[Step, int], list[Instruction]]
    """A step, and the register for constants -> instructions."""
    indexes: bool = False
    """Whether an address may have an index."""
    displaces: bool = False
    """Whether it may have a constant beside the index."""
    maximum: bool = True
    """Whether it has the larger of two floats."""
    fuses: bool = False
    """Whether it has a product and a sum in one."""

    @property
    def pointer(self) -> int:
        """The stack pointer."""
        return self.registers - 1

    @property
    def scratch(self) -> tuple[int, int, int]:
        """Registers for an address, a term of it, and a constant."""
        return self.registers - 4, self.registers - 3, self.registers - 2

    @property
    def homes(self) -> int:
        """Registers for variables, from 0."""
        return self.registers - 4

    @cached_property
    def names(self) -> list[str]:
        """Names of the instructions by their number, from 1."""
        return list(self.forms)

    def length(self, name: str) -> int:
        """Bytes of an instruction."""
        bits = self.opcode + sum(map(abs, self.forms[name].widths))
        return -(-bits // (8 * self.unit)) * self.unit

    def encode(self, name: str, fields: Sequence[int], address: int) -> bytes:
        """The bytes of an instruction at an address."""
        form, size = self.forms[name], self.length(name)
        numbers = list(fields)
        if form.target and self.relative:
            numbers[-1] = (numbers[-1] - address) // self.unit
        packed, place = 0, 0
        widths = (self.opcode, *form.widths)
        for width, number in zip(widths, (self.names.index(name) + 1, *numbers), strict=True):
            _check(name, width, number)
            field = number % 2 ** abs(width)
            shift = place if self.little else 8 * size - place - abs(width)
            packed |= field << shift
            place += abs(width)
        return packed.to_bytes(size, "little" if self.little else "big")

    def decode(self, code: bytes, offset: int, address: int) -> tuple[str, int, tuple[Step, ...]]:
        """Name, length and steps of the instruction at an offset of the code."""
        first = code[offset]
        number = first % 2**self.opcode if self.little else first >> (8 - self.opcode)
        if not 0 < number <= len(self.names):
            raise Undecodable(f"byte {first:#04x} at {address:#x} starts no instruction")
        name = self.names[number - 1]
        form, size = self.forms[name], self.length(name)
        packed = int.from_bytes(code[offset : offset + size], "little" if self.little else "big")
        place, fields = self.opcode, []
        for width in form.widths:
            bits = abs(width)
            shift = place if self.little else 8 * size - place - bits
            field = (packed >> shift) % 2**bits
            fields.append(field - 2**bits if width < 0 and field >> (bits - 1) else field)
            place += bits
        if form.target and self.relative:
            fields[-1] = fields[-1] * self.unit + address
        return name, size, form.lift(*fields)


def _check(name: str, width: int, number: int) -> None:
    low, high = (0, 2**width) if width > 0 else (-(2 ** (-width - 1)), 2 ** (-width - 1))
    if not low <= number < high:
        raise OverflowError(f"{name}: {number} does not fit into {abs(width)} bits")


def same(op: str) -> Lift:
    """Fields are the step's numbers."""
    return lambda *fields: (Step(op, *fields),)


def two(op: str) -> Lift:
    """A = a op b."""
    return lambda a, b: (Step(op, a, a, b),)


def onto(op: str) -> Lift:
    """A = a op constant."""
    return lambda a, value: (Step(op, a, a, value),)


def on_flags(condition: int) -> Lift:
    """A jump on flags."""
    return lambda target: (Step("jumpif", condition, target),)


def compared(op: str, condition: int) -> Lift:
    """A comparison and a jump at once."""
    return lambda a, b, target: (Step(op, a, b), Step("jumpif", condition, target))


def base(op: str) -> Lift:
    """A float of memory under a register."""
    return lambda a, b: (Step(op, a, b, NONE, 1, 0),)


def indexed(op: str) -> Lift:
    """A float of memory under a register, an index in words and a displacement."""
    return lambda a, b, c, e=0: (Step(op, a, b, c, WORD, e),)


COMMUTES = {"add", "mul", "fadd", "fmul", "fmax"}


def two_operands(step: Step) -> list[Instruction]:
    """A = b op c where only a = a op c exists."""
    op, a, b, c = step[:4]
    if a == c and op in COMMUTES:
        b, c = c, b
    if a == c and a != b:
        raise OverflowError(f"{op}: no register to keep the second operand in")
    move = "fmove" if op.startswith("f") else "move"
    moved: list[Instruction] = [(move, (a, b))] if a != b else []
    return [*moved, (op, (a, c))]


def plain(step: Step, forms: Mapping[str, Form]) -> list[Instruction]:
    """The instruction of the step's own name."""
    numbers = (step.a, step.b, step.c, step.d, step.e)
    return [(step.op, numbers[: len(forms[step.op].widths)])]


JUMPS = ("jumpless", "jumpnotless")
"""Jumps on flags, by condition."""
