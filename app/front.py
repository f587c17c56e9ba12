"""What a run found: its facts in words, the front as scatter or density, and who wins what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from dash import dcc, html
from dash.development.base_component import Component
from numpy.typing import NDArray

from dse import figures, units
from dse.archive import points_of
from dse.chart import Chart, words
from dse.density_chart import Density
from dse.evaluate import Table
from dse.pareto import knee
from dse.spec import Mask
from dse.study import Study
from dse.winners import Told, told, verdict

from .columns import Opened
from .design import Settings, row_settings
from .page import aria
from .runs import name_of
from .sliders import bounds, judged, starting

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

DRAWN = 200_000
"""Most designs that are drawn beside the front as points; of more their density is drawn."""

PRINTED = 5000
"""Most designs beside the front in a saved figure."""

GRAPH: Any = {"displaylogo": False, "responsive": True, "toImageButtonOptions": {"format": "svg"}}

FRONT: Any = {
    **GRAPH,
    "modeBarButtonsToRemove": ["zoom2d", "pan2d", "select2d", "lasso2d", "toImage"],
}
"""Plotly's own boxes tell of every point inside, which takes seconds for many: see explore.js."""

DRAGS = {"box": "selects a box", "lasso": "selects a lasso", "zoom": "zooms"}
"""What dragging over the front does."""

RINGS = 2000
"""Most selected designs that are ringed."""

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Axes:
    """The columns that are drawn."""

    x: str
    y: str
    colour: str | None = None


def question(opened: Opened) -> Component:
    """What was asked, how it was searched, and what to know before reading on."""
    notes = (*opened.warnings, *opened.refusal)
    return html.Section(
        [
            html.H1(opened.study.question),
            html.P(_facts(opened), className="facts"),
            *(html.P(note, role="status", className="warning") for note in notes),
            *_left_out(opened),
        ],
        id="explore-question-section",
    )


def _facts(opened: Opened) -> str:
    facts, accepted = opened.facts, int(np.count_nonzero(opened.column("accepted")))
    parts = [
        f"Run {name_of(opened.run)}",
        f"page '{opened.study.page.slug}'",
        f"{opened.count:,} designs priced",
        f"{accepted:,} feasible within the constraints",
        f"{len(opened.front):,} on the front",
    ]
    if facts:
        parts += [f"method {facts['method']}", f"seed {facts['seed']}", str(facts["date"])[:10]]
    parts += [constraint.text for constraint in opened.study.constraints]
    return " · ".join(parts)


def _left_out(opened: Opened) -> list[Component]:
    left = opened.facts.get("left_out") or opened.study.space.left_out
    if not left:
        return []
    items = [html.Li(f"{name}: {why}") for name, why in left.items()]
    head = html.Summary(f"{len(items)} choices are left out, with reasons")
    return [html.Details([head, html.Ul(items)])]


def panel(opened: Opened, axes: Axes) -> Component:
    """The front's scatter, with menus for its axes."""
    choices = numeric(opened.study)
    return html.Section(
        [
            html.H2("Front"),
            html.Div(
                [
                    _chooser("Across", "x", choices, axes.x),
                    _chooser("Up", "y", choices, axes.y),
                    _chooser("Colour", "colour", choices, axes.colour),
                ],
                className="choosers",
            ),
            html.Div(
                [html.Span("Dragging", id="explore-drag-label"), _drags()],
                className="explore-buttons",
                role="group",
                **aria(labelledby="explore-drag-label"),
            ),
            dcc.Graph(id="explore-front-graph", config=FRONT, style={"height": "31rem"}),
            html.P(id="explore-front-caption", className="caption"),
            html.P("Click a point to open its design. Rings are selected.", className="caption"),
            _files("front", "Front"),
            *won(opened),
        ],
        className="card explore-front",
    )


def _drags() -> Component:
    options = [{"label": text, "value": kind} for kind, text in DRAGS.items()]
    return dcc.RadioItems(id="explore-drag-radio", options=options, value="box", inline=True)


def _files(kind: str, name: str) -> Component:
    """Buttons that save a figure."""
    buttons = [
        html.Button(
            f"Figure as {form.upper()}",
            id=f"explore-{kind}-{form}",
            type="button",
            **aria(label=f"{name} as {form.upper()}"),
        )
        for form in ("svg", "html")
    ]
    return html.Div(buttons, className="explore-buttons")


def lines_panel() -> Component:
    """Where designs appear as lines over parallel axes."""
    graph = dcc.Graph(
        id="explore-lines-graph",
        config={"displayModeBar": False, "responsive": True},
        style={"height": "30rem", "minWidth": "56rem"},
    )
    return html.Section(
        [
            html.H2("Knobs and what they reach"),
            html.Div(graph, className="wide"),
            html.P(id="explore-lines-caption", className="caption"),
            html.P(
                "Drag along an axis to select the designs that lie there; click beside the mark "
                "to drop it. Drag an axis by its name to move it.",
                className="caption",
            ),
            _files("lines", "Lines"),
        ],
        className="card explore-lines",
    )


