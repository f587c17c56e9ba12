"""Bounds under sliders: how many designs remain within them, and which of them binds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from typing import Any

import numpy as np
from dash import ALL, dcc, html
from dash.dependencies import Wildcard
from dash.development.base_component import Component

from dse import units
from dse.chart import words
from dse.errors import InputError, unknown
from dse.spec import Mask

from .columns import Limits, Opened
from .page import aria

STEPS = 400
"""Places of a slider."""

WIDE = 50.0
"""From this ratio of its ends on, a slider moves by factors."""

ANY = "any"
"""Stands for no limit, on the page and in a link."""

KINDS = ("range", "text")
"""What a person moves, and where a person types."""


@dataclass(frozen=True)
class Bound:
    """A metric that the study bounds or optimises, and the side on which a limit lies."""

    key: str
    """The column and the side, `latency<=`."""
    column: str
    sign: float
    """+1 where designs lie below a limit, -1 where above."""
    unit: str
    label: str
    start: float | None
    """The study's own limit; none where it only optimises."""
    low: float
    """The least value of a design that can run."""
    high: float

    @property
    def said(self) -> str:
        """The bound in words, without its limit."""
        return f"{self.label} {'at most' if self.sign > 0 else 'at least'}"

    @property
    def moves(self) -> bool:
        """Whether there is anything to slide over."""
        return self.low < self.high

    @property
    def _by_factors(self) -> bool:
        return self.low > 0 and self.high >= WIDE * self.low

    @property
    def loose(self) -> int:
        """The place of a slider where there is no limit."""
        return STEPS if self.sign > 0 else 0

    def value(self, place: float) -> float | None:
        """The limit at a place of the slider, to four digits; none at its loose end."""
        if round(place) == self.loose:
            return None
        share = place / STEPS
        if share in (0.0, 1.0):
            return self.high if share else self.low
        if self._by_factors:
            return float(f"{self.low * (self.high / self.low) ** share:.4g}")
        return float(f"{self.low + share * (self.high - self.low):.4g}")

    def place(self, limit: float | None) -> int:
        """The place of the slider for a limit."""
        if limit is None or not self.moves:
            return self.loose
        inside = min(max(limit, self.low), self.high)
        if self._by_factors:
            return round(STEPS * log10(inside / self.low) / log10(self.high / self.low))
        return round(STEPS * (inside - self.low) / (self.high - self.low))

    def show(self, limit: float | None) -> str:
        """A limit as a person reads it and may type it."""
        return ANY if limit is None else units.show(limit, self.unit, 4)

    def read(self, text: str) -> float | None:
        """A limit as a person types it or a link holds it.

        Raises:
            InputError: no quantity of the metric's unit.
        """
        plain = text.strip()
        if plain in ("", ANY):
            return None
        try:
            number = units.parse(_number(plain), self.unit)
        except ValueError as error:
            raise InputError(f"{self.said}: {error}; or '{ANY}' for no limit") from None
        if not np.isfinite(number):
            raise InputError(f"{self.said}: a limit must be finite, or '{ANY}' for none")
        return number


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def bounds(opened: Opened) -> dict[str, Bound]:
    """A bound for each constraint of the study, then one for each objective without its own."""
    found: dict[str, Bound] = opened.remember(_bounds, "bounds")
    return found


def _bounds(opened: Opened, _: str) -> dict[str, Bound]:
    study = opened.study
    asked = [(c.column, c.metric, c.sign, c.limit) for c in study.constraints]
    free = [(o.metric, o.metric, o.sign, None) for o in study.objectives]
    found: dict[str, Bound] = {}
    for column, metric, sign, limit in (*asked, *free):
        key = f"{column}{'<=' if sign > 0 else '>='}"
        if key not in found:
            ends = _ends(opened, column)
            unit = study.metrics[metric].unit
            found[key] = Bound(key, column, sign, unit, words(column), limit, *ends)
    return found


def _ends(opened: Opened, column: str) -> tuple[float, float]:
    """The finite range of a column over the designs that can run."""
    values = opened.column(column)
    known = opened.base & np.isfinite(values)
    if not known.any():
        return 0.0, 0.0
    low = np.min(values, where=known, initial=np.inf)
    return float(low), float(np.max(values, where=known, initial=-np.inf))


def starting(study_bounds: Mapping[str, Bound]) -> dict[str, float | None]:
    """The limits that the study sets."""
    return {key: bound.start for key, bound in study_bounds.items()}


def hashed(limits: Mapping[str, float | None]) -> Limits:
    """Limits as a key."""
    return tuple(sorted(limits.items()))


