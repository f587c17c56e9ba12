"""Designs as a table: the front, or what is selected; units in the header, intervals beside."""

from __future__ import annotations

from collections.abc import Sequence

import dash_ag_grid
import numpy as np
from dash import html
from dash.development.base_component import Component
from numpy.typing import NDArray

from dse import units
from dse.certainty import CHANCES, HEAD, span
from dse.chart import shown, words
from dse.confidence import judged
from dse.evaluate import Table
from dse.study import Study

from .columns import Opened
from .page import aria

LISTED = 2000
"""Most rows of the table."""

ACTIONS = {
    "open": "Open the design",
    "yaml": "Design as YAML",
    "csv": "Designs as CSV",
    "pin": "Pin for Compare",
    "clear": "Drop the selection",
}
"""What can be done with the selected designs, by the kind in the button's id."""


def panel(opened: Opened) -> Component:
    """The table, what is selected, and what can be done with it."""
    buttons = [
        html.Button(text, id=f"explore-selection-{kind}", type="button")
        for kind, text in ACTIONS.items()
    ]
    return html.Section(
        [
            html.H2("Designs"),
            html.Div(id="explore-selection-status", **aria(live="polite")),
            html.Div(buttons, className="explore-buttons"),
            html.Div(id="explore-action-alert", role="alert", className="refusal"),
            html.Div(id="explore-pins-list", className="explore-pins"),
            _grid(opened),
            html.P(id="explore-table-caption", className="caption"),
        ],
        className="card explore-listing",
    )


def _grid(opened: Opened) -> Component:
    grid: Component = dash_ag_grid.AgGrid(
        id="explore-front-grid",
        columnDefs=columns(opened.study, opened.front),
        rowData=[],
        columnSize="autoSize",
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "filter": True, "resizable": True},
        dashGridOptions={
            "rowSelection": {"mode": "multiRow", "headerCheckbox": False},
            "suppressFieldDotNotation": True,
            "animateRows": False,
            "theme": {"function": "dseTheme(themeQuartz)"},
        },
        style={"height": "24rem"},
    )
    return grid


def columns(study: Study, front: Table) -> list[dict[str, object]]:
    """Objectives with intervals, chances, knobs and other metrics; units in the headers."""
    sure, knobs = judged(study), [axis.path for axis in study.space.axes]
    names = dict.fromkeys((*sure, *CHANCES, *knobs, *study.metrics))
    found: list[dict[str, object]] = [_number(study), {"field": "front", "headerName": "On front"}]
    for name in names:
        if name != "feasible":
            found.append(_column(front, name))
        if f"{name}_low" in front.columns:
            found.append({"field": _interval(name), "headerName": HEAD, "sortable": False})
    return found


def _number(study: Study) -> dict[str, object]:
    tip = f"open a design of {study.slug}"
    return {
        "field": "row",
        "headerName": "Design",
        "headerTooltip": tip,
        "cellClass": "explore-open",
        "pinned": "left",
    }


def _interval(name: str) -> str:
    return f"{name} interval"


def _column(front: Table, name: str) -> dict[str, object]:
    if name in CHANCES:
        return {**_numeric(0.01), "field": name, "headerName": f"{words(CHANCES[name])} [%]"}
    if name in front.labels:
        return {"field": name, "headerName": words(name)}
    look = shown(name, front[name], front.units.get(name, "1"))
    return {**_numeric(look.scale), "field": name, "headerName": look.label}


def _numeric(scale: float) -> dict[str, object]:
    """Numbers that stay SI in the data and are shown in the header's unit."""
    return {
        "type": "numericColumn",
        "filter": "agNumberColumnFilter",
        "valueFormatter": {"function": f"dseShown(params.value, {scale!r})"},
    }


def rows(table: Table, study: Study) -> list[dict[str, object]]:
    """Rows as the grid takes them: SI numbers in full, words where there is no number."""
    names = [name for name in table.columns if not name.endswith(("_low", "_high"))]
    lists = {name: _plain(table, name) for name in names}
    for name in judged(study):
        if f"{name}_low" in table.columns:
            lists[_interval(name)] = _spans(table, name)
    for name in CHANCES:  # of a design off the front nobody has asked
        lists.setdefault(name, [""] * len(table))
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _spans(table: Table, name: str) -> list[object]:
    ends = zip(table[f"{name}_low"].tolist(), table[f"{name}_high"].tolist(), strict=True)
    unit = table.units.get(name, "1")
    return [span(low, high, unit) or "unchecked" for low, high in ends]


def _plain(table: Table, name: str) -> list[object]:
    values: list[object] = table.words(name).tolist()
    return [_json(value) for value in values]


def _json(value: object) -> object:
    """A value as JSON has it: null for what is unknown, a word for what is infinite."""
    if not isinstance(value, float) or np.isfinite(value):
        return value
    return None if np.isnan(value) else units.show(value, "1")


def shown_rows(
    opened: Opened,
    front: Table,
    chosen: NDArray[np.intp] | None,
    extra: NDArray[np.intp] | None = None,
) -> tuple[list[dict[str, object]], str]:
    """What the table shows, and in words of how many.

    Args:
        opened: the run.
        front: the designs of the front that remain.
        chosen: numbers of the selected designs, or nothing: the front is shown.
        extra: designs off the front that are shown as well.
    """
    if chosen is None:
        some = front.take(np.arange(min(len(front), LISTED)))
        others = () if extra is None else extra[:LISTED]
        told = [*_told(opened, others), *_rows(opened, some, "yes")]
        return told, _of(len(some), len(front), "of the front")
    of_front = front.take(np.flatnonzero(np.isin(front["row"], chosen))[:LISTED])
    rest = np.setdiff1d(chosen, front["row"])[: LISTED - len(of_front)]
    said = _of(len(of_front) + len(rest), len(chosen), "that are selected, the front's first")
    return [*_rows(opened, of_front, "yes"), *_told(opened, rest)], said


def _told(opened: Opened, numbers: Sequence[int] | NDArray[np.intp]) -> list[dict[str, object]]:
    """Designs off the front."""
    return _rows(opened, opened.designs(numbers), "no") if len(numbers) else []


def _rows(opened: Opened, table: Table, on_front: str) -> list[dict[str, object]]:
    return [{**row, "id": str(row["row"]), "front": on_front} for row in rows(table, opened.study)]


def _of(listed: int, count: int, whose: str) -> str:
    note = "Intervals and chances are of the front's designs."
    if listed == count:
        return f"{count:,} designs {whose}. {note}"
    return f"The first {listed:,} of {count:,} designs {whose}; the CSV holds more. {note}"
