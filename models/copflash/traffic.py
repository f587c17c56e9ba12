r"""What training writes, by how long it lives, and what becomes of requests that fit no page.

LII (Lifetime-based I/O Identifier) marks writes by the lifetime of their data. Here the kind of
tensor says it: activations and gradients die with the step (short), weights and optimizer states
are rewritten by the next (medium), data and checkpoints stay (long). All are [derived].
"""

from typing import NamedTuple

import numpy as np

from dse.spec import Array
from dse.units import DAY

from .config import GIVEN, Drive


def saved_bytes(*, per_token: Array, per_pair: Array, tokens: Array, width: Array) -> Array:
    r"""Activations of one sample, $a = w (a_1 s + a_2 s^2)$ with elements of width w.

    >>> saved_bytes(per_token=10.0, per_pair=2.0, tokens=3.0, width=4.0)
    192.0
    """
    return width * tokens * (per_token + per_pair * tokens)


def touched_pages(*, pages: Array, sectors: Array) -> Array:
    r"""Pages that a request touches, $x / P + 1 - 1 / P$: it starts at any sector.

    `pages` is its size x / P in pages of P `sectors`; the mean over all starts is exact.

    >>> float(touched_pages(pages=40 / 32, sectors=32))
    2.21875
    """
    return pages + 1 - 1 / sectors


def partial_pages(*, pages: Array, sectors: Array) -> Array:
    r"""Pages of it that are not written whole, $\min(x / P + 1 - 1 / P, 2 - 2 / P)$.

    Each is read before it is programmed. The mean over all starts is exact.

    >>> float(partial_pages(pages=40 / 32, sectors=32))
    1.9375
    """
    touched = touched_pages(pages=pages, sectors=sectors)
    return np.minimum(touched, 2 - 2 / sectors)


def rounding(*, pages: Array, sectors: Array, coalesced: Array) -> Array:
    r"""Bytes of touched pages over bytes requested, $1 + (1 - a_c) (1 - 1 / P) / (x / P)$.

    A buffer merges the share $a_c$ of the requests into whole pages.

    >>> float(rounding(pages=1.0, sectors=32, coalesced=0.0))
    1.96875
    """
    return 1 + (1 - coalesced) * (touched_pages(pages=pages, sectors=sectors) / pages - 1)


def reread(*, pages: Array, sectors: Array, coalesced: Array) -> Array:
    r"""Bytes read to complete partial pages over bytes written, $(1 - a_c) p / (x / P)$.

    >>> float(reread(pages=40 / 32, sectors=32, coalesced=0.0))
    1.55
    """
    return (1 - coalesced) * partial_pages(pages=pages, sectors=sectors) / pages


def share_of(*, part: Array, whole: Array, otherwise: Array) -> Array:
    """A part over the whole, and a given share where there is nothing to share.

    >>> float(share_of(part=1.0, whole=4.0, otherwise=1.0))
    0.25
    """
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), otherwise)


class Traffic(NamedTuple):
    """What training writes, before the drive decides where to; every field broadcasts."""

    short: Array
    """Bytes of a step that are dead at its end."""
    medium: Array
    """Bytes of a step that the next one rewrites."""
    checkpoint: Array
    """Bytes a second while training."""
    refresh: Array
    """Bytes a second of the calendar."""
    kept: Array
    """Long-lived bytes on the drive."""
    rounding: Array
    reread: Array

    def step(self) -> Array:
        """Bytes of a step."""
        return self.short + self.medium

    def long_daily(self, training: Array) -> Array:
        """Long-lived bytes of a day with so many seconds of training."""
        return training * self.checkpoint + DAY * self.refresh


def traffic(config: Drive) -> Traffic:
    """The traffic of a job on a drive."""
    net, page, width = config.workload, config.tlc.page_size, GIVEN("element_size")
    sample = saved_bytes(
        per_token=net.activation_token,
        per_pair=net.activation_pair,
        tokens=np.minimum(config.tokens, net.context),
        width=width,
    )
    states = GIVEN("state_size") * net.parameters
    gradients = config.gradient_share * width * net.parameters
    shape = {
        "pages": config.request_size / page,
        "sectors": page / GIVEN("sector"),
        "coalesced": config.coalesced,
    }
    return Traffic(
        short=config.activation_share * config.batch * sample + gradients,
        medium=config.state_share * states,
        checkpoint=states / config.checkpoint_interval,
        refresh=config.dataset / config.refresh_interval,
        kept=config.dataset + states,
        rounding=rounding(**shape),
        reread=reread(**shape),
    )
