"""A design is a config, a batch is the same config with arrays: the four rules, tried."""

import json
import math
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dse import registry
from dse.errors import InputError
from dse.spec import Catalog, Config, Operator, Real, Record, Unit, knobs, leaf
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")

NUMBERS = {
    "chips": st.integers(1, 16).map(float),
    "items": st.integers(1, 1024).map(float),
    "clock": st.floats(1e8, 2e9),
    "cached": st.sampled_from([0.0, 1.0]),
    "cache": st.floats(1e6, 1e9),
    "link.bandwidth": st.floats(1e9, 64e9),
    "link.lanes": st.integers(1, 8).map(float),
}
CHIPS = st.sampled_from(["tiny", "small", "large", "unpriced"])
DESIGNS = st.lists(st.tuples(CHIPS, st.fixed_dictionaries(NUMBERS)), min_size=1, max_size=6)


def chip(slug: str) -> toys.Chip:
    return toys.Chip.pick(toys.CHIPS[slug])


def design(slug: str = "small", numbers: dict[str, float] | None = None) -> toys.Machine:
    """One design, checked as every scalar is."""
    values = dict(numbers or {})
    lane = {k.removeprefix("link."): values.pop(k) for k in list(values) if "." in k}
    return toys.Machine.model_validate({"chip": chip(slug), "link": lane, **values})


def answers(config: toys.Machine) -> dict[str, Any]:
    result = toys.price_machine(config)
    return {**result.metrics, **result.terms, **result.resources}


@given(DESIGNS)
def test_a_scalar_equals_a_one_element_array_and_the_row_of_a_batch(
    designs: list[tuple[str, dict[str, float]]],
):
    codes = np.arange(len(designs))
    rows = [chip(slug) for slug, _ in designs]
    columns = {name: np.array([numbers[name] for _, numbers in designs]) for name in NUMBERS}
    batch = answers(
        toys.Machine.batched({"chip": toys.Chip.take(rows, codes), **columns}, design())
    )
    for row, (slug, numbers) in enumerate(designs):
        scalar = answers(design(slug, numbers))
        single = {name: np.array([number]) for name, number in numbers.items()}
        alone = answers(toys.Machine.batched({"chip": chip(slug), **single}, design()))
        for name, value in scalar.items():
            whole = np.broadcast_to(batch[name], len(designs))
            np.testing.assert_array_equal(whole[row], value, err_msg=name)
            np.testing.assert_array_equal(np.broadcast_to(alone[name], 1)[0], value, err_msg=name)


def test_a_batch_of_any_shape_is_the_same_config():
    clocks = np.linspace(1e8, 2e9, 6).reshape(2, 3)
    batch = toys.Machine.batched({"clock": clocks, "chips": 4}, design())
    assert batch.clock.shape == (2, 3)
    assert batch.chips.shape == ()
    assert batch.link == design().link
    assert answers(batch)["latency"].shape == (2, 3)


def test_what_a_batch_leaves_open_comes_from_its_base_or_from_the_defaults():
    base = design("tiny", {"clock": 5e8, "link.lanes": 3.0})
    batch = toys.Machine.batched({"chips": [1, 2]}, base)
    assert (batch.clock, batch.link.lanes, batch.chip.slug) == (5e8, 3.0, "tiny")
    fresh = toys.Machine.batched({"chip": chip("tiny"), "link.lanes": [1, 2]})
    assert (fresh.clock, fresh.link.bandwidth) == (1e9, 8e9)


def test_a_group_given_whole_can_be_varied_in_part():
    link = toys.Link(bandwidth=leaf(3e9))
    batch = toys.Machine.batched({"link.lanes": [1, 2], "link": link}, design())
    assert batch.link.bandwidth == 3e9
    np.testing.assert_array_equal(batch.link.lanes, [1.0, 2.0])


