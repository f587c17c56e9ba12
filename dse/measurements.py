"""A person's own measurements: a CSV file with knobs and measured metrics as columns.

The first line names the columns: a knob by its dotted path, a kind of file that the page reads,
or a metric; a unit may stand behind a name, as in `latency [ms]`, or in every cell. `id` names
rows, `group` says which are alternatives of one another. An empty cell leaves a knob at its
default and says that a metric was not measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from dse import files, registry, units
from dse.errors import InputError, closest, placed, shorten
from dse.spec import AnyModel, Array, Config, at, knobs

NAMES = ("id", "group")
"""Columns that are neither settings nor measurements."""

TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
"""How the column `feasible` says whether a design ran."""

_HEAD = re.compile(r"(?P<name>[^\[\]]+?)\s*(\[(?P<unit>[^\[\]]*)\])?")
_BARE = re.compile(r"[+-]?\.?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Measurement:
    """One row: what was set, and what was measured, in SI."""

    line: int
    """Of the file."""
    id: str
    group: str
    ran: bool
    """False where the row says that the design was infeasible; nothing was measured then."""
    settings: Mapping[str, object]
    """Dotted knob -> SI number or slug; kind of file -> path."""
    values: Mapping[str, float]
    """Metric -> what was measured."""


@dataclass(frozen=True)
class Column:
    """One column: what it stands for, and the unit that its bare numbers are in."""

    name: str
    kind: Literal["name", "file", "choice", "knob", "metric"]
    """A choice is a knob whose values are slugs; only knobs and metrics are quantities."""
    unit: str
    """What knob or metric are in."""
    written: str
    """The unit of the heading; empty where it names none."""
    rows: tuple[str, ...] = ()
    """Slugs that a file's column may name too, where a knob is called as the kind of file is."""


def read(page: AnyModel, path: Path) -> list[Measurement]:
    """The rows of a CSV file of measurements; empty lines are passed over.

    Raises:
        InputError: no such file, no CSV, an unknown column, no metric, or a cell that is no
            quantity of its column's unit, each with its line.
    """
    head, *rows = _cells(path)
    columns = [_column(page, text, f"{path}:1") for text in head]
    _refuse_head(page, columns, f"{path}:1")
    found = [
        _measurement(columns, cells, line, f"{path}:{line}")
        for line, cells in enumerate(rows, start=2)
        if any(cells)
    ]
    if not found:
        raise InputError(f"{path}: holds no row below its column names; add measurements")
    return found


def _cells(path: Path) -> list[list[str]]:
    """Every line of the file as cells, as many as the first line has."""
    import pandas as pd  # noqa: PLC0415 - half a second that other verbs save

    try:
        frame = pd.read_csv(
            path,
            header=None,  # as a plain line, so that names are not renamed and rows make no index
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            encoding="utf-8-sig",
        )
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give an existing file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; give a CSV file") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(f"{path}: not readable as CSV: {reason}; separate by commas") from None
    lines = [list(row) for row in frame.itertuples(index=False)]
    return [_line(cells, f"{path}:{i}") for i, cells in enumerate(lines, start=1)]


def _line(cells: Sequence[object], where: str) -> list[str]:
    """One line's cells, stripped; where a line ends early they are empty."""
    texts = [str(cell).strip() for cell in cells]
    if any("\n" in text for text in texts):
        raise InputError(f"{where}: a cell goes on over several lines; write it on one")
    return texts


def _column(page: AnyModel, text: str, where: str) -> Column:
    parts = _HEAD.fullmatch(text)
    name, written = (parts["name"], parts["unit"] or "") if parts else (text, "")
    known = knobs(page.config)
    if name in NAMES:
        column = Column(name, "name", "", written)
    elif name in page.readers:
        catalog = known[name].catalog if name in known else None
        rows = tuple(registry.catalog(catalog.name)) if catalog else ()
        column = Column(name, "file", "", written, rows)
    elif name in known:
        kind: Literal["choice", "knob"] = "choice" if known[name].catalog else "knob"
        column = Column(name, kind, known[name].unit or "1", written)
    elif name in page.metrics:
        column = Column(name, "metric", page.metrics[name].unit or "1", written)
    else:
        near = closest(shorten(name), [*NAMES, *page.readers, *known, *page.metrics])
        split = "; separate columns by commas" if ";" in name or "\t" in name else ""
        told = f"'{shorten(name)}' is neither a knob nor a metric of '{page.slug}'"
        raise InputError(f"{where}: {told}; {near}{split}")
    _refuse_unit(column, f"{where}: column '{name}'")
    return column


def _refuse_unit(column: Column, where: str) -> None:
    if not column.written:
        return
    if column.kind not in ("knob", "metric"):
        raise InputError(f"{where}: holds names, which have no unit; drop [{column.written}]")
    with placed(where):
        given = units.si(column.written)[1]
    if given != units.si(column.unit)[1]:
        raise InputError(f"{where}: [{column.written}] measures {given}, not {column.unit}")


def _refuse_head(page: AnyModel, columns: Sequence[Column], where: str) -> None:
    names = [column.name for column in columns]
    if doubled := [name for i, name in enumerate(names) if name in names[:i]]:
        raise InputError(f"{where}: column '{doubled[0]}' stands twice; drop one")
    if not any(column.kind == "metric" and column.name != "feasible" for column in columns):
        known = ", ".join(name for name in page.metrics if name != "feasible")
        raise InputError(f"{where}: no column is a measured metric of '{page.slug}': {known}")


