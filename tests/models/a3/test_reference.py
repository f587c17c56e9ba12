"""The whole mechanism: what a run says, published numbers, broken rules, and page against it."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from dse import registry
from dse.errors import InputError
from dse.mechanism import Case
from models.a3 import cycles, draws, queues
from models.a3.model import MODEL
from models.a3.reference import COMPARED, REFERENCE
from tests.models.a3.sheet import SHEET

CONSERVATIVE = {"rows": 320, "iterations": 160, "threshold": 0.05}
AGGRESSIVE = {"rows": 320, "iterations": 40, "threshold": 0.1}
SMALLEST = {"rows": 20, "iterations": 2, "threshold": 0.1}
FEW = {"drawn": 60}


def run(inputs: Mapping[str, object], **more: object) -> Mapping[str, float]:
    config = registry.resolve(REFERENCE.config, {**inputs, **more})
    return {name: float(value) for name, value in REFERENCE.run(config).items()}


def test_a_run_names_every_quantity_and_nothing_else():
    found = run(AGGRESSIVE, drawn=3)
    assert found.keys() == REFERENCE.quantities.keys()
    assert all(math.isfinite(value) for value in found.values())
    assert set(COMPARED) <= MODEL.metrics.keys()
    for name in COMPARED:
        assert MODEL.metrics[name].unit == REFERENCE.quantities[name].unit


def test_a_seed_repeats_itself_and_another_does_not():
    assert run(AGGRESSIVE, **FEW) == run(AGGRESSIVE, **FEW)
    assert run(AGGRESSIVE, **FEW)["candidates"] != run(AGGRESSIVE, **FEW, seed=2)["candidates"]


def test_the_exact_pipeline_does_not_depend_on_the_data():
    found = [run(AGGRESSIVE, drawn=4, attention=a) for a in ("gaussian", "latest", "home")]
    for name, count in (("base_interval", 329), ("base_latency", 987)):
        assert [f[name] for f in found] == pytest.approx([count * 1e-9] * 3, rel=1e-12)
    assert len({f["base_energy"] for f in found}) == 1


def test_trained_attention_has_the_width_it_was_trained_with():
    with pytest.raises(InputError, match="set width=64"):
        run(AGGRESSIVE, attention="home", width=32)


def test_modules_add_up_to_the_latency():
    found = run(AGGRESSIVE, **FEW, scan="exposed")
    modules = sum(value for name, value in found.items() if name.startswith("cycles_"))
    assert modules * 1e-9 == pytest.approx(found["latency"], rel=1e-12)
    assert found["cycles_selection"] == 40
    assert found["cycles_scan"] == 20
    assert found["cycles_fill"] == 45


def test_keys_that_all_oppose_the_query_fall_back_to_one_row(monkeypatch: pytest.MonkeyPatch):
    def opposed(rng: np.random.Generator, *, count: int, rows: int, **_: float):
        for _draw in range(count):
            yield draws.Attention(-np.ones((rows, 4)), rng.standard_normal((rows, 4)), np.ones(4))

    monkeypatch.setattr(draws, "gaussian", opposed)
    found = run(AGGRESSIVE, drawn=5)
    assert found["fallback"] == 1
    assert found["candidates"] == found["kept_rows"] == 1


# What the paper is known to say, and what the sheet derives from it.


def test_the_published_gains_at_20_rows_follow_from_the_fill_of_the_exact_pipeline():
    hidden, exposed = run(SMALLEST, drawn=400), run(SMALLEST, drawn=400, scan="exposed")
    assert round(hidden["throughput_gain"], 1) == 2.6
    # Printed 1.6: the scan exposed gives 1.60, hidden 1.66. That post-scoring is the fifth module
    # was chosen with this point in sight; the number of cycles was not.
    assert round(exposed["latency_gain"], 1) == 1.6
    assert hidden["latency_gain"] == pytest.approx(1.6, rel=0.05)


def test_half_of_the_rows_as_iterations_gains_195_percent():
    # The sheet's reading of other papers' tables: 249 GOP/s and 1.95 times as many.
    assert run(CONSERVATIVE, **FEW)["throughput_gain"] == pytest.approx(1.95, abs=0.005)


def test_the_published_points_are_run_as_they_stand():
    cases = {case.id: case for case in REFERENCE.published()}
    assert cases.keys() == {point.id for point in MODEL.data.points}
    assert not any(case.settings for case in cases.values())
    for point in MODEL.data.points:
        found = run(cases[point.id].inputs, drawn=150)[point.quantity]
        # Two printed digits, 150 draws and 60 of the sheet; kept rows spread by 0.9 of their mean.
        bar = {"kept_share": 0.25, "latency_gain": 0.05}.get(point.quantity, 0.06)
        assert found == pytest.approx(point.number.value, rel=bar), point.id


# Each broken rule misses a number that holds when it is kept.


def holds_the_sheet(found: Mapping[str, float]) -> bool:
    """Whether candidates and kept rows at n = 320, M = 160, s = 4 are the sheet's."""
    row = SHEET[4]
    share = abs(found["candidate_share"] - row.candidate_share) <= 0.02
    # 0.02 is printed; 60 draws that spread as their mean are known to 40 % (three errors).
    return share and abs(found["kept_share"] - row.kept_share[1]) <= 0.005 + 0.4 * 0.02


