"""Every page that prices, found by its room: its question, what was published, its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dse import figures, registry, units, validate
from dse.certainty import HEAD, UNCHECKED, span
from dse.chart import Chart
from dse.cross import points_from_kept
from dse.errors import unknown
from dse.exposition import Exposition, exposition
from dse.facts import publication
from dse.figures import calibration
from dse.grounds import Ground
from dse.residuals import coverage
from dse.spec import AnyModel, Knob, knobs
from dse.trust_charts import grounds_of
from dse.trust_charts import points as trusted
from dse.validate import Row

from . import design, paper_curves, paper_equations
from .context import Context
from .page import Page, aria

UNSAID = ("may_be_unknown",)
"""Notes that are names of metrics, for machines."""


def layout(_context: Context, search: str) -> Component:
    """A page of `models`, as the query names it; the first one otherwise.

    Raises:
        InputError: no page of that name.
    """
    slugs = registry.slugs()
    slug = parse_qs(search.removeprefix("?")).get("model", [slugs[0]])[0]
    if slug not in slugs:
        raise unknown("model", slug, slugs)
    page = registry.model(slug)
    read = design.read(search, default=slug)
    asked, said = paper_curves.moved_by(page, read.settings), exposition(page)
    links = [_link(other, current=other == slug) for other in slugs]
    return html.Div(
        [
            html.Nav(["Page: ", *links], className="models", **aria(label="Pages that price")),
            html.H1(page.paper.question),
            html.P(publication(page.paper), className="caption"),
            *paper_equations.introduction(said, page.paper.question),
            html.P(page.note) if page.note else None,
            *(html.P(text, className="refusal", role="alert") for text in read.problems),
            dcc.Store(id=paper_curves.STORE, data={"model": slug, "asked": asked}),
            *paper_curves.panels(page, asked),
            *_published(page),
            *_cautions(page, said),
            html.H2("Symbols"),
            paper_equations.symbols(said),
            html.H2("Equations"),
            paper_equations.equations(said),
            html.H2("Knobs"),
            _table(("knob", "", "default", "from", "to", "what it is", "source"), _knobs(page)),
            html.H2("Answers"),
            _table(("metric", "unit", "better", "what it is"), _answers(page)),
            *_notes(page),
            html.P(html.A("Set a design on this page", href=f"/?model={slug}")),
        ],
        id="papers-page-body",
    )


def _link(slug: str, *, current: bool) -> Component:
    here = aria(current="page") if current else {}
    return html.A(slug, href=f"/papers?model={slug}", className="model", **here)


def _published(page: AnyModel) -> list[Component]:
    """Published against predicted, fit and check apart, as figure and rows."""
    rows = validate.rows(page.slug)
    if not rows:
        return [html.P("No published point: nothing here was held against a measurement.")]
    told = [
        html.Li(
            f"{s.rows} {s.use} rows: mean error {s.mean:.2%}, worst {s.worst:.2%}", className=s.use
        )
        for s in validate.summaries(rows)
    ]
    heads = (
        *("point", "quantity", "published", "predicted", HEAD, "interval from"),
        *("error", "use", "source"),
    )
    grounds = grounds_of(page.slug)
    return [
        html.H2("Published against predicted"),
        html.Ul([*told, html.Li(_covered(page), className="coverage")]),
        html.Div([_graph("points"), _graph("coverage")], className="pair"),
        html.P(calibration([page.slug]).caption, className="caption"),
        _table(heads, [_point(row, grounds[row.id]) for row in rows]),
    ]


def _graph(kind: str) -> Component:
    return dcc.Graph(
        id=f"papers-{kind}-graph",
        config={"displayModeBar": False, "responsive": True},
        style={"height": "26rem"},
    )


def _point(row: Row, ground: Ground) -> tuple[str, ...]:
    """A published point beside its prediction, with what the interval of that rests on."""
    said = span(ground.low, ground.high, row.unit)
    return (
        row.id,
        row.quantity,
        units.show(row.published, row.unit),
        units.show(row.predicted, row.unit),
        said,
        f"{ground.tier}: {ground.basis}" if said else UNCHECKED,
        f"{row.error:+.1%}",
        row.use,
        f"{row.where} ({row.kind})",
    )


def _covered(page: AnyModel) -> str:
    """How many check rows lie inside their intervals."""
    found = coverage(page.slug)
    if not found.rows:
        return "no check row could be held against an interval"
    return (
        f"{found.covered:,} of {found.rows:,} check rows, published and executed, lie inside "
        f"{HEAD}s that have not seen their group: {found.share:.1%}, compatible with "
        f"{found.low:.1%} to {found.high:.1%}"
    )


def _cautions(page: AnyModel, said: Exposition) -> list[Component]:
    """Weak regimes and limits in the page's words, and what warns of a design."""
    words = [*page.flags.values(), *page.remarks.values()]
    warned = [html.H3("What warns of a design"), html.Ul([html.Li(text) for text in words])]
    return [
        html.H2("Where to read with care"),
        *paper_equations.limits(said),
        *(warned if words else []),
    ]


