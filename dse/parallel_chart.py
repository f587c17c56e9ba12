"""Designs as lines over parallel axes: knobs first, then what they reach; for screen and print."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dse import units
from dse.chart import STYLES, shown
from dse.confidence import judged
from dse.evaluate import Table
from dse.space import Axis
from dse.spec import Array, Mask
from dse.study import Study

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LINES = 5000
"""Most lines that are drawn."""

TICKS = 9
"""Most levels of an axis that have a tick of their own."""

FINE = 250
"""Silent ticks of a logarithmic axis, where a brush may end."""

LOOKS = (STYLES["designs"].colour, STYLES["front"].colour, STYLES["best"].colour)
"""Colours of designs, of the front, and of what is selected."""

DARK_LOOKS = ("#6e6e6e", "#56b4e9", "#e69f00")
"""The same on a dark ground."""

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Dimension:
    """One axis: a column as it is drawn, which is its logarithm or over a scale."""

    name: str
    label: str
    values: Array
    """Of every line, as drawn."""
    scale: float = 1.0
    """SI numbers over this are drawn, before any logarithm."""
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()
    """Places as drawn, and what stands there; none where the axis is a plain number."""
    levels: bool = False
    """Whether there is nothing between the ticks."""

    def drawn(self, value: float) -> float:
        """Where an SI number lies on the axis."""
        return float(np.log10(value / self.scale)) if self.log else value / self.scale


@dataclass(frozen=True, eq=False)
class Parallel:
    """Lines free of any renderer; every array is as long as there are lines."""

    dimensions: tuple[Dimension, ...]
    look: Rows
    """0 for a design, 1 for one of the front, 2 for a selected one."""
    caption: str


def dimensions_of(study: Study) -> list[str]:
    """The columns that have an axis: the knobs, then what the study judges by."""
    return [axis.path for axis in study.space.axes] + judged(study)


def parallel(
    study: Study,
    designs: Table,
    front: Table,
    *,
    like: Table | None = None,
    selected: Mask | None = None,
    limit: int = LINES,
) -> Parallel:
    """Designs and their front as lines.

    Args:
        study: what was asked.
        designs: designs that meet every bound; thinned evenly so that the lines keep to `limit`.
        front: the front, whole up to the limit.
        like: the designs that say how axes are scaled, so that they stay when bounds move.
        selected: which of the designs, then which of the front, stand out.
        limit: most lines.
    """
    best = _evenly(len(front), limit)
    rest = _evenly(len(designs), limit - len(best))
    look = np.concatenate([np.zeros(len(rest), np.intp), np.ones(len(best), np.intp)])
    if selected is not None:
        look = 2 * np.concatenate([selected[rest], selected[len(designs) + best]]).astype(np.intp)
    pair = (designs.take(rest), front.take(best))
    scaled = Table.concat([designs, front]) if like is None else like
    found = [_dimension(study, name, pair, scaled) for name in dimensions_of(study)]
    known = np.logical_and.reduce([np.isfinite(dimension.values) for dimension in found])
    order = np.flatnonzero(known)[np.argsort(look[known], kind="stable")]  # what matters on top
    return Parallel(
        tuple(replace(each, values=each.values[order]) for each in found),
        look[order],
        _caption(len(rest), len(best), len(front), int(np.sum(~known)), selected is not None),
    )


def _caption(rest: int, best: int, whole: int, lost: int, chosen: bool) -> str:
    of = f" of {whole:,}" if best < whole else ""
    colours = "selected ones are orange" if chosen else "the front is blue"
    unknown = f" {lost:,} with an unknown or infinite value are left out." if lost else ""
    return (
        f"A line is a design: {rest:,} within the bounds and {best:,}{of} of the front; {colours}."
        f"{unknown}"
    )


def _evenly(rows: int, limit: int) -> Rows:
    """At most `limit` of so many rows, evenly."""
    if rows <= limit:
        return np.arange(rows)
    return np.unique(np.linspace(0, rows - 1, max(limit, 0)).astype(np.intp))


def _dimension(study: Study, name: str, pair: tuple[Table, Table], like: Table) -> Dimension:
    values = np.concatenate([np.asarray(table[name], dtype=np.float64) for table in pair])
    axis = study.space.by_path.get(name)
    if axis is not None and axis.rows:
        ticks = tuple((float(code), slug) for code, slug in enumerate(axis.labels))
        return Dimension(name, shown(name, values, "1").label, values, ticks=ticks, levels=True)
    look = shown(name, like[name], like.units.get(name, "1"))
    log = look.log or (axis is not None and axis.log)
    drawn = values / look.scale
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = np.log10(drawn)
    levels = _levels(axis, look.scale, log=log)
    ticks = tuple(levels or _decades(drawn, log=log))
    return Dimension(name, look.label, drawn, look.scale, log, ticks, levels=bool(levels))


def _levels(axis: Axis | None, scale: float, *, log: bool) -> list[tuple[float, str]]:
    """A tick for each level of a knob that has few."""
    if axis is None or not 1 < len(axis.values) <= TICKS:
        return []
    places = np.array(axis.values) / scale
    drawn = np.log10(places) if log else places
    return [(float(d), _plain(p)) for d, p in zip(drawn, places, strict=True)]


def _decades(drawn: Array, *, log: bool) -> Iterator[tuple[float, str]]:
    """Ticks at 1, 2 and 5 of every decade, or at decades alone where there are many."""
    known = drawn[np.isfinite(drawn)]
    if not log or known.size == 0:
        return
    low, high = int(np.floor(known.min())), int(np.ceil(known.max()))
    steps = (1, 2, 5) if high - low <= 3 else (1,)
    for decade in range(low, high + 1):
        for step in steps:
            place = decade + float(np.log10(step))
            if known.min() - 0.05 <= place <= known.max() + 0.05:
                yield place, _plain(step * 10.0**decade)


def _plain(number: float) -> str:
    return units.show(float(number), "1")


def parallel_plotly(
    chart: Parallel,
    *,
    dark: bool = False,
    brushed: dict[str, Sequence[Sequence[float]]] | None = None,
) -> Figure:
    """Lines for the screen.

    Args:
        chart: the lines.
        dark: light on dark.
        brushed: column -> ranges in SI that are brushed.
    """
    from plotly.graph_objects import Figure  # noqa: PLC0415 - a second that only the app pays

    ink = "#e6e9ef" if dark else "#1c2330"
    faint = "rgba(128,128,128,0.07)"
    trace = {
        "type": "parcoords",
        "dimensions": [_on_screen(d, (brushed or {}).get(d.name, [])) for d in chart.dimensions],
        "line": {
            "color": chart.look,
            "colorscale": _scale(DARK_LOOKS if dark else LOOKS),
            "cmin": 0,
            "cmax": 2,
        },
        "unselected": {"line": {"color": faint, "opacity": 1}},
        "labelangle": -18,
        "labelfont": {"size": 11, "color": ink},
        "tickfont": {"size": 10, "color": ink},
        "rangefont": {"size": 1, "color": "rgba(0,0,0,0)"},  # ticks say the same, with room
    }
    flat = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    widest = max((len(text) for _, text in chart.dimensions[0].ticks), default=6)
    margin = {"l": 30 + 6 * widest, "r": 50, "t": 90, "b": 20}
    return Figure([trace]).update_layout(
        template="plotly_dark" if dark else "plotly_white", margin=margin, **flat
    )


def _scale(looks: Sequence[str]) -> list[list[object]]:
    """Three colours and nothing between."""
    thirds = zip(looks, pairwise((0, 1 / 3, 2 / 3, 1)), strict=True)
    return [[edge, colour] for colour, edges in thirds for edge in edges]


def _on_screen(dimension: Dimension, ranges: Sequence[Sequence[float]]) -> dict[str, object]:
    found: dict[str, object] = {"label": dimension.label, "values": dimension.values}
    low, high = _room(dimension)
    found["range"] = [low, high]
    if dimension.ticks:
        ticks = list(dimension.ticks) if dimension.levels else _fine(dimension.ticks, low, high)
        found["tickvals"] = [place for place, _ in ticks]
        found["ticktext"] = [text for _, text in ticks]
    else:
        found["tickformat"] = ",.3~r"
    brushes = [_brush(dimension, pair, low, high) for pair in ranges]
    if brushes:
        found["constraintrange"] = brushes[0] if len(brushes) == 1 else brushes
    return found


def _fine(ticks: Sequence[tuple[float, str]], low: float, high: float) -> list[tuple[float, str]]:
    """Ticks with silent ones between: Plotly lets a brush end half-way between ticks only.

    It tells ticks apart by their texts, so each silent one has spaces of its own.
    """
    spaces = str.maketrans("01", " \u00a0")
    places = enumerate(np.linspace(low, high, FINE).tolist())
    silent = ((place, f"{number:08b}".translate(spaces)) for number, place in places)
    return sorted([*ticks, *silent])


def _brush(dimension: Dimension, pair: Sequence[float], low: float, high: float) -> list[float]:
    """A range as the axis draws it, with a little room so that its ends are within."""
    room = 1e-6 * (high - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [dimension.drawn(end) for end in pair]
    ends = [ends[0] - room, ends[1] + room]
    if dimension.levels and ends[1] - ends[0] <= 0.02 * (high - low):  # a choice, not a stretch
        ends = [ends[0] - 0.01 * (high - low), ends[1] + 0.01 * (high - low)]
    return [max(ends[0], low), min(ends[1], high)]


def _room(dimension: Dimension) -> tuple[float, float]:
    """The ends of an axis: its values, and a choice for each of few levels."""
    places = [place for place, _ in dimension.ticks]
    both = np.concatenate([dimension.values, places])
    if both.size == 0:
        return 0.0, 1.0
    low, high = float(both.min()), float(both.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def parallel_svg(chart: Parallel) -> str:
    """Lines for print, as SVG; the same lines are the same text to the last byte."""
    from matplotlib import rc_context  # noqa: PLC0415 - a second that only print pays
    from matplotlib.collections import LineCollection  # noqa: PLC0415
    from matplotlib.figure import Figure as Sheet  # noqa: PLC0415

    text = io.StringIO()
    with rc_context({"svg.hashsalt": "dse", "font.size": 7}):
        count = len(chart.dimensions)
        sheet = Sheet(figsize=(max(6.4, 0.75 * count), 3.6), layout="constrained")
        axes = sheet.subplots()
        for look, width in ((0, 0.3), (1, 0.6), (2, 0.6)):
            lines = _polylines(chart, chart.look == look)
            axes.add_collection(
                LineCollection(list(lines), colors=LOOKS[look], linewidths=width, alpha=0.5)
            )
        axes.set_xlim(-0.1, count - 0.7)
        axes.set_ylim(-0.03, 1.03)
        axes.spines[:].set_visible(False)
        axes.set_yticks([])
        axes.set_xticks(range(count), [d.label for d in chart.dimensions], rotation=30, ha="right")
        for at, dimension in enumerate(chart.dimensions):
            axes.axvline(at, color="#404040", linewidth=0.6)
            for place, said in _printed_ticks(dimension):
                axes.annotate(said, (at, place), (2, 0), textcoords="offset points", va="center")
        sheet.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _polylines(chart: Parallel, mask: Mask) -> NDArray[np.float64]:
    """Lines of a mask, every axis from 0 to 1, shape (lines, axes, 2)."""
    shares = []
    for dimension in chart.dimensions:
        low, high = _room(dimension)
        shares.append((dimension.values[mask] - low) / (high - low))
    up = np.stack(shares, axis=1)
    return np.stack([np.broadcast_to(np.arange(up.shape[1]), up.shape), up], axis=2)


def _printed_ticks(dimension: Dimension) -> list[tuple[float, str]]:
    low, high = _room(dimension)
    ends = [(place, _plain(place)) for place in (low, (low + high) / 2, high)]
    return [((place - low) / (high - low), said) for place, said in dimension.ticks or ends]
