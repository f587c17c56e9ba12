"""Times of subgraphs: each is run alone, kernel by kernel, on each device.

A kernel takes the longer of its arithmetic and its traffic, and its start. Parameters that several
kernels of a subgraph read stay in the last cache of a CPU for a while: it drops what was read
longest ago, and it is cold when a subgraph begins.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from .graph import Kernel, Partition, Subgraph
from .simulator import Task


@dataclass(frozen=True)
class Device:
    """What a kernel meets: rates that it reaches, time to start it, and a cache."""

    rate: float
    """Operations a second."""
    bandwidth: float
    """Bytes a second of memory."""
    launch: float
    cache: float = 0.0
    """Bytes of parameters that stay."""
    cache_bandwidth: float = float("inf")


class Cache:
    """Parameters by name; the one read longest ago goes first."""

    def __init__(self, capacity: float) -> None:
        self._capacity = capacity
        self._held: OrderedDict[str, float] = OrderedDict()

    def read(self, name: str, size: float) -> bool:
        """Whether the parameters were there; they are now, if they fit at all."""
        if not name or size > self._capacity:
            return False
        hit = name in self._held
        self._held[name] = size
        self._held.move_to_end(name)
        while sum(self._held.values()) > self._capacity:
            self._held.popitem(last=False)
        return hit


def kernel_time(kernel: Kernel, device: Device, cache: Cache) -> float:
    """Seconds of one kernel, its parameters from the cache where they are there."""
    hit = cache.read(kernel.table, kernel.weights)
    weights = kernel.weights / (device.cache_bandwidth if hit else device.bandwidth)
    working = max(kernel.flops / device.rate, weights + kernel.moved / device.bandwidth)
    return working + device.launch


def profile(subgraph: Subgraph, device: Device) -> float:
    """Seconds of a subgraph that runs alone."""
    cache = Cache(device.cache)
    return sum(kernel_time(kernel, device, cache) for op in subgraph.ops for kernel in op.kernels)


@dataclass(frozen=True)
class Wire:
    """The link as a tensor meets it."""

    latency: float
    bandwidth: float

    def duration(self, size: float) -> float:
        """Seconds to move a tensor; none for an empty one."""
        return self.latency + size / self.bandwidth if size else 0.0


def tasks(found: Partition, devices: tuple[Device, Device], wire: Wire) -> tuple[Task, ...]:
    """The table of profiled times, subgraph by subgraph."""
    return tuple(_task(subgraph, devices, wire) for subgraph in found.subgraphs)


def _task(subgraph: Subgraph, devices: tuple[Device, Device], wire: Wire) -> Task:
    return Task(
        times=(profile(subgraph, devices[0]), profile(subgraph, devices[1])),
        given=wire.duration(subgraph.input_bytes),
        sent=wire.duration(subgraph.out_bytes),
        reads=subgraph.reads,
    )


def given(
    rows: Iterable[tuple[float, float, float, float]], reads: Iterable[Iterable[int]]
) -> tuple[Task, ...]:
    """Tasks of a table that somebody else profiled: CPU, GPU, input and output in seconds."""
    return tuple(
        Task(times=(cpu, gpu), given=into, sent=out, reads=frozenset(read))
        for (cpu, gpu, into, out), read in zip(rows, reads, strict=True)
    )
