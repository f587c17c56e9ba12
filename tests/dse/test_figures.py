"""Charts: the same numbers in both renderers, units on every axis, nothing lost without a word."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import figures, units
from dse.breakdown import Breakdown
from dse.chart import display, tidy
from dse.errors import InputError
from dse.evaluate import Table
from dse.figures import Chart
from dse.marks import drawn
from dse.spec import Model
from dse.study import Study
from tests.app import toy as toys

UNKNOWN = (None, None)
"""Ends of the interval of a total that was never checked."""


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Model:
    return toys.install(monkeypatch)


@pytest.fixture
def question(toy: Model) -> Study:
    return toys.study()


@pytest.fixture
def charts(question, toy: Model) -> dict[str, Chart]:
    designs, front = toys.searched(question)
    rows = [row("fit", 0.1, 0.11), row("check", 0.3, 0.27)]
    return {
        "front": figures.front(question, designs, front, x="latency", y="cost", colour="power"),
        "breakdown": figures.breakdown(
            toy, Breakdown("latency", 0.024, {"memory": 0.02, "compute": 0.004}), (0.018, 0.03)
        ),
        "growth": figures.growth(
            [{"designs": 10, "front": 1, "hypervolume": 2.0}] * 2
            + [{"designs": 90, "front": 3, "hypervolume": 4.0}]
        ),
        "validation": figures.validation(rows),
    }


def row(use: str, published: float, predicted: float, unit: str = "s") -> dict[str, object]:
    return {
        "model": "toy",
        "id": f"{use}-{published}",
        "use": use,
        "quantity": "latency",
        "unit": unit,
        "published": published,
        "predicted": predicted,
        "error": predicted / published - 1,
    }


def series_of(chart: Chart) -> list:
    """The traces that stand for marks: not the line of equality, not the colour bar's."""
    return [t for t in figures.plotly(chart).data if t.name not in ("equal", "colours")]


def front_of(question, **choice: object) -> Chart:
    designs, front = toys.searched(question)
    return figures.front(question, designs, front, **{"x": "latency", "y": "cost", **choice})


def test_plotly_draws_the_numbers_of_the_frame_in_display_units(charts: dict[str, Chart]):
    for chart in charts.values():
        traces = series_of(chart)
        for axis in "xy":
            shown = np.concatenate([np.asarray(t[axis], dtype=object) for t in traces])
            assert sorted(shown) == sorted(drawn(chart, chart.frame, axis))


@pytest.mark.parametrize(
    ("name", "method"), [("front", "scatter"), ("validation", "scatter"), ("breakdown", "barh")]
)
def test_print_draws_the_same_numbers_as_the_screen(
    charts: dict[str, Chart], monkeypatch: pytest.MonkeyPatch, name: str, method: str
):
    from matplotlib.axes import Axes

    seen: list[tuple[np.ndarray, ...]] = []
    draw = getattr(Axes, method)

    def spy(axes, first, second, **look):
        seen.append((second, first) if method == "barh" else (first, second))
        return draw(axes, first, second, **look)

    monkeypatch.setattr(Axes, method, spy)
    figures.svg(charts[name])
    traces = series_of(charts[name])
    for (x, y), trace in zip(seen, traces, strict=True):
        np.testing.assert_array_equal(x, trace.x)
        np.testing.assert_array_equal(y, trace.y)


def test_axes_name_quantity_and_unit(charts: dict[str, Chart]):
    assert charts["front"].x_label == "Latency [ms]"
    assert charts["front"].y_label == "Cost [$]"
    assert charts["front"].colour_label == "Power [W]"
    assert charts["breakdown"].x_label == "Latency [ms]"
    assert charts["validation"].y_label == "Predicted [ms]"
    assert charts["growth"].y_label == "Hypervolume [share of the final one]"


def test_frames_stay_in_si_and_scales_lead_to_the_display_unit(charts: dict[str, Chart]):
    chart = charts["breakdown"]
    assert list(chart.frame["latency"]) == [0.02, 0.004, 0.024]
    assert chart.x_scale == 1e-3
    np.testing.assert_allclose(drawn(chart, chart.frame, "x"), [20, 4, 24], rtol=1e-15)


