"""The trade-offs that a page declares, live: sliders and menus that price a curve again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from dash import ALL, MATCH, Dash, Input, Output, State, ctx, dcc, html
from dash.dependencies import Wildcard
from dash.development.base_component import Component

from dse import curve_charts, figures, registry, traced, units
from dse.chart import Chart, words
from dse.curves import AnyCurve, Timeline, declared
from dse.errors import InputError
from dse.spec import AnyModel, at, knobs

from .controls import Control, controls, dom
from .design import Settings, flatten
from .front import GRAPH
from .page import aria

STORE = "papers-model-store"
"""Keeps which page is shown, and what its link sets."""

KINDS = ("ranges", "menus")

Placed = Mapping[str, Any]
"""Knob -> position of its slider, or the slug of its menu."""


def part(kind: str, curve: int | Wildcard, index: str | Wildcard) -> dict[str, Any]:
    """The id of one part of a curve: a `range`, `menu` or `value` of a knob, or a `graph`."""
    return {"type": f"papers-curve-{kind}", "curve": curve, "index": index}


def moved_by(page: AnyModel, settings: Settings) -> Settings:
    """The settings of a design that are not the page's defaults."""
    usual = flatten(registry.starting_point(page))
    return {path: value for path, value in settings.items() if value != usual[path]}


def panels(page: AnyModel, asked: Settings) -> list[Component]:
    """A card for each curve of a page.

    Args:
        page: the model.
        asked: knobs that the link sets.
    """
    found = declared(page.slug)
    if not found:
        return []
    return [
        html.H2("The trade-off, live"),
        *(_panel(page, number, curve, asked) for number, curve in enumerate(found)),
        html.P(
            html.A("Link to these curves", id="papers-link-anchor", href=""), className="caption"
        ),
    ]


def _panel(page: AnyModel, number: int, curve: AnyCurve, asked: Settings) -> Component:
    start = start_of(page, curve, asked)
    found = controls(page, None)
    moves = [_control(number, found[path], start[path]) for path in curve.sliders]
    names = graphs(page, curve)
    return html.Section(
        [
            html.H3(curve.title),
            html.P(curve.text),
            html.Div(
                [
                    html.Div(moves, className="moves"),
                    html.Div([_graph(number, name) for name in names], className="drawn"),
                ],
                className="curve",
            ),
        ],
        className="card",
    )


def _graph(number: int, name: str) -> Component:
    graph = dcc.Graph(id=part("graph", number, name), config=GRAPH, style={"height": "26rem"})
    told = html.P(id=part("caption", number, name), className="caption", **aria(live="polite"))
    return html.Div([dcc.Loading(graph, delay_show=500), told])


def graphs(page: AnyModel, curve: AnyCurve) -> tuple[str, ...]:
    """What each chart of a curve is called."""
    if isinstance(curve, Timeline):
        return ("timeline",)
    stacked = knobs(page.config)[curve.knob].catalog is not None
    return ("stack",) if stacked else curve.metrics


def start_of(page: AnyModel, curve: AnyCurve, asked: Settings) -> Settings:
    """Where the sliders and menus of a curve stand at first."""
    base = traced.base_of(page, curve, asked)
    known = knobs(page.config)
    return {
        path: str(at(base, path).slug) if known[path].catalog else float(at(base, path))
        for path in curve.sliders
    }


def _control(number: int, control: Control, value: float | str) -> Component:
    """A slider with its value beside its name, or a menu."""
    knob = control.knob
    name = words(knob.path)
    if control.choices:
        menu = part("menu", number, knob.path)
        listed = dcc.Dropdown(
            id=menu,
            options=list(dict.fromkeys((*control.choices, value))),
            value=value,
            clearable=False,
            className="menu",
        )
        label = html.Label(name, htmlFor=dom(menu), title=knob.text)
        return html.Div([label, listed], className="move")
    slider, shown = part("range", number, knob.path), part("value", number, knob.path)
    low, high = (units.show(end, knob.unit) for end in (control.low, control.high))
    label = html.Label(name, htmlFor=dom(slider), title=knob.text)
    return html.Div(
        [
            html.Div(
                [label, html.Output(units.show(float(value), knob.unit), id=shown)],
                className="named",
            ),
            dcc.Input(
                id=slider,
                type="range",
                min=0,
                max=control.steps,
                step=1,
                value=control.position(float(value)),
                className="range",
            ),
            html.Div([html.Span(low), html.Span(high)], className="ends", **aria(hidden="true")),
        ],
        className="move slide",
    )


