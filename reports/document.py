"""From a run to a PDF: gather what sections read, let them speak, print it with typst."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any, cast

from dse import documents, registry
from dse.errors import InputError
from dse.store import Run

from .gather import gather
from .letters import foreign, printable
from .section import Block, Context, Paragraph, Section
from .wording import at_prices


def write(run: Run, *, date: str, path: Path | None = None) -> Path:
    """Write the report of a run; the same run and date give the same bytes.

    Args:
        run: the run folder, of a search that ended.
        date: date of the report, printed as it is given.
        path: the PDF; `report.pdf` in the run folder by default.

    Returns:
        where the PDF stands.

    Raises:
        InputError: the run's search never ended, its study no longer fits the page, or the PDF
            cannot be written there.
    """
    target = path or run.path / "report.pdf"
    content = pdf(describe(gather(run, date=date)))
    try:
        documents.replace(target, content)
    except OSError as error:
        raise InputError(f"{target}: {error.strerror}; choose another --output") from None
    return target


def sections() -> list[Section]:
    """Every section of the report in reading order, found by discovery."""
    found = registry.members("reports", Section, "SECTION")
    return sorted(found.values(), key=lambda section: section.order)


def describe(context: Context) -> dict[str, Any]:
    """The report as plain data, safe to print: what the template shows, and nothing else."""
    content = {
        "title": context.study.slug,
        "subtitle": _subtitle(context),
        "date": context.date,
        "sections": [
            {"title": section.title, "blocks": [_plain(b) for b in section.build(context)]}
            for section in sections()
        ],
    }
    scripts = sorted(_scripts(content))
    content["warnings"] = [_plain(_unprintable(scripts))] if scripts else []
    return cast("dict[str, Any]", _safe(content))


def _subtitle(context: Context) -> str:
    prices = at_prices(context)
    costs = f" · costs{prices}" if prices else ""
    return f"{context.date} · priced by the page '{context.study.page.slug}'{costs}"


def _plain(block: Block) -> dict[str, Any]:
    return {"kind": type(block).__name__, **asdict(block)}


def _unprintable(scripts: Sequence[str]) -> Paragraph:
    return Paragraph(
        f"Warning: this report's fonts cover Latin, Greek and Cyrillic. Characters of other kinds "
        f"({', '.join(scripts)}) are named in square brackets where they stood.",
        "warning",
    )


def _texts(content: object, key: str = "") -> list[str]:
    """Every text of the report, drawings left out."""
    if isinstance(content, str):
        return [] if key == "svg" else [content]
    if isinstance(content, Mapping):
        return [text for k, value in content.items() for text in _texts(value, str(k))]
    if isinstance(content, Sequence):
        return [text for value in content for text in _texts(value)]
    return []


def _scripts(content: object) -> set[str]:
    return set().union(*map(foreign, _texts(content)))


def _safe(content: object, key: str = "") -> object:
    """The same content with every text printable; a drawing is no text."""
    if isinstance(content, str):
        return content if key == "svg" else printable(content)
    if isinstance(content, Mapping):
        return {k: _safe(value, str(k)) for k, value in content.items()}
    if isinstance(content, Sequence | range):
        return [_safe(value) for value in content]
    return content


def pdf(content: Mapping[str, Any]) -> bytes:
    """Print described content: no clock, no system font and no package has a say in it."""
    import typst  # noqa: PLC0415 - the compiler, which nothing but a report needs

    template = resources.files(__package__).joinpath("template.typ").read_bytes()
    return typst.compile(
        template,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": as_json(content)},
    )


def as_json(content: Mapping[str, Any]) -> str:
    """Described content as the template reads it; a NaN would be no JSON, so it is refused."""
    return json.dumps(content, allow_nan=False)