def _measurement(
    columns: Sequence[Column], cells: Sequence[str], line: int, where: str
) -> Measurement:
    filled = {c.name: (c, text) for c, text in zip(columns, cells, strict=True) if text}
    named = {name: filled.pop(name)[1] for name in NAMES if name in filled}
    ran = _ran(filled.pop("feasible")[1], where) if "feasible" in filled else True
    values = {
        name: _number(column, text, where)
        for name, (column, text) in filled.items()
        if column.kind == "metric"
    }
    for name, value in values.items():
        if not 0 <= value < math.inf:
            said = f"`{name} >= 0` must hold of what was measured, got {value:g}"
            raise InputError(f"{where}: {said}; mend the line or drop it")
    if ran and not values:
        raise InputError(f"{where}: nothing was measured; fill a metric or drop the line")
    if values and not ran:
        told = f"called infeasible, yet {next(iter(values))} was measured"
        raise InputError(f"{where}: {told}; empty one of both")
    settings = {
        name: _setting(column, text, where)
        for name, (column, text) in filled.items()
        if column.kind != "metric"
    }
    name, group = named.get("id", f"line {line}"), named.get("group", "")
    return Measurement(line, name, group, ran, settings, values)


def _ran(text: str, where: str) -> bool:
    if text.lower() not in TRUTHS:
        raise InputError(f"{where}: feasible: '{shorten(text)}' is none of {', '.join(TRUTHS)}")
    return TRUTHS[text.lower()]


def _setting(column: Column, text: str, where: str) -> object:
    """A cell as a slug, a path or an SI number."""
    if column.kind == "file":
        return text if text in column.rows else Path(text)
    return text if column.kind == "choice" else _number(column, text, where)


def _number(column: Column, text: str, where: str) -> float:
    unit = column.written or column.unit
    with placed(f"{where}: {column.name}"):
        return units.parse(f"{text} {unit}" if _BARE.fullmatch(text) else text, column.unit)


@dataclass(frozen=True)
class Refused:
    """A row that the page does not cover."""

    line: int
    reason: str


@dataclass(frozen=True)
class Covered:
    """Measured rows that a page can price, priced as arrays."""

    page: AnyModel
    rows: tuple[Measurement, ...]
    configs: tuple[Config, ...]

    @cached_property
    def batches(self) -> list[tuple[list[int], Config]]:
        """Rows of the same networks and devices as one config with arrays, and their places.

        Networks of different families have no common arrays.
        """
        known = knobs(self.page.config).values()
        slugs = [knob.path for knob in known if knob.catalog]
        plain = [knob.path for knob in known if not knob.catalog]
        alike: dict[str, list[int]] = {}
        for i, config in enumerate(self.configs):
            alike.setdefault(repr([at(config, path) for path in slugs]), []).append(i)
        return [
            (
                places,
                self.page.config.batched(
                    {path: [at(self.configs[i], path) for i in places] for path in plain},
                    self.configs[places[0]],
                ),
            )
            for places in alike.values()
        ]

    def metrics(self, constants: Mapping[str, float] | None = None) -> dict[str, Array]:
        """Every metric of every row, shape (rows,), with some knobs set alike in all rows."""
        found = {name: np.full(len(self.rows), np.nan) for name in self.page.metrics}
        for places, config in self.batches:
            with np.errstate(divide="ignore", invalid="ignore"):
                result = self.page.evaluate(config.batched(constants or {}, config))
            for name, column in found.items():
                column[places] = result.metrics[name]
        return found

    @property
    def measured(self) -> list[tuple[int, str]]:
        """Row and metric of every measured value, row by row."""
        return [(i, name) for i, row in enumerate(self.rows) for name in row.values]

    def predicted(self, constants: Mapping[str, float] | None = None) -> Array:
        """The page's answer to every measured value."""
        found = self.metrics(constants)
        return np.array([found[name][i] for i, name in self.measured])


def priceable(
    page: AnyModel, path: Path, settings: Mapping[str, object], *, skip: bool = False
) -> tuple[Covered, list[Refused]]:
    """The rows of a file that the page can price, and why it refuses the others.

    Args:
        page: the model.
        path: the file; see `read`.
        settings: dotted knob -> value of every row.
        skip: whether refused rows are left out; otherwise the first of them is an error.

    Raises:
        InputError: a file or settings that do not fit, or a row that is refused.
    """
    registry.starting_point(page, files.laid_under(page.readers, settings), place="--set")
    rows = read(page, path)
    if doubled := settings.keys() & {name for row in rows for name in row.settings}:
        raise InputError(f"{min(doubled)} is a column of {path} and given by --set; drop one")
    found: list[tuple[Measurement, Config]] = []
    refused = []
    for row in rows:
        try:
            laid = files.laid_under(page.readers, {**settings, **row.settings})
            found.append((row, registry.configure(page, laid)))
        except InputError as error:
            refused.append(Refused(row.line, str(error)))
    if refused and (not skip or not found):
        more = f"; {len(refused)} of {len(rows)} rows are refused"
        way_out = ", --skip-refused leaves them out" if found else ""
        raise InputError(f"{path}:{refused[0].line}: {refused[0].reason}{more}{way_out}")
    return Covered(page, tuple(row for row, _ in found), tuple(c for _, c in found)), refused
