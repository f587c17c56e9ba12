"""A genetic algorithm over a predictor's scores, as the paper's second optimiser runs it.

Parents are drawn in proportion to their score, a child takes one parent's first knobs and the
other's last ones, and each knob may mutate. A child that was scored before, is barred or does not
exist mutates on, one knob at a time. The best ever scored stay as parents.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from dse.spec import Array

from .annealing import Best, Found, Score
from .space import NOWHERE, Ints, Space


@dataclass(frozen=True)
class Breeding:
    """How the search runs."""

    population: int
    generations: int
    elites: int
    mutation: float
    patience: int
    """Mutations of a child that was seen before, until it is given up."""


def odds(scores: Array) -> Array:
    """Chance of every parent: its score above the worst one's, and level where all are equal."""
    above = scores - scores.min()
    total = above.sum()
    return np.full(len(scores), 1 / len(scores)) if total <= 0 else np.asarray(above / total)


def crossed(
    space: Space, parents: Ints, chance: Array, count: int, rng: np.random.Generator
) -> Ints:
    """Knobs of children: each the start of one parent and the rest of another."""
    width = len(space.radices)
    first, second = (space.point2knob(rng.choice(parents, count, p=chance)) for _ in range(2))
    cut = rng.integers(0, width, count)
    return np.where(np.arange(width) < cut[:, None], first, second)


def mutated(space: Space, knobs: Ints, rate: float, rng: np.random.Generator) -> Ints:
    """Knobs of which each has been drawn anew with some chance."""
    fresh = (rng.random(knobs.shape) * np.array(space.radices)).astype(np.int64)
    return np.where(rng.random(knobs.shape) < rate, fresh, knobs)


def settled(
    space: Space, knobs: Ints, seen: set[int], patience: int, rng: np.random.Generator
) -> Ints:
    """Points of children that exist and were not seen, which they are from now on."""
    found = []
    for child, point in zip(knobs, space.knob2point(knobs).tolist(), strict=True):
        fresh = _unseen(space, child, point, seen, patience, rng)
        if fresh != NOWHERE:
            seen.add(fresh)
            found.append(fresh)
    return np.array(found, dtype=np.int64)


def _unseen(
    space: Space, child: Ints, point: int, seen: set[int], patience: int, rng: np.random.Generator
) -> int:
    """The child's point, or that of the first of its mutants that exists and was not seen."""
    for _ in range(patience):
        if point not in seen and point in space.held:
            return point
        knob = rng.integers(len(space.radices))
        value = rng.integers(space.radices[knob])
        point += int((value - child[knob]) * space.strides[knob])
        child[knob] = value
    return NOWHERE


def breed(
    space: Space,
    score: Score,
    *,
    count: int,
    barred: Collection[int],
    breeding: Breeding,
    rng: np.random.Generator,
) -> Found:
    """The best points of all generations, none of them barred."""
    seen, best = set(barred), Best(count, barred)
    elites = Best(breeding.elites, ())
    start = rng.choice(space.points, breeding.population)
    points = settled(space, space.point2knob(start), seen, breeding.patience, rng)
    scored = 0
    for _ in range(breeding.generations):
        if not len(points):
            break
        scores = score(points)
        scored += len(points)
        best.offer(points, scores)
        elites.offer(points, scores)
        parents = np.concatenate([points, np.array(elites.points(), dtype=np.int64)])
        chance = odds(score(parents))
        children = crossed(space, parents, chance, breeding.population, rng)
        children = mutated(space, children, breeding.mutation, rng)
        points = settled(space, children, seen, breeding.patience, rng)
    return Found(best.points(), scored)
