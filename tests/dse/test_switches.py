"""An ablation in a terminal: a screen of combinations, terms in words, nothing filled in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from dse import registry, switches, verbs
from dse.errors import InputError
from dse.grids import ROWS
from dse.spec import Technique
from tests.dse import test_cli as commands
from tests.dse.test_ablation import TECHNIQUES, TUNED

dse = commands.dse

WIDE = Technique("wide_link", "four lanes", {"link.lanes": 1})


@pytest.fixture
def page(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy with techniques, as the registry knows it."""
    made, known = replace(toy.TOY, techniques=(*TECHNIQUES, WIDE)), registry.model
    monkeypatch.setattr(registry, "model", lambda slug: made if slug == "toy" else known(slug))
    return made


def printed(width: int, settings: Mapping[str, object], asked: Sequence[str] = ()) -> str:
    out = Console(width=width, highlight=False, record=True, file=StringIO())
    switches.ablation(out, verbs.ablation("toy", settings), asked)
    return out.export_text()


@pytest.mark.parametrize("width", [80, 120, 160])
def test_it_fits_a_terminal_and_shows_every_combination(page: Any, width: int) -> None:
    text = printed(width, TUNED)
    assert max(map(cell_len, text.splitlines())) <= width
    rows = [line for line in text.splitlines() if line.split()[:1] in (["on"], ["·"])]
    assert len(rows) == 16
    assert "as it stands" in rows[0]  # the tuned design is the fastest
    assert "all off" in rows[-1]


def test_combinations_that_cannot_run_say_why_and_come_last(page: Any) -> None:
    text = printed(120, {**TUNED, "link.lanes": 8})
    rows = [line for line in text.splitlines() if line.split()[:1] in (["on"], ["·"])]
    assert all("refused: link.lanes <= 4 chips" in line for line in rows[-4:])
    assert not any("refused" in line for line in rows[:-4])
    assert "unknown: wide_link" in text
    assert "nan" not in text


def test_where_all_off_cannot_run_the_terms_with_the_others_on_stand_in(page: Any) -> None:
    text = printed(100, {**TUNED, "items": 16}, ["latency"])
    assert "no value all off, 20 ms all on" in text
    assert "no term is known without the value with all off; each with the others on:" in text
    assert "helps" in text


def test_where_nothing_can_run_it_says_so_and_no_more(page: Any) -> None:
    text = printed(80, {**TUNED, "items": 1024})
    assert "no combination can run, so there is nothing to compare" in text
    assert "without effect" not in text
    assert "unknown" not in text


