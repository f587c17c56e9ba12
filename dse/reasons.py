"""Why one design and not another, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape

from dse import side_by_side, units
from dse.grids import new_grid
from dse.margins import Bound
from dse.relaxation import Change, Measure
from dse.search import method_of
from dse.standing import Searched
from dse.why import Why

OPENED = 3
"""Knobs that a change opens of which a line names the values."""


def why(out: Console, found: Why) -> None:
    """The verdict, the constraints, what would free the design, and what beats it."""
    out.print(f"[bold]{escape(found.name)}: {escape(found.verdict.text)}[/bold]")
    out.print(escape(searched(found.searched)))
    for text in found.study.warnings:
        out.print(f"warning: {escape(text)}")
    for path, words in found.near.outside.items():
        out.print(f"outside the study's space: {path} = {escape(words)}")
    for text in found.troubles:
        out.print(f"  {escape(text)}")
    _constraints(out, found)
    _changes(out, found)
    if found.rival is not None:
        out.print(f"beside {_rival(found.dominators)}:")
        side_by_side.comparison(out, found.rival)
        out.print(escape("; ".join(found.differences)))


def searched(found: Searched) -> str:
    """What the design is judged against, and how much of the space that is."""
    where = f"the run {found.run.path}" if found.run else f"the study {found.study.slug}"
    best = f"{found.size:,} on the front of" if found.size else "nothing meets every constraint of"
    said = f"judged by {where}: {best} {found.designs:,} designs"
    if found.whole:
        return f"{said}, which are all of its space{_drift(found)}"
    how = method_of(found.study) if found.finished else "a search that was interrupted"
    said += f" by {how}, not all of its space"
    near = f"; of {found.near:,} designs one change away {found.near_priced:,} were priced"
    return f"{said}{near if found.near else ''}{_drift(found)}"


def _drift(found: Searched) -> str:
    """That a run's front was stored with other numbers."""
    return "; the page has changed since: its front is priced anew" if found.drifted else ""


def _constraints(out: Console, found: Why) -> None:
    if not found.bounds:
        return
    grid = new_grid("constraint", "reached", "", "passes with", right=(1,))
    for bound in found.bounds:
        value = units.show(bound.value, bound.unit)
        grid.add_row(escape(bound.constraint.text), value, _margin(bound), escape(bound.loosened))
    out.print(grid)
    missed = [bound for bound in found.bounds if bound.missed]
    if any(bound.alone for bound in missed):
        out.print(f"the bound alone would free it; {_then(found)}")
    elif len(missed) > 1:
        out.print("no bound alone would free it: each that is missed must give way")
    elif missed:
        out.print("no bound alone would free it")


def _then(found: Why) -> str:
    """What a design would be that only a bound keeps out."""
    n = found.dominators
    return f"then {n:,} of the front would dominate it" if n else "then none would dominate it"


def _margin(bound: Bound) -> str:
    if bound.missed and not np.isfinite(bound.distance):
        return "missed" if bound.state == "missed" else "unknown"
    return f"missed by {bound.by}" if bound.missed else f"{bound.state}: {bound.by} to spare"


def _changes(out: Console, found: Why) -> None:
    if not found.goal:
        return
    if [change.row for change in found.running] != [change.row for change in found.changes]:
        _table(out, "one change, and it runs", found.running, found.measure)
    if found.changes:
        _table(out, f"one change, and it {found.goal}", found.changes, found.measure)
    if found.stuck:
        out.print(f"no change of {', '.join(found.stuck)} alone does that")
    elif not found.near.moved:
        out.print("the study varies no knob that the design uses")


def _table(out: Console, title: str, changes: Sequence[Change], measure: Measure) -> None:
    if not changes:
        return
    out.print(escape(f"{title}; ranked by {measure.text}:"))
    grid = new_grid("knob", "", "adds", "", right=(2,))
    for change in changes:
        cost = "unknown" if np.isnan(change.cost) else _signed(change.cost, measure.unit)
        knob, _, moved = change.shown.partition(" ")
        grid.add_row(escape(knob), escape(moved), cost, escape(_beside(change)))
    out.print(grid)


def _signed(value: float, unit: str) -> str:
    return f"{'+' if value > 0 else ''}{units.show(value, unit)}"


def _beside(change: Change) -> str:
    """What else is to be said of a change: knobs that it opens, other values that do."""
    more = f" and {len(change.opened) - OPENED} more" if len(change.opened) > OPENED else ""
    with_ = f"with {', '.join(change.opened[:OPENED])}{more}" if change.opened else ""
    return "; ".join(filter(None, [with_, _others(change.others)]))


def _others(count: int) -> str:
    if count == 1:
        return "1 other value does as well"
    return f"{count:,} other values do as well" if count else ""


def _rival(dominators: int) -> str:
    """Which design of the front stands beside the design."""
    if dominators == 0:
        return "the nearest of the front"
    many = f"the nearest of the {dominators:,} that dominate it"
    return many if dominators > 1 else "the one that dominates it"
