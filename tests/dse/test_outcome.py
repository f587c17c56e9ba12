"""How a search says how it ended: in a terminal of 100 columns, and as JSON."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from dse import store
from dse.outcome import outcome, outcome_json
from dse.search import Outcome, search
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")

MANY = ["latency", "throughput", "energy", "power", "cost", "utilisation"]


def ended(path: Path, **changes: object) -> Outcome:
    study = toys.study(**changes)
    return search(study, store.create(study, output=path / "toy" / "run"))


def printed(found: Outcome) -> str:
    out = Console(width=100, highlight=False)
    with out.capture() as caught:
        outcome(out, found)
    return caught.get()


def as_json(found: Outcome) -> dict[str, Any]:
    return json.loads(json.dumps(outcome_json(found), allow_nan=False))  # type: ignore[no-any-return]


@pytest.mark.parametrize("objectives", [["latency", "cost"], MANY])
def test_a_terminal_shows_one_row_an_objective(tmp_path: Path, objectives: list[str]):
    text = printed(ended(tmp_path, objectives=objectives))
    table = text[text.index("which then reaches") :]
    for name in objectives:
        assert sum(line.startswith(f" {name} ") for line in table.splitlines()) == 1
    assert max(map(len, text.splitlines()[:-1])) <= 100
    assert "the winners differ" in text


def test_a_terminal_needs_no_table_for_one_winner(tmp_path: Path):
    text = printed(ended(tmp_path, objectives=["latency"]))
    assert "which then reaches" not in text
    assert "best latency" in text
    assert "wins" not in text


def test_a_script_reads_the_winners_in_si(tmp_path: Path):
    found = ended(tmp_path)
    held = found.run.designs()
    good = held.take(held["accepted"])
    fast, cheap = as_json(found)["winners"]
    assert fast["objective"] == "latency"
    assert fast["value"] == good["latency"].min()
    assert held["latency"][fast["row"]] == fast["value"]
    assert held["cost"][fast["row"]] == fast["others"]["cost"]
    assert cheap["value"] == good["cost"].min()
    assert fast["knobs"]["chip"] != cheap["knobs"]["chip"]
    assert fast["discriminates"]
    assert as_json(found)["verdict"] == "the winners differ: no design wins two objectives"


def test_where_nothing_is_feasible_nothing_wins(tmp_path: Path):
    found = ended(tmp_path, constraints=["latency <= 1 us"])
    told = as_json(found)
    assert (told["winners"], told["verdict"], told["warnings"]) == ([], "", [])
    assert "the winners" not in printed(found)


def test_an_objective_that_tells_nothing_apart_is_a_warning_everywhere(tmp_path: Path):
    found = ended(tmp_path, space={"chips": [1, 2, 4]}, objectives=["latency", "utilisation"])
    flat = ended(
        tmp_path / "flat", space={"cache": ["1 MB", "64 MB"]}, objectives=["latency", "cost"]
    )
    assert as_json(found)["warnings"] == []
    (first, second) = as_json(flat)["warnings"]
    assert "objective 'latency' is" in first
    assert "objective 'cost' is" in second
    text = " ".join(printed(flat).split())
    assert text.count("tells no designs apart; drop it from the objectives, or widen") == 2
    assert flat.run.environment()["warnings"] == [first, second]
    assert flat.run.environment()["constant"] == ["latency", "cost"]


def test_designs_whose_objective_is_unknown_are_told_with_their_number(tmp_path: Path):
    found = ended(tmp_path, space={"chip": ["small", "unpriced"], "chips": [1, 2, 4]})
    held = found.run.designs()
    met = held["feasible"] & (held["violation"] == 0) & np.isnan(held["cost"])
    count = int(np.count_nonzero(met))
    assert count
    assert as_json(found)["not_compared"] == {"cost": count}
    line = f"not compared: {count} designs within every constraint, cost unknown or infinite"
    assert line in printed(found)


@pytest.mark.parametrize("method", ["nsga2", "tpe"])
def test_a_search_that_learns_says_how_often_it_asked_again(tmp_path: Path, method: str):
    space = {"chips": [1, 2, 4], "link.lanes": [1, 2, 4]}
    spec = {"method": method, "budget": 100, "seed": 1}
    found = ended(tmp_path, space=space, search=spec)
    held = found.run.designs()
    distinct = len(np.unique(np.stack([held["chips"], held["link.lanes"]], axis=1), axis=0))
    assert found.archive.repeats == 100 - distinct > 0
    assert f"100 designs ({100 - distinct} of them repeats) by {method}" in printed(found)
    assert as_json(found)["repeats"] == 100 - distinct
    again = search(found.archive.study, found.run)
    assert again.archive.repeats == found.archive.repeats


def test_a_grid_repeats_nothing_and_says_nothing_of_it(tmp_path: Path):
    found = ended(tmp_path)
    assert found.archive.repeats == 0
    assert "of them repeats" not in printed(found)
