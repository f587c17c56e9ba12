"""How closed form, mechanism and paper agree, as a terminal shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from dse import units
from dse.against import Against, Refit, Value
from dse.cross import BAR, Crossing, Regime, Verdict, regimes
from dse.grids import new_grid
from dse.scoreboard import percent, table
from dse.scores import Card, card

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
    scoreboard(out, [card(crossing.model, crossing) for crossing in found])


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


def _why(found: Verdict) -> str:
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


def scoreboard(out: Console, found: Sequence[Card]) -> None:
    """Every score of each page's three comparisons, as far as they are known."""
    heads, rows = table(found)
    known = [row for row in rows if row[1]]
    grid = new_grid(*heads, title="scoreboard", right=(2, 3, 4))
    for row in known:
        grid.add_row(*map(escape, row))
    if known:
        out.print(grid)
    for each in found:
        if each.note:
            out.print(f"{each.model}: {escape(each.note)}")


def against(out: Console, found: Against) -> None:
    """A page beside a person's own measurements, and what a fit on them changed."""
    after = [] if found.refit is None else ["fitted", "error", "left out"]
    heads = ("row", "metric", "measured", "predicted", "error", *after)
    title = f"{found.model} against {escape(found.file)}"
    grid = new_grid(*heads, title=title, right=tuple(range(2, len(heads))))
    for value in found.values:
        grid.add_row(*_value_cells(value)[: len(heads)])
    if found.values:
        out.print(grid)
    scoreboard(out, [Card(found.model, found.scores, (), {})])
    for text in found.misjudged:
        out.print(escape(text))
    for row in found.refused:
        out.print(f"left out, line {row.line}: {escape(row.reason)}")
    if found.refit is not None:
        _refit(out, found.model, found.refit)


def _value_cells(found: Value) -> tuple[str, ...]:
    measured, predicted = (
        units.show(value, found.unit, 4) for value in (found.measured, found.predicted)
    )
    fitted = "" if found.fitted is None else units.show(found.fitted, found.unit, 4)
    errors = (found.error, found.fitted_error, found.left_out_error)
    error, after, left_out = (percent(each, sign=True) for each in errors)
    return escape(found.id), found.metric, measured, predicted, error, fitted, after, left_out


def _refit(out: Console, model: str, found: Refit) -> None:
    grid = new_grid("constant", "was", "fitted", "", title="what the fit changed", right=(1, 2))
    for each in found.constants:
        was, new = (units.show(value, each.unit, 4) for value in (each.old, each.new))
        grid.add_row(
            each.knob, was, new, "stopped at an end of its range" if each.at_bound else ""
        )
    out.print(grid)
    if not found.folds:
        out.print("too few rows to leave any out: nothing says how the fit does on other designs")
    for paper in found.published:
        before, after = percent(paper.old), percent(paper.new)
        rows = f"{model}'s {paper.rows} published {paper.use} rows"
        out.print(f"{rows}: mean error {before} before, {after} with these constants")
    out.print(f"to use them: dse eval {model} {found.settings}")
