"""How sure a prediction is: the error model of each page, carried to every number it gives.

ln(truth / prediction) is taken as Student's t about zero. Its spread comes from the check rows of
the page that concern the metric, published and executed: the mean square of each group (a network,
a figure, a family of executed cases) counts once, so that many rows of one source do not swamp the
others, and the groups are the degrees of freedom. It is centred at zero because a prediction that
was shifted by its check rows would be fitted on them. Of fewer than five groups the page's own
mean square counts as one more, so that one lucky row does not promise what it cannot hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dse import documents, registry
from dse.errors import InputError
from dse.spec import AnyModel, Array, Result

LEVEL = 0.90
"""Share of truths that an interval is meant to hold."""

FEW = 5
"""Groups below which an interval is wide and says so."""

TIERS = ("measured-calibrated", "published", "literature", "assumed")
"""How a number is known, best first: judged by measurements, by what the paper prints, by other
sources or by the executed mechanism alone; guessed, or judged by nothing."""

_TIER = {
    "measured": "measured-calibrated",
    **dict.fromkeys(("table", "text", "code", "figure-read"), "published"),
    "assumed": "assumed",
}
"""Kind of a check row's source -> tier; every other kind is literature."""


@dataclass(frozen=True)
class Group:
    """Check rows of one source about one metric in one regime."""

    metric: str
    regime: str
    against: str
    """`paper`, `mechanism` or `left out`."""
    name: str
    kind: str
    """How most of its rows are known."""
    rows: int
    square: float
    """Mean square of ln(truth / prediction)."""
    spread: float
    """Their variance about the group's own mean."""
    errors: tuple[float, ...] = ()
    """The rows; none where only their number and mean square are kept."""

    @classmethod
    def of(
        cls, metric: str, regime: str, against: str, name: str, kind: str, errors: Sequence[float]
    ) -> Group:
        """A group by its rows."""
        found = np.asarray(errors, dtype=np.float64)
        square, spread = float(np.mean(found**2)), float(np.var(found))
        rows = tuple(found.tolist())
        return cls(metric, regime, against, name, kind, len(rows), square, spread, rows)

    @classmethod
    def read(cls, *, errors: Sequence[float] = (), regime: str = "", **row: Any) -> Group:  # noqa: ANN401 - words and numbers of a file
        """A group as `plain` wrote it."""
        if errors:
            return cls.of(regime=regime, errors=errors, **row)
        return cls(regime=regime, **row)

    def plain(self) -> dict[str, object]:
        """The group as plain data: its rows, or what is kept of them."""
        words = {"metric": self.metric, "regime": self.regime, "against": self.against}
        named = {**words, "name": self.name, "kind": self.kind}
        kept = {key: value for key, value in named.items() if value}
        if self.errors:
            return {**kept, "errors": list(self.errors)}
        return {**kept, "rows": self.rows, "square": self.square, "spread": self.spread}


@dataclass(frozen=True)
class Error:
    """What is known of the errors of one metric in one regime."""

    scale: float
    """Spread of ln(truth / prediction) of a design of a new group."""
    groups: int
    rows: int
    own: float
    """Share of the variance that designs of one group do not have in common."""
    tier: str
    freedom: float
    """Degrees of freedom of the spread."""
    executed: int = 0
    """How many of the rows the mechanism answered."""
    borrowed: bool = False
    """Whether it was seen in another regime, for want of check rows in this one."""

    @property
    def few(self) -> bool:
        """Whether so few groups were seen that the interval is wide for that alone."""
        return self.groups < FEW

    def reach(self, share: float) -> float:
        """Ln of the factor that truth stays below with this probability."""
        from scipy.special import stdtrit  # noqa: PLC0415 - 60 ms that listing and help save

        return float(self.scale * stdtrit(self.freedom, share))

    def words(self) -> str:
        """What it rests on."""
        told = f" ({self.executed:,} executed)" if self.executed else ""
        rows = f"{self.rows:,} row{'s' * (self.rows != 1)}{told}"
        groups = f"{self.groups} group{'s' * (self.groups != 1)}{', few' if self.few else ''}"
        return f"{'none here, elsewhere ' if self.borrowed else ''}{rows} of {groups}"


def fitted(groups: Sequence[Group], pooled: float) -> Error:
    """The error model of check rows.

    Args:
        groups: those of one metric in one regime; at least one.
        pooled: mean square of all groups of the page, which counts as one more beside a few.
    """
    k = len(groups)
    squares = [group.square for group in groups] + [pooled] * (k < FEW)
    square = float(np.mean(squares))
    within = float(np.mean([group.spread for group in groups]))
    return Error(
        scale=math.sqrt(square * (1.0 + 1.0 / k)),
        groups=k,
        rows=sum(group.rows for group in groups),
        own=min(within / square, 1.0) if square else 0.0,
        tier=_tier(groups),
        freedom=float(k),
        executed=sum(group.rows for group in groups if group.against == "mechanism"),
    )


def together(one: Error, other: Error) -> Error:
    """The error of a prediction that stands on another one; freedom by Welch and Satterthwaite."""
    own, under = one.scale**2, other.scale**2
    square = own + under
    parts = own**2 / one.freedom + under**2 / other.freedom
    return Error(
        scale=math.sqrt(square),
        groups=min(one.groups, other.groups),
        rows=one.rows + other.rows,
        own=(own * one.own + under * other.own) / square if square else 0.0,
        tier=max(one.tier, other.tier, key=TIERS.index),
        freedom=square**2 / parts if parts else one.freedom,
        executed=one.executed + other.executed,
    )


