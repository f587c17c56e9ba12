"""Replayed tuning: exact regrets, what may be found, samplers, and rules whose breach is seen."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from models.oneshot import replay
from models.oneshot.made_up import made_up
from models.oneshot.replay import (
    Loop,
    Task,
    at_random,
    iterate,
    kernel_scores,
    one_shot,
    ranked,
    task_of,
)
from models.oneshot.sampling import explored_rows, prior_layer, uniform_rows
from models.oneshot.tables import Table

LOOP = Loop(plan=64, surprise=0.05, reach=1.0, noise=0.01)


def task(seed: int = 0, *, knobs: int = 5, levels: int = 4) -> Task:
    return task_of(
        made_up(knobs=knobs, levels=levels, spread=0.5, rugged=0.02, seed=seed), words=16
    )


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shot(given: Task, scores: np.ndarray, trained: np.ndarray, m: int) -> float:
    found = one_shot(given, scores, trained=trained, trials=m, search=ranked, rng=rng())
    assert len(found.measured) == len(set(found.measured)) == m
    assert not set(found.measured) & set(trained.tolist())
    return found.regret


def test_a_made_up_table_has_its_optimum_at_one_second():
    table = made_up(knobs=4, levels=3, spread=0.5, rugged=0.1, seed=1)
    assert table.values.shape == (81, 4)
    assert table.seconds.min() == 1
    assert np.log(table.seconds).std() == pytest.approx(0.5, rel=0.15)


def test_a_perfect_ranking_has_no_regret_and_measuring_all_finds_the_best():
    given, none = task(), np.zeros(0, dtype=np.int64)
    assert shot(given, -given.seconds, none, 1) == 1
    assert shot(given, rng().random(1024), none, 1024) == 1


def test_regret_is_exact_on_a_table_of_four():
    # Seconds 2, 1, 4, 8. Trained on the best; scores say row 2 then row 0: 4, then 2 over 1.
    table = Table(("tile",), np.array([[1.0], [2.0], [4.0], [8.0]]), np.array([2.0, 1, 4, 8]))
    given, scores = task_of(table, words=16), np.array([2.0, 9.0, 3.0, 1.0])
    assert shot(given, scores, np.array([1]), 1) == 4
    assert shot(given, scores, np.array([1]), 2) == 2
    assert shot(given, scores, np.array([1]), 3) == 2


def test_a_variant_that_failed_is_never_the_one_kept():
    table = Table(("tile",), np.array([[1.0], [2.0], [4.0]]), np.array([np.inf, 1.0, 3.0]))
    given = task_of(table, words=16)
    none = np.zeros(0, dtype=np.int64)
    assert given.speeds(np.array([0, 1])).tolist() == [0.0, 1.0]
    assert np.isinf(shot(given, np.array([3.0, 1.0, 2.0]), none, 1))
    assert shot(given, np.array([3.0, 1.0, 2.0]), none, 2) == 3


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), noise=st.floats(0, 2), m=st.integers(1, 500))
def test_regret_never_rises_with_more_trials(seed: int, noise: float, m: int):
    given = task()
    scores = -np.log(given.seconds) + noise * rng(seed).standard_normal(1024)
    trained = uniform_rows(given, 100, rng(seed))
    assert shot(given, scores, trained, m + 1) <= shot(given, scores, trained, m)
    fewer, more = (at_random(given, trials=k, rng=rng(seed)).regret for k in (m, m + 1))
    assert more <= fewer


def test_training_rows_counted_as_found_are_caught():
    # A perfect predictor finds the best unless it was trained on it: 300 of 1024 rows are gone,
    # so 70.7 % of the runs find it, 200 runs to 3.2 %. A leak finds it always.
    given, leak = task(), np.zeros(0, dtype=np.int64)
    honest, leaking = [], []
    for seed in range(200):
        trained = uniform_rows(given, 300, rng(seed))
        honest.append(shot(given, -given.seconds, trained, 1) == 1)
        leaking.append(shot(given, -given.seconds, leak, 1) == 1)
    bar = pytest.approx(1 - 300 / 1024, abs=0.1)
    assert np.mean(honest) == bar
    assert np.mean(leaking) != bar


def learned_regret(m: int, *, sign: float = 1.0) -> float:
    found = []
    for seed in range(8):
        given = task(seed)
        trained = uniform_rows(given, 150, rng(seed))
        scores = sign * kernel_scores(given, trained, reach=1.0, noise=0.01)
        found.append(shot(given, scores, trained, m))
    return float(np.mean(found))


def test_measuring_the_worst_instead_of_the_top_is_caught():
    random = np.mean([at_random(task(s), trials=8, rng=rng(s)).regret for s in range(8)])
    # The top 8 of a regression on 150 of 1024 lie within a tenth of the best; the worst do not.
    assert learned_regret(8) < 1.1 < random < learned_regret(8, sign=-1)


def test_an_iterative_tuner_beats_random_trials_and_repeats_none():
    iterative, random = [], []
    for seed in range(6):
        given = task(seed)
        found = iterate(given, trials=192, loop=LOOP, search=ranked, rng=rng(seed))
        assert len(found.measured) == len(set(found.measured)) == 192
        iterative.append(found.regret)
        random.append(at_random(given, trials=192, rng=rng(seed)).regret)
    assert np.mean(iterative) < 1.01 < np.mean(random)


def test_an_iterative_tuner_can_measure_everything():
    given = task(knobs=4, levels=3)
    found = iterate(given, trials=500, loop=LOOP, search=ranked, rng=rng())
    assert sorted(found.measured) == list(range(81))


def test_exploration_gathers_faster_codes_than_even_draws():
    for seed in range(4):
        given = task(seed)
        explored = explored_rows(given, 256, loop=LOOP, search=ranked, rng=rng(seed))
        even = uniform_rows(given, 256, rng(seed))
        assert len(set(explored.tolist())) == len(explored) == 256
        assert given.speeds(explored).mean() > 1.3 * given.speeds(even).mean()


LAYERS = [(0.0, 56.0, 64.0, 1.0)] * 5 + [(0.0, 28.0, 64.0, 3.0)] * 3 + [(1.0, 28.0, 128.0, 3.0)]


def test_the_prior_sampler_draws_each_layer_as_often_as_it_stands_in_the_table():
    generator = rng(3)
    drawn = Counter(prior_layer(LAYERS, generator) for _ in range(4000))
    rows = Counter(LAYERS)
    counts = [drawn[layer] for layer in rows]
    expected = [4000 * rows[layer] / len(LAYERS) for layer in rows]
    # A right sampler fails this once in a hundred seeds; this seed is fixed.
    assert chisquare(counts, expected).pvalue > 0.01
    # One that drew distinct layers evenly would not pass.
    assert chisquare([4000 / 3] * 3, expected).pvalue < 1e-6


def test_kernel_regression_passes_through_what_it_was_told():
    given = task()
    rows = uniform_rows(given, 100, rng())
    found = kernel_scores(given, rows, reach=1.0, noise=1e-9)
    np.testing.assert_allclose(found[rows], given.speeds(rows), rtol=1e-5)


def test_the_loop_is_the_loop_of_the_reference():
    from models.oneshot.replay_config import LOOP as ours

    assert ours == LOOP
    assert replay.ranked is ranked
