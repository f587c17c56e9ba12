r"""Time of products of matrices on a device: tiles, waves, split contractions, resident operands.

All of it is [derived] from measured kernels. B products of M x K and K x N matrices are cut into
tiles of m x n outputs, and each contraction may be split into s parts. Multiprocessors take tiles
in waves. The library is taken to pick the tile and the split that are quickest, so the law is a
minimum over a table of both. Constants are a `Law`: one for tensor cores, one for vector lanes.

| symbol    | name                         | unit   | where                              |
|-----------|------------------------------|--------|------------------------------------|
| P, S, f   | peak, multiprocessors, clock | FLOP/s | datasheet; boost clock             |
| B_w, L    | bandwidth, l2_capacity       | B/s, B | datasheet                          |
| c, a, K_0 | ceiling, edge, prologue      | 1      | fitted                             |
| l, h      | l2_rate, cluster             | B, 1   | fitted; bytes per clock, sharing   |
| q, p      | quantised, overlap           | 1      | fitted                             |
| e, t_s    | memory_share, split_time     | 1, s   | fitted                             |
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple, cast

import numpy as np

from dse.provenance import Number
from dse.spec import Array, Real, Record, Unit, leaf

from .config import DATA, Device

Share = Annotated[Real, Unit("1")]


class Law(Record):
    """Constants of products of matrices, as fitted."""

    ceiling: Share
    """Share of the peak that one multiprocessor reaches inside a large tile."""
    edge: Share
    """Loss of a tile of 128 x 128; it grows as the tile's border does against its area."""
    prologue: Share
    """Elements of the contraction that starting and ending a tile is worth."""
    throttle: Share
    """Exponent of the power a board allows per unit of its peak; 0 where none was seen."""
    allowance: Annotated[Real, Unit("J/FLOP")]
    """Power per peak from which on a board keeps its clock, what it draws anyway left out."""
    standing: Annotated[Real, Unit("W")]
    """Power that a board draws whatever its clock: memory and leakage."""
    memory_share: Share
    """Share of the datasheet's bandwidth that a product reaches."""
    l2_rate: Annotated[Real, Unit("B")]
    """Bytes per clock that one multiprocessor gets from the L2 cache."""
    cluster: Share
    """Multiprocessors that share a fetch from compute capability 9 on."""
    resident: Share
    """Share of the L2 cache in which operands stay."""
    l2_stream: Annotated[Real, Unit("B")]
    """Bytes per clock and multiprocessor of operands that stay in the L2 cache."""
    split_time: Annotated[Real, Unit("s")]
    """Cost of a second pass that adds up a split contraction."""
    split_rate: Share
    """Bandwidth of that pass as a multiple of the memory's: partial sums are mostly cached."""
    quantised: Share
    """Weight of whole waves; the rest hides behind the next kernel or unequal tiles."""
    overlap: Share
    """Exponent that joins arithmetic and traffic: 1 is a sum, infinity the longer one."""


class Tile(NamedTuple):
    """Outputs that one block of threads computes."""

    rows: float
    columns: float


def law(name: str) -> Law:
    """The constants of tensor cores (`tensor`) or of vector lanes (`vector`)."""
    rows = DATA.tables["products"]
    found = {**rows["shared"], **rows[name]}
    return Law.model_validate({key: cast("Number", n).value for key, n in found.items()})


def tiles(kind: str) -> tuple[Tile, ...]:
    """The tiles that a kind of kernel may take, of the page's table."""
    found = [
        {key: cast("Number", n).value for key, n in row.items()}
        for row in DATA.tables["tiles"].values()
        if kind in row
    ]
    return tuple(Tile(row["rows"], row["columns"]) for row in found)


TENSOR, VECTOR = law("tensor"), law("vector")
WHOLE = (1.0,)
SPLITS = tuple(cast("Number", row["parts"]).value for row in DATA.tables["splits"].values())
TENSOR_TILES, VECTOR_TILES = tiles("tensor"), tiles("vector")
BATCHED_TILES, OLD_BATCHED_TILES = tiles("batched"), tiles("batched_old")
AMPERE, HOPPER, FEW, ONE = 8, 9, 16, leaf(1.0)


def sustained(*, peak: Array, power: Array, law: Law) -> Array:
    r"""Share of the peak that a board's power sustains, $\min(1, ((W - W_0) / aP)^b)$ [derived].

    b is 1/3 for vector lanes: dynamic power goes with the third power of the clock.

    >>> round(float(sustained(peak=19.49e12, power=250, law=VECTOR)), 3)
    0.898
    """
    spent = np.maximum(power - law.standing, 0.0)
    return np.minimum(1.0, spent / (law.allowance * peak)) ** law.throttle


def waves(*, blocks: Array, multiprocessors: Array, quantised: Array) -> Array:
    r"""Waves of blocks, $\max(1, q \lceil w \rceil + (1 - q) w)$ with $w = blocks / S$ [derived].

    >>> float(waves(blocks=162, multiprocessors=108, quantised=0.5))
    1.75
    """
    filled = blocks / multiprocessors
    return np.maximum(1.0, quantised * np.ceil(filled) + (1.0 - quantised) * filled)


