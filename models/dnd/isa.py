"""Three instruction sets that differ in registers, operands, lengths and addressing.

| ISA    | registers | instructions         | operands | address of a float                  |
|--------|-----------|----------------------|----------|-------------------------------------|
| narrow | 8 and 8   | 2, 4 or 6 bytes      | two      | base                                |
| wide   | 32 and 32 | 4 bytes              | three    | base + 4 index                      |
| vary   | 16 and 16 | 1 to 8 bytes         | two      | base + 4 index + displacement       |

`narrow` has no maximum and builds constants byte by byte; `wide` compares and jumps at once and
has fused products; `vary` has absolute targets and little-endian constants.
A form says how an instruction is packed and which steps it lifts to; `select` says which
instructions a compiler takes for a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from .machine import NONE, WORD, Step

Instruction: TypeAlias = tuple[str, tuple[int, ...]]
"""Name and fields; a target is a label until it is assembled."""
Lift: TypeAlias = Callable[..., tuple[Step, ...]]


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
    floats: int
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
    displaces: bool = False
    maximum: bool = True

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


def _same(op: str) -> Lift:
    return lambda *fields: (Step(op, *fields),)


def _two(op: str) -> Lift:
    return lambda a, b: (Step(op, a, a, b),)


def _onto(op: str) -> Lift:
    return lambda a, value: (Step(op, a, a, value),)


def _on_flags(condition: int) -> Lift:
    return lambda target: (Step("jumpif", condition, target),)


def _compared(op: str, condition: int) -> Lift:
    return lambda a, b, target: (Step(op, a, b), Step("jumpif", condition, target))


COMMUTES = {"add", "mul", "fadd", "fmul", "fmax"}


def _two_operands(step: Step) -> list[Instruction]:
    """A = b op c where only a = a op c exists."""
    op, a, b, c = step[:4]
    if a == c and op in COMMUTES:
        b, c = c, b
    if a == c and a != b:
        raise OverflowError(f"{op}: no register to keep the second operand in")
    move = "fmove" if op.startswith("f") else "move"
    moved: list[Instruction] = [(move, (a, b))] if a != b else []
    return [*moved, (op, (a, c))]


def _narrow_constant(register: int, value: int) -> list[Instruction]:
    raw = value % 2**32
    parts = raw.to_bytes(max(1, (raw.bit_length() + 7) // 8), "big")
    first: Instruction = ("const", (register, parts[0]))
    return [first, *(("extend", (register, part)) for part in parts[1:])]


def _narrow(step: Step, spare: int) -> list[Instruction]:
    op, a, b, c, d, _ = step
    match op:
        case "const":
            return _narrow_constant(a, b)
        case "addc" if a == b and 0 <= c < 2**8:
            return [("addc", (a, c))]
        case "addc" | "mulc":
            moved: list[Instruction] = [("move", (a, b))] if a != b else []
            return [*moved, *_narrow_constant(spare, c), (op[:3], (a, spare))]
        case "fconst":
            return [*_narrow_constant(spare, b), ("fbits", (a, spare))]
        case "branchc":
            test: Instruction = ("compare", (b, spare))
            return [*_narrow_constant(spare, c), test, (_JUMPS[a], (d,))]
        case "branchf":
            return [("fcompare", (b, c)), (_JUMPS[a], (d,))]
        case "fload" | "fstore":
            return [(op, (a, b))]
        case "add" | "mul" | "fadd" | "fsub" | "fmul" | "fdiv":
            return _two_operands(step)
    return _plain(step, NARROW)


_JUMPS = ("jumpless", "jumpnotless")


def _plain(step: Step, isa: Isa) -> list[Instruction]:
    return [(step.op, step[1 : 1 + len(isa.forms[step.op].widths)])]


def _base(op: str) -> Lift:
    return lambda a, b: (Step(op, a, b, NONE, 1, 0),)


def _slot(op: str) -> Lift:
    return lambda a, place: (Step(op, a, place * WORD),)


_SHARED = {
    "jumpless": Form((-16,), _on_flags(0), target=True),
    "jumpnotless": Form((-16,), _on_flags(1), target=True),
    "jump": Form((-16,), _same("jump"), target=True),
    "call": Form((-24,), _same("call"), target=True),
    "return": Form((), _same("return")),
}

NARROW = Isa(
    registers=8,
    floats=8,
    opcode=5,
    unit=2,
    little=False,
    relative=True,
    maximum=False,
    select=lambda step, spare: _narrow_slots(_narrow(step, spare)),
    forms={
        "const": Form((3, 8), _same("const")),
        "extend": Form((3, 8), _same("extend")),
        "move": Form((3, 3), _same("move")),
        "add": Form((3, 3), _two("add")),
        "mul": Form((3, 3), _two("mul")),
        "addc": Form((3, 8), _onto("addc")),
        "load": Form((3, 8), _slot("load")),
        "store": Form((3, 8), _slot("store")),
        "fload": Form((3, 3), _base("fload")),
        "fstore": Form((3, 3), _base("fstore")),
        "fbits": Form((3, 3), _same("fbits")),
        "fmove": Form((3, 3), _same("fmove")),
        "fexp": Form((3, 3), _same("fexp")),
        **{op: Form((3, 3), _two(op)) for op in ("fadd", "fsub", "fmul", "fdiv")},
        "compare": Form((3, 3), _same("compare")),
        "fcompare": Form((3, 3), _same("fcompare")),
        **_SHARED,
    },
)


def _narrow_slots(found: list[Instruction]) -> list[Instruction]:
    """Slots are counted in words."""
    return [
        (name, (fields[0], fields[1] // WORD)) if name in {"load", "store"} else (name, fields)
        for name, fields in found
    ]


def _wide_constant(register: int, value: int) -> list[Instruction]:
    raw = value % 2**32
    found: list[Instruction] = [("const", (register, raw % 2**16))]
    return found + ([("high", (register, raw >> 16))] if raw >> 16 else [])


_WIDE_BRANCHES = {("branchf", 0): "branchfless", ("branchf", 1): "branchfnotless"}


def _wide(step: Step, spare: int) -> list[Instruction]:
    op, a, b, c, d, e = step
    match op:
        case "const":
            return _wide_constant(a, b)
        case "addc" if -(2**13) <= c < 2**13:
            return [("addc", (a, b, c))]
        case "addc" | "mulc":
            return [*_wide_constant(spare, c), (op[:3], (a, b, spare))]
        case "fconst":
            return [*_wide_constant(spare, b), ("fbits", (a, spare))]
        case "branchc":
            name = ("branchless", "branchnotless")[a]
            return [*_wide_constant(spare, c), (name, (b, spare, d))]
        case "branchf":
            return [(_WIDE_BRANCHES[op, a], (b, c, d))]
        case "fload" | "fstore":
            return [(op, (a, b))] if c == NONE else [(f"{op}x", (a, b, c))]
    del e
    return _plain(step, WIDE)


def _scaled(op: str) -> Lift:
    return lambda a, b, c: (Step(op, a, b, c, WORD, 0),)


WIDE = Isa(
    registers=32,
    floats=32,
    opcode=8,
    unit=4,
    little=True,
    relative=True,
    indexes=True,
    select=_wide,
    forms={
        "const": Form((5, 16), _same("const")),
        "high": Form((5, 16), _same("high")),
        "move": Form((5, 5), _same("move")),
        "add": Form((5, 5, 5), _same("add")),
        "mul": Form((5, 5, 5), _same("mul")),
        "madd": Form((5, 5, 5, 5), _same("madd")),
        "addc": Form((5, 5, -14), _same("addc")),
        "load": Form((5, 12), _same("load")),
        "store": Form((5, 12), _same("store")),
        "fload": Form((5, 5), _base("fload")),
        "fstore": Form((5, 5), _base("fstore")),
        "floadx": Form((5, 5, 5), _scaled("fload")),
        "fstorex": Form((5, 5, 5), _scaled("fstore")),
        "fbits": Form((5, 5), _same("fbits")),
        "fmove": Form((5, 5), _same("fmove")),
        "fexp": Form((5, 5), _same("fexp")),
        **{
            f"f{op}": Form((5, 5, 5), _same(f"f{op}"))
            for op in ("add", "sub", "mul", "div", "max")
        },
        "fmadd": Form((5, 5, 5, 5), _same("fmadd")),
        "branchless": Form((5, 5, -14), _compared("compare", 0), target=True),
        "branchnotless": Form((5, 5, -14), _compared("compare", 1), target=True),
        "branchfless": Form((5, 5, -14), _compared("fcompare", 0), target=True),
        "branchfnotless": Form((5, 5, -14), _compared("fcompare", 1), target=True),
        "jump": Form((-24,), _same("jump"), target=True),
        "call": Form((-24,), _same("call"), target=True),
        "return": Form((), _same("return")),
    },
)


def _vary(step: Step, spare: int) -> list[Instruction]:
    del spare
    op, a, b, c, d, e = step
    match op:
        case "addc" | "mulc":
            moved: list[Instruction] = [("move", (a, b))] if a != b else []
            short = "s" if -128 <= c < 128 else ""
            return [*moved, (op + short, (a, c))]
        case "branchc":
            return [("comparec", (b, c)), (_JUMPS[a], (d,))]
        case "branchf":
            return [("fcompare", (b, c)), (_JUMPS[a], (d,))]
        case "fload" | "fstore":
            if c != NONE:
                return [(f"{op}x", (a, b, c, e))]
            return [(f"{op}d", (a, b, e))] if e else [(op, (a, b))]
        case "add" | "mul" | "fadd" | "fsub" | "fmul" | "fdiv" | "fmax":
            return _two_operands(step)
    return _plain(step, VARY)


def _displaced(op: str) -> Lift:
    return lambda a, b, e: (Step(op, a, b, NONE, 1, e),)


def _full(op: str) -> Lift:
    return lambda a, b, c, e: (Step(op, a, b, c, WORD, e),)


VARY = Isa(
    registers=16,
    floats=16,
    opcode=8,
    unit=1,
    little=True,
    relative=False,
    indexes=True,
    displaces=True,
    select=_vary,
    forms={
        "const": Form((8, -32), _same("const")),
        "move": Form((4, 4), _same("move")),
        "add": Form((4, 4), _two("add")),
        "mul": Form((4, 4), _two("mul")),
        **{
            f"{op}{short}": Form((8, -width), _onto(op))
            for op in ("addc", "mulc")
            for short, width in (("", 32), ("s", 8))
        },
        "load": Form((4, 12), _same("load")),
        "store": Form((4, 12), _same("store")),
        **{op: Form((4, 4), _base(op)) for op in ("fload", "fstore")},
        **{f"{op}d": Form((4, 4, -32), _displaced(op)) for op in ("fload", "fstore")},
        **{f"{op}x": Form((4, 4, 8, -32), _full(op)) for op in ("fload", "fstore")},
        "fconst": Form((8, -32), _same("fconst")),
        "fmove": Form((4, 4), _same("fmove")),
        "fexp": Form((4, 4), _same("fexp")),
        **{f"f{op}": Form((4, 4), _two(f"f{op}")) for op in ("add", "sub", "mul", "div", "max")},
        "compare": Form((4, 4), _same("compare")),
        "comparec": Form((8, -32), _same("comparec")),
        "fcompare": Form((4, 4), _same("fcompare")),
        "jumpless": Form((32,), _on_flags(0), target=True),
        "jumpnotless": Form((32,), _on_flags(1), target=True),
        "jump": Form((32,), _same("jump"), target=True),
        "call": Form((32,), _same("call"), target=True),
        "return": Form((), _same("return")),
    },
)

ISAS = {"narrow": NARROW, "wide": WIDE, "vary": VARY}
