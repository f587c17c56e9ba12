"""How good each page is: errors, their sign, order, choice and feasibility, fit and check apart.

Three comparisons are scored: the closed form against the paper, the closed form against its
executed mechanism, and the mechanism against the paper. What is not known is None, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse import cross, registry, residuals, simulate, validate
from dse.cross import Crossing, Verdict
from dse.executed import Tick
from dse.provenance import USES
from dse.residuals import Coverage as Coverage
from dse.spec import AnyModel

PAPER = "closed form to paper"
MECHANISM = "closed form to mechanism"
EXECUTED = "mechanism to paper"

RANKED = 4
"""Rows that a metric needs before their order says something."""


@dataclass(frozen=True)
class Pair:
    """A prediction beside what it is judged by; numbers in SI."""

    model: str
    comparison: str
    use: str
    group: str
    """Rows of one group are alternatives of one another; empty where that is not known."""
    id: str
    metric: str
    sense: str
    """`min`, `max` or empty: the metric's better direction."""
    unit: str
    reference: float
    predicted: float

    @property
    def error(self) -> float:
        """Relative: predicted / reference - 1; not finite beside a zero or an unknown."""
        return validate.relative_error(self.predicted, self.reference)


@dataclass(frozen=True)
class Feasibility:
    """How many designs the judge and the prediction call feasible."""

    both: int
    neither: int
    false_infeasible: int
    """The prediction refuses a design that works."""
    false_feasible: int
    """The prediction accepts a design that fails."""

    @classmethod
    def of(cls, verdicts: Iterable[tuple[bool, bool]]) -> Feasibility:
        """From pairs: whether a design works, whether it is predicted to."""
        found = list(verdicts)
        return cls(
            both=found.count((True, True)),
            neither=found.count((False, False)),
            false_infeasible=found.count((True, False)),
            false_feasible=found.count((False, True)),
        )

    @property
    def rows(self) -> int:
        """Designs in all."""
        return self.both + self.neither + self.false_infeasible + self.false_feasible


@dataclass(frozen=True)
class Score:
    """How well the rows of one page, comparison and use are predicted; shares, not percent."""

    model: str
    comparison: str
    use: str
    rows: int
    """Rows with a finite error: all figures are of these."""
    odd: int
    """Rows beside a zero or without a finite prediction."""
    mape: float | None
    """Mean absolute relative error."""
    worst: float | None
    """Largest absolute relative error."""
    at: str
    """The row of the worst error."""
    bias: float | None
    """exp(mean of ln(predicted / reference)) - 1: above zero the prediction says too much."""
    tau: float | None
    """Kendall's tau-b: mean over the metrics with at least four rows that differ."""
    regret: float | None
    """Loss by choosing the best by the prediction, as a share of the best there is: mean over
    the sets of alternatives, and of equal predictions the worst choice."""
    choices: int
    """Sets of alternatives: rows of one metric and one group."""
    feasibility: Feasibility | None = None
    coverage: Coverage | None = None
    """Of the kept errors, each group judged by the others; see `residuals.coverage`."""


@dataclass(frozen=True)
class Card:
    """One page on the scoreboard."""

    model: str
    scores: tuple[Score, ...]
    pairs: tuple[Pair, ...]
    worked: Mapping[str, Mapping[str, bool]]
    """Comparison -> row or case -> whether it has a finite answer and is rightly feasible."""
    note: str = ""
    """Why the mechanism's scores are missing though there is one."""


