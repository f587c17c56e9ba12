"""What a view shows, and how its link holds that: axes, bounds, the selection and pins.

A selection is one of three: ranges of columns (a box in the scatter, brushes of parallel lines), a
lasso (a polygon over two columns), or rows. All three parts of the page show the same one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError, shorten, unknown
from dse.spec import Mask

from .columns import Opened
from .front import axes_first, numeric
from .sliders import bounds, starting

LENGTH = 8000
"""Longest query that is read or written: browsers and servers take no more for granted."""

MOST = 6
"""Most pinned designs: as many as stand side by side."""

CORNERS = 200
"""Most corners of a lasso that a link may hold."""

Selection = dict[str, Any]
"""`ranges`: column -> intervals; or `lasso`: x, y, log, points; or `rows`; beside them `by`."""

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """Everything that a link reproduces; numbers in SI."""

    x: str
    y: str
    colour: str = ""
    limits: Mapping[str, float | None] = field(default_factory=dict)
    selection: Selection = field(default_factory=dict)
    pins: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()
    """What of the link was refused, in words."""


def read(opened: Opened, search: str) -> View:
    """The view that a query asks for; what cannot be read is left out and said."""
    problems: list[str] = []
    if len(search) > LENGTH:
        problems.append(f"The link is longer than {LENGTH:,} characters; it was not read.")
        search = ""
    pairs = parse_qsl(search.removeprefix("?"))
    given = {name: [text for key, text in pairs if key == name] for name, _ in pairs}
    study, known = opened.study, ("run", *_READ)
    first = [*axes_first(study), ""]
    found: dict[str, Any] = {"x": first[0], "y": first[1], "limits": starting(bounds(opened))}
    for name, texts in given.items():
        try:
            if name not in known:
                raise unknown("part", shorten(name), known)
            if name != "run":
                _READ[name](opened, texts, found)
        except InputError as error:
            problems.append(f"In the link, {error}. It is left out.")
    return View(**found, problems=tuple(problems))


def _axis(name: str) -> Callable[[Opened, list[str], dict[str, Any]], None]:
    def read_axis(opened: Opened, texts: list[str], found: dict[str, Any]) -> None:
        choices = numeric(opened.study)
        if texts[-1] not in choices:
            raise unknown("column", shorten(texts[-1]), choices)
        found[name] = texts[-1]

    return read_axis


def _bounds(opened: Opened, texts: list[str], found: dict[str, Any]) -> None:
    """Limits such as `latency<=0.05` or `latency<=any`."""
    known = bounds(opened)
    for text in texts:
        match = re.fullmatch(r"([\w.]+) ?([<>]=)(.*)", text)
        if match is None:
            raise InputError(f"'{shorten(text)}' must read like latency<=50 ms")
        key = match[1] + match[2]
        if key not in known:
            raise unknown("bound", key, known)
        found["limits"] = {**found["limits"], key: known[key].read(match[3])}


def _brush(opened: Opened, texts: list[str], found: dict[str, Any]) -> None:
    """Ranges such as `latency:0.01..0.02,0.05..0.1` or `chip:t4`."""
    ranges: dict[str, list[list[float]]] = {}
    for text in texts:
        name, colon, rest = text.partition(":")
        if not colon:
            raise InputError(f"'{shorten(text)}' must read column:low..high")
        if name not in selectable(opened):
            raise unknown("column", shorten(name), selectable(opened))
        ranges[name] = [_interval(opened, name, item) for item in rest.split(",")]
    found["selection"] = {"by": "link", "ranges": ranges}


def _interval(opened: Opened, name: str, text: str) -> list[float]:
    axis = opened.study.space.by_path.get(name)
    if axis is not None and axis.rows:
        if text not in axis.labels:
            raise unknown(f"choice of {name}", shorten(text), axis.labels)
        code = float(axis.labels.index(text))
        return [code, code]
    low, dots, high = text.partition("..")
    if not dots:
        raise InputError(f"'{shorten(text)}' must read low..high")
    return sorted([_float(low), _float(high)])


def _float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise InputError(f"'{shorten(text)}' is not a number")
    return number


def _lasso(opened: Opened, texts: list[str], found: dict[str, Any]) -> None:
    """A polygon such as `latency:log;cost;0.01,3;0.02,4;0.03,3`."""
    names, corners = texts[-1].split(";")[:2], texts[-1].split(";")[2:]
    axes = [name.partition(":") for name in names]
    if len(axes) != 2:
        raise InputError("a lasso names two columns and its corners")
    for name, _, _ in axes:
        if name not in numeric(opened.study):
            raise unknown("column", shorten(name), numeric(opened.study))
    if not 3 <= len(corners) <= CORNERS:
        raise InputError(f"a lasso has 3 to {CORNERS} corners, got {len(corners)}")
    points = [[_float(number) for number in corner.split(",")] for corner in corners]
    log = [kind == "log" for _, _, kind in axes]
    if any(len(point) != len(names) for point in points):
        raise InputError("a corner of a lasso has two numbers")
    if any(on and min(p[i] for p in points) <= 0 for i, on in enumerate(log)):
        raise InputError("a lasso on a logarithmic axis lies above 0")
    lasso = {"x": axes[0][0], "y": axes[1][0], "log": log, "points": points}
    found["selection"] = {"by": "link", "lasso": lasso}


def _rows(name: str) -> Callable[[Opened, list[str], dict[str, Any]], None]:
    def read_rows(opened: Opened, texts: list[str], found: dict[str, Any]) -> None:
        numbers = [number for number in texts[-1].split(",") if number]
        wrong = next((n for n in numbers if not _is_row(n, opened.count)), None)
        if wrong is not None:
            raise InputError(
                f"'{shorten(wrong)}' is no design of this run; they count from 0 to "
                f"{opened.count - 1}"
            )
        rows = list(dict.fromkeys(map(int, numbers)))
        if name == "pin":
            found["pins"] = tuple(rows[:MOST])
        else:
            found["selection"] = {"by": "link", "rows": rows}

    return read_rows


def _is_row(text: str, count: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16 and int(text) < count


_READ: dict[str, Callable[[Opened, list[str], dict[str, Any]], None]] = {
    "x": _axis("x"),
    "y": _axis("y"),
    "colour": _axis("colour"),
    "bound": _bounds,
    "brush": _brush,
    "lasso": _lasso,
    "rows": _rows("rows"),
    "pin": _rows("pin"),
}
"""Part of a query -> what reads it."""


def link(opened: Opened, view: View, run: str) -> tuple[str, bool]:
    """The query that reproduces a view, and whether it does so in full.

    A selection that no link can hold is left out.
    """
    start = axes_first(opened.study)
    pairs = [("run", run)]
    shown = (("x", view.x, start[0]), ("y", view.y, start[-1]), ("colour", view.colour, ""))
    pairs += [(name, value) for name, value, usual in shown if value and value != usual]
    usual = starting(bounds(opened))
    moved = {key: limit for key, limit in view.limits.items() if limit != usual[key]}
    pairs += [("bound", f"{k}{'any' if v is None else _short(v)}") for k, v in moved.items()]
    pinned = [("pin", ",".join(map(str, view.pins)))] if view.pins else []
    chosen = list(_selected(opened, view.selection))
    whole = _query([*pairs, *chosen, *pinned])
    if len(whole) <= LENGTH:
        return whole, True
    return _query([*pairs, *pinned]), False


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    return "?" + urlencode([pair for pair in pairs if pair[1]], safe="/,:;<>=. ")


def _selected(opened: Opened, selection: Selection) -> Iterator[tuple[str, str]]:
    axes = opened.study.space.by_path
    for name, intervals in selection.get("ranges", {}).items():
        if name in axes and axes[name].rows:
            slugs = [
                label
                for code, label in enumerate(axes[name].labels)
                if any(low <= code <= high for low, high in intervals)
            ]
            yield "brush", f"{name}:{','.join(slugs)}"
        else:
            said = ",".join(f"{_short(low)}..{_short(high)}" for low, high in intervals)
            yield "brush", f"{name}:{said}"
    if lasso := selection.get("lasso"):
        names = [
            f"{lasso[k]}{':log' if on else ''}" for k, on in zip("xy", lasso["log"], strict=True)
        ]
        corners = (",".join(map(_short, point)) for point in lasso["points"])
        yield "lasso", ";".join([*names, *corners])
    if rows := selection.get("rows"):
        yield "rows", ",".join(map(str, rows))


def _short(value: float) -> str:
    """The fewest digits that read back as the same number."""
    return repr(float(value)).removesuffix(".0")


def selectable(opened: Opened) -> list[str]:
    """The columns that a range may be of."""
    metrics = [name for name in opened.study.metrics if name != "feasible"]
    return [*metrics, *(axis.path for axis in opened.study.space.axes)]


def chosen(opened: Opened, selection: Selection) -> Mask:
    """Which of all stored designs a selection holds.

    Raises:
        InputError: a column or a design that is not there.
    """
    if "ranges" in selection:
        return _within(opened.column, selection["ranges"], opened.count)
    if "lasso" in selection:
        return _inside(opened.column, selection["lasso"])
    mask = np.zeros(opened.count, dtype=np.bool_)
    rows = [row for row in selection.get("rows", []) if 0 <= row < opened.count]
    mask[rows] = True
    return mask


def _within(
    column: Callable[[str], NDArray[Any]],
    ranges: Mapping[str, Sequence[Sequence[float]]],
    count: int,
) -> Mask:
    """Designs with every column in one of its intervals, ends included."""
    mask = np.ones(count, dtype=np.bool_)
    for name, intervals in ranges.items():
        values = column(name)
        inside = [(values >= low) & (values <= high) for low, high in intervals]
        mask &= np.asarray(np.logical_or.reduce(inside)) if inside else np.False_
    return mask


def _inside(column: Callable[[str], NDArray[Any]], lasso: Mapping[str, Any]) -> Mask:
    """Designs within a polygon, by the even-odd rule, as the axes are drawn."""
    x, y = column(lasso["x"]), column(lasso["y"])
    corners = np.array(lasso["points"], dtype=np.float64)
    (left, low), (right, high) = corners.min(axis=0), corners.max(axis=0)
    mask: Mask = (x >= left) & (x <= right) & (y >= low) & (y <= high)
    rows = np.flatnonzero(mask)
    points = _drawn(np.stack([x[rows], y[rows]], axis=1), lasso["log"])
    edges = _drawn(corners, lasso["log"])
    inside = np.zeros(len(rows), dtype=np.bool_)
    for (ax, ay), (bx, by) in zip(edges, np.roll(edges, -1, axis=0), strict=True):
        crosses = (ay > points[:, 1]) != (by > points[:, 1])
        slope = (bx - ax) / ((by - ay) or 1.0)
        inside ^= crosses & (points[:, 0] < ax + slope * (points[:, 1] - ay))
    mask[rows] = inside
    return mask


def _drawn(points: NDArray[Any], log: Sequence[bool]) -> NDArray[Any]:
    """Points as they lie on their axes."""
    return np.stack(
        [np.log10(points[:, i]) if on else points[:, i] for i, on in enumerate(log)], 1
    )
