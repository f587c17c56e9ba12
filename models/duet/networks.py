"""The page's networks, layer by layer and kernel by kernel, from the shapes of their tensors.

What a compiler fuses: convolutions and products of matrices take on the norms (of convolutions)
and element-by-element operators behind them. Poolings, softmax and norms over a token's elements
stay kernels of their own, as TVM's rules have it [memory]. Fusing a share of them fuses every so
many one. A fused sum still reads its second operand.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

from dse.provenance import Number

from .config import DATA
from .graph import Graph, Kernel, Op

GIVEN = {name: number.value for name, number in DATA.parameters.items()}
ELEMENT = GIVEN["element"]


WORK = {name: cast("Number", row["flops"]).value for name, row in DATA.tables["work"].items()}
"""Operations per element of what is no product of matrices."""


def product(inputs: float, outputs: float, rows: float, table: str = "") -> Kernel:
    """Rows of numbers times a matrix."""
    return Kernel(
        flops=2 * rows * inputs * outputs,
        moved=ELEMENT * rows * (inputs + outputs),
        weights=ELEMENT * inputs * outputs,
        table=table,
    )


@dataclass
class Compiler:
    """Kernels of one network; of its element-by-element operators a share is fused."""

    fusion: float
    kernels: list[Kernel] = field(default_factory=list)
    _met: int = 0

    def kernel(self, kernel: Kernel) -> None:
        """A kernel that is never fused into another."""
        self.kernels.append(kernel)

    def behind(self, elements: float, operator: str, *, second: float = 0.0) -> None:
        """An operator on each element of the last kernel's output, and of a second operand."""
        flops = WORK[operator] * elements
        self._met += 1
        if int(self._met * self.fusion) > int((self._met - 1) * self.fusion):
            last = self.kernels[-1]
            self.kernels[-1] = Kernel(
                last.flops + flops, last.moved + ELEMENT * second, last.weights, last.table
            )
        else:
            self.kernels.append(Kernel(flops, ELEMENT * (2 * elements + second)))

    def taken(self) -> tuple[Kernel, ...]:
        """The kernels since the last call."""
        found, self.kernels = tuple(self.kernels), []
        return found


def linear_layers(
    graph: Graph, name: str, source: tuple[str, ...] = (), *, sizes: Iterable[float], rows: float,
    given: float = 0.0,
) -> str:  # fmt: skip
    """Linear layers one after another; the first reads the sources, or what is given [B]."""
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        layer = Op(
            f"{name}.{i}",
            (product(inputs, outputs, rows),),
            out_bytes=ELEMENT * rows * outputs,
            reads=source,
            input_bytes=0.0 if i else given,
        )
        source = (graph.add(layer),)
    return source[0]


def lstm(
    graph: Graph, name: str, source: tuple[str, ...] = (), *, layers: int, hidden: float,
    steps: int, batch: float,
) -> str:  # fmt: skip
    """A grid of cells, word by word and layer by layer; a cell waits for two others.

    A cell reads a word or the state below, its own state and cell, and writes the last two.
    """
    last: dict[int, str] = {}
    for step in range(steps):
        for layer in range(layers):
            below = (last[layer - 1],) if layer else source
            own = (last[layer],) if step else ()
            cell = Kernel(
                flops=2 * batch * 4 * hidden * 2 * hidden,
                moved=ELEMENT * batch * 5 * hidden,
                weights=ELEMENT * 4 * hidden * 2 * hidden,
                table=f"{name}.{layer}",
            )
            op = Op(
                f"{name}.{layer}.{step}",
                (cell,),
                out_bytes=ELEMENT * batch * hidden,
                reads=tuple(dict.fromkeys(below + own)),
                input_bytes=GIVEN["index"] * batch if layer == 0 else 0.0,
            )
            last[layer] = graph.add(op)
    return last[layers - 1]


def answer(
    graph: Graph, name: str, source: tuple[str, ...] = (), *, width: float, words: float,
    batch: float,
) -> str:  # fmt: skip
    """SAN over a pair of sentences: a summary of one, then steps that look at the other.

    A look weighs half of the words and adds them up. A step is a look through a matrix, a GRU of
    three gates over summary and state, and classes over four vectors.
    """
    classes, seen = GIVEN["classes"], words / 2
    look = Kernel(2 * batch * 2 * seen * width, ELEMENT * batch * (seen * width + 2 * width))
    step = (
        product(width, width, batch, f"{name}.look"),
        look,
        product(2 * width, 3 * width, batch, f"{name}.gru"),
        product(4 * width, classes, batch, f"{name}.classes"),
    )
    out = ELEMENT * batch * classes
    count = int(GIVEN["answer_steps"])
    return graph.add(Op(name, (look, *(step * count)), out_bytes=out, reads=source))


@dataclass(frozen=True)
class Map:
    """A picture inside a network."""

    side: int
    channels: int

    @property
    def elements(self) -> float:
        """Numbers of it."""
        return float(self.side**2 * self.channels)


