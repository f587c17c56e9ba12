"""Designs out of a finished run by name: which are found, at which prices, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from dse import answers, registry, verbs
from dse.errors import InputError
from dse.picks import best_of, read
from dse.search import search
from dse.store import Run, create


@pytest.fixture
def run(toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished search of the toy, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    study = toy.study()
    return search(study, create(study, output=Path("run"))).run


def test_a_named_design_prices_as_the_run_says(run: Run) -> None:
    for line in run.lines("best.csv"):
        for name in line["why"].split(", "):
            metrics = verbs.evaluate(f"run:{name}")["metrics"]
            # the csv holds full precision; a batch may differ from a scalar in the last digit
            assert metrics["cost"]["value"] == pytest.approx(float(line["cost [USD]"]), rel=1e-12)


def test_the_best_of_a_metric_answers_to_the_metrics_name(run: Run) -> None:
    found = best_of(run)
    assert found["cost"] == found["best cost"]
    assert verbs.evaluate("run:cost") == verbs.evaluate("run:best cost")
    assert {"balanced", "latency", "cost"} <= set(found)


def test_a_number_counts_the_rows_of_the_front_from_one(run: Run) -> None:
    front = run.front()
    for row in (1, len(front)):
        metrics = verbs.evaluate(f"run:{row}")["metrics"]
        assert metrics["latency"]["value"] == pytest.approx(front["latency"][row - 1], rel=1e-12)


def test_what_the_study_fixed_and_a_category_come_back(run: Run) -> None:
    _, config = answers.design("run:balanced")
    row = next(line for line in run.lines("best.csv") if "balanced" in line["why"])
    assert config.echo()["chip"] == row["chip"]
    assert config.echo()["items"] == 8


def test_settings_lie_over_a_design_of_a_run(run: Run) -> None:
    _, config = answers.design("run:balanced", {"link.lanes": 4, "chip": "tiny"})
    assert config.echo()["link"]["lanes"] == 4  # type: ignore[index]
    assert config.echo()["chip"] == "tiny"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("run:balancd", "unknown design 'balancd'; did you mean balanced"),
        ("run:0", "no design 0 on the front; its rows count from 1 to"),
        ("run:9999", "no design 9999 on the front; its rows count from 1 to"),
        ("rnu:balanced", "no run 'rnu'"),
        ("run:", "unknown design ''"),
    ],
)
def test_a_name_that_no_design_has_is_refused(run: Run, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        verbs.evaluate(name)


def test_a_run_without_a_front_has_no_design_to_name(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = toy.study(constraints=["energy <= 1 nJ"])
    search(study, create(study, output=Path("none")))
    with pytest.raises(InputError, match="none: the run has no front"):
        verbs.evaluate("none:balanced")


def test_a_plain_name_or_a_file_is_no_pick() -> None:
    assert read("dfx") is None
    assert read("c:design.yaml") is None


def boards(price: int, output: str) -> None:
    Path("own.yaml").write_text(
        f"date: 2026-12-01\nprices:\n  u280: {{value: {price}, unit: USD}}\n"
    )
    Path("boards.yaml").write_text(
        "question: which board?\nmodel: dfx\nset: {fpgas: 1, fpga: u280}\n"
        "space: {input_tokens: [32, 64]}\nobjectives: [cost, latency]\n"
    )
    verbs.search("boards.yaml", prices="own.yaml", output=Path(output))


def cost(name: str) -> float:
    value = verbs.evaluate(name)["metrics"]["cost"]["value"]
    assert isinstance(value, float)
    return value


def test_a_design_of_a_run_is_priced_as_the_run_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    boards(3000, "cheap")
    boards(4000, "dear")
    Path("own.yaml").unlink()
    assert (cost("cheap:balanced"), cost("dear:balanced")) == (3000, 4000)
    with (
        pytest.raises(InputError, match=r"different prices; give one list by --prices"),
        answers.priced_like(["cheap:cost", "dear:cost"], None),
    ):
        pass
    with answers.priced_like(["cheap:cost", "cheap:1", "dfx"], None):
        assert "own.yaml" in str(registry.prices())
