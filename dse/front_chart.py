"""The chart of a front: designs, the front, and how sure its best designs are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from dse.archive import Archive
from dse.certainty import CHANCES, HEAD, KNOWN_FROM, UNCHECKED, Codes, chance, ends, span, tiers
from dse.chart import Chart, Shown, shown, tidy, words
from dse.errors import unknown
from dse.evaluate import Table
from dse.prices import in_words
from dse.spec import Array
from dse.study import Study

if TYPE_CHECKING:
    import pandas as pd

WHISKERS = 60
"""Designs of the largest front whose intervals are all drawn; of a larger one, the best ones'."""

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Sure:
    """How sure the designs of a front are in what is drawn; arrays as long as the front."""

    columns: Mapping[str, Array]
    """What a frame holds of intervals, NaN where none is drawn."""
    notes: Sequence[str]
    """Intervals, tiers and chances of each design in words, one a line."""
    unchecked: Sequence[str]
    """Drawn metrics of which nothing was checked."""
    whose: str
    """The designs whose intervals are drawn."""


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


def _sure(study: Study, front: Table, best: Rows, x: str, y: str) -> Sure:
    """Intervals, tiers and chances of the designs of a front that are drawn with them.

    Args:
        study: what was asked.
        front: the front.
        best: positions of the best designs.
        x: a column; knobs have no interval.
        y: another one.
    """
    rows = np.arange(len(front)) if len(front) <= WHISKERS else best
    metrics = [name for name in dict.fromkeys((x, y)) if name in study.metrics]
    some = front.take(rows)
    spans = ends(study, some, metrics) if metrics and len(rows) else {}
    codes = tiers(study, some, metrics) if spans else {}
    columns: dict[str, Array] = {}
    for name, keys in ((x, ("x_low", "x_high")), (y, ("low", "high"))):
        for key, values in zip(keys, spans.get(name, ()), strict=False):
            columns[key] = np.full(len(front), np.nan)
            columns[key][rows] = values
    notes = _chances(front)
    for i, row in enumerate(rows):
        texts = [_known(front, name, spans[name], codes[name], i) for name in spans]
        notes[row] += "".join(f"\n{text}" for text in texts)
    unchecked = [name for name in spans if np.isnan(spans[name][0]).all()]
    whose = "the front's designs" if len(rows) == len(front) else "the best designs"
    return Sure(columns, notes, unchecked, whose)


def _chances(front: Table) -> list[str]:
    """The chance of each design to belong on the front, where its table holds it."""
    name, said = next(iter(CHANCES.items()))
    if name not in front.columns:
        return [""] * len(front)
    shares, inverse = np.unique(front[name], return_inverse=True)
    texts = [f"\n{said}: {chance(share)}" for share in shares.tolist()]
    return [texts[i] for i in inverse]


def _known(front: Table, name: str, pair: tuple[Array, Array], codes: Codes, i: int) -> str:
    """One design's interval of a metric, and how that is known."""
    said = span(pair[0][i], pair[1][i], front.units.get(name, "1"))
    return f"{words(name)}: " + (f"{HEAD} {said}, {KNOWN_FROM[codes[i]]}" if said else UNCHECKED)


