"""What a page declares to be drawn of it: its central trade-off, and what its machines do when.

`models/<slug>/curves.py` names `CURVES`. A curve says which knob is varied and what is read off;
a face evaluates it live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from dse import registry
from dse.spec import Result

Settings: TypeAlias = Mapping[str, object]
"""Dotted knob -> SI number, slug or record."""

Lines: TypeAlias = Mapping[str, Settings]
"""What a line is called -> what is set on it."""


@dataclass(frozen=True)
class Curve:
    """Metrics over one knob, a chart for each, with a line for each of a few settings.

    Over a category the metrics are parts of a whole: they are stacked in one chart, a bar a row.
    """

    title: str
    knob: str
    metrics: tuple[str, ...]
    text: str
    """What it shows and how to read it."""
    lines: Lines | Callable[[Any], Lines] = field(default_factory=lambda: {"": {}})
    """Settings of each line, of the design that the sliders set where they hang on it."""
    levels: tuple[float | str, ...] = ()
    """Values of the knob in SI, or slugs; by default it goes from bound to bound."""
    across: str = ""
    """The metric along x; the knob itself by default."""
    sliders: tuple[str, ...] = ()
    """Knobs that a reader moves."""
    given: Settings = field(default_factory=dict)
    """Settings of the design that it starts from."""


@dataclass(frozen=True)
class Span:
    """Something that one of the machines does, from a start on; seconds."""

    lane: str
    name: str
    start: float
    length: float


@dataclass(frozen=True)
class Timeline:
    """What the machines of one design do when."""

    title: str
    text: str
    spans: Callable[[Any, Result], Sequence[Span]]
    """One design and its result -> what happens; the last end is the page's total."""
    sliders: tuple[str, ...] = ()
    given: Settings = field(default_factory=dict)


AnyCurve: TypeAlias = Curve | Timeline


@cache
def declared(slug: str) -> tuple[AnyCurve, ...]:
    """The curves of a page, in its order; none where it declares none."""
    room = Path(registry.folder("models").__path__[0], slug)
    if not (room / "curves.py").is_file():
        return ()
    found = registry.module("models", f"{slug}.curves").CURVES
    if not all(isinstance(curve, Curve | Timeline) for curve in found):
        raise TypeError(f"models/{slug}/curves.py: CURVES must hold dse.curves.Curve or Timeline")
    return tuple(found)
