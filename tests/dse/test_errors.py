"""The words of a refusal."""

import pytest
from pydantic import BaseModel, ValidationError

from dse.errors import InputError, closest, explain, unknown


def test_a_message_is_one_line_whatever_the_input_holds():
    assert str(InputError("no 'a\nb\r\n\tc' here\u2028")) == "no 'a b c' here"


def test_near_names_are_offered_nearest_first():
    assert closest("latncy", ["latency", "energy", "late"]) == "did you mean latency or late?"


def test_a_few_names_are_all_told_when_none_is_near():
    assert closest("zzz", ["b", "a"]) == "known: a, b"


def test_of_many_names_the_first_are_told_and_the_rest_counted():
    names = [f"name{i:02d}" for i in range(20)]
    assert closest("zzz", names) == f"known: {', '.join(names[:8])} and 12 more"


def test_no_names_at_all_are_told_as_none():
    assert closest("x", []) == "known: none"


def test_unknown_names_the_kind_the_name_and_the_way_out():
    error = unknown("model", "dfy", ["dfx", "roofline"])
    assert str(error) == "unknown model 'dfy'; did you mean dfx?"


def test_a_giant_name_is_cut():
    assert len(str(unknown("knob", "x" * 10**6, ["latency"]))) < 200


@pytest.mark.parametrize("kind", [ValueError, Exception])
def test_an_input_error_is_a_value_error_so_pydantic_reports_it(kind: type[Exception]):
    assert issubclass(InputError, kind)


class Odd(BaseModel):
    """Something to be wrong about."""

    size: int
    inner: dict[str, int] = {}


def explained(document: object, **options: str) -> str:
    with pytest.raises(ValidationError) as caught:
        Odd.model_validate(document)
    return explain(caught.value, **options)  # type: ignore[arg-type]


def test_an_explanation_has_place_path_rule_value_and_way_out():
    line = explained({"size": 1, "inner": {"a": "x"}}, place="f.yaml", prefix="set.")
    assert line == (
        "f.yaml: 'set.inner.a' should be a valid integer, unable to parse string as an integer, "
        "got 'x'; set set.inner.a to an allowed value"
    )


def test_an_explanation_of_a_missing_field_says_so():
    assert explained({}) == "'size' must be given: it has no default"


def test_an_explanation_cuts_giant_values():
    assert len(explained({"size": "9x" * 10**5})) < 300
