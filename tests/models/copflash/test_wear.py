"""Wear of two zones: the sheet's checks, the split that balances, and the limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.copflash import wear

properties = settings(derandomize=True, deadline=None, max_examples=60)
amounts = st.floats(1e-6, 1e6)
NO_END = np.inf


def life(fraction: float, slc_writes: float, tlc_writes: float, slc: float, tlc: float) -> float:
    """Life of a drive of size 1 that is written so much in a unit of time."""
    return float(
        wear.lifetime(
            slc_wear=wear.zone_wear(writes=slc_writes, size=fraction / 3, endurance=slc),
            tlc_wear=wear.zone_wear(writes=tlc_writes, size=1 - fraction, endurance=tlc),
            longest=NO_END,
        )
    )


@pytest.mark.parametrize(("share", "expected"), [(9.0, 0.5745), (1.0, 0.1304)])
def test_the_balanced_split_is_the_sheet_s(share: float, expected: float):
    found = wear.balanced_fraction(slc_writes=share, tlc_writes=1.0, endurance_ratio=1 / 20)
    assert found == pytest.approx(expected, abs=5e-5)


def test_at_nine_to_one_two_zones_last_4_255_times_as_long_as_tlc_alone():
    # f = 1.35 / 2.35; SLC: (f / 3) 20 PE / 9, TLC: (1 - f) PE / 1; alone: PE / 10.
    # 10 (f / 3) 20 / 9 = 10 (1 - f) = 4.2553.
    alone = life(0.0, 0.0, 10.0, 60000, 3000)
    both = life(1.35 / 2.35, 9.0, 1.0, 60000, 3000)
    assert both / alone == pytest.approx(10 / 2.35, rel=1e-12)


@properties
@given(a=amounts, b=amounts, ratio=st.floats(0.01, 1))
def test_the_balanced_split_wears_both_zones_alike_and_no_other_lasts_longer(a, b, ratio):
    found = float(wear.balanced_fraction(slc_writes=a, tlc_writes=b, endurance_ratio=ratio))
    slc, tlc = 3000 / ratio, 3000.0
    best = life(found, a, b, slc, tlc)
    for other in np.linspace(0.001, 0.999, 50):
        assert life(float(other), a, b, slc, tlc) <= best * (1 + 1e-9)
    if 1e-6 < found < 1 - 1e-6:
        first = wear.zone_wear(writes=a, size=found / 3, endurance=slc)
        second = wear.zone_wear(writes=b, size=1 - found, endurance=tlc)
        assert first == pytest.approx(float(second), rel=1e-8)


@pytest.mark.parametrize(("a", "b", "expected"), [(0, 0, 0), (1, 0, 1), (0, 1, 0)])
def test_traffic_of_one_kind_takes_all_blocks_and_no_traffic_none(a, b, expected):
    found = wear.balanced_fraction(
        slc_writes=float(a), tlc_writes=float(b), endurance_ratio=1 / 20
    )
    assert found == expected


def test_two_bits_of_four_balance_with_half_the_pages():
    found = wear.balanced_fraction(
        slc_writes=1.0, tlc_writes=1.0, endurance_ratio=1.0, pages_ratio=0.5
    )
    assert found == pytest.approx(2 / 3, rel=1e-12)


def test_wear_has_no_holes():
    def worn(writes: float, size: float) -> float:
        return float(wear.zone_wear(writes=writes, size=size, endurance=3000.0))

    assert worn(0.0, 0.0) == 0
    assert worn(0.0, 1.0) == 0
    assert worn(1.0, 0.0) == np.inf
    assert wear.lifetime(slc_wear=np.inf, tlc_wear=0.0, longest=9.0) == 0
    assert wear.lifetime(slc_wear=0.0, tlc_wear=0.0, longest=9.0) == 9


def test_the_imbalance_runs_from_minus_one_to_one():
    slc = np.array([0.0, 1.0, 1.0, np.inf, np.inf, 0.0])
    tlc = np.array([1.0, 0.0, 1.0, 1.0, np.inf, 0.0])
    found = wear.wear_imbalance(slc_wear=slc, tlc_wear=np.where(np.isinf(tlc), 1e300, tlc))
    np.testing.assert_array_equal(found, [-1, 1, 0, 1, 1, 0])


def test_capacity_falls_by_two_thirds_of_the_share():
    assert wear.capacity(raw=1.0, fraction=0.3, bits_ratio=1 / 3) == pytest.approx(0.8, rel=1e-12)
    assert wear.capacity(raw=3.0, fraction=1.0, bits_ratio=1 / 3) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("writable", "capacity", "expected"), [(45e12, 80e9, 0.308), (3504e12, 1.92e12, 1.000)]
)
def test_drive_writes_per_day_of_rated_drives(writable, capacity, expected):
    found = wear.drive_writes_per_day(writable=writable, capacity=capacity, days=5 * 365)
    assert found == pytest.approx(expected, abs=5e-4)
