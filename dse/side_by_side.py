"""Designs side by side, as a terminal shows them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from dse import registry, units
from dse.answers import Answer
from dse.breakdown import nothing
from dse.certainty import HEAD, grouped, known_from, told
from dse.comparison import Comparison
from dse.grids import GAP, mark, new_grid
from dse.outcome import at_prices
from dse.spec import knobs

SHORT = 16
"""Longest name that heads a column; longer ones are spelt out above the table."""


@dataclass(frozen=True)
class Line:
    """One line of a comparison: a value a design, and how it stands to the first one's."""

    name: str
    values: Sequence[str]
    changes: Sequence[str] = ()
    heading: bool = False


def comparison(out: Console, found: Comparison) -> None:
    """Knobs that differ, metrics, terms and resources, a column a design; then the warnings."""
    heads = _heads(found.names)
    out.print(f"{found.page.slug}: {len(heads)} designs, each compared with {escape(heads[0])}")
    if heads != list(found.names):
        for head, name in zip(heads, found.names, strict=True):
            out.print(f"  {head}  {escape(name)}")
    lines = list(_lines(found))
    for panel in _panels(lines, heads, out.width):
        _print_panel(out, lines, heads, panel)
    out.print(escape(f"known from {'; '.join(grouped(_known(found)))}"))
    if found.made_of() is None:
        out.print(nothing(found.page))
    if not found.differing:
        out.print("no knob differs: the designs are one")
    if listed := at_prices(found.page, registry.prices()):
        out.print(f"costs are{escape(listed)}")
    for text, where in _warnings(heads, found.answers).items():
        of = "" if len(where) == len(heads) else f" ({', '.join(where)})"
        out.print(escape(f"warning{of}: {text}"))


def _heads(names: Sequence[str]) -> list[str]:
    """Short names as they are; letters where one is long, or stands twice."""
    if len(set(names)) == len(names) and all(cell_len(name) <= SHORT for name in names):
        return list(names)
    return [_letter(i) for i in range(len(names))]


def _letter(i: int) -> str:
    """A to Z, then AA, AB ..."""
    more, last = divmod(i, len(ascii_uppercase))
    return (_letter(more - 1) if more else "") + ascii_uppercase[last]


def _lines(found: Comparison) -> Iterator[Line]:
    page, known = found.page, knobs(found.page.config)
    if found.differing:
        yield Line("knobs that differ", (), heading=True)
    for path, row in found.differing.items():
        yield Line(path, [_setting(value, known[path].unit) for value in row])
    yield Line("metrics", (), heading=True)
    for name, metric in page.metrics.items():
        values = [held["metrics"][name]["value"] for held in found.answers]
        changes = [ratio(value, values[0], metric.unit) for value in values]
        yield Line(name, [_number(value, metric.unit) for value in values], changes)
        spans = [told(held["metrics"][name]) for held in found.answers]
        if any(spans):
            yield Line(f"  {HEAD}", spans)
    yield from _parts(found)
    yield from _section("busy times", found.values("resources"), "s")
    yield Line("bottleneck", [held["bottleneck"] for held in found.answers])


def _known(found: Comparison) -> dict[str, str]:
    """Metric -> how it is known in these designs."""
    return {
        name: " or ".join(
            dict.fromkeys(known_from(held["metrics"][name]) for held in found.answers)
        )
        for name in found.page.metrics
    }


def _parts(found: Comparison) -> Iterator[Line]:
    """What the total, or the metric in its place, is made of in each design."""
    broken = found.made_of()
    if broken is not None:
        parts = sorted(broken.parts.items(), key=lambda part: -(part[1][0] or 0.0))
        unit = found.page.metrics[broken.metric].unit
        yield from _section(f"{broken.metric} is the sum of", dict(parts), unit)


def _section(title: str, rows: Mapping[str, Sequence[float | None]], unit: str) -> Iterator[Line]:
    """A heading, and a line for whatever is above 0 in some design."""
    yield Line(title, (), heading=True)
    for name, values in rows.items():
        if any(value != 0 for value in values):
            changes = [difference(value, values[0], unit) for value in values]
            yield Line(name, [_number(value, unit) for value in values], changes)


def _setting(value: object, unit: str) -> str:
    return "its own row" if isinstance(value, dict) else mark(value, unit)


def _number(value: float | bool | None, unit: str) -> str:
    return "unknown" if value is None else mark(value, unit)


def ratio(value: float | None, first: float | None, unit: str) -> str:
    """How a value stands to the first one: `x2`, a difference where no ratio is, `=` if equal.

    >>> ratio(3.0, 2.0, "s"), ratio(3.0, 0.0, "s"), ratio(2.0, 2.0, "s")
    ('x1.5', '+3 s', '=')
    """
    if math.inf in (value, first):
        return "=" if value == first else ""
    if isinstance(value, bool) or value is None or first is None or min(value, first) <= 0:
        return difference(value, first, unit)
    return "=" if value == first else f"x{units.show(value / first, '1')}"


def difference(value: float | None, first: float | None, unit: str) -> str:
    """How much more a value is than the first one, nothing where either is unknown.

    >>> difference(3.0, 2.0, "s"), difference(1.0, 2.0, "s")
    ('+1 s', '-1 s')
    """
    if isinstance(value, bool) or value is None or first is None:
        return ""
    sign = "+" if value > first else ""
    return "=" if value == first else f"{sign}{units.show(value - first, unit)}"


def _panels(lines: Sequence[Line], heads: Sequence[str], width: int) -> list[list[int]]:
    """The designs of each table: the first stands in all, as many beside it as fit."""
    most = width // 3
    names = min(max(cell_len(line.name) for line in lines), most) + GAP
    values = [_widest([head], (x.values for x in lines), i, most) for i, head in enumerate(heads)]
    changes = [_widest([], (x.changes for x in lines), i, most) for i in range(len(heads))]
    room = width - names - values[0]
    panels: list[list[int]] = []
    left = 0
    for i in range(1, len(heads)):
        need = values[i] + changes[i]
        if not panels or need > left:
            panels.append([0])
            left = room
        panels[-1].append(i)
        left -= need
    return panels


def _widest(heads: Sequence[str], rows: Iterable[Sequence[str]], i: int, most: int) -> int:
    texts = [*heads, *(row[i] for row in rows if row)]
    return min(max(map(cell_len, texts), default=0), most) + GAP


def _print_panel(
    out: Console, lines: Sequence[Line], heads: Sequence[str], panel: Sequence[int]
) -> None:
    columns = ["", heads[0], *(text for i in panel[1:] for text in (heads[i], ""))]
    grid = new_grid(*columns, right=range(1, len(columns)))
    for line in lines:
        if line.heading:
            grid.add_row(f"[bold]{escape(line.name)}[/bold]")
            continue
        changes = line.changes or [""] * len(heads)
        pairs = (text for i in panel[1:] for text in (line.values[i], changes[i]))
        grid.add_row(escape(line.name), line.values[0], *pairs)
    out.print(grid)


def _warnings(heads: Sequence[str], answers: Sequence[Answer]) -> dict[str, list[str]]:
    """Every warning, and the designs that it is said of."""
    found: dict[str, list[str]] = {}
    for head, held in zip(heads, answers, strict=True):
        for text in held["warnings"]:
            found.setdefault(text, []).append(head)
    return found
