"""Who wins what: the design that goes furthest in each objective, and whether winners differ."""

from __future__ import annotations

from collections.abc import Mapping

from dse.certainty import HEAD
from dse.winners import Told, told, verdict

from .section import Block, Context, DataTable, Paragraph, Section
from .wording import active, at_prices, cell, heading, sure, words


def build(context: Context) -> list[Block]:
    """A sentence, and a table with one row an objective."""
    if not context.feasible:
        return [Paragraph("Nothing wins, because no design meets every constraint.")]
    found = context.winners
    said = verdict(found, words)
    return [
        *([Paragraph(f"{said[:1].upper()}{said[1:]}.", "lead")] if said else []),
        _table(context, told(context.study, context.front, found, words)),
        *_rivals(context),
    ]


def _table(context: Context, rows: list[Told]) -> DataTable:
    return DataTable(
        ["Objective", "Best value", "Won by", "Which then reaches"],
        [
            [heading(row.metric), row.value, _won(row), _pairs(row.others) or "nothing else"]
            for row in rows
        ],
        "The best of each objective over every design that was priced and meets the "
        f"constraints{at_prices(context)}. Of several winners only the knobs that differ are "
        "named.",
        widths=(16, 14, 40, 30),
        right=(1,),
    )


def _rivals(context: Context) -> list[Block]:
    """The balanced design of every other choice that the study compares."""
    rows = [i for i in range(len(context.why)) if i not in context.recommended]
    if not rows:
        return []
    best, goals = context.best, [o.metric for o in context.study.objectives]
    return [
        DataTable(
            ["Design", "Its knobs", *map(heading, goals)],
            [
                [
                    heading(context.why[row]),
                    _knobs(context, row),
                    *(sure(best, goal, row) for goal in goals),
                ]
                for row in rows
            ],
            f"The balanced design of every other {words(context.study.compare or 'choice')}"
            f"{at_prices(context)}, with {HEAD}s; 'dominated' where some design of the front is "
            "at least as good in every objective and better in one.",
            widths=(16, 34, *(50 / len(goals) for _ in goals)),
            right=range(2, len(goals) + 2),
        )
    ]


def _knobs(context: Context, row: int) -> str:
    """The knobs that play a part in a design."""
    study, best = context.study, context.best
    used = [a.path for a in study.space.axes if active(study, best, a.path)[row]]
    return ", ".join(f"{words(path)} {cell(best, path, row)}" for path in used)


def _won(row: Told) -> str:
    return "; ".join(filter(None, [_pairs(row.knobs), row.note]))


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{words(name)} {value}" for name, value in values.items())


SECTION = Section(order=35, title="Who wins what", build=build)
