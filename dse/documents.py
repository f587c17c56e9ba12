"""YAML in and out: safe, small, and with the place of every mistake."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from dse.errors import InputError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

LARGEST = 2 * 2**20
"""Bytes of the largest document that is read: a config is small, a bomb is not."""


class _NoAliases(Composer):
    """Aliases let a few lines unfold into gigabytes, and a config never needs them."""

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        if self.parser.check_event(AliasEvent):
            event = self.parser.peek_event()
            raise MarkedYAMLError(
                problem="aliases (*name) are not accepted; write the value out",
                problem_mark=event.start_mark,
            )
        node: Node | None = super().compose_node(parent, index)
        return node


def _reader() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _NoAliases
    return yaml


def parse(text: str, *, name: str = "text") -> object:
    """Read one YAML 1.2 document; `name` is the place that errors point to.

    Raises:
        InputError: broken YAML, an alias, a doubled key or nesting without end.
    """
    try:
        document: object = _reader().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        why = " ".join(str(error.problem or error.context).split())
        raise InputError(f"{name}{line}: not readable as YAML: {why}") from None
    except (YAMLError, RecursionError, ValueError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{name}: not readable as YAML: {why}") from None
    return document


def read(path: Path) -> dict[str, object]:
    """Read a YAML file that holds a mapping.

    Raises:
        InputError: no such file, not text, too large, or not a mapping.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST} bytes, which no config needs")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give an existing file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; give a YAML file") from None
    document = parse(text, name=str(path))
    if not isinstance(document, Mapping):
        raise InputError(f"{path}: must hold 'key: value' lines, got {type(document).__name__}")
    return {str(key): value for key, value in document.items()}


def dump(document: Mapping[str, object]) -> str:
    """Write a mapping as YAML text, keys in the given order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed as None
    yaml.width = 96
    stream = io.StringIO()
    yaml.dump(dict(document), stream)
    return stream.getvalue()


def replace(path: Path, content: str | bytes) -> None:
    """Write a file at once: readers see the old content or the new one, never a part."""
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
