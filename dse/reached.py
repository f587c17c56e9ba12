"""What a device reaches, as a terminal shows a calibration: rates, kernels, errors."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape

from dse import units
from dse.calibrate import Calibration, Line
from dse.grids import ROWS, new_grid
from dse.scoreboard import percent

SAID = {"before": "before", "after": "calibrated", "left_out": "left out"}
"""Predictions, as the heads of columns name them."""


def calibration(out: Console, found: Calibration) -> None:
    """The numbers measured, every kernel beside its predictions, and how to use the result."""
    _numbers(out, found)
    _kernels(out, found)
    _errors(out, found)
    for settings in found.inline:
        out.print(_command(found.page, settings), soft_wrap=True)
    if found.file is not None:
        out.print(f"device written to {escape(str(found.file))}")
        settings = {found.knob: found.file, **found.settings}
        out.print(_command(found.page, settings), soft_wrap=True)


def _numbers(out: Console, found: Calibration) -> None:
    grid = new_grid("measured", "value", "how", title=found.device.note, right=(1,))
    for name, number in found.measured.items():
        if number.note:
            grid.add_row(name, escape(units.show(number.value, number.unit)), escape(number.note))
    out.print(grid)


def _kernels(out: Console, found: Calibration) -> None:
    """The kernels with the predictions that there are."""
    said = [k for k in SAID if any(not math.isnan(getattr(line, k)) for line in found.lines)]
    repeated = any(not math.isnan(line.spread) for line in found.lines)
    heads = (
        "kernel",
        "bound by",
        "time",
        *(["spread"] if repeated else []),
        *(SAID[k] for k in said),
    )
    grid = new_grid(*heads, right=range(2, len(heads)))
    for line in found.lines[:ROWS]:
        spread = [percent(line.spread)] if repeated else []
        errors = [_error(line, name) for name in said]
        time = units.show(line.measured, "s")
        grid.add_row(escape(line.name), line.regime, time, *spread, *errors)
    out.print(grid)
    if len(found.lines) > ROWS:
        out.print(f"... {len(found.lines) - ROWS} more kernels; --json has them all")


def _error(line: Line, said: str) -> str:
    """How far a prediction is off."""
    return percent(getattr(line, said) / line.measured - 1, sign=True)


def _errors(out: Console, found: Calibration) -> None:
    grid = new_grid("bound by", "prediction", "kernels", "mean |error|", "bias", right=(2, 3, 4))
    for row in found.errors():
        grid.add_row(
            row.regime,
            SAID[row.prediction],
            str(row.rows),
            percent(row.error),
            percent(row.bias, sign=True),
        )
    out.print(grid)


def _command(page: str, settings: Mapping[str, object]) -> str:
    pairs = (shlex.quote(f"{path}={value}") for path, value in settings.items())
    return escape(f"dse eval {page} " + " ".join(f"--set {pair}" for pair in pairs))
