"""How a design stands to each constraint of its study, and the bound that would let it pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dse import units
from dse.evaluate import Table, evaluate
from dse.relaxation import Neighbourhood
from dse.space import Constraint
from dse.spec import Array

CLOSE = 0.01
"""Share of a bound from which less to spare counts as binding."""


@dataclass(frozen=True)
class Bound:
    """How a design stands to one constraint."""

    constraint: Constraint
    unit: str
    value: float
    state: str
    """`missed`, `unknown`, `binding` (less than 1 % of the bound to spare) or `slack`."""
    distance: float
    """How far it is missed, or what there is to spare, in the metric's unit; inf if unknown."""
    loosened: str
    """The constraint, loosened so that the design just meets it; empty where it is met."""
    alone: bool
    """Whether the design passes once this bound alone is loosened."""

    @property
    def share(self) -> float:
        """The distance as a share of the bound; inf where the bound is 0."""
        limit = abs(self.constraint.limit)
        return self.distance / limit if limit else np.inf

    @property
    def missed(self) -> bool:
        """Whether the design does not meet it, as far as is known."""
        return self.state in ("missed", "unknown")

    @property
    def words(self) -> str:
        """The constraint, and how far it is missed or what there is to spare."""
        text = f"'{self.constraint.text}'"
        if not np.isfinite(self.distance):
            return f"{text}, as {self.constraint.metric} is {units.show(self.value, self.unit)}"
        by = f"{units.show(self.distance, self.unit)}"
        share = f" ({100 * self.share:,.3g} %)" if np.isfinite(self.share) else ""
        return f"{text} by {by}{share}"

    def as_json(self) -> dict[str, object]:
        """The bound as scripts read it; what is unknown is null."""
        return {
            "constraint": self.constraint.text,
            "metric": self.constraint.metric,
            "unit": self.unit,
            "value": None if np.isnan(self.value) else self.value,
            "limit": self.constraint.limit,
            "state": self.state,
            "distance": self.distance if np.isfinite(self.distance) else None,
            "share": self.share if np.isfinite(self.share) else None,
            "loosened": self.loosened or None,
            "alone": self.alone,
        }


def bounds(near: Neighbourhood) -> tuple[Bound, ...]:
    """How a design stands to each constraint of its study."""
    return tuple(_bound(near, constraint) for constraint in near.study.constraints)


def _bound(near: Neighbourhood, constraint: Constraint) -> Bound:
    unit, limit = near.study.metrics[constraint.metric].unit, constraint.limit
    found = near.table[constraint.column][:1]
    value, missed = float(found[0]), float(constraint.violation(found)[0])
    if missed > 0:
        looser = _loosened(near, constraint, found)
        return Bound(
            constraint,
            unit,
            value,
            state="unknown" if np.isnan(value) else "missed",
            distance=missed * (abs(limit) or 1.0),
            loosened=looser.text if looser else "",
            alone=looser is not None and bool(_judged(near, constraint, looser)["accepted"][0]),
        )
    spare = abs(value - limit)
    state = "slack" if spare > CLOSE * abs(limit) else "binding"
    return Bound(constraint, unit, value, state, spare, loosened="", alone=False)


def _judged(near: Neighbourhood, constraint: Constraint, looser: Constraint) -> Table:
    """The design with one constraint in the place of another."""
    given = tuple(looser if c is constraint else c for c in near.study.constraints)
    own = {a.path: near.table[a.path][:1] for a in near.space.axes}
    return evaluate(replace(near.study, constraints=given), own)


def _loosened(near: Neighbourhood, constraint: Constraint, value: Array) -> Constraint | None:
    """The tightest bound of few digits that the design meets; none where no bound is loose enough.

    A constraint that asks for a probability is judged by an end of the interval only where the
    bound as it is holds, so its bound is loosened once more to that end.
    """
    unit = near.study.metrics[constraint.metric].unit
    looser = _met(constraint, value, unit)
    if looser is None or constraint.confidence is None:
        return looser
    end = _judged(near, constraint, looser)[looser.column]
    return _met(looser, end, unit) if looser.violation(end)[0] > 0 else looser


def _met(constraint: Constraint, value: Array, unit: str) -> Constraint | None:
    """The constraint with the tightest bound of few digits that a value meets."""
    missed = float(constraint.violation(value)[0]) * (abs(constraint.limit) or 1.0)
    if not np.isfinite(missed):
        return None
    needed = constraint.limit + constraint.sign * missed
    op = "<=" if constraint.sign > 0 else ">="
    sure = constraint.confidence
    how = "" if sure is None else f" with {100 * sure:g} %"
    for digits in (3, 4, 5, 6, 9, 12):
        last = constraint.sign * abs(needed) * 10.0 ** (1 - digits)
        for limit in (needed, needed + last):
            written = units.show(limit, unit, digits)
            text = f"{constraint.metric} {op} {written}{how}"
            looser = replace(constraint, text=text, limit=units.parse(written, unit))
            if looser.violation(value)[0] == 0:
                return looser
    return None
