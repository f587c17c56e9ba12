"""DUET's placements of subgraphs: greedy, corrected, and the best of all as the oracle.

Greedy goes phase by phase and sees no transfers. The correction tries to move each subgraph and to
swap each pair, keeps what lowers the whole latency, and ends where a round keeps nothing. A single
device that is faster still is taken instead, and corrected in turn.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, product
from operator import lt

from .simulator import CPU, GPU, Place, Task

Latency = Callable[[Place], float]
Accepts = Callable[[float, float], bool]

MOST = 16
"""Subgraphs that the oracle takes."""


def greedy(tasks: Sequence[Task], phases: Sequence[Sequence[int]]) -> Place:
    """The longest of a phase to its faster device, the others where the phase then ends sooner.

    A subgraph's length is its time on its faster device. Ties go to the CPU, and to the subgraph
    that comes first.
    """
    place = [CPU] * len(tasks)
    for phase in phases:
        ends = [0.0, 0.0]
        for number in sorted(phase, key=lambda i: (-min(tasks[i].times), i)):
            place[number] = _sooner(ends, tasks[number].times)
            ends[place[number]] += tasks[number].times[place[number]]
    return tuple(place)


def _sooner(ends: Sequence[float], times: tuple[float, float]) -> int:
    after = [max(ends[d] + times[d], ends[1 - d]) for d in (CPU, GPU)]
    return GPU if after[GPU] < after[CPU] else CPU


def climb(start: Place, latency: Latency, accepts: Accepts = lt) -> Place:
    """Moves and swaps in the order of the subgraphs, each kept if it is accepted.

    Raises:
        RuntimeError: a placement comes back, so that rounds would never end.
    """
    place, best, seen = start, latency(start), {start}
    while True:
        before = place
        for flips in _steps(place):
            candidate = tuple(at ^ flip for at, flip in zip(place, flips, strict=True))
            if _allowed(place, flips) and accepts(reached := latency(candidate), best):
                place, best = candidate, reached
        if place == before:
            return place
        if place in seen:
            raise RuntimeError(f"the correction came back to {place}: it accepts what is no gain")
        seen.add(place)


def _steps(place: Place) -> list[Place]:
    """Which subgraphs change sides: one, or two."""
    count = range(len(place))
    pairs = [(i,) for i in count] + list(combinations(count, 2))
    return [tuple(int(i in pair) for i in count) for pair in pairs]


def _allowed(place: Place, flips: Place) -> bool:
    """A move is; two subgraphs swap only from different devices."""
    sides = [at for at, flip in zip(place, flips, strict=True) if flip]
    return len(sides) == 1 or sides[0] != sides[1]


def correct(
    start: Place, latency: Latency, *, retreat: bool = True, accepts: Accepts = lt
) -> Place:
    """The correction's placement, no move or swap away from a faster one.

    Args:
        start: greedy's placement.
        latency: of a placement, transfers included.
        retreat: whether it falls back to a single device that is faster.
        accepts: whether a new latency replaces an old one.
    """
    place = climb(start, latency, accepts)
    if retreat:
        alone = min(((device,) * len(start) for device in (CPU, GPU)), key=latency)
        if latency(alone) < latency(place):
            place = climb(alone, latency, accepts)
    return place


def exhaustive(count: int, latency: Latency) -> Place:
    """The best of all placements; of equal ones the first, which has more on the CPU.

    Raises:
        ValueError: more subgraphs than can be tried.
    """
    if count > MOST:
        raise ValueError(f"`subgraphs <= {MOST}` must hold for the oracle, got {count}")
    return min(product((CPU, GPU), repeat=count), key=latency)
