"""The design that stands in the controls: how a person changes it, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from dse import registry, units
from dse.answers import Answer
from dse.certainty import HEAD, known_from, told
from dse.chart import words
from dse.outcome import at_prices
from dse.side_by_side import ratio
from dse.spec import AnyModel
from dse.study import Study

from . import design
from .compare_tables import SIGNS, better
from .context import Context
from .controls import Control, control, controls
from .design import Settings
from .page import aria

CANNOT_RUN = (
    "Infeasible: the page says that this design cannot run. Under 'What would help most' stand "
    "single changes by which it does."
)

State = dict[str, Any]
"""What the browser keeps of a design: `model`, `settings`, the `run` it is read beside, the
`pinned` settings or none, what was `touched` last, and the number of the last change `seen`."""


def page_of(state: State) -> AnyModel:
    """The page of a design.

    Raises:
        InputError: a page nobody knows.
    """
    return registry.model(str(state["model"]))


@contextmanager
def opened(context: Context, state: State) -> Iterator[Context]:
    """The run that a design is read beside, at its prices.

    Raises:
        InputError: the run is not there any more.
    """
    here = context.of("?" + urlencode({"run": state["run"]}))
    with here.priced():
        yield here


def study_of(context: Context) -> Study | None:
    """The study of the run that a design is read beside, if there is one."""
    snapshot = context.readable()
    return None if snapshot is None else snapshot.study


def controls_of(context: Context, page: AnyModel) -> dict[str, Control]:
    """The page's controls, with the run's ranges where the run is about this page."""
    return controls(page, study_of(context))


def control_of(context: Context, state: State, path: str) -> Control:
    """The control of one knob of a design.

    Raises:
        InputError: an unknown knob.
    """
    return control(page_of(state), study_of(context), path)


@dataclass(frozen=True)
class Change:
    """One thing a person did to a knob: `kind` is range, text or menu."""

    kind: str
    path: str
    value: Any


def applied(context: Context, state: State, change: Change) -> Settings:
    """The settings after a change; a text or position that stands for what is set changes nothing.

    Raises:
        InputError: text that is no value of the knob, or a knob nobody knows.
    """
    settings: Settings = dict(state["settings"])
    own = control_of(context, state, change.path)
    if boxes(own, settings[change.path]).get(change.kind) == change.value:
        return settings
    if change.kind == "range":
        return settings | {change.path: own.value(float(change.value))}
    return settings | {change.path: design.entered(own.knob, str(change.value))}


def boxes(own: Control, value: float | str) -> dict[str, object]:
    """What the parts of a control show for a value, by their kind."""
    if own.choices:
        return {"menu": value}
    text: dict[str, object] = {"text": design.shown(own.knob, value)}
    return text | ({"range": own.position(float(value))} if own.slides else {})


def result(context: Context, state: State) -> Component:
    """What a design is worth, in words and numbers, beside the pinned one if there is one."""
    page, settings = page_of(state), state["settings"]
    priced = design.price(page, settings)
    if priced.answer is None:
        return html.P(priced.refusal, className="refusal")
    pinned = design.price(page, state["pinned"]) if state["pinned"] else None
    beside = None if pinned is None else pinned.answer
    refused = [] if pinned is None or beside else [f"The pinned design: {pinned.refusal}"]
    return html.Div(
        [
            *(html.P(text, className="refusal") for text in refused),
            *_verdict(context, page, settings, priced.answer),
            _metrics(page, priced.answer, beside),
            html.P(_caption(page, beside), className="caption"),
        ]
    )


def _caption(page: AnyModel, beside: Answer | None) -> str:
    """How to read the table, and at which prices."""
    held = "▲ better and ▼ worse than the pinned design. " if beside else ""
    listed = at_prices(page, registry.prices())
    at = f" Costs are{listed}." if listed else ""
    return (
        f"{held}Below a value stands its {HEAD}; point at 'known from' for what that rests on.{at}"
    )


def _verdict(
    context: Context, page: AnyModel, settings: Settings, answer: Answer
) -> list[Component]:
    """Whether the design can run, what bounds it, and what to be careful about."""
    study = study_of(context)
    missed = design.missed(study, settings) if study is not None and study.page is page else []
    feasible = answer["metrics"]["feasible"]["value"]
    refusal = [] if feasible else [CANNOT_RUN]
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


def _metrics(page: AnyModel, answer: Answer, beside: Answer | None) -> Component:
    """A line a metric, the total first and then as the page has them."""
    heads = ["metric", "this design", "known from", *(["pinned", "change"] if beside else [])]
    names = dict.fromkeys((page.total, *answer["metrics"]))
    rows = [_metric(page, name, answer, beside) for name in names]
    return html.Table(
        [
            html.Caption("Metrics of this design", className="hidden"),
            html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])),
            html.Tbody(rows),
        ],
        className="metrics",
    )


def _metric(page: AnyModel, name: str, answer: Answer, beside: Answer | None) -> Component:
    """A metric's value over its interval, its tier with what that rests on, and the pinned one."""
    entry = answer["metrics"][name]
    span, known = told(entry), known_from(entry)
    place, said = f"design-{name}-value", describe(entry["value"], entry["unit"])
    alone = html.Td(said, id=place)
    shown = html.Td([html.Span(said, id=place, className="value"), span]) if span else alone
    return html.Tr(
        [
            html.Th(words(name), scope="row", title=page.metrics[name].text),
            shown,
            html.Td(known, title=entry["basis"], className=known),
            *(_against(page, name, entry, beside["metrics"][name]) if beside else []),
        ]
    )


def _against(
    page: AnyModel, name: str, entry: Mapping[str, Any], pinned: Mapping[str, Any]
) -> list[Component]:
    """The pinned design's value, and how this one stands to it."""
    judged = better(entry["value"], pinned["value"], page.metrics[name].sense)
    spoken = html.Span(f" {judged}", className="hidden")
    sign: list[Component | str] = []
    if judged:
        sign = [html.Span(SIGNS[judged], **aria(hidden="true")), " "]
    change = ratio(entry["value"], pinned["value"], entry["unit"])
    return [
        html.Td(describe(pinned["value"], entry["unit"]), id=f"design-{name}-pinned"),
        html.Td([*sign, change, spoken], className=f"compare-change {judged}".strip()),
    ]


def describe(value: float | bool | None, unit: str) -> str:
    """A metric's value in words: unknown stays unknown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else units.show(value, unit)
