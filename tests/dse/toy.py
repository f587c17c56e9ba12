"""A small but complete page: what the framework promises is tested on it, away from content.

A machine of some chips and a link works through a batch. `install` makes registry know the page;
the fixture `toy` undoes that, and processes that a test starts call it themselves.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

import numpy as np
from pydantic import Field

from dse import evaluate, registry
from dse.provenance import Number, Point, Sheet, Source
from dse.spec import (
    Array,
    Bounds,
    Catalog,
    Config,
    Mask,
    Metric,
    Model,
    Monotone,
    Paper,
    Real,
    Record,
    Result,
    Rule,
    Symbol,
    Unit,
    leaf,
)
from dse.study import Study, build

WORK = 4e9
"""Operations of one item."""
TRAFFIC = 8e6
"""Bytes that one item moves."""
OVERHEAD = 2e-3
EFFICIENCY = 0.5

MADE_UP = Source(where="made up for tests", kind="assumed")
FITTED = Source(where="fitted on f1 to f3", kind="fitted")

CHIPS: Mapping[str, dict[str, object]] = MappingProxyType(
    {
        "tiny": {"slug": "tiny", "rate": 100.0, "power": 5.0, "memory": 1e9, "price": 100.0},
        "small": {"slug": "small", "rate": 400.0, "power": 20.0, "memory": 4e9, "price": 500.0},
        "large": {"slug": "large", "rate": 2e3, "power": 150.0, "memory": 16e9, "price": 6e3},
        "unpriced": {"slug": "unpriced", "rate": 4e3, "power": 99.0, "memory": 16e9},
        "unfinished": {"slug": "unfinished", "power": 9.0, "memory": 1e9, "price": 1.0},
    }
)
"""A catalog: one row without a price, which may be unknown, and one without a rate."""

Count = Annotated[Real, Unit("1"), Field(ge=1)]


class Chip(Record):
    """What the page reads of a chip."""

    rate: Annotated[Real, Unit("op")]
    """Operations a cycle."""
    power: Annotated[Real, Unit("W")]
    memory: Annotated[Real, Unit("B")]
    price: Annotated[Real, Unit("USD")] = leaf(float("nan"))


class Link(Config):
    """A group of knobs."""

    bandwidth: Annotated[
        Real, Field(gt=0), Unit("B/s"), Symbol("B"), Bounds(1e9, 64e9, log=True)
    ] = leaf(8e9)
    """Bandwidth of one lane."""
    lanes: Annotated[Count, Symbol("l"), Bounds(1, 8, integer=True)] = leaf(2.0)
    """Lanes side by side."""


class Machine(Config):
    """A design of the toy."""

    chip: Annotated[Chip, Catalog("toy.chips", "small"), Symbol("c")]
    """The chip."""
    link: Link
    chips: Annotated[Count, Symbol("n"), Bounds(1, 16, integer=True)] = leaf(2.0)
    """Chips of the machine."""
    items: Annotated[Count, Symbol("b"), Bounds(1, 1024, log=True, integer=True)] = leaf(16.0)
    """Items at once."""
    clock: Annotated[Real, Field(gt=0), Unit("Hz"), Symbol("f"), Bounds(1e8, 2e9)] = leaf(1e9)
    """Clock of the chips."""
    cached: Annotated[Real, Unit("1"), Symbol("z"), Bounds(0, 1, integer=True)] = leaf(0.0)
    """Whether there is a cache."""
    cache: Annotated[Real, Field(ge=0), Unit("B"), Symbol("m"), Bounds(1e6, 1e9, log=True)] = leaf(
        1e6
    )
    """Size of the cache; it counts only where there is one."""
    efficiency: Annotated[Real, Unit("1"), Field(gt=0, le=1), Symbol(r"\eta"), Bounds(0.1, 1)] = (
        leaf(EFFICIENCY)
    )
    """Fitted: share of the rate that is reached."""
    overhead: Annotated[Real, Unit("s"), Field(ge=0), Symbol("t_0"), Bounds(0, 0.1)] = leaf(
        OVERHEAD
    )
    """Fitted: time of starting a batch."""


def miss_share(*, cached: Array, cache: Array) -> Array:
    """Share of the traffic that passes the cache."""
    return np.where(cached > 0, 1 / (1 + cache / 64e6), 1.0)


def price_machine(config: Machine) -> Result:
    """Time, energy and cost of one batch."""
    chip, link = config.chip, config.link
    rate = chip.rate * config.clock * config.chips * config.efficiency
    moved = TRAFFIC * config.items * miss_share(cached=config.cached, cache=config.cache)
    compute, transfer = WORK * config.items / rate, moved / (link.bandwidth * link.lanes)
    latency = compute + transfer + config.overhead
    power = config.chips * chip.power * config.clock / 1e9 + 2 * link.lanes + 3 * config.cached
    needed = 2e8 * config.items
    return Result(
        metrics={
            "latency": latency,
            "throughput": config.items / latency,
            "energy": power * latency,
            "power": power,
            "cost": config.chips * chip.price
            + 50 * link.lanes
            + config.cached * config.cache / 1e7,
            "utilisation": compute / latency,
            "needed": needed,
            "feasible": np.where(needed <= config.chips * chip.memory, 1.0, 0.0),
        },
        terms={"compute": compute, "transfer": transfer, "overhead": config.overhead},
        resources={"chips": compute, "link": transfer},
        flags={"fast": np.asarray(config.clock > 1.5e9)},
    )


def few_lanes(config: Machine) -> Mask:
    """Whether the chips have pins for all lanes."""
    return config.link.lanes <= 4 * config.chips


def published(name: str, use: str, latency: float, settings: Mapping[str, object]) -> Point:
    """A published latency."""
    number = Number(value=latency, unit="s", source=MADE_UP)
    return Point(id=name, use=use, quantity="latency", number=number, settings=settings)


def known_latency(items: float, clock: float, *, efficiency: float, overhead: float) -> float:
    """Latency of two small chips with a link of 16 GB/s, written out again by hand."""
    return 4e9 * items / (400 * clock * 2 * efficiency) + 8e6 * items / 16e9 + overhead


def sheet(*, efficiency: float = EFFICIENCY, overhead: float = OVERHEAD) -> Sheet:
    """Facts of a page whose published points were made with these constants."""
    made = {"f1": (1, 1e9), "f2": (16, 1e9), "f3": (8, 5e8), "c1": (64, 2e9)}
    points = [
        published(
            name,
            "check" if name.startswith("c") else "fit",
            known_latency(items, clock, efficiency=efficiency, overhead=overhead),
            {"items": items, "clock": clock},
        )
        for name, (items, clock) in made.items()
    ]
    on = ("f1", "f2", "f3")
    return Sheet(
        name="toy",
        paper={},
        parameters={
            "efficiency": Number(value=EFFICIENCY, unit="1", source=FITTED, fitted_on=on),
            "overhead": Number(value=OVERHEAD, unit="s", source=FITTED, fitted_on=on),
        },
        tables={},
        points=tuple(points),
        notes={},
    )


TOY = Model(
    slug="toy",
    paper=Paper("Toy", "Nobody", "Nowhere", 2024, "", "how big a machine is enough?"),
    config=Machine,
    evaluate=price_machine,
    metrics={
        "latency": Metric("s", "min", "time of a batch"),
        "throughput": Metric("1/s", "max", "items per second"),
        "energy": Metric("J", "min", "energy of a batch"),
        "power": Metric("W", "min", "power while at work"),
        "cost": Metric("USD", "min", "price of the machine"),
        "utilisation": Metric("1", "max", "share of time that the chips compute"),
        "needed": Metric("B", "", "memory that a batch needs"),
        "feasible": Model.FEASIBLE,
    },
    total="latency",
    data=sheet(),
    flags={"fast": "no chip was measured above 1.5 GHz"},
    rules=(Rule("link.lanes <= 4 chips", few_lanes, "set link.lanes lower"),),
    monotone=(Monotone("clock", "latency", -1),),
)


def install(put: Callable[[object, str, object], None] = setattr) -> None:
    """Make the registry know the toy and its chips; `put` may undo it later."""
    model, catalog, slugs = registry.model, registry.catalog, registry.slugs
    put(registry, "model", lambda slug: TOY if slug == "toy" else model(slug))
    put(registry, "catalog", lambda name: CHIPS if name == "toy.chips" else catalog(name))
    put(registry, "slugs", lambda: (*slugs(), "toy"))


def start_worker(slug: str, document: dict[str, object]) -> None:
    """What a worker process of a test does first: know the toy, then what every worker does."""
    install()
    evaluate._WORKER["study"] = build(slug, document, place=slug)


SPACE: Mapping[str, object] = MappingProxyType(
    {
        "chip": ["tiny", "small", "large", "unpriced"],
        "chips": [1, 2, 4],
        "link.bandwidth": {"low": "2 GB/s", "high": "32 GB/s", "log": True, "levels": 3},
        "link.lanes": {"low": 1, "high": 7, "step": 3},
        "cached": [0, 1],
        "cache": {"choices": ["1 MB", "64 MB"], "when": "cached == 1"},
    }
)
"""A space of 4 x 3 x 3 x 3 x (1 + 2) designs; the bandwidth is a continuous range."""


def document(**changes: object) -> dict[str, object]:
    """A study of the toy as it stands in a file, with some entries changed."""
    plain: dict[str, object] = {
        "question": "how big a machine is enough?",
        "model": "toy",
        "set": {"items": 8},
        "space": dict(SPACE),
        "objectives": ["latency", "cost"],
        "constraints": ["energy <= 50 J"],
        "search": {"method": "grid", "budget": 10_000, "seed": 3},
    }
    return plain | changes


def study(**changes: object) -> Study:
    """The same, ready to be searched."""
    return build("toy", document(**changes), place="toy.yaml")
