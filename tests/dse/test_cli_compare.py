"""`dse compare` on the command line: files, variants, runs, prices and refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

from dse import verbs
from dse.search import search
from dse.store import create
from tests.dse import test_cli as commands

dse = commands.dse


@pytest.fixture(autouse=True)
def files(dse: Any, toy: Any) -> None:
    """Design files and a finished run, in the empty folder that the command runs in."""
    Path("a.yaml").write_text("model: toy\nset: {items: 8}\n")
    Path("b.yaml").write_text("model: toy\nset: {items: 8, link: {lanes: 4}}\n")
    Path("other.yaml").write_text("model: dfx\n")
    study = toy.study()
    search(study, create(study, output=Path("run")))


def test_files_are_compared_with_a_page_named_first_or_not(dse: Any) -> None:
    two, three = dse("compare", "a.yaml", "b.yaml"), dse("compare", "toy", "a.yaml", "b.yaml")
    assert two.code == three.code == 0
    assert "toy: 2 designs, each compared with a.yaml" in two.out
    assert "toy: 3 designs, each compared with toy" in three.out
    assert "\x1b" not in two.out


def test_variants_lie_over_the_design_as_set(dse: Any) -> None:
    ended = dse(
        *("compare", "toy", "--set", "items=8", "--json"),
        *("--with", "link.lanes=4", "--with", "chips=4,link.bandwidth=16 GB/s"),
    )
    told = ended.json()
    assert told["differ"] == ["link.bandwidth", "link.lanes", "chips"]
    names = [held["name"] for held in told["designs"]]
    assert names == ["toy", "link.lanes=4", "chips=4,link.bandwidth=16 GB/s"]
    assert [held["knobs"]["chips"] for held in told["designs"]] == [2, 2, 4]
    assert told["designs"][2]["knobs"]["link.bandwidth"] == 16e9


def test_the_command_says_the_same_as_its_python_twin(dse: Any) -> None:
    told = dse("compare", "a.yaml", "b.yaml", "--json").json()
    twin = verbs.comparison(["a.yaml", "b.yaml"]).as_json()
    assert told == json.loads(json.dumps(twin))
    frame = verbs.compare(["a.yaml", "b.yaml"])
    values = [held["metrics"]["latency"]["value"] for held in told["designs"]]
    assert frame["metrics", "latency"].tolist() == values


def test_designs_of_a_run_are_compared_by_name_and_by_row(dse: Any) -> None:
    ended = dse("compare", "run:balanced", "run:cost", "run:1", "--json")
    told = ended.json()
    assert ended.code == 0
    assert [held["name"] for held in told["designs"]] == ["run:balanced", "run:cost", "run:1"]
    costs = [held["metrics"]["cost"]["value"] for held in told["designs"]]
    assert costs[1] == min(costs)


def test_a_design_of_a_run_is_varied_and_priced_alone_too(dse: Any) -> None:
    told = dse("compare", "run:balanced", "--with", "chips=16", "--json").json()
    assert told["differ"] == ["chips"]
    assert dse("eval", "run:balanced").code == 0


def test_an_infeasible_design_is_shown_and_the_command_is_fine(dse: Any) -> None:
    ended = dse("compare", "toy", "--with", "items=1024")
    assert ended.code == 0
    row = next(line for line in ended.out.splitlines() if "feasible" in line)
    assert row.split() == ["feasible", "yes", "no"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["toy"], "a comparison needs two designs"),
        (["a.yaml", "other.yaml"], "designs must share their model"),
        (["a.yaml", "b.yaml", "--with", "items=1"], "--with varies one design, got 2"),
        (["toy", "--with", "items"], "--with 'items' must read key=value"),
        (["toy", "--with", "itms=1"], "--with itms=1: unknown knob 'itms'; did you mean items"),
        (["run:best", "toy"], "unknown design 'best'"),
        (["none:1", "toy"], "no run 'none'"),
        (["toy", "nowhere.yaml"], "nowhere.yaml: No such file"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_exit_2(
    dse: Any, arguments: list[str], words: str
) -> None:
    assert words in commands.one_line(dse("compare", *arguments))


def test_own_prices_win_over_those_of_the_run_and_are_said(dse: Any) -> None:
    Path("own.yaml").write_text("date: 2026-12-01\nprices: {u280: {value: 3000, unit: USD}}\n")
    Path("dear.yaml").write_text("date: 2026-12-02\nprices: {u280: {value: 9000, unit: USD}}\n")
    Path("boards.yaml").write_text(
        "question: which?\nmodel: dfx\nset: {fpga: u280}\nspace: {fpgas: [1, 2]}\n"
        "objectives: [cost, latency]\n"
    )
    arguments = ("search", "boards.yaml", "--no-report", "--prices", "own.yaml", "--output", "own")
    assert dse(*arguments).code == 0

    def cost(*arguments: str) -> float:
        held = dse("compare", "own:cost", "dfx", *arguments, "--json").json()["designs"]
        value = held[0]["metrics"]["cost"]["value"]
        assert isinstance(value, float)
        return value

    assert cost() == 3000
    assert cost("--prices", "dear.yaml") == 9000
    assert "overlaid from own.yaml of 2026-12-01" in dse("compare", "own:cost", "own:latency").out
    assert "2026-12-02" in dse("compare", "own:cost", "dfx", "--prices", "dear.yaml").out
