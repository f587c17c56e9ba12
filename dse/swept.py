"""A sweep in a terminal: the swept knobs, the metrics that fit beside them, the rest in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from dse.certainty import HEAD, beside, grouped, of_column, span
from dse.choice import chosen, numbers
from dse.evaluate import Table
from dse.grids import GAP, ROWS, mark, new_grid
from dse.spec import AnyModel

Column = tuple[str, list[str]]
"""What stands above a column of a terminal's table, and its cells."""


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
        told = (f"{name} {_once(found, name)}" for name in same)
        out.print(f"the same in all: {', '.join(told)}")
    if left := [name for name in changing if name not in fit]:
        out.print(f"not shown: {', '.join(left)}; ask by --metric; --json and --output have all")
    if f"{names[0]}_tier" in found.columns:
        known = {name: of_column(found, name) for name in (*fit, *same)}
        out.print(f"known from {'; '.join(grouped(known))}")
    else:
        out.print("too many designs for intervals; sweep fewer to see how sure they are")


def _grid(
    out: Console, page: AnyModel, found: Table, metrics: Sequence[str], title: str
) -> list[str]:
    """The designs as a table; returns the metrics that fit beside their knobs."""
    apart = {*page.metrics, *beside(page.metrics), "row", "violation", "accepted", "extrapolates"}
    knobs = {name: _cells(found, name) for name in found.columns if name not in apart}
    notes = _notes(found)
    used = [max(map(cell_len, [name, *cells])) for name, cells in knobs.items()]
    used.append(max(map(cell_len, notes), default=0))
    columns = {name: _paired(found, name) for name in metrics}
    fit = _fitting(columns, out.width - sum(used) - GAP * len(used))
    shown = [*knobs.items(), *(column for pair in fit.values() for column in pair)]
    heads = [head for head, _ in shown]
    grid = new_grid(*heads, "", title=title, right=range(len(shown)))
    for row in zip(*(cells for _, cells in shown), notes, strict=True):
        grid.add_row(*row)
    out.print(grid)
    return list(fit)


def _paired(found: Table, name: str) -> list[Column]:
    """A metric's column, and that of its intervals where it has any."""
    spans = _spans(found, name)
    return [(name, _cells(found, name)), *([(HEAD, spans)] if any(spans) else [])]


def _fitting(metrics: Mapping[str, list[Column]], width: int) -> dict[str, list[Column]]:
    """The first metrics that fit with their intervals; one always does, if need be without."""
    found: dict[str, list[Column]] = {}
    for name, columns in metrics.items():
        needed = [max(map(cell_len, [head, *cells])) + GAP for head, cells in columns]
        if sum(needed) > width and found:
            break
        found[name] = columns if sum(needed) <= width else columns[:1]
        width -= sum(needed)
    return found


def _spans(found: Table, name: str) -> list[str]:
    """The intervals of the first designs, in words; nothing where nothing was checked."""
    if f"{name}_low" not in found.columns:
        return []
    pairs = zip(found[f"{name}_low"][:ROWS], found[f"{name}_high"][:ROWS], strict=True)
    return [escape(span(low, high, found.units.get(name, ""))) for low, high in pairs]


def _once(found: Table, name: str) -> str:
    """A metric that is the same in all, with its interval where that is the same too."""
    spans = set(filter(None, _spans(found, name)))
    return f"{_cells(found, name)[0]}{f' ({spans.pop()})' if len(spans) == 1 else ''}"


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
