"""Designs and studies of the toy: what matters, what is left out, and how scripts read it."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from dse import registry
from dse.errors import InputError
from dse.sensitivity import Asked, Sensitivity, of_design, of_study
from dse.spec import Metric, Result

FEW = Asked(samples=512)


def of_toy(toy: Any, document: dict[str, object] | None = None, **asked: Any) -> Sensitivity:
    options = {"samples": 512, **asked}
    return of_design(toy.TOY, registry.configure(toy.TOY, document or {}), Asked(**options))


def total(found: Sensitivity, metric: str) -> dict[str, float]:
    indices = found.indices[metric]
    return dict(zip(indices.inputs, indices.total.tolist(), strict=True))


def test_a_page_with_known_indices_gives_them_through_its_space(toy: Any) -> None:
    """Ishigami's function of three knobs of the toy, each moved from -pi to pi."""

    def evaluate(config: Any) -> Result:
        def angle(value: Any, low: float, high: float) -> Any:
            return np.pi * (2 * (value - low) / (high - low) - 1)

        x, y = angle(config.clock, 1e8, 2e9), angle(config.efficiency, 0.1, 1)
        z = angle(config.overhead, 0, 0.1)
        f = np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)
        result = toy.price_machine(config)
        return replace(result, metrics={**result.metrics, "ishigami": f})

    page = replace(
        toy.TOY,
        evaluate=evaluate,
        metrics={**toy.TOY.metrics, "ishigami": Metric("1", "min", "a known function")},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "model", lambda _: page)
        study = toy.study(
            set={},
            space={
                "clock": {"low": 1e8, "high": 2e9},
                "efficiency": {"low": 0.1, "high": 1},
                "overhead": {"low": 0, "high": 0.1},
                "link.lanes": [1, 2],
            },
            objectives=["ishigami"],
            constraints=[],
        )
    found = of_study(study, Asked(samples=2**13))
    # closed form: 0.5575, 0.4424, 0.2437; 8,192 rows leave about 0.011
    expected = {"clock": 0.5575, "efficiency": 0.4424, "overhead": 0.2437, "link.lanes": 0.0}
    assert total(found, "ishigami") == pytest.approx(expected, abs=0.015)
    assert found.runs == found.designs == 2**13 * 6


def test_a_studys_metrics_are_its_objectives_and_bounds_and_its_truths(toy: Any) -> None:
    found = of_study(toy.study(), FEW)
    assert found.metrics == ("latency", "cost", "energy", "feasible", "accepted")
    assert of_study(toy.study(constraints=[]), FEW).metrics == ("latency", "cost", "feasible")
    asked = of_study(toy.study(), replace(FEW, metrics=("power",)))
    assert asked.metrics == ("power", "feasible", "accepted")


def test_a_conditional_axis_that_plays_no_part_has_no_effect(toy: Any) -> None:
    opened = total(of_study(toy.study(), FEW), "latency")
    impossible = {"choices": ["1 MB", "64 MB"], "when": "cached == 1 and cached == 0"}
    never = {**toy.SPACE, "cache": impossible}
    closed = total(of_study(toy.study(space=never), FEW), "latency")
    assert opened["cache"] > 0
    assert closed["cache"] == 0.0


def test_what_cannot_run_is_left_out_of_every_metric_but_of_feasible(toy: Any) -> None:
    found = of_study(toy.study(set={"items": 16}), FEW)
    assert 0 < found.runs < found.designs
    assert found.indices["latency"].left_out == found.designs - found.runs
    assert found.indices["feasible"].left_out == 0
    assert set(np.flatnonzero(found.indices["feasible"].total)) == {0, 1, 3}  # chip, chips, lanes


def test_unpriced_devices_are_unknown_to_cost_alone(toy: Any) -> None:
    found = of_study(toy.study(), FEW)
    assert found.indices["cost"].left_out > found.indices["latency"].left_out


def test_the_first_knob_explains_the_metric_best_by_rank_too(toy: Any) -> None:
    study = toy.study()
    found = of_study(study, Asked(samples=2048))
    indices = found.indices["energy"]
    sample = study.space.sample(np.random.default_rng(1).random((2000, len(study.space.axes))))
    energy = np.asarray(study.page.evaluate(study.space.config(sample)).metrics["energy"])
    ranks = {path: abs(spearmanr(column, energy).statistic) for path, column in sample.items()}
    assert max(ranks, key=lambda path: ranks[path]) == indices.inputs[indices.ranked[0]]