def won(opened: Opened) -> list[Component]:
    """Who wins what, in words: a sentence, and a line for each objective."""
    found = opened.winners
    if not found:
        return []
    said = verdict(found, _spoken)
    rows = told(opened.study, opened.front, found, _spoken)
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
    menu = dcc.Dropdown(id=name, options=options, value=value or None, clearable=kind == "colour")
    return html.Div([html.Label(label, htmlFor=name), menu], className="chooser")


def drawn(
    opened: Opened,
    axes: Axes,
    limits: Mapping[str, float | None],
    *,
    most: int = DRAWN,
) -> Chart | Density:
    """The designs within limits with the front's, as points; of more than `DRAWN` a density.

    Args:
        opened: the run.
        axes: what is drawn.
        limits: of the bounds.
        most: most designs that are drawn as points.

    Raises:
        InputError: no such column.
    """
    held = judged(opened, limits)
    study, compared = opened.study, [opened.study.compare] if opened.study.compare else []
    columns = [axes.x, axes.y, *([axes.colour] if axes.colour else []), *compared, "extrapolates"]
    designs = opened.table(columns, accepted=held.remaining)
    shown = front_within(opened, held.remaining)
    if held.count > DRAWN:
        found = figures.density(
            study, designs, shown, x=axes.x, y=axes.y, colour=axes.colour or None
        )
        return replace(found, chart=_captioned(opened, found.chart, limits, shown))
    chart = figures.front(
        study, designs, shown, x=axes.x, y=axes.y, colour=axes.colour or None, limit=most
    )
    return _captioned(opened, chart, limits, shown)


def front_within(opened: Opened, remaining: Mask) -> Table:
    """The front's designs that remain."""
    front = opened.front
    return front.take(remaining[front["row"].astype(np.intp)])


def _captioned(
    opened: Opened, chart: Chart, limits: Mapping[str, float | None], shown: Table
) -> Chart:
    """A chart that says where bounds are not the study's."""
    if dict(limits) == starting(bounds(opened)):
        return chart
    note = (
        f"Bounds are moved: {len(shown):,} of {len(opened.front):,} designs of the run's front "
        "remain within them. "
    )
    return replace(chart, caption=note + chart.caption)


def figure(chart: Chart | Density, *, dark: bool) -> Figure:
    """A chart of the front for the screen, its marks unnamed."""
    if isinstance(chart, Density):
        return figures.density_plotly(chart, dark=dark)
    return figures.plotly(chart, dark=dark)


def printed(chart: Chart | Density) -> str:
    """A chart of the front for print, as SVG."""
    return figures.density_svg(chart) if isinstance(chart, Density) else figures.svg(chart)


def scatter(
    opened: Opened,
    axes: Axes,
    limits: Mapping[str, float | None],
    selected: Rows | None = None,
    *,
    dark: bool,
) -> tuple[Figure, str]:
    """The front's figure and its caption; a mark's `customdata` is its design's number.

    Args:
        opened: the run.
        axes: what is drawn.
        limits: of the bounds.
        selected: numbers of the selected designs, if any.
        dark: light on dark.

    Raises:
        InputError: no such column.
    """
    found = drawn(opened, axes, limits)
    chart = found.chart if isinstance(found, Density) else found
    shown = figure(found, dark=dark)
    front = front_within(opened, judged(opened, limits).remaining)["row"].astype(np.intp)
    for trace in shown.data:
        if trace.type == "scattergl" and trace.customdata is not None:
            mark = np.asarray(trace.customdata, dtype=np.intp)
            of_front = mark < len(front)
            rows = mark - len(front)
            rows[of_front] = front[mark[of_front]]
            trace.customdata = rows.tolist()
    ringed = rings(opened, axes, np.zeros(0, dtype=np.intp) if selected is None else selected)
    scales = [chart.x_scale, chart.y_scale]
    x, y = (np.array(ringed[axis]) / scale for axis, scale in zip("xy", scales, strict=True))
    shown.add_trace(figures.rings_plotly(x, y, np.array(ringed["rows"], dtype=np.intp)))
    meta = {"x": axes.x, "y": axes.y, "scales": scales, "log": [chart.log_x, chart.log_y]}
    shown.update_layout(meta=meta, dragmode=False, uirevision=f"{axes.x} {axes.y}")
    return shown, chart.caption


def rings(opened: Opened, axes: Axes, selected: Rows) -> dict[str, list[float]]:
    """Which selected designs are ringed, the front's first, and where they lie in SI."""
    of_front = np.isin(selected, opened.front["row"])
    others = selected[~of_front]
    places = np.linspace(0, len(others) - 1, min(RINGS, len(others))).astype(np.intp)
    rows = np.concatenate([selected[of_front], others[np.unique(places)]])[:RINGS]
    x, y = (opened.column(name)[rows] for name in (axes.x, axes.y))
    known = np.isfinite(x) & np.isfinite(y)
    return {name: v[known].tolist() for name, v in (("x", x), ("y", y), ("rows", rows))}


def balanced(opened: Opened) -> Settings | None:
    """The design to start from: the front's balanced one, if there is a front."""
    if len(opened.front) == 0:
        return None
    return row_settings(opened.study, opened.front, knee(points_of(opened.study, opened.front)))


def describe(value: float | bool | None, unit: str) -> str:
    """A metric's value in words: unknown stays unknown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else units.show(value, unit)
