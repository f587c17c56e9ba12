"""Parallel lines: every design a line, axes as the columns are, the same in both renderers."""

from dataclasses import replace

import numpy as np
import pytest

from dse import figures
from dse.parallel_chart import LINES, dimensions_of
from tests.app import toy as toys


@pytest.fixture
def chart(monkeypatch):
    toys.install(monkeypatch)
    study = toys.study()
    designs, front = toys.searched(study)
    return figures.parallel(study, designs.take(designs["accepted"]), front)


def test_knobs_come_first_then_what_the_study_judges_by(chart):
    names = [dimension.name for dimension in chart.dimensions]
    assert names == ["chip", "memory.bandwidth", "requests", "latency", "cost"]


def test_every_design_is_a_line_and_the_front_lies_on_top(chart):
    assert len(chart.look) == 96 + 12
    assert list(chart.look) == sorted(chart.look)
    assert (chart.look == 1).sum() == 12


def test_wide_columns_are_drawn_as_logarithms_with_ticks_in_their_unit(chart):
    bandwidth = chart.dimensions[1]
    assert bandwidth.log
    assert bandwidth.label == "Memory bandwidth [GB/s]"
    assert bandwidth.drawn(1e10) == pytest.approx(1.0)
    assert ("10", 1.0) in [(text, place) for place, text in bandwidth.ticks]


def test_a_category_has_its_choices_as_ticks(chart):
    assert [text for _, text in chart.dimensions[0].ticks] == ["p100-pcie-16gb", "a100-sxm-80gb"]


def test_both_renderers_draw_the_same_lines(chart):
    figure = figures.parallel_plotly(chart)
    for drawn, dimension in zip(figure.data[0].dimensions, chart.dimensions, strict=True):
        np.testing.assert_array_equal(drawn.values, dimension.values)
    text = figures.parallel_svg(chart)
    assert text.count("LineCollection") >= 2
    assert text == figures.parallel_svg(chart)


def test_a_brush_is_drawn_where_its_numbers_lie(chart):
    ranges = {
        "memory.bandwidth": [[1e10, 1e11]],
        "chip": [[1.0, 1.0]],
        "cost": [[1, 2e4], [3e4, 4e4]],
    }
    drawn = figures.parallel_plotly(chart, brushed=ranges).data[0].dimensions
    low, high = drawn[1].constraintrange
    assert (low, high) == pytest.approx((1.0, 2.0), abs=1e-4)
    low, high = drawn[0].constraintrange
    assert 0 < low < 1 <= high
    assert len(drawn[4].constraintrange) == 2
    assert drawn[2].constraintrange is None


def test_selected_lines_are_orange_and_the_rest_grey(monkeypatch):
    toys.install(monkeypatch)
    study = toys.study()
    designs, front = toys.searched(study)
    chosen = np.zeros(len(designs) + len(front), dtype=np.bool_)
    chosen[[3, 7, len(designs)]] = True
    found = figures.parallel(study, designs, front, selected=chosen)
    assert [(found.look == look).sum() for look in (0, 1, 2)] == [len(chosen) - 3, 0, 3]


def test_many_designs_are_thinned_and_the_front_kept(monkeypatch):
    toys.install(monkeypatch)
    study = toys.study()
    designs, front = toys.searched(study)
    found = figures.parallel(study, designs, front, limit=30)
    assert len(found.look) == 30
    assert (found.look == 1).sum() == len(front)
    assert LINES == 5000


def test_what_is_unknown_is_left_out_and_said(monkeypatch):
    toys.install(monkeypatch)
    study = toys.study()
    designs, front = toys.searched(study)
    latency = np.append([np.nan, np.inf, np.nan, np.inf], designs["latency"][4:])
    designs = replace(designs, columns={**designs.columns, "latency": latency})
    found = figures.parallel(study, designs, front)
    assert len(found.look) == len(designs) + len(front) - 4
    assert "4 with an unknown or infinite value are left out" in found.caption
    assert set(dimensions_of(study)) == {d.name for d in found.dimensions}


def test_no_design_is_no_line(monkeypatch):
    toys.install(monkeypatch)
    study = toys.study()
    designs, front = toys.searched(study)
    nothing = designs.take(np.zeros(0, dtype=np.intp))
    found = figures.parallel(study, nothing, front.take(np.zeros(0, dtype=np.intp)))
    assert len(found.look) == 0
    assert figures.parallel_svg(found).startswith("<?xml")
    figures.parallel_plotly(found, dark=True)
