"""Finds pages, networks, devices and studies by slug; nothing is imported by name elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from dse import documents, provenance
from dse.content import data_files as data_files
from dse.content import folder as folder
from dse.content import members as members
from dse.content import module as module
from dse.devices import Device
from dse.devices import read as read_device
from dse.errors import InputError, explain, placed, unknown
from dse.prices import (
    Overlay,
    in_force,
    laid_over,
    overlaid,
    read_list,
    read_overlay,
    unused_rates,
)
from dse.provenance import Number, Row, Sheet
from dse.spec import (
    AnyModel,
    Catalog,
    Config,
    Family,
    Model,
    Record,
    Unit,
    Workload,
    kind_of,
    knobs,
)

CF = TypeVar("CF", bound=Config)

Document = Mapping[str, object]


@cache
def slugs() -> tuple[str, ...]:
    """The slugs of all pages: every folder of `models` that has a `model.py`."""
    root = folder("models").__path__[0]
    return tuple(sorted(path.parent.name for path in Path(root).glob("*/model.py")))


@cache
def model(slug: str) -> AnyModel:
    """A page by its slug.

    Raises:
        InputError: an unknown slug, with the closest matches.
    """
    if slug not in slugs():
        raise unknown("model", slug, slugs())
    found = module("models", f"{slug}.model").MODEL
    if not isinstance(found, Model):
        raise TypeError(f"models/{slug}/model.py: MODEL must be a dse.spec.Model")
    return found


def families() -> dict[str, Family]:
    """Every network family, by slug."""
    return {family.slug: family for family in members("workloads", Family, "FAMILY").values()}


@cache
def networks() -> dict[str, Workload]:
    """Every network of every family, by slug."""
    return {slug: net for family in families().values() for slug, net in family.networks().items()}


def is_file(name: str) -> bool:
    """Whether a network is named by the path of a workload file, not by its slug."""
    return Path(name).suffix in (".yaml", ".yml", ".json")


def network(name: str) -> Workload:
    """A network by its slug, or by the path of a workload file.

    Raises:
        InputError: an unknown slug, or a file that describes no network.
    """
    if Path(name).suffix == ".json":
        raise InputError(f"'{name}' is no workload file; 'dse import {name}' makes one of it")
    if is_file(name):
        return described(documents.read(Path(name)), place=name)
    if name not in networks():
        raise unknown("workload", name, networks())
    return networks()[name]


def described(document: Document, *, place: str) -> Workload:
    """The network of a workload file, read by the family that the file names.

    Raises:
        InputError: no such family, or values that do not describe one of its networks.
    """
    readers = {slug: family.read for slug, family in families().items() if family.read}
    named = str(document.get("family", ""))
    if named not in readers:
        raise InputError(f"{place}: family: {unknown('family', named, readers)}")
    return readers[named]({k: v for k, v in document.items() if k != "family"}, place)


def _device_files() -> dict[str, Path]:
    root = Path(folder("models").__path__[0], "devices")
    return {path.stem: path for path in sorted(root.glob("*.yaml")) if path.stem != "prices"}


def device_kinds() -> tuple[str, ...]:
    """The kinds of devices that have a catalog: `gpus`, `fpgas` ..."""
    return tuple(_device_files())


@cache
def devices(kind: str) -> dict[str, Row]:
    """The catalog of one kind of device (`gpus`, `fpgas` ...): slug -> field -> number."""
    if kind not in _device_files():
        raise unknown("catalog", kind, _device_files())
    where = f"models/devices/{kind}.yaml"
    document = documents.read(_device_files()[kind])
    sources = provenance.read_sources(document, where=where)
    return provenance.read_rows(document.get("devices", {}), sources, where=where)


@cache
def _shipped() -> Sheet:
    where = "models/devices/prices.yaml"
    path = Path(folder("models").__path__[0], "devices", "prices.yaml")
    return read_list(documents.read(path), where=where)


def prices() -> Sheet:
    """The dated price list: `tables["prices"]` by device, `parameters` for rates.

    Inside `priced_by`, a person's own entries stand in the place of the shipped ones.
    """
    return overlaid(_shipped(), in_force())


def overlay(given: Document | str | Path, *, place: str = "prices") -> Overlay:
    """A person's own prices, from a file or from the echo of a run.

    Args:
        given: the path of a price file, or its content.
        place: where the content stands, for messages.

    Raises:
        InputError: anything in it that is no price of a device in the catalog.
    """
    if isinstance(given, str | Path):
        document, place = documents.read(Path(given)), Path(given).name
        return overlay({**document, "file": place}, place=place)
    known = [slug for kind in device_kinds() for slug in devices(kind)]
    return read_overlay(given, where=place, listed=_shipped(), devices=known)


@contextmanager
def priced_by(given: Overlay | str | Path | None) -> Iterator[None]:
    """Price devices by a person's own list while the context lasts; none changes nothing.

    Raises:
        InputError: see `overlay`.
    """
    with laid_over(overlay(given) if isinstance(given, str | Path) else given):
        yield


def idle_rates(page: AnyModel) -> list[str]:
    """A warning for every overlaid rate that no knob of a page takes as its default."""
    return unused_rates({k.path: k.unit for k in knobs(page.config).values()}, page.slug)


def device(name: str, kinds: Sequence[str]) -> Device:
    """A device of some kinds, by its slug or by the path of a device file.

    Raises:
        InputError: an unknown slug, a file that holds no device, or one of another kind.
    """
    if not is_file(name):
        rows = {slug: (kind, row) for kind in kinds for slug, row in devices(kind).items()}
        if name not in rows:
            raise unknown("device", name, rows)
        return Device(rows[name][0], name, rows[name][1])
    found = read_device(documents.read(Path(name)), place=name, kinds=device_kinds())
    if found.kind not in kinds:
        raise InputError(f"'{name}' is one of {found.kind}, and one of {' or '.join(kinds)} fits")
    return found


def _numbers(slug: str, row: Row) -> Document:
    plain = {k: v if isinstance(v, str) else v.value for k, v in row.items()}
    return {"slug": slug, **plain, **_price(slug)}


def _price(slug: str) -> Document:
    listed = prices().tables["prices"]["prices"].get(slug)
    return {"price": listed.value} if isinstance(listed, Number) else {}


def _own(name: str, path: str, also: Sequence[str]) -> Document:
    """What a file holds that a knob names: a network, or a device with its units to be checked."""
    if name == "workloads":
        return {**dict(network(path)), "slug": path}
    found = device(path, (name, *also))
    row = {k: v if isinstance(v, str) else f"{v.value!r} {v.unit}" for k, v in found.row.items()}
    return {**_price(found.slug), **row, "slug": path}


def catalog(name: str) -> Mapping[str, Document]:
    """Rows of a catalog: `workloads`, a device kind, or `page.table` of a page's data.yaml."""
    if name == "workloads":
        return {slug: dict(net) for slug, net in networks().items()}
    page, _, table = name.partition(".")
    rows = model(page).data.tables[table] if table else devices(name)
    return {slug: _numbers(slug, row) for slug, row in rows.items()}


