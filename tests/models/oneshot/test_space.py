"""Knob space: points and knobs are one and the same, and only rows of the table exist."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from models.oneshot.annealing import walked
from models.oneshot.space import NOWHERE, Space, features, space_of

radices = st.lists(st.integers(1, 6), min_size=1, max_size=6).filter(lambda r: max(r) > 1)


def whole(sizes: list[int]) -> Space:
    return Space(tuple(sizes), np.arange(np.prod(sizes), dtype=np.int64))


@given(sizes=radices)
def test_knobs_and_points_are_a_bijection(sizes: list[int]):
    space = whole(sizes)
    knobs = space.point2knob(space.points)
    assert (knobs >= 0).all()
    assert (knobs < np.array(sizes)).all()
    assert len(np.unique(knobs, axis=0)) == len(space.points)
    assert (space.knob2point(knobs) == space.points).all()


def test_the_first_knob_runs_fastest_as_in_autotvm():
    # 17 = 1 + 2 (0 + 3 (2 + 4 x 0)) + ... by hand: 17 % 2 = 1, 8 % 3 = 2, 2 % 4 = 2.
    assert whole([2, 3, 4]).point2knob(np.array([17])).tolist() == [[1, 2, 2]]


@given(sizes=radices, seed=st.integers(0, 99))
def test_a_walk_changes_exactly_one_knob(sizes: list[int], seed: int):
    space, rng = whole(sizes), np.random.default_rng(seed)
    start = rng.choice(space.points, 50)
    there = walked(space, start, rng)
    moved = space.point2knob(there) != space.point2knob(start)
    assert (moved.sum(axis=1) == 1).all()
    assert (space.rows(there) != NOWHERE).all()


def test_rows_are_found_by_point_and_holes_are_nowhere():
    values = np.array([[1.0, 8.0], [2.0, 4.0], [1.0, 4.0]])
    space, order = space_of(values)
    # Knob one has 1, 2 and knob two has 4, 8: points 0 (1, 4), 1 (2, 4), 2 (1, 8); 3 is a hole.
    assert space.points.tolist() == [0, 1, 2]
    assert order.tolist() == [2, 1, 0]
    assert space.rows(np.array([2, 3, 0, 99])).tolist() == [2, NOWHERE, 0, NOWHERE]


def test_a_variant_stands_once():
    with pytest.raises(InputError, match="stands once"):
        space_of(np.array([[1.0, 2.0], [1.0, 2.0]]))


def test_a_space_that_64_bits_cannot_count_is_refused():
    with pytest.raises(InputError, match="2\\^62"):
        space_of(np.random.default_rng(0).random((2**8, 9)))


def test_features_are_centred_and_leave_out_what_never_varies():
    values = np.array([[1.0, 5.0, 32.0], [2.0, 6.0, 32.0], [4.0, 5.0, 32.0]])
    found = features(values, words=16)
    # Knob one: its log and three marks; knob two: its log alone; knob three: nothing.
    assert found.shape == (3, 5)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0), 1, rtol=1e-12)
    with pytest.raises(InputError, match="two values"):
        features(np.ones((3, 2)), words=16)
