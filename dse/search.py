"""Space in, evaluated designs out: exhaustive, sampled and Optuna searches over one interface.

Methods without feedback are functions of the design's index, so they stream, run ahead on many
threads and resume anywhere. Optuna's methods are replayed from the start on resume, which costs
no evaluation worth saving and ends exactly as if the search had never been interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, log2
from typing import Literal

import numpy as np

from dse.archive import Archive
from dse.errors import InputError
from dse.evaluate import Draw, Table, stream
from dse.spec import Array
from dse.store import PART, Run
from dse.study import Study

Progress = Callable[[int, int, int], None]
"""Called with designs done, designs in all, and the size of the front."""

Pool = Literal["threads", "processes"]

FLUSH = 5.0
"""Seconds after which designs are written even if a part is not full."""


def method_of(study: Study) -> str:
    """The method in use: `auto` enumerates when the grid is exact and fits the budget."""
    if study.search.method != "auto":
        return study.search.method
    exact = not study.space.continuous and study.space.size <= study.search.budget
    return "grid" if exact else "nsga2"


def total_of(study: Study) -> int:
    """Designs that the search will evaluate."""
    budget = study.search.budget
    return min(study.space.size, budget) if method_of(study) == "grid" else budget


def draw_of(study: Study) -> Draw | None:
    """The design of each index for a method that needs no feedback, else None."""
    space, seed = study.space, study.search.seed
    width = max(len(space.axes), 1)

    def at_random(start: int, stop: int) -> Mapping[str, Array]:
        block = np.random.default_rng([seed, start])
        return space.sample(block.random((stop - start, width)))

    def low_discrepancy(start: int, stop: int) -> Mapping[str, Array]:
        from scipy.stats import qmc  # noqa: PLC0415 - a second of import for one method

        engine = qmc.Sobol(width, rng=np.random.default_rng(seed))
        engine.fast_forward(start)
        balanced = 2 ** ceil(log2(stop - start))
        return space.sample(engine.random(balanced)[: stop - start])

    return {"grid": space.grid, "random": at_random, "qmc": low_discrepancy}.get(method_of(study))


@dataclass(frozen=True)
class Outcome:
    """How a search ended."""

    run: Run
    archive: Archive
    seconds: float
    finished: bool

    @property
    def feasible(self) -> bool:
        """Whether any design is feasible and meets every constraint."""
        return self.archive.front is not None


def _silent(done: int, total: int, front: int) -> None:
    """Report nothing."""


def search(
    study: Study,
    run: Run,
    *,
    jobs: int = 1,
    pool: Pool = "threads",
    progress: Progress = _silent,
) -> Outcome:
    """Search a study into a run folder; a folder that already holds designs is resumed.

    A keyboard interrupt ends it early with everything stored that was evaluated.

    Raises:
        InputError: the method's extra is not installed, or a run that cannot be replayed.
    """
    began = time.monotonic()
    archive = Archive(study)
    total = total_of(study)
    tables = _new_tables(study, run, archive, jobs=jobs, pool=pool)
    finished = _fill(run, tables, lambda: progress(archive.seen, total, archive.size))
    seconds = time.monotonic() - began
    _conclude(run, archive, seconds=seconds, finished=finished)
    return Outcome(run, archive, seconds, finished)


def _new_tables(
    study: Study, run: Run, archive: Archive, *, jobs: int, pool: Pool
) -> Iterator[Table]:
    """Tables the folder does not hold yet; the archive sees the stored ones as well."""
    draw = draw_of(study)
    if draw is None:
        yield from _replayed(study, run, archive)
        return
    for stored in run.tables():
        archive.add(stored)
    start, stop = archive.seen, total_of(study)
    for table in stream(study, draw, start=start, stop=stop, jobs=jobs, pool=pool):
        archive.add(table)
        yield table


def _replayed(study: Study, run: Run, archive: Archive) -> Iterator[Table]:
    from dse.sampler import generations  # noqa: PLC0415 - Optuna, which other methods save

    stored = run.designs() if run.parts else None
    done = 0 if stored is None else len(stored)
    for table in generations(study, method_of(study)):
        held = max(min(done - archive.seen, len(table)), 0)
        if stored is not None and held:
            _same(stored.take(np.arange(archive.seen, archive.seen + held)), table, run)
        archive.add(table)
        if held < len(table):
            yield table.take(np.arange(held, len(table)))


def _same(stored: Table, replayed: Table, run: Run) -> None:
    for name, column in stored.columns.items():
        if not np.array_equal(column, replayed[name][: len(stored)], equal_nan=True):
            raise InputError(
                f"{run.path} was searched by other versions (its {name} differs on replay); "
                "start a fresh run instead of --resume"
            )


def _fill(run: Run, tables: Iterator[Table], tick: Callable[[], None]) -> bool:
    """Store tables until they end or a person interrupts."""
    waiting: list[Table] = []
    written = time.monotonic()
    finished = True
    try:
        for table in tables:
            waiting.append(table)
            tick()
            if sum(map(len, waiting)) >= PART or time.monotonic() - written > FLUSH:
                run.append(waiting)
                waiting, written = [], time.monotonic()
    except KeyboardInterrupt:
        finished = False
    if waiting:
        run.append(waiting)
    return finished


def _conclude(run: Run, archive: Archive, *, seconds: float, finished: bool) -> None:
    if archive.front is not None:
        run.write_csv("front.csv", archive.front)
        why, best = archive.best()
        run.write_csv("best.csv", best, why=why)
        run.write_history(archive.history())
    run.stamp(
        study=archive.study.slug,
        method=method_of(archive.study),
        seed=archive.study.search.seed,
        designs=archive.seen,
        accepted=archive.accepted,
        grid=archive.study.space.size,
        seconds=round(seconds, 3),
        finished=finished,
        left_out=archive.left_out(),
    )
