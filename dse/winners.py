"""Which design wins each objective of a front, and which objectives tell no designs apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from dse import units
from dse.evaluate import Table
from dse.pareto import distance, grounded
from dse.spec import Array
from dse.study import Objective, Study


def points_of(study: Study, table: Table) -> Array:
    """Objectives as columns to minimise, shape (n, objectives)."""
    return np.stack([o.sign * table[o.metric] for o in study.objectives], axis=1)


@dataclass(frozen=True)
class Winner:
    """The design of a front that goes furthest in one objective."""

    objective: Objective
    place: int
    """Its position in the front."""
    tied: int
    """Further designs of the front that go as far."""
    flat: bool
    """Whether the objective tells no designs of the front apart, so that all of them win it."""


def winners(study: Study, front: Table, always: Collection[str] = ()) -> tuple[Winner, ...]:
    """The winner of each objective over all priced designs, since a front holds every one.

    Of designs that go as far, the one that wins most other objectives stands for all, then the
    one nearest to the best of every objective.

    Args:
        study: the question.
        front: the designs that no other one beats; at least one.
        always: objectives with one value in every design that meets the constraints.
    """
    points = grounded(points_of(study, front))
    wins = points == points.min(axis=0)
    order = np.lexsort((distance(points), -wins.sum(axis=1)))
    flat = flat_objectives(study, front, always)
    return tuple(
        Winner(
            objective,
            place=int(order[wins[order, i]][0]),
            tied=int(wins[:, i].sum()) - 1,
            flat=objective.metric in flat,
        )
        for i, objective in enumerate(study.objectives)
    )


def flat_objectives(study: Study, front: Table, always: Collection[str] = ()) -> list[str]:
    """Objectives with one value all over the front, which therefore do not discriminate.

    On a front of one point every objective has one value; there only those in `always` count.
    """
    points = points_of(study, front)
    same = (points == points[0]).all(axis=0)
    several = not same.all()
    names = [objective.metric for objective in study.objectives]
    return [n for n, one in zip(names, same, strict=True) if n in always or (several and one)]


def flat_warnings(study: Study, front: Table, always: Collection[str] = ()) -> list[str]:
    """One sentence for each objective that tells no designs apart."""
    return [
        f"objective '{name}' is {value_of(front, name, 0)} in "
        f"{_where(front, name, always)}, so it tells no designs apart; drop it from the "
        "objectives, or widen the space"
        for name in flat_objectives(study, front, always)
    ]


def _where(front: Table, name: str, always: Collection[str]) -> str:
    if name in always:
        return "every design that meets the constraints"
    return f"all {len(front):,} designs on the front"


def value_of(table: Table, name: str, row: int) -> str:
    """One value of a table in words: a slug, or a number with its unit."""
    value = table.words(name)[row]
    return (
        value if isinstance(value, str) else units.show(float(value), table.units.get(name, "1"))
    )


def differing(study: Study, front: Table, found: Sequence[Winner]) -> list[list[str]]:
    """The knobs by which each winner differs from other winners, by path.

    Where one design wins all there is nothing to differ from, and every knob is named; a knob
    that plays no part in a design is never named for it.
    """
    best = front.take(np.array([winner.place for winner in found], dtype=np.intp))
    used = study.space.active({axis.path: best[axis.path] for axis in study.space.axes})
    knobs: list[dict[str, object]] = [
        {path: best.words(path)[row] for path, mask in used.items() if mask[row]}
        for row in range(len(best))
    ]
    telling = [row for row, winner in enumerate(found) if not winner.flat]
    alone = len({found[row].place for row in telling}) < 2
    return [
        [k for k, v in own.items() if alone or any(knobs[o].get(k) != v for o in telling)]
        for own in knobs
    ]


@dataclass(frozen=True)
class Told:
    """What there is to say of one winner, in words."""

    metric: str
    value: str
    knobs: dict[str, str]
    """What tells its design from the other winners; nothing where the objective is flat."""
    others: dict[str, str]
    """What it reaches in the objectives that discriminate."""
    note: str
    """That no design stands out, that an earlier row names its design, how many others tie."""


def told(
    study: Study, front: Table, found: Sequence[Winner], say: Callable[[str], str] = str
) -> list[Told]:
    """Each winner in words, in the order of the objectives; a design is named once.

    `say` turns an objective's name into what a reader calls it.
    """
    telling = [winner.objective.metric for winner in found if not winner.flat]
    named: dict[int, str] = {}
    rows = []
    for winner, paths in zip(found, differing(study, front, found), strict=True):
        name, place = winner.objective.metric, winner.place
        known = named.setdefault(place, name) if not winner.flat else name
        knobs = {path: value_of(front, path, place) for path in paths}
        others = {goal: value_of(front, goal, place) for goal in telling if goal != name}
        rows.append(
            Told(
                name,
                value_of(front, name, place),
                {} if winner.flat or known != name else knobs,
                {} if winner.flat else others,
                _note(winner, known, say),
            )
        )
    return rows


def _note(winner: Winner, known: str, say: Callable[[str], str]) -> str:
    if winner.flat:
        return "no design stands out"
    same = f"the design of best {say(known)}" if known != winner.objective.metric else ""
    tied = f"{winner.tied:,} {'other ties' if winner.tied == 1 else 'others tie'}"
    return "; ".join(filter(None, [same, tied if winner.tied else ""]))


def verdict(found: Sequence[Winner], say: Callable[[str], str] = str) -> str:
    """Whether one design wins several objectives, in a sentence; nothing where only one counts.

    `say` turns an objective's name into what a reader calls it.
    """
    won: dict[int, list[str]] = {}
    for winner in found:
        if not winner.flat:
            won.setdefault(winner.place, []).append(say(winner.objective.metric))
    groups = sorted(won.values(), key=len, reverse=True)
    if sum(map(len, groups)) < 2:
        return ""
    if len(groups) == 1:
        return f"one design wins {listed(groups[0])} at once"
    several = [listed(names) for names in groups if len(names) > 1]
    single = [name for names in groups for name in names if len(names) == 1]
    if not several:
        return "the winners differ: no design wins two objectives"
    each = f"{listed(single)} {'is' if len(single) == 1 else 'are each'} won by another"
    together = ", another ".join(several)
    return f"the winners differ: one design wins {together}{f'; {each}' if single else ''}"


def listed(items: Sequence[str]) -> str:
    """Items as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
