"""Which saved tensors leave: the authors' two phases, and the one phase of the G10 artifact.

The authors' scheduler follows github SNU-ARC/flashneuron@a5b578fd saved_variable.cpp
[code, in words of our own]. A profiling step gives each saved tensor's size and the moment when
it is ready. Phase 1 takes tensors in forward order until the rest fits. If their transfers do not
end with the forward pass, phase 2 swaps the last one that does not compress for later ones that
do. Transfers wait in one queue; backward time is never looked at.

Sizes are those on the GPU, as that is what is freed. On the wire FP16 counts as half and sparse
rows as half again, whatever the data: these are estimates for the plan, not what travels.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from .config import GIVEN


@dataclass(frozen=True)
class Saved:
    """A tensor as profiled: bytes, seconds until ready, and how it may be compressed."""

    size: float
    ready: float
    fp16: bool = False
    csr: bool = False


@dataclass(frozen=True)
class Route:
    """Where tensors go: bytes a second, and the compression that is switched on."""

    bandwidth: float
    fp16: bool = False
    csr: bool = False

    def time(self, tensor: Saved) -> float:
        """Estimated time of a transfer by itself.

        >>> Route(bandwidth=100.0, fp16=True, csr=True).time(Saved(400.0, 0.0, True, True))
        1.0
        """
        halves = (self.fp16 and tensor.fp16) + (self.csr and tensor.csr)
        return tensor.size / self.bandwidth / 2.0**halves


@dataclass
class Selection:
    """Tensors chosen so far, and the bytes that still have to go."""

    saved: Sequence[Saved]
    route: Route
    demand: float
    chosen: set[int] = field(default_factory=set)

    def add(self, index: int) -> None:
        """Choose a tensor."""
        self.chosen.add(index)
        self.demand -= self.saved[index].size

    def drop(self, index: int) -> None:
        """Keep a tensor after all."""
        self.chosen.remove(index)
        self.demand += self.saved[index].size

    def open(self, after: int = -1, *, but: Collection[int] = ()) -> list[int]:
        """Tensors not chosen that may compress: those of a ReLU first, each in order."""
        least, taken = float(GIVEN("least_tensor")), {*self.chosen, *but}
        free = [
            index
            for index, tensor in enumerate(self.saved)
            if index > after and index not in taken and tensor.size > least
        ]
        csr = [i for i in free if self.route.csr and self.saved[i].csr]
        fp16 = [i for i in free if self.route.fp16 and self.saved[i].fp16 and i not in csr]
        return csr + fp16

    def last_plain(self) -> int | None:
        """The last chosen tensor that is neither sparse nor FP16, else not sparse."""
        order = sorted(self.chosen, reverse=True)
        neither = [i for i in order if not (self.saved[i].csr or self.saved[i].fp16)]
        return next(iter([*neither, *(i for i in order if not self.saved[i].csr)]), None)

    def finish(self) -> float:
        """When the last of the chosen has left the queue."""
        return queue_end((self.saved[i] for i in sorted(self.chosen)), self.route)


@dataclass(frozen=True)
class Schedule:
    """The tensors that leave, in forward order, and when the plan sees the last one gone."""

    chosen: tuple[int, ...]
    finish: float
    linear: tuple[int, ...]
    """What phase 1 alone would choose."""


def queue_end(tensors: Iterable[Saved], route: Route) -> float:
    """End of a queue: each waits for the one before, d = max(0, t' + x' + d' - t)."""
    end = 0.0
    for tensor in tensors:
        end = max(end, tensor.ready) + route.time(tensor)
    return end


def schedule(saved: Sequence[Saved], *, forward: float, room: float, route: Route) -> Schedule:
    """The authors' plan.

    Args:
        saved: profiled tensors in forward order.
        forward: end of the forward pass [s].
        room: bytes that may stay, the safety factor applied.
        route: where they go.
    """
    found = Selection(saved, route, sum(tensor.size for tensor in saved) - room)
    linear(found)
    first = tuple(sorted(found.chosen))
    if found.chosen and found.finish() > forward:
        compression_aware(found, forward, frontier=first[-1])
    return Schedule(tuple(sorted(found.chosen)), found.finish(), first)


def linear(found: Selection) -> None:
    """Phase 1: forward order until the rest fits; the code does not test after the first one."""
    if found.demand <= 0:
        return
    least = float(GIVEN("least_tensor"))
    for index, tensor in enumerate(found.saved):
        if tensor.size <= least:
            continue
        if len(found.chosen) > 1 and found.demand < 0:
            return
        found.add(index)


def compression_aware(found: Selection, forward: float, *, frontier: int) -> None:
    """Phase 2: swap until the queue ends with the forward pass, or nothing is left to swap."""
    gone: set[int] = set()
    while found.finish() > forward:
        dropped, spare = found.last_plain(), found.open(after=frontier, but=gone)
        # What happens where nothing replaces a tensor was not read: here it stays chosen.
        if dropped is None or not spare:
            break
        found.drop(dropped)
        gone.add(dropped)
        covered = 0.0
        for index in spare:
            if covered >= found.saved[dropped].size:
                break
            found.add(index)
            covered += found.saved[index].size
    for index in found.open() if found.demand > 0 else ():
        found.add(index)
        if found.demand < 0:
            return


def artifact(sizes: Sequence[float], *, room: float) -> tuple[int, bool]:
    """The G10 artifact's plan: how many leave, in order, and whether the rest then fits.

    It takes the next tensor while what is left is not below the room.

    >>> artifact([3.0, 3.0, 3.0], room=5.0)
    (2, True)
    """
    left, count = sum(sizes), 0
    while count < len(sizes) and left >= room:
        left -= sizes[count]
        count += 1
    return count, left <= room
