"""A mechanism executed for one input, from Python and from a command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from dse import cli, show, simulate, verbs
from dse.errors import InputError
from tests.dse import toy_mechanism as mechanism


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    mechanism.install(monkeypatch.setattr)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Run a command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def value(answer: dict[str, Any], name: str) -> Any:
    return answer["metrics"][name]["value"]


def test_a_run_answers_in_the_shape_of_eval() -> None:
    answer = verbs.simulate("toy", {"items": 4})
    assert set(answer) == {"model", "metrics", "warnings"}
    # 4 items of 4e9 op at 400 x 2 x 0.5 x 1e9 op/s, 4 x 8 MB at 16 GB/s, 2 ms of overhead
    assert value(answer, "batch_time") == pytest.approx(0.04 + 0.002 + 0.002, rel=1e-12)
    for quantity in answer["metrics"].values():
        assert set(quantity) == {"value", "unit", "low", "high"}
    assert value(answer, "feasible") is True
    assert value(answer, "reason") == ""
    assert value(answer, "waiting") is None  # unknown
    assert answer["warnings"] == []


def test_a_failed_run_says_why() -> None:
    answer = verbs.simulate("toy", {"items": 37})
    assert value(answer, "feasible") is False
    assert value(answer, "reason") == "item 37 finds no memory"


def test_a_knob_outside_its_range_warns() -> None:
    (warning,) = verbs.simulate("toy", {"clock": "3 GHz"})["warnings"]
    assert warning.startswith("clock = 3 GHz lies outside 100 MHz to 2 GHz")


def test_settings_lie_over_what_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "items").write_text("8")
    files = {"trace": tmp_path / "items"}
    assert verbs.simulate("toy", files=files) == verbs.simulate("toy", {"items": 8})
    assert verbs.simulate("toy", {"items": 2}, files=files) == verbs.simulate("toy", {"items": 2})


def test_the_python_twin_says_the_same_as_every_spelling_of_the_command(run: Any) -> None:
    expected = verbs.simulate("toy", {"items": 4, "wire.bandwidth": 8e9})
    for words in (
        ["--set", "items=4", "--set", "wire.bandwidth=8 GB/s"],
        ["--items", "4", "--wire-bandwidth", "8 GB/s"],
        ["--items=4", "--wire.bandwidth=8e9"],
        ["--wire_bandwidth", "8 GB/s", "--set", "items=4"],
    ):
        code, out, err = run("simulate", "toy", *words, "--json")
        assert (code, err) == (0, "")
        assert json.loads(out) == expected


def test_a_trace_and_knobs_are_options_wherever_json_stands(run: Any) -> None:
    Path("items").write_text("8")
    words = ["--trace", "items", "--json", "--clock", "500 MHz"]
    answer = json.loads(run("simulate", "toy", *words)[1])
    assert answer == verbs.simulate("toy", {"items": 8, "clock": 5e8})


def test_the_same_seed_gives_the_same_run_and_another_one_does_not(run: Any) -> None:
    words = ["simulate", "toy", "--noise", "50 %", "--json", "--seed"]
    assert run(*words, "3") == run(*words, "3")
    assert run(*words, "3") != run(*words, "4")


def test_what_people_read_has_units_words_and_how_long_it_ran(run: Any) -> None:
    code, out, _ = run("simulate", "toy", "--items", "40", "--clock", "3 GHz")
    assert code == 0
    assert "batch_time" in out
    assert "ms" in out
    assert "item 37 finds no memory" in out
    assert "ran for" in out
    assert "warning: clock = 3 GHz lies outside" in out


def test_show_tells_what_simulate_takes_and_answers(run: Any) -> None:
    facts = show.facts("toy")
    assert facts["simulate"] == mechanism.REFERENCE.text
    assert facts["simulate takes"][0]["knob"] == "wire.bandwidth"
    assert {row["quantity"] for row in facts["simulate answers"]} >= {"batch_time", "reason"}
    assert "simulate takes" in run("show", "toy")[1]


BAD = {
    "unknown model": (["tyo"], "did you mean toy"),
    "no mechanism": (["roofline"], "'roofline' has no mechanism to execute; models that have one"),
    "unknown option": (["toy", "--clok", "1 GHz"], "no knob --clok; did you mean --clock"),
    "unknown knob": (["toy", "--set", "clok=1"], "unknown knob 'clok'; did you mean clock"),
    "wrong unit": (["toy", "--wire-bandwidth", "3 GHz"], "'wire.bandwidth' '3 GHz' is not"),
    "no value": (["toy", "--clock"], "--clock needs a value"),
    "option for a value": (["toy", "--clock", "--items", "3"], "--clock needs a value"),
    "negative": (["toy", "--items", "-1"], "'items'"),
    "stray word": (["toy", "fast"], "'fast' belongs to no option"),
    "twice": (["toy", "--items", "1", "--items=2"], "--items is given twice"),
    "twice, spelt otherwise": (["toy", "--items", "1", "--set", "items=2"], "items is given as"),
    "missing file": (["toy", "--trace", "nowhere"], "nowhere"),
    "broken file": (["toy", "--trace", "broken"], "--trace broken: must hold a number of items"),
    "model last": (["--items", "3", "toy"], "name the model first"),
    "misspelt json": (["toy", "--jsn"], "no knob --jsn; did you mean --json"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_2(run: Any, case: str) -> None:
    Path("broken").write_text("many")
    words, hint = BAD[case]
    code, out, err = run("simulate", *words)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert hint in err


def test_a_kind_of_file_that_nobody_reads_is_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'toy' reads no table; drop --table; models that do"):
        verbs.simulate("toy", files={"table": tmp_path})


def test_discovery_takes_what_is_named_reference_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "toy" in simulate.slugs()
    assert "roofline" not in simulate.slugs()
    monkeypatch.undo()
    assert "toy" not in simulate.slugs()
