"""The equations that the balanced design hangs on, with their numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from dse import registry, units
from dse.errors import InputError
from dse.exposition import Maths, exposition
from dse.grounds import NUDGE
from dse.units import UnitError

from .formulas import AnyBlock, RichTable, rich
from .nudged import Used, used
from .section import Context, Paragraph, Section
from .wording import configured, heading, listed, percent, quantity, words

ROWS = 12
"""Equations that are written out; `dse report --paper` holds all of a page."""

LARGE = 1e6
"""From which a bare number is hard to read in full."""

GOALS = 3
"""Objectives that have a column."""


def build(context: Context) -> Sequence[AnyBlock]:
    """A table of the weightiest equations, and the others by name."""
    if len(context.shown) == 0:
        return [Paragraph("No design could be priced, so no equation has a number.")]
    page, config = configured(context, context.balanced)
    goals = [objective.metric for objective in context.study.objectives]
    found, idle = used(page, config, goals, context.pages)
    if not found:
        return [Paragraph("No function with a formula moves an objective of this design.")]
    counts = Counter(use.page for use in found)
    parts = listed([f"{count} of '{slug}'" for slug, count in counts.items()])
    which = "balanced" if context.feasible else "nearest"
    return [
        Paragraph(
            f"The {which} design hangs on {len(found)} equations: {parts}. {idle} more were asked "
            "and move no objective here, as the laws of devices it does not have.",
            "lead",
        ),
        _table(found[:ROWS], goals[:GOALS]),
        *_others(found[ROWS:]),
    ]


def _table(found: Sequence[Used], goals: Sequence[str]) -> RichTable:
    return RichTable(
        ["Equation", "It says", "Here", *map(heading, goals)],
        [
            [
                f"{words(use.equation.name)} ({use.page})",
                rich(use.equation.text),
                _numbers(use),
                *(_moved(use, goal) for goal in goals),
            ]
            for use in found
        ],
        "Equations in use, the weightiest first. The last columns say what an objective does when "
        f"the equation gives {NUDGE:g} times as much, all else as it is. Brackets behind a "
        "formula say where it comes from; a number without a unit is in the SI unit that its "
        "formula gives. Source: the pages' docstrings, priced for this design.",
        widths=(16, 42, 15, *(27 / len(goals) for _ in goals)),
        right=range(2, 3 + len(goals)),
    )


def _moved(use: Used, goal: str) -> str:
    share = use.moves.get(goal)
    if share is None:
        return "unknown"
    if math.isinf(share):
        return "from 0 or to infinity"
    return "none" if abs(share) < 5e-5 else percent(share)


def _numbers(use: Used) -> str:
    """What an equation says; of several numbers the least and the largest."""
    unit, values = _unit(use), use.values
    if len(values) == 1:
        return _number(values[0], unit)
    return f"{_number(values[0], unit)} to {_number(values[-1], unit)}, {len(values)} values"


def _number(value: float, unit: str) -> str:
    """A number with its unit; without one, what is large stands in powers of ten."""
    plain = unit == "1" and abs(value) >= LARGE
    return f"{value:.2e}" if plain else quantity(value, unit)


def _unit(use: Used) -> str:
    """The unit of an equation: its metric's, its symbol's, its docstring's, or as it is named."""
    page, name = registry.model(use.page), use.equation.name
    if name in page.metrics:
        return page.metrics[name].unit
    told = [str(piece) for piece in use.equation.text if not isinstance(piece, Maths)]
    brackets = [text.partition("]")[0] for piece in told for text in piece.split("[")[1:]]
    symbols = [row.unit for row in exposition(page).symbols if row.name == name]
    named = ["s"] if name.endswith("_time") else []
    return next((unit for unit in [*symbols, *brackets, *named] if _known(unit)), "1")


def _known(unit: str) -> bool:
    try:
        units.si(unit)
    except (UnitError, InputError):
        return False
    return True


def _others(found: Sequence[Used]) -> list[AnyBlock]:
    if not found:
        return []
    named = listed([f"{words(use.equation.name)} {_numbers(use)}" for use in found])
    return [Paragraph(f"Of less weight, the weightiest first: {named}.")]


SECTION = Section(order=48, title="Equations in use", build=build)
