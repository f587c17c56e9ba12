"""What every executable reference promises; a new one is tested by being there.

Cases are configured, never all run: that is what `dse validate --cross` is for. Of kept answers
the first of every group is run again, as far as patience reaches.
"""

import math
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np
import pytest

from dse import cli, executed, files, registry, simulate, units
from dse.executed import Plan
from dse.mechanism import AnyReference
from dse.provenance import USES
from dse.spec import Metric, Record, kind_of, knobs
from dse.study import field_of

EVERY = pytest.mark.parametrize("slug", simulate.slugs())
SAME = 1e-9
"""Sums of a run in another version of NumPy may differ by rounding, decisions may not."""
PATIENCE = 5.0
"""Seconds after which no further kept answer of a mechanism is run again."""
TEXT = ""
"""The unit of a quantity that is words."""


def mechanism(slug: str) -> AnyReference:
    return simulate.reference(slug)


@cache
def plan_of(slug: str) -> Plan:
    """Its cases, listed once: drawing them may take a second."""
    return Plan.of(mechanism(slug))


@EVERY
def test_it_says_whose_it_is_and_what_it_executes(slug: str) -> None:
    found = mechanism(slug)
    assert found.slug == slug
    assert found.text
    assert all(q.text and q.sense in ("min", "max", "") for q in found.quantities.values())


@EVERY
def test_its_defaults_run_to_exactly_what_it_promises(slug: str) -> None:
    found = mechanism(slug)
    outcome = found.run(simulate.configure(found))
    assert set(outcome) == set(found.quantities)
    for name, quantity in found.quantities.items():
        assert isinstance(outcome[name], str) == (quantity.unit == TEXT), name
    assert bool(outcome.get("feasible", True)), f"{slug}: its own defaults do not run"


@EVERY
def test_every_knob_has_unit_symbol_bounds_text_and_source(slug: str) -> None:
    found, named = mechanism(slug), registry.model(slug).data.parameters
    for knob in knobs(found.config).values():
        place = f"{slug}: {knob.path}"
        assert knob.text, f"{place} has no docstring"
        assert knob.symbol, f"{place} has no symbol"
        if knob.catalog is not None:
            owner, name = field_of(found.config, knob.path)
            assert issubclass(kind_of(owner, name), Record), place
            continue
        assert knob.unit, f"{place} has no unit"
        assert knob.bounds is not None, f"{place} has no bounds"
        assert knob.bounds.low <= float(str(knob.default)) <= knob.bounds.high, place
        number = named.get(f"reference.{knob.path}", named.get(knob.path))
        assert number is not None, f"{place} has no entry in data.yaml"
        assert number.value == knob.default, f"{place}: data.yaml says {number.value}"


@EVERY
def test_every_knob_and_file_has_an_option_of_its_own(slug: str) -> None:
    found = mechanism(slug)
    names = {*knobs(found.config), *found.readers}
    assert set(simulate.options(found).values()) == names
    assert not simulate.options(found).keys() & {"--set", "--json", "--help"}


@EVERY
def test_a_knob_it_does_not_have_is_one_line(
    slug: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", slug, "--no-such-knob", "1"])
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err.count("\n") == 1
    assert f"'{slug}' has no knob --no-such-knob" in told.err


@EVERY
def test_what_is_compared_exists_on_both_sides_in_one_unit(slug: str) -> None:
    found, page = mechanism(slug), registry.model(slug)
    for metric, quantity in found.compared.items():
        assert metric in page.metrics
        assert quantity in found.quantities
        assert one_unit(page.metrics[metric], found.quantities[quantity]), metric


def one_unit(metric: Metric, quantity: Metric) -> bool:
    return units.si(metric.unit) == units.si(quantity.unit)


@EVERY
def test_its_cases_are_told_apart_and_fit_both_sides(slug: str) -> None:
    found, page = mechanism(slug), registry.model(slug)
    if found.cases is None:
        return
    plan = plan_of(slug)
    ids = [case.id for case in plan.cases]
    assert found.compared
    assert len(ids) == len(set(ids))
    assert {case.use for case in plan.cases} <= set(USES)
    assert any(case.use == "check" for case in plan.cases), (
        "a closed form is judged on check cases"
    )
    for case in plan.cases:
        plan.config(case)
        laid = files.laid_under(page.readers, case.settings)
        registry.configure(page, laid, place=f"{slug}: case {case.id}")


@EVERY
def test_its_published_cases_are_points_of_the_page_that_it_can_answer(slug: str) -> None:
    found, page = mechanism(slug), registry.model(slug)
    points = {point.id: point for point in page.data.points}
    plan = plan_of(slug)
    ids = [case.id for case in plan.published]
    assert len(ids) == len(set(ids))
    for case in plan.published:
        point = points[case.id]
        assert not case.settings, f"{slug}: point {case.id} has its own settings"
        quantity = found.quantities[found.compared.get(point.quantity, point.quantity)]
        assert units.si(quantity.unit) == units.si(point.number.unit), case.id
        plan.config(case)


@EVERY
def test_kept_answers_are_todays(slug: str) -> None:
    plan, kept = plan_of(slug), executed.kept(slug)
    if not kept:
        return
    assert executed.stale(plan, kept) == [], f"run 'dse validate {slug} --cross --write'"
    firsts = {(key.split()[0], case.use, case.group): (key, case) for key, case in plan.runs[::-1]}
    start = perf_counter()
    for key, case in firsts.values():
        same_outcome(executed.answer(plan, key, case).outcome, kept[key].outcome, key)
        if perf_counter() - start > PATIENCE:
            break


def same_outcome(now: Any, held: Any, key: str) -> None:
    assert now.keys() == held.keys(), key
    for name, value in now.items():
        if isinstance(value, float) and not math.isnan(value):
            np.testing.assert_allclose(value, held[name], rtol=SAME, err_msg=f"{key}: {name}")
        else:
            assert repr(value) == repr(held[name]), f"{key}: {name}"
