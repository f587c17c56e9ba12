"""How far the pages in use are from what was published: a line a page, and the worst rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from dse import figures, units
from dse.certainty import HEAD, UNCHECKED, span
from dse.grounds import Ground
from dse.residuals import coverage
from dse.spec import AnyModel
from dse.trust_charts import with_ground
from dse.validate import Row, summaries

from .section import Block, Context, DataTable, Figure, Paragraph, Section
from .wording import UNSURE, listed, percent, words

WORST = 3
"""Check rows of each page that are written out; `dse report --validation` holds all."""


def build(context: Context) -> list[Block]:
    """What is not known, a line a page, a scatter where points share a unit, the worst rows."""
    rows = list(context.validation)
    silent = [page for page in context.pages if page.slug not in {row.model for row in rows}]
    missing = [Paragraph(text, "warning") for text in _unvalidated(silent)]
    if not rows:
        return [*missing, *_idle(context)]
    return [
        *missing,
        _summary(context.pages, rows),
        *_idle(context),
        *_figure(context, rows),
        *_worst(context, rows),
        Paragraph("Every row of every page, fit and check apart, is printed by", "lead"),
        Paragraph("dse report --validation", "code"),
    ]


def _idle(context: Context) -> list[Block]:
    """Pages that need not be right for these designs."""
    if not context.idle:
        return []
    said = (
        f"The page '{context.study.page.slug}' joins {listed(context.idle)} too; no objective, "
        "bound or total of these designs rests on their predictions, so they are left out here."
    )
    return [Paragraph(said)]


def _unvalidated(pages: Sequence[AnyModel]) -> Iterator[str]:
    """What is not known of pages without published points."""
    joining = [page.slug for page in pages if page.uncertain]
    alone = [page.slug for page in pages if not page.uncertain]
    if joining:
        yield (
            f"{_having(joining)} no published point of its own: its intervals join the errors of "
            "the pages it uses, and how far it is off beyond them is unknown."
        )
    if alone:
        yield (
            f"{_having(alone)} no published point to be compared with: how far predictions made "
            "there are off is unknown."
        )


def _having(slugs: Sequence[str]) -> str:
    return f"The page {slugs[0]} has" if len(slugs) == 1 else f"The pages {listed(slugs)} have"


def _summary(pages: Sequence[AnyModel], rows: Sequence[Row]) -> DataTable:
    """A line for each page and use: errors, and how often the intervals hold."""
    return DataTable(
        ["Page", "Use", "Points", "Mean error", "Worst error", "Worst at", f"In {HEAD}s"],
        [
            [
                line.model,
                line.use,
                str(line.rows),
                *(percent(error).lstrip("+") for error in (line.mean, line.worst)),
                _ranked([r for r in rows if (r.model, r.use) == (line.model, line.use)])[0].id,
                _covered(line.model) if line.use == "check" else "",
            ]
            for line in summaries(rows)
        ],
        "Absolute relative errors of every page in use. Fit rows shaped the page's constants, "
        "check rows did not. The last column counts check rows, published and executed, inside "
        "intervals whose error model has not seen their group, and in brackets the shares that "
        "such a count is compatible with at 95 %. Source: the pages' data and residuals.",
        widths=(13, 8, 9, 12, 12, 22, 24),
        right=(2, 3, 4),
    )


def _covered(slug: str) -> str:
    """How many check rows lie inside the intervals that are shown."""
    found = coverage(slug)
    if not found.rows:
        return "no row could be held against an interval"
    low, high = (f"{100 * end:.0f}" for end in (found.low, found.high))
    return f"{found.covered:,} of {found.rows:,} ({low} to {high} %)"


def _ranked(rows: Sequence[Row]) -> list[Row]:
    """Rows by the size of their errors, the largest and unknown ones first."""
    sizes = [abs(row.error) if math.isfinite(row.error) else math.inf for row in rows]
    return [rows[i] for i in np.argsort(-np.array(sizes), kind="stable")]


def _figure(context: Context, rows: Sequence[Row]) -> list[Block]:
    """Points of one unit on one scale; over many decades every error would look like none."""
    if len({row.unit for row in rows}) > 1:
        return []
    chart = figures.validation([with_ground(row, _ground(context, row)) for row in rows])
    return [Figure(figures.svg(chart), chart.caption)]


def _ground(context: Context, row: Row) -> Ground | None:
    return context.grounds.get((row.model, row.id))


def _worst(context: Context, rows: Sequence[Row]) -> list[Block]:
    """The check rows of each page that it is furthest from."""
    checks = [row for row in rows if row.use == "check"]
    chosen = [
        row
        for page in context.pages
        for row in _ranked([r for r in checks if r.model == page.slug])[:WORST]
    ]
    if not chosen:
        return [Paragraph("No check row: nothing that no constant has seen was held against it.")]
    return [_table(context, chosen)]


def _table(context: Context, chosen: Sequence[Row]) -> DataTable:
    return DataTable(
        ["Page", "Point", "Quantity", "Published", "Predicted", HEAD, "Error", "Known from"],
        [
            [
                row.model,
                row.id,
                words(row.quantity),
                *(units.show(number, row.unit) for number in (row.published, row.predicted)),
                _span(_ground(context, row), row.unit),
                percent(row.error),
                f"{row.kind}: {row.where}",
            ]
            for row in chosen
        ],
        f"The {WORST} check rows of each page with the largest errors; no constant has seen them. "
        "Shaded: the published number is itself unsure.",
        widths=(10, 13, 12, 11, 11, 12, 9, 22),
        right=(3, 4, 5, 6),
        marked=[i for i, row in enumerate(chosen) if row.kind in UNSURE],
    )


def _span(ground: Ground | None, unit: str) -> str:
    """The interval of a prediction; a number that nothing was held against has none."""
    return (span(ground.low, ground.high, unit) if ground else "") or UNCHECKED


SECTION = Section(order=55, title="Validation of the pages in use", build=build)
