"""What is written to the executed drive: random pages, hot and cold, or training step by step.

Training is a list of events: so many bytes of a class, born and dead at some time. `step_events`
makes those of a job; others may come from elsewhere, such as a schedule of offloaded tensors.
"""

import heapq
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .ftl import Ftl, Pages
from .lifetimes import Learned
from .zones_ftl import LONG, MEDIUM, SHORT, Zoned

BATCH = 512
"""Random pages that are drawn at once: few beside a drive, as hot ones go before cold ones."""
ENDLESS = float("inf")
SHORT_ENDS, MEDIUM_TURNS, CHECKPOINT, REFRESH = 0.9, 0.95, 0.97, 0.98
"""When in a step its tensors die, its states are rewritten, and what is long-lived is written."""
TENSORS, PIECES, MOST_PIECES = 16, 256, 16384
"""Of a step's short-lived bytes, and of the dataset, where it is spread at most so many."""


class Event(NamedTuple):
    """Bytes that are written, and when they die; times in steps."""

    size: float
    birth: float
    death: float
    kind: int


class Job(NamedTuple):
    """Bytes that a training job writes, and the steps between."""

    short: float
    """A step, dead at its end."""
    medium: float
    """A step, rewritten by the next."""
    states: float
    """A checkpoint, which overwrites the last."""
    interval: float
    """Steps between checkpoints."""
    dataset: float
    refresh: float
    """Steps in which the dataset is written anew, piece by piece."""
    still: float = 0.0
    """Bytes that are written once."""
    spread: bool = False
    """Whether long-lived bytes are written all the time, between tensors, or when they are due."""

    def series(self) -> tuple["Series", "Series"]:
        """Checkpoint and dataset, as pieces that are rewritten in turn."""
        if self.spread:
            turns = (self.interval, self.refresh)
            each = [max(min(round(turn * TENSORS), MOST_PIECES), 1) for turn in turns]
        else:
            each = [1, PIECES]
        return (
            Series(self.states, self.interval, each[0], CHECKPOINT, self.spread),
            Series(self.dataset, self.refresh, each[1], REFRESH, self.spread),
        )


class Series(NamedTuple):
    """Long-lived bytes in pieces, each of which is rewritten after so many steps."""

    size: float
    turn: float
    pieces: int
    when: float
    """In the step in which a piece is due, if it waits for the step's end."""
    spread: bool

    def first(self) -> list[Event]:
        """All pieces, written before the first step."""
        share = self.size / self.pieces
        return [Event(share, 0.0, self.time(i), LONG) for i in range(1, self.pieces + 1)]

    def due(self, step: int) -> list[Event]:
        """Pieces that are written in a step, the first being step 1."""
        low, high = (int(turns * self.pieces / self.turn) for turns in (step - 1, step))
        return [
            Event(self.size / self.pieces, self.time(i), self.time(i + self.pieces), LONG)
            for i in range(max(low, 1), high + 2)
            if self.step(i) == step
        ]

    def step(self, number: int) -> int:
        """The step in which the n-th piece is written: the first that is not before it is due."""
        return int(np.ceil(number * self.turn / self.pieces))

    def time(self, number: int) -> float:
        """When the n-th piece is written; if spread, between the tensors, evenly."""
        step = self.step(number)
        within = number * self.turn / self.pieces - step + 1
        return step + (within * SHORT_ENDS if self.spread else self.when)


def setting_up(job: Job) -> list[Event]:
    """What lies on the drive before the first step."""
    saved, data = job.series()
    return [Event(job.still, 0.0, ENDLESS, LONG), *data.first(), *saved.first()]


def step_events(job: Job, step: int) -> list[Event]:
    """What one step writes, the first being step 1; in order of time."""
    turn, ends = step + MEDIUM_TURNS, step + SHORT_ENDS
    every = SHORT_ENDS / TENSORS if job.spread else 0.0
    events = [Event(job.short / TENSORS, step + i * every, ends, SHORT) for i in range(TENSORS)]
    events.append(Event(job.medium, turn, turn + 1, MEDIUM))
    for series in job.series():
        events += series.due(step)
    return sorted(events, key=lambda event: event.birth)


