"""A page-mapped flash translation layer, executed block by block.

Blocks belong to pools, each of which is cleaned by itself; streams are what goes into blocks of
its own. A stream has one open block. When that is full and its pool has but one erased block
left, a victim is cleaned: its valid pages go to the open block of the stream they came by, then
it is erased. So a pool of N sealed blocks has one more that is being written, as the laws count.

Writes are taken a block's rest at a time, which is exact: nothing happens between two cleanings
but programming. A page that is written twice in such a run is programmed twice and valid once.
Nothing here knows the page's laws.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dse.spec import Array

Pages = NDArray[np.int64]
Victim = Callable[["Ftl", int], int]
"""A drive and a pool -> the sealed block that is cleaned next."""
WEAR_WEIGHT = 2.0**-40
"""Wear breaks ties of valid pages and is never worth one."""

PATIENCE = 4
"""Times that all blocks are cleaned in a row before a drive counts as full."""


class Worn(RuntimeError):
    """A pool holds valid pages only: nothing can be cleaned."""


class Ftl:
    """A drive: where each logical page lies, how many pages of each block are valid, and wear."""

    def __init__(
        self,
        *,
        pools: Sequence[int],
        sizes: Sequence[int],
        streams: Sequence[int],
        logical: int,
        victim: Victim,
        rng: np.random.Generator,
        folds: Mapping[int, int] | None = None,
    ) -> None:
        """Set up an erased drive.

        Args:
            pools: blocks of each pool.
            sizes: pages of a block in each pool; in SLC mode fewer.
            streams: the pool that each stream is written to.
            logical: logical pages.
            victim: which block is cleaned.
            rng: what random victims are drawn from.
            folds: pool -> stream that its valid pages are moved to, where it is a cache.
        """
        self.blocks, self.width = sum(pools), max(sizes)
        self.sizes, self.streams, self.logical = list(sizes), list(streams), logical
        self.victim, self.rng, self.folds = victim, rng, dict(folds or {})
        self.pool = np.repeat(np.arange(len(pools)), pools)
        self.stream = np.zeros(self.blocks, np.int64)
        # The last place is no place: pages that hold nothing lie in a block that does not exist.
        nowhere = self.blocks * self.width
        self.places: Pages = np.arange(nowhere + 1)
        self.place: Pages = np.full(logical + 1, nowhere)
        self.holder: Pages = np.full(nowhere, logical)
        self.valid: Pages = np.zeros(self.blocks + 1, np.int64)
        # Infinite but for the sealed blocks of a pool, where it is their wear.
        self.veil: Array = np.full((len(pools), self.blocks), np.inf)
        self.sealed: Pages = np.zeros(self.blocks, np.int64)
        self.erases: Pages = np.zeros((len(pools), self.blocks), np.int64)
        self.open = [-1] * len(streams)
        self.used = [0] * len(streams)
        self.free: list[list[tuple[int, int]]] = [[] for _ in pools]
        for block, owner in enumerate(self.pool.tolist()):
            heapq.heappush(self.free[owner], (0, block))
        self.clock = self.folded = 0
        self.written, self.programmed = [0] * len(streams), [0] * len(pools)

    # What the host asks for.

    def write(self, pages: Pages, stream: int) -> None:
        """Write logical pages in order, into the blocks of a stream."""
        self.written[stream] += pages.size
        self._put(pages, stream)

    def trim(self, pages: Pages) -> None:
        """Forget what distinct logical pages hold."""
        np.subtract.at(self.valid, self.place[pages] // self.width, 1)
        self.place[pages] = self.blocks * self.width

    def erase_empty(self) -> int:
        """Erase every sealed block without valid pages; how many there were."""
        empty = (self.valid[:-1] == 0) & np.isfinite(self.veil.min(axis=0))
        found = np.flatnonzero(empty)
        for block in found.tolist():
            self._erase(block)
        return found.size

    def convert(self, pool: int, into: int) -> bool:
        """Turn an erased block of a pool into one of another; whether there was one to spare."""
        if len(self.free[pool]) < 2:
            return False
        wear, block = heapq.heappop(self.free[pool])
        self.pool[block] = into
        heapq.heappush(self.free[into], (wear, block))
        return True

    def blocks_of(self, pool: int) -> int:
        """Blocks of a pool."""
        return int(np.count_nonzero(self.pool == pool))

    def live(self, pool: int) -> int:
        """Valid pages of a pool."""
        return int(self.valid[:-1][self.pool == pool].sum())

    # What the drive does by itself.

    def _put(self, pages: Pages, stream: int) -> None:
        size, start = self.sizes[self.streams[stream]], 0
        while start < pages.size:
            if self.open[stream] < 0:
                self._open(stream)
            run = min(size - self.used[stream], pages.size - start)
            self._program(pages[start : start + run], stream)
            start += run

    def _program(self, pages: Pages, stream: int) -> None:
        """Program a run that fits the open block of a stream; what it held before is invalid."""
        block, used, count = self.open[stream], self.used[stream], pages.size
        first = block * self.width + used
        new = self.places[first : first + count]
        old = self.place[pages]
        self.place[pages] = new  # of a page that is named twice the last counts
        self.holder[first : first + count] = pages
        kept = self.place[pages] == new
        stay = np.count_nonzero(kept)
        if stay < count:
            old = old[kept]
        np.subtract.at(self.valid, old // self.width, 1)
        self.valid[block] += stay
        pool = self.streams[stream]
        self.programmed[pool] += count
        self.used[stream] = used + count
        if used + count == self.sizes[pool]:
            self._seal(stream)

    def _seal(self, stream: int) -> None:
        block, pool = self.open[stream], self.streams[stream]
        self.clock += 1
        self.sealed[block] = self.clock
        self.veil[pool, block] = WEAR_WEIGHT * self.erases[:, block].sum()
        self.open[stream] = -1

    def _open(self, stream: int) -> None:
        """Give a stream a block to write; cleaning may have opened one for it."""
        pool, tries = self.streams[stream], PATIENCE * self.blocks
        while self.open[stream] < 0 and len(self.free[pool]) < 2:
            self.clean(pool)
            tries -= 1
            if not tries:
                raise Worn("cleaning finds no room: the pool holds valid pages only")
        if self.open[stream] < 0:
            self._take(stream)

    def _take(self, stream: int) -> None:
        """Open the least worn erased block."""
        if not self.free[self.streams[stream]]:
            raise Worn("no erased block is left: the pool holds valid pages only")
        _, block = heapq.heappop(self.free[self.streams[stream]])
        self.open[stream], self.used[stream] = block, 0
        self.stream[block] = stream

    def clean(self, pool: int) -> None:
        """Move what is valid in the pool's victim, and erase it."""
        block = self.victim(self, pool)
        if self.valid[block]:
            live = self._live(block)
            if pool in self.folds:
                self.folded += live.size
                self._put(live, self.folds[pool])
            else:
                self._move(live, int(self.stream[block]))
        self._erase(block)

    def _live(self, block: int) -> Pages:
        first = block * self.width
        span = slice(first, first + self.sizes[self.pool[block]])
        held = self.holder[span]
        live: Pages = held[self.place[held] == self.places[span]]
        return live

    def _move(self, pages: Pages, stream: int) -> None:
        """Copy valid pages to the open block of their stream, into the block kept for this."""
        size, start = self.sizes[self.streams[stream]], 0
        while start < pages.size:
            if self.open[stream] < 0:
                self._take(stream)
            run = min(size - self.used[stream], pages.size - start)
            self._program(pages[start : start + run], stream)
            start += run

    def _erase(self, block: int) -> None:
        pool = self.pool[block]
        self.veil[pool, block] = np.inf
        self.erases[pool, block] += 1
        heapq.heappush(self.free[pool], (int(self.erases[:, block].sum()), block))


def greedy(ftl: Ftl, pool: int) -> int:
    """The block with the fewest valid pages, of these the least worn."""
    return int(np.argmin(ftl.valid[:-1] + ftl.veil[pool]))


def oldest(ftl: Ftl, pool: int) -> int:
    """The block that was sealed first (FIFO)."""
    return int(np.argmin(ftl.sealed + ftl.veil[pool]))


def best_of(choices: int) -> Victim:
    """The best of d random blocks; a random one where d is 1."""

    def choose(ftl: Ftl, pool: int) -> int:
        veil, found = ftl.veil[pool], np.empty(0, np.int64)
        while found.size < choices:
            drawn = ftl.rng.integers(ftl.blocks, size=2 * choices)
            found = np.concatenate([found, drawn[np.isfinite(veil[drawn])]])
        found = found[:choices]
        return int(found[np.argmin(ftl.valid[found])])

    return choose
