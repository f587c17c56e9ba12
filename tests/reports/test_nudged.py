"""Equations and constants in use, found by running copies of pages."""

import sys

import numpy as np
import pytest

from dse import registry
from dse.exposition import exposition
from reports import gather, moving, nudged

EVERY_PAGE = pytest.mark.parametrize("slug", registry.slugs())


def of(slug: str, metrics: list[str], **settings: object):
    page = registry.model(slug)
    config = registry.configure(page, settings)
    return nudged.used(page, config, metrics, gather.pages(page))[0]


def test_an_equation_says_what_the_page_says_and_moves_what_hangs_on_it():
    # two layers of a roof: with the roof's time all in memory, latency rises as much as it does
    used = {use.equation.name: use for use in of("roofline", ["latency"])}
    assert used["operator_time"].moves["latency"] > 0
    assert "latency" in used["memory_time"].moves
    assert all(np.isfinite(value) for use in used.values() for value in use.values)


def test_what_a_design_does_not_have_is_not_in_use():
    on_gpu = of("codesign", ["latency"], serve={"target": "gpu"})
    on_boards = of("codesign", ["latency"], serve={"target": "dfx"}, workload="gpt2-1.5b")
    assert "stream_rate" in {use.equation.name for use in on_boards}
    assert "stream_rate" not in {use.equation.name for use in on_gpu}


def test_the_weightiest_equation_comes_first():
    sizes = [use.size for use in of("a3", ["latency", "interval"])]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(0.25)  # latency is the answer itself


@EVERY_PAGE
def test_every_page_runs_in_a_copy_and_is_left_as_it_was(slug: str):
    page = registry.model(slug)
    names = [name for name in page.metrics if name != "feasible"]
    with np.errstate(all="ignore"):
        before = page.evaluate(registry.configure(page))
    kept = dict(vars(sys.modules[page.evaluate.__module__]))
    found = nudged.used(page, registry.configure(page), names, gather.pages(page))[0]
    assert found or not exposition(page).equations
    with np.errstate(all="ignore"):
        after = page.evaluate(registry.configure(page))
    assert dict(vars(sys.modules[page.evaluate.__module__])) == kept
    for name in names:
        np.testing.assert_array_equal(before.metrics[name], after.metrics[name])


@EVERY_PAGE
def test_constants_that_move_an_answer_are_among_those_that_exist(slug: str):
    page = registry.model(slug)
    names = [name for name in page.metrics if name != "feasible"]
    found = moving.constants(page, registry.configure(page), names, [page])
    assert {name for _, name in found} <= set(page.data.parameters)


def test_a_knob_moves_what_it_stands_in_and_nothing_else():
    page = registry.model("dfx")
    config = registry.configure(page)
    tried = ["clock", "board_power"]
    assert moving.knobs(page, config, tried, ["cost"]) == set()
    assert moving.knobs(page, config, tried, ["latency"]) == {"clock"}
    assert moving.knobs(page, config, tried, ["energy"]) == {"clock", "board_power"}


def test_a_number_of_a_row_moves_what_is_made_of_it():
    page = registry.model("dfx")
    config = registry.configure(page)
    found = moving.fields(page, config, {"fpga": config.fpga}, ["cost"])
    assert found == {("fpga", "price")}
