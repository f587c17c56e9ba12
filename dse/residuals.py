"""The errors of a page's check rows, gathered for its error model and kept beside it.

Three kinds of rows count: published points that no constant was fitted on, cases of the executed
mechanism, and sets of measurements of which a fit that left them out kept only number, bias and
spread: rows of a table in `data.yaml` that name a `metric`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dse import documents, executed, files, interval, registry, simulate
from dse.executed import Plan
from dse.interval import LEVEL, Group
from dse.provenance import Number, Row
from dse.spec import AnyModel, Result
from dse.study import nest

DIGITS = 4
"""Decimal places of an error that are kept: a hundredth of a percent."""

HEAD = """\
# ln(truth / prediction) of every check row, by metric, weak regime and group. Made by
# 'dse validate --write' and never edited by hand; a test makes it again and compares.
"""


@dataclass(frozen=True)
class Residual:
    """One check row's error."""

    metric: str
    regime: str
    against: str
    group: str
    kind: str
    error: float


def gathered(slug: str) -> list[Residual]:
    """The error of every check row of a page, published and executed; needs nothing executed.

    A row where only one side is zero has no such error and is left out; where both are, it is 0.
    """
    page = registry.model(slug)
    return [*_published(page), *_executed(page)]


def _published(page: AnyModel) -> Iterator[Residual]:
    for point in page.data.select("check"):
        place = f"models/{page.slug}/data.yaml: points.{point.id}"
        result = _priced(page, nest(point.settings), place)
        number, group = point.number, point.group or point.id
        yield from _found(page, result, point.quantity, number.value, "paper", group, number)


def _executed(page: AnyModel) -> Iterator[Residual]:
    found = simulate.find(page.slug)
    answers = executed.kept(page.slug) if found else {}
    for case in Plan.of(found).cases if found and answers else ():
        answer = answers.get(f"case {case.id}")
        if case.use != "check" or answer is None or not answer.outcome.get("feasible", True):
            continue
        place = f"models/{page.slug}/reference.py: cases.{case.id}"
        result = _priced(page, files.laid_under(page.readers, case.settings), place)
        if not result.metrics["feasible"]:
            continue
        for metric, quantity in found.compared.items() if found else ():
            truth = float(np.asarray(answer.outcome[quantity]))
            yield from _found(page, result, metric, truth, "mechanism", case.group or case.id)


def _priced(page: AnyModel, settings: Mapping[str, object], place: str) -> Result:
    with np.errstate(divide="ignore", invalid="ignore"):
        return page.evaluate(registry.configure(page, settings, place=place))


def _found(
    page: AnyModel,
    result: Result,
    metric: str,
    truth: float,
    against: str,
    group: str,
    number: Number | None = None,
) -> Iterator[Residual]:
    """The error of one row, if it has one."""
    judged, sign = interval.judged_by(page, metric)
    predicted = float(result.metrics[metric])
    if truth == predicted == 0:
        error = 0.0
    elif truth > 0 and predicted > 0 and math.isfinite(truth + predicted):
        error = sign * math.log(truth / predicted)
    else:
        return
    where = interval.regimes(page, result)
    regime = next(name for name, mask in where.items() if bool(np.all(mask)))
    kind = number.source.kind if number else "executed"
    yield Residual(judged, regime, against, group, kind, round(error, DIGITS) + 0.0)


def grouped(found: list[Residual]) -> list[Group]:
    """Errors by metric, regime and group."""
    parts: dict[tuple[str, str, str, str], list[Residual]] = {}
    for row in found:
        parts.setdefault((row.metric, row.regime, row.against, row.group), []).append(row)
    return [
        Group.of(metric, regime, against, group, _most([r.kind for r in rows]), errors)
        for (metric, regime, against, group), rows in sorted(parts.items())
        for errors in [tuple(row.error for row in rows)]
    ]


def _most(kinds: list[str]) -> str:
    return Counter(sorted(kinds)).most_common(1)[0][0]


