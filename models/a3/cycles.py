"""A3's pipeline, executed: queries pass a chain of modules, each of which takes one row a cycle.

A module starts a query when the one before has handed it on and its own last query is out: the
largest score, the list of candidates and the expsum are known only at the end. It is busy for its
rows and its fill. [derived] The exact pipeline's n + 9 and 3 n + 27 cycles say a fill of 9 each.

[assumed] Post-scoring is a module of its own with the same fill and looks at 16 scores a cycle, as
the scan of the greedy scores does: four fills of 9 cannot meet the published 1.6x at n = 20, five
do. An exposed scan works beside the next query's selection and has no fill: inside selection it
would lengthen the interval, and 2.6x at n = 20 leaves no cycle for that. Both were chosen with
these two points in sight: no constant is fitted, but 1.6x is no check of the structure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .config import DATA, GIVEN

STAGE = {
    "selection": "selection",
    "scan": "selection",
    "dot_product": "dot_product",
    "post_scoring": "exponent",
    "exponent": "exponent",
    "output": "output",
}
"""Module -> stage that its power is given with."""


class Pass(NamedTuple):
    """What one query asks of one module."""

    module: str
    active: int
    """Cycles in which it works on rows."""
    fill: int
    """Cycles in which its registers fill and empty."""


Query = tuple[Pass, ...]


def exact(*, rows: int, fill: int) -> Query:
    """A query of the exact pipeline."""
    return tuple(Pass(module, rows, fill) for module in ("dot_product", "exponent", "output"))


def approximate(
    *, rows: int, iterations: int, candidates: int, kept_rows: int, fill: int, scan: bool
) -> Query:
    """A query of the approximate pipeline; `scan` says whether the scan is exposed."""
    looked_at = int(GIVEN("scan_rows"))
    return (
        Pass("selection", iterations, fill),
        Pass("scan", math.ceil(rows / looked_at) if scan else 0, 0),
        Pass("dot_product", candidates, fill),
        Pass("post_scoring", math.ceil(candidates / looked_at), fill),
        Pass("exponent", kept_rows, fill),
        Pass("output", kept_rows, fill),
    )


@dataclass(frozen=True)
class Timing:
    """What a stream of queries takes."""

    interval: float
    """Mean cycles between two answers of a stream that goes round and round."""
    latency: float
    """Mean cycles of a query that meets an empty pipeline."""
    active: Mapping[str, float]
    """Module -> mean cycles per query in which it works on rows."""
    fills: float
    """Mean cycles of fills per query."""


def answered(queries: Sequence[Query]) -> list[int]:
    """The cycle in which each query of a stream is answered; all of them wait at the door."""
    free = dict.fromkeys((step.module for step in queries[0]), 0)
    answers = []
    for query in queries:
        clock = 0
        for module, active, fill in query:
            clock = max(clock, free[module]) + active + fill
            free[module] = clock
        answers.append(clock)
    return answers


def timed(queries: Sequence[Query]) -> Timing:
    """Times of a stream of queries."""
    count, answers = len(queries), answered([*queries, *queries])
    alone = [answered([query])[0] for query in queries]
    active = dict.fromkeys((step.module for step in queries[0]), 0)
    for query in queries:
        for module, cycles, _ in query:
            active[module] += cycles
    return Timing(
        interval=(answers[-1] - answers[count - 1]) / count,
        latency=sum(alone) / count,
        active={module: cycles / count for module, cycles in active.items()},
        fills=(sum(alone) - sum(active.values())) / count,
    )


def energy(timing: Timing, *, clock: float) -> float:
    """Energy of a query [J]: power of each module while it works, static power all the time."""
    spent = timing.latency * GIVEN("static_power") / clock
    for module, cycles in timing.active.items():
        spent = spent + cycles * _power(STAGE[module]) / GIVEN("power_clock")
    return float(spent)


def _power(stage: str) -> float:
    """Power of a stage's logic and memory, as the data file has it [memory]."""
    powers = (row["power"] for row in DATA.tables["modules"].values() if row["stage"] == stage)
    return math.fsum(power.value for power in powers if not isinstance(power, str))
