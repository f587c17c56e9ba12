"""Fronts of large runs: before the density of more designs than a screen can draw, and ringed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse import draw
from dse.chart import SCALE, STYLES, Chart, shown
from dse.evaluate import Table
from dse.front_chart import front as front_chart
from dse.spec import Array, Mask
from dse.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from plotly.graph_objects import Figure

CELLS = (240, 160)
"""Cells across and up: a few pixels each on a screen."""

LOOKED_AT = 20_000
"""Designs of the even sample that says in which unit and how an axis is drawn."""

GREYS = "Greys"
"""Few designs are light, many dark: it says how many, the front's blue stands before it."""


@dataclass(frozen=True, eq=False)
class Density:
    """A chart of a front, and the cells that are drawn behind it, in display units."""

    chart: Chart
    x_edges: Array
    y_edges: Array
    counts: NDArray[np.intp]
    """Designs of each cell, shape (up, across)."""
    shade: Array
    """What the colour of a cell says: decades of designs, or the mean of a third metric."""
    coloured: bool
    """Whether cells have the colours of a third metric, which the front shares."""


def density(
    study: Study,
    designs: Table,
    front: Table,
    *,
    x: str,
    y: str,
    colour: str | None = None,
) -> Density:
    """The density of the designs that meet every constraint, and their front in front of it.

    Args:
        study: what was asked.
        designs: `x`, `y`, `colour`, `accepted` and `extrapolates` of every design.
        front: the front, as `dse.figures.front` takes it.
        x: a column of numbers.
        y: another one.
        colour: a third, of which each cell shows the mean.

    Raises:
        InputError: a column that does not exist or is not a number.
    """
    drawn = front_chart(study, designs, front, x=x, y=y, colour=colour, limit=0)
    known = designs["accepted"] & np.isfinite(designs[x]) & np.isfinite(designs[y])
    across, up = (_axis(designs, drawn, known, name) for name in (x, y))
    drawn = replace(
        drawn,
        x_label=across.label,
        y_label=up.label,
        log_x=across.log,
        log_y=up.log,
        x_scale=across.scale,
        y_scale=up.scale,
    )
    cell = across.cells(designs[x]) + CELLS[0] * up.cells(designs[y])
    cell = cell[known]
    counts = np.bincount(cell, minlength=CELLS[0] * CELLS[1])
    if colour is None:
        with np.errstate(divide="ignore"):
            shade = np.where(counts, np.log10(counts), np.nan)
    else:
        shade = _means(designs[colour][known], cell, counts) / drawn.colour_scale
    shape = CELLS[::-1]
    cells = counts.reshape(shape), shade.reshape(shape)
    return Density(drawn, across.edges, up.edges, *cells, coloured=colour is not None)


def _means(values: Array, cell: NDArray[np.intp], counts: NDArray[np.intp]) -> Array:
    """The mean of a column in each cell, over the designs that know it."""
    fine = np.isfinite(values)
    held = counts if fine.all() else np.bincount(cell[fine], minlength=len(counts))
    sums = np.bincount(cell[fine], weights=values[fine], minlength=len(counts))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(held, sums / held, np.nan)


@dataclass(frozen=True, eq=False)
class _Side:
    """One axis in cells."""

    label: str
    scale: float
    log: bool
    low: float
    high: float
    count: int

    @property
    def edges(self) -> Array:
        """Of the cells, in display units."""
        space = np.geomspace if self.log else np.linspace
        return np.asarray(space(self.low, self.high, self.count + 1) / self.scale)

    def cells(self, values: Array) -> NDArray[np.intp]:
        """The cell of each value; what lies outside, or is unknown, is in the nearest."""
        low, high = (np.log(end) if self.log else end for end in (self.low, self.high))
        with np.errstate(divide="ignore", invalid="ignore"):
            place = np.log(values) if self.log else values
            share = self.count * ((place - low) / (high - low))
        inside = np.clip(np.nan_to_num(share), 0, self.count - 1)
        return np.asarray(inside.astype(np.int32))


def _axis(designs: Table, drawn: Chart, known: Mask, name: str) -> _Side:
    """How an axis is drawn that holds every known design and the front."""
    values, front = designs[name], drawn.frame[name].to_numpy()
    low = float(np.min(front, initial=np.min(values, where=known, initial=np.inf)))
    high = float(np.max(front, initial=np.max(values, where=known, initial=-np.inf)))
    rows = np.flatnonzero(known)
    some = rows[:: max(len(rows) // LOOKED_AT, 1)]
    look = shown(name, values[some], designs.units.get(name, "1"), [low, high])
    if not low < high:
        low, high = low - (abs(low) or 1.0), high + (abs(high) or 1.0)
        look = replace(look, log=False)
    count = CELLS[0] if name == drawn.x else CELLS[1]
    return _Side(look.label, look.scale, look.log, low, high, count)


def density_plotly(found: Density, *, dark: bool = False) -> Figure:
    """A density for the screen: a heat map behind the marks of the front."""
    figure = draw.plotly(found.chart, dark=dark)
    counts = np.where(found.counts, found.counts, np.nan)
    hover = "%{customdata:,} designs"
    cells: dict[str, Any] = {
        "type": "heatmap",
        "name": "designs",
        "x": found.x_edges,
        "y": found.y_edges,
        "z": found.shade,
        "customdata": counts,
        "hoverongaps": False,
        "hovertemplate": f"{hover}<extra></extra>",
    }
    if found.coloured:
        cells["coloraxis"] = "coloraxis"
        cells["hovertemplate"] = (
            f"{hover}<br>mean {found.chart.colour_label}: %{{z:.3g}}<extra></extra>"
        )
    else:
        cells |= {
            "colorscale": GREYS,
            "reversescale": dark,
            "zmin": -1,
            "colorbar": _decades(found),
        }
    figure.add_trace(cells)
    figure.data = (figure.data[-1], *figure.data[:-1])
    return figure


def _decades(found: Density) -> dict[str, Any]:
    """The bar of a shade of decades: 1, 10, 100 designs."""
    last = int(np.nanmax(found.shade, initial=0.0))
    places = list(range(last + 1))
    texts = [f"{10**place:,}" for place in places]
    return {"title": {"text": "Designs"}, "tickvals": places, "ticktext": texts, "thickness": 12}


def rings_plotly(x: Array, y: Array, rows: NDArray[np.intp]) -> dict[str, Any]:
    """Rings around selected designs, as a trace that is laid over a front.

    Args:
        x: where they lie, in display units.
        y: the same.
        rows: what they are called.
    """
    style = STYLES["selected"]
    marker = {"symbol": f"{style.symbol}-open", "size": style.size, "color": style.colour}
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": "selected",
        "x": x.tolist(),
        "y": y.tolist(),
        "customdata": rows.tolist(),
        "marker": marker | {"line": {"width": 2}},
        "hovertemplate": "design %{customdata}<extra>selected</extra>",
        "showlegend": bool(len(rows)),
    }


def density_svg(found: Density) -> str:
    """A density for print, as SVG; the same density is the same text to the last byte."""

    def behind(axes: Axes) -> None:
        scale = SCALE if found.coloured else GREYS
        least = None if found.coloured else -1.0
        shade = np.ma.masked_invalid(found.shade)
        mesh = axes.pcolormesh(found.x_edges, found.y_edges, shade, cmap=scale, vmin=least)
        mesh.set_rasterized(True)

    return draw.svg(found.chart, behind=behind)
