"""A design of a finished run by name: `RUN:balanced`, `RUN:cost`, `RUN:3`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from dse.errors import InputError, unknown
from dse.evaluate import Table
from dse.prices import Overlay
from dse.spec import whole
from dse.store import Run, find
from dse.study import Study, overlaid


@dataclass(frozen=True)
class Pick:
    """A run, and the name of one of its designs."""

    run: Run
    name: str

    @property
    def overlay(self) -> Overlay | None:
        """The person's own prices that the run was searched with, if any."""
        return self.run.overlay()

    def settings(self) -> tuple[str, dict[str, object]]:
        """The slug of the run's page, and the design's settings, nested.

        Raises:
            InputError: the run has no design of that name.
        """
        study, row = self.run.study(), self._row()
        return study.page.slug, settings_of(study, self.run.design(row))

    def _row(self) -> int:
        """The number of the design among all that the run holds."""
        front = [int(line["row"]) for line in self.run.lines("front.csv")]
        if not front:
            raise InputError(f"{self.run.path}: the run has no front; its search found nothing")
        if not self.name.isdecimal():
            return self._named(len(front))
        if not 1 <= int(self.name) <= len(front):
            raise InputError(
                f"{self.run.path}: there is no design {self.name} on the front; "
                f"its rows count from 1 to {len(front)}"
            )
        return front[int(self.name) - 1]

    def _named(self, size: int) -> int:
        best = best_of(self.run)
        if self.name not in best:
            wrong = unknown("design", self.name, best)
            raise InputError(f"{self.run.path}: {wrong} 1 to {size} name the rows of the front")
        return best[self.name]


def read(name: str) -> Pick | None:
    """What `RUN:NAME` picks; nothing where the name is no such pair.

    Raises:
        InputError: there is no such run.
    """
    run, colon, design = name.rpartition(":")
    if not colon or Path(name).suffix in (".yaml", ".yml"):
        return None
    return Pick(find(run), design.strip())


def best_of(run: Run) -> dict[str, int]:
    """Number of every design that `best.csv` names; 'best cost' answers to 'cost' too."""
    found: dict[str, int] = {}
    for line in run.lines("best.csv"):
        for name in line["why"].removesuffix(", dominated").split(", "):
            found[name] = found[name.removeprefix("best ")] = int(line["row"])
    return found


def settings_of(study: Study, design: Table) -> dict[str, object]:
    """What the study fixes with what one of its designs chose; defaults stay open to prices."""
    varied: dict[str, object] = {}
    for axis in study.space.axes:
        value = float(design[axis.path][0])
        varied[axis.path] = whole(axis.rows[int(value)]) if axis.rows else value
    return overlaid(cast("dict[str, object]", study.document["set"]), varied)
