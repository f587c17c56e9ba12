"""Symbolic execution of one path's steps, and the meeting of paths.

Integer registers and stack slots hold affine values, float registers hold expressions. Where
paths meet, a value that was added to on one of them is added under the tests of that path.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from .affine import Affine
from .control_flow import Unsupported
from .expressions import Effect, Expression, Group, Held, Load, Number, gated, group, without
from .expressions import substituted as forwarded
from .machine import LESS, NONE, Step, wrapped
from .normal import relabelled


@dataclass(frozen=True)
class Order:
    """A comparison of floats: whether the first is less than the second, and the answer."""

    first: Expression
    second: Expression
    less: bool


Test: TypeAlias = Affine | Order
"""What a path knows: an affine value of at least 0, or an order of floats."""

_FRESH = count()


def unknown() -> Affine:
    """A value that nothing is known of."""
    return Affine.name(f"?{next(_FRESH)}")


def mystery() -> Held:
    """A float that nothing is known of."""
    return Held(f"?{next(_FRESH)}")


def register(number: int) -> str:
    """Name of an integer register."""
    return f"r{number}"


def slot(offset: int) -> str:
    """Name of a stack slot."""
    return f"s{offset}"


@dataclass
class State:
    """What the registers hold and what was stored."""

    integers: dict[str, Affine] = field(default_factory=dict)
    floats: dict[int, Expression] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    flags: Affine | tuple[Expression, Expression] | None = None

    def copy(self) -> State:
        """The same, to go on from."""
        return State(dict(self.integers), dict(self.floats), self.effects, self.flags)

    def integer(self, name: str) -> Affine:
        """What a register or slot holds."""
        return self.integers.setdefault(name, unknown())

    def float(self, number: int) -> Expression:
        """What a float register holds."""
        return self.floats.setdefault(number, mystery())

    def loaded(self, address: Affine) -> Expression:
        """A float of memory, or what was just stored there."""
        for effect in reversed(self.effects):
            if effect.address == address and not effect.counters:
                return effect.value
        return Load(address)

    def store(self, effect: Effect) -> None:
        """A store, after which an earlier one to the same place is gone."""
        kept = tuple(one for one in self.effects if renamed(one, effect) is None)
        self.effects = (*kept, effect)

    def append(self, effect: Effect) -> None:
        """A store of a whole loop: what it reads may have been stored before the loop."""
        for earlier in reversed(self.effects):
            if same := renamed(earlier, effect):
                value = forwarded(effect.value, Load(effect.address), same.value)
                effect = Effect(effect.address, value, effect.counters)
        self.store(effect)


def renamed(one: Effect, other: Effect) -> Effect | None:
    """A store under the counters of another that covers the same places, if it does."""
    extents = [extent for _, extent in one.counters]
    if extents != [extent for _, extent in other.counters]:
        return None
    pairs = zip(one.counters, other.counters, strict=True)
    names = {old: new for (old, _), (new, _) in pairs}
    found = relabelled(one, names)
    return found if found.address == other.address else None


@dataclass
class Path:
    """What holds on a path, and the state at its end."""

    tests: tuple[Test, ...]
    state: State


def execute(step: Step, state: State) -> None:
    """One step that does not jump."""
    if step.op in _INTEGER:
        value = _INTEGER[step.op](step, state)
        if not value.terms:
            value = Affine(wrapped(value.constant))
        state.integers[register(step.a)] = value
    elif step.op in _FLOAT:
        state.floats[step.a] = _FLOAT[step.op](step, state)
    elif step.op == "store":
        state.integers[slot(step.b)] = state.integer(register(step.a))
    elif step.op == "fload":
        address = _address(step, state)
        state.floats[step.a] = state.loaded(address)
    elif step.op == "fstore":
        state.store(Effect(_address(step, state), state.float(step.a)))
    elif step.op == "fcompare":
        state.flags = (state.float(step.a), state.float(step.b))
    elif step.op in {"compare", "comparec"}:
        right = step.b if step.op == "comparec" else state.integer(register(step.b))
        state.flags = state.integer(register(step.a)) - right
    else:
        raise Unsupported(f"'{step.op}' inside an operator")


def tests(step: Step, state: State) -> tuple[Test, Test]:
    """What holds where a conditional jump is taken, and where it is not."""
    flags = state.flags
    if isinstance(flags, Affine):
        less: Test = flags * -1 - 1
        other: Test = flags
    elif flags is not None:
        less, other = Order(*flags, less=True), Order(*flags, less=False)
    else:
        raise Unsupported("a jump on flags that nothing set")
    return (less, other) if step.a == LESS else (other, less)


def _address(step: Step, state: State) -> Affine:
    base = state.integer(register(step.b)) + step.e
    return base if step.c == NONE else base + state.integer(register(step.c)) * step.d


def _product(first: Affine, second: Affine) -> Affine:
    if not first.terms:
        return second * first.constant
    return first * second.constant if not second.terms else unknown()


def _of(state: State, number: int) -> Affine:
    return state.integer(register(number))


_INTEGER: dict[str, Callable[[Step, State], Affine]] = {
    "const": lambda s, _: Affine(s.b),
    "extend": lambda s, at: _of(at, s.a) * 256 + s.b,
    "high": lambda s, at: _of(at, s.a) + s.b * 65536,
    "move": lambda s, at: _of(at, s.b),
    "add": lambda s, at: _of(at, s.b) + _of(at, s.c),
    "addc": lambda s, at: _of(at, s.b) + s.c,
    "mul": lambda s, at: _product(_of(at, s.b), _of(at, s.c)),
    "mulc": lambda s, at: _of(at, s.b) * s.c,
    "load": lambda s, at: at.integer(slot(s.b)),
}


def _number(bits: int) -> Number:
    return Number(float(struct.unpack("<f", struct.pack("<i", bits))[0]))


def _bits(step: Step, state: State) -> Expression:
    value = _of(state, step.b)
    return mystery() if value.terms else _number(value.constant)


def _minus(value: Expression) -> Expression:
    return group("product", Number(-1.0), value)


_FLOAT: dict[str, Callable[[Step, State], Expression]] = {
    "fconst": lambda s, _: _number(s.b),
    "fbits": _bits,
    "fmove": lambda s, at: at.float(s.b),
    "fadd": lambda s, at: group("sum", at.float(s.b), at.float(s.c)),
    "fsub": lambda s, at: group("sum", at.float(s.b), _minus(at.float(s.c))),
    "fmul": lambda s, at: group("product", at.float(s.b), at.float(s.c)),
    "fmax": lambda s, at: group("max", at.float(s.b), at.float(s.c)),
    "fmadd": lambda s, at: group(
        "sum", group("product", at.float(s.b), at.float(s.c)), at.float(s.d)
    ),
    "fdiv": lambda s, at: Group("div", (at.float(s.b), at.float(s.c))),
    "fexp": lambda s, at: Group("exp", (at.float(s.b),)),
}


def opposite(test: Test) -> Test:
    """What holds where a test does not."""
    if isinstance(test, Affine):
        return test * -1 - 1
    return Order(test.first, test.second, not test.less)


def met(paths: Sequence[Path]) -> Path:
    """The paths that reach a block as one: a tree of tests, joined from its leaves."""
    if len(paths) == 1:
        return paths[0]
    shared = 0
    while all(len(p.tests) > shared for p in paths) and (
        len({p.tests[shared] for p in paths}) == 1
    ):
        shared += 1
    if any(len(path.tests) == shared for path in paths):
        raise Unsupported("paths that meet without a test between them")
    test = paths[0].tests[shared]
    yes = [path for path in paths if path.tests[shared] == test]
    no = [path for path in paths if path.tests[shared] == opposite(test)]
    if len(yes) + len(no) < len(paths):
        raise Unsupported("paths that meet after different tests")
    common = paths[0].tests[:shared]
    found = [met([Path(one.tests[shared + 1 :], one.state) for one in side]) for side in (yes, no)]
    if any(path.tests for path in found):
        raise Unsupported("paths of which only some meet")
    return Path(common, _joined(found[0].state, found[1].state, test))


def _joined(yes: State, no: State, test: Test) -> State:
    """The first state where a test holds, else the second."""
    joined = State(effects=_effects(yes.effects, no.effects, test))
    for name in yes.integers.keys() & no.integers.keys():
        one, other = yes.integers[name], no.integers[name]
        joined.integers[name] = one if one == other else unknown()
    for number in yes.floats.keys() & no.floats.keys():
        value = _either(yes.floats[number], no.floats[number], test)
        joined.floats[number] = mystery() if value is None else value
    return joined


def _either(one: Expression, other: Expression, test: Test) -> Expression | None:
    """One where the test holds, else the other: added to under a test, or the larger of two."""
    if one == other:
        return one
    if isinstance(test, Order):
        larger = (test.second, test.first) if test.less else (test.first, test.second)
        return group("max", test.first, test.second) if (one, other) == larger else None
    for more, less, under in ((one, other, test), (other, one, opposite(test))):
        split = without(more, less)
        if split is not None and split[0] == "sum" and isinstance(under, Affine):
            return group("sum", less, gated((under,), split[1]))
    return None


def _effects(yes: tuple[Effect, ...], no: tuple[Effect, ...], test: Test) -> tuple[Effect, ...]:
    """Stores of two paths: one of them may add to memory under its test."""
    longer, shorter = (yes, no) if len(yes) >= len(no) else (no, yes)
    if longer[: len(shorter)] != shorter:
        raise Unsupported("stores that differ between paths")
    found = list(shorter)
    under = test if longer is yes else opposite(test)
    for effect in longer[len(shorter) :]:
        value = _either(effect.value, Load(effect.address), under)
        if value is None:
            raise Unsupported("a store that happens on some paths only")
        found.append(Effect(effect.address, value, effect.counters))
    return tuple(found)
