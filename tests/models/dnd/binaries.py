"""Small binaries for the executed mechanism, and what comes back of them."""

import numpy as np

from models.dnd.assemble import Image, Layout, built
from models.dnd.decompile import Recovery, decompiled
from models.dnd.loops import Plan
from models.dnd.network import NETWORKS, Builder, Network, Node, Shape

ISAS = ("narrow", "wide", "vary")
PLANS = {
    "a": None,
    "b": Plan(split=4, tile=2, unroll=4, fuses=True, reuses=True, rotates=True),
}
"""The compilers of data.yaml."""
FAR = 16
"""A window that reaches every skip."""


def builder(shape: Shape, seed: int = 0) -> Builder:
    return Builder(shape, np.random.default_rng(seed))


def network(name: str, image: int, width: int) -> Network:
    return NETWORKS[name](image, width, np.random.default_rng(0))


def compiled(net: Network, compiler: str, isa: str) -> tuple[Image, Layout]:
    return built(net, isa, PLANS[compiler])


def recovered(net: Network, compiler: str = "a", isa: str = "wide", window: int = FAR) -> Recovery:
    return decompiled(compiled(net, compiler, isa)[0], window)


def tangled(seed: int) -> Network:
    """Convolutions, activations, additions and poolings that read any of the last five nodes."""
    net = builder((3, 8, 8), seed)
    net.conv(4, (3, 3), padding=1)
    for _ in range(6):
        source = int(net.rng.integers(max(0, net.last - 4), net.last + 1))
        shape, kind = net.width(source), net.rng.integers(4)
        alike = [place for place in range(len(net.nodes)) if net.width(place) == shape]
        if kind == 0:
            kernel = int(net.rng.choice([1, 3]))
            net.conv(4, (kernel, kernel), padding=kernel // 2, source=source)
        elif kind == 1 and shape[1] > 4:
            net.add(Node("maxpool", (source,), (2, 2), 2))
        elif kind == 2:
            net.plain("add", source, int(net.rng.choice(alike)))
        else:
            net.plain("relu", source)
    return net.network()
