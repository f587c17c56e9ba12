"""Tables as a terminal and a script take them: a plain grid, marks for cells, JSON rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from dse import units
from dse.evaluate import Table
from dse.spec import Mask

ROWS = 40
"""Rows of a table that a terminal shows; a file holds them all."""

GAP = 3
"""Columns that the space beside a cell takes."""

Facts = dict[str, Any]


def new_grid(*heads: str, title: str = "", right: Sequence[int] = ()) -> Grid:
    """An empty grid; columns in `right` hold numbers, the first one is never folded."""
    grid = Grid(box=SIMPLE_HEAD, title=escape(title) or None, title_justify="left", pad_edge=False)
    for i, head in enumerate(heads):
        grid.add_column(
            escape(head),
            justify="right" if i in right else "left",
            overflow="fold",
            no_wrap=i == 0,
        )
    return grid


def records(table: Table, active: Mapping[str, Mask] | None = None) -> list[Facts]:
    """A table as JSON rows: what is unknown or plays no part is null, infinity a word."""
    columns = {name: table.words(name).tolist() for name in table.columns}
    for name, used in (active or {}).items():
        columns[name] = [
            word if on else None for word, on in zip(columns[name], used, strict=True)
        ]
    return [
        {name: _plain(name, column[i]) for name, column in columns.items()}
        for i in range(len(table))
    ]


def _plain(name: str, value: object) -> object:
    """A value as JSON has it; an infinite violation only says that a metric is unknown."""
    if not isinstance(value, float) or np.isfinite(value):
        return value
    return None if np.isnan(value) or name == "violation" else units.show(value, "1")


def table(out: Console, found: Table, *, title: str, names: Sequence[str] = ()) -> None:
    """Designs as a table, at most `ROWS` of them."""
    chosen = names or [name for name in found.columns if name not in ("row", "violation")]
    grid = new_grid(*chosen, title=title, right=range(len(chosen)))
    words = {name: found.words(name) for name in chosen}
    for i in range(min(len(found), ROWS)):
        grid.add_row(*(mark(words[name][i], found.units.get(name, "")) for name in chosen))
    out.print(grid)
    if len(found) > ROWS:
        out.print(f"... {len(found) - ROWS} more rows; --output FILE.csv holds them all")


def fitting(columns: Mapping[str, Sequence[str]], width: int) -> list[str]:
    """The first columns that fit side by side; one always does."""
    found: list[str] = []
    for name, cells in columns.items():
        width -= max(map(cell_len, [name, *cells])) + GAP
        if found and width < 0:
            break
        found.append(name)
    return found


def mark(value: object, unit: str) -> str:
    """A cell as a terminal shows it."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | int | np.number):
        return units.show(float(value), unit) if unit else f"{float(value):g}"
    return escape(str(value))


def in_settings(settings: Mapping[str, object]) -> str:
    """Settings on one line, as --set takes them.

    >>> in_settings({"offload": "off", "batch": 5.0})
    'offload=off, batch=5'
    """
    said = {k: f"{v:.10g}" if isinstance(v, float) else v for k, v in settings.items()}
    return ", ".join(f"{path}={value}" for path, value in said.items())
