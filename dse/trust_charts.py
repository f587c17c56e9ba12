"""Charts of how far pages can be trusted: published points, and intervals held to their word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

import numpy as np

from dse import registry, validate
from dse.certainty import HEAD, UNCHECKED, span
from dse.chart import Chart, Shown, shown, tidy
from dse.grounds import Ground, grounds
from dse.interval import LEVEL
from dse.provenance import Point
from dse.residuals import Coverage, coverage
from dse.spec import AnyModel
from dse.study import nest
from dse.validate import Row

if TYPE_CHECKING:
    import pandas as pd


LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Levels at which intervals are held to their word."""


MARKED = ("fit", "check", "mechanism")
"""What the marks of published points stand for; the last is no prediction of the page."""


def grounds_of(slug: str) -> dict[str, Ground]:
    """Published point of a page -> what its prediction rests on."""
    page = registry.model(slug)
    return {point.id: _ground(page, point) for point in page.data.points}


def points(slug: str) -> list[dict[str, object]]:
    """A page's published points as `dse.validate.rows` has them, with `low`, `high` and `tier`."""
    found = grounds_of(slug)
    return [with_ground(row, found[row.id]) for row in validate.rows(slug)]


def with_ground(row: Row, ground: Ground | None) -> dict[str, object]:
    """A row as `validation` draws it; its ends are None where nothing was checked."""
    if ground is None or np.isnan(ground.low):
        return {**asdict(row), "low": None, "high": None, "tier": UNCHECKED}
    return {**asdict(row), "low": ground.low, "high": ground.high, "tier": ground.tier}


def _ground(page: AnyModel, point: Point) -> Ground:
    """What the prediction of a published number rests on."""
    config = registry.configure(page, nest(point.settings), place=f"points.{point.id}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return grounds(page, config, page.evaluate(config))[point.quantity]


def validation(rows: list[dict[str, object]]) -> Chart:
    """Published against predicted numbers; constants were fitted on fit rows only.

    Rows with `low` and `high`, as `points` has them, are drawn with the predictions' intervals.
    Rows of the use `mechanism` hold what the executed mechanism says in the prediction's place.
    """
    published, predicted, error, low, high = (
        np.array([row.get(name) for row in rows], dtype=np.float64)
        for name in ("published", "predicted", "error", "low", "high")
    )
    kinds = sorted({str(row["unit"]) for row in rows})
    both = np.concatenate([published, predicted])
    ends = np.concatenate([low, high])
    one = len(kinds) == 1
    same = shown("", both, kinds[0], ends) if one else Shown(" [SI, mixed units]", 1.0, True)
    positive = bool(np.all(both[np.isfinite(both)] > 0))
    label = [_point_label(row, e) for row, e in zip(rows, error, strict=True)]
    series = [str(row["use"]) for row in rows]
    numbers = {"published": published, "predicted": predicted, "low": low, "high": high}
    frame = tidy(len(rows), **numbers, series=series, label=label)
    known = frame[np.isfinite(published) & np.isfinite(predicted)].reset_index(drop=True)
    fit, check, executed = (int((known["series"] == use).sum()) for use in MARKED)
    return Chart(
        kind="scatter",
        title="Published against predicted",
        x="published",
        y="predicted",
        x_label=f"Published{same.label}",
        y_label=f"Predicted{same.label}",
        frame=known,
        caption=f"{fit} points were used to fit constants, {check} are checks that no "
        f"constant has seen.{_executed(executed)} On the line the prediction equals the "
        f"publication.{_barred(known[known['series'] != MARKED[-1]])}",
        log_x=same.log and positive,
        log_y=same.log and positive,
        x_scale=same.scale,
        y_scale=same.scale,
        diagonal=True,
    )


def _executed(rows: int) -> str:
    """Which of the marks are no predictions of the page."""
    return f" Squares are {rows} answers of the executed mechanism." if rows else ""


def _barred(known: pd.DataFrame) -> str:
    """How many predictions carry an interval."""
    barred = int(known["low"].notna().sum())
    if barred == 0:
        return " No prediction has an interval: nothing was checked."
    of = "" if barred == len(known) else f", which {barred} of the {len(known)} have"
    return f" Bars are {HEAD}s of the predictions{of}."


def _point_label(row: Mapping[str, object], error: float) -> str:
    head = f"{row['model']} {row['id']}: {row['quantity']}"
    lines = [head] if np.isnan(error) else [head, f"error {error:+.1%}"]
    if "tier" in row:
        ends = (row["low"], row["high"])
        said = span(*cast("tuple[float | None, float | None]", ends), str(row["unit"]))
        lines.append(f"{HEAD} {said}, {row['tier']}" if said else UNCHECKED)
    return "\n".join(lines)


def calibration(slugs: Sequence[str]) -> Chart:
    """Level of intervals against the share of check rows that they hold, a line a page.

    Each group of rows is judged by an error model that has not seen it; pages of which no row
    can be judged so are named in the caption.
    """
    found = {slug: [coverage(slug, level) for level in LEVELS] for slug in slugs}
    judged = {slug: held for slug, held in found.items() if held[0].rows}
    flat = [
        (slug, level, c)
        for slug, held in judged.items()
        for level, c in zip(LEVELS, held, strict=True)
    ]
    frame = tidy(
        len(flat),
        level=[level for _, level, _ in flat],
        share=[c.share for _, _, c in flat],
        low=[c.low for _, _, c in flat],
        high=[c.high for _, _, c in flat],
        series=[slug for slug, _, _ in flat],
        label=[f"{c.covered:,} of {c.rows:,} rows" for _, _, c in flat],
    )
    return Chart(
        kind="lines",
        title="Do intervals hold what they promise?",
        x="level",
        y="share",
        x_label="Nominal level of the interval [%]",
        y_label="Check rows inside [%]",
        frame=frame,
        caption=_calibration_caption(found),
        x_scale=0.01,
        y_scale=0.01,
        diagonal=True,
        choices=tuple(judged),
    )


def _calibration_caption(found: Mapping[str, Sequence[Coverage]]) -> str:
    at = LEVELS.index(LEVEL)
    told = [
        f"{slug} {h[at].covered:,} of {h[at].rows:,}" for slug, h in found.items() if h[at].rows
    ]
    lines = [
        f"Inside {HEAD}s lie: {', '.join(told)} check rows." if told else "",
        "Each group of rows is judged by an error model that has not seen it; bars are 95 % "
        "binomial intervals. On the dotted line intervals hold what they promise, above it they "
        "are wider than they need to be.",
    ]
    if lost := [slug for slug, held in found.items() if not held[at].rows]:
        lines.append(f"No check rows that could be judged: {', '.join(lost)}.")
    return " ".join(filter(None, lines))
