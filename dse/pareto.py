"""Exact fronts by moocore: tie-aware, and guarded against numbers that break it."""

from __future__ import annotations

from typing import cast

import moocore
import numpy as np

from dse.spec import Array, Mask


def nondominated(points: Array) -> Mask:
    """Which rows no other row dominates; all are minimised and ties are kept.

    Args:
        points: objective values, shape (n, objectives).

    Raises:
        ValueError: a NaN or an infinity. Of a NaN or +inf moocore 0.3 makes an empty or wrong
            front without a word, and -inf in three objectives ends the process.
    """
    if not np.isfinite(points).all():
        raise ValueError("objectives must be finite: mask other rows before the front")
    if len(points) == 0:
        return np.zeros(0, dtype=np.bool_)
    return cast("Mask", moocore.is_nondominated(points, keep_weakly=True))


def hypervolume(points: Array, reference: Array) -> float:
    """Volume that `points` dominate below `reference`, all minimised."""
    inside = points[(points < reference).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=reference)) if len(inside) else 0.0


def knee(points: Array) -> int:
    """Row nearest to the ideal point when each objective is scaled to the front's range."""
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    return int(np.argmin((scaled**2).sum(axis=1)))
