"""Tables become charts: a tidy frame with labels, units and limits, drawn by two thin renderers.

`plotly` draws a chart for the app and `svg` for print; both read the same frame, scales and
palette, so they cannot disagree. Nobody else draws. Frames are SI; a chart's scales are the
display units, one per axis. A new kind of chart is one builder and one entry in each renderer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from dse import units
from dse.archive import Archive
from dse.breakdown import Breakdown
from dse.chart import Chart as Chart
from dse.chart import Shown, shown, tidy, words
from dse.draw import plotly as plotly
from dse.draw import svg as svg
from dse.errors import unknown
from dse.evaluate import Table
from dse.prices import in_words
from dse.spec import AnyModel, Array
from dse.study import Study

if TYPE_CHECKING:
    import pandas as pd

TERMS = 12
"""Most terms of a breakdown that are drawn apart; the smallest are joined."""


def _numbers(table: Table, name: str) -> Array:
    if name not in table.columns or name in table.labels:
        raise unknown("column of numbers", name, set(table.columns) - set(table.labels))
    return np.asarray(table[name], dtype=np.float64)


def _thinned(rows: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """At most `limit` rows, drawn evenly; the same rows every time."""
    if len(rows) <= limit:
        return rows
    chosen = np.random.default_rng(0).choice(len(rows), limit, replace=False)
    return rows[np.sort(chosen)]


def _labels(study: Study, table: Table) -> list[str]:
    """The knobs of each design in words, one a line."""
    lines: list[list[str]] = [[] for _ in range(len(table))]
    for axis in study.space.axes:
        values, inverse = np.unique(table[axis.path], return_inverse=True)
        texts = [f"{axis.path}: {axis.show(float(value))}" for value in values]
        for line, code in zip(lines, inverse, strict=True):
            line.append(texts[code])
    return ["\n".join(line) for line in lines]


def _best(study: Study, front: Table) -> NDArray[np.intp]:
    """Positions of the designs a person looks at first: each objective's best and the knee."""
    if len(front) == 0:
        return np.zeros(0, dtype=np.intp)
    place = Table({**front.columns, "row": np.arange(len(front))}, front.units, front.labels)
    return cast("NDArray[np.intp]", Archive(study, front=place).best()[1]["row"])


def _cloud(
    study: Study, table: Table, rows: NDArray[np.intp], names: Sequence[str], **same: object
) -> pd.DataFrame:
    """Marks of some designs of a table; the last name is the colour, where there is one."""
    part = table.take(rows)
    x, y, *third = (_numbers(part, name) for name in names)
    columns: dict[str, object] = {names[0]: x, names[1]: y, **same}
    columns |= {"colour": third[0]} if third else {}
    return tidy(len(part), extrapolates=part["extrapolates"].astype(bool), **columns)


