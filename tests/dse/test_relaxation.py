"""Single changes and loosened bounds, held against the pricing of each design by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dse import registry
from dse.evaluate import evaluate
from dse.margins import bounds
from dse.pareto import nondominated
from dse.relaxation import Change, Neighbourhood, around, measure, neighbourhood
from dse.space import Space, parse_constraint
from dse.spec import Config
from dse.standing import beats
from dse.study import Study, overlaid
from dse.winners import points_of
from tests.dse import toy as toys

SHARED = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""The fixture only makes the registry know the toy, which is the same for every example."""

DESIGNS = st.fixed_dictionaries(
    {
        "chip": st.sampled_from(["tiny", "small", "large", "unpriced"]),
        "chips": st.sampled_from([1.0, 2.0, 3.0, 4.0]),
        "link.lanes": st.sampled_from([1.0, 2.0, 4.0, 7.0]),
        "link.bandwidth": st.sampled_from([1e9, 2e9, 5e9, 8e9, 32e9]),
        "cached": st.sampled_from([0.0, 1.0]),
        "cache": st.sampled_from([1e6, 5e6, 64e6]),
    }
)
BOUNDS = st.lists(
    st.sampled_from(["latency <= 50 ms", "energy <= 5 J", "cost <= 1000 USD", "power >= 40 W"]),
    max_size=2,
    unique=True,
)


def priced(study: Study, laid: Mapping[str, object]) -> Any:
    """The verdict on one design by itself."""
    alone = Space(around(study.space, configure(study, laid)).base, ())
    return evaluate(Study(**{**vars(study), "space": alone}), {})


def configure(study: Study, laid: Mapping[str, object]) -> Config:
    return registry.starting_point(study.page, overlaid({"items": 8}, laid))


def applied(design: Mapping[str, object], change: Change) -> dict[str, object]:
    return {**design, change.knob: change.value, **change.opens}


def nearer(near: Neighbourhood, change: Change) -> list[object]:
    """Levels of a numeric knob that lie nearer than where the change goes."""
    axis = near.space.by_path[change.knob]
    if axis.rows:
        return []
    levels = near.table[change.knob][near.knob == near.space.axes.index(axis)]

    def far(value: Any) -> Any:
        if axis.log:
            return abs(np.log(value / axis.default))
        return abs(value - axis.default)

    return list(levels[far(levels) < far(change.value)][-8:])


@SHARED
@given(design=DESIGNS, constraints=BOUNDS)
def test_a_change_makes_the_design_accepted_and_no_nearer_level_does(
    toy: Any, design: dict[str, object], constraints: list[str]
) -> None:
    study = toys.study(constraints=constraints)
    near = neighbourhood(study, configure(study, design))
    assert near.table["accepted"][0] == priced(study, design)["accepted"][0]
    for change in near.nearest(near.table["accepted"], measure(near, None)):
        laid = applied(design, change)
        assert priced(study, laid)["accepted"][0]
        for level in nearer(near, change):
            assert not priced(study, {**laid, change.knob: level})["accepted"][0]


@SHARED
@given(design=DESIGNS, constraints=BOUNDS)
def test_a_knob_without_a_change_has_no_level_that_does(
    toy: Any, design: dict[str, object], constraints: list[str]
) -> None:
    study = toys.study(constraints=constraints)
    near = neighbourhood(study, configure(study, design))
    able = {c.knob for c in near.nearest(near.table["accepted"], measure(near, None))}
    for path in set(near.moved) - able:
        axis = study.space.by_path[path]
        for level in axis.grid[:4]:
            value = axis.labels[int(level)] if axis.rows else float(level)
            if value != design[path]:
                assert not priced(study, {**design, path: value})["accepted"][0]


@SHARED
@given(design=DESIGNS, limits=st.tuples(st.floats(1e-3, 1.0), st.floats(100, 1e4)))
def test_a_loosened_bound_is_met_and_hardly_looser_than_it_must_be(
    toy: Any, design: dict[str, object], limits: tuple[float, float]
) -> None:
    latency, cost = limits
    study = toys.study(constraints=[f"latency <= {latency} s", f"cost <= {cost} USD"])
    near = neighbourhood(study, configure(study, design))
    units = {name: metric.unit for name, metric in study.metrics.items()}
    passing = []
    for bound in bounds(near):
        assert bound.missed == (bound.constraint.violation(np.array([bound.value]))[0] > 0)
        if bound.loosened:
            looser = parse_constraint(bound.loosened, units)
            assert looser.violation(np.array([bound.value]))[0] == 0
            assert looser.limit <= bound.value * 1.011
            passing.append(looser)
    missed = [bound for bound in bounds(near) if bound.missed]
    for bound in missed:
        assert not bound.alone or (len(missed) == 1 and near.table["feasible"][0])
    if passing and len(passing) == len(missed):
        met = [b.constraint for b in bounds(near) if not b.missed]
        asked = Study(**{**vars(study), "constraints": (*met, *passing)})
        known = np.isfinite(near.table["cost"][0])
        assert priced(asked, design)["accepted"][0] == (near.table["feasible"][0] and known)


@SHARED
@given(
    points=st.lists(
        st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, -np.inf])] * 3), min_size=1, max_size=12
    )
)
def test_who_dominates_agrees_with_the_exact_front(points: list[tuple[float, ...]]) -> None:
    values = np.array(points)
    over = beats(values, values)
    np.testing.assert_array_equal(~over.any(axis=1), nondominated(values))
    for loser, winner in zip(*np.nonzero(over), strict=True):
        assert (values[winner] <= values[loser]).all()
        assert (values[winner] < values[loser]).any()


