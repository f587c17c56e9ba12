"""What a page covers, in a terminal: the design, its choices, its numbers, a matrix of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_letters

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape

from dse import units
from dse.grids import new_grid
from dse.ranges import Limit, Range
from dse.spec import AnyModel
from dse.support import Cover, Kind, Support, metric_rows

MARKS = {"covered": "+", "unknown": "?", "warns": "!", "cannot run": "o", "refused": "-"}
"""How a matrix shows what became of a design."""

LEGEND = {
    "covered": "covered",
    "unknown": "covered, but a metric is unknown",
    "warns": "covered, and extrapolates",
    "cannot run": "covered: the answer is that it cannot run",
    "refused": "refused",
}

AS_GIVEN = "refused as the design itself is"

NAMES = 6
"""Choices of one kind that a line names; --json has them all."""


def pages(out: Console, found: Sequence[Mapping[str, object]]) -> None:
    """One line a page: how much of each catalog it covers at its defaults."""
    grid = new_grid("model", "covered at its defaults, one choice at a time", title="support")
    for slug in dict.fromkeys(row["model"] for row in found):
        said = [
            f"{row['knob']} {row['covered']} of {row['of']}"
            for row in found
            if row["model"] == slug
        ]
        grid.add_row(escape(str(slug)), escape(", ".join(said)))
    out.print(grid)


def support(out: Console, found: Support) -> None:
    """The design first, then what may change in it."""
    page = found.page
    out.print(escape(f"{page.slug}, this design: {_said(found)}"), soft_wrap=True)
    for text in found.answer.get("warnings", ()):
        out.print(f"warning: {escape(text)}", soft_wrap=True)
    _metrics(out, found)
    _choices(out, found)
    _ranges(out, found.ranges, found.reason)
    if found.matrix is not None:
        _matrix(out, found.matrix)
    _words(out, page, [*found.choices, *([found.matrix] if found.matrix else [])])


def _said(found: Support) -> str:
    if found.reason:
        return f"refused. {found.place + ': ' if found.place else ''}{found.reason}"
    return LEGEND[found.kind.status]


def _metrics(out: Console, found: Support) -> None:
    """Metrics by tier, and those that are unknown."""
    if not found.answer:
        return
    rows = [row for row in metric_rows(found) if row["metric"] != "feasible"]
    for tier in dict.fromkeys(row["tier"] for row in rows):
        named = [str(row["metric"]) for row in rows if row["tier"] == tier and row["known"]]
        if named:
            out.print(escape(f"{tier or 'unvalidated'}: {', '.join(named)}"))
    if unknown := [str(row["metric"]) for row in rows if not row["known"]]:
        out.print(escape(f"unknown: {', '.join(unknown)}"))


def _choices(out: Console, found: Support) -> None:
    heads = ("knob", "rows", "verdict", "which")
    title = "choices, one at a time: the rest as in this design"
    grid = new_grid(*heads, title=title, right=(1,))
    for cover in found.choices:
        (knob, slugs), count = next(iter(cover.axes.items())), np.bincount(cover.codes)
        for code, kind in enumerate(cover.kinds):
            named = _listed([slugs[i] for i in np.flatnonzero(cover.codes == code)])
            first = knob if code == 0 else ""
            grid.add_row(
                escape(first),
                str(count[code]),
                escape(_verdict(kind, found.reason)),
                escape(named),
            )
    out.print(grid)


def _verdict(kind: Kind, own: str) -> str:
    """What a line says of a kind of design: flags by name, reasons in full."""
    if kind.reason:
        return AS_GIVEN if kind.reason == own else f"refused: {kind.reason}"
    lacking = f" (no {', '.join(kind.missing)})" if kind.missing else ""
    said = [
        kind.status if kind.status in ("cannot run", "covered") else "",
        f"flags {', '.join(kind.flags)}" if kind.flags else "",
        f"unknown {', '.join(kind.unknown)}{lacking}" if kind.unknown else "",
    ]
    return "; ".join(filter(None, said))


def _listed(names: Sequence[str], most: int = NAMES) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")


def _ranges(out: Console, found: Sequence[Range], own: str) -> None:
    heads = ("knob", "meant for", "refused beyond", "covered here", "otherwise")
    title = "numbers, one at a time: beyond what they are meant for, eval warns"
    grid = new_grid(*heads, title=title)
    for row in found:
        meant = f"{units.show(row.low, row.unit)} to {units.show(row.high, row.unit)}"
        beyond = [_limit(row.below, row.unit, "below"), _limit(row.above, row.unit, "above")]
        cells = (
            row.knob,
            meant,
            "; ".join(filter(None, beyond)),
            _runs(row),
            AS_GIVEN if own and row.reason == own else row.reason,
        )
        grid.add_row(*map(escape, cells))
    out.print(grid)


def _limit(limit: Limit | None, unit: str, side: str) -> str:
    if limit is None:
        return ""
    shown = units.show(limit.value, unit)
    said = f"{side} {shown}" if limit.held else f"{shown} and {side}"
    return f"some {said}, by a rule" if limit.rule else said


def _runs(row: Range) -> str:
    """The runs of covered values, at most `NAMES` of them."""
    if row.refused is None:
        return "all"
    if not row.covered:
        return "none"
    runs = [
        units.show(low, row.unit) + (f" to {units.show(high, row.unit)}" if high > low else "")
        for low, high in row.covered
    ]
    return _listed(runs)


def _matrix(out: Console, cover: Cover) -> None:
    """Pairs of choices by mark; choices alike in all pairs share a row or a column."""
    (rows, down), (columns, along) = cover.axes.items()
    marks = np.array([MARKS[kind.status] for kind in cover.kinds])[cover.codes]
    tall, wide = cover.admitted.any(axis=1), cover.admitted.any(axis=0)
    out.print()
    out.print(escape(f"{rows} x {columns}: {cover.held} of {cover.codes.size} pairs are covered"))
    if not tall.any():
        return
    shown = marks[np.ix_(tall, wide)]
    lines = list(_alike(shown, np.array(down)[tall]))
    heads = list(_alike(shown.T, np.array(along)[wide]))
    letters = dict(zip(ascii_letters, heads, strict=False))
    grid = new_grid(rows, *letters)
    picked = [first for first, _ in letters.values()]
    for first, names in lines:
        grid.add_row(escape(_listed(names, most=1)), *shown[first][picked])
    out.print(grid)
    for letter, (_, names) in letters.items():
        out.print(f"{letter}: {escape(_listed(names))}")
    if len(heads) > len(letters):
        out.print(f"not shown: {len(heads) - len(letters)} more kinds of columns; --json has all")
    for status, mark in MARKS.items():
        if mark in shown:
            out.print(f"{mark} {LEGEND[status]}")
    for path, fits, slugs in ((rows, tall, down), (columns, wide, along)):
        if left := len(slugs) - int(fits.sum()):
            out.print(escape(f"left out: {left} of {path} that the page cannot read, see above"))


def _alike(marks: NDArray[np.str_], names: NDArray[np.str_]) -> Iterator[tuple[int, list[str]]]:
    """Rows with equal marks: the index of the first, and the names of all."""
    _, first, code = np.unique(marks, axis=0, return_index=True, return_inverse=True)
    for group in np.argsort(first):
        yield int(first[group]), names[code.ravel() == group].tolist()


def _words(out: Console, page: AnyModel, covers: Sequence[Cover]) -> None:
    """What the flags that were named say in full."""
    raised = {name for cover in covers for kind in cover.kinds for name in kind.flags}
    words = {**page.flags, **page.remarks}
    if named := [name for name in words if name in raised]:
        out.print("\nflags:")
    for name in named:
        out.print(escape(f"{name}: {words[name]}"), soft_wrap=True)
