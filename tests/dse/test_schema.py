"""JSON Schema for editors: fresh, valid, and in agreement with what the tool accepts."""

import json
from pathlib import Path

import pytest

from dse import documents, registry, schema

ROOT = Path(__file__).parents[2]


def test_the_files_in_docs_are_fresh() -> None:
    wanted = schema.files(ROOT / "docs" / "schema")
    held = set((ROOT / "docs" / "schema").glob("*.json"))
    assert held == set(wanted), "run: dse schema --write"
    for path, text in wanted.items():
        assert path.read_text(encoding="utf-8") == text, "run: dse schema --write"


@pytest.mark.parametrize("slug", registry.data_files("studies"))
def test_every_shipped_study_names_the_schema_and_uses_only_its_keys(slug: str) -> None:
    path = registry.data_files("studies")[slug]
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../docs/schema/study.schema.json"
    known = schema.study_schema()["properties"]
    assert set(documents.read(path)) <= set(known)


@pytest.mark.parametrize("slug", registry.slugs())
def test_a_knob_may_be_a_number_or_text_and_a_record_a_slug(slug: str) -> None:
    found = json.loads(schema.text(slug))
    tops = [found, *found["$defs"].values()]
    kinds = [option for top in tops for option in options(top)]
    assert {"type": "string"} in kinds
    assert any(option.get("type") == "number" for option in kinds)
    assert all("required" not in top for top in tops)


def options(top: dict[str, object]) -> list[dict[str, object]]:
    """The alternatives of every field of a definition."""
    fields = top.get("properties", {})
    assert isinstance(fields, dict)
    return [option for field in fields.values() for option in field.get("anyOf", [])]
