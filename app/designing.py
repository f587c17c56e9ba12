"""The explorer's Design page: one design under live controls, beside a pinned one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

from dash import (
    ALL,
    MATCH,
    ClientsideFunction,
    Dash,
    Input,
    Output,
    State,
    ctx,
    dcc,
    html,
    no_update,
    set_props,
)
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dse import registry
from dse.errors import InputError
from dse.spec import AnyModel

from . import design, design_charts, design_files, design_layout, front, live
from .context import Context
from .controls import part
from .design import Settings
from .page import Page
from .runs import name_of

STORE = "design-state-store"
CHANGES = "design-change-store"
SETTLED = "design-settled-store"
RESTED = "design-rested-store"
BACK = "design-back-store"
HELPS = "design-helps-store"

KINDS = ("range", "text", "menu")


def layout(context: Context, search: str) -> Component:
    """The page for a URL's query: controls, and what the design is worth.

    Raises:
        InputError: the link is of a run that is not there.
    """
    here = context.of(search)
    asked = _asked(here, search)
    state: live.State = {
        "model": asked.page.slug,
        "settings": asked.settings,
        "run": "" if here is context or here.run is None else name_of(here.run),
        "pinned": asked.pinned,
        "touched": "",
        "echo": [],
        "seen": 0,
        "born": token_hex(4),
    }
    with here.priced():
        below = design_layout.body(here, asked, state)
    return html.Div(
        [
            *(dcc.Store(id=name, data=state) for name in (STORE, SETTLED, RESTED)),
            *(dcc.Store(id=name) for name in (CHANGES, BACK, HELPS)),
            dcc.Download(id="design-file-download"),
            *below,
        ],
        id="design-page-body",
    )


def _asked(here: Context, search: str) -> design.Asked:
    snapshot = here.readable()
    start = None if snapshot is None else front.balanced(snapshot)
    return design.read(search, default=here.default_model(), start=start)


@dataclass(frozen=True)
class Turn:
    """The design after what a person did, and what is to be said of that."""

    state: live.State
    message: str = ""
    problems: tuple[str, ...] = ()
    redrawn: bool = False
    """Whether every control must show another value."""


def changed(context: Context, state: live.State, changes: list[Mapping[str, Any]]) -> Turn:
    """The design after changes that were not seen yet, in their order; one that fails is told."""
    after, message = dict(state, echo=[]), ""
    for change in changes:
        if change["count"] <= state["seen"]:
            continue
        one = live.Change(change["kind"], change["path"], change["value"])
        try:
            settings = live.applied(context, after, one)
        except InputError as error:
            message = str(error)
        else:
            echo = [*after["echo"], *_echo(context, after, one, settings)]
            after |= {"settings": settings, "touched": one.path, "echo": echo}
        after["seen"] = change["count"]
    return Turn(after, message)


def _echo(
    context: Context, state: live.State, change: live.Change, settings: Settings
) -> list[dict[str, object]]:
    """The parts of a control that must follow the one in a person's hand."""
    shown = live.boxes(live.control_of(context, state, change.path), settings[change.path])
    return [
        {"kind": kind, "path": change.path, "value": value}
        for kind, value in shown.items()
        if kind != change.kind or kind == "text"
    ]


def told(context: Context, turn: Turn, button: str, given: Mapping[str, Any]) -> Turn:
    """The design after a button, a file, or a step back in the browser.

    Args:
        context: the run it is read beside.
        turn: the design as the controls have it.
        button: the id of what was touched.
        given: the `search` of the address, the `contents` and name of a `file`, what `helps`.

    Raises:
        InputError: a file that holds no design of any page, or of another page.
    """
    state = turn.state
    if button == "design-pin-button":
        return replace(turn, state=dict(state, pinned=state["settings"], touched=button))
    if button == "design-unpin-button":
        return replace(turn, state=dict(state, pinned=None, touched=button))
    if button == BACK:
        asked = _asked(context, given["search"])
        after = dict(state, settings=asked.settings, pinned=asked.pinned, touched="")
        return Turn(after, problems=asked.problems, redrawn=True)
    page = live.page_of(state)
    if button == "design-reset-button":
        settings = design.flatten(registry.starting_point(page))
    elif button == "design-try-button":
        settings = {**state["settings"], **given["helps"]}
    else:
        settings = _loaded(page, given["contents"], given["file"] or "the file")
    return Turn(dict(state, settings=settings, touched=button), redrawn=True)


