"""Loop nests as steps of a register machine: homes of variables, addresses, loops and guards.

Loop counters get registers from the innermost outwards, then the arguments; the others live in
slots of the stack. Three integer registers below the stack pointer are scratch: an address, a
term of it, and a constant.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack, unpack

from .affine import Affine
from .encoding import Isa
from .loops import Apply, Assign, Guard, Literal, Local, Loop, Nest, Read, Statement, Value, Write
from .loops import counters as loops_of
from .machine import LESS, NONE, NOT_LESS, WORD, Step


def bits(value: float) -> int:
    """A float32's bits as a whole number with a sign.

    >>> bits(1.0)
    1065353216
    """
    return int(unpack("<i", pack("<f", value))[0])


def emitted(nest: Nest, isa: Isa, *, rotates: bool) -> list[Step]:
    """The steps of a function; jumps go to labels."""
    return _Emitter(nest, isa, rotates=rotates).run()


class _Emitter:
    """Steps of one function so far, and where its variables live."""

    def __init__(self, nest: Nest, isa: Isa, *, rotates: bool) -> None:
        """Give every counter, argument and local variable a home."""
        self.nest, self.isa, self.rotates = nest, isa, rotates
        self.steps: list[Step] = []
        self.labels = 0
        self.address, self.term = isa.scratch[0], isa.scratch[1]
        self.registers, self.slots = self._homes()
        self.locals: dict[str, int] = {}

    def _homes(self) -> tuple[dict[str, int], dict[str, int]]:
        """Variable -> register, and variable -> slot."""
        deepest: dict[str, int] = {}
        for depth, name in loops_of(self.nest.body):
            deepest[name] = max(depth, deepest.get(name, 0))
        counters = sorted(deepest, key=lambda name: -deepest[name])
        arguments = list(self.nest.buffers)
        lucky = [*counters, *arguments][: self.isa.homes]
        registers = {name: i for i, name in enumerate(arguments) if name in lucky}
        free = (i for i in range(self.isa.homes) if i not in registers.values())
        registers |= {name: next(free) for name in counters if name in lucky}
        rest = [name for name in (*counters, *arguments) if name not in lucky]
        return registers, {name: WORD * place for place, name in enumerate(rest)}

    def run(self) -> list[Step]:
        """Arguments without a register go to their slots, then the body."""
        for place, name in enumerate(self.nest.buffers):
            if name in self.slots:
                self.add("store", place, self.slots[name])
        self.body(self.nest.body)
        self.add("return")
        return self.steps

    def add(self, op: str, *numbers: int) -> None:
        """One more step."""
        self.steps.append(Step(op, *numbers))

    def label(self) -> int:
        """A new place to jump to."""
        self.labels += 1
        return self.labels

    def body(self, statements: Iterable[Statement]) -> None:
        """Statements in order."""
        for one in statements:
            match one:
                case Loop():
                    self.loop(one)
                case Guard():
                    self.guard(one)
                case Assign():
                    self.assign(one)
                case Write():
                    place = self.value(one.value, 0)
                    self.touch("fstore", place, one.buffer, one.index)

    def held(self, name: str) -> int:
        """A register that holds a variable: its own, or scratch filled from its slot."""
        if name in self.registers:
            return self.registers[name]
        self.add("load", self.term, self.slots[name])
        return self.term

    def loop(self, loop: Loop) -> None:
        """A counter and its test, before the body or after it."""
        start, end = self.label(), self.label()
        home = self.registers.get(loop.counter, self.term)
        self.add("const", home, 0)
        self._keep(loop.counter, home)
        self.add("label", start)
        if not self.rotates:
            here = self.held(loop.counter)
            self.add("branchc", NOT_LESS, here, loop.extent, end)
        self.body(loop.body)
        here = self.held(loop.counter)
        self.add("addc", here, here, 1)
        self._keep(loop.counter, here)
        if self.rotates:
            self.add("branchc", LESS, here, loop.extent, start)
        else:
            self.add("jump", start)
        self.add("label", end)

    def _keep(self, name: str, register: int) -> None:
        if name in self.slots:
            self.add("store", register, self.slots[name])

    def guard(self, guard: Guard) -> None:
        """Jumps around a body."""
        end = self.label()
        self.sum(self.living(guard.value), 1)
        self.add("branchc", LESS, self.address, 0, end)
        self.add("branchc", NOT_LESS, self.address, guard.limit, end)
        self.body(guard.body)
        self.add("label", end)

    def living(self, value: Affine) -> Affine:
        """Without counters that have no loop: they are 0."""
        homes = self.registers.keys() | self.slots.keys()
        return Affine(value.constant, tuple(term for term in value.terms if term[0] in homes))

    def sum(self, value: Affine, scale: int) -> None:
        """The address register holds an affine value times a scale."""
        if not value.terms:
            self.add("const", self.address, value.constant * scale)
            return
        for place, (name, size) in enumerate(value.terms):
            register, factor = self.held(name), size * scale
            target = self.term if place else self.address
            if factor != 1:
                self.add("mulc", target, register, factor)
                register = target
            if place:
                self.add("add", self.address, self.address, register)
            elif register != self.address:
                self.add("move", self.address, register)
        if value.constant:
            self.add("addc", self.address, self.address, value.constant * scale)

    def touch(self, op: str, register: int, buffer: str, index: Affine) -> None:
        """Load or store one element in the addressing form that the ISA has."""
        far, near = self.living(index), 0
        if self.isa.displaces or not far.terms:
            far, near = Affine(0, far.terms), index.constant * WORD
        if not far.terms:
            base = self.held(buffer)
            if near and not self.isa.displaces:
                self.add("addc", self.address, base, near)
                base, near = self.address, 0
            self.add(op, register, base, NONE, 1, near)
        elif self.isa.indexes:
            self.sum(far, 1)
            self.add(op, register, self.held(buffer), self.address, WORD, near)
        else:
            self.sum(far, WORD)
            self.add("add", self.address, self.address, self.held(buffer))
            self.add(op, register, self.address, NONE, 1, near)

    def assign(self, one: Assign) -> None:
        """A local variable's register gets a new value."""
        if one.name not in self.locals:
            self.locals[one.name] = self.isa.registers - 1 - len(self.locals)
        home = self.locals[one.name]
        self.value(one.value, 0, home)

    def value(self, value: Value, depth: int, home: int = NONE) -> int:
        """The register that holds a value: `home` if given, else a local's or a temporary."""
        target = depth if home == NONE else home
        match value:
            case Local():
                if home == NONE:
                    return self.locals[value.name]
                self.add("fmove", target, self.locals[value.name])
            case Literal():
                self.add("fconst", target, bits(value.value))
            case Read():
                self.touch("fload", target, value.buffer, value.index)
            case Apply():
                self.operation(value, depth, target)
        return target

    def operation(self, value: Apply, depth: int, target: int) -> None:
        """Arguments into registers, then the operation; a sum and its product at once."""
        op, arguments = value.op, value.arguments
        last = arguments[-1]
        if op == "add" and self.isa.fuses and isinstance(last, Apply) and last.op == "mul":
            op, arguments = "madd", (*last.arguments, arguments[0])
        found: list[int] = []
        for argument in arguments:
            place = self.value(argument, depth)
            depth += place == depth
            found.append(place)
        if op == "max" and not self.isa.maximum:
            self._larger(target, *found)
        else:
            self.add(f"f{op}", target, *found)

    def _larger(self, target: int, first: int, second: int) -> None:
        """The larger of two by a jump, where there is no such instruction."""
        end = self.label()
        if target == second:
            first, second = second, first
        if target != first:
            self.add("fmove", target, first)
        self.add("branchf", NOT_LESS, first, second, end)
        self.add("fmove", target, second)
        self.add("label", end)
