"""The explorer's first page: a run as front, lines and table, linked, under movable bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dse.errors import InputError

from . import best, brushed, front, linked, listing, runs, sliders, unopened
from .columns import Opened
from .context import Context
from .front import Axes
from .linked import View
from .page import Page

Limits = dict[str, float | None]
Selection = linked.Selection

STORES = ("run", "limits", "selection", "pins")
"""What the browser keeps: the run's name, limits by bound, the selection, numbers of designs."""

MENUS = tuple(f"explore-{kind}-menu" for kind in ("x", "y", "colour"))


def store(kind: str) -> str:
    """The id of what the browser keeps."""
    return f"explore-{kind}-store"


def layout(context: Context, search: str) -> Component:
    """The page for a URL's query: of a run, or what to do without one.

    Raises:
        InputError: the URL names a run that is not there.
    """
    if "model" in parse_qs(search.removeprefix("?")):
        return unopened.moved(search)
    here = context.of(search)
    with here.priced():
        try:
            opened = here.opened()
        except InputError as error:
            return unopened.refused(here, str(error))
        return unopened.empty() if opened is None else _page(opened, linked.read(opened, search))


def _page(opened: Opened, view: View) -> Component:
    kept: dict[str, Any] = {
        "run": runs.name_of(opened.run),
        "limits": dict(view.limits),
        "selection": view.selection,
        "pins": list(view.pins),
    }
    problems = [html.P(text) for text in view.problems]
    refused = html.Div(id="explore-bounds-alert", role="alert", className="refusal")
    return html.Div(
        [
            *(dcc.Store(id=store(kind), data=kept[kind]) for kind in STORES),
            *(dcc.Store(id=store(kind)) for kind in ("gesture", "rings")),
            dcc.Download(id="explore-file-download"),
            front.question(opened),
            html.Div(problems, id="explore-link-alert", role="alert", className="refusal"),
            html.P(
                [
                    html.A("Link to this view", id="explore-link-anchor", href=""),
                    html.Span(id="explore-link-status"),
                    " · ",
                    html.Button("Report as PDF", id="explore-report-button", type="button"),
                ],
                className="caption",
            ),
            html.Div(
                [
                    sliders.panel(opened, view.limits, refused),
                    front.panel(opened, Axes(view.x, view.y, view.colour)),
                    front.lines_panel(),
                    listing.panel(opened),
                    best.panel(opened),
                ],
                className="explore-columns",
            ),
        ],
        id="explore-page-body",
    )


@contextmanager
def of_run(context: Context, name: str) -> Iterator[Opened]:
    """The run that a view is of, at its prices.

    Raises:
        InputError: the run is not there any more.
    """
    here = context.of("?" + urlencode({"run": name}))
    with here.priced():
        opened = here.opened()
        if opened is None:
            raise InputError("no run is open; search one first")
        yield opened


def register(app: Dash, context: Context) -> None:
    """Connect the page's callbacks."""
    _register_bounds(app, context)
    _register_selection(app, context)
    _register_figures(app, context)
    _register_table(app, context)
    _register_link(app, context)
    brushed.register(app, lambda name: of_run(context, name))


def moved(
    opened: Opened, limits: Limits, trigger: str | Mapping[str, str] | None, value: object
) -> tuple[Limits, str]:
    """The limits after a person moved or typed one, or as they were and why."""
    known = sliders.bounds(opened)
    if isinstance(trigger, str) or trigger is None:
        return sliders.starting(known), ""
    bound = known.get(trigger["index"])
    if bound is None:
        return limits, f"there is no bound {trigger['index']} any more; reload the page"
    try:
        slid = trigger["type"] == "explore-bound-range"
        limit = bound.value(float(str(value))) if slid else bound.read(str(value or ""))
    except InputError as error:
        return limits, str(error)
    return {**limits, bound.key: limit}, ""


def _register_bounds(app: Dash, context: Context) -> None:
    @app.callback(
        output={
            "limits": Output(store("limits"), "data"),
            "message": Output("explore-bounds-alert", "children"),
            **{kind: Output(sliders.part(kind), "value") for kind in sliders.KINDS},
        },
        inputs={
            "run": State(store("run"), "data"),
            "limits": State(store("limits"), "data"),
            "touched": {k: Input(sliders.part(k), "value") for k in sliders.KINDS},
            "reset": Input("explore-bounds-button", "n_clicks"),
        },
        prevent_initial_call=True,
    )
    def on_bound(run: str, limits: Limits, **_: object) -> dict[str, object]:
        trigger, value = ctx.triggered_id, ctx.triggered[0]["value"]
        if trigger == "explore-bounds-button" and not value:
            raise PreventUpdate
        with of_run(context, run) as opened:
            after, message = moved(opened, limits, trigger, value)
            known = sliders.bounds(opened)
        grouped = ctx.outputs_grouping
        keys = {kind: [item["id"]["index"] for item in grouped[kind]] for kind in sliders.KINDS}
        still = trigger if isinstance(trigger, dict) else {}
        return {
            "limits": no_update if message else after,
            "message": message,
            "range": [
                no_update
                if message or still == sliders.part("range", key)
                else known[key].place(after[key])
                for key in keys["range"]
            ],
            "text": [no_update if message else known[k].show(after[k]) for k in keys["text"]],
        }

    @app.callback(
        Output("explore-remaining-status", "children"),
        Output(sliders.part("effect"), "children"),
        State(store("run"), "data"),
        Input(store("limits"), "data"),
    )
    def on_limits(run: str, limits: Limits) -> tuple[list[Component], list[str]]:
        with of_run(context, run) as opened:
            said: list[Component] = [html.P(line) for line in sliders.told(opened, limits)]
            effects = sliders.effects(opened, limits)
        return said, [effects[item["id"]["index"]] for item in ctx.outputs_list[1]]


