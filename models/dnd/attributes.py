"""Attributes of an operator: kernel, stride, padding, and the check that they say the same.

Each is read by the rules of the released tool where they are safe. Then the store that the
attributes stand for is written down and must equal the store that was found, so that a network
that breaks a rule is refused rather than recovered wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, prod

import numpy as np

from .affine import Affine
from .control_flow import Unsupported
from .expressions import (
    Counter,
    Effect,
    Expression,
    Group,
    Load,
    Number,
    gated,
    group,
    reduced,
    replaced,
)
from .lifting import Lifted
from .machine import WORD
from .network import Node, Shape, output_shape
from .normal import canonical, ranked


@dataclass(frozen=True)
class Known:
    """What a node is, the shape it reads, and the order of its counters in the weights."""

    node: Node
    given: Shape
    channels: tuple[Counter, ...] = ()
    reduced: tuple[Counter, ...] = ()


def padding(out: int, stride: int, kernel: int, size: int) -> int:
    """The tool's formula; it is one too large where a stride of 3 or more leaves no rest.

    >>> padding(28, 1, 5, 28)
    2
    """
    return (out * stride + kernel - size - 1) // 2


def in_order(counters: Sequence[Counter], read: Affine) -> list[Counter]:
    """In-channel, height, width: the further a counter moves the input, the slower it is."""
    return ranked(counters, read)


def known(found: Lifted, base: int, given: Shape | None) -> Known:
    """Attributes of an operator.

    Args:
        found: what was lifted.
        base: address of the buffer it reads.
        given: shape of that buffer, if it is known; the network's input tells it by its use.

    Raises:
        Unsupported: the attributes cannot be told, or do not say what the code does.
    """
    rules = {"conv": _convolution, "gemm": _linear, "maxpool": _pooling, "avgpool": _pooling}
    answer = rules.get(found.kind, _flat)(found, given)
    expected = Effect(*written(answer, found, base))
    if canonical(expected) != canonical(found.effect):
        node = answer.node
        size = f"{node.kernel[0]} x {node.kernel[1]}, stride {node.stride}, padding {node.padding}"
        raise Unsupported(f"{found.kind} of {size}: these do not give the code that was found")
    return answer


def _channels(found: Lifted) -> list[Counter]:
    """Counters of the output channel, the slowest first."""
    weight = found.weight
    names = weight.address.names() if weight else set()
    chosen = [counter for counter in found.effect.counters if counter[0] in names]
    return ranked(chosen, found.effect.address)


def _places(found: Lifted) -> list[Counter]:
    """Counters of rows and columns of the output."""
    channels = _channels(found)
    rest = [counter for counter in found.effect.counters if counter not in channels]
    return ranked(rest, found.effect.address)


def _square(size: int) -> int:
    side = isqrt(size)
    if side * side != size:
        raise Unsupported("a feature map that is not square")
    return side


def _stride(read: Affine, column: Counter) -> int:
    """How far one column of the output moves the input."""
    stride = read.coefficient(column[0]) // WORD
    if stride < 1:
        raise Unsupported("places of the output that do not move the input")
    return stride


def _kernel(counters: list[Counter]) -> int:
    """Side of the kernel whose rows and columns these are."""
    (_, height), (_, width) = counters
    if height != width:
        raise Unsupported(f"a kernel that is not square: {height} x {width}")
    return height


def _convolution(found: Lifted, given: Shape | None) -> Known:
    """Out-channel counters are in the store, in-channel ones are not; the rest is the kernel."""
    channels, places = _channels(found), _places(found)
    moved = found.reads[0].address
    inner = in_order(found.counters, moved)
    deep = inner[:1] if len(inner) in {1, 3} else []
    kernel = _kernel(inner[-2:]) if len(inner) > 1 else 1
    if len(inner) > 3 or len(places) > 2:
        raise Unsupported(f"{len(inner) + len(places)} counters beside the output channel")
    inputs = prod(extent for _, extent in deep)
    given = given or _shape(found, inner, inputs)
    if inputs != given[0]:
        raise Unsupported(
            f"a kernel that is not square, or groups: {inputs} of {given[0]} input channels"
        )
    out = places[0][1] if len(places) == 2 else _square(places[0][1])
    stride = _stride(moved, places[-1])
    pad = padding(out, stride, kernel, given[1])
    outputs = prod(extent for _, extent in channels)
    node = Node("conv", (), (kernel, kernel), stride, pad, bias=np.zeros(outputs, np.float32))
    return Known(node, given, tuple(channels), tuple(inner))


def _shape(found: Lifted, inner: list[Counter], inputs: int) -> Shape:
    """The network's input by its use: rows and channels move its address by their size."""
    moved = found.reads[0].address
    if len(inner) == 1:
        side = _square(moved.coefficient(inner[0][0]) // WORD)
    else:
        side = moved.coefficient(inner[-2][0]) // WORD
    return inputs, side, side


def _linear(found: Lifted, given: Shape | None) -> Known:
    """Rows and columns of the matrix are told apart by their size."""
    channels, inner = _channels(found), in_order(found.counters, found.reads[0].address)
    outputs, inputs = (prod(extent for _, extent in one) for one in (channels, inner))
    if outputs > inputs:
        raise Unsupported(f"a linear layer that widens: {outputs} of {inputs}")
    given = given or (inputs, 1, 1)
    if prod(given) != inputs:
        raise Unsupported(f"a linear layer of {inputs} on {prod(given)} values")
    node = Node("gemm", (), bias=np.zeros(outputs, np.float32))
    return Known(node, given, tuple(channels), tuple(inner))


def _pooling(found: Lifted, given: Shape | None) -> Known:
    """The kernel's side and the stride of its columns; the kernel's side if there is one place."""
    if given is None:
        raise Unsupported(f"{found.kind} on a buffer of unknown shape")
    moved = found.reads[0].address
    inner = in_order(found.counters, moved)
    if len(inner) == 1 and inner[0][1] == given[1] * given[2]:
        kernel = _square(inner[0][1])
    elif len(inner) == 2:
        kernel = _kernel(inner)
    else:
        raise Unsupported(f"a pooling of {len(inner)} counters")
    places = ranked(found.effect.counters, found.effect.address)
    alone = prod(extent for _, extent in places) == given[0]
    stride = kernel if alone else _stride(moved, places[-1])
    if found.kind == "avgpool" and np.float32(found.share) != np.float32(1 / kernel**2):
        raise Unsupported(f"a sum of {kernel**2} that is not their mean")
    return Known(Node(found.kind, (), (kernel, kernel), stride), given)


def _flat(found: Lifted, given: Shape | None) -> Known:
    """An operator that treats every element alike."""
    if given is None:
        raise Unsupported(f"{found.kind} on a buffer of unknown shape")
    return Known(Node(found.kind, ()), given)


def _counter(name: str, scale: int = 1) -> Affine:
    return Affine.name(name) * (scale * WORD)


def written(
    answer: Known, found: Lifted, base: int
) -> tuple[Affine, Expression, tuple[Counter, ...]]:
    """The store that attributes stand for: address, value without weights, counters."""
    node, given = answer.node, answer.given
    out = output_shape(node, given)
    start = found.effect.address.constant
    if node.kind in {"conv", "maxpool", "avgpool"}:
        value = _window(answer, found, base)
        place = _counter("oc", out[1] * out[2]) + _counter("oh", out[2]) + _counter("ow") + start
        counters = tuple(zip(("oc", "oh", "ow"), out, strict=True))
        for name in (name for name, size in counters if size == 1):
            place, value = place.replaced(name, 0), replaced(value, name, 0)
        return place, value, tuple(one for one in counters if one[1] > 1)
    size = prod(out)
    place = _counter("oc") + start
    return place, _elements(answer, found, base), (("oc", size),)


def _bias(found: Lifted) -> Load:
    if found.bias is None:
        raise Unsupported(f"{found.kind} without a bias")
    return Load(_counter("oc") + found.bias.address.constant)


def _window(answer: Known, found: Lifted, base: int) -> Expression:
    node, (channels, height, width) = answer.node, answer.given
    kernel, pad = node.kernel, node.padding
    row, column = (
        Affine.name(f"o{side}") * node.stride + Affine.name(f"k{side}") - pad for side in "hw"
    )
    deep = Affine.name("ic" if node.kind == "conv" else "oc")
    pixel = Load((deep * (height * width) + row * width + column) * WORD + base)
    sides = ("kh", kernel[0]), ("kw", kernel[1])
    if node.kind == "conv":
        tests = (row, row * -1 + (height - 1), column, column * -1 + (width - 1)) if pad else ()
        total = reduced("sum", (("ic", channels), *sides), gated(tests, pixel))
        return group("sum", _bias(found), total)
    op = "max" if node.kind == "maxpool" else "sum"
    value = reduced(op, sides, pixel)
    return value if op == "max" else group("product", Number(found.share), value)


def _elements(answer: Known, found: Lifted, base: int) -> Expression:
    """What one element is of operators that have no windows."""
    size, here, there = prod(answer.given), _counter("oc"), _counter("ic")
    every = (("ic", size),)
    match answer.node.kind:
        case "gemm":
            return group("sum", _bias(found), reduced("sum", every, Load(there + base)))
        case "relu":
            return group("max", Load(here + base), Number(0.0))
        case "add":
            starts = [read.address.constant for read in found.reads]
            return group("sum", *(Load(here + start) for start in starts))
    largest = group("product", Number(-1.0), reduced("max", every, Load(there + base)))
    one, all_of_them = (
        Group("exp", (group("sum", Load(place + base), largest),)) for place in (here, there)
    )
    return Group("div", (one, reduced("sum", every, all_of_them)))
