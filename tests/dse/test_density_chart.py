"""A density: every design in one cell, the front before it, the same in both renderers."""

from dataclasses import replace

import numpy as np
import pytest

from dse import figures
from dse.errors import InputError
from tests.app import toy as toys


@pytest.fixture
def asked(monkeypatch):
    toys.install(monkeypatch)
    study = toys.study()
    return study, *toys.searched(study)


def test_every_accepted_design_lies_in_one_cell(asked):
    study, designs, front = asked
    found = figures.density(study, designs, front, x="latency", y="cost")
    assert found.counts.sum() == designs["accepted"].sum()


def test_a_cell_counts_what_numpy_does_between_its_edges(asked):
    study, designs, front = asked
    found = figures.density(study, designs, front, x="latency", y="cost")
    good = designs.take(designs["accepted"])
    x, y = good["latency"] / found.chart.x_scale, good["cost"] / found.chart.y_scale
    edges = [found.y_edges * (1 - 1e-12), found.x_edges * (1 - 1e-12)]
    for side in edges:
        side[-1] *= 1 + 1e-9
    expected, *_ = np.histogram2d(y, x, bins=edges)
    assert np.abs(expected - found.counts).sum() <= 2  # a value on an edge may fall either way


def test_a_third_metric_is_the_mean_of_each_cell(asked):
    study, designs, front = asked
    found = figures.density(study, designs, front, x="latency", y="cost", colour="power")
    power = designs["power"][designs["accepted"]]
    shade = found.shade[np.isfinite(found.shade)] * found.chart.colour_scale
    assert power.min() <= shade.min() <= shade.max() <= power.max()
    assert found.coloured


def test_the_front_stands_before_the_cells_on_the_screen_and_in_print(asked):
    study, designs, front = asked
    found = figures.density(study, designs, front, x="latency", y="cost")
    figure = figures.density_plotly(found)
    assert figure.data[0].type == "heatmap"
    assert "front" in {trace.name for trace in figure.data}
    np.testing.assert_array_equal(figure.data[0].z, found.shade)
    assert "density is drawn behind the whole front" in found.chart.caption
    text = figures.density_svg(found)
    assert "<image" in text
    assert text == figures.density_svg(found)


def test_edges_hold_the_front_too(asked):
    study, designs, front = asked
    latency = np.append(1e-5, front["latency"][1:])
    front = replace(front, columns={**front.columns, "latency": latency})
    found = figures.density(study, designs, front, x="latency", y="cost")
    assert found.x_edges[0] * found.chart.x_scale == pytest.approx(1e-5)


def test_one_value_alone_still_has_a_cell(asked):
    study, designs, front = asked
    designs, front = (
        replace(table, columns={**table.columns, "cost": np.full(len(table), 5000.0)})
        for table in (designs, front)
    )
    found = figures.density(study, designs, front, x="latency", y="cost")
    assert found.counts.sum() == designs["accepted"].sum()
    assert np.isfinite(found.y_edges).all()


def test_a_category_is_no_axis(asked):
    study, designs, front = asked
    with pytest.raises(InputError, match="column of numbers"):
        figures.density(study, designs, front, x="chip", y="cost")
