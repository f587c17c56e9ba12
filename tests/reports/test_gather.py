import sys

import numpy as np
import pytest

from dse import registry
from dse.errors import InputError
from dse.store import Run
from reports import gather
from reports.section import Context
from tests.reports import made
from tests.reports.conftest import Searched


def test_the_front_is_the_one_the_search_wrote(answered: Context):
    assert np.array_equal(answered.front["row"], gather._front_rows(answered.run))
    written = answered.run.front()
    assert np.array_equal(np.sort(answered.front["latency"]), np.sort(written["latency"]))


def test_the_recommended_designs_are_those_of_best_csv(answered: Context):
    lines = (answered.run.path / "best.csv").read_text().splitlines()[1:]
    assert [line.rpartition(",")[0] != "" for line in lines] == [True] * len(answered.best)
    assert len(lines) == len(answered.why)


def test_without_a_front_the_nearest_design_comes_first(empty: Context):
    assert not empty.feasible
    assert len(empty.front) == len(empty.best) == 0
    assert empty.misses
    violations = empty.nearest["violation"]
    designs = empty.run.designs()
    assert violations[0] == designs["violation"][np.isfinite(designs["cost"])].min()
    assert len(empty.shown) == 1


def test_many_designs_are_sampled_evenly_and_the_front_stays_whole(
    searched: Searched, monkeypatch: pytest.MonkeyPatch
):
    run = searched()
    whole = made.context(run)
    monkeypatch.setattr(gather, "SAMPLE", 50)
    thin = made.context(run)
    assert len(thin.designs) <= 50 < len(whole.designs)
    assert len(set(np.diff(thin.designs["row"]))) == 1
    assert np.array_equal(thin.front["row"], whole.front["row"])
    assert thin.why == whole.why


def test_a_search_that_never_ended_has_no_report_and_says_how_to_end_it(searched: Searched):
    run = searched()
    (run.path / "environment.json").unlink()
    with pytest.raises(InputError, match="never ended; continue it with --resume"):
        made.context(run)


def test_an_empty_run_has_no_report(searched: Searched):
    run: Run = searched()
    for part in run.parts:
        part.unlink()
    with pytest.raises(InputError, match="holds no designs"):
        made.context(run)


def test_a_page_that_imports_no_other_page_stands_alone(answered: Context):
    assert [page.slug for page in answered.pages] == ["toy"]


@pytest.mark.skipif(
    "codesign" not in registry.slugs(), reason="the page codesign is not there yet"
)
def test_a_joint_page_brings_the_pages_its_modules_import():
    slugs = [page.slug for page in gather.pages(registry.model("codesign"))]
    assert slugs[0] == "codesign"
    assert {"dfx", "roofline"} <= set(slugs)
    held = registry.model("codesign").uncertain.values()
    assert {uncertain.page for uncertain in held} <= set(slugs)
    assert len(slugs) == len(set(slugs))
    assert all(f"models.{slug}.model" in sys.modules for slug in slugs)
