"""What each technique of one compared design brings, alone and together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from dash import html
from dash.development.base_component import Component

from dse import units
from dse.ablation import SMALL, Ablation, Term, ablate
from dse.chart import words
from dse.choice import chosen
from dse.errors import InputError
from dse.grids import in_settings
from dse.spec import Technique

from .compared import Compared

TERMS = 12
"""Terms of one metric that have a line of their own."""

LISTED = 8
"""Most terms without a line of their own that are named."""

CELLS = 64
"""Most combinations that are listed."""


def ablation(found: Compared, letter: str, metric: str | None) -> Component:
    """What each technique of one design brings alone and together, for one metric.

    Without a metric it is the total, or the first of the ranked ones that some technique changes.

    Raises:
        InputError: no design of that letter, or one whose techniques cannot be switched.
    """
    design = found.lettered(letter)
    if design is None or design.page is None or design.config is None:
        known = ", ".join(of.letter for of in found.shown) or "none"
        raise InputError(f"no design {letter} is compared; choose one of: {known}")
    asked = chosen(design.page, [metric] if metric else [])
    held = ablate(design.page, design.config)
    name = next((name for name in asked if _changes(held, name)), asked[0])
    return html.Div([html.H3(f"{words(name)} of {design.title}"), *_brought(held, name)])


def _changes(held: Ablation, metric: str) -> bool:
    """Whether a metric differs between the combinations that run."""
    values = held.cells[metric][[not text for text in held.refusals]]
    return bool(np.any(values != values[:1]) and np.isfinite(values).any())


def _brought(held: Ablation, metric: str) -> Iterator[Component]:
    yield html.P(_counts(held))
    yield html.Ul([_technique(held, technique) for technique in held.techniques])
    left = (("left out, for the design has them off", held.left_out),)
    for said, techniques in (*left, ("without effect on any metric", held.idle)):
        if techniques:
            yield html.P(f"{words(said)}: {', '.join(t.slug for t in techniques)}.")
    for text in held.clashes:
        yield html.P(text, className="warning")
    if not held.techniques:
        return
    if all(held.refusals):
        yield html.P("No combination can run, so there is nothing to compare.")
        return
    yield html.P(_effect(held, metric))
    yield from _terms(held, metric)
    yield _combinations(held, metric)


def _counts(held: Ablation) -> str:
    counts = ((len(held.techniques), "technique"), (len(held.cells), "combination"))
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)


def _technique(held: Ablation, technique: Technique) -> Component:
    off = in_settings(held.offs[technique.slug])
    return html.Li([html.Strong(technique.slug), f": {technique.text} (off: {off})"])


def _effect(held: Ablation, metric: str) -> str:
    """Both ends in words, and what all techniques together make of the metric."""
    unit, values = held.cells.units[metric], held.cells[metric]
    low, high = (units.show(float(value), unit) for value in values[[0, -1]])
    effect = held.effect(metric)
    known = (
        "" if np.isnan(effect.ln) else f": x{effect.factor:.3g}, so all together {effect.verdict}"
    )
    sense = {"min": " (lower is better)", "max": " (higher is better)"}
    better_way = sense.get(held.page.metrics[metric].sense, "")
    return f"{words(metric)}{better_way}: {low} with all off, {high} with all on{known}."


def _terms(held: Ablation, metric: str) -> Iterator[Component]:
    """A line for each term that says something; the others by what they say."""
    terms, on_top = held.terms(metric), held.on_top(metric)
    if terms[0].verdict == "unknown" != on_top[0].verdict:
        yield html.P("No term is known without the value with all off; with the others on:")
        terms = on_top
    said = [term for term in terms if abs(term.ln) >= SMALL]
    if said:
        yield _sheet(
            ("technique", "factor", "ln", "alone or together"),
            [(_name(t), f"x{t.factor:.3g}", f"{t.ln:+.3f}", t.verdict) for t in said[:TERMS]],
        )
    if len(said) > TERMS:
        yield html.P(f"{len(said) - TERMS} smaller terms are not shown; dse ablate has them all.")
    for verdict in ("no effect", "compose", "unknown"):
        names = [_name(term) for term in terms if term.verdict == verdict]
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        if names:
            yield html.P(f"{words(verdict)}: {', '.join(names[:LISTED])}{more}.")
    if len(held.techniques) > 1:
        yield html.P(
            "Alone a technique helps or hurts. Together they reinforce or cancel each other, or "
            f"compose: their factors multiply, within {100 * SMALL:g} %.",
            className="caption",
        )


def _name(term: Term) -> str:
    return " + ".join(term.techniques)


def _combinations(held: Ablation, metric: str) -> Component:
    """Every combination with its value, or why it has none."""
    slugs, unit = [t.slug for t in held.techniques], held.cells.units[metric]
    rows = range(len(held.cells))[:CELLS]
    cells = [
        (
            *("on" if held.cells[slug][row] else "·" for slug in slugs),
            held.refusals[row] or units.show(float(held.cells[metric][row]), unit),
        )
        for row in rows
    ]
    some = f"the first {CELLS} of " if len(held.cells) > CELLS else ""
    head = html.Summary(f"All combinations ({some}{len(held.cells)})")
    return html.Details([head, _sheet((*slugs, words(metric)), cells)])


def _sheet(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Component:
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    body = html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows])
    return html.Div(html.Table([head, body], className="sheet"), className="wide")
