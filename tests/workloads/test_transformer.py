"""Transformers: totals to the last digit, and what holds for any network."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import documents, registry
from dse.errors import InputError
from dse.spec import Operator
from workloads import transformer_hyper
from workloads.transformer import (
    FAMILY,
    Transformer,
    hyperparameters,
    network,
    networks,
    rows,
)
from workloads.transformer_hyper import Hyperparameters

GOLDENS = documents.read(Path(__file__).with_name("goldens.yaml"))
CHECKED, FORMULA, VISION = GOLDENS["checked"], GOLDENS["formula"], GOLDENS["vision"]
ALL = {**CHECKED, **FORMULA, **VISION}
WITH_MACS = {slug: row for slug, row in CHECKED.items() if "linear_macs" in row}
DECODERS = [slug for slug, net in networks().items() if net.decoder]
SLUGS = sorted(networks())


# Goldens


def test_there_are_34_parameter_goldens_and_29_mac_goldens_and_t5_is_what_has_no_mac_golden():
    assert len(CHECKED) == 34
    assert len(WITH_MACS) == 29
    assert set(CHECKED) - set(WITH_MACS) == {"t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"}


def test_every_network_has_a_golden_and_every_golden_a_network():
    assert set(networks()) == set(ALL)


@pytest.mark.parametrize("slug", ALL)
def test_parameters_equal_the_golden(slug):
    assert networks()[slug].parameters == ALL[slug]["parameters"]


@pytest.mark.parametrize("slug", {**WITH_MACS, **FORMULA})
def test_macs_and_cache_equal_the_golden(slug):
    net, golden = networks()[slug], ALL[slug]
    assert net.matrix_weights == golden["linear_macs"]
    assert net.attention_macs == golden["attention_macs"]
    assert net.head_weights == golden.get("head_macs", 0)
    assert net.kv_elements * 2 == golden.get("cached_bytes_fp16", 0)


@pytest.mark.parametrize("slug", VISION)
def test_macs_of_a_picture_equal_the_golden(slug):
    net = networks()[slug]
    macs = net.context * (net.matrix_weights + net.context * net.attention_macs)
    assert macs + net.sequence_macs == VISION[slug]["macs"]


@pytest.mark.parametrize("slug", ["bert-base", "bert-large"])
def test_bert_without_its_pooler_equals_the_golden(slug):
    bare = hyperparameters()[slug].model_copy(update={"pooler": False})
    assert transformer_hyper.parameters(bare) == CHECKED[slug]["parameters_without_pooler"]


@pytest.mark.parametrize("slug", [slug for slug in CHECKED if slug.startswith("t5")])
def test_each_stack_of_t5_equals_the_golden(slug):
    whole, golden = hyperparameters()[slug], CHECKED[slug]
    table = whole.vocab * whole.width
    lone = Hyperparameters.model_validate(
        {**whole.model_dump(), "kind": "encoder", "encoder_layers": 0}
    )
    encoder = transformer_hyper.parameters(lone) - table
    assert encoder == golden["encoder_parameters"]
    assert transformer_hyper.parameters(whole) - table - encoder == golden["decoder_parameters"]


# Any network

SHAPES = st.fixed_dictionaries(
    {
        "layers": st.integers(1, 40),
        "width": st.integers(8, 4096),
        "head_dim": st.integers(1, 64).map(lambda half: 2 * half),
        "ffn": st.integers(1, 9000),
        "vocab": st.integers(1, 60000),
        "context": st.integers(1, 5000),
        "gated": st.booleans(),
        "tied": st.booleans(),
        "bias": st.sampled_from(["all", "qkv", "none"]),
        "norm": st.sampled_from(["layer", "rms"]),
        "positions": st.sampled_from(["learned", "rotary"]),
        "activation": st.sampled_from(["gelu", "relu", "silu"]),
        "dropout": st.booleans(),
    }
)
HEADS = st.tuples(st.integers(1, 8), st.integers(1, 8))


def decoder(shape: Mapping[str, object], **changes: object) -> Transformer:
    row = {"title": "any", "kind": "decoder", **shape, **changes}
    return network(transformer_hyper.read("any", row, where="test"))


@given(SHAPES, HEADS, st.sampled_from(["layers", "width", "ffn", "vocab", "context"]))
def test_no_count_falls_when_a_network_grows(shape, heads, grown):
    sizes = {"heads": heads[0] * heads[1], "kv_heads": heads[0]}
    small = decoder(shape, **sizes)
    large = decoder(shape, **sizes, **{grown: shape[grown] + 1})
    for name, value in small:
        if isinstance(value, float) and name != "relu_share":  # a share is no count
            assert getattr(large, name) >= value
    assert 0 <= large.relu_share <= 1
    if grown != "context" or shape["positions"] == "learned":
        assert large.parameters > small.parameters


@given(SHAPES, st.integers(1, 64))
def test_as_many_key_heads_as_heads_is_plain_multi_head_attention(shape, heads):
    grouped = decoder(shape, heads=heads, kv_heads=heads)
    assert grouped == decoder(shape, heads=heads)
    inner = heads * shape["head_dim"]
    matrices = shape["width"] * (4 * inner + (3 if shape["gated"] else 2) * shape["ffn"])
    assert grouped.matrix_weights == shape["layers"] * matrices


@given(SHAPES, HEADS)
def test_sharing_key_heads_shrinks_cache_and_weights_but_not_attention(shape, heads):
    many = decoder(shape, heads=heads[0] * heads[1], kv_heads=heads[0] * heads[1])
    few = decoder(shape, heads=heads[0] * heads[1], kv_heads=heads[0])
    assert few.attention_macs == many.attention_macs
    assert few.kv_elements * heads[1] == many.kv_elements
    assert (few.parameters < many.parameters) == (heads[1] > 1)


@given(SHAPES, HEADS)
def test_operators_of_any_decoder_add_up_to_its_leaves(shape, heads):
    net = decoder(shape, heads=heads[0] * heads[1], kv_heads=heads[0])
    linear = [op for op in net.operators if op.kind == "gemm"]
    assert sum(op.weights for op in linear) == net.matrix_weights + net.head_weights
    assert sum(op.flops_token for op in linear) == 2 * (net.matrix_weights + net.head_weights)
    attention = [op for op in net.operators if op.kind == "attention"]
    assert sum(op.flops_pair for op in attention) == 2 * net.attention_macs
    assert sum(op.moved_context for op in attention) == net.kv_elements


# Columns


@given(st.lists(st.sampled_from(DECODERS), min_size=1, max_size=6), st.data())
def test_a_batch_over_decoders_equals_each_network_row_by_row(slugs, data):
    nets = [networks()[slug] for slug in slugs]
    code = data.draw(st.lists(st.integers(0, len(nets) - 1), min_size=1, max_size=9))
    batch = Transformer.take(nets, np.array(code, dtype=np.intp))
    for row, pick in enumerate(code):
        pairs = [(batch, nets[pick]), *zip(batch.operators, nets[pick].operators, strict=True)]
        for many, one in pairs:
            for name, value in one:
                if isinstance(value, float):
                    assert np.broadcast_to(getattr(many, name), len(code))[row] == value


def test_all_decoders_have_the_same_operators_so_that_they_can_be_one_knob():
    tables = {tuple((op.slug, op.kind) for op in networks()[slug].operators) for slug in DECODERS}
    assert len(tables) == 1
    assert all(isinstance(op, Operator) for op in networks()[DECODERS[0]].operators)


# Data and discovery


def test_the_family_is_discovered_with_all_its_networks():
    found = registry.networks()
    assert FAMILY.slug == "transformer"
    assert all(found[slug] is net for slug, net in FAMILY.networks().items())


def test_networks_are_loaded_once():
    assert networks() is networks()


@pytest.mark.parametrize("slug", SLUGS)
def test_slugs_are_lower_case_and_titles_name_the_network(slug):
    net = networks()[slug]
    assert slug == slug.lower() == net.slug
    assert net.title
    assert net.family == "transformer"


def test_a_network_survives_json():
    net = networks()["llama3-8b"]
    assert Transformer.model_validate_json(net.model_dump_json()) == net


def test_importing_the_family_reads_no_data_and_loads_nothing_heavy():
    code = (
        "import sys, workloads.transformer as t; "
        "heavy = {'pandas', 'plotly', 'optuna', 'dash', 'matplotlib', 'scipy'}; "
        "sys.exit(bool(heavy & set(sys.modules)) or t.networks.cache_info().currsize)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


# Refusals


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"g": {"networks": {"x": {}}}}, "'x.source': unknown source ''"),
        ({"g": {"networks": {"x": {"source": "papr"}}}}, "did you mean paper?"),
        ({"g": {"shared": 1, "networks": {}}}, "'g.shared' must hold 'key: value' lines"),
        ({"g": {}}, "'g.networks' must hold 'key: value' lines"),
        (None, "'groups' must hold 'key: value' lines"),
    ],
)
def test_a_network_without_a_known_source_is_refused(groups, words):
    document = {"sources": {"paper": {"where": "Table 1", "kind": "table"}}, "groups": groups}
    with pytest.raises(InputError) as refusal:
        list(rows(document))
    assert words in str(refusal.value)
