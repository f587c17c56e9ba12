"""What a run found: its facts, the front as scatter and table, and picking a design of it."""

from __future__ import annotations

from typing import Any

import dash_ag_grid
import numpy as np
from dash import dcc, html
from dash.development.base_component import Component

from dse import figures, registry, units
from dse.archive import points_of
from dse.certainty import CHANCES
from dse.chart import shown, words
from dse.errors import InputError
from dse.evaluate import Table
from dse.pareto import knee
from dse.spec import AnyModel
from dse.study import Study
from dse.winners import Told, told, verdict

from .context import Context, Snapshot
from .design import Settings, row_settings

DRAWN = 200_000
"""Most designs that are drawn beside the front."""

LISTED = 2000
"""Most rows of the table."""

GRAPH: Any = {"displaylogo": False, "responsive": True, "toImageButtonOptions": {"format": "svg"}}


def question(context: Context) -> Component:
    """What was asked, how it was searched, and what to know before reading on."""
    try:
        snapshot = context.snapshot()
    except InputError as error:
        return _titled("This run cannot be shown", html.P(str(error), role="alert"))
    if snapshot is None:
        return _titled("Set a design and see what it does", *_no_run())
    notes = (*snapshot.warnings, *snapshot.refusal)
    return _titled(
        snapshot.study.question,
        html.P(_facts(context, snapshot), className="facts"),
        *(html.P(note, role="status", className="warning") for note in notes),
        *_left_out(snapshot),
    )


def _titled(title: str, *below: Component) -> Component:
    return html.Section([html.H1(title), *below], id="explore-question-section")


def _no_run() -> list[Component]:
    studies = ", ".join(registry.data_files("studies")) or "none yet"
    return [
        html.P(
            [
                "There is no run yet. In a terminal, ",
                html.Code("dse search STUDY"),
                " searches a study and ",
                html.Code("dse app"),
                f" then opens its front here. Studies: {studies}.",
            ]
        )
    ]


def _facts(context: Context, snapshot: Snapshot) -> str:
    facts, accepted = snapshot.facts, int(snapshot.designs["accepted"].sum())
    folder = "" if context.run is None else "/".join(context.run.path.parts[-2:])
    parts = [
        f"Run {folder}",
        f"page '{snapshot.study.page.slug}'",
        f"{len(snapshot.designs):,} designs priced",
        f"{accepted:,} feasible within the constraints",
        f"{len(snapshot.front):,} on the front",
    ]
    if facts:
        parts += [f"method {facts['method']}", f"seed {facts['seed']}", str(facts["date"])[:10]]
    parts += [constraint.text for constraint in snapshot.study.constraints]
    return " · ".join(parts)


def _left_out(snapshot: Snapshot) -> list[Component]:
    left = snapshot.facts.get("left_out") or snapshot.study.space.left_out
    if not left:
        return []
    items = [html.Li(f"{name}: {why}") for name, why in left.items()]
    head = html.Summary(f"{len(items)} choices are left out, with reasons")
    return [html.Details([head, html.Ul(items)])]


def panel(context: Context) -> Component:
    """The front's scatter; hidden, but there, when no run is open."""
    snapshot = context.readable()
    choices = [] if snapshot is None else numeric(snapshot.study)
    first = ["", ""] if snapshot is None else axes_first(snapshot.study)
    return html.Section(
        [
            html.H2("Front"),
            html.Div(
                [
                    _chooser("Across", "x", choices, first[0]),
                    _chooser("Up", "y", choices, first[1]),
                    _chooser("Colour", "colour", choices, None),
                ],
                className="choosers",
            ),
            dcc.Graph(id="explore-front-graph", config=GRAPH, style={"height": "31rem"}),
            html.P(id="explore-front-caption", className="caption"),
            html.P("Click a point to load its design.", className="caption"),
            *([] if snapshot is None else won(snapshot)),
        ],
        className="card front",
        hidden=snapshot is None,
    )


def won(snapshot: Snapshot) -> list[Component]:
    """Who wins what, in words: a sentence, and a line for each objective."""
    found = snapshot.winners
    if not found:
        return []
    said = verdict(found, _spoken)
    rows = told(snapshot.study, snapshot.front, found, _spoken)
    lines = [html.Li(_won(row)) for row in rows]
    head = [html.P(f"{said[:1].upper()}{said[1:]}.")] if said else []
    return [*head, html.Ul(lines, id="explore-winners-list")]


def _spoken(name: str) -> str:
    """A name as it reads inside a sentence."""
    return words(name).lower()


def _won(row: Told) -> str:
    """One objective's winner in words."""
    knobs, others = (
        ", ".join(f"{_spoken(name)} {value}" for name, value in pairs.items())
        for pairs in (row.knobs, row.others)
    )
    by = "; ".join(filter(None, [knobs and f"with {knobs}", row.note]))
    reached = f", and then {others}" if others else ""
    return f"Best {_spoken(row.metric)}: {row.value}" + f" ({by})" * bool(by) + reached


def listing(context: Context) -> Component:
    """The front's designs as a table; hidden, but there, when no run is open."""
    snapshot = context.readable()
    count = 0 if snapshot is None else len(snapshot.front)
    some = f"The first {LISTED:,} of {count:,} designs. " if count > LISTED else ""
    return html.Section(
        [
            html.H2("Designs of the front"),
            html.P(f"{some}Select a row to load its design.", className="caption"),
            _grid(snapshot),
        ],
        className="card listing",
        hidden=snapshot is None,
    )


