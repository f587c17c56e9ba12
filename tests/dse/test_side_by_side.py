"""A comparison in a terminal: it fits, names stay apart, and every difference can be read."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from dse import side_by_side, verbs
from dse.side_by_side import difference, ratio


def printed(width: int, variants: Mapping[str, Mapping[str, object]], model: str = "toy") -> str:
    out = Console(width=width, highlight=False, record=True, file=StringIO())
    side_by_side.comparison(out, verbs.comparison([model], variants=variants))
    return out.export_text()


def line_of(text: str, name: str) -> list[str]:
    """The cells of the first line that starts with a name."""
    found = next(line for line in text.splitlines() if line.strip().startswith(f"{name} "))
    return found.split()


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_any_number_of_designs_fits_a_terminal(toy: Any, width: int, count: int) -> None:
    text = printed(width, {f"items={n}": {"items": n} for n in range(1, count + 1)})
    assert max(map(cell_len, text.splitlines())) <= width
    for n in range(1, count + 1):
        assert f"items={n}" in text


def test_every_panel_holds_the_first_design(toy: Any) -> None:
    text = printed(80, {f"items={n}": {"items": n} for n in range(1, 9)})
    heads = [line.split() for line in text.splitlines() if "items=" in line and "toy" in line]
    assert len(heads) > 1
    assert all(head[0] == "toy" for head in heads)
    assert [name for head in heads for name in head[1:]] == [f"items={n}" for n in range(1, 9)]


def test_long_names_stand_above_the_table_behind_a_letter(toy: Any) -> None:
    long = "link.bandwidth=32 GB/s,link.lanes=4,items=64"
    text = printed(80, {long: {"link.bandwidth": 32e9}, "b": {"items": 1}})
    assert "each compared with A" in text
    assert f"  B  {long}\n" in text
    assert "  C  b\n" in text


def test_more_designs_than_letters_still_have_names_of_their_own() -> None:
    letters = side_by_side._heads(["a name of many more letters"] * 60)
    assert len(set(letters)) == 60
    assert letters[25:28] == ["Z", "AA", "AB"]


def test_values_ratios_and_differences_of_a_hand_worked_pair(toy: Any) -> None:
    # two small chips do 16 items in 160 ms, move them in 8 ms and start in 2 ms; four lanes move
    # them in 4 ms, draw 4 W more than 44 W and cost 100 USD more than 1,100 USD
    text = printed(100, {"wide": {"link.lanes": 4}})
    assert line_of(text, "link.lanes") == ["link.lanes", "2", "4"]
    assert line_of(text, "latency") == ["latency", "170", "ms", "166", "ms", "x0.976"]
    assert line_of(text, "cost") == ["cost", "$1,100", "$1,200", "x1.09"]
    assert line_of(text, "transfer") == ["transfer", "8", "ms", "4", "ms", "-4", "ms"]
    assert line_of(text, "compute") == ["compute", "160", "ms", "160", "ms", "="]
    assert line_of(text, "bottleneck") == ["bottleneck", "chips", "chips"]
    assert "latency is the sum of" in text


def test_what_is_infeasible_or_unknown_shows_as_such(toy: Any) -> None:
    text = printed(100, {"many": {"items": 1024}, "unpriced": {"chip": "unpriced"}})
    assert line_of(text, "feasible") == ["feasible", "yes", "no", "yes"]
    assert line_of(text, "cost") == ["cost", "$1,100", "$1,100", "=", "unknown"]
    assert "nan" not in text


def test_a_warning_says_whose_it_is_and_once(toy: Any) -> None:
    fast = {"clock": 1.8e9}
    text = printed(100, {"fast": fast, "both": {**fast, "items": 8}, "slow": {"items": 8}})
    assert text.count("no chip was measured above 1.5 GHz") == 1
    assert "warning (fast, both): no chip was measured above 1.5 GHz" in text


def test_equal_designs_are_called_so(toy: Any) -> None:
    assert "no knob differs" in printed(80, {"same": {"items": 16}})


def test_where_no_ratio_can_be_a_difference_stands() -> None:
    assert ratio(2.0, 1.0, "s") == "x2"
    assert ratio(5.0, 5.0, "s") == ratio(0.0, 0.0, "s") == "="
    assert ratio(2.0, 0.0, "s") == "+2 s"
    assert ratio(-2.0, 1.0, "s") == "-3 s"
    assert ratio(None, 1.0, "s") == ratio(1.0, None, "s") == difference(None, 1.0, "s") == ""


def test_intervals_stand_below_their_metrics_and_tiers_at_the_end() -> None:
    text = printed(120, {"fpgas=2": {"fpgas": 2}}, "dfx")
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("latency "))
    assert lines[at + 1].split()[:3] == ["90", "%", "interval"]
    assert lines[at + 1].count(" to ") == 2
    cost = next(i for i, line in enumerate(lines) if line.strip().startswith("cost "))
    assert "interval" not in lines[cost + 1]
    said = " ".join(text.split())
    assert "known from published: latency," in said
    assert "unchecked: cost," in said


def test_a_metric_known_otherwise_in_one_design_names_both_ways() -> None:
    text = printed(160, {"dfx": {"serve.target": "dfx"}}, "codesign")
    assert " or " in next(line for line in text.splitlines() if line.startswith("known from"))