@lru_cache(maxsize=256)
def _rows(name: str, overlay: Overlay | None) -> Mapping[str, Document]:
    return catalog(name)


def record(kind: type[Record], name: str, slug: str, also: Sequence[str] = ()) -> Record:
    """A catalog's row as the record a page reads; a workload or device may be a file's path.

    Args:
        kind: what the page reads.
        name: the catalog.
        slug: a row of it, or a file.
        also: other kinds of devices whose files fit.

    Raises:
        InputError: an unknown slug, or a row without a number the page must know.
    """
    try:
        if is_file(slug) and name in ("workloads", *device_kinds()):
            return kind.pick(_own(name, slug, also))
        return _listed(kind, name, slug, in_force())
    except ValidationError as error:
        raise InputError(explain(error, place=slug)) from None


@lru_cache(maxsize=2**14)
def _listed(kind: type[Record], name: str, slug: str, overlay: Overlay | None) -> Record:
    rows = _rows(name, overlay)
    if slug not in rows:
        raise unknown(name.rpartition(".")[2].removesuffix("s"), slug, rows)
    return kind.pick(rows[slug])


def covered(kind: type[Record], name: str) -> tuple[dict[str, Record], dict[str, str]]:
    """Rows of a catalog that a page can read, and why the others are left out.

    Returns:
        slug -> record, and slug -> reason.
    """
    fit: dict[str, Record] = {}
    left: dict[str, str] = {}
    for slug in _rows(name, in_force()):
        try:
            fit[slug] = record(kind, name, slug)
        except InputError as error:
            left[slug] = str(error).removeprefix(f"'{slug}' ").removeprefix(f"{slug}: ")
    return fit, left


