"""A measured table of variants, read strictly: the format in which tuning caches are shared.

The file is CSV, plain or gzip, with a header. Column `time_ms` (or `time_s`) holds the time of a
variant; a column `valid` may mark those that ran, with 1. Columns that start with `compile` or
`spread` tell of the measurement and are not read. Every other column is a knob. A page takes the
kernel that the table stands for; the executable reference replays its rows.
"""

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from dse.errors import InputError, shorten
from dse.spec import Array
from dse.units import MILLI

from .config import NAMES, SHARES

COLUMNS = {"time_ms": MILLI, "time_s": 1.0}
"""Column of times -> seconds of its unit."""
ASIDE = ("compile", "spread")
"""How columns start that are neither a knob nor a time."""
LIMIT = 100_000_000
"""Bytes of a file, unpacked."""


@dataclass(frozen=True)
class Table:
    """Measured variants: a row of knob values each, and the seconds it took, inf if it failed."""

    names: tuple[str, ...]
    values: Array
    """Number of every knob, or the place of a word in the order of the knob's words."""
    seconds: Array

    def running(self) -> "Table":
        """The variants that ran."""
        ran = np.isfinite(self.seconds)
        return Table(self.names, self.values[ran], self.seconds[ran])


def settings(path: Path) -> Mapping[str, object]:
    """The settings that a table stands for: its kernel.

    Raises:
        InputError: no such file, no column of times, or a time that is none.
    """
    return {"kernel": kernel_of(times(path))}


def times(path: Path) -> list[float]:
    """Seconds of the variants that ran."""
    return list(map(float, read(path).running().seconds))


def read(path: Path) -> Table:
    """All variants of a table.

    Raises:
        InputError: no such file, no column of times, or a time that is none.
    """
    rows = csv.DictReader(io.StringIO(_text(path), newline=""))
    header = rows.fieldnames or ()
    column = next((name for name in COLUMNS if name in header), None)
    if column is None:
        raise InputError(f"a table needs a column {' or '.join(COLUMNS)}")
    names = tuple(name for name in header if _is_knob(name))
    seconds, knobs = [], []
    for row in rows:
        seconds.append(_seconds(row, column, rows.line_num))
        knobs.append([_present(row, name, rows.line_num) for name in names])
    if not np.isfinite(seconds).any():
        raise InputError("a table needs at least one valid variant")
    columns = [_numbers(column) for column in zip(*knobs, strict=True)]
    return Table(names, np.array(columns).T.reshape(len(seconds), len(names)), np.array(seconds))


def kernel_of(measured: Sequence[float]) -> dict[str, float]:
    """Size and quantiles of a table, as ratios to its best time.

    >>> kernel_of([3.0, 2.0, 4.0, 8.0])["p50"]
    1.5
    """
    ratios = np.sort(np.asarray(measured)) / min(measured)
    # The share u ends with the variant of rank u N; rounding must not lift a whole rank.
    ranks = np.ceil(SHARES * len(ratios) - len(ratios) * np.finfo(float).eps).astype(int)
    quantiles = ratios[np.maximum(ranks, 1) - 1]
    return {
        "space": float(len(ratios)),
        **dict(zip(NAMES, map(float, quantiles), strict=True)),
    }


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as content:
            raw = content.read(LIMIT + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read: {error}") from None
    if len(raw) > LIMIT:
        raise InputError(f"a table holds at most {LIMIT} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("a table is text in UTF-8") from None


def _is_knob(name: str) -> bool:
    return name not in COLUMNS and name != "valid" and not name.startswith(ASIDE)


def _seconds(row: Mapping[str, str | None], column: str, line: int) -> float:
    if row.get("valid", "1") != "1":
        return np.inf
    try:
        time = float(row[column] or "")
    except ValueError:
        time = 0.0
    if not (isfinite(time) and time > 0):
        given = shorten(repr(row[column]))
        raise InputError(f"line {line}: {column} must be above 0, got {given}")
    return time * COLUMNS[column]


def _present(row: Mapping[str, str | None], name: str, line: int) -> str:
    value = row[name]
    if value is None:
        raise InputError(f"line {line}: {name} must be given; the line is too short")
    return value


def _numbers(column: Sequence[str]) -> list[float]:
    """A column as numbers; a column with a word in it as places in the order of its words."""
    try:
        found = [float(value) for value in column]
    except ValueError:
        found = []
    if found and all(map(isfinite, found)):
        return found
    places = {word: float(place) for place, word in enumerate(sorted(set(column)))}
    return [places[word] for word in column]
