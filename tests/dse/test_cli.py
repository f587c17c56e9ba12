"""The command line as people and scripts meet it: words, JSON, exit codes."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dse import cli, verbs

HEADLINE = ["--set", "input_tokens=64", "--set", "output_tokens=64"]


class Ended:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def dse(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Run a command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
        captured = capsys.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)

    return run


def one_line(ended: Ended) -> str:
    """The single line of a refusal, checked to be one."""
    assert ended.code == 2, ended.err + ended.out
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    return ended.err


def test_eval_answers_a_script_in_the_promised_shape(dse: Any) -> None:
    ended = dse(
        "eval", "dfx", "--set", "workload=gpt2-1.5b", "--set", "fpgas=4", *HEADLINE, "--json"
    )
    answer = ended.json()
    assert ended.code == 0
    assert set(answer) == {"model", "metrics", "terms", "resources", "bottleneck", "warnings"}
    for name in ("latency", "token_time", "tokens_per_second", "energy_per_token"):
        assert set(answer["metrics"][name]) == {*("value", "unit", "low", "high", "tier", "basis")}
        assert answer["metrics"][name]["value"] > 0
    assert answer["metrics"]["feasible"]["value"] is True
    assert answer["bottleneck"] in answer["resources"]
    total = sum(answer["terms"].values())
    assert total == pytest.approx(answer["metrics"]["latency"]["value"], rel=1e-12)


def test_the_python_twin_says_the_same_as_the_command(dse: Any) -> None:
    ended = dse("eval", "dfx", "--set", "fpgas=2", "--json")
    assert ended.json() == json.loads(json.dumps(verbs.evaluate("dfx", {"fpgas": 2})))


def test_units_on_the_command_line_are_read(dse: Any) -> None:
    slow = dse("eval", "dfx", "--set", "clock=100 MHz", "--json").json()
    bare = dse("eval", "dfx", "--set", "clock=100000000", "--json").json()
    assert slow == bare


def test_eval_reads_a_design_file(dse: Any) -> None:
    Path("design.yaml").write_text("model: dfx\nset: {fpgas: 2, clock: 150 MHz}\n")
    ended = dse("eval", "design.yaml", "--json")
    assert ended.json() == verbs.evaluate("dfx", {"fpgas": 2, "clock": 150e6})


def test_what_people_read_has_units_and_no_escape_codes(dse: Any) -> None:
    ended = dse("eval", "dfx")
    assert "\x1b" not in ended.out
    assert "ms" in ended.out
    assert "J/token" in ended.out
    assert "nan" not in ended.out


def test_every_list_and_every_name_in_it_can_be_shown(dse: Any) -> None:
    found = dse("list", "--json").json()
    assert {"models", "studies", "workloads", "gpus", "fpgas"} <= set(found)
    for kind in ("models", "studies", "fpgas"):
        for slug in found[kind]:
            assert dse("show", slug).code == 0
    assert dse("show", "gpt2-1.5b", "--json").json()["parameters"] == 1438683648


def test_a_sweep_prices_every_combination(dse: Any) -> None:
    ended = dse("sweep", "dfx", "--over", "fpgas=1,2,4", "--over", "clock=1e8..3e8:3", "--json")
    rows = ended.json()
    assert len(rows) == 9
    assert {row["fpgas"] for row in rows} == {1, 2, 4}
    assert {row["clock"] for row in rows} == {1e8, 2e8, 3e8}


def test_a_sweep_says_which_rule_its_uncovered_designs_break(dse: Any) -> None:
    ended = dse("sweep", "dfx", "--over", "fpgas=1,2,3", "--set", "workload=gpt2-345m")
    assert ended.code == 0
    assert "1 of 3 designs: `heads % fpgas == 0` must hold; set fpgas" in ended.err


def test_a_sweep_goes_into_a_csv_with_units_in_its_header(dse: Any) -> None:
    assert dse("sweep", "dfx", "--over", "fpgas=1,2", "--output", "sweep.csv").code == 0
    with Path("sweep.csv").open() as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == 3
    assert "latency [s]" in rows[0]


def test_search_leaves_a_whole_run_folder(dse: Any) -> None:
    ended = dse("search", "gpt2-serving", "--output", "run", "--budget", "200")
    assert ended.code == 0, ended.err
    names = {path.name for path in Path("run").iterdir()}
    promised = {"config.yaml", "designs.parquet", "front.csv", "best.csv", "environment.json"}
    assert promised | {"report.pdf"} <= names
    assert Path("run/report.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads(Path("run/environment.json").read_text())["designs"] == 200


def test_the_same_seed_gives_the_same_front(dse: Any) -> None:
    for name in ("one", "two"):
        arguments = ["--budget", "300", "--seed", "7", "--no-report", "--output", name]
        assert dse("search", "gpt2-serving", *arguments).code == 0
    assert Path("one/front.csv").read_text() == Path("two/front.csv").read_text()


def test_a_search_that_finds_nothing_says_what_binds_and_exits_1(dse: Any) -> None:
    Path("study.yaml").write_text(
        "question: is it possible?\nmodel: dfx\nspace: {fpgas: [1, 2, 4]}\n"
        "objectives: [latency]\nconstraints: [latency <= 1 ms]\n"
    )
    ended = dse("search", "study.yaml", "--output", "run")
    assert ended.code == 1
    assert "'latency <= 1 ms' is missed by" in ended.out
    answer = dse("search", "study.yaml", "--output", "again", "--no-report", "--json")
    assert answer.code == 1
    assert answer.json()["infeasible"]


def test_a_fixed_knob_leaves_the_search(dse: Any) -> None:
    ended = dse(
        "search",
        "gpt2-serving",
        "--set",
        "serve.target=dfx",
        "--no-report",
        "--json",
        "--output",
        "run",
    )
    assert all(row["devices"] >= 1 for row in ended.json()["best"])
    assert "serve.target" not in ended.json()["best"][0]


def test_the_echo_of_a_run_is_a_study_that_can_be_searched(dse: Any) -> None:
    assert dse("search", "gpt2-serving", "--no-report", "--output", "one").code == 0
    assert dse("search", "one/config.yaml", "--no-report", "--output", "two").code == 0
    assert Path("one/front.csv").read_text() == Path("two/front.csv").read_text()


def test_validate_of_a_page_without_published_points_says_so_and_draws_no_table(
    dse: Any,
) -> None:
    ended = dse("validate", "codesign")
    assert ended.code == 0
    assert "codesign has no published point: No paper has measured the joint system" in ended.out
    assert "─" not in ended.out
    assert dse("validate", "codesign", "--json").json() == []


def test_validate_keeps_fit_and_check_apart(dse: Any) -> None:
    rows = dse("validate", "dfx", "--json").json()
    keys = {"model", "id", "use", "quantity", "unit", "published", "predicted", "error"}
    assert all(set(row) == keys for row in rows)
    fit = [abs(row["error"]) for row in rows if row["use"] == "fit"]
    assert max(fit) <= 0.007
    assert any(row["use"] == "check" for row in rows)
    words = dse("validate").out
    assert "fit: fitted on these" in words
    assert "check: not used in any fit" in words
    assert "fit objective" in words
    assert "Least squares" in words


def test_schema_is_json_that_editors_read(dse: Any) -> None:
    study = dse("schema").json()
    assert study["properties"]["objectives"]["type"] == "array"
    settings = dse("schema", "dfx").json()
    assert settings["properties"]["clock"]["anyOf"][1] == {"type": "string"}
    assert "required" not in settings


def test_report_is_written_again_for_a_stored_run(dse: Any) -> None:
    assert (
        dse("search", "gpt2-serving", "--budget", "64", "--no-report", "--output", "r").code == 0
    )
    assert dse("report", "r", "--date", "2026-01-01", "--output", "a.pdf").code == 0
    assert dse("report", "r", "--date", "2026-01-01", "--output", "b.pdf").code == 0
    assert Path("a.pdf").read_bytes() == Path("b.pdf").read_bytes()


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nmodel: dfx\n"
BAD = {
    "unknown verb": (["serch"], "serch"),
    "no study": (["search"], "name a study"),
    "unknown study": (["search", "gpt2-servin"], "gpt2-serving"),
    "unknown model": (["eval", "dfxx"], "did you mean dfx"),
    "unknown option": (["eval", "dfx", "--sett", "a=b"], "--sett"),
    "unknown knob": (["eval", "dfx", "--set", "fpga_count=4"], "fpgas"),
    "unknown workload": (["eval", "dfx", "--set", "workload=gpt2-1.5"], "gpt2-1.5b"),
    "unknown device": (["eval", "dfx", "--set", "fpga=u281"], "u280"),
    "wrong unit": (["eval", "dfx", "--set", "clock=3 GB/s"], "Hz"),
    "no unit": (["eval", "dfx", "--set", "clock='200'"], "MHz"),
    "negative": (["eval", "dfx", "--set", "fpgas=-1"], "fpgas"),
    "zero": (["eval", "dfx", "--set", "clock=0"], "clock"),
    "nan": (["eval", "dfx", "--set", "clock=.nan"], "clock"),
    "infinite": (["eval", "dfx", "--set", "clock=.inf"], "clock"),
    "fraction": (["eval", "dfx", "--set", "fpgas=1.5"], "whole number"),
    "truth": (["eval", "dfx", "--set", "fpgas=true"], "fpgas"),
    "list": (["eval", "dfx", "--set", "fpgas=[1, 2]"], "fpgas"),
    "set twice": (["eval", "dfx", "--set", "fpgas=1", "--set", "fpgas=2"], "twice"),
    "over twice": (["sweep", "dfx", "--over", "fpgas=1", "--over", "fpgas=2"], "twice"),
    "no equals": (["eval", "dfx", "--set", "fpgas"], "key=value"),
    "empty value": (["eval", "dfx", "--set", "fpgas="], "key=value"),
    "broken value": (["eval", "dfx", "--set", "fpgas=[1"], "YAML"),
    "uneven heads": (
        ["eval", "dfx", "--set", "workload=gpt2-xl", "--set", "fpgas=4"],
        "heads % fpgas == 0",
    ),
    "no decoder": (["eval", "dfx", "--set", "workload=bert-base"], "decoder"),
    "missing file": (["eval", "nowhere.yaml"], "nowhere.yaml"),
    "missing study file": (["search", "nowhere.yaml"], "nowhere.yaml"),
    "broken file": (["search", "broken.yaml"], "broken.yaml:2"),
    "alias bomb": (["search", "bomb.yaml"], "aliases"),
    "wrong study key": (["search", "key.yaml"], "objectivs"),
    "wrong metric": (["search", "metric.yaml"], "latency"),
    "wrong constraint": (["search", "constraint.yaml"], "latency < soon"),
    "wrong constraint unit": (["search", "unit.yaml"], "500 GB"),
    "low above high": (["search", "range.yaml"], "low < high"),
    "unknown method": (["search", "gpt2-serving", "--method", "magic"], "magic"),
    "budget of zero": (["search", "gpt2-serving", "--budget", "0"], "budget"),
    "missing extra": (["search", "gpt2-serving", "--method", "gp"], "dse-codesign[gp]"),
    "unknown pool": (["search", "gpt2-serving", "--pool", "fibres"], "fibres"),
    "unknown run": (["report", "no-such-run"], "no-such-run"),
    "resume with options": (["search", "--resume", "x", "--seed", "1"], "x"),
    "sweep without values": (["sweep", "dfx", "--over", "fpgas="], "fpgas"),
    "sweep of nothing": (["sweep", "dfx", "--over", "nonsense=1,2"], "nonsense"),
    "output without folder": (["sweep", "dfx", "--over", "fpgas=1", "-o", "no/a.csv"], "no/a.csv"),
    "unknown name": (["show", "gpt2-1.5"], "gpt2-1.5b"),
    "unknown kind": (["list", "gpu"], "gpus"),
    "unknown schema": (["schema", "dfxx"], "dfx"),
}
STUDY = "question: q?\nmodel: dfx\nobjectives: [latency]\nspace: {fpgas: [1, 2]}\n"
FILES = {
    "broken.yaml": "question: q\nmodel: [dfx\n",
    "bomb.yaml": BOMB,
    "key.yaml": STUDY + "objectivs: [latency]\n",
    "metric.yaml": STUDY.replace("[latency]", "[latncy]"),
    "constraint.yaml": STUDY + "constraints: [latency < soon]\n",
    "unit.yaml": STUDY + "constraints: [latency <= 500 GB]\n",
    "range.yaml": STUDY.replace("[1, 2]", "{low: 4, high: 1}"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_and_exit_2(dse: Any, case: str) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text)
    before = set(Path().rglob("*"))
    arguments, hint = BAD[case]
    line = one_line(dse(*arguments))
    assert hint in line
    assert set(Path().rglob("*")) == before, "something was half written"


def test_every_number_printed_as_json_is_finite(dse: Any) -> None:
    def numbers(value: Any) -> Any:
        if isinstance(value, dict):
            for item in value.values():
                yield from numbers(item)
        elif isinstance(value, list):
            for item in value:
                yield from numbers(item)
        elif isinstance(value, float):
            yield value

    for model in ("dfx", "roofline", "codesign"):
        assert all(map(math.isfinite, numbers(dse("eval", model, "--json").json())))


def test_a_study_without_axes_prices_its_one_design(dse: Any) -> None:
    Path("one.yaml").write_text("question: how fast?\nmodel: dfx\nobjectives: [latency]\n")
    ended = dse("search", "one.yaml", "--output", "run")
    assert ended.code == 0, ended.err
    assert "best latency, balanced" in ended.out
    assert len(Path("run/front.csv").read_text().splitlines()) == 2


def test_knobs_that_a_design_does_not_use_are_empty(dse: Any) -> None:
    arguments = ["--no-report", "--output", "run", "--json"]
    best = dse("search", "gpt2-serving", *arguments).json()["best"]
    assert all(row["dfx.fpga"] is None for row in best if row["serve.target"] == "gpu")
    assert all(row["serve.gpu"] is None for row in best if row["serve.target"] == "dfx")
    with Path("run/front.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["dfx.fpga"] for row in rows if row["serve.target"] == "gpu"} == {""}


def test_a_run_is_resumed_under_its_own_name_only(dse: Any) -> None:
    arguments = ["--budget", "64", "--no-report", "--output", "run"]
    assert dse("search", "gpt2-serving", *arguments).code == 0
    assert "gpt2-serving" in one_line(dse("search", "gpt2-platform", "--resume", "run"))
    assert dse("search", "--resume", "run", "--no-report").code == 0


def test_help_names_every_verb(dse: Any) -> None:
    ended = dse("--help")
    assert ended.code == 0
    for verb in (
        "list",
        "show",
        "eval",
        "sweep",
        "search",
        "validate",
        "schema",
        "app",
        "report",
        "import",
        "simulate",
    ):
        assert verb in ended.out


def test_an_interrupted_command_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dse.cli", "search", "gpt2-serving", "--method", "nsga2"]
    process = subprocess.Popen(
        [*command, "--budget", "1000000", "--output", "run"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    parts = tmp_path / "run" / "designs.parquet"
    try:
        while not parts.exists() and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, out + err
    assert "dse search --resume run" in err
    assert (tmp_path / "run" / "front.csv").exists()


@pytest.mark.parametrize(
    "verb",
    [["list", "--json"], ["show", "codesign"], ["schema"]],
    ids=" ".join,
)
def test_output_that_nobody_reads_ends_a_command_quietly(verb: list[str], tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)  # as `| head` once it has its lines; whatever is written meets a closed pipe
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "dse.cli", *verb],
            cwd=tmp_path,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (141, "")
