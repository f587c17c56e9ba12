"""Where a number comes from, and of which kind it is.

A page's `data.yaml` is read once into a `Sheet`: parameters, tables of categories and published
points, each number as `{value, unit, source}`. Code, tests, app and report all read it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import isfinite
from typing import TYPE_CHECKING, cast

from dse import documents, units
from dse.errors import InputError, placed, unknown

if TYPE_CHECKING:
    from dse.spec import Real

KINDS = (
    "table",
    "text",
    "code",
    "figure-read",
    "secondary",
    "memory",
    "derived",
    "assumed",
    "fitted",
    "measured",
)
"""How a number is known, from read in a table to measured here."""

USES = ("fit", "check")

SECTIONS = ("paper", "sources", "parameters", "tables", "points", "notes")
"""What a page's data file may hold."""


@dataclass(frozen=True)
class Source:
    """The place a number was taken from, and how."""

    where: str
    kind: str


@dataclass(frozen=True)
class Number:
    """One value in SI with its unit and source; `fitted_on` names the points that shaped it."""

    value: float
    unit: str
    source: Source
    note: str = ""
    symbol: str = ""
    fitted_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Point:
    """A published result: what was set, what came out, and whether constants were fitted on it."""

    id: str
    use: str
    quantity: str
    number: Number
    settings: Mapping[str, object]
    group: str = ""
    """What is left out together when a fit is judged: a network or a device."""


Row = Mapping[str, Number | str]


@dataclass(frozen=True)
class Sheet:
    """A page's facts: parameters, tables of categories and published points."""

    name: str
    paper: Mapping[str, str]
    parameters: Mapping[str, Number]
    tables: Mapping[str, Mapping[str, Row]]
    points: tuple[Point, ...]
    notes: Mapping[str, str]

    def default(self, name: str) -> Real:
        """A parameter's SI value, as the default of a config field or an equation."""
        if name not in self.parameters:
            raise unknown(f"parameter of {self.name}", name, self.parameters)
        return cast("Real", self.parameters[name].value)

    def select(self, use: str) -> tuple[Point, ...]:
        """The points of one use, `fit` or `check`."""
        return tuple(point for point in self.points if point.use == use)


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: must hold 'key: value' lines, got {value!r}")
    return {str(key): item for key, item in value.items()}


def read_sources(document: Mapping[str, object], *, where: str) -> dict[str, Source]:
    """The named sources at the head of a data file."""
    named = _mapping(document.get("sources", {}), f"{where}: sources")
    return {key: _source(value, {}, f"{where}: sources.{key}") for key, value in named.items()}


def _source(value: object, named: Mapping[str, Source], where: str) -> Source:
    if isinstance(value, str):
        if value not in named:
            raise InputError(f"{where}: {unknown('source', value, named)}")
        return named[value]
    entry = _mapping(value, where)
    kind, place = str(entry.get("kind", "")), str(entry.get("where", ""))
    if kind not in KINDS:
        raise InputError(f"{where}: {unknown('kind of source', kind, KINDS)}")
    if not place:
        raise InputError(f"{where}: a source must say where the number stands")
    return Source(where=place, kind=kind)


def read_number(value: object, named: Mapping[str, Source], *, where: str) -> Number:
    """One `{value, unit, source}` entry as a `Number` in SI."""
    entry = _mapping(value, where)
    if missing := {"value", "unit", "source"} - entry.keys():
        raise InputError(f"{where}: a number needs value, unit and source; no {sorted(missing)}")
    amount = entry["value"]
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not isfinite(amount):
        raise InputError(f"{where}: value must be a finite number, got {amount!r}")
    with placed(where):
        written = str(entry["unit"])
        unit = units.si(written)[1]
    fitted = entry.get("fitted_on", ())
    return Number(
        value=units.parse(f"{amount!r} {written}", unit),
        unit=unit,
        source=_source(entry["source"], named, where),
        note=str(entry.get("note", "")),
        symbol=str(entry.get("symbol", "")),
        fitted_on=tuple(map(str, fitted)) if isinstance(fitted, list | tuple) else (str(fitted),),
    )


def read_rows(value: object, named: Mapping[str, Source], *, where: str) -> dict[str, Row]:
    """A table of categories: slug -> field -> number or word."""
    return {
        slug: {
            key: item
            if isinstance(item, str)
            else read_number(item, named, where=f"{place}.{key}")
            for key, item in _mapping(row, place).items()
        }
        for slug, row in _mapping(value, where).items()
        for place in [f"{where}.{slug}"]
    }


def _point(value: object, named: Mapping[str, Source], where: str) -> Point:
    entry = _mapping(value, where)
    use = str(entry.get("use", ""))
    if use not in USES:
        raise InputError(f"{where}: {unknown('use of a point', use, USES)}")
    if missing := {"id", "quantity"} - entry.keys():
        raise InputError(f"{where}: a point needs an id and a quantity; no {sorted(missing)}")
    return Point(
        id=str(entry["id"]),
        use=use,
        quantity=str(entry["quantity"]),
        number=read_number(entry, named, where=where),
        settings=_mapping(entry.get("set", {}), where),
        group=str(entry.get("group", "")),
    )


def _points(value: object, named: Mapping[str, Source], where: str) -> tuple[Point, ...]:
    if not isinstance(value, list):
        raise InputError(f"{where}: must be a list of points, got {value!r}")
    points = tuple(_point(item, named, f"{where}[{i}]") for i, item in enumerate(value))
    names = [point.id for point in points]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise InputError(f"{where}: every id stands once; rename one of {sorted(doubled)}")
    return points


@cache
def sheet(package: str) -> Sheet:
    """The `data.yaml` that stands beside a page.

    Args:
        package: the page's package, its `__package__`.

    Raises:
        InputError: an entry without value, unit or source, or of an unknown kind.
    """
    file = resources.files(package).joinpath("data.yaml")
    where = f"{package.replace('.', '/')}/data.yaml"
    return read_sheet(file.read_text(encoding="utf-8"), where=where)


def read_sheet(text: str, *, where: str) -> Sheet:
    """A page's facts from the text of its `data.yaml`; see `sheet`."""
    document = _mapping(documents.parse(text, name=where), where)
    if strange := document.keys() - SECTIONS:
        raise InputError(f"{where}: {unknown('section', min(strange), SECTIONS)}")
    named = read_sources(document, where=where)
    parameters = _mapping(document.get("parameters", {}), f"{where}: parameters")
    tables = _mapping(document.get("tables", {}), f"{where}: tables")
    return Sheet(
        name=where.split("/")[-2],
        paper=_words(document, "paper", where),
        parameters={
            key: read_number(item, named, where=f"{where}: parameters.{key}")
            for key, item in parameters.items()
        },
        tables={
            key: read_rows(table, named, where=f"{where}: tables.{key}")
            for key, table in tables.items()
        },
        points=_points(document.get("points", []), named, f"{where}: points"),
        notes=_words(document, "notes", where),
    )


def _words(document: Mapping[str, object], section: str, where: str) -> dict[str, str]:
    entries = _mapping(document.get(section, {}), f"{where}: {section}")
    return {key: str(value) for key, value in entries.items()}