def test_a_design_is_sampled_in_its_numbers_within_the_range(toy: Any) -> None:
    near, wide = of_toy(toy), of_toy(toy, reach=0.5)
    assert "chip" not in near.indices["latency"].inputs
    assert near.reach == 0.1
    assert wide.reach == 0.5
    assert near.metrics[:2] == ("latency", "throughput")
    assert near.study is None
    # power = chips (20 W f) + 2 lanes: of a clock between 0.9 and 1.1 against 1 to 3 chips
    assert total(near, "power")["chips"] > 0.9
    assert total(wide, "power")["clock"] > total(near, "power")["clock"]


def test_a_design_of_categories_alone_has_changes_and_no_indices(toy: Any) -> None:
    found = of_toy(toy, knobs=("chip",))
    assert found.indices == {}
    assert found.designs == 0
    assert [swing.knob for swing in found.swings("latency")] == ["chip"]
    assert found.as_json()["metrics"]["latency"]["refusal"] == "no number varies"  # type: ignore[index]


def test_single_changes_start_from_the_design_that_is_given(toy: Any) -> None:
    study = toy.study()
    start = {"chip": 2.0, "chips": 4.0, "link.bandwidth": 3e9, "link.lanes": 7.0, "cached": 1.0}
    found = of_study(study, FEW, start={**start, "cache": 64e6})
    assert found.tornado is not None
    assert found.tornado.start["chip"] == "large"
    assert found.tornado.start["cache"] == 64e6


def test_a_study_in_which_nothing_runs_says_so(toy: Any) -> None:
    found = of_study(toy.study(set={"items": 1024}), FEW)
    assert found.runs == 0
    assert found.tornado is None
    assert found.indices["latency"].refusal.startswith("only 0 of 512 rows hold values")
    assert found.indices["feasible"].refusal == "constant"
    assert found.swings("latency") == []


@pytest.mark.parametrize("asked", [Asked(knobs=("chip",)), Asked(reach=0.2)])
def test_a_study_takes_no_options_of_designs(toy: Any, asked: Asked) -> None:
    with pytest.raises(InputError, match="--knob and --range are for a design"):
        of_study(toy.study(), asked)


def test_a_study_without_an_axis_is_refused(toy: Any) -> None:
    with pytest.raises(InputError, match="nothing varies"):
        of_study(toy.study(space={}), FEW)


def test_an_unknown_metric_is_refused_before_anything_is_priced(toy: Any) -> None:
    for ask in (lambda a: of_study(toy.study(), a), lambda a: of_toy(toy, metrics=a.metrics)):
        with pytest.raises(InputError, match="unknown metric 'latensy'; did you mean latency"):
            ask(Asked(metrics=("latensy",)))


def test_the_frame_holds_both_views_of_every_knob(toy: Any) -> None:
    found = of_toy(toy)
    frame = found.to_pandas().set_index(["metric", "knob"])
    indices = found.indices["latency"]
    clock = frame.loc[("latency", "clock")]
    assert clock["total"] == indices.total[indices.inputs.index("clock")]
    assert clock["low_at"] == pytest.approx(1.1e9)
    assert np.isnan(frame.loc[("latency", "chip"), "total"])
    assert frame.loc[("latency", "chip"), "low_at"] == "unpriced"
    assert found.to_pandas().attrs["units"]["latency"] == "s"


def test_json_is_plain_and_the_same_for_the_same_seed(toy: Any) -> None:
    def text(seed: int) -> str:
        return json.dumps(of_study(toy.study(), replace(FEW, seed=seed)).as_json())

    one = json.loads(text(1))
    assert text(1) == text(1) != text(2)
    assert one["study"] == "toy"
    assert one["metrics"]["latency"]["indices"][0]["total"] > 0
    assert one["metrics"]["cost"]["best"]["knob"] in one["changes"]["start"]
    assert one["metrics"]["accepted"]["best"] is None


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_pages_default_design_has_sensitivities(slug: str) -> None:
    page = registry.model(slug)
    found = of_design(page, registry.configure(page, {}), Asked(samples=256))
    indices = found.indices[page.total]
    assert found.designs == 256 * (len(indices.inputs) + 2)
    told = not indices.refusal or indices.rows < 128
    assert told
    assert len(found.to_pandas()) > 0
    json.dumps(found.as_json())
