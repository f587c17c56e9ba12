"""A drive of two zones, executed: who writes where, folding, and EADM on counted erases.

Pool 0 are blocks in SLC mode, pool 1 TLC blocks. With LII every class of lifetimes has blocks of
its own in each pool; without it a pool has one stream. `Zones` says whether there is an SLC pool
and whether it is a cache. EADM compares the wear that the erases so far are over the blocks that
each zone has now, and turns one erased block at a time into the mode that wears faster. How the
paper does either was not found.
"""

from typing import NamedTuple

import numpy as np

from .ftl import Ftl, Pages, Victim
from .lifetimes import Learned

SLC, TLC = 0, 1
SHORT, MEDIUM, LONG = 0, 1, 2
CLASSES = 3


class Layout(NamedTuple):
    """The drive that is executed."""

    blocks: int
    pages: int
    """Of a TLC block."""
    slc_pages: int
    """Of a block in SLC mode."""
    slc_blocks: int
    """Blocks that start in SLC mode."""
    logical: int
    folds: bool
    sorts: bool
    """Whether LII gives every class its own blocks."""
    spare: float = 0.0
    """Share of the SLC pages that is kept free, where mixed lifetimes need it."""
    misses: float = 0.0
    """Share of the writes whose class is drawn at random."""


class Balance(NamedTuple):
    """EADM: how unequal the zones may wear, how often they are compared, and what must fit."""

    endurance: tuple[float, float]
    """Erases that a block stands in each mode."""
    band: float
    """Wear difference over the larger wear that is let be."""
    period: int
    """Erases between two comparisons."""
    least: tuple[int, int]
    """Blocks that each zone keeps; TLC's go first."""


class Zoned:
    """A drive that host traffic is given to, page by page with its class."""

    def __init__(
        self,
        layout: Layout,
        *,
        victim: Victim,
        rng: np.random.Generator,
        balance: Balance | None = None,
        learned: Learned | None = None,
        kind: type[Ftl] = Ftl,
    ) -> None:
        """Set up an erased drive; `kind` lets a test break a rule of the layer below."""
        streams = CLASSES if layout.sorts else 1
        self.layout, self.balance, self.learned, self.rng = layout, balance, learned, rng
        two = layout.slc_blocks > 0 or balance is not None
        # A pool's open blocks are beside its size, as in the laws.
        self.ftl = kind(
            pools=[
                (layout.slc_blocks + streams) * two,
                layout.blocks - layout.slc_blocks + streams,
            ],
            sizes=[layout.slc_pages, layout.pages],
            streams=[SLC] * streams + [TLC] * streams,
            logical=layout.logical,
            victim=victim,
            rng=rng,
            folds={SLC: self.stream_of(TLC, LONG)} if layout.folds else None,
        )
        self.two, self.checked = two, 0

    def stream_of(self, pool: int, kind: int) -> int:
        """The stream of a class in a pool."""
        return pool * CLASSES + kind if self.layout.sorts else pool

    def write(self, pages: Pages, kind: int, now: float) -> None:
        """Write pages of a class; LII may have learned another."""
        if self.rng.random() < self.layout.misses:
            kind = int(self.rng.integers(CLASSES))
        if self.learned is None:
            self._write(pages, kind)
            return
        classes = self.learned.classes(pages)
        for found in np.unique(classes).tolist():
            self._write(pages[classes == found], found)
        self.learned.write(pages, now)

    def _write(self, pages: Pages, kind: int) -> None:
        taken = self._taken(pages, kind)
        for pool, part in ((SLC, pages[:taken]), (TLC, pages[taken:])):
            if part.size:
                self.ftl.write(part, self.stream_of(pool, kind))
                self.adapt()

    def _taken(self, pages: Pages, kind: int) -> int:
        """How many of the pages SLC takes: all of a cache's, else a step's while they fit."""
        if not self.two or (kind == LONG and not self.layout.folds):
            return 0
        if self.layout.folds:
            return pages.size
        return min(max(self.limit() - self.ftl.live(SLC), 0), pages.size)

    def limit(self) -> int:
        """Valid pages that SLC takes: what its blocks hold beside the open ones and the spare."""
        streams = len(self.ftl.streams) // 2
        whole = (self.ftl.blocks_of(SLC) - streams) * self.layout.slc_pages
        return int(whole * (1 - self.layout.spare))

    def trim(self, pages: Pages, now: float) -> None:
        """Data end."""
        self.ftl.trim(pages)
        if self.learned is not None:
            self.learned.end(pages, now)

    def step_ends(self) -> None:
        """Erase what died whole: cleaning in step with training."""
        self.ftl.erase_empty()
        self.adapt()

    def wear(self) -> tuple[float, float]:
        """Mean wear of each zone by the erases so far over the blocks it has now."""
        if self.balance is None:
            raise ValueError("wear is compared by EADM only")
        erases = self.ftl.erases.sum(axis=1)
        parts = zip(erases.tolist(), self.balance.endurance, (SLC, TLC), strict=True)
        found = [count / (ends * max(self.ftl.blocks_of(p), 1)) for count, ends, p in parts]
        return found[SLC], found[TLC]

    def adapt(self) -> None:
        """EADM: turn a block into the mode that wears faster, if capacity allows."""
        if self.balance is None or self.ftl.erases.sum() < self.checked + self.balance.period:
            return
        self.checked = int(self.ftl.erases.sum())
        slc, tlc = self.wear()
        if abs(slc - tlc) > self.balance.band * max(slc, tlc):
            giver = TLC if slc > tlc else SLC
            self.give(giver, 1 - giver)

    def give(self, giver: int, taker: int) -> None:
        """Turn one erased block of a zone into the other mode, cleaning one if there is none."""
        if self.balance is None or self.ftl.blocks_of(giver) <= self.balance.least[giver]:
            return
        if len(self.ftl.free[giver]) < 2:
            self.ftl.clean(giver)
        self.ftl.convert(giver, taker)