def _knobs(page: AnyModel) -> Iterable[Sequence[str]]:
    for path, knob in knobs(page.config).items():
        if knob.catalog is not None:
            yield (path, knob.symbol, str(knob.default), "", "", knob.text, knob.catalog.name)
        else:
            number = page.data.parameters[path]
            source = f"{number.source.where} ({number.source.kind})"
            yield (path, knob.symbol, *_span(knob), knob.text, source)


def _span(knob: Knob) -> tuple[str, str, str]:
    """Default and bounds in words."""
    if knob.bounds is None:
        return units.show(float(str(knob.default)), knob.unit), "", ""
    numbers = (float(str(knob.default)), knob.bounds.low, knob.bounds.high)
    default, low, high = (units.show(number, knob.unit) for number in numbers)
    return default, low, high


def _answers(page: AnyModel) -> Iterable[Sequence[str]]:
    better = {"min": "lower", "max": "higher", "": ""}
    for name, metric in page.metrics.items():
        yield (name, metric.unit, better[metric.sense], metric.text)


def _notes(page: AnyModel) -> list[Component]:
    """What a reader should know; not the page's own note once more, nor what machines read."""
    said = {k: v for k, v in page.data.notes.items() if k not in UNSAID and v != page.note}
    parts = [part for name, text in said.items() for part in _note(name, text)]
    return [html.H2("Notes"), html.Dl(parts)] if parts else []


def _note(name: str, text: str) -> tuple[Component, Component]:
    return html.Dt(name.replace("_", " ")), html.Dd(text)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Component:
    return html.Div(
        html.Table(
            [
                html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])),
                html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows]),
            ],
            className="sheet",
        ),
        className="wide",
    )


def points(slug: str) -> Chart:
    """The chart of a page's published points: predictions with intervals, and its mechanism."""
    executed = [
        {
            **asdict(one),
            "use": "mechanism",
            "predicted": one.reference,
            "error": one.reference_error,
        }
        for one in points_from_kept(slug)
    ]
    return figures.validation([*trusted(slug), *executed])


def held(slug: str, *, dark: bool) -> object:
    """The figure of how many of a page's check rows its intervals hold, by their level."""
    return figures.plotly(calibration([slug]), dark=dark)


def register(app: Dash, _context: Context) -> None:
    """The figures follow the theme; all else is laid out once."""

    @app.callback(
        Output("papers-points-graph", "figure"),
        Output("papers-coverage-graph", "figure"),
        Input("app-theme-store", "data"),
        State(paper_curves.STORE, "data"),
    )
    def on_theme(dark: bool | None, state: Mapping[str, Any]) -> tuple[object, object]:
        slug = str(state["model"])
        return figures.plotly(points(slug), dark=bool(dark)), held(slug, dark=bool(dark))

    paper_curves.register(app)


PAGE = Page(order=4, path="/papers", title="Papers", layout=layout, register=register)
