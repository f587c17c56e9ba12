"""Residual networks: ResNet (v1 and v1.5), its pre-activation form for CIFAR, and SENet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from .cnn_layers import Graph, Layer, Structure, Whole

Stages = tuple[Whole, Whole, Whole, Whole]
"""Blocks of each of four stages."""

Block = Callable[[Graph, str, int, int, int], int]
"""Graph, name, source, width and stride -> number of the block's last layer."""


class ResNet(Structure):
    """ResNet of basic or bottleneck blocks."""

    structure: Literal["resnet"]
    blocks: Stages
    bottleneck: bool = False
    """Three convolutions a block instead of two, the last four times as wide."""
    stride_on: Literal["1x1", "3x3"] = "3x3"
    """Which convolution of a bottleneck steps by two: 1x1 is v1, 3x3 is v1.5."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem, four stages, classifier."""
        graph = Graph(self.image)
        out = graph.convolution_norm("conv1", Graph.IMAGE, 64, 7, stride=2)
        out = graph.pooling("maxpool", out, "max", 3, stride=2, padding=1)
        out = _stages(graph, out, self.blocks, self._bottleneck if self.bottleneck else _basic)
        graph.linear("fc", graph.global_pooling("gap", out), self.classes)
        return graph.layers()

    def _bottleneck(self, graph: Graph, name: str, source: int, width: int, stride: int) -> int:
        first = stride if self.stride_on == "1x1" else 1
        out = graph.convolution_norm(f"{name}.conv1", source, width, 1, stride=first)
        out = graph.convolution_norm(f"{name}.conv2", out, width, 3, stride=stride // first)
        out = graph.convolution_norm(f"{name}.conv3", out, 4 * width, 1, function="")
        return _joined(graph, name, out, _shortcut(graph, name, source, out, stride))


class SeNet(Structure):
    """SENet-154: wider grouped bottlenecks, each with a gate a channel."""

    structure: Literal["senet"]
    blocks: Stages
    groups: Whole
    """Groups of the 3x3 convolutions."""
    reduction: Whole
    """Channels over the inner width of a gate."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem of three convolutions, four stages, classifier."""
        graph = Graph(self.image)
        out = graph.convolution_norm("conv1", Graph.IMAGE, 64, 3, stride=2)
        out = graph.convolution_norm("conv2", out, 64, 3)
        out = graph.convolution_norm("conv3", out, 128, 3)
        out = graph.pooling("maxpool", out, "max", 3, stride=2, ceil=True)
        out = _stages(graph, out, self.blocks, self._block)
        out = graph.dropout("dropout", graph.global_pooling("gap", out))
        graph.linear("fc", out, self.classes)
        return graph.layers()

    def _block(self, graph: Graph, name: str, source: int, width: int, stride: int) -> int:
        out = graph.convolution_norm(f"{name}.conv1", source, 2 * width, 1)
        out = graph.convolution_norm(
            f"{name}.conv2", out, 4 * width, 3, stride=stride, groups=self.groups
        )
        out = graph.convolution_norm(f"{name}.conv3", out, 4 * width, 1, function="")
        out = graph.scale(f"{name}.scale", out, self._gate(graph, name, out))
        kernel = 1 if name == "layer1.0" else 3
        return _joined(graph, name, out, _shortcut(graph, name, source, out, stride, kernel))

    def _gate(self, graph: Graph, name: str, source: int) -> int:
        channels = graph[source].channels
        out = graph.global_pooling(f"{name}.squeeze", source)
        out = graph.convolution(f"{name}.fc1", out, channels // self.reduction, 1, bias=True)
        out = graph.activation(f"{name}.fc1.relu", out)
        out = graph.convolution(f"{name}.fc2", out, channels, 1, bias=True)
        return graph.activation(f"{name}.gate", out, "sigmoid")


class PreActivation(Structure):
    """ResNet for CIFAR whose norms and ReLUs stand before its convolutions."""

    structure: Literal["preactivation"]
    blocks: Whole
    """Blocks a stage; nine layers each, and two more, make the depth."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem, three stages, classifier."""
        graph = Graph(self.image)
        out = graph.convolution("conv1", Graph.IMAGE, 16, 3)
        for stage in range(3):
            for index in range(self.blocks):
                stride = 2 if stage and not index else 1
                out = _preactivated(graph, f"s{stage + 1}.{index}", out, 16 << stage, stride)
        out = graph.activation("last.relu", graph.norm("last.bn", out))
        graph.linear("fc", graph.global_pooling("gap", out), self.classes)
        return graph.layers()


def _stages(graph: Graph, source: int, blocks: Stages, block: Block) -> int:
    """Four stages of widths 64 to 512; each but the first halves the map."""
    for stage, count in enumerate(blocks):
        for index in range(count):
            stride = 2 if stage and not index else 1
            source = block(graph, f"layer{stage + 1}.{index}", source, 64 << stage, stride)
    return source


def _basic(graph: Graph, name: str, source: int, width: int, stride: int) -> int:
    out = graph.convolution_norm(f"{name}.conv1", source, width, 3, stride=stride)
    out = graph.convolution_norm(f"{name}.conv2", out, width, 3, function="")
    return _joined(graph, name, out, _shortcut(graph, name, source, out, stride))


def _shortcut(graph: Graph, name: str, source: int, out: int, stride: int, kernel: int = 1) -> int:
    """The block's input, projected where its shape is not that of the output."""
    channels = graph[out].channels
    if stride == 1 and graph[source].channels == channels:
        return source
    return graph.convolution_norm(
        f"{name}.down", source, channels, kernel, stride=stride, function=""
    )


def _joined(graph: Graph, name: str, out: int, shortcut: int) -> int:
    return graph.activation(f"{name}.relu", graph.add(f"{name}.add", out, shortcut))


def _preactivated(graph: Graph, name: str, source: int, width: int, stride: int) -> int:
    """A pre-activation bottleneck that steps on its first 1x1, as its projection does.

    The projection reads the activated input.
    """
    ready = graph.activation(f"{name}.relu1", graph.norm(f"{name}.bn1", source))
    out = graph.convolution_norm(f"{name}.c1", ready, width, 1, stride=stride)
    out = graph.convolution_norm(f"{name}.c2", out, width, 3)
    out = graph.convolution(f"{name}.c3", out, 4 * width, 1)
    if stride == 1 and graph[source].channels == 4 * width:
        return graph.add(f"{name}.add", out, source)
    projected = graph.convolution(f"{name}.proj", ready, 4 * width, 1, stride=stride)
    return graph.add(f"{name}.add", out, projected)
