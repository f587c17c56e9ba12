"""The explorer's Compare page: up to six designs of one page side by side."""

from __future__ import annotations

import base64
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dse import figures
from dse.errors import InputError

from . import compare_ablation, compare_controls, compare_files, compare_tables, compared
from .compare_controls import Options
from .compared import Asked
from .context import Context
from .page import Page, aria
from .runs import name_of

STORE = "compare-designs-store"

KINDS = ("made-of", "gains")
"""The charts, by the words in their ids."""

View = dict[str, Any]
"""What the browser keeps: `designs`, by name, and the `run` that the names are of."""


def layout(context: Context, search: str) -> Component:
    """The page for a URL's query: how designs are chosen, then what they answer.

    Raises:
        InputError: the link is of a run that is not there.
    """
    here = context.of(search)
    asked = compared.asked(search)
    names = asked.names or compared.first(here)
    with here.priced():
        found = compared.read_all(here, names)
    run = "" if here.run is None else name_of(here.run)
    return html.Div(
        [
            dcc.Store(id=STORE, data={"run": run, "designs": list(names)}),
            dcc.Download(id="compare-file-download"),
            html.H1("Designs side by side"),
            compare_controls.choosing(here, asked),
            html.Div(
                [compare_controls.figure(kind) for kind in KINDS], className="compare-figures"
            ),
            html.Section(id="compare-result-panel", className="card", **aria(live="polite")),
            compare_controls.ablation(asked, found),
        ],
        id="compare-page-body",
    )


@contextmanager
def opened(context: Context, view: View) -> Iterator[Context]:
    """The run that a view is of, at its prices.

    Raises:
        InputError: the run is not there any more.
    """
    here = context.of("?" + urlencode({"run": view["run"]}))
    with here.priced():
        yield here


def named_by(trigger: str, given: dict[str, str | None]) -> str:
    """The name of the design that a person adds.

    Args:
        trigger: the id of what was touched.
        given: what stands in the page: `chosen`, `typed`, `pasted`, `contents` and its `file`.

    Raises:
        InputError: text or a file that holds no design.
    """
    if trigger == "compare-run-menu":
        return given["chosen"] or ""
    if trigger == "compare-yaml-button":
        return compared.of_file(given["pasted"] or "", "the pasted text")
    if trigger == "compare-file-upload":
        file = given["file"] or "the file"
        return compared.of_file(_text(given["contents"] or "", file), file)
    return given["typed"] or ""


def _text(contents: str, file: str) -> str:
    """The text of an uploaded file.

    Raises:
        InputError: it is no text.
    """
    try:
        return base64.b64decode(contents.partition(",")[2], validate=True).decode()
    except (Base64Error, UnicodeDecodeError):
        raise InputError(f"{file}: not UTF-8 text; give a YAML file") from None


def rearranged(names: Sequence[str], button: dict[str, str]) -> list[str]:
    """The names after a button beside one of them: it leaves, or becomes the first."""
    kept = [name for name in names if name != button["index"]]
    leads = button["type"] == "compare-design-first" and len(kept) < len(names)
    return [button["index"], *kept] if leads else kept


def register(app: Dash, context: Context) -> None:
    """Connect the page's callbacks."""
    _register_edit(app, context)
    _register_results(app, context)
    _register_ablation(app, context)
    _register_files(app, context)
    _register_link(app)


def _register_edit(app: Dash, context: Context) -> None:
    @app.callback(
        output={
            "view": Output(STORE, "data"),
            "message": Output("compare-message-alert", "children"),
            "typed": Output("compare-name-text", "value"),
            "chosen": Output("compare-run-menu", "value"),
            "contents": Output("compare-file-upload", "contents"),
        },
        inputs={
            "view": State(STORE, "data"),
            "given": {
                "typed": State("compare-name-text", "value"),
                "pasted": State("compare-yaml-text", "value"),
                "file": State("compare-file-upload", "filename"),
                "chosen": Input("compare-run-menu", "value"),
                "contents": Input("compare-file-upload", "contents"),
            },
            "_touched": [
                Input("compare-name-button", "n_clicks"),
                Input("compare-name-text", "n_submit"),
                Input("compare-yaml-button", "n_clicks"),
                Input({"type": "compare-design-remove", "index": ALL}, "n_clicks"),
                Input({"type": "compare-design-first", "index": ALL}, "n_clicks"),
            ],
        },
        prevent_initial_call=True,
    )
    def on_edit(view: View, given: dict[str, str | None], _touched: object) -> dict[str, object]:
        if not ctx.triggered[0]["value"]:  # a menu that was emptied, a button that has appeared
            raise PreventUpdate
        after, message = edited(context, view, ctx.triggered_id, given)
        typed = no_update if message else ""
        return {
            "view": after,
            "message": message,
            "typed": typed,
            "chosen": None,
            "contents": None,
        }


