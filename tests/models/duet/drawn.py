"""Random tasks for the scheduler: fork-join and layered graphs of at most eight subgraphs."""

from itertools import pairwise

import numpy as np

from models.duet.profiler import given
from models.duet.simulator import Place, Task, simulate

Phases = tuple[tuple[int, ...], ...]
Drawn = tuple[tuple[Task, ...], Phases]


def fork_join(seed: int, *, most: int = 8) -> Drawn:
    """Stretches of one subgraph and forks of two to four by turns; two subgraphs at least.

    A fork follows a stretch or is the first, and the next stretch reads all of it.
    """
    rng = np.random.default_rng([1, seed])
    count = int(rng.integers(2, most + 1))
    phases: list[tuple[int, ...]] = []
    forks = bool(rng.integers(2))
    while sum(map(len, phases)) < count:
        first = sum(map(len, phases))
        wide = min(int(rng.integers(2, 5)) if forks else 1, count - first)
        phases.append(tuple(range(first, first + wide)))
        forks = not forks
    before = dict(zip(phases[1:], phases, strict=False))
    reads = [before.get(phase, ()) for phase in phases for _ in phase]
    return tasks(rng, reads), tuple(phases)


def layered(seed: int, *, most: int = 8) -> Drawn:
    """Two to four layers; a subgraph reads some of the layer before, one at least."""
    rng = np.random.default_rng([2, seed])
    count = int(rng.integers(2, most + 1))
    layers = min(int(rng.integers(2, 5)), count)
    ends = [0, *sorted(rng.choice(np.arange(1, count), layers - 1, replace=False)), count]
    phases = tuple(tuple(range(a, b)) for a, b in pairwise(ends))
    reads: list[tuple[int, ...]] = [() for _ in phases[0]]
    for before, phase in pairwise(phases):
        for _ in phase:
            size = int(rng.integers(1, len(before) + 1))
            reads.append(tuple(int(i) for i in rng.choice(before, size, replace=False)))
    return tasks(rng, reads), phases


def tasks(rng: np.random.Generator, reads: list[tuple[int, ...]]) -> tuple[Task, ...]:
    """Times from 0.1 to 10 on each device, transfers from 0.01 to 1, all even in the logarithm.

    Only subgraphs that read no other take model inputs.
    """
    low, high = np.log([0.1, 0.1, 0.01, 0.01]), np.log([10, 10, 1, 1])
    rows = np.exp(rng.uniform(low, high, (len(reads), 4)))
    rows[:, 2] *= [not read for read in reads]
    return given([tuple(map(float, row)) for row in rows], reads)


def makespan(found: tuple[Task, ...], place: Place) -> float:
    return simulate(found, place).makespan
