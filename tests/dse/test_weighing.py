"""`dse sensitivity` on the command line: every kind of name, its words, JSON and refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse import verbs
from dse.search import search
from dse.sensitivity import Asked
from dse.store import create
from dse.weighing import weigh
from tests.dse import test_cli as commands
from tests.dse.test_cli import one_line

dse = commands.dse

QUICK = ("--samples", "256")


@pytest.fixture(autouse=True)
def files(dse: Any, toy: Any) -> None:
    """A design file, a study file and a finished run, where the command runs."""
    Path("a.yaml").write_text("model: toy\nset: {items: 8}\n")
    Path("study.yaml").write_text(
        "question: q?\nmodel: toy\nset: {items: 8}\nobjectives: [latency]\n"
        "space: {chip: [tiny, small], clock: {low: 500 MHz, high: 2 GHz}}\n"
    )
    study = toy.study()
    search(study, create(study, output=Path("run")))


def test_a_slug_a_file_and_a_run_are_designs_studies_and_runs(dse: Any) -> None:
    told = {
        name: dse("sensitivity", name, *QUICK, "--json").json()
        for name in ("toy", "a.yaml", "study.yaml", "run:balanced", "run")
    }
    assert {name: found["study"] for name, found in told.items()} == {
        "toy": None,
        "a.yaml": None,
        "study.yaml": "study",
        "run:balanced": None,
        "run": "toy",
    }
    assert (
        told["toy"]["metrics"]["latency"]["here"] != told["a.yaml"]["metrics"]["latency"]["here"]
    )
    assert "link.lanes" in told["run"]["changes"]["start"]
    assert "overhead" in told["run:balanced"]["changes"]["start"]  # every knob of the page


def test_a_run_is_changed_from_its_balanced_design() -> None:
    found = weigh("run", Asked(samples=256))
    balanced = verbs.evaluate("run:balanced")["metrics"]
    assert found.tornado is not None
    for name in ("latency", "cost"):
        assert found.tornado.here[name] == pytest.approx(balanced[name]["value"], rel=1e-12)


def test_settings_change_a_design_and_fix_an_axis_of_a_study(dse: Any) -> None:
    design = dse("sensitivity", "toy", "--set", "clock=500 MHz", *QUICK, "--json").json()
    assert design["changes"]["start"]["clock"] == 5e8
    study = dse("sensitivity", "study.yaml", "--set", "chip=tiny", *QUICK, "--json").json()
    assert [row["knob"] for row in study["metrics"]["latency"]["indices"]] == ["clock"]


def test_prices_change_what_a_design_costs(dse: Any) -> None:
    args = ("sensitivity", "dfx", "--knob", "fpga", "--metric", "cost", "--json")
    Path("mine.yaml").write_text("date: 2026-01-01\nprices: {u280: {value: 1, unit: USD}}\n")
    shipped, mine = dse(*args).json(), dse(*args, "--prices", "mine.yaml").json()
    here = [told["metrics"]["cost"]["here"] for told in (shipped, mine)]
    assert here[1] < here[0]
    assert mine["metrics"]["cost"]["best"] is None  # nothing is cheaper than a dollar


def test_a_terminal_is_told_indices_changes_and_the_best_one(dse: Any) -> None:
    ended = dse("sensitivity", "toy", "--metric", "latency", "--metric", "power")
    assert ended.code == 0
    assert "sampled around the design, numbers within 10 %, categories as they stand" in ended.out
    assert "variance of latency" in ended.out
    assert "90 % interval" in ended.out
    assert "helps most: chip = unpriced, 26 ms" in ended.out
    assert "no effect: link.bandwidth, items, cache, efficiency, overhead" in ended.out
    assert "█" in ended.out
    assert "\x1b" not in ended.out
    assert ended.err == ""


def test_a_study_in_a_terminal_says_where_it_starts_and_what_plays_no_part(dse: Any) -> None:
    out = dse("sensitivity", "run", *QUICK).out
    assert "sampled over the space of toy (256 rows, seed 0)" in out
    assert "single changes are made from chip=" in out
    assert "feasible, whether a design can run" in out or "accepted, whether it meets" in out


def test_a_design_that_cannot_run_is_told_what_frees_it(dse: Any) -> None:
    out = dse("sensitivity", "toy", "--set", "items=42", *QUICK).out
    assert "the design cannot run as it stands; 4 single changes free it: chip = large" in out
    assert "helps most" not in out


def test_the_twin_answers_a_frame_with_the_same_numbers(dse: Any) -> None:
    frame = verbs.sensitivity("toy", {"items": 8}, asked=Asked(samples=256))
    told = dse("sensitivity", "toy", "--set", "items=8", *QUICK, "--json").json()
    rows = frame[(frame["metric"] == "latency") & frame["total"].notna()]
    assert rows["total"].tolist() == [r["total"] for r in told["metrics"]["latency"]["indices"]]
    assert np.all(np.diff(rows["total"]) <= 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["toyy"], "unknown model, study or run 'toyy'; did you mean toy?"),
        (["gpt2-platfrom"], "did you mean gpt2-platform?"),
        (["toy/none"], "no run 'toy/none'"),
        (["none.yaml"], "none.yaml"),
        (["toy", "--metric", "latensy"], "unknown metric 'latensy'; did you mean latency?"),
        (["toy", "--knob", "clok"], "unknown knob 'clok'; did you mean clock?"),
        (["toy", "--range", "150 %"], "`0 < range < 1` must hold, got 1.5"),
        (["toy", "--range", "some"], "--range: 'some' is not a number"),
        (["toy", "--samples", "1000"], "`samples` must be a power of two from 256"),
        (["toy", "--scale", "log"], "unknown scale 'log'; known: auto, ln, plain"),
        (["toy", "--set", "link.lanes=9"], "`link.lanes <= 4 chips` must hold"),
        (["study.yaml", "--knob", "chip"], "--knob and --range are for a design"),
        (["study.yaml", "--set", "chip=tiny", "--set", "clock=1 GHz"], "nothing varies"),
        (["run", "--set", "chip=tiny"], "run is a run and stays as it was"),
        (["run:none"], "unknown design 'none'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(dse: Any, given: list[str], said: str) -> None:
    assert said in one_line(dse("sensitivity", *given))