@pytest.mark.parametrize(
    ("values", "unit", "scale", "name"),
    [
        ([0.003, 0.03, 0.3], "s", 1e-3, "ms"),
        ([3e9, 4e9], "B/s", 1e9, "GB/s"),
        ([0.1, 0.2], "%", 0.01, "%"),
        ([4000.0, 5000.0], "USD", 1.0, "$"),
        ([4e6, 5e6], "USD", 1e6, "M$"),
        ([1.0, 2.0], "1", 1.0, ""),
        ([], "s", 1.0, "s"),
        ([np.nan, np.inf, 0.0], "W", 1.0, "W"),
    ],
)
def test_an_axis_takes_the_unit_its_data_read_best_in(values, unit, scale, name):
    assert display(np.array(values, dtype=float), unit) == (scale, name)


@given(
    st.lists(st.floats(1e-12, 1e15), min_size=1, max_size=9),
    st.sampled_from(["s", "B/s", "J", "W", "FLOP/s", "token/s", "J/token", "USD", "1", "%"]),
)
def test_the_display_unit_is_a_unit_and_its_scale_is_exact(values, unit):
    scale, name = display(np.array(values), unit)
    assert scale == units.si(name or "1")[0]


def test_the_front_is_always_whole_however_few_designs_are_drawn(question):
    whole, thin = front_of(question), front_of(question, limit=5)
    counts = thin.frame["series"].value_counts()
    assert counts["designs"] == 5
    for series in ("front", "best"):
        part = whole.frame[whole.frame["series"] == series]
        assert list(thin.frame[thin.frame["series"] == series]["latency"]) == list(part["latency"])
    assert "5 are drawn" in thin.caption


def test_the_same_designs_are_drawn_every_time(question):
    one, other = front_of(question, limit=20), front_of(question, limit=20)
    assert one.frame.equals(other.frame)


def test_best_designs_are_each_objectives_best_and_the_balanced_one(question):
    chart = front_of(question)
    marks = chart.frame
    best, front = marks[marks["series"] == "best"], marks[marks["series"] == "front"]
    assert best["latency"].min() == front["latency"].min()
    assert best["cost"].min() == front["cost"].min()
    assert 2 <= len(best) <= 3


def test_a_mark_names_its_design(question):
    designs, front = toys.searched(question)
    marks = figures.front(question, designs, front, x="latency", y="cost").frame
    for series, table, offset in (("front", front, 0), ("designs", designs, len(front))):
        part = marks[marks["series"] == series]
        np.testing.assert_array_equal(table["cost"][part["row"] - offset], part["cost"])


def test_the_hover_text_of_the_front_shows_its_knobs_with_units(question):
    marks = front_of(question).frame
    label = marks[marks["series"] == "front"]["label"].iloc[0]
    assert label.split("\n") == [
        "chip: p100-pcie-16gb",
        "memory.bandwidth: 5.62 GB/s",
        "requests: 1 request",
        "Latency: unchecked",
        "Cost: unchecked",
    ]


def test_designs_that_extrapolate_are_open_marks_in_both_renderers(question):
    chart = front_of(question)
    assert chart.frame["extrapolates"].any()
    opened = [t for t in figures.plotly(chart).data if t.marker.symbol.endswith("-open")]
    assert [t.name for t in opened] == ["designs, extrapolated"]
    assert len(opened[0].x) == chart.frame["extrapolates"].sum()
    assert "Open marks extrapolate" in chart.caption
    assert "fill: none; stroke: #9a9a9a" in figures.svg(chart)


def test_open_and_solid_marks_share_one_scale_of_colours(question):
    chart = front_of(question, colour="power")
    traces = {trace.name: trace for trace in figures.plotly(chart).data}
    chips = ("rgb(0, 34, 78)", "rgb(254, 232, 56)")  # two powers: the ends of the scale
    for name in ("designs", "designs, extrapolated", "front"):
        assert set(traces[name].marker.color) == set(chips)
    assert traces["colours"].marker.coloraxis == "coloraxis"


