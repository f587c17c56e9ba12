"""The drive and its fixed point: closed where it is, bracketed where it is not."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import registry
from dse.errors import InputError
from dse.spec import Mask, leaf
from models.codesign.compiling import compiled
from models.codesign.drive import (
    LEAST,
    MOST,
    balanced,
    imbalance,
    widest_zone,
    write_amplification,
)
from models.codesign.platform import Platform
from models.codesign.rows import Switch, Zones
from models.codesign.training import Trained, split_bounds, step
from models.copflash.amplification import lru

from .drawn import drawn
from .worked import W1, priced

BAR = 1e-9
"""On |e_S / e_T - 1|; the bracketing stops at 1e-12."""


def adaptive(count: int, *, seed: int, lii: float | None = None) -> Trained:
    """Steps of random training platforms whose two zones EADM sizes."""
    columns: dict[str, object] = {
        "drive.zones": Zones(cache=leaf(0.0), dual=leaf(1.0)),
        "drive.eadm": Switch(on=leaf(1.0)),
    }
    if lii is not None:
        columns["drive.lii"] = Switch(on=leaf(lii))
    config = Platform.batched(columns, drawn(count, seed=seed))
    with np.errstate(all="ignore"):
        return step(config, compiled(config))


def interior(one: Trained) -> Mask:
    low, high = split_bounds(one.load)
    between = (one.fraction > low * (1 + 1e-12)) & (one.fraction < high * (1 - 1e-12))
    return between & np.isfinite(one.traffic.time)


@pytest.mark.parametrize("seed", range(8))
def test_both_zones_wear_alike_inside_the_bounds_of_a_million_designs(seed: int) -> None:
    # 8 x 131,072 designs; unknown peaks leave the time unknown, and nothing else is.
    one = adaptive(2**17, seed=seed)
    known = np.isfinite(one.load.forward)
    assert np.isfinite(one.fraction[known]).all()
    assert np.isfinite(one.traffic.time[known]).all()
    rows = interior(one)
    assert rows.sum() > 1000
    assert np.abs(one.slc_wear / one.tlc_wear - 1)[rows].max() <= BAR


def test_beyond_the_bounds_the_worse_zone_is_the_one_that_cannot_grow() -> None:
    one = adaptive(2**15, seed=3)
    low, high = split_bounds(one.load)
    known = np.isfinite(one.traffic.time) & (high > 0) & (one.load.short > 0)
    top = known & (one.fraction >= high * (1 - 1e-12)) & (low < high)
    bottom = known & (one.fraction <= low * (1 + 1e-12)) & (low < high)
    assert (one.slc_wear >= one.tlc_wear * (1 - BAR))[top].all()
    assert (one.slc_wear <= one.tlc_wear * (1 + BAR))[bottom].all()


def test_with_lii_the_step_does_not_depend_on_the_split() -> None:
    one = adaptive(2**13, seed=5, lii=1.0)
    low, high = split_bounds(one.load)
    known = np.isfinite(one.traffic.time) & (low < high)
    few = type(one.load)(*(np.broadcast_to(f, known.shape)[known] for f in one.load))
    closed = one.fraction[known]
    searched = balanced(low[known], high[known], few)
    np.testing.assert_allclose(searched, closed, rtol=1e-9)


def test_imbalance_falls_with_the_split() -> None:
    one = adaptive(2**12, seed=6, lii=0.0)
    low, high = split_bounds(one.load)
    known = np.isfinite(one.traffic.time) & (low < high) & (one.load.short > 0)
    load = type(one.load)(*(np.broadcast_to(f, known.shape)[known] for f in one.load))
    low, high = low[known], high[known]
    steps = [imbalance(low + share * (high - low), load) for share in np.linspace(0, 1, 9)]
    # Time moves by garbage collection, so a step may rise by its last digits.
    assert (np.diff(steps, axis=0) <= 1e-9).all()


@given(st.floats(LEAST, MOST))
def test_the_table_follows_the_law_of_the_copflash_page(spare: float) -> None:
    # Five digits, as the sheet asks: 2048 nodes in ln OP over four decades, linear between.
    law = float(lru(spare=np.asarray(spare)))
    assert float(write_amplification(spare=np.asarray(spare))) == pytest.approx(law, rel=1e-5)


def test_a_full_zone_costs_what_the_narrowest_spare_costs() -> None:
    none, least = (write_amplification(spare=np.asarray(s)) for s in (0.0, LEAST))
    assert float(none) == float(least)
    assert float(write_amplification(spare=np.asarray(1e9))) == pytest.approx(1.0, abs=1e-12)


def test_the_widest_zone_leaves_live_data_its_spare() -> None:
    found = widest_zone(live=np.asarray(5e11 + 32 * 353453056), capacity=np.asarray(4.096e12))
    assert float(found) == pytest.approx(0.866430, abs=5e-7)


@pytest.mark.parametrize("zones", ["tlc", "cache", "dual"])
@pytest.mark.parametrize("offload", ["off", "on"])
@pytest.mark.parametrize("lii", ["off", "on"])
def test_no_corner_is_unknown(zones: str, offload: str, lii: str) -> None:
    corner = W1 | {"drive.zones": zones, "train.offload": offload, "drive.lii": lii}
    for extra in ({}, {"train.dataset": 0, "train.refresh": 0}, {"train.batch": 1}):
        found = priced(corner | extra)
        assert all(v is not None for k, v in found.items() if k != "recovery_time")


def test_a_dataset_larger_than_the_drives_does_not_fit() -> None:
    assert priced(W1 | {"train.dataset": 8e12})["feasible"] is False


def test_short_data_that_spills_must_find_room_beside_the_dataset() -> None:
    # 951 GB live and 497 GB spilled do not fit 1.024 TB of TLC; half the batch does not either,
    # 100 GB of data do.
    full: dict[str, Any] = {
        "workload": "gpt2-345m",
        "train.mode": "train",
        "train.gpu": "h100-pcie-80gb",
        "train.batch": 512,
        "drive.dies": 16,
        "drive.zones": "tlc",
        "train.dataset": "940 GB",
        "train.jobs_per_year": 10,
    }
    assert priced(full)["feasible"] is False
    assert priced(full | {"train.dataset": "100 GB"})["feasible"] is True


def test_only_two_zones_sort_by_lifetime() -> None:
    for zones in ("tlc", "cache"):
        sorted_, plain = (
            priced(W1 | {"drive.zones": zones, "drive.lii": lii}) for lii in ("on", "off")
        )
        assert sorted_ == plain


def test_cells_of_another_die_are_refused() -> None:
    with pytest.raises(InputError, match="fewer bits a cell"):
        priced(W1 | {"drive.slc": "tlc-3d"})


def test_the_page_prices_the_default_drive_catalog() -> None:
    assert {"slc-mode", "tlc-3d"} <= registry.devices("nand").keys()