@dataclass(frozen=True, eq=False)
class Judged:
    """What some limits leave of a run."""

    remaining: Mask
    """Of all stored designs."""
    count: int
    within: int
    """Designs that can run and whose objectives are known: what the limits choose from."""
    freed: Mapping[str, int]
    """Bound -> designs that would remain beside these without it."""

    @property
    def binds(self) -> str | None:
        """The bound without which most more designs would remain, if there is one."""
        key = max(self.freed, key=lambda key: self.freed[key], default=None)
        return key if key is not None and self.freed[key] else None


def judged(opened: Opened, limits: Mapping[str, float | None]) -> Judged:
    """Hold every stored design against limits.

    Raises:
        InputError: a bound that the study has not.
    """
    known = bounds(opened)
    for key in limits:
        if key not in known:
            raise unknown("bound", key, known)
    found: Judged = opened.remember(_judged, hashed(limits))
    return found


def _judged(opened: Opened, limits: Limits) -> Judged:
    """Designs that miss one limit alone are those that remain without it."""
    base, known = opened.base, bounds(opened)
    missed = np.zeros(opened.count, dtype=np.uint8)
    misses: dict[str, Mask] = {}
    for key, limit in limits:
        if limit is not None:
            values = opened.column(known[key].column)
            held = values <= limit if known[key].sign > 0 else values >= limit
            misses[key] = ~held  # what is unknown holds nowhere
            missed += misses[key]
    remaining, alone = base & (missed == 0), base & (missed == 1)
    freed = {key: int(np.count_nonzero(alone & miss)) for key, miss in misses.items()}
    left, within = (int(np.count_nonzero(mask)) for mask in (remaining, base))
    return Judged(remaining, left, within, freed)


def told(opened: Opened, limits: Mapping[str, float | None]) -> list[str]:
    """How many designs remain and which bound binds, in sentences."""
    found, known = judged(opened, limits), bounds(opened)
    lines = [
        f"{found.count:,} of {found.within:,} designs that can run remain within these bounds."
    ]
    if found.binds is not None:
        bound = known[found.binds]
        limit = bound.show(limits[found.binds])
        lines.append(
            f"'{bound.said} {limit}' binds most: without it {found.freed[found.binds]:,} more "
            "would remain."
        )
    elif found.count < found.within:
        lines.append("Every design that is left out misses two bounds or more.")
    else:
        lines.append("No bound leaves a design out.")
    return lines


def effects(opened: Opened, limits: Mapping[str, float | None]) -> dict[str, str]:
    """Bound -> what it alone keeps out, in words."""
    found = judged(opened, limits)
    return {
        key: f"alone leaves out {found.freed[key]:,}" if found.freed.get(key) else ""
        for key in bounds(opened)
    }


def part(kind: str, key: str | Wildcard = ALL) -> dict[str, Any]:
    """The id of one part of a bound's control: range, text or effect."""
    return {"type": f"explore-bound-{kind}", "index": key}


def panel(opened: Opened, limits: Mapping[str, float | None], problem: Component) -> Component:
    """The sliders, what they leave, and the way back to the study's own bounds."""
    rows = [_row(bound, limits[key]) for key, bound in bounds(opened).items()]
    return html.Section(
        [
            html.H2("Bounds"),
            html.Div(id="explore-remaining-status", **aria(live="polite")),
            problem,
            *rows,
            html.Button("Back to the study's bounds", id="explore-bounds-button", type="button"),
        ],
        className="card explore-bounds",
    )


def _row(bound: Bound, limit: float | None) -> Component:
    ids = {kind: part(kind, bound.key) for kind in ("range", "text", "effect")}
    low, high = (units.show(end, bound.unit) for end in (bound.low, bound.high))
    slider = dcc.Input(
        id=ids["range"],
        type="range",
        min=0,
        max=STEPS,
        step=1,
        value=bound.place(limit),
        disabled=not bound.moves,
        className="range",
    )
    ends = html.Div([html.Span(low), html.Span(high)], className="ends", **aria(hidden="true"))
    named = html.Label(
        f"{bound.said}, slider from {low} to {high}", htmlFor=dom(ids["range"]), className="hidden"
    )
    box = dcc.Input(
        id=ids["text"], type="text", value=bound.show(limit), debounce=True, className="box"
    )
    return html.Div(
        [
            html.Label(bound.said, htmlFor=dom(ids["text"])),
            box,
            html.Div([named, slider, ends], className="slide"),
            html.Div(id=ids["effect"], className="caption explore-effect"),
        ],
        className="knob",
    )


def dom(identity: Mapping[str, object]) -> str:
    """An id as the browser sees it, for labels."""
    return json.dumps(identity, sort_keys=True, separators=(",", ":"))
