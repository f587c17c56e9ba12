r"""Time of kernels that stream elements through a device: elementwise, softmax, norm, look-ups.

All of it is [derived] from measured kernels. A kernel moves bytes at a share of the datasheet's
bandwidth that hangs on the kind of memory, or issues instructions at so many cycles an element,
whichever is slower. Rows of a softmax or a norm that no longer fit in cache are read again.
"""

from typing import Annotated, cast

import numpy as np

from dse.provenance import Number
from dse.spec import Array, Real, Record, Unit, leaf

from .config import DATA, Device
from .products import joined

Share = Annotated[Real, Unit("1")]
NONE = leaf(0.0)
SHARP = 4.0
"""Exponent that joins traffic and issue: nearly the longer of the two."""


class Law(Record):
    """Constants of streaming kernels, as fitted."""

    stacked_share: Share
    """Share of the datasheet's bandwidth reached with HBM."""
    plain_share: Share
    """The same with GDDR."""
    softmax_moved: Share
    """Elements moved per element of a softmax whose rows stay in cache; 2 is the least."""
    softmax_fits: Share
    """Four rows as a share of the L1 cache, up to which a row stays there."""
    softmax_ramp: Share
    """Further share over which all rows come to be read again, scores and sums."""
    norm_moved: Share
    """Elements moved per element of a norm whose rows stay in cache."""
    norm_fits: Share
    """Four rows as a share of a multiprocessor's L1 cache and part of the L2 cache."""
    norm_ramp: Share
    """Further share over which all rows come to be read again."""
    softmax_cycles: Share
    """Cycles of a multiprocessor per element of a softmax in half precision."""
    norm_cycles: Share
    """The same of an RMS norm, in a serving engine."""
    layer_cycles: Share
    """The same of a layer norm."""
    activation_cycles: Share
    """The same per element that an activation reads."""
    rotary_cycles: Share
    """The same of rotary positions."""
    lookup_cycles: Share
    """The same of an embedding."""


LAW = Law.model_validate(
    {key: cast("Number", n).value for key, n in DATA.tables["streams"]["law"].items()}
)


def stream_time(
    *, elements: Array, bytes_: Array, cycles: Array, device: Device, law: Law = LAW
) -> Array:
    r"""Time to stream elements, $((n b / (\eta B_w))^4 + (n \kappa / (S f))^4)^{1/4}$ [derived].

    `bytes_` and `cycles` are per element: $b$ [B] and $\kappa$ [cycles of a multiprocessor].

    >>> a100 = Device(
    ...     memory_bandwidth=2.039e12, memory_capacity=80e9, power=400, peak_fp32=19.5e12,
    ...     multiprocessors=108, base_clock=1.275e9, boost_clock=1.41e9, l2_capacity=40e6,
    ...     compute_capability=8, stacked=1,
    ... )
    >>> time = stream_time(elements=1e9, bytes_=12.0, cycles=0.0, device=a100)
    >>> round(float(time) * 1e3, 2)
    6.59
    """
    share = np.where(device.stacked > 0, law.stacked_share, law.plain_share)
    moving = elements * bytes_ / (share * device.memory_bandwidth)
    issuing = elements * cycles / (device.multiprocessors * device.boost_clock)
    return joined(first=moving, second=issuing, exponent=np.asarray(SHARP))


def elementwise_time(
    *,
    elements: Array,
    moved: Array,
    width: Array,
    device: Device,
    cycles: Array = NONE,
    law: Law = LAW,
) -> Array:
    """Time of an elementwise kernel that moves `moved` elements for each of its outputs."""
    return stream_time(
        elements=elements, bytes_=moved * width, cycles=cycles, device=device, law=law
    )


def read_again(*, row: Array, cache: Array, fits: Array, ramp: Array) -> Array:
    r"""Share of rows that are read again, $\min(1, \max(0, (4r/C - x_0) / x_1))$ [derived].

    `row` and `cache` in bytes: four rows are at work on a multiprocessor at a time.

    Without a cache all are.

    >>> float(read_again(row=32768, cache=131072, fits=0.5, ramp=1.0))
    0.5
    """
    return np.clip((4.0 * row / np.maximum(cache, 1.0) - fits) / ramp, 0.0, 1.0)


def first_cache(device: Device) -> Array:
    """L1 cache of a multiprocessor; one that the datasheet does not list holds nothing."""
    return np.where(np.isnan(device.l1_capacity), 0.0, device.l1_capacity)


def softmax_time(
    *,
    rows: Array,
    length: Array,
    width: Array,
    device: Device,
    cycles: Array = NONE,
    law: Law = LAW,
) -> Array:
    """Time of a softmax over rows of a length; long rows are read twice more."""
    again = read_again(
        row=length * width,
        cache=first_cache(device),
        fits=law.softmax_fits,
        ramp=law.softmax_ramp,
    )
    moved = width * (law.softmax_moved + 2.0 * again)
    return stream_time(elements=rows * length, bytes_=moved, cycles=cycles, device=device, law=law)


def norm_time(
    *,
    rows: Array,
    length: Array,
    width: Array,
    device: Device,
    cycles: Array = NONE,
    law: Law = LAW,
) -> Array:
    """Time of a layer norm over rows of a length; long rows are read once more."""
    cache = first_cache(device) + device.l2_capacity / device.multiprocessors
    again = read_again(row=length * width, cache=cache, fits=law.norm_fits, ramp=law.norm_ramp)
    moved = width * (law.norm_moved + again)
    return stream_time(elements=rows * length, bytes_=moved, cycles=cycles, device=device, law=law)
