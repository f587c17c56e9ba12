"""The chart of a roof: achieved operations per second over intensity, an operator a point."""

from __future__ import annotations

import numpy as np

from dse import units
from dse.chart import ROOF, Chart, shown, tidy
from dse.roofs import Ran, Roof
from dse.spec import Array

POINTS = 33
"""Points of the roof's line."""

ROOM = 4.0
"""How far the line goes on, as a factor, beyond the outermost point and the edge."""


def roofline(roof: Roof) -> Chart:
    """Operators of one pass under the roof of their device, both axes logarithmic."""
    ran = [one for one in roof.ran if one.known]
    edge = roof.peak / roof.bandwidth
    intensity = np.array([one.flops / one.moved for one in ran])
    ends = np.append(intensity, edge)
    spread = np.geomspace(np.min(ends) / ROOM, np.max(ends) * ROOM, POINTS)
    line: Array = np.unique(np.append(spread, edge))
    roofed = np.minimum(roof.peak, roof.bandwidth * line)
    reached = np.concatenate([roofed, [one.flops / one.time for one in ran]])
    across = np.concatenate([line, intensity])
    look, up = shown("intensity", across, "FLOP/B"), shown("achieved", reached, "FLOP/s")
    total = sum(one.time for one in roof.ran)
    kinds = [one.kind for one in ran]
    return Chart(
        kind="roofline",
        title="Operators under the roof",
        x="intensity",
        y="achieved",
        x_label=look.label,
        y_label=up.label,
        frame=tidy(
            len(across),
            intensity=across,
            achieved=reached,
            series=[ROOF] * len(line) + kinds,
            label=[""] * len(line) + [_told(one, roof, total) for one in ran],
        ),
        caption=_caption(roof, ran, edge),
        log_x=True,
        log_y=True,
        x_scale=look.scale,
        y_scale=up.scale,
        choices=tuple(dict.fromkeys(kinds)),
    )


def _told(one: Ran, roof: Roof, total: float) -> str:
    """What a pointer shows of an operator."""
    roofed = min(roof.peak, roof.bandwidth * one.flops / one.moved)
    reached = one.flops / one.time / roofed
    spent = units.show(one.time, "s")
    return f"{one.name}: {spent}, {one.time / total:.0%} of the pass, {reached:.0%} of the roof"


def _intensity(edge: float) -> str:
    return units.show(edge, "FLOP/B")


def _caption(roof: Roof, ran: list[Ran], edge: float) -> str:
    """What the roof is, what binds most of the time, and what is not drawn."""
    bound = sum(one.time for one in ran if one.flops / one.moved < edge)
    total = sum(one.time for one in roof.ran)
    peak, slope = units.show(roof.peak, "FLOP/s"), units.show(roof.bandwidth, "B/s")
    text = f"{roof.name}: the roof is {peak} and {slope}, which meet at {_intensity(edge)}. "
    if total > 0:
        text += f"{bound / total:.0%} of the time is spent left of that, bound by memory. "
    if lost := [one.name for one in roof.ran if not one.known]:
        text += f"Not drawn, since without arithmetic: {', '.join(lost)}. "
    return f"{text}{roof.text}".strip()
