"""One control per knob: a slider with a box that takes units, or a menu of a catalog's rows.

They stand in folded groups, errors last. Pointing at a name tells where its number is from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from dash import dcc, html
from dash.dependencies import Wildcard
from dash.development.base_component import Component

from dse import registry, units
from dse.chart import words
from dse.errors import unknown
from dse.space import Axis
from dse.spec import AnyModel, Knob, knobs
from dse.study import Study, field_of

from . import design

STEPS = 200
"""Positions of a slider over a continuous range."""

FEW = 40
"""Knobs of a page up to which every group is unfolded."""

SETTING = "Setting"
"""The group of knobs that stand in no group."""

ERRORS = "errors held at 1"
"""The group of knobs that hold truth over prediction, which a design does not choose."""


@dataclass(frozen=True)
class Control:
    """How one knob is set: its range, or its choices. Without either only the box sets it."""

    knob: Knob
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    integer: bool = False
    choices: tuple[str, ...] = ()

    @property
    def slides(self) -> bool:
        """Whether there is a range to slide over."""
        return self.high > self.low

    @property
    def levels(self) -> list[float]:
        """The whole numbers that a slider over orders of magnitude stops at; none for others."""
        if not (self.integer and self.log):
            return []
        spread = np.geomspace(self.low, self.high, STEPS + 1)
        return [float(value) for value in np.unique(np.round(spread))]

    @property
    def steps(self) -> int:
        """The slider's last position; whole numbers have one each while they are few."""
        if levels := self.levels:
            return len(levels) - 1
        span = self.high - self.low
        return int(span) if self.integer and span <= 1000 else STEPS

    def value(self, position: float) -> float:
        """The knob's value at a position: round numbers inside, the exact ends."""
        if levels := self.levels:
            return levels[min(max(round(position), 0), len(levels) - 1)]
        share = min(max(position / self.steps, 0.0), 1.0)
        if share in (0.0, 1.0):
            return self.high if share else self.low
        if self.log:
            found = self.low * (self.high / self.low) ** share
        else:
            found = self.low + (self.high - self.low) * share
        return float(round(found)) if self.integer else float(f"{found:.4g}")

    def position(self, value: float) -> int:
        """The position nearest to a value; values beyond the range stand at its ends."""
        inside = min(max(value, self.low), self.high)
        if levels := self.levels:
            return int(np.argmin(np.abs(np.log(levels) - np.log(inside))))
        if self.log:
            share = np.log(inside / self.low) / np.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return round(self.steps * float(share))


def controls(page: AnyModel, study: Study | None) -> dict[str, Control]:
    """A control for every knob; the study's range comes before the page's."""
    axes = study.space.by_path if study is not None and study.page is page else {}
    return {
        path: _control(page, knob, axes.get(path)) for path, knob in knobs(page.config).items()
    }


def control(page: AnyModel, study: Study | None, path: str) -> Control:
    """The control of one knob; see `controls`.

    Raises:
        InputError: an unknown knob.
    """
    known = knobs(page.config)
    if path not in known:
        raise unknown("knob", path, known)
    axes = study.space.by_path if study is not None and study.page is page else {}
    return _control(page, known[path], axes.get(path))


def _control(page: AnyModel, knob: Knob, axis: Axis | None) -> Control:
    if knob.catalog is not None:
        owner, name = field_of(page.config, knob.path)
        kind = owner.model_fields[name].annotation
        fit, _ = registry.covered(kind, knob.catalog.name)  # type: ignore[arg-type]
        return Control(knob, choices=tuple(fit))
    whole = knob.bounds is not None and knob.bounds.integer
    if axis is not None:
        ends = axis.values or (axis.low, axis.high)
        low, high, log = min(ends), max(ends), axis.log
    elif knob.bounds is not None:
        low, high, log = knob.bounds.low, knob.bounds.high, knob.bounds.log
    else:
        return Control(knob)
    return Control(knob, low, high, log and low > 0, whole)


def part(kind: str, path: str | Wildcard) -> dict[str, str | Wildcard]:
    """The id of one part of a knob's control: `range`, `text` or `menu`; `ALL` is every knob."""
    return {"type": f"design-knob-{kind}", "index": path}


