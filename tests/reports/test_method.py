from dataclasses import replace

from reports import method
from reports.section import Context
from tests.reports import made
from tests.reports.conftest import Searched


def test_method_budget_seed_and_counts_are_told(answered: Context):
    told = made.facts(method.build(answered))
    facts = answered.environment
    assert told["Method"].startswith("grid")
    assert told["Budget and seed"] == "10,000 designs, seed 3"
    assert told["Designs priced"].startswith(f"{facts['designs']:,} in ")
    assert told["Accepted"].startswith(f"{facts['accepted']:,} (")
    assert told["On the front"] == f"{len(answered.front):,}"


def test_every_knob_that_varies_is_listed_with_its_range_and_condition(answered: Context):
    rows = made.rows(made.tables(method.build(answered))[0])
    assert rows["chip"][0] == "tiny, small, large, unpriced"
    assert rows["chips"] == ["1, 2, 4", "always"]
    assert rows["cache"] == ["1 MB, 64 MB", "cached == 1"]
    assert rows["link bandwidth"][0] == "2 GB/s to 32 GB/s, continuous, logarithmic"


def test_what_no_design_uses_is_listed_with_the_reason(answered: Context):
    left = made.rows(made.tables(method.build(answered))[-1])
    assert left["unpriced"] == [answered.environment["left_out"]["unpriced"]]


def test_rows_that_are_left_out_for_one_reason_share_a_line(answered: Context):
    reasons = {"a": "'a' has no known power", "c": "no price"}
    reasons["b"] = "'b' has no known power"
    environment = {**answered.environment, "left_out": reasons}
    left = made.tables(method.build(replace(answered, environment=environment)))[-1]
    assert left.rows == [["a, b", "has no known power"], ["c", "no price"]]


def test_a_search_in_one_block_draws_no_growth(answered: Context):
    assert made.figures(method.build(answered)) == []


def test_growth_is_drawn_once_there_are_steps_to_see(answered: Context):
    steps = [{"designs": 10.0**n, "front": n + 1.0, "hypervolume": n + 1.0} for n in range(4)]
    assert len(made.figures(method.build(replace(answered, history=steps)))) == 1


def test_an_approximate_method_does_not_claim_to_be_exact(searched: Searched):
    search = {"method": "random", "budget": 200, "seed": 1}
    told = made.facts(method.build(made.context(searched(search=search))))
    assert "exact" not in told["Method"]
    assert told["Finished"] == "yes"


def test_repeats_and_designs_that_cannot_be_compared_are_told(answered: Context):
    facts = made.facts(method.build(answered))
    assert "of them repeats" not in facts["Designs priced"]
    count = answered.environment["not_compared"]["cost"]
    assert facts["Not compared"] == f"{count} more, whose cost is unknown or infinite"
    again = replace(answered, environment={**answered.environment, "repeats": 12})
    said = made.facts(method.build(again))["Designs priced"]
    assert said.startswith("324 (12 of them repeats) in ")


def test_random_designs_at_equal_budget_are_held_against_the_front(searched: Searched):
    context = made.context(searched())
    count = context.environment["designs"]
    found, first = method.beside_random(context.study, context.front, context.designs, count)
    assert 0 < found <= 1  # a grid's front is exact, so nothing dominates more
    assert first is None  # the first designs of a grid are an order, not a search
    said = made.words(method.build(context))
    assert f"as many random designs, seed 0, dominate {100 * found:.3g} % of the" in said


def test_a_random_search_is_as_good_as_random_designs_of_equal_number(searched: Searched):
    context = made.context(searched(search={"method": "random", "budget": 300, "seed": 0}))
    found, first = method.beside_random(context.study, context.front, context.designs, 100)
    assert first is not None
    assert 0 < first <= 1
    # the same sampler and another number of rows at once: not the same designs, but as good
    assert abs(found - first) < 0.2


def test_a_run_without_a_front_is_held_against_nothing(empty: Context):
    assert "no front to hold against" in made.words(method.build(empty))