def _loaded(page: AnyModel, contents: str, file: str) -> Settings:
    """The settings of a design file of the page.

    Raises:
        InputError: it holds no design, or one of another page.
    """
    own, settings = design.of_file(design_files.uploaded(contents, file), file)
    if own is not page:
        raise InputError(
            f"{file}: a design of page '{own.slug}', not of '{page.slug}'; open that page first"
        )
    return settings


def register(app: Dash, context: Context) -> None:
    """Connect the page's callbacks."""
    _register_browser(app)
    _register_act(app, context)
    _register_groups(app, context)
    _register_charts(app, context)
    _register_levers(app, context)
    _register_links(app, context)
    _register_files(app, context)


def _register_browser(app: Dash) -> None:
    for kind in KINDS:  # each part tells of itself: to gather all values takes longer than pricing
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("design", "changed"),
            Output(part(kind, MATCH), "className"),
            Input(part(kind, MATCH), "value"),
            State(STORE, "data"),
            prevent_initial_call=True,
        )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("design", "settled"), Input(STORE, "data"), State(SETTLED, "data")
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("design", "went"),
        Input("design-link-anchor", "href"),
        State(SETTLED, "data"),
    )


def _register_act(app: Dash, context: Context) -> None:
    @app.callback(
        output={
            "state": Output(STORE, "data"),
            "result": Output("design-result-panel", "children"),
            "message": Output("design-knob-alert", "children"),
            "problems": Output("design-link-alert", "children"),
            "knobs": Output("design-knobs-panel", "children"),
            "contents": Output("design-file-upload", "contents"),
        },
        inputs={
            "state": State(STORE, "data"),
            "changes": Input(CHANGES, "data"),
            "clicks": State({"type": "design-group-summary", "index": ALL}, "n_clicks"),
            "given": {
                "back": Input(BACK, "data"),
                "contents": Input("design-file-upload", "contents"),
                "file": State("design-file-upload", "filename"),
                "helps": State(HELPS, "data"),
            },
            "_touched": [
                Input(f"design-{kind}-button", "n_clicks")
                for kind in ("pin", "unpin", "reset", "try")
            ],
        },
        prevent_initial_call=True,
    )
    def on_act(
        state: live.State,
        changes: list[Mapping[str, Any]] | None,
        clicks: list[int],
        given: dict[str, Any],
        _touched: object,
    ) -> dict[str, object]:
        if not ctx.triggered[0]["value"]:  # what has just appeared
            raise PreventUpdate
        search = (given["back"] or {}).get("search", "")
        with live.opened(context, state) as here:
            turn = acted(here, state, changes or [], ctx.triggered_id, {**given, "search": search})
            whole = ctx.triggered_id != CHANGES  # a slider waits for each part that is set
            for one in turn.state["echo"]:
                set_props(part(one["kind"], one["path"]), {"value": one["value"]})
            return {
                "state": turn.state,
                "result": live.result(here, turn.state),
                "message": turn.message,
                "problems": [html.P(text) for text in turn.problems] if whole else no_update,
                "knobs": _redrawn(here, turn, clicks) if turn.redrawn else no_update,
                "contents": None if whole else no_update,
            }


def _redrawn(context: Context, turn: Turn, clicks: list[int]) -> list[Component]:
    """All controls anew, their groups folded as they are."""
    titles = [one["id"]["index"] for one in ctx.args_grouping["clicks"]]
    folds = dict(zip(titles, clicks, strict=True))
    page, settings = live.page_of(turn.state), turn.state["settings"]
    return design_layout.knobs(context, page, settings, folds)


def acted(
    context: Context,
    state: live.State,
    changes: list[Mapping[str, Any]],
    trigger: str,
    given: Mapping[str, Any],
) -> Turn:
    """The design after everything that the browser tells of; a mistake leaves it as it was."""
    turn = changed(context, state, changes)
    if trigger == CHANGES:
        return turn
    try:
        return told(context, turn, trigger, given)
    except InputError as error:
        return replace(turn, message=str(error))


def _register_groups(app: Dash, context: Context) -> None:
    @app.callback(
        Output({"type": "design-group-body", "index": MATCH}, "children"),
        Input({"type": "design-group-summary", "index": MATCH}, "n_clicks"),
        State(STORE, "data"),
        prevent_initial_call=True,
    )
    def on_fold(clicks: int, state: live.State) -> list[Component]:
        with live.opened(context, state) as here:
            title = ctx.triggered_id["index"]
            return design_layout.group(here, state, title) if clicks % 2 else []


