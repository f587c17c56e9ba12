"""What the Compare page says: the chosen designs, their table and their charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dse import compare_charts, registry, units
from dse.breakdown import nothing
from dse.certainty import HEAD, UNCHECKED, known_from, told
from dse.chart import Chart, words
from dse.choice import chosen, numbers
from dse.comparison import Comparison
from dse.errors import shorten
from dse.outcome import at_prices
from dse.side_by_side import difference, ratio
from dse.spec import AnyModel, knobs

from .compared import Compared, Design
from .context import Context
from .page import aria

SIGNS = {"better": "▲", "worse": "▼"}
"""Marks beside a change, which its colour repeats."""


def listed(found: Compared) -> list[Component]:
    """The designs, each with what can be done with it, and why one cannot be compared."""
    return [_chosen(design, lead=design in found.shown[:1]) for design in found.designs]


def _chosen(design: Design, *, lead: bool) -> Component:
    of = "" if design.page is None else f"of page '{design.page.slug}'"
    name = html.Span(shorten(design.name, most=120), title=design.name, className="compare-name")
    said: list[Component | str] = [
        html.Strong(design.letter),
        " ",
        name,
        html.Span(of, className="caption"),
    ]
    if lead:
        said.append(html.Span(" · the others are held against it", className="caption"))
    buttons = [_button(design, "remove", "Remove")]
    if not design.refusal:
        buttons.insert(0, _button(design, "yaml", "YAML"))
        if not lead:
            buttons.insert(0, _button(design, "first", "Make reference"))
    refusal = [html.P(design.refusal, className="refusal")] if design.refusal else []
    return html.Li([html.Div([html.Span(said), html.Span(buttons)]), *refusal])


def _button(design: Design, kind: str, text: str) -> Component:
    does = {
        "remove": f"Remove design {design.letter}",
        "yaml": f"Save design {design.letter} as YAML for dse eval",
        "first": f"Hold the other designs against {design.letter}",
    }[kind]
    identity = {"type": f"compare-design-{kind}", "index": design.name}
    return html.Button(text, id=identity, type="button", title=does, **aria(label=does))


def saver(what: str, text: str) -> Component:
    """A button that saves the table or a figure."""
    return html.Button(text, id={"type": "compare-save-button", "index": what}, type="button")


def result(found: Compared) -> Sequence[Component | None]:
    """The table of a comparison, or in words why there is none."""
    if found.found is None:
        return _too_few(found)
    comparison, letters = found.found, [design.letter for design in found.shown]
    return [
        html.H2(comparison.page.paper.question),
        _table(comparison, found.shown),
        _alike(comparison),
        html.P(
            f"▲ better and ▼ worse than {letters[0]}. Below a value stand its {HEAD} and how it "
            f"is known; '{UNCHECKED}' says that nothing was checked.",
            className="caption",
        ),
        *_notes(comparison, letters),
        saver("table", "Table as CSV"),
    ]


def _too_few(found: Compared) -> list[Component]:
    count = len(found.shown)
    said = "One design can be read so far" if count else "No design is chosen yet"
    starts = [
        html.Li(html.A(slug, href=f"/compare?design={slug}", className="model"))
        for slug in registry.slugs()
    ]
    return [
        html.H2("Nothing to compare yet"),
        html.P(
            f"{said}; a comparison needs two of one page. Choose them from the run, name them, "
            "or add design files."
        ),
        html.P("A page's design as it stands by default is a start:"),
        html.Ul(starts, className="models compare-starts"),
    ]


def _notes(found: Comparison, letters: Sequence[str]) -> Iterator[Component]:
    """What to know before reading on: warnings, prices, and what could not be taken apart."""
    if not found.differing:
        yield html.P("No knob differs: the designs are one.", className="warning")
    if found.made_of() is None:
        yield html.P(nothing(found.page), className="warning")
    said: dict[str, list[str]] = {}
    for letter, held in zip(letters, found.answers, strict=True):
        for text in held["warnings"]:
            said.setdefault(text, []).append(letter)
    for text, where in said.items():
        of = "" if len(where) == len(letters) else f" ({', '.join(where)})"
        yield html.P(f"Caution{of}: {text}", className="warning")
    if listed_at := at_prices(found.page, registry.prices()):
        yield html.P(f"Costs are{listed_at}.", className="caption")


def _table(found: Comparison, shown: Sequence[Design]) -> Component:
    heads = [html.Th(of.title, scope="col", title=of.name) for of in shown]
    body = [row for rows in _groups(found, shown) for row in rows]
    table = html.Table(
        [
            html.Caption(f"Designs of page '{found.page.slug}' side by side", className="hidden"),
            html.Thead(html.Tr([html.Td(), *heads])),
            html.Tbody(body),
        ],
        className="sheet compare-table",
        id="compare-designs-table",
    )
    region = aria(label="Comparison, scrolls sideways")
    return html.Div(table, className="wide compare-scroll", tabIndex=0, role="region", **region)


def _groups(found: Comparison, shown: Sequence[Design]) -> Iterator[list[Component]]:
    """Knobs that differ, metrics, terms of the total, busy times."""
    if found.differing:
        yield [_heading("Knobs that differ", len(shown)), *_knobs(found)]
    yield [_heading("Metrics", len(shown)), *_metrics(found, shown)]
    broken = found.made_of()
    if broken is not None:
        parts = dict(sorted(broken.parts.items(), key=lambda part: -(part[1][0] or 0.0)))
        title = f"{words(broken.metric)} is the sum of"
        unit = found.page.metrics[broken.metric].unit
        yield [_heading(title, len(shown)), *_parts(parts, unit)]
    busy = found.values("resources")
    unit = found.page.metrics[found.page.total].unit
    yield [_heading("Busy times", len(shown)), *_parts(busy, unit)]
    yield [_row("bottleneck", [html.Td(words(held["bottleneck"])) for held in found.answers])]


def _heading(text: str, count: int) -> Component:
    return html.Tr(html.Th(text, scope="rowgroup", colSpan=count + 1), className="compare-group")


def _row(name: str | Component, cells: Sequence[Component], title: str = "") -> Component:
    said = words(name) if isinstance(name, str) else name
    return html.Tr([html.Th(said, scope="row", title=title), *cells])


def _knobs(found: Comparison) -> Iterator[Component]:
    """A line for each knob that differs, by the path that sets it."""
    known = knobs(found.page.config)
    for path, row in found.differing.items():
        cells = [html.Td(_setting(value, known[path].unit)) for value in row]
        yield _row(html.Code(path), cells, known[path].text)


def _setting(value: object, unit: str) -> str:
    if isinstance(value, float | int):
        return units.show(float(value), unit or "1")
    return "its own row" if isinstance(value, Mapping) else str(value)


def _metrics(found: Comparison, shown: Sequence[Design]) -> Iterator[Component]:
    """A line for the total, for whether a design can run, and for each metric that differs."""
    page = found.page
    for name in page.metrics:
        if name in (page.total, "feasible") or name not in _equal(found):
            held = [of["metrics"][name] for of in found.answers]
            pairs = zip(held, shown, strict=True)
            cells = [_metric(page, name, metric, held[0], design) for metric, design in pairs]
            yield _row(name, cells, page.metrics[name].text)


def _metric(
    page: AnyModel, name: str, held: Mapping[str, Any], first: Mapping[str, Any], design: Design
) -> Component:
    """A metric of one design: its value, how that stands to the first's, and how sure it is."""
    unit, sense = page.metrics[name].unit, page.metrics[name].sense
    change = [] if held is first else _change(held["value"], first["value"], unit, sense)
    value = html.Div(_said(held["value"], unit), className="compare-value")
    sure = [] if name == "feasible" else [_sure(held)]
    return html.Td([value, *change, *sure], id=f"compare-{name}-{design.letter}")


