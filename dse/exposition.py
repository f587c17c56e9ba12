"""What a page says of itself in its docstrings: symbols, equations, assumptions, weak regimes.

A page's module reads as its paper does, so a report or an explorer need not say it again.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import TypeAlias

from dse.spec import AnyModel

HEADS = (
    "Question",
    "Definitions",
    "Assumptions",
    "Range",
    "Where we differ",
    "Known weak regimes",
)
"""What a page's docstring has a paragraph of; the last one goes on to the end."""

ABOUT = "About"
"""The name of paragraphs without a head."""

GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi"),
    *("omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"),
)
"""Letters that a symbols table spells out."""

_HEAD = re.compile(rf"^({'|'.join(HEADS)})(?: from the \w+)?(?:[:.] +| (?=\())", re.MULTILINE)
_APART = re.compile(r"^(?:>>>|Args:|Returns:|Raises:|Yields:)", re.MULTILINE)
_MATHS = re.compile(r"(\$[^$]+\$)")
_WORD = re.compile(r"(_?)([A-Za-z]+|\d+)")


@dataclass(frozen=True)
class Maths:
    """A formula in LaTeX, without the dollars."""

    latex: str


Prose: TypeAlias = tuple[str | Maths, ...]
"""A text with formulas in it; blanks around a formula belong to the text."""


@dataclass(frozen=True)
class Symbol:
    """A row of a page's symbols table."""

    symbol: Prose
    name: str
    unit: str
    where: str


@dataclass(frozen=True)
class Equation:
    """A function of a page whose docstring holds a formula."""

    name: str
    text: Prose
    """Sentence, place in the paper and formulas."""


@dataclass(frozen=True)
class Exposition:
    """A page in its own words."""

    title: str
    parts: Mapping[str, Sequence[Prose]]
    """Head, or `ABOUT`, -> paragraphs."""
    symbols: tuple[Symbol, ...]
    equations: tuple[Equation, ...]


def exposition(page: AnyModel) -> Exposition:
    """Read the docstrings of a page and of the neighbours it is built of."""
    modules = list(_modules(page))
    title, *blocks = inspect.cleandoc(modules[0].__doc__ or "").split("\n\n")
    tables = [block for block in blocks if block.startswith("|")]
    prose = [block for block in blocks if not block.startswith("|")]
    return Exposition(
        title=" ".join(title.split()),
        parts=_parts(prose),
        symbols=tuple(row for table in tables for row in _symbols(table)),
        equations=tuple(found for module in modules for found in _equations(module)),
    )


def _modules(page: AnyModel) -> Iterator[ModuleType]:
    """The page's module, then those of its room that its names come from, each once."""
    home = page.evaluate.__module__
    room = f"{home.rpartition('.')[0]}."
    found = [home]
    for name in found:
        module = sys.modules[name]
        yield module
        homes = (_home(value) for value in vars(module).values())
        found += [h for h in dict.fromkeys(homes) if h.startswith(room) and h not in found]


def _home(value: object) -> str:
    """The module a name was defined in; a module is its own home."""
    attribute = "__name__" if isinstance(value, ModuleType) else "__module__"
    return str(getattr(value, attribute, ""))


def _parts(blocks: Sequence[str]) -> dict[str, list[Prose]]:
    """Paragraphs by their heads; what follows the last head is part of it."""
    found: dict[str, list[Prose]] = {}
    for block in blocks:
        before, *rest = _HEAD.split(block)
        head = HEADS[-1] if HEADS[-1] in found else ABOUT
        if before.strip():
            found.setdefault(head, []).extend(_items(before))
        for head, text in zip(rest[::2], rest[1::2], strict=True):
            found.setdefault(head, []).extend(_items(text))
    return found


def _items(text: str) -> list[Prose]:
    """A paragraph in one line, and each item of a list in a line of its own."""
    items = re.split(r"\n- ", text)
    return [prose(" ".join(item.replace("**", "").split())) for item in items]


def _symbols(table: str) -> Iterator[Symbol]:
    """The rows of a symbols table below its head."""
    for line in table.splitlines()[2:]:
        cells = line.replace("`", "").strip("|").split("|")
        symbol, name, unit, where = (cell.strip() for cell in cells)
        yield Symbol((Maths(latex(symbol)),), name, unit, where)


def latex(symbol: str) -> str:
    r"""A symbol of a table, spelt out as plain text, as LaTeX.

    >>> latex("eta_c, t_layer, R, 1/R")
    '\\eta _{c},\\; t_{layer},\\; R,\\; 1/R'
    """
    return re.sub("[,;] ", r"\g<0>\; ", _WORD.sub(_spelt, symbol)).replace(" \\;", "\\;")


def _spelt(found: re.Match[str]) -> str:
    below, word = found.groups()
    letter = f"\\{word}" if word in GREEK else word
    return f"_{{{letter}}}" if below else f"{letter} " if letter != word else letter


def _equations(module: ModuleType) -> Iterator[Equation]:
    """The public functions of a module whose docstring holds a formula, in their order."""
    for name, value in vars(module).items():
        plain = inspect.unwrap(value) if callable(value) else value
        own = isinstance(plain, FunctionType) and plain.__module__ == module.__name__
        if own and not name.startswith("_") and "$" in (plain.__doc__ or ""):
            yield Equation(name, prose(_said(plain.__doc__ or "")))


def _said(docstring: str) -> str:
    """A docstring in one line, without its example, what announces it, and lists of arguments."""
    before = _APART.split(inspect.cleandoc(docstring))[0]
    text = " ".join(before.split())
    if text.endswith(":"):
        *kept, example = re.split(r"(?<=\.) |; ", text)
        said = text[: -len(example)].rstrip("; ") if kept else text[:-1]
        return f"{said.removesuffix('.')}."
    return text


def prose(text: str) -> Prose:
    """A text with LaTeX between dollars as words and formulas.

    >>> prose("It is $a/b$ here.")
    ('It is ', Maths(latex='a/b'), ' here.')
    """
    pieces = (piece for piece in _MATHS.split(text) if piece)
    return tuple(Maths(p[1:-1]) if p.startswith("$") else p.replace("`", "") for p in pieces)
