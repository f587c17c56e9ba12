"""The numbers the predictions stand on, with their sources; the unsure ones are marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dse import registry, units
from dse.confidence import judged
from dse.grounds import NUDGE
from dse.provenance import Number
from dse.spec import AnyModel, Config, Knob, Record, at, knobs
from dse.study import Study

from . import moving
from .nudged import Place
from .section import Block, Context, DataTable, Facts, Paragraph, Section
from .wording import UNSURE, columns, held, words

READ_ELSEWHERE = ("fit", "may_be_unknown")
"""Notes that the validation or the framework reads."""

Named = Mapping[str, Number]
"""Numbers by the name they are shown under."""


def build(context: Context) -> list[Block]:
    """The numbers that move an answer: of each page in use, of devices, and of the price list."""
    listed_here, in_rows = _moving(context), _in_rows(context)
    tables = {
        **{
            f"Constants of the page '{page.slug}' that move the answer": {
                name: number
                for name, number in page.data.parameters.items()
                if (page.slug, name) in listed_here
            }
            for page in context.pages
        },
        "Devices and categories that move the answer": _devices(context, in_rows),
        f"Prices and rates of {context.prices}": _prices(context, in_rows),
    }
    return [
        Paragraph(
            f"Each number was made {NUDGE:g} times as large, and as small, alone; listed is what "
            "then moves an objective, a bounded number or the total of a design of the answer. "
            "Shaded numbers are from memory, assumed or fitted, and are marked in the margin: "
            "check them before you build on them. Knobs that the study sets or varies are not "
            "listed again.",
            "lead",
        ),
        *(_table(title, numbers) for title, numbers in tables.items() if numbers),
        Paragraph("Every number of the page, with its source, is printed by", "lead"),
        Paragraph(f"dse report --paper {context.study.page.slug}", "code"),
        *_notes(context.study.page),
    ]


def _judged(study: Study) -> list[str]:
    """The metrics that an answer is made of."""
    return list(dict.fromkeys([*judged(study), study.page.total, "feasible"]))


def _one_by_one(context: Context) -> Iterator[Config]:
    """The designs of the answer, each as a config."""
    own = columns(context.study, context.shown)
    for row in range(len(context.shown)):
        yield context.study.space.config({path: column[row] for path, column in own.items()})


def _moving(context: Context) -> set[Place]:
    """Constants of the pages in use, and knobs the study leaves alone, that move an answer."""
    study, page = context.study, context.study.page
    if len(context.shown) == 0:
        return set()
    batch = study.space.config(columns(study, context.shown))
    found = moving.constants(page, batch, _judged(study), context.pages)
    known = knobs(page.config)
    replaced = {*study.space.by_path, *held(study), *page.uncertain}
    tried = [
        name
        for name in page.data.parameters
        if name in known and known[name].catalog is None and name not in replaced
    ]
    for config in _one_by_one(context):
        found |= {(page.slug, path) for path in moving.knobs(page, config, tried, _judged(study))}
    return {(slug, name) for slug, name in found if slug != page.slug or name not in replaced}


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


def _in_rows(context: Context) -> list[tuple[Knob, str, str]]:
    """What moves the answer of every catalog row that a design of it has: knob, slug, field."""
    found: dict[tuple[str, str], tuple[Knob, str, str]] = {}
    for row, config in enumerate(_one_by_one(context)):
        used = {knob.path: (knob, slug) for knob, slug in _rows(context, row)}
        records = {path: _record(context, path, row) for path in used}
        moved = moving.fields(context.study.page, config, records, _judged(context.study))
        for path, field in sorted(moved):
            knob, slug = used[path]
            found[slug, field] = knob, slug, field
    return list(found.values())


def _devices(context: Context, moved: Sequence[tuple[Knob, str, str]]) -> dict[str, Number]:
    """The numbers of catalog rows, other than prices, by row and field."""
    known = {f"{slug}: {field}": _row(knob, slug).get(field) for knob, slug, field in moved}
    return {name: number for name, number in known.items() if isinstance(number, Number)}


def _rows(context: Context, row: int) -> Iterator[tuple[Knob, str]]:
    """The catalog rows that a design has: knob and slug; networks are what is asked."""
    for path, knob in knobs(context.study.page.config).items():
        if knob.catalog is not None and knob.catalog.name != "workloads":
            slug = _record(context, path, row).slug
            if slug:
                yield knob, slug


def _record(context: Context, path: str, row: int) -> Record:
    """The row of a category that a design has, by choice or as the study holds it."""
    study, axis = context.study, context.study.space.by_path.get(path)
    if axis is not None:
        return axis.rows[int(context.shown[path][row])]
    held_row: Record = at(study.space.base, path)
    return held_row


def _row(knob: Knob, slug: str) -> Mapping[str, Number | str]:
    """A row of a device catalog, or of a page's own table."""
    if knob.catalog is None:
        return {}
    page, _, table = knob.catalog.name.partition(".")
    rows = registry.model(page).data.tables.get(table, {}) if table else registry.devices(page)
    return rows.get(slug, {})


def _prices(context: Context, moved: Sequence[tuple[Knob, str, str]]) -> dict[str, Number]:
    """Prices of the devices in use and the rates, where an answer is in money."""
    if not any("USD" in metric.unit for metric in context.study.metrics.values()):
        return {}
    sheet = context.study.prices
    listed_prices = sheet.tables["prices"]["prices"]
    used = {slug: listed_prices.get(slug) for _, slug, field in moved if field == "price"}
    known = {f"price of {slug}": n for slug, n in used.items() if isinstance(n, Number)}
    return known | dict(sheet.parameters)


def _notes(page: AnyModel) -> list[Block]:
    """What the study's page says of its own limits and of disagreements in its sources."""
    own = _own(page)
    if not own:
        return []
    return [
        Paragraph(f"Notes of the page '{page.slug}'. {_paper(page)}", "lead"),
        Facts([(words(name), text) for name, text in own.items()]),
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
