"""The scoreboard as files: CSV, JSON and Markdown, and the scores that are kept beside a page.

`models/<slug>/scores.json` holds what worked, row by row, and the mean errors of that day. It is
made by `dse validate --write`; a test compares it with today.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dse import documents, registry, residuals
from dse.errors import InputError
from dse.executed import Tick
from dse.scores import Card, Coverage, Feasibility, Pair, Score, cards

HEADS = (
    *("page", "compared", "rows", "mean error", "worst", "bias", "order"),
    *("regret", "wrong feasibility", "in the 90 % interval"),
)


def table(found: Sequence[Card]) -> tuple[list[str], list[list[str]]]:
    """The scoreboard as heads and text cells, a row for each page, comparison and use.

    A page without a score has one row; coverage has a column where it is known at all.
    """
    rows = [cells for each in found for cells in (_rows(each) or [[each.model, *[""] * 9]])]
    known = 10 if any(row[9] for row in rows) else 9
    return list(HEADS[:known]), [row[:known] for row in rows]


def _rows(found: Card) -> list[list[str]]:
    return [[found.model, *_cells(each)] for each in found.scores]


def _cells(found: Score) -> list[str]:
    return [
        f"{found.comparison}, {found.use}",
        str(found.rows) if not found.odd else f"{found.rows} of {found.rows + found.odd}",
        percent(found.mape),
        percent(found.worst),
        tendency(found.bias),
        "" if found.tau is None else f"{found.tau:.2f}",
        percent(found.regret),
        mistaken(found.feasibility),
        _covered(found.coverage),
    ]


def percent(share: float | None, *, sign: bool = False) -> str:
    """A share as text; what is unknown is empty."""
    if share is None or math.isnan(share):
        return ""
    return f"{100 * share:{'+' if sign else ''}.2f} %"


def tendency(bias: float | None) -> str:
    """A bias with what it means, as the sign alone is often misread.

    >>> tendency(-0.1)
    '10.00 % too little'
    """
    text = percent(None if bias is None else abs(bias))
    if bias is None or text == percent(0.0):
        return "" if bias is None else "none"
    return f"{text} too {'much' if bias > 0 else 'little'}"


def mistaken(found: Feasibility | None) -> str:
    """Wrongly judged designs out of all, and how they are wrong."""
    if found is None:
        return ""
    wrong = {"infeasible": found.false_infeasible, "feasible": found.false_feasible}
    parts = [f"{count} false-{kind}" for kind, count in wrong.items() if count]
    return f"{', '.join(parts) or 0} of {found.rows}"


def _covered(found: Coverage | None) -> str:
    if found is None:
        return ""
    return f"{found.covered} of {found.rows} ({100 * found.low:.0f} to {100 * found.high:.0f} %)"


def markdown(found: Sequence[Card]) -> str:
    """The scoreboard as the README holds it."""
    heads, rows = table(found)
    lines = [heads, ["---"] * len(heads), *([f"`{row[0]}`", *row[1:]] for row in rows)]
    texts = (" ".join(f"| {' | '.join(cells)} |".split()) for cells in lines)
    return "".join(f"{text}\n" for text in texts)


def as_json(found: Sequence[Card]) -> list[dict[str, object]]:
    """The scoreboard as scripts read it; what is unknown is null."""
    return [
        {"model": each.model, "note": each.note, "scores": [asdict(s) for s in each.scores]}
        for each in found
    ]


def files(found: Sequence[Card]) -> dict[str, str]:
    """Name of a file -> its content: the scoreboard three times, and every row behind it."""
    scores, pairs = [s for c in found for s in c.scores], [p for c in found for p in c.pairs]
    return {
        "scoreboard.csv": _csv(list(_COLUMNS), [_flat(each) for each in scores]),
        "scoreboard.json": json.dumps(as_json(found), indent=1, allow_nan=False) + "\n",
        "scoreboard.md": markdown(found),
        "rows.csv": _csv(
            [*(field.name for field in fields(Pair)), "error [1]"],
            [_known({**asdict(pair), "error [1]": pair.error}) for pair in pairs],
        ),
    }


_SHARES = ("mape", "worst", "bias", "tau", "regret")
_GROUPS: dict[str, type[Feasibility | Coverage]] = {
    "feasibility": Feasibility,
    "coverage": Coverage,
}
_PLAIN = {
    f"{field.name} [1]" if field.name in _SHARES else field.name: field.name
    for field in fields(Score)
    if field.name not in _GROUPS
}
_COLUMNS = (
    *_PLAIN,
    *(f"{name} {field.name}" for name, kind in _GROUPS.items() for field in fields(kind)),
)
"""Of `scoreboard.csv`: units in the heads, what is counted apart after the rest."""


def _flat(found: Score) -> dict[str, object]:
    """A score as one row, empty where unknown."""
    plain = asdict(found)
    row = {column: plain[name] for column, name in _PLAIN.items()}
    for name in _GROUPS:
        row |= {f"{name} {field}": count for field, count in (plain[name] or {}).items()}
    return row


def _known(row: Mapping[str, object]) -> dict[str, object]:
    """A row without what is unknown or infinite."""
    return {
        key: value
        for key, value in row.items()
        if not isinstance(value, float) or math.isfinite(value)
    }


def _csv(heads: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, heads, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def refuse_held(folder: Path) -> None:
    """Refuse a folder that already holds a scoreboard, before anything is reckoned for it."""
    if held := [folder / name for name in files(()) if (folder / name).exists()]:
        raise InputError(f"{held[0]} exists; choose another --output")


def write(found: Sequence[Card], folder: Path) -> list[Path]:
    """Write the scoreboard's files into a folder, all of them or none.

    Raises:
        InputError: one of them exists, or the folder cannot be written to.
    """
    refuse_held(folder)
    texts = {folder / name: text for name, text in files(found).items()}
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            documents.replace(path, text)
            written.append(path)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        place = error.filename or folder
        raise InputError(f"{place}: {error.strerror}; choose another --output") from None
    return written


@dataclass(frozen=True)
class Kept:
    """What a page's scores were when they were kept."""

    mape: Mapping[str, Mapping[str, float]]
    """Comparison -> use -> mean error."""
    worked: Mapping[str, Mapping[str, bool]]
    """Comparison -> row or case -> whether it worked."""


