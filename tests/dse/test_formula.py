import re

import pytest

from dse.errors import InputError
from dse.formula import formula


def test_a_formula_is_outlines_that_need_no_font():
    svg = formula(r"\frac{V}{c B}").svg
    assert re.findall(r"<(\w+)", svg) == ["svg", "path"]
    assert "currentColor" in svg


def test_the_same_latex_is_the_same_drawing():
    formula.cache_clear()
    first = formula(r"\eta \min(a, b)").svg
    formula.cache_clear()
    assert formula(r"\eta \min(a, b)").svg == first


def test_a_fraction_is_taller_than_a_letter_and_reaches_below_the_line():
    letter, fraction = formula("x"), formula(r"\frac{x}{y}")
    assert fraction.height > 2 * letter.height
    assert fraction.depth > letter.depth
    assert 0.3 < letter.height < 0.7  # an x is about half of its size


def test_the_drawing_fills_its_box():
    numbers = formula("x + y").svg.split('viewBox="')[1].split('"')[0].split()
    left, _, width, _ = map(float, numbers)
    xs = [float(x) for x in re.findall(r"[ML](-?\d+) ", formula("x + y").svg)]
    assert left - 1 <= min(xs)
    assert max(xs) <= left + width + 1


@pytest.mark.parametrize(
    ("short", "full"),
    [
        (r"\tfrac12", r"\frac{1}{2}"),
        (r"\sqrt n", r"\sqrt{n}"),
        (r"a \le b", r"a \leq b"),
        (r"\left( x \right)", r"\left( x \right)"),
    ],
)
def test_other_spellings_of_latex_are_understood(short: str, full: str):
    assert formula(short).svg == formula(full).svg


def test_what_cannot_be_drawn_is_named_in_one_line():
    with pytest.raises(InputError, match=r"\\nonsense.*cannot be drawn") as caught:
        formula(r"\nonsense{x}")
    assert "\n" not in str(caught.value)
