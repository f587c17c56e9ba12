import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import wording
from reports.section import Context


@given(st.floats(), st.sampled_from(["s", "B/s", "USD", "1", "%", "J/token", ""]))
def test_every_number_reads_as_a_word_or_digits_but_never_as_nan(number: float, unit: str):
    text = wording.quantity(number, unit)
    assert text
    assert "nan" not in text
    assert "inf" not in text.replace("infinite", "")


def test_what_is_not_known_says_so():
    assert wording.quantity(math.nan, "s") == "unknown"
    assert wording.quantity(math.inf, "s") == "infinite"
    assert wording.percent(math.nan) == wording.percent(math.inf) == "unknown"


@pytest.mark.parametrize(
    ("items", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")],
)
def test_a_list_reads_as_a_sentence(items: list[str], said: str):
    assert wording.listed(items) == said


def test_a_knob_counts_as_active_exactly_where_its_condition_holds(answered: Context):
    study, designs = answered.study, answered.designs
    used = wording.active(study, designs, "cache")
    assert used.any()
    assert np.array_equal(used, designs["cached"] == 1)
    assert wording.active(study, designs, "chips").all()


def test_a_cell_shows_a_slug_a_truth_or_a_number_with_its_unit(answered: Context):
    assert wording.cell(answered.best, "chip", 0) in {"tiny", "small", "large"}
    assert wording.cell(answered.best, "feasible", 0) == "yes"
    assert wording.cell(answered.best, "latency", 0).endswith("s")


def test_pricing_a_table_again_gives_the_stored_total(answered: Context):
    result = wording.priced(answered.study, answered.best)
    assert np.allclose(result.metrics["latency"], answered.best["latency"], rtol=1e-12)


def test_costs_name_the_date_of_their_prices_and_other_answers_do_not(answered: Context):
    assert wording.at_prices(answered) == f" at the prices of {answered.prices}"