def edited(
    context: Context, view: View, trigger: str | dict[str, str], given: dict[str, str | None]
) -> tuple[View, str]:
    """The view after what a person did, or the view as it was and why."""
    names = view["designs"]
    try:
        with opened(context, view) as here:
            if isinstance(trigger, str):
                after = compared.added(here, names, named_by(trigger, given))
            else:
                after = rearranged(names, trigger)
    except InputError as error:
        return view, str(error)
    return {**view, "designs": after}, ""


def _register_results(app: Dash, context: Context) -> None:
    @app.callback(
        output={
            "listed": Output("compare-designs-list", "children"),
            "result": Output("compare-result-panel", "children"),
            "figures": [Output(f"compare-{kind}-graph", "figure") for kind in KINDS],
            "captions": [Output(f"compare-{kind}-caption", "children") for kind in KINDS],
            "styles": [Output(f"compare-{kind}-graph", "style") for kind in KINDS],
            "hidden": [Output(f"compare-{kind}-section", "hidden") for kind in KINDS],
        },
        inputs={"view": Input(STORE, "data"), "dark": Input("app-theme-store", "data")},
    )
    def on_designs(view: View, dark: bool | None) -> dict[str, object]:
        with opened(context, view) as here:
            found = compared.compared(here, view["designs"])
            drawn = compare_tables.charts(here, found)
            return {
                "listed": compare_tables.listed(found),
                "result": compare_tables.result(found),
                "figures": [
                    figures.plotly(drawn[kind], dark=bool(dark)) if kind in drawn else no_update
                    for kind in KINDS
                ],
                "captions": [drawn[kind].caption if kind in drawn else "" for kind in KINDS],
                "styles": [
                    {"height": compare_tables.height(drawn[kind])} if kind in drawn else no_update
                    for kind in KINDS
                ],
                "hidden": [kind not in drawn for kind in KINDS],
            }


def _register_ablation(app: Dash, context: Context) -> None:
    @app.callback(
        Output("compare-ablate-menu", "options"),
        Output("compare-metric-menu", "options"),
        Output("compare-ablation-section", "hidden"),
        Input(STORE, "data"),
        prevent_initial_call=True,
    )
    def on_names(view: View) -> tuple[Options, Options, bool]:
        with opened(context, view) as here:
            found = compared.read_all(here, view["designs"])
            designs, metrics = compare_controls.switchable(found)
        return designs, metrics, not found.shown

    @app.callback(
        Output("compare-ablation-panel", "children"),
        Input(STORE, "data"),
        Input("compare-ablate-menu", "value"),
        Input("compare-metric-menu", "value"),
    )
    def on_ablate(view: View, letter: str | None, metric: str | None) -> Component | None:
        return brought(context, view, letter, metric)


def brought(
    context: Context, view: View, letter: str | None, metric: str | None
) -> Component | None:
    """What the techniques of one design bring, or in words why nobody can say.

    Nothing is worked out before a design is chosen, but for a page that has no technique.
    """
    with opened(context, view) as here:
        found = compared.read_all(here, view["designs"])
        page = found.shown[0].page if found.shown else None
        if page is None or not (letter or not page.techniques):
            return None
        try:
            return compare_ablation.ablation(found, letter or found.shown[0].letter, metric)
        except InputError as error:
            return html.P(f"{error}.", className="caption")


def _register_files(app: Dash, context: Context) -> None:
    @app.callback(
        Output("compare-file-download", "data"),
        State(STORE, "data"),
        Input({"type": "compare-save-button", "index": ALL}, "n_clicks"),
        Input({"type": "compare-design-yaml", "index": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def on_save(view: View, *_: object) -> compare_files.File:
        if not ctx.triggered[0]["value"]:  # a button that has just appeared
            raise PreventUpdate
        with opened(context, view) as here:
            found = compared.compared(here, view["designs"])
            what = ctx.triggered_id["index"]
            if ctx.triggered_id["type"] == "compare-design-yaml":
                return compare_files.single(found, what)
            return compare_files.whole(here, found, what)


def _register_link(app: Dash) -> None:
    @app.callback(
        Output("compare-link-anchor", "href"),
        Input(STORE, "data"),
        Input("compare-ablate-menu", "value"),
        Input("compare-metric-menu", "value"),
    )
    def on_view(view: View, ablate: str | None, metric: str | None) -> str:
        asked = Asked(tuple(view["designs"]), ablate=ablate or "", metric=metric or "")
        return compared.link(asked, view["run"])

    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function (link) { if (link) { window.history.replaceState(null, '', link); } }",
        Input("compare-link-anchor", "href"),
    )


PAGE = Page(order=3, path="/compare", title="Compare", layout=layout, register=register)
