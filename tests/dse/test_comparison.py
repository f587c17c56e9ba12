"""Designs side by side as data: which are read, where they differ, and what is refused."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from dse import verbs
from dse.comparison import parse_variants
from dse.errors import InputError

WIDE = {"link.lanes": 4}


def test_each_design_answers_as_it_does_alone(toy: Any) -> None:
    found = verbs.comparison(["toy"], {"items": 8}, variants={"wide": WIDE}).as_json()
    alone = [verbs.evaluate("toy", {"items": 8, **over}) for over in ({}, WIDE)]
    for held, answer in zip(found["designs"], alone, strict=True):
        assert {key: held[key] for key in answer if key != "model"} == {
            key: value for key, value in answer.items() if key != "model"
        }
    assert found["model"] == "toy"
    assert json.dumps(found, allow_nan=False)


def test_only_knobs_that_differ_are_listed_records_by_their_slug(toy: Any) -> None:
    over: dict[str, Any] = {"a": {"chip": "large", "link.lanes": 4}, "b": {"link.lanes": 2}}
    found = verbs.comparison(["toy"], variants=over)
    assert found.differing == {"chip": ["small", "large", "small"], "link.lanes": [2, 4, 2]}


def test_the_first_column_is_the_design_as_set_and_each_variant_lies_over_it(toy: Any) -> None:
    found = verbs.comparison(["toy"], {"items": 8, "chips": 4}, variants={"one": {"chips": 1}})
    assert [config.echo()["chips"] for config in found.configs] == [4, 1]
    assert [config.echo()["items"] for config in found.configs] == [8, 8]


def test_files_with_nested_or_dotted_settings_are_read_and_settings_win_over_them(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("model: toy\nset: {link: {lanes: 4}, items: 2}\n")
    Path("b.yaml").write_text("model: toy\nset: {link.lanes: 2}\n")
    found = verbs.comparison(["a.yaml", "b.yaml"], {"link.lanes": 8})
    assert found.differing == {"items": [2, 16]}
    assert [config.echo()["link"] for config in found.configs] == [
        {"bandwidth": 8e9, "lanes": 8}
    ] * 2


def test_the_frame_has_a_row_a_design_and_units(toy: Any) -> None:
    frame = verbs.compare(["toy"], variants={"unpriced": {"chip": "unpriced"}})
    assert list(frame.index) == ["toy", "unpriced"]
    # 4e9 operations of 16 items at 400 a cycle, 2 chips, 1 GHz and half the rate: 160 ms;
    # 8 MB an item over 16 GB/s: 8 ms; 2 ms of overhead
    assert frame["metrics", "latency"].iloc[0] == pytest.approx(0.170)
    assert frame["terms", "compute"].iloc[0] == pytest.approx(0.160)
    assert frame["metrics", "cost"].iloc[0] == 1100
    assert math.isnan(frame["metrics", "cost"].iloc[1])
    assert frame["metrics", "feasible"].all()
    assert frame["knobs", "chip"].tolist() == ["small", "unpriced"]
    assert frame.attrs["units"]["latency"] == "s"
    assert frame.attrs["units"]["link.bandwidth"] == "B/s"


def test_differences_of_the_terms_add_up_to_that_of_the_total(toy: Any) -> None:
    frame: Any = verbs.compare(["toy"], variants={"wide": WIDE, "fast": {"clock": "2 GHz"}})
    changes = frame["terms"].sum(axis=1) - frame["terms"].sum(axis=1).iloc[0]
    total = frame["metrics", "latency"]
    assert changes.tolist() == pytest.approx((total - total.iloc[0]).tolist())


def test_an_infeasible_design_is_compared_too(toy: Any) -> None:
    found = verbs.comparison(["toy"], variants={"many": {"items": 1024}}).as_json()
    assert [held["metrics"]["feasible"]["value"] for held in found["designs"]] == [True, False]


def test_terms_that_only_some_designs_have_are_named() -> None:
    found = verbs.comparison(["roofline"], variants={"other": {"workload": "bert-large"}})
    names = set(found.named("terms"))
    assert names == set(found.answers[0]["terms"]) | set(found.answers[1]["terms"])


def test_designs_of_two_models_cannot_be_compared(toy: Any) -> None:
    with pytest.raises(
        InputError, match=r"must share their model .* toy of 'toy' and dfx of 'dfx'"
    ):
        verbs.compare(["toy", "dfx"])


@pytest.mark.parametrize(
    ("designs", "variants", "words"),
    [
        ([], {}, "a comparison needs two designs"),
        (["toy"], {}, "a comparison needs two designs"),
        (["toy", "toy"], {"a": WIDE}, "--with varies one design, got 2"),
        (["toy"], {"a": {"lanse": 1}}, "--with a: unknown knob 'lanse'"),
        (["toy"], {"a": {"link.lanes": 9}}, "--with a: `link.lanes <= 4 chips` must hold"),
        (["none.yaml", "toy"], {}, "none.yaml: No such file"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    toy: Any, designs: list[str], variants: dict[str, dict[str, object]], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        verbs.compare(designs, variants=variants)


def test_variants_are_read_from_text_with_commas_inside_values() -> None:
    found = parse_variants(["a.b=1,c=12,345 USD", "d=x"])
    assert found == {"a.b=1,c=12,345 USD": {"a.b": 1, "c": "12,345 USD"}, "d=x": {"d": "x"}}


@pytest.mark.parametrize("text", ["", "a", "a=", "=1", "a=1,b="])
def test_a_variant_without_knob_or_value_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--with '.*' must read key=value"):
        parse_variants([text])


def test_a_variant_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="--with 'a=1' is given twice"):
        parse_variants(["a=1", "a=1"])
    with pytest.raises(InputError, match="--with a is given twice"):
        parse_variants(["a=1,a=2"])


def test_a_frame_of_designs_has_ends_and_tiers_beside_its_metrics() -> None:
    frame: Any = verbs.compare(["dfx"], variants={"two": {"fpgas": 2}})
    found = frame["metrics"]
    assert (found["latency_low"] < found["latency"]).all()
    assert (found["latency"] < found["latency_high"]).all()
    assert set(found["latency_tier"]) == {"published"}
    assert found["cost_low"].isna().all()
    assert set(found["cost_tier"]) == {"unchecked"}
    assert frame.attrs["units"]["latency_high"] == "s"
    assert "feasible_low" not in found
