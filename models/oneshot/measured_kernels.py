"""Real kernels on the machine at hand: a tiled matrix product in C, measured variant by variant.

A variant is a C program of its own, compiled by the system's compiler and run on one core. It
repeats the product and prints the seconds of every repeat. The time of a variant is the least;
how far the middle repeat lies above it says how far a time can be trusted.
"""

import csv
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from dse.errors import InputError

from .tables import Table

ORDERS = ("ijk", "ikj", "kij")
"""Loops inside a tile, the outermost first."""
NAMES = ("tile_i", "tile_j", "tile_k", "order", "unroll")
TIMEOUT = 120.0
"""Seconds after which a variant has failed."""

SOURCE = """
#include <stdio.h>
#include <time.h>
#define N {size}
static float a[N][N], b[N][N], c[N][N];
static double now(void) {{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}}
static int least(int x, int y) {{ return x < y ? x : y; }}
int main(void) {{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {{ a[i][j] = i % 7 - 3; b[i][j] = j % 5 - 2; }}
    for (int repeat = 0; repeat < {repeats}; repeat++) {{
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) c[i][j] = 0;
        double start = now();
        for (int i0 = 0; i0 < N; i0 += {tile_i})
        for (int j0 = 0; j0 < N; j0 += {tile_j})
        for (int k0 = 0; k0 < N; k0 += {tile_k}) {{
{loops}
            c[i][j] += a[i][k] * b[k][j];
        }}
        printf("%.9f\\n", now() - start);
    }}
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum += (double)c[i][j] * (1 + (i + 2 * j) % 3);
    printf("%.1f\\n", sum);
    return 0;
}}
"""


@dataclass(frozen=True)
class Variant:
    """One way to write the product."""

    tile_i: int
    tile_j: int
    tile_k: int
    order: str
    unroll: int

    def source(self, *, size: int, repeats: int) -> str:
        """The C program."""
        lines = [self._loop(index) for index in self.order]
        lines[-1] = f"#pragma GCC unroll {self.unroll}\n{lines[-1]}"
        return SOURCE.format(size=size, repeats=repeats, loops="\n".join(lines), **vars(self))

    def _loop(self, index: str) -> str:
        tile = getattr(self, f"tile_{index}")
        end = f"least({index}0 + {tile}, N)"
        return f"            for (int {index} = {index}0; {index} < {end}; {index}++)"


@dataclass(frozen=True)
class Timing:
    """What one variant took; nothing is known of one that failed but that."""

    variant: Variant
    seconds: float = np.inf
    spread: float = np.nan
    """How far the middle repeat lies above the least, as a share of it."""
    compile_seconds: float = np.nan
    checksum: float = np.nan


def compiler() -> str | None:
    """The system's C compiler, if there is one."""
    return shutil.which("cc")


def variants(size: int, *, tiles: Sequence[int], unrolls: Sequence[int]) -> list[Variant]:
    """All variants of a product with such tiles, none larger than the product."""
    fit = [tile for tile in tiles if tile <= size]
    return [Variant(*knobs) for knobs in product(fit, fit, fit, ORDERS, unrolls)]


@contextmanager
def one_core() -> Iterator[None]:
    """Run what is started inside on one core, where the system lets a program choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(choices: Sequence[Variant], *, size: int, repeats: int) -> list[Timing]:
    """Compile and time variants one after another.

    Raises:
        InputError: this machine has no C compiler.
    """
    found = compiler()
    if found is None:
        raise InputError("real kernels need the C compiler 'cc', which this machine lacks")
    with tempfile.TemporaryDirectory() as scratch, one_core():
        return [
            _timed(found, variant, Path(scratch), size=size, repeats=repeats)
            for variant in choices
        ]


def _timed(cc: str, variant: Variant, scratch: Path, *, size: int, repeats: int) -> Timing:
    source, program = scratch / "kernel.c", scratch / "kernel"
    source.write_text(variant.source(size=size, repeats=repeats), encoding="utf-8")
    began = time.perf_counter()
    try:
        _run([cc, "-O2", "-o", str(program), str(source)])
        compiled = time.perf_counter() - began
        *times, checksum = map(float, _run([str(program)]).split())
    except (subprocess.SubprocessError, OSError):
        return Timing(variant)
    least = min(times)
    spread = statistics.median(times) / least - 1
    return Timing(variant, least, spread, compiled, checksum)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT)
    return done.stdout


def table_of(timings: Sequence[Timing]) -> Table:
    """Timings as a table to replay."""
    values = [[float(_place(t.variant, name)) for name in NAMES] for t in timings]
    return Table(NAMES, np.array(values), np.array([t.seconds for t in timings]))


def _place(variant: Variant, name: str) -> int:
    value = getattr(variant, name)
    return ORDERS.index(value) if name == "order" else int(value)


def write(timings: Sequence[Timing], path: Path) -> None:
    """Timings as a file that `tables.read` takes."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*NAMES, "time_s", "spread", "compile_s", "valid"])
        for t in timings:
            knobs = [getattr(t.variant, name) for name in NAMES]
            ran = np.isfinite(t.seconds)
            rows.writerow([*knobs, t.seconds, t.spread, t.compile_seconds, int(ran)])
