"""Space in, evaluated designs out: exhaustive, sampled and Optuna searches over one interface.

Methods without feedback are functions of the design's index, so they stream, run ahead on many
threads and resume anywhere. Optuna's methods are replayed from the start on resume, which costs
no evaluation worth saving and ends exactly as if the search had never been interrupted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, log2
from typing import Literal

import numpy as np

from dse import sampler
from dse.archive import Archive
from dse.confidence import of_run
from dse.errors import InputError
from dse.evaluate import BLOCK, Draw, Table, evaluate, stream
from dse.sampler import GENERATION
from dse.spec import Array
from dse.store import PART, Run
from dse.study import Method, Study, method_in_use

Progress = Callable[[int, int, int], None]
"""Called with designs done, designs in all, and the size of the front."""

Pool = Literal["threads", "processes"]

FLUSH = 5.0
"""Seconds after which designs are written even if a part is not full."""

QMC_BITS = 32
"""Digits of a low-discrepancy sequence, the most that SciPy can start in the middle."""


def method_of(study: Study) -> Method:
    """The method in use."""
    return method_in_use(study.search.method, study.space, study.search.budget)


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

    mine = threading.local()  # to forward a sequence takes as long as to draw it: only once

    def low_discrepancy(start: int, stop: int) -> Mapping[str, Array]:
        from scipy.stats import qmc  # noqa: PLC0415 - a second of import for one method

        if not hasattr(mine, "engine") or mine.engine.num_generated > start:
            mine.engine = qmc.Sobol(width, bits=QMC_BITS, rng=np.random.default_rng(seed))
        if start > mine.engine.num_generated:  # SciPy overflows on a step of 0
            mine.engine.fast_forward(start - mine.engine.num_generated)
        balanced = 2 ** ceil(log2(stop - start))
        return space.sample(mine.engine.random(balanced)[: stop - start])

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


def require(study: Study) -> None:
    """Check that a study can be searched here, before anything is written for it.

    Raises:
        InputError: the method's extra is not installed, or its sequence is too short.
    """
    sampler.require(method_of(study))
    if method_of(study) == "qmc" and total_of(study) > 2**QMC_BITS - BLOCK:
        raise InputError("method qmc ends after 4 billion designs; lower the budget or use random")


def search(
    study: Study,
    run: Run,
    *,
    jobs: int = 1,
    pool: Pool = "threads",
    progress: Progress = _silent,
) -> Outcome:
    """Search a study into a run folder; a folder that already holds designs is resumed.

    A keyboard interrupt ends it early with everything stored that was evaluated. A run that has
    ended is read back and left as it is.

    Raises:
        InputError: the method's extra is not installed, or a run that cannot be replayed.
    """
    began = time.monotonic()
    require(study)
    earlier = run.environment() if run.stamped else {}
    before = float(earlier.get("seconds", 0.0))
    if earlier.get("finished"):
        return Outcome(run, _reread(study, run), before, finished=True)
    archive = _archive(study)
    total = total_of(study)
    writer = _Writer(run, archive, began - before)
    finished = True
    try:
        for table in _new_tables(study, run, archive, jobs=jobs, pool=pool):
            writer.take(table)
            progress(archive.seen, total, archive.size)
    except KeyboardInterrupt:
        finished = False
    writer.flush()
    if not finished:  # it may have struck while the archive took something in
        archive = _reread(study, run)
    seconds = time.monotonic() - began + before
    _conclude(run, archive, seconds=seconds, finished=finished)
    return Outcome(run, archive, seconds, finished)


@dataclass
class _Writer:
    """Stores tables in parts, and now and then how far the search is."""

    run: Run
    archive: Archive
    began: float
    waiting: list[Table] = field(default_factory=list)
    start: int = 0
    rows: int = 0
    told: float = field(default_factory=time.monotonic)

    def take(self, table: Table) -> None:
        """Take a table that the archive has just seen."""
        if not self.waiting:
            self.start, self.rows = self.archive.seen - len(table), 0
        self.waiting.append(table)
        self.rows += len(table)
        now = time.monotonic()
        if self.rows >= PART or now - self.told > FLUSH:
            self.flush()
        if now - self.told > FLUSH:
            _conclude(self.run, self.archive, seconds=now - self.began, finished=False)
            self.told = now

    def flush(self) -> None:
        """Write what waits as one part; the same part again if a first try was cut short."""
        if self.waiting:
            self.run.append(self.waiting, start=self.start, space=self.archive.study.space)
            self.waiting = []


def _archive(study: Study) -> Archive:
    """An archive that has seen nothing yet."""
    return Archive(study, guided=method_of(study) in GENERATION)


def _reread(study: Study, run: Run) -> Archive:
    """The archive of what a run has stored."""
    archive = _archive(study)
    for table in _stored(study, run):
        archive.add(table)
    return archive


def _stored(study: Study, run: Run) -> Iterator[Table]:
    """What a run has stored, in the portions in which it was searched."""
    size = GENERATION.get(method_of(study), BLOCK)
    for part in run.tables():
        for start in range(0, len(part), size):
            yield part.take(np.arange(start, min(start + size, len(part))))


def _new_tables(
    study: Study, run: Run, archive: Archive, *, jobs: int, pool: Pool
) -> Iterator[Table]:
    """Tables the folder does not hold yet; the archive sees the stored ones as well."""
    draw = draw_of(study)
    if draw is None:
        yield from _replayed(study, run, archive)
        return
    for stored in _stored(study, run):
        if archive.seen == 0:
            _same(stored, evaluate(study, draw(0, len(stored))), run)
        archive.add(stored)
    start, stop = archive.seen, total_of(study)
    for table in stream(study, draw, start=start, stop=stop, jobs=jobs, pool=pool):
        archive.add(table)
        yield table


def _replayed(study: Study, run: Run, archive: Archive) -> Iterator[Table]:
    """Generations from the first on; those that are stored are only checked."""
    stored = _stored(study, run)
    for table in sampler.generations(study, method_of(study)):
        held = next(stored, None)
        if held is not None:
            _same(held, table, run)
        archive.add(table)
        if held is None:
            yield table


def _same(stored: Table, replayed: Table, run: Run) -> None:
    """Check that a run goes on as it began."""
    for name, column in stored.columns.items():
        if name not in replayed.columns or len(stored) != len(replayed):
            different = True
        else:
            different = not np.array_equal(column, replayed[name], equal_nan=True)
        if different:
            raise InputError(
                f"{run.path} was searched by other versions (its {name} differs on replay); "
                "start a fresh run instead of --resume"
            )


def _conclude(run: Run, archive: Archive, *, seconds: float, finished: bool) -> None:
    if archive.front is not None:
        told = of_run(archive) if finished else (archive.front, *archive.best())  # takes seconds
        front, why, best = told
        run.write_csv("front.csv", front, archive.active(front))
        run.write_csv("best.csv", best, archive.active(best), why=why)
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
        repeats=archive.repeats,
        constant=archive.constant,
        not_compared=archive.unranked,
        warnings=[*archive.study.warnings, *archive.warnings()],
    )
