"""The mechanism behind the toy's page: items pass the chips and the link one by one.

Below `RESERVE` items it agrees with the page to rounding; above, it runs out of memory before the
page thinks so. `drift` makes it slower than the page says.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from dse import registry, simulate
from dse.errors import InputError
from dse.mechanism import Case, Reference
from dse.spec import Bounds, Config, Metric, Real, Symbol, Unit, leaf
from tests.dse import toy as toys

RESERVE = 36
"""Items that truly fit; the page's sum says 40."""

COUNT = Annotated[Real, Unit("1"), Field(ge=0)]


class Wire(Config):
    """A group of knobs."""

    bandwidth: Annotated[Real, Unit("B/s"), Field(gt=0), Symbol("B"), Bounds(1e9, 64e9)] = leaf(
        16e9
    )
    """Bandwidth of all lanes."""


class Batch(Config):
    """One batch of the toy, executed."""

    wire: Wire
    items: Annotated[COUNT, Symbol("b"), Bounds(1, 1024, integer=True)] = leaf(16.0)
    """Items at once."""
    clock: Annotated[Real, Unit("Hz"), Field(gt=0), Symbol("f"), Bounds(1e8, 2e9)] = leaf(1e9)
    """Clock of the chips."""
    noise: Annotated[Real, Unit("1"), Field(ge=0), Symbol("s"), Bounds(0, 1)] = leaf(0.0)
    """Spread of an item's work."""
    drift: Annotated[Real, Unit("1"), Field(ge=0), Symbol("d"), Bounds(0, 1)] = leaf(0.0)
    """Share by which every item is slower than the page says."""
    seed: Annotated[COUNT, Symbol("k"), Bounds(0, 99, integer=True)] = leaf(0.0)
    """Of the noise."""


def execute(batch: Batch) -> Mapping[str, float | bool | str]:
    """Item by item."""
    rng = np.random.default_rng(int(batch.seed))
    ready, moved = 0.0, 0.0
    for _ in range(int(batch.items)):
        work = toys.WORK * (1 + float(batch.noise) * rng.random()) * (1 + float(batch.drift))
        ready += work / (400 * float(batch.clock) * 2 * toys.EFFICIENCY)
        moved += toys.TRAFFIC * (1 + float(batch.drift)) / float(batch.wire.bandwidth)
    fits = float(batch.items) <= RESERVE
    return {
        "batch_time": (ready + moved + toys.OVERHEAD * (1 + float(batch.drift))),
        "waiting": float("nan"),
        "feasible": fits,
        "reason": "" if fits else f"item {RESERVE + 1} finds no memory",
    }


def read_items(path: Path) -> Mapping[str, object]:
    """A file with a number of items."""
    text = path.read_text()
    if not text.strip().isdigit():
        raise InputError("must hold a number of items")
    return {"items": float(text)}


def sample() -> Iterator[Case]:
    """Few and many items at two clocks; drift makes the `slow` ones disagree."""
    for items in (1, 8, 32):
        for clock in (5e8, 1e9):
            same = {"items": items, "clock": clock}
            use = "fit" if items == 8 else "check"
            yield Case(f"plain-{items}-{clock:g}", same, same, use, group="plain")
    for items in (2, 16):
        yield Case(
            f"slow-{items}", {"items": items}, {"items": items, "drift": 0.25}, group="slow"
        )
    yield Case("tight-38", {"items": 38}, {"items": 38}, group="tight")
    yield Case("never-99", {"items": 99}, {"items": 99}, group="tight")


def published() -> Iterator[Case]:
    """Two of the toy's points."""
    yield Case("f2", {}, {"items": 16, "clock": 1e9})
    yield Case("f3", {}, {"items": 8, "clock": 5e8, "drift": 0.1})


REFERENCE = Reference(
    slug="toy",
    text="items pass chips and link one by one",
    config=Batch,
    run=execute,
    quantities={
        "batch_time": Metric("s", "min", "time of a batch"),
        "waiting": Metric("s", "min", "nobody knows"),
        "feasible": Metric("1", "", "whether all items fit"),
        "reason": Metric("", "", "why not"),
    },
    compared={"latency": "batch_time"},
    cases=sample,
    readers={"trace": read_items},
    published=published,
)


def install(put: Callable[[object, str, object], None] = setattr, **changes: object) -> None:
    """Make the registry know the toy with a reader, its chips and its mechanism."""
    toys.install(put)
    mechanism = replace(REFERENCE, **changes)  # type: ignore[arg-type]  # whatever a test changes
    page = replace(toys.TOY, readers={"trace": read_items})
    model, find = registry.model, simulate.find
    put(simulate, "find", lambda slug: mechanism if slug == "toy" else find(slug))
    put(registry, "model", lambda slug: page if slug == "toy" else model(slug))
