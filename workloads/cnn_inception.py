"""Inception-v3: blocks of parallel branches whose outputs stand side by side."""

from __future__ import annotations

from typing import Literal

from .cnn_layers import Graph, Kernel, Layer, Structure, Whole

Path = tuple[tuple[int, Kernel], ...]
"""Width and kernel of each convolution of a branch."""

WIDE, TALL = (1, 7), (7, 1)


class Inception(Structure):
    """Inception-v3 as torchvision builds it."""

    structure: Literal["inception"]
    image: Whole = 299
    """Side of the picture."""
    pooled: tuple[Whole, Whole, Whole]
    """Width behind the pooling of each block on the largest map."""
    factored: tuple[Whole, Whole, Whole, Whole]
    """Inner width of each block of 1x7 and 7x1 convolutions."""
    auxiliary: bool = False
    """Whether a second head helps training; it takes no part in inference."""

    def layers(self) -> tuple[Layer, ...]:
        """Stem, eleven blocks, perhaps the auxiliary head, classifier."""
        graph = Graph(self.image)
        out = _stem(graph)
        for letter, width in zip("bcd", self.pooled, strict=True):
            out = _small(graph, f"5{letter}", out, width)
        out = _reduced(graph, "6a", out, ((384, 3),), ((64, 1), (96, 3), (96, 3)))
        for letter, width in zip("bcde", self.factored, strict=True):
            out = _factored(graph, f"6{letter}", out, width)
        if self.auxiliary:
            _auxiliary_head(graph, out, self.classes)
        seven: Path = ((192, 1), (192, WIDE), (192, TALL), (192, 3))
        out = _reduced(graph, "7a", out, ((192, 1), (320, 3)), seven)
        for letter in "bc":
            out = _split(graph, f"7{letter}", out)
        out = graph.dropout("dropout", graph.global_pooling("gap", out))
        graph.linear("fc", out, self.classes)
        return graph.layers()


def _stem(graph: Graph) -> int:
    out = graph.convolution_norm("1a", Graph.IMAGE, 32, 3, stride=2, padding=0)
    out = graph.convolution_norm("2a", out, 32, 3, padding=0)
    out = graph.convolution_norm("2b", out, 64, 3)
    out = graph.pooling("pool1", out, "max", 3, stride=2)
    out = graph.convolution_norm("3b", out, 80, 1)
    out = graph.convolution_norm("4a", out, 192, 3, padding=0)
    return graph.pooling("pool2", out, "max", 3, stride=2)


def _branch(graph: Graph, name: str, source: int, path: Path, *, halves: bool = False) -> int:
    """Convolutions in a row, each with norm and ReLU; with `halves` the last steps by two."""
    for index, (width, kernel) in enumerate(path):
        last = halves and index == len(path) - 1
        stride, padding = (2, 0) if last else (1, None)
        source = graph.convolution_norm(
            f"{name}.{index}", source, width, kernel, stride=stride, padding=padding
        )
    return source


def _pooled(graph: Graph, name: str, source: int, width: int) -> int:
    out = graph.pooling(f"{name}.pool", source, "average", 3, stride=1, padding=1, module=False)
    return _branch(graph, name, out, ((width, 1),))


def _small(graph: Graph, name: str, source: int, width: int) -> int:
    """Branches of 1x1, 5x5, two 3x3 and a pooling."""
    return graph.concat(
        f"{name}.concat",
        _branch(graph, f"{name}.b0", source, ((64, 1),)),
        _branch(graph, f"{name}.b1", source, ((48, 1), (64, 5))),
        _branch(graph, f"{name}.b2", source, ((64, 1), (96, 3), (96, 3))),
        _pooled(graph, f"{name}.b3", source, width),
    )


def _reduced(graph: Graph, name: str, source: int, short: Path, long: Path) -> int:
    """Two branches and a pooling, all stepping by two."""
    return graph.concat(
        f"{name}.concat",
        _branch(graph, f"{name}.b0", source, short, halves=True),
        _branch(graph, f"{name}.b1", source, long, halves=True),
        graph.pooling(f"{name}.b2.pool", source, "max", 3, stride=2, module=False),
    )


def _factored(graph: Graph, name: str, source: int, inner: int) -> int:
    """Branches of 7x7 windows, each as 1x7 and 7x1."""
    two: Path = ((inner, 1), (inner, WIDE), (192, TALL))
    four: Path = ((inner, 1), (inner, TALL), (inner, WIDE), (inner, TALL), (192, WIDE))
    return graph.concat(
        f"{name}.concat",
        _branch(graph, f"{name}.b0", source, ((192, 1),)),
        _branch(graph, f"{name}.b1", source, two),
        _branch(graph, f"{name}.b2", source, four),
        _pooled(graph, f"{name}.b3", source, 192),
    )


def _split(graph: Graph, name: str, source: int) -> int:
    """Branches that end in a 1x3 and a 3x1 side by side."""
    return graph.concat(
        f"{name}.concat",
        _branch(graph, f"{name}.b0", source, ((320, 1),)),
        _forked(graph, f"{name}.b1", source, ((384, 1),)),
        _forked(graph, f"{name}.b2", source, ((448, 1), (384, 3))),
        _pooled(graph, f"{name}.b3", source, 192),
    )


def _forked(graph: Graph, name: str, source: int, path: Path) -> int:
    out = _branch(graph, name, source, path)
    wide = graph.convolution_norm(f"{name}.wide", out, 384, (1, 3))
    tall = graph.convolution_norm(f"{name}.tall", out, 384, (3, 1))
    return graph.concat(f"{name}.concat", wide, tall)


def _auxiliary_head(graph: Graph, source: int, classes: int) -> None:
    out = graph.pooling("aux.pool", source, "average", 5, stride=3, module=False, auxiliary=True)
    out = graph.convolution_norm("aux.c0", out, 128, 1)
    out = graph.convolution_norm("aux.c1", out, 768, 5, padding=0)
    graph.linear("aux.fc", out, classes)
