"""The designs of a run that are worth a first look: what they reach, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator

from dash import html
from dash.development.base_component import Component

from dse import units
from dse.certainty import CHANCES, HEAD, chance, of_column, span
from dse.chart import words
from dse.confidence import judged
from dse.evaluate import Table

from .columns import Opened
from .design import query, row_settings
from .runs import name_of


def panel(opened: Opened) -> Component:
    """The best designs side by side; hidden, but there, when the run has none."""
    below = [_table(opened)] if opened.why else []
    caption = f"Values over their {HEAD}s. The name of a design opens it."
    return html.Section(
        [html.H2("Best designs"), html.P(caption, className="caption"), *below],
        className="card explore-best",
        hidden=not opened.why,
    )


def _table(opened: Opened) -> Component:
    """What the study judges by, the chances, and the knobs of each design."""
    best = opened.best
    heads = [html.Th(_link(opened, row), scope="col") for row in range(len(best))]
    head = html.Thead(html.Tr([html.Td(), html.Th("known from", scope="col"), *heads]))
    body = [
        *(_metric(best, name) for name in judged(opened.study)),
        *(_line(said, [chance(p) for p in best[name].tolist()]) for name, said in CHANCES.items()),
        *_knobs(opened),
    ]
    table = html.Table([head, html.Tbody(body)], className="sheet", id="explore-best-table")
    return html.Div(table, className="wide")


def _knobs(opened: Opened) -> Iterator[Component]:
    """The knobs that some of the designs use; nothing where one plays no part."""
    space, best = opened.study.space, opened.best
    active = space.active({axis.path: best[axis.path] for axis in space.axes})
    for axis in space.axes:
        used = zip(best[axis.path].tolist(), active[axis.path].tolist(), strict=True)
        cells = [axis.show(value) if on else "" for value, on in used]
        if any(cells):
            yield _line(axis.path, cells)


def _link(opened: Opened, row: int) -> Component:
    """A design's name, which opens it."""
    study = opened.study
    settings = row_settings(study, opened.best, row)
    link = f"/design{query(study.page, settings, run=name_of(opened.run))}"
    return html.A(words(opened.why[row]), href=link)


def _metric(best: Table, name: str) -> Component:
    """A metric of every design over its interval, and how it is known."""
    unit = best.units.get(name, "1")
    ends = zip(best[f"{name}_low"].tolist(), best[f"{name}_high"].tolist(), strict=True)
    cells = [
        html.Td([html.Span(units.show(value, unit)), *_span(span(low, high, unit))])
        for value, (low, high) in zip(best[name].tolist(), ends, strict=True)
    ]
    return html.Tr([html.Th(words(name), scope="row"), html.Td(of_column(best, name)), *cells])


def _span(said: str) -> list[Component]:
    return [html.Span(said, className="span")] if said else []


def _line(name: str, cells: list[str]) -> Component:
    heads = [html.Th(words(name), scope="row")]
    return html.Tr([*heads, html.Td(), *(html.Td(cell) for cell in cells)])
