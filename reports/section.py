"""What a section is made of: its place, its title, and blocks that any printer can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from dse.evaluate import Table
from dse.grounds import Ground
from dse.spec import AnyModel
from dse.store import Run
from dse.study import Study
from dse.validate import Row
from dse.winners import Winner, winners

if TYPE_CHECKING:
    from .formulas import AnyBlock


@dataclass(frozen=True)
class Paragraph:
    """Running text; the tone says how it looks; a lead stays with what it introduces."""

    text: str
    tone: Literal["plain", "lead", "quote", "verdict", "warning", "code"] = "plain"


@dataclass(frozen=True)
class Facts:
    """Short facts by name, in the order they are read."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class DataTable:
    """A table that may break over pages; its header repeats.

    `widths` are shares of the line; an empty one leaves the column as wide as its text. Columns
    in `right` are numbers. Rows in `marked` stand out as important or as unsure, and the caption
    says why.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    widths: Sequence[float] = ()
    right: Sequence[int] = ()
    marked: Sequence[int] = ()
    mark: Literal["important", "unsure"] = "unsure"


@dataclass(frozen=True)
class Figure:
    """A vector drawing with a caption that names its source and its limits."""

    svg: str
    caption: str


Block: TypeAlias = Paragraph | Facts | DataTable | Figure
"""What a section is built of; a printer knows these four by their class names."""


@dataclass(frozen=True)
class Context:
    """Everything a section may read of a run; nothing in it depends on the clock."""

    run: Run
    study: Study
    designs: Table
    """A sample of all designs, evenly thinned when there are very many."""
    front: Table
    """Designs that no other one beats, with chances; no row when nothing is feasible."""
    best: Table
    """Designs of the answer, with intervals, tiers and chances: those that are recommended, and
    the balanced one of every other choice that was compared."""
    why: Sequence[str]
    """What each of them is best at, or that it is the nearest."""
    nearest: Table
    """Designs that came nearest when nothing is feasible, with intervals and tiers."""
    misses: Sequence[str]
    """What kept every design out, in words, when nothing is feasible."""
    history: Sequence[Mapping[str, float]]
    environment: Mapping[str, Any]
    validation: Sequence[Row]
    grounds: Mapping[tuple[str, str], Ground]
    """Page and published point -> what its prediction rests on."""
    pages: Sequence[AnyModel]
    """The study's page, then the pages whose errors or laws the designs of the answer rest on."""
    idle: Sequence[str]
    """Pages that the study's page joins too, and that play no part in these designs."""
    prices: str
    """Date of the price list, and what was laid over it."""
    date: str
    """Date of the report."""

    @property
    def feasible(self) -> bool:
        """Whether any design meets every constraint."""
        return len(self.front) > 0

    @property
    def constant(self) -> list[str]:
        """Objectives with one value in every design that meets the constraints."""
        return list(self.environment.get("constant", []))

    @property
    def winners(self) -> tuple[Winner, ...]:
        """Which design of the front wins each objective; nobody when nothing is feasible."""
        return winners(self.study, self.front, self.constant) if self.feasible else ()

    @property
    def recommended(self) -> list[int]:
        """Which designs of the answer are recommended, and not the best of another choice."""
        rivals = [
            all("balanced " in part or part == "dominated" for part in why.split(", "))
            for why in self.why
        ]
        return [row for row, rival in enumerate(rivals) if not rival]

    @property
    def balanced(self) -> int:
        """Which design of the answer is the balanced one; 0 when nothing is feasible."""
        return next((i for i, why in enumerate(self.why) if "balanced" in why.split(", ")), 0)

    @property
    def shown(self) -> Table:
        """The designs that are worth a closer look: recommended, else nearest."""
        return self.best if self.feasible else self.nearest.take(np.arange(len(self.nearest)) < 1)


@dataclass(frozen=True)
class Section:
    """One part of the report, as discovery finds it: a module names one `SECTION`."""

    order: int
    title: str
    build: Callable[[Context], Sequence[AnyBlock]]
