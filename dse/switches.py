"""A design's techniques off and on, as a terminal shows them: the combinations, then the terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from dse import registry
from dse.ablation import SMALL, Ablation, Term
from dse.choice import chosen
from dse.grids import GAP, ROWS, fitting, in_settings, mark, new_grid
from dse.outcome import at_prices
from dse.spec import Technique

METRICS = 6
"""Metrics shown when nobody chose any: more are no longer read."""

TERMS = 12
"""Terms of one metric that are shown; a script gets them all."""

LISTED = 6
"""Most terms without a line of their own that are named."""


def ablation(out: Console, found: Ablation, asked: Sequence[str] = ()) -> None:
    """Techniques, every combination priced, and the terms of each metric that changes."""
    names = chosen(found.page, asked)
    _opening(out, found)
    if not found.techniques:
        return
    same = [] if asked else [name for name in names if _constant(found, name)]
    changing = [name for name in names if name not in same]
    shown = _cells(out, found, changing if asked else changing[:METRICS])
    if all(found.refusals):
        out.print("no combination can run, so there is nothing to compare")
        return
    if same:
        out.print(f"equal in every combination: {', '.join(same)}")
    if left := [name for name in changing if name not in shown]:
        out.print(f"not shown: {', '.join(left)}; ask for them by --metric")
    for name in shown:
        _metric(out, found, name)
    _closing(out, found)


def _opening(out: Console, found: Ablation) -> None:
    """What is switched and how; what is not, and why."""
    live = found.techniques
    counts = ((len(live), "technique"), (len(found.cells), "combination"))
    said = (f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    out.print(f"{found.page.slug}: {', '.join(said)}")
    for technique in live:
        off = in_settings(found.offs[technique.slug])
        out.print(escape(f"  {technique.slug}: {technique.text} (off: {off})"))
    if found.left_out:
        out.print(f"left out, for the design has them off: {_slugs(found.left_out)}")
    if found.idle:
        out.print(f"left out, without effect on any metric of this design: {_slugs(found.idle)}")
    for text in found.clashes:
        out.print(f"note: {escape(text)}")


def _closing(out: Console, found: Ablation) -> None:
    if len(found.techniques) > 1:
        out.print(
            "alone a technique helps or hurts; together they reinforce or cancel each other, or "
            f"compose: their factors multiply, within {100 * SMALL:g} %"
        )
    if listed := at_prices(found.page, registry.prices()):
        out.print(f"costs are{escape(listed)}")
    for text, count in found.warnings.items():
        of = "" if count == len(found.cells) else f" ({count} of {len(found.cells)})"
        out.print(escape(f"warning{of}: {text}"))


def _slugs(techniques: Sequence[Technique]) -> str:
    return ", ".join(technique.slug for technique in techniques)


def _constant(found: Ablation, metric: str) -> bool:
    """Whether a metric has one value in all combinations that run."""
    values = found.cells[metric][[not text for text in found.refusals]]
    return bool(np.all(values == values[:1]) or np.all(np.isnan(values)))


def _cells(out: Console, found: Ablation, metrics: Sequence[str]) -> list[str]:
    """The combinations, best first; returns the metrics that fit beside them."""
    slugs, notes = [t.slug for t in found.techniques], _notes(found)
    columns = {n: [_value(found, n, row) for row in range(len(notes))] for n in metrics}
    others = [*map(cell_len, slugs), min(max(map(cell_len, notes)), out.width // 3)]
    fit = fitting(columns, out.width - sum(others) - GAP * len(others))
    grid = new_grid(*slugs, *fit, "", right=range(len(slugs), len(slugs) + len(fit)))
    rows = _shown_rows(found, _ranked(found, metrics))
    for row in rows:
        marks = ["on" if found.cells[slug][row] else "·" for slug in slugs]
        grid.add_row(*marks, *(columns[name][row] for name in fit), escape(notes[row]))
    out.print(grid)
    if len(rows) < len(notes):
        out.print(f"... {len(notes) - len(rows)} more combinations; --json has them all")
    return fit


def _notes(found: Ablation) -> list[str]:
    """What is to be said of each combination."""
    ends = {0: "all off", len(found.cells) - 1: "as it stands"}
    flags = np.where(found.cells["extrapolates"], "extrapolates", "")
    said = [(ends.get(row, ""), text or flags[row]) for row, text in enumerate(found.refusals)]
    return [", ".join(filter(None, pair)) for pair in said]


def _value(found: Ablation, metric: str, row: int) -> str:
    if found.refusals[row]:
        return ""
    return mark(found.cells[metric][row], found.cells.units[metric])


def _ranked(found: Ablation, metrics: Sequence[str]) -> list[int]:
    """Rows from best to worst in the first metric, unknown ones and what cannot run last.

    Of equal rows the one with more techniques on comes first.
    """
    first = metrics[0] if metrics else found.page.total
    sign = -1.0 if found.page.metrics[first].sense == "max" else 1.0
    refused = np.array([bool(text) for text in found.refusals])
    off = -np.sum([found.cells[t.slug] for t in found.techniques], axis=0)
    return [int(row) for row in np.lexsort((off, sign * found.cells[first], refused))]


def _shown_rows(found: Ablation, ranked: list[int]) -> list[int]:
    """What a screen holds: the best rows, and always all off and all on."""
    kept = {0, len(ranked) - 1}
    kept |= set([row for row in ranked if row not in kept][: ROWS - 2])
    return [row for row in ranked if row in kept]


def _metric(out: Console, found: Ablation, metric: str) -> None:
    """The terms of one metric; where all off has no value, those with the others on."""
    out.print(escape(_effect(found, metric)))
    terms, on_top = found.terms(metric), found.on_top(metric)
    if terms[0].verdict == "unknown" != on_top[0].verdict:
        out.print("no term is known without the value with all off; each with the others on:")
        terms = on_top
    _terms(out, terms)


def _terms(out: Console, terms: Sequence[Term]) -> None:
    said = [term for term in terms if abs(term.ln) >= SMALL]
    grid = new_grid("", "factor", "ln", "", right=(1, 2))
    for term in said[:TERMS]:
        grid.add_row(escape(_name(term)), f"x{term.factor:.3g}", f"{term.ln:+.3f}", term.verdict)
    if said:
        out.print(grid)
    if len(said) > TERMS:
        out.print(f"... {len(said) - TERMS} smaller terms; --json has them all")
    for verdict in ("no effect", "compose", "unknown"):
        names = [_name(term) for term in terms if term.verdict == verdict]
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        if names:
            out.print(escape(f"{verdict}: {', '.join(names[:LISTED])}{more}"))
    out.print()


def _name(term: Term) -> str:
    return " + ".join(term.techniques)


def _effect(found: Ablation, metric: str) -> str:
    """Both ends in words, and what all techniques make of the metric."""
    unit, values = found.cells.units[metric], found.cells[metric]
    ends = (mark(value, unit) for value in values[[0, -1]])
    low, high = (end if end != "unknown" else "no value" for end in ends)
    effect = found.effect(metric)
    gain = "" if np.isnan(effect.ln) else f": x{effect.factor:.3g}, ln {effect.ln:+.3f}"
    sense = {"min": ", lower is better", "max": ", higher is better"}
    better = sense.get(found.page.metrics[metric].sense, "")
    return f"{metric}{better}: {low} all off, {high} all on{gain}"
