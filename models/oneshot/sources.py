"""Where a replayed table comes from: a file, kernels timed here, or parts that add up."""

import os
from functools import lru_cache
from pathlib import Path

import dse
from dse.errors import InputError, placed

from . import made_up, measured_kernels, tables
from .config import GIVEN
from .replay import Task, task_of
from .replay_config import Replayed
from .tables import Table

ORIGIN = (
    "the measured tables come from github AutoTuningAssociation/benchmark_hub (Zenodo "
    "10.5281/zenodo.15364124); set DSE_DATA to the folder that holds them, or give --table FILE"
)
TILES = (4, 8, 16, 32, 64, 128)
UNROLLS = (1, 4)


def bulk_folder() -> Path:
    """The folder of the bulk data: `DSE_DATA`, or beside the checkout."""
    beside = Path(str(dse.__file__)).parents[2] / "shared" / "data"
    return Path(os.environ.get("DSE_DATA") or beside)


def table_of(replayed: Replayed) -> Table:
    """The variants and times that a record stands for.

    Raises:
        InputError: bulk data that is not there, a file that is no table, or no compiler.
    """
    if replayed.file:
        path = bulk_folder() / replayed.file
        if not path.is_file():
            raise InputError(f"'{replayed.file}' is absent; {ORIGIN}")
        with placed(replayed.file):
            return tables.read(path)
    if replayed.matmul:
        return _measured(int(replayed.matmul))
    return made_up.made_up(
        knobs=int(replayed.knobs),
        levels=int(replayed.levels),
        spread=float(replayed.spread),
        rugged=float(replayed.rugged),
        seed=int(GIVEN("reference.parts_seed")),
    )


@lru_cache(maxsize=4)
def _measured(size: int) -> Table:
    """Kernels are timed once a process: minutes pass over some hundred variants."""
    choices = measured_kernels.variants(size, tiles=TILES, unrolls=UNROLLS)
    repeats = int(GIVEN("reference.repeats"))
    return measured_kernels.table_of(measured_kernels.measure(choices, size=size, repeats=repeats))


@lru_cache(maxsize=8)
def task(replayed: Replayed, *, failing: bool) -> Task:
    """A table as a tuner sees it, with or without the variants that fail."""
    found = table_of(replayed)
    return task_of(
        found if failing else found.running(), words=int(GIVEN("reference.marked_values"))
    )


def read_table(path: Path) -> dict[str, object]:
    """The record of a file of one's own.

    Raises:
        InputError: no such file, or one that is no table.
    """
    task_of(tables.read(path), words=0)
    return {"kernel": {"file": str(path.resolve())}}
