"""A network as a graph of operators, and its partition into phases and subgraphs.

An operator is a layer or a block that no scheduler would split; its kernels run one after another.
An operator that every way from inputs to outputs passes is a cut. Between two cuts that follow one
another the rest falls apart into branches: two or more of them are a multi-path phase, a subgraph
each. Everything between two such phases is one sequential phase, a single subgraph.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kernel:
    """One start of a kernel: what it does, and what it reads and writes in memory."""

    flops: float
    moved: float
    """Bytes of activations, read and written."""
    weights: float = 0.0
    """Bytes of parameters."""
    table: str = ""
    """Name of the parameters, where another kernel reads the same ones."""


@dataclass(frozen=True)
class Op:
    """An operator of the graph."""

    name: str
    kernels: tuple[Kernel, ...]
    out_bytes: float
    reads: tuple[str, ...] = ()
    """Operators whose outputs it reads."""
    input_bytes: float = 0.0
    """What it reads of the model's inputs."""


@dataclass(frozen=True)
class Subgraph:
    """Operators that run on one device, in order."""

    ops: tuple[Op, ...]
    reads: frozenset[int]
    """Subgraphs whose outputs it reads."""
    out_bytes: float
    """What others read of it, or what the network puts out."""
    input_bytes: float


@dataclass(frozen=True)
class Partition:
    """Subgraphs of a network and the phases they run in, both in order."""

    subgraphs: tuple[Subgraph, ...]
    phases: tuple[tuple[int, ...], ...]


class Graph:
    """Operators in an order in which each reads earlier ones only."""

    def __init__(self, ops: Iterable[Op] = ()) -> None:
        self.ops: list[Op] = []
        self._places: dict[str, int] = {}
        for op in ops:
            self.add(op)

    def add(self, op: Op) -> str:
        """Append an operator whose sources are there; its name."""
        if missing := [name for name in op.reads if name not in self._places]:
            raise ValueError(f"'{op.name}' reads {missing}, which must come before it")
        if op.name in self._places:
            raise ValueError(f"'{op.name}' stands in the graph already")
        self._places[op.name] = len(self.ops)
        self.ops.append(op)
        return op.name

    def edges(self) -> list[tuple[int, int]]:
        """Pairs of places: who is read, by whom."""
        return [(self._places[one], i) for i, op in enumerate(self.ops) for one in op.reads]

    def sinks(self) -> set[int]:
        """Places of the operators that nobody reads: the network's outputs."""
        return set(range(len(self.ops))) - {source for source, _ in self.edges()}


def cuts(graph: Graph) -> list[int]:
    """Places that every way from the inputs to the outputs passes.

    A place is none if an edge jumps over it. Inputs stand before the first operator and outputs
    after the last, so an operator without sources is reached from the one, and a sink reaches the
    other.
    """
    first, last = -1, len(graph.ops)
    edges = graph.edges()
    edges += [(first, i) for i, op in enumerate(graph.ops) if not op.reads]
    edges += [(i, last) for i in graph.sinks()]
    reach = [first] * (last + 1)
    for source, reader in edges:
        reach[source + 1] = max(reach[source + 1], reader)
    found, furthest = [], first
    for place in range(last):
        furthest = max(furthest, reach[place])
        if furthest <= place:
            found.append(place)
    return found


def branches(graph: Graph, region: Sequence[int]) -> list[list[int]]:
    """The parts of a region that no edge inside it joins, in the order of their first places."""
    parent = {place: place for place in region}

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = place = parent[parent[place]]
        return place

    for source, reader in graph.edges():
        if source in parent and reader in parent:
            one, other = sorted((root(source), root(reader)))
            parent[other] = one
    found: dict[int, list[int]] = {}
    for place in region:
        found.setdefault(root(place), []).append(place)
    return list(found.values())


def partition(graph: Graph) -> Partition:
    """Sequential and multi-path phases by turns, and the subgraphs in them."""
    phases: list[list[list[int]]] = []
    stretch: list[int] = []
    before = -1
    for cut in [*cuts(graph), len(graph.ops)]:
        region = range(before + 1, cut)
        parts = branches(graph, region) if region else []
        if len(parts) > 1:
            phases += [[stretch]] if stretch else []
            phases.append(parts)
            stretch = []
        else:
            stretch += region
        stretch += [cut] if cut < len(graph.ops) else []
        before = cut
    phases += [[stretch]] if stretch else []
    return _assembled(graph, phases)


def _assembled(graph: Graph, phases: Iterable[Iterable[Sequence[int]]]) -> Partition:
    """Subgraphs with what passes between them."""
    numbered: list[Sequence[int]] = []
    rows = []
    for phase in phases:
        rows.append(tuple(range(len(numbered), len(numbered) + len(list(phase)))))
        numbered += phase
    owner = {place: number for number, places in enumerate(numbered) for place in places}
    outer = [(source, owner[reader]) for source, reader in graph.edges()]
    outer = [(source, number) for source, number in outer if owner[source] != number]
    leaving = {source for source, _ in outer} | graph.sinks()
    subgraphs = [
        Subgraph(
            ops=tuple(graph.ops[place] for place in places),
            reads=frozenset(owner[source] for source, reader in outer if reader == number),
            out_bytes=sum(graph.ops[place].out_bytes for place in places if place in leaving),
            input_bytes=sum(graph.ops[place].input_bytes for place in places),
        )
        for number, places in enumerate(numbered)
    ]
    return Partition(tuple(subgraphs), tuple(rows))
