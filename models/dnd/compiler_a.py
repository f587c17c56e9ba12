"""Compiler A: direct loop nests, an operator a function, sums kept in the output buffer."""

from .affine import Affine
from .loops import (
    LOWEST,
    Apply,
    Assign,
    Call,
    Literal,
    Local,
    Loop,
    Nest,
    Plan,
    Read,
    Statement,
    Value,
    Write,
    counter,
    guarded,
    nested,
    rectified,
)
from .network import Network, Node, Shape, output_shape, shapes

PLAN = Plan()
"""Nothing is split, tiled, unrolled, fused or given back."""


def compiled(network: Network) -> list[Call]:
    """Functions in the order of the network."""
    found = shapes(network)
    return [
        Call(
            nest(node, found[node.inputs[0]]),
            place,
            node.inputs,
            (node.weight, node.bias) if node.weight.size else (),
        )
        for place, node in enumerate(network.nodes)
    ]


def nest(node: Node, given: Shape) -> Nest:
    """Loop nest of one operator."""
    match node.kind:
        case "conv" | "depthwise":
            return Nest(("out", "in", "weight", "bias"), _convolution(node, given))
        case "gemm":
            return Nest(("out", "in", "weight", "bias"), _linear(node, given))
        case "maxpool":
            return Nest(("out", "in"), _pooling(node, given, "max", LOWEST, 1.0))
        case "avgpool":
            share = 1 / (node.kernel[0] * node.kernel[1])
            return Nest(("out", "in"), _pooling(node, given, "add", 0.0, share))
        case "softmax":
            return Nest(("out", "in"), exponentials(given[0] * given[1] * given[2]))
    return Nest(("out", "in", "other")[: 1 + len(node.inputs)], _flat(node, given))


def window(node: Node) -> tuple[Affine, Affine]:
    """Row and column of the input under a place of the kernel."""
    row = counter("oh", node.stride) + counter("kh") - node.padding
    column = counter("ow", node.stride) + counter("kw") - node.padding
    return row, column


def tests(node: Node, given: Shape) -> list[tuple[Affine, int]]:
    """What keeps a padded window inside the input."""
    row, column = window(node)
    return [(row, given[1]), (column, given[2])] if node.padding else []


def _accumulated(index: Affine, op: str, value: Value) -> Write:
    return Write("out", index, Apply(op, (Read("out", index), value)))


def _convolution(node: Node, given: Shape) -> tuple[Statement, ...]:
    channels, height, width = given
    out = output_shape(node, given)
    deep = node.kind == "depthwise"
    kernel = ("kh", node.kernel[0]), ("kw", node.kernel[1])
    place = counter("oc", out[1] * out[2]) + counter("oh", out[2]) + counter("ow")
    row, column = window(node)
    channel = counter("oc" if deep else "ic")
    pixel = Read("in", channel * (height * width) + row * width + column)
    inside = counter("kh", node.kernel[1]) + counter("kw")
    area = node.kernel[0] * node.kernel[1]
    filters = counter("oc", area) if deep else counter("oc", channels * area) + channel * area
    product = Apply("mul", (pixel, Read("weight", filters + inside)))
    summed = guarded(tests(node, given), [_accumulated(place, "add", product)])
    reduced = kernel if deep else (("ic", channels), *kernel)
    start = Write("out", place, Read("bias", counter("oc")))
    return nested(
        (("oc", out[0]), ("oh", out[1]), ("ow", out[2])), (start, *nested(reduced, summed))
    )


def _linear(node: Node, given: Shape) -> tuple[Statement, ...]:
    size = given[0] * given[1] * given[2]
    place = counter("o")
    product = Apply(
        "mul", (Read("in", counter("i")), Read("weight", counter("o", size) + counter("i")))
    )
    start = Write("out", place, Read("bias", place))
    summed = Loop("i", size, (_accumulated(place, "add", product),))
    return nested((("o", len(node.bias)),), (start, summed))


def _pooling(
    node: Node, given: Shape, op: str, start: float, share: float
) -> tuple[Statement, ...]:
    out = output_shape(node, given)
    place = counter("oc", out[1] * out[2]) + counter("oh", out[2]) + counter("ow")
    row, column = window(node)
    pixel = Read("in", counter("oc", given[1] * given[2]) + row * given[2] + column)
    kernel = ("kh", node.kernel[0]), ("kw", node.kernel[1])
    body: list[Statement] = [Write("out", place, Literal(start))]
    body += nested(kernel, [_accumulated(place, op, pixel)])
    if share != 1:
        body.append(Write("out", place, Apply("mul", (Read("out", place), Literal(share)))))
    return nested((("oc", out[0]), ("oh", out[1]), ("ow", out[2])), body)


def _flat(node: Node, given: Shape) -> tuple[Statement, ...]:
    place = counter("i")
    first = Read("in", place)
    value = (
        rectified(first) if node.kind == "relu" else Apply("add", (first, Read("other", place)))
    )
    return nested((("i", given[0] * given[1] * given[2]),), [Write("out", place, value)])


def exponentials(size: int) -> tuple[Statement, ...]:
    """The largest value, then exponentials and their sum, then shares."""
    place = counter("i")
    values, written = Read("in", place), Read("out", place)
    power = Apply("exp", (Apply("sub", (values, Local("top"))),))
    return (
        Assign("top", Literal(LOWEST)),
        Loop("i", size, (Assign("top", Apply("max", (Local("top"), values))),)),
        Assign("sum", Literal(0.0)),
        Loop(
            "i",
            size,
            (
                Write("out", place, power),
                Assign("sum", Apply("add", (Local("sum"), written))),
            ),
        ),
        Loop("i", size, (Write("out", place, Apply("div", (written, Local("sum")))),)),
    )
