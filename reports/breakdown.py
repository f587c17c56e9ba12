"""Where the time (or the cost) of the recommended designs goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dse import figures
from dse.breakdown import Breakdown, broken_down
from dse.certainty import ends
from dse.spec import AnyModel, Array

from .section import Block, Context, DataTable, Figure, Paragraph, Section
from .wording import heading, listed, percent, priced, quantity, words

FIGURES = 2
"""Designs whose breakdown is drawn; the table holds every recommended one."""


def build(context: Context) -> list[Block]:
    """One figure a design, a table of all, and what is busiest in each."""
    page, rows = context.study.page, len(context.shown)
    if rows == 0:
        return [Paragraph("No design could be priced, so there is nothing to take apart.")]
    result = priced(context.study, context.shown)
    metrics, terms, resources = (
        {name: np.broadcast_to(np.asarray(value, dtype=np.float64), rows) for name, value in group}
        for group in (result.metrics.items(), result.terms.items(), result.resources.items())
    )
    broken = broken_down(page, metrics, terms)
    busiest = _busiest(context.why, resources)
    if broken is None:
        return [Paragraph(f"{heading(page.total)} is 0 in all of these designs. {busiest}")]
    one_by_one = ((row, _of_row(page, metrics, terms, row)) for row in _drawn(context))
    return [
        Paragraph(f"{_opening(page, broken.metric)} {busiest}"),
        *(_figure(context, row, one) for row, one in one_by_one if one),
        _table(page, context.why, broken),
    ]


def _opening(page: AnyModel, metric: str) -> str:
    """What is taken apart, and why where it is not the page's total."""
    zero = f"{heading(page.total)} is 0 in all of these designs. " if metric != page.total else ""
    return (
        f"{zero}The page '{page.slug}' adds up {words(metric)} from exposed terms: what one "
        "resource hides behind another is not counted twice."
    )


def _drawn(context: Context) -> list[int]:
    """The balanced design, then those it is compared with, then the first others."""
    others = [row for row in range(len(context.why)) if row != context.balanced]
    others.sort(key=lambda row: "balanced" not in context.why[row])
    return [context.balanced, *others][:FIGURES]


def _of_row(
    page: AnyModel, metrics: Mapping[str, Array], terms: Mapping[str, Array], row: int
) -> Breakdown[float] | None:
    one, its = ({n: float(v[row]) for n, v in group.items()} for group in (metrics, terms))
    return broken_down(page, one, its)


def _figure(context: Context, row: int, broken: Breakdown[float]) -> Figure:
    low, high = ends(context.study, context.shown, [broken.metric])[broken.metric]
    chart = figures.breakdown(context.study.page, broken, (float(low[row]), float(high[row])))
    return Figure(figures.svg(chart), f"{heading(context.why[row])}. {chart.caption}")


def _busiest(why: Sequence[str], resources: Mapping[str, Array]) -> str:
    """The resource that works longest in each design; nothing of a design where none works."""
    if not resources:
        return ""
    names, busy = list(resources), np.nan_to_num(np.stack(list(resources.values())), nan=-1.0)
    found: dict[str, list[str]] = {}
    for first, design, longest in zip(np.argmax(busy, axis=0), why, busy.max(axis=0), strict=True):
        if longest > 0:
            found.setdefault(names[first], []).append(words(design))
    if [len(designs) for designs in found.values()] == [len(why)]:
        return f"The busiest resource of every design is {words(*found)}."
    said = listed([f"{words(name)} ({'; '.join(designs)})" for name, designs in found.items()])
    return f"The busiest resource is {said}." if said else ""


def _table(page: AnyModel, why: Sequence[str], broken: Breakdown[Array]) -> DataTable:
    unit, parts = page.metrics[broken.metric].unit, broken.parts
    ranked = sorted(parts, key=lambda name: -float(np.nanmax(parts[name], initial=0.0)))
    cells = {
        name: [_share(*pair, unit) for pair in zip(parts[name], broken.whole, strict=True)]
        for name in ranked
    }
    return DataTable(
        ["Term", *map(heading, why)],
        [
            *([words(name), *column] for name, column in cells.items()),
            ["total", *(quantity(whole, unit) for whole in broken.whole)],
        ],
        f"Terms of {words(broken.metric)}, with their share of it; the largest first.",
        right=range(1, len(why) + 1),
        marked=[len(ranked)],
        mark="important",
    )


def _share(term: float, total: float, unit: str) -> str:
    """A term and its share; of a total of 0 nothing has a share."""
    share = f" ({percent(term / total).lstrip('+')})" if total else ""
    return f"{quantity(term, unit)}{share}"


SECTION = Section(order=45, title="Where it goes", build=build)
