"""Files beside settings: what a trace or a table stands for lies under the settings given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dse.errors import InputError, placed
from dse.spec import Reader
from dse.study import flat, overlaid


def laid_under(
    readers: Mapping[str, Reader],
    settings: Mapping[str, object],
    files: Mapping[str, Path] | None = None,
) -> dict[str, object]:
    """What files stand for, with the settings laid over it, nested.

    Args:
        readers: kind of file -> what reads it.
        settings: dotted or nested; a `Path` under the name of a kind is a file of that kind.
        files: kind -> further files.

    Raises:
        InputError: a file that its reader refuses.
    """
    named = {k: v for k, v in settings.items() if isinstance(v, Path) and k in readers}
    found: dict[str, object] = {}
    for kind, path in {**named, **(files or {})}.items():
        with placed(f"--{kind} {path}"):
            found |= flat(readers[kind](path))
    return overlaid(found, {k: v for k, v in settings.items() if k not in named})


def refuse(slug: str, kind: str, others: Iterable[str]) -> InputError:
    """The error for a file of a kind that nobody of that slug reads; `others` do."""
    known = f"models that do: {', '.join(others) or 'none'}"
    return InputError(f"'{slug}' reads no {kind}; drop --{kind}; {known}")
