"""Small binaries for the executed mechanism, and what comes back of them."""

import numpy as np

from models.dnd.assemble import Image, Layout, built
from models.dnd.decompile import Recovery, decompiled
from models.dnd.loops import Plan
from models.dnd.network import NETWORKS, Builder, Network, Shape

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
