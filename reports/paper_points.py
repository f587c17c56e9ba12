"""Published points beside what a page and its mechanism say of them: fit and check apart."""

from __future__ import annotations

import math
from collections import Counter

from dse import figures, units
from dse.certainty import HEAD, UNCHECKED, span
from dse.trust_charts import with_ground
from dse.validate import Row

from .dossier import Dossier
from .formulas import AnyBlock, plainly
from .section import DataTable, Facts, Figure, Paragraph
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
    return [*_charts(found), *(table(found, use) for use in uses), _sources(found)]


def off(share: float) -> str:
    """A relative error with its sign, at three digits without powers of ten.

    >>> off(-0.01234), off(12.5), off(1e-9), off(0.0), off(math.nan)
    ('-1.23 %', '+1,250 %', '< 0.001 %', '0 %', 'unknown')
    """
    if not math.isfinite(share):
        return "unknown"
    if abs(share) >= 9.995:
        return f"{100 * share:+,.0f} %"
    return percent(share) if abs(share) >= 1e-5 else "< 0.001 %" if share else "0 %"


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
        "to the published number; sources are numbered below. Shaded, and marked ? in the margin: "
        "that number is itself unsure.",
        widths=(16, 13, 12, 12, 15, 11, *((12, 11) if executed else ()), 13),
        right=range(2, 8 if executed else 6),
        marked=[i for i, row in enumerate(rows) if row.kind in UNSURE],
    )


def _row(found: Dossier, row: Row, *, executed: bool) -> list[str]:
    ground, beside = found.grounds.get(row.id), found.executed.get(row.id)
    ends = span(ground.low, ground.high, row.unit) if ground else ""
    said = ["not run", ""]
    if beside:
        said = [units.show(beside.reference, row.unit), off(beside.reference_error)]
    return [
        row.id,
        words(row.quantity),
        *(units.show(number, row.unit) for number in (row.published, row.predicted)),
        ends or UNCHECKED,
        off(row.error),
        *(said if executed else []),
        f"[{_numbered(found)[row.kind, row.where]}] {row.kind}",
    ]


def _numbered(found: Dossier) -> dict[tuple[str, str], int]:
    """Kind and place of each source -> its number, in the order of the tables."""
    ordered = [row for use in USES for row in found.rows if row.use == use]
    named = dict.fromkeys((row.kind, row.where) for row in ordered)
    return {source: i for i, source in enumerate(named, start=1)}


def _sources(found: Dossier) -> Facts:
    numbered = _numbered(found).items()
    return Facts([(f"[{i}] {kind}", plainly(where)) for (kind, where), i in numbered])
