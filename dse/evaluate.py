"""Designs in, priced designs out, in cache-sized blocks; every column carries its unit."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, reduce
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from dse import interval, joint
from dse.space import Columns
from dse.spec import Array, Config, Mask, Result
from dse.study import Study, build

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 2**15
"""Rows evaluated at once: the temporaries of a page stay in the second-level cache."""

Draw = Callable[[int, int], Columns]
"""Designs `start` to `stop` of a search that needs no feedback."""


@dataclass(frozen=True)
class Table:
    """Evaluated designs by column, each with its unit; categories hold codes into `labels`."""

    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def take(self, rows: Mask | NDArray[np.intp]) -> Self:
        """The rows of a mask or of indices."""
        return type(self)({k: v[rows] for k, v in self.columns.items()}, self.units, self.labels)

    @classmethod
    def concat(cls, tables: Sequence[Table]) -> Table:
        """Tables of one study below each other."""
        names = tables[0].columns
        joined = {name: np.concatenate([t.columns[name] for t in tables]) for name in names}
        return cls(joined, tables[0].units, tables[0].labels)

    def words(self, name: str) -> NDArray[Any]:
        """A column as people name it: slugs for categories, numbers otherwise."""
        column = self.columns[name]
        if name not in self.labels:
            return column
        return np.array(self.labels[name], dtype=object)[column.astype(np.intp)]

    def to_pandas(self) -> pd.DataFrame:
        """A frame with slugs for categories; `frame.attrs["units"]` holds the units."""
        import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

        frame = pd.DataFrame({name: self.words(name) for name in self.columns})
        frame.attrs["units"] = dict(self.units)
        return frame


@cache
def keep_memory() -> None:
    """Let the process keep freed blocks, once per process.

    glibc hands memory back after every block and the next one pays a page fault for each 4 KiB,
    which costs pages of closed forms three quarters of their time. Freeing one large array
    raises both of glibc's thresholds (to 30 and 60 MiB); other allocators do not mind.
    """
    np.empty(30 * 2**20 // 8)


def evaluate(study: Study, columns: Columns) -> Table:
    """Price a block of designs.

    Beside knobs and metrics the table holds `violation` (sum of relative constraint violations,
    inf where a metric is unknown), `accepted` (feasible, covered, every objective known, or
    infinite where larger is better, and no violation) and `extrapolates` (some flag of the page
    is raised).
    """
    keep_memory()
    rows = len(next(iter(columns.values()))) if columns else 1
    config = study.space.config(columns)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = study.page.evaluate(config)
        covered = [rule.holds(config) for rule in study.page.rules]
    metrics = {
        name: np.broadcast_to(np.asarray(result.metrics[name], dtype=np.float64), rows)
        for name in study.metrics
    }
    feasible = reduce(np.logical_and, covered, metrics["feasible"] > 0)
    known = reduce(np.logical_and, (o.ranks(metrics[o.metric]) for o in study.objectives))
    judged = {**metrics, **_at_confidence(study, columns, config, result, metrics)}
    violation = _violation(study, judged, rows)
    raised = (result.flags[name] for name in study.page.flags)
    flagged = reduce(np.logical_or, raised, np.zeros(rows, dtype=np.bool_))
    verdict = {
        "feasible": feasible,
        "violation": violation,
        "accepted": feasible & known & (violation == 0),
        "extrapolates": flagged,
    }
    return Table({**columns, **judged, **verdict}, _units(study), _labels(study))


def refused(study: Study, table: Table) -> dict[str, int]:
    """Rules of the page that designs of a table break: the rule and the way out -> designs."""
    columns = {axis.path: table[axis.path] for axis in study.space.axes}
    config = study.space.config(columns)
    broken = {
        rule.refusal: int(np.sum(np.logical_not(np.broadcast_to(rule.holds(config), len(table)))))
        for rule in study.page.rules
    }
    return {text: count for text, count in broken.items() if count}


def _violation(study: Study, metrics: Mapping[str, Array], rows: int) -> Array:
    total = np.zeros(rows)
    for constraint in study.constraints:
        total = total + constraint.violation(metrics[constraint.column])
    return total


def _at_confidence(
    study: Study, columns: Columns, config: Config, result: Result, metrics: Mapping[str, Array]
) -> dict[str, Array]:
    """What constraints with a probability judge; designs that miss the bound as it is stay so."""
    found = {}
    for constraint in study.constraints:
        if constraint.confidence is not None:
            value = metrics[constraint.metric]
            rows = np.flatnonzero(constraint.violation(value) == 0)
            asked = constraint.confidence if constraint.sign > 0 else 1 - constraint.confidence
            end = np.array(value)
            if study.page.uncertain and len(rows):
                some = {path: column[rows] for path, column in columns.items()}
                end[rows] = joint.quantile(study.page, study.space, some, constraint, asked)
            elif len(rows):
                end = interval.end(study.page, result, constraint.metric, asked, len(value))
            found[constraint.column] = end
    return found


def _units(study: Study) -> dict[str, str]:
    knobs = {axis.path: axis.unit for axis in study.space.axes if axis.unit}
    metrics = {name: metric.unit for name, metric in study.metrics.items()}
    metrics |= {c.column: study.metrics[c.metric].unit for c in study.constraints}
    return knobs | metrics | {"violation": "1"}


def _labels(study: Study) -> dict[str, tuple[str, ...]]:
    return {axis.path: axis.labels for axis in study.space.axes if axis.rows}


def stream(
    study: Study,
    draw: Draw,
    *,
    start: int,
    stop: int,
    jobs: int,
    pool: Literal["threads", "processes"] = "threads",
) -> Iterator[Table]:
    """Tables of `BLOCK` designs from `start` to `stop`, in order, evaluated ahead by `jobs`.

    Threads share the page and suit every page of closed forms, since NumPy frees the
    interpreter; processes are for pages that do not.
    """
    spans = iter((low, min(low + BLOCK, stop)) for low in range(start, stop, BLOCK))
    with _executor(study, jobs, pool) as executor:
        waiting: deque[Future[Table]] = deque()
        for low, high in spans:
            waiting.append(_submit(executor, study, draw, low, high))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _executor(study: Study, jobs: int, pool: str) -> Executor:
    if pool == "threads":
        return ThreadPoolExecutor(jobs)
    return ProcessPoolExecutor(
        jobs,
        mp_context=get_context("spawn"),
        initializer=_start_worker,
        initargs=(study.slug, dict(study.document)),
    )


def _submit(executor: Executor, study: Study, draw: Draw, low: int, high: int) -> Future[Table]:
    if isinstance(executor, ThreadPoolExecutor):
        return executor.submit(lambda: evaluate(study, draw(low, high)))
    return executor.submit(_work, dict(draw(low, high)))


_WORKER: dict[str, Study] = {}
"""The study of a worker process, rebuilt there from its document: nothing is pickled but data."""


def _start_worker(slug: str, document: dict[str, object]) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _WORKER["study"] = build(slug, document, place=slug)


def _work(columns: dict[str, Array]) -> Table:
    return evaluate(_WORKER["study"], columns)
