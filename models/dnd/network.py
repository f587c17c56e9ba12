"""Networks as graphs of operators: what is compiled, and what a decompiler must give back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shape = tuple[int, int, int]
"""Channels, height, width."""

INPUT = -1
"""Where a node reads the network's input."""
NOTHING: Floats = np.zeros(0, np.float32)


@dataclass(frozen=True, eq=False)
class Node:
    """One operator; kinds are conv, depthwise, gemm, relu, add, maxpool, avgpool, softmax."""

    kind: str
    inputs: tuple[int, ...]
    """Nodes it reads, or `INPUT`."""
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: int = 0
    weight: Floats = field(default_factory=lambda: NOTHING)
    bias: Floats = field(default_factory=lambda: NOTHING)

    def attributes(self) -> tuple[object, ...]:
        """All but the parameters."""
        return self.kind, self.inputs, self.kernel, self.stride, self.padding


@dataclass(frozen=True, eq=False)
class Network:
    """Operators in the order they run; the last one answers."""

    shape: Shape
    """Of the input."""
    nodes: tuple[Node, ...]

    def parameters(self) -> int:
        """Numbers that were trained."""
        return sum(node.weight.size + node.bias.size for node in self.nodes)

    def users(self) -> Counter[int]:
        """How often each node is read."""
        return Counter(source for node in self.nodes for source in node.inputs)


def same(one: Network, other: Network) -> bool:
    """Whether operators, attributes, topology and every bit of the parameters agree."""
    if one.shape != other.shape or len(one.nodes) != len(other.nodes):
        return False
    pairs = list(zip(one.nodes, other.nodes, strict=True))
    return all(
        a.attributes() == b.attributes()
        and np.array_equal(a.weight, b.weight)
        and np.array_equal(a.bias, b.bias)
        for a, b in pairs
    )


def windows(extent: int, kernel: int, stride: int, padding: int) -> int:
    """Places of a kernel along one side.

    >>> windows(28, 5, 1, 2)
    28
    """
    return (extent + 2 * padding - kernel) // stride + 1


def output_shape(node: Node, given: Shape) -> Shape:
    """Shape of what a node writes, from the shape of its first input."""
    if node.kind in {"relu", "add", "softmax"}:
        return given
    if node.kind == "gemm":
        return len(node.bias), 1, 1
    channels = len(node.bias) if node.kind == "conv" else given[0]
    height, width = (
        windows(side, kernel, node.stride, node.padding)
        for side, kernel in zip(given[1:], node.kernel, strict=True)
    )
    return channels, height, width


def shapes(network: Network) -> dict[int, Shape]:
    """Shape of what each node writes, and of the input."""
    found = {INPUT: network.shape}
    for place, node in enumerate(network.nodes):
        found[place] = output_shape(node, found[node.inputs[0]])
    return found


class Builder:
    """Adds operators one by one and draws their parameters."""

    def __init__(self, shape: Shape, rng: np.random.Generator) -> None:
        """Start with the shape of the input."""
        self.shape, self.rng = shape, rng
        self.nodes: list[Node] = []
        self.last = INPUT

    def add(self, node: Node) -> int:
        """Append a node; its place."""
        self.nodes.append(node)
        self.last = len(self.nodes) - 1
        return self.last

    def plain(self, kind: str, *inputs: int) -> int:
        """An operator without attributes, by default on what came last."""
        return self.add(Node(kind, inputs or (self.last,)))

    def pool(self, kind: str, size: int) -> int:
        """A pooling whose stride is its kernel."""
        return self.add(Node(kind, (self.last,), (size, size), size))

    def width(self, place: int) -> Shape:
        """Shape of what a node writes."""
        return shapes(self.network())[place]

    def conv(
        self,
        channels: int,
        kernel: tuple[int, int],
        *,
        stride: int = 1,
        padding: int = 0,
        source: int | None = None,
    ) -> int:
        """A convolution on what came last, or on another node."""
        source = self.last if source is None else source
        weight = self._drawn(channels, self.width(source)[0], *kernel)
        bias = self._drawn(channels)
        return self.add(Node("conv", (source,), kernel, stride, padding, weight, bias))

    def depthwise(self, kernel: int) -> int:
        """A convolution of each channel with its own kernel."""
        channels = self.width(self.last)[0]
        weight, bias = self._drawn(channels, kernel, kernel), self._drawn(channels)
        size = (kernel, kernel)
        return self.add(Node("depthwise", (self.last,), size, 1, kernel // 2, weight, bias))

    def gemm(self, outputs: int) -> int:
        """A linear layer on what came last."""
        inputs = int(np.prod(self.width(self.last)))
        weight, bias = self._drawn(outputs, inputs), self._drawn(outputs)
        return self.add(Node("gemm", (self.last,), weight=weight, bias=bias))

    def _drawn(self, *shape: int) -> Floats:
        spread = 1 / np.sqrt(np.prod(shape[1:]))
        return np.asarray(self.rng.standard_normal(shape) * spread, np.float32)

    def network(self) -> Network:
        """What was built so far."""
        return Network(self.shape, tuple(self.nodes))


def lenet(image: int, width: int, rng: np.random.Generator) -> Network:
    """Layers of the tool's MNIST binary; 28 and 8 give its shapes."""
    net = Builder((1, image, image), rng)
    for channels, pool in ((width, 2), (2 * width, 3)):
        net.conv(channels, (5, 5), padding=2)
        net.plain("relu")
        net.pool("maxpool", pool)
    net.gemm(10)
    return net.network()


def resnet_small(image: int, width: int, rng: np.random.Generator) -> Network:
    """Layers of the tool's CIFAR-10 binary; 32 and 16 give its number of parameters."""
    net = Builder((3, image, image), rng)
    net.conv(width, (3, 3), padding=1)
    skip = net.plain("relu")
    for stage in range(3):
        channels, stride = width * 2**stage, 2 if stage else 1
        net.conv(channels, (3, 3), stride=stride, padding=1, source=skip)
        net.plain("relu")
        body = net.conv(channels, (3, 3), padding=1)
        if stage:
            skip = net.conv(channels, (1, 1), stride=stride, source=skip)
        net.plain("add", body, skip)
        skip = net.plain("relu")
    net.pool("avgpool", net.width(skip)[1])
    net.gemm(10)
    net.plain("softmax")
    return net.network()


NETWORKS = {"lenet": lenet, "resnet_small": resnet_small}
