"""A3's selection, executed in floating point: sorted columns, two queues, post-scoring.

`A3Reference` walks the sorted columns with two heaps as the hardware does. `greedy_scores` is its
fast equivalent: each column's stream is sorted, so the queues pop the largest and the smallest
entries of the whole matrix of products in order.

[memory] marks the skip of the smallest product while the running sum is negative. The paper's
answer to an empty list of candidates is not known: the best greedy score is taken instead.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.spec import Array

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Answer:
    """One approximate attention: the rows that survive each step, and the output."""

    candidates: Rows
    kept: Rows
    output: Array


class A3Reference:
    """Approximate attention over one key and value matrix, its key columns sorted once."""

    def __init__(self, keys: Array, values: Array) -> None:
        """Sort every column of the keys and keep the row ids.

        Args:
            keys: key matrix, n rows of width d.
            values: value matrix, n rows.
        """
        self.keys, self.values = keys, values
        self.order: Rows = np.argsort(keys, axis=0, kind="stable")

    def greedy(self, query: Array, iterations: int, *, skip: bool = True) -> Array:
        """Greedy score of every row after M iterations over two heaps."""
        largest = Queue(self, query, sign=1.0)
        smallest = Queue(self, query, sign=-1.0)
        scores, total = np.zeros(len(self.keys)), 0.0
        for _ in range(iterations):
            total += largest.pop(scores)
            if not (skip and total < 0):
                total += smallest.pop(scores)
        return scores

    def candidates(self, query: Array, iterations: int, *, skip: bool = True) -> Rows:
        """Rows whose greedy score is positive; the best one if there is none."""
        return positive(self.greedy(query, iterations, skip=skip))

    def attend(
        self, query: Array, iterations: int, threshold: float, *, skip: bool = True
    ) -> Answer:
        """Output of the rows that survive candidate selection and post-scoring selection."""
        candidates = self.candidates(query, iterations, skip=skip)
        scores = self.keys[candidates] @ query
        kept = post_score(scores, threshold)
        weights = softmax(scores[kept])
        return Answer(candidates, candidates[kept], weights @ self.values[candidates[kept]])


class Queue:
    """The next product of every column, the most promising one first."""

    def __init__(self, machine: A3Reference, query: Array, *, sign: float) -> None:
        """Place a pointer at that end of each column where its best product stands."""
        self.keys, self.query, self.sign = machine.keys, query, sign
        rising = (query * sign) < 0
        self.order = np.where(rising, machine.order, machine.order[::-1])
        self.heap = [self._entry(0, column) for column in range(len(query))]
        heapq.heapify(self.heap)

    def _entry(self, step: int, column: int) -> tuple[float, int, int]:
        product = self.query[column] * self.keys[self.order[step, column], column]
        return -self.sign * float(product), column, step

    def pop(self, scores: Array) -> float:
        """Add the best product to its row if it has the queue's sign; what was added."""
        if not self.heap:
            return 0.0
        cost, column, step = heapq.heappop(self.heap)
        if step + 1 < len(self.order):
            heapq.heappush(self.heap, self._entry(step + 1, column))
        product = -self.sign * cost if cost < 0 else 0.0
        scores[self.order[step, column]] += product
        return product


def greedy_scores(products: Array, iterations: int, *, skip: bool = True) -> Array:
    """Greedy score of every row from the n x d matrix of products, without heaps."""
    flat, width = products.ravel(), products.shape[1]
    taken = min(iterations, flat.size)
    largest, smallest = _ends(flat, taken)
    gains = np.maximum(flat[largest], 0.0)
    losses = np.minimum(flat[smallest], 0.0)
    popped = _popped(gains.tolist(), losses.tolist()) if skip else taken
    scores = np.zeros(len(products))
    np.add.at(scores, largest // width, gains)
    np.add.at(scores, smallest[:popped] // width, losses[:popped])
    return scores


def _popped(gains: list[float], losses: list[float]) -> int:
    """How many of the smallest products are taken when a negative sum skips one."""
    total, popped = 0.0, 0
    for gain in gains:
        total += gain
        if total >= 0:
            total, popped = total + losses[popped], popped + 1
    return popped


def _ends(flat: Array, count: int) -> tuple[Rows, Rows]:
    """Places of the largest entries, the largest first, and of the smallest, likewise."""
    parted = np.argpartition(flat, [count - 1, flat.size - count])
    high, low = parted[-count:], parted[:count]
    return high[np.argsort(-flat[high], kind="stable")], low[np.argsort(flat[low], kind="stable")]


def positive(scores: Array) -> Rows:
    """Rows of positive greedy score; the best one if there is none."""
    found = np.flatnonzero(scores > 0)
    return found if found.size else np.array([np.argmax(scores)])


def post_score(scores: Array, threshold: float) -> Rows:
    """Places of scores whose weight is at least a share T of the largest: max - s <= ln(1/T)."""
    floor = np.log(threshold) if threshold > 0 else -np.inf
    return np.flatnonzero(scores - scores.max() >= floor)


def softmax(scores: Array) -> Array:
    """Weights that sum to one."""
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())
