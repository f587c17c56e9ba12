"""A network's answer in NumPy float32, the same code for the original and for what came back."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .network import INPUT, Floats, Network, Node


def _windows(node: Node, values: Floats) -> Floats:
    """Windows of every channel: channels, rows, columns, kernel rows, kernel columns."""
    margin = (node.padding, node.padding)
    padded = np.pad(values, ((0, 0), margin, margin))
    found = sliding_window_view(padded, node.kernel, axis=(1, 2))
    return np.asarray(found[:, :: node.stride, :: node.stride])


def _convolved(node: Node, values: Floats) -> Floats:
    product = np.tensordot(node.weight, _windows(node, values), axes=((1, 2, 3), (0, 3, 4)))
    return np.asarray(product + node.bias[:, None, None])


def _linear(node: Node, values: Floats) -> Floats:
    return np.asarray(node.weight @ values.ravel() + node.bias)[:, None, None]


def _softmax(values: Floats) -> Floats:
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def _largest(node: Node, values: Floats) -> Floats:
    return np.asarray(_windows(node, values).max(axis=(3, 4)))


def _mean(node: Node, values: Floats) -> Floats:
    return np.asarray(_windows(node, values).mean(axis=(3, 4), dtype=np.float32))


RULES: dict[str, Callable[..., Floats]] = {
    "conv": _convolved,
    "gemm": _linear,
    "relu": lambda _, values: np.maximum(values, np.float32(0)),
    "add": lambda _, first, second: first + second,
    "maxpool": _largest,
    "avgpool": _mean,
    "softmax": lambda _, values: _softmax(values),
}
"""Kind of operator -> what it makes of its inputs."""


def answer(network: Network, values: Floats) -> Floats:
    """Output of the last operator."""
    found = {INPUT: values.astype(np.float32)}
    for place, node in enumerate(network.nodes):
        found[place] = RULES[node.kind](node, *(found[source] for source in node.inputs))
    return found[len(network.nodes) - 1]
