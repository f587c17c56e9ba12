"""LII, executed: the class of a write is told by its tensor, or learned from how long data lived.

Learning keeps, for each logical page, an exponentially weighted mean of the times between a write
and the overwrite or trim that ended it. What has never ended counts as long-lived.
"""

import numpy as np

from dse.spec import Array

from .ftl import Pages


class Learned:
    """Classes by the lives that were seen at the same logical pages."""

    def __init__(self, *, logical: int, edges: Array, gain: float) -> None:
        """Know nothing yet.

        Args:
            logical: logical pages.
            edges: longest life of each class but the last.
            gain: weight of the newest life.
        """
        self.edges, self.gain = edges, gain
        self.life: Array = np.full(logical, np.inf)
        self.born: Array = np.full(logical, -np.inf)

    def classes(self, pages: Pages) -> Pages:
        """Class of each page by the life that is expected of it."""
        return np.searchsorted(self.edges, self.life[pages], side="left")

    def write(self, pages: Pages, now: float) -> None:
        """Data are born; what these pages still held ends."""
        self.end(pages, now)
        self.born[pages] = now

    def end(self, pages: Pages, now: float) -> None:
        """Data end, by an overwrite or a trim."""
        known = pages[np.isfinite(self.born[pages])]
        seen, before = now - self.born[known], self.life[known]
        first = np.isinf(before)
        mean = self.gain * seen + (1 - self.gain) * np.where(first, seen, before)
        self.life[known] = mean
        self.born[known] = -np.inf
