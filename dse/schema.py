"""JSON Schema of studies and designs, for editors; written to `docs/schema` and kept fresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dse import registry
from dse.spec import AnyModel
from dse.study import StudyFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def design_schema(page: AnyModel) -> dict[str, Any]:
    """The schema of one page's settings: slugs or rows for records, numbers or text for knobs."""
    schema: dict[str, Any] = page.config.model_json_schema()
    for definition in [schema, *schema.get("$defs", {}).values()]:
        definition["properties"] = {
            name: _open(field) for name, field in definition.get("properties", {}).items()
        }
        definition.pop("required", None)
    return {"$schema": DIALECT, **schema, "title": f"settings of {page.slug}"}


def _open(field: dict[str, Any]) -> dict[str, Any]:
    """A record may be named by its slug, and every field may be left out."""
    if "$ref" not in field:
        return field
    rest = {key: value for key, value in field.items() if key != "$ref"}
    return {"anyOf": [{"type": "string"}, {"$ref": field["$ref"]}], **rest}


def study_schema() -> dict[str, Any]:
    """The schema of a study file."""
    return {"$schema": DIALECT, **StudyFile.model_json_schema(by_alias=True)}


def schema(name: str) -> dict[str, Any]:
    """The schema of `study`, or of the settings of a page.

    Raises:
        InputError: an unknown page.
    """
    return study_schema() if name == "study" else design_schema(registry.model(name))


def text(name: str) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n"


def files(root: Path) -> dict[Path, str]:
    """Every schema file and what it should hold."""
    return {root / f"{name}.schema.json": text(name) for name in ("study", *registry.slugs())}
