"""What a person touches on the Compare page: ways to add a design, charts, menus of techniques."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dse.chart import words
from dse.choice import numbers

from . import compared
from .compare_tables import saver
from .compared import MOST, Asked, Compared
from .context import Context
from .page import aria

GRAPH: Any = {"displayModeBar": False, "responsive": True}


def choosing(context: Context, asked: Asked) -> Component:
    """The designs that are compared, and every way to add one."""
    problems = [html.P(text) for text in asked.problems]
    return html.Section(
        [
            html.H2("Designs"),
            html.Ul(id="compare-designs-list", className="compare-designs"),
            html.Div(problems, id="compare-message-alert", role="alert", className="refusal"),
            html.Div([_menu(context), _typed(), _files()], className="compare-adding"),
            html.P(
                [
                    html.A("Link to this comparison", id="compare-link-anchor", href=""),
                    f" · at most {MOST} designs, all of one page",
                ],
                className="caption",
            ),
        ],
        className="card",
    )


def _menu(context: Context) -> Component:
    """The designs of the run by name; words where there is none."""
    options = compared.offered(context)
    menu = dcc.Dropdown(
        id="compare-run-menu",
        options=[{"label": text, "value": name} for name, text in options.items()],
        placeholder="Choose a design" if options else "No run with a front is open",
        disabled=not options,
    )
    return html.Div(
        [html.Label("Add from the run", htmlFor="compare-run-menu"), menu], className="chooser"
    )


def _typed() -> Component:
    box = dcc.Input(
        id="compare-name-text",
        type="text",
        placeholder="row:12, or PAGE:knob=value,knob=value",
        className="box",
    )
    button = html.Button("Add", id="compare-name-button", type="button")
    below = html.Div([box, button], className="compare-row")
    return html.Div(
        [html.Label("Add by name", htmlFor="compare-name-text"), below], className="chooser"
    )


def _files() -> Component:
    """A design file: dropped, chosen, or pasted as text, which needs no pointer."""
    upload = dcc.Upload(
        html.Button("Choose or drop a design file (.yaml)", type="button"),
        id="compare-file-upload",
        accept=".yaml,.yml",
        className="compare-upload",
        className_active="compare-upload compare-dropping",
    )
    box = dcc.Textarea(
        id="compare-yaml-text",
        placeholder="model: PAGE\nset: {knob: value}",
        className="compare-yaml",
    )
    pasted = html.Details(
        [
            html.Summary("Paste a design"),
            html.Label("Design as YAML", htmlFor="compare-yaml-text", className="hidden"),
            box,
            html.Button("Add the pasted design", id="compare-yaml-button", type="button"),
        ]
    )
    return html.Div([html.Div("Add from a file"), upload, pasted], className="chooser")


def figure(kind: str) -> Component:
    """Where one chart appears, with its caption and the button that saves it."""
    return html.Section(
        [
            dcc.Graph(id=f"compare-{kind}-graph", config=GRAPH, style={"height": "26rem"}),
            html.P(id=f"compare-{kind}-caption", className="caption"),
            saver(kind, "Figure as SVG"),
        ],
        id=f"compare-{kind}-section",
        className="card",
        hidden=True,
    )


def ablation(asked: Asked, found: Compared) -> Component:
    """Which design's techniques are switched off and on, and where the answer appears."""
    wait = html.P("Every combination of its techniques is being priced …", role="status")
    designs, metrics = switchable(found)
    return html.Section(
        [
            html.H2("What each technique brings"),
            html.P("Choose a design: its techniques are switched off and on in all combinations."),
            html.Div(
                [
                    _chooser("ablate", designs, asked.ablate),
                    _chooser("metric", metrics, asked.metric),
                ],
                className="choosers",
            ),
            dcc.Loading(
                html.Div(id="compare-ablation-panel", **aria(live="polite")),
                custom_spinner=wait,
                delay_show=200,
            ),
        ],
        id="compare-ablation-section",
        className="card",
        hidden=not found.shown,
    )


Options = list[dict[str, str]]
"""What a menu offers: a label and a value each."""


def switchable(found: Compared) -> tuple[Options, Options]:
    """Designs and metrics of the menus; none where the page has no technique to switch."""
    page = found.shown[0].page if found.shown else None
    if page is None or not page.techniques:
        return [], []
    designs = [{"label": design.title, "value": design.letter} for design in found.shown]
    return designs, [{"label": words(name), "value": name} for name in numbers(page)]


def _chooser(name: str, options: Options, value: str) -> Component:
    """A menu; a value that it does not offer is not chosen."""
    label, hint = {
        "ablate": ("Design", "Choose one"),
        "metric": ("Metric", "The first that changes"),
    }[name]
    name = f"compare-{name}-menu"
    chosen = value if any(option["value"] == value for option in options) else None
    menu = dcc.Dropdown(id=name, options=options, value=chosen, placeholder=hint)
    return html.Div([html.Label(label, htmlFor=name), menu], className="chooser")
