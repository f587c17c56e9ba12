"""How runs stand, in words and tables: the list, the one that is watched, what mattered in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.dependencies import Wildcard
from dash.development.base_component import Component

from dse import store, units
from dse.chart import words
from dse.errors import InputError
from dse.store import Run

from . import runs, watched
from .front import axes_first, numeric
from .page import aria

LISTED = 20
"""Most runs that are listed."""

LOOKS = {
    "running": "running",
    "elsewhere": "running elsewhere",
    "finished": "finished",
    "paused": "paused",
    "broken": "broken",
}
"""How the state of a run reads in a list."""

GRAPH: Any = {"displaylogo": False, "responsive": True, "toImageButtonOptions": {"format": "svg"}}


def panel(run: Run | None, axes: Mapping[str, str]) -> Component:
    """The run that is watched; hidden, but there, when the URL names none."""
    name = "" if run is None else runs.name_of(run)
    question, choices, first = _about(run)
    drawn = [
        own if own in choices else usual for own, usual in zip(axes.values(), first, strict=True)
    ]
    return html.Section(
        [
            html.H2(f"Run {name}"),
            html.P(question),
            html.P(id="search-state-status", className="state", **aria(live="polite")),
            html.Progress(
                id="search-done-progress", max="1", value="0", **aria(label="Designs done")
            ),
            html.P(id="search-facts-text", className="facts"),
            html.Div(id="search-run-alert", role="alert", className="refusal"),
            _actions(name),
            _charts(choices, drawn),
            _weighing(),
        ],
        className="card watch",
        hidden=run is None,
    )


def _about(run: Run | None) -> tuple[str, list[str], list[str]]:
    """What a run asks, the columns that can be an axis, and the two that are drawn at first."""
    if run is None:
        return "", [], ["", ""]
    try:
        study = runs.apart(run.study)
    except InputError as error:
        return str(error), [], ["", ""]
    return study.question, numeric(study), axes_first(study)


def _actions(name: str) -> Component:
    return html.Div(
        [
            html.Button("Pause", id="search-pause-button", disabled=True),
            html.Button("Resume", id="search-resume-button", disabled=True),
            html.A("Open in Explore", href=f"/?run={name}"),
            html.Span(["Report: ", html.Code(f"dse report {store.ROOT / name}")]),
        ],
        className="actions",
    )


def _charts(choices: list[str], drawn: list[str]) -> Component:
    axes = [_axis("Across", "x", choices, drawn[0]), _axis("Up", "y", choices, drawn[1])]
    return html.Div(
        [
            html.Div(
                [
                    html.Div(axes, className="pair"),
                    dcc.Graph(id="search-front-graph", config=GRAPH, style={"height": "27rem"}),
                    html.P(id="search-front-caption", className="caption"),
                ]
            ),
            html.Div(
                [
                    dcc.Graph(id="search-growth-graph", config=GRAPH, style={"height": "27rem"}),
                    html.P(id="search-growth-caption", className="caption"),
                ]
            ),
        ],
        className="charts",
    )


def _axis(label: str, kind: str, choices: list[str], value: str) -> Component:
    name = f"search-{kind}-menu"
    options = [{"label": words(choice), "value": choice} for choice in choices]
    menu = dcc.Dropdown(id=name, options=options, value=value, clearable=False)
    return html.Div([html.Label(label, htmlFor=name), menu], className="field")


def _weighing() -> Component:
    return html.Div(
        [
            html.H2("What mattered"),
            html.Button("Weigh the knobs", id="search-weigh-button"),
            html.Div(id="search-weigh-panel", **aria(live="polite")),
        ],
        className="weighing",
    )


def listing(found: Sequence[runs.State], older: int, current: str) -> Component:
    """Runs with how far each is.

    Args:
        found: the runs.
        older: how many more there are.
        current: the run that is watched.
    """
    if not found:
        return html.P("There is no run yet. Start one here, or by 'dse search' in a terminal.")
    heads = ("run", "state", "designs", "a second", "time left")
    rows = [_row(state, current) for state in found]
    return html.Div(
        [
            _table(heads, rows),
            *([html.P(f"{older:,} older runs are not listed.")] if older > 0 else []),
        ]
    )


def _table(heads: Iterable[str], rows: Sequence[Component]) -> Component:
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    return html.Div(html.Table([head, html.Tbody(rows)], className="sheet"), className="wide")


def _row(state: runs.State, current: str) -> Component:
    here = aria(current="page") if state.name == current else {}
    link = dcc.Link(state.name, href=f"/search?run={state.name}")
    told = [html.Td(text, id=cell(state.name, what)) for what, text in cells(state).items()]
    return html.Tr([html.Th(link, scope="row"), *told], **here)


def cell(run: str | Wildcard, what: str | Wildcard) -> dict[str, str | Wildcard]:
    """The id of a cell of the list; what changes is a cell, so that a link keeps the focus."""
    return {"type": "search-run-cell", "run": run, "what": what}


def cells(state: runs.State) -> dict[str, str]:
    """What the list says of a run, in its order."""
    return {
        "state": LOOKS[state.word],
        "designs": _done(state),
        "rate": _rate(state),
        "left": _left(state),
    }


def _done(state: runs.State) -> str:
    if state.word == "finished" or state.total is None:
        return f"{state.done:,}"
    return f"{state.done:,} of {state.total:,}"


def _rate(state: runs.State) -> str:
    return "" if state.rate is None else f"{float(f'{state.rate:.3g}'):,.0f}"


def _left(state: runs.State) -> str:
    return units.show(state.left, "s", 2) if state.alive and state.left is not None else ""


def facts(state: runs.State) -> str:
    """How far a run is, in words."""
    parts = [f"{_done(state)} designs stored"]
    if state.rate is not None:
        parts.append(f"{_rate(state)} a second")
    if state.seconds is not None:
        parts.append(f"{units.show(state.seconds, 's', 3)} searched")
    if _left(state):
        parts.append(f"about {_left(state)} left")
    if state.alive and not state.done:
        parts.append("designs are stored every 5 s")
    return " · ".join(parts)


def said(state: runs.State) -> str:
    """The state of a run in a word, and why it is broken."""
    if state.word == "elsewhere":
        return (
            f"Running in a process that this page did not start: its folder was written within "
            f"{runs.FRESH:.0f} s. Pause it where it was started."
        )
    return f"{state.word.capitalize()}{f': {state.said}' if state.said else ''}."


def version(state: runs.State) -> str:
    """Changes when the run's folder holds something new to draw."""
    front = state.run.path / "front.csv"
    return f"{state.done}-{front.stat().st_mtime_ns if front.exists() else 0}"


def weighed(importance: watched.Importance, beside: str) -> Component:
    """Importances as a table, the most important knob of the front first."""
    columns = list(importance.shares)
    last = importance.shares[columns[-1]]
    knobs = sorted(last, key=lambda knob: -last[knob])
    heads = ["knob", *(words(name) for name in columns)]
    return html.Div(
        [
            html.P(beside) if beside else None,
            html.P(
                f"PED-ANOVA of {importance.designs:,} stored designs that meet every constraint: "
                "how much each knob tells the best tenth of them from the rest, as a share of all "
                "knobs. It tells what the search met, not what the whole space holds; 'dse "
                "sensitivity' samples the space.",
                className="caption",
            ),
            _table(heads, [_knob(knob, importance, columns) for knob in knobs]),
        ]
    )


def _knob(knob: str, importance: watched.Importance, columns: list[str]) -> Component:
    shares = [importance.shares[name].get(knob, 0.0) for name in columns]
    cells = [
        html.Td(
            f"{share:.0%}",
            style={
                "backgroundImage": "linear-gradient(var(--bar), var(--bar))",
                "backgroundSize": f"{share:.1%} 100%",
            },
        )
        for share in shares
    ]
    return html.Tr([html.Th(knob, scope="row"), *cells])