def test_all_rules_kept_the_sheet_holds():
    assert holds_the_sheet(run(CONSERVATIVE, **FEW))


def test_without_the_smallest_products_there_are_too_many_candidates(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(queues, "_popped", lambda gains, losses: 0)
    found = run(CONSERVATIVE, **FEW)
    assert not holds_the_sheet(found)
    assert found["candidate_share"] > 0.38


def test_post_scoring_on_the_wrong_side_keeps_too_many(monkeypatch: pytest.MonkeyPatch):
    def far(scores: np.ndarray, threshold: float) -> np.ndarray:
        found = np.flatnonzero(scores - scores.max() <= np.log(threshold))
        return found if found.size else np.array([0])

    monkeypatch.setattr(queues, "post_score", far)
    found = run(CONSERVATIVE, **FEW)
    assert not holds_the_sheet(found)
    assert found["kept_share"] > 0.2


def test_a_pipeline_that_selection_does_not_bound_doubles_its_throughput_at_half_the_rows(
    monkeypatch: pytest.MonkeyPatch,
):
    whole = cycles.approximate
    monkeypatch.setattr(cycles, "approximate", lambda **shape: whole(**shape)[1:])
    # (n + 9) / (C + 9) = 2.9 where the published range and the sheet's 1.95 lie below two.
    assert run(CONSERVATIVE, **FEW)["throughput_gain"] > 2.5


@pytest.mark.parametrize(("skip", "holds"), [(True, True), (False, False)])
def test_skipping_the_smallest_product_keeps_a_third_of_rows_that_oppose_the_query(
    skip: bool, holds: bool
):
    rng, found = np.random.default_rng(9), []
    for keys, _, query in draws.gaussian(rng, count=60, rows=320, width=64, spread=4):
        products = (keys - np.sign(query)) * query
        found.append(queues.positive(queues.greedy_scores(products, 160, skip=skip)).size / 320)
    # Gaussian keys about zero hardly ever skip; these do. With the rule 0.35, without it 0.25.
    assert (abs(np.mean(found) - SHEET[4].candidate_share) <= 0.03) == holds


# The page against the mechanism.

CASES = tuple(REFERENCE.cases())
BARS = {
    "interval": 0.015,
    "latency": 0.05,
    "throughput_gain": 0.015,
    "latency_gain": 0.05,
    "candidates": 0.03,
    "kept_rows": 0.15,
    "energy": 0.05,
}
"""Relative bars of Gaussian keys: the fitted fills are 0.15 and about 2 cycles from the executed
ones, which counts most at n = 20; the laws' own bars are those of test_laws."""
Outcome = tuple[Case, Mapping[str, float], Mapping[str, float]]


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Every case: what the page and what the mechanism says, on fewer draws than the command."""
    found = []
    for case in CASES:
        page = MODEL.evaluate(registry.configure(MODEL, case.settings)).metrics
        said = {name: float(page[name]) for name in COMPARED}
        drawn = max(int(case.inputs["drawn"]) // 4, 50)
        found.append((case, said, run(case.inputs, drawn=drawn) | {"drawn": drawn}))
    return found


def errors(outcomes: list[Outcome], metric: str, *groups: str) -> np.ndarray:
    chosen = [(said, got) for case, said, got in outcomes if case.group in groups]
    return np.array([said[metric] / got[metric] - 1 for said, got in chosen])


def test_the_sample_covers_the_page_s_range_and_none_of_it_is_fitted():
    groups = {case.group for case in CASES}
    assert groups == {"gaussian", "beyond", "settings", "latest", "home"}
    assert {case.use for case in CASES} == {"check"}
    assert len({case.id for case in CASES}) == len(CASES) == 46
    assert len({case.inputs["seed"] for case in CASES}) == len(CASES)
    shares = [case.settings["iterations"] / case.settings["rows"] for case in CASES]
    assert min(shares) < 0.07
    assert max(shares) > 0.9


@pytest.mark.parametrize("metric", BARS)
def test_on_gaussian_keys_the_page_is_the_mechanism(outcomes: list[Outcome], metric: str):
    for case, said, got in outcomes:
        if case.group in {"gaussian", "beyond", "settings"}:
            # Kept rows spread by at most 0.9 of their mean: three standard errors of the draws.
            noise = 3 * 0.9 / math.sqrt(got["drawn"]) if metric == "kept_rows" else 0.0
            assert said[metric] == pytest.approx(got[metric], rel=BARS[metric] + noise), case.id


@pytest.mark.parametrize("metric", ["recall", "candidate_mass", "kept_mass"])
def test_on_gaussian_keys_shares_are_known_to_five_points(outcomes: list[Outcome], metric: str):
    for case, said, got in outcomes:
        if case.group in {"gaussian", "beyond", "settings"}:
            noise = 3 * math.sqrt(got[metric] * (1 - got[metric]) / got["drawn"])
            assert said[metric] == pytest.approx(got[metric], abs=0.05 + noise), case.id


def test_on_gaussian_keys_no_law_leans_to_one_side(outcomes: list[Outcome]):
    for metric in ("candidates", "kept_rows", "recall", "kept_mass"):
        # 24 cases, each known to about 10 %: 2 % of their mean, three times that as the bar.
        assert abs(np.mean(errors(outcomes, metric, "gaussian", "settings"))) < 0.06, metric


def test_rounding_is_known_within_45_percent_on_gaussian_keys(outcomes: list[Outcome]):
    # The law has 31 % (spread 5, 6 bits); medians of 60 draws are known to 14 %.
    assert np.max(np.abs(errors(outcomes, "quantisation_error", "gaussian", "settings"))) < 0.45


TRAINED = ("latest", "home")


def test_on_trained_attention_the_interval_holds_and_the_latency_within_10_percent(
    outcomes: list[Outcome],
):
    assert np.max(np.abs(errors(outcomes, "interval", *TRAINED))) < 0.015
    assert np.max(np.abs(errors(outcomes, "latency", *TRAINED))) < 0.10


@pytest.mark.parametrize("metric", ["recall", "candidate_mass", "kept_mass"])
def test_on_trained_attention_the_page_is_too_dark_about_what_is_found(
    outcomes: list[Outcome], metric: str
):
    found = errors(outcomes, metric, *TRAINED)
    # By 9 to 51 % of its value on full draws; one standard error of these is 5 %.
    assert np.all(found < 0)
    assert np.min(found) > -0.65


def test_on_trained_attention_candidates_are_too_few_in_short_stories_and_too_many_in_long_ones(
    outcomes: list[Outcome],
):
    chosen = [(c, said, got) for c, said, got in outcomes if c.group in TRAINED]
    for case, said, got in chosen:
        off = said["candidates"] / got["candidates"] - 1
        assert -0.22 < off < 0.35, case.id
        if case.settings["rows"] >= 186:
            assert off > 0.03, case.id
        if case.settings["rows"] == 20:
            assert off < 0.0, case.id


def test_on_trained_attention_most_rows_are_kept_too_seldom_or_too_often_by_no_more_than_double(
    outcomes: list[Outcome],
):
    found = errors(outcomes, "kept_rows", *TRAINED)
    assert -0.45 < np.min(found) < 0 < np.max(found) < 1.4


def test_the_aggressive_setting_finds_the_best_of_320_trained_rows_far_more_often_than_of_gaussian(
    outcomes: list[Outcome],
):
    found = {
        case.group: got["recall"]
        for case, _, got in outcomes
        if case.settings["rows"] == 320 and case.settings["iterations"] == 40
    }
    # 0.5 of Gaussian rows, 0.9 of trained ones; 60 draws are known to 0.2 (three errors).
    assert min(found["latest"], found["home"]) > 0.7 > found["settings"]
