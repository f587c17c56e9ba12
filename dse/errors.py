"""The one error a person's input can cause, and the help that goes with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

LONGEST = 80
"""Characters of a given name or value that a message repeats."""


class InputError(ValueError):
    """Wrong input: one line that states the rule, the value, the place and the way out."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Put the place of a mistake before its words."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def shorten(given: str, *, most: int = LONGEST) -> str:
    """What was given, cut to what a line can hold."""
    return given if len(given) <= most else f"{given[:most]}..."


def closest(name: str, options: Iterable[str]) -> str:
    """Words that name the nearest options, or all of them when there are few."""
    known = sorted(options)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if len(known) <= 12:
        return f"known: {', '.join(known) or 'none'}"
    return f"known: {', '.join(known[:8])} and {len(known) - 8} more"


def unknown(what: str, name: str, options: Iterable[str]) -> InputError:
    """The error for a name that nobody knows, with the closest matches."""
    return InputError(f"unknown {what} '{shorten(name)}'; {closest(shorten(name), options)}")


def explain(
    error: ValidationError, *, place: str = "", prefix: str = "", known: Iterable[str] = ()
) -> str:
    """The first mistake pydantic found, as one line: place, path, rule, value, way out.

    Args:
        error: what pydantic raised.
        place: where the document stands.
        prefix: what stands before the path of every field.
        known: names that a misspelt field may have meant.
    """
    first = error.errors()[0]
    path = prefix + ".".join(str(part) for part in first["loc"])
    at = f"{place}: " if place else ""
    if first["type"] == "extra_forbidden":
        return f"{at}'{path}' is not known here; {closest(str(first['loc'][-1]), known)}"
    if first["type"] == "missing":
        whole = "; a row of your own needs all its numbers, or name one of the catalog"
        return f"{at}'{path}' must be given: it has no default{whole if '.' in path else ''}"
    why = shorten(first["msg"].removeprefix("Value error, ").removeprefix("Input "), most=400)
    shown = "" if first["type"] == "value_error" else f", got {shorten(repr(first['input']))}"
    return f"{at}'{path}' {why}{shown}; set {path} to an allowed value"