def left_out(page: AnyModel) -> list[Group]:
    """Sets of measurements that a fit left out, as the page's data sums them up."""
    return [
        _summed(name, row)
        for table in page.data.tables.values()
        for name, row in table.items()
        if isinstance(row.get("metric"), str)
    ]


def _summed(name: str, row: Row) -> Group:
    """A set by what a fit kept of it; its `kind` is assumed where what it judges was only guessed.

    Kept are the number of rows, bias = exp(mean ln(predicted / measured)) - 1, and the standard
    deviation of that ln as `spread`.
    """
    rows, bias, spread = (float(_value(row[key])) for key in ("rows", "bias", "spread"))
    square = round(math.log1p(bias) ** 2 + spread**2, 2 * DIGITS)
    within = round(spread**2, 2 * DIGITS)
    words = (str(row["metric"]), str(row.get("regime", "")), "left out", name)
    return Group(*words, str(row.get("kind", "measured")), int(rows), square, within)


def _value(number: Number | str) -> float:
    return number.value if isinstance(number, Number) else float(number)


def all_groups(slug: str) -> list[Group]:
    """Everything that a page's error model is made of."""
    return [*grouped(gathered(slug)), *left_out(registry.model(slug))]


def text(slug: str) -> str:
    """The file of a page's check errors; empty where nothing was checked."""
    found = all_groups(slug)
    if not found:
        return ""
    lines = (f"- {json.dumps(group.plain(), ensure_ascii=False)}\n" for group in found)
    return f"{HEAD}groups:\n{''.join(lines)}"


def write(slug: str) -> Path | None:
    """Keep a page's check errors; none are kept, and a file goes, where nothing was checked."""
    path, content = interval.place_of(slug), text(slug)
    if content:
        documents.replace(path, content)
    else:
        path.unlink(missing_ok=True)
    interval.forget()
    return path if content else None


@dataclass(frozen=True)
class Coverage:
    """How many check rows lie inside intervals whose error model has not seen their group."""

    covered: int
    rows: int
    low: float
    """Ends of the share that such a count is compatible with, by Clopper and Pearson at 95 %."""
    high: float

    @property
    def share(self) -> float:
        """Rows covered over all rows."""
        return self.covered / self.rows if self.rows else math.nan


def coverage(slug: str, level: float = LEVEL, against: str = "") -> Coverage:
    """Coverage of a page's intervals, each group judged by the others of its metric and regime.

    Rows of a metric and regime with one group alone cannot be judged and do not count. Nor do
    counts that were always met exactly, nor a metric whose errors mirror another one's.

    Args:
        slug: the page.
        level: share of truths that the intervals are meant to hold.
        against: `paper` or `mechanism` for the rows of one of them; by default all.
    """
    groups = interval.groups(slug)
    covered = rows = 0
    seen: set[tuple[object, ...]] = set()
    for group in groups:
        rest = [other for other in groups if other is not group]
        error = interval.models(rest).get((group.metric, group.regime))
        mirror = (group.against, group.name, group.regime, *map(abs, group.errors))
        told = group.errors and any(group.errors) and mirror not in seen
        if error is None or not told or (against and group.against != against):
            continue
        seen.add(mirror)
        reach = error.reach(0.5 + level / 2)
        covered += int(np.count_nonzero(np.abs(group.errors) <= reach))
        rows += group.rows
    return Coverage(covered, rows, *binomial(covered, rows))


def binomial(inside: int, rows: int, level: float = 0.95) -> tuple[float, float]:
    """Ends of a share that so many of so many rows are compatible with, Clopper and Pearson's."""
    from scipy.special import betaincinv  # noqa: PLC0415 - see `interval.Error.reach`

    tail = (1.0 - level) / 2
    low = float(betaincinv(inside, rows - inside + 1, tail)) if inside else 0.0
    high = float(betaincinv(inside + 1, rows - inside, 1 - tail)) if inside < rows else 1.0
    return low, high
