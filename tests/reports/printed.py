"""Reads a printed report as a person would: its text, its pages, its fonts."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no poppler-utils")


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pages(path: Path) -> list[str]:
    """The text of each page, lines kept."""
    return _run("pdftotext", "-layout", str(path), "-").split("\f")[:-1]


def text(path: Path) -> str:
    """The running text on one line, as if no line had been broken."""
    return " ".join(_run("pdftotext", str(path), "-").replace("\u200b", "").split())


def body(path: Path) -> str:
    """The text of all pages between their heads and feet."""
    box = ("-x", "0", "-y", "64", "-W", "596", "-H", "722")
    return _run("pdftotext", *box, str(path), "-")


def squeezed(words: str) -> str:
    """A text without any blank: where a line broke inside a long word, nothing differs."""
    return "".join(words.replace("\u200b", "").split())


def fonts(path: Path) -> list[dict[str, str]]:
    """The fonts of a PDF by name, and whether each is embedded."""
    row = re.compile(r"(?P<name>\S+) .* (?P<embedded>yes|no) +(yes|no) +(yes|no) +\d+ +\d+")
    found = map(row.fullmatch, _run("pdffonts", str(path)).splitlines()[2:])
    return [match.groupdict() for match in found if match]


def images(path: Path) -> int:
    """How many bitmaps a PDF holds."""
    return len(_run("pdfimages", "-list", str(path)).splitlines()) - 2
