from dataclasses import replace

import numpy as np

from dse import tornado
from reports import levers
from reports.section import Context
from reports.wording import columns, configured, quantity
from tests.reports import made
from tests.reports.conftest import Searched


def test_a_constraint_keeps_out_what_it_alone_keeps_out_and_more(searched: Searched):
    limits = ["energy <= 20 J", "latency <= 200 ms"]
    context = made.context(searched(constraints=limits))
    table = made.tables(levers.build(context))[0]
    runs = context.designs["feasible"].astype(bool)
    missed = [
        (context.designs["energy"] > 20) & runs,
        (context.designs["latency"] > 0.2) & runs,
    ]
    for row, own, other in zip(table.rows, missed, reversed(missed), strict=True):
        for cell, out in zip(row[1:3], (own, own & ~other), strict=True):
            assert cell == f"{100 * out.sum() / runs.sum():.3g} %"


def test_what_is_left_of_a_bound_is_told_for_each_recommended_design(answered: Context):
    table = made.tables(levers.build(answered))[0]
    row = dict(zip(table.header, table.rows[0], strict=True))
    assert row["Constraint"] == "energy at most 50 J"
    place = answered.balanced
    energy = float(answered.best["energy"][place])
    spare = 1 - energy / 50
    head = "Balanced" if answered.why[place] == "balanced" else table.header[3 + place]
    assert row[head] == f"{quantity(energy, 'J')}, spare {100 * spare:.3g} %"


def test_the_best_change_can_run_and_meets_the_bounds_and_says_what_it_costs(answered: Context):
    table = next(t for t in made.tables(levers.build(answered)) if "And worsens" in t.header)
    start = {
        k: float(v[answered.balanced]) for k, v in columns(answered.study, answered.best).items()
    }
    found = tornado.along(answered.study, start)
    fine = found.runs & (found.metrics["energy"] <= 50) & ~np.isnan(found.metrics["cost"])
    best = float(found.metrics["latency"][fine].min())
    (latency,) = (row for row in table.rows if row[0] == "latency")
    assert latency[3] == quantity(best, "s")
    assert latency[4].startswith("cost $")


def test_numbers_outside_the_study_are_told_apart_from_its_knobs(answered: Context):
    table = next(t for t in made.tables(levers.build(answered)) if "As it stands" in t.header)
    told = {row[1] for row in table.rows}
    varied = {path.replace(".", " ").replace("_", " ") for path in answered.study.space.by_path}
    assert not told & varied
    assert any("(fitted)" in name for name in told)
    _, config = configured(answered, answered.balanced)
    clock = next(row for row in table.rows if row[1] == "clock")
    assert clock[2] == quantity(float(config.clock), "Hz")  # type: ignore[attr-defined]


def test_nothing_feasible_is_weighed_from_the_nearest_design(empty: Context):
    said = made.words(levers.build(empty))
    assert "missed by" in said
    assert "would help the nearest design most" in said


def test_errors_to_measure_first_are_named_where_a_page_joins_others(boards: Context):
    said = made.words(levers.build(boards))
    assert "What the intervals of the objectives rest on: latency: " in said
    assert "judged by the interval's end" in said


def test_a_drawing_says_whose_predictions_it_shows(answered: Context):
    (figure,) = made.figures(levers.build(answered))
    assert "Predictions of the page 'toy'" in figure.caption


def test_a_design_that_nothing_could_price_has_no_lever(empty: Context):
    none = replace(empty, nearest=empty.nearest.take(np.zeros(0, dtype=np.intp)))
    assert levers._changes(none) == levers._measure(none) == []
