"""Published points beside what a page and its mechanism say of them: fit and check apart."""

from __future__ import annotations

from collections import Counter

from dse import figures, units
from dse.certainty import HEAD, UNCHECKED, span
from dse.trust_charts import with_ground
from dse.validate import Row

from .dossier import Dossier
from .formulas import AnyBlock
from .section import DataTable, Figure, Paragraph
from .wording import UNSURE, heading, percent, words

USES = {
    "fit": "constants were fitted on them, so their errors say how well the form fits",
    "check": "no constant has seen them, so their errors say what a prediction is worth",
}
CHARTS = 3
"""Most charts of points, one for each unit: points of several units share no scale."""

LEAST = 3
"""Points of one unit that make a chart."""


def build(found: Dossier) -> list[AnyBlock]:
    """Charts by unit, then the rows of each use."""
    if not found.rows:
        return [Paragraph(unpublished(found), "warning")]
    uses = [use for use in USES if any(row.use == use for row in found.rows)]
    return [*_charts(found), *(table(found, use) for use in uses)]


def unpublished(found: Dossier) -> str:
    """What is said of a page without published points."""
    slug = found.page.slug
    if found.page.uncertain:
        return (
            f"The page '{slug}' has no published point of its own: its intervals join the errors "
            "of the pages it uses, and how far it is off beyond them is unknown."
        )
    return f"The page '{slug}' has no published point: nothing here was held against its paper."


def _charts(found: Dossier) -> list[AnyBlock]:
    shared = Counter(row.unit for row in found.rows).most_common(CHARTS)
    blocks: list[AnyBlock] = []
    for unit, count in shared:
        rows = [row for row in found.rows if row.unit == unit]
        if count >= LEAST:
            chart = figures.validation([with_ground(r, found.grounds.get(r.id)) for r in rows])
            named = ", ".join(dict.fromkeys(words(row.quantity) for row in rows))
            source = f"Source: published points of {named}, listed below."
            blocks.append(Figure(figures.svg(chart), f"{chart.caption} {source}"))
    return blocks


def table(found: Dossier, use: str) -> DataTable:
    """The rows of one use; what the mechanism says of them, where it was run for any."""
    rows = [row for row in found.rows if row.use == use]
    executed = any(row.id in found.executed for row in rows)
    extra = ["Mechanism", "Its error"] if executed else []
    return DataTable(
        ["Point", "Quantity", "Published", "Predicted", HEAD, "Error", *extra, "Known from"],
        [_row(found, row, executed=executed) for row in rows],
        f"{heading(use)} points of the page '{found.page.slug}': {USES[use]}. Errors are relative "
        "to the published number. Shaded, and marked ? in the margin: that number is itself "
        "unsure.",
        widths=(13, 12, 11, 11, 14, 11, *((12, 10) if executed else ()), 22),
        right=range(2, 8 if executed else 6),
        marked=[i for i, row in enumerate(rows) if row.kind in UNSURE],
    )


def _row(found: Dossier, row: Row, *, executed: bool) -> list[str]:
    ground, beside = found.grounds.get(row.id), found.executed.get(row.id)
    ends = span(ground.low, ground.high, row.unit) if ground else ""
    said = ["not run", ""]
    if beside:
        said = [units.show(beside.reference, row.unit), percent(beside.reference_error)]
    return [
        row.id,
        words(row.quantity),
        *(units.show(number, row.unit) for number in (row.published, row.predicted)),
        ends or UNCHECKED,
        percent(row.error),
        *(said if executed else []),
        f"{row.kind}: {row.where}",
    ]
