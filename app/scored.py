"""What stands on the explorer's scoreboard: scores of pages, reckoned once, and their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from math import isfinite
from threading import Lock

from dse import figures, interval, registry, scoreboard, scores, trust_charts, units
from dse.chart import Chart
from dse.executed import place_of as answers_of
from dse.provenance import Point
from dse.scoreboard import mistaken, percent, tendency
from dse.scores import MECHANISM, Card, Score

from . import papers

Stamp = tuple[int, ...]
"""The ages of the files that a page's scores are read from."""

Chosen = dict[str, str]
"""A row of the scoreboard: `model`, `comparison` and `use`."""

COLUMNS = {
    "model": "page",
    "comparison": "compared",
    "use": "use",
    "rows": "rows",
    "mape": "mean error",
    "worst": "worst error",
    "bias": "bias",
    "tau": "order (tau)",
    "regret": "regret",
    "feasibility": "wrong feasibility",
    "coverage": "in the 90 % interval",
}
"""Columns of the scoreboard and their heads."""

WORDS = ("model", "comparison", "use")
"""Those of them that are words; of a number the grid has a `<name>_text` beside it."""


ROWS = {
    "id": "row",
    "metric": "metric",
    "reference": "held against",
    "predicted": "predicted",
    "error": "error",
    "source": "source",
}
"""Columns of the rows behind a score and their heads."""

ROW_WORDS = ("id", "metric", "source")


class Board:
    """What one server has scored: a page again only when its files have changed."""

    def __init__(self) -> None:
        self._locks = {slug: Lock() for slug in registry.slugs()}
        self._all = Lock()
        self._held: dict[str, tuple[Stamp, Card]] = {}
        self._chart: tuple[tuple[Stamp, ...], Chart] | None = None

    def card(self, slug: str) -> Card:
        """A page's scores; whoever asks meanwhile waits for the same answer."""
        with self._locks[slug]:
            stamp, held = _stamp(slug), self._held.get(slug)
            if held is None or held[0] != stamp:
                if held is not None:
                    interval.forget()
                held = self._held[slug] = (stamp, scores.cards([slug])[0])
            return held[1]

    def calibration(self) -> Chart:
        """How often the intervals of all pages hold, from the same files."""
        with self._all:
            stamp = tuple(_stamp(slug) for slug in registry.slugs())
            if self._chart is None or self._chart[0] != stamp:
                self._chart = (stamp, trust_charts.calibration(registry.slugs()))
            return self._chart[1]


def _stamp(slug: str) -> Stamp:
    """The age of every file that a page's scores are read from; 0 for one that is not there."""
    scored = scoreboard.place_of(slug)
    found = (scored, answers_of(slug), interval.place_of(slug), scored.with_name("data.yaml"))
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in found)


def kept_rows(slug: str) -> list[dict[str, object]]:
    """Mean errors of a page as they were kept; what is not kept stays open."""
    return [
        _cells(slug, comparison, use, {"mape": (mean, percent(mean))})
        for comparison, uses in scoreboard.kept(slug).mape.items()
        for use, mean in uses.items()
    ]


def _cells(
    slug: str, comparison: str, use: str, numbers: Mapping[str, tuple[float | None, str]]
) -> dict[str, object]:
    cells: dict[str, object] = {"model": slug, "comparison": comparison, "use": use}
    for name in COLUMNS:
        if name not in cells:
            number, text = numbers.get(name, (None, ""))
            cells |= {name: number, f"{name}_text": text}
    return cells


def board_row(found: Score) -> dict[str, object]:
    """A row of the scoreboard as the grid takes it: numbers to sort by, and their words."""
    wrong = found.feasibility
    lost = None if wrong is None else (wrong.false_infeasible + wrong.false_feasible) / wrong.rows
    held = found.coverage
    rows = f"{found.rows:,}" + (f" of {found.rows + found.odd:,}" if found.odd else "")
    inside = (
        f"{held.covered:,} of {held.rows:,} ({held.low:.0%} to {held.high:.0%})" if held else ""
    )
    numbers: dict[str, tuple[float | None, str]] = {
        "rows": (found.rows, rows),
        "mape": (found.mape, percent(found.mape)),
        "worst": (found.worst, percent(found.worst)),
        "bias": (found.bias, tendency(found.bias)),
        "tau": (found.tau, "" if found.tau is None else f"{found.tau:.2f}"),
        "regret": (found.regret, percent(found.regret)),
        "feasibility": (lost, mistaken(wrong)),
        "coverage": (held.share if held else None, inside),
    }
    return _cells(found.model, found.comparison, found.use, numbers)


def rows_of(card: Card, which: Chosen) -> list[dict[str, object]]:
    """The rows behind a score, the worst first, each with its source."""
    points = {point.id: point for point in registry.model(card.model).data.points}
    found = [
        pair
        for pair in card.pairs
        if (pair.comparison, pair.use) == (which["comparison"], which["use"])
    ]
    listed = sorted(found, key=lambda pair: (not isfinite(pair.error), -abs(pair.error)))
    return [
        {
            "id": pair.id,
            "metric": pair.metric,
            "reference": _finite(pair.reference),
            "reference_text": units.show(pair.reference, pair.unit),
            "predicted": _finite(pair.predicted),
            "predicted_text": units.show(pair.predicted, pair.unit),
            "error": _finite(pair.error),
            "error_text": percent(pair.error, sign=True),
            "source": _source(points.get(pair.id), pair.group),
        }
        for pair in listed
    ]


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _source(point: Point | None, group: str) -> str:
    """Where a row comes from: the publication, or a run of the mechanism."""
    if point is not None:
        return f"{point.number.source.where} ({point.number.source.kind})"
    return f"executed mechanism{f', {group}' if group else ''}"


def chart_of(card: Card, which: Chosen) -> Chart:
    """The rows as a chart: against the paper all of the page's points, fit and check apart."""
    if which["comparison"] != MECHANISM:
        return papers.points(card.model)
    pairs = [
        pair for pair in card.pairs if (pair.comparison, pair.use) == (MECHANISM, which["use"])
    ]
    rows = [
        {**asdict(pair), "published": pair.reference, "quantity": pair.metric, "error": pair.error}
        for pair in pairs
    ]
    drawn = figures.validation(rows)
    return replace(
        drawn,
        title="Executed against predicted",
        x_label=drawn.x_label.replace("Published", "Executed"),
        caption=f"{len(rows):,} answers of the executed mechanism of '{card.model}' beside those "
        f"of its closed form, {which['use']} rows. On the line both are equal.",
    )
