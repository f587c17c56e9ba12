"""What keeps designs out, what one change would bring, and which error to measure first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dse import figures, levers_charts, tornado
from dse.certainty import HEAD
from dse.drivers import drivers
from dse.grounds import grounds
from dse.margins import CLOSE
from dse.moves import REACH, Setting
from dse.space import Constraint
from dse.spec import AnyModel, Config, Mask, knobs
from dse.tornado import Swing, Tornado

from .section import Block, Context, DataTable, Figure, Paragraph, Section
from .wording import (
    at_prices,
    bound,
    columns,
    configured,
    heading,
    percent,
    quantity,
    words,
)

SAMPLES = 256
"""Rows of the sample behind the ranking of errors: its order holds, its third digit does not."""

STRONGEST = 3
"""Knobs outside the study that are named for each objective."""

GOALS = 4
"""Objectives whose outer knobs are told."""

MANIFOLD = 2.0
"""Share of a bound to spare from which it is told as a multiple."""

SHARE = 0.05
"""Share of an interval's spread from which an error is told."""


def build(context: Context) -> list[Block]:
    """Constraints, then single changes inside and outside the study, then errors."""
    return [*_bounds(context), *_changes(context), *_measure(context)]


def _bounds(context: Context) -> list[Block]:
    """How many designs each constraint keeps out, and how near the shown ones stand to it."""
    limits, shown = context.study.constraints, context.shown
    runs = context.designs["feasible"].astype(np.bool_)
    stuck = 1 - float(np.mean(runs))
    said = f"{_share(stuck)} of the designs cannot run at all, for want of memory, say."
    if not limits:
        return [Paragraph(f"The study sets no constraint. {said}")]
    missed = np.stack([c.violation(context.designs[c.column]) > 0 for c in limits])
    alone = missed & (missed.sum(axis=0) == 1)
    chosen = context.recommended if context.feasible else list(range(len(shown)))
    return [
        DataTable(
            ["Constraint", "Keeps out", "It alone", *(heading(context.why[r]) for r in chosen)],
            [
                [
                    bound(context.study, limit),
                    *(_share(float(np.mean(out[runs])) if runs.any() else np.nan) for out in pair),
                    *(_room(context, limit, row) for row in chosen),
                ]
                for limit, *pair in zip(limits, missed, alone, strict=True)
            ],
            "What binds: the share of the designs that can run which a constraint keeps out, and "
            "the share that nothing else keeps out; then how much of the bound each design has "
            f"to spare. Less than {100 * CLOSE:g} % is binding. {_surely(limits)}{said}",
            widths=(30, 12, 12, *(46 / len(chosen) for _ in chosen)),
            right=range(1, 3 + len(chosen)),
        )
    ]


def _surely(limits: Sequence[Constraint]) -> str:
    if all(limit.confidence is None for limit in limits):
        return ""
    return "A bound that asks for a probability is judged by the interval's end, which is shown. "


def _share(share: float) -> str:
    return percent(share).lstrip("+")


def _room(context: Context, limit: Constraint, row: int) -> str:
    """What a design reaches, and what it has to spare of a bound."""
    value = float(context.shown[limit.column][row])
    unit = context.study.metrics[limit.metric].unit
    missed = float(limit.violation(np.array([value]))[0])
    said = quantity(value, unit)
    if missed > 0:
        return f"{said}, missed by {_share(missed)}"
    if limit.limit == 0 or not np.isfinite(value):
        return said
    spare = abs(value - limit.limit) / abs(limit.limit)
    if spare > MANIFOLD:
        return f"{said}, {value / limit.limit:.3g} times the bound"
    return f"{said}, {'binding' if spare < CLOSE else 'spare'} {_share(spare)}"


def _changes(context: Context) -> list[Block]:
    """What one changed knob makes of the balanced design."""
    if len(context.shown) == 0:
        return []
    study, row = context.study, context.balanced
    start = {k: float(v[row]) for k, v in columns(study, context.shown).items()}
    inside = tornado.along(study, start)
    outside = tornado.around(*configured(context, row))
    goals = [o.metric for o in study.objectives]
    return [
        *_best(context, inside, goals),
        *_drawn(inside, goals),
        *_outer(context, outside, goals[:GOALS]),
    ]


def _best(context: Context, found: Tornado, goals: Sequence[str]) -> list[Block]:
    """The change of one knob of the study that helps each objective most."""
    allowed = replace(found, runs=found.runs & _passing(context, found, goals))
    rows = []
    for goal in goals:
        best, unit = allowed.best(goal), found.page.metrics[goal].unit
        here = quantity(found.here[goal], unit)
        if best is None:
            rows.append([words(goal), here, "no single change", "", ""])
            continue
        price = {name: value for name, value in best.worsens.items() if name in goals}
        rows.append(
            [
                words(goal),
                here,
                f"{words(best.knob)} {_set(found.page, best.knob, best.setting)}",
                quantity(best.value, unit),
                ", ".join(
                    f"{words(n)} {quantity(v, found.page.metrics[n].unit)}"
                    for n, v in price.items()
                )
                or "no other objective",
            ]
        )
    return [
        DataTable(
            ["Objective", "Here", "Best single change", "Reaches", "And worsens"],
            rows,
            f"What would help the {_name(context)} design most: one knob of the study changed at "
            f"a time, to what can run and meets the bounds{at_prices(context)}.",
            widths=(18, 14, 28, 14, 26),
            right=(1, 3),
        )
    ]


