"""Blocks whose texts hold formulas: equations by name, and tables with symbols."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dse.exposition import Maths, Prose
from dse.formula import Formula, formula

from .section import Block

Piece: TypeAlias = str | Formula
Rich: TypeAlias = Sequence[Piece]
"""A text with drawn formulas in it; a text piece says by its blanks where a space stands."""


@dataclass(frozen=True)
class RichParagraph:
    """Running text with formulas in it."""

    pieces: Rich


@dataclass(frozen=True)
class RichFacts:
    """Short facts by name whose texts hold formulas, as equations of a page."""

    rows: Sequence[tuple[str, Rich]]


@dataclass(frozen=True)
class RichTable:
    """A `DataTable` with a drawn symbol at the head of each row."""

    header: Sequence[str]
    rows: Sequence[Sequence[str | Rich]]
    caption: str
    widths: Sequence[float] = ()
    right: Sequence[int] = ()
    marked: Sequence[int] = ()
    mark: Literal["important", "unsure"] = "unsure"


AnyBlock: TypeAlias = Block | RichParagraph | RichFacts | RichTable
"""Whatever a printer can show."""


def rich(text: Prose) -> Rich:
    """A text of a page with its formulas drawn."""
    return [formula(piece.latex) if isinstance(piece, Maths) else piece for piece in text]


def paragraphs(texts: Iterable[Prose]) -> list[AnyBlock]:
    """A paragraph for each text."""
    return [RichParagraph(rich(text)) for text in texts]


def plainly(text: str) -> str:
    """A text of a data file without the marks of code around its names."""
    return text.replace("`", "")
