"""The dated price list, and a person's own prices laid over it.

The shipped list and an overlay have one form: `date`, `note`, `sources`, `prices` of devices and
`rates` beside them. An overlay's entries replace or add to the shipped ones; what it does not
name keeps the shipped price. Its numbers may leave out their source. A rate of an overlay is the
default of the knob that has its name and unit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date

from dse import provenance
from dse.errors import InputError, shorten, unknown
from dse.provenance import Number, Sheet

SECTIONS = ("date", "note", "sources", "prices", "rates", "file")
"""What a price file may hold; `file` is where the echo of a run says it came from."""

FIELDS = ("value", "unit", "source", "note")
"""What an entry of an overlay may hold."""

Document = Mapping[str, object]
Numbers = tuple[tuple[str, Number], ...]


@dataclass(frozen=True)
class Overlay:
    """A person's own prices and rates: hashable, so that what was priced with them is cached."""

    file: str
    date: str
    prices: Numbers
    rates: Numbers

    @property
    def document(self) -> dict[str, object]:
        """The overlay as a run's echo keeps it; reading that back gives the same overlay."""
        return {
            "file": self.file,
            "date": self.date,
            "prices": {name: _entry(number) for name, number in self.prices},
            "rates": {name: _entry(number) for name, number in self.rates},
        }


_OVERLAY: ContextVar[Overlay | None] = ContextVar("overlay", default=None)
"""The prices laid over the shipped ones, in this thread or task only."""


def in_force() -> Overlay | None:
    """The overlay that prices devices here and now, if there is one."""
    return _OVERLAY.get()


@contextmanager
def laid_over(overlay: Overlay | None) -> Iterator[None]:
    """Price devices by an overlay while the context lasts; none keeps the one in force."""
    token = _OVERLAY.set(overlay or in_force())
    try:
        yield
    finally:
        _OVERLAY.reset(token)


def unused_rates(knobs: Mapping[str, str], page: str) -> list[str]:
    """A warning for every rate in force that no knob of a page takes as its default.

    Args:
        knobs: unit of each of the page's knobs, by dotted path.
        page: its slug.
    """
    laid = in_force()
    if laid is None:
        return []
    taken = {(path.rpartition(".")[2], unit) for path, unit in knobs.items()}
    return [
        f"the rate '{name}' of {laid.file} is no knob of the page '{page}' and changes nothing"
        for name, rate in laid.rates
        if (name, rate.unit) not in taken
    ]


def _entry(number: Number) -> dict[str, object]:
    source = {"where": number.source.where, "kind": number.source.kind}
    noted = {"note": number.note} if number.note else {}
    return {"value": number.value, "unit": number.unit, "source": source, **noted}


def read_list(document: Document, *, where: str) -> Sheet:
    """The shipped list: `tables["prices"]["prices"]` by device, `parameters` for rates."""
    sources = provenance.read_sources(document, where=where)
    tables = {name: document.get(name, {}) for name in ("prices", "rates")}
    rows = {
        name: provenance.read_rows({name: table}, sources, where=where)[name]
        for name, table in tables.items()
    }
    return Sheet(
        name="prices",
        paper={"date": str(document.get("date", "")), "note": str(document.get("note", ""))},
        parameters={k: v for k, v in rows["rates"].items() if not isinstance(v, str)},
        tables={"prices": {"prices": rows["prices"]}},
        points=(),
        notes={},
    )


def read_overlay(
    document: Document, *, where: str, listed: Sheet, devices: Collection[str]
) -> Overlay:
    """A person's own prices.

    Args:
        document: in the form of the shipped list; a number may leave out its source.
        where: the file, for messages and as the source of numbers that name none.
        listed: the shipped list, whose rates may be replaced.
        devices: slugs that may have a price.

    Raises:
        InputError: no date, an unknown section, device or rate, or a number that is no price.
    """
    if strange := document.keys() - SECTIONS:
        raise InputError(f"{where}: {unknown('section', min(strange), SECTIONS)}")
    named = provenance.read_sources(document, where=where)
    dollars = dict.fromkeys(devices, "USD")
    rates = {name: rate.unit for name, rate in listed.parameters.items()}
    file = str(document.get("file", where))
    overlay = Overlay(
        file=file,
        date=_date(document, where),
        prices=tuple(_numbers(document, "prices", named, dollars, where, file)),
        rates=tuple(_numbers(document, "rates", named, rates, where, file)),
    )
    if not (overlay.prices or overlay.rates):
        raise InputError(f"{where}: holds no prices and no rates; name a device below 'prices:'")
    return overlay


def _date(document: Document, where: str) -> str:
    given = str(document.get("date", ""))
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        raise InputError(
            f"{where}: date: prices are dated, got {shorten(repr(given))}; write date: 2026-01-31"
        ) from None


def _numbers(
    document: Document,
    section: str,
    named: Mapping[str, provenance.Source],
    allowed: Mapping[str, str],
    where: str,
    file: str,
) -> Iterator[tuple[str, Number]]:
    table = document.get(section) or {}
    what = {"prices": "device", "rates": "rate"}[section]
    if not isinstance(table, Mapping):
        raise InputError(f"{where}: {section}: must hold 'name: {{value, unit}}', got {table!r}")
    for name, entry in table.items():
        place = f"{where}: {section}.{name}"
        if str(name) not in allowed:
            raise InputError(f"{where}: {section}: {unknown(what, str(name), allowed)}")
        yield str(name), _number(entry, named, allowed[str(name)], place, file)


def _number(
    entry: object, named: Mapping[str, provenance.Source], unit: str, place: str, file: str
) -> Number:
    if not isinstance(entry, Mapping):
        shown = shorten(repr(entry))
        raise InputError(f"{place}: must read {{value: 1200, unit: {unit}}}, got {shown}")
    if strange := {str(key) for key in entry} - set(FIELDS):
        raise InputError(f"{place}: {unknown('field', min(strange), FIELDS)}")
    sourced = {"source": {"where": file, "kind": "assumed"}, **entry}
    number = provenance.read_number(sourced, named, where=place)
    if number.unit != unit:
        raise InputError(f"{place}: must be in {unit}, got {entry['unit']!r}; set unit: {unit}")
    if not number.value > 0:
        raise InputError(
            f"{place}: `value > 0` must hold, got {entry['value']!r}; "
            "give what it costs, or leave it out"
        )
    return number


def overlaid(listed: Sheet, overlay: Overlay | None) -> Sheet:
    """The list with an overlay's entries in the place of its own."""
    if overlay is None:
        return listed
    own = {"file": overlay.file, "overlaid": overlay.date}
    count = {"entries": str(len(overlay.prices) + len(overlay.rates))}
    prices = {**listed.tables["prices"]["prices"], **dict(overlay.prices)}
    return replace(
        listed,
        paper={**listed.paper, **own, **count},
        parameters={**listed.parameters, **dict(overlay.rates)},
        tables={"prices": {"prices": prices}},
    )


def in_words(sheet: Sheet) -> str:
    """Which prices a list holds: its date, and what was laid over it from which file."""
    paper = sheet.paper
    if "overlaid" not in paper:
        return paper["date"]
    return (
        f"{paper['date']}, {paper['entries']} overlaid from {paper['file']} of {paper['overlaid']}"
    )
