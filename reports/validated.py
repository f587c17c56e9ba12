"""The scoreboard of all pages: how good they are, whether intervals hold, and every row behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dse import registry
from dse.executed import Tick
from dse.facts import publication

from . import paper_agreement, paper_points
from .dossier import Dossier, gather
from .formulas import AnyBlock
from .paper import trusted
from .printing import content
from .section import Paragraph


def describe(*, date: str, tick: Tick | None = None) -> dict[str, Any]:
    """The report as plain data, which both printers read.

    Args:
        date: printed as it is given.
        tick: told of pages done and pages in all.
    """
    slugs, found = registry.slugs(), []
    for slug in slugs:
        found.append(gather(slug, date=date))
        if tick is not None:
            tick(len(found), len(slugs))
    return described(found, date=date)


def described(found: Sequence[Dossier], *, date: str) -> dict[str, Any]:
    """The same, of what was gathered of some pages."""
    slugs = [each.page.slug for each in found]
    return content(
        kind="Validation report",
        title="How far the pages can be trusted",
        subtitle=f"{date} · {len(slugs)} pages of dse-codesign",
        date=date,
        parts=[
            ("Scoreboard", _board(found)),
            ("Do intervals hold what they promise?", paper_agreement.covered(slugs)),
            *((f"Page '{each.page.slug}'", _page(each)) for each in found),
            ("Reproduction", _commands(date)),
        ],
    )


def _board(found: Sequence[Dossier]) -> list[AnyBlock]:
    rows = sum(len(each.rows) for each in found)
    cases = sum(each.crossing.cases for each in found if each.crossing)
    checks = sum(row.use == "check" for each in found for row in each.rows)
    said = (
        f"{len(found)} pages were held against {rows} published points, of which no constant has "
        f"seen {checks}, and against {cases} executed cases of their mechanisms."
    )
    board = paper_agreement.scores([each.card for each in found], named=True)
    late = [Paragraph(f"{e.page.slug}: {e.note}.", "warning") for e in found if e.note]
    return [Paragraph(said, "verdict"), *late, board]


def _page(found: Dossier) -> list[AnyBlock]:
    """What a page is off by in a sentence, and its rows."""
    return [
        Paragraph(f"{publication(found.page.paper).rstrip('.')}. {trusted(found)}", "lead"),
        *paper_points.build(found),
        *paper_agreement.mechanism(found, groups=False),
    ]


def _commands(date: str) -> list[AnyBlock]:
    return [
        Paragraph("The same numbers come out of", "lead"),
        Paragraph("dse validate", "code"),
        Paragraph(f"dse report --validation --date {date}", "code"),
    ]
