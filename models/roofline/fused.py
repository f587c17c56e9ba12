r"""Time of fused attention, where one kernel does scores, softmax and weighted values.

All of it is [derived] from measured kernels of one device in half precision. A prompt is bound by
its arithmetic, in tiles of 128 queries that see half of the context on average; the tail is the
last tile, which sees all of it. A decoded token is bound by streaming keys and values.
"""

from typing import Annotated, cast

import numpy as np

from dse.provenance import Number
from dse.spec import Array, Real, Record, Unit, leaf

from .config import DATA, Device
from .products import joined

Share = Annotated[Real, Unit("1")]
QUERIES = 128.0
"""Queries of a tile."""
FULL_HEAD = 128.0
"""Elements of a head that fill a tile's registers."""


class Law(Record):
    """Constants of fused attention, as fitted."""

    ceiling: Share
    """Share of the peak inside a tile of a prompt, at heads of 128."""
    clock: Share
    """Exponent of base over boost clock."""
    head: Share
    """Exponent of a head's elements over 128."""
    prologue: Annotated[Real, Unit("token")]
    """Keys that starting and ending a tile is worth."""
    tail: Share
    """Share of the longest tile that is left when the others are done."""
    memory_share: Share
    """Share of the bandwidth at which queries, keys, values and outputs pass."""
    prefill_start: Annotated[Real, Unit("s")]
    """What a prompt's kernels take to start."""
    stream_share: Share
    """Share of the bandwidth at which decoding streams keys and values."""
    head_time: Annotated[Real, Unit("s")]
    """Time of one multiprocessor for a head of one sequence, however short."""
    group_time: Annotated[Real, Unit("s")]
    """The same where several heads share keys and values."""
    decode_start: Annotated[Real, Unit("s")]
    """What a token's kernels take to start."""
    ramp: Annotated[Real, Unit("s")]
    """Time over which the stream comes up to speed."""


LAW = Law.model_validate(
    {key: cast("Number", n).value for key, n in DATA.tables["attention"]["law"].items()}
)
ONE = leaf(1.0)
CUBE = 3.0
"""Exponent that joins the stream and the heads' own time."""


def prefill_time(
    *,
    batch: Array,
    tokens: Array,
    context: Array,
    heads: Array,
    kv_heads: Array,
    head_dim: Array,
    width: Array,
    peak: Array,
    device: Device,
    pace: Array = ONE,
    law: Law = LAW,
) -> Array:
    r"""Time of causal attention of a prompt, its start left out [derived].

    $\tau(s) = 4 \cdot 128 (s + s_0) d S / (cP)$; $n\tau(\bar{s})/S + t\,\tau(c)$ for n tiles that
    see $\bar{s}$ keys on average, and $2 w b t d (h + h_{kv}) / (e B_w)$ of traffic on top.
    """
    slowed = (device.base_clock / device.boost_clock) ** law.clock
    filled = (head_dim / FULL_HEAD) ** law.head
    board = pace * device.pace_tensor
    rate = board * law.ceiling * peak * slowed * filled / device.multiprocessors
    blocks = np.ceil(tokens / QUERIES)
    seen = np.maximum(context - blocks * QUERIES / 2.0, context / 2.0)
    per_key = 4.0 * QUERIES * head_dim / rate
    tiles = batch * heads * blocks / device.multiprocessors
    arithmetic = per_key * (tiles * (seen + law.prologue) + law.tail * (context + law.prologue))
    keys = np.maximum(tokens, context) * kv_heads
    moved = 2.0 * width * batch * head_dim * (tokens * heads + keys)
    return arithmetic + moved / (law.memory_share * device.memory_bandwidth)


def decode_time(
    *,
    batch: Array,
    context: Array,
    heads: Array,
    kv_heads: Array,
    head_dim: Array,
    width: Array,
    device: Device,
    law: Law = LAW,
) -> Array:
    r"""Time of attention of one new token, its start left out [derived].

    $(x^3 + y^3)^{1/3} + \sqrt{t_r Q / B_w}$ with the stream $x = Q / (e B_w)$, $Q = 2wbch_{kv}d$,
    and the heads' own time $y = t_h b h_{kv} / S$.

    >>> a100 = Device(
    ...     memory_bandwidth=2.039e12, memory_capacity=80e9, power=400, peak_fp32=19.5e12,
    ...     multiprocessors=108, base_clock=1.275e9, boost_clock=1.41e9, l2_capacity=40e6,
    ...     compute_capability=8, stacked=1,
    ... )
    >>> heads = {"heads": 32, "kv_heads": 8, "head_dim": 128}
    >>> time = decode_time(batch=64, context=4096, **heads, width=2, device=a100)
    >>> round(float(time) * 1e6)
    591
    """
    moved = 2.0 * width * batch * context * kv_heads * head_dim
    stream = moved / device.memory_bandwidth
    own = np.where(heads > kv_heads, law.group_time, law.head_time)
    busy = own * batch * kv_heads / device.multiprocessors
    waiting = np.sqrt(law.ramp * stream)
    return waiting + joined(
        first=stream / law.stream_share, second=busy, exponent=np.asarray(CUBE)
    )


def attention_time(
    *,
    batch: Array,
    tokens: Array,
    context: Array,
    heads: Array,
    kv_heads: Array,
    head_dim: Array,
    width: Array,
    peak: Array,
    device: Device,
    pace: Array = ONE,
    law: Law = LAW,
) -> Array:
    """Time of fused attention, its start included; a prompt streams what a token would, too."""
    shape = {
        "batch": batch,
        "context": context,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim,
        "width": width,
    }
    one = law.decode_start + decode_time(**shape, device=device, law=law)
    prompt = law.prefill_start + prefill_time(
        **shape, tokens=tokens, peak=peak, device=device, pace=pace, law=law
    )
    return np.where(tokens > 1, np.maximum(one, prompt), one)
