"""A page's closed form, its executed mechanism and its paper, each held against the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from dse import executed, files, registry, simulate, validate
from dse.errors import InputError, unknown
from dse.executed import Answers, Plan, Tick
from dse.mechanism import Case
from dse.provenance import USES
from dse.simulate import Outcome
from dse.spec import AnyModel
from dse.validate import relative_error

BAR = 0.10
"""Error beyond which a regime of the closed form is named."""


@dataclass(frozen=True)
class Judged:
    """One compared metric of a case that both call feasible; numbers in SI."""

    model: str
    id: str
    use: str
    group: str
    metric: str
    unit: str
    reference: float
    closed: float
    error: float
    """Of the closed form: closed / reference - 1; not finite beside a zero or an unknown."""


@dataclass(frozen=True)
class Verdict:
    """Whether closed form and mechanism call a case feasible."""

    id: str
    use: str
    group: str
    reference: bool
    closed: bool
    reason: str
    """Why the mechanism fails, in its words."""


@dataclass(frozen=True)
class Beside:
    """A published point beside what the reference and the closed form say; numbers in SI."""

    model: str
    id: str
    use: str
    quantity: str
    unit: str
    published: float
    reference: float
    closed: float
    reference_error: float
    closed_error: float


@dataclass(frozen=True)
class Crossing:
    """Everything one page's mechanism says of the page and of the paper."""

    model: str
    text: str
    rows: tuple[Judged, ...]
    verdicts: tuple[Verdict, ...]
    """One of every case."""
    points: tuple[Beside, ...]

    @property
    def cases(self) -> int:
        """Cases in all."""
        return len(self.verdicts)

    @property
    def disputes(self) -> tuple[Verdict, ...]:
        """Cases that only one of both calls feasible."""
        return tuple(found for found in self.verdicts if found.reference != found.closed)

    @property
    def infeasible(self) -> int:
        """Cases that both call infeasible; their numbers are not compared."""
        return sum(not found.reference and not found.closed for found in self.verdicts)

    def as_json(self) -> dict[str, object]:
        """Plain data; what is unknown or infinite is null."""
        plain = {"model": self.model, "text": self.text, "cases": self.cases}
        listed: dict[str, Sequence[Judged | Verdict | Beside | Regime]] = {
            "rows": self.rows,
            "disputes": self.disputes,
            "points": self.points,
            "regimes": regimes(self.rows),
        }
        lists = {name: [_plain(asdict(row)) for row in rows] for name, rows in listed.items()}
        return {**plain, "infeasible": self.infeasible, **lists}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class Regime:
    """How the closed form of one metric does on cases of one use, all or those of one group."""

    metric: str
    use: str
    group: str
    """Empty for all groups together."""
    cases: int
    mean: float
    """Of the absolute errors."""
    bias: float
    """Mean of the signed errors: above zero the closed form says too much."""
    worst: float
    """Signed error of the largest size."""
    at: str
    """The case of the worst error."""
    tau: float
    """Kendall's rank correlation; unknown where one side never changes."""
    odd: tuple[str, ...]
    """Cases without a finite error, which count in none of the above."""


def cross(
    slugs: Sequence[str], tick: Tick | None = None, *, keep: bool = False, jobs: int = 1
) -> list[Crossing]:
    """Run the mechanisms and hold the closed forms against them.

    Args:
        slugs: pages that have a mechanism.
        tick: told of the progress.
        keep: whether the answers are written beside the page.
        jobs: processes.

    Raises:
        InputError: a page without a mechanism, or a case that does not fit.
    """
    plans = [Plan.of(simulate.reference(slug)) for slug in slugs]
    found = []
    for plan, answers in zip(plans, executed.execute(plans, tick, jobs=jobs), strict=True):
        found.append(judge(plan, answers))
        if keep:
            executed.write(plan.reference.slug, answers)
    return found


def judge(plan: Plan, answers: Answers) -> Crossing:
    """Hold a page's closed form and its published points against a mechanism's answers."""
    slug = plan.reference.slug
    page, found = registry.model(slug), plan.reference
    rows: list[Judged] = []
    verdicts: list[Verdict] = []
    for case in plan.cases:
        outcome, closed = answers[f"case {case.id}"].outcome, _closed(page, case)
        runs, fits = bool(outcome.get("feasible", True)), bool(closed["feasible"])
        reason = str(outcome.get("reason", ""))
        verdicts.append(Verdict(case.id, case.use, case.group, runs, fits, reason))
        if runs and fits:
            pairs = found.compared.items()
            rows += [_judged(page, case, m, outcome[q], closed[m]) for m, q in pairs]
    points = tuple(_beside(plan, c, answers[f"point {c.id}"].outcome) for c in plan.published)
    return Crossing(slug, found.text, tuple(rows), tuple(verdicts), points)


