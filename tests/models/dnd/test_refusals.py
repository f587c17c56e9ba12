"""What cannot be recovered is refused with its reason; a broken rule of the reader is caught."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import simulate
from models.dnd import attributes, induction
from models.dnd.affine import Affine
from models.dnd.assemble import CODE, CONSTANTS, MEMORY, Image
from models.dnd.control_flow import Unsupported, routines
from models.dnd.emulator import FINISHED, Machine
from models.dnd.expressions import Counter
from models.dnd.isa import ISAS as SETS
from models.dnd.lifting import Lifted, Region, lifted
from models.dnd.network import Network, same
from models.dnd.reference import REFERENCE
from models.dnd.summary import Summary
from tests.models.dnd.binaries import ISAS, PLANS, builder, network, recovered

BOTH = pytest.mark.parametrize("compiler", list(PLANS))


def ran(**knobs: object) -> dict[str, float | bool | str]:
    config = simulate.configure(REFERENCE, knobs)
    # Not from the cache: a rule may be broken in this test only.
    return dict(REFERENCE.run.__wrapped__(config))  # type: ignore[attr-defined]


def oblong() -> Network:
    net = builder((2, 8, 8))
    net.conv(4, (3, 5), padding=1)
    return net.network()


def widening() -> Network:
    net = builder((2, 8, 8))
    net.conv(2, (3, 3), stride=2, padding=1)
    net.gemm(40)
    return net.network()


def depthwise() -> Network:
    net = builder((2, 8, 8))
    net.conv(4, (3, 3), padding=1)
    net.depthwise(3)
    return net.network()


@BOTH
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(
    ("make", "words", "back"),
    [
        (oblong, "a kernel that is not square: 3 x 5", 0),
        (widening, "a linear layer that widens: 40 of 32", 1),
        (depthwise, "depthwise: the input moves with the output channel", 1),
    ],
)
def test_what_the_release_cannot_name_is_refused_with_its_reason(
    make: object, words: str, back: int, compiler: str, isa: str
):
    assert callable(make)
    found = recovered(make(), compiler, isa)
    assert found.network() is None
    assert len(found.nodes) == back
    assert any(words in reason for reason in found.reasons)


def test_a_stride_of_3_is_refused_where_the_release_s_padding_is_wrong():
    # Out 2, kernel 5, size 8: (2 3 + 5 - 8 - 1) // 2 = 1, but nothing was padded.
    assert attributes.padding(2, 3, 5, 8) == 1
    net = builder((2, 8, 8))
    net.conv(4, (5, 5), stride=3)
    found = recovered(net.network())
    assert found.network() is None
    assert "padding 1: these do not give the code" in found.reasons[0]


def test_bytes_that_are_no_code_are_refused():
    found = recovered(network("lenet", 28, 8))
    assert not found.reasons
    broken = Image("wide", b"\xff" * 16, b"", 0)
    with pytest.raises(Unsupported, match="starts no instruction"):
        routines(broken)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    channels=st.integers(1, 4),
    side=st.integers(5, 9),
    outputs=st.integers(2, 6),
    kernel=st.tuples(st.sampled_from([1, 2, 3, 5]), st.sampled_from([1, 2, 3, 5])),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    relu=st.booleans(),
    compiler=st.sampled_from(list(PLANS)),
    isa=st.sampled_from(ISAS),
)
def test_a_convolution_comes_back_right_or_not_at_all(
    channels: int,
    side: int,
    outputs: int,
    kernel: tuple[int, int],
    stride: int,
    padding: int,
    relu: bool,
    compiler: str,
    isa: str,
):
    net = builder((3, side, side))
    # The first one tells the shape of what the second one reads.
    net.conv(channels, (3, 3), padding=1)
    net.conv(outputs, kernel, stride=stride, padding=min(padding, min(kernel) - 1))
    if relu:
        net.plain("relu")
    original = net.network()
    recovery = recovered(original, compiler, isa)
    found = recovery.network()
    if found is None:
        assert recovery.reasons
    elif found.nodes[1].kind == "conv":
        assert same(original, found)
    else:
        # A kernel as large as what it reads is a linear layer: the bytes are the same.
        assert kernel == (side, side)


def test_a_padding_that_forgets_the_rest_of_a_stride_is_caught(monkeypatch: pytest.MonkeyPatch):
    def wrong(out: int, stride: int, kernel: int, size: int) -> int:
        return ((out - 1) * stride + kernel - size) // 2

    monkeypatch.setattr(attributes, "padding", wrong)
    # Strides of 1 leave no rest, and LeNet has no other.
    assert ran(network="lenet")["equal"] is True
    found = ran(network="resnet_small")
    assert found["equal"] is False
    assert "padding 0: these do not give the code" in str(found["reason"])


def test_a_wrong_padding_is_a_wrong_network_without_the_check(monkeypatch: pytest.MonkeyPatch):
    net = builder((2, 8, 8))
    net.conv(4, (5, 5), padding=2)
    monkeypatch.setattr(attributes, "padding", lambda *_: 1)
    assert recovered(net.network()).network() is None
    monkeypatch.setattr(attributes, "canonical", lambda effect: None)
    found = recovered(net.network()).network()
    assert found is not None
    assert not same(net.network(), found)


def test_rows_and_columns_swapped_are_caught(monkeypatch: pytest.MonkeyPatch):
    right = attributes.in_order

    def swapped(counters: tuple[Counter, ...], read: Affine) -> list[Counter]:
        found = right(counters, read)
        return [found[0], found[2], found[1]] if len(found) == 3 else found

    monkeypatch.setattr(attributes, "in_order", swapped)
    # The second convolution's kernels come back transposed, and nothing but the bits tells.
    found = ran(network="lenet")
    assert found["recovered_share"] == 1
    assert found["equal"] is False
    assert found["reason"] == "what came back is another network"


def test_a_window_of_1_loses_every_skip():
    found = ran(network="resnet_small", compiler="b", window=1)
    assert found["equal"] is False
    assert "none of the last 1 functions wrote what it reads" in str(found["reason"])
    assert ran(network="lenet", window=1)["equal"] is True


BAND = (
    ("const", (4, 0)),
    ("const", (5, 0)),
    ("const", (6, 0)),
    ("label", (1,)),
    ("floadx", (0, 3, 4)),
    ("const", (7, 0)),
    ("label", (2,)),
    ("floadx", (1, 1, 7)),
    ("add", (28, 5, 7)),
    ("floadx", (2, 2, 28)),
    ("fmadd", (0, 1, 2, 0)),
    ("addc", (7, 7, 1)),
    ("const", (30, 8)),
    ("branchless", (7, 30, 2)),
    ("fstorex", (0, 0, 4)),
    ("add", (5, 5, 6)),
    ("addc", (5, 5, 8)),
    ("addc", (6, 6, 1)),
    ("addc", (4, 4, 1)),
    ("const", (30, 3)),
    ("branchless", (4, 30, 1)),
    ("return", ()),
)
"""Three rows of eight weights at 0, 8 and 17: register 5 moves by 8, then by 9."""
WEIGHTS = 25


def band() -> Image:
    """The machine code of a matrix whose rows are not evenly spaced."""
    isa, code = SETS["wide"], b""
    labels: dict[int, int] = {}
    for name, fields in BAND:
        if name == "label":
            labels[fields[0]] = CODE + len(code)
            continue
        numbers = (*fields[:-1], labels[fields[-1]]) if isa.forms[name].target else fields
        code += isa.encode(name, numbers, CODE + len(code))
    weights = builder((1, 1, 1)).rng.standard_normal(WEIGHTS + 3).astype("<f4")
    return Image("wide", code, weights.tobytes(), 256)


def taken_apart() -> Lifted:
    image = band()
    places = MEMORY, MEMORY + 128, CONSTANTS, CONSTANTS + 4 * WEIGHTS
    arguments = {f"r{number}": Affine(place) for number, place in enumerate(places)}
    effects = Summary(routines(image)[CODE]).effects(arguments)
    return lifted(effects, Region(CONSTANTS, CONSTANTS + len(image.constants)))


def test_a_variable_without_a_constant_step_is_no_induction_variable():
    with pytest.raises(Unsupported, match="no sum of multiples of loop counters"):
        taken_apart()


def test_accepting_steps_that_are_not_constant_gives_a_wrong_matrix(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(induction, "constant_step", lambda difference: difference.constant)
    found = taken_apart()
    assert found.kind == "gemm"
    assert found.weight is not None
    # The third row is believed to start at 16, but the machine reads it from 17.
    machine, read = Machine(band()), found.weight.address
    (rows,) = [name for name, extent in found.effect.counters if extent == 3]
    believed = read.constant + 2 * read.coefficient(rows)
    machine.integers[:4] = [MEMORY, MEMORY + 128, CONSTANTS, CONSTANTS + 4 * WEIGHTS]
    machine.memory[(MEMORY + 128) // 4] = 1.0
    machine.run()
    third, bias = machine.memory[MEMORY // 4 + 2], machine.memory[CONSTANTS // 4 + WEIGHTS + 2]
    assert machine.returns == []
    assert FINISHED == -1
    assert abs(third - bias - machine.memory[believed // 4]) > 1e-3
    assert abs(third - bias - machine.memory[believed // 4 + 1]) < 1e-6
