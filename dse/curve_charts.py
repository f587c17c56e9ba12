"""Charts of what a page declares: its trade-off with bands, and its machines over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dse import units
from dse.certainty import HEAD, span
from dse.chart import Chart, Shown, shown, tidy, words
from dse.curves import Span, Timeline
from dse.spec import Array, Mask, knobs
from dse.traced import Trace

if TYPE_CHECKING:
    import pandas as pd


def curves(found: Trace) -> list[Chart]:
    """The charts of a curve: one a metric, or one of stacked bars over a category."""
    if knobs(found.page.config)[found.curve.knob].catalog:
        return [_stack(found)]
    return [_curve(found, metric) for metric in found.curve.metrics]


def _curve(found: Trace, metric: str) -> Chart:
    """One metric over the knob, with a band where the page knows how far it errs."""
    page, curve, values = found.page, found.curve, found.metrics[metric]
    facts, across = page.metrics[metric], _across(found)
    ends = np.stack(found.ends[metric])
    low, high = np.full_like(ends, np.nan) if curve.across else ends
    up = shown(metric, values, facts.unit, ends=np.ravel([low, high]))
    single = len(set(found.line)) == 1
    series = np.array([words(metric)] * len(values), dtype=object) if single else found.line
    frame = tidy(
        len(values),
        across=np.asarray(found.across, dtype=np.float64),
        series=series,
        low=low,
        high=high,
        label=_labels(found, metric),
        **{metric: values},
    )[_reached(found, values)].reset_index(drop=True)
    return Chart(
        kind="curves",
        title=words(metric),
        x="across",
        y=metric,
        x_label=across.label,
        y_label=up.label,
        frame=frame,
        caption=" ".join([curve.text, _banded(found, low), *_left_out(found, values)]),
        log_x=across.log,
        log_y=up.log and np.isinf(facts.most),
        x_scale=across.scale,
        y_scale=up.scale,
        choices=tuple(dict.fromkeys(series)),
    )


def _reached(found: Trace, values: Array) -> Mask:
    """From the first to the last design of each line that is drawn: gaps between them stay."""
    kept = np.zeros(len(values), dtype=np.bool_)
    for name in dict.fromkeys(found.line):
        rows = np.flatnonzero((found.line == name) & ~np.isnan(values))
        if rows.size:
            kept[rows[0] : rows[-1] + 1] = True
    return kept


def _across(found: Trace) -> Shown:
    """How the knob, or the metric that stands in its place, is shown along x."""
    name, curve = found.curve.across, found.curve
    if name:
        return shown(name, found.metrics[name], found.page.metrics[name].unit)
    knob = knobs(found.page.config)[curve.knob]
    look = shown(curve.knob, found.levels, knob.unit)
    return Shown(look.label, look.scale, bool(knob.bounds and knob.bounds.log) and look.log)


def _labels(found: Trace, metric: str) -> list[str]:
    """What hovering tells of each design: its level, its interval, and whether it extrapolates."""
    knob = knobs(found.page.config)[found.curve.knob]
    unit = found.page.metrics[metric].unit
    told = []
    for i, (low, high) in enumerate(zip(*found.ends[metric], strict=True)):
        said = span(float(low), float(high), unit)
        at = f"{words(knob.path)} {units.show(float(found.levels[i]), knob.unit)}"
        lines = [at] if found.curve.across else []
        lines += [f"{HEAD} {said}"] if said else []
        lines += ["extrapolated"] if found.extrapolates[i] else []
        told.append("\n".join(lines))
    return told


def _banded(found: Trace, low: Array) -> str:
    """What the bands are, or why there are none."""
    if found.curve.across:
        return f"A pointer shows {HEAD}s."
    if np.all(np.isnan(low)):
        return "No interval: nothing of this was checked."
    return f"Bands are {HEAD}s of the prediction."


def _left_out(found: Trace, values: Array) -> list[str]:
    """What a reader would miss, in words."""
    known = ~np.isnan(values)
    lost, beyond = int(np.sum(~known)), int(np.sum(found.extrapolates & known))
    why = "they cannot run, or the page does not cover them"
    return [
        *([f"{lost} of {len(values)} designs are not drawn: {why}."] if lost else []),
        *([f"{beyond} of {len(values) - lost} drawn ones extrapolate."] if beyond else []),
    ]


def _stack(found: Trace) -> Chart:
    """Parts of a whole, a bar a row of the category; a design that is not drawn has none."""
    page, curve = found.page, found.curve
    parts = np.array([found.metrics[metric] for metric in curve.metrics])
    names = [words(metric) for metric in curve.metrics]
    unit = page.metrics[curve.metrics[0]].unit
    sizes = np.nan_to_num(parts)
    frame = tidy(
        parts.size,
        lane=np.tile(found.levels.astype(object), len(names)),
        size=sizes.ravel(),
        series=np.repeat(names, parts.shape[1]),
        base=(np.cumsum(sizes, axis=0) - sizes).ravel(),
        label=[
            f"{level}, {name.lower()}: {units.show(float(size), unit)}"
            for name, row in zip(names, sizes, strict=True)
            for level, size in zip(found.levels, row, strict=True)
        ],
    )
    look = shown(page.total, sizes.sum(axis=0), unit)
    caption = " ".join([curve.text, *_left_out(found, parts.sum(axis=0))])
    return _bars(curve.title, frame, look, caption, names)


def timeline(line: Timeline, happening: Sequence[Span]) -> Chart:
    """What machines do when, a lane each, in the order in which they first do something."""
    starts, lengths = (
        np.array([getattr(one, name) for one in happening]) for name in ("start", "length")
    )
    frame = tidy(
        len(happening),
        lane=np.array([one.lane for one in happening], dtype=object),
        size=lengths,
        base=starts,
        series=[one.name for one in happening],
        label=[
            f"{one.lane}, {one.name}: {units.show(one.length, 's')} "
            f"from {units.show(one.start, 's')} on"
            for one in happening
        ],
    )
    end = float(np.max(starts + lengths, initial=0.0))
    names = list(dict.fromkeys(one.name for one in happening))
    caption = f"{line.text} The last ends after {units.show(end, 's')}."
    return _bars(line.title, frame, shown("time", np.array([end]), "s"), caption, names)


def _bars(
    title: str, frame: pd.DataFrame, look: Shown, caption: str, names: Sequence[str]
) -> Chart:
    """Bars end to end along time or another whole."""
    return Chart(
        kind="stacked",
        title=title,
        x="size",
        y="lane",
        x_label=look.label,
        y_label="",
        frame=frame,
        caption=caption,
        x_scale=look.scale,
        choices=tuple(names),
    )
