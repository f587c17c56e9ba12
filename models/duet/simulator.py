"""A pass over a CPU and a GPU, event by event: two devices and one half-duplex link between them.

A device runs one subgraph at a time: of those whose tensors have arrived, the one before the
longest remaining way. The link moves one tensor at a time, in either direction, in the order of
the requests; a tensor is moved once to a device, however many read it there. The model's inputs
lie with the CPU, and its outputs end there.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Place = tuple[int, ...]
"""For each subgraph the device it runs on."""

CPU, GPU = 0, 1


@dataclass(frozen=True)
class Task:
    """A subgraph as the schedule sees it; all numbers are seconds."""

    times: tuple[float, float]
    """On the CPU and on the GPU."""
    given: float = 0.0
    """To move its share of the model's inputs."""
    sent: float = 0.0
    """To move what it puts out."""
    reads: frozenset[int] = frozenset()


@dataclass
class Link:
    """One queue for both directions."""

    free: float = 0.0
    busy: float = 0.0

    def carry(self, now: float, duration: float) -> float:
        """When a tensor asked for now has arrived; requests come in the order of time."""
        self.free = max(now, self.free) + duration
        self.busy += duration
        return self.free


@dataclass(frozen=True)
class Trace:
    """What a pass took."""

    makespan: float
    spans: tuple[tuple[float, float], ...]
    """Start and end of each subgraph."""
    busy: tuple[float, float, float]
    """Of the CPU, the GPU and the link."""


Tensor = tuple[str, int]
Arrival = tuple[float, int, Tensor, int]
"""Time, serial number, what, and the device it has reached."""


def ranks(tasks: Sequence[Task]) -> list[float]:
    """Longest way from each subgraph to the end, on the faster device each, links left out."""
    found = [min(task.times) for task in tasks]
    for number in reversed(range(len(tasks))):
        for source in tasks[number].reads:
            found[source] = max(found[source], min(tasks[source].times) + found[number])
    return found


class Machine:
    """Both devices and the link at work on one pass; at first nothing has run."""

    def __init__(self, tasks: Sequence[Task], place: Place, link: Link) -> None:
        self.tasks, self.place, self.link, self.now = tasks, place, link, 0.0
        rank = ranks(self.tasks)
        self._order = sorted(range(len(self.tasks)), key=lambda i: (-rank[i], i))
        self._there = {(("in", i), CPU) for i in range(len(self.tasks))}
        self._asked: set[tuple[Tensor, int]] = set()
        self._wanted: dict[int, set[int]] = {i: set() for i in range(len(self.tasks))}
        self._waiting: list[int] = []
        self._idle = [True, True]
        self._events: list[Arrival] = []
        self._serial = 0
        self.spans: dict[int, tuple[float, float]] = {}

    def fetch(self, numbers: Iterable[int]) -> None:
        """Ask for all that these subgraphs read, now or as soon as it exists."""
        chosen = set(numbers)
        for number in (i for i in self._order if i in chosen):
            device = self.place[number]
            self._ask(("in", number), device, self.tasks[number].given)
            for source in sorted(self.tasks[number].reads):
                self._want(source, device)

    def back(self, numbers: Iterable[int]) -> None:
        """Ask for what these subgraphs put out, on the CPU."""
        for number in numbers:
            self._want(number, CPU)

    def release(self, numbers: Iterable[int]) -> None:
        """Let these subgraphs run once their tensors are there."""
        chosen = set(numbers) | set(self._waiting)
        self._waiting = [i for i in self._order if i in chosen]

    def drain(self) -> float:
        """Work until nothing is under way; the time then."""
        self._dispatch()
        while self._events:
            self.now = self._events[0][0]
            while self._events and self._events[0][0] == self.now:
                self._arrive(*heapq.heappop(self._events)[2:])
            self._dispatch()
        return self.now

    def _want(self, source: int, device: int) -> None:
        self._wanted[source].add(device)
        if (("out", source), self.place[source]) in self._there:
            self._ask(("out", source), device, self.tasks[source].sent)

    def _ask(self, tensor: Tensor, device: int, duration: float) -> None:
        """Send a tensor over the link, unless it is there or on its way."""
        if (tensor, device) in self._there or (tensor, device) in self._asked:
            return
        self._asked.add((tensor, device))
        arrival = self.link.carry(self.now, duration) if duration > 0 else self.now
        self._push(arrival, tensor, device)

    def _push(self, time: float, tensor: Tensor, device: int) -> None:
        heapq.heappush(self._events, (time, self._serial, tensor, device))
        self._serial += 1

    def _arrive(self, tensor: Tensor, device: int) -> None:
        self._there.add((tensor, device))
        kind, number = tensor
        if kind == "out" and device == self.place[number]:
            self._idle[device] = True
            for other in sorted(self._wanted[number]):
                self._ask(tensor, other, self.tasks[number].sent)

    def _ready(self, number: int) -> bool:
        device = self.place[number]
        needed = [("in", number), *(("out", source) for source in self.tasks[number].reads)]
        return all((tensor, device) in self._there for tensor in needed)

    def _dispatch(self) -> None:
        """Start on each idle device the first subgraph in order that can run."""
        for number in tuple(self._waiting):
            device = self.place[number]
            if self._idle[device] and self._ready(number):
                end = self.now + self.tasks[number].times[device]
                self.spans[number] = (self.now, end)
                self._idle[device] = False
                self._waiting.remove(number)
                self._push(end, ("out", number), device)


def simulate(
    tasks: Sequence[Task],
    place: Place,
    *,
    barriers: Sequence[Sequence[int]] = (),
    link: type[Link] = Link,
) -> Trace:
    """A pass of all subgraphs.

    Args:
        tasks: subgraphs, each after those it reads.
        place: the device of each.
        barriers: phases that neither computing nor moving crosses, if any; without them a
            subgraph starts as soon as its own tensors are there.
        link: the link's rule.
    """
    machine, everything = Machine(tasks, place, link()), range(len(tasks))
    read = frozenset[int]().union(*(task.reads for task in tasks))
    for phase in barriers or [everything]:
        machine.fetch(phase)
        if barriers:
            machine.drain()
        machine.release(phase)
        if barriers:
            machine.drain()
        machine.back(i for i in phase if i not in read)
        machine.drain()
    spans = tuple(machine.spans[i] for i in everything)
    busy = [
        sum(task.times[d] for task, at in zip(tasks, place, strict=True) if at == d)
        for d in (CPU, GPU)
    ]
    return Trace(machine.now, spans, (busy[CPU], busy[GPU], machine.link.busy))
