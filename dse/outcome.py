"""How a search ended: for people in a terminal, and for scripts as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape

from dse.archive import Archive, explain_infeasible
from dse.certainty import CHANCES, HEAD, chance, span
from dse.confidence import of_run
from dse.evaluate import Table
from dse.grids import Facts, mark, new_grid, records, table
from dse.prices import in_words
from dse.provenance import Sheet
from dse.search import Outcome, method_of
from dse.spec import AnyModel
from dse.study import Study
from dse.winners import Told, differing, told, verdict

UNRANKED = "unknown or infinite"
"""What keeps an objective's value from being compared."""


def at_prices(page: AnyModel, listed: Sheet) -> str:
    """Which prices a page's costs stand on; nothing where no answer is in money."""
    costs = any("USD" in metric.unit for metric in page.metrics.values())
    return f" at the prices of {in_words(listed)}" if costs else ""


def _alike_words(archive: Archive) -> str:
    """How many different answers the front holds, where designs tie in every objective."""
    different = archive.different
    return f", {different:,} of them different" if different < archive.size else ""


def outcome(out: Console, ended: Outcome) -> None:
    """How a search ended: best designs, or what binds when none is feasible."""
    archive, study = ended.archive, ended.archive.study
    rate = archive.seen / ended.seconds if ended.seconds else 0.0
    out.print(escape(study.question))
    out.print(
        f"{archive.seen:,} designs {_repeats_words(archive)}by {method_of(study)} "
        f"{_grid_words(study)}in {ended.seconds:.2f} s, {rate:,.0f} a second; "
        f"{archive.accepted:,} meet every constraint, {archive.size:,} are on the front"
        f"{_alike_words(archive)}"
    )
    if listed := at_prices(study.page, study.prices):
        out.print(f"costs are{escape(listed)}")
    for text in (*study.warnings, *archive.warnings()):
        out.print(f"warning: {escape(text)}")
    for metric, count in archive.unranked.items():
        out.print(f"not compared: {count:,} designs within every constraint, {metric} {UNRANKED}")
    if archive.front is None:
        _nothing(out, ended)
    else:
        _, why, best = of_run(archive)
        _print_best(out, ended, why, best)
        _print_winners(out, archive, archive.front)
    for reason, slugs in grouped(archive.left_out()).items():
        out.print(f"left out ({escape(reason)}): {escape(', '.join(slugs))}")
    out.print(f"run: {ended.run.path}")


def grouped(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Names by the reason they share."""
    found: dict[str, list[str]] = {}
    for slug, reason in reasons.items():
        found.setdefault(reason, []).append(slug)
    return found


def _grid_words(study: Study) -> str:
    """How many designs there are to find; a continuous space has no such number."""
    return "" if study.space.continuous else f"(grid {study.space.size:,}) "


def _print_winners(out: Console, archive: Archive, front: Table) -> None:
    """Who wins what; the table of the best designs says it all where one design wins."""
    found = archive.winners()
    if said := verdict(found):
        out.print(said)
    if len({winner.place for winner in found if not winner.flat}) < 2:
        return
    grid = new_grid("objective", "best", "won by", "which then reaches", right=(1,))
    for row in told(archive.study, front, found):
        grid.add_row(row.metric, *(escape(text) for text in _won(row)))
    out.print(grid)


def _won(row: Told) -> tuple[str, str, str]:
    """A winner's value, its knobs, and the other objectives, each in one text."""
    knobs, others = (
        ", ".join(f"{name} {value}" for name, value in pairs.items())
        for pairs in (row.knobs, row.others)
    )
    return row.value, "; ".join(filter(None, [knobs, row.note])), others


def _repeats_words(archive: Archive) -> str:
    """How many designs a search that learns asked for again."""
    return f"({archive.repeats:,} of them repeats) " if archive.repeats else ""


def _print_best(out: Console, ended: Outcome, why: Sequence[str], best: Table) -> None:
    study = ended.archive.study
    goals = [objective.metric for objective in study.objectives]
    names = [axis.path for axis in study.space.axes] + goals
    grid = new_grid("", *why, right=range(1, len(why) + 1))
    active = ended.archive.active(best)
    for name in names:
        cells = [mark(value, best.units.get(name, "")) for value in best.words(name)]
        used = active.get(name, np.ones(len(best), dtype=np.bool_))
        cells = [cell if on else "" for cell, on in zip(cells, used, strict=True)]
        grid.add_row(f"[bold]{name}[/bold]" if name in goals else name, *cells)
        if name in goals and not np.isnan(best[f"{name}_low"]).all():
            pairs = zip(best[f"{name}_low"], best[f"{name}_high"], strict=True)
            unit = best.units.get(name, "")
            grid.add_row(f"  {HEAD}", *(span(low, high, unit) for low, high in pairs))
    for name, words in CHANCES.items():
        grid.add_row(words, *map(chance, best[name]))
    flagged = ["extrapolates" if flag else "" for flag in best["extrapolates"]]
    if any(flagged):
        grid.add_row("", *flagged)
    out.print(grid)


def _nothing(out: Console, ended: Outcome) -> None:
    archive = ended.archive
    out.print("nothing is feasible; the least violating designs:")
    for line in explain_infeasible(archive):
        out.print(f"  {escape(line)}")
    if archive.nearest is not None:
        study = archive.study
        names = [axis.path for axis in study.space.axes]
        names += [constraint.metric for constraint in study.constraints]
        table(out, archive.nearest, title="", names=[*dict.fromkeys(names), "violation"])


def outcome_json(ended: Outcome) -> Facts:
    """How a search ended, for scripts."""
    archive = ended.archive
    _, why, best = of_run(archive) if archive.front is not None else (None, [], None)
    listed = records(best, archive.active(best)) if best is not None else []
    return {
        "study": archive.study.slug,
        "run": str(ended.run.path),
        "method": method_of(archive.study),
        "designs": archive.seen,
        "repeats": archive.repeats,
        "accepted": archive.accepted,
        "front": archive.size,
        "seconds": ended.seconds,
        "finished": ended.finished,
        "prices": in_words(archive.study.prices),
        "best": [{"why": reason, **row} for reason, row in zip(why, listed, strict=True)],
        "infeasible": [] if archive.front is not None else explain_infeasible(archive),
        "winners": _winners_json(archive),
        "verdict": verdict(archive.winners()),
        "warnings": [*archive.study.warnings, *archive.warnings()],
        "not_compared": archive.unranked,
        "nearest": records(archive.nearest)
        if archive.front is None and archive.nearest is not None
        else [],
        "left_out": archive.left_out(),
    }


def _winners_json(archive: Archive) -> list[Facts]:
    """The winner of each objective: its value, its own knobs, what else it reaches."""
    if archive.front is None:
        return []
    found = archive.winners()
    places = np.array([winner.place for winner in found], dtype=np.intp)
    listed = records(archive.front.take(places))
    named = differing(archive.study, archive.front, found)
    goals = [winner.objective.metric for winner in found]
    return [
        {
            "objective": goal,
            "value": row[goal],
            "discriminates": not winner.flat,
            "tied": winner.tied,
            "row": row["row"],
            "knobs": {path: row[path] for path in paths},
            "others": {other: row[other] for other in goals if other != goal},
        }
        for goal, winner, row, paths in zip(goals, found, listed, named, strict=True)
    ]
