"""Every number the predictions stand on, with its source; the unsure ones are marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dse import registry, units
from dse.provenance import Number
from dse.spec import AnyModel, Knob, Record, kind_of, knobs
from dse.study import field_of

from .section import Block, Context, DataTable, Facts, Paragraph, Section
from .wording import UNSURE, active, held, words

READ_ELSEWHERE = ("fit", "may_be_unknown")
"""Notes that the validation or the framework reads."""

Named = Mapping[str, Number]
"""Numbers by the name they are shown under."""


def build(context: Context) -> list[Block]:
    """A table a page, one for the devices in use, one for prices and rates, then the notes."""
    tables = {
        **{f"Constants of the page '{p.slug}'": _constants(context, p) for p in context.pages},
        "Devices and categories of the designs shown": _devices(context),
        f"Prices and rates of {context.prices}": _prices(context),
    }
    return [
        Paragraph(
            "Shaded numbers are from memory, assumed or fitted: check them before you build on "
            "them. Knobs that the study sets or varies are not listed again.",
            "lead",
        ),
        *(_table(title, numbers) for title, numbers in tables.items() if numbers),
        *_notes(context),
    ]


def _table(title: str, numbers: Named) -> DataTable:
    return DataTable(
        ["Number", "Value", "Kind", "Source"],
        [
            [
                words(name),
                units.show(number.value, number.unit, 4),
                number.source.kind,
                ". ".join(text for text in (number.source.where, number.note) if text),
            ]
            for name, number in numbers.items()
        ],
        f"{title}.",
        widths=(26, 16, 12, 46),
        right=(1,),
        marked=[i for i, n in enumerate(numbers.values()) if n.source.kind in UNSURE],
    )


def _constants(context: Context, page: AnyModel) -> Named:
    """The page's own numbers, less the knobs that the study replaces."""
    if page.slug != context.study.page.slug:
        return page.data.parameters
    replaced = {axis.path for axis in context.study.space.axes} | set(held(context.study))
    return {name: n for name, n in page.data.parameters.items() if name not in replaced}


def _devices(context: Context) -> dict[str, Number]:
    """What the page reads of every catalog row that a shown design uses."""
    return {
        f"{slug}: {field}": number
        for knob, slug, kind in _rows(context)
        for field, number in _row(knob, slug).items()
        if field in kind.model_fields and isinstance(number, Number)
    }


def _rows(context: Context) -> Iterator[tuple[Knob, str, type[Record]]]:
    """The catalog rows in use: knob, slug and the record that the page reads."""
    config = context.study.page.config
    for knob in knobs(config).values():
        if knob.catalog is not None and knob.catalog.name != "workloads":
            kind = kind_of(*field_of(config, knob.path))
            for slug in _slugs(context, knob.path):
                yield knob, slug, kind


def _slugs(context: Context, path: str) -> list[str]:
    """Rows of a category among the shown designs, or the one that is held fixed."""
    study, shown = context.study, context.shown
    axis = study.space.by_path.get(path)
    if axis is None:
        return [_leaf(study.space.base, path).slug]
    codes = np.unique(shown[path][active(study, shown, path)])
    return [axis.labels[int(code)] for code in codes]


def _leaf(config: Any, path: str) -> Any:  # noqa: ANN401 - a record at a dotted path
    for name in path.split("."):
        config = getattr(config, name)
    return config


def _row(knob: Knob, slug: str) -> Mapping[str, Number | str]:
    """A row of a device catalog, or of a page's own table."""
    if knob.catalog is None:
        return {}
    page, _, table = knob.catalog.name.partition(".")
    rows = registry.model(page).data.tables.get(table, {}) if table else registry.devices(page)
    return rows.get(slug, {})


def _prices(context: Context) -> dict[str, Number]:
    """Prices of the devices in use and the rates, where an answer is in money."""
    if not any("USD" in metric.unit for metric in context.study.metrics.values()):
        return {}
    sheet = context.study.prices
    listed_prices = sheet.tables["prices"]["prices"]
    used = {slug: listed_prices.get(slug) for _, slug, _ in _rows(context)}
    known = {f"price of {slug}": n for slug, n in used.items() if isinstance(n, Number)}
    return known | dict(sheet.parameters)


def _notes(context: Context) -> list[Block]:
    """What the pages say of their own limits and of disagreements in their sources."""
    return [
        block
        for page in context.pages
        if _own(page)
        for block in (
            Paragraph(f"Notes of the page '{page.slug}'. {_paper(page)}", "lead"),
            Facts([(words(name), text) for name, text in _own(page).items()]),
        )
    ]


def _own(page: AnyModel) -> dict[str, str]:
    """The notes of a page that are meant for its readers and shown nowhere else."""
    return {k: text for k, text in page.data.notes.items() if k not in READ_ELSEWHERE}


def _paper(page: AnyModel) -> str:
    paper = page.paper
    where = f"{paper.venue} {paper.year}" + (
        f", doi {paper.doi}" if paper.doi.startswith("10.") else ""
    )
    return f"{paper.authors}: {paper.title}. {where}."


SECTION = Section(order=70, title="Assumptions and sources", build=build)
