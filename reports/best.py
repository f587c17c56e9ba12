"""The designs that are worth building: the best of each objective and the balanced one."""

from __future__ import annotations

import numpy as np

from .section import Block, Context, DataTable, Paragraph, Section
from .wording import UNUSED, active, at_prices, cell, heading, listed, priced, words


def build(context: Context) -> list[Block]:
    """Recommended designs side by side: knobs, then what they reach."""
    if not context.feasible:
        return [Paragraph("No design is recommended, because no design meets every constraint.")]
    study, best = context.study, context.best
    goals = [objective.metric for objective in study.objectives]
    others = [name for name in study.metrics if name not in (*goals, "feasible")]
    settings = {axis.path: _settings(context, axis.path) for axis in study.space.axes}
    knobs = [[words(path), *cells] for path, cells in settings.items() if {*cells} != {UNUSED}]
    cells = {n: [cell(best, n, row) for row in range(len(best))] for n in (*goals, *others)}
    same = [name for name in others if len(best) > 1 and len({*cells[name]}) == 1]
    reached = [[words(name), *row] for name, row in cells.items() if name not in same]
    return [
        Paragraph(
            "Each column is one design: first its knobs, then the objectives (shaded), then what "
            "else the page says of it. Knobs that no design here uses are left out; what the "
            "study holds fixed is listed under the question.",
            "lead",
        ),
        DataTable(
            ["", *map(heading, context.why)],
            [*knobs, *reached],
            f"Recommended designs{at_prices(context)}; predictions of the page "
            f"'{study.page.slug}', whose errors are under Validation.",
            right=range(1, len(best) + 1),
            marked=range(len(knobs), len(knobs) + len(goals)),
            mark="important",
        ),
        *_same({name: cells[name][0] for name in same}),
        *_flags(context),
    ]


def _same(told: dict[str, str]) -> list[Block]:
    """One line for what every design reaches alike, such as a latency of 0 where none serves."""
    said = listed([f"{words(name)} {text}" for name, text in told.items()])
    return [Paragraph(f"The same in all, at three digits: {said}.")] if told else []


def _settings(context: Context, path: str) -> list[str]:
    """A knob's value in each design; a knob whose condition fails plays no part."""
    used = active(context.study, context.best, path)
    return [cell(context.best, path, row) if on else UNUSED for row, on in enumerate(used)]


def _flags(context: Context) -> list[Block]:
    """Why single designs should be trusted less."""
    page = context.study.page
    said = {**page.flags, **page.remarks}
    raised = priced(context.study, context.best).flags
    found = []
    for name, mask in raised.items():
        at = np.flatnonzero(np.broadcast_to(mask, len(context.best))).tolist()
        if at:
            named = listed([words(context.why[row]) for row in at])
            text = f"{heading(named)}: {said[name]}."
            found.append(Paragraph(text, "warning"))
    return [*found]


SECTION = Section(order=30, title="Recommended designs", build=build)
