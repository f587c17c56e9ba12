"""GPT-2 in plain NumPy: the whole sequence at once, and token by token with a cache.

Neither form is split, tiled or looked up: this is what the ring of boards must reproduce.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating[Any]]
"""Numbers of one format, FP16, FP32 or FP64."""

EPSILON = 1e-5
"""GPT-2's guard under the root of a LayerNorm."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a network; the hidden layer of its MLP is four times as wide."""

    layers: int
    width: int
    heads: int
    vocab: int
    context: int


@dataclass(frozen=True)
class Layer:
    """The numbers of one decoder layer; every matrix has inputs as rows, outputs as columns."""

    norm_1: Vector
    shift_1: Vector
    value: Vector
    value_bias: Vector
    key: Vector
    key_bias: Vector
    query: Vector
    query_bias: Vector
    projection: Vector
    projection_bias: Vector
    norm_2: Vector
    shift_2: Vector
    expand: Vector
    expand_bias: Vector
    contract: Vector
    contract_bias: Vector


@dataclass(frozen=True)
class Weights:
    """A network's numbers; the token embedding serves as output head too."""

    shape: Shape
    tokens: Vector
    positions: Vector
    layers: tuple[Layer, ...]
    norm: Vector
    shift: Vector

    @classmethod
    def drawn(cls, shape: Shape, rng: np.random.Generator) -> Self:
        """Random weights in FP64 that FP16 can hold; products keep the size of their input."""
        width = shape.width

        def normal(*size: int, scale: float, middle: float = 0.0) -> Vector:
            drawn = middle + scale * rng.standard_normal(size)
            return drawn.astype(np.float16).astype(np.float64)

        def matrix(rows: int, columns: int) -> Vector:
            return normal(rows, columns, scale=1 / math.sqrt(rows))

        def layer() -> Layer:
            square = [(matrix(width, width), normal(width, scale=0.1)) for _ in range(4)]
            (value, v), (key, k), (query, q), (projection, o) = square
            return Layer(
                normal(width, scale=0.1, middle=1), normal(width, scale=0.1),
                value, v, key, k, query, q, projection, o,
                normal(width, scale=0.1, middle=1), normal(width, scale=0.1),
                matrix(width, 4 * width), normal(4 * width, scale=0.1),
                matrix(4 * width, width), normal(width, scale=0.1),
            )  # fmt: skip

        return cls(
            shape,
            normal(shape.vocab, width, scale=1 / math.sqrt(width)),
            normal(shape.context, width, scale=1 / math.sqrt(width)),
            tuple(layer() for _ in range(shape.layers)),
            normal(width, scale=0.1, middle=1),
            normal(width, scale=0.1),
        )

    def as_type(self, form: type[np.floating[Any]]) -> "Weights":
        """The same numbers in another format."""
        return Weights(
            self.shape,
            self.tokens.astype(form),
            self.positions.astype(form),
            tuple(
                Layer(**{f.name: getattr(layer, f.name).astype(form) for f in fields(Layer)})
                for layer in self.layers
            ),
            self.norm.astype(form),
            self.shift.astype(form),
        )


def layer_norm(x: Vector, gain: Vector, shift: Vector) -> Vector:
    """Rows with mean 0 and variance 1, then scaled and shifted."""
    away = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((away * away).mean(axis=-1, keepdims=True) + x.dtype.type(EPSILON))
    scaled: Vector = away / spread * gain + shift
    return scaled


def gelu(x: Vector) -> Vector:
    """GPT-2's activation, its form with a hyperbolic tangent."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    found: Vector = (0.5 * x * (1 + np.tanh(inner))).astype(x.dtype)
    return found


def softmax(x: Vector) -> Vector:
    """Shares that grow with the exponential of each score."""
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    shares: Vector = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def forward(weights: Weights, tokens: Sequence[int]) -> Vector:
    """Logits after every token of a sequence, all at once: a causal mask instead of a cache."""
    shape, count = weights.shape, len(tokens)
    x = weights.tokens[list(tokens)] + weights.positions[:count]
    hidden = np.triu(np.full((count, count), -np.inf, dtype=x.dtype), k=1)

    def heads(matrix: Vector) -> Vector:
        return matrix.reshape(count, shape.heads, -1).transpose(1, 0, 2)

    for layer in weights.layers:
        a = layer_norm(x, layer.norm_1, layer.shift_1)
        query = heads(a @ layer.query + layer.query_bias)
        key = heads(a @ layer.key + layer.key_bias)
        value = heads(a @ layer.value + layer.value_bias)
        scale = x.dtype.type(math.sqrt(query.shape[-1]))
        share = softmax(query @ key.transpose(0, 2, 1) / scale + hidden)
        joined = (share @ value).transpose(1, 0, 2).reshape(count, shape.width)
        x = x + joined @ layer.projection + layer.projection_bias
        b = layer_norm(x, layer.norm_2, layer.shift_2)
        x = x + gelu(b @ layer.expand + layer.expand_bias) @ layer.contract + layer.contract_bias
    logits: Vector = layer_norm(x, weights.norm, weights.shift) @ weights.tokens.T
    return logits


class Cache:
    """Keys and values of one layer, a row a token."""

    def __init__(self, context: int, width: int, form: np.dtype[Any]) -> None:
        """Room for a context of tokens."""
        self.length = 0
        self._keys = np.zeros((context, width), form)
        self._values = np.zeros((context, width), form)

    def append(self, key: Vector, value: Vector) -> None:
        """Keep the newest token's key and value."""
        self._keys[self.length], self._values[self.length] = key, value
        self.length += 1

    def keys(self) -> Vector:
        """Keys of all tokens so far, the newest too."""
        return self._keys[: self.length]

    def values(self) -> Vector:
        """Values of all tokens so far, the newest too."""
        return self._values[: self.length]


class Gpt2:
    """A network that reads one token at a time, in the format of its weights."""

    cache: type[Cache] = Cache

    def __init__(self, weights: Weights) -> None:
        """Start with an empty context."""
        shape, form = weights.shape, weights.tokens.dtype
        self.weights = weights
        self.caches = [self.cache(shape.context, shape.width, form) for _ in weights.layers]

    def step(self, token: int) -> Vector:
        """Logits after one more token."""
        place = self.caches[0].length
        x = self.weights.tokens[token] + self.weights.positions[place]
        for layer, cache in zip(self.weights.layers, self.caches, strict=True):
            x = x + self._attention(layer, cache, layer_norm(x, layer.norm_1, layer.shift_1))
            b = layer_norm(x, layer.norm_2, layer.shift_2)
            wide = gelu(b @ layer.expand + layer.expand_bias)
            x = x + (wide @ layer.contract + layer.contract_bias)
        logits: Vector = layer_norm(x, self.weights.norm, self.weights.shift) @ (
            self.weights.tokens.T
        )
        return logits

    def _attention(self, layer: Layer, cache: Cache, a: Vector) -> Vector:
        cache.append(a @ layer.key + layer.key_bias, a @ layer.value + layer.value_bias)
        query = a @ layer.query + layer.query_bias
        heads = self.weights.shape.heads
        scale = a.dtype.type(math.sqrt(len(query) // heads))
        parts = [
            softmax(k @ q / scale) @ v
            for q, k, v in zip(
                np.split(query, heads),
                np.split(cache.keys(), heads, axis=1),
                np.split(cache.values(), heads, axis=1),
                strict=True,
            )
        ]
        joined: Vector = np.concatenate(parts) @ layer.projection + layer.projection_bias
        return joined