def place_of(slug: str) -> Path:
    """Where the scores of a page are kept."""
    return Path(registry.folder("models").__path__[0], slug, "scores.json")


def _today(found: Card) -> Kept:
    mape: dict[str, dict[str, float]] = {}
    for each in found.scores:
        if each.mape is not None:
            mape.setdefault(each.comparison, {})[each.use] = float(f"{each.mape:.6g}")
    return Kept(mape, found.worked)


def keep(slugs: Sequence[str], tick: Tick | None = None) -> list[Path]:
    """Keep today's scores of pages, and the errors of their check rows, beside them.

    Args:
        slugs: the pages.
        tick: told of pages done and pages in all.

    Raises:
        InputError: a mechanism whose answers are not kept or stale: its rows would be lost.
    """
    found = cards(slugs, tick)
    for each in found:
        if each.note:
            raise InputError(f"{each.model}: {each.note}")
    paths = []
    for each in found:
        paths.append(place_of(each.model))
        documents.replace(paths[-1], json.dumps(asdict(_today(each)), indent=1) + "\n")
        errors = residuals.write(each.model)
        paths += [errors] if errors else []
    return paths


def kept(slug: str) -> Kept:
    """The scores of a page that were kept; empty if there is no file.

    Raises:
        InputError: a file that `keep` did not make.
    """
    path = place_of(slug)
    if not path.is_file():
        return Kept({}, {})
    try:
        return Kept(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        way_out = f"make it again by 'dse validate {slug} --write'"
        raise InputError(f"{path}: holds no scores ({error}); {way_out}") from None


def broken(then: Kept, found: Card) -> list[str]:
    """Rows that worked and do not any more, or are gone, each with what happened."""
    return [
        f"{found.model}, {comparison}, {row}: {'no longer works' if row in now else 'is gone'}"
        for comparison, rows in then.worked.items()
        for now in [found.worked.get(comparison, {})]
        for row, worked in rows.items()
        if worked and not now.get(row, False)
    ]


def unkept(then: Kept, found: Card) -> list[str]:
    """Rows of today that were not kept, so that nobody would miss them."""
    return [
        f"{found.model}, {comparison}, {row}"
        for comparison, rows in found.worked.items()
        for row in rows
        if row not in then.worked.get(comparison, {})
    ]


def drift(then: Kept, found: Card) -> list[str]:
    """Mean errors that are not what they were, as far as two digits of a percent show."""
    now = _today(found).mape
    return [
        f"{found.model}, {comparison}, {use}: mean error {before} -> {after}"
        for comparison, uses in then.mape.items()
        for use, mean in uses.items()
        for before in [percent(mean)]
        for after in [percent(now.get(comparison, {}).get(use)) or "unknown"]
        if before != after
    ]
