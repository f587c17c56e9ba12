"""DUET's partition against ways through the graph, edge by edge."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry
from models.duet.graph import Graph, Op, branches, cuts, partition
from models.duet.reference import REFERENCE, network

properties = settings(derandomize=True, deadline=None, max_examples=80)
seeds = st.integers(0, 10**6)


def graph(*edges: str, names: str) -> Graph:
    """A graph of one-letter operators; the edge `ab` says that b reads a."""
    reads = {name: tuple(edge[0] for edge in edges if edge[1] == name) for name in names}
    return Graph([Op(name, (), 1.0, reads[name], input_bytes=1.0) for name in names])


def shape(found: Graph) -> list[list[str]]:
    """Names of the operators of each subgraph, phase by phase."""
    parts = partition(found)
    return [
        ["".join(op.name for op in parts.subgraphs[i].ops) for i in row] for row in parts.phases
    ]


def drawn(seed: int) -> Graph:
    """Up to ten operators in order, an edge from each to a later one with a random chance."""
    rng = np.random.default_rng(seed)
    names = "abcdefghij"[: rng.integers(1, 11)]
    chance = rng.random()
    edges = [a + b for a in names for b in names if a < b and rng.random() < chance]
    return graph(*edges, names=names)


def test_a_chain_is_one_subgraph():
    assert shape(graph("ab", "bc", names="abc")) == [["abc"]]


def test_a_stretch_a_fork_and_a_join():
    found = graph("ab", "bc", "bd", "ce", "df", "eg", "fg", names="abcdefg")
    assert shape(found) == [["ab"], ["ce", "df"], ["g"]]


def test_inputs_fork_and_outputs_join_without_an_operator_there():
    assert shape(graph("ac", "bd", names="abcd")) == [["ac", "bd"]]


def test_a_shortcut_alone_is_no_branch():
    # As in a residual block: c reads a beside b. Only b stands between the cuts a and c.
    assert shape(graph("ab", "bc", "ac", "cd", names="abcd")) == [["abcd"]]


def test_what_forks_inside_a_branch_stays_in_it():
    found = graph("ab", "ac", "bd", "be", "df", "ef", "fg", "cg", names="abcdefg")
    assert shape(found) == [["a"], ["bdef", "c"], ["g"]]


def test_two_forks_may_follow_one_another_with_a_cut_between():
    found = graph("ac", "bc", "cd", "ce", names="abcde")
    assert shape(found) == [["a", "b"], ["c"], ["d", "e"]]


def reached(found: Graph, without: int) -> bool:
    """Whether some output is reached from the inputs around a place."""
    alive: set[int] = set()
    edges = found.edges()
    for place, op in enumerate(found.ops):
        sources = [a for a, b in edges if b == place]
        if place != without and (not op.reads or alive & set(sources)):
            alive.add(place)
    return bool(alive & found.sinks())


@properties
@given(seed=seeds)
def test_a_cut_is_what_every_way_passes(seed: int):
    found = drawn(seed)
    assert cuts(found) == [place for place in range(len(found.ops)) if not reached(found, place)]


@properties
@given(seed=seeds)
def test_subgraphs_share_the_operators_out_and_meet_only_between_phases(seed: int):
    found = drawn(seed)
    parts = partition(found)
    held = [op.name for subgraph in parts.subgraphs for op in subgraph.ops]
    assert sorted(held) == [op.name for op in found.ops]
    assert [i for row in parts.phases for i in row] == list(range(len(parts.subgraphs)))
    phase = {number: k for k, row in enumerate(parts.phases) for number in row}
    for number, subgraph in enumerate(parts.subgraphs):
        assert all(phase[source] < phase[number] for source in subgraph.reads)
    assert all(len(a) > 1 or len(b) > 1 for a, b in pairwise(parts.phases))


@properties
@given(seed=seeds)
def test_bytes_that_enter_and_leave_are_kept(seed: int):
    found = drawn(seed)
    parts = partition(found)
    assert sum(subgraph.input_bytes for subgraph in parts.subgraphs) == len(found.ops)
    for number, subgraph in enumerate(parts.subgraphs):
        others = [other.ops for i, other in enumerate(parts.subgraphs) if i != number]
        outside = {name for ops in others for op in ops for name in op.reads}
        inside = {name for op in subgraph.ops for name in op.reads}
        sinks = {op.name for op in subgraph.ops} - inside - outside
        assert subgraph.out_bytes == len(sinks | ({op.name for op in subgraph.ops} & outside))


def test_a_graph_is_built_in_order():
    with pytest.raises(ValueError, match="must come before"):
        Graph([Op("b", (), 1.0, ("a",))])
    with pytest.raises(ValueError, match="already"):
        Graph([Op("a", (), 1.0), Op("a", (), 1.0)])


def test_branches_are_what_no_edge_joins():
    found = graph("ac", "bc", names="abcd")
    assert branches(found, [0, 1, 2, 3]) == [[0, 1, 2], [3]]


@pytest.mark.parametrize(
    ("slug", "phases"),
    [
        ("wide_and_deep", (4, 1)),
        ("siamese", (2, 1)),
        ("siamese_cnn", (2, 1)),
        ("mt_dnn", (1, 4)),
        ("chain", (1,)),
    ],
)
def test_the_networks_of_the_page_fall_into_its_paths(slug: str, phases: tuple[int, ...]):
    found = partition(network(registry.resolve(REFERENCE.config, {"graph": slug})))
    assert tuple(map(len, found.phases)) == phases
    for row in (row for row in found.phases if len(row) > 1):
        for number in row:
            first, *others = {op.name.partition(".")[0] for op in found.subgraphs[number].ops}
            assert first in "abcd"
            assert not others
