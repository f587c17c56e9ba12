"""The designed sample that the page's constant is fitted on: 20 profiles, executed.

`python -m tests.models.flashneuron.executed` writes `executed.csv` anew, in about a minute.
Every profile at four sizes of memory and at the six bandwidths of the artifact's sweep; 40 GiB,
where all published rows stand, is left out. A run that ends early has no time.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any, cast

from dse import registry
from dse.spec import AnyModel
from models.flashneuron.reference import REFERENCE, Execution

MEMORIES = (24, 32, 48, 80)
BANDWIDTHS = (3.2, 6.4, 12.8, 19.2, 25.6, 32)
FILE = Path(__file__).with_name("executed.csv")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Run:
    """One executed step; empty time and bytes where it ended early."""

    trace: str
    memory: float
    """GiB."""
    bandwidth: float
    """GiB/s."""
    time: float | None
    """s."""
    offloaded: float | None
    """GiB."""

    @property
    def network(self) -> str:
        """What is left out together."""
        return self.trace.split("_", 1)[0]


def configured(settings: dict[str, object]) -> Execution:
    """A reference's config as the command makes it."""
    return cast("Execution", registry.starting_point(cast("AnyModel", REFERENCE), settings))


def traced(data: Path, name: str) -> dict[str, object]:
    """A profile of the bulk data, as settings of the reference."""
    return dict(REFERENCE.readers["trace"](data / "flashneuron-traces" / f"{name}.json.gz"))


def names(data: Path) -> list[str]:
    """Profiles of the bulk data."""
    files = sorted((data / "flashneuron-traces").glob("*.json.gz"))
    return [file.name.removesuffix(".json.gz") for file in files]


def executed(config: Execution, memory: float, bandwidth: float) -> dict[str, Any]:
    """A step at another memory [GiB] and bandwidth [GiB/s]."""
    knobs = {"memory": memory * 2.0**30, "ssd_bandwidth": bandwidth * 2.0**30}
    return dict(REFERENCE.run(Execution.batched(knobs, config)))


def runs(data: Path) -> Iterator[Run]:
    """The whole sample, executed."""
    for name in names(data):
        config = configured(traced(data, name))
        for memory, bandwidth in product(MEMORIES, BANDWIDTHS):
            found = executed(config, memory, bandwidth)
            time = float(f"{found['iteration_time']:.7g}") if found["feasible"] else None
            gone = float(f"{found['offloaded_bytes'] / 2**30:.7g}") if found["feasible"] else None
            yield Run(name, memory, bandwidth, time, gone)


def kept() -> list[Run]:
    """The sample as executed before."""
    with FILE.open(newline="") as file:
        return [
            Run(row["trace"], float(row["memory"]), float(row["bandwidth"]), *_found(row))
            for row in csv.DictReader(file)
        ]


def _found(row: dict[str, str]) -> list[float | None]:
    return [float(row[key]) if row[key] else None for key in ("time", "offloaded")]


def write(sample: Sequence[Run]) -> None:
    """Keep a sample."""
    with FILE.open("w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        columns = [field.name for field in fields(Run)]
        lines.writerow(columns)
        lines.writerows([getattr(run, column) for column in columns] for run in sample)


if __name__ == "__main__":
    write(list(runs(Path(os.environ.get("DSE_DATA") or ROOT.parent / "shared" / "data"))))
