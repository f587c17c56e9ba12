"""The content folders: pages, networks, studies, app and report, found and never imported by name.

In a checkout they are top-level packages; in a wheel they lie below `dse`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import dse
from dse.errors import InputError

T = TypeVar("T")


@cache
def folder(name: str) -> ModuleType:
    """The package of a content folder, from the wheel or from the checkout.

    Raises:
        InputError: another package of the same name stands in the way.
    """
    if importlib.util.find_spec(f"dse.{name}") is not None:
        return importlib.import_module(f"dse.{name}")
    expected = Path(str(dse.__file__)).parents[1] / name
    package = importlib.import_module(name)
    found = Path(str(package.__file__)).parent
    if found != expected:
        raise InputError(
            f"the folder '{name}' must be {expected}, but Python found {found}; "
            "remove that package or run from another directory"
        )
    return package


def module(name: str, part: str) -> ModuleType:
    """A module of a content folder, such as `server` of `app`."""
    return importlib.import_module(f"{folder(name).__name__}.{part}")


def members(name: str, kind: type[T], attribute: str) -> dict[str, T]:
    """What discovery finds in a content folder: file name -> the object of that attribute."""
    package = folder(name)
    found: dict[str, T] = {}
    for info in pkgutil.iter_modules(package.__path__):
        value = getattr(module(name, info.name), attribute, None)
        if isinstance(value, kind):
            found[info.name] = value
    return found


def data_files(name: str, suffix: str = ".yaml") -> dict[str, Path]:
    """Files of a content folder by stem."""
    root = Path(folder(name).__path__[0])
    return {path.stem: path for path in sorted(root.rglob(f"*{suffix}"))}
