"""JSON Schemas that editors read: every reference resolves, every knob is there, none is old."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dse import documents, registry, schema
from dse.errors import InputError
from dse.spec import knobs
from tests.dse import toy as toys

NAMES = ("study", *registry.slugs())
ROOT = Path(__file__).parents[2]


def dictionaries(node: Any) -> Iterator[dict[str, Any]]:
    """Every dictionary of a schema, outermost first."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from dictionaries(inner)


def resolved(whole: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The definition that a field refers to, or the field itself."""
    for option in (node, *node.get("anyOf", [])):
        if "$ref" in option:
            return whole["$defs"][option["$ref"].removeprefix("#/$defs/")]  # type: ignore[no-any-return]
    return node


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_resolves(name: str):
    found = schema.schema(name)
    references = [node["$ref"] for node in dictionaries(found) if "$ref" in node]
    for reference in references:
        assert reference.removeprefix("#/$defs/") in found["$defs"], reference
    assert found["$schema"] == schema.DIALECT


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_knob_of_a_page_is_described_with_its_unit(slug: str):
    whole = schema.schema(slug)
    for knob in knobs(registry.model(slug).config).values():
        node = whole
        for part in knob.path.split("."):
            node = resolved(whole, node)["properties"][part]
        told = node.get("description") or resolved(whole, node).get("description", "")
        assert told.split() == knob.text.split(), knob.path
        if knob.catalog is None:
            assert node["unit"] == knob.unit, knob.path


@pytest.mark.usefixtures("toy")
def test_a_design_may_leave_every_knob_open_and_name_a_record_by_its_slug():
    found = schema.schema("toy")
    assert all("required" not in node for node in dictionaries(found))
    assert {"type": "string"} in found["properties"]["chip"]["anyOf"]
    assert {"type": "string"} in found["properties"]["clock"]["anyOf"]
    assert found["additionalProperties"] is False


def test_a_study_file_uses_only_words_of_the_schema():
    found = schema.study_schema()
    assert set(found["required"]) == {"question", "model", "objectives"}
    for slug, path in registry.data_files("studies").items():
        assert documents.read(path).keys() <= found["properties"].keys(), slug
    assert toys.document().keys() <= found["properties"].keys()


def test_an_axis_may_be_written_as_a_list_as_all_or_in_full():
    found = schema.study_schema()
    options = found["properties"]["space"]["additionalProperties"]["anyOf"]
    kinds = [option.get("$ref") or option.get("type") for option in options]
    assert "#/$defs/AxisSpec" in kinds
    assert "array" in kinds
    assert any(option.get("const") == "all" for option in options)


def test_a_schema_of_nothing_known_is_refused():
    with pytest.raises(InputError, match="unknown model 'studdy'"):
        schema.schema("studdy")


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_in_docs_is_fresh(name: str):
    path = ROOT / "docs" / "schema" / f"{name}.schema.json"
    assert path.exists(), "run: dse schema --write"
    assert path.read_text(encoding="utf-8") == schema.text(name), "run: dse schema --write"


def test_a_schema_is_strict_json():
    for name in NAMES:
        assert json.loads(schema.text(name), parse_constant=pytest.fail)
