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
        return f"{text} by {self.by}"

    @property
    def by(self) -> str:
        """The distance in the metric's unit and as a share of the bound."""
        share = f" ({units.show(self.share, '%')})" if np.isfinite(self.share) else ""
        return f"{units.show(self.distance, self.unit)}{share}"

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
    found = _reached(near, constraint)
    value, missed = float(found[0]), float(constraint.violation(found)[0])
    if missed > 0:
        looser = _met(constraint, found, unit)
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


def _reached(near: Neighbourhood, constraint: Constraint) -> Array:
    """The value that is judged, shape (1,).

    A constraint that asks for a probability is judged by an end of the interval only where the
    bound as it is holds; where it fails, that end is found behind a bound that does hold.
    """
    found = near.table[constraint.column][:1]
    if constraint.confidence is None or constraint.violation(found)[0] == 0:
        return found
    held = _met(constraint, found, near.study.metrics[constraint.metric].unit)
    return found if held is None else _judged(near, constraint, held)[held.column]


def _judged(near: Neighbourhood, constraint: Constraint, looser: Constraint) -> Table:
    """The design with one constraint in the place of another."""
    given = tuple(looser if c is constraint else c for c in near.study.constraints)
    own = {a.path: near.table[a.path][:1] for a in near.space.axes}
    return evaluate(replace(near.study, constraints=given), own)


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
        for part in (0.0, 0.2, 0.5, 1.0):  # of the last digit, which is 0.1 to 1 of `last`
            written = units.show(needed + part * last, unit, digits)
            text = f"{constraint.metric} {op} {written}{how}"
            looser = replace(constraint, text=text, limit=units.parse(written, unit))
            if looser.violation(value)[0] == 0:
                return looser
    return None
