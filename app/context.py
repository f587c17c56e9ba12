"""What the explorer was opened on: a run or nothing. One per server, never per module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import numpy as np

from dse import registry
from dse.archive import Archive, explain_infeasible
from dse.certainty import widened, with_chances
from dse.errors import InputError
from dse.evaluate import Table
from dse.store import Run
from dse.study import Study
from dse.winners import Winner, flat_warnings, winners

from .columns import Opened
from .runs import name_of, named

Stamp = tuple[int, int]
"""Parts of the run's designs and the age of its front: equal while nothing was written."""

HELD = 3
"""Runs that stay in memory beside the one that the server was opened on."""


@dataclass(frozen=True)
class Snapshot:
    """A run as it was last read. The front carries the chances of its designs."""

    study: Study
    designs: Table
    front: Table
    facts: Mapping[str, Any]
    refusal: tuple[str, ...]
    """Why nothing is feasible, in words; empty where something is."""
    why: tuple[str, ...]
    """What each of the best designs is best at."""
    best: Table
    """The best designs, with intervals, tiers and chances."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the answer weaker than it looks."""
        if len(self.front) == 0:
            return self.study.warnings
        flat = flat_warnings(self.study, self.front, self.constant)
        return (*self.study.warnings, *flat)

    @property
    def winners(self) -> tuple[Winner, ...]:
        """Which design of the front wins each objective; nobody when nothing is feasible."""
        return winners(self.study, self.front, self.constant) if len(self.front) else ()

    @property
    def constant(self) -> list[str]:
        """Objectives with one value in every design that meets the constraints."""
        return list(self.facts.get("constant", []))


class Context:
    """What pages and callbacks need to know: the run, read when first asked for."""

    def __init__(self, run: Run | None = None) -> None:
        self.run = run
        self._held: tuple[Stamp, Snapshot] | None = None
        self._opened: tuple[Stamp, Opened] | None = None
        self._others = lru_cache(maxsize=HELD)(Context)

    def of(self, search: str) -> Context:
        """The context of the run that a URL names by `?run=study/run`; this one if it names none.

        Raises:
            InputError: no such run.
        """
        name = asked(search)
        if not name or (self.run is not None and name == name_of(self.run)):
            return self
        return self._others(named(name))

    @contextmanager
    def priced(self) -> Iterator[None]:
        """Within it, devices are priced as the run was searched."""
        with registry.priced_by(None if self.run is None else self.run.overlay()):
            yield

    def snapshot(self) -> Snapshot | None:
        """The run as it stands in its folder; read again only when it has grown.

        Raises:
            InputError: the folder holds no designs, or its echo does not fit the pages.
        """
        if self.run is None:
            return None
        stamp = _stamp(self.run)
        held = self._held
        if held is None or held[0] != stamp:
            held = self._held = (stamp, _read(self.run))
        return held[1]

    def opened(self) -> Opened | None:
        """The run read a column at a time, as it stands; opened anew only when it has grown.

        Raises:
            InputError: the folder holds no designs, or its echo does not fit the pages.
        """
        if self.run is None:
            return None
        stamp = _stamp(self.run)
        held = self._opened
        if held is None or held[0] != stamp:
            held = self._opened = (stamp, Opened(self.run))
        return held[1]

    def readable(self) -> Snapshot | None:
        """The run, or nothing where there is none or it cannot be read."""
        try:
            return self.snapshot()
        except InputError:
            return None

    def default_model(self) -> str:
        """The page that opens when the URL names none: the run's, or the first."""
        snapshot = self.readable()
        return registry.slugs()[0] if snapshot is None else snapshot.study.page.slug


def asked(search: str) -> str:
    """The run that a URL's query names, or nothing."""
    return parse_qs(search.removeprefix("?")).get("run", [""])[-1]


def _stamp(run: Run) -> Stamp:
    front = run.path / "front.csv"
    return len(run.parts), front.stat().st_mtime_ns if front.exists() else 0


def _read(run: Run) -> Snapshot:
    study, designs = run.study(), run.designs()
    front = with_chances(run, "front.csv", run.front())
    order = np.argsort(front[study.objectives[0].metric], kind="stable")
    lines = run.lines("best.csv")
    best = designs.take(np.array([int(line["row"]) for line in lines], dtype=np.intp))
    path = run.path / "environment.json"
    return Snapshot(
        study=study,
        designs=designs,
        front=front.take(order),
        facts=run.environment() if path.exists() else {},
        refusal=_refusal(study, designs) if len(front) == 0 else (),
        why=tuple(line["why"] for line in lines),
        best=with_chances(run, "best.csv", widened(study, best)),
    )


def _refusal(study: Study, designs: Table) -> tuple[str, ...]:
    if designs["accepted"].any():
        return ("The search has not written its front yet; let it finish or resume it.",)
    archive = Archive(study)
    archive.add(designs)
    return tuple(explain_infeasible(archive))
