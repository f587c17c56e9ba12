"""The changes around a design and along a study's axes: where they end and what stays."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dse import registry
from dse.errors import InputError
from dse.moves import along, around, ranges_of, start_of
from dse.spec import at, knobs


def settings(
    toy: Any, document: dict[str, object] | None = None, **options: Any
) -> dict[str, Any]:
    """Knob -> the settings it is moved to."""
    config = registry.configure(toy.TOY, document or {})
    found: dict[str, list[object]] = {}
    for move in around(toy.TOY, config, **options)[0]:
        found.setdefault(move.axis.path, []).extend(move.settings)
    return found


def test_a_number_moves_by_its_share_and_in_the_logarithm_by_the_same_factor(toy: Any) -> None:
    found = settings(toy)
    assert found["clock"] == pytest.approx([0.9e9, 1.1e9])
    assert found["link.bandwidth"] == pytest.approx([8e9 / 1.1, 8e9 * 1.1])
    assert settings(toy, reach=0.5)["clock"] == pytest.approx([0.5e9, 1.5e9])


def test_a_whole_number_moves_by_one_at_least(toy: Any) -> None:
    found = settings(toy)
    assert found["chips"] == [1.0, 3.0]
    assert found["items"] == [15.0, 18.0]  # 16 / 1.1 = 14.5 rounds up, 17.6 as well
    assert settings(toy, {"items": 100})["items"] == [91.0, 110.0]


def test_no_number_leaves_its_bounds_or_turns_back_from_beyond_them(toy: Any) -> None:
    assert settings(toy, {"clock": 1.95e9})["clock"] == pytest.approx([1.755e9, 2e9])
    assert settings(toy, {"chips": 1})["chips"] == [2.0]
    assert settings(toy, {"clock": 3e9})["clock"] == pytest.approx([2.7e9])


def test_a_switch_turns_and_another_number_at_0_stays_with_its_reason(toy: Any) -> None:
    config = registry.configure(toy.TOY, {"overhead": 0})
    moves, still = around(toy.TOY, config)
    assert {move.axis.path for move in moves} == set(knobs(toy.TOY.config)) - {"overhead"}
    assert still == {"overhead": "it is 0"}
    assert settings(toy)["cached"] == [1.0]
    assert settings(toy, {"cached": 1})["cached"] == [0.0]


def test_a_category_takes_every_other_row_that_the_page_can_read(toy: Any) -> None:
    assert settings(toy)["chip"] == ["tiny", "large", "unpriced"]  # not small, not unfinished


def test_a_batch_holds_the_design_with_one_knob_changed(toy: Any) -> None:
    config = registry.configure(toy.TOY, {})
    for move in around(toy.TOY, config)[0]:
        for path in knobs(toy.TOY.config):
            if path != move.axis.path:
                assert at(move.batch, path) == at(config, path)
        if not move.axis.rows:
            assert at(move.batch, move.axis.path).tolist() == move.settings


def test_what_is_asked_for_is_all_that_moves(toy: Any) -> None:
    assert set(settings(toy, asked=["clock", "chip"])) == {"clock", "chip"}
    with pytest.raises(InputError, match="unknown knob 'clok'; did you mean clock"):
        settings(toy, asked=["clok"])


@pytest.mark.parametrize("reach", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_is_no_share_is_refused(toy: Any, reach: float) -> None:
    with pytest.raises(InputError, match="`0 < range < 1` must hold"):
        settings(toy, reach=reach)


def test_knobs_that_hold_errors_of_predictions_stay(toy: Any) -> None:
    page = replace(toy.TOY, uncertain={"efficiency": object()})
    found, still = ranges_of(page, registry.configure(toy.TOY, {}))
    assert "efficiency" not in found
    assert still["efficiency"] == "it holds an error of a prediction"


def test_networks_of_different_builds_are_priced_apart_when_asked_for() -> None:
    page = registry.model("roofline")
    config = registry.configure(page, {})
    moves, _ = around(page, config, asked=["workload"])
    moved = [setting for move in moves for setting in move.settings]
    assert len(moves) > 1
    assert config.workload.slug not in moved
    assert len(moved) == len(set(moved)) > 10
    assert "workload" in around(page, config)[1]


def test_an_axis_visits_its_levels_and_an_inactive_one_stays(toy: Any) -> None:
    study = toy.study()
    start = start_of(study)
    assert start is not None
    _, moves, still = along(study, start)
    visited = {move.axis.path: move.settings for move in moves}
    assert still == {"cache": "it plays no part in this design"}
    assert visited["chip"] == ["tiny", "large", "unpriced"]
    assert visited["chips"] == [1.0, 4.0]
    assert visited["link.bandwidth"] == pytest.approx([2e9, 32e9])  # 8 GB/s is where it starts
    assert visited["cached"] == [1.0]


def test_opening_a_condition_takes_the_values_held_for_what_it_opens(toy: Any) -> None:
    study = toy.study()
    start = {**(start_of(study) or {}), "cached": 1.0, "cache": 64e6}
    here, moves, still = along(study, start)
    assert still == {}
    assert float(at(here, "cache")) == 64e6
    off = next(move for move in moves if move.axis.path == "cached")
    assert np.asarray(at(off.batch, "cache")).tolist() == [1e6]  # the default: it plays no part


def test_a_study_starts_where_its_file_says(toy: Any) -> None:
    start = start_of(toy.study())
    assert start is not None
    assert (start["chips"], start["link.lanes"], start["link.bandwidth"]) == (2.0, 1.0, 8e9)


def test_a_study_that_cannot_run_there_starts_from_the_sampled_design_nearest_to_it(
    toy: Any,
) -> None:
    start = start_of(toy.study(set={"items": 60}))  # 12 GB: more than 2 chips of 4 GB hold
    assert start is not None
    # 4 chips of it hold 16 GB: one knob differs, and the energy is within its bound
    assert (start["chip"], start["chips"]) in {(1.0, 4.0), (2.0, 2.0)}
    assert (start["link.lanes"], start["cached"]) == (1.0, 0.0)


def test_a_study_in_which_nothing_runs_starts_nowhere(toy: Any) -> None:
    assert start_of(toy.study(set={"items": 1024})) is None
