"""A space of knobs: a point is a number whose mixed-radix digits are the places of the knobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.spec import Array

Ints = NDArray[np.int64]

LARGEST = 2**62
"""Points that a 64-bit number can count."""
NOWHERE = -1
"""Row of a point that the space does not hold."""


@dataclass(frozen=True)
class Space:
    """The points that exist, in order, among all combinations of knob values."""

    radices: tuple[int, ...]
    points: Ints
    """Rising; row r of a table is the variant at `points[r]`."""

    @cached_property
    def strides(self) -> Ints:
        """Points between two neighbouring values of each knob; the first knob runs fastest."""
        return np.cumprod([1, *self.radices[:-1]], dtype=np.int64)

    @cached_property
    def held(self) -> frozenset[int]:
        """The points that exist."""
        return frozenset(self.points.tolist())

    def point2knob(self, points: Ints) -> Ints:
        """Digits of points: a row each, a column for every knob."""
        return np.asarray(points[..., None] // self.strides % np.array(self.radices))

    def knob2point(self, knobs: Ints) -> Ints:
        """Points of rows of digits."""
        return np.asarray(knobs @ self.strides)

    def rows(self, points: Ints) -> Ints:
        """Row of every point, or `NOWHERE`."""
        found = np.minimum(np.searchsorted(self.points, points), len(self.points) - 1)
        return np.where(self.points[found] == points, found, NOWHERE)


def digits(values: Array) -> tuple[Ints, tuple[int, ...]]:
    """Values of knobs as their places among a knob's values, and how many each knob has."""
    found = [np.unique(column, return_inverse=True) for column in values.T]
    places = np.array([place for _, place in found], dtype=np.int64).T
    return places.reshape(len(values), len(found)), tuple(len(known) for known, _ in found)


def space_of(values: Array) -> tuple[Space, Ints]:
    """The space of a table's rows of knob values, and the order that sorts the rows into it.

    Raises:
        InputError: two rows are one variant, or the knobs span too many combinations.
    """
    places, radices = digits(values)
    if _product(radices) > LARGEST:
        raise InputError("a table's knobs must span at most 2^62 combinations; leave some out")
    points = Space(radices, np.zeros(0, dtype=np.int64)).knob2point(places)
    order = np.argsort(points, kind="stable")
    if (np.diff(points[order]) == 0).any():
        raise InputError("every variant stands once; a table repeats a row of knobs")
    return Space(radices, points[order]), order


def _product(radices: Sequence[int]) -> int:
    total = 1
    for radix in radices:
        total *= radix
    return total


def features(values: Array, *, words: int) -> Array:
    """What a predictor sees: logs of the knobs, and a mark for each of at most so many values.

    Every column has mean 0 and spread 1; a knob with one value tells nothing and is left out.
    """
    columns = []
    for column in values.T:
        known = np.unique(column)
        if len(known) < 2:
            continue
        columns.append(np.log2(1 + column - known[0]))
        if 2 < len(known) <= words:
            columns += [np.equal(column, value).astype(float) for value in known]
    if not columns:
        raise InputError("a table needs a knob with two values")
    found = np.stack(columns, axis=-1)
    return np.asarray((found - found.mean(axis=0)) / found.std(axis=0))