def _convolve(
    into: Map, channels: int, kernel: int, stride: int, batch: float
) -> tuple[Map, Kernel]:
    """A convolution that pads to keep the side at stride 1."""
    out = Map(-(-into.side // stride), channels)
    weights = kernel**2 * into.channels * channels
    return out, Kernel(
        flops=2 * batch * weights * out.side**2,
        moved=ELEMENT * batch * (into.elements + out.elements),
        weights=ELEMENT * weights,
    )


def _normed(
    compiler: Compiler, into: Map, channels: int, kernel: int, stride: int, batch: float,
    *, active: bool = True,
) -> Map:  # fmt: skip
    out, convolution = _convolve(into, channels, kernel, stride, batch)
    compiler.kernel(convolution)
    compiler.behind(batch * out.elements, "norm")
    if active:
        compiler.behind(batch * out.elements, "relu")
    return out


def _block(
    compiler: Compiler, into: Map, width: int, stride: int, batch: float, *, deep: bool
) -> Map:
    """A residual block: its shortcut first, so that the last kernel can take on the sum."""
    channels = 4 * width if deep else width
    if stride > 1 or into.channels != channels:
        _normed(compiler, into, channels, 1, stride, batch, active=False)
    shape: tuple[tuple[int, int, int], ...] = ((width, 3, stride), (width, 3, 1))
    if deep:
        shape = ((width, 1, 1), (width, 3, stride), (channels, 1, 1))
    out = into
    for i, (outputs, kernel, step) in enumerate(shape):
        out = _normed(compiler, out, outputs, kernel, step, batch, active=i + 1 < len(shape))
    compiler.behind(batch * out.elements, "add", second=batch * out.elements)
    compiler.behind(batch * out.elements, "relu")
    return out


def resnet(
    graph: Graph, name: str, source: tuple[str, ...] = (), *, blocks: tuple[int, ...], deep: bool,
    image: int, classes: int, batch: float, fusion: float,
) -> str:  # fmt: skip
    """Stem, four stages of residual blocks, classifier; a block is one operator."""
    compiler = Compiler(fusion)
    picture = Map(image, int(GIVEN["colours"]))
    out = _normed(compiler, picture, 64, 7, 2, batch)
    pooled = Map(-(-out.side // 2), out.channels)
    compiler.kernel(_pooling(out, pooled, 3, batch))
    given = ELEMENT * batch * picture.elements
    stem = Op(f"{name}.stem", compiler.taken(), ELEMENT * batch * pooled.elements, source, given)
    last, out = graph.add(stem), pooled
    for stage, count in enumerate(blocks):
        for i in range(count):
            stride = 2 if stage and not i else 1
            out = _block(compiler, out, 64 << stage, stride, batch, deep=deep)
            size = ELEMENT * batch * out.elements
            last = graph.add(Op(f"{name}.{stage}.{i}", compiler.taken(), size, (last,)))
    compiler.kernel(_pooling(out, Map(1, out.channels), out.side, batch))
    compiler.kernel(product(out.channels, classes, batch))
    return graph.add(Op(f"{name}.end", compiler.taken(), ELEMENT * batch * classes, (last,)))


def _pooling(into: Map, out: Map, window: int, batch: float) -> Kernel:
    return Kernel(
        flops=batch * window**2 * out.elements,
        moved=ELEMENT * batch * (into.elements + out.elements),
    )


def bert(
    graph: Graph, name: str, *, layers: int, width: float, inner: float, heads: float,
    words: float, batch: float, fusion: float,
) -> str:  # fmt: skip
    """Embedding, encoder layers, pooler; an encoder layer is one operator.

    What it puts out is every word's state: heads over pairs read them all.
    """
    compiler, rows = Compiler(fusion), batch * words
    state = rows * width
    compiler.kernel(Kernel(0.0, ELEMENT * 2 * state))
    compiler.behind(state, "add")
    compiler.behind(state, "add")
    compiler.kernel(_token_norm(state))
    given = GIVEN["index"] * rows
    last = graph.add(Op(f"{name}.embedding", compiler.taken(), ELEMENT * state, (), given))
    for layer in range(layers):
        _attend(compiler, width=width, heads=heads, words=words, batch=batch)
        compiler.kernel(product(width, width, rows))
        compiler.behind(state, "add", second=state)
        compiler.kernel(_token_norm(state))
        compiler.kernel(product(width, inner, rows))
        compiler.behind(rows * inner, "gelu")
        compiler.kernel(product(inner, width, rows))
        compiler.behind(state, "add", second=state)
        compiler.kernel(_token_norm(state))
        op = Op(f"{name}.{layer}", compiler.taken(), ELEMENT * state, (last,))
        last = graph.add(op)
    pooler = Op(f"{name}.pooler", (product(width, width, batch),), ELEMENT * state, (last,))
    return graph.add(pooler)


def _attend(compiler: Compiler, *, width: float, heads: float, words: float, batch: float) -> None:
    """Queries, keys and values in one product; scores, softmax, weighted values."""
    state, pairs = batch * words * width, batch * heads * words**2
    compiler.kernel(product(width, 3 * width, batch * words))
    meeting = Kernel(2 * batch * words**2 * width, ELEMENT * (2 * state + pairs))
    compiler.kernel(meeting)
    compiler.kernel(Kernel(WORK["softmax"] * pairs, ELEMENT * 2 * pairs))
    compiler.kernel(meeting)


def _token_norm(state: float) -> Kernel:
    """A norm over the elements of each token."""
    return Kernel(WORK["token_norm"] * state, ELEMENT * 2 * state)
