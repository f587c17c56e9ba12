"""What the explorer was opened on: a run or nothing. One per server, never per module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from urllib.parse import parse_qs

from dse import registry
from dse.errors import InputError
from dse.store import Run

from .columns import Opened
from .runs import name_of, named

Stamp = tuple[int, int]
"""Parts of the run's designs and the age of its front: equal while nothing was written."""

HELD = 3
"""Runs that stay in memory beside the one that the server was opened on."""


class Context:
    """What pages and callbacks need to know: the run, read when first asked for."""

    def __init__(self, run: Run | None = None) -> None:
        self.run = run
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

    def opened(self) -> Opened | None:
        """The run as it stands in its folder; opened anew only when it has grown.

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

    def readable(self) -> Opened | None:
        """The run, or nothing where there is none or it cannot be read."""
        try:
            return self.opened()
        except InputError:
            return None

    def default_model(self) -> str:
        """The page that opens when the URL names none: the run's, or the first."""
        opened = self.readable()
        return registry.slugs()[0] if opened is None else opened.study.page.slug


def asked(search: str) -> str:
    """The run that a URL's query names, or nothing."""
    return parse_qs(search.removeprefix("?")).get("run", [""])[-1]


def _stamp(run: Run) -> Stamp:
    front = run.path / "front.csv"
    return len(run.parts), front.stat().st_mtime_ns if front.exists() else 0
