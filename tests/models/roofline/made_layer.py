"""A machine of known speed, latency and jitter, whose clock only waiting moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dse.provenance import Number
from models.roofline.layers import told
from models.roofline.measure import WIDTHS


@dataclass(frozen=True)
class Block:
    """A matrix without its numbers."""

    rows: int
    columns: int
    width: int

    @property
    def size(self) -> int:
        return self.rows * self.columns * self.width


@dataclass
class Made:
    """Work is queued and only done at `synchronise`, up to `jitter` slower than it could be."""

    speeds: Mapping[str, float]
    bandwidth: float
    latency: float
    jitter: float = 0.0
    triad_share: float = 1.0
    """Bandwidth of a triad over that of a copy."""
    seed: int = 0
    cache: float | None = 2.0**25
    kind: str = "cpus"
    name: str = "Made(R) CPU @ 2.0GHz"
    waited: int = 0
    _clock: float = field(default=100.0, init=False)
    _queue: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.formats = tuple(self.speeds)
        self._random = np.random.default_rng(self.seed)

    def facts(self) -> Mapping[str, Number]:
        return {"cores": told(2, "1"), "memory_capacity": told(8e9, "B")}

    def environment(self) -> Mapping[str, object]:
        return {"threads": 2, "library": "made up"}

    def now(self) -> float:
        return self._clock

    def allocate(self, rows: int, columns: int, number: str) -> Block:
        return Block(rows, columns, WIDTHS[number])

    def multiply(self, left: Block, right: Block, out: Block, number: str) -> None:
        assert (left.columns, left.rows, right.columns) == (right.rows, out.rows, out.columns)
        flops = 2.0 * left.rows * left.columns * right.columns
        moved = left.size + right.size + out.size
        self._ask(max(flops / self.speeds[number], moved / self.bandwidth))

    def copy(self, source: Block, target: Block) -> None:
        self._ask((source.size + target.size) / self.bandwidth)

    def triad(self, first: Block, second: Block, target: Block) -> None:
        moved = first.size + second.size + target.size
        self._ask(moved / (self.bandwidth * self.triad_share))

    def tiny(self, buffer: Block) -> None:
        self._ask(0.0)

    def synchronise(self) -> None:
        self.waited += 1
        if self._queue:
            slower = 1.0 + self.jitter * self._random.random(len(self._queue))
            self._clock += float(np.sum(np.array(self._queue) * slower))
            self._queue.clear()

    def _ask(self, work: float) -> None:
        self._queue.append(self.latency + work)