def test_rejected_designs_are_drawn_when_no_design_is_accepted():
    chart = front_of(toys.study(constraints=["latency <= 1 us"]))
    assert set(chart.frame["series"]) == {"rejected"}
    assert "0 of 144 designs are feasible" in chart.caption
    assert figures.plotly(chart).data
    assert figures.svg(chart).count("<use") > 100


def test_unknown_values_are_left_out_and_counted(question):
    designs, front = toys.searched(question)
    cost = designs["cost"].copy()
    cost[np.flatnonzero(designs["accepted"])[:3]] = np.nan
    holed = Table({**designs.columns, "cost": cost}, designs.units, designs.labels)
    chart = figures.front(question, holed, front, x="latency", y="cost")
    assert chart.frame["cost"].notna().all()
    assert "3 marks with an unknown or infinite value are left out" in chart.caption


def test_an_unknown_or_wordy_column_is_refused_by_name(question):
    with pytest.raises(InputError, match="unknown column of numbers 'latencies'; did you mean"):
        front_of(question, y="latencies")
    with pytest.raises(InputError, match="unknown column of numbers 'chip'"):
        front_of(question, x="chip")


@pytest.mark.parametrize("colour", [None, "power", "latency"])
def test_print_is_the_same_to_the_last_byte(question, colour):
    assert figures.svg(front_of(question, colour=colour)) == figures.svg(
        front_of(question, colour=colour)
    )


def test_print_carries_no_date(charts: dict[str, Chart]):
    assert all("dc:date" not in figures.svg(chart) for chart in charts.values())


def test_dark_differs_only_in_its_template(charts: dict[str, Chart]):
    light, dark = (figures.plotly(charts["front"], dark=d) for d in (False, True))
    assert light.data == dark.data
    assert light.layout.template != dark.layout.template


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_the_bars_of_a_breakdown_end_where_the_next_begins_and_reach_the_total(values):
    terms = {f"term_{i}": value for i, value in enumerate(values)}
    frame = figures.breakdown(toys.PAGE, Breakdown("latency", sum(values), terms), UNKNOWN).frame
    sizes, base = frame["latency"].to_numpy(), frame["base"].to_numpy()
    assert len(frame) <= figures.TERMS + 1
    np.testing.assert_allclose(base[1:-1], (base + sizes)[:-2], rtol=1e-12)
    # another order of summation: the terms are joined largest first
    np.testing.assert_allclose(sizes[:-1].sum(), sum(values), rtol=1e-12)
    assert base[-1] == 0


def test_a_breakdown_starts_with_the_largest_term_and_names_shares():
    frame = figures.breakdown(
        toys.PAGE, Breakdown("latency", 0.04, {"a": 0.01, "b": 0.03}), UNKNOWN
    ).frame
    assert list(frame["term"]) == ["B", "A", "Total"]
    assert list(frame["label"]) == ["30 ms, 75%", "10 ms, 25%", "40 ms"]


def test_a_total_carries_its_interval_in_both_renderers(charts: dict[str, Chart]):
    chart = charts["breakdown"]
    total = chart.frame.iloc[-1]
    assert (total["low"], total["high"]) == (0.018, 0.03)
    assert total["label"] == "24 ms (18 to 30 ms)"
    bar = {trace.name: trace for trace in figures.plotly(chart).data}["total"]
    np.testing.assert_allclose([*bar.error_x.arrayminus, *bar.error_x.array], [6, 6], rtol=1e-12)
    assert figures.svg(chart).count("LineCollection") == 1
    assert "The line at the total is its 90 % interval." in chart.caption


def test_a_total_that_was_never_checked_says_so_and_has_no_line():
    broken = Breakdown("latency", 0.04, {"a": 0.01, "b": 0.03})
    chart = figures.breakdown(toys.PAGE, broken, UNKNOWN)
    assert "The total has no interval: nothing was checked." in chart.caption
    assert "LineCollection" not in figures.svg(chart)


