"""Prints described content: the same blocks as PDF by typst, and as one HTML file by Jinja.

Content is plain data that both templates read, so the two cannot disagree; a text never becomes
markup in either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from .formulas import AnyBlock
from .letters import foreign, printable
from .section import Paragraph

if TYPE_CHECKING:
    from jinja2 import Environment

DRAWN = ("svg", "latex")
"""Keys of what is drawn, or said of a drawing: no text of ours goes into a font there."""

Parts = Sequence[tuple[str, Sequence[AnyBlock]]]
"""Titles of sections and what they hold."""

_PROLOG = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_ASIDE = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_NAMED = re.compile(r'(\bid="|href="#|url\(#)')


def content(*, kind: str, title: str, subtitle: str, date: str, parts: Parts) -> dict[str, Any]:
    """A report as plain data: what the templates show, and nothing else.

    Args:
        kind: what the report is, above its title.
        title: what it is about.
        subtitle: a line below.
        date: printed as it is given.
        parts: its sections.
    """
    sections = [{"title": head, "blocks": [plain(b) for b in blocks]} for head, blocks in parts]
    head = {"kind": kind, "title": title, "subtitle": subtitle, "date": date}
    return {**head, "warnings": [], "sections": sections}


def plain(block: AnyBlock) -> dict[str, Any]:
    """A block as data; a printer knows it by the name of its class."""
    kept = {k: list(v) if isinstance(v, range) else v for k, v in asdict(block).items()}
    return {"kind": type(block).__name__, **kept}


def pdf(described: Mapping[str, Any]) -> bytes:
    """Print content as PDF: no clock, no system font and no package has a say in it."""
    import typst  # noqa: PLC0415 - the compiler, which nothing but a report needs

    template = resources.files(__package__).joinpath("template.typ").read_bytes()
    scripts = sorted(set().union(*map(foreign, texts(described))))
    warned = [plain(_unprintable(scripts))] if scripts else []
    warnings = [*described["warnings"], *warned]
    safe = cast("dict[str, Any]", _safe({**described, "warnings": warnings}))
    return typst.compile(
        template, format="pdf", ignore_system_fonts=True, sys_inputs={"data": as_json(safe)}
    )


def as_json(described: Mapping[str, Any]) -> str:
    """Content as the template reads it; a NaN would be no JSON, so it is refused."""
    return json.dumps(described, allow_nan=False)


def _unprintable(scripts: Sequence[str]) -> Paragraph:
    return Paragraph(
        f"Warning: this report's fonts cover Latin, Greek and Cyrillic. Characters of other kinds "
        f"({', '.join(scripts)}) are named in square brackets where they stood.",
        "warning",
    )


def texts(described: object, key: str = "") -> list[str]:
    """Every text of a report in reading order, drawings left out."""
    if isinstance(described, str):
        return [] if key in DRAWN else [described]
    if isinstance(described, Mapping):
        return [text for k, value in described.items() for text in texts(value, str(k))]
    if isinstance(described, Sequence):
        return [text for value in described for text in texts(value)]
    return []


def _safe(described: object, key: str = "") -> object:
    """The same content with every text printable; blanks at its ends stay."""
    if isinstance(described, str):
        if key in DRAWN:
            return described
        before, after = (" " * end.isspace() for end in (described[:1], described[-1:]))
        return f"{before}{printable(described)}{after}" if described.strip() else described
    if isinstance(described, Mapping):
        return {k: _safe(value, str(k)) for k, value in described.items()}
    if isinstance(described, Sequence):
        return [_safe(value) for value in described]
    return described


def html(described: Mapping[str, Any]) -> bytes:
    """Print content as one HTML file that asks for nothing: no script, no font, no picture."""
    page = _environment().get_template("template.html")
    return page.render(report=json.loads(as_json(described))).encode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - for HTML only

    def source(name: str) -> str:
        return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")

    made = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["drawing"] = _drawing
    return made


def _drawing(svg: str, name: str) -> str:
    """A drawing of ours as it stands inside a page: names of its own, no prolog, no sources."""
    bare = _ASIDE.sub("", _PROLOG.sub("", svg))
    return _NAMED.sub(rf"\g<1>{name}-", bare).strip()
