import re

import numpy as np

from dse import units
from reports import breakdown
from reports.section import Context
from tests.reports import made


def test_the_terms_shown_sum_to_the_total_shown(answered: Context):
    rows = made.rows(made.tables(breakdown.build(answered))[0])
    for column in range(len(answered.best)):
        shown = {name: cells[column].partition(" (")[0] for name, cells in rows.items()}
        seconds = {name: units.parse(text, "s") for name, text in shown.items()}
        total = seconds.pop("total")
        assert np.isclose(sum(seconds.values()), total, rtol=1e-2)  # three digits a term


def test_shares_add_up_to_the_whole(answered: Context):
    rows = made.rows(made.tables(breakdown.build(answered))[0])
    shares = [
        float(re.search(r"\((.*) %\)", rows[name][0])[1]) for name in rows if name != "total"
    ]
    assert abs(sum(shares) - 100) < 0.5


def test_the_balanced_design_is_drawn_first_and_few_are_drawn(answered: Context):
    drawn = made.figures(breakdown.build(answered))
    assert drawn[0].caption.lower().startswith(answered.why[breakdown._drawn(answered)[0]])
    assert "balanced" in drawn[0].caption.lower()
    assert len(drawn) == min(breakdown.FIGURES, len(answered.best))


def test_the_busiest_resource_of_every_design_is_named(answered: Context):
    said = made.words(breakdown.build(answered))
    named = re.findall(r"(chips|link) \(", said)
    assert len(named) == len(answered.best)


def test_the_nearest_design_is_taken_apart_when_nothing_is_feasible(empty: Context):
    blocks = breakdown.build(empty)
    assert made.tables(blocks)[0].header == ["Term", "Nearest"]
    assert len(made.figures(blocks)) == 1
