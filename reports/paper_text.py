"""What a page says of itself: symbols, equations, assumptions, differences and notes."""

from __future__ import annotations

from collections.abc import Sequence

from dse.exposition import ABOUT

from .dossier import Dossier
from .formulas import AnyBlock, RichFacts, RichTable, paragraphs, plainly, rich
from .section import Facts, Paragraph
from .wording import heading, words

READ_ELSEWHERE = ("may_be_unknown",)
"""Notes that are names of metrics, for machines."""


def setting(found: Dossier) -> list[AnyBlock]:
    """What stands behind the question, which the page's own words ask first."""
    (question, *rest), *others = found.told.parts.get("Question", (("",),))
    behind = str(question).partition("? ")[2]
    return paragraphs([(behind, *rest), *others]) if behind else []


def symbols(found: Dossier) -> list[AnyBlock]:
    """The symbols table of the page."""
    told = found.told
    if not told.symbols:
        return [Paragraph("The page has no symbols table.")]
    table = RichTable(
        ["Symbol", "Name", "Unit", "Where"],
        [[rich(row.symbol), row.name, row.unit, row.where] for row in told.symbols],
        "Symbols of the equations, with the names that the page has for them.",
        widths=(14, 34, 14, 38),
    )
    return [*paragraphs(told.parts.get(ABOUT, ())), table, *part(found, "Definitions")]


def equations(found: Dossier) -> list[AnyBlock]:
    """Every equation by the name of its function, with its place in the paper."""
    if not found.told.equations:
        return [Paragraph("No function of the page has a formula.")]
    lead = (
        "Each equation is a function of the page, by whose name it stands here; brackets say "
        "where it comes from. The arguments broadcast."
    )
    rows = [(heading(e.name), rich(e.text)) for e in found.told.equations]
    return [Paragraph(lead, "lead"), RichFacts(rows)]


def assumptions(found: Dossier) -> list[AnyBlock]:
    """What is taken for granted, and where it holds."""
    return [*part(found, "Assumptions"), *part(found, "Range")]


def differences(found: Dossier) -> list[AnyBlock]:
    """Where the page departs from its paper."""
    return part(found, "Where we differ") or [Paragraph("The page names no difference.")]


def part(found: Dossier, head: str) -> list[AnyBlock]:
    """The paragraphs below a head of the page, the first one led by that head."""
    first, *others = found.told.parts.get(head, ((),))
    led = first[:1]
    joint = " " if led and str(led[0]).startswith("(") else ": "
    return paragraphs([(f"{head}{joint}", *first), *others]) if first else []


def notes(found: Dossier) -> list[AnyBlock]:
    """What the page's data say of their own limits; not the page's own note once more."""
    shown = {
        name: text
        for name, text in found.page.data.notes.items()
        if name not in READ_ELSEWHERE and text != found.page.note
    }
    rows: Sequence[tuple[str, str]] = [
        (heading(words(n)), plainly(text)) for n, text in shown.items()
    ]
    return [Facts(rows)] if rows else [Paragraph("The page's data carry no note.")]
