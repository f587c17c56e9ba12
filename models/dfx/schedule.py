"""When DFX's instructions run: queues in order, a scoreboard of what is valid, chaining.

An instruction starts when it is the next of its queue, its unit is free and its sources are
valid; the queues of compute, dma and router run side by side. Chaining: a compute instruction
starts while its source is still being made, as late as lets it read one chunk after the other
without a pause. A gather moves complete sub-vectors, so it waits for the last element.

The matrix unit takes a tile per `interval` and makes its outputs band by band. Weights are
streamed and not kept: reads run ahead of their use by the memory's latency and no further, so
only what was written shortly before (keys, values) can be late. [derived] where [walkthrough]
is silent; no number here was fitted.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from .program import ELEMENT, MATRIX, Instruction, Task, token
from .tiles import bands, stream_cycles, tiles, visit


@dataclass(frozen=True)
class Machine:
    """A core, its memories and its ring; all times are cycles of the core's clock."""

    depth: int
    lanes: int
    multiply: float
    add: float
    exp: float
    bypass: float
    reciprocal: float
    root: float
    gelu: float
    compare: float
    port: float
    """Bytes of HBM per cycle."""
    hbm_latency: float
    channels: float
    """Elements that a transposed write moves per cycle: one a channel."""
    ddr: float
    """Bytes of DDR per cycle."""
    ddr_latency: float
    link: float
    """Bytes of the ring per cycle."""
    hop: float

    @property
    def interval(self) -> float:
        """Cycles between two tiles: one, or more where the memory is slower."""
        return max(1.0, self.depth * self.lanes * ELEMENT / self.port)

    @property
    def tree(self) -> float:
        """Cycles of the adder tree over a tile's depth, or over a chunk of a vector."""
        return math.ceil(math.log2(self.depth)) * self.add

    @property
    def pipeline(self) -> float:
        """Cycles from a tile to its column's sum: product, tree, running sum."""
        return self.multiply + self.tree + self.add

    @property
    def maximum(self) -> float:
        """Cycles of the tree that finds the largest of the lanes."""
        return math.ceil(math.log2(self.lanes)) * self.compare

    def chunks(self, size: int) -> int:
        """Chunks of `depth` elements that a vector takes."""
        return math.ceil(size / self.depth)

    def tiles(self, found: Instruction) -> int:
        """Tiles of a matrix instruction or of its stream."""
        rows, columns = tiles(found.rows, found.columns, self.depth, self.lanes)
        return rows * columns

    def vector_latency(self, kind: str, size: int) -> float:
        """Cycles from a vector instruction's first chunk to its first result."""
        sums = self.bypass + self.tree + self.chunks(size) * self.add
        return {
            "add": self.add,
            "sub": self.add,
            "mul": self.multiply,
            "exp": self.exp,
            "accum": sums,
            "recip": self.reciprocal,
            "recip_sqrt": self.root,
        }[kind]


class Valid(NamedTuple):
    """When the first and the last element of a value can be read."""

    first: float
    last: float

    def part(self, index: int, count: int) -> "Valid":
        """One of `count` equal parts, made one after the other at an even pace."""
        pace = (self.last - self.first) / count
        return Valid(self.first + index * pace, self.last - (count - 1 - index) * pace)

    def joined(self, later: "Valid") -> "Valid":
        """Two parts as one value."""
        return Valid(min(self.first, later.first), max(self.last, later.last))


class Event(NamedTuple):
    """When an instruction ran: it held its unit from start to end."""

    instruction: Instruction
    unit: str
    start: float
    end: float


@dataclass(frozen=True)
class Rules:
    """What the machine is allowed to do; every one of them is the paper's."""

    overlap: bool = True
    """Compute while the weights stream in; otherwise only after the last of them."""
    chaining: bool = True
    """Start on a source that is still being made."""


