"""Charts of designs side by side: what each is made of, and how much better than the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dse import units
from dse.breakdown import Breakdown
from dse.certainty import HEAD, span
from dse.chart import LINES, Chart, shown, tidy, words
from dse.spec import AnyModel, Array

APART = len(LINES)
"""Most terms that are drawn apart, each in its own colour; the smallest are joined."""

METRICS = 8
"""Most metrics whose gains are drawn."""

Values = Sequence[float | None]
"""A number of each design, None where it is unknown."""

Spans = Sequence[tuple[float | None, float | None]]
"""Low and high end of each design's interval, None where nothing was checked."""


def made_of(
    page: AnyModel, names: Sequence[str], broken: Breakdown[Values], spans: Spans
) -> Chart:
    """What each design's total is made of: a bar a design, its terms end to end.

    Args:
        page: the model of all designs.
        names: of the designs, each its own.
        broken: a total and its terms, with a value for each design.
        spans: intervals of the totals.
    """
    terms, unit = _joined(broken.parts), page.metrics[broken.metric].unit
    sizes = np.array(list(terms.values())).reshape(len(terms), len(names))
    drawn = np.nan_to_num(sizes)
    ends = np.cumsum(drawn, axis=0)
    total = _numbers(broken.whole)
    across = shown(broken.metric, total, unit)
    low, high = np.full((2, *sizes.shape), np.nan)
    if len(terms):
        low[-1], high[-1] = np.transpose([_numbers(pair) for pair in spans])
    frame = tidy(
        sizes.size,
        design=list(names) * len(terms),
        series=[words(term) for term in terms for _ in names],
        base=(ends - drawn).ravel(),
        label=[
            _part(f"{name}: {words(term).lower()}", size, whole, unit)
            for term, row in zip(terms, sizes, strict=True)
            for name, size, whole in zip(names, row, total, strict=True)
        ],
        low=low.ravel(),
        high=high.ravel(),
        **{broken.metric: drawn.ravel()},
    )
    return Chart(
        kind="stacked",
        title=f"What {words(broken.metric).lower()} is made of",
        x=broken.metric,
        y="design",
        x_label=across.label,
        y_label="",
        frame=frame,
        caption=_made_of_caption(page, broken.metric, names, sizes, spans),
        x_scale=across.scale,
        choices=tuple(words(term) for term in terms),
    )


def _joined(parts: Mapping[str, Values]) -> dict[str, Array]:
    """Terms that some design has, the largest first; those beyond `APART` are added up."""
    found = {name: _numbers(values) for name, values in parts.items()}
    some = {name: row for name, row in found.items() if np.any(row != 0)}
    ranked = sorted(some.items(), key=lambda item: -float(np.nan_to_num(item[1]).max()))
    if len(ranked) <= APART:
        return dict(ranked)
    rest = np.sum([np.nan_to_num(row) for _, row in ranked[APART - 1 :]], axis=0)
    return {**dict(ranked[: APART - 1]), f"{len(ranked) - APART + 1} smaller terms": rest}


def _numbers(values: Sequence[float | None]) -> Array:
    """Numbers of designs; NaN where one is unknown."""
    return np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)


def _part(what: str, size: float, whole: float, unit: str) -> str:
    share = f", {size / whole:.0%} of {units.show(whole, unit)}" if whole else ""
    return f"{what} {units.show(size, unit)}{share}"


def _made_of_caption(
    page: AnyModel, metric: str, names: Sequence[str], sizes: Array, spans: Spans
) -> str:
    summed = "; they sum to it" if metric == page.total else f"; {page.total} is 0 in every design"
    text = [f"Exposed terms of {words(metric).lower()} of the page '{page.slug}'{summed}."]
    if unknown := int(np.isnan(sizes).sum()):
        text.append(f"{unknown} of the terms are unknown and not drawn.")
    unit = page.metrics[metric].unit
    said = {name: span(*ends, unit) for name, ends in zip(names, spans, strict=True)}
    if any(said.values()):
        text.append(f"The line at the end of a bar is its {HEAD}.")
    if bare := [name for name, told in said.items() if not told]:
        text.append(f"Nothing was checked of {', '.join(bare)}: no interval.")
    return " ".join(text)


def gains(page: AnyModel, names: Sequence[str], metrics: Mapping[str, Values]) -> Chart:
    """How many times better than the first design each other one is, metric by metric.

    A bar to the right of 1 is better and one to the left is worse, whichever way the metric goes.

    Args:
        page: the model of all designs.
        names: of the designs, the first one that the others are measured by.
        metrics: metrics with a better direction, and their value in each design.
    """
    ranked = {name: _gain(page, name, values) for name, values in metrics.items()}
    known = {name: row for name, row in ranked.items() if np.isfinite(row[1:]).any()}
    moved = {name: row for name, row in known.items() if np.any(row[np.isfinite(row)] != 1)}
    drawn = dict(list(moved.items())[:METRICS])
    cells = [
        (words(metric), name, factor)
        for metric, row in drawn.items()
        for name, factor in zip(names[1:], row[1:], strict=True)
        if np.isfinite(factor)
    ]
    factors = np.array([factor for _, _, factor in cells], dtype=np.float64)
    frame = tidy(
        len(cells),
        metric=[metric for metric, _, _ in cells],
        series=[name for _, name, _ in cells],
        gain=factors - 1.0,
        base=1.0,
        label=["=" if factor == 1 else f"x{units.show(factor, '1')}" for factor in factors],
    )
    return Chart(
        kind="grouped",
        title="How many times better than the first",
        x="gain",
        y="metric",
        x_label="Times better (left of 1: worse)",
        y_label="",
        frame=frame,
        caption=_gains_caption(names[0], ranked, known, moved, drawn),
        log_x=True,
        choices=tuple(names[1:]),
    )


def _gain(page: AnyModel, metric: str, values: Values) -> Array:
    """How many times better than the first; NaN where there is no such number."""
    row = _numbers(values)
    row = np.where(np.isfinite(row) & (row > 0), row, np.nan)
    up = page.metrics[metric].sense == "max"
    return np.asarray(row / row[0] if up else row[0] / row)


def _gains_caption(
    first: str,
    ranked: Mapping[str, Array],
    known: Mapping[str, Array],
    moved: Mapping[str, Array],
    drawn: Mapping[str, Array],
) -> str:
    """What is drawn, and what is not and why."""
    left = (
        ("without a ratio, as they are unknown, infinite or not above 0", ranked, known),
        ("equal in every design", known, moved),
        (f"beyond the first {METRICS}", moved, drawn),
    )
    text = [
        f"Predictions over those of {first}, the first; right is better. Intervals are left out."
    ]
    for why, these, others in left:
        if names := [words(name).lower() for name in these if name not in others]:
            text.append(f"Not drawn, {why}: {', '.join(names)}.")
    return " ".join(text)
