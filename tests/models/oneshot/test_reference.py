"""The reference as a whole: the network on tables, beside the page's closed form."""

from pathlib import Path

import numpy as np
import pytest

from dse import registry, simulate
from dse.errors import InputError
from models.oneshot import reference, sources
from models.oneshot.model import MODEL
from models.oneshot.predictor import Adam
from models.oneshot.replay_config import Replayed
from models.oneshot.tables import kernel_of

MEDIUM = {"epochs": 50, "layers": 2, "hidden": 32}
"""A lighter training, for tests of what does not hang on the last percent."""


def executed(**settings: object) -> dict[str, float]:
    found = simulate.reference("oneshot")
    outcome = simulate.run(found, simulate.configure(found, settings))
    return {name: float(value) for name, value in outcome.items()}


def closed(**settings: object) -> dict[str, float]:
    config = registry.configure(MODEL, settings)
    return {name: float(value) for name, value in MODEL.evaluate(config).metrics.items()}


def made_up() -> np.ndarray:
    record = registry.record(Replayed, "oneshot.table", "made_up")
    assert isinstance(record, Replayed)
    return sources.table_of(record).seconds


def light(**settings: object) -> dict[str, float]:
    return executed(training=MEDIUM, train_size=300, seeds=3, **settings)


def test_a_trained_network_is_worth_its_measurements():
    found = light(trials=8)
    assert found["rank_correlation"] > 0.9
    assert found["regret"] < 1.15 < found["random_regret"]
    assert found["measured"] == 8


def test_more_trials_never_cost_speed():
    regrets = [light(trials=m)["regret"] for m in (1, 2, 8, 64, 512)]
    assert regrets == sorted(regrets, reverse=True)


def test_searches_come_near_a_full_ranking():
    quick = {"learner": "regression", "train_size": 300, "trials": 64}
    full = executed(**quick)
    for search in ("sa", "ga"):
        found = executed(**quick, search=search)
        assert found["regret"] <= full["regret"] + 0.05
        assert found["scored"] > 10_000


def test_a_network_that_does_not_learn_is_caught(monkeypatch: pytest.MonkeyPatch):
    bar = closed(kernel=kernel_of(made_up().tolist()), train_size=300, trials=8)["regret"]
    assert light(trials=8)["regret"] < 1.1 * bar
    reference.learned.cache_clear()
    monkeypatch.setattr(Adam, "step", lambda *_: None)
    broken = light(trials=8)
    reference.learned.cache_clear()
    assert broken["rank_correlation"] < 0.6
    assert broken["regret"] > 1.1 * bar


def test_random_trials_are_those_of_the_closed_form():
    # The straight lines between 23 quantiles, and 400 random searches: 1 % each.
    kernel = kernel_of(made_up().tolist())
    for trials in (1, 8, 64):
        found = executed(tuner="random", trials=trials)["random_regret"]
        theirs = closed(kernel=kernel, tuner="random", trials=trials)["random_regret"]
        assert found == pytest.approx(theirs, rel=0.04 if trials == 1 else 0.02)


def test_measuring_everything_has_no_regret():
    found = executed(tuner="exhaustive")
    assert (found["regret"], found["found_best"], found["measured"]) == (1, 1, 15_625)


def test_exploration_makes_another_training_set():
    quick = {"learner": "regression", "train_size": 192, "trials": 8}
    even, explored = (executed(**quick, explored=x) for x in (0, 1))
    assert explored["rank_correlation"] < even["rank_correlation"]


def test_absent_bulk_data_are_named_with_their_origin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("DSE_DATA", str(tmp_path))
    sources.task.cache_clear()
    with pytest.raises(InputError, match="benchmark_hub"):
        executed(kernel="gemm", trials=1)
    # The cases are listed all the same: kept answers are told by their inputs.
    assert len(list(reference.cases())) == 54


def test_a_table_of_one_s_own_is_replayed(tmp_path: Path):
    path = tmp_path / "own.csv"
    rows = "\n".join(
        f"{t},{o},{10 + t + 3 * (o == 'kij') + 1}" for t in range(20) for o in ("ijk", "kij")
    )
    path.write_text(f"tile,order,time_s\n{rows}\n")
    found = executed(table=path, train_size=10, trials=4, seeds=2)
    assert found["variants"] == 40
    assert found["best_time"] == 11
    assert 1 <= found["regret"] < 3


def test_variants_that_fail_waste_trials(data: Path):
    whole = executed(kernel="convolution", tuner="random", trials=64, failing=1)
    known = executed(kernel="convolution", tuner="random", trials=64)
    # 6,768 variants, 5,256 of which run; failed trials find nothing.
    assert (whole["variants"], known["variants"]) == (6_768, 5_256)
    assert whole["random_regret"] > known["random_regret"]


@pytest.mark.parametrize("table", ["gemm", "convolution"])
def test_the_network_ranks_real_tables_about_as_the_learning_curve_says(data: Path, table: str):
    found = executed(kernel=table, train_size=300, seeds=3, trials=8)
    # The curve is that of boosted trees on the matrix product: 0.895 at 300 samples. On the
    # convolution, with fewer variants and steeper walls, the network is worse: 0.8.
    wanted = {"gemm": 0.895, "convolution": 0.8}[table]
    assert found["rank_correlation"] == pytest.approx(wanted, abs=0.03)
    theirs = closed(kernel=table, trials=8, overall_correlation=found["rank_correlation"])[
        "regret"
    ]
    # Three seeds; a like one of the test with ridge regression: 11 %.
    assert found["regret"] == pytest.approx(theirs, rel=0.11)
