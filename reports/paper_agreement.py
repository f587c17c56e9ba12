"""How good a page is: scores, coverage of its intervals, weak regimes, and its mechanism."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dse import cross, figures, interval, units
from dse import scoreboard as board
from dse.certainty import HEAD
from dse.cross import Regime
from dse.interval import LEVEL, Error
from dse.residuals import coverage
from dse.scores import Card

from .dossier import Dossier
from .formulas import AnyBlock, plainly
from .paper_points import off
from .paper_text import part
from .section import DataTable, Figure, Paragraph
from .wording import heading, words

SCORES = (12, 17, 8, 9, 9, 11, 7, 8, 11, 14)
"""Widths of the scoreboard's columns."""


def scores(cards: Sequence[Card], *, named: bool) -> DataTable:
    """The scoreboard of pages, with the page's name or, where there is one alone, without."""
    heads, rows = board.table(cards)
    first = 0 if named else 1
    return DataTable(
        [heading(head) for head in heads[first:]],
        [row[first:] for row in rows],
        "Scores as 'dse validate' prints them, fit and check rows apart. Errors are absolute and "
        "relative; bias says too much or too little; order is Kendall's tau; regret is what "
        "choosing by the prediction loses; a blank is unknown.",
        widths=SCORES[first : len(heads)],
        right=range(2 - first, len(heads) - first),
    )


def scoreboard(found: Dossier) -> list[AnyBlock]:
    """The page's lines of the scoreboard, and how often its intervals hold."""
    if not found.card.scores:
        return [Paragraph("Nothing of this page was held against a paper or a mechanism.")]
    return [scores([found.card], named=False), *covered([found.page.slug])]


def covered(slugs: Sequence[str]) -> list[AnyBlock]:
    """The chart of nominal against empirical levels of intervals, for pages with such rows."""
    judged = [slug for slug in slugs if coverage(slug).rows]
    if not judged:
        return [Paragraph(f"No check row could be held against a {HEAD}.")]
    chart = figures.calibration(judged)
    source = "Source: check rows, published and executed, kept in models/*/residuals.yaml."
    return [Figure(figures.svg(chart), f"{chart.caption} {source}")]


def weak(found: Dossier) -> list[AnyBlock]:
    """Where the page is known to be off and to which side, its flags, and its error model."""
    told = part(found, "Known weak regimes")
    return [
        *(told or [Paragraph("The page names no weak regime.")]),
        *_flags(found),
        *_errors(found),
    ]


def _flags(found: Dossier) -> list[AnyBlock]:
    page = found.page
    said = [[words(n), "outside the range", plainly(text)] for n, text in page.flags.items()]
    said += [[words(n), "read with care", plainly(text)] for n, text in page.remarks.items()]
    if not said:
        return []
    return [
        DataTable(
            ["Flag", "It says", "Of a design"],
            said,
            "Flags that the page raises of a design, in every verb that prices it.",
            widths=(15, 20, 65),
        )
    ]


def _errors(found: Dossier) -> list[AnyBlock]:
    errors = interval.errors(found.page.slug)
    if not errors:
        return []
    return [
        DataTable(
            ["Metric", "Regime", "Truth over prediction", "Known from", "Check rows"],
            [
                [words(metric), words(regime) or "any other", *_reach(error), error.words()]
                for (metric, regime), error in errors.items()
            ],
            f"The error model behind {HEAD}s, by metric and weak regime: how far truth lies from "
            "a prediction, made of check rows only.",
            widths=(22, 16, 24, 18, 20),
            right=(2,),
        )
    ]


def _reach(error: Error) -> list[str]:
    reach = error.reach(0.5 + LEVEL / 2)
    low, high = (units.show(math.exp(end), "1") for end in (-reach, reach))
    return [f"{low} to {high}", error.tier]


def mechanism(found: Dossier, *, groups: bool = True) -> list[AnyBlock]:
    """The closed form against the executed mechanism: all cases, then the regimes apart.

    Args:
        found: the page.
        groups: whether the regimes are shown, or each metric's line of all cases only.
    """
    if found.crossing is None:
        said = found.note or "The page has no mechanism that can be executed"
        return [Paragraph(f"{said[:1].upper()}{said[1:].rstrip('.')}.")]
    crossing = found.crossing
    rows = [r for r in cross.regimes(crossing.rows) if groups or not r.group]
    odd = sum(len(r.odd) for r in rows if not r.group)
    said = (
        f"{heading(crossing.text.rstrip('.'))}. {crossing.cases} cases were executed, of which "
        f"both call {crossing.infeasible} infeasible and {len(crossing.disputes)} are in dispute."
        + (f" {odd} answers are zero or unknown and count in no error." if odd else "")
    )
    return [Paragraph(said, "lead"), *_regimes(rows), *(_disputes(found) if groups else [])]


def _regimes(rows: Sequence[Regime]) -> list[AnyBlock]:
    if not rows:
        return []
    table = DataTable(
        ["Metric", "Use", "Regime", "Cases", "Mean", "Bias", "Worst", "At", "Order"],
        [_regime(row) for row in rows],
        "Errors of the closed form, relative to the mechanism: above zero it says too much. "
        f"Shaded: off by more than {100 * cross.BAR:.0f} % in the mean. Source: the kept answers, "
        "models/*/cross.json.",
        widths=(16, 8, 17, 8, 10, 10, 10, 20, 8),
        right=(3, 4, 5, 6, 8),
        marked=[i for i, row in enumerate(rows) if row.mean > cross.BAR],
        mark="important",
    )
    return [table]


def _regime(row: Regime) -> list[str]:
    errors = [off(row.mean).lstrip("+"), off(row.bias), off(row.worst)]
    order = f"{row.tau:.2f}" if math.isfinite(row.tau) else ""
    known = [*errors, row.at, order] if row.cases else ["", "", "", "", ""]
    return [words(row.metric), row.use, row.group or "all", str(row.cases), *known]


def _disputes(found: Dossier) -> list[AnyBlock]:
    disputed = found.crossing.disputes if found.crossing else ()
    if not disputed:
        return []
    return [
        DataTable(
            ["Case", "Mechanism", "Closed form", "Why the mechanism fails"],
            [[v.id, _verdict(v.reference), _verdict(v.closed), v.reason] for v in disputed],
            "Cases that only one of both calls feasible.",
            widths=(30, 14, 14, 42),
        )
    ]


def _verdict(feasible: bool) -> str:
    return "feasible" if feasible else "infeasible"