@pytest.mark.parametrize(
    "column", [[1, 2], (1.0, 2.0), np.array([1, 2], dtype=np.int8), np.array([True, False]), 3]
)
def test_the_door_casts_numbers_to_float64(column: object):
    batch = toys.Machine.batched({"chips": column}, design())
    assert batch.chips.dtype == np.float64


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"chps": [1]}, "unknown knob 'chps'; did you mean chips or chip?"),
        ({"link.lane": [1]}, "unknown knob 'link.lane'; did you mean link.lanes"),
        ({"link.": [1]}, "unknown knob 'link.'"),
        ({"": [1]}, "unknown knob ''"),
        ({"chips.x": [1]}, "unknown knob 'chips.x'; did you mean chips?"),
        ({"chip.rate": [1]}, "unknown knob 'chip.rate'; did you mean chip?"),
        ({"chips": ["3", "4"]}, "'chips' must be numbers, got ['3', '4']"),
        ({"chips": "3"}, "'chips' must be numbers, got '3'"),
        ({"chips": None}, "'chips' must be numbers, got None"),
        ({"chips": [1j]}, "'chips' must be numbers, got [1j]"),
        ({"chips": [[1], [2, 3]]}, "'chips' must be numbers of one shape, got a ragged list"),
        ({"link.lanes": ["a"]}, "'link.lanes' must be numbers, got ['a']"),
        ({"chip": 3}, "'chip' must be a Chip, got int"),
        ({"link": chip("tiny")}, "'link' must be a Link, got Chip"),
    ],
)
def test_the_door_refuses_what_does_not_fit(columns: dict[str, object], message: str):
    with pytest.raises(InputError) as caught:
        toys.Machine.batched(columns, design())
    assert str(caught.value).startswith(message)


def test_a_batch_without_base_needs_what_has_no_default():
    with pytest.raises(InputError, match="'chip' must be given: it has no default"):
        toys.Machine.batched({"chips": [1]})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chips": math.nan}, "'chips' nan is not a number: it must be finite"),
        ({"chips": math.inf}, "'chips' inf is not a number: it must be finite"),
        ({"chips": True}, "'chips' True is not a number: bool is neither text nor number"),
        ({"chips": 2.5}, "'chips' must be a whole number, got 2.5; set chips to an allowed value"),
        ({"chips": 0}, "'chips' should be greater than or equal to 1, got 0; set chips to an"),
        ({"chips": "3 s"}, "'chips' '3 s' is not a number: 's' measures s"),
        ({"chips": None}, "'chips' must be a number or text such as"),
        ({"chips": [1, 2]}, "'chips' must be a number or text such as"),
        ({"clock": "1 GHZ"}, "'clock' '1 GHZ' is not a quantity in Hz: unknown unit 'GHZ', did"),
        ({"clock": "1 GB/s"}, "'clock' '1 GB/s' is not a quantity in Hz"),
        ({"link": {"lanes": 3.5}}, "'link.lanes' must be a whole number, got 3.5; set link.lanes"),
        ({"link": {"lane": 3}}, "unknown knob 'link.lane'; did you mean link.lanes"),
        ({"link": 3}, "'link' is a group of knobs, got 3; set a knob inside it"),
        ({"chps": 3}, "unknown knob 'chps'; did you mean chips or chip?"),
        ({"chip": "smal"}, "chip: unknown chip 'smal'; did you mean small?"),
        ({"chip": "unfinished"}, "chip: 'unfinished' has no known rate"),
        ({"chip": {"rate": 1}}, "'chip.power' must be given: it has no default"),
        ({"chip": toys.CHIPS["tiny"] | {"rate": math.nan}}, "'chip.rate' nan is not a quantity"),
        ({"chip": toys.CHIPS["tiny"] | {"prize": 1}}, "'chip.prize' is not known here; did you"),
        ({"link": {"lanes": 8}, "chips": 1}, "`link.lanes <= 4 chips` must hold; set link.lanes"),
    ],
)
def test_a_scalar_that_does_not_fit_is_refused_by_place_path_and_rule(
    settings: dict[str, object], message: str
):
    with pytest.raises(InputError) as caught:
        registry.configure(toys.TOY, settings, place="x.yaml")
    line = str(caught.value)
    assert line.startswith(f"x.yaml: {message}")
    assert len(line) < 400


@pytest.mark.parametrize("number", [np.int64(3), np.float32(3), np.float64(3), 3, "3"])
def test_a_scalar_of_numpy_is_a_number_as_any(number: object):
    assert registry.configure(toys.TOY, {"chips": number}) == registry.configure(
        toys.TOY, {"chips": 3.0}
    )


def test_text_with_a_unit_becomes_si():
    config = registry.configure(toys.TOY, {"clock": "1.5 GHz", "link": {"bandwidth": "80 Gb/s"}})
    assert (config.clock, config.link.bandwidth) == (1.5e9, 1e10)  # type: ignore[attr-defined]


def test_a_config_and_a_record_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        design().chips = leaf(3.0)  # type: ignore[misc]  # that is the claim
    with pytest.raises(ValidationError, match="frozen"):
        chip("tiny").rate = leaf(3.0)  # type: ignore[misc]  # that is the claim