def front(
    study: Study,
    designs: Table,
    front: Table,
    *,
    x: str,
    y: str,
    colour: str | None = None,
    limit: int = 5000,
) -> Chart:
    """Designs and their front in two columns, a third as colour.

    Designs that meet every constraint are drawn, thinned evenly to `limit`; the front is always
    whole. When no design meets them, all are drawn as rejected. A mark's `row` is its position in
    the front, or the front's length plus its position among the designs.

    Raises:
        InputError: a column that does not exist or is not a number.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

    names = [x, y, *([colour] if colour else [])]
    accepted = np.flatnonzero(designs["accepted"])
    choices = _choices(study, designs) if len(accepted) else ()
    drawn = _thinned(accepted if len(accepted) else np.arange(len(designs)), limit)
    whole, best = np.arange(len(front)), _best(study, front)
    labels = np.array(_labels(study, front), dtype=object)
    series = _series(study, designs.take(drawn), compared=bool(choices), any_fit=len(accepted) > 0)
    parts = [
        _cloud(study, designs, drawn, names, series=series, row=len(front) + drawn),
        _cloud(study, front, whole, names, series="front", row=whole, label=labels),
        _cloud(study, front, best, names, series="best", row=best, label=labels[best]),
    ]
    marks = pd.concat(parts, ignore_index=True)
    known = marks[np.isfinite(marks[x]) & np.isfinite(marks[y])].reset_index(drop=True)
    across, up, third = (_shown(designs, known, name) for name in (x, y, colour))
    return Chart(
        kind="scatter",
        title=f"{words(y)} against {words(x).lower()}",
        x=x,
        y=y,
        x_label=across.label,
        y_label=up.label,
        frame=known,
        caption=_front_caption(study, designs, len(accepted), len(drawn), len(marks) - len(known)),
        log_x=across.log,
        log_y=up.log,
        x_scale=across.scale,
        y_scale=up.scale,
        colour_label=third.label,
        colour_scale=third.scale,
        choices=choices,
    )


def _choices(study: Study, designs: Table) -> tuple[str, ...]:
    """What the study compares, by name; nothing where it compares nothing."""
    return designs.labels.get(study.compare or "", ())


def _series(study: Study, drawn: Table, *, compared: bool, any_fit: bool) -> object:
    """The series of each design behind the front."""
    if compared and study.compare is not None:
        return drawn.words(study.compare)
    return "designs" if any_fit else "rejected"


def _shown(table: Table, marks: pd.DataFrame, name: str | None) -> Shown:
    if name is None:
        return Shown("", 1.0, log=False)
    values = marks[name] if name in marks else marks["colour"]
    return shown(name, values.to_numpy(dtype=np.float64), table.units.get(name, "1"))


def _front_caption(study: Study, designs: Table, accepted: int, drawn: int, lost: int) -> str:
    lines = [
        f"Predictions of the page '{study.page.slug}' for {study.slug}: {accepted:,} of "
        f"{len(designs):,} designs are feasible and meet every constraint, {drawn:,} are drawn "
        "beside the whole front."
    ]
    if lost:
        lines.append(f"{lost:,} marks with an unknown or infinite value are left out.")
    if designs["extrapolates"].any():
        lines.append("Open marks extrapolate beyond the page's range.")
    return " ".join([*lines, *_prices(study)])


def _prices(study: Study) -> list[str]:
    """Costs are only true at dated prices, so the date goes with them."""
    if not any(metric.unit.startswith("USD") for metric in study.metrics.values()):
        return []
    return [f"Costs are at the prices of {in_words(study.prices)}."]


def breakdown(page: AnyModel, broken: Breakdown[float]) -> Chart:
    """What one design's total is made of: the largest term first, the total last."""
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
    frame = tidy(
        len(sizes),
        term=[words(name) for name in names],
        series=["term"] * (len(sizes) - 1) + ["total"],
        base=base,
        label=[f"{units.show(v, unit)}, {s:.0%}" for v, s in zip(values[:-1], share, strict=True)]
        + [units.show(total, unit)],
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
        caption=f"{_made_of(page, broken.metric)}{lost}",
        x_scale=across.scale,
    )


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


def validation(rows: list[dict[str, object]]) -> Chart:
    """Published against predicted numbers; constants were fitted on fit rows only."""
    published, predicted, error = (
        np.array([row.get(name) for row in rows], dtype=np.float64)
        for name in ("published", "predicted", "error")
    )
    kinds = sorted({str(row["unit"]) for row in rows})
    both = np.concatenate([published, predicted])
    same = shown("", both, kinds[0]) if len(kinds) == 1 else Shown(" [SI, mixed units]", 1.0, True)
    positive = bool(np.all(both[np.isfinite(both)] > 0))
    label = [_point_label(row, e) for row, e in zip(rows, error, strict=True)]
    series = [str(row["use"]) for row in rows]
    frame = tidy(len(rows), published=published, predicted=predicted, series=series, label=label)
    known = frame[np.isfinite(published) & np.isfinite(predicted)].reset_index(drop=True)
    fit = int((known["series"] == "fit").sum())
    return Chart(
        kind="scatter",
        title="Published against predicted",
        x="published",
        y="predicted",
        x_label=f"Published{same.label}",
        y_label=f"Predicted{same.label}",
        frame=known,
        caption=f"{fit} points were used to fit constants, {len(known) - fit} are checks that no "
        "constant has seen. On the line the prediction equals the publication.",
        log_x=same.log and positive,
        log_y=same.log and positive,
        x_scale=same.scale,
        y_scale=same.scale,
        diagonal=True,
    )


def _point_label(row: Mapping[str, object], error: float) -> str:
    head = f"{row['model']} {row['id']}: {row['quantity']}"
    return head if np.isnan(error) else f"{head}\nerror {error:+.1%}"


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
