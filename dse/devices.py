"""A device of one's own: a file with one row, which a knob names in the place of a slug.

    kind: cpus                      # the catalog whose rows it is like
    sources:
      sheet: {where: "the vendor's datasheet", kind: table}
    devices:
      my-cpu:
        title: My CPU
        peak_fp32: {value: 1.2, unit: TFLOPS, source: sheet}

`dse calibrate` writes such files. What is not known is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dse import provenance
from dse.errors import InputError, unknown
from dse.provenance import Number, Row, Source

SECTIONS = ("kind", "note", "sources", "devices", "environment", "measured")
"""What a device file may hold; nobody reads the last two but people."""


@dataclass(frozen=True)
class Device:
    """One row outside the shipped catalogs."""

    kind: str
    """The catalog whose rows it is like: `gpus`, `cpus` ..."""
    slug: str
    row: Row
    note: str = ""
    environment: Mapping[str, object] = field(default_factory=dict)
    """Where it was measured: date, threads, versions."""
    measured: tuple[Mapping[str, object], ...] = ()
    """What was measured, a mapping each."""

    def document(self) -> dict[str, object]:
        """The device as its file holds it, each source named once; `read` is the inverse."""
        names: dict[Source, str] = {}
        for item in self.row.values():
            if isinstance(item, Number) and item.source not in names:
                names[item.source] = _name(item.source, names.values())
        row = {k: v if isinstance(v, str) else _entry(v, names) for k, v in self.row.items()}
        sources = {name: {"where": s.where, "kind": s.kind} for s, name in names.items()}
        told: dict[str, object] = {
            "kind": self.kind,
            "note": self.note,
            "sources": sources,
            "devices": {self.slug: row},
            "environment": self.environment,
            "measured": self.measured,
        }
        return {key: value for key, value in told.items() if value}


def _name(source: Source, taken: Iterable[str]) -> str:
    """The kind of a source, numbered from the second one on."""
    before = sum(name.rstrip("-0123456789") == source.kind for name in taken)
    return f"{source.kind}-{before + 1}" if before else source.kind


def _entry(number: Number, names: Mapping[Source, str]) -> dict[str, object]:
    more = {"note": number.note} if number.note else {}
    return {
        "value": number.value,
        "unit": number.unit,
        "source": names[number.source],
        **more,
    }


def read(document: Mapping[str, object], *, place: str, kinds: Iterable[str]) -> Device:
    """The one device of a file.

    Args:
        document: what the file holds.
        place: where it stands, for messages.
        kinds: the kinds of devices that there are.

    Raises:
        InputError: an unknown section or kind, none or several devices, a number without source.
    """
    if strange := document.keys() - set(SECTIONS):
        raise InputError(f"{place}: {unknown('section', min(strange), SECTIONS)}")
    kind = str(document.get("kind", ""))
    if kind not in kinds:
        raise InputError(f"{place}: kind: {unknown('kind of device', kind, kinds)}")
    sources = provenance.read_sources(document, where=place)
    rows = provenance.read_rows(document.get("devices", {}), sources, where=f"{place}: devices")
    if len(rows) != 1:
        raise InputError(
            f"{place}: devices: must hold one device, got {len(rows)}; split the file"
        )
    slug, row = next(iter(rows.items()))
    environment, measured = document.get("environment", {}), document.get("measured", [])
    if not isinstance(environment, Mapping) or not isinstance(measured, list):
        raise InputError(f"{place}: environment must hold 'key: value' lines, measured a list")
    return Device(
        kind=kind,
        slug=slug,
        row=row,
        note=str(document.get("note", "")),
        environment=environment,
        measured=tuple(measured),
    )