@given(CHIPS, st.fixed_dictionaries(NUMBERS))
def test_a_design_survives_json_and_its_own_echo(slug: str, numbers: dict[str, float]):
    config = design(slug, numbers)
    assert toys.Machine.model_validate_json(config.model_dump_json()) == config
    assert registry.starting_point(toys.TOY, config.echo()) == config
    assert registry.starting_point(toys.TOY, json.loads(json.dumps(config.echo()))) == config


@pytest.mark.parametrize("price", [None, math.nan])
def test_a_row_written_out_may_leave_a_number_unknown(price: object):
    row = {k: v for k, v in toys.CHIPS["tiny"].items() if k != "slug"} | {"price": price}
    config = registry.configure(toys.TOY, {"chip": row})
    assert math.isnan(config.chip.price)  # type: ignore[attr-defined]
    assert registry.configure(toys.TOY, config.echo()) == config


class Net(Record):
    """A record that holds records."""

    width: Annotated[Real, Unit("1")]
    best: toys.Chip
    operators: tuple[Operator, ...]


def net(width: float, chips: str, flops: float) -> Net:
    operators = tuple(
        Operator(slug=name, kind="gemm", flops_token=leaf(flops * scale))
        for name, scale in (("up", 1.0), ("down", 2.0))
    )
    return Net(slug=f"{width}-{chips}", width=leaf(width), best=chip(chips), operators=operators)


NETS = [net(1.0, "tiny", 3.0), net(2.0, "large", 5.0), net(2.0, "unpriced", 7.0)]


def numbers_of(record: Any, row: int) -> Any:
    """The numbers of one row of a record of columns, nested records and tuples included."""
    if isinstance(record, Record):
        fields = type(record).model_fields
        return {name: numbers_of(getattr(record, name), row) for name in fields if name != "slug"}
    if isinstance(record, tuple):
        return [numbers_of(item, row) for item in record]
    if isinstance(record, np.ndarray):
        return repr(float(record[row]))
    return repr(record)


@given(st.lists(st.sampled_from(range(3)), min_size=1, max_size=8))
def test_taking_rows_of_a_record_equals_picking_them_one_by_one(code: list[int]):
    taken = Net.take(NETS, np.array(code))
    for row, index in enumerate(code):
        assert numbers_of(taken, row) == numbers_of(NETS[index], 0)


def test_equal_values_of_a_record_stay_scalar():
    taken = Net.take(NETS[1:], np.array([0, 1, 0]))
    assert taken.width == 2.0
    assert np.shape(taken.best.rate) == (3,)
    assert taken.slug == ""


def test_rows_with_other_operators_cannot_be_one_column():
    other = NETS[0].model_copy(update={"operators": NETS[0].operators[:1]})
    with pytest.raises(InputError, match="rows of different families cannot be one knob; split"):
        Net.take([NETS[1], other], np.array([0, 1]))


def test_a_row_without_a_needed_number_is_refused_by_name():
    with pytest.raises(InputError, match="'unfinished' has no known rate"):
        chip("unfinished")


def test_picking_ignores_what_a_record_does_not_ask_for():
    row = toys.CHIPS["tiny"] | {"colour": "green"}
    assert toys.Chip.pick(row) == chip("tiny")


def test_every_knob_is_listed_by_its_path_with_what_is_known_of_it():
    known = knobs(toys.Machine)
    assert list(known)[:4] == ["chip", "link.bandwidth", "link.lanes", "chips"]
    assert known["chip"].catalog == Catalog("toy.chips", "small")
    assert known["chip"].default == "small"
    lanes = known["link.lanes"]
    assert (lanes.unit, lanes.symbol, lanes.text, lanes.default) == (
        "1",
        "l",
        "Lanes side by side.",
        2.0,
    )
    assert lanes.bounds is not None
    assert lanes.bounds.integer


def test_a_default_of_a_whole_group_is_refused_since_knobs_hold_theirs():
    with pytest.raises(TypeError, match=r"Bad\.link: a group takes no default; its knobs do"):
        type("Bad", (Config,), {"__annotations__": {"link": toys.Link}, "link": toys.Link()})


def test_the_bottleneck_is_the_busiest_resource():
    narrow = {"link.bandwidth": 1e9, "link.lanes": 1.0, "chips": 16.0}
    assert toys.price_machine(design("large", narrow)).bottleneck() == "link"
    assert toys.price_machine(design("tiny")).bottleneck() == "chips"
