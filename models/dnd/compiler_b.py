"""Compiler B: tiles, split and packed out-channels, unrolled kernels, fused activations.

Sums live in float registers. The outputs that share a loop body stand side by side in the packed
weights, so that their address needs one more counter than the tensor has dimensions.
"""

from collections.abc import Iterator

import numpy as np

from .affine import Affine
from .compiler_a import exponentials
from .loops import (
    LOWEST,
    Apply,
    Assign,
    Call,
    Literal,
    Local,
    Nest,
    Plan,
    Read,
    Statement,
    Value,
    Write,
    counter,
    guarded,
    nested,
    rectified,
)
from .network import Floats, Network, Node, Shape, output_shape, shapes

FUSED = {"conv", "gemm", "add"}
"""What an activation is moved into."""


def compiled(network: Network, plan: Plan) -> list[Call]:
    """Functions in the order of the network, activations fused where nobody else looks."""
    found, users, nodes = shapes(network), network.users(), network.nodes
    calls, skipped = [], set()
    for place, node in enumerate(nodes):
        if place in skipped:
            continue
        after = nodes[place + 1] if place + 1 < len(nodes) else node
        alone = after.kind == "relu" and after.inputs == (place,) and users[place] == 1
        fused = plan.fuses and alone and node.kind in FUSED
        skipped |= {place + 1} if fused else set()
        write = _Operator(node, found[node.inputs[0]], plan, fused=fused)
        calls.append(Call(write.nest(), place + fused, node.inputs, write.constants()))
    return calls


def divisor(size: int, most: int) -> int:
    """Largest power of two up to `most` that divides a size.

    >>> divisor(10, 4)
    2
    """
    return next(part for part in (8, 4, 2, 1) if part <= most and size % part == 0)


