"""Symbols, equations and limits of every page are on its page, every formula drawn."""

import re
from urllib.parse import unquote

import pytest
from dash import html

from app import paper_equations
from app.paper_equations import maths
from dse import registry
from dse.errors import InputError
from dse.exposition import Maths, exposition

from .test_front import text_of


def formulas(part) -> list:
    """Every drawn formula inside a component."""
    inner = getattr(part, "children", None)
    below = inner if isinstance(inner, list | tuple) else [inner] if inner is not None else []
    own = [part] if getattr(part, "className", "") == "maths" else []
    return own + [one for child in below for one in formulas(child)]


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_formula_of_a_page_is_drawn_and_named_for_screen_readers(slug: str):
    found = exposition(registry.model(slug))
    parts = [paper_equations.symbols(found), paper_equations.equations(found)]
    texts = [one.symbol for one in found.symbols] + [one.text for one in found.equations]
    wanted = [p.latex for text in texts for p in text if isinstance(p, Maths)]
    drawn = [one for part in parts for one in formulas(part)]
    assert [one.title for one in drawn] == wanted
    for one in drawn:
        assert one.role == "img"
        assert "<path" in unquote(one.style["maskImage"])
        assert float(one.style["width"].removesuffix("em")) > 0


@pytest.mark.parametrize("slug", registry.slugs())
def test_a_page_says_its_limits_in_words(slug: str):
    found = exposition(registry.model(slug))
    shown = text_of(html.Div(paper_equations.limits(found)))
    assert "Known weak regimes" in shown
    assert "What is assumed" in shown
    assert all(one.name in text_of(paper_equations.equations(found)) for one in found.equations)


def test_no_formula_asks_another_machine():
    image = maths(r"\frac{V}{c B}").style["maskImage"]
    inside = unquote(image).removeprefix('url("data:image/svg+xml,').removesuffix('")')
    assert re.findall(r"https?://[^\"]*", inside) == ["http://www.w3.org/2000/svg"]


def test_a_formula_takes_its_place_on_the_line():
    flat, deep = maths("x"), maths(r"\frac{x}{y}")
    assert float(deep.style["verticalAlign"].removesuffix("em")) < float(
        flat.style["verticalAlign"].removesuffix("em")
    )


def test_latex_that_cannot_be_drawn_is_told_in_words():
    with pytest.raises(InputError, match="cannot be drawn"):
        maths(r"\nonsense{x}")


def test_the_introduction_does_not_repeat_the_title():
    page = registry.model("duet")
    (told,) = paper_equations.introduction(exposition(page), page.paper.question)
    assert text_of(told).startswith("A graph is cut into phases.")
