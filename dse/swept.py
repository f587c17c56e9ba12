"""A sweep in a terminal: the swept knobs, the metrics that fit beside them, the rest in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from dse.choice import chosen, numbers
from dse.evaluate import Table
from dse.grids import GAP, ROWS, fitting, mark, new_grid
from dse.spec import AnyModel


def sweep(
    out: Console, page: AnyModel, found: Table, *, title: str, asked: Sequence[str] = ()
) -> None:
    """Every design with its knobs and metrics, at most `ROWS` of them.

    Args:
        out: where it goes.
        page: what the metrics are of.
        found: the priced designs.
        title: what stands above.
        asked: metrics; by default those that change, the ranked ones first.

    Raises:
        InputError: a metric that the page does not have.
    """
    names = chosen(page, asked)
    if not asked:
        names += [name for name in numbers(page) if name not in names]
    same = [name for name in names if not asked and _constant(found, name)]
    changing = [name for name in names if name not in same]
    fit = _grid(out, page, found, changing, title)
    if len(found) > ROWS:
        out.print(f"... {len(found) - ROWS} more rows; --output FILE.csv holds them all")
    if same:
        told = (f"{name} {_cells(found, name)[0]}" for name in same)
        out.print(f"the same in all: {', '.join(told)}")
    if left := [name for name in changing if name not in fit]:
        out.print(f"not shown: {', '.join(left)}; ask by --metric; --json and --output have all")


def _grid(
    out: Console, page: AnyModel, found: Table, metrics: Sequence[str], title: str
) -> list[str]:
    """The designs as a table; returns the metrics that fit beside their knobs."""
    apart = {*page.metrics, "row", "violation", "accepted", "extrapolates"}
    knobs = {name: _cells(found, name) for name in found.columns if name not in apart}
    notes = _notes(found)
    used = [max(map(cell_len, [name, *cells])) for name, cells in knobs.items()]
    used.append(max(map(cell_len, notes), default=0))
    columns = {name: _cells(found, name) for name in metrics}
    fit = fitting(columns, out.width - sum(used) - GAP * len(used))
    grid = new_grid(*knobs, *fit, "", title=title, right=range(len(knobs) + len(fit)))
    shown = (*knobs.values(), *(columns[name] for name in fit), notes)
    for row in zip(*shown, strict=True):
        grid.add_row(*row)
    out.print(grid)
    return fit


def _cells(found: Table, name: str) -> list[str]:
    """The first values of a column, as a terminal shows them."""
    unit = found.units.get(name, "")
    return [escape(mark(value, unit)) for value in found.words(name)[:ROWS]]


def _notes(found: Table) -> list[str]:
    """What is to be said of each design."""
    flags = zip(found["feasible"][:ROWS], found["extrapolates"][:ROWS], strict=True)
    said = [("" if runs else "infeasible", "extrapolates" * bool(far)) for runs, far in flags]
    return [", ".join(filter(None, pair)) for pair in said]


def _constant(found: Table, name: str) -> bool:
    """Whether a metric has one value in all designs; one design says nothing of that."""
    values = np.asarray(found[name])
    alike = np.all(values == values[:1]) or np.all(values != values)  # noqa: PLR0124 - NaN
    return len(found) > 1 and bool(alike)
