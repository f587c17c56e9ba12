"""How far each page can be trusted: the scoreboard, the rows behind it, and the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

import dash_ag_grid
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dse import figures, registry
from dse.errors import unknown
from dse.scores import EXECUTED, MECHANISM, PAPER, Card

from .context import Context
from .front import GRAPH
from .page import Page, aria
from .scored import (
    COLUMNS,
    ROW_WORDS,
    ROWS,
    WORDS,
    Board,
    Chosen,
    board_row,
    chart_of,
    kept_rows,
    rows_of,
)

COMPARISONS = (PAPER, MECHANISM, EXECUTED)
"""What is held against what, as the scoreboard names it."""


WIDTHS = {
    "id": 260,
    "metric": 180,
    "reference": 130,
    "predicted": 130,
    "error": 120,
    "source": 560,
}
"""Widths of the columns of rows [px]: a table that is empty at first cannot be measured."""


def layout(_context: Context, search: str) -> Component:
    """The scoreboard as it was kept, at once; today's scores follow.

    Raises:
        InputError: the link names a page or a comparison that does not exist.
    """
    return html.Div(
        [
            dcc.Store(id="validation-chosen-store", data=chosen(search)),
            html.H1("How far can each page be trusted?"),
            html.P(
                "A page is held against the paper, against its own executed mechanism, and the "
                "mechanism against the paper. Rows that a constant was fitted on (fit) stay apart "
                "from those that none has seen (check).",
            ),
            html.Section(
                [
                    html.H2("Scoreboard"),
                    dcc.Loading(
                        html.P(
                            "Mean errors as they were kept; scoring every page takes some "
                            "seconds …",
                            id="validation-board-status",
                            className="caption",
                            role="status",
                        ),
                        type="dot",
                    ),
                    _grid("board", [row for slug in registry.slugs() for row in kept_rows(slug)]),
                ],
                className="card",
            ),
            _rows_panel(),
            html.Section(
                [
                    html.H2("Do intervals hold what they promise?"),
                    dcc.Loading(_graph("calibration")),
                    html.P(id="validation-calibration-caption", className="caption"),
                ],
                className="card",
            ),
        ],
        id="validation-page-body",
    )


def _rows_panel() -> Component:
    return html.Section(
        [
            html.H2("Rows", id="validation-rows-title"),
            dcc.Loading(_graph("points")),
            html.P(id="validation-points-caption", className="caption"),
            html.P(
                html.A("Link to these rows", id="validation-link-anchor", href=""),
                className="caption",
            ),
            _grid("rows", []),
        ],
        className="card",
        **aria(live="polite"),
    )


def _graph(name: str) -> Component:
    return dcc.Graph(id=f"validation-{name}-graph", config=GRAPH, style={"height": "28rem"})


def _grid(name: str, rows: list[dict[str, object]]) -> Component:
    heads = COLUMNS if name == "board" else ROWS
    words = WORDS if name == "board" else ROW_WORDS
    grid: Component = dash_ag_grid.AgGrid(
        id=f"validation-{name}-grid",
        columnDefs=[
            _column(field, head, number=field not in words) for field, head in heads.items()
        ],
        rowData=rows,
        columnSize="autoSize" if name == "board" else None,
        defaultColDef={"sortable": True, "filter": True, "resizable": True},
        dashGridOptions={
            "rowSelection": {
                "mode": "singleRow",
                "checkboxes": False,
                "enableClickSelection": name == "board",
            },
            "animateRows": False,
            "theme": {"function": "dseTheme(themeQuartz)"},
        },
        style={"height": "30rem"},
    )
    return grid


def _column(field: str, head: str, *, number: bool) -> dict[str, object]:
    """A column that sorts by its number and shows its text."""
    width = {"width": WIDTHS[field]} if field in WIDTHS else {}
    plain: dict[str, object] = {"field": field, "headerName": head, **width}
    if not number:
        return plain
    shown = {"function": f"params.data.{field}_text"}
    return {
        **plain,
        "type": "numericColumn",
        "valueFormatter": shown,
        "sortingOrder": ["desc", "asc", None],
    }


def chosen(search: str) -> Chosen:
    """The row of the scoreboard that a link names; the first page's against its paper otherwise.

    Raises:
        InputError: no page, comparison or use of that name.
    """
    asked = {name: texts[0] for name, texts in parse_qs(search.removeprefix("?")).items()}
    known = {"model": registry.slugs(), "comparison": COMPARISONS, "use": ("check", "fit")}
    for name, choices in known.items():
        if asked.get(name, choices[0]) not in choices:
            raise unknown(name, asked[name], choices)
    return {name: asked.get(name, choices[0]) for name, choices in known.items()}


def register(app: Dash, _context: Context) -> None:
    """Scores are reckoned once a server, when the page is first open."""
    board = Board()
    _register_board(app, board)
    _register_rows(app, board)


def _register_board(app: Dash, board: Board) -> None:
    @app.callback(
        Output("validation-board-grid", "rowData"),
        Output("validation-board-status", "children"),
        Input("validation-board-grid", "id"),
    )
    def on_open(_: str) -> tuple[list[dict[str, object]], str]:
        cards = [board.card(slug) for slug in registry.slugs()]
        rows = [board_row(score) for card in cards for score in card.scores]
        return rows, _status(cards)

    @app.callback(
        Output("validation-calibration-graph", "figure"),
        Output("validation-calibration-caption", "children"),
        Input("app-theme-store", "data"),
        State("validation-board-grid", "id"),
    )
    def on_theme(dark: bool | None, _: str) -> tuple[object, str]:
        chart = board.calibration()
        return figures.plotly(chart, dark=bool(dark)), chart.caption


def _status(cards: Sequence[Card]) -> str:
    """What was scored, and why something is missing."""
    bare = [card.model for card in cards if not card.scores]
    notes = [f"{card.model}: {card.note}." for card in cards if card.note]
    rows = sum(len(card.pairs) for card in cards)
    told = [f"Scored now, {rows:,} rows of {len(cards)} pages. Select a line to see its rows."]
    if bare:
        told.append(f"Nothing to hold against: {', '.join(bare)}.")
    return " ".join([*told, *notes])


def _register_rows(app: Dash, board: Board) -> None:
    @app.callback(
        Output("validation-chosen-store", "data"),
        Input("validation-board-grid", "selectedRows"),
        prevent_initial_call=True,
    )
    def on_select(rows: list[dict[str, str]] | None) -> Any:  # noqa: ANN401 - a row or no change
        return {name: rows[0][name] for name in WORDS} if rows else no_update

    @app.callback(
        output={
            "title": Output("validation-rows-title", "children"),
            "rows": Output("validation-rows-grid", "rowData"),
            "figure": Output("validation-points-graph", "figure"),
            "caption": Output("validation-points-caption", "children"),
            "link": Output("validation-link-anchor", "href"),
        },
        inputs={
            "which": Input("validation-chosen-store", "data"),
            "dark": Input("app-theme-store", "data"),
        },
    )
    def on_choice(which: Chosen, dark: bool | None) -> dict[str, object]:
        card = board.card(which["model"])
        chart = chart_of(card, which)
        return {
            "title": f"Rows of {which['model']}: {which['comparison']}, {which['use']}",
            "rows": rows_of(card, which),
            "figure": figures.plotly(chart, dark=bool(dark)),
            "caption": chart.caption,
            "link": f"/validation?{urlencode(which)}",
        }

    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function (link) { if (link) { window.history.replaceState(null, '', link); } }",
        Input("validation-link-anchor", "href"),
    )


PAGE = Page(order=6, path="/validation", title="Validation", layout=layout, register=register)
