"""A3's mechanism executed: the queues, the limits in which it is exact, and the sheet's counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.a3 import draws, queues
from models.a3.queues import A3Reference
from tests.models.a3.sheet import SHEET

Machine = tuple[A3Reference, np.ndarray]


def machine(rows: int, width: int, seed: int) -> Machine:
    rng = np.random.default_rng(seed)
    keys, values = rng.standard_normal((2, rows, width))
    return A3Reference(keys, values), 2 * rng.standard_normal(width)


def exact(found: A3Reference, query: np.ndarray) -> np.ndarray:
    return np.asarray(queues.softmax(found.keys @ query) @ found.values)


@pytest.mark.parametrize("skip", [True, False])
@given(seed=st.integers(0, 99), iterations=st.integers(1, 200))
def test_the_two_queues_pop_the_extremes_of_the_whole_product_matrix(
    skip: bool, seed: int, iterations: int
):
    found, query = machine(17, 9, seed)
    fast = queues.greedy_scores(found.keys * query, iterations, skip=skip)
    # The same products in the same order; only ties of measure zero could differ.
    assert fast == pytest.approx(found.greedy(query, iterations, skip=skip), abs=1e-12)


def test_three_iterations_by_hand():
    # Products: 6 -2 / -1 3 / -4 1. Pops: 6 and -4, 3 and -2, 1 and -1, so the rows end with
    # 6 - 2, 3 - 1 and -4 + 1; the sum is never negative, so nothing is skipped.
    found = A3Reference(np.array([[3.0, 2.0], [-0.5, -3.0], [-2.0, -1.0]]), np.eye(3))
    query = np.array([2.0, -1.0])
    assert found.greedy(query, 1).tolist() == [6, 0, -4]
    assert found.greedy(query, 2).tolist() == [4, 3, -4]
    assert found.greedy(query, 3).tolist() == [4, 2, -3]
    assert found.candidates(query, 3).tolist() == [0, 1]


def test_the_smallest_product_is_skipped_while_the_sum_is_negative():
    # Products 1, 0.5 and -3, -2: after 1 - 3 the sum is -2 and +0.5 does not lift it over zero.
    found = A3Reference(np.array([[1.0], [-3.0], [0.5], [-2.0]]), np.eye(4))
    query = np.array([1.0])
    assert found.greedy(query, 2).tolist() == [1, -3, 0.5, 0]
    assert found.greedy(query, 2, skip=False).tolist() == [1, -3, 0.5, -2]


@given(seed=st.integers(0, 99))
def test_with_all_products_and_no_skip_the_greedy_score_is_the_dot_product(seed: int):
    found, query = machine(12, 6, seed)
    score = found.greedy(query, 12 * 6, skip=False)
    assert score == pytest.approx(found.keys @ query, abs=1e-12)


@given(seed=st.integers(0, 99), iterations=st.integers(1, 60))
def test_a_threshold_of_zero_keeps_every_candidate_and_of_one_only_the_best(
    seed: int, iterations: int
):
    found, query = machine(20, 8, seed)
    every = found.attend(query, iterations, threshold=0.0)
    assert every.kept.tolist() == every.candidates.tolist()
    best = found.attend(query, iterations, threshold=1.0)
    assert best.kept.size == 1
    scores = found.keys @ query
    assert scores[best.kept[0]] == scores[every.candidates].max()


def test_output_is_exact_when_every_row_survives():
    # Keys that all point along the query: every product is positive, every row a candidate.
    rng = np.random.default_rng(3)
    keys, values = np.abs(rng.standard_normal((2, 10, 4)))
    found, query = A3Reference(keys, values), np.ones(4)
    answer = found.attend(query, 40, threshold=0.0)
    assert answer.candidates.size == 10
    assert answer.output == pytest.approx(exact(found, query), rel=1e-12)


def test_an_empty_list_of_candidates_falls_back_to_the_best_greedy_score():
    found = A3Reference(-np.ones((3, 2)), np.eye(3))
    assert found.candidates(np.ones(2), 4).size == 1


@pytest.mark.parametrize("row", SHEET, ids=lambda row: f"{row.rows}-{row.iterations}")
def test_counts_agree_with_the_sheet_s_reference(row):
    found = draws.sample(
        rows=row.rows,
        width=64,
        iterations=row.iterations,
        cuts=[(spread, row.threshold) for spread in (2.0, 4.0, 6.0)],
        trials=60,
        seed=5,
    )
    for counts, kept in zip(found, row.kept_share, strict=True):
        # Rounding of the sheet (half its last digit) plus three standard errors of either draw.
        noise = 3 * np.sqrt(2) * counts.error
        share = counts.candidates / row.rows
        assert share == pytest.approx(row.candidate_share, abs=0.005 + noise[0] / row.rows)
        assert counts.kept_rows / row.rows == pytest.approx(kept, abs=0.005 + noise[1] / row.rows)
        assert row.recall[0] - noise[2] <= counts.recall <= row.recall[1] + noise[2]
