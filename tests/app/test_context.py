"""What pages know of the run that a URL names."""

import os
from pathlib import Path

import pytest

from app.context import HELD, Context, asked
from app.runs import name_of
from dse.errors import InputError
from dse.prices import in_force
from dse.search import search
from dse.store import Run, create

from . import toy as toys


@pytest.fixture
def others(toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Run]:
    """More runs of the toy than are held at once, in this folder's `out`."""
    monkeypatch.chdir(tmp_path)
    question = toys.study()
    paths = [Path(f"out/toy/{number}") for number in range(HELD + 1)]
    return [search(question, create(question, output=path)).run for path in paths]


def test_the_last_run_of_a_query_is_the_one_that_is_asked_for() -> None:
    assert asked("?run=toy/a&run=toy/b&x=1") == "toy/b"
    assert asked("?x=1") == asked("") == ""


def test_a_url_without_a_run_means_the_one_that_the_server_opened(context: Context) -> None:
    assert context.of("?model=toy") is context
    assert context.of("") is context


def test_the_servers_own_run_is_found_by_its_name_wherever_it_lies(context: Context) -> None:
    assert context.run is not None
    assert context.of(f"?run={name_of(context.run)}") is context


def test_a_url_opens_another_run_and_leaves_the_servers_alone(
    context: Context, others: list[Run]
) -> None:
    other = context.of("?run=toy/1")
    assert other.run == Run(others[1].path)
    assert other.opened() is not None
    assert context.run != other.run


def test_a_run_is_read_once_however_many_requests_name_it(
    context: Context, others: list[Run]
) -> None:
    first = context.of("?run=toy/1").opened()
    assert context.of("?run=toy/1").opened() is first
    front = others[1].path / "front.csv"
    os.utime(front, (1, 1))
    assert context.of("?run=toy/1").opened() is not first


def test_only_some_runs_stay_in_memory(context: Context, others: list[Run]) -> None:
    first = context.of("?run=toy/0")
    for number in range(1, HELD + 1):
        context.of(f"?run=toy/{number}")
    assert context.of("?run=toy/0") is not first


def test_contexts_share_nothing(others: list[Run]) -> None:
    assert Context().of("?run=toy/1") is not Context().of("?run=toy/1")


def test_a_url_that_names_no_run_is_refused_in_words(context: Context, others: list[Run]) -> None:
    with pytest.raises(InputError, match=r"no run 'toy/7' in out; .* choose one of the list"):
        context.of("?run=toy/7")


def test_within_a_priced_run_devices_cost_what_it_was_searched_at(
    run: Run, tmp_path: Path
) -> None:
    path = run.path / "config.yaml"
    own = "prices:\n  date: 2026-12-01\n  prices:\n    t4: {value: 12345, unit: USD}\n"
    path.write_text(path.read_text() + own)
    with Context(run).priced():
        laid = in_force()
        assert laid is not None
        assert "t4" in str(laid.document)
    assert in_force() is None
