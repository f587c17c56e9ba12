"""Equations of A3 while text is written, Sec. 3.4: what it reads, selects and gives up.

Keys arrive token by token, so their columns are kept sorted but for a tail of the last r tokens,
which all are candidates, and which is merged in every r tokens.
"""

from __future__ import annotations

import numpy as np

from dse.spec import Array, leaf

from .platform import Platform
from .rows import GIVEN

ONE = leaf(1.0)


def candidate_rows(*, share: Array, trust: Array = ONE) -> Array:
    r"""Candidates over rows, $C / n = \mu \min(1, 0.90 - 0.12 \log_2 8 \mu)$ [fitted at n = 320].

    A step adds one row at most. `trust` is truth over it, which all rows bound.

    >>> round(float(candidate_rows(share=0.125)), 4), round(float(candidate_rows(share=0.5)), 4)
    (0.1125, 0.33)
    """
    found = GIVEN("candidate_share") - GIVEN("candidate_slope") * np.log2(8 * share)
    return np.minimum(trust * (share * np.minimum(found, 1.0)), 1.0)


def kept_rows(*, share: Array, trust: Array = ONE) -> Array:
    r"""Rows that survive the threshold over rows, $K / n = 0.02 \sqrt{2 \mu}$ [fitted].

    `trust` is truth over it, which all rows bound.

    >>> round(float(kept_rows(share=0.5)), 4)
    0.02
    """
    return np.minimum(trust * (GIVEN("kept_share") * np.sqrt(2 * share)), 1.0)


def unsorted_tail(*, rows: Array) -> Array:
    r"""Rows of the tail that read least, $r = \sqrt{8 n}$ [derived].

    >>> float(unsorted_tail(rows=128))
    32.0
    """
    return np.sqrt(8 * rows)


def quality_loss(*, share: Array) -> Array:
    r"""Quality given up, $0.085 (8 \mu)^{-1.354}$: two points of a second-hand source, no check.

    >>> round(float(quality_loss(share=0.25)), 7)
    0.0332525
    """
    return GIVEN("a3_loss") * (8 * share) ** -GIVEN("a3_loss_exponent")


def bytes_read(*, rows: Array, columns: Array, share: Array, chosen: Array) -> Array:
    r"""Bytes one head reads for a token, $2d[(C + K) + r] + 128 d + 8 \mu n + 8 n d / r$.

    `chosen` is C + K over rows.

    A sixth of exact attention's 4 d n at 1024 rows and an eighth of them as steps:

    >>> chosen = candidate_rows(share=1 / 8) + kept_rows(share=1 / 8)
    >>> read = bytes_read(rows=1024.0, columns=64.0, share=1 / 8, chosen=chosen)
    >>> round(float(read) / (4 * 64 * 1024), 3)
    0.163
    """
    tail = unsorted_tail(rows=rows)
    merged = 8 * rows * columns / tail
    return 2 * columns * (chosen * rows + tail) + 128 * columns + 8 * share * rows + merged


def selection_time(*, heads: Array, parallel: Array, steps: Array, step_time: Array) -> Array:
    r"""Selection is serial in a head [s]: $\lceil H B / parallel \rceil \mu n\, t_{it}$.

    >>> round(float(selection_time(heads=16, parallel=320, steps=1000, step_time=4e-8)) * 1e6, 6)
    40.0
    """
    return np.ceil(heads / parallel) * steps * step_time


def device_time(
    config: Platform, *, rows: Array, rate: Array, parallel: Array, step_time: Array
) -> Array:
    """Approximate attention of a token on a GPU or CPU, all layers and requests [s], Sec. 3.4.

    `rate` is the stream of the device in B/s, its gathers counted.
    """
    net, share, trust = config.workload, config.a3.m, config.trust
    candidates = candidate_rows(share=share, trust=trust.candidates)
    chosen = candidates + kept_rows(share=share, trust=trust.kept_rows)
    each = bytes_read(rows=rows, columns=net.head_dim, share=share, chosen=chosen)
    heads = net.heads * config.serve.batch
    selecting = selection_time(
        heads=heads, parallel=parallel, steps=share * rows, step_time=step_time
    )
    return net.layers * (selecting + heads * each / rate)


def tiles(*, keys: Array, values: Array, columns: Array, depth: Array, lanes: Array) -> Array:
    r"""Tiles that one head streams: $\lceil d/d_t \rceil \lceil c/l_t \rceil$ and its transpose.

    95.5 rows of 64 numbers on 64 x 16:

    >>> size = {"columns": 64.0, "depth": 64.0, "lanes": 16.0}
    >>> float(tiles(keys=95.5, values=95.5, **size))
    14.0
    """
    scores = np.ceil(columns / depth) * np.ceil(keys / lanes)
    found: Array = scores + np.ceil(values / depth) * np.ceil(columns / lanes)
    return found


def ring_time(config: Platform, *, rows: Array, tile_time: Array) -> Array:
    """Attention of a token on a ring of FPGAs, exact or by A3, all layers [s], Sec. 3.4.

    Selection and the rest work side by side; the longer counts. Heads wait for a unit in turn.
    """
    net, ring, a3, trust = config.workload, config.dfx, config.a3, config.trust
    size = {"columns": net.head_dim, "depth": ring.depth, "lanes": ring.lanes}
    heads = np.ceil(net.heads / ring.fpgas)
    exact = heads * tiles(keys=rows, values=rows, **size) * tile_time
    tail = unsorted_tail(rows=rows)
    candidates = candidate_rows(share=a3.m, trust=trust.candidates) * rows + tail
    kept = kept_rows(share=a3.m, trust=trust.kept_rows) * rows
    merged = 8 * rows * net.head_dim / tail / (ring.fpga.hbm_bandwidth / 2)
    chosen = heads * (tiles(keys=candidates, values=kept, **size) * tile_time + merged)
    selecting = (np.ceil(heads / a3.units) + 1) * a3.m * rows / ring.clock
    return net.layers * np.where(a3.on.on > 0, np.maximum(selecting, chosen), exact)


def unit_dsp(*, units: Array, columns: Array) -> Array:
    """DSP blocks of the selection units of a board, estimated, Sec. 3.5.

    >>> float(unit_dsp(units=16, columns=64))
    544.0
    """
    return units * (GIVEN("unit_dsp") + GIVEN("unit_dsp_per_column") * columns)
