"""The two renderers: Plotly for the screen, matplotlib for print; both read the same chart."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.chart import ROOF, SCALE, Chart, Style
from dse.marks import BARS, Group, bands, drawn, equal_line, furthest, groups, reached, whiskers
from dse.spec import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.container import BarContainer
    from plotly.graph_objects import Figure

WHISKER = 0.5
"""Opacity of the bar of an interval, so that marks stay in front of it."""

_BELOW = {"curves": -0.3}
"""Where legends begin, in heights of the plot: those of low charts clear the axis' title."""

BAND = 0.15
"""Opacity of the band around a curve; several lie over one another."""

MARKED = 12
"""Most marks that a curve shows; of more its line alone is drawn."""


def plotly(chart: Chart, *, dark: bool = False) -> Figure:
    """A chart for the screen."""
    from plotly.graph_objects import Figure  # noqa: PLC0415 - a second that only the app pays

    bands = [_plotly_band(chart, group) for group in groups(chart) if chart.kind == "curves"]
    figure = Figure([*bands, *(_PLOTLY[chart.kind](chart, group) for group in groups(chart))])
    if ends := equal_line(chart):
        line = {"type": "scattergl", "mode": "lines", "line": {"color": "#808080", "dash": "dot"}}
        figure.add_trace({**line, "x": ends, "y": ends, "name": "equal", "hoverinfo": "skip"})
    if chart.colour_label and len(chart.frame):
        figure.add_trace(_colour_bar(chart))
        figure.update_layout(coloraxis=_colour_axis(chart))
    flat = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    figure.update_layout(
        template="plotly_dark" if dark else "plotly_white",
        title={"text": chart.title, "font": {"size": 15}, "x": 0, "xref": "paper"},
        xaxis={"title": {"text": chart.x_label}, **_log_axis(chart, "x", log=chart.log_x)},
        yaxis={"title": {"text": chart.y_label}, **_log_axis(chart, "y", log=chart.log_y)},
        legend={"orientation": "h", "y": _BELOW.get(chart.kind, -0.2), "yanchor": "top", "x": 0},
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
        **flat,
    )
    if chart.kind in BARS:
        _lay_bars(figure, chart)
    return figure


def _log_axis(chart: Chart, axis: str, *, log: bool) -> dict[str, object]:
    """Ticks at 1, 2 and 5 over a few decades, at powers of ten over many."""
    if not log or len(chart.frame) == 0:
        return {}
    values = reached(chart, axis)
    return {"type": "log", "dtick": "D2" if values.max() <= 1e3 * values.min() else 1}


def _lay_bars(figure: Figure, chart: Chart) -> None:
    """The first bar on top, and room for the texts beside the bars."""
    ends = drawn(chart, chart.frame, "x") + chart.frame["base"].to_numpy() / chart.x_scale
    left, right = (1.5 * float(end(ends, initial=0.0)) for end in (np.nanmin, np.nanmax))
    right = max(right, 1.05 * furthest(chart, "x"))
    if left < 0:  # a short bar's text still stands beside it
        left, right = min(left, -right / 2), max(right, -left / 2)
    room = [left, right if right > left else 1.0]
    named, side_by_side = bool(chart.choices), chart.kind == "grouped"
    figure.update_layout(showlegend=named, barmode="group" if side_by_side else "overlay")
    figure.update_xaxes(range=_about_one(ends) if chart.log_x else room)
    figure.update_yaxes(autorange="reversed", automargin=True)


def _about_one(ends: Array) -> list[float]:
    """A range of a logarithmic axis, in decades, that holds 1 and room for texts."""
    decades = np.log10(np.append(ends, 1.0))
    room = 0.25 * float(np.ptp(decades)) or 0.1
    return [float(decades.min()) - room, float(decades.max()) + room]


