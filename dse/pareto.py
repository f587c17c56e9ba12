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
        ValueError: a NaN or +inf, of which moocore 0.3 makes an empty or wrong front without a
            word. It ends the process at a -inf in three objectives, so that one, infinitely
            good, goes in as the least number there is.
    """
    if not (points < np.inf).all():
        raise ValueError("objectives must be below infinity: mask other rows before the front")
    if len(points) == 0:
        return np.zeros(0, dtype=np.bool_)
    least = np.maximum(points, np.finfo(np.float64).min)
    return cast("Mask", moocore.is_nondominated(least, keep_weakly=True))


def grounded(points: Array, like: Array | None = None) -> Array:
    """The points with -inf, infinitely good, one range of the finite values below the least.

    Args:
        points: objective values to minimise, shape (n, objectives).
        like: the points that say what the range is, by default the same.
    """
    if np.isfinite(points).all():
        return points
    finite = np.isfinite(like := points if like is None else like)
    low = np.where(finite, like, np.inf).min(axis=0)
    high = np.where(finite, like, -np.inf).max(axis=0)
    known = finite.any(axis=0)
    low, high = np.where(known, low, 0.0), np.where(known, high, 0.0)
    floor = low - np.where(high > low, high - low, np.abs(low) + 1.0)
    return np.where(np.isneginf(points), floor, points)


def hypervolume(points: Array, reference: Array) -> float:
    """Volume that `points` dominate below `reference`, all minimised."""
    inside = points[(points < reference).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=reference)) if len(inside) else 0.0


def distance(points: Array) -> Array:
    """Squared distance to the ideal point, each objective scaled to the range of the points."""
    points = grounded(points)
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    return np.asarray((scaled**2).sum(axis=1))


def knee(points: Array) -> int:
    """Row nearest to the ideal point when each objective is scaled to the front's range."""
    return int(np.argmin(distance(points)))
