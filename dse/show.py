"""Answers as people read them in a terminal: tables, bars and one-line warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from dse import documents, registry, units, validate
from dse.answers import Answer
from dse.breakdown import broken_down, nothing
from dse.certainty import HEAD, known_from, told
from dse.errors import InputError
from dse.evaluate import Table
from dse.facts import facts as facts
from dse.grids import GAP, Facts, new_grid
from dse.grids import records as records
from dse.outcome import at_prices as at_prices
from dse.outcome import outcome as outcome
from dse.outcome import outcome_json as outcome_json

ROOM = 28
"""Columns that a terminal must have left for what an interval rests on."""


def listing(out: Console, found: Mapping[str, Mapping[str, str]]) -> None:
    """What has a name, kind by kind."""
    for kind, entries in found.items():
        grid = new_grid("name", "", title=f"{kind} ({len(entries)})")
        for slug, text in entries.items():
            grid.add_row(escape(slug), escape(text))
        out.print(grid)


def card(out: Console, known: Facts) -> None:
    """Facts as a card: short ones first, then a table for every list."""
    head = new_grid("", "")
    for key, value in known.items():
        if not isinstance(value, list | dict):
            head.add_row(key, escape(str(value)))
    out.print(head)
    for key, value in known.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            _print_rows(out, key, value)
        elif isinstance(value, list | dict) and value:
            out.print(f"{key}:")
            out.print(escape(documents.dump({key: value})).strip(), highlight=False)


def _print_rows(out: Console, title: str, rows: Sequence[Facts]) -> None:
    names = list(dict.fromkeys(key for row in rows for key in row))
    filled = [name for name in names if any(row.get(name) not in (None, "") for row in rows)]
    cells = {n: [_cell(row.get(n), str(row.get("unit", ""))) for row in rows] for n in filled}
    fit = _fitting(cells, out.width)
    grid = new_grid(*fit, title=title)
    for i in range(len(rows)):
        grid.add_row(*(escape(cells[name][i]) for name in fit))
    out.print(grid)
    if len(fit) < len(filled):
        out.print(f"not shown here: {', '.join(filled[len(fit) :])}; --json has it all")


def _fitting(cells: Mapping[str, Sequence[str]], width: int) -> list[str]:
    """The first columns that stay readable side by side; long ones may fold to a third."""
    chosen: list[str] = []
    for name, column in cells.items():
        need = min(max(len(name), *(len(cell) for cell in column)), width // 3) + 3
        if chosen and need > width:
            break
        chosen.append(name)
        width -= need
    return chosen


def _cell(value: object, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return _quantity(float(value), unit)
    return str(value)


def _quantity(value: float, unit: str) -> str:
    return units.show(value, unit) if unit else f"{value:.6g}"


def answer(out: Console, found: Answer) -> None:
    """One design's metrics with what they are known from, breakdown, bottleneck and warnings."""
    out.print(_metrics(found, out.width))
    _bars(out, found)
    out.print(f"bottleneck: {found['bottleneck']}")
    if listed := at_prices(registry.model(found["model"]), registry.prices()):
        out.print(f"costs are{escape(listed)}")
    for text in found["warnings"]:
        out.print(f"warning: {escape(text)}")


def _metrics(found: Answer, width: int) -> Grid:
    """Value, interval and tier of every metric; what that rests on where the terminal is wide."""
    metrics = found["metrics"].values()
    columns = {
        "metric": list(found["metrics"]),
        "value": [_value(metric, "value") for metric in metrics],
        HEAD: [told(metric) for metric in metrics],
        "known from": [known_from(metric) for metric in metrics],
    }
    used = sum(max(map(cell_len, [head, *cells])) + GAP for head, cells in columns.items())
    if width - used >= ROOM:
        columns["basis"] = [metric["basis"] if told(metric) else "" for metric in metrics]
    grid = new_grid(*columns, title=str(found["model"]), right=(1,))
    for row in zip(*columns.values(), strict=True):
        grid.add_row(*map(escape, row))
    return grid


def simulation(out: Console, found: Answer, seconds: float) -> None:
    """What came out of a mechanism, and how long it ran."""
    grid = new_grid("quantity", "value", title=f"{found['model']}, executed", right=(1,))
    for name, quantity in found["metrics"].items():
        grid.add_row(name, escape(_value(quantity, "value")))
    out.print(grid)
    out.print(f"ran for {units.show(seconds, 's')}")
    for text in found["warnings"]:
        out.print(f"warning: {escape(text)}")


def _value(metric: Mapping[str, Any], key: str) -> str:
    value = metric[key]
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return units.show(value, metric["unit"])


def _bars(out: Console, found: Answer) -> None:
    page = registry.model(found["model"])
    metrics = {name: metric["value"] for name, metric in found["metrics"].items()}
    broken = broken_down(page, metrics, found["terms"])
    if broken is None:
        out.print(nothing(page))
        return
    terms = {name: value or 0.0 for name, value in broken.parts.items()}
    total = sum(terms.values()) or 1.0
    unit = page.metrics[broken.metric].unit
    grid = new_grid(f"{broken.metric} is the sum of", "", "share", "", right=(1, 2))
    for name, value in sorted(terms.items(), key=lambda term: -term[1]):
        share = value / total
        bar = "█" * round(30 * share)
        grid.add_row(escape(name), units.show(value, unit), f"{100 * share:.1f} %", bar)
    out.print(grid)


def save_csv(table: Table, path: Path) -> None:
    """Write a table as one CSV file.

    Raises:
        InputError: the folder is missing or closed to us.
    """
    from dse.store import Run  # noqa: PLC0415 - only a saved sweep needs it

    try:
        Run(path.parent).write_csv(path.name, table)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; choose another --output") from None


def _unpublished(model: str | None) -> str:
    """Why there is nothing to compare: the page's own words, if it has some."""
    note = registry.model(model).note if model else ""
    told = f"{model or 'no model'} has no published point"
    return escape(f"{told}: {note}" if note else told)


def validation(out: Console, rows: Sequence[validate.Row], model: str | None) -> None:
    """Published against predicted, fit and check apart, with their mean errors."""
    if not rows:
        out.print(_unpublished(model))
    for use, title in (("fit", "fitted on these"), ("check", "not used in any fit")):
        chosen = [row for row in rows if row.use == use]
        if not chosen:
            continue
        heads = ("model", "point", "quantity", "published", "predicted", "error", "known from")
        grid = new_grid(*heads, title=f"{use}: {title}", right=(3, 4, 5))
        for row in chosen:
            pair = (units.show(row.published, row.unit, 4), units.show(row.predicted, row.unit, 4))
            error = f"{100 * row.error:+.2f} %"
            grid.add_row(row.model, escape(row.id), row.quantity, *pair, error, row.kind)
        out.print(grid)
    for slug in dict.fromkeys(row.model for row in rows):
        if refused := [row.id for row in rows if row.model == slug and not row.feasible]:
            out.print(f"{slug} calls infeasible what was published: {escape(', '.join(refused))}")
        for summary in validate.left_out(registry.model(slug)):
            out.print(
                f"{slug} fitted {summary.use}, on its {summary.rows} rows: mean error "
                f"{100 * summary.mean:.2f} %, worst {100 * summary.worst:.2f} %"
            )
        objective = registry.model(slug).data.notes.get("fit")
        if objective:
            out.print(f"{slug} fit objective: {escape(objective)}")
