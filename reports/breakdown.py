"""Where the time (or the cost) of the recommended designs goes."""

from __future__ import annotations

import numpy as np

from dse import figures
from dse.spec import Array, Result

from .section import Block, Context, DataTable, Figure, Paragraph, Section
from .wording import heading, percent, priced, quantity, words

FIGURES = 2
"""Designs whose breakdown is drawn; the table holds every recommended one."""


def build(context: Context) -> list[Block]:
    """One figure a design, a table of all, and what is busiest in each."""
    page, shown = context.study.page, context.shown
    if len(shown) == 0:
        return [Paragraph("No design could be priced, so there is nothing to take apart.")]
    result = priced(context.study, shown)
    total = words(page.total)
    return [
        Paragraph(
            f"The page '{page.slug}' adds up {total} from exposed terms: what one resource hides "
            f"behind another is not counted twice. {_busiest(context, result)}"
        ),
        *(_figure(context, result, row) for row in _drawn(context)),
        _table(context, result),
    ]


def _drawn(context: Context) -> list[int]:
    """The balanced design, then those it is compared with, then the first others."""
    others = [row for row in range(len(context.why)) if row != context.balanced]
    others.sort(key=lambda row: "balanced" not in context.why[row])
    return [context.balanced, *others][:FIGURES]


def _column(values: Array, rows: int) -> Array:
    return np.broadcast_to(np.asarray(values, dtype=np.float64), rows)


def _figure(context: Context, result: Result, row: int) -> Figure:
    page, rows = context.study.page, len(context.shown)
    terms = {name: float(_column(value, rows)[row]) for name, value in result.terms.items()}
    total = float(_column(result.metrics[page.total], rows)[row])
    chart = figures.breakdown(page, terms, total)
    return Figure(figures.svg(chart), f"{heading(context.why[row])}. {chart.caption}")


def _busiest(context: Context, result: Result) -> str:
    """The resource that works longest in each design."""
    rows = len(context.shown)
    names = list(result.resources)
    if not names:
        return ""
    busy = np.stack([_column(result.resources[name], rows) for name in names])
    first = np.argmax(np.nan_to_num(busy, nan=-1.0), axis=0)
    said = [f"{words(names[i])} ({words(w)})" for i, w in zip(first, context.why, strict=True)]
    return f"The busiest resource is {', '.join(said)}."


def _table(context: Context, result: Result) -> DataTable:
    page, rows = context.study.page, len(context.shown)
    unit = page.metrics[page.total].unit
    total = _column(result.metrics[page.total], rows)
    terms = {name: _column(value, rows) for name, value in result.terms.items()}
    ranked = sorted(terms, key=lambda name: -float(np.nanmax(terms[name], initial=0.0)))
    cells = {
        name: [_share(part, whole, unit) for part, whole in zip(terms[name], total, strict=True)]
        for name in ranked
    }
    return DataTable(
        ["Term", *map(heading, context.why)],
        [
            *([words(name), *column] for name, column in cells.items()),
            ["total", *(quantity(whole, unit) for whole in total)],
        ],
        f"Terms of {words(page.total)}, with their share of it; the largest first.",
        right=range(1, rows + 1),
        marked=[len(ranked)],
        mark="important",
    )


def _share(term: float, total: float, unit: str) -> str:
    share = percent(term / total) if total else "unknown"
    return f"{quantity(term, unit)} ({share.lstrip('+')})"


SECTION = Section(order=40, title="Where it goes", build=build)
