"""From the bytes of an image to a network: the whole way, or the reason why not.

The reader knows the instruction set and where code, constants and memory are mapped. It never
sees the network that was compiled.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .affine import Affine
from .assemble import CONSTANTS, Image
from .attributes import Known, known
from .control_flow import Routine, Unsupported, dispatcher, routines
from .lifting import Lifted, Region, lifted
from .machine import ARGUMENTS
from .network import INPUT, Network, Node, Shape, output_shape
from .parameters import read
from .summary import Summary, arguments
from .topology import Buffers, bases


@dataclass(frozen=True)
class Effort:
    """What one function took."""

    kind: str
    """Empty where nothing was recovered."""
    instructions: int
    loops: int
    depth: int
    identified: int
    """Instructions that were executed symbolically to find induction variables."""
    extracted: int
    """Instructions that were executed symbolically to find what is stored."""

    def steps(self) -> int:
        """Instructions that were executed symbolically."""
        return self.identified + self.extracted


@dataclass
class Recovery:
    """What came back."""

    nodes: list[Node] = field(default_factory=list)
    shape: Shape | None = None
    """Of the network's input."""
    reasons: list[str] = field(default_factory=list)
    """Why functions were not recovered, in the order they are called."""
    efforts: list[Effort] = field(default_factory=list)

    def network(self) -> Network | None:
        """The network, if all of it came back."""
        if self.reasons or self.shape is None:
            return None
        return Network(self.shape, tuple(self.nodes))


def decompiled(image: Image, window: int) -> Recovery:
    """The network of an image, as far as it can be told; `window` is how far skips reach."""
    recovery = Recovery()
    try:
        functions = routines(image)
        calls = arguments(dispatcher(functions), ARGUMENTS)
    except Unsupported as reason:
        recovery.reasons.append(str(reason))
        return recovery
    reader = _Reader(image, recovery, Buffers(window))
    for number, (entry, registers) in enumerate(calls):
        try:
            reader.take(functions[entry], registers)
        except Unsupported as reason:
            recovery.reasons.append(f"function {number}: {reason}")
    return recovery


class _Reader:
    """Recovers one function after another."""

    def __init__(self, image: Image, recovery: Recovery, buffers: Buffers) -> None:
        """Start with nothing."""
        self.image, self.recovery, self.buffers = image, recovery, buffers
        self.region = Region(CONSTANTS, CONSTANTS + len(image.constants))
        self.shapes: dict[int, Shape] = {}

    def take(self, routine: Routine, registers: dict[str, Affine]) -> None:
        """Recover one function, and note what it took in any case."""
        summary, kind, place = Summary(routine), "", None
        base: int | None = None
        try:
            found = lifted(summary.effects(registers), self.region)
            base = found.effect.address.constant
            place = self._recovered(found)
            kind = found.kind
        finally:
            if base is not None:
                self.buffers.written.append((base, place))
            self.recovery.efforts.append(
                Effort(
                    kind=kind,
                    instructions=len(routine.instructions),
                    loops=len(routine.loops),
                    depth=routine.depth(),
                    identified=summary.identified,
                    extracted=summary.extracted,
                )
            )

    def _recovered(self, found: Lifted) -> int:
        """Topology, attributes and parameters; the place of the last node."""
        starts = bases(found)
        if found.effect.address.constant in starts and found.kind != "relu":
            raise Unsupported(f"{found.kind} reads what it writes")
        inputs = tuple(self.buffers.source(start) for start in starts)
        shapes = {self.shapes.get(place) for place in inputs}
        if len(shapes) > 1:
            raise Unsupported(f"{found.kind} of buffers of different shapes")
        answer = known(found, starts[0], shapes.pop())
        if INPUT in inputs and INPUT not in self.shapes:
            self.shapes[INPUT] = self.recovery.shape = answer.given
        node = self._filled(replace(answer.node, inputs=inputs), found, answer)
        self._add(node, answer)
        if found.fused:
            self._add(Node("relu", (len(self.recovery.nodes) - 1,)), answer)
        return len(self.recovery.nodes) - 1

    def _add(self, node: Node, answer: Known) -> None:
        place = len(self.recovery.nodes)
        before = self.shapes.get(node.inputs[0], answer.given)
        self.shapes[place] = output_shape(node, before)
        self.recovery.nodes.append(node)

    def _filled(self, node: Node, found: Lifted, answer: Known) -> Node:
        """A node with its parameters, if it has any."""
        if found.weight is None or found.bias is None:
            return node
        constants, channels = (self.image.constants, CONSTANTS), answer.channels
        window = (answer.given[0], *node.kernel) if node.kind == "conv" else (-1,)
        weight = read(*constants, found.weight, (*channels, *answer.reduced))
        return replace(
            node,
            weight=weight.reshape(len(node.bias), *window),
            bias=read(*constants, found.bias, channels),
        )
