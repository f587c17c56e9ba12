"""Tuning replayed on a table in which every variant was measured, so that regret is exact.

A predictor sees some rows of the table, ranks the others, the best few are looked up as if they
were measured, and the fastest of those is kept. What was trained on is never counted as found.
Labels are speeds, as in the paper; a variant that failed has speed 0.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from dse.spec import Array

from .annealing import Chains, Found, Score, anneal
from .genetic import Breeding, breed
from .predictor import Recipe, fit
from .space import NOWHERE, Ints, Space, features, space_of
from .tables import Table

Scores = Array
"""A score for every row of a task."""
Search = Callable[["Task", Scores, int, Collection[int], np.random.Generator], Found]
"""Task, scores, how many, points barred, generator -> the best points found."""


@dataclass(frozen=True)
class Task:
    """A table as a tuner sees it: knobs and features of every row, its seconds hidden."""

    space: Space
    seen: Array
    """Features of the rows."""
    seconds: Array

    @property
    def best(self) -> float:
        """Seconds of the fastest variant: the known optimum."""
        return float(self.seconds.min())

    def speeds(self, rows: Ints) -> Array:
        """Measure rows: their speeds, 0 where a variant failed."""
        return np.asarray(1 / self.seconds[rows])


def task_of(table: Table, *, words: int) -> Task:
    """A table in the order of its points.

    Raises:
        InputError: two rows are one variant, or no knob varies.
    """
    space, order = space_of(table.values)
    return Task(space, features(table.values[order], words=words), table.seconds[order])


def network_scores(task: Task, rows: Ints, recipe: Recipe, *, seed: int) -> Scores:
    """Speeds that the paper's network predicts after it was trained on some rows."""
    fitted = fit(task.seen[rows], task.speeds(rows), recipe, seed=seed)
    return fitted.predict(task.seen)


def kernel_scores(task: Task, rows: Ints, *, reach: float, noise: float) -> Scores:
    """Speeds that ridge regression with a Gaussian kernel predicts: the iterative baseline's.

    AutoTVM's trees are not rebuilt. The reach is in root mean squares of the features.
    """
    known, speeds = task.seen[rows], task.speeds(rows)
    mean, spread = speeds.mean(), speeds.std() or 1.0
    alike = _alike(known, known, reach)
    pull = np.linalg.solve(alike + noise * np.eye(len(rows)), (speeds - mean) / spread)
    return np.asarray(_alike(task.seen, known, reach) @ pull * spread + mean)


def _alike(left: Array, right: Array, reach: float) -> Array:
    squares = np.sum(left**2, axis=1)[:, None] + np.sum(right**2, axis=1) - 2 * left @ right.T
    return np.asarray(np.exp(-np.maximum(squares, 0.0) / (2 * reach**2 * left.shape[1])))


def score_of(task: Task, scores: Scores) -> Score:
    """Scores by point, as a search asks for them."""

    def score(points: Ints) -> Array:
        rows = task.space.rows(points)
        return np.where(rows == NOWHERE, -np.inf, scores[rows])

    return score


def ranked(
    task: Task, scores: Scores, count: int, barred: Collection[int], rng: np.random.Generator
) -> Found:
    """The best of all points, none of them barred: a search that misses nothing."""
    del rng
    order = np.argsort(-scores, kind="stable")
    free = [int(p) for p in task.space.points[order] if int(p) not in barred]
    return Found(free[:count], len(scores))


def annealed(chains: Chains) -> Search:
    """Simulated annealing as a search."""

    def search(
        task: Task, scores: Scores, count: int, barred: Collection[int], rng: np.random.Generator
    ) -> Found:
        score = score_of(task, scores)
        return anneal(task.space, score, count=count, barred=barred, chains=chains, rng=rng)

    return search


def bred(breeding: Breeding) -> Search:
    """The genetic algorithm as a search."""

    def search(
        task: Task, scores: Scores, count: int, barred: Collection[int], rng: np.random.Generator
    ) -> Found:
        score = score_of(task, scores)
        return breed(task.space, score, count=count, barred=barred, breeding=breeding, rng=rng)

    return search


@dataclass(frozen=True)
class Outcome:
    """A run: the rows measured in their order, how many were scored, and what was kept."""

    measured: tuple[int, ...]
    scored: int
    regret: float
    """Seconds of the fastest measured over those of the fastest of the table."""


def outcome(task: Task, rows: Sequence[int], scored: int) -> Outcome:
    """What is kept of the rows that were measured."""
    fastest = float(task.seconds[list(rows)].min(initial=np.inf))
    return Outcome(tuple(rows), scored, fastest / task.best)


def one_shot(
    task: Task,
    scores: Scores,
    *,
    trained: Ints,
    trials: int,
    search: Search,
    rng: np.random.Generator,
) -> Outcome:
    """Rank once, measure the top: no row of the training set is measured again."""
    barred = {int(point) for point in task.space.points[trained]}
    found = search(task, scores, trials, barred, rng)
    rows = task.space.rows(np.array(found.points, dtype=np.int64))
    return outcome(task, rows.tolist(), found.scored)


def at_random(task: Task, *, trials: int, rng: np.random.Generator) -> Outcome:
    """Measure rows drawn without putting back."""
    drawn = rng.permutation(len(task.seconds))[:trials]
    return outcome(task, drawn.tolist(), 0)


@dataclass(frozen=True)
class Loop:
    """How the iterative baseline runs."""

    plan: int
    surprise: float
    """Share of a batch that is drawn at random."""
    reach: float
    noise: float


def iterate(
    task: Task, *, trials: int, loop: Loop, search: Search, rng: np.random.Generator
) -> Outcome:
    """Measure a random batch; then learn from all trials, rank and measure, batch by batch."""
    rows: list[int] = rng.permutation(len(task.seconds))[: min(loop.plan, trials)].tolist()
    scored = 0
    while len(rows) < min(trials, len(task.seconds)):
        room = min(loop.plan, trials - len(rows), len(task.seconds) - len(rows))
        scores = kernel_scores(task, np.array(rows), reach=loop.reach, noise=loop.noise)
        barred = {int(point) for point in task.space.points[rows]}
        found = search(task, scores, room - int(loop.surprise * room), barred, rng)
        chosen = task.space.rows(np.array(found.points, dtype=np.int64)).tolist()
        free = rng.permutation(np.setdiff1d(np.arange(len(task.seconds)), rows + chosen))
        rows += [*chosen, *free[: room - len(chosen)].tolist()]
        scored += found.scored
    return outcome(task, rows, scored)
