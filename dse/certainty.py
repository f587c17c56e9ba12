"""How sure the numbers of many designs are: ends of intervals and tiers as columns, and in words.

One design has `dse.grounds`, a front has chances in `dse.confidence`; here are the columns that a
table, a chart and a file show beside a metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import interval, joint, registry, units
from dse.choice import numbers
from dse.evaluate import Table
from dse.grounds import NOTHING, NUDGE
from dse.interval import LEVEL, TIERS, Error
from dse.joint import DRAWS
from dse.space import Columns, Space
from dse.spec import AnyModel, Array, Config, Result
from dse.store import Run
from dse.study import Study

UNCHECKED = "unchecked"
"""What stands for the tier of a number that nothing was held against."""

KNOWN_FROM = (*TIERS, UNCHECKED)
"""How a number is known, best first."""

HEAD = f"{100 * LEVEL:.0f} % interval"
"""What stands above the ends of intervals."""

EVALUATED = 2**17
"""Designs times draws of a table: what a page that joins others prices in a second or two."""

LEAST_DRAWS = 64
"""Stratified draws below which an end of an interval would be noise."""

CHANCES = {
    "chance_nondominated": "chance to be non-dominated",
    "chance_constraints": "chance to meet all constraints",
}
"""Columns that a search writes beside the designs of its front, and what they say."""

Codes = NDArray[np.intp]
"""Positions in `KNOWN_FROM`."""


def draws_of(rows: int) -> int:
    """Sets of errors behind the intervals of so many designs: of a few, as many as of one."""
    return max(min(EVALUATED // max(rows, 1), DRAWS), LEAST_DRAWS)


def ends(study: Study, table: Table, names: Sequence[str] = ()) -> dict[str, tuple[Array, Array]]:
    """Metric -> low and high end of each design's interval, NaN where nothing was checked.

    Args:
        study: what was asked.
        table: designs, by the columns of the study's space.
        names: metrics; by default all that are numbers.
    """
    page, wanted = study.page, list(names or numbers(study.page))
    if len(table) == 0:
        return {name: (np.empty(0), np.empty(0)) for name in wanted}
    columns = _knobs(study, table)
    if not page.uncertain:
        spans = interval.spans(page, _priced(page, study.space.config(columns)))
        return {n: _broadcast(spans[n], len(table)) for n in wanted}
    draws = draws_of(len(table))
    portions = joint.batches(page, study.space, columns, wanted, draws=draws)
    parts = [{name: _drawn_ends(page, name, part[name]) for name in wanted} for part in portions]
    both = {n: np.concatenate([part[n] for part in parts], axis=1) for n in wanted}
    return {n: _around(table[n], *pair) for n, pair in both.items()}


def _broadcast(pair: tuple[Array, Array], rows: int) -> tuple[Array, Array]:
    return np.broadcast_to(pair[0], rows), np.broadcast_to(pair[1], rows)


def _drawn_ends(page: AnyModel, name: str, samples: Array) -> Array:
    """Ends of the intervals of drawn values, shape (2, designs); NaN where no error moves them."""
    tail = 0.5 - LEVEL / 2
    found = joint.ends(page, name, samples, (tail, 1 - tail))
    return np.where(np.all(samples == samples[:, :1], axis=1), np.nan, found)


def _around(value: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """An interval that holds the value it is about; NaN where either is unknown."""
    return np.minimum(low, value), np.maximum(high, value)


def tiers(study: Study, table: Table, names: Sequence[str] = ()) -> dict[str, Codes]:
    """Metric -> how each design's number is known, as a position in `KNOWN_FROM`."""
    page, wanted = study.page, list(names or numbers(study.page))
    if len(table) == 0:
        return {name: np.empty(0, dtype=np.intp) for name in wanted}
    columns = _knobs(study, table)
    if page.uncertain:
        return _joined_tiers(page, study.space, columns, wanted, len(table))
    where = interval.regimes(page, _priced(page, study.space.config(columns)))
    errors = interval.errors(page.slug)
    found = {}
    for name in wanted:
        judged, _ = interval.judged_by(page, name)
        found[name] = _by_regime(where, errors, judged, len(table))
    return found


def _by_regime(
    where: Mapping[str, Array], errors: Mapping[tuple[str, str], Error], metric: str, rows: int
) -> Codes:
    """How the error of a metric is known in the regime of each design."""
    found = np.zeros(rows, dtype=np.intp)
    for regime, mask in where.items():
        error = interval.error_in(errors, metric, regime)
        found = np.where(mask, KNOWN_FROM.index(error.tier if error else UNCHECKED), found)
    return found


def _joined_tiers(
    page: AnyModel, space: Space, columns: Columns, names: Sequence[str], rows: int
) -> dict[str, Codes]:
    """The weakest tier of the errors that move a metric; an unchecked one leaves it assumed."""
    knobs, batch = list(page.uncertain), space.config(columns)
    known = np.stack([_error_codes(page, knob, batch, rows) for knob in knobs], axis=1)
    moved = _moved(page, space, columns, names, rows)
    unchecked = len(TIERS)
    found = {}
    for name in names:
        counted = np.where(moved[name] & (known < unchecked), known, -1).max(axis=1)
        lost = np.any(moved[name] & (known == unchecked), axis=1)
        weakest = np.where(lost, unchecked - 1, counted)
        found[name] = np.where(counted < 0, unchecked, weakest).astype(np.intp)
    return found