class _Operator:
    """One operator as a plan writes it down."""

    def __init__(self, node: Node, given: Shape, plan: Plan, *, fused: bool) -> None:
        """Decide how outputs are split and tiled."""
        self.node, self.given, self.fused, self.plan = node, given, fused, plan
        self.out = output_shape(node, given)
        self.lanes = divisor(self.out[0], plan.split) if node.kind != "depthwise" else 1
        self.tiles = [divisor(side, plan.tile) for side in self.out[1:]]

    def nest(self) -> Nest:
        """Loop nest of the operator."""
        kind = self.node.kind
        if kind in {"conv", "depthwise", "gemm"}:
            body = self._convolution() if kind != "gemm" else self._linear()
            return Nest(("out", "in", "weight", "bias"), body)
        if kind in {"maxpool", "avgpool"}:
            return Nest(("out", "in"), self._pooling(average=kind == "avgpool"))
        if kind == "softmax":
            return Nest(("out", "in"), exponentials(int(np.prod(self.given))))
        return Nest(("out", "in", "other")[: 1 + len(self.node.inputs)], self._flat())

    def constants(self) -> tuple[Floats, ...]:
        """Weights with the lanes innermost, and the bias."""
        if not self.node.weight.size:
            return ()
        groups = self.node.weight.reshape(self.out[0] // self.lanes, self.lanes, -1)
        return np.ascontiguousarray(groups.swapaxes(1, 2)), self.node.bias

    def _ended(self, value: Value) -> Value:
        return rectified(value) if self.fused else value

    def _spatial(self) -> tuple[list[tuple[str, int]], Affine, Affine]:
        """Loops over tiles and inside them, and the row and column they stand for."""
        (tall, wide), (height, width) = self.tiles, self.out[1:]
        loops = [("th", height // tall), ("tw", width // wide), ("h", tall), ("w", wide)]
        row, column = counter("th", tall) + counter("h"), counter("tw", wide) + counter("w")
        return [one for one in loops if one[1] > 1], row, column

    def _taps(
        self, row: Affine, column: Affine
    ) -> Iterator[tuple[Affine, list[tuple[Affine, int]], int]]:
        """Offset in a channel, tests and kernel column of each unrolled tap of a kernel row."""
        node, (_, height, width) = self.node, self.given
        line = row * node.stride + counter("kh") - node.padding
        for tap in range(node.kernel[1]):
            place = column * node.stride + (tap - node.padding)
            tests = [(line, height), (place, width)] if node.padding else []
            yield line * width + place, tests, tap

    def _convolution(self) -> tuple[Statement, ...]:
        node, lanes, (channels, height, width) = self.node, self.lanes, self.given
        deep = node.kind == "depthwise"
        loops, row, column = self._spatial()
        channel = counter("oc" if deep else "ic")
        body: list[Statement] = []
        for offset, tests, tap in self._taps(row, column):
            index = counter("kh", node.kernel[1]) + tap
            if not deep:
                index += channel * (node.kernel[0] * node.kernel[1])
            pixel = Read("in", channel * (height * width) + offset)
            body += guarded(tests[1:], self._products(pixel, index))
        rows = guarded(tests[:1], body)
        reduced = [("kh", node.kernel[0])] if deep else [("ic", channels), ("kh", node.kernel[0])]
        inner = nested([one for one in reduced if one[1] > 1], rows)
        place = row * self.out[2] + column
        written = self._written(place, self.out[1] * self.out[2])
        outer = [("oc", self.out[0] // lanes), *loops]
        return nested(outer, (*self._started(), *inner, *written))

    def _linear(self) -> tuple[Statement, ...]:
        size = int(np.prod(self.given))
        part = divisor(size, self.plan.unroll)
        body: list[Statement] = []
        for step in range(part):
            index = counter("i", part) + step
            body += self._products(Read("in", index), index)
        inner = nested((("i", size // part),), body)
        outer = (("oc", self.out[0] // self.lanes),)
        return nested(outer, (*self._started(), *inner, *self._written(Affine(), 1)))

    def _started(self) -> list[Statement]:
        first = counter("oc", self.lanes)
        return [Assign(f"sum{lane}", Read("bias", first + lane)) for lane in range(self.lanes)]

    def _products(self, pixel: Value, index: Affine) -> list[Statement]:
        """The sums of all lanes with one more product; `index` counts inside a filter."""
        size = int(np.prod(self.node.weight.shape[1:]))
        place = (counter("oc", size) + index) * self.lanes
        body: list[Statement] = [Assign("x", pixel)]
        for lane in range(self.lanes):
            product = Apply("mul", (Local("x"), Read("weight", place + lane)))
            body.append(Assign(f"sum{lane}", Apply("add", (Local(f"sum{lane}"), product))))
        return body

    def _written(self, place: Affine, area: int) -> list[Statement]:
        first = counter("oc", self.lanes * area) + place
        return [
            Write("out", first + lane * area, self._ended(Local(f"sum{lane}")))
            for lane in range(self.lanes)
        ]

    def _pooling(self, *, average: bool) -> tuple[Statement, ...]:
        node, (_, height, width) = self.node, self.given
        loops, row, column = self._spatial()
        op, start = ("add", 0.0) if average else ("max", LOWEST)
        body = [
            Assign("best", Apply(op, (Local("best"), self._pixel(offset, height * width))))
            for offset, _, _ in self._taps(row, column)
        ]
        inner = nested((("kh", node.kernel[0]),), body)
        share = Literal(1 / (node.kernel[0] * node.kernel[1]))
        value = Apply("mul", (Local("best"), share)) if average else Local("best")
        place = counter("oc", self.out[1] * self.out[2]) + row * self.out[2] + column
        whole = (Assign("best", Literal(start)), *inner, Write("out", place, value))
        return nested([("oc", self.out[0]), *loops], whole)

    @staticmethod
    def _pixel(offset: Affine, area: int) -> Value:
        return Read("in", counter("oc", area) + offset)

    def _flat(self) -> tuple[Statement, ...]:
        size = int(np.prod(self.given))
        part = divisor(size, self.plan.unroll)
        body: list[Statement] = []
        for step in range(part):
            place = counter("i", part) + step
            first = Read("in", place)
            value = (
                rectified(first)
                if self.node.kind == "relu"
                else self._ended(Apply("add", (first, Read("other", place))))
            )
            body.append(Write("out", place, value))
        return nested((("i", size // part),), body)
