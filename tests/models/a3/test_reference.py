"""A3's mechanism executed: the queues, the limits in which it is exact, and the sheet's counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.a3 import reference
from models.a3.reference import A3Reference

Machine = tuple[A3Reference, np.ndarray]


def machine(rows: int, width: int, seed: int) -> Machine:
    rng = np.random.default_rng(seed)
    keys, values = rng.standard_normal((2, rows, width))
    return A3Reference(keys, values), 2 * rng.standard_normal(width)


def exact(found: A3Reference, query: np.ndarray) -> np.ndarray:
    return np.asarray(reference.softmax(found.keys @ query) @ found.values)


@pytest.mark.parametrize("skip", [True, False])
@given(seed=st.integers(0, 99), iterations=st.integers(1, 200))
def test_the_two_queues_pop_the_extremes_of_the_whole_product_matrix(
    skip: bool, seed: int, iterations: int
):
    found, query = machine(17, 9, seed)
    fast = reference.greedy_scores(found.keys * query, iterations, skip=skip)
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


# Rows, iterations, T, C/n, K/n at spreads 2, 4, 6, and the range of recall, as the sheet gives
# them from 60 draws of another executable reference.
SHEET = (
    (20, 10, 0.05, 0.34, (0.21, 0.13, 0.11), (0.73, 0.87)),
    (20, 2, 0.10, 0.10, (0.07, 0.07, 0.06), (0.25, 0.35)),
    (186, 93, 0.05, 0.33, (0.09, 0.03, 0.02), (0.80, 0.90)),
    (186, 23, 0.10, 0.113, (0.04, 0.015, 0.01), (0.40, 0.50)),
    (320, 160, 0.05, 0.33, (0.07, 0.02, 0.01), (0.80, 0.90)),
    (320, 40, 0.10, 0.113, (0.02, 0.01, 0.007), (0.43, 0.60)),
)


@pytest.mark.parametrize("row", SHEET, ids=lambda row: f"{row[0]}-{row[1]}")
@pytest.mark.parametrize("which", [0, 1, 2], ids=["s=2", "s=4", "s=6"])
def test_counts_agree_with_the_sheet_s_reference(row: tuple, which: int):
    rows, iterations, threshold, candidates, kept, recall = row
    [counts] = reference.sample(
        rows=rows, width=64, iterations=iterations, cuts=[((2.0, 4.0, 6.0)[which], threshold)],
        trials=60, seed=5,
    )  # fmt: skip
    # Rounding of the sheet (half its last digit) plus three standard errors of either draw.
    noise = 3 * np.sqrt(2) * np.array(counts.error)
    assert counts.candidates / rows == pytest.approx(candidates, abs=0.005 + noise[0] / rows)
    assert counts.kept_rows / rows == pytest.approx(kept[which], abs=0.005 + noise[1] / rows)
    assert recall[0] - noise[2] <= counts.recall <= recall[1] + noise[2]