def _register_selection(app: Dash, context: Context) -> None:
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("explore", "select"),
        Output(store("selection"), "data"),
        Input(store("gesture"), "data"),
        Input("explore-lines-graph", "restyleData"),
        Input("explore-front-grid", "selectedRows"),
        Input("explore-selection-clear", "n_clicks"),
        State("explore-front-graph", "figure"),
        State("explore-lines-graph", "figure"),
        State(store("selection"), "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("explore-selection-status", "children"),
        State(store("run"), "data"),
        Input(store("limits"), "data"),
        Input(store("selection"), "data"),
    )
    def on_selection(run: str, limits: Limits, selection: Selection) -> str:
        with of_run(context, run) as opened:
            rows = brushed.rows(opened, limits, selection)
            return brushed.said(opened, limits, rows)


def _register_figures(app: Dash, context: Context) -> None:
    @app.callback(
        Output("explore-front-graph", "figure"),
        Output("explore-front-caption", "children"),
        State(store("run"), "data"),
        *(Input(menu, "value") for menu in MENUS),
        Input(store("limits"), "data"),
        State(store("selection"), "data"),
        Input("app-theme-store", "data"),
    )
    def on_front(
        run: str,
        x: str,
        y: str,
        colour: str | None,
        limits: Limits,
        selection: Selection,
        dark: bool | None,
    ) -> tuple[Any, str]:
        if not x or not y:
            raise PreventUpdate
        with of_run(context, run) as opened:
            chosen = brushed.rows(opened, limits, selection)
            return front.scatter(opened, Axes(x, y, colour), limits, chosen, dark=bool(dark))

    @app.callback(
        Output(store("rings"), "data"),
        State(store("run"), "data"),
        *(State(menu, "value") for menu in MENUS[:2]),
        State(store("limits"), "data"),
        Input(store("selection"), "data"),
        prevent_initial_call=True,
    )
    def on_rings(run: str, x: str, y: str, limits: Limits, selection: Selection) -> Any:  # noqa: ANN401 - as JSON has it
        with of_run(context, run) as opened:
            return front.rings(opened, Axes(x, y), brushed.rows(opened, limits, selection))

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("explore", "ring"), Input(store("rings"), "data")
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("explore", "drag"),
        Input("explore-drag-radio", "value"),
        Input("explore-front-graph", "figure"),
    )

    @app.callback(
        Output("explore-lines-graph", "figure"),
        Output("explore-lines-caption", "children"),
        State(store("run"), "data"),
        Input(store("limits"), "data"),
        State(store("selection"), "data"),
        Input("app-theme-store", "data"),
        Input(store("rings"), "data"),
    )
    def on_lines(
        run: str, limits: Limits, selection: Selection, dark: bool | None, _: object
    ) -> tuple[Any, str]:
        """Lines follow the rings of a selection, which are quick."""
        if _own("lines", selection, "rings"):
            raise PreventUpdate
        with of_run(context, run) as opened:
            return brushed.lines(opened, limits, selection, dark=bool(dark))


def _own(part: str, selection: Selection, kind: str = "selection") -> bool:
    """Whether a part shows a selection already, because it was made there."""
    return ctx.triggered_prop_ids.keys() == {f"{store(kind)}.data"} and (
        selection.get("by") == part
    )


def _register_table(app: Dash, context: Context) -> None:
    @app.callback(
        Output("explore-front-grid", "rowData"),
        Output("explore-front-grid", "selectedRows"),
        Output("explore-table-caption", "children"),
        State(store("run"), "data"),
        Input(store("limits"), "data"),
        Input(store("selection"), "data"),
    )
    def on_rows(run: str, limits: Limits, selection: Selection) -> tuple[Any, Any, str]:
        if _own("table", selection):
            raise PreventUpdate
        with of_run(context, run) as opened:
            remaining = sliders.judged(opened, limits).remaining
            shown = front.front_within(opened, remaining)
            chosen = brushed.rows(opened, limits, selection)
            if "rows" in selection:  # ticked in the whole list, so that others can be, too
                ticked = {"ids": [str(row) for row in selection["rows"]]}
                extra = np.setdiff1d(chosen, shown["row"])
                listed, said = listing.shown_rows(opened, shown, None, extra)
                return listed, ticked, said
            listed, said = listing.shown_rows(
                opened, shown, chosen if brushed.any_of(selection) else None
            )
            return listed, [], said


def _register_link(app: Dash, context: Context) -> None:
    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function (href) { return href || window.dash_clientside.no_update; }",
        Output("app-url-location", "href", allow_duplicate=True),
        Input("explore-moved-store", "data"),
        prevent_initial_call="initial_duplicate",
    )

    @app.callback(
        Output("explore-link-anchor", "href"),
        Output("explore-link-status", "children"),
        State(store("run"), "data"),
        *(Input(menu, "value") for menu in MENUS),
        *(Input(store(kind), "data") for kind in ("limits", "selection", "pins")),
    )
    def on_view(
        run: str,
        x: str,
        y: str,
        colour: str | None,
        limits: Limits,
        selection: Selection,
        pins: list[int],
    ) -> tuple[str, str]:
        view = View(x, y, colour or "", limits, selection, tuple(pins))
        with of_run(context, run) as opened:
            query, whole = linked.link(opened, view, run)
        return query, "" if whole else " (without the selection, which is too long for a link)"

    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function (link) { if (link) { window.history.replaceState(null, '', link); } }",
        Input("explore-link-anchor", "href"),
    )


PAGE = Page(order=1, path="/", title="Explore", layout=layout, register=register)
