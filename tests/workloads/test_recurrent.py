"""Recurrent networks: the catalog's counts to the last digit, and what holds for any."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import registry
from dse.errors import InputError
from workloads import rows
from workloads.recurrent import FAMILY, Structure, network, networks, structures, view

SLUGS = sorted(networks())

PARAMETERS = {"malstm": 70200, "malstm-2-biases": 70400}
"""The catalog's section siamese_lstm; the Penn Treebank networks have no golden."""


@pytest.mark.parametrize("slug", PARAMETERS)
def test_counts_of_malstm_equal_the_catalog(slug: str):
    assert networks()[slug].parameters == PARAMETERS[slug]
    assert networks()[slug].macs == 70000  # type: ignore[attr-defined]


def test_what_has_no_golden_is_named_and_has_the_size_it_is_called_by():
    assert set(SLUGS) - set(PARAMETERS) == {"lstm-ptb-medium", "lstm-ptb-large"}
    assert round(float(networks()["lstm-ptb-medium"].parameters) / 1e6) == 20
    assert round(float(networks()["lstm-ptb-large"].parameters) / 1e6) == 66


SHAPES = st.fixed_dictionaries(
    {
        "slug": st.just("any"),
        "title": st.just("any"),
        "inputs": st.integers(1, 2000),
        "hidden": st.integers(1, 2000),
        "layers": st.integers(1, 6),
        "biases": st.integers(1, 2),
        "length": st.integers(1, 100),
    }
)
ENDS = st.sampled_from([{"towers": 2}, {"vocab": 0}, {"vocab": 77}])


@given(SHAPES, ENDS)
def test_operators_of_any_network_add_up_to_its_counts(shape: Any, end: Any):
    found = Structure.model_validate(shape | end)
    net = network(found)
    products = {op.slug: op for op in net.operators if op.kind == "gemm"}
    layers = products["input"].flops_token + products["state"].flops_token
    assert layers == 2 * net.towers * net.macs
    assert products["head"].flops_token == 2 * net.head_weights
    held = sum(op.weights for op in net.operators)
    assert held == net.parameters - found.vocab * found.inputs


@given(SHAPES, ENDS)
def test_the_training_view_of_any_network_keeps_what_its_operators_save(shape: Any, end: Any):
    found = Structure.model_validate(shape | end)
    kept = view(found, found.length)
    saved = 4 * found.length * network(found).activation_token
    assert kept.activation_bytes == pytest.approx(saved, rel=1e-12)  # a share of a token's length
    assert kept.parameters == network(found).parameters
    assert all(
        0 <= one.birth < kept.steps <= one.last_use < 2 * kept.steps for one in kept.tensors
    )


@given(SHAPES, ENDS, st.integers(1, 50))
def test_longer_sentences_keep_more_in_proportion_but_for_the_score(shape: Any, end: Any, t: int):
    found = Structure.model_validate(shape | end)
    once = 4 * found.hidden if found.towers > 1 else 0
    one, many = (view(found, tokens).activation_bytes - once for tokens in (1, t))
    assert many == t * one


@given(SHAPES)
def test_two_towers_do_twice_the_work_on_the_same_weights(shape: Any):
    one, two = (network(Structure.model_validate({**shape, "towers": n})) for n in (1, 2))
    assert one.parameters == two.parameters
    for name in ("embedding", "input", "state", "cell"):
        single, double = (
            next(op for op in net.operators if op.slug == name) for net in (one, two)
        )
        assert double.flops_token == 2 * single.flops_token
        assert double.moved_token == 2 * single.moved_token
        assert double.weights == single.weights


def test_a_second_bias_adds_parameters_and_no_work():
    one, two = networks()["malstm"], networks()["malstm-2-biases"]
    assert two.parameters - one.parameters == 4 * 50
    assert [op.flops_token for op in one.operators] == [op.flops_token for op in two.operators]


def test_all_networks_have_the_same_operators_so_that_they_can_be_one_knob():
    assert len({tuple((op.slug, op.kind) for op in networks()[s].operators) for s in SLUGS}) == 1


def test_the_family_is_discovered_and_reads_files():
    assert FAMILY.networks().items() <= registry.networks().items()
    row = structures()["malstm"].model_dump()
    read = registry.described({"family": "recurrent", **row}, place="f")
    assert read == networks()["malstm"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vocab": 5}, "`vocab` must be left out for towers=2"),
        ({"towers": 3}, "'malstm.towers'"),
        ({"biases": 0}, "'malstm.biases'"),
        ({"hidden": 0}, "'malstm.hidden'"),
        ({"cells": 3}, "'malstm.cells'"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_place_and_rule(changes: Any, words: str):
    with pytest.raises(InputError) as refusal:
        rows.read(Structure, structures()["malstm"].model_dump() | changes, "file.yaml")
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("slug", "tokens", "words"),
    [("malstn", 1, "did you mean malstm"), ("malstm", 0, "`tokens >= 1` must hold")],
)
def test_training_refuses_what_it_does_not_know(slug: str, tokens: int, words: str):
    with pytest.raises(InputError, match=words):
        FAMILY.training(slug, tokens)  # type: ignore[misc]