def score(pairs: Sequence[Pair], feasibility: Feasibility | None = None) -> Score:
    """Score rows of one page, comparison and use.

    Raises:
        IndexError: there is no row.
    """
    first = pairs[0]
    finite = [pair for pair in pairs if math.isfinite(pair.error)]
    worst = max(finite, key=lambda pair: abs(pair.error), default=None)
    lost = regrets(finite)
    several = len({pair.metric for pair in pairs}) > 1
    named = f"{worst.metric} in {worst.id}" if worst and several else worst.id if worst else ""
    return Score(
        model=first.model,
        comparison=first.comparison,
        use=first.use,
        rows=len(finite),
        odd=len(pairs) - len(finite),
        mape=_mean([abs(pair.error) for pair in finite]),
        worst=abs(worst.error) if worst else None,
        at=named,
        bias=bias(finite),
        tau=order(finite),
        regret=_mean(lost),
        choices=len(lost),
        feasibility=feasibility,
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def bias(pairs: Sequence[Pair]) -> float | None:
    """Geometric mean of predicted / reference, less one; unknown where no ratio is positive.

    Errors of +100 % and -50 % cancel, as twice and half do.
    """
    ratios = [pair.error + 1 for pair in pairs if 0 < pair.error + 1 < math.inf]
    return math.expm1(float(np.mean(np.log(ratios)))) if ratios else None


def order(pairs: Sequence[Pair]) -> float | None:
    """Mean of Kendall's tau over the metrics that can be ranked; see `Score.tau`."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - a second that other verbs save

    found = []
    for metric in dict.fromkeys(pair.metric for pair in pairs):
        rows = [(pair.reference, pair.predicted) for pair in pairs if pair.metric == metric]
        if len(rows) >= RANKED and all(len(set(side)) > 1 for side in zip(*rows, strict=True)):
            found.append(float(kendalltau(*zip(*rows, strict=True)).statistic))
    return _mean(found)


def regrets(pairs: Sequence[Pair]) -> list[float]:
    """What choosing by the prediction loses in each set of alternatives, as a share of the best.

    A set is the rows of one metric and one named group; the metric has a better direction, and
    its best value is above zero.
    """
    sets: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        if pair.group and pair.sense:
            sets.setdefault((pair.metric, pair.group), []).append(pair)
    return [
        loss for rows in sets.values() if len(rows) > 1 and (loss := _regret(rows)) is not None
    ]


def _regret(rows: Sequence[Pair]) -> float | None:
    """The loss in one set; of equal predictions the worst is taken."""
    better, worse = (min, max) if rows[0].sense == "min" else (max, min)
    best = better(row.reference for row in rows)
    promised = better(row.predicted for row in rows)
    taken = worse(row.reference for row in rows if row.predicted == promised)
    return abs(taken - best) / best if best > 0 else None


def card(slug: str, crossing: Crossing | None = None, note: str = "") -> Card:
    """A page's scores, as far as they are known.

    Args:
        slug: the page.
        crossing: what its mechanism says, where it has one.
        note: why there is none, if it has one.
    """
    page = registry.model(slug)
    published = validate.rows(slug)
    pairs = [*_published(page, published), *(_executed(page, crossing) if crossing else ())]
    worked = {PAPER: {row.id: math.isfinite(row.predicted) and row.feasible for row in published}}
    verdicts = crossing.verdicts if crossing else ()
    if crossing:
        worked |= _worked(crossing)
    judges = simulate.find(slug)
    tells = judges is not None and "feasible" in judges.quantities
    scores = []
    for comparison in (PAPER, MECHANISM, EXECUTED):
        for use in USES:
            rows = [p for p in pairs if (p.comparison, p.use) == (comparison, use)]
            judged = [v for v in verdicts if v.use == use] if comparison == MECHANISM else []
            confusion = _confusion(judged) if judged and tells else None
            scores += [_with_coverage(score(rows, confusion))] if rows else []
    return Card(slug, tuple(scores), tuple(pairs), worked, note)


def _with_coverage(found: Score) -> Score:
    """A score of check rows with how many of them the intervals hold, where that can be judged."""
    against = {PAPER: "paper", MECHANISM: "mechanism"}.get(found.comparison)
    if against is None or found.use != "check":
        return found
    covered = residuals.coverage(found.model, against=against)
    return replace(found, coverage=covered if covered.rows else None)


def _confusion(verdicts: Sequence[Verdict]) -> Feasibility:
    return Feasibility.of((found.reference, found.closed) for found in verdicts)


def _published(page: AnyModel, rows: Sequence[validate.Row]) -> list[Pair]:
    """The closed form beside the paper."""
    groups = {point.id: point.group for point in page.data.points}
    return [
        Pair(
            page.slug,
            PAPER,
            row.use,
            groups[row.id],
            row.id,
            row.quantity,
            page.metrics[row.quantity].sense,
            row.unit,
            row.published,
            row.predicted,
        )
        for row in rows
    ]


def _executed(page: AnyModel, crossing: Crossing) -> list[Pair]:
    """The closed form beside the mechanism, and the mechanism beside the paper."""
    groups = {point.id: point.group for point in page.data.points}
    senses = {name: metric.sense for name, metric in page.metrics.items()}
    closed = [
        Pair(
            page.slug,
            MECHANISM,
            row.use,
            row.group,
            row.id,
            row.metric,
            senses[row.metric],
            row.unit,
            row.reference,
            row.closed,
        )
        for row in crossing.rows
    ]
    paper = [
        Pair(
            page.slug,
            EXECUTED,
            point.use,
            groups[point.id],
            point.id,
            point.quantity,
            senses[point.quantity],
            point.unit,
            point.published,
            point.reference,
        )
        for point in crossing.points
    ]
    return closed + paper


def _worked(crossing: Crossing) -> dict[str, dict[str, bool]]:
    """Which cases are rightly feasible with finite numbers, and which points were run."""
    broken = {row.id for row in crossing.rows if not math.isfinite(row.closed)}
    return {
        MECHANISM: {
            found.id: found.reference == found.closed and found.id not in broken
            for found in crossing.verdicts
        },
        EXECUTED: {point.id: math.isfinite(point.reference) for point in crossing.points},
    }


def cards(slugs: Sequence[str], tick: Tick | None = None) -> list[Card]:
    """Every page's scores, from the answers that were kept; no mechanism is executed.

    Args:
        slugs: the pages.
        tick: told of pages done and pages in all.
    """
    found = []
    for slug in slugs:
        found.append(card(slug, *cross.from_kept(slug)))
        if tick is not None:
            tick(len(found), len(slugs))
    return found
