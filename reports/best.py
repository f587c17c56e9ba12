"""The designs that are worth building: the best of each objective and the balanced one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dse.certainty import CHANCES, HEAD, UNCHECKED, chance, of_column
from dse.evaluate import Table
from dse.interval import TIERS
from dse.provenance import Number
from dse.study import Study

from .section import Block, Context, DataTable, Facts, Paragraph, Section
from .wording import (
    UNUSED,
    active,
    at_prices,
    cell,
    heading,
    listed,
    priced,
    quantity,
    spread,
    words,
)


def build(context: Context) -> list[Block]:
    """Recommended designs side by side: knobs, then what they reach and how sure that is."""
    if not context.feasible:
        return [Paragraph("No design is recommended, because no design meets every constraint.")]
    chosen = context.recommended
    study, best = context.study, context.best.take(np.array(chosen))
    why = [context.why[row] for row in chosen]
    goals = [objective.metric for objective in study.objectives]
    bound = [limit.metric for limit in study.constraints if limit.metric not in goals]
    told = dict.fromkeys([*goals, *bound])
    others = [name for name in study.metrics if name not in told and name != "feasible"]
    settings = {axis.path: _settings(study, best, axis.path) for axis in study.space.axes}
    knobs = [[words(path), *cells, ""] for path, cells in settings.items() if {*cells} != {UNUSED}]
    same = [name for name in others if len(best) > 1 and len({*_values(best, name)}) == 1]
    groups = [_reached(best, name) for name in told]
    rest = [_reached(best, name)[0] for name in others if name not in same]
    return [
        Paragraph(
            "Each column is one design: first its knobs, then the objectives (shaded), then what "
            f"else the page says of it. Objectives and bounded numbers carry {HEAD}s. Knobs that "
            "no design here uses are left out; what the study holds fixed is listed under the "
            "question.",
            "lead",
        ),
        DataTable(
            ["", *map(heading, why), "Known from"],
            [*knobs, *(row for rows in groups for row in rows), *_chances(best), *rest],
            f"Recommended designs{at_prices(context)}; predictions of the page "
            f"'{study.page.slug}', whose errors are under Validation. {_tiers_words()}",
            right=range(1, len(best) + 1),
            marked=range(len(knobs), len(knobs) + sum(map(len, groups[: len(goals)]))),
            mark="important",
        ),
        *_same({name: cell(best, name, 0) for name in same}),
        *_priced(context, best),
        *_commands(context, why),
        *_flags(context),
    ]


def _priced(context: Context, best: Table) -> list[Block]:
    """What the parts of these designs cost, where an answer is in money."""
    listed_prices = context.study.prices.tables["prices"]["prices"]
    used = {
        slug
        for axis in context.study.space.axes
        for row, slug in enumerate(best.words(axis.path) if axis.rows else ())
        if active(context.study, best, axis.path)[row]
    }
    known = {slug: listed_prices[slug] for slug in sorted(used & listed_prices.keys())}
    said = [
        f"{slug} {quantity(number.value, number.unit)} ({number.source.kind})"
        for slug, number in known.items()
        if isinstance(number, Number)
    ]
    if not said or not at_prices(context):
        return []
    return [Facts([(f"Prices of {context.prices}", listed(said))])]


def _commands(context: Context, why: Sequence[str]) -> list[Block]:
    """How each design is had as a config that every verb takes."""
    names = [part.split(", ")[0].removeprefix("best ") for part in why]
    pairs = [f"dse eval {context.run.path}:{name}" for name in names]
    return [
        Paragraph("Every verb takes these designs by name, here to price them again:", "lead"),
        *(Paragraph(text, "code") for text in pairs),
    ]


def _values(best: Table, name: str) -> list[str]:
    return [cell(best, name, row) for row in range(len(best))]


def _reached(best: Table, name: str) -> list[list[str]]:
    """A metric of every design with its tier, and a row of intervals where there are any."""
    spans = [spread(best, name, row) for row in range(len(best))]
    values = [words(name), *_values(best, name), of_column(best, name)]
    return [values, *([[HEAD, *spans, ""]] if any(spans) else [])]


def _chances(best: Table) -> list[list[str]]:
    return [[said, *map(chance, best[name].tolist()), ""] for name, said in CHANCES.items()]


def _tiers_words() -> str:
    best, *between, worst = TIERS
    return (
        f"Tiers from best to worst: {best}, {', '.join(between)}, {worst}; nothing was held "
        f"against what is {UNCHECKED}."
    )


def _same(told: dict[str, str]) -> list[Block]:
    """One line for what every design reaches alike, such as a latency of 0 where none serves."""
    said = listed([f"{words(name)} {text}" for name, text in told.items()])
    return [Paragraph(f"The same in all, at three digits: {said}.")] if told else []


def _settings(study: Study, best: Table, path: str) -> list[str]:
    """A knob's value in each design; a knob whose condition fails plays no part."""
    used = active(study, best, path)
    return [cell(best, path, row) if on else UNUSED for row, on in enumerate(used)]


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
