"""How closed form, mechanism and paper agree, as a terminal shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from dse import units
from dse.cross import BAR, Crossing, Dispute, Errors, Line, Regime, line, regimes
from dse.grids import new_grid
from dse.provenance import USES

NAMED = 12
"""Cases that a line names before it only counts."""


def crossings(out: Console, found: Sequence[Crossing]) -> None:
    """Every page's three comparisons, and a line each at the end."""
    if not found:
        out.print("no page has a mechanism to execute")
        return
    for crossing in found:
        _against_mechanism(out, crossing)
        _against_paper(out, crossing)
    scoreboard(out, [line(crossing.model, crossing) for crossing in found])


def _against_mechanism(out: Console, crossing: Crossing) -> None:
    out.print(f"{crossing.model} executed: {escape(crossing.text)}")
    heads = ("metric", "use", "cases", "mean |error|", "bias", "worst", "in case", "tau", "")
    title = f"{crossing.model}: closed form against its mechanism"
    grid = new_grid(*heads, title=title, right=(2, 3, 4, 5, 7))
    for found in regimes(crossing.rows):
        grid.add_row(*_cells(found))
    if crossing.rows:
        out.print(grid)
    if not crossing.cases:
        out.print("it names no cases to hold the closed form against")
    for found in regimes(crossing.rows):
        if found.odd and not found.group:
            words = "beside a zero or an unknown there is no error"
            out.print(f"{found.metric} ({found.use}): {words}: {_named(found.odd)}")
    _disputes(out, crossing)


def _cells(found: Regime) -> tuple[str, ...]:
    tau = "" if math.isnan(found.tau) else f"{found.tau:.2f}"
    return (
        found.metric if not found.group else f"  {escape(found.group)}",
        found.use,
        str(found.cases),
        percent(found.mean),
        percent(found.bias, sign=True),
        percent(found.worst, sign=True),
        escape(found.at),
        tau,
        _mark(found),
    )


def _mark(found: Regime) -> str:
    """Says where the bar is missed, on the mean or in the worst case only."""
    if found.mean > BAR:
        return f"mean > {100 * BAR:.0f} %"
    return f"> {100 * BAR:.0f} %" if abs(found.worst) > BAR else ""


def percent(share: float, *, sign: bool = False) -> str:
    """A share as text; what is unknown is empty."""
    if math.isnan(share):
        return ""
    return f"{100 * share:{'+' if sign else ''}.2f} %"


def _disputes(out: Console, crossing: Crossing) -> None:
    for runs, words in ((False, "infeasible"), (True, "feasible")):
        found = [d for d in crossing.disputes if d.reference is runs]
        if found:
            out.print(
                f"the mechanism calls {len(found)} of {crossing.cases} cases {words}, "
                f"the closed form does not: {_named([_why(d) for d in found])}"
            )
    if crossing.infeasible:
        out.print(f"both call {crossing.infeasible} of {crossing.cases} cases infeasible")


def _why(found: Dispute) -> str:
    return f"{found.id} ({found.reason})" if found.reason else found.id


def _named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return escape(", ".join(names[:NAMED]) + more)


def _against_paper(out: Console, crossing: Crossing) -> None:
    if not crossing.points:
        return
    heads = ("point", "use", "quantity", "published", "mechanism", "error", "closed form", "error")
    title = f"{crossing.model}: mechanism and closed form against the paper"
    grid = new_grid(*heads, title=title, right=(3, 4, 5, 6, 7))
    for point in crossing.points:
        published, ran, closed = (
            units.show(value, point.unit, 4)
            for value in (point.published, point.reference, point.closed)
        )
        errors = [percent(e, sign=True) for e in (point.reference_error, point.closed_error)]
        row = (published, ran, errors[0], closed, errors[1])
        grid.add_row(escape(point.id), point.use, point.quantity, *row)
    out.print(grid)


def scoreboard(out: Console, lines: Sequence[Line]) -> None:
    """Mean and worst absolute error of each page's three comparisons, as far as they are known."""
    title = "mean and worst error, over so many rows"
    grid = new_grid("model", "comparison", *USES, title=title, right=(2, 3))
    for found in lines:
        three = {
            "mechanism to paper": found.reference_published,
            "closed form to mechanism": found.closed_reference,
            "closed form to paper": found.closed_published,
        }
        for pair, errors in three.items():
            if errors:
                grid.add_row(found.model, pair, *(_both(errors, use) for use in USES))
    if grid.rows:
        out.print(grid)
    for found in lines:
        if found.note:
            out.print(f"{found.model}: {escape(found.note)}")


def _both(errors: Mapping[str, Errors], use: str) -> str:
    found = errors.get(use)
    if found is None:
        return ""
    return f"{percent(found.mean)}, {percent(found.worst)} ({found.rows})"