def settings_of(page: AnyModel, curve: AnyCurve, asked: Settings, placed: Placed) -> Settings:
    """What the link, sliders and menus set; an unmoved slider keeps its exact value."""
    start, found = start_of(page, curve, asked), controls(page, None)
    settings = dict(asked)
    for path, place in placed.items():
        control = found[path]
        if control.choices:
            settings[path] = str(place)
        elif int(place) == control.position(float(start[path])):
            settings[path] = start[path]
        else:
            settings[path] = control.value(float(place))
    return settings


def charts(page: AnyModel, curve: AnyCurve, settings: Settings) -> Sequence[Chart]:
    """The charts of a curve at some settings, in the order of `graphs`.

    A timeline of a design that the page does not cover is empty and says why.

    Raises:
        InputError: a value that the page cannot read.
    """
    if not isinstance(curve, Timeline):
        return curve_charts.curves(traced.trace(page, curve, settings))
    try:
        return [curve_charts.timeline(curve, traced.spans(page, curve, settings)[0])]
    except InputError as error:
        return [replace(curve_charts.timeline(curve, []), caption=f"Nothing runs: {error}")]


def register(app: Dash) -> None:
    """Every curve answers its own sliders; the link holds what was moved in any of them."""
    _register_curves(app)
    _register_links(app)


def _register_curves(app: Dash) -> None:
    @app.callback(
        output={
            "figures": Output(part("graph", MATCH, ALL), "figure"),
            "captions": Output(part("caption", MATCH, ALL), "children"),
            "values": Output(part("value", MATCH, ALL), "children"),
        },
        inputs={
            "ranges": Input(part("range", MATCH, ALL), "value"),
            "menus": Input(part("menu", MATCH, ALL), "value"),
            "dark": Input("app-theme-store", "data"),
            "state": State(STORE, "data"),
        },
    )
    def on_move(
        ranges: list[Any], menus: list[Any], dark: bool | None, state: dict[str, Any]
    ) -> dict[str, object]:
        page = registry.model(str(state["model"]))
        curve = declared(page.slug)[ctx.outputs_grouping["figures"][0]["id"]["curve"]]
        names = {kind: [one["id"]["index"] for one in ctx.args_grouping[kind]] for kind in KINDS}
        placed = {
            **dict(zip(names["ranges"], ranges, strict=True)),
            **dict(zip(names["menus"], menus, strict=True)),
        }
        settings = settings_of(page, curve, state["asked"], placed)
        drawn = charts(page, curve, settings)
        known = knobs(page.config)
        return {
            "figures": [figures.plotly(chart, dark=bool(dark)) for chart in drawn],
            "captions": [chart.caption.removeprefix(curve.text).lstrip() for chart in drawn],
            "values": [
                units.show(float(settings[path]), known[path].unit) for path in names["ranges"]
            ],
        }


def _register_links(app: Dash) -> None:
    @app.callback(
        output=Output("papers-link-anchor", "href"),
        inputs={
            "ranges": Input(part("range", ALL, ALL), "value"),
            "menus": Input(part("menu", ALL, ALL), "value"),
            "state": State(STORE, "data"),
        },
    )
    def on_moved(ranges: list[Any], menus: list[Any], state: dict[str, Any]) -> str:
        page = registry.model(str(state["model"]))
        ids = [one["id"] for kind in KINDS for one in ctx.args_grouping[kind]]
        return link(page, state["asked"], list(zip(ids, (*ranges, *menus), strict=True)))

    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function (link) { if (link) { window.history.replaceState(null, '', link); } }",
        Input("papers-link-anchor", "href"),
    )


def link(page: AnyModel, asked: Settings, parts: Sequence[tuple[Mapping[str, Any], Any]]) -> str:
    """The link to the curves as they stand.

    Args:
        page: the model.
        asked: knobs that the link has set already.
        parts: id of every slider and menu, and where it stands.
    """
    moved = dict(asked)
    for number, curve in enumerate(declared(page.slug)):
        placed = {one["index"]: place for one, place in parts if one["curve"] == number}
        usual, settings = start_of(page, curve, asked), settings_of(page, curve, asked, placed)
        moved |= {path: settings[path] for path in placed if settings[path] != usual[path]}
    texts = {k: v if isinstance(v, str) else f"{v!r}".removesuffix(".0") for k, v in moved.items()}
    return f"/papers?{urlencode({'model': page.slug, **texts}, safe='/')}"