def test_a_breakdown_says_how_many_terms_are_unknown():
    nan = float("nan")
    chart = figures.breakdown(toys.PAGE, Breakdown("latency", nan, {"a": 0.01, "b": nan}), UNKNOWN)
    assert "1 terms are unknown" in chart.caption
    assert figures.svg(chart)
    assert figures.plotly(chart).data


def test_a_metric_in_the_totals_place_is_named_in_title_axis_and_caption():
    chart = figures.breakdown(
        toys.PAGE, Breakdown("power", 3.0, {"chip": 1.0, "fan": 2.0}), UNKNOWN
    )
    assert chart.title == "What power is made of"
    assert chart.x_label == "Power [W]"
    assert chart.caption.startswith("Latency is 0: parts of power of the page 'toy'")


def test_growth_without_a_front_is_an_empty_chart():
    chart = figures.growth([])
    assert len(chart.frame) == 0
    assert not figures.plotly(chart).data
    assert figures.svg(chart)


def test_fit_and_check_points_differ_in_colour_and_in_shape(charts: dict[str, Chart]):
    by_name = {trace.name: trace for trace in figures.plotly(charts["validation"]).data}
    assert by_name["fit"].marker.symbol != by_name["check"].marker.symbol
    assert by_name["fit"].marker.color != by_name["check"].marker.color
    assert list(by_name["equal"].x) == list(by_name["equal"].y)


def test_points_of_several_units_are_shown_in_si_and_said_to_be():
    rows = [row("fit", 0.1, 0.11), row("check", 40.0, 50.0, "J"), row("check", 1.0, np.nan)]
    chart = figures.validation(rows)
    assert chart.x_label == "Published [SI, mixed units]"
    assert len(chart.frame) == 2
    assert (chart.log_x, chart.log_y) == (True, True)
    assert "1 points were used to fit constants, 1 are checks" in chart.caption


@pytest.mark.parametrize(("last", "tick"), [(1e3, "D2"), (1e5, 1)])
def test_a_log_axis_has_as_many_ticks_as_its_decades_bear(last, tick):
    frame = tidy(2, a=[1.0, last], b=[1.0, 2.0])
    layout = figures.plotly(
        Chart("scatter", "t", "a", "b", "A", "B", frame, "", log_x=True)
    ).layout
    assert (layout.xaxis.type, layout.xaxis.dtick) == ("log", tick)
    assert layout.yaxis.type is None


def test_intervals_are_drawn_as_error_bars_in_both_renderers():
    frame = tidy(
        2, a=[1.0, 2.0], b=[10.0, 20.0], series="check", low=[9.0, np.nan], high=[12.0, np.nan]
    )
    chart = Chart("scatter", "t", "a", "b", "A", "B", frame, "", y_scale=0.1)
    bars = figures.plotly(chart).data[0].error_y
    np.testing.assert_allclose(bars.arrayminus, [10, 0], rtol=1e-15)
    np.testing.assert_allclose(bars.array, [20, 0], rtol=1e-15)
    assert figures.svg(chart).count("LineCollection") == 1


def test_a_table_has_units_in_its_header_and_three_digits_in_its_cells(question):
    _, front = toys.searched(question)
    names = ["chip", "memory.bandwidth", "latency", "cost", "extrapolates"]
    header, cells = figures.data_table(front.take(np.array([0])), names)
    assert header == [
        "Chip",
        "Memory bandwidth [GB/s]",
        "Latency [ms]",
        "Cost [$]",
        "Extrapolates",
    ]
    assert cells == [["p100-pcie-16gb", "5.62", "36.6", "6,623", "no"]]


def test_a_table_of_no_designs_still_has_its_header(question):
    _, front = toys.searched(question)
    header, cells = figures.data_table(front.take(np.arange(0)), ["latency"])
    assert (header, cells) == (["Latency [s]"], [])


def test_an_unknown_cell_says_so():
    table = Table({"latency": np.array([np.nan, 0.002])}, {"latency": "s"})
    assert figures.data_table(table, ["latency"])[1] == [["unknown"], ["2"]]


def test_importing_figures_loads_neither_renderer():
    code = "import sys, dse.figures; print({'plotly', 'matplotlib', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
