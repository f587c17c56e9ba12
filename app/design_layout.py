"""What stands on the Design page: controls, results, charts, and the ways to save and load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dse import figures, registry
from dse.chart import Chart, words
from dse.choice import chosen
from dse.spec import AnyModel

from . import controls, live
from .context import Context
from .design import Asked, Settings
from .page import aria

GRAPH: Any = {"displayModeBar": False, "responsive": True}

HEIGHTS = {"terms": "19rem", "roof": "24rem", "levers": "27rem"}
"""Of each chart."""

FIGURE = "Figure as SVG"

SAVED = {"yaml": "Design as YAML", "csv": "Numbers as CSV"}
"""What is saved of a design, by the words in the ids of the buttons."""


def body(context: Context, asked: Asked, state: live.State) -> list[Component]:
    """Everything but the stores."""
    page = asked.page
    return [
        html.H1(page.paper.question),
        _models(page),
        html.Div(
            [html.P(problem) for problem in asked.problems],
            id="design-link-alert",
            role="alert",
            className="refusal",
        ),
        html.Div(
            [
                _knobs(context, asked),
                html.Div(
                    [_result(context, asked, state), _side(asked), *_below(page, asked)],
                    className="design-main",
                ),
            ],
            className="design-columns",
        ),
    ]


def _side(asked: Asked) -> Component:
    """The charts of the design as it stands."""
    return html.Div([_terms(), _roof(asked)], className="design-side")


def _below(page: AnyModel, asked: Asked) -> list[Component]:
    """What takes the whole width: single changes, and where the numbers of rows are from."""
    held = [
        html.Summary("Where the numbers of the chosen rows are from"),
        html.Div(id="design-rows-panel"),
    ]
    return [_levers(page, asked), html.Details(held, className="card design-wide")]


def _models(page: AnyModel) -> Component:
    """Links to a design of every page. A full load each: the address may have moved on."""
    links = [
        html.A(
            slug,
            href=f"/design?model={slug}",
            className="model",
            **(aria(current="page") if slug == page.slug else {}),
        )
        for slug in registry.slugs()
    ]
    return html.Nav(["Page: ", *links], className="models", **aria(label="Pages that price"))


def _knobs(context: Context, asked: Asked) -> Component:
    return html.Section(
        [
            html.H2("Knobs"),
            html.Div(id="design-knob-alert", role="alert", className="refusal"),
            html.Div(knobs(context, asked.page, asked.settings), id="design-knobs-panel"),
            html.Details(
                [
                    html.Summary("Load a design file"),
                    dcc.Upload(
                        html.Button("Choose or drop a design file (.yaml)", type="button"),
                        id="design-file-upload",
                        accept=".yaml,.yml",
                        className="design-upload",
                        className_active="design-upload design-dropping",
                    ),
                ]
            ),
        ],
        className="card design-knobs",
    )


def knobs(
    context: Context,
    page: AnyModel,
    settings: Settings,
    clicks: Mapping[str, int] | None = None,
) -> list[Component]:
    """Every group of controls of a page, at a design; see `controls.panel`."""
    return controls.panel(page, live.controls_of(context, page), settings, clicks)


def group(context: Context, state: live.State, title: str) -> list[Component]:
    """The controls of one group, at a design."""
    page = live.page_of(state)
    members = controls.grouped(page, live.controls_of(context, page)).get(title, [])
    return controls.rows(page, members, state["settings"])


def _result(context: Context, asked: Asked, state: live.State) -> Component:
    page = asked.page
    return html.Section(
        [
            html.H2("This design"),
            *_beside(context, page),
            html.Div(
                [
                    _button("pin", "Pin this design", "Hold what follows against it"),
                    _button("unpin", "Unpin", "Hold against nothing"),
                    _button("reset", "Defaults", "Back to the page's defaults"),
                    *(saver(kind, text) for kind, text in SAVED.items()),
                    *_report(context, page),
                ],
                className="design-buttons",
            ),
            html.Div(live.result(context, state), id="design-result-panel", **aria(live="polite")),
            html.P(
                [
                    html.A("Link to this design", id="design-link-anchor", href=""),
                    html.Span(
                        [" · ", html.A("Term by term", id="design-compare-anchor", href="")],
                        id="design-compare-text",
                        hidden=not asked.pinned,
                    ),
                ],
                className="caption",
            ),
        ],
        className="card design-result",
    )


def _beside(context: Context, page: AnyModel) -> list[Component]:
    """What a design is held against where a run of its page is open."""
    snapshot = context.readable()
    if snapshot is None or snapshot.study.page is not page or context.run is None:
        return []
    named, bounds = "/".join(context.run.path.parts[-2:]), snapshot.study.constraints
    held = "; ".join(bound.text for bound in bounds) or "no constraint"
    return [html.P(f"Run {named}: {held}. Sliders go over its ranges.", className="caption")]


def _report(context: Context, page: AnyModel) -> list[Component]:
    snapshot = context.readable()
    if snapshot is None or snapshot.study.page is not page or context.run is None:
        return []
    written = (context.run.path / "report.pdf").is_file()
    return [saver("report", "Report of the run (PDF)")] if written else []


def _button(kind: str, text: str, does: str) -> Component:
    return html.Button(text, id=f"design-{kind}-button", type="button", title=does)


def saver(what: str, text: str) -> Component:
    """A button that saves something of the design."""
    return html.Button(text, id={"type": "design-save-button", "index": what}, type="button")


def figure(kind: str, chart: Chart | None, said: str, *, dark: bool) -> list[Component]:
    """A chart with its caption, or words alone where there is none.

    Args:
        kind: terms, roof or levers.
        chart: what is drawn.
        said: words below it; its own caption where there are none.
        dark: whether the page is dark.
    """
    if chart is None:
        return [html.P(said)] if said else []
    return [
        dcc.Graph(
            id=f"design-{kind}-graph",
            figure=figures.plotly(chart, dark=dark),
            config=GRAPH,
            style={"height": HEIGHTS[kind]},
        ),
        html.P(said or chart.caption, className="caption"),
    ]


def rows(found: Mapping[str, Sequence[str]]) -> list[Component]:
    """Where the numbers of rows are from, a list a row."""
    return [
        html.Div([html.H3(name), html.Ul([html.Li(text) for text in texts])])
        for name, texts in found.items()
    ]


def _terms() -> Component:
    panel = html.Div(id="design-terms-panel", style=room("terms"))
    return html.Section([panel, saver("terms", FIGURE)], className="card")


def room(kind: str) -> dict[str, str]:
    """What a chart will take, so that nothing moves when it appears."""
    return {"minHeight": HEIGHTS[kind]}


def _roof(asked: Asked) -> Component:
    """Where operators stand; hidden where the page has no roof."""
    name = "design-roof-menu"
    menu = dcc.Dropdown(id=name, value=asked.roof or None, searchable=False)
    return html.Section(
        [
            html.Div([html.Label("Operators of", htmlFor=name), menu], className="chooser"),
            html.Div(id="design-roof-panel", style=room("roof")),
            saver("roof", FIGURE),
        ],
        id="design-roof-section",
        className="card",
        hidden=True,
    )


def _levers(page: AnyModel, asked: Asked) -> Component:
    """What single changes do; priced only where a metric is chosen."""
    name = "design-metric-menu"
    options = [{"label": words(metric), "value": metric} for metric in chosen(page)]
    menu = dcc.Dropdown(
        id=name, options=options, value=asked.metric or None, placeholder="Choose a metric"
    )
    wait = html.P("Every single change is being priced …", role="status")
    return html.Section(
        [
            html.H2("What would help most"),
            html.P("Choose a metric: every knob is changed alone, and what that does is drawn."),
            html.Div([html.Label("Metric", htmlFor=name), menu], className="chooser"),
            html.Div(id="design-helps-text", **aria(live="polite")),
            html.Button("Try that change", id="design-try-button", type="button", hidden=True),
            dcc.Loading(html.Div(id="design-levers-panel"), custom_spinner=wait, delay_show=200),
            html.Div(saver("levers", FIGURE), id="design-levers-files", hidden=True),
        ],
        className="card design-wide",
    )
