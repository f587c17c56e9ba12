r"""The paper's predictor as it runs: a residual network with layer norms, trained by Adam.

The artifact feeds a batch as a sequence of one token, so softmax attention has weight 1 and the
encoder layer is $h = LN(x + W_o (W_v x + b_v) + b_o)$, $y = LN(h + W_2 relu(W_1 h + b_1) + b_2)$,
with a linear head on the last y. Queries and keys are dead weights. Here the layers are as wide
as the features, without dropout; the backward pass is written out.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dse.spec import Array

Parts = list[dict[str, Array]]
"""Named weights of every layer, the head last; views of one flat vector."""

TINY = 1e-5
"""PyTorch's guard in a layer norm."""


@dataclass(frozen=True)
class Form:
    """Sizes of the network."""

    width: int
    hidden: int
    layers: int

    def shapes(self) -> list[dict[str, tuple[int, ...]]]:
        """Shape of every weight, layer by layer."""
        d, f = self.width, self.hidden
        square: dict[str, tuple[int, ...]] = {"Wv": (d, d), "bv": (d,), "Wo": (d, d), "bo": (d,)}
        norms: dict[str, tuple[int, ...]] = {"g1": (d,), "c1": (d,), "g2": (d,), "c2": (d,)}
        feed: dict[str, tuple[int, ...]] = {"W1": (d, f), "b1": (f,), "W2": (f, d), "b2": (d,)}
        layer = square | norms | feed
        return [*([layer] * self.layers), {"w": (d,), "b": (1,)}]

    def views(self, flat: Array) -> Parts:
        """The named weights inside a flat vector."""
        found, start = [], 0
        for layer in self.shapes():
            part = {}
            for name, shape in layer.items():
                size = int(np.prod(shape))
                part[name] = flat[start : start + size].reshape(shape)
                start += size
            found.append(part)
        return found

    def size(self) -> int:
        """Weights in all."""
        return sum(int(np.prod(shape)) for layer in self.shapes() for shape in layer.values())

    def start(self, rng: np.random.Generator) -> Array:
        """Weights before training: uniform within one over the root of the inputs, norms 1."""
        flat = np.zeros(self.size())
        for part in self.views(flat):
            for name, weight in part.items():
                if name[0] in "Ww":
                    bound = 1 / np.sqrt(len(weight))
                    weight[...] = rng.uniform(-bound, bound, weight.shape)
                elif name[0] == "g":
                    weight[...] = 1.0
        return flat


def normed(x: Array, gain: Array, shift: Array) -> tuple[Array, tuple[Array, Array]]:
    """Layer norm of rows, and what its backward pass needs."""
    scale = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + TINY)
    unit = (x - x.mean(axis=-1, keepdims=True)) * scale
    return unit * gain + shift, (unit, scale)


def normed_back(slope: Array, gain: Array, kept: tuple[Array, Array]) -> Array:
    """Slope of the loss before a layer norm, from the one after it."""
    unit, scale = kept
    inner = slope * gain
    along = unit * (inner * unit).mean(axis=-1, keepdims=True)
    return np.asarray(scale * (inner - inner.mean(axis=-1, keepdims=True) - along))


@dataclass(frozen=True)
class Kept:
    """What a layer's forward pass leaves for its backward pass."""

    x: Array
    v: Array
    h: Array
    relu: Array
    first: tuple[Array, Array]
    second: tuple[Array, Array]


def layer(part: dict[str, Array], x: Array) -> tuple[Array, Kept]:
    """One encoder layer."""
    v = x @ part["Wv"] + part["bv"]
    h, first = normed(x + v @ part["Wo"] + part["bo"], part["g1"], part["c1"])
    relu = np.maximum(h @ part["W1"] + part["b1"], 0.0)
    y, second = normed(h + relu @ part["W2"] + part["b2"], part["g2"], part["c2"])
    return y, Kept(x, v, h, relu, first, second)


def layer_back(part: dict[str, Array], kept: Kept, slope: Array, into: dict[str, Array]) -> Array:
    """Write the slopes of a layer's weights; the slope of the loss before the layer."""
    into["g2"][...], into["c2"][...] = (slope * kept.second[0]).sum(axis=0), slope.sum(axis=0)
    slope = normed_back(slope, part["g2"], kept.second)
    into["W2"][...], into["b2"][...] = kept.relu.T @ slope, slope.sum(axis=0)
    feed = (slope @ part["W2"].T) * (kept.relu > 0)
    into["W1"][...], into["b1"][...] = kept.h.T @ feed, feed.sum(axis=0)
    slope = slope + feed @ part["W1"].T
    into["g1"][...], into["c1"][...] = (slope * kept.first[0]).sum(axis=0), slope.sum(axis=0)
    slope = normed_back(slope, part["g1"], kept.first)
    into["Wo"][...], into["bo"][...] = kept.v.T @ slope, slope.sum(axis=0)
    value = slope @ part["Wo"].T
    into["Wv"][...], into["bv"][...] = kept.x.T @ value, value.sum(axis=0)
    return np.asarray(slope + value @ part["Wv"].T)


