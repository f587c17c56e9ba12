"""What a design is judged against: what was searched of a study, its front, and who dominates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dse import sampler
from dse.archive import Archive
from dse.errors import InputError
from dse.evaluate import Table, evaluate, stream
from dse.pareto import grounded, nondominated
from dse.relaxation import Neighbourhood
from dse.search import Progress, draw_of, method_of, require, total_of
from dse.space import Columns
from dse.spec import Array, Mask
from dse.store import Run
from dse.study import Study
from dse.winners import points_of

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-12
"""Relative difference that is rounding: a page may price one design so in two blocks."""

PAIRS = 2**22
"""Pairs of designs that are compared at once: tens of megabytes."""


@dataclass(frozen=True)
class Searched:
    """What a search priced of a study, as far as a design is judged by it."""

    study: Study
    run: Run | None
    """The run whose designs they are; none where the study was searched for this."""
    front: Table | None
    """Its front, priced by the page as it is now; none where nothing was accepted."""
    designs: int
    accepted: int
    finished: bool
    whole: bool
    """Whether every design of the space was priced."""
    near: int
    """Single changes of the design, at levels of the study's grid."""
    near_priced: int
    """How many of them the search priced."""
    drifted: bool
    """Whether the page now prices the front otherwise than the run has stored it."""

    @property
    def size(self) -> int:
        """Designs on the front."""
        return 0 if self.front is None else len(self.front)

    @cached_property
    def points(self) -> Array:
        """The front's objectives to minimise, shape (designs, objectives)."""
        if self.front is None:
            return np.empty((0, len(self.study.objectives)))
        return points_of(self.study, self.front)

    def beaten(self, points: Array) -> Mask:
        """Which points some design of the front dominates, shape (points,); see `beats`."""
        blocks = np.array_split(points, 1 + len(points) * self.size // PAIRS)
        return np.concatenate([beats(self.points, block).any(axis=1) for block in blocks])

    @property
    def span(self) -> Array:
        """Range of each objective over the front; 1 where it has none."""
        span = np.ptp(grounded(self.points), axis=0) if self.size else np.zeros(1)
        return np.where(span > 0, span, 1.0)

    def name_of(self, place: int) -> str:
        """How `dse eval` names a design of the front; empty where no run holds it."""
        if self.run is None or self.front is None:
            return ""
        listed = [int(line["row"]) for line in self.run.lines("front.csv")]
        row = int(self.front["row"][place])
        return f"{self.run.path}:{listed.index(row) + 1}" if row in listed else ""

    def as_json(self) -> dict[str, object]:
        """What was searched, as scripts read it."""
        return {
            "study": self.study.slug,
            "run": None if self.run is None else str(self.run.path),
            "method": method_of(self.study),
            "designs": self.designs,
            "accepted": self.accepted,
            "front": self.size,
            "finished": self.finished,
            "whole": self.whole,
            "neighbours": self.near,
            "neighbours_priced": self.near_priced,
            "priced_anew": self.drifted,
        }


def beats(front: Array, points: Array) -> Mask:
    """Which rows dominate which: no worse in any objective, better in one, rounding apart.

    Args:
        front: objective values to minimise, shape (m, objectives).
        points: the same, shape (n, objectives); a row with NaN is dominated by none.

    Returns:
        shape (n, m).

    >>> beats(np.array([[1.0, 2.0], [2.0, 2.0]]), np.array([[2.0, 2.0]])).tolist()
    [[True, False]]
    """
    never_worse = np.ones((len(points), len(front)), dtype=np.bool_)
    better = ~never_worse
    for mine, other in zip(points.T, front.T, strict=True):
        equal = np.isclose(other[None, :], mine[:, None], rtol=ROUNDING, atol=0.0)
        less = other[None, :] < mine[:, None]
        never_worse &= equal | less
        better |= less & ~equal
    return never_worse & better


def searched(
    study: Study,
    run: Run | None,
    near: Neighbourhood,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Searched:
    """The front of a run, or of a study that is searched here and now without a run folder.

    Args:
        study: the question, of the run where there is one.
        run: a finished or interrupted run.
        near: the design's neighbours, of which those that were priced are counted.
        jobs: threads.
        progress: called with designs done, designs in all and the size of the front.

    Raises:
        InputError: a run without designs, or of other versions of a catalog.
    """
    archive = Archive(study)
    total, space = total_of(study), study.space
    finished = run is None or (run.stamped and bool(run.environment().get("finished")))
    every = method_of(study) == "grid" and not space.continuous and total >= space.size
    mine, seen = near.on_grid & near.inside, set[int]()
    wanted = None if every and finished else _wanted(study, near, mine)
    for table in _fresh(study, jobs) if run is None else _stored(run, study):
        archive.add(table)
        if wanted is not None:
            seen |= _matched(wanted, table)
        if progress is not None:
            progress(archive.seen, total, archive.size)
    if archive.seen == 0 and run is not None:
        raise InputError(f"{run.path}: the run holds no designs yet; resume its search")
    whole = every and archive.seen >= space.size
    front, drifted = _priced_anew(study, archive.front)
    return Searched(
        study=study,
        run=run,
        front=front,
        designs=archive.seen,
        accepted=archive.accepted,
        finished=finished,
        whole=whole,
        near=int(mine.sum()),
        near_priced=int(mine.sum()) if whole else len(seen),
        drifted=drifted,
    )


def _fresh(study: Study, jobs: int) -> Iterator[Table]:
    require(study)
    draw = draw_of(study)
    if draw is None:
        return sampler.generations(study, method_of(study))
    return stream(study, draw, start=0, stop=total_of(study), jobs=jobs)


def _stored(run: Run, study: Study) -> Iterator[Table]:
    labels = {axis.path: axis.labels for axis in study.space.axes if axis.rows}
    for table in run.tables():
        for path, rows in labels.items():
            if table.labels.get(path) != rows:
                raise InputError(
                    f"{run.path} was searched when {path} had other rows; search it anew"
                )
        yield table


def _wanted(study: Study, near: Neighbourhood, mine: Mask) -> pd.DataFrame:
    """The neighbours that lie on the study's grid, as a search stores them."""
    rows = near.table.take(mine)
    columns = {axis.path: rows[axis.path] for axis in study.space.axes}
    return _frame(study.space.canonical(columns))


def _matched(wanted: pd.DataFrame, table: Table) -> set[int]:
    """Which of the wanted designs a table holds, by number."""
    if wanted.empty:
        return set()
    held = _frame({path: table[path] for path in wanted.columns})
    numbered = wanted.reset_index(names="wanted")
    return set(numbered.merge(held, on=list(wanted.columns))["wanted"])


def _frame(columns: Columns) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second that other verbs save

    return pd.DataFrame(columns)


def _priced_anew(study: Study, front: Table | None) -> tuple[Table | None, bool]:
    """A front as the page prices it now, and whether that differs from what was stored."""
    if front is None:
        return None, False
    found = evaluate(study, {axis.path: front[axis.path] for axis in study.space.axes})
    table = Table({"row": front["row"], **found.columns}, found.units, found.labels)
    same = np.isclose(points_of(study, front), points_of(study, table), rtol=ROUNDING, atol=0)
    if same.all() and table["accepted"].all():
        return table, False
    kept = table.take(table["accepted"])
    return kept.take(nondominated(points_of(study, kept))) if len(kept) else None, True
