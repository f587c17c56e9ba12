"""YAML in and out: safe, small, and with the place of every mistake."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from datetime import date
from numbers import Integral, Real
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, Event
from ruamel.yaml.parser import ParserError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scanner import ScannerError

from dse.errors import InputError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

LARGEST = 2**19
"""Bytes of the largest document that is read: a config is small, a bomb is not."""

DEEPEST = 32
"""Levels of the deepest nesting that is read."""


HINT = "; quote text that holds : or #, and indent with spaces"


class _Plain(Composer):
    """Accepts plain data only.

    Aliases let a few lines unfold into gigabytes, tags ask for objects that no config holds, and
    endless nesting ends the interpreter's stack.
    """

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent):
            raise _mistake("aliases (*name) are not accepted; write the value out", event)
        if getattr(event, "tag", None) is not None:
            raise _mistake("tags (!name) are not accepted; write the value alone", event)
        if self.depth >= DEEPEST:
            raise _mistake(f"nested deeper than {DEEPEST} levels; flatten it", event)
        node: Node | None = super().compose_node(parent, index)
        return node


def _mistake(problem: str, event: Event) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _reader() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Plain
    return yaml


def parse(text: str, *, name: str = "text") -> object:
    """Read one YAML 1.2 document; `name` is the place that errors point to.

    Raises:
        InputError: broken YAML, an alias, a tag, a doubled key or endless nesting.
    """
    try:
        document: object = _reader().load(text)
    except MarkedYAMLError as error:
        marks = [m for m in (error.problem_mark, error.context_mark) if m is not None]
        inside = [mark for mark in marks if mark.index < len(text.rstrip())]  # not "at the end"
        line = f":{(inside or marks)[0].line + 1}" if marks else ""
        hint = HINT if isinstance(error, ScannerError | ParserError) else ""
        raise InputError(
            f"{name}{line}: not readable as YAML: {error.problem or error.context}{hint}"
        ) from None
    except ReaderError as error:
        line = f":{text.count(chr(10), 0, error.position) + 1}"
        raise InputError(
            f"{name}{line}: not text: character #x{error.character:04x}; give a YAML file"
        ) from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"{name}: not readable as YAML: {error}") from None
    return document


def read(path: Path) -> dict[str, object]:
    """Read a YAML file that holds a mapping.

    Raises:
        InputError: no such file, not text, too large, or not a mapping.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise InputError(f"{path}: not a file; give a YAML file")
        if size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST} bytes, which no config needs")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give an existing file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; give a YAML file") from None
    document = parse(text, name=str(path))
    if not isinstance(document, Mapping):
        found = "nothing" if document is None else f"a {type(document).__name__}"
        raise InputError(f"{path}: must hold 'key: value' lines, got {found}")
    return {str(key): value for key, value in document.items()}


def dump(document: Mapping[str, object]) -> str:
    """Write a mapping as YAML text that `parse` reads back, keys in the given order.

    Raises:
        InputError: a value that is no plain data.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed as None
    yaml.width = 96
    stream = io.StringIO()
    yaml.dump(_plain(document), stream)
    return stream.getvalue()


def _plain(value: object) -> object:
    """Fresh plain data: NumPy's numbers become Python's, and nothing is written as an alias."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | str | date):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise InputError(f"a {type(value).__name__} cannot be written as YAML; give plain numbers")


def replace(path: Path, content: str | bytes) -> None:
    """Write a file at once: readers see the old content or the new one, never a part."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
