"""Which equations of a page an answer hangs on: each one's value, and how it moves the answer.

A page is run in a copy of its functions in which every equation is made a little larger in a row
of its own, so that one evaluation tells them all apart. What moves no answer plays no part in the
design: the law of a board that it does not have, a branch that its settings switch off.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from dse import registry
from dse.exposition import Equation, exposition
from dse.grounds import NUDGE
from dse.provenance import Sheet
from dse.spec import AnyModel, Array, Config, at, knobs
from dse.tornado import change

STILL = 1e-9
"""Relative change below which an answer did not move but for rounding."""

NEUTRAL = (0.0, 1.0)
"""Numbers that stand everywhere, so that finding one says nothing of where it is from."""

Place = tuple[str, str]
"""Slug of a page, and the name of one of its equations or constants."""


@dataclass(frozen=True)
class Used:
    """An equation that moves an answer."""

    page: str
    equation: Equation
    values: tuple[float, ...]
    """What it says in this design, in SI, each value once; several where it is asked several
    times, as once an operator."""
    moves: Mapping[str, float]
    """Metric -> relative change where the equation says `NUDGE` times as much."""

    @property
    def size(self) -> float:
        """The largest of these changes."""
        return max((abs(share) for share in self.moves.values()), default=0.0)


def used(
    page: AnyModel, config: Config, metrics: Sequence[str], pages: Sequence[AnyModel]
) -> tuple[list[Used], int]:
    """The equations that some metrics of a scalar design hang on, the weightiest first.

    Args:
        page: what prices it.
        config: the design.
        metrics: those that count.
        pages: whose equations are looked for; the page is one of them.

    Returns:
        the equations that move a metric, and how many others were asked and move none.
    """
    told = {(p.slug, e.name): e for p in pages for e in exposition(p).equations}
    copy = Copy(page, list(told))
    rows = len(told) + 1
    numbers = (k.path for k in knobs(page.config).values() if k.catalog is None)
    batch = type(config).batched({p: np.full(rows, at(config, p)) for p in numbers}, config)
    with np.errstate(all="ignore"):
        result = copy.function(page.evaluate)(batch)
    found = {name: np.broadcast_to(result.metrics[name], rows) for name in metrics}
    asked = [
        Used(*_named(place, told), copy.values(place), _moves(found, row))
        for row, place in enumerate(told)
        if copy.seen.get(place)
    ]
    live = sorted((u for u in asked if u.size > STILL), key=lambda u: -u.size)
    return live, len(asked) - len(live)


def _named(place: Place, told: Mapping[Place, Equation]) -> tuple[str, Equation]:
    return place[0], told[place]


def _moves(found: Mapping[str, Array], row: int) -> dict[str, float]:
    """Relative change of each metric that is known with and without; infinite from 0."""
    pairs = {name: (float(values[-1]), float(values[row])) for name, values in found.items()}
    moved = {name: change(here, there) for name, (here, there) in pairs.items()}
    return {name: share for name, share in moved.items() if not np.isnan(share)}


@dataclass
class Copy:
    """Functions of pages over again, on globals of their own; the pages stay as they are."""

    page: AnyModel
    places: Sequence[Place]
    """Equations that note what they say, and say more of it in a row of their own."""
    shifted: Place | None = None
    """The constant that is said to be another than it is."""
    factor: float = 1.0
    """How many times as large it is said to be."""
    asked: set[Place] = field(default_factory=set)
    """Constants that a function has asked for."""
    seen: dict[Place, list[float]] = field(default_factory=dict)
    _made: dict[FunctionType, Callable[..., Any]] = field(default_factory=dict)
    _modules: dict[str, ModuleType] = field(default_factory=dict)

    def function(self, own: Any) -> Callable[..., Any]:  # noqa: ANN401 - whatever a page evaluates by
        """A function of a page in the copy."""
        home = own.__globals__["__name__"]
        space = vars(self._module(home))
        if own not in self._made:
            made = FunctionType(own.__code__, space, own.__name__, None, own.__closure__)
            made.__defaults__, made.__kwdefaults__ = own.__defaults__, own.__kwdefaults__
            place = (self._slug(home), own.__name__)
            self._made[own] = self._nudging(made, place) if place in self.places else made
        return self._made[own]

    def values(self, place: Place) -> tuple[float, ...]:
        """What an equation said, each value once, the least first."""
        return tuple(sorted(set(self.seen[place])))

    def imported(self, places: Sequence[Place]) -> set[Place]:
        """Constants that some module of the copy holds as a number of its own."""
        held = {
            (self._slug(name), value)
            for name, module in self._modules.items()
            for value in vars(module).values()
            if isinstance(value, float) and value not in NEUTRAL
        }
        known = {slug: registry.model(slug).data.parameters for slug, _ in places}
        return {place for place in places if (place[0], known[place[0]][place[1]].value) in held}

    def _module(self, name: str) -> ModuleType:
        if name not in self._modules:
            copy = self._modules[name] = ModuleType(name)
            vars(copy).update(vars(sys.modules[name]))
            vars(copy).update(dict(self._inner(name)))
        return self._modules[name]

    def _inner(self, name: str) -> Iterator[tuple[str, object]]:
        """What stands in a module for functions and modules of pages."""
        for key, value in list(vars(sys.modules[name]).items()):
            if isinstance(value, FunctionType) and self._slug(value.__globals__["__name__"]):
                yield key, self.function(value)
            elif isinstance(value, ModuleType) and self._slug(value.__name__):
                yield key, self._module(value.__name__)
            elif isinstance(value, MethodType) and isinstance(value.__self__, Sheet):
                own = value.__name__ == "default"
                yield key, self._given(value.__self__) if own else value

    def _slug(self, module: str) -> str:
        """The page that a module belongs to; nothing of a module outside pages."""
        root = f"{registry.folder('models').__name__}."
        if module.startswith(root):
            return module.removeprefix(root).partition(".")[0]
        return self.page.slug if module == self.page.evaluate.__module__ else ""

    def _given(self, sheet: Sheet) -> Callable[[str], float]:
        """The constants of a page, one of which may be said to be another than it is."""

        def given(name: str) -> float:
            place = (sheet.name, name)
            self.asked.add(place)
            return float(sheet.default(name)) * (self.factor if place == self.shifted else 1.0)

        return given

    def _nudging(self, made: Callable[..., Any], place: Place) -> Callable[..., Any]:
        """The equation, which notes what it says and says more of it in its own row."""
        more = np.ones(len(self.places) + 1)
        more[self.places.index(place)] = NUDGE

        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as the equation has it
            said = made(*given, **named)
            numbers = np.asarray(said)
            if numbers.dtype != np.float64:
                return said  # a truth or a row of several: nothing to make larger
            along = _along(numbers, more)
            self.seen.setdefault(place, []).extend(_of_last(numbers, along))
            return said if along is None else numbers * along

        return call


def _along(numbers: Array, more: Array) -> Array | None:
    """The factors on the axis of designs, which is the last or, of a sum inside, the first one.

    None where an array has no such axis, as a constant grid: nothing is made larger there.
    """
    if numbers.ndim == 0 or numbers.shape[-1] == len(more):
        return more
    if numbers.shape[0] == len(more):
        return more.reshape(-1, *(1,) * (numbers.ndim - 1))
    return None


def _of_last(numbers: Array, along: Array | None) -> list[float]:
    """What an equation says of the design that nothing is made larger in."""
    if numbers.ndim == 0 or along is None:
        found = numbers
    else:
        found = numbers[-1] if along.ndim > 1 else numbers[..., -1]
    return [float(value) for value in np.ravel(found)]
