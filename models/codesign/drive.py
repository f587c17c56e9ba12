"""The drive under training traffic: rates of its zones, garbage collection, wear, Sec. 3.3.

The step and the split of the zones depend on each other: checkpoints come by the clock, so a
longer step writes more of them, which wears TLC, which moves the split that wears both zones
alike, and the split moves the step through garbage collection. With data sorted by lifetime (LII)
there is none, and the split is a closed form. Else it is the one root of ln(e_S / e_T) between
its bounds, found by bracketing on those designs only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dse.spec import Array

from ..copflash.amplification import lru
from ..flashneuron.transfer import exposed_time
from .rows import GIVEN

LEAST, MOST, NODES = float(GIVEN("narrowest_spare")), 1e2, 2048
LOGS = np.linspace(np.log(LEAST), np.log(MOST), NODES)
EXCESS = lru(spare=np.exp(LOGS)) - 1
SLOPES = np.append(np.diff(EXCESS), 0.0)
STEP = (LOGS[-1] - LOGS[0]) / (NODES - 1)
TINY = 1e-200
ROUNDS, CLOSE = 60, 1e-12


class Load(NamedTuple):
    """What a step asks of the drives, and what they are; every field broadcasts."""

    forward: Array
    """Compute time of the forward passes [s], X_w hides under it."""
    backward: Array
    """Compute time of the backward passes [s], X_r hides under it."""
    wait: Array
    """All-reduce time, which hides nothing [s]."""
    short: Array
    """Bytes written and read back within a step, S."""
    refresh: Array
    """New training data of a step [B]."""
    state: Array
    """Bytes of a checkpoint, 16 N."""
    interval: Array
    """Time between checkpoints [s]."""
    live: Array
    """Long-lived bytes: data and checkpoints."""
    capacity: Array
    """Bytes of all drives as TLC, C."""
    slc_share: Array
    """Bytes of a block in SLC mode over its own: a third."""
    link: Array
    """Bytes per second between drives and GPUs."""
    slc_write: Array
    """Seconds per byte of all planes: program SLC, and so on."""
    slc_read: Array
    tlc_write: Array
    tlc_read: Array
    endurance_slc: Array
    endurance_tlc: Array
    cache: Array
    """1 where all writes enter SLC first."""
    zoned: Array
    """1 where there is an SLC zone."""
    lii: Array
    """1 where data that dies together shares blocks."""


class Traffic(NamedTuple):
    """What a split of the blocks makes of a load."""

    time: Array
    """Time of a step, T [s]."""
    transfer: Array
    """Time of its transfers by themselves, both ways [s]."""
    stall: Array
    """Time the step waits for the drive to clean up [s]."""
    slc_bytes: Array
    """Bytes programmed into SLC in a step, moved ones included."""
    tlc_bytes: Array
    """The same for TLC."""
    clock_share: Array
    """Share of its time that the drive spends on checkpoints, g_1."""
    spilled: Array
    """Short data of a step that no SLC takes [B]."""
    exposed: Array
    """Transfer that compute does not hide [s]."""


def write_amplification(*, spare: Array) -> Array:
    r"""Pages programmed per page written under LRU cleaning, from a table in $\ln OP$.

    Linear between 2048 nodes of the closed form of the `copflash` page; five digits agree. Below
    the narrowest spare it stays there: such a zone is full.

    >>> round(float(write_amplification(spare=0.28)), 4)
    2.4814
    """
    logs = np.log(np.maximum(spare, LEAST))
    # An unknown spare gets the first place, as an index must be a number.
    place = np.where(spare > LEAST, np.minimum((logs - LOGS[0]) / STEP, NODES - 1.0), 0.0)
    node = np.floor(place)
    index = node.astype(np.intp)
    excess, slope = (np.take(np.asarray(one, like=place), index) for one in (EXCESS, SLOPES))
    found: Array = 1 + excess + (place - node) * slope
    return found


def zone_size(*, fraction: Array, capacity: Array, share: Array) -> Array:
    r"""Bytes of the SLC zone, $Z = f C / 3$: one bit in a cell of three.

    >>> round(float(zone_size(fraction=0.3, capacity=1e12, share=1 / 3)) / 1e9, 6)
    100.0
    """
    return fraction * capacity * share


def widest_zone(*, live: Array, capacity: Array) -> Array:
    r"""Largest share of blocks in SLC mode, $1 - 1.07 (D + 32 N) / C$; below 0 all is too small.

    W1, 4.096 TB that hold 500 GB and two states of 345M:

    >>> round(float(widest_zone(live=5e11 + 32 * 353453056, capacity=4.096e12)), 5)
    0.86643
    """
    return 1 - (1 + GIVEN("least_spare")) * live / capacity


def visible(compute: Array, transfer: Array) -> Array:
    """Transfer that stays visible beside compute [s]."""
    return exposed_time(compute=compute, transfer=transfer, exponent=GIVEN("overlap"))


def traffic(fraction: Array, load: Load) -> Traffic:
    """The step and what it programs where, at a share of blocks in SLC mode."""
    zone = zone_size(fraction=fraction, capacity=load.capacity, share=load.slc_share)
    held = load.zoned * np.minimum(load.short, zone)
    over = load.short - held
    entering = np.where(load.cache > 0, load.short * load.zoned, held)
    plain = np.greater(load.lii, 0)
    tlc_room = (1 - fraction) * load.capacity / (load.live + over) - 1
    slc_room = zone / np.maximum(held, TINY) - 1
    tlc_moved = np.where(plain, 0.0, write_amplification(spare=tlc_room) - 1)
    slc_moved = np.where(plain, 0.0, write_amplification(spare=slc_room) - 1)
    fold = np.where(load.cache > 0, load.slc_read, 0.0) * load.zoned
    writing = entering * load.slc_write + over * (fold + load.tlc_write)
    reading = held * load.slc_read + over * load.tlc_read
    over_link = load.short / load.link
    into, back = np.maximum(writing, over_link), np.maximum(reading, over_link)
    exposed = visible(load.forward, into) + visible(load.backward, back)
    slc_copy, tlc_copy = load.slc_read + load.slc_write, load.tlc_read + load.tlc_write
    cleaning = (
        slc_moved * entering * slc_copy
        + tlc_moved * (over + load.refresh) * tlc_copy
        + load.refresh * load.tlc_write
    )
    share = load.state / load.interval * (load.tlc_write + tlc_moved * tlc_copy)
    left = np.maximum(1 - share, 1 - GIVEN("busiest_drive"))
    free = load.forward + load.backward + load.wait + exposed
    time = np.maximum(free, (writing + reading + cleaning) / left)
    entered = over + load.refresh + load.state * time / load.interval
    return Traffic(
        time=time,
        transfer=into + back,
        stall=time - free,
        slc_bytes=entering * (1 + slc_moved),
        tlc_bytes=entered * (1 + tlc_moved),
        clock_share=share,
        spilled=over,
        exposed=exposed,
    )


def wear(fraction: Array, found: Traffic, load: Load) -> tuple[Array, Array]:
    """Shares of their life that a step takes of the SLC and of the TLC blocks."""
    zone = zone_size(fraction=fraction, capacity=load.capacity, share=load.slc_share)
    slc = found.slc_bytes / (np.maximum(zone, TINY) * load.endurance_slc)
    tlc = found.tlc_bytes / ((1 - fraction) * load.capacity * load.endurance_tlc)
    return slc, tlc


def imbalance(fraction: Array, load: Load) -> Array:
    """Wear of SLC against TLC, ln(e_S / e_T); falls with the share of blocks in SLC mode."""
    slc, tlc = wear(fraction, traffic(fraction, load), load)
    return np.log(np.maximum(slc, TINY)) - np.log(np.maximum(tlc, TINY))


def balanced(low: Array, high: Array, load: Load) -> Array:
    """The share of blocks in SLC mode that wears both zones alike, clipped to its bounds.

    Ridders' method: every round at least halves the bracket, and near the root the digits double.
    The ends are returned where the root lies beyond them.
    """
    left, right = imbalance(low, load), imbalance(high, load)
    inside = (left > 0) & (right < 0)
    a, b = low, high
    best = np.where(left <= 0, low, high)
    for _ in range(ROUNDS):
        middle = (a + b) / 2
        centre = imbalance(middle, load)
        root = np.sqrt(np.maximum(centre**2 - left * right, TINY))
        guess = np.clip(middle + (middle - a) * np.sign(left - right) * centre / root, a, b)
        value = imbalance(guess, load)
        best = np.where(inside, guess, best)
        if np.all(~inside | (np.abs(value) <= CLOSE)):
            break
        for point, found in ((middle, centre), (guess, value)):
            rises = (found > 0) & (point > a)
            falls = (found <= 0) & (point < b)
            a, left = np.where(rises, point, a), np.where(rises, found, left)
            b, right = np.where(falls, point, b), np.where(falls, found, right)
    return best