def _closed(page: AnyModel, case: Case) -> dict[str, float]:
    """The page's metrics of a case."""
    place = f"models/{page.slug}/reference.py: cases.{case.id}"
    laid = files.laid_under(page.readers, case.settings)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = page.evaluate(registry.configure(page, laid, place=place))
    return {name: float(value) for name, value in result.metrics.items()}


def _judged(page: AnyModel, case: Case, metric: str, answer: object, closed: float) -> Judged:
    reference = float(np.asarray(answer))
    return Judged(
        model=page.slug,
        id=case.id,
        use=case.use,
        group=case.group,
        metric=metric,
        unit=page.metrics[metric].unit,
        reference=reference,
        closed=closed,
        error=relative_error(closed, reference),
    )


def _beside(plan: Plan, case: Case, outcome: Outcome) -> Beside:
    slug = plan.reference.slug
    page = registry.model(slug)
    known = {point.id: point for point in page.data.points}
    if case.id not in known:
        place = f"models/{slug}/reference.py: published"
        raise InputError(f"{place}: {unknown('point', case.id, known)}")
    point = known[case.id]
    quantity = plan.reference.compared.get(point.quantity, point.quantity)
    reference, closed = float(np.asarray(outcome[quantity])), validate.predict(page, point)
    published = point.number.value
    return Beside(
        model=slug,
        id=point.id,
        use=point.use,
        quantity=point.quantity,
        unit=point.number.unit,
        published=published,
        reference=reference,
        closed=closed,
        reference_error=relative_error(reference, published),
        closed_error=relative_error(closed, published),
    )


def regimes(rows: Sequence[Judged]) -> list[Regime]:
    """Metric by metric, fit and check apart: all cases, then each group if there are several."""
    found = []
    for metric in dict.fromkeys(row.metric for row in rows):
        for use in USES:
            chosen = [row for row in rows if (row.metric, row.use) == (metric, use)]
            groups = list(dict.fromkeys(row.group for row in chosen))
            found += [regime(chosen)] if chosen else []
            for group in groups if len(groups) > 1 else ():
                found.append(replace(regime([r for r in chosen if r.group == group]), group=group))
    return found


def regime(rows: Sequence[Judged]) -> Regime:
    """The errors of rows of one metric and use, all groups together."""
    finite = [row for row in rows if math.isfinite(row.error)]
    errors = np.array([row.error for row in finite])
    worst = max(finite, key=lambda row: abs(row.error), default=None)
    return Regime(
        metric=rows[0].metric,
        use=rows[0].use,
        group="",
        cases=len(finite),
        mean=float(np.mean(np.abs(errors))) if finite else math.nan,
        bias=float(np.mean(errors)) if finite else math.nan,
        worst=worst.error if worst else math.nan,
        at=worst.id if worst else "",
        tau=_tau(finite),
        odd=tuple(row.id for row in rows if not math.isfinite(row.error)),
    )


def _tau(rows: Sequence[Judged]) -> float:
    from scipy.stats import kendalltau  # noqa: PLC0415 - a second that other verbs save

    if len(rows) < 2:
        return math.nan
    return float(kendalltau([r.reference for r in rows], [r.closed for r in rows]).statistic)


def from_kept(slug: str) -> tuple[Crossing | None, str]:
    """What the answers that were kept say of a page; nothing is executed.

    Returns:
        none, and why, where answers are missing; none and no words where there is no mechanism.
    """
    found = simulate.find(slug)
    if found is None:
        return None, ""
    answers = executed.kept(slug)
    way_out = f"run 'dse validate {slug} --cross --write'"
    if not answers:
        return None, f"no answer of its mechanism is kept; {way_out}"
    plan = Plan.of(found)
    if late := executed.stale(plan, answers):
        return None, f"{len(late)} runs have no kept answer, as {late[0]}; {way_out}"
    return judge(plan, answers), ""


def points_from_kept(slug: str) -> tuple[Beside, ...]:
    """Published points beside what a page's mechanism answered to them, as far as that is kept.

    Cases are left aside, of which there may be thousands.
    """
    found = simulate.find(slug)
    if found is None or found.published is None:
        return ()
    plan, answers = Plan(found, (), tuple(found.published())), executed.kept(slug)
    fresh = [
        (case, kept)
        for case in plan.published
        if (kept := answers.get(f"point {case.id}"))
        and kept.inputs == executed.digest(plan.config(case))
    ]
    return tuple(_beside(plan, case, kept.outcome) for case, kept in fresh)
