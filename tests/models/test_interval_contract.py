"""What every page says of its errors: fresh, well named, and covering what it should."""

import math

import numpy as np
import pytest

from dse import interval, registry, residuals
from dse.grounds import grounds
from dse.interval import TIERS

PAGES = registry.slugs()
CHECKED = [slug for slug in PAGES if interval.groups(slug)]


@pytest.mark.parametrize("slug", PAGES)
def test_the_kept_errors_are_those_of_today(slug: str):
    path = interval.place_of(slug)
    kept = path.read_text(encoding="utf-8") if path.is_file() else ""
    assert residuals.text(slug) == kept, "run: uv run dse validate --write"


@pytest.mark.parametrize("slug", CHECKED)
def test_intervals_cover_what_they_promise_with_the_group_left_out(slug: str):
    found = residuals.coverage(slug)
    assert found.rows >= 15
    assert found.low <= 0.97  # 85 to 97 %, or a count that is compatible with such a share
    assert found.high >= 0.85


def test_every_paper_with_rows_to_check_has_an_error_model():
    assert set(PAGES) - set(CHECKED) == {"codesign"}  # it joins the others' errors


@pytest.mark.parametrize("slug", PAGES)
def test_whose_rows_speak_for_a_metric_is_a_metric_and_regimes_are_flags(slug: str):
    page = registry.model(slug)
    for name in page.metrics:
        assert interval.judged_by(page, name)[0] in page.metrics
    assert set(page.weak) <= page.flags.keys() | page.remarks.keys()
    for metric, under in page.rests.items():
        assert metric in page.metrics
        assert interval.errors(under.page).get((under.metric, under.regime)) is not None
        assert set(under.where) <= {"", *page.weak}


@pytest.mark.parametrize("slug", PAGES)
def test_every_uncertain_knob_is_one_and_leaves_the_prediction_by_default(slug: str):
    page = registry.model(slug)
    base = registry.configure(page, {}, place="")
    for knob, uncertain in page.uncertain.items():
        group, _, name = knob.partition(".")
        assert float(getattr(getattr(base, group), name)) == 1.0
        other = registry.model(uncertain.page)
        assert interval.judged_by(other, uncertain.metric)[0] in other.metrics
        for regime in uncertain.regimes(base) if uncertain.regimes else ():
            assert regime in other.weak


@pytest.mark.parametrize("slug", PAGES)
def test_the_default_design_tells_how_sure_each_number_is(slug: str):
    page = registry.model(slug)
    config = registry.configure(page, {}, place="")
    with np.errstate(divide="ignore", invalid="ignore"):
        result = page.evaluate(config)
    for name, ground in grounds(page, config, result).items():
        value = float(result.metrics[name])
        assert ground.tier in TIERS
        assert ground.basis
        if math.isnan(ground.low):
            assert math.isnan(ground.high)
        elif math.isfinite(value):
            assert ground.low <= value <= ground.high
