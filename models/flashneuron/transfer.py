r"""The closed forms of the page: what must leave, what travels, and what compute hides.

All are [derived]: the sheet's from the authors' code and abstract, the exponents from rows of the
G10 artifact. Arguments are named as on the page, in its units, and broadcast.
"""

from collections.abc import Sequence

import numpy as np

from dse.spec import Array


def free_room(*, memory: Array, idle: Array) -> Array:
    r"""Memory left for activations, $R = M - W - w$; negative where the network does not fit.

    >>> free_room(memory=16.0, idle=4.0)
    12.0
    """
    return memory - idle


def must_leave(*, saved: Array, room: Array, residue: Array) -> Array:
    r"""Bytes that have to go, $V = \max(0, A - \sigma R) / (1 - \psi)$.

    Of a sparse tensor the share psi stays behind as its index. Above A there is no such plan.

    >>> float(must_leave(saved=20.0, room=12.0, residue=0.0))
    8.0
    """
    return np.maximum(saved - room, 0.0) / (1 - residue)


def planned_bytes(
    *, needed: Array, saved: Array, surplus: Array, sizes: Sequence[Array] = ()
) -> Array:
    r"""Bytes that go in whole tensors: $\min(V + \text{surplus}, A)$ where anything has to.

    With the sizes of the candidates in forward order the plan itself is followed: take the next
    tensor while what is left does not fit, $\sum_{j<i} S_j \le V$, and one at once at V = 0+.

    >>> float(planned_bytes(needed=4.0, saved=9.0, surplus=0.0, sizes=[3.0, 3.0, 3.0]))
    6.0
    """
    if not len(sizes):
        return np.where(needed > 0, np.minimum(needed + surplus, saved), 0.0)
    gone = np.concatenate([[0.0], np.cumsum(sizes)])
    chosen = np.searchsorted(gone[:-1], needed, side="right")
    return np.where(needed > 0, np.take(gone, chosen), 0.0)


def wire_share(*, halved: Array, sparse: Array, sparsity: Array) -> Array:
    r"""Bytes on the wire over bytes offloaded, $1/c = 1 - \varphi/2 - \rho z / 2$.

    FP16 halves the share phi. Of n elements under CSR, a share rho, only the nonzeros travel, two
    bytes each; the index of (n/8 + 3n/16) bytes stays behind, psi of FP32. All, 60 % zeros:

    >>> round(wire_share(halved=1.0, sparse=1.0, sparsity=0.6), 9)
    0.2
    """
    return 1 - halved / 2 - sparse * sparsity / 2


def bandwidth(*, store: Array, link: Array) -> Array:
    r"""Rate of the path, $\min(N_d B, B_{link})$: drives side by side, or host memory.

    >>> float(bandwidth(store=2 * 3.2e9, link=12e9))
    6400000000.0
    """
    return np.minimum(store, link)


def transfer_time(*, transferred: Array, bandwidth: Array) -> Array:
    r"""Time of a transfer by itself, $X = V / (c B)$.

    >>> transfer_time(transferred=6.4e9, bandwidth=3.2e9)
    2.0
    """
    return transferred / bandwidth


def exponent(*, room: Array, memory: Array, overlap: Array) -> Array:
    r"""How sharply the longer of transfer and compute wins, $q = 1 + \kappa R / M$.

    Tensors on their way hold memory until they are gone, or from when they are fetched: without
    room nothing overlaps, and q = 1 adds both times up.

    >>> float(exponent(room=10.0, memory=40.0, overlap=2.0))
    1.5
    """
    return 1 + overlap * np.clip(room / memory, 0.0, 1.0)


def exposed_time(*, compute: Array, transfer: Array, exponent: Array) -> Array:
    r"""Transfer that stays visible, $(T^q + X^q)^{1/q} - T$; a sum at q = 1, a roof at infinity.

    >>> round(float(exposed_time(compute=3.0, transfer=4.0, exponent=2.0)), 9)
    2.0
    """
    longer = np.maximum(compute, transfer)
    power = (np.minimum(compute, transfer) / longer) ** exponent
    # expm1 and log1p keep the digits of a transfer that hides almost whole.
    excess: Array = np.expm1(np.log1p(power) / exponent)
    return longer - compute + longer * excess


def largest_batch(*, room: Array, slope: Array) -> Array:
    r"""Whole samples that fit, $\lfloor R_0 / y_1 \rfloor$, room and slope taken at b = 0.

    >>> float(largest_batch(room=12.0, slope=0.5))
    24.0
    """
    return np.maximum(np.floor(room / slope), 0.0)


def hidden_batch(
    *, room: Array, slope: Array, rate: Array, intercept: Array, sample_time: Array
) -> Array:
    r"""Batch at which writing takes the forward pass, unbounded where compute grows faster.

    $b^* = (R_0 + c B_w t_0) / (a - c B_w t_1)$ with $T_f = t_0 + t_1 b$; 60 samples:

    >>> round(float(hidden_batch(
    ...     room=12.0, slope=0.5, rate=3.0, intercept=0.05, sample_time=0.1)), 2)
    60.75
    """
    growth = slope - rate * sample_time
    bound = (room + rate * intercept) / np.where(growth > 0, growth, 1.0)
    return np.where(growth > 0, bound, np.where(np.isnan(growth), np.nan, np.inf))
