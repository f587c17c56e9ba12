"""Laws of write amplification: the sheet's table, each against the others, and their limits."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from models.copflash import amplification as laws

properties = settings(derandomize=True, deadline=None, max_examples=60)
spares = st.floats(0.02, 4)
blocks = st.integers(16, 1024).map(float)

ROUNDED = 5.1e-5
"""The sheet prints four digits behind the point."""

# OP | LRU | Agarwal | greedy with b = 32, 64, 128, 256
TABLE = np.array(
    [
        [0.05, 10.6721, 10.5, 8.0771, 9.1918, 9.8759, 10.2583],
        [0.07, 7.8172, 7.6429, 6.3427, 7.0014, 7.3863, 7.5955],
        [0.10, 5.6775, 5.5, 4.8699, 5.2418, 5.4507, 5.5617],
        [0.15, 4.0160, 3.8333, 3.6050, 3.7989, 3.9043, 3.9594],
        [0.20, 3.1878, 3.0, 2.9296, 3.0529, 3.1188, 3.1529],
        [0.25, 2.6927, 2.5, 2.5105, 2.5982, 2.6446, 2.6684],
        [0.28, 2.4814, 2.2857, 2.3279, 2.4020, 2.4410, 2.4610],
        [0.30, 2.3642, 2.1667, 2.2257, 2.2927, 2.3279, 2.3459],
        [0.40, 1.9569, 1.75, 1.8649, 1.9097, 1.9330, 1.9449],
        [0.50, 1.7158, 1.5, 1.6473, 1.6808, 1.6981, 1.7069],
        [1.00, 1.2550, 1.0, 1.2229, 1.2387, 1.2468, 1.2509],
    ]
)
SPARE = TABLE[:, 0]
PAGES = np.array([32.0, 64.0, 128.0, 256.0])

# writes to | data of the hot pool | OP | least amplification | share of the spare to the hot pool
HOT_COLD = [
    (0.8, 0.2, 0.07, 5.2539, 0.499),
    (0.8, 0.2, 0.28, 1.8655, 0.491),
    (0.9, 0.1, 0.07, 3.2705, None),
    (0.9, 0.1, 0.28, 1.4119, None),
    (0.95, 0.05, 0.07, 2.0860, None),
    (0.95, 0.05, 0.28, 1.1701, None),
    (0.5, 0.5, 0.07, 7.8172, 0.5),
    (0.5, 0.5, 0.28, 2.4814, 0.5),
]


def test_the_closed_forms_give_the_sheet_s_table():
    np.testing.assert_allclose(laws.lru(spare=SPARE), TABLE[:, 1], atol=ROUNDED)
    np.testing.assert_allclose(laws.agarwal(spare=SPARE), TABLE[:, 2], atol=ROUNDED)
    found = laws.greedy(spare=SPARE[:, None], pages=PAGES)
    np.testing.assert_allclose(found, TABLE[:, 3:], atol=ROUNDED)


@properties
@given(spare=st.floats(1e-9, 30))
def test_lru_solves_its_own_equation(spare: float):
    # alpha = -ln(u) / (1 - u) with A = 1 / (1 - u), in y = 1 - u: free of the cancelling near 1.
    def miss(y: float) -> float:
        return (-np.log1p(-y) - y) / y - spare

    if spare < 1e-4:  # there even this form cancels: the first terms of its inverse
        expected = 1 / (2 * spare * (1 - 4 / 3 * spare + 14 / 9 * spare**2))
    else:
        expected = 1 / brentq(miss, 1e-6, 1 - 1e-15, xtol=1e-16, rtol=1e-15)
    assert laws.lru(spare=spare) == pytest.approx(expected, rel=2e-9)


def test_lru_has_no_jump_where_the_series_takes_over():
    edge = laws.SERIES_BELOW
    below, above = laws.lru(spare=np.array([edge * (1 - 1e-9), edge]))
    assert below == pytest.approx(above, rel=3e-9)


@properties
@given(spare=spares)
def test_greedy_with_endless_blocks_is_lru(spare: float):
    found = laws.greedy(spare=spare, pages=1e7)
    assert found == pytest.approx(float(laws.lru(spare=spare)), rel=1e-5)


@properties
@given(spare=st.floats(0.02, 2), pages=blocks)
def test_laws_lie_in_the_order_of_what_they_know(spare: float, pages: float):
    greedy = laws.greedy(spare=spare, pages=pages)
    lru, random = laws.lru(spare=spare), laws.random_victim(spare=spare)
    assert 1 <= greedy <= lru * (1 + 1e-12)
    assert lru <= random


@properties
@given(spare=st.floats(0.02, 1), pages=blocks, choices=st.floats(1, 32))
def test_d_choices_lie_between_random_and_greedy(spare: float, pages: float, choices: float):
    found = laws.d_choices(spare=spare, pages=pages, choices=choices)
    # The table is good to 0.6 %, and the closed form of greedy to 0.3 % at 16 pages.
    assert found <= laws.random_victim(spare=spare) * 1.006
    assert found >= laws.greedy(spare=spare, pages=pages) * 0.991


LAWS = {
    "random": laws.random_victim,
    "lru": laws.lru,
    "agarwal": laws.agarwal,
    "greedy": partial(laws.greedy, pages=64.0),
    "d_choices": partial(laws.d_choices, pages=64.0, choices=10.0),
}


@pytest.mark.parametrize("name", LAWS)
def test_more_spare_never_amplifies_more_and_none_goes_below_1(name: str):
    spare = np.geomspace(1e-6, 1e3, 4000)
    found = LAWS[name](spare=spare)
    assert np.all(np.diff(found) <= 1e-9 * found[:-1])
    assert np.all(found >= 1)
    assert found[-1] == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("name", LAWS)
def test_no_law_warns_or_loses_itself_at_the_ends(name: str):
    found = LAWS[name](spare=np.array([0.0, 1e-12, 1e6, np.inf]))
    assert not np.any(np.isnan(found))
    assert np.all(np.isfinite(found[1:]))
    assert np.all(found[2:] >= 1)


@pytest.mark.parametrize("name", ["random", "lru", "agarwal"])
def test_without_spare_there_is_no_end_of_cleaning(name: str):
    assert LAWS[name](spare=0.0) == np.inf


@pytest.mark.parametrize(("writes", "data", "spare", "least", "split"), HOT_COLD)
def test_hot_and_cold_apart_give_the_sheet_s_rows(writes, data, spare, least, split):
    found = laws.best_split(spare=spare, writes=writes, data=data)
    price = laws.separated(spare=spare, writes=writes, data=data, split=found)
    assert price == pytest.approx(least, abs=ROUNDED)
    if split is not None:
        assert found == pytest.approx(split, abs=6e-4)


def test_half_the_spare_to_each_pool_is_near_the_best():
    for writes, data, spare, least, _ in HOT_COLD:
        half = laws.separated(spare=spare, writes=writes, data=data, split=0.5)
        # The sheet's rule; worst at 95/5 with OP 0.28, where it costs 0.65 %.
        assert least - ROUNDED <= half <= 1.007 * least


@properties
@given(spare=st.floats(0.03, 0.6), writes=st.floats(0.05, 0.95), data=st.floats(0.05, 0.95))
def test_the_best_split_is_a_minimum_and_never_worse_than_mixing(spare, writes, data):
    law = partial(laws.greedy, pages=64.0)
    found = laws.best_split(spare=spare, writes=writes, data=data, law=law)
    price = partial(laws.separated, spare=spare, writes=writes, data=data, law=law)
    beside = minimize_scalar(lambda a: float(price(split=a)), bounds=(1e-6, 1 - 1e-6))
    assert price(split=found) <= beside.fun * (1 + 1e-6)
    # With the share of its data each pool has the drive's own spare: that is mixing.
    assert price(split=data) == pytest.approx(float(law(spare=spare)), rel=1e-9)
    assert price(split=found) <= law(spare=spare) * (1 + 1e-9)


@pytest.mark.parametrize("writes", [0.0, 1.0])
@pytest.mark.parametrize("data", [0.0, 1.0])
def test_a_pool_that_is_never_written_costs_nothing(writes: float, data: float):
    found = laws.separated(spare=0.1, writes=writes, data=data, split=writes)
    assert found == pytest.approx(1.0 if writes != data else 5.6775, abs=ROUNDED)


def test_trimmed_space_is_spare():
    # A quarter of the space trimmed: 1.2 / 0.75 - 1 = 0.6.
    assert laws.live_spare(spare=0.2, filled=0.75) == pytest.approx(0.6, rel=1e-12)
    assert laws.live_spare(spare=0.2, filled=1.0) == pytest.approx(0.2, rel=1e-12)
