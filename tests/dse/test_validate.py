"""Published against predicted, and constants found again from the points they made."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry, validate
from dse.errors import InputError
from dse.provenance import Number, Point, Sheet
from dse.validate import as_json, fit, fitted_constants, relative_error, rows, summaries
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")


def page_with(data: Sheet) -> toys.Model:  # type: ignore[type-arg]  # the toy's own
    return replace(toys.TOY, data=data)


def served(monkeypatch: pytest.MonkeyPatch, *points: Point) -> None:
    """Let the registry know the toy with other points."""
    page = page_with(replace(toys.TOY.data, points=points))
    monkeypatch.setattr(registry, "model", lambda _: page)


def point(**changes: object) -> Point:
    return replace(toys.TOY.data.points[0], **changes)  # type: ignore[arg-type]


def number(value: float, unit: str = "s") -> Number:
    return Number(value=value, unit=unit, source=toys.MADE_UP)


def test_every_point_is_a_row_with_what_was_published_and_predicted():
    found = rows("toy")
    assert [(row.id, row.use) for row in found] == [
        ("f1", "fit"),
        ("f2", "fit"),
        ("f3", "fit"),
        ("c1", "check"),
    ]
    for row in found:
        assert (row.model, row.quantity, row.unit, row.kind) == ("toy", "latency", "s", "assumed")
        assert row.error == pytest.approx(0.0, abs=1e-12)  # the points were made by the toy
    assert [row.id for row in found if not row.feasible] == ["c1"]  # 64 items, where 40 fit


def test_an_error_is_relative_to_what_was_published(monkeypatch: pytest.MonkeyPatch):
    exact = toys.TOY.data.points[0].number.value
    served(monkeypatch, point(number=number(exact / 2)))
    (row,) = rows("toy")
    assert row.error == pytest.approx(1.0, rel=1e-12)
    assert row.predicted == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("predicted", "published", "error"),
    [(3.0, 2.0, 0.5), (1.0, 2.0, -0.5), (0.0, 0.0, 0.0), (2.0, 0.0, math.inf)],
)
def test_beside_a_published_zero_only_zero_is_right(
    predicted: float, published: float, error: float
):
    assert relative_error(predicted, published) == error


def test_summaries_keep_fit_and_check_apart():
    exact = rows("toy")
    found = summaries([replace(exact[0], error=0.1), replace(exact[1], error=-0.3), exact[3]])
    assert [(s.model, s.use, s.rows) for s in found] == [("toy", "fit", 2), ("toy", "check", 1)]
    assert found[0].mean == pytest.approx(0.2)
    assert found[0].worst == pytest.approx(0.3)


def test_a_row_for_scripts_is_strict_json():
    row = replace(rows("toy")[0], error=math.inf, predicted=math.nan)
    assert as_json(row) == {
        "model": "toy",
        "id": "f1",
        "use": "fit",
        "quantity": "latency",
        "unit": "s",
        "published": row.published,
        "predicted": None,
        "error": None,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": "latncy"}, "points.f1: unknown quantity 'latncy'; did you mean latency?"),
        ({"settings": {"chps": 1}}, "points.f1: unknown knob 'chps'; did you mean chips"),
        ({"number": number(1.0, "B")}, "points.f1: published in B, predicted in s"),
        ({"settings": {"link.lanes": 8, "chips": 1}}, "points.f1: `link.lanes <= 4 chips` must"),
    ],
)
def test_a_point_that_does_not_fit_the_page_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], message: str
):
    served(monkeypatch, point(**changes))
    with pytest.raises(InputError) as caught:
        rows("toy")
    assert str(caught.value).startswith(f"models/toy/data.yaml: {message}")


def test_the_fitted_knobs_are_those_whose_source_says_so():
    names = ("f1", "f2", "f3")
    assert fitted_constants(toys.TOY) == {"efficiency": names, "overhead": names}


@settings(max_examples=15)
@given(st.floats(0.15, 0.95), st.floats(1e-4, 0.05))
def test_a_fit_finds_the_constants_that_made_the_points(efficiency: float, overhead: float):
    found = fit(page_with(toys.sheet(efficiency=efficiency, overhead=overhead)))
    assert found["efficiency"] == pytest.approx(efficiency, rel=1e-5)  # where least squares stops
    assert found["overhead"] == pytest.approx(overhead, rel=1e-3)  # as above, and less sensitive


def test_a_fit_starts_from_zero_as_from_anywhere():
    data = toys.sheet(overhead=0.01)
    zero = replace(data.parameters["overhead"], value=0.0)
    page = page_with(replace(data, parameters={**data.parameters, "overhead": zero}))
    assert fit(page)["overhead"] == pytest.approx(0.01, rel=1e-3)  # where least squares stops


def test_a_fit_never_leaves_the_range_of_its_knobs():
    found = fit(page_with(toys.sheet(efficiency=3.0)))
    assert 0.9 < found["efficiency"] <= 1.0


def test_a_fit_of_nothing_is_refused():
    with pytest.raises(InputError, match="toy: no knob of the page was fitted"):
        fit(page_with(replace(toys.TOY.data, parameters={})))


@pytest.mark.parametrize("name", ["c1", "f9"])
def test_a_constant_fitted_on_what_is_no_fit_point_is_refused(name: str):
    data = toys.TOY.data
    wrong = replace(data.parameters["overhead"], fitted_on=("f1", name))
    page = page_with(replace(data, parameters={**data.parameters, "overhead": wrong}))
    with pytest.raises(InputError, match=f"toy: fitted on {name}, which is no fit point"):
        fit(page)


def test_the_constants_of_every_page_name_fit_points_only():
    for slug in registry.slugs():
        page = registry.model(slug)
        known = {entry.id for entry in page.data.select("fit")}
        for names in validate.fitted_constants(page).values():
            assert set(names) <= known, slug


def test_a_group_left_out_is_judged_by_constants_that_never_saw_it() -> None:
    # One point of the second group is 5 % above what the toy's constants make.
    data, groups = toys.TOY.data, {"f1": "one", "f2": "one", "f3": "two", "c1": "two"}
    points = tuple(replace(found, group=groups[found.id]) for found in data.points)
    off = replace(points[2], number=number(1.05 * points[2].number.value))
    page = page_with(replace(data, points=(*points[:2], off, points[3])))
    judged = {summary.use: summary for summary in validate.left_out(page)}
    assert set(judged) == {"without one", "without two"}
    assert {s.rows for s in judged.values()} == {2}
    assert validate.fit(page, without="one") != validate.fit(page, without="two")
    # The first group alone finds the toy's own constants again, to where least squares stops.
    assert judged["without two"].worst == pytest.approx(1 - 1 / 1.05, rel=1e-4)
    assert judged["without two"].mean == pytest.approx((1 - 1 / 1.05) / 2, rel=1e-3)


def test_a_page_without_groups_leaves_nothing_out() -> None:
    assert validate.left_out(registry.model("dfx")) == []
