"""How values, names and lists read in running text: three digits, units, never an empty word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dse import chart, registry, units
from dse.certainty import span
from dse.evaluate import Table
from dse.picks import settings_of
from dse.space import Constraint
from dse.spec import AnyModel, Array, Config, Mask, Result
from dse.study import Study

from .section import Context

UNSURE = ("memory", "assumed", "fitted")
"""Kinds of numbers that a reader should look at twice."""

UNUSED = "not used"
"""What stands for the value of a knob whose condition fails."""

SENSES = {"min": "lower is better", "max": "higher is better"}


def words(name: str) -> str:
    """A column's name as it reads in a sentence.

    >>> words("energy_per_token")
    'energy per token'
    """
    return chart.words(name).lower()


def heading(text: str) -> str:
    """A text or a name as it stands at the head of a column.

    >>> heading("best energy_per_token")
    'Best energy per token'
    """
    return chart.words(text)


def listed(items: Sequence[str], *, last: str = "and") -> str:
    """Items as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def quantity(number: float, unit: str) -> str:
    """A number with its unit; what is not known says so.

    >>> quantity(float("nan"), "s"), quantity(float("inf"), "s"), quantity(0.0123, "s")
    ('unknown', 'infinite', '12.3 ms')
    """
    return units.show(float(number), unit or "1")


def percent(share: float, *, digits: int = 3) -> str:
    """A relative number with its sign.

    >>> percent(-0.01234)
    '-1.23 %'
    """
    return f"{100 * share:+.{digits}g} %" if math.isfinite(share) else "unknown"


def cell(table: Table, name: str, row: int) -> str:
    """One value of a table: a slug, yes or no, or a number with its unit."""
    value = table.words(name)[row]
    if isinstance(value, bool | np.bool_) or name == "feasible":
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return quantity(float(value), table.units.get(name, "1"))


def spread(table: Table, name: str, row: int) -> str:
    """The interval of one value of a table; nothing where nothing was checked."""
    low, high = (float(table[f"{name}_{end}"][row]) for end in ("low", "high"))
    return span(low, high, table.units.get(name, "1"))


def sure(table: Table, name: str, row: int) -> str:
    """One value of a table with its interval in brackets."""
    said = spread(table, name, row)
    return f"{cell(table, name, row)}{f' ({said})' if said else ''}"


def columns(study: Study, table: Table) -> dict[str, Array]:
    """The knobs of a table, as the space takes them."""
    return {axis.path: table[axis.path] for axis in study.space.axes}


def priced(study: Study, table: Table) -> Result:
    """What the page says of the designs of a table, terms and resources included."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result: Result = study.page.evaluate(study.space.config(columns(study, table)))
    return result


def configured(context: Context, row: int) -> tuple[AnyModel, Config]:
    """A shown design by its number, as the verbs of a single design take it, and its page.

    Raises:
        InputError: the run's study does not fit any more.
    """
    study = context.study
    settings = settings_of(study, context.shown.take(np.array([row])))
    with registry.priced_by(context.run.overlay()):
        return study.page, registry.starting_point(study.page, settings)


def bound(study: Study, limit: Constraint) -> str:
    """A constraint as it reads in a sentence."""
    sign = "at most" if limit.sign > 0 else "at least"
    share = limit.confidence
    how_sure = "" if share is None else f" with a probability of {100 * share:g} %"
    unit = study.metrics[limit.metric].unit
    return f"{words(limit.metric)} {sign} {quantity(limit.limit, unit)}{how_sure}"


def setting(value: object, unit: str) -> str:
    """A setting as it was written, or a number in its unit."""
    return quantity(value, unit) if isinstance(value, int | float) else str(value)


def active(study: Study, table: Table, path: str) -> Mask:
    """Where a knob's condition holds; elsewhere the knob plays no part."""
    return study.space.active(columns(study, table))[path]


def at_prices(context: Context) -> str:
    """Which prices the costs of a run stand on; nothing where no answer is in money."""
    if not any("USD" in metric.unit for metric in context.study.metrics.values()):
        return ""
    return f" at the prices of {context.prices}"


def held(study: Study) -> dict[str, object]:
    """Settings that a study holds fixed, by dotted path."""
    fixed = study.document.get("set")
    return _flat(fixed if isinstance(fixed, Mapping) else {})


def _flat(settings: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested settings by dotted path."""
    found: dict[str, object] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
