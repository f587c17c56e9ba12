"""What goes into a page: knobs, constants and tables with sources; and what runs it again."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version

from dse import store, units
from dse.exposition import Maths
from dse.provenance import Number
from dse.spec import Knob, knobs

from .dossier import Dossier
from .environment import PRINTERS
from .formulas import AnyBlock, Rich, RichTable, plainly, rich
from .section import DataTable, Facts, Paragraph
from .wording import UNSURE, words

UNSOURCED = "set in the page"
"""What is said of a default that no data file holds."""


def knob_table(found: Dossier) -> list[AnyBlock]:
    """Every knob with default, bounds, source and kind."""
    known = list(knobs(found.page.config).values())
    numbers = [found.page.data.parameters.get(knob.path) for knob in known]
    table = RichTable(
        ["Symbol", "Knob", "Default", "From", "To", "What it is", "Kind", "Source"],
        [_knob(knob, number) for knob, number in zip(known, numbers, strict=True)],
        "Knobs: what a design sets. Shaded, and marked ? in the margin: the default is from "
        "memory, assumed or fitted.",
        widths=(8, 15, 11, 9, 9, 22, 9, 20),
        right=(2, 3, 4),
        marked=[i for i, n in enumerate(numbers) if n and n.source.kind in UNSURE],
    )
    return [table]


def _knob(knob: Knob, number: Number | None) -> list[str | Rich]:
    symbol: str | Rich = rich((Maths(knob.symbol),)) if knob.symbol else ""
    if knob.catalog is None:
        kind, where = (number.source.kind, number.source.where) if number else ("", UNSOURCED)
    else:
        row = f"a row of {words(knob.catalog.name)}"
        kind = number.source.kind if number else "choice"
        where = f"{row}. {number.source.where}" if number else row
    texts = [plainly(knob.text), kind, plainly(where)]
    return [symbol, words(knob.path), *_span(knob), *texts]


def _span(knob: Knob) -> list[str]:
    """Default and bounds in words."""
    if not isinstance(knob.default, int | float):
        return [str(knob.default), "", ""]
    ends = (knob.bounds.low, knob.bounds.high) if knob.bounds else ()
    said = [units.show(float(value), knob.unit or "1") for value in (knob.default, *ends)]
    return said + [""] * (3 - len(said))


def constants(found: Dossier) -> list[AnyBlock]:
    """Every number of the page that is no knob's default, and what its tables hold."""
    data, own = found.page.data, knobs(found.page.config)
    numbers = {name: n for name, n in data.parameters.items() if name not in own}
    blocks: list[AnyBlock] = []
    if numbers:
        blocks.append(
            DataTable(
                ["Constant", "Value", "Kind", "Source"],
                [_constant(name, number) for name, number in numbers.items()],
                "Constants of the page. Shaded, and marked ? in the margin: from memory, assumed "
                "or fitted; check them before you build on them.",
                widths=(24, 14, 11, 51),
                right=(1,),
                marked=[i for i, n in enumerate(numbers.values()) if n.source.kind in UNSURE],
            )
        )
    if data.tables:
        blocks.append(_tables(found))
    return blocks or [Paragraph("The page has no constant beside its knobs.")]


def _constant(name: str, number: Number) -> list[str]:
    source = ". ".join(text for text in (number.source.where, number.note) if text)
    return [
        words(name),
        units.show(number.value, number.unit),
        number.source.kind,
        plainly(source),
    ]


def _tables(found: Dossier) -> DataTable:
    rows, marked = [], []
    for i, (name, table) in enumerate(found.page.data.tables.items()):
        kinds = Counter(
            value.source.kind
            for row in table.values()
            for value in row.values()
            if isinstance(value, Number)
        )
        told = [f"{count} {kind}" for kind, count in kinds.most_common()]
        rows.append([words(name), str(len(table)), str(kinds.total()), ", ".join(told) or "words"])
        marked += [i] if set(kinds) & set(UNSURE) else []
    place = f"models/{found.page.slug}/data.yaml"
    return DataTable(
        ["Table", "Rows", "Numbers", "Known from"],
        rows,
        f"Tables of categories and measured sets in {place}, where each number has its source. "
        "Marked: some are from memory, assumed or fitted.",
        widths=(30, 10, 12, 48),
        right=(1, 2),
        marked=marked,
    )


def reproduction(found: Dossier) -> list[AnyBlock]:
    """The commands that say the same again, and what computed it here."""
    slug, here = found.page.slug, store.surroundings()
    libraries = ", ".join(f"{name} {number}" for name, number in here["libraries"].items())
    executed = [f"dse validate {slug} --cross"] if found.crossing or found.note else []
    commands = [
        f"dse eval {slug}",
        f"dse validate {slug}",
        *executed,
        f"dse report --paper {slug} --date {found.date}",
    ]
    return [
        Facts(
            [
                ("Reported", found.date),
                ("Commit", str(here["commit"]) or "unknown: an installed package"),
                ("Python", f"{here['python']} on {here['system']} ({here['machine']})"),
                ("Libraries", libraries),
                ("Printed with", ", ".join(f"{name} {version(name)}" for name in PRINTERS)),
            ]
        ),
        Paragraph("The same numbers come out of", "lead"),
        *(Paragraph(command, "code") for command in commands),
    ]
