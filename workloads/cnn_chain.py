"""Chains of convolutions: VGG, MobileNet v1 and v2, SqueezeNet and DenseNet."""

from __future__ import annotations

from typing import Literal

from .cnn_layers import Graph, Layer, Structure, Whole


class Vgg(Structure):
    """VGG: stages of 3x3 convolutions with biases, each ended by a pooling."""

    structure: Literal["vgg"]
    stages: tuple[tuple[Whole, Whole], ...]
    """Width and number of convolutions, stage by stage."""
    hidden: Whole
    """Width of the two hidden linear layers."""

    def layers(self) -> tuple[Layer, ...]:
        """Stages, then three linear layers with dropout between them."""
        graph, out = Graph(self.image), Graph.IMAGE
        for stage, (width, count) in enumerate(self.stages, 1):
            for index in range(1, count + 1):
                name = f"conv{stage}.{index}"
                out = graph.convolution(name, out, width, 3, bias=True)
                out = graph.activation(f"{name}.relu", out)
            out = graph.pooling(f"pool{stage}", out, "max", 2, stride=2)
        for name in ("fc1", "fc2"):
            out = graph.activation(f"{name}.relu", graph.linear(name, out, self.hidden))
            out = graph.dropout(f"{name}.dropout", out)
        graph.linear("fc3", out, self.classes)
        return graph.layers()


class MobileNetV1(Structure):
    """MobileNet v1: depthwise and pointwise convolutions in turn."""

    structure: Literal["mobilenet-v1"]
    steps: tuple[tuple[Whole, Whole], ...]
    """Width and stride of each depthwise-separable convolution."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem, separable convolutions, classifier."""
        graph = Graph(self.image)
        out = graph.convolution_norm("conv0", Graph.IMAGE, 32, 3, stride=2)
        for index, (width, stride) in enumerate(self.steps):
            inner = graph[out].channels
            out = graph.convolution_norm(f"dw{index}", out, inner, 3, stride=stride, groups=inner)
            out = graph.convolution_norm(f"pw{index}", out, width, 1)
        graph.linear("fc", graph.global_pooling("gap", out), self.classes)
        return graph.layers()


class MobileNetV2(Structure):
    """MobileNet v2: inverted residuals with ReLU6."""

    structure: Literal["mobilenet-v2"]
    stages: tuple[tuple[Whole, Whole, Whole, Whole], ...]
    """Expansion, width, blocks and first stride of each stage."""
    last: Whole
    """Width of the last convolution."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem, inverted residuals, last convolution, classifier."""
        graph = Graph(self.image)
        out = graph.convolution_norm("conv0", Graph.IMAGE, 32, 3, stride=2, function="relu6")
        number = 0
        for expansion, width, count, first in self.stages:
            for index in range(count):
                stride = 1 if index else first
                out = _inverted(graph, f"b{number}", out, expansion, width, stride)
                number += 1
        out = graph.convolution_norm("last", out, self.last, 1, function="relu6")
        out = graph.dropout("dropout", graph.global_pooling("gap", out))
        graph.linear("fc", out, self.classes)
        return graph.layers()


class SqueezeNet(Structure):
    """SqueezeNet 1.0: fire modules between poolings."""

    structure: Literal["squeezenet"]
    fires: tuple[tuple[tuple[Whole, Whole], ...], ...]
    """Width of squeeze and of each expand, module by module; a pooling stands before a group."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem, fire modules, a convolution as classifier."""
        graph, number = Graph(self.image), 2
        out = graph.convolution("conv1", Graph.IMAGE, 96, 7, stride=2, padding=0, bias=True)
        out = graph.activation("conv1.relu", out)
        for group in self.fires:
            out = graph.pooling(f"pool{number - 1}", out, "max", 3, stride=2, ceil=True)
            for squeeze, expand in group:
                out = _fire(graph, f"fire{number}", out, squeeze, expand)
                number += 1
        out = graph.dropout("dropout", out)
        out = graph.convolution(f"conv{number}", out, self.classes, 1, bias=True)
        graph.global_pooling("gap", graph.activation(f"conv{number}.relu", out))
        return graph.layers()


class DenseNet(Structure):
    """DenseNet: every layer reads what all layers before it in its block have made."""

    structure: Literal["densenet"]
    blocks: tuple[Whole, ...]
    """Layers of each block."""
    growth: Whole
    """Channels that a layer adds."""
    stem: Whole
    """Channels of the first convolution."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem, dense blocks with transitions between them, classifier."""
        graph = Graph(self.image)
        out = graph.convolution_norm("conv0", Graph.IMAGE, self.stem, 7, stride=2)
        out = graph.pooling("pool0", out, "max", 3, stride=2, padding=1)
        for block, count in enumerate(self.blocks, 1):
            if block > 1:
                out = _transition(graph, f"t{block - 1}", out)
            out = self._block(graph, f"b{block}", out, count)
        out = graph.activation("bn5.relu", graph.norm("bn5", out))
        graph.linear("fc", graph.global_pooling("gap", out), self.classes)
        return graph.layers()

    def _block(self, graph: Graph, name: str, source: int, count: int) -> int:
        made, out = [source], source
        for index in range(count):
            layer = f"{name}.{index}"
            new = graph.activation(f"{layer}.relu1", graph.norm(f"{layer}.bn1", out))
            new = graph.convolution_norm(f"{layer}.c1", new, 4 * self.growth, 1)
            made.append(graph.convolution(f"{layer}.c2", new, self.growth, 3))
            out = graph.concat(f"{layer}.concat", *made)
        return out


def _transition(graph: Graph, name: str, source: int) -> int:
    out = graph.activation(f"{name}.relu", graph.norm(f"{name}.bn", source))
    out = graph.convolution(f"{name}.conv", out, graph[out].channels // 2, 1)
    return graph.pooling(f"{name}.pool", out, "average", 2, stride=2)


def _inverted(
    graph: Graph, name: str, source: int, expansion: int, width: int, stride: int
) -> int:
    channels, out = graph[source].channels, source
    inner = expansion * channels
    if expansion > 1:
        out = graph.convolution_norm(f"{name}.exp", out, inner, 1, function="relu6")
    out = graph.convolution_norm(
        f"{name}.dw", out, inner, 3, stride=stride, groups=inner, function="relu6"
    )
    out = graph.convolution_norm(f"{name}.proj", out, width, 1, function="")
    return graph.add(f"{name}.add", out, source) if (stride, channels) == (1, width) else out


def _fire(graph: Graph, name: str, source: int, squeeze: int, expand: int) -> int:
    out = graph.convolution(f"{name}.squeeze", source, squeeze, 1, bias=True)
    out = graph.activation(f"{name}.squeeze.relu", out)
    wide = []
    for side in (1, 3):
        part = graph.convolution(f"{name}.expand{side}", out, expand, side, bias=True)
        wide.append(graph.activation(f"{name}.expand{side}.relu", part))
    return graph.concat(f"{name}.concat", *wide)
