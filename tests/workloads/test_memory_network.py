"""Memory networks: the catalog's rule of one hop, and what holds for any.

The catalog has no parameter count of these networks and marks every size as memory, so there is
no golden here: the rule is checked, the counts are held against their own definition.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import registry
from dse.errors import InputError
from workloads import rows
from workloads.memory_network import FAMILY, Structure, network, networks, structures, view

SLUGS = sorted(networks())

SHAPES = st.fixed_dictionaries(
    {
        "slug": st.just("any"),
        "title": st.just("any"),
        "width": st.integers(1, 600),
        "hops": st.integers(1, 6),
        "memories": st.integers(1, 400),
        "vocab": st.integers(1, 60000),
        "tables": st.integers(2, 8),
        "transforms": st.integers(1, 6),
        "timed": st.booleans(),
        "words": st.integers(1, 12),
    }
)


@pytest.mark.parametrize(
    ("slug", "memories", "width"),
    [
        ("memn2n-babi", 50, 20),
        ("memn2n-babi-a3", 50, 64),
        ("kv-memn2n-wikimovies-a3", 186, 64),
    ],
)
def test_sizes_are_the_catalogs(slug: str, memories: int, width: int):
    found = structures()[slug]
    assert (found.memories, found.width) == (memories, width)
    assert found.hop_macs == 2 * memories * width + width * width


def test_parameters_of_babi_are_four_tables_a_matrix_and_the_places():
    assert networks()["memn2n-babi"].parameters == 4 * 177 * 20 + 20 * 20 + 2 * 50 * 20


@given(SHAPES)
def test_operators_of_any_network_add_up_to_its_counts(shape: Any):
    found = Structure.model_validate(shape)
    net = network(found)
    hops = [op for op in net.operators if op.slug in ("scores", "values", "transform")]
    flops = sum(op.flops_token + found.memories * op.flops_pair for op in hops)
    assert flops == 2 * net.macs
    assert sum(op.flops_pair for op in hops) == 2 * net.attention_macs


@given(SHAPES)
def test_the_training_view_of_any_network_keeps_what_its_operators_save(shape: Any):
    found = Structure.model_validate(shape)
    kept, net = view(found), network(found)
    saved = net.activation_token + found.memories * net.activation_pair
    assert kept.activation_bytes == 4 * saved
    assert kept.parameters == net.parameters
    assert all(
        0 <= one.birth < kept.steps <= one.last_use < 2 * kept.steps for one in kept.tensors
    )


@given(SHAPES, st.sampled_from(["width", "hops", "memories", "vocab", "words", "tables"]))
def test_no_count_falls_when_a_network_grows(shape: Any, grown: str):
    small = network(Structure.model_validate(shape))
    large = network(Structure.model_validate({**shape, grown: shape[grown] + 1}))
    for name, value in small:
        if isinstance(value, float):
            assert getattr(large, name) >= value


def test_all_networks_have_the_same_operators_so_that_they_can_be_one_knob():
    assert len({tuple((op.slug, op.kind) for op in networks()[s].operators) for s in SLUGS}) == 1


def test_the_family_is_discovered_and_reads_files():
    assert FAMILY.networks().items() <= registry.networks().items()
    row = structures()["memn2n-babi"].model_dump()
    read = registry.described({"family": "memory_network", **row}, place="f")
    assert read == networks()["memn2n-babi"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"tables": 1}, "'memn2n-babi.tables'"), ({"hops": 0}, "'memn2n-babi.hops'")],
)
def test_sizes_of_no_sense_are_refused_with_their_place(changes: Any, words: str):
    with pytest.raises(InputError, match=words):
        rows.read(Structure, structures()["memn2n-babi"].model_dump() | changes, "file.yaml")


@pytest.mark.parametrize(
    ("slug", "tokens", "words"),
    [("memn2n-bab", 1, "did you mean memn2n-babi"), ("memn2n-babi", 2, "`tokens == 1`")],
)
def test_training_refuses_what_it_does_not_know(slug: str, tokens: int, words: str):
    with pytest.raises(InputError, match=words):
        FAMILY.training(slug, tokens)  # type: ignore[misc]