def _plotly_points(chart: Chart, group: Group) -> dict[str, object]:
    name, style, is_open, marks = group
    trace: dict[str, object] = {
        "type": "scattergl" if chart.kind == "scatter" else "scatter",
        "mode": "markers" if chart.kind == "scatter" else "lines+markers",
        "name": name,
        "x": drawn(chart, marks, "x"),
        "y": drawn(chart, marks, "y"),
        "customdata": marks["row"].to_list(),  # Dash cannot look into a packed array at a click
        "marker": {
            "symbol": f"{style.symbol}-open" if is_open else style.symbol,
            "size": style.size,
            "opacity": style.opacity,
            **_plotly_colour(chart, style, marks, is_open=is_open),
        },
        "hovertemplate": f"{chart.x_label}: %{{x:.3g}}<br>{chart.y_label}: %{{y:.3g}}"
        "<br>%{text}<extra>%{fullData.name}</extra>",
        "text": [text.replace("\n", "<br>") for text in marks["label"]]
        if marks["label"].any()
        else "",
    }
    return trace | _plotly_whiskers(chart, style, marks)


def _plotly_whiskers(chart: Chart, style: Style, marks: pd.DataFrame) -> dict[str, object]:
    """Bars of intervals, in both directions where there are any."""
    look = {"color": _faint(style, WHISKER), "thickness": 2 * style.whisker}
    found: dict[str, object] = {}
    for axis in "xy":
        interval = whiskers(chart, marks, axis)
        if interval is not None:
            ends = {"arrayminus": interval[0], "array": interval[1], "symmetric": False}
            found[f"error_{axis}"] = {**ends, **look, "width": 0}
    return found


def _plotly_colour(
    chart: Chart, style: Style, marks: pd.DataFrame, *, is_open: bool
) -> dict[str, object]:
    colours = _colour_names(chart, marks) if chart.colour_label else style.colour
    if is_open:
        return {"color": colours, "line": {"width": 0.5 if style.size <= 5 else 1.5}}
    rim = 1 if chart.colour_label and style.size > 5 else 0
    return {"color": colours, "line": {"color": style.colour, "width": rim}}


def _colour_names(chart: Chart, marks: pd.DataFrame) -> list[str]:
    """Colours by name: WebGL maps numbers neither on open marks nor in the legend."""
    from plotly.colors import sample_colorscale  # noqa: PLC0415 - only the app pays

    low, high = _colour_ends(chart)
    share = (marks["colour"].to_numpy() / chart.colour_scale - low) / ((high - low) or 1.0)
    level = np.nan_to_num(63 * share).round().astype(np.intp)
    names = np.array(sample_colorscale(SCALE, np.linspace(0, 1, 64).tolist()), dtype=object)
    return [str(name) for name in names[level]]


def _colour_ends(chart: Chart) -> tuple[float, float]:
    """The range of colours that all series share, in display units."""
    values = chart.frame["colour"] / chart.colour_scale
    return float(values.min()), float(values.max())


def _colour_axis(chart: Chart) -> dict[str, object]:
    low, high = _colour_ends(chart)
    bar = {"title": {"text": chart.colour_label}}
    return {"colorscale": SCALE, "cmin": low, "cmax": high, "colorbar": bar}


def _colour_bar(chart: Chart) -> dict[str, object]:
    """A trace without marks that carries the colour bar."""
    marker = {"color": [_colour_ends(chart)[0]], "coloraxis": "coloraxis"}
    hidden = {"name": "colours", "showlegend": False, "hoverinfo": "skip"}
    return {
        "type": "scattergl",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "marker": marker,
    } | hidden


def _plotly_curve(chart: Chart, group: Group) -> dict[str, object]:
    """A line, with marks where they are few; its band is a trace of its own."""
    trace = _plotly_points(chart, group)
    few = len(group[3]) <= MARKED
    look = {"mode": "lines+markers" if few else "lines", "legendgroup": group[0]}
    line = {"color": group[1].colour, "width": 2}
    return {k: v for k, v in trace.items() if not k.startswith("error_")} | look | {"line": line}


def _plotly_roofline(chart: Chart, group: Group) -> dict[str, object]:
    if group[0] == ROOF:
        return _plotly_curve(chart, group)
    return {**_plotly_points(chart, group), "mode": "markers"}


