"""What each number of a design rests on: interval, tier, and the check rows behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse import interval, joint, registry
from dse.interval import TIERS, Error
from dse.spec import AnyModel, Config, Result

NOTHING = "nothing was checked"
"""What is said of a number without an interval."""

NUDGE = 1.25
"""Truth over prediction by which it is found out which errors move a metric."""


@dataclass(frozen=True)
class Ground:
    """How sure one number is."""

    low: float
    """Ends of the interval, NaN where nothing was checked."""
    high: float
    tier: str
    basis: str
    """In words: rows and groups of checks, or the errors that were joined."""


def grounds(page: AnyModel, config: Config, result: Result) -> dict[str, Ground]:
    """Metric -> how sure it is, for one design.

    Args:
        page: the model.
        config: a design of scalars.
        result: what the page says of it.
    """
    spans = joint.spans(page, config, result)
    known = _joined(page, config) if page.uncertain else _own(page, result)
    beyond = any(bool(np.all(result.flags[name])) for name in page.flags)
    return {
        name: Ground(*spans[name], tier, f"{basis}{', beyond the range' * (beyond and told)}")
        for name, (tier, basis) in known.items()
        for told in [basis != NOTHING]
    }


def _said(error: Error | None) -> tuple[str, str]:
    return (error.tier, error.words()) if error else (TIERS[-1], NOTHING)


def _own(page: AnyModel, result: Result) -> dict[str, tuple[str, str]]:
    where = interval.regimes(page, result)
    regime = next(name for name, mask in where.items() if bool(np.all(mask)))
    errors = interval.errors(page.slug)
    return {
        name: _said(interval.error_in(errors, interval.judged_by(page, name)[0], regime))
        for name in page.metrics
    }


def _joined(page: AnyModel, config: Config) -> dict[str, tuple[str, str]]:
    """The weakest tier of the errors that move a metric, and which they are."""
    moved = movers(page, config)
    errors = {knob: _error_of(page, knob, config) for knob in page.uncertain}
    return {name: _together(page, [(k, errors[k]) for k in moved[name]]) for name in page.metrics}


def movers(page: AnyModel, config: Config) -> dict[str, list[str]]:
    """Metric -> knobs of errors that change it, for one design of a page that joins others."""
    knobs = list(page.uncertain)
    nudged = {
        knob: np.where(np.arange(len(knobs) + 1) == place, NUDGE, 1.0)
        for place, knob in enumerate(knobs)
    }
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = page.evaluate(type(config).batched(nudged, config))
    found = {}
    for name in page.metrics:
        values = np.broadcast_to(result.metrics[name], (len(knobs) + 1,))
        changed = ~np.isclose(values[:-1], values[-1], rtol=1e-12, atol=0.0, equal_nan=True)
        found[name] = [knob for knob, moves in zip(knobs, changed, strict=True) if moves]
    return found


def _error_of(page: AnyModel, knob: str, config: Config) -> Error | None:
    uncertain = page.uncertain[knob]
    judged, _ = interval.judged_by(registry.model(uncertain.page), uncertain.metric)
    where = joint.regimes(uncertain, config)
    regime = next(name for name, mask in where.items() if bool(np.all(mask)))
    return interval.error_in(interval.own_errors(uncertain.page), judged, regime)


def _together(page: AnyModel, moving: list[tuple[str, Error | None]]) -> tuple[str, str]:
    counted = [(_named(page, knob), error) for knob, error in moving if error]
    lost = [_named(page, knob) for knob, error in moving if error is None]
    if not counted:
        return TIERS[-1], NOTHING
    weakest = max((error.tier for _, error in counted), key=TIERS.index)
    few = [name for name, error in counted if error.few]
    said = f"errors of {', '.join(dict.fromkeys(name for name, _ in counted))}"
    said += f"; few rows: {', '.join(dict.fromkeys(few))}" if few else ""
    lent = [name for name, error in counted if error.borrowed]
    said += f"; from another regime: {', '.join(dict.fromkeys(lent))}" if lent else ""
    said += f"; not counted, unchecked: {', '.join(dict.fromkeys(lost))}" if lost else ""
    return (TIERS[-1] if lost else weakest), said


def _named(page: AnyModel, knob: str) -> str:
    return f"{page.uncertain[knob].page} {page.uncertain[knob].metric}"


def as_json(ground: Ground) -> Mapping[str, object]:
    """How sure a number is, for scripts; the ends are null where nothing was checked."""
    ends = {"low": ground.low, "high": ground.high}
    known = {key: None if np.isnan(value) else value for key, value in ends.items()}
    return {**known, "tier": ground.tier, "basis": ground.basis}
