import re
from dataclasses import replace

from dse.certainty import chance, span
from reports import question
from reports.section import Context, Paragraph
from tests.reports import made
from tests.reports.conftest import Searched


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=\.)\s+(?=[A-Z])", text) if part]


def test_the_question_stands_first_in_the_words_of_the_study(answered: Context):
    first = question.build(answered)[0]
    assert first == Paragraph(answered.study.question, "quote")


def test_the_verdict_is_two_sentences_with_counts_values_and_the_date_of_the_prices(
    answered: Context,
):
    said = question.verdict(answered)
    facts = answered.environment
    assert len(sentences(said)) == 2
    assert f"Of {facts['designs']:,} designs {facts['accepted']:,} meet every constraint" in said
    assert f"beats {len(answered.front):,} of them in latency and cost at once" in said
    assert f"at the prices of {answered.prices}" in said


def test_each_objective_alone_goes_as_far_as_the_front_does(answered: Context):
    least = float(answered.front["cost"].min())
    assert f"cost ${least:,.0f}" in question.verdict(answered)


def test_without_an_answer_the_verdict_says_what_keeps_every_design_out(empty: Context):
    said = question.verdict(empty)
    assert said.startswith(f"Not one of {empty.environment['designs']:,} designs")
    assert "'latency <= 1 us' is missed by" in said


def test_the_best_of_every_compared_choice_is_told_with_its_standing(searched: Searched):
    context = made.context(searched(objectives=["cost", "throughput"], compare="chip"))
    shown = {name for why in context.why for name in why.split(", ") if "balanced " in name}
    assert shown
    said = question.verdict(context)
    assert len(sentences(said)) == 2
    assert all(f"; the {name} (" in said for name in shown)
    assert said.count("is dominated") == sum("dominated" in why for why in context.why)


def test_objectives_constraints_and_settings_are_listed(answered: Context):
    said = made.words(question.build(answered))
    assert "latency, lower is better: time of a batch" in said
    assert "energy at most 50 J" in said
    assert "items 8" in said


def test_one_objective_needs_no_at_once(searched: Searched):
    context = made.context(searched(objectives=["throughput"]))
    assert "at once" not in question.verdict(context)
    assert "throughput, higher is better" in made.words(question.build(context))


def test_an_interrupted_search_is_told_apart(answered: Context):
    cut = replace(answered, environment={**answered.environment, "finished": False})
    assert "was interrupted" in made.words(question.build(cut))
    assert "was interrupted" not in made.words(question.build(answered))


def test_a_bound_that_asks_for_a_probability_says_so(boards: Context, answered: Context):
    assert "latency at most 4 s with a probability of 90 %" in made.words(question.build(boards))
    assert "probability" not in made.words(question.build(answered))


def test_the_balanced_design_carries_its_interval_and_its_chances(boards: Context):
    row, best = boards.balanced, boards.best
    said = made.words(question.build(boards))
    interval = span(best["latency_low"][row], best["latency_high"][row], "s")
    assert f"({interval})" in question.verdict(boards)
    assert "latency" in said.partition("rest on is published: ")[2].partition(";")[0]
    assert f"not dominated in {chance(best['chance_nondominated'][row])} of draws" in said
    assert f"every constraint in {chance(best['chance_constraints'][row])}." in said
