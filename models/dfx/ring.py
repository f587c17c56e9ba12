"""One decoding step on p boards in a ring, each with its share of every matrix, tile by tile.

Attention is split by heads, every other matrix by columns. Each board holds the complete vector
where a LayerNorm, a residual or a product begins, so four times a layer the ring gathers what the
boards made: the heads' outputs, the projection, the hidden vector of the MLP, and its output.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import GIVEN
from .gpt2 import EPSILON, Cache, Layer, Vector, Weights, gelu
from .tiles import tiles, zigzag

Order = Callable[[int, int, int], Iterator[tuple[int, int]]]


class GeluTable:
    """GELU looked up: straight lines between equally spaced samples, its limits outside."""

    def __init__(self, samples: int, reach: float) -> None:
        """Sample GELU from -reach to reach."""
        self.reach = reach
        self.inputs: NDArray[np.float64] = np.linspace(-reach, reach, samples)
        self.outputs = gelu(self.inputs)

    def __call__(self, x: Vector) -> Vector:
        """GELU of every element, in the format of the input."""
        wide = x.astype(np.float64)
        inside = np.interp(wide, self.inputs, self.outputs)
        found: Vector = np.where(np.abs(wide) <= self.reach, inside, np.maximum(wide, 0.0))
        return found.astype(x.dtype)


TABLE = GeluTable(int(GIVEN("reference.gelu_samples")), float(GIVEN("reference.gelu_reach")))


def tree(products: Vector) -> Vector:
    """Sum over the first axis as an adder tree does: pair by pair, every sum rounded."""
    while len(products) > 1:
        if len(products) % 2:
            products = np.concatenate([products, np.zeros_like(products[:1])])
        products = products[0::2] + products[1::2]
    found: Vector = products[0]
    return found


@dataclass(frozen=True)
class Core:
    """The arithmetic of one board: tiles of depth x lanes, adder trees, a table for GELU."""

    depth: int = int(GIVEN("depth"))
    lanes: int = int(GIVEN("lanes"))
    lag: int = int(GIVEN("reference.add_latency"))
    order: Order = zigzag
    gelu: Callable[[Vector], Vector] = TABLE

    def product(self, x: Vector, matrix: Vector) -> Vector:
        """Vector times matrix, one tile after the other in the core's order."""
        d, l = self.depth, self.lanes  # noqa: E741 - the paper's letter
        total = np.zeros(matrix.shape[1], x.dtype)
        for i, j in self.order(*tiles(matrix.shape[0], matrix.shape[1], d, l), self.lag):
            rows, columns = slice(i * d, (i + 1) * d), slice(j * l, (j + 1) * l)
            total[columns] += tree(x[rows, None] * matrix[rows, columns])
        return total

    def total(self, x: Vector) -> Vector:
        """Sum of a vector: an adder tree per chunk of `depth`, the chunks one after the other."""
        found: Vector = np.zeros((), x.dtype)
        for start in range(0, len(x), self.depth):
            found = found + tree(x[start : start + self.depth])
        return found

    def layer_norm(self, x: Vector, gain: Vector, shift: Vector) -> Vector:
        """LayerNorm as vector instructions: sums, products, one reciprocal root."""
        share = x.dtype.type(1 / len(x))
        away = x - self.total(x) * share
        spread = self.total(away * away) * share + x.dtype.type(EPSILON)
        scaled: Vector = away * (1 / np.sqrt(spread)) * gain + shift
        return scaled

    def softmax(self, scores: Vector) -> Vector:
        """Softmax as vector instructions: less the row's maximum, exp, sum, one reciprocal."""
        raised = np.exp(scores - scores.max())
        shares: Vector = raised * (1 / self.total(raised))
        return shares


def share(matrix: Vector, board: int, boards: int) -> Vector:
    """The columns (or elements) of one board; where columns belong to heads, whole heads."""
    width = matrix.shape[-1] // boards
    return matrix[..., board * width : (board + 1) * width]


