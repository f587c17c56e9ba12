"""A page small enough to check by hand, and a search of it, for tests of charts and of the app."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import pytest
from pydantic import Field

from dse import registry
from dse.archive import Archive
from dse.evaluate import Table, evaluate
from dse.provenance import Sheet
from dse.spec import (
    Bounds,
    Catalog,
    Config,
    Metric,
    Model,
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

DOCUMENT = {
    "question": "How fast is the toy, and what does it cost?",
    "model": "toy",
    "space": {
        "chip": ["p100-pcie-16gb", "a100-sxm-80gb"],
        "memory.bandwidth": {"low": "1 GB/s", "high": "100 GB/s", "log": True},
        "requests": {"low": 1, "high": 8},
    },
    "objectives": ["latency", "cost"],
    "constraints": ["latency <= 60 ms"],
    "search": {"method": "grid", "budget": 1000},
}


class Chip(Record):
    """A row of the GPU catalog, as far as the toy reads it."""

    power: Annotated[Real, Unit("W")]


class Memory(Config):
    """The toy's memory."""

    bandwidth: Annotated[
        Real, Field(gt=0), Unit("B/s"), Symbol("B"), Bounds(1e9, 1e11, log=True)
    ] = leaf(1e10)
    """Bytes read per second."""
    efficiency: Annotated[Real, Field(gt=0, le=1), Unit("1"), Symbol("e"), Bounds(0.1, 1)] = leaf(
        0.5
    )
    """Share of the bandwidth that is reached."""


class Toy(Config):
    """A design of the toy."""

    chip: Annotated[Chip, Catalog("gpus", "a100-sxm-80gb"), Symbol("C")]
    """The chip that computes."""
    memory: Memory
    """The memory it reads."""
    requests: Annotated[
        Real, Field(ge=1), Unit("request"), Symbol("b"), Bounds(1, 32, integer=True)
    ] = leaf(4.0)
    """Requests at once."""


def price(config: Toy) -> Result:
    """0.1 GB is read, then 1 ms goes by for every request."""
    memory = 1e8 / (config.memory.bandwidth * config.memory.efficiency)
    compute = 1e-3 * config.requests
    latency = memory + compute
    return Result(
        metrics={
            "latency": latency,
            "cost": 1000.0 * config.requests + config.memory.bandwidth / 1e6,
            "power": config.chip.power + 0 * latency,
            "feasible": np.asarray(config.requests * latency < 10),
        },
        terms={"memory": memory, "compute": compute},
        resources={"memory": memory, "compute": compute},
        flags={"crowded": np.asarray(config.requests > 6)},
    )


PAGE: Model[Toy] = Model(
    slug="toy",
    paper=Paper("A toy", "Nobody", "Nowhere", 2024, "", "How fast is a toy?"),
    config=Toy,
    evaluate=price,
    metrics={
        "latency": Metric("s", "min", "time of a batch"),
        "cost": Metric("USD", "min", "price of the platform"),
        "power": Metric("W", "", "power of the chip"),
        "feasible": Model.FEASIBLE,
    },
    total="latency",
    data=Sheet("toy", {}, {}, {}, (), {}),
    flags={"crowded": "batches over 6 were never measured"},
    rules=(
        Rule(
            "requests < 32",
            lambda config: np.asarray(config.requests < 32),
            "set requests to 31 or less",
        ),
    ),
)


def install(monkeypatch: pytest.MonkeyPatch) -> Model[Toy]:
    """Make the toy a page that the registry finds by its slug like any other."""
    known = registry.model
    monkeypatch.setattr(registry, "model", lambda s: PAGE if s == "toy" else known(s))
    monkeypatch.setattr(registry, "slugs", lambda: ("toy",))
    return PAGE


def study(**changes: object) -> Study:
    """The toy's question; the registry must know the toy, see `install`."""
    return build("toy", {**DOCUMENT, **changes}, place="toy.yaml")


def searched(question: Study) -> tuple[Table, Table]:
    """Every design of the grid, and the front (empty when nothing is accepted)."""
    columns: Mapping[str, np.ndarray] = question.space.grid(0, question.space.size)
    designs = evaluate(question, columns)
    archive = Archive(question)
    archive.add(designs)
    if archive.front is None:
        return designs, designs.take(np.zeros(0, dtype=np.intp))
    return designs, archive.front
