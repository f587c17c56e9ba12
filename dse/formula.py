"""LaTeX formulas as vector drawings, offline: matplotlib's own reader of LaTeX, as outlines.

The drawing carries no font and takes the colour of the text around it, so print and screen show
the same one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from dse.errors import InputError

if TYPE_CHECKING:
    from matplotlib.path import Path

EM = 1000
"""Units of a drawing in the size of its letters."""

SPELLINGS = {r"\tfrac": r"\frac", r"\le": r"\leq", r"\ge": r"\geq"}
"""Commands that matplotlib knows by another name."""

_COMMAND = re.compile(r"\\[A-Za-z]+")
_SHORT = re.compile(r"\\(frac|sqrt)\s*(?![{\[])(\w)(?:\s*(?![{\[])(\w))?")


@dataclass(frozen=True)
class Formula:
    """A drawn formula; sizes are in ems, the size of the letters around it."""

    latex: str
    svg: str
    width: float
    height: float
    depth: float
    """How far it reaches below the line that the text stands on."""


@cache
def formula(latex: str) -> Formula:
    r"""Draw a formula.

    Args:
        latex: without dollars, as `\\frac{V}{c B}`.

    Raises:
        InputError: LaTeX that matplotlib's mathtext cannot read.
    """
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - only print pays
    from matplotlib.textpath import TextPath  # noqa: PLC0415

    letters = FontProperties(math_fontfamily="stix")
    try:
        path = TextPath((0, 0), f"${_spelt(latex)}$", size=EM, prop=letters)
    except ValueError as error:
        why = str(error).strip().splitlines()[-1]
        raise InputError(
            f"formula ${latex}$ cannot be drawn: {why}; write it in matplotlib's mathtext"
        ) from None
    box = path.get_extents()
    left, width = round(box.x0), round(box.width)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left} {-round(box.y1)} {width} '
        f'{round(box.height)}"><path fill="currentColor" d="{_outline(path)}"/></svg>'
    )
    return Formula(latex, svg, box.width / EM, box.height / EM, max(-box.y0 / EM, 0.0))


def _spelt(latex: str) -> str:
    """The same formula in the commands that mathtext knows."""
    known = _COMMAND.sub(lambda found: SPELLINGS.get(found[0], found[0]), latex)
    return _SHORT.sub(_braced, known)


def _braced(found: re.Match[str]) -> str:
    return f"\\{found[1]}" + "".join(f"{{{part}}}" for part in found.groups()[1:] if part)


def _outline(path: Path) -> str:
    """A path in the letters of SVG, whose y points down."""
    letters = {path.MOVETO: "M", path.LINETO: "L", path.CURVE3: "Q", path.CURVE4: "C"}
    return "".join(
        "Z" if code == path.CLOSEPOLY else letters[code] + _numbers(points)
        for points, code in path.iter_segments(simplify=False)
    )


def _numbers(points: object) -> str:
    import numpy as np  # noqa: PLC0415 - beside the library that draws

    flipped = np.asarray(points).reshape(-1, 2) * (1, -1)
    return " ".join(f"{round(value)}" for value in flipped.ravel().tolist())