class Scoreboard:
    """One board that runs a program."""

    def __init__(self, machine: Machine, boards: int, rules: Rules | None = None) -> None:
        """Start with nothing valid, at cycle 0."""
        self.machine, self.boards, self.rules = machine, boards, rules or Rules()
        self.valid: dict[str, Valid] = {}
        self.issued: defaultdict[str, float] = defaultdict(float)
        self.free: defaultdict[str, float] = defaultdict(float)
        self.events: list[Event] = []

    def run(self, program: Sequence[Instruction]) -> Sequence[Event]:
        """Give every instruction its time, in the order of the program."""
        for instruction in program:
            if instruction.kind in MATRIX:
                self._matrix(instruction)
            elif instruction.queue == "compute":
                self._vector(instruction)
            elif instruction.kind == "read_hbm":
                self._stream(instruction)
            elif instruction.queue == "dma":
                self._transfer(instruction)
            else:
                self._gather(instruction)
        return self.events

    def _start(self, found: Instruction, unit: str, span: float = 0.0) -> float:
        """First cycle at which it may run and read its sources over `span` cycles."""
        start = max(self.issued[found.queue], self.free[unit])
        parts = (found.part, *[(0, 1)] * len(found.sources))
        for name, part in zip(found.sources, parts, strict=False):
            source = self.valid[name].part(*part)
            late = source.last - span if self.rules.chaining else source.last
            start = max(start, source.first, late)
        return start

    def _done(self, found: Instruction, unit: str, start: float, end: float) -> None:
        """Book the unit; the queue goes on with its next instruction a cycle later."""
        self.issued[found.queue] = start + 1
        self.free[unit] = end
        self.events.append(Event(found, unit, start, end))

    def _matrix(self, found: Instruction) -> None:
        machine, unit = self.machine, "matrix"
        rows, columns = tiles(found.rows, found.columns, machine.depth, machine.lanes)
        lag, interval = int(machine.add), machine.interval
        descent = (rows - 1) * visit(bands(columns, lag)[0], lag, interval)
        start = self._start(found, unit, descent)
        end = start + stream_cycles(rows, columns, lag, interval)
        latency = machine.pipeline + (machine.gelu if found.then == "gelu" else 0.0)
        made = Valid(start + descent + latency, end - interval + latency)
        self.valid[found.target] = made.joined(self.valid.get(found.target, made))
        if found.then == "max":
            largest = made.last + machine.maximum
            self.valid[f"{found.target}.max"] = Valid(largest, largest)
        self.free["hbm"] = end
        self._done(found, unit, start, end)

    def _vector(self, found: Instruction) -> None:
        chunks = self.machine.chunks(found.columns)
        start = self._start(found, "vector", chunks - 1)
        first = start + self.machine.vector_latency(found.kind, found.columns)
        last = first if found.kind == "accum" else first + chunks - 1
        self.valid[found.target] = Valid(first, last)
        self._done(found, "vector", start, start + chunks)

    def _stream(self, found: Instruction) -> None:
        """A read that the matrix unit takes up as it comes; what is before it must be taken up."""
        machine = self.machine
        ahead = self.free["hbm"] - machine.hbm_latency
        asked = max(ahead, self._start(found, "request"), 0.0)
        length = machine.tiles(found) * machine.interval
        here = asked + machine.hbm_latency + (0.0 if self.rules.overlap else length)
        self.valid[found.target] = Valid(here, here)
        self.issued["dma"] = asked
        self.events.append(Event(found, "hbm", here, here + length))

    def _transfer(self, found: Instruction) -> None:
        machine = self.machine
        size, slow = found.columns * ELEMENT, found.kind == "read_ddr"
        unit = "ddr" if slow else "store"
        length = size / (machine.ddr if slow else machine.port)
        if found.kind == "write_transposed":
            length = found.columns / machine.channels
        start = self._start(found, unit)
        done = start + length + (machine.ddr_latency if slow else machine.hbm_latency)
        self.valid[found.target] = Valid(done, done)
        self._done(found, unit, start, start + length)

    def _gather(self, found: Instruction) -> None:
        machine, start = self.machine, self._start(found, "router")
        part = found.columns * ELEMENT / self.boards
        end = start + (self.boards - 1) * (part / machine.link + machine.hop)
        self.valid[found.target] = Valid(end, end)
        self._done(found, "router", start, end)


Counts = Mapping[str, float]
"""Cycles of a token, and of every unit's work in it."""

UNITS = ("matrix", "vector", "hbm", "router")


def counts(machine: Machine, task: Task, rules: Rules | None = None) -> Counts:
    """Cycles until a token is out, and cycles that each unit is held.

    `weights` are the cycles in which all weights stream, `weight_tiles` those of the layers.
    """
    board = Scoreboard(machine, task.boards, rules)
    events = board.run(token(task))
    busy = {unit: sum(e.end - e.start for e in events if e.unit == unit) for unit in UNITS}
    layers = [e.instruction for e in events if e.instruction.kind == "conv1d"]
    head = [e.instruction for e in events if e.instruction.target == "logits"]
    weight_tiles = sum(machine.tiles(i) for i in layers)
    return {
        "cycles": max(valid.last for valid in board.valid.values()),
        **busy,
        "weights": machine.interval * (weight_tiles + sum(machine.tiles(i) for i in head)),
        "weight_tiles": float(weight_tiles),
        "instructions": float(len(events)),
    }


@cache
def by_layer(machine: Machine, task: Task, rules: Rules | None = None) -> tuple[Counts, Counts]:
    """Counts of a token, and of one more layer.

    From the second layer on a layer starts in the state in which the one before it started, so
    the rest are as long as the third.
    """
    two = counts(machine, replace(task, layers=2), rules)
    three = counts(machine, replace(task, layers=3), rules)
    layer = {name: three[name] - two[name] for name in two}
    return {name: two[name] + (task.layers - 2) * layer[name] for name in two}, layer


def request(machine: Machine, task: Task, passes: int, rules: Rules | None = None) -> Counts:
    """Counts of a whole request: a pass attends to itself and to all before it.

    Passes whose keys and values fill as many tiles and chunks take the same cycles.
    """
    depth, lanes = machine.depth, machine.lanes
    filled = (
        min(math.ceil(c / depth) * depth, math.ceil(c / lanes) * lanes)
        for c in range(1, passes + 1)
    )
    total: dict[str, float] = {}
    for context, passed in Counter(filled).items():
        found, _layer = by_layer(machine, replace(task, context=context), rules)
        for name, value in found.items():
            total[name] = total.get(name, 0.0) + passed * value
    return total
