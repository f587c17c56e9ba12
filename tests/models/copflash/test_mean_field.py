"""The mean field of d-choices: the sheet's integration in time, its values, and the table's."""

import numpy as np
import pytest
from scipy.optimize import brentq

from models.copflash import mean_field

# share in use | pages | choices | amplification, by the sheet's own solver
SHEET = [
    (1 / 1.3, 64, 1, 4.3333),
    (1 / 1.3, 64, 2, 3.0854),
    (1 / 1.3, 64, 10, 2.3574),
    (1 / 1.3, 64, 50, 2.2986),
    (0.86, 16, 10, 3.3001),
    (0.86, 32, 10, 3.5441),
    (0.86, 32, 50, 3.4188),
    (0.86, 64, 10, 3.6865),
    (0.86, 64, 50, 3.5793),
]


def solved(used: float, pages: float, choices: float) -> float:
    """The amplification at a share in use, by the recursion without any table."""

    def miss(log_rate: float) -> float:
        return float(mean_field.stationary(rate=np.exp(log_rate), choices=choices, pages=pages)[0])

    rate = brentq(lambda x: miss(x) - used, np.log(0.05), np.log(400), xtol=1e-13)
    return 1 + float(mean_field.stationary(rate=np.exp(rate), choices=choices, pages=pages)[1])


def integrated(used: float, pages: int, choices: int) -> float:
    """The sheet's recipe: Euler steps of 0.3 rho / b, no renormalising, until it stands still."""
    valid = np.arange(pages + 1)
    share = np.zeros(pages + 1)
    low = int(np.floor(used * pages))
    share[low], share[low + 1] = low + 1 - used * pages, used * pages - low
    for _ in range(100_000):
        above = np.append(np.cumsum(share[::-1])[::-1], 0.0)
        victim = above[:-1] ** choices - above[1:] ** choices
        kept = valid @ victim
        flow = np.append(valid[1:] * share[1:], 0.0) - valid * share
        change = (pages - kept) / (pages * used) * flow - victim
        change[pages] += 1
        share = share + 0.3 * used / pages * change
        if np.max(np.abs(change)) < 1e-12:
            break
    return float(pages / (pages - kept))


@pytest.mark.parametrize(("used", "pages", "choices", "expected"), SHEET)
def test_the_recursion_gives_the_sheet_s_values(used, pages, choices, expected):
    # Four digits behind the point, and the ends of an integration.
    assert solved(used, pages, choices) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("pages", "choices"), [(16, 2), (16, 10), (32, 4)])
def test_the_recursion_is_where_the_sheet_s_integration_comes_to_rest(pages, choices):
    expected = integrated(0.86, pages, choices)
    assert solved(0.86, pages, choices) == pytest.approx(expected, rel=1e-9)


def test_one_choice_is_a_random_victim():
    rates = np.geomspace(0.2, 50, 30)
    used, excess = mean_field.stationary(rate=rates, choices=1.0, pages=64.0)
    np.testing.assert_allclose(1 + excess, 1 / (1 - used), rtol=1e-10)


def test_what_blocks_hold_and_what_is_moved_agree():
    # Summed over all states the balance reads b rho = c (b - k).
    used, excess = mean_field.stationary(rate=2.0, choices=7.0, pages=50.0)
    moved = 50 * excess / (1 + excess)
    assert 50 * used == pytest.approx(2.0 * (50 - moved), rel=1e-9)


def test_the_table_is_good_to_0_1_percent_and_to_0_6_percent_with_choices_near_pages():
    rng = np.random.default_rng(1)
    for _ in range(80):
        spare = np.exp(rng.uniform(np.log(0.02), np.log(4)))
        pages, choices = rng.integers(16, 600), rng.integers(1, 33)
        expected = solved(1 / (1 + spare), float(pages), float(choices))
        found = 1 + mean_field.mean_field_excess(spare=spare, pages=pages, choices=choices)
        near = 2 * choices >= pages
        assert found == pytest.approx(expected, rel=6e-3 if near else 1e-3)


def test_the_table_is_monotone_along_its_axes():
    table = mean_field.table()
    meant = np.exp(table.pages) >= 16  # smaller blocks wiggle by 2e-5 with 60 choices
    assert np.all(np.diff(table.excess, axis=0) < 0)
    assert np.all(np.diff(table.excess[..., meant], axis=1) <= 0)
    assert np.all(np.diff(table.excess, axis=2) >= -1e-12)


def test_beyond_its_edges_the_table_stays_finite():
    for spare in (1e-9, 1e3):
        for pages in (1.0, 1e5):
            for choices in (1.0, 1e4):
                found = mean_field.mean_field_excess(spare=spare, pages=pages, choices=choices)
                assert np.isfinite(found)
                assert found >= 0
