"""Instruction sets, and the parts of the reader, one by one."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dnd.affine import Affine
from models.dnd.control_flow import Unsupported, dispatcher, routines
from models.dnd.encoding import Undecodable
from models.dnd.expressions import (
    Effect,
    Group,
    Load,
    Number,
    gated,
    group,
    reduced,
    rerolled,
    without,
)
from models.dnd.induction import last
from models.dnd.isa import ISAS
from models.dnd.normal import canonical, merged
from models.dnd.topology import Buffers, lowest
from tests.models.dnd.binaries import compiled, network

properties = settings(derandomize=True, deadline=None, max_examples=60)
N = Affine.name


@pytest.mark.parametrize("name", list(ISAS))
@properties
@given(data=st.data())
def test_every_instruction_is_decoded_as_it_was_encoded(name: str, data: st.DataObject):
    isa, address = ISAS[name], 0x10000
    chosen = data.draw(st.sampled_from(isa.names))
    form = isa.forms[chosen]
    fields = [
        data.draw(
            st.integers(0, 2**w - 1) if w > 0 else st.integers(-(2 ** (-w - 1)), 2 ** (-w - 1) - 1)
        )
        for w in form.widths
    ]
    if form.target and isa.relative:
        fields[-1] = fields[-1] * isa.unit + address
    code = isa.encode(chosen, fields, address)
    found, size, steps = isa.decode(code, 0, address)
    assert (found, size, steps) == (chosen, len(code), form.lift(*fields))


def test_the_three_sets_differ_in_registers_lengths_and_addresses():
    lengths = {name: {isa.length(one) for one in isa.names} for name, isa in ISAS.items()}
    assert lengths == {
        "narrow": {2, 4},
        "wide": {4},
        "vary": {1, 2, 3, 5, 6, 7, 8} & lengths["vary"],
    }
    assert len(lengths["vary"]) >= 5
    assert [isa.registers for isa in ISAS.values()] == [8, 32, 16]
    forms = {(isa.indexes, isa.displaces) for isa in ISAS.values()}
    assert forms == {(False, False), (True, False), (True, True)}


@pytest.mark.parametrize("isa", list(ISAS.values()), ids=list(ISAS))
def test_a_byte_that_starts_no_instruction_is_told(isa: object):
    found = next(one for one in ISAS.values() if one is isa)
    with pytest.raises(Undecodable):
        found.decode(bytes(8), 0, 0)


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(OverflowError, match="does not fit into 8 bits"):
        ISAS["narrow"].encode("const", (0, 256), 0)


@pytest.mark.parametrize("isa", list(ISAS))
def test_a_convolution_s_loops_are_nested_as_deep_as_they_were_written(isa: str):
    # Out-channel, row, column, in-channel, kernel row, kernel column.
    found = routines(compiled(network("lenet", 28, 8), "a", isa)[0])
    first = found[dispatcher(found).calls()[0]]
    assert first.depth() == 6
    assert len(first.loops) == 6
    headers = sorted(first.loops.values(), key=lambda loop: len(loop.blocks))
    assert all(a.blocks < b.blocks for a, b in pairwise(headers))


def test_the_helper_that_clears_the_answer_is_no_operator():
    found = routines(compiled(network("lenet", 28, 8), "b", "wide")[0])
    chosen = dispatcher(found)
    assert len(chosen.calls()) == 5
    # Entry, helper, five operators and the inference function.
    assert len(found) == 8


def test_a_dispatcher_must_be_the_only_one():
    found = routines(compiled(network("lenet", 28, 8), "b", "wide")[0])
    alone = {entry: one for entry, one in found.items() if entry != dispatcher(found).entry}
    with pytest.raises(Unsupported, match="no function calls more operators"):
        dispatcher({entry: one for entry, one in alone.items() if not one.calls()})


@pytest.mark.parametrize(
    ("start", "slope", "answer"), [(-27, 1, 27), (-7, 2, 4), (0, 1, 0), (3, -1, 0)]
)
def test_trips_are_the_first_iteration_whose_test_leaves(start: int, slope: int, answer: int):
    assert last([N("n") * slope + start], "n") == answer


def test_a_loop_that_depends_on_another_counter_has_no_constant_trips():
    with pytest.raises(Unsupported, match="no constant"):
        last([N("n") - N("m")], "n")


def test_unrolled_terms_become_a_counter_whatever_their_order():
    terms = [Load(N("i") * 16 + 4 * place) for place in (3, 1, 0, 2)]
    found = rerolled("sum", group("sum", *terms), "u")
    assert found == reduced("sum", (("u", 4),), Load(N("i") * 16 + N("u") * 4))


def test_terms_that_are_not_evenly_spaced_stay_apart():
    whole = group("sum", *(Load(N("i") + place) for place in (0, 4, 12)))
    assert rerolled("sum", whole, "u") == whole


def test_tiles_merge_only_where_every_address_allows_it():
    even = Effect(N("a") * 32 + N("b") * 4, Load(N("a") * 64 + N("b") * 8), (("a", 4), ("b", 8)))
    assert merged(even) == Effect(N("b") * 4, Load(N("b") * 8), (("b", 32),))
    odd = Effect(even.address, Load(N("a") * 65 + N("b") * 8), even.counters)
    assert merged(odd) == odd


@properties
@given(tile=st.sampled_from([1, 2, 4]), rows=st.integers(1, 5), scale=st.integers(1, 9))
def test_a_tiled_loop_has_the_form_of_the_plain_one(tile: int, rows: int, scale: int):
    plain = Effect(N("r") * 4, Load(N("r") * (4 * scale)), (("r", rows * tile),))
    row = N("t") * tile + N("i")
    tiled = Effect(row * 4, Load(row * (4 * scale)), (("t", rows), ("i", tile)))
    kept = tuple(one for one in tiled.counters if one[1] > 1)
    one = Effect(
        tiled.address if len(kept) == 2 else plain.address,
        tiled.value if len(kept) == 2 else plain.value,
        kept if len(kept) == 2 else plain.counters,
    )
    assert canonical(one) == canonical(plain)


def test_tests_that_always_hold_are_dropped():
    inside = gated((N("i"), N("i") * -1 + 9), Load(N("i") * 4))
    plain = Effect(N("i") * 4, Load(N("i") * 4), (("i", 10),))
    assert canonical(Effect(plain.address, inside, plain.counters)) == canonical(plain)
    narrow = gated((N("i") * -1 + 8,), Load(N("i") * 4))
    assert canonical(Effect(plain.address, narrow, plain.counters)) != canonical(plain)


def test_only_an_accumulation_has_a_rest():
    held, more = Load(Affine(4)), Load(Affine(8))
    assert without(group("sum", held, more), held) == ("sum", more)
    assert without(group("product", held, more), held) is None
    assert without(more, held) is None
    assert group("max", Number(-3.5e38), more) == more
    assert isinstance(group("sum", held, more), Group)


def test_the_lowest_address_heeds_the_tests():
    # Row r - 2 of rows of 28, for a kernel of 5: the first that is read is row 0.
    read, sizes = Load((N("o") + N("k") - 2) * 28), {"o": 28, "k": 5}
    assert lowest(read, (), sizes) == -56
    assert lowest(read, (N("o") + N("k") - 2,), sizes) == 0


def test_the_last_writer_of_a_buffer_is_read():
    found = Buffers(window=3)
    assert found.source(100) == -1
    found.written += [(200, 0), (300, 1), (200, 2), (400, None)]
    assert found.source(200) == 2
    assert found.source(100) == -1
    with pytest.raises(Unsupported, match="not recovered"):
        found.source(400)
    found.written.append((500, 4))
    assert found.source(200) == 2
    with pytest.raises(Unsupported, match="none of the last 3"):
        found.source(300)
