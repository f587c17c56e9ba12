"""DUET's question on the joint platform: which part of a network runs on the CPU, Sec. 3.5.

A decoder is a chain of prefill and decode; a network of branches runs them side by side and
joins them. Parts are few, so all splits are tried, and the one of least latency is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np

from dse.spec import Array, Mask

from .platform import Platform
from .rows import GIVEN

Split: TypeAlias = tuple[int, ...]
"""A split that is tried: 1 for every part on the CPU."""


class Times(NamedTuple):
    """Time of a part, or of all, by what it is spent on [s]."""

    weights: Array
    """Linear layers, or whatever a branch computes."""
    attention: Array
    launch: Array

    @property
    def total(self) -> Array:
        """All of it."""
        return self.weights + self.attention + self.launch

    @property
    def working(self) -> Array:
        """Without starting kernels."""
        return self.weights + self.attention


class Part(NamedTuple):
    """A part of a network on either device."""

    gpu: Times
    cpu: Times


class Served(NamedTuple):
    """A batch answered under a split."""

    times: Times
    """What its latency is made of, transfers left out."""
    transfer: Array
    """Transfers between the devices and from outside [s]."""
    gpu_busy: Array
    """Seconds that the GPU computes."""
    cpu_busy: Array
    on_cpu: tuple[Array, ...]
    """1 for every part on the CPU, in order."""

    @property
    def all_on_cpu(self) -> Mask:
        """Whether every part is there."""
        return np.equal(_sum(self.on_cpu), len(self.on_cpu))


def transfer_time(*, bytes_: Array, link: Array) -> Array:
    r"""Time of a transfer [s], $10\,\mu s + b / B$.

    >>> round(float(transfer_time(bytes_=602112, link=12e9)) * 1e6, 3)
    60.176
    """
    return GIVEN("transfer_latency") + bytes_ / link


def bits(code: Array, parts: int) -> tuple[Array, ...]:
    """Whether each part is on the CPU, from the code of a split; the first part is the last bit.

    >>> [float(bit) for bit in bits(2.0, 4)]
    [0.0, 1.0, 0.0, 0.0]
    """
    found = []
    for part in reversed(range(parts)):
        there = 1.0 * np.greater_equal(code, 2.0**part)
        code = code - there * 2.0**part
        found.append(there)
    return tuple(reversed(found))


def least(latency: Callable[[Split], Array], parts: int) -> Array:
    """The code of the split of least latency; the first of equals, so the GPU keeps ties.

    >>> float(least(lambda on_cpu: np.asarray(3.0 - on_cpu[1] + on_cpu[0]), 2))
    2.0
    """
    splits = [tuple(code >> part & 1 for part in range(parts)) for code in range(2**parts)]
    best, chosen = latency(splits[0]), np.zeros(())
    for code, split in enumerate(splits[1:], start=1):
        found = latency(split)
        chosen = np.where(found < best, float(code), chosen)
        best = np.minimum(found, best)
    return chosen


def apart(split: Split) -> bool:
    """Whether both devices have a part.

    >>> apart((0, 1)), apart((1, 1))
    (True, False)
    """
    return 0 < sum(split) < len(split)


def picked(
    config: Platform, latency: Callable[[Split], Array], parts: int, fits: Mask
) -> tuple[Array, ...]:
    """Which parts run on the CPU: none, all, as given, or as the least latency says.

    What does not fit the GPU is left to the CPU as a whole. DUET times its parts before it
    chooses, so errors that an interval draws are known to it.
    """
    target, given = config.serve.target, config.duet.assignment.code

    def true(split: Split) -> Array:
        return config.trust.split * latency(split) if apart(split) else latency(split)

    best = np.where(fits, least(true, parts), 2.0**parts - 1)
    chosen = np.where(given < 0, best, given)
    without_gpu = np.where(target.on_gpu > 0, chosen, 2.0**parts - 1)
    return bits(np.where(target.on_cpu > 0, without_gpu, 0.0), parts)


def _either(on_cpu: Array, part: Part) -> Times:
    pairs = zip(part.gpu, part.cpu, strict=True)
    return Times(*(np.where(on_cpu > 0, cpu, gpu) for gpu, cpu in pairs))


def _sum(values: Iterable[Array]) -> Array:
    return reduce(np.add, values)


def _added(times: Iterable[Times]) -> Times:
    return Times(*(_sum(column) for column in zip(*times, strict=True)))


def _served(
    config: Platform,
    on_cpu: tuple[Array, ...],
    parts: Sequence[Part],
    times: Times,
    moved: Array,
) -> Served:
    pairs = list(zip(on_cpu, parts, strict=True))
    there = _sum(on_cpu)
    both = np.greater(there, 0) & np.less(there, len(parts))
    trust = np.where(both, config.trust.split, 1.0)
    return Served(
        times=Times(*(trust * time for time in times)),
        transfer=trust * moved,
        gpu_busy=_sum(np.where(there > 0, 0.0, part.gpu.working) for there, part in pairs),
        cpu_busy=_sum(np.where(there > 0, part.cpu.working, 0.0) for there, part in pairs),
        on_cpu=on_cpu,
    )


def chained(config: Platform, parts: Sequence[Part], between: Array, fits: Mask) -> Served:
    """Parts one after the other; `between` bytes cross where neighbours differ."""
    crossing = transfer_time(bytes_=between, link=config.serve.gpu.host_bandwidth)
    totals = [(part.gpu.total, part.cpu.total) for part in parts]

    def latency(split: Split) -> Array:
        crossings = sum(one != other for one, other in pairwise(split))
        running = _sum(total[there] for there, total in zip(split, totals, strict=True))
        return running + crossings * crossing if crossings else running

    on_cpu = picked(config, latency, len(parts), fits)
    moved = _sum(np.abs(one - other) * crossing for one, other in pairwise(on_cpu))
    return _served(config, on_cpu, parts, _added(map(_either, on_cpu, parts)), moved)


def forked(config: Platform, parts: Sequence[Part], fits: Mask) -> Served:
    """Branches side by side, each device one after the other, then the head, Sec. 3.5.

    Inputs come from the host and the answer goes back to it.
    """
    branches = config.workload.branches
    batch, link = config.serve.batch, config.serve.gpu.host_bandwidth
    enter = [transfer_time(bytes_=batch * one.input_bytes, link=link) for one in branches[:-1]]
    leave = [transfer_time(bytes_=batch * one.output_bytes, link=link) for one in branches]
    totals = [(part.gpu.total, part.cpu.total) for part in parts]
    nothing = np.zeros(())

    def latency(split: Split) -> Array:
        head, paths = split[-1], list(zip(split[:-1], totals[:-1], strict=True))
        sides = [_sum([nothing, *(t[s] for there, t in paths if there == s)]) for s in (0, 1)]
        moved = [time for there, time in zip(split, enter, strict=False) if not there]
        moved += [time for there, time in zip(split, leave[:-1], strict=False) if there != head]
        moved += [] if head else [leave[-1]]
        return _sum([np.maximum(*sides), totals[-1][head], *moved])

    on_cpu = picked(config, latency, len(parts), fits)
    return _served(config, on_cpu, parts, _joined(on_cpu, parts), _moved(on_cpu, enter, leave))


def _joined(on_cpu: tuple[Array, ...], parts: Sequence[Part]) -> Times:
    """The longer of both devices over the branches, and the head."""
    pairs = list(zip(on_cpu[:-1], parts[:-1], strict=True))
    idle = Times(np.zeros(()), np.zeros(()), np.zeros(()))
    # A peak that is not known counts only where something runs at it.
    ours = _added(_either(there, Part(part.gpu, idle)) for there, part in pairs)
    theirs = _added(_either(there, Part(idle, part.cpu)) for there, part in pairs)
    longer = np.greater(theirs.total, ours.total)
    return _added([_either(longer, Part(ours, theirs)), _either(on_cpu[-1], parts[-1])])


def _moved(on_cpu: tuple[Array, ...], enter: Sequence[Array], leave: Sequence[Array]) -> Array:
    """Inputs of the branches on the GPU, what crosses to the head, and the answer."""
    head = on_cpu[-1]
    inward = [(1 - there) * time for there, time in zip(on_cpu, enter, strict=False)]
    pairs = zip(on_cpu, leave[:-1], strict=False)
    across = [np.abs(there - head) * time for there, time in pairs]
    return _sum([*inward, *across, (1 - head) * leave[-1]])
