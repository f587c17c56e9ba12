"""The front: designs that no other one beats, or what came nearest when none holds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dse import figures
from dse.certainty import CHANCES, HEAD, chance, ends, span
from dse.chart import shown
from dse.evaluate import Table
from dse.space import Constraint

from .section import Block, Context, DataTable, Figure, Paragraph, Section
from .wording import SENSES, UNUSED, active, at_prices, cell, listed, words

ROWS = 16
"""Designs of the front that the table shows; the run's front.csv holds them all."""

COLUMNS = 8
"""Columns of that table: more would not fit the page."""

DRAWN = 800
"""Designs drawn beside the front: on paper more only make it darker, and the file large."""

CHAINED = 4
"""Objectives of which each next pair is drawn; of more, each is drawn once."""

SPANNED = 3
"""Objectives whose intervals find room in the table."""

NEAREST = 4
"""Designs side by side when nothing is feasible."""


def build(context: Context) -> list[Block]:
    """Figures of the front and a table of it; without a front, the nearest designs."""
    return _front(context) if context.feasible else _nearest(context)


def _front(context: Context) -> list[Block]:
    goals = [objective.metric for objective in context.study.objectives]
    return [
        Paragraph(_axes(context, goals)),
        *(_figure(context, *names) for names in _views(context, goals)),
        _table(context, goals),
    ]


def _axes(context: Context, goals: list[str]) -> str:
    known = context.study.metrics
    said = listed([f"{words(goal)} ({SENSES[known[goal].sense]})" for goal in goals])
    return (
        "A design is on the front when no other one is at least as good in every objective and "
        f"better in one. The objectives are {said}."
    )


def _views(context: Context, goals: list[str]) -> list[tuple[str, str, str | None]]:
    """Pairs of objectives that are drawn; the third of three is the colour."""
    if len(goals) == 3:
        return [(goals[0], goals[1], goals[2])]
    if len(goals) > CHAINED:
        pairs = zip(goals[::2], [*goals[1::2], goals[0]], strict=False)
        return [(x, y, None) for x, y in pairs]
    if len(goals) > 1:
        return [(x, y, None) for x, y in pairwise(goals)]
    others = [n for n, metric in context.study.metrics.items() if metric.sense and n not in goals]
    return [(goals[0], other, None) for other in others[:1]]


def _figure(context: Context, x: str, y: str, colour: str | None) -> Figure:
    study = context.study
    chart = figures.front(
        study, context.designs, context.front, x=x, y=y, colour=colour, limit=DRAWN
    )
    thinned = len(context.designs) < context.environment["designs"]
    sample = " The designs are an even sample of all that were priced." if thinned else ""
    return Figure(figures.svg(chart), f"{chart.caption}{sample}")


def _table(context: Context, goals: list[str]) -> DataTable:
    """Designs from one end of the front to the other; of equal ones the first."""
    distinct = _distinct(context.front, goals)
    rows = _spread(distinct[goals[0]])
    front = distinct.take(rows)
    moving = [a.path for a in context.study.space.axes if len(np.unique(front[a.path])) > 1]
    names = [*goals, *moving][: COLUMNS - 1]
    header, cells = figures.data_table(front, names)
    if len(goals) <= SPANNED:
        _add_spans(context, front, goals, cells)
    belongs = [chance(share) for share in front[next(iter(CHANCES))].tolist()]
    for i, name in enumerate(names[len(goals) :], start=len(goals)):
        for cell_row, used in zip(cells, active(context.study, front, name), strict=True):
            cell_row[i] = cell_row[i] if used else UNUSED
    return DataTable(
        [*header, "Belongs here"],
        [[*row, said] for row, said in zip(cells, belongs, strict=True)],
        f"{len(front):,} of {len(context.front):,} designs on the front, from the lowest "
        f"{words(goals[0])} to the highest{at_prices(context)}. Of designs with equal objectives "
        "the first stands for all; knobs that are equal here or find no room are left out. "
        f"{_spans_words(goals)}The last column is the chance that no other design of the front "
        "truly beats it. The file front.csv holds every design and knob.",
        right=[*(i for i, name in enumerate(names) if name not in front.labels), len(names)],
    )


def _add_spans(context: Context, front: Table, goals: list[str], cells: list[list[str]]) -> None:
    """The interval of each objective behind its number, in the unit of the column's head."""
    for i, (goal, pair) in enumerate(ends(context.study, front, goals).items()):
        scale = shown(goal, front[goal], front.units.get(goal, "1")).scale
        for row, low, high in zip(cells, *pair, strict=True):
            said = span(float(low) / scale, float(high) / scale, "1")
            row[i] += f" ({said})" if said else ""


def _spans_words(goals: list[str]) -> str:
    return f"Brackets hold {HEAD}s. " if len(goals) <= SPANNED else ""


def _distinct(front: Table, goals: list[str]) -> Table:
    """The first design of each set of equal objectives."""
    points = np.stack([front[goal] for goal in goals], axis=1)
    return front.take(np.sort(np.unique(points, axis=0, return_index=True)[1]))


def _spread(column: NDArray[np.float64]) -> NDArray[np.intp]:
    """At most `ROWS` rows, evenly spread over a column's order, both ends among them."""
    order = np.argsort(column, kind="stable")
    picked = np.linspace(0, len(order) - 1, min(ROWS, len(order)))
    return order[picked.round().astype(np.intp)]


def _nearest(context: Context) -> list[Block]:
    """Nothing holds: what binds, and the designs that miss by least."""
    study, nearest = context.study, context.nearest
    bound = [name for c in study.constraints for name in (c.metric, c.column)]
    said = {c.column: _judged(c) for c in study.constraints}
    names = list(dict.fromkeys([*(axis.path for axis in study.space.axes), *bound, "violation"]))
    rows = range(min(len(nearest), NEAREST))
    reasons = [text[:1].upper() + text[1:] for text in context.misses]
    return [
        Paragraph(f"No design is feasible and meets every constraint. {'. '.join(reasons)}."),
        Paragraph(
            "The table lists the designs that miss by least. To get an answer, loosen "
            f"{_advice(context)}, widen the space, or fix fewer knobs."
        ),
        DataTable(
            ["", *(f"Nearest {row + 1}" for row in rows)],
            [
                [said.get(name, words(name)), *(cell(nearest, name, row) for row in rows)]
                for name in names
            ],
            "The nearest designs. The violation adds up how far each bound is missed, as a share "
            f"of the bound{at_prices(context)}.",
            right=range(1, len(rows) + 1),
        ),
    ]


def _judged(limit: Constraint) -> str:
    """What a constraint is judged by: a metric, or the end that truth stays within so surely."""
    sure = limit.confidence
    return words(limit.metric) + ("" if sure is None else f" with {100 * sure:g} %")


def _advice(context: Context) -> str:
    missed = [
        c.text for c in context.study.constraints if any(c.text in m for m in context.misses)
    ]
    return listed([f"'{text}'" for text in missed]) or "what makes designs infeasible"


SECTION = Section(order=20, title="The front", build=build)