def _equal(found: Comparison) -> list[str]:
    """Metrics that have one value and one interval in all designs."""

    def facts(held: Mapping[str, Any]) -> tuple[object, ...]:
        return held["value"], held["low"], held["high"]

    return [
        name
        for name in numbers(found.page)
        if len({facts(held["metrics"][name]) for held in found.answers}) == 1
    ]


def _alike(found: Comparison) -> Component | None:
    """What needs no line, as it is equal in every design; the total has its line anyway."""
    names = [name for name in _equal(found) if name != found.page.total]
    if not names:
        return None
    held = {name: found.answers[0]["metrics"][name] for name in names}
    rows = [
        html.Tr(
            [
                html.Th(words(name), scope="row", title=found.page.metrics[name].text),
                html.Td(_said(metric["value"], metric["unit"])),
                html.Td(_sure(metric)),
            ]
        )
        for name, metric in held.items()
    ]
    count = f"{len(names)} metric{'' if len(names) == 1 else 's'}"
    summary = html.Summary(f"{count} equal in every design")
    return html.Details([summary, html.Table(html.Tbody(rows), className="sheet")])


def _said(value: float | bool | None, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else units.show(value, unit)


def _change(
    value: float | bool | None, first: float | bool | None, unit: str, sense: str
) -> list[Component]:
    """How a value stands to the first design's, and whether that is better."""
    text = ratio(value, first, unit)
    if not text:
        return []
    judged = better(value, first, sense)
    sign: list[Component | str] = []
    if judged:
        sign = [html.Span(SIGNS[judged], **aria(hidden="true")), " "]
    spoken = [html.Span(f" {judged}", className="hidden")] if judged else []
    return [html.Div([*sign, text, *spoken], className=f"compare-change {judged}")]


def better(value: float | bool | None, first: float | bool | None, sense: str) -> str:
    """Whether a value is 'better' or 'worse' than the first; neither where nobody can say.

    >>> better(1.0, 2.0, "min"), better(1.0, 2.0, "max"), better(1.0, 2.0, "")
    ('better', 'worse', '')
    """
    if not sense or value is None or first is None or value == first:
        return ""
    return "better" if (value < first) == (sense == "min") else "worse"


def _sure(metric: Mapping[str, Any]) -> Component:
    """The interval of a number and how it is known."""
    said = [text for text in (told(metric), known_from(metric)) if text]
    return html.Div(", ".join(said), className="compare-sure", title=str(metric["basis"]))


def _parts(rows: Mapping[str, Sequence[float | None]], unit: str) -> Iterator[Component]:
    """A line for whatever is above 0 in some design."""
    for name, values in rows.items():
        if all(value == 0 for value in values):
            continue
        changes = ["", *(difference(value, values[0], unit) for value in values[1:])]
        yield _row(
            name,
            [
                html.Td([html.Div(_said(v, unit)), html.Div(text, className="compare-change")])
                for v, text in zip(values, changes, strict=True)
            ],
        )


def charts(context: Context, compared: Compared) -> dict[str, Chart]:
    """Kind -> chart; none without a comparison, no terms where there is nothing to take apart."""
    found = compared.found
    if found is None:
        return {}
    metrics = {
        name: [held["metrics"][name]["value"] for held in found.answers]
        for name in _ranked(context, found)
    }
    drawn = {"gains": compare_charts.gains(found.page, found.names, metrics)}
    broken = found.made_of()
    if broken is None:
        return drawn
    held = [of["metrics"][broken.metric] for of in found.answers]
    ends = [(of["low"], of["high"]) for of in held]
    return {"made-of": compare_charts.made_of(found.page, found.names, broken, ends), **drawn}


def _ranked(context: Context, found: Comparison) -> list[str]:
    """What the run was searched for, if it is of this page; else all with a better direction."""
    snapshot, page = context.readable(), found.page
    if snapshot is not None and snapshot.study.page is page:
        return [objective.metric for objective in snapshot.study.objectives]
    return [name for name in chosen(page) if page.metrics[name].sense]


def height(chart: Chart) -> str:
    """How tall a chart is drawn: bars side by side need room each."""
    bars = len(chart.frame) if chart.kind == "grouped" else 0
    return f"{max(26.0, 12.0 + 0.9 * bars):g}rem"
