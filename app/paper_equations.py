"""What a paper's page says of itself: symbols, equations and limits, read off its docstrings.

Formulas are outlines that `dse.formula` draws, the same as in print: no script, no font and no
request, 50 to 240 kB a page. MathJax out of Dash's own bundle costs 2.1 MB and half a second at
the first load, MathML looks as good as the fonts of whoever reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from dse.exposition import ABOUT, Exposition, Maths, Prose
from dse.formula import formula

from .page import aria

SIZE = 1.2
"""Of a formula's letters over those around it, which are a sans serif and so look larger."""

TITLES = {
    "Definitions": "Definitions",
    "Assumptions": "What is assumed",
    "Range": "Where it holds",
    "Where we differ": "Where it differs from the paper",
    "Known weak regimes": "Known weak regimes",
    ABOUT: "Also to know",
}
"""Head of a docstring's paragraph -> what stands above it; the question is the page's title."""


def symbols(found: Exposition) -> Component:
    """The symbols table."""
    heads = ("symbol", "name", "unit", "where")
    rows = [
        html.Tr([html.Td(said(row.symbol)), *map(html.Td, (row.name, row.unit, row.where))])
        for row in found.symbols
    ]
    return _sheet(heads, rows)


def equations(found: Exposition) -> Component:
    """Every equation: what it is called in the code, and its sentence, place and formula."""
    rows = [
        html.Tr([html.Th(html.Code(one.name), scope="row"), html.Td(said(one.text))])
        for one in found.equations
    ]
    return _sheet(("function", "equation"), rows)


def _sheet(heads: Sequence[str], rows: Sequence[Component]) -> Component:
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in heads]))
    return html.Div(html.Table([head, html.Tbody(rows)], className="sheet said"), className="wide")


def limits(found: Exposition) -> list[Component]:
    """Assumptions, range, differences and weak regimes in words."""
    parts = []
    for head, title in TITLES.items():
        if head in found.parts:
            first, *items = map(_capital, found.parts[head])
            listed = [html.Ul([html.Li(said(text)) for text in items])] if items else []
            parts += [html.H3(title), html.P(said(first)), *listed]
    return parts


def introduction(found: Exposition, asked: str) -> list[Component]:
    """The question in full and the mechanism in a sentence or two, beyond what stands above."""
    first, *rest = _capital(found.parts["Question"][0])
    told = (first.removeprefix(asked).lstrip() if isinstance(first, str) else first, *rest)
    return [html.P(said(told))] if any(told) else []


def _capital(text: Prose) -> Prose:
    """A paragraph that lost its head begins with a capital."""
    first, *rest = text
    return (first[:1].upper() + first[1:] if isinstance(first, str) else first, *rest)


def said(text: Prose) -> list[Component | str]:
    """Words with formulas in them."""
    return [maths(piece.latex) if isinstance(piece, Maths) else piece for piece in text]


def maths(latex: str) -> Component:
    """A formula as an outline in the colour and size of the text around it.

    Raises:
        InputError: LaTeX that cannot be drawn.
    """
    drawn = formula(latex)
    size = {
        "width": f"{SIZE * drawn.width:.3f}em",
        "height": f"{SIZE * drawn.height:.3f}em",
        "verticalAlign": f"{-SIZE * drawn.depth:.3f}em",
    }
    image = f'url("data:image/svg+xml,{quote(drawn.svg)}")'
    return html.Span(
        className="maths",
        style={**size, "maskImage": image, "WebkitMaskImage": image},
        role="img",
        title=latex,
        **aria(label=latex),
    )
