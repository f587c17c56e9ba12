"""One training step, event by event: kernels, two queues of transfers and a map of pages.

A kernel waits until its tensors have a place and their content; while it runs, transfers go on.
An offload frees its pages when it ends. Before the first backward kernel all offloads end. After
each backward kernel the next chosen tensors are fetched as far as the largest hole allows.
[code: github platformxlab/G10@de2c8c6 src/analysis.cc, in words of our own]

Where we differ from it: an offload that the loss kernel itself issues goes on during the backward
pass, and a tensor that is still leaving when it is needed leaves first. Sizes are rounded up to
pages on both sides; the artifact rounds down at the high end. No row that was published tells.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, inf

from dse.units import GiB

from .config import GIVEN
from .page_map import FULL, PageMap
from .program import Kernel, Program

PAGE = int(GIVEN("alignment"))


class State(Enum):
    """Where the content of a tensor is."""

    UNBORN = 0
    HERE = 1
    LEAVING = 2
    AWAY = 3
    COMING = 4


@dataclass(frozen=True)
class Freight:
    """What of a chosen tensor travels, and what stays on the GPU meanwhile; bytes."""

    wire: float
    index: float = 0.0


class StuckError(Exception):
    """No hole is large enough, and no transfer under way will make one."""


@dataclass
class Channel:
    """A queue of transfers, served one at a time."""

    queue: deque[tuple[int, float]] = field(default_factory=deque)
    """Tensor, and seconds of its transfer."""
    ends: float = inf
    """When its first transfer ends."""

    def push(self, tensor: int, time: float, *, now: float) -> None:
        """Queue a transfer."""
        self.queue.append((tensor, time))
        if len(self.queue) == 1:
            self.ends = now + time

    def pop(self) -> int:
        """The tensor whose transfer ends; the next transfer starts."""
        tensor, _ = self.queue.popleft()
        self.ends = self.ends + self.queue[0][1] if self.queue else inf
        return tensor


def pages(size: float) -> int:
    """Pages that hold some bytes.

    >>> pages(4097)
    2
    """
    return ceil(size / PAGE)


class Machine:
    """A GPU and its store while they execute a program under a plan."""

    def __init__(
        self,
        program: Program,
        plan: Mapping[int, Freight],
        *,
        memory: float,
        write: float,
        read: float,
    ) -> None:
        """Empty memory, idle channels.

        Args:
            program: what is executed.
            plan: chosen tensors and what travels of each.
            memory: of the GPU [B].
            write: rate of the way out [B/s].
            read: rate of the way back [B/s].
        """
        self.program, self.plan = program, plan
        self.write, self.read = write, read
        self.map = PageMap(int(memory // PAGE))
        self.out, self.back = self.channels()
        self.state = [State.UNBORN] * len(program.tensors)
        self.blocks: dict[int, tuple[int, int]] = {}
        self.indices: dict[int, tuple[int, int]] = {}
        self.pages = [pages(float(tensor.size)) for tensor in program.tensors]
        self.reserve = pages(program.workspace_bytes(resident=False))
        self.now = self.busy = self.offloaded = 0.0

    def channels(self) -> tuple[Channel, Channel]:
        """The ways out and back; they work at the same time."""
        return Channel(), Channel()

    def run(self) -> float:
        """Execute all kernels; the time of the step [s].

        Raises:
            StuckError: a tensor finds no place.
        """
        self.settle()
        program = self.program
        issues = listed({tensor: program.issue(tensor) for tensor in self.plan})
        born = [i for i, t in enumerate(program.tensors) if t.moves and program.uses[i]]
        deaths = listed({tensor: program.death(tensor) for tensor in born})
        for index, kernel in enumerate(program.kernels):
            while index == program.loss and self.out.queue:
                self.serve()
            for tensor in issues.get(index, ()):
                self.offload(tensor)
            self.execute(kernel, index)
            for tensor in deaths.get(index + 1, ()):
                self.map.give(*self.blocks.pop(tensor))
            if index >= program.loss:
                self.prefetch(index + 1)
        return self.now

    def settle(self) -> None:
        """Give what never leaves its pages, and the largest scratch."""
        residents = [i for i, t in enumerate(self.program.tensors) if t.resident]
        scratch = [self.pages[i] for i, t in enumerate(self.program.tensors) if t.scratch]
        for wanted in (*(self.pages[i] for i in residents), max(scratch, default=0)):
            if wanted and self.map.take(wanted, high=False) == FULL:
                raise StuckError("memory: what never leaves does not fit")

    def offload(self, tensor: int) -> None:
        """Queue a tensor on the way out."""
        self.state[tensor] = State.LEAVING
        self.out.push(tensor, self.plan[tensor].wire / self.write, now=self.now)
        self.offloaded += float(self.program.tensors[tensor].size)

    def execute(self, kernel: Kernel, index: int) -> None:
        """Wait for the places and contents that a kernel needs, then run it."""
        needed = self.program.moving(kernel)
        for tensor in needed:
            self.wait(tensor, State.LEAVING)
            while self.state[tensor] in (State.UNBORN, State.AWAY) and not self.place(tensor):
                if not (self.out.queue or self.back.queue):
                    raise StuckError(self.why(tensor, index))
                self.serve()
        for tensor in needed:
            self.wait(tensor, State.COMING)
        end = self.now + float(kernel.time)
        while min(self.out.ends, self.back.ends) <= end:
            self.serve()
        self.advance(end)

    def wait(self, tensor: int, state: State) -> None:
        """Serve transfers until a tensor's own one has ended."""
        while self.state[tensor] is state:
            self.serve()

    def place(self, tensor: int) -> bool:
        """Whether a tensor finds pages; if it was away it is queued on the way back."""
        start = self.map.take(self.pages[tensor], high=tensor in self.plan)
        if start == FULL:
            return False
        self.blocks[tensor] = (start, self.pages[tensor])
        if self.state[tensor] is State.AWAY:
            self.state[tensor] = State.COMING
            self.back.push(tensor, self.plan[tensor].wire / self.read, now=self.now)
        else:
            self.state[tensor] = State.HERE
        return True

    def prefetch(self, start: int) -> None:
        """Fetch for the kernels to come while the largest hole keeps room for any of them."""
        rest = self.map.largest() - self.reserve
        for kernel in self.program.kernels[start:]:
            for tensor in kernel.touched:
                if self.state[tensor] is not State.AWAY:
                    continue
                if rest <= self.pages[tensor] or not self.place(tensor):
                    return
                rest -= self.pages[tensor]

    def serve(self) -> None:
        """Go on to the end of the next transfer."""
        channel = self.out if self.out.ends <= self.back.ends else self.back
        self.advance(channel.ends)
        tensor = channel.pop()
        if self.state[tensor] is State.COMING:
            self.state[tensor] = State.HERE
            self.map.give(*self.indices.pop(tensor, (0, 0)))
            return
        self.state[tensor] = State.AWAY
        self.map.give(*self.blocks.pop(tensor))
        index = pages(self.plan[tensor].index)
        if index:  # smaller than the hole just made, so it finds a place
            self.indices[tensor] = (self.map.take(index, high=False), index)

    def advance(self, then: float) -> None:
        """Let time pass."""
        if self.out.queue or self.back.queue:
            self.busy += then - self.now
        self.now = then

    def why(self, tensor: int, index: int) -> str:
        """The words of a tensor that finds no place."""
        wanted, free = self.pages[tensor], self.map.free()
        cause = "fragmentation" if wanted <= free else "memory"
        sizes = [count * PAGE / GiB for count in (wanted, free, self.map.largest())]
        return (
            f"{cause}: kernel {index} needs {sizes[0]:.3g} GiB, {sizes[1]:.3g} GiB are free,"
            f" the largest hole has {sizes[2]:.3g} GiB"
        )


def listed(places: Mapping[int, int]) -> dict[int, list[int]]:
    """Tensors by the kernel named for each.

    >>> listed({7: 1, 8: 1})
    {1: [7, 8]}
    """
    found: dict[int, list[int]] = {}
    for tensor, kernel in places.items():
        found.setdefault(kernel, []).append(tensor)
    return found
