"""The explorer's first page: a run's front, and one design under live controls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dse import registry
from dse.errors import InputError
from dse.spec import AnyModel

from . import best, design, front, live
from .context import Context
from .controls import panel, part
from .page import Page, aria

STORE = "explore-design-store"
KINDS = ("range", "text", "menu")


def layout(context: Context, search: str) -> Component:
    """The page for a URL's query: question, controls, front and the design's results."""
    asked = _asked(context, search)
    settings = asked.settings
    found = live.controls_of(context, asked.page)
    return html.Div(
        [
            dcc.Store(id=STORE, data={"model": asked.page.slug, "settings": settings}),
            front.question(context),
            html.Div(
                [
                    html.Section(
                        [
                            html.H2("Knobs"),
                            _models(asked.page),
                            html.Div(id="explore-knob-alert", role="alert", className="refusal"),
                            *panel(asked.page, found, settings),
                        ],
                        className="card sidebar",
                    ),
                    live.panel(asked.page, asked.problems),
                    front.panel(context),
                    best.panel(context),
                    front.listing(context),
                ],
                className="columns",
            ),
        ],
        id="explore-page-body",
    )


def _asked(context: Context, search: str) -> design.Asked:
    snapshot = context.readable()
    start = None if snapshot is None else front.balanced(snapshot)
    return design.read(search, default=context.default_model(), start=start)


def _models(page: AnyModel) -> Component:
    """Links to the same view of every page."""
    links = [
        html.A(
            slug,
            href=f"?model={slug}",
            className="model",
            **(aria(current="page") if slug == page.slug else {}),
        )
        for slug in registry.slugs()
    ]
    return html.Nav(["Page: ", *links], className="models", **aria(label="Pages that price"))


def change_of(trigger: str | Mapping[str, str] | None, value: Any) -> live.Change:  # noqa: ANN401
    """What a person did, from what Dash says was triggered.

    Raises:
        PreventUpdate: nothing that names a design, such as a selection that was cleared.
    """
    if not trigger or value in (None, "", []):
        raise PreventUpdate
    if trigger == "explore-front-graph":
        point = value["points"][0]
        if "customdata" not in point:
            raise PreventUpdate
        return live.Change("graph", "", point["customdata"])
    if trigger == "explore-front-grid":
        return live.Change("grid", "", value[0]["row"])
    if isinstance(trigger, str):
        raise PreventUpdate
    return live.Change(trigger["type"].rpartition("-")[2], trigger["index"], value)


def edit(context: Context, state: live.State, change: live.Change) -> tuple[live.State, str]:
    """The design after a change, or the design as it was and why."""
    try:
        settings = live.applied(context, state, change)
    except InputError as error:
        return state, str(error)
    return {**state, "settings": settings}, ""


def register(app: Dash, context: Context) -> None:
    """Connect the page's callbacks."""
    _register_edit(app, context)
    _register_results(app, context)


def _register_edit(app: Dash, context: Context) -> None:
    @app.callback(
        output={
            "state": Output(STORE, "data"),
            "message": Output("explore-knob-alert", "children"),
            **{kind: Output(part(kind, ALL), "value") for kind in KINDS},
        },
        inputs={
            "state": State(STORE, "data"),
            "touched": {kind: Input(part(kind, ALL), "value") for kind in KINDS},
            "clicked": Input("explore-front-graph", "clickData"),
            "chosen": Input("explore-front-grid", "selectedRows"),
        },
        prevent_initial_call=True,
    )
    def on_edit(state: live.State, **_: object) -> dict[str, object]:
        change = change_of(ctx.triggered_id, ctx.triggered[0]["value"])
        after, message = edit(context, state, change)
        return {"state": after, "message": message, **_values(context, after, change, message)}


def _values(
    context: Context, state: live.State, change: live.Change, message: str
) -> dict[str, object]:
    """New values for all controls but the slider in a person's hand; none after a mistake."""
    boxes = live.boxes(context, state)

    def value(kind: str, path: str) -> object:
        still = message or (kind == "range" == change.kind and path == change.path)
        return no_update if still else boxes[kind][path]

    outputs = ctx.outputs_grouping
    return {kind: [value(kind, item["id"]["index"]) for item in outputs[kind]] for kind in KINDS}


def _register_results(app: Dash, context: Context) -> None:
    @app.callback(
        Output("explore-result-panel", "children"),
        Output("explore-link-anchor", "href"),
        Input(STORE, "data"),
    )
    def on_design(state: live.State) -> tuple[Component, str]:
        return live.result(context, state)

    @app.callback(
        Output("explore-terms-graph", "figure"),
        Input(STORE, "data"),
        Input("app-theme-store", "data"),
    )
    def on_terms(state: live.State, dark: bool | None) -> Any:  # noqa: ANN401 - a figure
        return live.breakdown(state, dark=bool(dark))

    @app.callback(
        Output("explore-front-graph", "figure"),
        Output("explore-front-caption", "children"),
        Input("explore-x-menu", "value"),
        Input("explore-y-menu", "value"),
        Input("explore-colour-menu", "value"),
        Input("app-theme-store", "data"),
    )
    def on_axes(x: str, y: str, colour: str | None, dark: bool | None) -> tuple[Any, str]:
        if not x or not y:  # no run: the panel is hidden
            raise PreventUpdate
        return front.scatter(context, x, y, colour, dark=bool(dark))

    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function (link) { if (link) { window.history.replaceState(null, '', link); } }",
        Input("explore-link-anchor", "href"),
    )


PAGE = Page(order=1, path="/", title="Explore", layout=layout, register=register)
