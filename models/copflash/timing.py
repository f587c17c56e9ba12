r"""How fast the drive takes and gives, what cleaning costs, and when compute hides it.

All are [derived]. Times are per byte and drive: all planes of all dies work side by side, so a
page time t is worth $t / (n_p P)$ seconds a byte over $n_p$ planes of pages of P bytes.
"""

import numpy as np

from dse.spec import Array


def byte_time(*, page_time: Array, planes: Array, page_size: Array) -> Array:
    r"""Time per byte over all planes, $t / (n_p P)$ [s/B].

    256 planes that program TLC, in GB/s:

    >>> round(1e-9 / float(byte_time(page_time=1125e-6, planes=256, page_size=16384)), 2)
    3.73
    """
    return page_time / (planes * page_size)


def mixed_time(*, slc_share: Array, slc_time: Array, tlc_time: Array) -> Array:
    r"""Mean time of a byte of which a share s goes to SLC, $s t_S + (1 - s) t_T$.

    >>> round(float(mixed_time(slc_share=0.9, slc_time=250e-6, tlc_time=1125e-6)), 9)
    0.0003375
    """
    return slc_share * slc_time + (1 - slc_share) * tlc_time


def bandwidth(*, byte_time: Array, link: Array, bus: Array) -> Array:
    r"""Rate of the drive: its planes, its link or its buses, $\min(1 / \beta, B, B_c)$.

    256 planes of 16 KiB, 90 % to SLC, in GB/s:

    >>> round(float(bandwidth(byte_time=337.5e-6 / (256 * 16384), link=64e9, bus=64e9)) / 1e9, 2)
    12.43
    """
    return np.minimum(1 / byte_time, np.minimum(link, bus))


def cleaning_time(
    *, amplification: Array, copy_time: Array, erase_time: Array, block_size: Array
) -> Array:
    r"""Garbage collection per byte written, $(A - 1)(\beta_R + \beta_P) + A t_E / (n_p b P)$.

    Of a reclaimed block the valid pages are copied, then it is erased: with none valid only the
    erase is left. `block_size` is that of a block on every plane, $n_p b P$.

    >>> float(cleaning_time(amplification=1.0, copy_time=3e-10, erase_time=4.5e-3, block_size=9e8))
    5e-12
    """
    return (amplification - 1) * copy_time + amplification * erase_time / block_size


def transfer_time(*, written: Array, byte_time: Array, rate: Array) -> Array:
    r"""Time of a transfer by itself, $\max(\beta V, V / B)$.

    >>> float(transfer_time(written=7e9, byte_time=1e-10, rate=3.5e9))
    2.0
    """
    return written * np.maximum(byte_time, 1 / rate)


def step_time(*, compute: Array, busy: Array, clock_share: Array) -> Array:
    r"""Time of a step, $T = \max(T_c, t / (1 - u))$.

    The drive is busy t seconds for a step and a share u of all time with what comes by the clock.
    What fits beside compute is hidden.

    >>> float(step_time(compute=1.0, busy=1.5, clock_share=0.25))
    2.0
    """
    return np.maximum(compute, busy / (1 - clock_share))
