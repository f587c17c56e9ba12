"""A joint space: its grid holds every distinct design once, and conditions never multiply it."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.space import Space, parse_clauses, parse_constraint
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")

POOLS: Mapping[str, list[float | str]] = {
    "chip": ["tiny", "small", "large"],
    "chips": [1.0, 2.0, 3.0],
    "items": [8.0, 16.0, 32.0],
    "clock": [5e8, 1e9, 2e9],
    "link.lanes": [1.0, 2.0, 4.0],
    "cached": [0.0, 1.0],
}
DEFAULTS: Mapping[str, float | str] = {
    "chip": "small",
    "chips": 2.0,
    "items": 16.0,
    "clock": 1e9,
    "link.lanes": 2.0,
    "cached": 0.0,
}
COMPARE: Mapping[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "in": lambda value, options: value in options,
}


@dataclass(frozen=True)
class Condition:
    """A condition in pieces, so that the reference needs no grammar."""

    name: str
    op: str
    operand: float | str | tuple[float | str, ...]

    def __str__(self) -> str:
        if isinstance(self.operand, tuple):
            return f"{self.name} in [{', '.join(map(str, self.operand))}]"
        return f"{self.name} {self.op} {self.operand}"


@dataclass(frozen=True)
class Knobs:
    """A random space: choices and conditions by knob."""

    choices: Mapping[str, list[float | str]]
    when: Mapping[str, list[Condition]]

    def space(self) -> Space:
        axes = {
            path: {"choices": choices}
            | ({"when": " and ".join(map(str, self.when[path]))} if self.when[path] else {})
            for path, choices in self.choices.items()
        }
        return toys.study(space=axes, set={}).space

    def designs(self) -> set[tuple[float | str, ...]]:
        """Every distinct design, one by one and without arrays."""
        return {self.design(chosen) for chosen in product(*self.choices.values())}

    def design(self, chosen: tuple[float | str, ...]) -> tuple[float | str, ...]:
        picked = dict(zip(self.choices, chosen, strict=True))

        def value(path: str) -> float | str:
            held = (COMPARE[c.op](value(c.name), c.operand) for c in self.when[path])
            return picked[path] if all(held) else DEFAULTS[path]

        return tuple(value(path) for path in self.choices)


def conditions(draw: st.DrawFn, path: str, can: list[float | str]) -> Condition:
    """A condition on a knob, with operands it can take."""
    op = draw(st.sampled_from(["==", "!=", "in"] + ["<=", ">=", "<", ">"] * (path != "chip")))
    if op == "in":
        options = draw(st.lists(st.sampled_from(can), min_size=1, max_size=2, unique=True))
        return Condition(path, op, tuple(options))
    return Condition(path, op, draw(st.sampled_from(can)))


@st.composite
def random_knobs(draw: st.DrawFn) -> Knobs:
    order = draw(st.permutations(list(POOLS)))[: draw(st.integers(1, 5))]
    choices = {
        path: draw(st.lists(st.sampled_from(POOLS[path]), min_size=1, unique=True))
        for path in order
    }
    when: dict[str, list[Condition]] = {}
    for i, path in enumerate(order):
        read = draw(st.lists(st.sampled_from(order[:i]), max_size=2)) if i else []
        idle = {name: [DEFAULTS[name]] if when[name] else [] for name in read}
        can = {name: list(dict.fromkeys([*choices[name], *idle[name]])) for name in read}
        when[path] = [conditions(draw, name, can[name]) for name in read]
    shuffled = draw(st.permutations(order))
    return Knobs({p: choices[p] for p in shuffled}, {p: when[p] for p in shuffled})


def rows(space: Space, columns: Mapping[str, np.ndarray]) -> Iterator[tuple[float | str, ...]]:
    """Designs as tuples of slugs and numbers."""
    words = [
        [axis.labels[int(code)] for code in columns[axis.path]]
        if axis.rows
        else columns[axis.path].tolist()
        for axis in space.axes
    ]
    return zip(*words, strict=True)


PROPERTY = settings(max_examples=300)


@PROPERTY
@given(random_knobs())
def test_the_grid_holds_every_distinct_design_exactly_once(knobs: Knobs):
    space = knobs.space()
    found = list(rows(space, space.grid(0, space.size)))
    assert len(found) == space.size
    assert set(found) == knobs.designs()
    assert len(set(found)) == len(found)


@PROPERTY
@given(random_knobs(), st.lists(st.floats(0, 1), max_size=5))
def test_the_grid_is_the_same_in_whatever_blocks_it_is_read(knobs: Knobs, cuts: list[float]):
    space = knobs.space()
    ends = [0, *sorted(int(cut * space.size) for cut in cuts), space.size]
    whole = space.grid(0, space.size)
    blocks = [space.grid(low, high) for low, high in pairwise(ends)]
    for path, column in whole.items():
        np.testing.assert_array_equal(np.concatenate([b[path] for b in blocks]), column)


@PROPERTY
@given(random_knobs(), st.integers(0, 2**32))
def test_a_sample_holds_designs_of_the_space_only(knobs: Knobs, seed: int):
    space = knobs.space()
    shares = np.random.default_rng(seed).random((20, len(space.axes)))
    drawn = space.sample(shares)
    assert set(rows(space, drawn)) <= knobs.designs()


@PROPERTY
@given(random_knobs(), st.integers(0, 2**32))
def test_the_canonical_form_of_a_canonical_design_is_itself(knobs: Knobs, seed: int):
    space = knobs.space()
    shares = np.random.default_rng(seed).random((20, len(space.axes)))
    drawn = space.sample(shares)
    again = space.canonical(drawn)
    for path, column in drawn.items():
        np.testing.assert_array_equal(again[path], column)


@given(random_knobs())
def test_a_knob_is_active_where_its_choice_changes_the_design(knobs: Knobs):
    space = knobs.space()
    columns = space.grid(0, space.size)
    for path, active in space.active(columns).items():
        assert active.shape == (space.size,)
        if not knobs.when[path]:
            assert active.all()
        idle = columns[path][~active]
        np.testing.assert_array_equal(idle, space.by_path[path].default)


def space_of(**axes: object) -> Space:
    return toys.study(space={path.replace("__", "."): axis for path, axis in axes.items()}).space


def levels(axis: object, knob: str = "clock") -> list[float]:
    return space_of(**{knob: axis}).axes[0].grid.tolist()


@pytest.mark.parametrize(
    ("knob", "axis", "expected"),
    [
        ("clock", ["1 GHz", 5e8, "200 MHz"], [1e9, 5e8, 2e8]),
        ("clock", {"low": "1 GHz", "high": "2 GHz", "levels": 3}, [1e9, 1.5e9, 2e9]),
        ("clock", {"low": 1e8, "high": 1e9, "log": True, "levels": 2}, [1e8, 1e9]),
        ("clock", {"low": "100 MHz", "high": "1 GHz", "step": "300 MHz"}, [1e8, 4e8, 7e8, 1e9]),
        ("clock", {"low": 1e8, "high": 9e8, "step": 3e8}, [1e8, 4e8, 7e8]),
        ("clock", {"low": 1.5, "high": 4.5, "integer": True}, [2, 3, 4]),
        ("chips", {"low": 1, "high": 4}, [1, 2, 3, 4]),
        ("chips", {"low": 1, "high": 9, "levels": 3}, [1, 5, 9]),
        ("chips", {"low": 1, "high": 9, "step": 4}, [1, 5, 9]),
        ("items", {"low": 1, "high": 100, "log": True, "levels": 3}, [1, 10, 100]),
        ("items", {"low": 1, "high": 4, "log": True, "levels": 9}, [1, 2, 3, 4]),
        ("efficiency", {"low": 0.1, "high": 0.5, "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("efficiency", {"low": "10 %", "high": "30 %", "step": "10 %"}, [0.1, 0.2, 0.3]),
        ("cache", {"low": "1 MB", "high": "3 MiB", "step": "1 MB"}, [1e6, 2e6, 3e6]),
        ("chip", ["large", "tiny"], [0, 1]),
    ],
)
def test_an_axis_has_the_levels_that_its_words_say(knob: str, axis: object, expected: list[float]):
    np.testing.assert_allclose(levels(axis, knob), expected, rtol=1e-12)  # of geomspace


def test_a_range_without_step_is_continuous_and_its_grid_a_sample():
    space = space_of(clock={"low": 1e8, "high": 1e9}, chips=[1, 2])
    assert space.continuous
    assert space.size == 9 * 2
    assert not space_of(chips=[1, 2]).continuous


def test_all_takes_every_row_the_page_can_read_and_tells_why_not_the_others():
    space = space_of(chip="all")
    assert space.axes[0].labels == ("tiny", "small", "large", "unpriced")
    assert space.left_out == {"unfinished": "has no known rate"}


def test_an_idle_category_keeps_the_default_of_the_page_even_when_it_is_no_choice():
    space = space_of(cached=[0, 1], chip={"choices": ["tiny", "large"], "when": "cached == 1"})
    assert set(rows(space, space.grid(0, space.size))) == {
        (0.0, "small"),
        (1.0, "tiny"),
        (1.0, "large"),
    }
    config = space.config(space.grid(0, 3))
    assert sorted(config.chip.rate) == [100.0, 400.0, 2000.0]  # type: ignore[attr-defined]


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50))
def test_shares_become_values_inside_the_range_and_keep_their_order(shares: list[float]):
    ranges = [
        {"low": 1e8, "high": 1e9},
        {"low": 1e8, "high": 1e9, "log": True},
        {"low": 1e8, "high": 1e9, "step": 1e8},
        {"low": 1, "high": 1000, "integer": True, "log": True},
    ]
    for axis in (space_of(clock=words).axes[0] for words in ranges):
        values = axis.at(np.sort(np.array(shares)))
        ends = axis.values or (axis.low, axis.high)
        assert (values >= min(ends) * (1 - 1e-12)).all()  # exp and log round
        assert (values <= max(ends) * (1 + 1e-12)).all()  # as above
        assert (np.diff(values) >= 0).all()
        assert not axis.values or set(values) <= set(axis.values)


def test_levels_of_a_log_range_are_drawn_evenly_in_the_logarithm():
    axis = space_of(items={"low": 1, "high": 1000, "log": True}).axes[0]
    values = axis.at(np.random.default_rng(0).random(30_000))
    shares = [np.mean((values >= low) & (values < 10 * low)) for low in (1, 10, 100)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.04)  # whole numbers blur the decades' ends


def test_a_category_becomes_columns_of_numbers():
    space = space_of(chip=["tiny", "large"], chips=[1, 2])
    config = space.config(space.grid(0, 4))
    np.testing.assert_array_equal(config.chip.rate, [100, 100, 2000, 2000])  # type: ignore[attr-defined]
    np.testing.assert_array_equal(config.chips, [1, 2, 1, 2])  # type: ignore[attr-defined]
    assert config.link == space.base.link  # type: ignore[attr-defined]


def test_a_space_of_nothing_has_one_design():
    space = toys.study(space={}).space
    assert (space.size, dict(space.grid(0, 1))) == (1, {})


def test_many_branches_are_found_without_walking_through_them():
    axes = {
        "chips": {"low": 1, "high": 16},
        "items": {"low": 1, "high": 60},
        "clock": {"choices": [1e9, 2e9], "when": "chips >= 2 and items >= 2"},
    }
    space = space_of(**axes)
    assert space.size == 16 * 60 + 15 * 59
    last = space.grid(space.size - 1, space.size)
    assert {path: column[0] for path, column in last.items()} == {
        "chips": 16.0,
        "items": 60.0,
        "clock": 2e9,
    }


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"chips": {"when": "chips == 1"}}, "the conditions of chips wait for each other"),
        (
            {"chips": {"when": "items == 8"}, "items": {"when": "chips == 1"}},
            "the conditions of chips, items wait for each other; drop one `when`",
        ),
        (
            {
                "chips": {"when": "items == 8"},
                "items": {"when": "clock == 1 GHz"},
                "clock": {"when": "chips == 1"},
            },
            "the conditions of chips, items, clock wait for each other",
        ),
        ({"chips": {"when": "chps == 1"}}, "space.chips: when: unknown knob 'chps'; did you mean"),
        ({"chips": {"when": "items == 9"}}, "space.chips: when: items is never 9; it takes 8, 16"),
        ({"chips": {"when": "items == nan"}}, "nan is not a number: it must be finite"),
        ({"chips": {"when": "items == 8 GB"}}, "'8 GB' is not a number"),
        ({"chips": {"when": "chip == tny"}}, "unknown choice of chip 'tny'; did you mean tiny?"),
        ({"chips": {"when": "chip <= tiny"}}, "'chip <= tiny' orders a category; use ==, != or"),
        ({"chips": {"when": "chip in []"}}, "unknown choice of chip ''"),
        ({"chips": {"when": "items = 8"}}, "'items = 8' is not a comparison; write `name op"),
        ({"chips": {"when": ""}}, "'' is not a comparison"),
        ({"chips": {"when": "items == 8 or items == 16"}}, "is not a number"),
        ({"chips": {"when": "__import__('os').system('ls') == 1"}}, "is not a comparison"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(
    axes: dict[str, dict[str, object]], message: str
):
    base = {"chips": [1, 2], "items": [8, 16], "clock": [1e9, 2e9], "chip": ["tiny", "large"]}
    space = {path: {"choices": choices} for path, choices in base.items()}
    for path, changes in axes.items():
        space[path] |= changes  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        toys.study(space=space)
    assert str(caught.value).startswith("toy.yaml: space")
    assert message in str(caught.value)


METRICS = {"latency": "s", "rate": "B/s", "share": "1"}


@pytest.mark.parametrize(
    ("text", "metric", "sign", "limit"),
    [
        ("latency <= 500 ms", "latency", 1.0, 0.5),
        ("latency<=0.5", "latency", 1.0, 0.5),
        ("  rate   >=  8 Gb/s ", "rate", -1.0, 1e9),
        ("share >= 5 %", "share", -1.0, 0.05),
        ("share <= -1e-3", "share", 1.0, -0.001),
    ],
)
def test_a_constraint_is_a_bound_with_its_unit(text: str, metric: str, sign: float, limit: float):
    constraint = parse_constraint(text, METRICS)
    assert (constraint.metric, constraint.sign) == (metric, sign)
    assert constraint.limit == pytest.approx(limit, rel=1e-15)
    assert constraint.text == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latency < 1", "must be one bound with <= or >=; list several apart"),
        ("latency == 1", "must be one bound with <= or >="),
        ("latency <= 1 and rate >= 1", "list several apart"),
        ("latency in [1, 2]", "must be one bound"),
        ("latncy <= 1", "unknown metric 'latncy'; did you mean latency?"),
        ("latency <= 5 GB", "'5 GB' is not a quantity in s: 'GB' measures B, not s"),
        ("latency <= nan", "nan is not a quantity in s: it must be finite"),
        ("latency <= inf", "inf is not a quantity in s: it must be finite"),
        ("latency <= 500 ms; rm -rf", "'500 ms; rm -rf' is not a quantity in s"),
        ("latency <= __import__('os')", "is not a quantity in s"),
        ("__import__('os')", "is not a comparison"),
        ("latency <= rate", "'rate' is not a quantity in s"),
        ("latency <=", "is not a comparison"),
        ("<= 3", "is not a comparison"),
        ("1 <= latency", "unknown metric '1'"),
        ("", "is not a comparison"),
    ],
)
def test_a_constraint_that_is_no_bound_is_refused_and_nothing_is_run(text: str, message: str):
    with pytest.raises(InputError) as caught:
        parse_constraint(text, METRICS)
    assert message in str(caught.value)


@given(st.text("ab.<>=! in[],()'\t\n0123456789", max_size=60))
def test_any_text_is_read_as_comparisons_or_refused(text: str):
    try:
        clauses = parse_clauses(text)
    except InputError:
        return
    assert clauses
    for clause in clauses:
        assert parse_clauses(str(clause)) == (clause,)


def test_endless_blanks_are_read_at_once():
    text = "latency <= " + " " * 10**6 + "1" + " " * 10**6
    assert parse_constraint(text, METRICS).limit == 1.0


def test_a_violation_is_relative_to_the_limit_and_infinite_where_unknown():
    most = parse_constraint("latency <= 2 s", METRICS)
    least = parse_constraint("rate >= 4", METRICS)
    values = np.array([1.0, 2.0, 3.0, np.nan, np.inf])
    np.testing.assert_array_equal(most.violation(values), [0, 0, 0.5, np.inf, np.inf])
    np.testing.assert_array_equal(least.violation(values), [0.75, 0.5, 0.25, np.inf, 0])


def test_a_violation_of_a_limit_of_zero_is_absolute():
    assert parse_constraint("latency <= 0", METRICS).violation(np.array(3.0)) == 3.0
