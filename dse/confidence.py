"""How sure a front is: intervals of its designs, and the chance that each belongs there.

A draw is one set of errors under which every design is priced again; what designs share moves them
together, so it changes no order. Rivals are the other designs of the same table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse import certainty, joint
from dse.archive import Archive
from dse.evaluate import Table
from dse.joint import FRONT_DRAWS
from dse.pareto import nondominated
from dse.spec import Array, Mask
from dse.study import Study

RIVALS = 5_000
"""Designs of the largest table whose chances to be non-dominated take seconds."""


@dataclass(frozen=True)
class Confidence:
    """Intervals and chances of the designs of a table; every array has one number a design."""

    low: Mapping[str, Array]
    """Metric -> low end of its interval, NaN where nothing was checked."""
    high: Mapping[str, Array]
    nondominated: Array
    """Chance that no other design of the table dominates it; NaN where the table is too large."""
    met: Array
    """Chance that it runs and meets every constraint of the study."""
    by_constraint: Mapping[str, Array]
    """Text of a constraint -> chance that it holds."""


def judged(study: Study) -> list[str]:
    """The metrics whose intervals matter to a study: objectives and constrained ones."""
    names = [o.metric for o in study.objectives] + [c.metric for c in study.constraints]
    return list(dict.fromkeys(names))


def confidence(
    study: Study, table: Table, names: Sequence[str] = (), *, draws: int = FRONT_DRAWS
) -> Confidence:
    """How sure the designs of a table are.

    Args:
        study: what was asked.
        table: designs, by the columns of the study's space.
        names: metrics whose intervals are wanted; by default those the study judges by.
        draws: sets of errors.
    """
    wanted = list(names or judged(study))
    columns = {axis.path: table[axis.path] for axis in study.space.axes}
    asked = [*dict.fromkeys([*wanted, *judged(study), "feasible"])]
    portions = list(joint.batches(study.page, study.space, columns, asked, draws=draws))
    samples = {name: np.concatenate([part[name] for part in portions]) for name in asked}
    ends = certainty.ends(study, table, wanted)
    by_constraint = {
        c.text: np.mean(c.violation(samples[c.metric]) == 0, axis=1) for c in study.constraints
    }
    held = [c.violation(samples[c.metric]) == 0 for c in study.constraints]
    runs = samples["feasible"] > 0
    met = np.mean(np.logical_and.reduce([runs, *held]), axis=1)
    small = len(table) <= RIVALS
    ranked = _chances(study, samples, runs) if small else np.full(len(table), np.nan)
    low, high = ({name: pair[side] for name, pair in ends.items()} for side in (0, 1))
    return Confidence(low, high, ranked, met, by_constraint)


def _chances(study: Study, samples: Mapping[str, Array], runs: Mask) -> Array:
    """Share of the draws in which a design runs, is known, and no other one dominates it."""
    points = np.stack([o.sign * samples[o.metric] for o in study.objectives], axis=-1)
    known = np.logical_and(runs, (points < np.inf).all(axis=-1))
    won = np.zeros(len(points))
    for draw in range(points.shape[1]):
        rows = np.flatnonzero(known[:, draw])
        won[rows] += nondominated(points[rows, draw])
    return np.asarray(won / points.shape[1])


def widened(table: Table, found: Confidence) -> Table:
    """A table with its intervals and chances as further columns, in the units of their metrics."""
    ends: dict[str, Array] = {}
    for name in found.low:
        ends |= {f"{name}_low": found.low[name], f"{name}_high": found.high[name]}
    chances = {"chance_nondominated": found.nondominated, "chance_constraints": found.met}
    units = {end: table.units.get(end.rpartition("_")[0], "1") for end in ends}
    shares = dict.fromkeys(chances, "1")
    return Table(
        {**table.columns, **ends, **chances}, {**table.units, **units, **shares}, table.labels
    )


def of_run(archive: Archive) -> tuple[Table, list[str], Table]:
    """The front and the designs a person looks at first, with intervals and chances.

    Returns:
        the front, and why each of the best was chosen with the best; rivals of both are the front
        and the best that are not on it.

    Raises:
        InputError: nothing is feasible.
    """
    why, best = archive.best()
    front = archive.front if archive.front is not None else best
    beside = best.take(~np.isin(best["row"], front["row"]))
    joined = Table.concat([front, beside])
    wide = widened(joined, confidence(archive.study, joined))
    place = {row: i for i, row in enumerate(joined["row"].tolist())}
    chosen = wide.take(np.array([place[row] for row in best["row"].tolist()], dtype=np.intp))
    surer = {  # few designs, so that many draws are cheap: what `eval` says of them
        f"{name}_{end}": values
        for name, pair in certainty.ends(archive.study, chosen, judged(archive.study)).items()
        for end, values in zip(("low", "high"), pair, strict=True)
    }
    told = Table({**chosen.columns, **surer}, chosen.units, chosen.labels)
    return wide.take(np.arange(len(front))), why, told
