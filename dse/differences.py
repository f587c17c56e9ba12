"""How two designs differ in what is wanted of them, in sentences: by how much, and from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dse import units
from dse.breakdown import Breakdown, broken_down
from dse.comparison import Comparison
from dse.standing import ROUNDING

ALL = 0.005
"""Share of a difference that is too little to be told from none of it."""


def differences(rival: Comparison, objectives: Sequence[str]) -> list[str]:
    """How the first of two designs stands to the second in each objective, and from what.

    A metric is taken apart where it is the page's total, or where the page names its parts. What
    the comparison takes apart is told last, where it is no objective.
    """
    broken = _broken_down(rival)
    names = dict.fromkeys([*objectives, *([broken.metric] if broken else [])])
    return [_difference(rival, metric) for metric in names]


def _broken_down(rival: Comparison) -> Breakdown[list[float | None]] | None:
    page, held = rival.page, rival.answers
    metrics = {name: [one["metrics"][name]["value"] for one in held] for name in page.metrics}
    terms = {name: [one["terms"].get(name) for one in held] for name in rival.named("terms")}
    return broken_down(page, metrics, terms)


def _difference(rival: Comparison, metric: str) -> str:
    mine, other = (held["metrics"][metric]["value"] for held in rival.answers)
    unit = rival.page.metrics[metric].unit
    if mine is None or other is None:
        return f"{metric} is not known of both"
    if np.isclose(mine, other, rtol=ROUNDING, atol=0.0):
        return f"{metric} is the same"
    gap = mine - other
    if not np.isfinite(gap):
        return f"{metric} is {units.show(mine, unit)} against {units.show(other, unit)}"
    said = f"{metric} is {units.show(abs(gap), unit)} {'more' if gap > 0 else 'less'}"
    return said + _from(_gaps(rival, metric), gap, unit)


def _gaps(rival: Comparison, metric: str) -> dict[str, float]:
    """By how much each part of a metric differs; nothing where it is no sum of known parts."""
    page = rival.page
    if metric == page.total:
        pair = [held["terms"] for held in rival.answers]
    else:
        parts = page.metrics[metric].parts
        pair = [{n: held["metrics"][n]["value"] for n in parts} for held in rival.answers]
    gaps = {n: (pair[0].get(n, 0.0), pair[1].get(n, 0.0)) for n in {**pair[0], **pair[1]}}
    known = all(None not in both and np.isfinite(both).all() for both in gaps.values())
    return {n: mine - other for n, (mine, other) in gaps.items()} if known else {}


def _from(gaps: Mapping[str, float], gap: float, unit: str) -> str:
    """What most of a difference comes from."""
    if not gaps:
        return ""
    sign = np.sign(gap)
    main = max(gaps, key=lambda name: sign * gaps[name])
    share, shown = gaps[main] / gap, units.show(abs(gaps[main]), unit)
    if share > 1 + ALL:
        rest = units.show(abs(gaps[main] - gap), unit)
        return f": {shown} {'more' if gap > 0 else 'less'} from {main}, {rest} back from the rest"
    return f", all from {main}" if share > 1 - ALL else f", of which {shown} from {main}"
