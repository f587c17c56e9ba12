"""The narrow instruction set: 8 registers, two operands, constants built byte by byte."""

from .encoding import (
    JUMPS,
    TWO,
    Form,
    Instruction,
    Isa,
    Lift,
    base,
    on_flags,
    onto,
    plain,
    registers,
    same,
    two,
    two_operands,
)
from .machine import WORD, Step


def _slot(op: str) -> Lift:
    return lambda a, place: (Step(op, a, place * WORD),)


FORMS = {
    "const": Form((3, 8), same("const")),
    "extend": Form((3, 8), same("extend")),
    "move": Form((3, 3), same("move")),
    "add": Form((3, 3), two("add")),
    "mul": Form((3, 3), two("mul")),
    "addc": Form((3, 8), onto("addc")),
    "load": Form((3, 8), _slot("load")),
    "store": Form((3, 8), _slot("store")),
    "fload": Form((3, 3), base("fload")),
    "fstore": Form((3, 3), base("fstore")),
    "fbits": Form((3, 3), same("fbits")),
    "fmove": Form((3, 3), same("fmove")),
    "fexp": Form((3, 3), same("fexp")),
    **{op: Form((3, 3), two(op)) for op in TWO},
    "compare": Form((3, 3), same("compare")),
    "fcompare": Form((3, 3), same("fcompare")),
    "jumpless": Form((-16,), on_flags(0), target=True),
    "jumpnotless": Form((-16,), on_flags(1), target=True),
    "jump": Form((-16,), same("jump"), target=True),
    "call": Form((-24,), same("call"), target=True),
    "return": Form((), same("return")),
}


def _constant(register: int, value: int) -> list[Instruction]:
    raw = value % 2**32
    parts = raw.to_bytes(max(1, (raw.bit_length() + 7) // 8), "big")
    first: Instruction = ("const", (register, parts[0]))
    return [first, *(("extend", (register, part)) for part in parts[1:])]


def select(step: Step, spare: int) -> list[Instruction]:
    """Instructions for a step; what has no constant form goes through the spare register."""
    op, a, b, c, d, _ = step
    moved: list[Instruction] = [("move", (a, b))] if a != b else []
    jump: Instruction = (JUMPS[a], (d,)) if op.startswith("branch") else ("", ())
    match op:
        case "const":
            found = _constant(a, b)
        case "addc" if a == b and 0 <= c < 2**8:
            found = [("addc", (a, c))]
        case "addc" | "mulc":
            found = [*moved, *_constant(spare, c), (op[:3], (a, spare))]
        case "fconst":
            found = [*_constant(spare, b), ("fbits", (a, spare))]
        case "branchc":
            found = [*_constant(spare, c), ("compare", (b, spare)), jump]
        case "branchf":
            found = [("fcompare", (b, c)), jump]
        case "load" | "store":
            found = [(op, (a, b // WORD))]
        case "add" | "mul" | "fadd" | "fsub" | "fmul" | "fdiv":
            found = two_operands(step)
        case _:
            found = plain(step, FORMS)
    return found


NARROW = Isa(
    registers=registers("narrow"),
    opcode=5,
    unit=2,
    little=False,
    relative=True,
    maximum=False,
    select=select,
    forms=FORMS,
)