def configure(page: AnyModel, document: Document | None = None, *, place: str = "") -> Config:
    """A page's config from a document of settings: slugs become records, text becomes SI.

    Args:
        page: the model.
        document: nested settings; what it leaves open takes the page's defaults.
        place: where the document stands, for messages.

    Raises:
        InputError: an unknown knob, a wrong value, or a rule of the page that does not hold.
    """
    config = starting_point(page, document, place=place)
    for rule in page.rules:
        if not np.all(rule.holds(config)):
            at = f"{place}: " if place else ""
            raise InputError(f"{at}{rule.refusal}")
    return config


def starting_point(page: AnyModel, document: Document | None = None, *, place: str = "") -> Config:
    """A page's config without its rules: what a space varies from may itself be uncovered."""
    config: Config = resolve(page.config, document or {}, place)
    return config


def resolve(kind: type[CF], document: Document, place: str = "", prefix: str = "") -> CF:
    """A config of any class from a document of settings; see `configure`."""
    at = f"{place}: " if place else ""
    for key in document:
        if key not in kind.model_fields:
            options = [f"{prefix}{name}" for name in kind.model_fields]
            raise InputError(f"{at}{unknown('knob', f'{prefix}{key}', options)}")
    values: dict[str, object] = {}
    rates = prices().parameters
    for name, info in kind.model_fields.items():
        field_kind = kind_of(kind, name)
        given = document.get(name)
        if issubclass(field_kind, Config):
            nested = _group(given, f"{at}'{prefix}{name}'")
            values[name] = resolve(field_kind, nested, place, f"{prefix}{name}.")
        elif issubclass(field_kind, Record):
            found = next(tag for tag in info.metadata if isinstance(tag, Catalog))
            values[name] = _row(field_kind, found, given, f"{at}{prefix}{name}")
        elif name in document:
            values[name] = given
        elif name in rates and Unit(rates[name].unit) in info.metadata:
            values[name] = rates[name].value
    return _validate(kind, values, place, prefix)


def _group(given: object, where: str) -> Document:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InputError(f"{where} is a group of knobs, got {given!r}; set a knob inside it")
    return given


def _row(kind: type[Record], found: Catalog, given: object, where: str) -> object:
    if given is None:
        given = found.default
    if isinstance(given, Mapping | Record):
        return given
    with placed(where):
        return record(kind, found.name, str(given), found.also)


def _validate(kind: type[CF], values: Document, place: str, prefix: str) -> CF:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        line = explain(error, place=place, prefix=prefix, known=_names(kind))
        raise InputError(line) from None


def _names(kind: type[BaseModel]) -> set[str]:
    """Fields of a config and of its records."""
    kinds = [kind, *(kind_of(kind, name) for name in kind.model_fields)]
    return {n for k in kinds if issubclass(k, BaseModel) for n in k.model_fields}
