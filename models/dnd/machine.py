"""What the register machines compute, whatever their encoding: the steps of an instruction.

An instruction of an ISA lifts to one or two steps, as a lifter of binaries makes them. Integer
registers hold 32 bits and wrap; memory holds float32; float registers hold doubles, so a value is
rounded to float32 when it is stored. A stack slot is a word beside the stack pointer.

| step                | meaning                                                     |
|---------------------|-------------------------------------------------------------|
| const a i           | a = i                                                       |
| extend a i          | a = 256 a + i                                               |
| high a i            | a = a + 65536 i                                             |
| move, add, mul      | a = b; a = b + c; a = b c                                   |
| addc, mulc          | a = b + i; a = b i                                          |
| load a i, store a i | a = slot i; slot i = a                                      |
| fload a b c d e     | a = memory[b + c d + e], without index where c is `NONE`    |
| fstore a b c d e    | memory[b + c d + e] = a                                     |
| fbits a b           | a = the float whose bits are integer register b             |
| fmove, fexp         | a = b; a = exp(b)                                           |
| fadd fsub fmul fdiv fmax | a = b op c                                             |
| fmadd               | a = b c + d                                                 |
| compare, comparec, fcompare | flags = a - b; a - i; a ? b                         |
| jumpif a b          | to b if the flags say condition a                           |
| jump, call a        | to a; a function at a                                       |
| return              | back to the caller                                          |
"""

from typing import NamedTuple

NONE = -1
"""No index register."""
LESS, NOT_LESS = 0, 1
"""Conditions of a jump."""
WORD = 4
"""Bytes of a float32 and of a stack slot."""
ARGUMENTS = 4
"""Integer registers, from 0, that hold the arguments of a call."""


class Step(NamedTuple):
    """One step: its name and up to five whole numbers (registers, constants, addresses)."""

    op: str
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0


def wrapped(value: int) -> int:
    """A whole number as 32 bits with a sign.

    >>> wrapped(2**31)
    -2147483648
    """
    return (value + 2**31) % 2**32 - 2**31