class Replay:
    """Events on a drive: logical pages are handed out at birth and trimmed at death."""

    def __init__(self, drive: Zoned, *, page_size: float, areas: Sequence[int]) -> None:
        """All logical pages are free; those freed last are handed out first, as a step's are.

        Args:
            drive: what is written.
            page_size: bytes that a page stands for.
            areas: logical pages of each class, which lie apart as files do.
        """
        self.drive, self.page_size = drive, page_size
        ends = np.cumsum([0, *areas])
        self.stacks: list[Pages] = [
            np.arange(low, high)[::-1].copy() for low, high in itertools.pairwise(ends.tolist())
        ]
        self.tops = list(areas)
        self.dying: list[tuple[float, int, int, Pages]] = []
        self.now, self.count, self.rest = 0.0, 0, 0.0

    def play(self, events: Iterable[Event]) -> None:
        """Write and trim in order of birth; the end of a step erases what is empty."""
        for event in events:
            self.until(event.birth)
            self._write(event)

    def until(self, time: float) -> None:
        """Let data die that do until a time, and steps end."""
        while self.dying and self.dying[0][0] <= time:
            death, _, kind, pages = heapq.heappop(self.dying)
            self._pass(death)
            self.drive.trim(pages, death)
            top = self.tops[kind]
            self.stacks[kind][top : top + pages.size] = pages[::-1]
            self.tops[kind] = top + pages.size
        self._pass(time)

    def _pass(self, time: float) -> None:
        """The drive's clock goes on; once for all steps that end meanwhile."""
        if np.floor(time) > np.floor(self.now):
            self.drive.step_ends()
        self.now = time

    def _write(self, event: Event) -> None:
        """Write an event's pages; what is left of a page goes with the next event's."""
        exact = event.size / self.page_size + self.rest
        pages = round(exact)
        self.rest = exact - pages
        if not pages:
            return
        top, kind = self.tops[event.kind], event.kind
        if pages > top:
            raise ValueError(f"{pages} pages of class {kind} are to be written, {top} are left")
        given = self.stacks[kind][top - pages : top][::-1].copy()
        self.tops[kind] = top - pages
        self.drive.write(given, kind, event.birth)
        self.count += 1
        if event.death < ENDLESS:
            heapq.heappush(self.dying, (event.death, self.count, kind, given))


class Skew(NamedTuple):
    """Random traffic: a share of the writes goes to a share of the pages, the hot ones."""

    pages: int
    writes: float = 1.0
    data: float = 1.0

    def hot(self) -> int:
        """Hot pages, the first ones."""
        return round(self.pages * self.data)


def fill(ftl: Ftl, skew: Skew) -> None:
    """Write every page once, the hot ones into the first stream and the cold into the last."""
    ftl.write(np.arange(skew.hot()), 0)
    ftl.write(np.arange(skew.hot(), skew.pages), len(ftl.streams) - 1)


def draw(ftl: Ftl, skew: Skew, writes: int, learned: Learned | None = None) -> None:
    """Write random pages. With two streams hot ones go to the first, as known or as learned."""
    rng, hot, last = ftl.rng, skew.hot(), len(ftl.streams) - 1
    for start in range(0, writes, BATCH):
        size = min(BATCH, writes - start)
        is_hot = rng.random(size) < skew.writes
        low, high = (
            np.where(is_hot, 0, min(hot, skew.pages - 1)),
            np.where(is_hot, hot, skew.pages),
        )
        pages = rng.integers(low, high)
        if not last:
            ftl.write(pages, 0)
            continue
        now = float(sum(ftl.written))
        first = pages < hot if learned is None else learned.classes(pages) == 0
        if learned is not None:
            learned.write(pages, now)
        ftl.write(pages[first], 0)
        ftl.write(pages[~first], last)
