"""`--prices` on the command line: what it changes, how it is said, and how it is refused."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from dse import figures
from dse.store import find
from reports import assumptions, document
from reports.gather import gather
from tests.dse import test_cli as commands

dse = commands.dse

PRICES = """\
date: 2026-12-01
prices:
  u280: {value: 3000, unit: USD}
  mi300x: {value: 12000, unit: USD, source: {where: a shop, kind: text}}
"""
WORDS = "2 overlaid from own.yaml of 2026-12-01"
BOARDS = """\
question: which board?
model: dfx
set: {fpgas: 1}
space: {fpga: [u280, u55c]}
objectives: [cost, latency]
"""
VERBS = {
    "eval": ["eval", "dfx"],
    "sweep": ["sweep", "dfx", "--over", "fpgas=1,2"],
    "search": ["search", "boards.yaml", "--no-report"],
    "show": ["show", "u280"],
}


@pytest.fixture(autouse=True)
def files(dse: Any) -> None:
    """Price file and study, in the empty folder that the command runs in."""
    Path("own.yaml").write_text(PRICES)
    Path("boards.yaml").write_text(BOARDS)


def costs(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {row["fpga"]: row["cost"] for row in rows}


def test_eval_is_priced_by_the_file_and_keeps_its_shape(dse: Any) -> None:
    arguments = ["eval", "dfx", "--set", "fpga=u280", "--set", "fpgas=1", "--json"]
    shipped, own = dse(*arguments).json(), dse(*arguments, "--prices", "own.yaml").json()
    assert own.keys() == shipped.keys()
    assert shipped["metrics"]["cost"]["value"] == 7795
    assert own["metrics"]["cost"]["value"] == 3000


def test_a_sweep_is_priced_by_the_file(dse: Any) -> None:
    arguments = ["sweep", "dfx", "--over", "fpga=u280,u55c", "--set", "fpgas=1", "--json"]
    own = dse(*arguments, "--prices", "own.yaml").json()
    assert costs(own) == {"u280": 3000, "u55c": 4395}


def test_a_saved_sweep_says_its_prices_beside_the_file(dse: Any) -> None:
    arguments = ["sweep", "dfx", "--over", "fpgas=1,2", "--output", "sweep.csv"]
    assert WORDS in dse(*arguments, "--prices", "own.yaml").err


@pytest.mark.parametrize("verb", VERBS)
def test_people_read_which_prices_were_used(dse: Any, verb: str) -> None:
    own, shipped = dse(*VERBS[verb], "--prices", "own.yaml"), dse(*VERBS[verb])
    assert own.code == shipped.code == 0
    assert WORDS in " ".join(own.out.split())
    assert "overlaid" not in shipped.out
    assert "2026-11-23" in shipped.out


def test_a_page_that_answers_in_no_money_says_no_prices(dse: Any) -> None:
    assert "prices" not in dse("eval", "roofline").out


def test_show_has_the_price_of_a_device_that_had_none(dse: Any) -> None:
    def named(*arguments: str) -> dict[str, Any]:
        rows = dse("show", "mi300x", "--json", *arguments).json()["numbers"]
        return {row["name"]: row for row in rows}

    assert "price" not in named()
    assert named("--prices", "own.yaml")["price"]["value"] == 12000


def test_a_run_keeps_its_prices_when_it_is_resumed_or_run_again(dse: Any) -> None:
    made = dse("search", "boards.yaml", "--prices", "own.yaml", "--output", "run", "--json").json()
    Path("own.yaml").unlink()
    resumed = dse("search", "--resume", "run", "--no-report", "--json").json()
    again = dse("search", "run/config.yaml", "--output", "again", "--no-report", "--json").json()
    assert made["prices"] == resumed["prices"] == again["prices"]
    assert made["prices"].endswith(WORDS)
    assert costs(again["best"])["u280"] == costs(made["best"])["u280"] == 3000


def test_the_report_says_which_prices_were_laid_over(dse: Any) -> None:
    made = dse("search", "boards.yaml", "--prices", "own.yaml", "--output", "run", "--json").json()
    assert Path(made["run"], "report.pdf").exists()

    context = gather(find("run"), date="2026-12-24")
    assert context.prices == f"2026-11-23, {WORDS}"
    drawn = figures.front(context.study, context.designs, context.front, x="cost", y="latency")
    assert WORDS in drawn.caption
    assert '"own.yaml"' in json.dumps([asdict(block) for block in assumptions.build(context)])
    content = json.dumps(document.describe(context))
    assert f"at the prices of 2026-11-23, {WORDS}" in content
    assert "$3,000" in content


BAD = {
    "no file": ("none.yaml", "", "No such file"),
    "no mapping": ("bad.yaml", "- 1\n", "key: value"),
    "broken": ("bad.yaml", "prices: [1\n", "bad.yaml:"),
    "unknown device": ("bad.yaml", PRICES.replace("u280", "u281"), "did you mean u280"),
    "negative": ("bad.yaml", PRICES.replace("3000", "-3000"), "`value > 0` must hold"),
    "nan": ("bad.yaml", PRICES.replace("3000", ".nan"), "finite"),
    "no unit": ("bad.yaml", PRICES.replace(", unit: USD}", "}"), "no ['unit']"),
    "no date": ("bad.yaml", PRICES.replace("date: 2026-12-01\n", ""), "prices are dated"),
    "wrong section": ("bad.yaml", PRICES.replace("prices:", "price:"), "did you mean prices"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("case", BAD)
def test_a_bad_price_file_is_one_clear_line_and_exit_2(dse: Any, case: str, verb: str) -> None:
    name, text, hint = BAD[case]
    if text:
        Path(name).write_text(text)
    before = set(Path().rglob("*"))
    line = commands.one_line(dse(*VERBS[verb], "--prices", name))
    assert hint in line
    assert name in line
    assert set(Path().rglob("*")) == before, "something was half written"


def test_a_resumed_search_takes_no_other_prices(dse: Any) -> None:
    dse("search", "boards.yaml", "--output", "run", "--no-report")
    line = commands.one_line(dse("search", "--resume", "run", "--prices", "own.yaml"))
    assert "--resume continues a run as it was" in line
