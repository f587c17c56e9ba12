"""What a page covers around a design, as people, scripts and the terminal meet it."""

import io
import json

import pandas as pd
import pytest
from rich.console import Console

from dse import cli, coverage, registry, verbs
from dse.spec import knobs
from dse.support import choice, choice_rows, overview, support_of


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a command line in an empty folder: exit code, output, remarks."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(["support", *arguments])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return ran


def rows(found, knob):
    return {row["choice"]: row for row in found.as_json()["choices"] if row["knob"] == knob}


def serving_gpus():
    """Every GPU that the joint page may serve on."""
    page = registry.model("codesign")
    return {
        row["choice"]: row
        for row in choice_rows([choice(page, {}, knobs(page.config)["serve.gpu"])])
    }


def test_each_chip_has_its_verdict(toy):
    """16 items need 3.2 GB, which two tiny chips lack; one chip has no price, one no rate."""
    chips = rows(support_of("toy"), "chip")
    assert {slug: row["verdict"] for slug, row in chips.items()} == {
        "tiny": "cannot run",
        "small": "covered",
        "large": "covered",
        "unpriced": "unknown",
        "unfinished": "refused",
    }
    assert chips["unfinished"]["reason"] == "chip: 'unfinished' has no known rate"
    assert chips["small"]["reason"] is None


def test_an_unknown_metric_names_the_number_that_is_missing(toy):
    chips = rows(support_of("toy"), "chip")
    assert chips["unpriced"]["unknown"] == ["cost"]
    assert chips["unpriced"]["missing"] == ["price"]
    assert chips["large"]["missing"] == []


def test_of_two_missing_numbers_only_the_one_that_matters_is_named():
    """Boards without a price lack L1 sizes or links too; only the price is in a cost."""
    lacking = [row for row in serving_gpus().values() if "cost" in row["unknown"]]
    assert lacking
    assert all(row["missing"] == ["price"] for row in lacking)


def test_a_flag_of_the_page_is_a_warning(toy):
    found = support_of("toy", {"clock": "1.8 GHz"})
    assert found.kind.status == "warns"
    assert rows(found, "chip")["small"]["flags"] == ["fast"]
    assert found.as_json()["warnings"] == ["no chip was measured above 1.5 GHz"]


def test_a_number_beyond_its_range_is_a_warning(toy):
    found = support_of("toy", {"overhead": "200 ms"})
    assert found.kind.status == "warns"
    assert "lies outside" in found.as_json()["warnings"][0]


def test_a_refused_design_says_why_and_what_around_it_is_covered():
    found = support_of("dfx", {"workload": "bert-large"})
    told = found.as_json()
    assert told["covered"] is False
    assert "`workload is a decoder` must hold" in told["reason"]
    assert told["feasible"] is None
    assert all(row["known"] is None for row in told["metrics"])
    assert rows(found, "workload")["gpt2-1.5b"]["verdict"] == "covered"
    assert {row["verdict"] for row in rows(found, "fpga").values()} == {"refused"}


def test_metrics_carry_their_tier():
    metrics = {row["metric"]: row for row in support_of("dfx").as_json()["metrics"]}
    answer = verbs.evaluate("dfx")["metrics"]
    assert metrics.keys() == answer.keys()
    assert all(metrics[name]["tier"] == answer[name]["tier"] for name in answer)


def test_a_matrix_pairs_networks_with_devices():
    matrix = support_of("roofline").as_json()["matrix"]
    assert matrix["rows"]["knob"] == "workload"
    assert matrix["columns"]["knob"] == "device"
    assert matrix["rows"]["choices"] == list(registry.networks())
    assert matrix["columns"]["choices"] == list(registry.devices("gpus"))
    row = matrix["rows"]["choices"].index("gpt2")
    column = matrix["columns"]["choices"].index("p4")
    assert matrix["kinds"][matrix["cells"][row][column]]["status"] == "refused"
    assert "peak at this precision" in matrix["reasons"][row][column]


def test_a_device_kind_that_tells_nothing_is_not_the_one_shown():
    """Of the joint page's devices only the serving GPU changes a verdict by default."""
    assert support_of("codesign").as_json()["matrix"]["columns"]["knob"] == "serve.gpu"


def test_the_prices_in_force_decide_what_is_unknown(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("date: 2026-01-01\nprices:\n  b200-sxm: {value: 40000, unit: USD}\n")
    assert serving_gpus()["b200-sxm"]["missing"] == ["price"]
    with registry.priced_by(own):
        assert serving_gpus()["b200-sxm"]["unknown"] == []


def test_the_overview_has_a_line_for_every_page():
    found = overview()
    assert {row["model"] for row in found} == set(registry.slugs())
    assert all(0 < row["covered"] <= row["of"] for row in found)
    nets = {row["of"] for row in found if row["knob"] == "workload"}
    assert nets == {len(registry.networks())}


def test_the_twin_is_a_frame():
    frame = verbs.support("dfx")
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == [
        "knob", "choice", "verdict", "flags", "unknown", "missing", "reason"
    ]  # fmt: skip
    assert set(verbs.support().columns) == {"model", "knob", "covered", "of"}


def test_yes_is_0_no_is_1_and_a_stranger_is_2(run):
    assert run("dfx", "--set", "fpgas=4", "--json")[0] == 0
    code, out, err = run("dfx", "--set", "fpgas=5")
    assert (code, err) == (1, "")
    assert "refused. `heads % fpgas == 0` must hold" in out
    code, out, err = run("dfx", "--set", "fpgs=5")
    assert (code, out) == (2, "")
    assert err == "error: unknown knob 'fpgs'; did you mean fpgas or fpga?\n"
    assert run("nobody")[0] == 2
    code, _, err = run("--set", "fpgas=5")
    assert code == 2
    assert err.count("\n") == 1


def test_json_is_the_same_as_from_python(run):
    code, out, _ = run("dfx", "--set", "fpgas=5", "--json")
    assert code == 1
    assert json.loads(out) == json.loads(json.dumps(support_of("dfx", {"fpgas": 5}).as_json()))
    code, out, _ = run("--json")
    assert code == 0
    assert json.loads(out) == overview()


def test_a_design_file_is_refused_at_its_place(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("model: dfx\nset: {fpgas: 5}\n")
    code, out, _ = run("mine.yaml")
    assert code == 1
    assert "refused. mine.yaml: `heads % fpgas == 0` must hold" in out


def shown(found, width=160):
    out = io.StringIO()
    coverage.support(Console(file=out, width=width), found)
    return out.getvalue()


def test_a_terminal_shows_design_choices_numbers_pairs_and_flags():
    text = shown(support_of("dfx"))
    for words in (
        "dfx, this design: covered",
        "unknown speedup, energy_efficiency",
        "covered; flags power",
        "some above 8, by a rule",
        "1 to 4, 6, 8",
        "workload x fpga: ",
        "o covered: the answer is that it cannot run",
        "left out: 12 of fpga",
        "network: network outside GPT-2 345M to 1.5B",
    ):
        assert words in text, words


def test_what_the_design_itself_is_refused_for_is_not_said_again():
    found = support_of("dfx", {"fpgas": "many"})
    text = shown(found)
    assert text.count("is not a number") == 1
    assert coverage.AS_GIVEN in text


def test_a_narrow_terminal_still_has_every_row(toy):
    text = shown(support_of("toy"), width=60)
    assert all(name in text for name in ("tiny", "unpriced", "unfinished", "overhead"))
