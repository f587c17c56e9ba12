"""What each technique of the balanced design brings: switched off alone, and all together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dse.ablation import SMALL, Ablation, ablate
from dse.errors import InputError
from dse.spec import Technique, knobs

from .section import Block, Context, DataTable, Paragraph, Section
from .wording import at_prices, configured, heading, listed, quantity, setting, words

GOALS = 4
"""Objectives that have a column."""


def build(context: Context) -> list[Block]:
    """A table with a row a technique, and which of them act together."""
    if not context.feasible:
        return [Paragraph("No design is recommended, so there is nothing to switch off.")]
    page, config = configured(context, context.balanced)
    if not page.techniques:
        return [Paragraph(f"The page '{page.slug}' declares no technique to switch off.")]
    try:
        found = ablate(page, config)
    except InputError:
        named = listed([technique.slug for technique in page.techniques])
        return [Paragraph(f"The balanced design uses none of the page's techniques ({named}).")]
    goals = [objective.metric for objective in context.study.objectives][:GOALS]
    return [*_left_out(found), *_table(context, found, goals), *_together(found, goals)]


def _left_out(found: Ablation) -> list[Block]:
    """Techniques that there is nothing to say of."""
    said = [
        f"{text}: {listed([words(technique.slug) for technique in some])}"
        for text, some in (
            ("Off in the balanced design", found.left_out),
            ("On without effect on any of its numbers", found.idle),
        )
        if some
    ]
    return [Paragraph(f"{'. '.join(said)}.")] if said else []


def _table(context: Context, found: Ablation, goals: Sequence[str]) -> list[Block]:
    if not found.techniques:
        return []
    rows = [["as it stands", "", *(_value(found, goal, -1) for goal in goals)]]
    for technique in found.techniques:
        row = _without(found, technique)
        cells = [_factor(found, goal, row) for goal in goals]
        rows.append([f"without {words(technique.slug)}", _off(found, technique), *cells])
    if len(found.techniques) > 1:
        rows.append(["without any of them", "", *(_factor(found, goal, 0) for goal in goals)])
    meanings = "; ".join(f"{words(t.slug)}: {t.text}" for t in found.techniques)
    return [
        DataTable(
            ["Balanced design", "Switched off by", *map(heading, goals)],
            rows,
            f"The balanced design with one technique switched off at a time{at_prices(context)}; "
            f"a factor is that to the design as it stands. {meanings}.",
            widths=(22, 30, *(48 / len(goals) for _ in goals)),
            right=range(2, 2 + len(goals)),
        )
    ]


def _without(found: Ablation, technique: Technique) -> int:
    """The combination with all techniques on but one."""
    on = np.stack([found.cells[t.slug] == (t is not technique) for t in found.techniques])
    return int(np.flatnonzero(on.all(axis=0))[0])


def _off(found: Ablation, technique: Technique) -> str:
    known = knobs(found.page.config)
    return ", ".join(
        f"{words(path)} {setting(value, known[path].unit)}"
        for path, value in found.offs[technique.slug].items()
    )


def _value(found: Ablation, goal: str, row: int) -> str:
    if found.refusals[row]:
        return "cannot run"
    return quantity(float(found.cells[goal][row]), found.cells.units[goal])


def _factor(found: Ablation, goal: str, row: int) -> str:
    """A number without a technique, and how many times it is the one with all."""
    said, here = _value(found, goal, row), float(found.cells[goal][-1])
    there = float(found.cells[goal][row])
    known = np.isfinite([here, there]).all() and here > 0
    return f"{said} (x{there / here:.3g})" if known else said


def _together(found: Ablation, goals: Sequence[str]) -> list[Block]:
    """The techniques that do more, or less, together than their factors multiply to."""
    said = [
        f"{listed([words(name) for name in term.techniques])} {term.verdict} each other in "
        f"{words(goal)} (x{term.factor:.3g} beyond their own factors)"
        for goal in goals
        for term in found.terms(goal)[:3]
        if len(term.techniques) > 1 and abs(term.ln) >= SMALL
    ]
    if said:
        return [Paragraph(f"Together: {'; '.join(said)}.")]
    if len(found.techniques) > 1:
        return [Paragraph("Together they do what their factors multiply to, where that is known.")]
    return []


SECTION = Section(order=50, title="What each technique brings", build=build)