def _cloud(table: Table, rows: Rows, names: Sequence[str], **same: object) -> pd.DataFrame:
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
    whole. With a limit of 0 a density takes their place. When no design meets them, all are drawn
    as rejected. A mark's `row` is its position in the front, or the front's length plus its
    position among the designs.

    Raises:
        InputError: a column that does not exist or is not a number.
    """
    names = [x, y, *([colour] if colour else [])]
    accepted = np.flatnonzero(designs["accepted"])
    choices = _choices(study, designs) if len(accepted) else ()
    drawn = _thinned(accepted if len(accepted) else np.arange(len(designs)), limit)
    series = _series(study, designs.take(drawn), compared=bool(choices), any_fit=len(accepted) > 0)
    cloud = _cloud(designs, drawn, names, series=series, row=len(front) + drawn)
    best = _best(study, front)
    sure = _sure(study, front, best, x, y)
    marks = _joined([cloud, *_front_marks(study, front, names, best, sure)])
    known = marks[np.isfinite(marks[x]) & np.isfinite(marks[y])].reset_index(drop=True)
    across = _shown(designs, known, x, ("x_low", "x_high"))
    up = _shown(designs, known, y, ("low", "high"))
    third = _shown(designs, known, colour)
    lost = len(marks) - len(known)
    told = [*_drawn_words(study, designs, len(accepted), len(drawn), lost), *_sure_words(sure)]
    return Chart(
        kind="scatter",
        title=f"{words(y)} against {words(x).lower()}",
        x=x,
        y=y,
        x_label=across.label,
        y_label=up.label,
        frame=known,
        caption=" ".join([*told, *_prices(study)]),
        log_x=across.log,
        log_y=up.log,
        x_scale=across.scale,
        y_scale=up.scale,
        colour_label=third.label,
        colour_scale=third.scale,
        choices=choices,
    )


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

    return pd.concat(parts, ignore_index=True)


def _front_marks(
    study: Study, front: Table, names: Sequence[str], best: Rows, sure: Sure
) -> list[pd.DataFrame]:
    """The whole front, and its best designs once more on top, which then carry their intervals."""
    whole = np.arange(len(front))
    lines = map("".join, zip(_labels(study, front), sure.notes, strict=True))
    labels = np.array(list(lines), dtype=object)
    rest = {name: _blanked(column, best) for name, column in sure.columns.items()}
    own = {name: column[best] for name, column in sure.columns.items()}
    return [
        _cloud(front, whole, names, series="front", row=whole, label=labels, **rest),
        _cloud(front, best, names, series="best", row=best, label=labels[best], **own),
    ]


def _blanked(column: Array, rows: Rows) -> Array:
    """A column without the designs that are drawn once more on top."""
    kept = column.copy()
    kept[rows] = np.nan
    return kept


def _choices(study: Study, designs: Table) -> tuple[str, ...]:
    """What the study compares, by name; nothing where it compares nothing."""
    return designs.labels.get(study.compare or "", ())


def _series(study: Study, drawn: Table, *, compared: bool, any_fit: bool) -> object:
    """The series of each design behind the front."""
    if compared and study.compare is not None:
        return drawn.words(study.compare)
    return "designs" if any_fit else "rejected"


def _shown(
    table: Table, marks: pd.DataFrame, name: str | None, beside: tuple[str, ...] = ()
) -> Shown:
    """How a drawn column is shown, with room for its intervals."""
    if name is None:
        return Shown("", 1.0, log=False)
    values = marks[name] if name in marks else marks["colour"]
    numbers = values.to_numpy(dtype=np.float64)
    return shown(name, numbers, table.units.get(name, "1"), marks[[*beside]].to_numpy())


def _drawn_words(
    study: Study, designs: Table, accepted: int, drawn: int, lost: int
) -> Iterator[str]:
    """What is drawn of all designs, and what is not."""
    yield (
        f"Predictions of the page '{study.page.slug}' for {study.slug}: {accepted:,} of "
        f"{len(designs):,} designs are feasible and meet every constraint, "
        f"{f'{drawn:,} are drawn beside' if drawn else 'their density is drawn behind'} the whole "
        "front."
    )
    if lost:
        yield f"{lost:,} marks with an unknown or infinite value are left out."
    if designs["extrapolates"].any():
        yield "Open marks extrapolate beyond the page's range."


def _sure_words(sure: Sure) -> Iterator[str]:
    """Whose intervals are drawn, and which metrics have none."""
    ends = [column[~np.isnan(column)] for column in sure.columns.values()]
    if any(len(column) for column in ends):
        yield f"Bars are {HEAD}s of {sure.whose}."
    if any(np.isinf(column).any() for column in ends):
        yield "Where truth may be without limit, a bar ends with the axis."
    if sure.unchecked:
        named = " and ".join(words(name).lower() for name in sure.unchecked)
        yield f"No interval of {named}: nothing was checked."


def _prices(study: Study) -> list[str]:
    """Costs are only true at dated prices, so the date goes with them."""
    if not any(metric.unit.startswith("USD") for metric in study.metrics.values()):
        return []
    return [f"Costs are at the prices of {in_words(study.prices)}."]
