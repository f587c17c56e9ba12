"""Who wins what: the design that goes furthest in each objective, and whether winners differ."""

from __future__ import annotations

from collections.abc import Mapping

from dse.winners import Told, told, verdict

from .section import Block, Context, DataTable, Paragraph, Section
from .wording import at_prices, heading, words


def build(context: Context) -> list[Block]:
    """A sentence, and a table with one row an objective."""
    if not context.feasible:
        return [Paragraph("Nothing wins, because no design meets every constraint.")]
    found = context.winners
    said = verdict(found, words)
    return [
        *([Paragraph(f"{said[:1].upper()}{said[1:]}.", "lead")] if said else []),
        _table(context, told(context.study, context.front, found, words)),
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


def _won(row: Told) -> str:
    return "; ".join(filter(None, [_pairs(row.knobs), row.note]))


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{words(name)} {value}" for name, value in values.items())


SECTION = Section(order=35, title="Who wins what", build=build)
