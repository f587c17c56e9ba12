"""YAML in and out: every mistake is one line with its place, and no file is ever half there."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dse import documents
from dse.errors import InputError

LAUGHS = "a0: &a0 [lol]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
"""Nine levels of nine aliases: 3.5 GB of words if it were unfolded."""


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        documents.parse(text, name="x.yaml")
    return str(caught.value)


def file_refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        documents.read(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "x.yaml:2: not readable as YAML: aliases (*name) are not accepted; write"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "x.yaml:3: not readable as YAML: aliases"),
        ("a: &x [*x]\n", "x.yaml:1: not readable as YAML: aliases"),
        ("a: 1\nb: 2\na: 3\n", 'x.yaml:3: not readable as YAML: found duplicate key "a"'),
        ("a: {b: 1, b: 2}\n", 'x.yaml:1: not readable as YAML: found duplicate key "b"'),
        ("a:\n\tb: 1\n", "x.yaml:2: not readable as YAML: found character '\\t'"),
        ("a: 1\nb: [1, 2\n\n\n", "x.yaml:2: not readable as YAML: "),
        (
            "a: x: y\n",
            "x.yaml:1: not readable as YAML: mapping values are not allowed here; quote",
        ),
        ("a: 'open\nb: 1\n", "x.yaml:1: not readable as YAML: found unexpected end of stream"),
        ("ok: 1\na: \x00\n", "x.yaml:2: not text: character #x0000; give a YAML file"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: not readable as YAML: but found another document"),
        ("a: !!python/object:os.system ls\n", "x.yaml:1: not readable as YAML: tags (!name)"),
        ("a: !!bool 3\n", "x.yaml:1: not readable as YAML: tags (!name) are not accepted"),
        ("a: 2020-13-45\n", "x.yaml: not readable as YAML: month must be in 1..12"),
        ("? {a: 1}\n: 3\n", "x.yaml:1: not readable as YAML: found unhashable key"),
    ],
)
def test_a_broken_document_is_refused_with_its_line(text: str, message: str):
    assert refusal(text).startswith(message)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_endless_nesting_is_refused_before_it_ends_the_stack(opening: str):
    assert "nested deeper than 32 levels; flatten it" in refusal(opening * 10**5)


def test_a_bomb_of_aliases_takes_no_memory():
    tracemalloc.start()
    refusal(LAUGHS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


@given(st.text("ab:-?[]{}#&*!|>'\"%@`,.~<= \n\t\r0123456789e+_\x00\x85\ufeff\u2028", max_size=40))
@settings(max_examples=500)
@example("{? ")
@example("%YAML 9.9\n---\n")
@example("a: " + "1" * 5000)
@example("\ud800")
def test_any_text_is_read_or_refused_in_one_line(text: str):
    try:
        documents.parse(text, name="x.yaml")
    except InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - either outcome is fine
        assert str(error).startswith("x.yaml")  # noqa: PT017 - as above


def test_an_anchor_that_nobody_uses_and_an_inline_merge_are_harmless():
    assert documents.parse("a: &x 1\n<<: {b: 2}\n") == {"a": 1, "b": 2}


def test_an_absent_file_is_named():
    assert file_refusal(Path("no/such.yaml")) == (
        ": No such file or directory; give an existing file"
    )


def test_a_folder_is_refused(tmp_path: Path):
    assert file_refusal(tmp_path) == ": not a file; give a YAML file"


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert file_refusal(tmp_path / "pipe.yaml") == ": not a file; give a YAML file"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": must hold 'key: value' lines, got nothing"),
        (b"# only words\n", ": must hold 'key: value' lines, got nothing"),
        (b"- 1\n- 2\n", ": must hold 'key: value' lines, got a list"),
        (b"just words\n", ": must hold 'key: value' lines, got a str"),
        (b"\x89PNG\r\n\x1a\n\xff", ": not UTF-8 text; give a YAML file"),
        ("a: 1".encode("utf-16"), ": not UTF-8 text; give a YAML file"),
        ("a: 1".encode("utf-16-le"), ":1: not text: character #x0000; give a YAML file"),
        (b"a: 1\n" + b"#" * documents.LARGEST, ": larger than 524288 bytes, which no config"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    assert file_refusal(path).startswith(message)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path):
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufeffa: 1".encode())
    assert documents.read(path) == {"a": 1}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200)
    | st.sampled_from(["yes", "null", "~", "1e3", "0x1F", "<<", "=", "3.2 GB/s", "a: b", "- a"])
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.<", max_size=4), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc._<", max_size=5), PLAIN))
def test_what_is_written_reads_back_equal(document: dict[str, object]):
    assert documents.parse(documents.dump(document)) == document


def test_keys_keep_their_order():
    assert documents.dump({"z": 1, "a": 2}) == "z: 1\na: 2\n"


def test_a_list_used_twice_is_written_twice_since_aliases_are_refused():
    shared = [1, {"a": 2}]
    assert documents.parse(documents.dump({"x": shared, "y": shared})) == {
        "x": shared,
        "y": shared,
    }


def test_numbers_of_numpy_are_written_as_plain_ones():
    document = {"a": np.float64(0.5), "b": np.int64(3), "c": (1, np.float32(2.0))}
    assert documents.dump(document) == "a: 0.5\nb: 3\nc:\n- 1\n- 2.0\n"


def test_a_value_that_is_no_plain_data_cannot_be_written():
    with pytest.raises(InputError, match="a set cannot be written as YAML; give plain numbers"):
        documents.dump({"a": {1, 2}})


class Killed(BaseException):
    """What a test throws where a kill would strike."""


@pytest.mark.parametrize("moment", ["open", "replace"])
def test_a_kill_while_writing_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
):
    path = tmp_path / "x.yaml"
    documents.replace(path, "old")

    def kill(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(Path, moment, kill)
    with pytest.raises(Killed):
        documents.replace(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_content_and_nothing_else(tmp_path: Path):
    path = tmp_path / "x.yaml"
    documents.replace(path, "old")
    with pytest.raises(TypeError):
        documents.replace(path, [])  # type: ignore[arg-type]  # fails in the middle of the write
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_rights_that_any_new_file_has(tmp_path: Path):
    documents.replace(tmp_path / "a", "text")
    (tmp_path / "b").write_text("text")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_bytes_and_text_are_replaced_alike(tmp_path: Path):
    documents.replace(tmp_path / "a", "µ")
    documents.replace(tmp_path / "b", "µ".encode())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == "µ".encode()
