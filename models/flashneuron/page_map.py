"""The GPU's memory as pages: residents grow from the low end, what travels from the high end."""

from bisect import bisect_left

FULL = -1
"""Stands for a place where no hole is large enough."""


class PageMap:
    """Holes of a memory, first fit from either side; neighbours are joined when freed."""

    def __init__(self, pages: int) -> None:
        """One hole over the whole memory."""
        self.starts = [0] if pages > 0 else []
        self.ends = [pages] if pages > 0 else []

    def take(self, pages: int, *, high: bool) -> int:
        """First page of the block taken, or `FULL`.

        Args:
            pages: length of the block.
            high: scan from the high end and take a hole's upper end, else the other way.

        >>> memory = PageMap(10)
        >>> memory.take(3, high=False), memory.take(3, high=True), memory.take(5, high=True)
        (0, 7, -1)
        """
        order = range(len(self.starts) - 1, -1, -1) if high else range(len(self.starts))
        fits = (hole for hole in order if self.ends[hole] - self.starts[hole] >= pages)
        hole = next(fits, FULL)
        if hole == FULL:
            return FULL
        if high:
            self.ends[hole] -= pages
            start = self.ends[hole]
        else:
            start = self.starts[hole]
            self.starts[hole] += pages
        if self.starts[hole] == self.ends[hole]:
            del self.starts[hole], self.ends[hole]
        return start

    def give(self, start: int, pages: int) -> None:
        """Free a block.

        >>> memory = PageMap(10)
        >>> for _ in range(2):
        ...     start = memory.take(4, high=False)
        >>> memory.give(0, 4)
        >>> memory.largest(), memory.free()
        (4, 6)
        """
        if pages <= 0:
            return
        end, place = start + pages, bisect_left(self.starts, start)
        if place < len(self.starts) and self.starts[place] == end:
            end = self.ends[place]
            del self.starts[place], self.ends[place]
        if place > 0 and self.ends[place - 1] == start:
            self.ends[place - 1] = end
            return
        self.starts.insert(place, start)
        self.ends.insert(place, end)

    def largest(self) -> int:
        """Pages of the largest hole."""
        return max(
            (end - start for start, end in zip(self.starts, self.ends, strict=True)), default=0
        )

    def free(self) -> int:
        """Pages of all holes."""
        return sum(self.ends) - sum(self.starts)
