"""Scores worked out by hand on a few rows, and what must hold of any rows."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import cross, registry, scores, validate, verbs
from dse.cross import Crossing, Verdict
from dse.scores import Feasibility, Pair, score
from tests.dse import toy_mechanism as mechanism


def pair(reference: float, predicted: float, **changes: object) -> Pair:
    made = Pair(
        model="toy",
        comparison=scores.PAPER,
        use="check",
        group="",
        id=f"at {reference:g}",
        metric="latency",
        sense="min",
        unit="s",
        reference=reference,
        predicted=predicted,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # whatever a test changes


FOUR = [pair(1.0, 1.1), pair(2.0, 1.6), pair(3.0, 3.0), pair(4.0, 2.8)]


def test_the_errors_of_four_rows_by_hand() -> None:
    found = score(FOUR)
    assert (found.model, found.comparison, found.use) == ("toy", scores.PAPER, "check")
    assert (found.rows, found.odd) == (4, 0)
    assert found.mape == pytest.approx((0.1 + 0.2 + 0 + 0.3) / 4)
    assert found.worst == pytest.approx(0.3)
    assert found.at == "at 4"
    assert found.bias == pytest.approx((1.1 * 0.8 * 1.0 * 0.7) ** 0.25 - 1)
    # Of six pairs of rows one is in the wrong order: 3 before 4 is predicted 3.0 before 2.8.
    assert found.tau == pytest.approx((5 - 1) / 6)


def test_twice_and_half_cancel_in_the_bias() -> None:
    assert scores.bias([pair(1.0, 2.0), pair(2.0, 1.0)]) == pytest.approx(0.0, abs=1e-15)


def test_the_worst_row_of_several_metrics_is_named_with_its_metric() -> None:
    assert score([*FOUR, pair(1.0, 9.0, metric="energy")]).at == "energy in at 1"


def test_order_is_the_mean_over_metrics_with_four_rows_that_differ() -> None:
    upside_down = [pair(float(n), -float(n), metric="energy") for n in range(1, 6)]
    few = [pair(1.0, 2.0, metric="power"), pair(2.0, 1.0, metric="power")]
    constant = [pair(1.0, float(n), metric="cost") for n in range(1, 6)]
    assert scores.order([*FOUR, *few, *constant]) == pytest.approx(4 / 6)
    assert scores.order([*FOUR, *upside_down]) == pytest.approx((4 / 6 - 1) / 2)
    assert scores.order([*few, *constant]) is None


def grouped(*values: tuple[float, float], **changes: object) -> list[Pair]:
    return [pair(*value, group="g", **changes) for value in values]


def test_choosing_the_second_best_loses_what_it_is_worse_by() -> None:
    # By the prediction the second is fastest; it takes 1.2 where 1.0 could be had.
    assert scores.regrets(grouped((1.0, 0.9), (1.2, 0.8), (3.0, 4.0))) == pytest.approx([0.2])
    # Where more is better, 8 is chosen and 10 was there.
    more = grouped((10.0, 5.0), (8.0, 6.0), sense="max")
    assert scores.regrets(more) == pytest.approx([0.2])


def test_of_equal_predictions_the_worst_choice_counts() -> None:
    assert scores.regrets(grouped((1.0, 0.9), (1.5, 0.9))) == pytest.approx([0.5])
    assert scores.regrets(grouped((1.0, 0.9), (1.5, 0.9))[::-1]) == pytest.approx([0.5])


@pytest.mark.parametrize(
    "rows",
    [
        FOUR,
        grouped((1.0, 2.0)),
        grouped((1.0, 2.0), (2.0, 1.0), sense=""),
        grouped((0.0, 2.0), (2.0, 1.0)),
    ],
    ids=["no group", "nothing to choose from", "no better direction", "the best is zero"],
)
def test_without_alternatives_regret_is_unknown(rows: list[Pair]) -> None:
    assert scores.regrets(rows) == []
    assert score(rows).regret is None


def test_each_metric_of_a_group_is_a_choice_of_its_own() -> None:
    rows = [
        *grouped((1.0, 0.9), (1.2, 0.8)),
        *grouped((1.0, 1.0), (2.0, 2.0), metric="energy"),
    ]
    found = score(rows)
    assert found.choices == 2
    assert found.regret == pytest.approx((0.2 + 0.0) / 2)


@pytest.mark.parametrize(
    ("reference", "predicted"), [(0.0, 1.0), (math.nan, 1.0), (1.0, math.inf)]
)
def test_a_row_without_a_finite_error_is_counted_and_spoils_nothing(
    reference: float, predicted: float
) -> None:
    odd = pair(reference, predicted, group="g")
    found = score([*FOUR, odd])
    assert replace(found, odd=0) == score(FOUR)
    assert found.odd == 1
    alone = score([odd])
    assert (alone.rows, alone.odd, alone.at) == (0, 1, "")
    assert {alone.mape, alone.worst, alone.bias, alone.tau, alone.regret} == {None}


def test_feasibility_counts_who_is_wrong_and_how() -> None:
    found = Feasibility.of([(True, True), (True, False), (True, False), (False, True)])
    assert found == Feasibility(both=1, neither=0, false_infeasible=2, false_feasible=1)
    assert found.rows == 4
    assert Feasibility.of([(False, False)]).neither == 1


values = st.lists(st.floats(1e-6, 1e6), min_size=4, max_size=20, unique=True)


@given(values, st.sampled_from(["min", "max"]))
def test_perfect_predictions_have_no_error_and_lose_nothing(
    measured: list[float], sense: str
) -> None:
    found = score(grouped(*((value, value) for value in measured), sense=sense))
    assert (found.mape, found.worst, found.bias, found.regret) == (0.0, 0.0, 0.0, 0.0)
    assert found.tau == pytest.approx(1.0)


@given(
    values, st.lists(st.floats(0.1, 10), min_size=20, max_size=20), st.sampled_from([0.25, 4.0])
)
def test_predictions_all_off_by_a_factor_move_the_bias_and_keep_the_order(
    measured: list[float], noise: list[float], factor: float
) -> None:
    # A power of two keeps every digit, so that no order is lost to rounding.
    rows = grouped(*((value, value * n) for value, n in zip(measured, noise, strict=False)))
    scaled = [replace(row, predicted=row.predicted * factor) for row in rows]
    before, after = score(rows), score(scaled)
    assert before.bias is not None
    assert after.bias == pytest.approx((1 + before.bias) * factor - 1, rel=1e-9, abs=1e-9)
    assert (after.tau, after.regret) == (before.tau, before.regret)
    exact = score([replace(row, predicted=row.reference * factor) for row in rows])
    assert exact.bias == pytest.approx(factor - 1)


@pytest.fixture
def crossed(monkeypatch: pytest.MonkeyPatch) -> Crossing:
    mechanism.install(monkeypatch.setattr)
    (found,) = verbs.crossings("toy")
    return found


def test_a_card_keeps_comparisons_and_uses_apart(crossed: Crossing) -> None:
    card = scores.card("toy", crossed)
    assert [(s.comparison, s.use, s.rows) for s in card.scores] == [
        (scores.PAPER, "fit", 3),
        (scores.PAPER, "check", 1),
        (scores.MECHANISM, "fit", 2),
        (scores.MECHANISM, "check", 6),
        (scores.EXECUTED, "fit", 2),
    ]
    assert len(card.pairs) == sum(found.rows for found in card.scores)
    confusion = [found.feasibility for found in card.scores]
    assert confusion == [
        None,
        None,
        Feasibility(both=2, neither=0, false_infeasible=0, false_feasible=0),
        Feasibility(both=6, neither=1, false_infeasible=0, false_feasible=1),
        None,
    ]


def test_cases_of_one_group_are_alternatives(crossed: Crossing) -> None:
    check = scores.card("toy", crossed).scores[3]
    assert check.choices == 2  # plain and slow; one case of `tight` is left, which is no choice
    assert check.regret == pytest.approx(0.0, abs=1e-12)


def test_a_mechanism_that_judges_no_feasibility_has_no_confusion(
    monkeypatch: pytest.MonkeyPatch, crossed: Crossing
) -> None:
    known = {"batch_time": mechanism.REFERENCE.quantities["batch_time"]}
    mechanism.install(monkeypatch.setattr, quantities=known)
    assert all(found.feasibility is None for found in scores.card("toy", crossed).scores)


def test_what_worked_is_known_row_by_row_and_case_by_case(crossed: Crossing) -> None:
    worked = scores.card("toy", crossed).worked
    assert worked[scores.PAPER] == dict.fromkeys(("f1", "f2", "f3"), True) | {"c1": False}
    cases = worked[scores.MECHANISM]
    assert cases["never-99"]  # both say that it does not fit
    assert not cases["tight-38"]
    assert sum(cases.values()) == len(cases) - 1
    assert worked[scores.EXECUTED] == {"f2": True, "f3": True}


def test_a_prediction_without_a_number_does_not_work(crossed: Crossing) -> None:
    first = replace(crossed.rows[0], closed=math.nan)
    broken = replace(crossed, rows=(first, *crossed.rows[1:]))
    assert not scores.card("toy", broken).worked[scores.MECHANISM][first.id]


def test_the_closed_form_may_refuse_what_runs(crossed: Crossing) -> None:
    refused = Verdict("x", "check", "", reference=True, closed=False, reason="")
    card = scores.card("toy", replace(crossed, verdicts=(refused,)))
    (found,) = (s.feasibility for s in card.scores if s.feasibility)
    assert found.false_infeasible == 1


def test_the_errors_of_every_page_are_those_of_its_rows() -> None:
    for slug in registry.slugs():
        rows = validate.rows(slug)
        for found in scores.card(slug).scores:
            errors = [abs(row.error) for row in rows if row.use == found.use]
            assert found.rows == len(errors), slug
            assert found.worst == max(errors), slug


def test_a_page_without_a_mechanism_has_no_words_for_it() -> None:
    assert cross.from_kept("roofline") == (None, "")
