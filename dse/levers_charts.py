"""Charts of which knob matters: Sobol indices as bars with intervals, and the tornado."""

from __future__ import annotations

import math

import numpy as np

from dse import units
from dse.chart import Chart, shown, tidy, words
from dse.moves import Setting
from dse.sobol import LEVEL, Indices
from dse.spec import knobs
from dse.tornado import Swing, Tornado

KNOBS = 12
"""Most knobs of a chart; the caption counts the others."""

LEAST = 0.005
"""Total order from which a knob is drawn: below it, its label would read 0.00."""


def orders(found: Indices) -> Chart:
    """Total orders of one metric: what each knob does alone, and beyond that with others.

    A metric without indices gives an empty chart whose caption says why.
    """
    ranked = [i for i in found.ranked if found.total[i] >= LEAST][:KNOBS]
    names = [words(found.inputs[i]) for i in ranked]
    total = found.total[ranked]
    alone = np.clip(found.first[ranked], 0.0, total)
    low, high = found.total_ends[:, ranked]
    unset = np.full(len(ranked), np.nan)
    frame = tidy(
        2 * len(ranked),
        knob=[*names, *names],
        series=["alone"] * len(ranked) + ["with others"] * len(ranked),
        index=np.concatenate([alone, total - alone]),
        base=np.concatenate([np.zeros(len(ranked)), alone]),
        low=np.concatenate([unset, low]),
        high=np.concatenate([unset, high]),
        label=[""] * len(ranked) + [f"{value:.2f}" for value in total],
    )
    named = f"ln({found.metric})" if found.ln else found.metric
    return Chart(
        kind="bars",
        title=f"Which knob moves {words(found.metric).lower()}",
        x="index",
        y="knob",
        x_label=f"Share of the variance of {named}",
        y_label="",
        frame=frame,
        caption=_orders_caption(found, len(ranked)),
    )


def _orders_caption(found: Indices, drawn: int) -> str:
    if found.refusal:
        return f"There are no indices: {found.refusal}."
    text = (
        f"Total order Sobol indices of {len(found.inputs)} inputs, taken as independent, over "
        f"{found.designs:,} designs: dark what an input does alone, light what it does with "
        f"others; whiskers hold {100 * LEVEL:.0f} % of bootstrap resamples."
    )
    if found.approximate:
        text += f" {found.left_out:,} designs hold no value and are left out: approximate."
    if left := len(found.inputs) - drawn:
        text += f" {left} inputs with smaller indices are not drawn."
    return text


def tornado(found: Tornado, metric: str) -> Chart:
    """How far each knob alone moves one metric from the design as it stands.

    A metric that is unknown there gives an empty chart.
    """
    swings = [s for s in found.swings(metric) if s.size > 0]
    finite = [s for s in swings if math.isfinite(s.size)]
    here = found.here[metric]
    ends = [(s.knob, at, value - here) for s in finite[:KNOBS] for value, at in _ends(s)]
    sizes = np.array([size for _, _, size in ends], dtype=np.float64)
    facts, known = found.page.metrics[metric], knobs(found.page.config)
    across = shown(metric, sizes, facts.unit)
    frame = tidy(
        len(ends),
        knob=[words(knob) for knob, _, _ in ends],
        series=[_series(facts.sense, end) for _ in finite[:KNOBS] for end in ("min", "max")],
        change=sizes,
        label=[_setting(at, known[knob].unit) * (size != 0) for knob, at, size in ends],
    )
    return Chart(
        kind="bars",
        title=f"What one change does to {words(metric).lower()}",
        x="change",
        y="knob",
        x_label=f"Change of {across.label[:1].lower()}{across.label[1:]}",
        y_label="",
        frame=frame,
        caption=_tornado_caption(found, metric, len(swings), len(finite)),
        x_scale=across.scale,
    )


def _ends(swing: Swing) -> tuple[tuple[float, Setting], tuple[float, Setting]]:
    return (swing.low, swing.low_at), (swing.high, swing.high_at)


def _series(sense: str, end: str) -> str:
    """The series of the lower ('min') or upper end; each holds every knob, in the same order."""
    if not sense:
        return "term"
    return "better" if end == sense else "worse"


def _setting(at: Setting, unit: str) -> str:
    return at if isinstance(at, str) else units.show(at, unit or "1")


def _tornado_caption(found: Tornado, metric: str, moved: int, finite: int) -> str:
    here = units.show(found.here[metric], found.page.metrics[metric].unit)
    text = (
        f"One knob changed at a time from a design with {here}; green is better, orange worse, "
        "the setting stands beside its bar."
    )
    if skipped := int(np.sum(~found.runs)):
        are = "is" if skipped == 1 else "are"
        text += f" Of the changes {skipped:,} cannot run or {are} not covered."
    if infinite := moved - finite:
        text += f" {infinite} knobs change it to or from infinity and are not drawn."
    if finite > KNOBS:
        text += f" {finite - KNOBS} knobs with smaller effects are not drawn."
    return text
