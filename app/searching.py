"""The explorer's Search page: start, watch, pause and resume searches; all of it is in folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dse import figures
from dse.errors import InputError
from dse.store import Run

from . import form, progress, runs, watched
from .context import Context, asked
from .page import Page

TICK = 1500
"""Milliseconds between looks at the folders while something runs."""

IDLE = 15_000
"""The same while nothing does: another tab or a terminal may have started a search."""

FIELDS = {
    "study": "search-study-menu",
    "name": "search-name-input",
    "text": "search-yaml-input",
    "method": "search-method-menu",
    "budget": "search-budget-input",
    "seed": "search-seed-input",
    "settings": "search-settings-input",
}
"""Field of a form -> the control that holds it."""

WATCHED = {
    "state": ("search-state-status", "children"),
    "most": ("search-done-progress", "max"),
    "done": ("search-done-progress", "value"),
    "facts": ("search-facts-text", "children"),
    "pausing": ("search-pause-button", "disabled"),
    "resuming": ("search-resume-button", "disabled"),
    "version": ("search-version-store", "data"),
}
"""What follows the state of the watched run -> where it is shown."""


def layout(context: Context, search: str) -> Component:
    """The form, the list of runs, and the run that the URL names."""
    run, refusal = _named(context, asked(search))
    filled, problems = form.read(search, "" if run is None else run.path.parent.name)
    refusals = [text for text in (refusal, *problems) if text]
    axes = {kind: parse_qs(search.removeprefix("?")).get(kind, [""])[-1] for kind in ("x", "y")}
    return html.Div(
        [
            dcc.Store(id="search-run-store", data="" if run is None else runs.name_of(run)),
            dcc.Store(id="search-version-store"),
            dcc.Store(id="search-poke-store"),
            dcc.Interval(id="search-tick-interval", interval=TICK),
            html.H1("Search a study for its best designs"),
            html.P(
                "A search is a process of its own: it goes on when this page or the explorer is "
                "closed, and ends when it is done or paused. Its folder is the command line's.",
                className="facts",
            ),
            *(html.P(text, role="alert", className="refusal") for text in refusals),
            html.Div(
                [form.panel(filled), _list(), progress.panel(run, axes)],
                className="searches",
            ),
        ],
        id="search-page-body",
    )


def _named(context: Context, name: str) -> tuple[Run | None, str]:
    """The run that a URL names, or none, and in words why."""
    try:
        return (opened(context, name), "") if name else (None, "")
    except InputError as error:
        return None, str(error)


def opened(context: Context, name: str) -> Run:
    """The run of a name.

    Raises:
        InputError: no such run.
    """
    run = context.of("?" + urlencode({"run": name})).run
    if not name or run is None:
        raise InputError("no run is watched; choose one of the list")
    return run


def _list() -> Component:
    return html.Section(
        [html.H2("Runs"), html.Div("Looking …", id="search-runs-table", className="wide")],
        className="card runs",
    )


def act(context: Context, name: str, verb: str) -> str:
    """Pause or resume a run; what was refused comes back in words."""
    try:
        (runs.pause if verb == "pause" else runs.resume)(opened(context, name))
    except InputError as error:
        return str(error)
    return ""


def begun(filled: form.Form) -> tuple[str, str]:
    """Start what a form asks for: the query that shows it, or in words why not."""
    try:
        run = runs.start(form.asked(filled))
    except InputError as error:
        return "", str(error)
    return form.query(filled, run=runs.name_of(run)), ""


def drawn(run: Run, x: str, y: str, *, dark: bool) -> dict[str, Any]:
    """The figures of a run and their captions; words where nothing is stored yet.

    Raises:
        InputError: a column that does not exist.
    """
    name, grown = runs.name_of(run), watched.growth(run)
    found = {
        "growth": _held(figures.plotly(grown, dark=dark), name),
        "growth_caption": grown.caption if run.history() else "No front was written yet.",
    }
    if not run.parts:
        empty = figures.plotly(figures.growth([]), dark=dark).update_layout(title="Front")
        return {**found, "front": empty, "front_caption": "No designs are stored yet."}
    chart = runs.apart(lambda: watched.front(run, run.study(), x=x, y=y))
    figure = _held(figures.plotly(chart, dark=dark), f"{name} {x} {y}")
    return {**found, "front": figure, "front_caption": chart.caption}


def _held(figure: Any, name: str) -> Any:  # noqa: ANN401 - a figure
    """A figure that keeps a person's zoom while it is redrawn."""
    return figure.update_layout(uirevision=name)


def mattered(run: Run) -> Component:
    """What mattered in a run, or in words why nobody can say."""

    def weigh() -> Component:
        study = run.study()
        return progress.weighed(watched.importance(run, study), watched.beside_random(run, study))

    try:
        return runs.apart(weigh)
    except InputError as error:
        return html.P(str(error), className="warning")


def register(app: Dash, context: Context) -> None:
    """Connect the page's callbacks."""
    _register_form(app)
    _register_watch(app, context)
    _register_charts(app, context)


