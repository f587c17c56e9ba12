"""Bounds: counts are those of pandas on the Parquet, and what binds is what frees most."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import sliders
from app.columns import Opened
from app.sliders import ANY, STEPS, Bound
from dse.errors import InputError
from dse.search import search
from dse.store import create

from . import toy as toys


@pytest.fixture
def opened(context) -> Opened:
    return context.opened()


@pytest.fixture
def stored(run) -> pd.DataFrame:
    return pd.read_parquet(run.path / "designs.parquet")


def bound(low: float, high: float, sign: float = 1.0) -> Bound:
    return Bound("latency<=", "latency", sign, "s", "Latency", None, low, high)


def test_each_constraint_has_a_bound_and_each_objective_without_one(opened):
    found = sliders.bounds(opened)
    assert list(found) == ["latency<=", "cost<="]
    assert (found["latency<="].start, found["cost<="].start) == (0.06, None)


def test_at_the_studys_bounds_as_many_remain_as_the_search_accepted(opened, stored):
    found = sliders.judged(opened, sliders.starting(sliders.bounds(opened)))
    assert found.count == stored["accepted"].sum()
    np.testing.assert_array_equal(found.remaining, stored["accepted"])


@pytest.mark.parametrize("latency", [None, 0.003, 0.02, 0.0205, 0.06, 1.0])
@pytest.mark.parametrize("cost", [None, 1500.0, 20_000.0])
def test_counts_are_those_of_pandas_on_the_parquet(opened, stored, latency, cost):
    found = sliders.judged(opened, {"latency<=": latency, "cost<=": cost})
    quick = stored["latency"] <= (np.inf if latency is None else latency)
    cheap = stored["cost"] <= (np.inf if cost is None else cost)
    assert found.count == (stored["feasible"] & quick & cheap).sum()
    freed = {
        "latency<=": (stored["feasible"] & cheap & ~quick).sum(),
        "cost<=": (stored["feasible"] & quick & ~cheap).sum(),
    }
    assert {key: found.freed.get(key, 0) for key in freed} == freed


def test_the_bound_that_binds_is_the_one_that_frees_most(opened):
    limits = {"latency<=": 0.02, "cost<=": 90_000.0}
    found = sliders.judged(opened, limits)
    assert found.binds == max(found.freed, key=found.freed.get)
    said = " ".join(sliders.told(opened, limits))
    assert f"{found.count} of 144 designs that can run remain" in said
    assert f"without it {found.freed[found.binds]} more would remain" in said


def test_without_limits_nothing_binds(opened):
    limits = {"latency<=": None, "cost<=": None}
    assert sliders.judged(opened, limits).binds is None
    assert sliders.told(opened, limits)[1] == "No bound leaves a design out."


def test_designs_that_miss_two_bounds_are_said_to(opened, stored):
    limits = {"latency<=": stored["latency"].min() / 2, "cost<=": stored["cost"].min() / 2}
    assert sliders.told(opened, limits)[1].startswith("Every design that is left out misses two")


def test_an_unknown_bound_is_refused(opened):
    with pytest.raises(InputError, match="latency<="):
        sliders.judged(opened, {"latencie<=": 1.0})


def test_unknown_values_remain_under_no_limit(toy, tmp_path, monkeypatch):
    question = toys.study()
    opened = Opened(search(question, create(question, output=tmp_path / "toy" / "one")).run)
    latency = opened.column("latency").copy()
    latency[:5] = np.nan
    opened._held["latency"] = latency
    assert sliders.judged(opened, {"latency<=": None, "cost<=": None}).count == 139
    assert sliders.judged(opened, {"latency<=": 1e9, "cost<=": None}).count == 139


@given(st.floats(1e-6, 1e6), st.floats(1.001, 1e6), st.integers(0, STEPS))
def test_a_place_of_the_slider_comes_back_from_its_limit(low, ratio, place):
    moved = bound(low, low * ratio)
    # four digits of a limit are coarser than a step where the ends are nearly equal
    slack = 1 if ratio > 1.5 else STEPS
    assert abs(moved.place(moved.value(place)) - place) <= slack


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_loose_end_of_a_slider_is_no_limit(sign):
    moved = bound(1.0, 9.0, sign)
    assert moved.value(moved.loose) is None
    assert moved.place(None) == moved.loose
    assert moved.value(STEPS - moved.loose) == (1.0 if sign > 0 else 9.0)


@pytest.mark.parametrize(
    ("text", "limit"),
    [("50 ms", 0.05), ("0.05", 0.05), ("any", None), ("", None), (" 2 s ", 2.0)],
)
def test_a_typed_limit_takes_units(text, limit):
    assert bound(0, 1).read(text) == limit


@pytest.mark.parametrize("text", ["50 apples", "5 GB", "nan", "inf"])
def test_a_typed_limit_that_is_none_says_the_way_out(text):
    with pytest.raises(InputError, match=f"Latency at most: .*'{ANY}'"):
        bound(0, 1).read(text)
