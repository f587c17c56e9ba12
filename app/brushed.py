"""What is done with selected designs: shown as lines, opened, pinned, and saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from numpy.typing import NDArray

from dse import figures
from dse.errors import InputError
from dse.evaluate import Table
from dse.parallel_chart import LINES, Parallel, dimensions_of

from . import compared, front, linked, saved
from .columns import Opened
from .design import query, row_settings
from .front import Axes, front_within
from .linked import MOST, Selection
from .runs import name_of
from .sliders import judged

Limits = Mapping[str, float | None]
Open = Callable[[str], AbstractContextManager[Opened]]
"""The run of a name, at its prices, while a callback needs it."""

DRAWN = 2000
"""Most lines on the screen: a browser without a graphics card draws them in a second or two."""

POOL = 4 * LINES
"""Designs of the even sample that lines are drawn from before bounds leave some out."""

FIGURES = tuple(
    f"explore-{kind}-{form}" for kind in ("front", "lines") for form in ("svg", "html")
)
DESIGNS = ("explore-selection-csv", "explore-selection-yaml")


def any_of(selection: Selection) -> bool:
    """Whether anything is selected."""
    return any(kind in selection for kind in ("ranges", "lasso", "rows"))


def rows(opened: Opened, limits: Limits, selection: Selection) -> NDArray[np.intp]:
    """Numbers of the selected designs within the bounds; none where nothing is selected."""
    if not any_of(selection):
        return np.zeros(0, dtype=np.intp)
    mask = linked.chosen(opened, selection) & judged(opened, limits).remaining
    return np.asarray(np.flatnonzero(mask), dtype=np.intp)


def said(opened: Opened, limits: Limits, chosen: NDArray[np.intp]) -> str:
    """How many designs are selected, in words."""
    if len(chosen) == 0:
        return (
            "Nothing is selected: the table lists the front. Draw a box above, brush an axis, or "
            "tick rows."
        )
    on_front = int(np.count_nonzero(np.isin(opened.front["row"], chosen)))
    within = judged(opened, limits).count
    return f"{len(chosen):,} of {within:,} designs are selected, {on_front:,} of the front."


def parallel(opened: Opened, limits: Limits, selection: Selection, most: int = LINES) -> Parallel:
    """At most so many designs within the bounds as lines; selected ones stand out."""
    pool: Table = opened.remember(_pool, "pool")
    held = judged(opened, limits)
    sample = pool.take(held.remaining[pool["row"]])
    if len(sample) < min(LINES, held.count):
        names = dimensions_of(opened.study)
        sample = opened.designs(opened.sampled(held.remaining, LINES), names)
    shown = front_within(opened, held.remaining)
    best = np.isin(sample["row"], shown["row"])
    sample = sample.take(~best)
    selected = None
    if any_of(selection):
        chosen = linked.chosen(opened, selection)
        selected = np.concatenate([chosen[sample["row"]], chosen[shown["row"].astype(np.intp)]])
    return figures.parallel(opened.study, sample, shown, like=pool, selected=selected, limit=most)


def _pool(opened: Opened, _: str) -> Table:
    """An even sample of the designs that can run, with the columns that have an axis."""
    mask = opened.base if opened.base.any() else np.ones(opened.count, dtype=np.bool_)
    return opened.designs(opened.sampled(mask, POOL), dimensions_of(opened.study))


def lines(opened: Opened, limits: Limits, selection: Selection, *, dark: bool) -> tuple[Any, str]:
    """The figure of the lines and its caption."""
    chart = parallel(opened, limits, selection, DRAWN)
    ranges = selection.get("ranges", {})
    shown = figures.parallel_plotly(chart, dark=dark, brushed=ranges)
    axes = opened.study.space.by_path
    shown.update_layout(
        meta={
            "dimensions": [
                {
                    "name": d.name,
                    "scale": d.scale,
                    "log": d.log,
                    "choice": bool(d.name in axes and axes[d.name].rows),
                }
                for d in chart.dimensions
            ]
        }
    )
    return shown, chart.caption


def single(chosen: NDArray[np.intp]) -> int:
    """The one selected design.

    Raises:
        InputError: none, or several.
    """
    if len(chosen) != 1:
        count = f"{len(chosen):,} are" if len(chosen) else "none is"
        raise InputError(f"one design must be selected, {count}; tick one row of the table")
    return int(chosen[0])


def design_link(opened: Opened, row: int) -> str:
    """Where one design of the run is live."""
    table = opened.designs([row], [axis.path for axis in opened.study.space.axes])
    settings = row_settings(opened.study, table, 0)
    return f"/design{query(opened.study.page, settings, run=name_of(opened.run))}"


def pinned(pins: list[int], chosen: NDArray[np.intp]) -> list[int]:
    """The pins with the selected designs.

    Raises:
        InputError: nothing is selected, or there would be too many.
    """
    if len(chosen) == 0:
        raise InputError("no design is selected; tick rows of the table, then pin them")
    if len(chosen) > MOST:
        raise InputError(
            f"{len(chosen):,} designs are selected and {MOST} fit side by side; tick up to {MOST} "
            "rows of the table"
        )
    after = list(dict.fromkeys([*pins, *chosen.tolist()]))
    if len(after) > MOST:
        raise InputError(f"{MOST} designs fit side by side; drop a pin to add another")
    return after


def pins_listed(opened: Opened, pins: list[int]) -> list[Component | str]:
    """The pinned designs, each with a way out, and the link that compares them."""
    if not pins:
        return []
    chips = [
        html.Button(
            f"Design {row} ×",
            id={"type": "explore-pin-remove", "index": row},
            type="button",
            title="Drop this pin",
        )
        for row in pins
    ]
    asked = compared.Asked(tuple(f"{compared.ROW}{row}" for row in pins))
    href = f"/compare{compared.link(asked, name_of(opened.run))}"
    compare = html.A(f"Compare {len(pins)} pinned", href=href, id="explore-compare-anchor")
    return ["Pinned: ", *chips, compare]


def register(app: Dash, opening: Open) -> None:
    """Connect the buttons, and what a click opens."""
    _register_open(app, opening)
    _register_pins(app, opening)
    _register_files(app, opening)


def _state() -> dict[str, State]:
    kinds = ("run", "limits", "selection")
    return {kind: State(f"explore-{kind}-store", "data") for kind in kinds}


def _register_open(app: Dash, opening: Open) -> None:
    @app.callback(
        output={
            "href": Output("app-url-location", "href", allow_duplicate=True),
            "message": Output("explore-action-alert", "children", allow_duplicate=True),
        },
        inputs={
            "view": _state(),
            "clicked": Input("explore-front-graph", "clickData"),
            "cell": Input("explore-front-grid", "cellClicked"),
            "button": Input("explore-selection-open", "n_clicks"),
        },
        prevent_initial_call=True,
    )
    def on_open(view: dict[str, Any], **_: object) -> dict[str, object]:
        value = ctx.triggered[0]["value"]
        with opening(view["run"]) as opened:
            try:
                row = opened_by(opened, view, str(ctx.triggered_id), value)
            except InputError as error:
                return {"href": no_update, "message": str(error)}
            return {"href": design_link(opened, row), "message": ""}


def opened_by(opened: Opened, view: Mapping[str, Any], trigger: str, value: Any) -> int:  # noqa: ANN401
    """The number of the design that a person opens.

    Raises:
        InputError: a button while not exactly one design is selected.
        PreventUpdate: a touch that names no design.
    """
    if not value:
        raise PreventUpdate
    if trigger == "explore-front-graph":
        number = value["points"][0].get("customdata")
        if not isinstance(number, int) or value["points"][0].get("z") is not None:
            raise PreventUpdate  # a cell of the density
        return number
    if trigger == "explore-front-grid":
        if value["colId"] != "row":
            raise PreventUpdate
        return int(value["value"])
    return single(rows(opened, view["limits"], view["selection"]))


def _register_pins(app: Dash, opening: Open) -> None:
    @app.callback(
        output={
            "pins": Output("explore-pins-store", "data"),
            "message": Output("explore-action-alert", "children", allow_duplicate=True),
        },
        inputs={
            "view": _state(),
            "pins": State("explore-pins-store", "data"),
            "button": Input("explore-selection-pin", "n_clicks"),
            "dropped": Input({"type": "explore-pin-remove", "index": ALL}, "n_clicks"),
        },
        prevent_initial_call=True,
    )
    def on_pin(view: dict[str, Any], pins: list[int], **_: object) -> dict[str, object]:
        if not ctx.triggered[0]["value"]:  # a button that has just appeared
            raise PreventUpdate
        if isinstance(ctx.triggered_id, dict):
            gone = ctx.triggered_id["index"]
            return {"pins": [row for row in pins if row != gone], "message": ""}
        with opening(view["run"]) as opened:
            try:
                after = pinned(pins, rows(opened, view["limits"], view["selection"]))
            except InputError as error:
                return {"pins": no_update, "message": str(error)}
        return {"pins": after, "message": ""}

    @app.callback(
        Output("explore-pins-list", "children"),
        State("explore-run-store", "data"),
        Input("explore-pins-store", "data"),
    )
    def on_pins(run: str, pins: list[int]) -> list[Component | str]:
        with opening(run) as opened:
            return pins_listed(opened, pins)


def _register_files(app: Dash, opening: Open) -> None:
    buttons = (*DESIGNS, *FIGURES, "explore-report-button")

    @app.callback(
        output={
            "file": Output("explore-file-download", "data"),
            "message": Output("explore-action-alert", "children", allow_duplicate=True),
        },
        inputs={
            "view": _state(),
            "axes": [State(f"explore-{kind}-menu", "value") for kind in ("x", "y", "colour")],
            "clicks": [Input(button, "n_clicks") for button in buttons],
        },
        prevent_initial_call=True,
    )
    def on_save(view: dict[str, Any], axes: list[str | None], **_: object) -> dict[str, object]:
        if not ctx.triggered[0]["value"]:
            raise PreventUpdate
        with opening(view["run"]) as opened:
            try:
                made = file(opened, view, Axes(*axes), str(ctx.triggered_id))  # type: ignore[arg-type]
            except InputError as error:
                return {"file": no_update, "message": str(error)}
        return {"file": made, "message": ""}


def file(opened: Opened, view: Mapping[str, Any], axes: Axes, button: str) -> saved.File:
    """What a button saves.

    Raises:
        InputError: it cannot be saved, and why.
    """
    _, kind, form = button.split("-")
    if kind == "report":
        return saved.report(opened)
    if kind == "selection":
        return _designs(opened, view, form)
    return _figure(opened, view, axes, kind, form)


def _designs(opened: Opened, view: Mapping[str, Any], form: str) -> saved.File:
    """The selected designs, or the front's while nothing is selected."""
    chosen = rows(opened, view["limits"], view["selection"])
    if form == "yaml":
        return saved.design(opened, single(chosen))
    of_front = front_within(opened, judged(opened, view["limits"]).remaining)["row"]
    return saved.designs(opened, chosen if any_of(view["selection"]) else of_front)


def _figure(
    opened: Opened, view: Mapping[str, Any], axes: Axes, kind: str, form: str
) -> saved.File:
    limits, selection = view["limits"], view["selection"]
    most = front.PRINTED if form == "svg" else front.DRAWN
    if kind == "lines":
        lined = parallel(opened, limits, selection)
        if form == "svg":
            return saved.as_svg(opened, figures.parallel_svg(lined), kind)
        shown = figures.parallel_plotly(lined, brushed=selection.get("ranges"))
        return saved.as_html(opened, shown, kind)
    chart = front.drawn(opened, axes, limits, most=most)
    if form == "svg":
        return saved.as_svg(opened, front.printed(chart), kind)
    return saved.as_html(opened, front.figure(chart, dark=False), kind)