def _name(context: Context) -> str:
    return "balanced" if context.feasible else "nearest"


def _passing(context: Context, found: Tornado, goals: Sequence[str]) -> Mask:
    """Changes that leave every objective known and every bound met.

    A bound that asks for a probability is judged by the prediction itself.
    """
    known = [~np.isnan(found.metrics[goal]) for goal in goals]
    met = [c.violation(found.metrics[c.metric]) == 0 for c in context.study.constraints]
    passing: Mask = np.logical_and.reduce([*known, *met])
    return passing


def _set(page: AnyModel, knob: str, value: Setting) -> str:
    return value if isinstance(value, str) else quantity(value, knobs(page.config)[knob].unit)


def _drawn(found: Tornado, goals: Sequence[str]) -> list[Block]:
    """The first objective that single changes move, drawn."""
    for goal in goals:
        if any(0 < swing.size < np.inf for swing in found.swings(goal)):
            chart = levers_charts.tornado(found, goal)
            source = (
                f"Predictions of the page '{found.page.slug}'; knobs as the study varies them."
            )
            return [Figure(figures.svg(chart), f"{chart.title}. {chart.caption} {source}")]
    return []


def _outer(context: Context, found: Tornado, goals: Sequence[str]) -> list[Block]:
    """The numbers outside the study that move each objective most."""
    varied = set(context.study.space.by_path)
    rows = [
        [
            words(goal) if i == 0 else "",
            words(swing.knob) + (" (fitted)" if swing.knob in found.fixed else ""),
            _set(found.page, swing.knob, swing.setting),
            *(_end(found, goal, swing, low=low) for low in (True, False)),
        ]
        for goal in goals
        for i, swing in enumerate(_outermost(found, goal, varied))
    ]
    if not rows:
        return []
    return [
        DataTable(
            ["Objective", "Number", "As it stands", "Least, at", "Most, at"],
            rows,
            "What the study takes as given and would move the answer most: numbers changed by "
            f"{100 * REACH:.0f} % of themselves, whole ones by one at least, one at a time, from "
            f"the {_name(context)} design. A fitted number tells of the page, nobody can choose "
            "it.",
            widths=(20, 26, 14, 20, 20),
            right=(2, 3, 4),
        )
    ]


def _outermost(found: Tornado, goal: str, varied: set[str]) -> list[Swing]:
    """The farthest swings of numbers that the study leaves alone."""
    swings = [s for s in found.swings(goal) if 0 < s.size < np.inf and s.knob not in varied]
    numbers = [s for s in swings if not isinstance(s.setting, str)]
    return numbers[:STRONGEST]


def _end(found: Tornado, goal: str, swing: Swing, *, low: bool) -> str:
    value, at = (swing.low, swing.low_at) if low else (swing.high, swing.high_at)
    said = quantity(value, found.page.metrics[goal].unit)
    return f"{said}, at {_set(found.page, swing.knob, at)}" if at != swing.setting else said


def _measure(context: Context) -> list[Block]:
    """Which error the intervals of the balanced design come from, the largest first."""
    if len(context.shown) == 0:
        return []
    page, config = configured(context, context.balanced)
    goals = [o.metric for o in context.study.objectives]
    if not page.uncertain:
        return _rests(page, config, goals)
    found = drivers(page, config, goals, samples=SAMPLES)
    rows = []
    for goal in goals:
        known = found.get(goal)
        told = [i for i in known.ranked if known.total[i] >= SHARE] if known else []
        rows += [
            [words(goal) if n == 0 else "", known.inputs[i], _share(float(known.total[i]))]
            for n, i in enumerate(told)
            if known
        ]
    if not rows:
        return [Paragraph("No error that was checked moves an objective of this design.")]
    first = rows[0][1]
    return [
        DataTable(
            ["Objective", "Error of", "Share of its spread"],
            rows,
            f"Measure this first: {first}. The errors of other pages that the {HEAD}s of the "
            f"{_name(context)} design come from, as total Sobol indices over {SAMPLES} sampled "
            f"rows; those below {_share(SHARE)} are left out.",
            widths=(26, 48, 26),
            right=(2,),
        )
    ]


def _rests(page: AnyModel, config: Config, goals: Sequence[str]) -> list[Block]:
    """What each objective's interval rests on, for a page with an error model of its own."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        known = grounds(page, config, page.evaluate(config))
    said = "; ".join(f"{words(goal)}: {known[goal].basis}" for goal in goals)
    return [Paragraph(f"What the intervals of the objectives rest on: {said}.")]


SECTION = Section(order=40, title="What binds, and what would help", build=build)