def block_rates(
    *, tile: Tile, width: Array, rate: Array, device: Device, law: Law
) -> tuple[Array, Array]:
    r"""Seconds per element of the contraction in one tile: of arithmetic, and of the L2 cache.

    $2mn(1 + 64a(m+n)/(mn)) / (cP/S)$ and $(m+n)w / (lfh)$ [derived]; `rate` is $cP/S$.
    """
    outputs, border = tile.rows * tile.columns, tile.rows + tile.columns
    shared = np.where(device.compute_capability >= HOPPER, law.cluster, 1.0)
    arithmetic = 2.0 * outputs * (1.0 + 64.0 * law.edge * border / outputs) / rate
    return arithmetic, border * width / (law.l2_rate * device.boost_clock * shared)


def tiled_time(
    *,
    shape: tuple[Array, Array, Array, Array],
    width: Array,
    peak: Array,
    device: Device,
    pace: Array,
    law: Law,
    tiles: Sequence[Tile],
    splits: Sequence[float],
) -> Array:
    r"""Time of all tiles at the best tile and split, $\min (w \tau + t_{split})$ [derived].

    $\tau = \max(\tau_a (K/s + K_0), \tau_l K/s)$; a split adds $t_s + 8BMNs / (3B_w)$: partial
    sums of 4 B are written and read.
    """
    m, n, k, batch = shape
    clock = sustained(peak=peak, power=device.power, law=law)
    rate = pace * law.ceiling * clock * peak / device.multiprocessors
    summing = 8.0 * batch * m * n / (law.split_rate * device.memory_bandwidth)
    best = np.asarray(np.inf)
    for tile in tiles:
        blocks = np.ceil(m / tile.rows) * np.ceil(n / tile.columns) * batch
        one, fetch = block_rates(tile=tile, width=width, rate=rate, device=device, law=law)
        for parts in splits:
            count = waves(
                blocks=blocks * parts,
                multiprocessors=device.multiprocessors,
                quantised=law.quantised,
            )
            part = k / parts
            time = count * np.maximum(one * (part + law.prologue), fetch * part)
            best = np.minimum(
                best, time if parts == 1 else time + law.split_time + summing * parts
            )
    return best


def traffic_time(*, bytes_: Array, device: Device, law: Law) -> Array:
    r"""Time to move operands, those that stay in the L2 cache at its rate [derived].

    $Q ((1-r) / (e B_w) + r / \max(e B_w, 7 S f))$ with $r = \min(1, L / 2Q)$.
    """
    memory = law.memory_share * device.memory_bandwidth
    cached = np.maximum(memory, law.l2_stream * device.multiprocessors * device.boost_clock)
    near = np.minimum(bytes_, law.resident * device.l2_capacity)
    return (bytes_ - near) / memory + near / cached


def joined(*, first: Array, second: Array, exponent: Array) -> Array:
    r"""What two overlapping times come to, $(x^p + y^p)^{1/p}$ [derived], without overflow.

    >>> float(joined(first=3.0, second=4.0, exponent=2.0))
    5.0
    """
    long, short = np.maximum(first, second), np.minimum(first, second)
    share = short / np.where(long > 0, long, 1.0)
    return long * (1.0 + share**exponent) ** (1.0 / exponent)


def tensor_time(
    *,
    shape: tuple[Array, Array, Array, Array],
    width: Array,
    peak: Array,
    device: Device,
    pace: Array = ONE,
    law: Law = TENSOR,
) -> Array:
    """Time of B products of M x K and K x N matrices on tensor cores, its start left out.

    `pace` is the rate of a large product measured on the board, over what the law says.
    """
    arithmetic = tiled_time(
        shape=shape,
        width=width,
        peak=peak,
        device=device,
        pace=pace * device.pace_tensor,
        law=law,
        tiles=TENSOR_TILES,
        splits=SPLITS,
    )
    return _with_traffic(arithmetic, shape, width, device, law)


def vector_time(
    *,
    shape: tuple[Array, Array, Array, Array],
    width: Array,
    device: Device,
    batched: bool = False,
    pace: Array = ONE,
    law: Law = VECTOR,
) -> Array:
    """The same on the vector lanes in single precision; `batched` by the library's batched call.

    From Ampere on a batched call takes one tile only, so a head of 64 is padded to 128.
    """

    def timed(found: Sequence[Tile]) -> Array:
        return tiled_time(
            shape=shape,
            width=width,
            peak=device.peak_fp32,
            device=device,
            pace=pace * device.pace_vector,
            law=law,
            tiles=found,
            splits=WHOLE,
        )

    if not batched:
        return _with_traffic(timed(VECTOR_TILES), shape, width, device, law)
    ampere = device.compute_capability >= AMPERE
    arithmetic = np.where(ampere, timed(BATCHED_TILES), timed(OLD_BATCHED_TILES))
    few = np.minimum(shape[0], shape[1]) <= FEW
    arithmetic = np.where(few, timed(VECTOR_TILES), arithmetic)
    return _with_traffic(arithmetic, shape, width, device, law)


def _with_traffic(
    arithmetic: Array,
    shape: tuple[Array, Array, Array, Array],
    width: Array,
    device: Device,
    law: Law,
) -> Array:
    m, n, k, batch = shape
    moved = traffic_time(bytes_=width * batch * (m * k + k * n + m * n), device=device, law=law)
    return joined(first=arithmetic, second=moved, exponent=law.overlap)
