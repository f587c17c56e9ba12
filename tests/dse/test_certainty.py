"""How sure the numbers of a table are: as a single design says it, in columns and in words."""

import csv
from pathlib import Path

import numpy as np
import pytest

from dse import certainty, interval, joint, registry, verbs
from dse.certainty import CHANCES, KNOWN_FROM, UNCHECKED, draws_of, ends, tiers, widened
from dse.choice import numbers
from dse.evaluate import Table, evaluate
from dse.grounds import NOTHING, grounds
from dse.interval import Error
from dse.spec import Config
from dse.store import Run
from dse.study import Study, build

SWEPT = {
    "codesign": {"serve.target": "all"},
    "dfx": {"workload": ["gpt2-1.5b", "gpt2", "mt-dnn-base"], "fpgas": [1, 4]},
    "roofline": {"device": "all"},
}
"""Knobs over which designs fall in several regimes, or stand on several errors."""


def asked(slug: str, **space: object) -> Study:
    document = {
        "question": "how sure?",
        "model": slug,
        "space": space or SWEPT.get(slug, {}),
        "objectives": [next(n for n, m in registry.model(slug).metrics.items() if m.sense)],
    }
    return build(slug, document, place=slug)


def priced(study: Study) -> Table:
    return evaluate(study, study.space.grid(0, study.space.size) if study.space.axes else {})


def alone(study: Study, table: Table, row: int) -> Config:
    """A row of a table as a design of scalars."""
    leaves = {}
    for axis in study.space.axes:
        value = float(table[axis.path][row])
        leaves[axis.path] = axis.rows[int(value)] if axis.rows else value
    return type(study.space.base).batched(leaves, study.space.base)


@pytest.mark.parametrize("slug", registry.slugs())
def test_a_table_says_of_each_design_what_the_design_says_of_itself(slug: str) -> None:
    study = asked(slug)
    page, table = study.page, priced(study)
    spans, codes = ends(study, table), tiers(study, table)
    for row in range(len(table)):
        config = alone(study, table, row)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found = grounds(page, config, page.evaluate(config))
        for name in numbers(page):
            low, high = (float(end[row]) for end in spans[name])
            # a batch may sum in another order than a scalar
            np.testing.assert_allclose([low, high], [found[name].low, found[name].high], rtol=1e-9)
            tier = KNOWN_FROM[codes[name][row]]
            assert (tier == UNCHECKED) == (found[name].basis == NOTHING)
            assert tier in (UNCHECKED, found[name].tier)


@pytest.mark.parametrize("slug", registry.slugs())
def test_an_interval_encloses_its_value_and_an_unchecked_number_has_none(slug: str) -> None:
    wide = widened(asked(slug), priced(asked(slug)))
    for name in numbers(registry.model(slug)):
        value, low, high = (wide[f"{name}{end}"] for end in ("", "_low", "_high"))
        known = ~np.isnan(low)
        assert np.all(low[known] <= value[known])
        assert np.all(value[known] <= high[known])
        assert np.all(wide[f"{name}_tier"][known] < KNOWN_FROM.index(UNCHECKED))
        assert np.array_equal(np.isnan(low), np.isnan(high))


def test_the_ends_of_one_regime_are_what_its_error_reaches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # with 9 groups the 95 % quantile of Student's t is 1.8331
    error = Error(0.2, 9, 99, 0.5, "literature", 9.0)
    monkeypatch.setattr(interval, "errors", lambda slug: {("token_time", ""): error})
    wide = widened(asked("dfx", fpgas=[2]), priced(asked("dfx", fpgas=[2])))
    reach = np.exp(0.2 * 1.8331)
    for name in ("latency", "token_time", "tokens_per_second"):
        np.testing.assert_allclose(wide[f"{name}_high"] / wide[name], reach, rtol=1e-4)
        np.testing.assert_allclose(wide[name] / wide[f"{name}_low"], reach, rtol=1e-4)
        assert wide.words(f"{name}_tier").tolist() == ["literature"]
    assert wide.words("cost_tier").tolist() == [UNCHECKED]
    assert wide.units["latency_low"] == "s"