class Board:
    """One FPGA: its columns of every matrix, the keys and values of its heads."""

    cache: type[Cache] = Cache

    def __init__(self, weights: Weights, core: Core, layers: Sequence[Layer], heads: int) -> None:
        """Take a share of the layers; LayerNorms stay whole."""
        width, form = layers[0].value.shape[1], weights.tokens.dtype
        self.core, self.layers, self.heads = core, layers, heads
        self.caches = [self.cache(weights.shape.context, width, form) for _ in layers]

    def attend(self, index: int, x: Vector) -> Vector:
        """Outputs of this board's heads from the complete vector: values, keys, then queries."""
        layer, cache, core = self.layers[index], self.caches[index], self.core
        a = core.layer_norm(x, layer.norm_1, layer.shift_1)
        value = core.product(a, layer.value) + layer.value_bias
        key = core.product(a, layer.key) + layer.key_bias
        cache.append(key, value)
        query = core.product(a, layer.query) + layer.query_bias
        parts = zip(
            np.split(query, self.heads),
            np.split(cache.keys(), self.heads, axis=1),
            np.split(cache.values(), self.heads, axis=1),
            strict=True,
        )
        return np.concatenate([self._head(q, k, v) for q, k, v in parts])

    def _head(self, query: Vector, keys: Vector, values: Vector) -> Vector:
        scale = query.dtype.type(1 / math.sqrt(len(query)))
        shares = self.core.softmax(self.core.product(query, keys.T) * scale)
        return self.core.product(shares, values)

    def project(self, index: int, heads: Vector) -> Vector:
        """This board's columns of the projection."""
        layer = self.layers[index]
        return self.core.product(heads, layer.projection) + layer.projection_bias

    def expand(self, index: int, x: Vector) -> Vector:
        """This board's columns of the hidden vector of the MLP."""
        layer = self.layers[index]
        b = self.core.layer_norm(x, layer.norm_2, layer.shift_2)
        return self.core.gelu(self.core.product(b, layer.expand) + layer.expand_bias)

    def contract(self, index: int, hidden: Vector) -> Vector:
        """This board's columns of the output of the MLP."""
        layer = self.layers[index]
        return self.core.product(hidden, layer.contract) + layer.contract_bias


def gathered(parts: Sequence[Vector]) -> list[Vector]:
    """The complete vector on every board, after p - 1 hops to the next board of the ring.

    In each hop a board passes on the part that reached it last; the parts are put in the order of
    the boards' numbers at the end.
    """
    boards = len(parts)
    held = [{board: part} for board, part in enumerate(parts)]
    for hop in range(boards - 1):
        sent = [(board - hop) % boards for board in range(boards)]
        moved = [held[board][sent[board]] for board in range(boards)]
        for board in range(boards):
            held[(board + 1) % boards][sent[board]] = moved[board]
    return [np.concatenate([own[i] for i in range(boards)]) for own in held]


class Ring:
    """p boards that read one token at a time; every board ends a layer with the same vector."""

    board: type[Board] = Board

    def __init__(self, weights: Weights, boards: int, core: Core | None = None) -> None:
        """Split the weights over the boards; their number divides the heads."""
        core = core or Core()
        heads, self.weights = weights.shape.heads // boards, weights
        self.boards = [
            self.board(weights, core, [self.split(x, i, boards) for x in weights.layers], heads)
            for i in range(boards)
        ]
        self.head = [self.share(pad(weights.tokens.T, boards), i, boards) for i in range(boards)]
        self.sent: list[tuple[str, int]] = []
        """What was gathered in the last step: where, and how many bytes all boards made."""

    share = staticmethod(share)

    def split(self, layer: Layer, board: int, boards: int) -> Layer:
        """One board's columns of a layer; the LayerNorms are computed on every board."""
        whole = {f.name for f in fields(Layer) if f.name.startswith(("norm", "shift"))}
        names = [f.name for f in fields(Layer) if f.name not in whole]
        return replace(layer, **{n: self.share(getattr(layer, n), board, boards) for n in names})

    def gather(self, place: str, parts: Sequence[Vector]) -> list[Vector]:
        """One synchronisation of all boards."""
        self.sent.append((place, sum(part.nbytes for part in parts)))
        return gathered(parts)

    def step(self, token: int) -> Vector:
        """Logits after one more token."""
        self.sent = []
        place = self.boards[0].caches[0].length
        start = self.weights.tokens[token] + self.weights.positions[place]
        states = [start] * len(self.boards)
        for index in range(len(self.weights.layers)):
            states = self._layer(index, states)
        norm, shift = self.weights.norm, self.weights.shift
        parts = [
            b.core.product(b.core.layer_norm(x, norm, shift), head)
            for b, x, head in zip(self.boards, states, self.head, strict=True)
        ]
        return gathered(parts)[0][: self.weights.shape.vocab]

    def _layer(self, index: int, states: list[Vector]) -> list[Vector]:
        def phase(place: str, work: Callable[..., Any], inputs: list[Vector]) -> list[Vector]:
            pairs = zip(self.boards, inputs, strict=True)
            return self.gather(place, [work(board, index, x) for board, x in pairs])

        heads = phase("heads", self.board.attend, states)
        added = phase("projection", self.board.project, heads)
        states = [x + y for x, y in zip(states, added, strict=True)]
        hidden = phase("hidden", self.board.expand, states)
        added = phase("output", self.board.contract, hidden)
        return [x + y for x, y in zip(states, added, strict=True)]


def pad(matrix: Vector, boards: int) -> Vector:
    """The output head with zero columns, so that every board holds as many."""
    missing = -matrix.shape[1] % boards
    return np.pad(matrix, ((0, 0), (0, missing)))
