"""A study file: every mistake names file and field, and the echo asks the same question again."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import documents, registry
from dse.errors import InputError
from dse.study import Study, build, flat, load, nest, overlaid, parse_settings
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")


def refusal(**changes: object) -> str:
    with pytest.raises(InputError) as caught:
        toys.study(**changes)
    assert str(caught.value).startswith("toy.yaml: ")
    return str(caught.value).removeprefix("toy.yaml: ")


def axis_refusal(axis: object, knob: str = "chips") -> str:
    return refusal(space={knob: axis})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": 3}, "'question' should be a valid string, got 3"),
        ({"serch": {}}, "'serch' is not known here; did you mean search"),
        ({"model": "toi"}, "model: unknown model 'toi'; did you mean toy?"),
        ({"set": {"chps": 3}}, "unknown knob 'chps'; did you mean chips or chip?"),
        ({"set": {"chips": 0}}, "'chips' should be greater than or equal to 1, got 0"),
        ({"set": {"clock": "3 GB"}}, "'clock' '3 GB' is not a quantity in Hz"),
        ({"set": 3}, "'set' should be a valid dictionary, got 3"),
        ({"set": {"link": 4, "link.lanes": 3}}, "'link.lanes': 'link' is set as a knob and as"),
        ({"set": {"link.lanes": 3, "link": 4}}, "'link' is set as a knob and as a group"),
        ({"set": {"link.lanes": 3, "link": {"lanes": 4}}}, "'link.lanes' is set twice; drop one"),
        ({"space": {"chp": [1]}}, "space: unknown knob 'chp'; did you mean chip"),
        ({"space": {"link": [1]}}, "space: unknown knob 'link'; did you mean link.lanes"),
        ({"space": 3}, "'space' should be a valid dictionary, got 3"),
        ({"objectives": []}, "'objectives' List should have at least 1 item"),
        ({"objectives": "latency"}, "'objectives' should be a valid list, got 'latency'"),
        ({"objectives": ["latncy"]}, "objectives: unknown objective 'latncy'; did you mean lat"),
        ({"objectives": ["needed"]}, "objectives: 'needed' has no better direction; bound it"),
        ({"objectives": ["feasible"]}, "objectives: 'feasible' has no better direction"),
        ({"objectives": ["cost", "cost"]}, "objectives: 'cost' stands twice; drop one"),
        ({"constraints": "cost <= 3"}, "'constraints' should be a valid list, got 'cost <= 3'"),
        ({"constraints": [3]}, "'constraints.0' should be a valid string, got 3"),
        ({"constraints": ["cst <= 3"]}, "constraint 'cst <= 3': unknown metric 'cst'; did you"),
        ({"constraints": ["cost <= 3 s"]}, "constraint 'cost <= 3 s': '3 s' is not a quantity"),
        ({"constraints": ["cost <= 3"] * 2}, "constraints: 'cost <= 3' stands twice; drop one"),
        ({"compare": "chips"}, "compare: unknown varied category 'chips'; did you mean chip?"),
        ({"search": {"method": "magic"}}, "'search.method' should be 'auto', 'grid', 'random', "),
        ({"search": {"budget": 0}}, "'search.budget' should be greater than or equal to 1, got 0"),
        ({"search": {"seed": -1}}, "'search.seed' should be greater than or equal to 0, got -1"),
        ({"search": {"sed": 1}}, "'search.sed' is not known here; did you mean seed"),
    ],
)
def test_a_mistake_in_a_field_names_file_and_path(changes: dict[str, object], message: str):
    assert refusal(**changes).startswith(message)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (3, "'space.chips' must be a list of choices, 'all', or low and high, got 3"),
        (None, "'space.chips' must be a list of choices, 'all', or low and high, got None"),
        ("al", "'space.chips.choices' must be a list of values, or 'all', got 'al'"),
        ([], "'space.chips.choices' must name at least one value"),
        ([True], "'space.chips.choices' must be a number or text with its unit, got True"),
        ([[1]], "'space.chips.choices' must be a number or text with its unit, got [1]"),
        ([1, None], "'space.chips.choices' must name at least one value, and none of them empty"),
        ([1, 2, "1"], "space.chips: choices hold 1 twice; drop one"),
        ([0], "space.chips: 'chips' should be greater than or equal to 1, got 0.0"),
        ([1.5], "space.chips: 'chips' must be a whole number, got 1.5"),
        (["3 s"], "space.chips: 'chips' '3 s' is not a number"),
        ("all", "space.chips: 'all' is for categories; give a list of values, or low and high"),
        ({}, "space.chips: needs choices, or low and high"),
        ({"low": 1}, "space.chips: needs choices, or low and high"),
        ({"low": 4, "high": 1}, "space.chips: `low < high` must hold, got low=4.0, high=1.0"),
        ({"low": 1, "high": 4, "lvls": 3}, "'space.chips.lvls' is not known here; did you mean"),
        ({"low": 1, "high": 4, "levels": 1}, "'space.chips.levels' should be greater than or"),
        ({"low": True, "high": 4}, "'space.chips.low' must be a number or text with its unit"),
        ({"low": 1, "high": 1e12}, "space.chips: 1,000,000,000,001 levels are more than"),
        ({"low": 1, "high": 4, "step": 0.5}, "space.chips: only whole numbers fit; choose low"),
        ({"low": 1, "high": 4, "step": 9}, "space.chips: `0 < step <= high - low` must hold"),
        ({"low": 1, "high": 4, "step": -1}, "space.chips: `0 < step <= high - low` must hold"),
        ({"low": 1, "high": 4, "step": "1 s"}, "space.chips: '1 s' is not a number"),
        ({"low": 1, "high": 4, "step": 1, "levels": 3}, "'space.chips' has a step beside levels"),
        ({"low": 1, "high": 4, "step": 1, "log": True}, "'space.chips' has a step beside levels"),
        ({"choices": [1], "low": 1}, "'space.chips' has choices and low; drop one or the other"),
        ({"choices": [1], "when": 3}, "'space.chips.when' should be a valid string, got 3"),
    ],
)
def test_a_mistake_in_an_axis_names_file_knob_and_way_out(axis: object, message: str):
    assert axis_refusal(axis).startswith(message)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (["tny"], "space.chip: unknown chip 'tny'; did you mean tiny?"),
        (["tiny", "tiny"], "space.chip: choices hold tiny twice; drop one"),
        (["unfinished"], "space.chip: 'unfinished' has no known rate"),
        ({"low": 1, "high": 2}, "space.chip: a category needs choices: a list of names, or 'all'"),
    ],
)
def test_a_mistake_in_a_category_names_it(axis: object, message: str):
    assert axis_refusal(axis, "chip").startswith(message)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ({"low": 0, "high": 1e9, "log": True}, "space.clock: 'clock' should be greater than 0"),
        ({"low": 1e8, "high": "2 GB"}, "space.clock: 'clock' '2 GB' is not a quantity in Hz"),
        ({"low": 1e8, "high": np.inf}, "space.clock: 'clock' inf is not a quantity in Hz"),
        ({"low": "nan", "high": 1e9}, "space.clock: 'clock' 'nan' is not a quantity in Hz"),
        (
            {"low": 1e8, "high": 1e9, "step": 1e-3},
            "space.clock: 900,000,000,001 levels are more than",
        ),
        ({"low": 1.2, "high": 2.4, "integer": True}, "space.clock: at least two whole numbers"),
    ],
)
def test_a_mistake_in_a_range_names_it(axis: object, message: str):
    assert axis_refusal(axis, "clock").startswith(message)


def test_a_log_range_of_a_knob_that_may_be_zero_starts_above_it():
    message = axis_refusal({"low": 0, "high": 1, "log": True}, "overhead")
    assert message.startswith("space.overhead: `low > 0` must hold on a log range, got low=0.0")


@pytest.mark.parametrize(
    ("axis", "warned"),
    [
        ({"low": "1 GHz", "high": "4 GHz"}, True),
        (["50 MHz", "1 GHz"], True),
        ({"low": "100 MHz", "high": "2 GHz"}, False),
    ],
)
def test_an_axis_beyond_the_range_of_the_page_warns(axis: object, warned: bool):
    warnings = toys.study(space={"clock": axis}).warnings
    assert bool(warnings) == warned
    assert all("the page is meant for 100 MHz to 2 GHz: extrapolation" in w for w in warnings)


@pytest.mark.parametrize(
    ("method", "space", "budget", "told"),
    [
        ("auto", {"chips": [1, 2]}, 1_000_000, ""),
        ("grid", {"chips": [1, 2]}, 1_000_000, ""),
        ("random", {"clock": {"low": 1e8, "high": 2e9}}, 1_000_000, ""),
        ("auto", {"clock": {"low": 1e8, "high": 2e9}}, 10_000, "nsga2"),
        ("tpe", {"chips": [1, 2]}, 1_000, "tpe"),
        ("tpe", {}, 1_000_000, ""),
    ],
)
def test_without_a_budget_the_method_sets_one_and_a_small_one_is_told(
    method: str, space: dict[str, object], budget: int, told: str
):
    study = toys.study(space=space, search={"method": method})
    assert study.search.budget == budget
    said = (
        f"no budget is set for {told}, so it ends after {budget:,} designs; --budget or "
        "search.budget sets another"
    )
    assert study.warnings == ((said,) if told else ())
    again = build("toy", study.document, place="echo")
    assert (again.search, again.warnings) == (study.search, study.warnings)


def test_a_budget_that_is_set_is_kept_in_silence():
    search = {"method": "nsga2", "budget": 700}
    study = toys.study(search=search)
    assert (study.search.budget, study.warnings) == (700, ())


@pytest.mark.parametrize(
    ("written", "chosen", "budget"),
    [
        ({"method": "grid", "budget": 5_000_000}, {"method": "nsga2"}, 10_000),
        ({"method": "grid", "budget": 5_000_000}, {"method": "nsga2", "budget": 64}, 64),
        ({"method": "grid", "budget": 5_000}, {"method": "nsga2"}, 5_000),
        ({"method": "nsga2", "budget": 50_000}, {}, 50_000),
        ({"method": "nsga2", "budget": 50_000}, {"method": "random"}, 50_000),
    ],
)
def test_a_grids_budget_does_not_bind_a_method_that_learns(
    written: dict[str, object], chosen: dict[str, object], budget: int
):
    study = build("toy", toys.document(search=written), place="toy.yaml", search=chosen)
    assert study.search.budget == budget


def test_a_grid_that_the_budget_cuts_short_warns():
    (warning,) = toys.study(search={"method": "grid", "budget": 100}).warnings
    assert warning.startswith("the budget covers the first 100 of 324 designs of the grid")
    assert toys.study(search={"method": "grid", "budget": 324}).warnings == ()
    assert toys.study(search={"method": "random", "budget": 100}).warnings == ()


def laid(settings: Mapping[str, object], **changes: object) -> Study:
    return build("toy", toys.document(**changes), place="toy.yaml", settings=settings)


def test_a_setting_fixes_a_knob_and_takes_it_out_of_the_space():
    study = laid({"chips": 3})
    assert "chips" not in study.space.by_path
    assert study.space.base.chips == 3.0  # type: ignore[attr-defined]
    assert study.space.base.items == 8.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("settings", [{"link.lanes": 4}, {"link": {"lanes": 4}}])
def test_a_setting_may_be_dotted_or_nested(settings: dict[str, object]):
    study = laid(settings, set={"link": {"bandwidth": "3 GB/s"}})
    assert "link.lanes" not in study.space.by_path
    assert study.space.base.link == toys.Link.model_validate({"lanes": 4, "bandwidth": 3e9})  # type: ignore[attr-defined]


def test_a_category_fixed_by_a_row_written_out_leaves_the_space():
    study = laid({"chip": {"rate": 1, "power": 1, "memory": 1}}, set={"chip": "large"})
    assert "chip" not in study.space.by_path
    assert study.space.base.chip.rate == 1.0  # type: ignore[attr-defined]


@pytest.mark.parametrize(("cached", "paths"), [(1, {"cache"}), (0, set())])
def test_fixing_a_knob_settles_the_conditions_on_it(cached: int, paths: set[str]):
    study = laid({"cached": cached})
    assert study.space.by_path.keys() & {"cached", "cache"} == paths
    assert all(axis.when == () for axis in study.space.axes)


def test_a_condition_on_a_fixed_category_is_settled_by_its_slug():
    axes = {"chips": {"choices": [1, 2], "when": "chip in [tiny, large]"}}
    assert "chips" not in toys.study(space=axes).space.by_path
    assert "chips" in toys.study(space=axes, set={"chip": "large"}).space.by_path
    assert "chips" not in laid({"chip": "small"}, space=axes, set={"chip": "large"}).space.by_path


def test_an_axis_that_is_settled_away_settles_those_that_wait_for_it():
    axes = {
        "items": {"choices": [8, 32], "when": "chips == 4"},
        "chips": {"choices": [4, 8], "when": "cached == 1"},
        "cached": [0, 1],
    }
    assert laid({"cached": 0}, space=axes).space.by_path == {}
    assert set(laid({"cached": 1}, space=axes).space.by_path) == {"items", "chips"}


def test_settings_of_nothing_known_are_refused_as_settings():
    with pytest.raises(InputError) as caught:
        laid({"chps": 3})
    assert str(caught.value).startswith("toy.yaml with --set: unknown knob 'chps'; did you mean")


def test_search_options_are_laid_over_the_file_and_checked():
    study = build("toy", toys.document(), place="toy.yaml", search={"budget": 7})
    assert (study.search.budget, study.search.seed, study.search.method) == (7, 3, "grid")
    with pytest.raises(InputError, match=r"'--method' should be 'auto', .*, got 'magic'"):
        build("toy", toys.document(), place="toy.yaml", search={"method": "magic"})


DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "set": st.sampled_from([{}, {"items": 4}, {"link": {"lanes": 1}, "chip": "tiny"}]),
        "objectives": st.lists(
            st.sampled_from(["latency", "cost", "throughput"]), min_size=1, unique=True
        ),
        "constraints": st.sampled_from([[], ["latency <= 500 ms", "power >= 1 W"]]),
        "search": st.fixed_dictionaries(
            {}, optional={"method": st.sampled_from(["qmc", "tpe"]), "budget": st.integers(1, 9)}
        ),
        "compare": st.just("chip"),
    },
)
SETTINGS = st.sampled_from(
    [{}, {"cached": 1}, {"cached": 0}, {"chip": "tiny"}, {"link.lanes": 2, "chips": np.int64(2)}]
)


@given(DOCUMENTS, SETTINGS)
def test_the_echo_asks_the_same_question_again(
    changes: dict[str, object], settings: dict[str, object]
):
    study = laid(settings, **changes)
    text = documents.dump(study.document)
    again = build("toy", documents.parse(text), place="echo")  # type: ignore[arg-type]
    for name in ("question", "objectives", "constraints", "compare", "search", "warnings"):
        assert getattr(again, name) == getattr(study, name)
    assert again.space == study.space
    assert documents.dump(again.document) == text


def test_a_study_is_found_by_slug_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "mine.yaml"
    path.write_text(documents.dump(toys.document()))
    assert load(str(path)).slug == "mine"
    monkeypatch.setattr(registry, "data_files", lambda _: {"ours": path})
    assert load("ours").space == load(str(path)).space
    with pytest.raises(InputError, match=r"unknown study 'our'; did you mean ours\? or give the"):
        load("our")


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "mine.yaml"
    path.write_text(documents.dump(toys.document(objectives=["latncy"])))
    with pytest.raises(InputError) as caught:
        load(str(path))
    assert str(caught.value).startswith(f"{path}: objectives: unknown")
    monkeypatch.setattr(registry, "data_files", lambda _: {"ours": path})
    with pytest.raises(InputError, match=r"^studies/ours\.yaml: objectives: unknown"):
        load("ours")


def test_an_absent_file_is_named():
    with pytest.raises(InputError, match=r"^no/such\.yaml: No such file"):
        load("no/such.yaml")


@pytest.mark.parametrize(
    ("pairs", "settings"),
    [
        (["a.b=4"], {"a.b": 4}),
        (["a = 3.2 GB/s "], {"a": "3.2 GB/s"}),
        (["a=b=c"], {"a": "b=c"}),
        (["a=1e9"], {"a": 1e9}),
        (["a={b: 1}"], {"a": {"b": 1}}),
    ],
)
def test_a_pair_is_a_path_and_a_yaml_value(pairs: list[str], settings: dict[str, object]):
    assert parse_settings(pairs) == settings


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("a", "--set 'a' must read key=value, for example --set fpgas=4"),
        ("=4", "--set '=4' must read key=value"),
        ("a=", "--set 'a=' must read key=value"),
        ("a=[1", "--set a:1: not readable as YAML"),
        ("a=*b", "--set a:1: not readable as YAML: aliases"),
    ],
)
def test_a_pair_that_is_none_is_refused(pair: str, message: str):
    with pytest.raises(InputError) as caught:
        parse_settings([pair])
    assert str(caught.value).startswith(message)


NESTED = st.recursive(
    st.integers(0, 9),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), NESTED, max_size=3))
def test_nested_and_dotted_settings_say_the_same(settings: dict[str, object]):
    assert nest(flat(settings)) == settings
    assert nest(settings) == settings


@given(
    st.dictionaries(st.sampled_from("abc"), NESTED, max_size=3),
    st.dictionaries(st.sampled_from("abc"), NESTED, max_size=3),
)
def test_settings_laid_over_others_win_and_the_rest_stays(
    low: dict[str, object], high: dict[str, object]
):
    found = flat(overlaid(low, high))
    top = flat(high)
    assert {path: found[path] for path in top} == top
    for path, value in flat(low).items():
        hidden = any(f"{path}.".startswith(f"{p}.") or p.startswith(f"{path}.") for p in top)
        assert hidden or found[path] == value
