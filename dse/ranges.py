"""How far each number of a design goes: the range it is meant for, limits, and where rules cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.spec import AnyModel, Array, Bounds, Knob, Mask, knobs
from dse.verdicts import Settings, covered

LEVELS = 257
"""Values at which a range is tried; every whole number where they are at most four times that."""

PARTS, ROUNDS = 32, 8
"""Between a covered value and a refused one: parts tried at once, eight times, to 1e-12 of it."""

FAR = (2.0, 10.0, 1e3, 1e6, 1e9, 1e12)
"""How many times beyond its bounds a number is tried."""


@dataclass(frozen=True)
class Limit:
    """Where a page stops taking a number, going one way."""

    value: float
    held: bool
    """Whether the limit itself is covered: 1 of what goes up to 1, not 0 of what is above 0."""
    rule: bool
    """Whether a rule refuses what is next to it, and may take other values beyond."""
    reason: str
    """Why the values beyond it are refused."""


@dataclass(frozen=True)
class Range:
    """What a page takes of one number, the rest of the design as it is."""

    knob: str
    unit: str
    low: float
    """Lower end of what the knob is meant for; below it a prediction extrapolates and warns."""
    high: float
    """Upper end of it."""
    below: Limit | None
    """Where values below the low end are refused; none where all that was tried is priced."""
    above: Limit | None
    """Where values above the high end are refused."""
    covered: tuple[tuple[float, float], ...]
    """Runs of covered values within the bounds, each from its first to its last."""
    refused: float | None
    """The lowest value within the bounds that is refused."""
    reason: str
    """Why it is."""


def ranges(page: AnyModel, settings: Settings) -> tuple[Range, ...]:
    """Every number of a page, each alone.

    Args:
        page: the model.
        settings: the design around which they vary.
    """
    return tuple(
        _Scan(page, settings, knob, knob.bounds).range()
        for knob in knobs(page.config).values()
        if knob.bounds is not None
    )


@dataclass(frozen=True)
class _Scan:
    """One number of a design, tried at many values at once."""

    page: AnyModel
    settings: Settings
    knob: Knob
    bounds: Bounds

    def asked(self, values: Array) -> tuple[Mask, list[str]]:
        """Which values are covered, and why the others are refused."""
        mask, reasons = covered(self.page, self.settings, {self.knob.path: values.tolist()})
        return mask, reasons.tolist()

    def range(self) -> Range:
        """What the scan finds: one look at all values, then halving wherever it changes."""
        inside = levels(self.bounds)
        values = np.concatenate([outside(self.bounds, -1), inside, outside(self.bounds, 1)])
        mask, _ = self.asked(values)
        changes = np.flatnonzero(mask[1:] != mask[:-1])
        last, first = self.edges(values, mask, changes)
        start = int(np.searchsorted(values, inside[0]))
        end = start + len(inside) - 1
        within = (changes >= start) & (changes < end)
        runs = _runs(inside, mask[start : end + 1], last[within])
        low, high = np.flatnonzero(changes < start)[-1:], np.flatnonzero(changes >= end)[:1]
        refused = [] if mask[start] else [inside[0]]
        refused = [*refused, *first[within]][:1]
        return Range(
            knob=self.knob.path,
            unit=self.knob.unit,
            low=self.bounds.low,
            high=self.bounds.high,
            below=self.limit(last[low], first[low]) if mask[start] else None,
            above=self.limit(last[high], first[high]) if mask[end] else None,
            covered=runs,
            refused=float(refused[0]) if refused else None,
            reason=self.asked(np.array(refused))[1][0] if refused else "",
        )

    def edges(self, values: Array, mask: Mask, at: NDArray[np.intp]) -> tuple[Array, Array]:
        """The covered and the refused value on either side of each change, ever closer."""
        good = np.where(mask[at], values[at], values[at + 1])
        bad = np.where(mask[at], values[at + 1], values[at])
        for _ in range(ROUNDS):
            if not at.size or (self.bounds.integer and np.all(np.abs(good - bad) <= 1)):
                return good, bad
            tried = np.linspace(good, bad, PARTS + 1)
            good, bad = self.closer(np.round(tried) if self.bounds.integer else tried)
        short = [float(f"{value:.6g}") for value in (good + bad) / 2]
        low, high = np.minimum(good, bad), np.maximum(good, bad)
        return self.closer(np.array([good, np.clip(short, low, high), bad]))

    def closer(self, tried: Array) -> tuple[Array, Array]:
        """The last covered and the first refused of values that go from one to the other."""
        held, _ = self.asked(tried.ravel())
        first = np.argmin(held.reshape(tried.shape), axis=0)
        column = np.arange(tried.shape[1])
        return tried[first - 1, column], tried[first, column]

    def limit(self, last: Array, first: Array) -> Limit | None:
        """The limit next to an end of the bounds, if one was found: the shorter of two numbers."""
        if not last.size:
            return None
        held = len(repr(float(last[0]))) <= len(repr(float(first[0])))
        value = float(last[0] if held else first[0])
        reason = self.asked(first)[1][0]
        rule = any(reason == rule.refusal for rule in self.page.rules)
        return Limit(value, held, rule, reason)


def _runs(inside: Array, mask: Mask, last: Array) -> tuple[tuple[float, float], ...]:
    """Runs of covered values, from the covered side of each change."""
    low, high = bool(mask[0]), bool(mask[-1])
    starts = [*(inside[:1] if low else ()), *last[low::2]]
    ends = [*last[1 - low :: 2], *(inside[-1:] if high else ())]
    return tuple((float(a), float(b)) for a, b in zip(starts, ends, strict=True))


def levels(bounds: Bounds) -> Array:
    """Values of a range from its low end to its high one, whole where only these make sense."""
    low, high = bounds.low, bounds.high
    if bounds.integer and high - low < 4 * LEVELS:
        return np.arange(low, high + 1)
    step = np.geomspace if bounds.log and low > 0 else np.linspace
    found = np.asarray(step(low, high, LEVELS), dtype=np.float64)
    found[0], found[-1] = low, high  # a spacing in logarithms may miss its own ends by an ulp
    return np.unique(np.round(found)) if bounds.integer else found


def outside(bounds: Bounds, side: int) -> Array:
    """Values beyond an end of a range, rising: some just outside, others ever farther."""
    low, high = bounds.low, bounds.high
    away = np.array([1e-3, 1.0, *FAR]) * (high - low)
    near = (low / np.array([1.001, *FAR]), [0.0]) if side < 0 < low else ()
    end = (0.0 if near else low) if side < 0 else high
    found = np.concatenate([*near, end + side * away])
    whole = np.floor if side < 0 else np.ceil
    return np.unique(whole(found) if bounds.integer else found)
