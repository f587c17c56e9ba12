"""How far the pages used here are from what was published: fit and check rows apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dse import figures, units
from dse.certainty import HEAD, UNCHECKED, span
from dse.grounds import Ground
from dse.residuals import coverage
from dse.spec import AnyModel
from dse.trust_charts import with_ground
from dse.validate import Row, Summary, summaries

from .section import Block, Context, DataTable, Figure, Paragraph, Section
from .wording import UNSURE, heading, listed, percent, words

USES = {
    "fit": "points that constants were fitted on: their errors say how well the form fits",
    "check": "points that no constant has seen: their errors say what a prediction is worth",
}


def build(context: Context) -> list[Block]:
    """A summary by page, a scatter where the points share a unit, then fit and check rows."""
    rows = list(context.validation)
    silent = [page for page in context.pages if page.slug not in {row.model for row in rows}]
    missing = [Paragraph(text, "warning") for text in _unvalidated(silent)]
    if not rows:
        return [*missing]
    return [
        *missing,
        _summary(summaries(rows)),
        *_coverage(context.pages),
        *_figure(context, rows),
        *(_table(context, rows, use) for use in USES if any(row.use == use for row in rows)),
        *_objectives(context.pages),
    ]


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


def _summary(found: Sequence[Summary]) -> DataTable:
    return DataTable(
        ["Page", "Use", "Points", "Mean error", "Worst error"],
        [
            [
                row.model,
                row.use,
                str(row.rows),
                *(percent(error).lstrip("+") for error in (row.mean, row.worst)),
            ]
            for row in found
        ],
        "Absolute relative errors of every page used. Fit rows shaped the page's constants, "
        "check rows did not.",
        right=(2, 3, 4),
    )


def _coverage(pages: Sequence[AnyModel]) -> list[Block]:
    """How many check rows lie inside the intervals that are shown, and at other levels."""
    found = {page.slug: coverage(page.slug) for page in pages}
    judged = {slug: held for slug, held in found.items() if held.rows}
    if not judged:
        return [Paragraph("No check row could be held against an interval.")]
    chart = figures.calibration(list(judged))
    return [
        DataTable(
            ["Page", "Rows judged", f"Inside {HEAD}s", "Share", "Compatible with"],
            [
                [slug, f"{c.rows:,}", f"{c.covered:,}", *_shares(c.share), _between(c.low, c.high)]
                for slug, c in judged.items()
            ],
            "Check rows, published and executed, inside intervals whose error model has not seen "
            "their group. Compatible: the shares that such a count does not rule out, at 95 %.",
            right=(1, 2, 3, 4),
        ),
        Figure(figures.svg(chart), chart.caption),
    ]


def _shares(*shares: float) -> list[str]:
    return [f"{100 * share:.1f} %" for share in shares]


def _between(low: float, high: float) -> str:
    return " to ".join(_shares(low, high)).replace(" % to", " to")


def _figure(context: Context, rows: Sequence[Row]) -> list[Block]:
    """Points of one unit on one scale; over many decades every error would look like none."""
    if len({row.unit for row in rows}) > 1:
        return []
    chart = figures.validation([with_ground(row, _ground(context, row)) for row in rows])
    return [Figure(figures.svg(chart), chart.caption)]


def _ground(context: Context, row: Row) -> Ground | None:
    return context.grounds.get((row.model, row.id))


def _table(context: Context, rows: Sequence[Row], use: str) -> DataTable:
    chosen = [row for row in rows if row.use == use]
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
        f"{heading(use)} rows, {USES[use]}. Shaded: the published number is itself unsure.",
        widths=(9, 12, 12, 11, 11, 12, 9, 24),
        right=(3, 4, 5, 6),
        marked=[i for i, row in enumerate(chosen) if row.kind in UNSURE],
    )


def _span(ground: Ground | None, unit: str) -> str:
    """The interval of a prediction; a number that nothing was held against has none."""
    return (span(ground.low, ground.high, unit) if ground else "") or UNCHECKED


def _objectives(pages: Sequence[AnyModel]) -> list[Block]:
    """How each page's constants were fitted, where it says so."""
    notes = {page.slug: page.data.notes.get("fit", "") for page in pages}
    return [Paragraph(f"Fit of {slug}: {note}") for slug, note in notes.items() if note]


SECTION = Section(order=50, title="Validation", build=build)
