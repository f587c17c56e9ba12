import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dse import units
from dse.spec import Metric, Result
from reports import breakdown
from reports.section import Context
from tests.dse import toy
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


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ([1.0, 1.0, 1.0], "The busiest resource of every design is chips."),
        ([1.0, 9.0, 1.0], "The busiest resource is chips (a; c) and link (b)."),
        ([1.0, np.nan, 1.0], "The busiest resource of every design is chips."),
    ],
)
def test_the_busiest_resource_of_every_design_is_named_once(link: list[float], said: str):
    resources = {"chips": np.array([2.0, 3.0, 4.0]), "link": np.array(link)}
    assert breakdown._busiest(["a", "b", "c"], resources) == said


def test_a_design_without_a_busy_resource_is_not_named():
    resources = {"chips": np.array([0.0, 3.0])}
    assert breakdown._busiest(["a", "b"], resources) == "The busiest resource is chips (b)."


def test_the_nearest_design_is_taken_apart_when_nothing_is_feasible(empty: Context):
    blocks = breakdown.build(empty)
    assert made.tables(blocks)[0].header == ["Term", "Nearest"]
    assert len(made.figures(blocks)) == 1


@pytest.fixture
def untaken(answered: Context) -> Context:
    """The same designs, of a page on which nothing takes any time but a step."""
    page = answered.study.page
    step = {
        "step": Metric("s", "min", "a step", parts=("forward",)),
        "forward": Metric("s", "", ""),
    }

    def evaluate(config: Any) -> Result:
        found = page.evaluate(config)
        zero = 0.0 * found.metrics["latency"]
        metrics = {**found.metrics, "latency": zero, "step": zero + 2.0, "forward": zero + 2.0}
        idle = dict.fromkeys(found.resources, zero)
        return replace(
            found, metrics=metrics, terms=dict.fromkeys(found.terms, zero), resources=idle
        )

    served = replace(page, metrics={**page.metrics, **step}, evaluate=evaluate)
    return replace(answered, study=replace(answered.study, page=served))


def test_where_nothing_is_served_the_step_is_taken_apart(untaken: Context):
    blocks = breakdown.build(untaken)
    said = made.words(blocks)
    assert "Latency is 0 in all of these designs. The page 'toy' adds up step from" in said
    assert made.rows(made.tables(blocks)[0])["forward"][0] == "2 s (100 %)"
    assert made.figures(blocks)[0].caption.endswith(
        "they sum to it. The total has no interval: nothing was checked."
    )
    assert "unknown" not in said


def test_a_resource_that_does_nothing_is_not_the_busiest(untaken: Context):
    assert "busiest" not in made.words(breakdown.build(untaken))


def test_without_anything_to_take_apart_one_line_says_so(untaken: Context):
    page = replace(untaken.study.page, metrics=toy.TOY.metrics)
    study = replace(untaken.study, page=page)
    (only,) = breakdown.build(replace(untaken, study=study))
    assert made.words([only]).startswith("Latency is 0 in all of these designs.")