def test_a_technique_without_effect_is_named_once_more(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = replace(page, techniques=(*TECHNIQUES[:1], Technique("x", "idle", {"cache": "2 MB"})))
    monkeypatch.setattr(registry, "model", lambda slug: idle)
    text = printed(80, {"chips": 4})
    assert "left out, without effect on any metric of this design: x" in text
    rows = [line for line in text.splitlines() if line.split()[:1] in (["on"], ["·"])]
    assert len(rows) == 2
    assert "compose:" not in text


def test_a_design_of_idle_techniques_only_has_no_table(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = replace(page, techniques=(Technique("x", "idle", {"cache": "2 MB"}),))
    monkeypatch.setattr(registry, "model", lambda slug: idle)
    text = printed(80, {"chips": 4})
    assert text == (
        "toy: 0 techniques, 1 combination\n"
        "left out, without effect on any metric of this design: x\n"
    )


def test_what_off_entails_is_shown_with_it(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    halved = Technique("cached", "a cache", {"cached": 0}, entails=lambda c: {"items": 2.0})
    monkeypatch.setattr(registry, "model", lambda slug: replace(page, techniques=(halved,)))
    assert "cached: a cache (off: cached=0, items=2)" in printed(80, TUNED)


def test_an_unknown_metric_is_refused_before_anything_is_printed(page: Any, dse: Any) -> None:
    settings = [f"--set={path}={value}" for path, value in TUNED.items()]
    said = commands.one_line(dse("ablate", "toy", *settings, "--metric", "foo"))
    assert "unknown metric 'foo'" in said


def test_only_the_metrics_that_are_asked_for_are_shown(page: Any) -> None:
    text = printed(80, TUNED, ["cost"])
    assert "cost, lower is better: $150 all off, $24,206 all on" in text
    assert "latency," not in text
    with pytest.raises(InputError, match="unknown metric 'csot'; did you mean cost"):
        printed(80, TUNED, ["csot"])
    with pytest.raises(InputError, match="unknown metric 'feasible'"):
        printed(80, TUNED, ["feasible"])


def test_a_metric_without_a_better_direction_is_only_raised_or_lowered(page: Any) -> None:
    assert "no effect: parallel, silicon, caching, wide_link" in printed(80, TUNED, ["needed"])


def test_a_technique_that_is_off_and_two_that_clash_are_said(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clash = replace(page, techniques=(*page.techniques, Technique("b", "more", {"chips": 2})))
    monkeypatch.setattr(registry, "model", lambda slug: clash)
    text = printed(80, {**TUNED, "cached": 0, "cache": 1e6})
    assert "left out, for the design has them off: caching" in text
    assert "note: parallel and b both set chips; with both off it is as b says" in text


def test_a_screen_keeps_the_best_combinations_and_both_ends(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = (
        Technique("clocked", "a fast clock", {"clock": "0.9 GHz"}),
        Technique("lean", "a short start", {"overhead": "3 ms"}),
    )
    large = replace(page, techniques=(*page.techniques, *more))
    monkeypatch.setattr(registry, "model", lambda slug: large)
    text = printed(120, TUNED, ["latency"])
    rows = [line for line in text.splitlines() if line.split()[:1] in (["on"], ["·"])]
    assert len(rows) == ROWS
    assert "as it stands" in rows[0]
    assert "all off" in rows[-1]
    assert "... 24 more combinations" in text
    assert "smaller terms; --json has them all" in text


def test_warnings_count_the_combinations_that_raise_them(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = replace(page, techniques=(Technique("fast", "overclocked", {"clock": "1 GHz"}),))
    monkeypatch.setattr(registry, "model", lambda slug: fast)
    text = printed(100, {**TUNED, "clock": "1.8 GHz"})
    assert "as it stands, extrapolates" in text
    assert "warning (1 of 2): no chip was measured above 1.5 GHz" in text


def test_the_command_says_the_same_as_its_python_twin(page: Any, dse: Any) -> None:
    settings = [f"--set={path}={value}" for path, value in TUNED.items()]
    ended = dse("ablate", "toy", *settings, "--metric", "latency", "--json")
    told = ended.json()
    assert ended.code == 0
    assert told["model"] == "toy"
    assert [t["slug"] for t in told["techniques"]] == [
        "parallel",
        "silicon",
        "caching",
        "wide_link",
    ]
    assert told["cells"][0]["on"] == []
    assert told["cells"][-1]["on"] == ["parallel", "silicon", "caching", "wide_link"]
    assert list(told["cells"][0]["metrics"]) == ["latency"]
    frame = verbs.ablate("toy", TUNED, metrics=["latency"])
    assert len(frame) == len(told["terms"]["latency"]) == 15
    assert frame["ln"].tolist() == [term["ln"] for term in told["terms"]["latency"]]
    # fifteen terms of up to sixteen logarithms below 10
    assert frame["ln"].sum() == pytest.approx(told["effects"]["latency"]["ln"], abs=1e-12)
    np.testing.assert_allclose(np.exp(frame["ln"]), frame["factor"])


def test_the_json_of_cells_that_cannot_run_holds_null(page: Any, dse: Any) -> None:
    settings = [f"--set={path}={value}" for path, value in {**TUNED, "items": 16}.items()]
    told = dse("ablate", "toy", *settings, "--json").json()
    first = told["cells"][0]
    assert first["refusal"] == "infeasible"
    assert set(first["metrics"].values()) == {None}
    assert {term["ln"] for term in told["terms"]["latency"]} == {None}
    assert json.dumps(told, allow_nan=False)


def test_a_design_file_is_ablated_and_people_read_it(page: Any, dse: Any) -> None:
    Path("design.yaml").write_text("model: toy\nset: {chips: 4, items: 4}\n")
    ended = dse("ablate", "design.yaml")
    assert ended.code == 0
    assert "toy: 3 techniques" in ended.out
    assert "\x1b" not in ended.out


def test_a_page_without_techniques_is_refused_in_one_line(toy: Any, dse: Any) -> None:
    assert "'toy' declares no technique" in commands.one_line(dse("ablate", "toy"))


def test_show_lists_the_techniques_of_a_page(page: Any, dse: Any) -> None:
    rows = dse("show", "toy", "--json").json()["techniques"]
    assert rows[2] == {
        "technique": "caching",
        "text": "a cache",
        "off": "cached=0, cache=1 MB",
    }