def test_ends_and_tiers_stand_behind_their_metric_and_nothing_else_moves() -> None:
    study = asked("dfx", fpgas=[1, 2])
    table = priced(study)
    wide = widened(study, table, ["latency"])
    assert [name for name in wide.columns if name in table.columns] == list(table.columns)
    place = list(wide.columns).index("latency")
    beside = ["latency_low", "latency_high", "latency_tier"]
    assert list(wide.columns)[place + 1 : place + 4] == beside
    assert set(wide.columns) - set(table.columns) == set(beside) == certainty.beside(["latency"])


def test_a_table_without_designs_gets_columns_all_the_same() -> None:
    for slug in ("dfx", "codesign"):
        study = asked(slug, **{"dfx": {"fpgas": [1]}, "codesign": {"serve.batch": [1]}}[slug])
        wide = widened(study, priced(study).take(np.zeros(0, dtype=np.intp)))
        assert len(wide["latency_low"]) == len(wide["latency_tier"]) == 0


def test_few_designs_get_as_many_draws_as_one_and_many_a_fair_share() -> None:
    assert draws_of(0) == draws_of(1) == draws_of(64) == joint.DRAWS
    assert draws_of(10**9) == certainty.LEAST_DRAWS
    assert all(n * draws_of(n) <= certainty.EVALUATED for n in (64, 500, 2048))


def test_a_fronts_chances_are_those_the_search_wrote(tmp_path: Path) -> None:
    document = {
        "question": "how many boards?",
        "model": "dfx",
        "space": {"fpgas": [1, 2, 4]},
        "objectives": ["latency", "cost"],
    }
    file = tmp_path / "boards.yaml"
    file.write_text(str(document))
    run = verbs.search(file, output=tmp_path / "run").run
    frame = verbs.front(run.path)
    with (run.path / "front.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    for name in CHANCES:
        assert frame[name].tolist() == [float(line[f"{name} [1]"]) for line in lines]
    assert frame["latency_low"].tolist() == [float(line["latency_low [s]"]) for line in lines]
    assert set(frame["latency_tier"]) <= set(KNOWN_FROM)


def test_a_run_of_an_older_search_has_unknown_chances(tmp_path: Path) -> None:
    (tmp_path / "best.csv").write_text("why,row,cost [USD]\nbest cost,7,3.0\nbalanced,2,4.0\n")
    table = Table({"cost": np.array([4.0, 3.0])}, {"cost": "USD"})
    wide = certainty.with_chances(Run(tmp_path), "best.csv", table, [2, 7])
    assert np.isnan(wide["chance_nondominated"]).tolist() == [True, True]
    assert certainty.chance(float(wide["chance_constraints"][0])) == "unknown"


@pytest.mark.parametrize(
    ("low", "high", "unit", "words"),
    [
        (0.1, 0.2, "s", "100 to 200 ms"),
        (0.1, 2.0, "s", "100 ms to 2 s"),
        (1000.0, 2e6, "USD", "$1,000 to $2M"),
        (0.5, np.inf, "s", "500 ms to infinite"),
        (np.nan, np.nan, "s", ""),
        (None, None, "s", ""),
    ],
)
def test_an_interval_in_words_says_its_unit_once(low, high, unit, words) -> None:
    assert certainty.span(low, high, unit) == words


def test_a_truth_and_an_unchecked_metric_have_no_interval() -> None:
    sure = {"low": 1.0, "high": 2.0, "unit": "s", "tier": "published", "basis": "9 rows"}
    assert certainty.told({**sure, "value": 1.5}) == "1 to 2 s"
    assert certainty.known_from({**sure, "value": 1.5}) == "published"
    assert certainty.known_from({**sure, "value": True}) == UNCHECKED
    assert certainty.known_from({**sure, "value": 1.5, "basis": NOTHING}) == UNCHECKED
    assert certainty.known_from({**sure, "value": None, "low": None}) == UNCHECKED


def test_metrics_are_grouped_by_tier_the_best_first() -> None:
    known = {"a": "unchecked", "b": "published or assumed", "c": "published", "d": "unchecked"}
    assert certainty.grouped(known)[-1] == "unchecked: a, d"
    assert sorted(certainty.grouped(known)[:2]) == ["published or assumed: b", "published: c"]
