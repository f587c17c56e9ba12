"""`dse why` as people and scripts meet it: shipped studies, runs, prices, words, JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from dse import verbs
from dse.documents import dump
from dse.search import search
from dse.store import create
from dse.study import build
from tests.dse import test_cli as commands
from tests.dse import test_why as machines

dse = commands.dse

DESIGN = ("chip=small", "chips=4", "link.lanes=1", "clock=500 MHz")
PRICES = "date: 2026-12-01\nprices: {u280: {value: 3000, unit: USD}}\n"
BOARDS = {
    "question": "how many boards?",
    "model": "dfx",
    "set": {"workload": "gpt2-1.5b", "input_tokens": 64, "output_tokens": 64},
    "space": {"fpgas": [1, 2, 4], "clock": ["150 MHz", "200 MHz"]},
    "objectives": ["latency", "cost"],
    "constraints": ["latency <= 2 s"],
}


def over(*settings: str) -> list[str]:
    return [part for text in settings for part in ("--set", text)]


@pytest.fixture
def study(dse: Any, toy: Any) -> str:
    Path("machines.yaml").write_text(dump(machines.machines()))
    return "machines.yaml"


def run_of(document: dict[str, object], name: str) -> None:
    asked = build(name, document, place=name)
    search(asked, create(asked, output=Path(name)))


def test_a_dominated_design_is_told_from_verdict_to_difference(dse: Any, study: str) -> None:
    ended = dse("why", "toy", "--study", study, *over(*DESIGN))
    assert ended.code == 0
    lines = [line.rstrip() for line in ended.out.splitlines()]
    assert lines[0] == "toy: it is dominated by 4 of 15 on the front"
    assert "15 on the front of 54 designs, which are all of its space" in lines[1]
    assert any("slack: 10 ms (10 %) to spare" in line for line in lines)
    assert "one change, and it is dominated by no design of the front; ranked by cost:" in lines
    assert "no change of chip, chips, link.lanes alone does that" in lines
    assert "beside the nearest of the 4 that dominate it:" in lines
    assert any(line.split() == ["compute", "80", "ms", "40", "ms", "-40", "ms"] for line in lines)
    assert lines[-1] == "latency is 40 ms more, all from compute; cost is the same"
    assert "\x1b" not in ended.out


def test_a_missed_bound_says_what_it_would_be(dse: Any, study: str) -> None:
    told = dse("why", "toy", "--study", study, *over("chips=1", "link.lanes=1"))
    assert "missed by 70 ms (70 %)   latency <= 170 ms" in told.out
    assert "the bound alone would free it; then none would dominate it" in told.out
    assert "+$500   1 other value does as well" in told.out
    assert "beside the nearest of the front:" in told.out


def test_what_cannot_run_is_told_what_would_run(dse: Any, study: str) -> None:
    told = dse("why", "toy", "--study", study, *over("chip=tiny", "chips=1", "link.lanes=1")).out
    assert "it cannot run" in told
    assert "'toy' calls it infeasible: whether the design can run at all" in told
    assert told.index("one change, and it runs") < told.index("one change, and it meets every")
    assert "no bound alone would free it" in told


def test_a_design_on_the_front_is_told_so_and_no_more(dse: Any, study: str) -> None:
    told = dse("why", "toy", "--study", study, *over("chips=2", "link.lanes=1")).out
    assert told.startswith("toy: it is on the front, one of 15\n")
    assert "one change" not in told
    assert "beside" not in told


def test_a_script_reads_the_same_and_what_is_unknown_is_null(dse: Any, study: str) -> None:
    told = dse("why", "toy", "--study", study, *over("chip=unpriced"), "--json").json()
    twin = verbs.why("toy", study, {"chip": "unpriced"})
    assert told == json.loads(json.dumps(twin.as_json()))
    assert told["verdict"]["kind"] == "unknown"
    assert told["outside"]["chip"] == "unpriced; the study tries tiny, small, large"
    assert told["changes"]["ranked_by"].startswith("cost, all of it")
    assert told["comparison"]["designs"][0]["metrics"]["cost"]["value"] is None
    frame = twin.to_pandas()
    assert frame["cost"].tolist() == [c["cost"] for c in told["changes"]["knobs"]]
    assert frame.attrs["units"] == {"cost": "USD"}


def test_without_a_change_the_frame_is_empty_but_has_its_columns(dse: Any, study: str) -> None:
    frame = verbs.why("toy", study, {"chips": 2, "link.lanes": 1}).to_pandas()
    assert frame.empty
    assert {"knob", "value", "cost"} <= set(frame)


def test_a_file_and_a_design_of_a_run_are_explained(dse: Any, study: str) -> None:
    Path("mine.yaml").write_text("model: toy\nset: {chips: 4, clock: 500 MHz, link: {lanes: 1}}\n")
    run_of(machines.machines(), "run")
    mine = dse("why", "mine.yaml", "--study", "run")
    assert mine.out.startswith("mine.yaml: it is dominated by 4 of 15")
    assert "judged by the run run:" in mine.out
    assert dse("why", "run:balanced").out.startswith("run:balanced: it is on the front")


def test_a_rival_of_a_run_is_named_as_eval_takes_it(dse: Any, study: str) -> None:
    run_of(machines.machines(), "run")
    told = dse("why", "toy", "--study", "run", *over(*DESIGN), "--json").json()
    rival = told["comparison"]["designs"][1]
    again = dse("eval", rival["name"], "--json").json()
    assert again["metrics"] == rival["metrics"]


def test_a_sampled_study_says_how_much_it_priced(dse: Any, toy: Any) -> None:
    Path("wide.yaml").write_text(dump(toy.document()))
    told = dse("why", "toy", "--study", "wide.yaml", "--budget", "200", "--jobs", "1")
    assert "designs by grid, not all of its space" in told.out
    assert "warning: the budget covers the first 200 of" in told.out
    assert "designs one change away" in told.out


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gpt2-serving", ["serve.target=dfx", "dfx.fpgas=1"]),
        ("gpt2-serving", ["serve.gpu=a10", "serve.batch=32", "serve.precision=int8"]),
        ("long-context", ["serve.target=dfx", "a3.on=on"]),
        ("retrain-nightly", ["train.gpu=t4", "train.offload=on"]),
    ],
)
def test_shipped_studies_explain_a_design(dse: Any, name: str, settings: list[str]) -> None:
    asked = ["why", "codesign", "--study", name, "--budget", "700000", *over(*settings), "--json"]
    told = dse(*asked).json()
    assert told["searched"]["whole"]
    assert told["verdict"]["kind"] in ("dominated", "misses", "cannot run")
    limits = {bound["metric"]: bound for bound in told["constraints"]}
    changes = told["changes"]["knobs"]
    assert changes or told["changes"]["none_of"]
    for change in changes[:1]:
        laid = {change["knob"]: change["value"], **change["opens"]}
        freed = verbs.why("codesign", name, {**_parsed(settings), **laid}, budget=700_000)
        assert freed.verdict.kind in ("front", "dominated", "undominated")
        assert not any(bound.missed for bound in freed.bounds)
        assert set(limits) == {bound.constraint.metric for bound in freed.bounds}
        if told["verdict"]["kind"] == "dominated":
            assert freed.dominators == 0


def _parsed(settings: list[str]) -> dict[str, object]:
    return {path: value for path, _, value in (text.partition("=") for text in settings)}


def test_a_run_and_its_designs_keep_their_own_prices(dse: Any) -> None:
    Path("own.yaml").write_text(PRICES)
    Path("boards.yaml").write_text(dump(BOARDS))
    at_ours = ["why", "dfx", "--study", "boards.yaml", "--prices", "own.yaml"]
    cheap = dse(*at_ours, *over("fpgas=1"), "--json").json()
    listed = dse("why", "dfx", "--study", "boards.yaml", *over("fpgas=1"), "--json").json()
    added = [told["changes"]["knobs"][0] for told in (cheap, listed)]
    assert [change["knob"] for change in added] == ["fpgas", "fpgas"]
    assert added[0]["cost"] == 3000
    assert added[1]["cost"] > 3000
    verbs.search("boards.yaml", output="run", prices="own.yaml")
    held = dse("why", "dfx", "--study", "run", *over("fpgas=1"), "--json").json()
    assert held["changes"]["knobs"][0]["cost"] == 3000
    assert "overlaid from own.yaml" in held["prices"]
    words = dse("why", "dfx", "--study", "run", *over("fpgas=1")).out
    assert "costs are at the prices of" in words
    assert "overlaid from own.yaml" in words


def test_a_bound_with_a_probability_is_loosened_to_the_end_of_the_interval(dse: Any) -> None:
    sure = {**BOARDS, "constraints": ["latency <= 2 s with 90 %"]}
    Path("sure.yaml").write_text(dump(sure))
    told = dse("why", "dfx", "--study", "sure.yaml", *over("fpgas=1"), "--json").json()
    (bound,) = told["constraints"]
    plain = verbs.evaluate("dfx", {**BOARDS["set"], "fpgas": 1})  # type: ignore[dict-item]
    assert bound["value"] > plain["metrics"]["latency"]["value"]
    assert bound["loosened"].endswith("with 90 %")
    assert bound["alone"]
    Path("sure.yaml").write_text(dump({**sure, "constraints": [bound["loosened"]]}))
    met = dse("why", "dfx", "--study", "sure.yaml", *over("fpgas=1"), "--json").json()
    assert met["constraints"][0]["state"] == "binding"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["toy"], "--study STUDY"),
        (["toy", "--study", "edge-releas"], "did you mean edge-release"),
        (["dfx", "--study", "machines.yaml"], "machines asks about 'toy'"),
        (["toy", "--study", "machines.yaml", "--set", "chps=2"], "unknown knob 'chps'"),
        (["toy", "--study", "machines.yaml", "--set", "chips=many"], "'chips'"),
        (["toy", "--study", "machines.yaml", "--prices", "no.yaml"], "no.yaml"),
        (["no:balanced"], "no run 'no'"),
    ],
)
def test_bad_input_is_one_line(dse: Any, study: str, arguments: list[str], words: str) -> None:
    assert words in commands.one_line(dse("why", *arguments))
