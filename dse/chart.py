"""A chart free of any renderer: a tidy frame, labels with units, scales, and the palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse import units
from dse.spec import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Style:
    """How the marks of one series look, in both renderers."""

    colour: str
    symbol: str
    marker: str
    size: float
    opacity: float = 1.0
    whisker: float = 0.8
    """How thick the bar of an interval is."""


ROOF = "roof"
"""The series that is the roof of a device."""

STYLES = {
    "designs": Style("#9a9a9a", "circle", "o", 4, 0.45),
    "rejected": Style("#9a9a9a", "x", "X", 5, 0.6),
    "front": Style("#0072b2", "circle", "o", 8, whisker=0.4),
    "best": Style("#d55e00", "star", "*", 14),
    "selected": Style("#e69f00", "circle", "o", 10),
    "fit": Style("#0072b2", "circle", "o", 8),
    "check": Style("#d55e00", "diamond", "D", 9),
    "mechanism": Style("#009e73", "square", "s", 7),
    "term": Style("#0072b2", "circle", "o", 8),
    "total": Style("#595959", "circle", "o", 8),
    "front size": Style("#0072b2", "circle", "o", 6),
    "alone": Style("#0072b2", "circle", "o", 8),
    "with others": Style("#56b4e9", "circle", "o", 8),
    "better": Style("#009e73", "circle", "o", 8),
    "worse": Style("#d55e00", "circle", "o", 8),
    ROOF: Style("#737373", "circle", "o", 6),
}
"""The palette of Okabe and Ito, safe for colour blindness; shapes repeat what colours say."""

CHOICES = tuple(
    Style(colour, "circle", "o", 4, 0.45)
    for colour in ("#56b4e9", "#e69f00", "#009e73", "#cc79a7")
)
"""Designs of the compared choices, in turn."""

LINES = tuple(
    Style(colour, symbol, marker, 6)
    for colour, symbol, marker in (
        ("#0072b2", "circle", "o"),
        ("#d55e00", "square", "s"),
        ("#009e73", "diamond", "D"),
        ("#cc79a7", "triangle-up", "^"),
        ("#e69f00", "triangle-down", "v"),
        ("#56b4e9", "cross", "P"),
        ("#595959", "x", "X"),
        ("#8c6d1f", "star", "*"),
    )
)
"""Lines, or bars, of the named series of a chart, in turn."""

PLAIN = Style("#0072b2", "circle", "o", 8)
SCALE = "cividis"
"""Colours of a third metric: even in lightness, safe for colour blindness."""


@dataclass(frozen=True, eq=False)
class Chart:
    """What is drawn, free of any renderer.

    `frame` holds one row a mark, SI numbers in the columns named by `x` and `y`, and beside them
    `series`, `label` (hover text), `low` and `high` (ends of the interval of `y`, of bars along
    them), `x_low` and `x_high` (of `x`), NaN where there is none, `colour`, `base` (where a bar
    starts), `extrapolates` and `row` (which design a mark stands for). Display numbers are SI
    numbers over a scale. `choices` are series told apart by colour: what a study compares.
    """

    kind: str
    title: str
    x: str
    y: str
    x_label: str
    y_label: str
    frame: pd.DataFrame
    caption: str
    log_x: bool = False
    log_y: bool = False
    x_scale: float = 1.0
    y_scale: float = 1.0
    colour_label: str = ""
    colour_scale: float = 1.0
    diagonal: bool = False
    choices: tuple[str, ...] = ()

    def style(self, series: str) -> Style:
        """How the marks of a series look; compared choices take their colours in turn."""
        if series in self.choices:
            looks = CHOICES if self.kind == "scatter" else LINES
            return looks[self.choices.index(series) % len(looks)]
        return STYLES.get(series, PLAIN)


@dataclass(frozen=True)
class Shown:
    """How a column is shown: its label with the unit, the scale, and whether it asks for a log."""

    label: str
    scale: float
    log: bool


def words(name: str) -> str:
    """A column's name as people say it: 'energy_per_token' is 'Energy per token'."""
    text = name.replace("_", " ").replace(".", " ")
    return text[:1].upper() + text[1:]


def display(values: Array, unit: str) -> tuple[float, str]:
    """The scale and the name of the one unit in which all values read well.

    >>> display(np.array([0.003, 0.3]), "s")
    (0.001, 'ms')
    """
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    text = units.show(float(np.median(size)) if size.size else 0.0, unit)
    if "$" in text and " " not in text:
        return (1e6, "M$") if text.endswith("M") else (1.0, "$")
    name = text.partition(" ")[2]
    return (units.si(name)[0], name) if name else (1.0, "")


def shown(
    name: str, values: NDArray[Any], unit: str, ends: NDArray[Any] | Sequence[float] = ()
) -> Shown:
    """How a column is shown on an axis or above a table.

    Args:
        name: the column.
        values: its numbers.
        unit: their unit.
        ends: numbers that must fit beside them, such as ends of intervals.
    """
    numbers = np.asarray(values, dtype=np.float64)
    scale, display_unit = display(numbers, unit or "1")
    all_of_them = np.concatenate([numbers.ravel(), np.ravel(ends)])
    known = all_of_them[np.isfinite(all_of_them)]
    wide = known.size > 0 and known.min() > 0 and known.max() >= 50 * known.min()
    label = f"{words(name)} [{display_unit}]" if display_unit else words(name)
    return Shown(label, scale, bool(wide))


def tidy(rows: int, **columns: object) -> pd.DataFrame:
    """A tidy frame with every column a renderer reads."""
    import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

    blank: dict[str, object] = {
        "series": "",
        "label": "",
        "low": np.nan,
        "high": np.nan,
        "x_low": np.nan,
        "x_high": np.nan,
        "colour": np.nan,
        "base": 0.0,
        "extrapolates": False,
        "row": -1,
    }
    return pd.DataFrame({**blank, **columns}, index=pd.RangeIndex(rows))