def dom(identity: Mapping[str, object]) -> str:
    """An id as the browser sees it, for labels."""
    return json.dumps(identity, sort_keys=True, separators=(",", ":"))


Groups = dict[str, list[Control]]
"""Title of a group -> its controls."""


def grouped(page: AnyModel, found: Mapping[str, Control]) -> Groups:
    """Controls by the prefix of their knob; what only an interval draws comes last."""
    groups: Groups = {}
    for path, own in found.items():
        prefix = path.rpartition(".")[0].replace(".", " ") or SETTING
        groups.setdefault(ERRORS if path in page.uncertain else prefix, []).append(own)
    errors = {ERRORS: groups.pop(ERRORS)} if ERRORS in groups else {}
    return dict(sorted(groups.items())) | errors


def panel(
    page: AnyModel,
    found: Mapping[str, Control],
    settings: design.Settings,
    clicks: Mapping[str, int] | None = None,
) -> list[Component]:
    """Every group, folded or not.

    Args:
        page: the model.
        found: its controls.
        settings: what they show.
        clicks: how often each group was clicked; an odd number unfolds it. Without it the first
            group is unfolded, and all of a small page.
    """
    groups = grouped(page, found)
    first = {t: int(len(found) <= FEW or place == 0) for place, t in enumerate(groups)}
    counts = first if clicks is None else clicks
    return [
        _group(page, title, rows, settings, counts.get(title, 0)) for title, rows in groups.items()
    ]


def _group(
    page: AnyModel, title: str, members: Sequence[Control], settings: design.Settings, clicks: int
) -> Component:
    """A group that holds its controls while it is unfolded: each costs every slider time."""
    unfolded = bool(clicks % 2)
    head = html.Summary(
        f"{words(title)} ({len(members)})",
        id={"type": "design-group-summary", "index": title},
        n_clicks=clicks,
    )
    held = rows(page, members, settings) if unfolded else []
    inside = html.Div(held, id={"type": "design-group-body", "index": title})
    return html.Details([head, inside], className="knobs", open=unfolded)


def rows(page: AnyModel, members: Sequence[Control], settings: design.Settings) -> list[Component]:
    """The controls of a group, a row each."""
    return [_row(own, settings[own.knob.path], page) for own in members]


def _row(control: Control, value: float | str, page: AnyModel) -> Component:
    knob = control.knob
    name, told = knob.path.rpartition(".")[2].replace("_", " "), provenance(page, knob)
    if control.choices:
        label = html.Label(name, htmlFor=dom(part("menu", knob.path)), title=told)
        return html.Div([label, _menu(control, str(value))], className="knob wide")
    box = part("text", knob.path)
    label = html.Label(name, htmlFor=dom(box), title=told)
    text = dcc.Input(
        id=box, type="text", value=design.shown(knob, value), debounce=True, className="box"
    )
    slider = _slider(control, float(value)) if control.slides else []
    return html.Div([label, text, *slider], className="knob")


def provenance(page: AnyModel, knob: Knob) -> str:
    """What a knob is, its symbol, and where its default stands and of which kind that is."""
    said = f"{knob.text}\n{knob.path}, symbol {knob.symbol}"
    number = page.data.parameters.get(knob.path)
    if knob.catalog is not None:
        return f"{said}\nRows of the catalog {knob.catalog.name}, each number with its source"
    if number is None:
        return said
    note = f". {number.note}" if number.note else ""
    source = f"{number.source.where} ({number.source.kind})"
    return f"{said}\nDefault {units.show(number.value, knob.unit)}: {source}{note}"


def _menu(control: Control, value: str) -> Component:
    return dcc.Dropdown(
        id=part("menu", control.knob.path),
        options=list(dict.fromkeys((*control.choices, value))),
        value=value,
        clearable=False,
        className="menu",
    )


def _slider(control: Control, value: float) -> list[Component]:
    """A slider, and below it the name that `--set` takes and how far it goes."""
    knob = control.knob
    slider = part("range", knob.path)
    low, high = (units.show(end, knob.unit) for end in (control.low, control.high))
    return [
        dcc.Input(
            id=slider,
            type="range",
            min=0,
            max=control.steps,
            step=1,
            value=control.position(value),
            className="range",
        ),
        html.Label(f"{knob.path}, from {low} to {high}", htmlFor=dom(slider), className="ends"),
    ]
