"""The published band says little: what the page predicts, and the share of a grid inside."""

from itertools import product

import numpy as np
import pytest

from models.oneshot.model import MODEL

from .test_model import design, priced

BAND = MODEL.data.tables["bands"]["compile_speedup"]
GRID = {
    "iterative_trials": (500, 1000, 2000),
    "early_stop": (0.2, 0.4, 1.0),
    "costs.features": (2e-4, 8e-4, 3.2e-3),
    "builders": (1, 8),
    "trials": (16, 64),
}


def speedups(optimiser: str) -> np.ndarray:
    columns = dict(
        zip(GRID, map(np.array, zip(*product(*GRID.values()), strict=True)), strict=True)
    )
    batch = MODEL.config.batched(columns, design(optimiser=optimiser))
    return MODEL.evaluate(batch).metrics["speedup"]


def test_the_stated_prediction_and_share_are_those_of_the_grid():
    found = np.concatenate([speedups("sa"), speedups("ga")])
    low, high = BAND["low"].value, BAND["high"].value
    assert len(found) == 216
    assert np.mean((found >= low) & (found <= high)) == pytest.approx(
        BAND["inside"].value, abs=5e-4
    )
    assert found.min() > low
    assert priced().metrics["speedup"] == pytest.approx(BAND["predicted"].value, abs=0.05)


def test_the_band_is_no_point_that_could_pass():
    assert not [point for point in MODEL.data.points if point.number.value in (2.81, 67.7)]
