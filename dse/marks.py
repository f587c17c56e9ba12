"""Where a chart's marks stand, for both renderers: series, display units, ends of intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.chart import Chart, Style
from dse.spec import Array

if TYPE_CHECKING:
    import pandas as pd

BARS = ("bars", "waterfall", "stacked", "grouped")
"""Kinds of charts whose values lie along x."""

Group = tuple[str, Style, bool, "pd.DataFrame"]
"""One series of a chart, solid or open: its name, looks, whether it is open, and its marks."""


def groups(chart: Chart) -> list[Group]:
    """The series of a chart in their order, those that extrapolate apart."""
    found: list[Group] = []
    keys = chart.frame[["series", "extrapolates"]].drop_duplicates()
    for series, extrapolates in keys.itertuples(index=False):
        part = chart.frame[
            (chart.frame["series"] == series) & (chart.frame["extrapolates"] == extrapolates)
        ]
        name = f"{series}, extrapolated" if extrapolates else str(series)
        found.append((name, chart.style(str(series)), bool(extrapolates), part))
    return found


def drawn(chart: Chart, marks: pd.DataFrame, axis: str) -> NDArray[Any]:
    """The values of an axis ('x' or 'y') as they are drawn: display units, or names of bars."""
    name, scale = (chart.x, chart.x_scale) if axis == "x" else (chart.y, chart.y_scale)
    if marks[name].dtype.kind not in "fiu":
        return np.asarray(marks[name], dtype=object)
    return np.asarray(marks[name], dtype=np.float64) / scale


def whiskers(chart: Chart, marks: pd.DataFrame, axis: str) -> Array | None:
    """Distances from the drawn value down and up to the ends of its interval, shape (2, marks).

    Bars lie along 'x' and end at their base and size together. An end without limit is drawn as
    far as anything else.
    """
    bars = chart.kind in BARS
    low, high = ("x_low", "x_high") if axis == "x" and not bars else ("low", "high")
    if (bars and axis == "y") or not marks[low].notna().any():
        return None
    middle = drawn(chart, marks, axis) + (marks["base"] / scale_of(chart, axis) if bars else 0.0)
    ends = np.stack([marks[low], marks[high]]) / scale_of(chart, axis)
    ends = np.clip(ends, None, furthest(chart, axis))
    return np.nan_to_num(np.maximum([middle - ends[0], ends[1] - middle], 0.0))


def bands(chart: Chart, marks: pd.DataFrame) -> list[tuple[Array, Array, Array]]:
    """Each stretch of a curve whose interval is known: x, low and high end in display units."""
    x, ends = drawn(chart, marks, "x"), (marks["low"], marks["high"])
    low, high = (np.clip(end / chart.y_scale, None, furthest(chart, "y")) for end in ends)
    known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
    stretches = [slice(*pair) for pair in edges.reshape(-1, 2)]
    return [tuple(np.asarray(each)[part] for each in (x, low, high)) for part in stretches]  # type: ignore[misc]


def scale_of(chart: Chart, axis: str) -> float:
    """SI numbers of an axis over this are in its display unit."""
    return chart.x_scale if axis == "x" else chart.y_scale


def furthest(chart: Chart, axis: str) -> float:
    """The largest value or end of an interval that an axis shows, in display units."""
    return float(np.max(reached(chart, axis), initial=-np.inf))


def reached(chart: Chart, axis: str) -> Array:
    """Every finite value and end of an interval on an axis of numbers, in display units."""
    beside = ("x_low", "x_high") if axis == "x" and chart.kind not in BARS else ("low", "high")
    ends = [chart.frame[name].to_numpy() / scale_of(chart, axis) for name in beside]
    base = chart.frame["base"].to_numpy() / chart.x_scale if chart.kind in BARS else 0.0
    both = np.concatenate([drawn(chart, chart.frame, axis) + base, *ends])
    return np.asarray(both[np.isfinite(both)])


def equal_line(chart: Chart) -> list[float]:
    """The ends of the line on which both axes agree."""
    both = np.concatenate([drawn(chart, chart.frame, axis) for axis in "xy"])
    return [float(both.min()), float(both.max())] if chart.diagonal and both.size else []