def numeric(study: Study) -> list[str]:
    """Columns that can be an axis: the page's metrics, then the knobs that are numbers."""
    metrics = [name for name in study.metrics if name != "feasible"]
    return metrics + [axis.path for axis in study.space.axes if not axis.rows]


def axes_first(study: Study) -> list[str]:
    """The two columns drawn at first: the first objectives, else what the page has."""
    wanted = [objective.metric for objective in study.objectives]
    return list(dict.fromkeys((*wanted, *numeric(study))))[:2]


def _chooser(label: str, kind: str, choices: list[str], value: str | None) -> Component:
    name = f"explore-{kind}-menu"
    options = [{"label": words(choice), "value": choice} for choice in choices]
    menu = dcc.Dropdown(id=name, options=options, value=value, clearable=kind == "colour")
    return html.Div([html.Label(label, htmlFor=name), menu], className="chooser")


def scatter(
    context: Context, x: str, y: str, colour: str | None, *, dark: bool
) -> tuple[Any, str]:
    """The front's figure in two metrics, and its caption.

    Raises:
        InputError: there is no run, or no such column.
    """
    snapshot = context.snapshot()
    if snapshot is None:
        raise InputError("there is no run to draw; run 'dse search' first")
    chart = figures.front(
        snapshot.study, snapshot.designs, snapshot.front, x=x, y=y, colour=colour, limit=DRAWN
    )
    return figures.plotly(chart, dark=dark), chart.caption


def picked(context: Context, page: AnyModel, mark: int) -> Settings:
    """The design of a mark: first the front's rows, then all designs'.

    Raises:
        InputError: the run is about another page than the open one, or has changed so that the
            mark stands for no design.
    """
    snapshot = context.snapshot()
    if snapshot is None:
        raise InputError("there is no run to pick a design of; run 'dse search' first")
    own = snapshot.study.page
    if own is not page:
        raise InputError(
            f"the front is of page '{own.slug}'; choose that page to load its designs"
        )
    whole = len(snapshot.front)
    if not 0 <= mark < whole + len(snapshot.designs):
        raise InputError(f"no design {mark} in this run any more; reload the page")
    if mark < whole:
        return row_settings(snapshot.study, snapshot.front, mark)
    return row_settings(snapshot.study, snapshot.designs, mark - whole)


def balanced(snapshot: Snapshot) -> Settings | None:
    """The design to start from: the front's balanced one, if there is a front."""
    if len(snapshot.front) == 0:
        return None
    return row_settings(
        snapshot.study, snapshot.front, knee(points_of(snapshot.study, snapshot.front))
    )


def _grid(snapshot: Snapshot | None) -> Component:
    table = None if snapshot is None else snapshot.front.take(_first(snapshot.front))
    grid: Component = dash_ag_grid.AgGrid(
        id="explore-front-grid",
        columnDefs=[] if snapshot is None else columns(snapshot.study, snapshot.front),
        rowData=[] if table is None else rows(table),
        columnSize="autoSize",
        defaultColDef={"sortable": True, "filter": True, "resizable": True},
        dashGridOptions={
            "rowSelection": {
                "mode": "singleRow",
                "checkboxes": False,
                "enableClickSelection": True,
            },
            "suppressFieldDotNotation": True,
            "animateRows": False,
            "theme": {"function": "dseTheme(themeQuartz)"},
        },
        style={"height": "24rem"},
    )
    return grid


def _first(front: Table) -> np.ndarray[Any, np.dtype[np.intp]]:
    return np.arange(min(len(front), LISTED))


def columns(study: Study, front: Table) -> list[dict[str, object]]:
    """Columns of objectives, knobs and other metrics: units in headers, formats in the browser."""
    first = [objective.metric for objective in study.objectives]
    knobs = [axis.path for axis in study.space.axes]
    names = dict.fromkeys((*first, *CHANCES, *knobs, *study.metrics))
    return [_column(front, name) for name in names if name != "feasible"]


def _column(front: Table, name: str) -> dict[str, object]:
    if name in CHANCES:
        return _chance(name)
    if name in front.labels:
        return {"field": name, "headerName": words(name)}
    look = shown(name, front[name], front.units.get(name, "1"))
    return {
        "field": name,
        "headerName": look.label,
        "type": "numericColumn",
        "filter": "agNumberColumnFilter",
        "valueFormatter": {"function": f"dseShown(params.value, {look.scale!r})"},
    }


def _chance(name: str) -> dict[str, object]:
    """A column of chances, as shares of a hundred."""
    return {
        "field": name,
        "headerName": f"{words(CHANCES[name])} [%]",
        "type": "numericColumn",
        "filter": "agNumberColumnFilter",
        "valueFormatter": {"function": "dseShown(params.value, 0.01)"},
    }


def rows(table: Table) -> list[dict[str, object]]:
    """Rows as the grid takes them: SI numbers in full, words where there is no number."""
    names = [name for name in table.columns if name != "row"]
    lists = [_plain(table, name) for name in names]
    return [
        {"row": i, **dict(zip(names, values, strict=True))}
        for i, values in enumerate(zip(*lists, strict=True))
    ]


def _plain(table: Table, name: str) -> list[object]:
    values: list[object] = table.words(name).tolist()
    return [_json(value) for value in values]


def _json(value: object) -> object:
    """A value as JSON has it: null for what is unknown, a word for what is infinite."""
    if not isinstance(value, float) or np.isfinite(value):
        return value
    return None if np.isnan(value) else units.show(value, "1")


def describe(value: float | bool | None, unit: str) -> str:
    """A metric's value in words: unknown stays unknown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else units.show(value, unit)
