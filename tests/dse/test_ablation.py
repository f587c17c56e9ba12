"""Techniques in all combinations: what is priced, which terms come out, how they add up."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dse import registry
from dse.ablation import Ablation, ablate, dividends, verdict
from dse.errors import InputError
from dse.spec import Technique
from dse.study import nest

TUNED = {"items": 4, "chip": "large", "chips": 4, "cached": 1, "cache": "64 MB", "link.lanes": 4}
TECHNIQUES = (
    Technique("parallel", "several chips", {"chips": 1}),
    Technique("silicon", "the large chip", {"chip": "tiny"}),
    Technique("caching", "a cache", {"cached": 0, "cache": "1 MB"}),
)


def switched(
    toy: Any, settings: Mapping[str, object], techniques: tuple[Technique, ...] = TECHNIQUES
) -> Ablation:
    page = replace(toy.TOY, techniques=techniques)
    return ablate(page, registry.configure(page, nest(settings)))


def by_name(ablation: Ablation, metric: str) -> dict[str, float]:
    return {"·".join(term.techniques): term.ln for term in ablation.terms(metric)}


def test_the_sheets_training_cells_give_its_printed_terms() -> None:
    # cells 000 to 111 of (FN, CF, OST): FN alone is ln(2.985 / 2.301) = .260, and
    # FN·OST is ln(3.953 * 2.301 / (2.985 * 4.122)) = -.302: tuned compute hides less
    cells = np.array([2.301, 4.122, 2.301, 4.122, 2.985, 3.953, 3.806, 6.163]).reshape(2, 2, 2)
    terms = dividends(cells)
    printed = {
        (0, 0, 1): 0.583,
        (1, 0, 0): 0.260,
        (0, 1, 0): 0.0,
        (1, 0, 1): -0.302,
        (1, 1, 0): 0.243,
        (1, 1, 1): 0.201,
        (0, 1, 1): 0.0,
    }
    for index, value in printed.items():
        assert terms[index] == pytest.approx(value, abs=6e-4), index  # printed to three decimals


def test_the_sheets_decode_cells_give_its_printed_terms() -> None:
    cells = np.array([1.198, 2.988, 1.216, 0.965, 0.701, 2.988, 1.054, 0.965]).reshape(2, 2, 2)
    terms = dividends(cells)  # axes are OST, A3, DFX
    printed = {
        (1, 0, 0): -0.536,
        (0, 0, 1): 0.914,
        (0, 1, 0): 0.015,
        (0, 1, 1): -1.145,
        (1, 1, 0): 0.393,
        (1, 0, 1): 0.536,
        (1, 1, 1): -0.393,
    }
    for index, value in printed.items():
        assert terms[index] == pytest.approx(value, abs=6e-4), index  # printed to three decimals


positive = st.floats(1e-6, 1e6)
cubes = st.integers(0, 7).flatmap(lambda k: arrays(np.float64, (2,) * k, elements=positive))


@given(cubes)
def test_terms_sum_to_the_full_effect(cells: Any) -> None:
    # up to 2^7 terms, each of up to 2^7 logarithms below 14: a few thousand ulps of 14
    assert dividends(cells).sum() == pytest.approx(np.log(cells[(1,) * cells.ndim]), abs=1e-9)


@given(st.integers(1, 4).flatmap(lambda k: arrays(np.float64, (2,) * k, elements=positive)))
def test_the_fast_transform_is_the_alternating_sum_over_subsets(cells: Any) -> None:
    terms = dividends(cells)
    for index in np.ndindex(cells.shape):
        on = [axis for axis, lit in enumerate(index) if lit]
        slow = 0.0
        for size in range(len(on) + 1):
            for part in combinations(on, size):
                cell = tuple(int(axis in part) for axis in range(cells.ndim))
                slow += (-1) ** (len(on) - size) * np.log(cells[cell])
        assert terms[index] == pytest.approx(slow, abs=1e-10)  # at most 16 logarithms below 14


@given(st.lists(positive, min_size=1, max_size=6))
def test_techniques_that_multiply_have_no_terms_together(factors: list[float]) -> None:
    cells = np.ones(())
    for factor in factors:
        cells = np.multiply.outer(cells, np.array([1.0, factor]))
    logs = np.log(np.array(factors))
    terms = dividends(cells)
    for index in np.ndindex(cells.shape):
        alone = [logs[axis] for axis, on in enumerate(index) if on]
        expected = alone[0] if len(alone) == 1 else 0.0
        assert terms[index] == pytest.approx(expected, abs=1e-9)


@given(st.integers(1, 4).flatmap(lambda k: arrays(np.float64, (2,) * k, elements=positive)))
def test_terms_with_the_others_on_are_sums_of_the_terms_that_hold_them(cells: Any) -> None:
    # switching the others on adds every term of a larger set to the set's own
    terms, on_top = dividends(cells), dividends(cells, others_on=True)
    for index in np.ndindex(cells.shape):
        larger = tuple(slice(on, None) for on in index)
        assert on_top[index] == pytest.approx(terms[larger].sum(), abs=1e-9)


@pytest.mark.parametrize("hole", [np.nan, 0.0, -1.0, np.inf])
def test_a_term_is_unknown_exactly_where_a_cell_it_needs_is(hole: float) -> None:
    cells = np.full((2, 2, 2), 2.0)
    cells[0, 1, 0] = hole
    unknown = np.isnan(dividends(cells))
    assert unknown.tolist() == [[[False, False], [True, True]], [[False, False], [True, True]]]


def test_words_follow_the_better_direction() -> None:
    assert verdict(0.1, together=False, sense="max") == "helps"
    assert verdict(0.1, together=False, sense="min") == "hurts"
    assert verdict(0.1, together=True, sense="max") == "reinforce"
    assert verdict(0.1, together=True, sense="min") == "cancel"
    assert verdict(1e-4, together=True, sense="min") == "compose"
    assert verdict(-1e-4, together=False, sense="min") == "no effect"
    assert verdict(0.1, together=True, sense="") == "raises"
    assert verdict(float("nan"), together=True, sense="min") == "unknown"


def test_every_cell_is_the_design_with_those_settings(toy: Any) -> None:
    found = switched(toy, TUNED)
    assert len(found.cells) == 8
    for row in range(8):
        laid: dict[str, object] = dict(TUNED)
        for technique in TECHNIQUES:
            if not found.cells[technique.slug][row]:
                laid |= technique.off
        if found.refusals[row]:
            continue
        alone = toy.TOY.evaluate(registry.configure(toy.TOY, nest(laid)))
        for name in ("latency", "cost", "throughput"):
            # the same sums of a few numbers, over a scalar and over a column
            assert found.cells[name][row] == pytest.approx(float(alone.metrics[name]), rel=1e-12)


def test_terms_of_a_design_add_up_to_its_effect(toy: Any) -> None:
    found = switched(toy, TUNED)
    assert sum(by_name(found, "latency").values()) == pytest.approx(found.effect("latency").ln)
    assert found.effect("latency").verdict == "helps"


def test_terms_are_sorted_by_size(toy: Any) -> None:
    sizes = [abs(term.ln) for term in switched(toy, TUNED).terms("latency")]
    assert len(sizes) == 7
    assert sizes == sorted(sizes, reverse=True)


def test_a_technique_that_the_design_has_off_is_left_out(toy: Any) -> None:
    found = switched(toy, {**TUNED, "chips": 1, "link.lanes": 2})
    assert [t.slug for t in found.left_out] == ["parallel"]
    assert [t.slug for t in found.techniques] == ["silicon", "caching"]
    assert len(found.cells) == 4


def test_a_technique_whose_knob_holds_a_rivals_setting_is_left_out(toy: Any) -> None:
    rivals = (
        Technique("large", "the large chip", {"chip": "tiny"}, on={"chip": "large"}),
        Technique("small", "the small chip", {"chip": "tiny"}, on={"chip": "small"}),
    )
    found = switched(toy, TUNED, rivals)
    assert [t.slug for t in found.techniques] == ["large"]
    assert [t.slug for t in found.left_out] == ["small"]


def test_a_technique_that_changes_no_metric_is_idle(toy: Any) -> None:
    idle = Technique("sized", "a size that counts only with a cache", {"cache": "2 MB"})
    found = switched(toy, {"chips": 4, "cached": 0, "cache": "1 MB"}, (TECHNIQUES[0], idle))
    assert [t.slug for t in found.idle] == ["sized"]
    assert [t.slug for t in found.techniques] == ["parallel"]
    assert len(found.cells) == 2


def test_a_design_of_idle_techniques_only_is_one_cell(toy: Any) -> None:
    idle = Technique("sized", "a size that counts only with a cache", {"cache": "2 MB"})
    found = switched(toy, {"cached": 0, "cache": "1 MB"}, (idle,))
    assert found.techniques == ()
    assert len(found.cells) == 1
    assert found.terms("latency") == []
    assert found.as_json()["idle"] == ["sized"]


def test_what_off_entails_for_the_design_is_told_with_it(toy: Any) -> None:
    halved = Technique(
        "cached", "a cache", {"cached": 0}, entails=lambda c: {"items": float(c.items / 2)}
    )
    found = switched(toy, TUNED, (halved,))
    assert found.offs["cached"] == {"cached": 0, "items": 2.0}
    assert found.as_json()["techniques"][0]["off"] == {"cached": 0, "items": 2.0}


def test_cells_that_break_a_rule_or_cannot_run_have_no_value_and_say_why(toy: Any) -> None:
    # four lanes a chip, so one chip cannot have eight
    found = switched(toy, {**TUNED, "link.lanes": 8}, TECHNIQUES[:2])
    why = dict(
        zip(
            zip(found.cells["parallel"].tolist(), found.cells["silicon"].tolist(), strict=True),
            found.refusals,
            strict=True,
        )
    )
    assert why == {
        (True, True): "",
        (True, False): "",
        (False, True): "refused: link.lanes <= 4 chips",
        (False, False): "refused: link.lanes <= 4 chips",
    }
    # a tiny chip holds 1 GB, and 16 items need 3.2 GB
    single = switched(toy, {**TUNED, "chips": 3, "items": 16}, TECHNIQUES[:2])
    assert single.refusals == ("infeasible", "", "infeasible", "")
    assert np.isnan(single.cells["latency"]).tolist() == [True, False, True, False]
    assert all(np.isnan(list(by_name(single, "latency").values())))
    assert single.on_top("latency")[0].techniques == ("parallel",)


def test_of_two_techniques_that_set_one_knob_the_later_wins_and_it_is_said(toy: Any) -> None:
    pair = (Technique("a", "first", {"chips": 2}), Technique("b", "second", {"chips": 1}))
    found = switched(toy, TUNED, pair)
    assert found.cells["cost"].tolist() == pytest.approx(
        # 50 USD a lane and 6.4 USD of cache beside the chips at 6000 USD
        [6206.4, 12206.4, 6206.4, 24206.4]
    )
    assert found.clashes == ("a and b both set chips; with both off it is as b says",)


def test_of_two_techniques_with_one_setting_nothing_is_said(toy: Any) -> None:
    pair = (Technique("a", "first", {"chips": 1}), Technique("b", "second", {"chips": 1}))
    assert switched(toy, TUNED, pair).clashes == ()


def test_an_unknown_price_leaves_the_terms_of_cost_unknown_and_those_of_latency_known(
    toy: Any,
) -> None:
    found = switched(toy, {**TUNED, "chip": "unpriced"}, TECHNIQUES[1:])
    assert np.isnan(by_name(found, "cost")["silicon"])
    assert np.isfinite(by_name(found, "latency")["silicon"])
    assert found.left_out == ()


def test_cells_outside_the_pages_range_are_marked(toy: Any) -> None:
    fast = (Technique("fast", "overclocked", {"clock": "1 GHz"}),)
    found = switched(toy, {**TUNED, "clock": "1.8 GHz"}, fast)
    assert found.cells["extrapolates"].tolist() == [False, True]
    assert found.warnings == {"no chip was measured above 1.5 GHz": 1}


def test_a_page_without_techniques_says_which_pages_have_some(toy: Any) -> None:
    with pytest.raises(InputError, match="'toy' declares no technique to switch off; models"):
        switched(toy, TUNED, ())


def test_a_design_with_every_technique_off_is_refused(toy: Any) -> None:
    with pytest.raises(InputError, match="has no technique on, of parallel; set one on"):
        switched(toy, {"chips": 1}, TECHNIQUES[:1])


@pytest.mark.parametrize(
    ("off", "words"),
    [
        ({"chps": 1}, "technique 'x' of toy: unknown knob 'chps'; did you mean chips"),
        ({"chip": "giant"}, "technique 'x' of toy: chip: unknown chip 'giant'"),
        ({"link": {"lanes": 1}}, "technique 'x' of toy: unknown knob 'link'"),
    ],
)
def test_a_technique_that_does_not_fit_its_page_is_named(
    toy: Any, off: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        switched(toy, TUNED, (Technique("x", "wrong", off),))
