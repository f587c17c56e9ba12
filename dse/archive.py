"""What a search keeps of all it has seen: the front, what came nearest, and what was unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import units
from dse.errors import InputError
from dse.evaluate import Table
from dse.pareto import grounded, hypervolume, knee, nondominated
from dse.spec import Array, Mask
from dse.study import Study
from dse.winners import Winner, flat_warnings, winners
from dse.winners import points_of as points_of

VOLUME = 2_000
"""Designs of the largest front in four and more objectives whose hypervolume takes no minutes."""

KEPT = 10
"""Least violating designs that are kept when nothing is feasible."""


@dataclass
class Archive:
    """What a search keeps of all it has seen: front, least violating designs, counts."""

    study: Study
    guided: bool = False
    """Whether the search learns, and may ask for a design again: such repeats are counted."""
    repeats: int = 0
    """Designs that had been priced before."""
    seen: int = 0
    accepted: int = 0
    front: Table | None = None
    nearest: Table | None = None
    rivals: dict[str, Table] = field(default_factory=dict)
    """Front of each choice of the study's `compare` knob alone, by slug."""
    known: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    """Knob -> row of its catalog -> objectives that some design with it knew."""
    complete: dict[str, set[str]] = field(default_factory=dict)
    """Knob -> rows with which some design knew every objective at once."""
    ends: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Least and largest value of each objective in the accepted designs."""
    unranked: dict[str, int] = field(default_factory=dict)
    """Designs that meet every constraint, but whose value of an objective is unknown."""
    snapshots: list[tuple[int, Array]] = field(default_factory=list)
    _asked: set[bytes] = field(default_factory=set)

    @property
    def size(self) -> int:
        """Designs on the front."""
        return 0 if self.front is None else len(self.front)

    @property
    def different(self) -> int:
        """Designs on the front that differ in some objective."""
        if self.front is None:
            return 0
        return len(np.unique(points_of(self.study, self.front), axis=0))

    def add(self, table: Table) -> None:
        """Take in the next designs, in the order they are stored."""
        row = np.arange(self.seen, self.seen + len(table))
        table = Table({"row": row, **table.columns}, table.units, table.labels)
        self.seen += len(table)
        self._count_known(table)
        self._count_unranked(table)
        if self.guided:
            self._count_repeats(table)
        good = table.take(table["accepted"])
        self.accepted += len(good)
        if len(good):
            self._extend_front(good)
        elif self.front is None:
            self._extend_nearest(table)

    def _extend_front(self, good: Table) -> None:
        for metric in (objective.metric for objective in self.study.objectives):
            low, high = self.ends.get(metric, (np.inf, -np.inf))
            found = good[metric]
            self.ends[metric] = min(low, float(found.min())), max(high, float(found.max()))
        self.front = self._merged(self.front, good)
        last = self.snapshots[-1][0] if self.snapshots else 0
        if self.seen >= 1.2 * last:
            self.snapshots.append((self.seen, points_of(self.study, self.front)))
        path = self.study.compare
        if path is not None:
            for code, slug in enumerate(good.labels[path]):
                of_kind = good.take(good[path] == code)
                if len(of_kind):
                    self.rivals[slug] = self._merged(self.rivals.get(slug), of_kind)

    def _merged(self, front: Table | None, good: Table) -> Table:
        """The front of a front and more designs, equal designs once, ties kept."""
        points = points_of(self.study, good)
        first = nondominated(points)
        best = good.take(first)
        if front is None:
            return best.take(_first_of_each(self.study, best))
        both = nondominated(np.concatenate([points_of(self.study, front), points[first]]))
        if not both[len(front) :].any():
            return front  # as most blocks end, and far cheaper than joining
        joined = Table.concat([front, best]).take(both)
        return joined.take(_first_of_each(self.study, joined))

    def _extend_nearest(self, table: Table) -> None:
        """Keep what misses least; what cannot run misses one more, what is unknown most of all."""
        joined = table if self.nearest is None else Table.concat([self.nearest, table])
        known = np.all([o.ranks(joined[o.metric]) for o in self.study.objectives], axis=0)
        missed = np.where(known, joined["violation"] + ~joined["feasible"], np.inf)
        self.nearest = joined.take(np.argsort(missed, kind="stable")[:KEPT])

    def _count_known(self, table: Table) -> None:
        """Which rows of a catalog had which objectives known, where the row mattered."""
        known = ~np.isnan(points_of(self.study, table))
        active = self.study.space.active(table.columns) if table.labels else {}
        for path, labels in table.labels.items():
            codes, matters = table[path].astype(np.intp), active[path]
            found = self.known.setdefault(path, {})
            for label in _seen(labels, codes[matters]):
                found.setdefault(label, set())
            for column, objective in zip(known.T, self.study.objectives, strict=True):
                for label in _seen(labels, codes[matters & column]):
                    found[label].add(objective.metric)
            whole = _seen(labels, codes[matters & known.all(axis=1)])
            self.complete.setdefault(path, set()).update(whole)

    def _count_unranked(self, table: Table) -> None:
        """How many designs nothing but an unknown objective keeps from being compared."""
        rest = table["feasible"] & (table["violation"] == 0) & ~table["accepted"]
        for objective in self.study.objectives if rest.any() else ():
            metric = objective.metric
            if lost := int(np.count_nonzero(rest & ~objective.ranks(table[metric]))):
                self.unranked[metric] = self.unranked.get(metric, 0) + lost

    def _count_repeats(self, table: Table) -> None:
        knobs = np.stack([table[axis.path] for axis in self.study.space.axes], axis=1)
        before = len(self._asked)
        self._asked.update(row.tobytes() for row in knobs)
        self.repeats += len(table) - (len(self._asked) - before)

    @property
    def constant(self) -> list[str]:
        """Objectives with one value in every accepted design, of which there are several."""
        same = [metric for metric, (low, high) in self.ends.items() if low == high]
        return same if self.accepted > 1 else []

    def winners(self) -> tuple[Winner, ...]:
        """Which design wins each objective; nothing where nothing is feasible."""
        return () if self.front is None else winners(self.study, self.front, self.constant)

    def warnings(self) -> list[str]:
        """What makes the answer weaker than it looks: objectives that tell nothing apart."""
        if self.front is None:
            return []
        return flat_warnings(self.study, self.front, self.constant)

    def left_out(self) -> dict[str, str]:
        """Rows of catalogs that no answer can use, and why."""
        wanted = [objective.metric for objective in self.study.objectives]
        space = self.study.space
        whole = not space.continuous and self.seen >= space.size
        where = "unknown" if whole else "unknown in what was searched"
        never = {
            label: f"{' and '.join(m for m in wanted if m not in metrics) or 'a sum'} {where}"
            for path, labels in self.known.items()
            for label, metrics in sorted(labels.items())
            if label not in self.complete[path]
        }
        return {**self.study.space.left_out, **never}

    def history(self) -> list[dict[str, float]]:
        """Growth of the front: hypervolume below a point just beyond the final front's worst.

        It is NaN, unknown, for fronts of four and more objectives that are too large for it.
        """
        if self.front is None:
            return []
        best = points_of(self.study, self.front)
        snapshots = [*self.snapshots, (self.seen, best)]
        endless = any(np.isneginf(points).any() for _, points in snapshots)
        ever = np.concatenate([points for _, points in snapshots]) if endless else best
        final = grounded(best, ever)
        low, high = final.min(axis=0), final.max(axis=0)
        reference = high + 0.1 * np.where(high > low, high - low, np.abs(high) + 1.0)
        small = final.shape[1] <= 3 or len(final) <= VOLUME
        volumes = [
            hypervolume(grounded(p, ever), reference) if small else np.nan for _, p in snapshots
        ]
        return [
            {"designs": seen, "front": len(points), "hypervolume": volume}
            for (seen, points), volume in zip(snapshots, volumes, strict=True)
        ]

    def active(self, table: Table) -> dict[str, Mask]:
        """Which knobs each design of a table uses."""
        axes = self.study.space.axes
        return self.study.space.active({axis.path: table[axis.path] for axis in axes})

    def best(self) -> tuple[list[str], Table]:
        """The designs a person looks at first, and why.

        Each objective's best, the balanced knee, and the balanced design of every compared
        choice that is not among them.
        """
        if self.front is None:
            raise InputError("nothing is feasible, so nothing is best")
        points = points_of(self.study, self.front)
        chosen: dict[int, list[str]] = {}
        for won in self.winners():
            chosen.setdefault(won.place, []).append(f"best {won.objective.metric}")
        chosen.setdefault(knee(points), []).append("balanced")
        best = self.front.take(np.array(list(chosen), dtype=np.intp))
        reasons = [", ".join(why) for why in chosen.values()]
        path = self.study.compare
        shown = set() if path is None else set(best.words(path))
        for slug in sorted(self.rivals.keys() - shown):
            rival = self.rivals[slug]
            best = Table.concat([best, rival.take(np.array([knee(points_of(self.study, rival))]))])
            reasons.append(f"balanced {slug}{self._standing(best)}")
        return reasons, best

    def _standing(self, best: Table) -> str:
        """Whether the last of these designs is on the common front."""
        on_front = self.front is not None and bool(np.isin(best["row"][-1], self.front["row"]))
        return "" if on_front else ", dominated"


def _seen(labels: tuple[str, ...], codes: NDArray[np.intp]) -> list[str]:
    counts = np.bincount(codes, minlength=len(labels))
    return [label for label, count in zip(labels, counts, strict=True) if count]


def _first_of_each(study: Study, table: Table) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The first row of every distinct design: equal designs are one, equal values are ties."""
    if not study.space.axes:
        return np.zeros(1, dtype=np.intp)
    knobs = np.stack([table[axis.path] for axis in study.space.axes], axis=1)
    return np.sort(np.unique(knobs, axis=0, return_index=True)[1])


def explain_infeasible(archive: Archive) -> list[str]:
    """Which constraint binds, and by how much, when no design meets them all."""
    nearest = archive.nearest
    if nearest is None or len(nearest) == 0:
        return ["no design could be priced"]
    lines = []
    never = [
        f"{o.metric} {'unknown' if np.isnan(nearest[o.metric][0]) else 'infinite'}"
        for o in archive.study.objectives
        if not o.ranks(nearest[o.metric])[0]
    ]
    if never:
        lines.append(f"no design has every objective known: {' and '.join(never)}")
    if not nearest["feasible"].any():
        lines.append("no design can run at all: the page calls each infeasible")
    elif not nearest["feasible"][0]:
        lines.append("the nearest design cannot run; those that can miss more")
    for constraint in archive.study.constraints:
        reached = nearest[constraint.column]
        missed = constraint.violation(reached)
        if missed[0] > 0:
            value = units.show(float(reached[0]), archive.study.metrics[constraint.metric].unit)
            share = f"{100 * missed[0]:,.3g} %" if np.isfinite(missed[0]) else "an unknown amount"
            lines.append(f"'{constraint.text}' is missed by {share}: the nearest reaches {value}")
    return lines
