"""What the Design page saves: the design for `dse eval`, its numbers, its figures, the report."""

from __future__ import annotations

import base64
import csv
import io
from binascii import Error as Base64Error
from collections.abc import Mapping

from dse import figures
from dse.certainty import known_from
from dse.chart import Chart
from dse.errors import InputError
from dse.spec import AnyModel

from . import design, design_charts
from .compare_files import File, as_yaml
from .compared import configured
from .context import Context

LARGEST = 2**16
"""Characters of the largest design file that is read: every knob of the largest page is 4000."""


def design_yaml(page: AnyModel, settings: Mapping[str, object]) -> File:
    """A design as `dse eval FILE` takes it.

    Raises:
        InputError: the page refuses it.
    """
    text = as_yaml(*configured(page.slug, settings))
    return {"content": text, "filename": f"{page.slug}.yaml", "type": "application/yaml"}


def numbers_csv(page: AnyModel, settings: Mapping[str, object]) -> File:
    """A line a metric: SI numbers in full, and what each rests on; empty where unknown.

    Raises:
        InputError: the page refuses it.
    """
    priced = design.price(page, settings)
    if priced.answer is None:
        raise InputError(priced.refusal)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["metric", "unit", "value", "low", "high", "known from", "basis"])
    for name, entry in priced.answer["metrics"].items():
        held = [entry[key] for key in ("unit", "value", "low", "high")]
        writer.writerow([name, *held, known_from(entry), entry["basis"]])
    return {"content": stream.getvalue(), "filename": f"{page.slug}.csv", "type": "text/csv"}


def figure_svg(page: AnyModel, settings: Mapping[str, object], kind: str, asked: str) -> File:
    """A figure as SVG.

    Args:
        page: the model.
        settings: the design.
        kind: terms, roof or levers.
        asked: name of the roof, or the metric whose single changes are drawn.

    Raises:
        InputError: the design has no such figure.
    """
    chart, said = _chart(page, settings, kind, asked)
    if chart is None:
        raise InputError(said or "there is no figure to save")
    name = f"{page.slug}-{kind}.svg"
    return {"content": figures.svg(chart), "filename": name, "type": "image/svg+xml"}


def _chart(
    page: AnyModel, settings: Mapping[str, object], kind: str, asked: str
) -> tuple[Chart | None, str]:
    if kind == "roof":
        return design_charts.roofline(design_charts.roofs_of(page, settings), asked), ""
    if kind == "levers":
        found = design_charts.levers(page, settings, asked)
        return found.chart, found.said
    return design_charts.terms(page, settings)


def report_pdf(context: Context) -> dict[str, object]:
    """The report of the run that a design stands beside.

    Raises:
        InputError: it was not written.
    """
    path = None if context.run is None else context.run.path / "report.pdf"
    if path is None or not path.is_file():
        raise InputError("this run has no report; 'dse report RUN' writes it")
    content = base64.b64encode(path.read_bytes()).decode()
    name = f"{'-'.join(path.parent.parts[-2:])}.pdf"
    return {"content": content, "filename": name, "type": "application/pdf", "base64": True}


def uploaded(contents: str, file: str) -> str:
    """The text of an uploaded file.

    Raises:
        InputError: it is no text, or far too long for a design.
    """
    try:
        text = base64.b64decode(contents.partition(",")[2], validate=True).decode()
    except (Base64Error, UnicodeDecodeError):
        raise InputError(f"{file}: not UTF-8 text; give a YAML file") from None
    if len(text) > LARGEST:
        raise InputError(f"{file}: longer than {LARGEST:,} characters, which no design needs")
    return text
