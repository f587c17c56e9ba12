"""Weights out of the constants: every address of an affine load, read as float32."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from .control_flow import Unsupported
from .expressions import Counter, Load
from .machine import WORD
from .network import Floats


def read(constants: bytes, start: int, load: Load, counters: Sequence[Counter]) -> Floats:
    """Values of a load over all counters, the first counter slowest.

    Args:
        constants: bytes of the constants.
        start: where they are mapped.
        load: of a weight or a bias.
        counters: all counters that its address moves with.
    """
    if load.address.names() - {name for name, _ in counters}:
        raise Unsupported("weights that move with a place of the output")
    place = np.array(load.address.constant - start)
    for name, extent in counters:
        place = place[..., None] + load.address.coefficient(name) * np.arange(extent)
    flat = place.ravel()
    if flat.size != prod(extent for _, extent in counters):
        raise Unsupported("weights of another size than their counters")
    if (flat < 0).any() or (flat + WORD > len(constants)).any() or (flat % WORD).any():
        raise Unsupported("weights outside the constants")
    return np.asarray(np.frombuffer(constants, "<f4")[flat // WORD], np.float32)
