"""A sweep in a terminal: it fits, what differs comes first, and nothing is lost without a word."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from dse import interval, registry, sweeping, swept
from dse.errors import InputError
from dse.grids import ROWS
from dse.interval import Error
from dse.spec import Metric
from tests.dse import test_cli as commands

dse = commands.dse
TWO = {"chips": "1,2", "link.lanes": "1,2"}


def printed(width: int, over: Mapping[str, str], asked: Sequence[str] = ()) -> str:
    out = Console(width=width, highlight=False, record=True, file=StringIO())
    table = sweeping.priced("toy", over)
    swept.sweep(out, registry.model("toy"), table, title="toy", asked=asked)
    return out.export_text()


def heads(text: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.strip().startswith("chips "))


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_cell_is_folded_at_any_width(toy: Any, width: int) -> None:
    text = printed(width, TWO)
    assert heads(text)[:3] == ["chips", "link.lanes", "latency"]
    rows = [line for line in text.splitlines() if line.split()[:1] in (["1"], ["2"])]
    assert [row.split()[1] for row in rows] == ["1", "2", "1", "2"]
    assert all(row.split()[3] == "ms" for row in rows)
    assert max(map(cell_len, text.splitlines())) <= width


def test_every_metric_is_shown_or_named(toy: Any) -> None:
    text = printed(60, TWO)
    said = " ".join(text.split())
    assert "the same in all: needed 3.2 GB" in said
    assert heads(text)[2:] == ["latency", "throughput", "energy"]
    left = "not shown: power, cost, utilisation; ask by --metric; --json and --output have all"
    assert left in said


def test_ranked_metrics_come_before_those_without_a_better_direction(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = {**toy.TOY.metrics, "power": Metric("W", "", "unranked")}
    page = replace(toy.TOY, metrics=metrics)
    monkeypatch.setattr(registry, "model", lambda slug: page)
    assert heads(printed(160, TWO))[-1] == "power"


def test_only_the_metrics_that_are_asked_for_are_shown(toy: Any) -> None:
    text = printed(80, TWO, ["cost", "needed"])
    assert heads(text) == ["chips", "link.lanes", "cost", "needed"]
    assert "the same in all" not in text
    assert "not shown" not in text


def test_a_single_design_shows_its_metrics(toy: Any) -> None:
    assert "latency" in heads(printed(80, {"chips": "2"}))


def test_designs_that_cannot_run_or_extrapolate_say_so(toy: Any) -> None:
    text = printed(160, {"chips": "1,2", "items": "1,1024"})
    assert [line.split()[-1] for line in text.splitlines() if "infeasible" in line] == [
        "infeasible"
    ] * 2
    assert "extrapolates" in printed(160, {"chips": "1,2", "clock": "1 GHz,1.8 GHz"})


def test_a_long_sweep_says_how_much_more_there_is(toy: Any) -> None:
    text = printed(100, {"chips": "1..16:16", "link.lanes": "1..4:4"})
    assert f"... {64 - ROWS} more rows" in text


def test_an_unknown_metric_is_refused_before_anything_is_priced(toy: Any, dse: Any) -> None:
    ended = dse("sweep", "toy", "--over", "chips=1,2", "--metric", "csot")
    assert "unknown metric 'csot'; did you mean cost" in commands.one_line(ended)
    with pytest.raises(InputError, match="unknown metric 'feasible'"):
        printed(80, TWO, ["feasible"])


def test_a_script_gets_every_column_whatever_is_shown(toy: Any, dse: Any) -> None:
    rows = dse("sweep", "toy", "--over", "chips=1,2", "--metric", "cost", "--json").json()
    assert set(toy.TOY.metrics) <= set(rows[0])
    assert "cost" in dse("sweep", "toy", "--over", "chips=1,2", "--metric", "cost").out


def test_intervals_stand_beside_their_metrics_and_tiers_below(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = Error(0.1, 9, 99, 0.5, "published", math.inf)
    monkeypatch.setattr(interval, "errors", lambda slug: {("latency", ""): error})
    text = printed(160, TWO, ["latency", "cost"])
    assert " ".join(heads(text)) == "chips link.lanes latency 90 % interval cost"
    # 170 ms e^(0.1 * 1.6449) = 200 ms, and 144 ms below; see test_side_by_side for the 170
    two = next(line for line in text.splitlines() if line.split()[:2] == ["2", "2"])
    assert "170 ms" in two
    assert "144 to 200 ms" in two
    assert "known from published: latency; unchecked: cost" in text


def test_a_metric_that_has_no_room_for_its_interval_is_shown_without(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = Error(0.1, 9, 99, 0.5, "published", math.inf)
    monkeypatch.setattr(interval, "errors", lambda slug: {("latency", ""): error})
    text = printed(40, TWO)
    assert heads(text)[:3] == ["chips", "link.lanes", "latency"]
    assert "interval" not in text
    assert max(map(cell_len, text.splitlines())) <= 40


def test_a_sweep_too_large_for_intervals_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "DRAWN", 1)
    table = sweeping.priced("codesign", {"serve.batch": "1,2"})
    assert "latency_low" not in table.columns
    out = Console(width=120, highlight=False, record=True, file=StringIO())
    swept.sweep(out, registry.model("codesign"), table, title="codesign")
    assert "too many designs for intervals; sweep fewer" in out.export_text()


def test_scripts_get_every_end_and_tier_of_a_sweep(dse: Any) -> None:
    rows = dse("sweep", "dfx", "--over", "fpgas=1,2", "--json").json()
    for row in rows:
        assert row["latency_low"] < row["latency"] < row["latency_high"]
        assert row["latency_tier"] == "published"
        assert (row["cost_low"], row["cost_high"], row["cost_tier"]) == (None, None, "unchecked")
