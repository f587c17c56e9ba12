r"""Time of one subgraph on one device: the roofline of its kernels, and their starts.

Time of a kernel: $\max(F / (\eta P), M / (\eta_m B)) + k$, with k the time to start it. The steps
of a recurrent layer depend on one another: each is a kernel and reads the layer's weights again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from dse.spec import Array, Operator, leaf

from ..roofline.model import compute_time, memory_time, operator_time
from .config import GIVEN

ELEMENT, ONCE = GIVEN("element"), leaf(1.0)
FOLDED = frozenset({"elementwise", "norm"})
"""Kinds of operators that a compiler folds into a convolution."""
CHAINED = frozenset({"elementwise"})
"""Kinds that it chains to a product of matrices; a norm there needs whole rows first."""
ALONE = frozenset({"pooling"})
"""Operators of those kinds that see more than one element, and so stay kernels of their own."""


@dataclass(frozen=True)
class Side:
    """A device as its kernels see it; a cache of 0 B holds no weights."""

    peak: Array
    efficiency: Array
    bandwidth: Array
    memory_efficiency: Array
    launch: Array
    cache: Array
    cache_ratio: Array


def kernel_time(*, flops: Array, elements: Array, kernels: Array, side: Side) -> Array:
    r"""Time of kernels that overlap arithmetic and traffic, $\max(t_c, t_m) + n k$ [derived].

    Here 1 FLOP/s at 0.5, 1 B/s at 0.5 and two kernels of 3 s, so $\max(20, 8) + 6$:

    >>> side = Side(1.0, 0.5, 1.0, 0.5, 3.0, 0.0, 1.0)
    >>> float(kernel_time(flops=10.0, elements=1.0, kernels=2.0, side=side))
    26.0
    """
    compute = compute_time(flops=flops, peak=side.peak, efficiency=side.efficiency)
    stream = {"bandwidth": side.bandwidth, "efficiency": side.memory_efficiency}
    memory = memory_time(bytes_=ELEMENT * elements, **stream)
    return operator_time(compute=compute, memory=memory) + kernels * side.launch


def cached(*, weights: Array, side: Side) -> Array:
    r"""Whether weights that every step reads stay in the cache, $4\,\mathrm{B}\, w \le C$.

    >>> bool(cached(weights=8.0, side=Side(1.0, 1.0, 1.0, 1.0, 0.0, 32.0, 8.0)))
    True
    """
    return np.less_equal(ELEMENT * weights, side.cache)


def recurrent_time(
    *, steps: Array, cold: Array, kernels: Array, weights: Array, held: Array, flops: Array,
    moved: Array, side: Side,
) -> Array:  # fmt: skip
    r"""Time of steps that wait for one another: $\sum_n (\max(t_c, t_m) + m k)$ [derived].

    Each of the n steps starts m kernels and reads its weights. Cold ones read them from memory,
    the others r times as fast where all the weights `held` between the steps stay in the cache.
    A step of no work and 24 B from memory or 10 B, 4 times and one of them cold, $4 k + 24 + 30$:

    >>> side = Side(1.0, 1.0, 1.0, 1.0, 5.0, 16.0, 8.0)
    >>> step = {"weights": 4.0, "held": 4.0, "flops": 0.0, "moved": 2.0}
    >>> float(recurrent_time(steps=4.0, cold=1.0, kernels=1.0, **step, side=side))
    74.0
    """
    near = weights / np.where(cached(weights=held, side=side), side.cache_ratio, 1.0)
    first, later = (
        kernel_time(flops=flops, elements=read + moved, kernels=kernels, side=side)
        for read in (weights, near)
    )
    return cold * first + (steps - cold) * later


def lstm_time(*, batch: Array, layers: Array, hidden: Array, sequence: Array, side: Side) -> Array:
    r"""LSTM layers: L T steps of $16 H^2 B$ FLOP on $8 H^2$ weights, one fused cell each.

    Beside the weights a cell reads word, state and cell and writes the last two, $5 H B$.
    On a device that does everything at once, only starts remain: 3 layers of 100 steps of 5 us.

    >>> fast = Side(np.inf, 1.0, np.inf, 1.0, 5e-6, 0.0, 1.0)
    >>> size = {"batch": 1.0, "layers": 3.0, "hidden": 256.0, "sequence": 100.0}
    >>> round(float(lstm_time(**size, side=fast)), 9)
    0.0015
    """
    weights = 8 * hidden**2
    return recurrent_time(
        steps=layers * sequence,
        cold=layers,
        kernels=ONCE,
        weights=weights,
        held=layers * weights,
        flops=2 * batch * weights,
        moved=5 * batch * hidden,
        side=side,
    )


def answer_weights(*, width: Array, classes: Array) -> Array:
    r"""Weights that a step of an answer module reads, $7 w^2 + 4 w c$ [derived].

    A GRU, a bilinear product between both sentences, and classes over four vectors:

    >>> float(answer_weights(width=10.0, classes=3.0))
    820.0
    """
    return 7 * width**2 + 4 * width * classes


def answer_time(*, batch: Array, width: Array, sequence: Array, side: Side) -> Array:
    r"""Answer module of a pair of sentences: S steps of four kernels, S + 1 looks at all tokens.

    $2 B (S (7 w^2 + 4 w c) + (S + 1) w T)$ FLOP [derived], as the catalog's MT-DNN has it. Starts
    alone, 5 steps of 4 kernels of 5 us:

    >>> fast = Side(np.inf, 1.0, np.inf, 1.0, 5e-6, 0.0, 1.0)
    >>> round(float(answer_time(batch=1.0, width=768.0, sequence=100.0, side=fast)), 9)
    0.0001
    """
    steps = GIVEN("answer_steps")
    weights = answer_weights(width=width, classes=GIVEN("classes"))
    looked = (steps + 1) / steps * batch * width * sequence
    return recurrent_time(
        steps=steps,
        cold=ONCE,
        kernels=4 * ONCE,
        weights=weights,
        held=weights,
        flops=2 * (batch * weights + looked),
        moved=looked,
        side=side,
    )


def layers_time(*, batch: Array, inputs: Array, width: Array, layers: Array, side: Side) -> Array:
    r"""Linear layers of one width: $2 B (i w + (L - 1) w^2)$ FLOP, a kernel each [derived].

    Starts alone, 4 layers of 5 us:

    >>> fast = Side(np.inf, 1.0, np.inf, 1.0, 5e-6, 0.0, 1.0)
    >>> size = {"batch": 1.0, "inputs": 845.0, "width": 1024.0, "layers": 4.0}
    >>> round(float(layers_time(**size, side=fast)), 9)
    2e-05
    """
    weights = layer_weights(inputs=inputs, width=width, layers=layers)
    moved = batch * (inputs + (2 * layers - 1) * width)
    flops = 2 * batch * weights
    return kernel_time(flops=flops, elements=weights + moved, kernels=layers, side=side)


def layer_weights(*, inputs: Array, width: Array, layers: Array) -> Array:
    r"""Weights of linear layers of one width, $i w + (L - 1) w^2$.

    >>> float(layer_weights(inputs=845.0, width=1024.0, layers=4.0))
    4011008.0
    """
    return inputs * width + (layers - 1) * width**2


def network_time(
    operators: Sequence[Operator], *, batch: Array, tokens: Array, folded: frozenset[str],
    fusion: Array, side: Side,
) -> Array:  # fmt: skip
    r"""A network of the catalog, operator by operator, in b sequences of t tokens [derived].

    Fusion takes away starts and traffic of the kinds `folded`, their arithmetic stays. Here one
    kernel of 3 s for 5 FLOP a token, and one of 3 s that is fused:

    >>> side = Side(1.0, 1.0, 1.0, 1.0, 3.0, 0.0, 1.0)
    >>> net = [Operator(kind="gemm", flops_token=5.0), Operator(kind="norm", moved_token=9.0)]
    >>> amounts = {"batch": 1.0, "tokens": 2.0, "folded": FOLDED, "fusion": 1.0}
    >>> float(network_time(net, **amounts, side=side))
    13.0
    """
    fresh = batch * tokens
    times = []
    for one in operators:
        fused = one.kind in folded and one.slug not in ALONE
        kept = 1 - fusion if fused else ONCE
        moved = fresh * (one.moved_token + tokens * one.moved_pair + one.moved_context)
        work = {
            "flops": fresh * (one.flops_token + tokens * one.flops_pair),
            "elements": kept * (one.weights + moved),
            "kernels": kept * one.calls,
        }
        times.append(kernel_time(**work, side=side))
    return reduce(np.add, times)
