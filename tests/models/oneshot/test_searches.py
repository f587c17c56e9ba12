"""Annealing and the genetic algorithm: nothing twice, nothing barred, and the top is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.oneshot.annealing import Best, Chains, Found, anneal
from models.oneshot.genetic import Breeding, breed
from models.oneshot.made_up import made_up
from models.oneshot.replay import Task, ranked, score_of, task_of
from models.oneshot.space import NOWHERE

CHAINS = Chains(count=64, steps=60, patience=50)
BREEDING = Breeding(population=48, generations=40, elites=16, mutation=0.1, patience=20)


def task(*, holes: float = 0.3, seed: int = 0) -> Task:
    """A made-up table of 4^5 variants, some of which do not exist."""
    table = made_up(knobs=5, levels=4, spread=0.5, rugged=0.05, seed=seed)
    kept = np.random.default_rng(seed).random(len(table.seconds)) >= holes
    return task_of(type(table)(table.names, table.values[kept], table.seconds[kept]), words=16)


def search(name: str, given: Task, count: int, barred: list[int], seed: int = 0) -> Found:
    rng, scores = np.random.default_rng(seed), -np.log(given.seconds)
    score = score_of(given, scores)
    if name == "sa":
        return anneal(given.space, score, count=count, barred=barred, chains=CHAINS, rng=rng)
    return breed(given.space, score, count=count, barred=barred, breeding=BREEDING, rng=rng)


BOTH = pytest.mark.parametrize("name", ["sa", "ga"])


@BOTH
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), barred=st.integers(0, 500), count=st.integers(1, 64))
def test_nothing_is_returned_twice_or_barred_or_missing_from_the_table(
    name: str, seed: int, barred: int, count: int
):
    found = task()
    order = np.random.default_rng(seed).permutation(found.space.points)
    known = order[:barred].tolist()
    points = search(name, found, count, known, seed).points
    assert len(points) == len(set(points)) <= count
    assert not set(points) & set(known)
    assert (found.space.rows(np.array(points)) != NOWHERE).all()


@BOTH
def test_the_best_come_first(name: str):
    given = task()
    points = np.array(search(name, given, 20, []).points)
    seconds = given.seconds[given.space.rows(points)]
    assert (np.diff(seconds) >= 0).all()
    # The very best of 700 is found by either search.
    assert seconds[0] == given.best


@BOTH
def test_searches_find_most_of_the_top_that_a_full_ranking_has(name: str):
    shares = []
    for seed in range(4):
        given = task(seed=seed)
        full = ranked(given, -given.seconds, 16, (), np.random.default_rng(0)).points
        shares.append(len(set(search(name, given, 16, [], seed).points) & set(full)) / 16)
    # Both are heuristics; four spaces, and each scores about the whole space once or more.
    assert np.mean(shares) > 0.75


def test_annealing_stops_when_the_top_list_is_quiet():
    given = task()
    rng, score = np.random.default_rng(0), score_of(given, -given.seconds)
    short = Chains(count=64, steps=2000, patience=5)
    found = anneal(given.space, score, count=4, barred=(), chains=short, rng=rng)
    assert found.scored < 64 * 2000 / 10


def test_the_genetic_algorithm_never_scores_a_point_twice():
    given, asked = task(), []
    score = score_of(given, -given.seconds)

    def spying(points: np.ndarray) -> np.ndarray:
        asked.append(points)
        return score(points)

    rng = np.random.default_rng(0)
    found = breed(given.space, spying, count=8, barred=(), breeding=BREEDING, rng=rng)
    # Every generation is scored, then again with the elites for the odds of the parents.
    fresh = np.concatenate(asked[::2])
    assert len(np.unique(fresh)) == len(fresh) == found.scored


def test_a_search_that_revisits_is_caught(monkeypatch: pytest.MonkeyPatch):
    given, barred = task(), task().space.points[:300].tolist()
    honest = Best._keep

    def forgetful(self: Best, point: int, score: float) -> bool:
        self.taken.clear()
        return honest(self, point, score)

    monkeypatch.setattr(Best, "_keep", forgetful)
    points = search("sa", given, 64, barred).points
    assert len(set(points)) < len(points)
    assert set(points) & set(barred)
