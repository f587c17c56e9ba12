r"""A3's arithmetic, executed in integers: the widths of its number formats and two tables of e^x.

| quantity          | integer bits | fraction bits |                                        |
|-------------------|--------------|---------------|----------------------------------------|
| input             | i            | f             | rounded to nearest, saturated          |
| product           | 2 i          | 2 f           | exact                                  |
| dot product       | 2 i + log2 d | 2 f           | exact                                  |
| score e^(s - max) | 0            | 2 f           | truncated, at most 1 - 2^-2f           |
| expsum            | log2 n       | 2 f           | exact                                  |
| weight            | 0            | 2 f           | quotient of score and expsum, truncated |
| output            | i + log2 n   | 3 f           | exact                                  |

All widths are from [memory]. Whether i counts the sign is not known: here it does. Rounding and
saturation are [assumed]. The exponential splits its index in halves, $e^{a + b} = e^a e^b$, two
tables and one product. [derived] The index must cover 16 in steps of $2^{-2f}$, which takes
2 f + 4 bits: two tables of 64 entries do so for f = 4 only. At f = 6 they end at $e^{-1}$.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dse.spec import Array

from . import queues
from .config import GIVEN

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Format:
    """Signed numbers of so many bits before the point, the sign among them, and after it."""

    integer: int
    fraction: int

    def store(self, values: Array) -> Integers:
        """The nearest numbers that there are, as integers."""
        end = 2 ** (self.integer - 1 + self.fraction)
        stored: Integers = np.clip(np.rint(values * 2**self.fraction), -end, end - 1).astype(int)
        return stored

    def checked(self, stored: Integers) -> Integers:
        """The same integers.

        Raises:
            OverflowError: one of them does not fit.
        """
        end = 2 ** (self.integer - 1 + self.fraction)
        if np.any(stored < -end) or np.any(stored >= end):
            raise OverflowError(f"{stored} leaves {self}")
        return stored


class Exponent:
    """e^-x out of two tables, for x in steps of 2^-2f."""

    def __init__(self, fraction_bits: int, index_bits: int | None = None) -> None:
        """Fill the tables.

        Args:
            fraction_bits: f, of the inputs.
            index_bits: width of the index; 2 f + 4 unless told otherwise.
        """
        self.fraction = 2 * fraction_bits
        self.index_bits = index_bits or self.fraction + int(GIVEN("integer_bits"))
        self.low_bits = self.index_bits // 2
        self.low = self._table(np.arange(2**self.low_bits))
        self.high = self._table(np.arange(2 ** (self.index_bits - self.low_bits)) << self.low_bits)

    def _table(self, index: Integers) -> Integers:
        one = 2**self.fraction
        entries: Integers = np.minimum(np.rint(np.exp(-index / one) * one), one - 1).astype(int)
        return entries

    def __call__(self, below: Integers) -> Integers:
        """Scores of rows that lie so far below the best; what the index cannot say saturates."""
        index = np.minimum(below, 2**self.index_bits - 1)
        low = self.low[index & (2**self.low_bits - 1)]
        product: Integers = (self.high[index >> self.low_bits] * low) >> self.fraction
        return product


@cache
def _tables(fraction_bits: int, index_bits: int | None) -> Exponent:
    return Exponent(fraction_bits, index_bits)


@dataclass(frozen=True)
class FixedPoint:
    """The datapath at f fraction bits."""

    fraction_bits: int
    index_bits: int | None = None

    def store(self, values: Array) -> Integers:
        """Inputs as the memories hold them."""
        return Format(int(GIVEN("integer_bits")), self.fraction_bits).store(values)

    def scores(self, keys: Integers, query: Integers) -> Integers:
        """Dot products."""
        integer = 2 * int(GIVEN("integer_bits")) + math.ceil(math.log2(len(query)))
        return Format(integer, 2 * self.fraction_bits).checked(keys @ query)

    def output(self, scores: Integers, values: Integers) -> Array:
        """Weighted sum of value rows, as real numbers."""
        exponent = _tables(self.fraction_bits, self.index_bits)
        weights = exponent(scores.max() - scores)
        weights = (weights << exponent.fraction) // max(int(weights.sum()), 1)
        integer = int(GIVEN("integer_bits")) + math.ceil(math.log2(max(len(scores), 2)))
        total = Format(integer, 3 * self.fraction_bits).checked(weights @ values)
        return total / 2.0 ** (3 * self.fraction_bits)

    def attend(self, keys: Array, values: Array, query: Array) -> Array:
        """Exact attention, every row."""
        return self.output(self.scores(self.store(keys), self.store(query)), self.store(values))

    def attend_to_few(
        self, keys: Array, values: Array, query: Array, *, iterations: int, threshold: float
    ) -> Array:
        """Approximate attention: selection and post-scoring work on the stored numbers too."""
        held, asked = self.store(keys), self.store(query)
        products = (held * asked).astype(np.float64)
        found = queues.positive(queues.greedy_scores(products, iterations))
        scores = self.scores(held[found], asked)
        kept = queues.post_score(scores / 4.0**self.fraction_bits, threshold)
        return self.output(scores[kept], self.store(values)[found[kept]])
