"""Tables become charts: a tidy frame with labels, units and limits, drawn by two thin renderers.

`plotly` draws a chart for the app and `svg` for print; both read the same frame, scales and
palette, so they cannot disagree. Nobody else draws. Frames are SI; a chart's scales are the
display units, one per axis. A new kind of chart is one builder and one entry in each renderer;
parallel lines and densities, which share no axes with marks, bring a pair of their own.
"""

from __future__ import annotations

import numpy as np

from dse import units
from dse.breakdown import Breakdown
from dse.certainty import HEAD, span
from dse.chart import Chart as Chart
from dse.chart import shown, tidy, words
from dse.density_chart import density as density
from dse.density_chart import density_plotly as density_plotly
from dse.density_chart import density_svg as density_svg
from dse.density_chart import rings_plotly as rings_plotly
from dse.draw import plotly as plotly
from dse.draw import svg as svg
from dse.evaluate import Table
from dse.front_chart import front as front
from dse.parallel_chart import parallel as parallel
from dse.parallel_chart import parallel_plotly as parallel_plotly
from dse.parallel_chart import parallel_svg as parallel_svg
from dse.spec import AnyModel
from dse.trust_charts import calibration as calibration
from dse.trust_charts import validation as validation

Ends = tuple[float | None, float | None]
"""Low and high end of an interval."""

TERMS = 12
"""Most terms of a breakdown that are drawn apart; the smallest are joined."""


def breakdown(page: AnyModel, broken: Breakdown[float], ends: Ends) -> Chart:
    """What one design's total is made of: the largest term first, the total last.

    Args:
        page: the model.
        broken: a total and its terms.
        ends: of the total's interval, NaN or None where nothing was checked.
    """
    terms, total = broken.parts, broken.whole
    known = {name: value for name, value in terms.items() if np.isfinite(value)}
    ranked = sorted(known.items(), key=lambda item: -item[1])
    apart, rest = ranked[: TERMS - 1], ranked[TERMS - 1 :]
    if len(rest) > 1:
        rest = [(f"{len(rest)} smaller terms", sum(value for _, value in rest))]
    names, values = zip(*apart, *rest, ("total", total), strict=True)
    sizes = np.array(values, dtype=np.float64)
    unit = page.metrics[broken.metric].unit
    across = shown(broken.metric, sizes, unit)
    base = np.concatenate([[0.0], np.cumsum(sizes[:-1])])
    base[-1] = 0.0
    share = sizes[:-1] / total if total else np.zeros(len(sizes) - 1)
    said, unset = span(*ends, unit), [np.nan] * (len(sizes) - 1)
    frame = tidy(
        len(sizes),
        term=[words(name) for name in names],
        series=["term"] * (len(sizes) - 1) + ["total"],
        base=base,
        label=[f"{units.show(v, unit)}, {s:.0%}" for v, s in zip(values[:-1], share, strict=True)]
        + [f"{units.show(total, unit)}{f' ({said})' if said else ''}"],
        low=[*unset, np.nan if ends[0] is None else ends[0]],
        high=[*unset, np.nan if ends[1] is None else ends[1]],
        **{broken.metric: sizes},
    )
    lost = f" {len(terms) - len(known)} terms are unknown." if len(known) < len(terms) else ""
    return Chart(
        kind="waterfall",
        title=f"What {words(broken.metric).lower()} is made of",
        x=broken.metric,
        y="term",
        x_label=across.label,
        y_label="",
        frame=frame,
        caption=f"{_made_of(page, broken.metric)}{lost} {_ends_words(said)}",
        x_scale=across.scale,
    )


def _ends_words(said: str) -> str:
    if said:
        return f"The line at the total is its {HEAD}."
    return "The total has no interval: nothing was checked."


def _made_of(page: AnyModel, metric: str) -> str:
    if metric == page.total:
        return f"Exposed terms of the page '{page.slug}'; they sum to the total."
    instead, total = words(metric).lower(), words(page.total)
    return f"{total} is 0: parts of {instead} of the page '{page.slug}'; they sum to it."


def growth(history: list[dict[str, float]]) -> Chart:
    """How the front grew: the hypervolume it dominates, as a share of the final one."""
    seen = np.array([row["designs"] for row in history], dtype=np.float64)
    volume = np.array([row["hypervolume"] for row in history], dtype=np.float64)
    final = volume[-1] if volume.size and volume[-1] > 0 else 1.0
    label = [f"{row['front']:,.0f} designs on the front" for row in history]
    across = shown("designs", seen, "1")
    return Chart(
        kind="lines",
        title="Growth of the front",
        x="designs",
        y="hypervolume",
        x_label="Designs priced",
        y_label="Hypervolume [share of the final one]",
        frame=tidy(
            len(seen), designs=seen, hypervolume=volume / final, series="front size", label=label
        ),
        caption="Hypervolume below a point just beyond the final front's worst values. A flat end "
        "says that the search had settled, not that nothing better exists.",
        log_x=across.log,
    )


def data_table(table: Table, names: list[str]) -> tuple[list[str], list[list[str]]]:
    """Columns as text: the unit once in the header, cells at three significant digits.

    Returns:
        the header, and one list of cells a design.
    """
    columns = [_cells(table, name) for name in names]
    header = [head for head, _ in columns]
    return header, [list(row) for row in zip(*(cells for _, cells in columns), strict=True)]


def _cells(table: Table, name: str) -> tuple[str, list[str]]:
    column = table.words(name)
    if name in table.labels:
        return words(name), [str(value) for value in column]
    if column.dtype == np.bool_:
        return words(name), ["yes" if value else "no" for value in column]
    look = shown(name, column, table.units.get(name, "1"))
    return look.label, [units.show(float(value) / look.scale, "1") for value in column]
