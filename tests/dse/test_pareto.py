"""Fronts against a reference that compares every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dse.pareto import distance, grounded, hypervolume, knee, nondominated
from dse.spec import Array, Mask


def reference(points: Array) -> Mask:
    """Rows that no other row beats: nowhere worse and somewhere better."""
    no_worse = (points[:, None, :] <= points[None, :, :]).all(axis=2)
    better = (points[:, None, :] < points[None, :, :]).any(axis=2)
    return ~(no_worse & better).any(axis=0)


@st.composite
def clouds(draw: st.DrawFn) -> Array:
    """Points of few distinct values, so that ties and doubles are common."""
    rows, columns = draw(st.integers(0, 40)), draw(st.integers(1, 5))
    value = st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, -1.0, 1e-300, -1e300, 1e300])
    flat = draw(st.lists(value, min_size=rows * columns, max_size=rows * columns))
    return np.array(flat, dtype=np.float64).reshape(rows, columns)


@given(clouds())
def test_the_front_is_that_of_comparing_every_pair(points: Array):
    np.testing.assert_array_equal(nondominated(points), reference(points))


@given(st.integers(0, 2**32), st.integers(1, 5))
def test_the_front_of_random_points_is_that_of_comparing_every_pair(seed: int, columns: int):
    points = np.random.default_rng(seed).normal(size=(200, columns))
    np.testing.assert_array_equal(nondominated(points), reference(points))


@given(clouds())
def test_any_memory_layout_gives_the_same_front(points: Array):
    whole = np.zeros((2 * len(points), points.shape[1]))
    whole[::2] = points
    for view in (np.asfortranarray(points), whole[::2]):
        np.testing.assert_array_equal(nondominated(view), nondominated(points))


def test_equal_points_are_all_kept():
    points = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0], [1.0, 2.0]])
    np.testing.assert_array_equal(nondominated(points), [True, True, False, True])


def test_no_points_have_no_front():
    assert nondominated(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize("row", [0, 3])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_objective_that_cannot_be_ranked_is_refused_instead_of_breaking_the_front(
    row: int, value: float
):
    points = np.arange(12.0).reshape(4, 3)
    points[row, 1] = value
    with pytest.raises(ValueError, match="mask other rows before the front"):
        nondominated(points)


@given(
    st.integers(1, 4).flatmap(
        lambda width: arrays.arrays(
            np.float64, (9, width), elements=st.sampled_from([-np.inf, 0.0, 1.0, 2.0])
        )
    )
)
def test_what_is_infinitely_good_beats_every_number(points: Array):
    np.testing.assert_array_equal(nondominated(points), reference(points))
    low = grounded(points)
    assert np.isfinite(low).all()
    for before, after in zip(points.T, low.T, strict=True):  # the order stays as it was
        np.testing.assert_array_equal(
            np.unique(before, return_inverse=True)[1], np.unique(after, return_inverse=True)[1]
        )


def test_the_infinitely_good_stands_one_range_below_the_finite():
    points = np.array([[-np.inf, 1.0], [3.0, 2.0], [5.0, 0.0]])
    np.testing.assert_array_equal(grounded(points), [[1.0, 1.0], [3.0, 2.0], [5.0, 0.0]])
    np.testing.assert_array_equal(distance(points), [0.25, 0.25 + 1, 1.0])
    assert knee(points) == 0


@pytest.mark.parametrize(
    ("points", "volume"),
    [
        ([[1.0, 1.0]], 4.0),
        ([[1.0, 2.0], [2.0, 1.0]], 3.0),
        ([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0]], 3.0),
        ([[0.0, 0.0], [1.0, 1.0]], 9.0),
        ([[3.0, 0.0]], 0.0),
        ([[4.0, -1.0], [1.0, 1.0]], 4.0),
    ],
)
def test_the_volume_below_three_by_hand(points: list[list[float]], volume: float):
    assert hypervolume(np.array(points), np.array([3.0, 3.0])) == volume


def test_the_volume_of_no_points_is_zero():
    assert hypervolume(np.empty((0, 2)), np.array([1.0, 1.0])) == 0.0


def test_the_volume_in_one_and_three_dimensions_by_hand():
    assert hypervolume(np.array([[1.0], [2.0]]), np.array([5.0])) == 4.0
    corners = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    assert hypervolume(corners, np.array([2.0, 2.0, 2.0])) == 2 + 2 - 1


@given(st.integers(0, 2**32))
def test_more_points_never_dominate_less(seed: int):
    points = np.random.default_rng(seed).random((30, 3))
    ends = np.ones(3)
    volumes = [hypervolume(points[:n], ends) for n in range(0, 31, 5)]
    assert (np.diff(volumes) >= -1e-12).all()  # sums in another order round


def test_the_knee_is_nearest_to_the_ideal_after_scaling():
    assert knee(np.array([[0.0, 100.0], [0.2, 20.0], [1.0, 0.0]])) == 1
    assert knee(np.array([[0.0, 1.0], [0.9, 0.9], [1.0, 0.0]])) == 0


def test_the_knee_of_equal_points_is_the_first():
    assert knee(np.array([[1.0, 2.0], [1.0, 2.0]])) == 0