def _plotly_band(chart: Chart, group: Group) -> dict[str, object]:
    """The intervals of a curve: a filled outline for each stretch that is known."""
    name, style, _, marks = group
    x, y = [], []
    for stretch in bands(chart, marks):
        x += [*stretch[0], *stretch[0][::-1], None]
        y += [*stretch[2], *stretch[1][::-1], None]
    look = {"type": "scatter", "mode": "none", "fill": "toself", "fillcolor": _faint(style)}
    quiet = {"name": name, "legendgroup": name, "showlegend": False, "hoverinfo": "skip"}
    return {**look, **quiet, "x": x, "y": y}


def _faint(style: Style, share: float = BAND) -> str:
    """A colour that lets what is behind it through."""
    red, green, blue = (int(style.colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def _plotly_bars(chart: Chart, group: Group) -> dict[str, object]:
    name, style, _, marks = group
    trace: dict[str, object] = {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": drawn(chart, marks, "x"),
        "y": drawn(chart, marks, "y"),
        "base": marks["base"].to_numpy() / chart.x_scale,
        "marker": {"color": style.colour},
        "text": marks["label"].to_list(),
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    interval = whiskers(chart, marks, "x")
    if interval is not None:
        trace["error_x"] = {"arrayminus": interval[0], "array": interval[1], "symmetric": False}
    if interval is not None and chart.kind == "waterfall":  # an interval runs beside the bar
        trace |= {"textposition": "inside", "insidetextanchor": "start"}
    return trace


def _plotly_stack(chart: Chart, group: Group) -> dict[str, object]:
    """Bars end to end: too narrow for texts, which a pointer shows."""
    trace = _plotly_bars(chart, group)
    line = {"color": "rgba(128,128,128,0.6)", "width": 0.5}
    look = {"marker": {"color": group[1].colour, "line": line}, "textposition": "none"}
    return {**trace, **look, "hovertemplate": "%{text}<extra></extra>"}


_PLOTLY: dict[str, Callable[[Chart, Group], dict[str, object]]] = {
    "scatter": _plotly_points,
    "lines": _plotly_points,
    "curves": _plotly_curve,
    "roofline": _plotly_roofline,
    "bars": _plotly_bars,
    "waterfall": _plotly_bars,
    "stacked": _plotly_stack,
    "grouped": _plotly_bars,
}


def svg(chart: Chart, *, behind: Callable[[Axes], None] | None = None) -> str:
    """A chart for print, as SVG; the same chart is the same text to the last byte.

    Args:
        chart: the marks.
        behind: draws what lies behind them, in display units.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - a second that only print pays
    from matplotlib.figure import Figure  # noqa: PLC0415

    text = io.StringIO()
    with rc_context({"svg.hashsalt": "dse", "font.size": 8, "axes.linewidth": 0.6}):
        tall = max(3.6, 0.2 * len(chart.frame)) if chart.kind == "grouped" else 3.6
        figure = Figure(figsize=(6.4, tall), layout="constrained")
        axes = figure.subplots()
        if behind is not None:
            behind(axes)
        for group in groups(chart):
            _PRINT[chart.kind](axes, chart, group)
        if ends := equal_line(chart):
            axes.plot(ends, ends, linestyle=":", color="#808080", linewidth=0.8, zorder=0)
        _print_frame(axes, chart)
        if chart.colour_label and len(chart.frame):
            figure.colorbar(_colours(chart), ax=axes, label=chart.colour_label)
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _print_frame(axes: Axes, chart: Chart) -> None:
    axes.set_title(chart.title, loc="left", fontsize=9)
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    if chart.log_x:
        axes.set_xscale("log")
    if chart.log_y:
        axes.set_yscale("log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, linewidth=0.3, color="#d0d0d0")
    axes.set_axisbelow(True)
    if chart.kind in BARS:
        axes.invert_yaxis()
        axes.margins(x=0.25)
        axes.grid(visible=False, axis="y")
    if len(chart.frame) and (chart.choices or chart.kind not in BARS):
        axes.legend(frameon=False, fontsize=7)


def _print_points(axes: Axes, chart: Chart, group: Group) -> None:
    name, style, is_open, marks = group
    x, y = drawn(chart, marks, "x"), drawn(chart, marks, "y")
    _print_whiskers(axes, chart, style, marks)
    colours: Any = style.colour
    if chart.colour_label:
        colours = _colours(chart).to_rgba(marks["colour"].to_numpy() / chart.colour_scale)
    axes.scatter(
        x,
        y,
        facecolors="none" if is_open else colours,
        edgecolors=colours,
        marker=style.marker,
        s=(0.6 * style.size) ** 2,
        label=name,
        alpha=style.opacity,
        linewidths=0.6,
    )


def _print_whiskers(axes: Axes, chart: Chart, style: Style, marks: pd.DataFrame) -> None:
    """Bars of intervals, in both directions where there are any."""
    across, up = (whiskers(chart, marks, axis) for axis in "xy")
    if across is not None or up is not None:
        x, y = drawn(chart, marks, "x"), drawn(chart, marks, "y")
        look: dict[str, Any] = {"ecolor": style.colour, "elinewidth": style.whisker}
        axes.errorbar(x, y, xerr=across, yerr=up, fmt="none", alpha=WHISKER, **look)


def _colours(chart: Chart) -> ScalarMappable:
    """One range of colours for all series."""
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 - only print pays
    from matplotlib.colors import Normalize  # noqa: PLC0415

    return ScalarMappable(Normalize(*_colour_ends(chart)), SCALE)


def _print_line(axes: Axes, chart: Chart, group: Group) -> None:
    name, style, _, marks = group
    x, y = drawn(chart, marks, "x"), drawn(chart, marks, "y")
    _print_whiskers(axes, chart, style, marks)
    axes.plot(x, y, marker=style.marker, markersize=3, color=style.colour, label=name)


def _print_curve(axes: Axes, chart: Chart, group: Group) -> None:
    name, style, _, marks = group
    for x, low, high in bands(chart, marks):
        axes.fill_between(x, low, high, color=style.colour, alpha=BAND, linewidth=0)
    mark = style.marker if len(marks) <= MARKED else ""
    x, y = drawn(chart, marks, "x"), drawn(chart, marks, "y")
    axes.plot(x, y, marker=mark, markersize=3, color=style.colour, label=name)


def _print_roofline(axes: Axes, chart: Chart, group: Group) -> None:
    (_print_curve if group[0] == ROOF else _print_points)(axes, chart, group)


def _print_bars(axes: Axes, chart: Chart, group: Group) -> None:
    marks = group[3]
    bars = _print_barh(axes, chart, group, drawn(chart, marks, "y"))
    axes.bar_label(bars, marks["label"].to_list(), padding=3, fontsize=7)


def _print_barh(
    axes: Axes, chart: Chart, group: Group, places: NDArray[Any], height: float = 0.8
) -> BarContainer:
    name, style, _, marks = group
    return axes.barh(
        places,
        drawn(chart, marks, "x"),
        height=height,
        left=marks["base"].to_numpy() / chart.x_scale,
        color=style.colour,
        label=name,
        xerr=whiskers(chart, marks, "x"),
        error_kw={"elinewidth": 0.8, "ecolor": "#404040"},
    )


def _print_stack(axes: Axes, chart: Chart, group: Group) -> None:
    _print_barh(axes, chart, group, drawn(chart, group[3], "y"), 0.6)


def _print_group(axes: Axes, chart: Chart, group: Group) -> None:
    """Bars of one series, each beside those of the others that have its name."""
    names, marks = list(dict.fromkeys(drawn(chart, chart.frame, "y"))), group[3]
    height, place = 0.8 / len(chart.choices), chart.choices.index(group[0])
    middle = np.array([names.index(name) for name in drawn(chart, marks, "y")])
    places = middle + height * (place - (len(chart.choices) - 1) / 2)
    bars = _print_barh(axes, chart, group, places, height)
    axes.set_yticks(range(len(names)), names)
    axes.bar_label(bars, marks["label"].to_list(), padding=3, fontsize=6)


_PRINT: dict[str, Callable[[Axes, Chart, Group], None]] = {
    "scatter": _print_points,
    "lines": _print_line,
    "curves": _print_curve,
    "roofline": _print_roofline,
    "bars": _print_bars,
    "waterfall": _print_bars,
    "stacked": _print_stack,
    "grouped": _print_group,
}
