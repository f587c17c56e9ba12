"""What an answer is made of: the page's total, or another metric where no design has a total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from dse.spec import AnyModel, Array

V = TypeVar("V")
"""A number, None where it is unknown, or many of them: what a caller holds of each name."""


@dataclass(frozen=True)
class Breakdown(Generic[V]):
    """A metric and what sums to it."""

    metric: str
    whole: V
    parts: Mapping[str, V]


def broken_down(
    page: AnyModel, metrics: Mapping[str, V], terms: Mapping[str, V]
) -> Breakdown[V] | None:
    """The total and its terms; where it is 0 in every design, a metric that has parts instead.

    A platform that only trains answers no request: its latency is 0, its step is not. The first
    metric with parts is taken that has the total's unit and is above 0 in some design.

    Returns:
        the values as they were given; nothing where there is nothing to take apart.
    """
    if np.any(_numbers(metrics[page.total]) != 0):
        return Breakdown(page.total, metrics[page.total], terms)
    for name, metric in page.metrics.items():
        alike = metric.parts and metric.unit == page.metrics[page.total].unit
        if alike and np.any(_numbers(metrics[name]) > 0):
            return Breakdown(name, metrics[name], {part: metrics[part] for part in metric.parts})
    return None


def _numbers(value: object) -> Array:
    """Numbers to compare; None becomes NaN."""
    return np.asarray(value, dtype=np.float64)


def nothing(page: AnyModel) -> str:
    """Words for an answer that cannot be taken apart."""
    return f"{page.total} is 0 here, so there is nothing to break down"
