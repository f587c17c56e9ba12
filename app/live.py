"""The design that stands in the controls: how a person changes it, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dse import figures, registry, units
from dse.answers import Answer
from dse.breakdown import Breakdown, broken_down, nothing
from dse.certainty import HEAD, known_from, told
from dse.chart import words
from dse.spec import AnyModel

from . import design, front
from .context import Context
from .controls import Control, controls
from .design import Settings
from .page import aria

State = dict[str, Any]
"""What the browser keeps of a design: `model` and `settings`."""


def page_of(state: State) -> AnyModel:
    """The page of a design.

    Raises:
        InputError: a page nobody knows.
    """
    return registry.model(str(state["model"]))


def controls_of(context: Context, page: AnyModel) -> dict[str, Control]:
    """The page's controls, with the run's ranges where the run is about this page."""
    snapshot = context.readable()
    return controls(page, None if snapshot is None else snapshot.study)


@dataclass(frozen=True)
class Change:
    """One thing a person did: `kind` is range, text, menu, graph or grid."""

    kind: str
    path: str
    value: Any


def applied(context: Context, state: State, change: Change) -> Settings:
    """The settings after a change.

    Raises:
        InputError: text that is no value of the knob, or a mark that the page cannot open.
    """
    settings: Settings = dict(state["settings"])
    if change.kind in ("graph", "grid"):
        return front.picked(context, page_of(state), int(change.value))
    control = controls_of(context, page_of(state))[change.path]
    if change.kind == "range":
        return settings | {change.path: control.value(float(change.value))}
    return settings | {change.path: design.entered(control.knob, str(change.value))}


def boxes(context: Context, state: State) -> dict[str, dict[str, object]]:
    """What each control shows for a design: kind -> knob -> value."""
    found = controls_of(context, page_of(state))
    settings: Settings = state["settings"]
    return {
        "range": {p: c.position(float(settings[p])) for p, c in found.items() if c.slides},
        "text": {p: design.shown(c.knob, settings[p]) for p, c in found.items() if not c.choices},
        "menu": {p: settings[p] for p, c in found.items() if c.choices},
    }


def result(context: Context, state: State) -> tuple[Component, str]:
    """What a design is worth, in words and numbers, and the link that reproduces it."""
    page, settings = page_of(state), state["settings"]
    priced, link = design.price(page, settings), design.query(page, settings)
    if priced.answer is None:
        return html.P(priced.refusal, className="refusal"), link
    answer = priced.answer
    return html.Div([*_verdict(context, page, settings, answer), _metrics(page, answer)]), link


def breakdown(state: State, *, dark: bool) -> Any:  # noqa: ANN401 - a figure
    """What the design's total is made of; no bars where the page refuses it, or it is 0."""
    page = page_of(state)
    priced = design.price(page, state["settings"])
    if priced.answer is None:
        return _nothing(dark=dark)
    broken = _broken_down(page, priced.answer)
    if broken is None:
        return _nothing(nothing(page), dark=dark)
    total = priced.answer["metrics"][broken.metric]
    chart = figures.breakdown(page, broken, (total["low"], total["high"]))
    return figures.plotly(chart, dark=dark)


def _nothing(said: str | None = None, *, dark: bool) -> Any:  # noqa: ANN401 - a figure
    """No bars: an empty chart in the same look."""
    return figures.plotly(figures.growth([]), dark=dark).update_layout(
        title=said, xaxis={"visible": False}, yaxis={"visible": False}
    )


def _broken_down(page: AnyModel, answer: Answer) -> Breakdown[float] | None:
    metrics = {name: _number(entry["value"]) for name, entry in answer["metrics"].items()}
    return broken_down(page, metrics, {n: _number(v) for n, v in answer["terms"].items()})


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _verdict(
    context: Context, page: AnyModel, settings: Settings, answer: Answer
) -> list[Component]:
    """Whether the design can run, what bounds it, and what to be careful about."""
    snapshot = context.readable()
    missed = (
        design.missed(snapshot.study, settings)
        if snapshot is not None and snapshot.study.page is page
        else []
    )
    feasible = answer["metrics"]["feasible"]["value"]
    refusal = [] if feasible else ["Infeasible: the page says that this design cannot run."]
    return [
        *(html.P(text, className="refusal") for text in (*refusal, *missed)),
        html.P(bottleneck(page, answer)),
        *(html.P(f"Caution: {text}", className="warning") for text in answer["warnings"]),
    ]


def bottleneck(page: AnyModel, answer: Answer) -> str:
    """The busiest resource in words, and the next one."""
    unit = page.metrics[page.total].unit
    known = {name: value for name, value in answer["resources"].items() if value is not None}
    ranked = sorted(known.items(), key=lambda item: -item[1])
    if not ranked:
        return "The page names no resource that could be the bottleneck."
    first, *rest = (f"{words(n).lower()} ({units.show(v, unit)})" for n, v in ranked)
    return f"Bottleneck: {first}" + (f", then {rest[0]}." if rest else ".")


def _metrics(page: AnyModel, answer: Answer) -> Component:
    heads = html.Tr([html.Th(head, scope="col") for head in ("metric", "value", "known from")])
    rows = [_metric(page, name, entry) for name, entry in answer["metrics"].items()]
    return html.Table(
        [
            html.Caption("Metrics of this design", className="hidden"),
            html.Thead(heads),
            html.Tbody(rows),
        ],
        className="metrics",
    )


def _metric(page: AnyModel, name: str, entry: Mapping[str, Any]) -> Component:
    """A metric's value over its interval, and its tier with what that rests on."""
    span, known = told(entry), known_from(entry)
    interval = [html.Span(span, title=HEAD, className="span")] if span else []
    shown = html.Span(front.describe(entry["value"], entry["unit"]), id=f"explore-{name}-value")
    return html.Tr(
        [
            html.Th(words(name), scope="row", title=page.metrics[name].text),
            html.Td([shown, *interval]),
            html.Td(known, title=entry["basis"], className=known),
        ]
    )


def panel(page: AnyModel, problems: Mapping[str, str] | tuple[str, ...]) -> Component:
    """Where the results of the design appear."""
    return html.Section(
        [
            html.H2("This design"),
            html.Div(
                [html.P(problem, className="refusal") for problem in problems],
                id="explore-link-alert",
                role="alert",
            ),
            html.Div(id="explore-result-panel", **aria(live="polite")),
            dcc.Graph(
                id="explore-terms-graph",
                config={"displayModeBar": False, "responsive": True},
                style={"height": "16rem"},
            ),
            html.P(
                [
                    html.A("Link to this design", id="explore-link-anchor", href=""),
                    f" · page '{page.slug}': {page.paper.question}",
                ],
                className="caption",
            ),
        ],
        className="card result",
    )
