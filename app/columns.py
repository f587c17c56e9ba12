"""A run as one page of it needs it: the front from its CSV, and stored columns only when asked.

However many designs a run holds, a view draws two columns, judges by a few, and lists some rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.archive import KEPT, Archive, explain_infeasible
from dse.certainty import CHANCES, widened
from dse.errors import InputError, unknown
from dse.evaluate import Table
from dse.spec import Mask
from dse.store import Run, from_arrow
from dse.study import Study
from dse.winners import Winner, flat_warnings, winners

from .runs import stored

if TYPE_CHECKING:
    import pyarrow as pa

HELD = 2**30
"""Bytes of columns that stay in memory; the least recently used leave first."""

READ = 8
"""Parts that an even sample is read from."""

VERDICT = ("feasible", "violation", "accepted", "extrapolates")
"""What a search writes beside metrics."""

Limits = tuple[tuple[str, float | None], ...]
"""Bounds by their key, `latency<=`, each with its limit in SI or none; equal ones hash alike."""

Rows = NDArray[np.intp]


class Opened:
    """A run as it stands in its folder; what is read later is of the same parts."""

    def __init__(self, run: Run) -> None:
        """Read what is small.

        Raises:
            InputError: the run holds no designs, or its echo does not fit the pages.
        """
        self.run = run
        self.study: Study = run.study()
        self.facts: Mapping[str, Any] = run.environment() if run.stamped else {}
        self.count = stored(run)
        if not self.count:
            raise InputError(f"{run.path}: the run holds no designs yet; resume its search")
        self._parts = tuple(run.parts)
        self._starts = np.array([int(p.stem.removeprefix("part-")) for p in self._parts])
        self._held: OrderedDict[str, NDArray[Any]] = OrderedDict()
        self._lock = RLock()
        self.remember = lru_cache(maxsize=8)(lambda make, key: make(self, key))
        """What was made last of this run for a key that can be hashed, such as limits."""

    @cached_property
    def front(self) -> Table:
        """The front as it was last written, by its first objective, with intervals and chances."""
        found = self._listed("front.csv")
        order = np.argsort(found[self.study.objectives[0].metric], kind="stable")
        return found.take(order)

    @cached_property
    def best(self) -> Table:
        """The designs that a person looks at first, with intervals, tiers and chances."""
        return widened(self.study, self._listed("best.csv"))

    @cached_property
    def why(self) -> tuple[str, ...]:
        """What each of the best designs is best at."""
        return tuple(line["why"] for line in self.run.lines("best.csv"))

    @property
    def constant(self) -> list[str]:
        """Objectives with one value in every design that meets the constraints."""
        return list(self.facts.get("constant", []))

    @cached_property
    def winners(self) -> tuple[Winner, ...]:
        """Which design of the front wins each objective; nobody when nothing is feasible."""
        return winners(self.study, self.front, self.constant) if len(self.front) else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the answer weaker than it looks."""
        if len(self.front) == 0:
            return self.study.warnings
        return (*self.study.warnings, *flat_warnings(self.study, self.front, self.constant))

    @cached_property
    def refusal(self) -> tuple[str, ...]:
        """Why nothing is feasible, in words; empty where something is."""
        if len(self.front):
            return ()
        if self.column("accepted").any():
            return ("The search has not written its front yet; let it finish or resume it.",)
        ranked = [o.ranks(self.column(o.metric)) for o in self.study.objectives]
        missed = self.column("violation") + ~self.column("feasible")
        known = np.where(np.logical_and.reduce(ranked), missed, np.inf)
        archive = Archive(self.study)
        archive.add(self.designs(np.argsort(known, kind="stable")[:KEPT]))
        return tuple(explain_infeasible(archive))

    @cached_property
    def base(self) -> Mask:
        """Designs that can run and whose every objective is known, constraints apart."""
        ranked = (o.ranks(self.column(o.metric)) for o in self.study.objectives)
        return np.asarray(np.logical_and.reduce([self.column("feasible"), *ranked]))

    def _listed(self, name: str) -> Table:
        """The designs of one of the run's CSV files; no rows where it is not written yet."""
        lines, study = self.run.lines(name), self.study
        if not lines:
            return self.designs(np.zeros(0, dtype=np.intp))
        knobs = [axis.path for axis in study.space.axes]
        bounded = [constraint.column for constraint in study.constraints]
        wanted = {"row", *knobs, *study.metrics, *bounded, *VERDICT, *CHANCES}
        wanted |= {f"{metric}_{end}" for metric in study.metrics for end in ("low", "high")}
        heads = {head: head.removesuffix("]").split(" [") for head in lines[0]}
        named = {head: pair[0] for head, pair in heads.items() if pair[0] in wanted}
        columns = {n: _parsed(study, n, [line[h] for line in lines]) for h, n in named.items()}
        for missing in CHANCES.keys() - columns.keys():
            columns[missing] = np.full(len(lines), np.nan)
        units = {pair[0]: pair[1] for pair in heads.values() if len(pair) > 1}
        return Table(columns, units, self._labels(columns))

    def _labels(self, names: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
        return {n: a.labels for n, a in self.study.space.by_path.items() if a.rows and n in names}

    def column(self, name: str) -> NDArray[Any]:
        """One stored column of all designs: codes for slugs, idle knobs at their value.

        Values are exact, so that counts are those of the Parquet.

        Raises:
            InputError: no such column, or a part is broken.
        """
        with self._lock:
            if name not in self._held:
                self._held[name] = self._whole(name)
            self._held.move_to_end(name)
            while len(self._held) > 1 and sum(c.nbytes for c in self._held.values()) > HELD:
                self._held.popitem(last=False)
            return self._held[name]

    def _whole(self, name: str) -> NDArray[Any]:
        if name not in self.names:
            raise unknown("column", name, self.names)
        with ThreadPoolExecutor(READ) as pool:  # pyarrow frees the interpreter
            parts = pool.map(lambda part: from_arrow(_read(part, [name]))[name], self._parts)
            return np.concatenate(list(parts))[: self.count]  # the last part may have grown

    @cached_property
    def names(self) -> list[str]:
        """The columns that are stored."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - only runs that are shown need it

        with _readable(self._parts[0]):
            return list(pq.read_schema(self._parts[0]).names)

    def table(self, names: Sequence[str], **also: NDArray[Any]) -> Table:
        """Some columns of all designs, beside others of the same length."""
        columns = {name: self.column(name) for name in dict.fromkeys(names)} | also
        units = {name: metric.unit for name, metric in self.study.metrics.items()}
        units |= {axis.path: axis.unit for axis in self.study.space.axes if axis.unit}
        return Table(columns, units, self._labels(columns))

    def designs(self, rows: Sequence[int] | Rows, names: Sequence[str] | None = None) -> Table:
        """Some designs by their numbers, in that order; `row` holds the numbers.

        Only the parts that hold them are read.

        Raises:
            InputError: no such design, or a part is broken.
        """
        wanted = np.asarray(rows, dtype=np.intp)
        if len(wanted) and (wanted.min() < 0 or wanted.max() >= self.count):
            raise InputError(
                f"there is no design {wanted.max()} in this run; its rows count from 0 to "
                f"{self.count - 1}"
            )
        order = np.argsort(wanted, kind="stable")
        tables = list(self._found(wanted[order], names))
        joined = Table.concat(tables)
        back = joined.take(np.argsort(order, kind="stable"))
        return Table({"row": wanted, **back.columns}, back.units, back.labels)

    def _found(self, wanted: Rows, names: Sequence[str] | None) -> Iterator[Table]:
        """The designs of sorted numbers, part by part; at least one table, maybe without rows."""
        place = np.searchsorted(self._starts, wanted, side="right") - 1
        for part in np.unique(place) if len(wanted) else [0]:
            local = wanted[place == part] - self._starts[part]
            yield from_arrow(_read(self._parts[part], names).take(local))

    def sampled(self, mask: Mask, limit: int) -> Rows:
        """Numbers of at most so many designs of a mask, evenly, from few parts."""
        ends = np.append(self._starts[1:], self.count)
        chosen = np.unique(np.linspace(0, len(self._parts) - 1, READ).astype(np.intp))
        rows = np.concatenate(
            [self._starts[i] + np.flatnonzero(mask[self._starts[i] : ends[i]]) for i in chosen]
        )
        places = np.linspace(0, len(rows) - 1, min(limit, len(rows)))
        return np.asarray(rows[np.unique(places.astype(np.intp))], dtype=np.intp)


def _read(part: Path, names: Sequence[str] | None) -> pa.Table:
    """Some columns of one part.

    Raises:
        InputError: it is broken.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - only runs that are shown need it

    with _readable(part):
        return pq.read_table(part, columns=None if names is None else list(names))


@contextmanager
def _readable(part: Path) -> Iterator[None]:
    import pyarrow as pa  # noqa: PLC0415 - only runs that are shown need it

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{part}: not readable ({error}); delete it to resume") from None


def _parsed(study: Study, name: str, cells: Sequence[str]) -> NDArray[Any]:
    """Cells of a CSV column as a table holds them; a knob that plays no part takes its default."""
    axis = study.space.by_path.get(name)
    if axis is not None and axis.rows:
        codes = {slug: float(code) for code, slug in enumerate(axis.labels)}
        return np.array([codes.get(cell, axis.default) for cell in cells])
    if set(cells) <= {"True", "False"}:
        return np.array([cell == "True" for cell in cells])
    empty = np.nan if axis is None else axis.default
    numbers = np.array([float(cell) if cell else empty for cell in cells])
    return numbers.astype(np.intp) if name == "row" else numbers
