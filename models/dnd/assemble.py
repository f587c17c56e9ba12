"""From calls of loop nests to one image of bytes: layout of weights and buffers, code, entry.

The image holds what a binary tells a reader: where code, constants and writable memory are
mapped, and the bytes of the first two. `start` clears the answer and calls the inference
function, which calls one function an operator; a helper that is no operator stands among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import compiler_a, compiler_b
from .affine import Affine
from .codegen import emitted
from .encoding import Instruction, Isa
from .isa import ISAS
from .loops import Call, Literal, Nest, Plan, Write, nested
from .machine import WORD, Step
from .network import INPUT, Floats, Network, shapes

CODE, CONSTANTS, MEMORY = 0x10000, 0x200000, 0x400000
"""Where code, constants and writable memory are mapped."""
STACK = 256
"""Bytes above the buffers that slots take at most."""


@dataclass(frozen=True)
class Image:
    """What is deployed."""

    isa: str
    code: bytes
    constants: bytes
    memory: int
    """Bytes of writable memory."""


@dataclass(frozen=True)
class Layout:
    """Where the network's input goes and its answer comes from; no reader of the binary has it."""

    given: int
    answer: int
    size: int
    instructions: tuple[int, ...]
    """Of each function of an operator."""


def built(network: Network, isa: str, plan: Plan | None = None) -> tuple[Image, Layout]:
    """The image of a network, by compiler B where there is a plan, else by A."""
    calls = compiler_b.compiled(network, plan) if plan else compiler_a.compiled(network)
    return linked(calls, network, isa, plan or compiler_a.PLAN)


def linked(calls: Sequence[Call], network: Network, isa: str, plan: Plan) -> tuple[Image, Layout]:
    """Code, constants and buffers of the calls of a network."""
    sizes = {place: int(np.prod(shape)) for place, shape in shapes(network).items()}
    buffers = placed(calls, sizes, reuses=plan.reuses)
    constants, arguments = _arguments(calls, buffers)
    answer = buffers[calls[-1].output]
    size = max(buffers[place] + WORD * sizes[place] for place in buffers) - MEMORY
    machine = ISAS[isa]
    clear = _cleared(sizes[calls[-1].output])
    nests = [*(call.nest for call in calls), clear]
    functions = [emitted(nest, machine, rotates=plan.rotates) for nest in nests]
    stack = MEMORY + size
    code, instructions = _code(functions, arguments, (answer, stack), machine)
    image = Image(isa, code, constants, size + STACK)
    return image, Layout(buffers[INPUT], answer, sizes[calls[-1].output], instructions)


def placed(calls: Sequence[Call], sizes: Mapping[int, int], *, reuses: bool) -> dict[int, int]:
    """Address of every buffer; where they are reused, the first gap that is free."""
    last = {call.output: time for time, call in enumerate(calls)}
    last |= {place: len(calls) for place in (INPUT, calls[-1].output)}
    for time, call in enumerate(calls):
        last |= {place: max(time, last.get(place, 0)) for place in call.inputs}
    found: dict[int, int] = {}
    for time, place in enumerate((INPUT, *(call.output for call in calls)), -1):
        living = [one for one in found if not reuses or last[one] >= time]
        taken = sorted((found[one], found[one] + WORD * sizes[one]) for one in living)
        found[place] = _gap(taken, WORD * sizes[place])
    return found


def _gap(taken: Iterable[tuple[int, int]], size: int) -> int:
    """Lowest address with room between what is taken."""
    address = MEMORY
    for start, end in taken:
        if start - address >= size:
            break
        address = max(address, end)
    return address


def _arguments(
    calls: Sequence[Call], buffers: Mapping[int, int]
) -> tuple[bytes, list[tuple[int, ...]]]:
    """Bytes of all constants, and the argument registers of every call."""
    constants, arguments = b"", []
    for call in calls:
        found = [buffers[call.output], *(buffers[place] for place in call.inputs)]
        for values in call.constants:
            found.append(CONSTANTS + len(constants))
            constants += _little(values)
        arguments.append(tuple(found))
    return constants, arguments


def _little(values: Floats) -> bytes:
    return values.astype("<f4").tobytes()


def _cleared(size: int) -> Nest:
    """A helper that is no operator."""
    return Nest(("out",), nested((("i", size),), [Write("out", Affine.name("i"), Literal(0.0))]))


def _code(
    functions: Sequence[Sequence[Step]],
    arguments: Sequence[tuple[int, ...]],
    places: tuple[int, int],
    isa: Isa,
) -> tuple[bytes, tuple[int, ...]]:
    """Bytes of all functions, and the instructions of each of an operator."""
    answer, stack = places
    dispatcher = [
        step
        for number, registers in enumerate(arguments)
        for step in (
            *(Step("const", place, value) for place, value in enumerate(registers)),
            Step("call", number),
        )
    ]
    helper = len(functions) - 1
    start = [Step("const", isa.pointer, stack), Step("const", 0, answer), Step("call", helper)]
    start += [Step("call", helper + 1), Step("return")]
    bodies = [start, *functions, [*dispatcher, Step("return")]]
    selected = [_selected(body, isa) for body in bodies]
    code = b""
    entries = [place for place, _ in _addresses(selected, isa)]
    for (place, labels), body in zip(_addresses(selected, isa), selected, strict=True):
        code += _encoded(body, isa, place, labels, entries[1:])
    operators = selected[1 : 1 + len(arguments)]
    return code, tuple(sum(name != "label" for name, _ in body) for body in operators)


def _selected(body: Iterable[Step], isa: Isa) -> list[Instruction]:
    spare = isa.scratch[2]
    found: list[Instruction] = []
    for step in body:
        found += [("label", (step.a,))] if step.op == "label" else isa.select(step, spare)
    return found


def _addresses(
    bodies: Iterable[Sequence[Instruction]], isa: Isa
) -> list[tuple[int, dict[int, int]]]:
    """Entry of every function, and its labels."""
    address, found = CODE, []
    for body in bodies:
        entry, labels = address, {}
        for name, fields in body:
            if name == "label":
                labels[fields[0]] = address
            else:
                address += isa.length(name)
        found.append((entry, labels))
    return found


def _encoded(
    body: Iterable[Instruction],
    isa: Isa,
    address: int,
    labels: Mapping[int, int],
    entries: Sequence[int],
) -> bytes:
    code = b""
    for name, fields in body:
        if name == "label":
            continue
        numbers = fields
        if isa.forms[name].target:
            target = entries[fields[-1]] if name == "call" else labels[fields[-1]]
            numbers = (*fields[:-1], target)
        code += isa.encode(name, numbers, address + len(code))
    return code
