"""The closed form beside what the executed network answered: kept answers, nothing is run."""

import numpy as np
import pytest

from dse import cross, executed, simulate
from dse.cross import Crossing
from models.oneshot.model import MODEL
from models.oneshot.reference import cases


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    plan = executed.Plan.of(simulate.reference("oneshot"))
    return cross.judge(plan, executed.kept("oneshot"))


def test_the_sample_covers_every_table_size_and_budget():
    ids = {case.id for case in cases()}
    grid = {
        f"{table}-{size}-{trials}"
        for table in ("made_up", "gemm", "convolution")
        for size in (100, 300, 1000, 3000)
        for trials in (1, 8, 64)
    }
    assert grid < ids
    assert len(ids) == 54
    assert {case.use for case in cases()} == {"check"}


def test_regret_is_that_of_the_executed_network_within_10_percent_but_once(crossing: Crossing):
    off = {row.id: row.error for row in crossing.rows}
    # A few of 24 networks of 100 samples pick a variant many times slower: 1.9, sure to 0.5.
    assert off.pop("gemm-100-1") == pytest.approx(-0.32, abs=0.01)
    assert max(map(abs, off.values())) < 0.1
    assert np.mean(np.abs(list(off.values()))) < 0.02


def test_the_worst_case_is_one_that_the_page_marks(crossing: Crossing):
    worst = max(crossing.rows, key=lambda row: abs(row.error)).id
    found = {case.id: case.settings for case in cases()}[worst]
    config = MODEL.config.batched({k: found[k] for k in ("train_size", "trials")}, _base())
    assert MODEL.evaluate(config).flags["misses"]


def _base():
    from .test_model import design

    return design()


def test_the_figures_of_the_notes_are_those_of_the_kept_answers(crossing: Crossing):
    whole, *groups = cross.regimes(crossing.rows)
    found = [whole.mean, whole.bias, *(group.mean for group in groups)]
    told = [0.022, -0.011, 0.067, 0.027, 0.012, 0.004, 0.008, 0.011]
    # Three decimals are told.
    assert found == pytest.approx(told, abs=6e-4)
