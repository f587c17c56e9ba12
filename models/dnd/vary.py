"""The varying instruction set: 1 to 7 bytes, two operands, index and displacement at once."""

from .encoding import (
    JUMPS,
    TWO,
    Form,
    Instruction,
    Isa,
    Lift,
    base,
    indexed,
    on_flags,
    onto,
    plain,
    registers,
    same,
    two,
    two_operands,
)
from .machine import NONE, Step


def _displaced(op: str) -> Lift:
    return lambda a, b, e: (Step(op, a, b, NONE, 1, e),)


FORMS = {
    "const": Form((8, -32), same("const")),
    "move": Form((4, 4), same("move")),
    "add": Form((4, 4), two("add")),
    **{op: Form((8, -32), onto(op)) for op in ("addc", "mulc")},
    **{f"{op}s": Form((8, -8), onto(op)) for op in ("addc", "mulc")},
    "load": Form((4, 12), same("load")),
    "store": Form((4, 12), same("store")),
    **{op: Form((4, 4), base(op)) for op in ("fload", "fstore")},
    **{f"{op}d": Form((4, 4, -32), _displaced(op)) for op in ("fload", "fstore")},
    **{f"{op}x": Form((4, 4, 8, -32), indexed(op)) for op in ("fload", "fstore")},
    "fconst": Form((8, -32), same("fconst")),
    "fmove": Form((4, 4), same("fmove")),
    "fexp": Form((4, 4), same("fexp")),
    **{op: Form((4, 4), two(op)) for op in (*TWO, "fmax")},
    "comparec": Form((8, -32), same("comparec")),
    "jumpless": Form((32,), on_flags(0), target=True),
    "jumpnotless": Form((32,), on_flags(1), target=True),
    "jump": Form((32,), same("jump"), target=True),
    "call": Form((32,), same("call"), target=True),
    "return": Form((), same("return")),
}


def select(step: Step, spare: int) -> list[Instruction]:
    """Instructions for a step; constants fit into all of them."""
    del spare
    op, a, b, c, d, e = step
    moved: list[Instruction] = [("move", (a, b))] if a != b else []
    jump: Instruction = (JUMPS[a], (d,)) if op.startswith("branch") else ("", ())
    match op:
        case "addc" | "mulc":
            found = [*moved, (op + ("s" if -128 <= c < 128 else ""), (a, c))]
        case "branchc":
            found = [("comparec", (b, c)), jump]
        case "fload" | "fstore" if c != NONE:
            found = [(f"{op}x", (a, b, c, e))]
        case "fload" | "fstore" if e:
            found = [(f"{op}d", (a, b, e))]
        case "add" | "fadd" | "fsub" | "fmul" | "fdiv" | "fmax":
            found = two_operands(step)
        case _:
            found = plain(step, FORMS)
    return found


VARY = Isa(
    registers=registers("vary"),
    opcode=8,
    unit=1,
    little=True,
    relative=False,
    indexes=True,
    displaces=True,
    select=select,
    forms=FORMS,
)