def _register_charts(app: Dash, context: Context) -> None:
    @app.callback(
        Output("design-terms-panel", "children"),
        Output("design-rows-panel", "children"),
        Input(SETTLED, "data"),
        Input("app-theme-store", "data"),
    )
    def on_settled(state: live.State, dark: bool | None) -> tuple[list[Component], ...]:
        page, settings = live.page_of(state), state["settings"]
        with live.opened(context, state):
            chart, said = design_charts.terms(page, settings)
            rows = design_charts.rows_of(page, settings)
        return design_layout.figure("terms", chart, said, dark=bool(dark)), design_layout.rows(
            rows
        )

    @app.callback(
        Output("design-roof-panel", "children"),
        Output("design-roof-menu", "options"),
        Output("design-roof-menu", "placeholder"),
        Output("design-roof-section", "hidden"),
        Input(SETTLED, "data"),
        Input("app-theme-store", "data"),
        Input("design-roof-menu", "value"),
    )
    def on_roof(state: live.State, dark: bool | None, asked: str | None) -> tuple[Any, ...]:
        with live.opened(context, state):
            found = design_charts.roofs_of(live.page_of(state), state["settings"])
        names, chart = [roof.name for roof in found], design_charts.roofline(found, asked or "")
        drawn = design_layout.figure("roof", chart, "", dark=bool(dark))
        return drawn, names, next(iter(names), ""), chart is None


def _register_levers(app: Dash, context: Context) -> None:
    @app.callback(
        Output("design-levers-panel", "children"),
        Output("design-helps-text", "children"),
        Output(HELPS, "data"),
        Output("design-try-button", "hidden"),
        Output("design-levers-files", "hidden"),
        Input(RESTED, "data"),
        Input("app-theme-store", "data"),
        Input("design-metric-menu", "value"),
    )
    def on_rested(
        state: live.State, dark: bool | None, metric: str | None
    ) -> tuple[list[Component], str, Settings, bool, bool]:
        page = live.page_of(state)
        if metric not in page.metrics:
            return [], "", {}, True, True
        with live.opened(context, state):
            found = design_charts.levers(page, state["settings"], str(metric))
        caption = "" if found.chart is None else found.chart.caption
        drawn = design_layout.figure("levers", found.chart, caption, dark=bool(dark))
        return drawn, found.said, found.helps, not found.helps, found.chart is None


def _register_links(app: Dash, context: Context) -> None:
    @app.callback(
        Output("design-link-anchor", "href"),
        Output("design-compare-anchor", "href"),
        Output("design-compare-text", "hidden"),
        Input(SETTLED, "data"),
        Input("design-metric-menu", "value"),
        Input("design-roof-menu", "value"),
    )
    def on_view(state: live.State, metric: str | None, roof: str | None) -> tuple[str, str, bool]:
        page, settings, pinned = live.page_of(state), state["settings"], state["pinned"]
        view = {
            "run": state["run"],
            "pinned": design.called(page, pinned) if pinned else "",
            "metric": metric or "",
            "roof": roof or "",
        }
        return (
            design.query(page, settings, **view),
            design.beside(page, settings, pinned),
            not pinned,
        )


def _register_files(app: Dash, context: Context) -> None:
    @app.callback(
        Output("design-file-download", "data"),
        State(STORE, "data"),
        State("design-roof-menu", "value"),
        State("design-metric-menu", "value"),
        Input({"type": "design-save-button", "index": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def on_save(
        state: live.State, roof: str | None, metric: str | None, _: object
    ) -> Mapping[str, object]:
        if not ctx.triggered[0]["value"]:  # a button that has just appeared
            raise PreventUpdate
        page, settings, what = live.page_of(state), state["settings"], ctx.triggered_id["index"]
        with live.opened(context, state) as here:
            if what == "yaml":
                return design_files.design_yaml(page, settings)
            if what == "csv":
                return design_files.numbers_csv(page, settings)
            if what == "report":
                return design_files.report_pdf(here)
            asked = (metric if what == "levers" else roof) or ""
            return design_files.figure_svg(page, settings, what, asked)


PAGE = Page(order=2, path="/design", title="Design", layout=layout, register=register)
