"""A page's own reproduction report: what its paper says, what the page says, and how far apart."""

from __future__ import annotations

from typing import Any

from dse.certainty import HEAD, UNCHECKED, span
from dse.scores import EXECUTED, MECHANISM, PAPER, Score
from dse.spec import knobs

from . import paper_agreement, paper_inputs, paper_points, paper_text
from .dossier import Dossier, gather
from .formulas import AnyBlock, plainly
from .printing import Parts, content
from .section import Facts, Paragraph
from .wording import listed, quantity, words

ANSWERS = 4
"""Metrics that the answer names; `dse eval` says all."""

NAMED = 6
"""Knobs that say which design the answer is of; the table of knobs holds them all."""


def describe(slug: str, *, date: str) -> dict[str, Any]:
    """The report of a page as plain data, which both printers read.

    Raises:
        InputError: no such page.
    """
    return described(gather(slug, date=date))


def described(found: Dossier) -> dict[str, Any]:
    """The same, of what was gathered."""
    return content(
        kind="Reproduction report",
        title=found.page.paper.title,
        subtitle=f"{found.date} · page '{found.page.slug}' of dse-codesign",
        date=found.date,
        parts=parts(found),
    )


def parts(found: Dossier) -> Parts:
    """The sections in reading order; a section that a page has nothing for says so."""
    return [
        ("Question and answer", _answer(found)),
        ("Symbols", paper_text.symbols(found)),
        ("Equations", paper_text.equations(found)),
        ("Assumptions and range of validity", paper_text.assumptions(found)),
        ("Where we differ", paper_text.differences(found)),
        ("Knobs", paper_inputs.knob_table(found)),
        ("Constants and their sources", paper_inputs.constants(found)),
        ("Published against predicted", paper_points.build(found)),
        ("Scoreboard and coverage", paper_agreement.scoreboard(found)),
        ("Known weak regimes", paper_agreement.weak(found)),
        ("The mechanism against the closed form", paper_agreement.mechanism(found)),
        ("Notes", paper_text.notes(found)),
        ("Environment and reproduction", paper_inputs.reproduction(found)),
    ]


def _answer(found: Dossier) -> list[AnyBlock]:
    """Who asked what, and the answer in two sentences with numbers and intervals."""
    paper = found.page.paper
    doi = paper.doi.removeprefix("none").lstrip("; ") or "none"
    facts = [
        ("Authors", paper.authors),
        ("Published", f"{paper.venue} {paper.year}"),
        ("DOI", doi),
        ("Page", found.told.title),
        ("Answered for", f"the page's defaults: {_defaults(found)}"),
    ]
    return [
        Paragraph(paper.question, "quote"),
        *paper_text.setting(found),
        Paragraph(f"{reached(found)} {trusted(found)}", "verdict"),
        *([Paragraph(plainly(found.page.note), "warning")] if found.page.note else []),
        Facts(facts),
    ]


def _defaults(found: Dossier) -> str:
    known = list(knobs(found.page.config).values())
    first = sorted(known, key=lambda knob: knob.catalog is None)[:NAMED]
    named = [f"{words(k.path)} {_default(k.default, k.unit)}" for k in first]
    return f"{listed(named)}, and the rest as under Knobs"


def _default(value: object, unit: str) -> str:
    return quantity(value, unit) if isinstance(value, int | float) else str(value)


def reached(found: Dossier) -> str:
    """The answer's first sentence: what the default design reaches."""
    names = sorted(found.ranked[: 2 * ANSWERS], key=lambda name: not _spanned(found, name))
    said = listed([_reached(found, name) for name in names[:ANSWERS]])
    if not bool(found.result.metrics["feasible"]):
        return f"The default design cannot run; priced all the same, {said}."
    return f"At the page's defaults, {HEAD}s in brackets, {said}."


def _spanned(found: Dossier, name: str) -> str:
    ground = found.sure[name]
    return span(ground.low, ground.high, found.page.metrics[name].unit)


def _reached(found: Dossier, name: str) -> str:
    value, unit = float(found.result.metrics[name]), found.page.metrics[name].unit
    ends = _spanned(found, name)
    return f"{words(name)} is {quantity(value, unit)} ({ends or UNCHECKED})"


def trusted(found: Dossier) -> str:
    """The answer's second sentence: how far predictions are off, where that is known."""
    published, executed, beside = (
        found.score(comparison, "check") for comparison in (PAPER, MECHANISM, EXECUTED)
    )
    said = [
        *([_off(published, "published check point")] if published else []),
        *([_off(executed, "answer of the executed mechanism")] if executed else []),
    ]
    if not said:
        return "No published point and no executed mechanism was held against it."
    own = f"; the mechanism itself is off by {_off(beside, 'published point')}" if beside else ""
    return f"It is off by {listed(said)}{own}."


def _off(score: Score, what: str) -> str:
    """Mean and worst error of some rows, or the error of the only one."""
    if score.mape is None or score.worst is None:
        return f"an unknown share on {score.odd} of the {what}s"
    mean, worst = (f"{100 * share:.3g} %" for share in (score.mape, score.worst))
    if score.rows == 1:
        return f"{mean} on the only {what}"
    first, _, rest = what.partition(" of ")
    plural = f"{first}s of {rest}" if rest else f"{what}s"
    return f"{mean} in the mean and {worst} at worst on {score.rows:,} {plural}"
