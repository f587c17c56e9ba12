"""Simulated annealing over a predictor's scores, as AutoTVM and the paper run it.

Parallel chains each change one knob to another value. The best points ever scored are kept in a
heap; points in the heap or barred before the search, as measured ones are, never enter it. The
search stops after so many rounds without a change of the heap.
"""

import heapq
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from dse.spec import Array

from .space import Ints, Space

Score = Callable[[Ints], Array]
"""Points -> scores, larger is better, minus infinity for a point that does not exist."""


@dataclass(frozen=True)
class Found:
    """The best points, the best one first, and how many were scored, repeats counted."""

    points: list[int]
    scored: int


class Best:
    """The so-many best points offered, each once and none of those barred."""

    def __init__(self, count: int, barred: Collection[int]) -> None:
        self.count = count
        self.heap: list[tuple[float, int]] = []
        self.taken = set(barred)

    def offer(self, points: Ints, scores: Array) -> bool:
        """Keep what is better than the worst kept; whether anything was."""
        changed = False
        worst = self.heap[0][0] if len(self.heap) == self.count else -np.inf
        for place in np.flatnonzero(scores > worst):
            changed = self._keep(int(points[place]), float(scores[place])) or changed
        return changed

    def _keep(self, point: int, score: float) -> bool:
        if point in self.taken:
            return False
        if len(self.heap) < self.count:
            heapq.heappush(self.heap, (score, point))
        elif score > self.heap[0][0]:
            self.taken.discard(heapq.heapreplace(self.heap, (score, point))[1])
        else:
            return False
        self.taken.add(point)
        return True

    def points(self) -> list[int]:
        """What is kept, the best first."""
        return [point for _, point in sorted(self.heap, reverse=True)]


@dataclass(frozen=True)
class Chains:
    """How the search runs."""

    count: int
    steps: int
    patience: int


def walked(space: Space, points: Ints, rng: np.random.Generator) -> Ints:
    """Every point with one knob, of those that can vary, changed to another of its values."""
    radices = np.array(space.radices)
    varying = np.flatnonzero(radices > 1)
    knob = rng.choice(varying, len(points))
    knobs = space.point2knob(points)
    every = np.arange(len(points))
    shift = 1 + (rng.random(len(points)) * (radices[knob] - 1)).astype(np.int64)
    knobs[every, knob] = (knobs[every, knob] + shift) % radices[knob]
    return space.knob2point(knobs)


def anneal(
    space: Space,
    score: Score,
    *,
    count: int,
    barred: Collection[int],
    chains: Chains,
    rng: np.random.Generator,
) -> Found:
    """The best points that the chains come by, none of them barred."""
    points = rng.choice(space.points, chains.count)
    scores, best = score(points), Best(count, barred)
    best.offer(points, scores)
    scored, quiet = len(points), 0
    for step in range(chains.steps):
        if quiet >= chains.patience:
            break
        temperature = 1 - step / (chains.steps + 1)
        there = walked(space, points, rng)
        new = score(there)
        gain = np.minimum((new - scores) / (temperature + 1e-5), 1.0)
        moves = rng.random(len(points)) < np.exp(gain)
        points, scores = np.where(moves, there, points), np.where(moves, new, scores)
        quiet = 0 if best.offer(there, new) else quiet + 1
        scored += len(points)
    return Found(best.points(), scored)