def forward(parts: Parts, x: Array) -> tuple[Array, list[Kept]]:
    """Predictions of rows of features, and what the backward pass needs."""
    trace = []
    for part in parts[:-1]:
        x, kept = layer(part, x)
        trace.append(kept)
    trace.append(replace(trace[-1], x=x))
    return x @ parts[-1]["w"] + parts[-1]["b"], trace


def backward(form: Form, parts: Parts, trace: list[Kept], slope: Array) -> Array:
    """Slopes of the loss in all weights, from its slopes in the predictions."""
    flat = np.empty(form.size())
    into = form.views(flat)
    into[-1]["w"][...], into[-1]["b"][...] = trace[-1].x.T @ slope, slope.sum(keepdims=True)
    inner: Array = slope[:, None] * parts[-1]["w"]
    for part, kept, grown in zip(parts[-2::-1], trace[-2::-1], into[-2::-1], strict=True):
        inner = layer_back(part, kept, inner, grown)
    return flat


@dataclass(frozen=True)
class Recipe:
    """How the network is trained."""

    hidden: int
    layers: int
    epochs: int
    batch: int
    rate: float
    decay: float
    bins: int
    held: float
    """Share of the set that judges the epochs and is not trained on."""


@dataclass
class Adam:
    """Adam with weight decay inside the gradient, as PyTorch's Adam has it."""

    decay: float
    mean: Array
    square: Array
    steps: int = 0

    def step(self, flat: Array, slope: Array, rate: float) -> None:
        """Move the weights in place."""
        self.steps += 1
        slope = slope + self.decay * flat
        self.mean += (1 - 0.9) * (slope - self.mean)
        self.square += (1 - 0.999) * (slope * slope - self.square)
        sure = np.sqrt(self.square / (1 - 0.999**self.steps)) + 1e-8
        flat -= rate * self.mean / (1 - 0.9**self.steps) / sure


def histogram_weights(labels: Array, *, bins: int) -> Array:
    """Chance of every label to be drawn: one over the labels in its bin, so that bins are level.

    >>> histogram_weights(np.array([0.0, 0.1, 0.2, 9.0]), bins=2).round(3).tolist()
    [0.167, 0.167, 0.167, 0.5]
    """
    counts, edges = np.histogram(labels, bins)
    weights = 1 / counts[np.digitize(labels, edges[1:-1])]
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True)
class Fitted:
    """A trained network with the scale of its labels."""

    parts: Parts
    mean: float
    spread: float

    def predict(self, rows: Array) -> Array:
        """Predicted labels of rows of features."""
        return np.asarray(forward(self.parts, rows)[0] * self.spread + self.mean)


def fit(rows: Array, labels: NDArray[np.float64], recipe: Recipe, *, seed: int) -> Fitted:
    """Train on rows of features and their labels; the weights of the best epoch are kept."""
    rng = np.random.default_rng(seed)
    mean, spread = float(labels.mean()), float(labels.std()) or 1.0
    aim = (labels - mean) / spread
    order = rng.permutation(len(rows))
    held = order[: max(1, int(recipe.held * len(rows)))]
    taught = order[len(held) :] if len(rows) > 1 else order
    form = Form(rows.shape[1], recipe.hidden, recipe.layers)
    flat = form.start(rng)
    parts, adam = form.views(flat), Adam(recipe.decay, 0 * flat, 0 * flat)
    odds = histogram_weights(aim[taught], bins=recipe.bins)
    best, least = flat.copy(), np.inf
    for epoch in range(recipe.epochs):
        rate = recipe.rate / 2 * (1 + np.cos(np.pi * epoch / recipe.epochs))
        drawn = rng.choice(taught, len(taught), p=odds)
        for batch in np.array_split(drawn, max(1, round(len(drawn) / recipe.batch))):
            found, trace = forward(parts, rows[batch])
            slope = 2 * (found - aim[batch]) / len(batch)
            adam.step(flat, backward(form, parts, trace, slope), rate)
        loss = float(np.mean((forward(parts, rows[held])[0] - aim[held]) ** 2))
        if loss < least:
            best, least = flat.copy(), loss
    return Fitted(form.views(best), mean, spread)
