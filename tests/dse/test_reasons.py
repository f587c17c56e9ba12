"""Why one design and not another, in a terminal's words."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dse import reasons
from dse.why import Why, explain
from tests.dse import test_why as machines


@pytest.fixture(autouse=True)
def folder(toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(found: Why) -> str:
    out = Console(file=StringIO(), width=160)
    reasons.why(out, found)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def test_what_a_search_did_not_reach_is_said() -> None:
    found = machines.why("small", 2).searched
    assert reasons.searched(found).endswith("54 designs, which are all of its space")
    part = replace(found, whole=False, near_priced=3)
    assert reasons.searched(part).endswith(
        "54 designs by grid, not all of its space; of 7 designs one change away 3 were priced"
    )
    cut = reasons.searched(replace(part, finished=False))
    assert "by a search that was interrupted" in cut
    for one in (found, part):
        drifted = reasons.searched(replace(one, drifted=True))
        assert drifted.endswith("the page has changed since: its front is priced anew")


def test_with_nothing_on_the_front_that_is_said() -> None:
    told = shown(machines.why("small", 2, constraints=["latency <= 1 ms"]))
    assert "nothing meets every constraint of 54 designs" in told
    assert "no change of chip, chips, link.lanes, clock alone does that" in told
    assert "then none would dominate it" in told
    assert "beside" not in told


def test_several_missed_bounds_must_all_give_way() -> None:
    told = shown(machines.why("small", 1, constraints=["latency <= 100 ms", "cost <= 500 USD"]))
    assert "no bound alone would free it: each that is missed must give way" in told
    assert "passes with" in told
    assert "cost <= $550" in told


def test_a_design_beyond_the_study_says_by_which_knobs() -> None:
    told = shown(machines.why("small", 2, clock=2e9))
    assert "outside the study's space: clock = 2 GHz; the study tries 500 MHz, 1 GHz" in told


def test_a_change_says_what_it_opens_and_what_it_adds() -> None:
    space = {"cached": [0, 1], "cache": {"choices": ["1 MB", "64 MB"], "when": "cached == 1"}}
    fixed = {"items": 8, "chip": "small", "link": {"lanes": 1}, "cache": "64 MB"}
    name = machines.write(space=space, set=fixed, constraints=["latency <= 89 ms"])
    told = shown(explain("toy", name))
    assert "0 -> 1   +$6.40   with cache 64 MB" in told


def test_a_study_that_varies_nothing_says_so() -> None:
    told = shown(machines.why("small", 1, space={}))
    assert "the study varies no knob that the design uses" in told


@pytest.mark.parametrize(
    ("many", "words"),
    [
        (0, "the nearest of the front"),
        (1, "the one that dominates it"),
        (1200, "the nearest of the 1,200 that dominate it"),
    ],
)
def test_the_rival_is_named_by_how_many_dominate(many: int, words: str) -> None:
    base = machines.why("small", 4, clock=5e8)
    assert f"beside {words}:" in shown(replace(base, dominators=many))
