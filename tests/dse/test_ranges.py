"""How far each number of a design goes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.ranges import levels, outside, ranges
from dse.spec import Bounds, Rule


def number(toy, name, settings=None):
    return next(row for row in ranges(toy.TOY, settings or {}) if row.knob == name)


def test_a_rule_cuts_a_range_where_it_says(toy):
    """`lanes <= 4 chips`: one chip takes four of the eight lanes."""
    lanes = number(toy, "link.lanes", {"chips": 1})
    assert lanes.covered == ((1.0, 4.0),)
    assert lanes.refused == 5.0
    assert lanes.reason == "`link.lanes <= 4 chips` must hold; set link.lanes lower"
    assert lanes.above is None


def test_a_rule_may_leave_a_range_whole_and_refuse_beyond_it(toy):
    lanes = number(toy, "link.lanes", {"chips": 3})
    assert lanes.covered == ((1.0, 8.0),)
    assert lanes.refused is None
    assert lanes.above is not None
    assert (lanes.above.value, lanes.above.held, lanes.above.rule) == (12.0, True, True)


def test_a_rule_cuts_a_lower_end_too(toy):
    """Six lanes ask for two chips."""
    chips = number(toy, "chips", {"link.lanes": 6})
    assert chips.covered == ((2.0, 16.0),)
    assert chips.refused == 1.0


@pytest.mark.parametrize(
    ("knob", "value", "held"),
    [("clock", 0.0, False), ("overhead", 0.0, True), ("items", 1.0, True)],
)
def test_a_limit_is_the_one_of_the_field(toy, knob, value, held):
    below = number(toy, knob).below
    assert (below.value, below.held, below.rule) == (value, held, False)
    assert knob in below.reason


def test_an_upper_limit_and_none(toy):
    above = number(toy, "efficiency").above
    assert (above.value, above.held) == (1.0, True)
    assert number(toy, "clock").above is None


def test_a_cut_between_two_tried_values_is_found_exactly(toy):
    rule = Rule("clock <= 1.2345 GHz", lambda c: c.clock <= 1.2345e9, "set clock lower")
    clock = next(row for row in ranges(replace(toy.TOY, rules=(rule,)), {}) if row.knob == "clock")
    assert clock.covered == ((1e8, 1.2345e9),)
    assert clock.refused == pytest.approx(1.2345e9, rel=1e-9)
    assert clock.refused > 1.2345e9


def test_a_design_that_is_refused_for_another_reason_covers_no_value(toy):
    clock = number(toy, "clock", {"chip": "unfinished"})
    assert clock.covered == ()
    assert clock.refused == 1e8
    assert clock.reason == "chip: 'unfinished' has no known rate"
    assert clock.below is clock.above is None


@given(
    low=st.floats(0, 1e6),
    share=st.floats(1e-3, 1e6),
    log=st.booleans(),
    integer=st.booleans(),
)
def test_levels_stay_inside_and_the_rest_outside(low, share, log, integer):
    low, high = (np.floor(low), np.floor(low) + np.ceil(share)) if integer else (low, low + share)
    bounds = Bounds(float(low), float(high), log=log, integer=integer)
    inside = levels(bounds)
    assert inside[0] == low
    assert inside[-1] == high
    assert (np.diff(inside) > 0).all()
    below, above = outside(bounds, -1), outside(bounds, 1)
    assert below.size
    assert (below < low).all()
    assert (above > high).all()
    if integer:
        assert all((part == np.round(part)).all() for part in (inside, below, above))
