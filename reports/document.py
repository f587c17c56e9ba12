"""Reports as files: of a run, of a page, of all pages' validation; as PDF or as HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dse import documents, registry
from dse.errors import InputError, unknown
from dse.executed import Tick
from dse.store import ROOT, Run

from . import paper, validated
from .gather import gather
from .printing import as_json as as_json
from .printing import content
from .printing import html as html
from .printing import pdf as pdf
from .section import Context, Section
from .wording import at_prices

FORMS = ("pdf", "html")
"""What a report can be printed as; a file's suffix says which."""


VALIDATION = "validation"
"""What stands for all pages' scores where a run or a page could stand."""


def write(
    subject: Run | str,
    *,
    date: str,
    path: Path | None = None,
    form: str = "",
    force: bool = False,
    tick: Tick | None = None,
) -> Path:
    """Write a report; the same subject and date give the same bytes.

    Args:
        subject: a run whose search ended, a page's slug, or `VALIDATION`.
        date: date of the report, printed as it is given.
        path: the file, which must not exist yet; by default `report.pdf` in the run folder, or a
            file of `out/reports`, which are replaced.
        form: of `FORMS`; by default what the file's suffix says.
        force: whether a file that exists is replaced.
        tick: told of pages done and pages in all.

    Returns:
        where the report stands.

    Raises:
        InputError: no such page, a run whose search never ended or whose study no longer fits,
            or a file that is in the way or cannot be written.
    """
    made = _form(path, form)
    target = path or _place(subject, made)
    if path is not None:
        _refuse_held(path, force=force)
    described = _described(subject, date, tick)
    printed = html(described) if made == "html" else pdf(described)
    try:
        if path is None:
            target.parent.mkdir(parents=True, exist_ok=True)
        documents.replace(target, printed)
    except OSError as error:
        raise InputError(f"{target}: {error.strerror}; choose another --output") from None
    return target


def _form(path: Path | None, form: str) -> str:
    """What is printed: as asked, else as the file's suffix says, else PDF."""
    if form and form not in FORMS:
        raise unknown("format", form, FORMS)
    suffix = path.suffix.lower().removeprefix(".") if path else ""
    if form and suffix in FORMS and suffix != form:
        raise InputError(f"--output {path} must end in .{form}, as --format says")
    return form or (suffix if suffix in FORMS else FORMS[0])


def _place(subject: Run | str, form: str) -> Path:
    if isinstance(subject, Run):
        return subject.path / f"report.{form}"
    return ROOT / "reports" / f"{subject}.{form}"


def _refuse_held(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise InputError(f"--output {path} must be a file, and it is a folder")
    if path.exists() and not force:
        raise InputError(f"{path} exists; add --force, or choose another --output")


def _described(subject: Run | str, date: str, tick: Tick | None) -> dict[str, Any]:
    if isinstance(subject, Run):
        return describe(gather(subject, date=date))
    if subject == VALIDATION:
        return validated.describe(date=date, tick=tick)
    return paper.describe(subject, date=date)


def sections() -> list[Section]:
    """Every section of a run's report in reading order, found by discovery."""
    found = registry.members("reports", Section, "SECTION")
    return sorted(found.values(), key=lambda section: section.order)


def describe(context: Context) -> dict[str, Any]:
    """The report of a run as plain data, which both printers read."""
    return content(
        kind="Design report",
        title=context.study.slug,
        subtitle=_subtitle(context),
        date=context.date,
        parts=[(section.title, section.build(context)) for section in sections()],
    )


def _subtitle(context: Context) -> str:
    prices = at_prices(context)
    costs = f" · costs{prices}" if prices else ""
    return f"{context.date} · priced by the page '{context.study.page.slug}'{costs}"
