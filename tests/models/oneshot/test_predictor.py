"""The network: its slopes, what is left of attention, its sampler, and that it learns."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import spearmanr

from models.oneshot import predictor
from models.oneshot.predictor import Adam, Form, Recipe, backward, fit, forward, histogram_weights

RECIPE = Recipe(hidden=16, layers=2, epochs=40, batch=64, rate=0.01, decay=2e-4, bins=20, held=0.1)


def problem(seed: int = 0, rows: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Features and a label that is no linear function of them."""
    x = np.random.default_rng(seed).standard_normal((rows, 6))
    return x, np.abs(x[:, 0]) + x[:, 2] / 2


def test_the_backward_pass_meets_finite_differences():
    rng = np.random.default_rng(0)
    form = Form(width=4, hidden=5, layers=2)
    flat = form.start(rng) + 0.1 * rng.standard_normal(form.size())
    x, aim = rng.standard_normal((7, 4)), rng.standard_normal(7)

    def loss(weights: np.ndarray) -> float:
        return float(np.mean((forward(form.views(weights), x)[0] - aim) ** 2))

    found, trace = forward(form.views(flat), x)
    slopes = backward(form, form.views(flat), trace, 2 * (found - aim) / 7)
    step = 1e-6
    wanted = [
        (loss(flat + step * unit) - loss(flat - step * unit)) / (2 * step)
        for unit in np.eye(form.size())
    ]
    # Central differences of a float64 loss near 1 are sure to about 1e-10 / 1e-6 x 1e-6.
    np.testing.assert_allclose(slopes, wanted, atol=1e-8)


def test_attention_over_one_token_is_the_value_path_alone():
    # The artifact's batch becomes (1, batch, d): every row attends to itself only.
    rng = np.random.default_rng(1)
    d, x = 4, rng.standard_normal((5, 4))
    form = Form(d, 8, 1)
    part = form.views(form.start(rng))[0]
    queries, keys = rng.standard_normal((2, d, d))
    for row in x:
        tokens = row[None, :]
        weights = softmax((tokens @ queries) @ (tokens @ keys).T / np.sqrt(d), axis=-1)
        assert weights.tolist() == [[1.0]]
        attended = weights @ (tokens @ part["Wv"] + part["bv"]) @ part["Wo"] + part["bo"]
        first = predictor.normed(tokens + attended, part["g1"], part["c1"])[0]
        kept = predictor.layer(part, tokens)[1]
        np.testing.assert_allclose(kept.h, first, rtol=1e-12)


def test_at_the_artifact_s_sizes_the_live_weights_are_counted():
    # 3 layers of 2 (748^2 + 748) + 2 x 748 x 1024 + 1024 + 748 + 4 x 748 and a head of 749: the
    # sheet's 11,333,777 active weights less queries and keys, 3 x 2 (748^2 + 748).
    form = Form(width=748, hidden=1024, layers=3)
    assert form.size() == 11_333_777 - 3 * 2 * (748 * 748 + 748)


def test_the_sampler_levels_the_histogram():
    rng = np.random.default_rng(2)
    labels = rng.exponential(size=5000)
    odds = histogram_weights(labels, bins=10)
    drawn = labels[rng.choice(len(labels), 20_000, p=odds)]
    counts = np.histogram(drawn, np.histogram(labels, 10)[1])[0]
    full = np.histogram(labels, 10)[0] > 0
    # Each of the filled bins is drawn as often: 20,000 / 10 with a deviation of 45.
    assert np.ptp(counts[full]) < 0.2 * counts[full].mean()


def test_training_finds_what_no_line_could():
    x, y = problem()
    fresh, truth = problem(1)
    fitted = fit(x, y, RECIPE, seed=0)
    assert spearmanr(fitted.predict(fresh), truth)[0] > 0.95
    line = fresh @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert spearmanr(line, truth)[0] < 0.7


def test_the_same_seed_gives_the_same_network():
    x, y = problem()
    one, same, other = (fit(x, y, RECIPE, seed=seed).predict(x) for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).any()


def test_weights_that_are_not_updated_are_caught(monkeypatch: pytest.MonkeyPatch):
    x, y = problem()
    fresh, truth = problem(1)
    monkeypatch.setattr(Adam, "step", lambda *_: None)
    fitted = fit(x, y, RECIPE, seed=0)
    assert spearmanr(fitted.predict(fresh), truth)[0] < 0.7


def test_equal_labels_are_no_trouble():
    x, _ = problem(rows=20)
    found = fit(x, np.full(20, 3.0), RECIPE, seed=0).predict(x)
    assert np.isfinite(found).all()
