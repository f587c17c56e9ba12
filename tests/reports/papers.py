"""The reports of all pages, gathered, described and printed once for every test of them."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from dse import registry
from reports import paper, printing
from reports.dossier import Dossier, gather
from tests.reports import made

SLUGS = registry.slugs()


@cache
def dossier(slug: str) -> Dossier:
    return gather(slug, date=made.DATE)


@cache
def described(slug: str) -> dict[str, Any]:
    return paper.described(dossier(slug))


@cache
def pdf(slug: str) -> bytes:
    return printing.pdf(described(slug))


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()  # until the tests end


@cache
def path(slug: str) -> Path:
    """The report of a page as a PDF, for the tools that read files."""
    found = Path(_folder().name, f"{slug}.pdf")
    found.write_bytes(pdf(slug))
    return found


@cache
def html(slug: str) -> str:
    return printing.html(described(slug)).decode()


def section(slug: str, title: str) -> list[dict[str, Any]]:
    """The blocks of one section."""
    (blocks,) = (s["blocks"] for s in described(slug)["sections"] if s["title"] == title)
    return blocks


def tables(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for block in blocks if block["kind"] in ("DataTable", "RichTable")]


def said(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(printing.texts(blocks))
