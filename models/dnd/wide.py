"""The wide instruction set: 32 registers, three operands, compare and jump at once."""

from .encoding import (
    TWO,
    Form,
    Instruction,
    Isa,
    base,
    compared,
    indexed,
    plain,
    registers,
    same,
)
from .machine import NONE, Step

BRANCHES = ("branchless", "branchnotless")
"""Jumps after a comparison of integers, by condition."""

FORMS = {
    "const": Form((5, 16), same("const")),
    "high": Form((5, 16), same("high")),
    "move": Form((5, 5), same("move")),
    "add": Form((5, 5, 5), same("add")),
    "mul": Form((5, 5, 5), same("mul")),
    "addc": Form((5, 5, -14), same("addc")),
    "load": Form((5, 12), same("load")),
    "store": Form((5, 12), same("store")),
    "fload": Form((5, 5), base("fload")),
    "fstore": Form((5, 5), base("fstore")),
    "floadx": Form((5, 5, 5), indexed("fload")),
    "fstorex": Form((5, 5, 5), indexed("fstore")),
    "fbits": Form((5, 5), same("fbits")),
    "fmove": Form((5, 5), same("fmove")),
    "fexp": Form((5, 5), same("fexp")),
    **{op: Form((5, 5, 5), same(op)) for op in (*TWO, "fmax")},
    "fmadd": Form((5, 5, 5, 5), same("fmadd")),
    **{
        name: Form((5, 5, -14), compared("compare", i), target=True)
        for i, name in enumerate(BRANCHES)
    },
    "jump": Form((-24,), same("jump"), target=True),
    "call": Form((-24,), same("call"), target=True),
    "return": Form((), same("return")),
}


def _constant(register: int, value: int) -> list[Instruction]:
    raw = value % 2**32
    found: list[Instruction] = [("const", (register, raw % 2**16))]
    return found + ([("high", (register, raw >> 16))] if raw >> 16 else [])


def select(step: Step, spare: int) -> list[Instruction]:
    """Instructions for a step; what has no constant form goes through the spare register."""
    op, a, b, c, d, _ = step
    match op:
        case "const":
            found = _constant(a, b)
        case "addc" if -(2**13) <= c < 2**13:
            found = [("addc", (a, b, c))]
        case "addc" | "mulc":
            found = [*_constant(spare, c), (op[:3], (a, b, spare))]
        case "fconst":
            found = [*_constant(spare, b), ("fbits", (a, spare))]
        case "branchc":
            found = [*_constant(spare, c), (BRANCHES[a], (b, spare, d))]
        case "fload" | "fstore" if c != NONE:
            found = [(f"{op}x", (a, b, c))]
        case _:
            found = plain(step, FORMS)
    return found


WIDE = Isa(
    registers=registers("wide"),
    opcode=8,
    unit=4,
    little=True,
    relative=True,
    indexes=True,
    fuses=True,
    select=select,
    forms=FORMS,
)
