"""A measured table of variants, read strictly, as the kernel that a page takes.

The file is CSV, plain or gzip, with a header. Column `time_ms` (or `time_s`) holds the time of a
variant; a column `valid` may mark those that ran, with 1. Other columns are not read.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path

import numpy as np

from dse.errors import InputError, shorten

from .selection import NAMES, SHARES

COLUMNS = ("time_ms", "time_s")
LIMIT = 100_000_000
"""Bytes of a file, unpacked."""


def settings(path: Path) -> Mapping[str, object]:
    """The settings that a table stands for: its kernel.

    Raises:
        InputError: no such file, no column of times, or a time that is none.
    """
    return {"kernel": kernel_of(times(path))}


def times(path: Path) -> list[float]:
    """Times of the valid variants, in the file's unit."""
    rows = csv.DictReader(io.StringIO(_text(path), newline=""))
    column = next((name for name in COLUMNS if name in (rows.fieldnames or ())), None)
    if column is None:
        raise InputError(f"a table needs a column {' or '.join(COLUMNS)}")
    found = list(_positive(rows, column))
    if not found:
        raise InputError("a table needs at least one valid variant")
    return found


def kernel_of(measured: list[float]) -> dict[str, float]:
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


def _positive(rows: "csv.DictReader[str]", column: str) -> Iterator[float]:
    for row in rows:
        if row.get("valid", "1") != "1":
            continue
        try:
            time = float(row[column] or "")
        except ValueError:
            time = 0.0
        if not (isfinite(time) and time > 0):
            given = shorten(repr(row[column]))
            raise InputError(f"line {rows.line_num}: {column} must be above 0, got {given}")
        yield time