def test_what_differs_by_rounding_alone_does_not_dominate() -> None:
    point = np.array([[0.1 + 0.2, 1.0]])
    assert not beats(np.array([[0.3, 1.0]]), point).any()
    assert beats(np.array([[0.3, 0.9]]), point).all()


def test_an_unknown_objective_is_dominated_by_none() -> None:
    assert not beats(np.zeros((1, 2)), np.array([[np.nan, 1.0]])).any()


def test_every_other_level_of_every_knob_in_use_is_priced_once(toy: Any) -> None:
    study = toys.study()
    near = neighbourhood(study, configure(study, {"chips": 3, "link.bandwidth": 3e9}))
    # chip 4 - 1, chips 3 + 0, lanes 3, cached 1, bandwidth 257 and 3 of a coarser grid in them
    rows = {path: int((near.knob == i).sum()) for i, path in enumerate(study.space.by_path)}
    assert (rows["chip"], rows["chips"], rows["link.lanes"], rows["cached"]) == (3, 3, 3, 1)
    assert rows["cache"] == 0
    assert rows["link.bandwidth"] in (257, 258)
    designs = np.stack([near.table[path] for path in study.space.by_path], axis=1)
    assert len(np.unique(designs, axis=0)) == len(designs)
    differ = (designs[1:] != designs[0]).sum(axis=1)
    assert differ.max() == 1  # the cache keeps the design's own size, which is on its axis


def test_a_design_beyond_the_study_is_priced_as_it_stands(toy: Any) -> None:
    study = toys.study()
    mine = {"chip": "large", "chips": 3, "link.lanes": 2, "clock": 2e9}
    near = neighbourhood(study, configure(study, mine))
    assert near.table["cost"][0] == 3 * 6000 + 2 * 50
    assert near.outside == {
        "chips": "3; the study tries 1, 2, 4",
        "link.lanes": "2; the study tries 1, 4, 7",
        "clock": "2 GHz; the study fixes 1 GHz",
    }
    assert not near.inside.any()


def test_a_row_that_is_no_choice_of_the_study_is_kept_but_never_proposed(toy: Any) -> None:
    study = toys.study(space={**toys.SPACE, "chip": ["tiny", "small"]})
    near = neighbourhood(study, configure(study, {"chip": "large"}))
    assert near.outside["chip"] == "large; the study tries tiny, small"
    by_knob = everything(near)
    assert (by_knob["chip"].was, by_knob["chip"].value) == ("large", "tiny")
    assert by_knob["chip"].others == 1


def everything(near: Neighbourhood) -> dict[str, Change]:
    """The nearest change of each knob to anything at all."""
    found = near.nearest(np.ones(len(near.table), dtype=np.bool_), measure(near, None))
    return {change.knob: change for change in found}


@pytest.mark.parametrize(("log", "nearest"), [(False, 16.0), (True, 32.0)])
def test_near_is_by_ratio_on_an_axis_that_is_even_in_the_logarithm(
    toy: Any, log: bool, nearest: float
) -> None:
    # 23 lies 7 above 16 and 9 below 32, but 1.44 times 16 and a 1.39th of 32
    doubled = {"low": 1, "high": 1024, "levels": 11, "log": True}
    axis = doubled if log else [1, 2, 4, 8, 16, 32, 64]
    study = toys.study(space={"items": axis}, set={})
    near = neighbourhood(study, registry.starting_point(study.page, {"items": 23}))
    assert everything(near)["items"].value == nearest


@pytest.mark.parametrize(("has", "takes"), [(5e6, 1e6), (60e6, 64e6), (64e6, 64e6)])
def test_a_knob_that_is_opened_starts_where_the_study_tries_it(
    toy: Any, has: float, takes: float
) -> None:
    study = toys.study()
    near = neighbourhood(study, configure(study, {"cached": 0, "cache": has, "link.lanes": 1}))
    assert "cache" not in near.outside
    assert dict(everything(near)["cached"].opens) == {"cache": takes}
    assert near.inside.all()
    kept = near.table["cache"][near.knob != list(study.space.by_path).index("cached")]
    assert set(kept) == {has}


def test_a_space_without_a_knob_leaves_nothing_to_change(toy: Any) -> None:
    study = toys.study(space={}, constraints=["latency <= 1 ms"])
    near = neighbourhood(study, configure(study, {}))
    assert (len(near.table), near.moved) == (1, [])
    assert near.nearest(near.table["feasible"], measure(near, None)) == ()
    assert bounds(near)[0].alone


@pytest.mark.parametrize("limit", ["0 USD", "-5 USD"])
def test_a_bound_of_nothing_or_less_is_loosened_too(toy: Any, limit: str) -> None:
    study = toys.study(constraints=[f"cost <= {limit}"])
    near = neighbourhood(study, configure(study, {"chips": 1, "link.lanes": 1}))
    (bound,) = bounds(near)
    assert bound.loosened == "cost <= $550"
    assert bound.distance == pytest.approx(550 - float(limit.split(maxsplit=1)[0]))
    assert np.isinf(bound.share) == (limit == "0 USD")


def test_front_and_points_are_compared_in_the_better_direction(toy: Any) -> None:
    study = toys.study(objectives=["throughput"])
    near = neighbourhood(study, configure(study, {"chips": 1}))
    points = points_of(study, near.table)
    fastest = int(np.argmax(near.table["throughput"]))
    assert beats(points[fastest : fastest + 1], points)[0].all()