def _register_form(app: Dash) -> None:
    filled = {name: Input(control, "value") for name, control in FIELDS.items()}

    @app.callback(
        Output("search-form-status", "children"),
        Output("search-form-alert", "children"),
        Output("search-link-anchor", "href"),
        inputs={
            "given": filled,
            "run": State("search-run-store", "data"),
            "x": Input("search-x-menu", "value"),
            "y": Input("search-y-menu", "value"),
        },
    )
    def on_form(
        given: dict[str, str | None], run: str, x: str | None, y: str | None
    ) -> tuple[str, str, str]:
        what = _filled(given)
        link = f"/search{form.query(what, run=run, x=x or '', y=y or '')}"
        if what.own and not what.text.strip():
            return "Upload a YAML file, or paste it above.", "", link
        try:
            return form.told(form.asked(what)), "", link
        except InputError as error:
            return "", str(error), link

    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function (link) { if (link) { window.history.replaceState(null, '', link); } }",
        Input("search-link-anchor", "href"),
    )

    @app.callback(
        Output("app-url-location", "search"),
        Output("search-form-alert", "children", allow_duplicate=True),
        inputs={
            "clicks": Input("search-start-button", "n_clicks"),
            "given": {name: State(control, "value") for name, control in FIELDS.items()},
        },
        prevent_initial_call=True,
        running=[(Output("search-start-button", "disabled"), True, False)],
    )
    def on_start(clicks: int | None, given: dict[str, str | None]) -> tuple[Any, str]:
        if not clicks:
            raise PreventUpdate
        query, refusal = begun(_filled(given))
        return query or no_update, refusal

    @app.callback(
        Output("search-yaml-input", "value"),
        Output("search-name-input", "value"),
        Output("search-study-menu", "value"),
        Output("search-form-alert", "children", allow_duplicate=True),
        Input("search-yaml-upload", "contents"),
        State("search-yaml-upload", "filename"),
        prevent_initial_call=True,
    )
    def on_upload(contents: str | None, filename: str) -> tuple[Any, Any, Any, str]:
        if not contents:
            raise PreventUpdate
        try:
            return form.uploaded(contents, filename), form.slug_of(filename), form.OWN, ""
        except InputError as error:
            return no_update, no_update, no_update, str(error)


def _filled(given: dict[str, str | None]) -> form.Form:
    return form.Form(**{name: value or "" for name, value in given.items()})


def looked(run: Run | None) -> dict[str, Any]:
    """What the page shows of the folders as they are now; one run may be watched."""
    every, name = runs.runs(), "" if run is None else runs.name_of(run)
    states = [runs.state(each) for each in every[: progress.LISTED]]
    here = None if run is None else runs.state(run)
    alive = any(state.alive for state in (*states, *([here] if here else [])))
    table = progress.listing(states, len(every) - len(states), name)
    cells = {state.name: progress.cells(state) for state in states}
    shown = {"table": table, "cells": cells, "interval": TICK if alive else IDLE}
    return shown | (_shown(here) if here else dict.fromkeys(WATCHED, no_update))


def _anew(
    table: Component, cells: Mapping[str, Mapping[str, str]], there: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The whole list where other runs are listed than are `there`, else its cells alone."""
    ids = [item["id"] for item in there]
    if list(dict.fromkeys(each["run"] for each in ids)) != list(cells) or not ids:
        return {"table": table, "cells": [no_update] * len(ids)}
    return {"table": no_update, "cells": [cells[each["run"]][each["what"]] for each in ids]}


def _shown(state: runs.State) -> dict[str, Any]:
    """What the watched run's panel shows of its state."""
    return {
        "state": progress.said(state),
        "most": str(state.total or 1),
        "done": str(state.done),
        "facts": progress.facts(state),
        "pausing": state.word != "running",
        "resuming": state.alive or state.word == "finished",
        "version": progress.version(state),
    }


def _register_watch(app: Dash, context: Context) -> None:
    @app.callback(
        output={
            "table": Output("search-runs-table", "children"),
            "cells": Output(progress.cell(ALL, ALL), "children"),
            "interval": Output("search-tick-interval", "interval"),
            **{key: Output(*part) for key, part in WATCHED.items()},
        },
        inputs={
            "_": Input("search-tick-interval", "n_intervals"),
            "__": Input("search-poke-store", "data"),
            "name": State("search-run-store", "data"),
        },
    )
    def on_tick(name: str, **_: object) -> dict[str, Any]:
        found = looked(opened(context, name) if name else None)
        return found | _anew(found["table"], found["cells"], ctx.outputs_grouping["cells"])

    @app.callback(
        Output("search-run-alert", "children"),
        Output("search-poke-store", "data"),
        Input("search-pause-button", "n_clicks"),
        Input("search-resume-button", "n_clicks"),
        State("search-run-store", "data"),
        prevent_initial_call=True,
    )
    def on_act(pause: int | None, resume: int | None, name: str) -> tuple[str, int]:
        if not (pause or resume):
            raise PreventUpdate
        verb = "pause" if ctx.triggered_id == "search-pause-button" else "resume"
        return act(context, name, verb), (pause or 0) + (resume or 0)


def _register_charts(app: Dash, context: Context) -> None:
    @app.callback(
        output={
            "front": Output("search-front-graph", "figure"),
            "front_caption": Output("search-front-caption", "children"),
            "growth": Output("search-growth-graph", "figure"),
            "growth_caption": Output("search-growth-caption", "children"),
        },
        inputs={
            "version": Input("search-version-store", "data"),
            "x": Input("search-x-menu", "value"),
            "y": Input("search-y-menu", "value"),
            "dark": Input("app-theme-store", "data"),
            "name": State("search-run-store", "data"),
        },
    )
    def on_version(
        version: str | None, x: str, y: str, dark: bool | None, name: str
    ) -> dict[str, Any]:
        if not (version and x and y and name):
            raise PreventUpdate
        return drawn(opened(context, name), x, y, dark=bool(dark))

    @app.callback(
        Output("search-weigh-panel", "children"),
        Input("search-weigh-button", "n_clicks"),
        State("search-run-store", "data"),
        prevent_initial_call=True,
        running=[(Output("search-weigh-button", "disabled"), True, False)],
    )
    def on_weigh(clicks: int | None, name: str) -> Component:
        if not clicks:
            raise PreventUpdate
        return mattered(opened(context, name))


PAGE = Page(order=5, path="/search", title="Search", layout=layout, register=register)