def _error_codes(page: AnyModel, knob: str, batch: Config, rows: int) -> Codes:
    """How the error that a knob holds is known, of each design."""
    uncertain = page.uncertain[knob]
    judged, _ = interval.judged_by(registry.model(uncertain.page), uncertain.metric)
    where, errors = joint.regimes(uncertain, batch), interval.own_errors(uncertain.page)
    return _by_regime(where, errors, judged, rows)


def _moved(
    page: AnyModel, space: Space, columns: Columns, names: Sequence[str], rows: int
) -> dict[str, NDArray[np.bool_]]:
    """Metric -> whether each error of each design moves it, shape (designs, errors)."""
    knobs, each = list(page.uncertain), len(page.uncertain) + 1
    place = np.tile(np.arange(each), rows)
    flat = {knob: np.where(place == i, NUDGE, 1.0) for i, knob in enumerate(knobs)}
    repeated = {path: np.repeat(column, each) for path, column in columns.items()}
    config = space.config(repeated)
    result = _priced(page, type(config).batched(flat, config))
    found = {}
    for name in names:
        values = np.broadcast_to(result.metrics[name], rows * each).reshape(rows, each)
        near = np.isclose(values[:, :-1], values[:, -1:], rtol=1e-12, atol=0.0, equal_nan=True)
        found[name] = ~near
    return found


def _knobs(study: Study, table: Table) -> dict[str, Array]:
    return {axis.path: table[axis.path] for axis in study.space.axes}


def _priced(page: AnyModel, config: Config) -> Result:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return page.evaluate(config)


def widened(study: Study, table: Table, names: Sequence[str] = ()) -> Table:
    """A table with `<metric>_low`, `<metric>_high` and `<metric>_tier` behind its metrics."""
    wanted = list(names or numbers(study.page))
    spans, codes = ends(study, table, wanted), tiers(study, table, wanted)
    columns: dict[str, NDArray[Any]] = {}
    for name, column in table.columns.items():
        columns[name] = column
        if name in wanted:
            low, high = spans[name]
            columns |= {f"{name}_low": low, f"{name}_high": high, f"{name}_tier": codes[name]}
    unit = {f"{n}_{end}": table.units.get(n, "1") for n in wanted for end in ("low", "high")}
    words = {f"{name}_tier": KNOWN_FROM for name in wanted}
    return Table(columns, {**table.units, **unit}, {**table.labels, **words})


def beside(names: Iterable[str]) -> set[str]:
    """The columns that `widened` adds for metrics."""
    return {f"{name}_{end}" for name in names for end in ("low", "high", "tier")}


def with_chances(run: Run, name: str, table: Table, rows: Iterable[int] | None = None) -> Table:
    """A table with the chances that its search wrote into one of the run's files.

    They hang on what a design was held against, so they are read and not drawn again; NaN where
    an older search wrote none.

    Args:
        run: the run folder.
        name: `front.csv` or `best.csv`.
        table: designs of that file.
        rows: their numbers among all of the run; by default they are the file's, line by line.
    """
    kept = {int(line["row"]): line for line in run.lines(name)}
    lines = [kept[row] for row in (kept if rows is None else rows)]
    found = {
        column: np.array([line.get(f"{column} [1]") or "nan" for line in lines], dtype=np.float64)
        for column in CHANCES
    }
    return Table(
        {**table.columns, **found}, {**table.units, **dict.fromkeys(found, "1")}, table.labels
    )


def span(low: float | None, high: float | None, unit: str) -> str:
    """An interval in words; nothing where nothing was checked.

    >>> span(0.001, 0.002, "s"), span(0.5, 2.0, "s"), span(None, None, "s")
    ('1 to 2 ms', '500 ms to 2 s', '')
    """
    if low is None or high is None or np.isnan(low) or np.isnan(high):
        return ""
    ends = [units.show(float(end), unit or "1") for end in (low, high)]
    (first, _, prefixed), (_, _, last) = (end.partition(" ") for end in ends)
    return f"{first if prefixed == last else ends[0]} to {ends[1]}"


def known_from(metric: Mapping[str, Any]) -> str:
    """How a metric of an answer is known; 'unchecked' where it has no interval.

    >>> known_from({"low": None, "tier": "assumed", "basis": "nothing was checked"})
    'unchecked'
    """
    return UNCHECKED if told(metric) == "" else str(metric["tier"])


def told(metric: Mapping[str, Any]) -> str:
    """The interval of a metric of an answer in words; a truth has none."""
    if metric["basis"] == NOTHING or isinstance(metric["value"], bool):
        return ""
    return span(metric["low"], metric["high"], metric["unit"])


def chance(share: float) -> str:
    """A chance in words.

    >>> chance(0.9), chance(float("nan"))
    ('90 %', 'unknown')
    """
    return "unknown" if np.isnan(share) else f"{100 * share:.0f} %"


def grouped(known: Mapping[str, str]) -> list[str]:
    """One line for each way in which metrics are known, the best first.

    >>> grouped({"cost": "unchecked", "latency": "published", "power": "published"})
    ['published: latency, power', 'unchecked: cost']
    """
    order = sorted(set(known.values()), key=_strength)
    listed = {tier: [name for name, held in known.items() if held == tier] for tier in order}
    return [f"{tier}: {', '.join(names)}" for tier, names in listed.items()]


def _strength(tier: str) -> int:
    """The place of the first tier that a text names."""
    return KNOWN_FROM.index(tier.partition(" or ")[0])


def of_column(table: Table, name: str) -> str:
    """How a metric of a widened table is known: the tier, or the tiers, of its designs."""
    codes = np.unique(np.asarray(table[f"{name}_tier"], dtype=np.intp))
    return " or ".join(KNOWN_FROM[code] for code in codes)