def _tier(groups: Sequence[Group]) -> str:
    """The tier of most rows that no mechanism answered, the weaker one where they tie."""
    told = [group for group in groups if group.against != "mechanism"]
    count = dict.fromkeys(TIERS, 0)
    for group in told:
        count[_TIER.get(group.kind, "literature")] += group.rows
    return max(TIERS, key=lambda tier: (count[tier], TIERS.index(tier))) if told else "literature"


def place_of(slug: str) -> Path:
    """Where a page's check errors are kept."""
    return Path(registry.folder("models").__path__[0], slug, "residuals.yaml")


@cache
def groups(slug: str) -> tuple[Group, ...]:
    """The check errors of a page by group; none where nothing was checked.

    Raises:
        InputError: a file that `dse validate --write` did not make.
    """
    path = place_of(slug)
    if not path.is_file():
        return ()
    try:
        return tuple(Group.read(**row) for row in documents.read(path)["groups"])  # type: ignore[attr-defined]  # checked below
    except (TypeError, KeyError, ValueError) as error:
        way_out = "make it again by 'dse validate --write'"
        raise InputError(f"{path}: holds no errors of check rows ({error}); {way_out}") from None


def models(found: Sequence[Group]) -> dict[tuple[str, str], Error]:
    """(metric, regime) -> error model, of the metrics and regimes that have check rows."""
    parts: dict[tuple[str, str], list[Group]] = {}
    for group in found:
        parts.setdefault((group.metric, group.regime), []).append(group)
    pooled = float(np.mean([group.square for group in found])) if found else 0.0
    return {key: fitted(part, pooled) for key, part in parts.items()}


@cache
def own_errors(slug: str) -> Mapping[tuple[str, str], Error]:
    """The error models of a page's own check rows: (metric, regime) -> error."""
    return models(groups(slug))


@cache
def errors(slug: str) -> Mapping[tuple[str, str], Error]:
    """The error models of a page: (metric, regime) -> error, with that of what it stands on."""
    found = dict(own_errors(slug))
    for metric, under in registry.model(slug).rests.items():
        other = errors(under.page).get((under.metric, under.regime))
        for regime in under.where if other else ():
            one = found.get((metric, regime)) or found.get((metric, ""))
            if one and other:
                found[metric, regime] = together(one, other)
    return found


def forget() -> None:
    """Read the kept errors again, after they were written."""
    for held in (groups, own_errors, errors):
        held.cache_clear()


def error_in(found: Mapping[tuple[str, str], Error], metric: str, regime: str) -> Error | None:
    """The error of a metric in a regime; nothing where the metric was never checked.

    In a regime without check rows it is the widest that was seen in another one, and a guess.
    """
    if known := found.get((metric, regime)):
        return known
    others = [error for (name, _), error in found.items() if name == metric]
    widest = max(others, key=lambda error: error.scale, default=None)
    return None if widest is None else replace(widest, tier=TIERS[-1], borrowed=True)


def judged_by(page: AnyModel, metric: str) -> tuple[str, int]:
    """The metric whose check rows speak for a metric; +1, or -1 where it goes the other way."""
    named = page.metrics[metric].error or metric
    return (named.removeprefix("1/"), -1) if named.startswith("1/") else (named, 1)


def regimes(page: AnyModel, result: Result) -> dict[str, Array]:
    """Regime -> where it is the one that counts: the first weak flag that is raised, else ''."""
    left = np.ones(np.shape(result.metrics[page.total]), dtype=np.bool_)
    found = {}
    for name in page.weak:
        raised = np.logical_and(left, result.flags[name])
        found[name] = raised
        left = np.logical_and(left, np.logical_not(raised))
    return {**found, "": left}


def reaches(page: AnyModel, metric: str, where: Mapping[str, Array], share: float) -> Array:
    """Ln of the factor that truth stays below with a probability, NaN where nothing was checked.

    Args:
        page: a page that is judged by its own check rows.
        metric: one of its metrics.
        where: see `regimes`.
        share: the probability.
    """
    name, _ = judged_by(page, metric)
    found = np.full(np.shape(where[""]), np.nan)
    for regime, mask in where.items():
        error = error_in(errors(page.slug), name, regime)
        if error is not None and np.any(mask):
            found = np.where(mask, error.reach(share), found)
    return found


def end(page: AnyModel, result: Result, metric: str, share: float, rows: int) -> Array:
    """What truth stays below with a probability, shape (rows,); NaN where nothing was checked."""
    where = {k: np.broadcast_to(mask, rows) for k, mask in regimes(page, result).items()}
    value = np.asarray(result.metrics[metric], dtype=np.float64)
    found = value * np.exp(reaches(page, metric, where, share))
    facts = page.metrics[metric]
    return np.clip(np.broadcast_to(found, rows), facts.least, facts.most)


def spans(page: AnyModel, result: Result, level: float = LEVEL) -> dict[str, tuple[Array, Array]]:
    """Metric -> low and high end of its interval, NaN where nothing was checked.

    For pages that are judged by their own check rows; see `dse.joint` for one that joins others.
    """
    where = regimes(page, result)
    found = {}
    for metric, facts in page.metrics.items():
        reach = reaches(page, metric, where, 0.5 + level / 2)
        value = np.asarray(result.metrics[metric], dtype=np.float64)
        low, high = value * np.exp(-reach), value * np.exp(reach)
        found[metric] = np.maximum(low, facts.least), np.minimum(high, facts.most)
    return found
