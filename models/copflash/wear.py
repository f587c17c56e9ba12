r"""Wear of two zones: how often each is erased, the split that wears both alike, and the life.

All are [derived] from standard flash literature, none from the paper, whose text was not found.
Symbols are those of the page; sizes and writes in bytes, writes over any stretch of time. The
functions broadcast, need no config and are used by other pages.
"""

import numpy as np

from dse.spec import Array, leaf

THIRD = leaf(1 / 3)
"""Pages of a TLC block in SLC mode: one bit a cell for three."""


def capacity(*, raw: Array, fraction: Array, bits_ratio: Array) -> Array:
    r"""Flash of a drive with a share f of its blocks in SLC mode, $N b P (1 - f + f / 3)$.

    A block in SLC mode holds `bits_ratio` of its pages, a third for TLC.

    >>> round(float(capacity(raw=1.0, fraction=0.3, bits_ratio=1 / 3)), 9)
    0.8
    """
    return raw * (1 - fraction * (1 - bits_ratio))


def balanced_fraction(
    *, slc_writes: Array, tlc_writes: Array, endurance_ratio: Array, pages_ratio: Array = THIRD
) -> Array:
    r"""Share of blocks in SLC mode at which both zones wear alike, $f^* = 3ka / (3ka + b)$.

    a and b are bytes programmed in each zone over the same time, amplification included;
    $k = PE_T / PE_S$ is the `endurance_ratio`, and 3 one over the `pages_ratio`. Without writes 0.

    >>> round(float(balanced_fraction(slc_writes=9.0, tlc_writes=1.0, endurance_ratio=1 / 20)), 4)
    0.5745
    """
    weighted = endurance_ratio * slc_writes / pages_ratio
    total = weighted + tlc_writes
    return np.where(total > 0, weighted / np.where(total > 0, total, 1.0), 0.0)


def zone_wear(*, writes: Array, size: Array, endurance: Array) -> Array:
    r"""Share of a zone's life that writes take, $w = E / (N \cdot PE)$; 0 without writes.

    Writes to a zone of no size wear it out at once.

    >>> float(zone_wear(writes=3e12, size=1e12, endurance=3000.0))
    0.001
    """
    sized = np.where(size > 0, size, 1.0)
    return np.where(writes > 0, np.where(size > 0, writes / (sized * endurance), np.inf), 0.0)


def wear_imbalance(*, slc_wear: Array, tlc_wear: Array) -> Array:
    r"""Wear difference $\Delta = w_S - w_T$ over the larger of the two: -1 to 1, 0 if balanced.

    >>> float(wear_imbalance(slc_wear=1.0, tlc_wear=4.0))
    -0.75
    """
    larger, smaller = np.maximum(slc_wear, tlc_wear), np.minimum(slc_wear, tlc_wear)
    finite = (larger > 0) & (larger < np.inf)
    share = np.where(finite, smaller / np.where(finite, larger, 1.0), 0.0)
    found: Array = np.sign(np.where(slc_wear == tlc_wear, 0.0, slc_wear - tlc_wear)) * (1 - share)
    return found


def lifetime(*, slc_wear: Array, tlc_wear: Array, longest: Array) -> Array:
    r"""Time, or bytes, until the first zone is worn out, $L = 1 / \max(w_S, w_T)$.

    In the unit that wear is given for: wear a day gives days, wear a byte gives bytes; at most
    the `longest`, as without wear there is no end.

    >>> float(lifetime(slc_wear=0.001, tlc_wear=0.004, longest=1e6))
    250.0
    """
    worst = np.maximum(slc_wear, tlc_wear)
    worn = np.where(worst > 0, 1 / np.where(worst > 0, worst, 1.0), longest)
    return np.minimum(worn, longest)


def drive_writes_per_day(*, writable: Array, capacity: Array, days: Array) -> Array:
    r"""Bytes a day over the warranty, in drives: $DWPD = TBW / (C \cdot 365 \cdot years)$.

    >>> round(float(drive_writes_per_day(writable=45e12, capacity=80e9, days=5 * 365)), 3)
    0.308
    """
    return np.where(capacity > 0, writable / (np.where(capacity > 0, capacity, 1.0) * days), 0.0)
