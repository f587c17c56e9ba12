"""Transformers: totals to the last digit, and operators that add up to them."""

import math
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
MATRIX_KINDS = {"gemm", "convolution"}
WHOLE_SEQUENCE = {"pooler", "patch_embedding", "class_head"}
ODD = {"gpt3-xl-1.3b", "gpt3-13b"}
GPT_LIKE = [slug for slug in networks() if slug.startswith(("gpt2", "gpt3")) and slug not in ODD]
DECODERS = [slug for slug, net in networks().items() if net.decoder]
SLUGS = sorted(networks())


def total(net: Transformer, leaf: str, kinds: set[str] | None = None) -> float:
    picked = (op for op in net.operators if kinds is None or op.kind in kinds)
    return math.fsum(getattr(op, leaf) for op in picked)


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


# Operators


@pytest.mark.parametrize("slug", SLUGS)
def test_operators_have_names_that_differ_and_do_something(slug):
    table = networks()[slug].operators
    assert len({op.slug for op in table}) == len(table) > 0
    assert all(op.calls > 0 and op.moved_token + op.moved_pair > 0 for op in table)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_number_of_a_network_is_finite_and_not_negative(slug):
    net = networks()[slug]
    for record in (net, *net.operators):
        numbers = [value for _, value in record if isinstance(value, float)]
        assert numbers
        assert all(math.isfinite(number) and number >= 0 for number in numbers)


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug != "opt-350m"])
def test_weights_of_linear_operators_are_those_of_blocks_and_head(slug):
    net = networks()[slug]
    weights = sum(op.weights for op in net.operators if op.kind == "gemm")
    once = sum(op.weights for op in net.operators if op.slug in {"pooler", "class_head"})
    assert weights - once == net.matrix_weights + net.head_weights


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug != "opt-350m"])
def test_flops_of_linear_operators_are_two_a_mac(slug):
    net = networks()[slug]
    every = [op for op in net.operators if op.kind in MATRIX_KINDS]
    assert sum(op.flops_token for op in every if op.slug not in WHOLE_SEQUENCE) == 2 * (
        net.matrix_weights + net.head_weights
    )
    # A share of 1/197 of a sequence is no binary fraction: a few ulp.
    once = sum(op.flops_token for op in every if op.slug in WHOLE_SEQUENCE)
    assert once * net.context == pytest.approx(2 * net.sequence_macs, rel=1e-14)


def test_opt_350m_runs_a_narrower_head_than_the_catalog_counts():
    net, hyper = networks()["opt-350m"], hyperparameters()["opt-350m"]
    assert net.head_weights == hyper.width * hyper.vocab
    head = next(op for op in net.operators if op.slug == "lm_head")
    assert head.weights == 512 * hyper.vocab + 2 * 512 * 1024
    assert head.flops_token == 2 * head.weights
    assert total(net, "weights", {"gemm"}) == net.matrix_weights + head.weights


@pytest.mark.parametrize("slug", SLUGS)
def test_flops_of_attention_operators_are_two_a_mac(slug):
    net = networks()[slug]
    assert total(net, "flops_pair", {"attention"}) == 2 * net.attention_macs
    assert total(net, "flops_token", {"attention"}) == 0
    assert total(net, "flops_pair", MATRIX_KINDS) == 0


@pytest.mark.parametrize("slug", DECODERS)
def test_attention_reads_each_cached_key_and_value_once(slug):
    net = networks()[slug]
    assert total(net, "moved_context") == net.kv_elements


@pytest.mark.parametrize("slug", DECODERS)
@pytest.mark.parametrize("tokens", [1, 2, 64, 1023])
def test_a_prompt_takes_the_matrix_flops_of_its_tokens_one_by_one(slug, tokens):
    net = networks()[slug]
    kinds = {"gemm", "attention"}
    token, pair = total(net, "flops_token", kinds), total(net, "flops_pair", kinds)
    steps = sum(token + context * pair for context in range(1, tokens + 1))
    assert tokens * (token + (tokens + 1) / 2 * pair) == steps


@pytest.mark.parametrize("slug", SLUGS)
def test_what_an_operator_writes_is_part_of_what_it_moves(slug):
    for op in networks()[slug].operators:
        assert op.output_token <= op.moved_token
        assert op.output_pair <= op.moved_pair


def test_gpt2_moves_the_inputs_and_outputs_counted_by_hand():
    moved = {op.slug: op.moved_token for op in networks()["gpt2"].operators}
    assert moved["qkv"] == 12 * (768 + 3 * 768)
    assert moved["ffn_up"] == moved["ffn_down"] == 12 * (768 + 3072)
    assert moved["activation"] == 12 * 2 * 3072
    assert moved["norm"] == 25 * 2 * 768
    assert moved["residual"] == 24 * 3 * 768
    assert moved["scores"] == moved["values"] == 12 * 768
    pairs = {op.slug: op.moved_pair for op in networks()["gpt2"].operators if op.moved_pair}
    assert pairs == {"scores": 144, "softmax": 288, "values": 144}


@pytest.mark.parametrize("slug", GPT_LIKE)
def test_a_gpt_saves_17_widths_a_token_and_two_and_a_half_scores_a_pair(slug):
    net = networks()[slug]
    assert net.activation_token == 17 * net.layers * net.width
    assert net.activation_pair == 2.5 * net.layers * net.heads


def test_activations_of_gpt2_345m_equal_the_worked_number_of_the_joint_model():
    # A of column W1: 12 sequences of 512 tokens in fp32; six digits are given.
    net, tokens = networks()["gpt2-345m"], 512
    elements = tokens * net.activation_token + tokens**2 * net.activation_pair
    assert 12 * 4 * elements == pytest.approx(22.3473e9, rel=5e-6)


@pytest.mark.parametrize("slug", SLUGS)
def test_saved_elements_of_the_network_are_those_of_its_operators(slug):
    net = networks()[slug]
    assert net.activation_token == pytest.approx(total(net, "saved_token"), rel=1e-14)
    assert net.activation_pair == total(net, "saved_pair")


def test_an_encoder_decoder_neither_caches_nor_generates_by_the_law_of_one_token():
    t5 = networks()["t5-base"]
    assert (t5.decoder, t5.kv_elements, t5.layers) == (0, 0, 24)


def test_relu_saves_less_than_gelu_because_its_output_is_its_mask():
    opt, gpt = networks()["opt-125m"], networks()["gpt2"]
    assert gpt.activation_token - opt.activation_token == gpt.layers * gpt.ffn


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
        if isinstance(value, float):
            assert getattr(large, name) >= value
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
    assert total(net, "weights", {"gemm"}) == net.matrix_weights + net.head_weights
    assert total(net, "flops_token", {"gemm"}) == 2 * (net.matrix_weights + net.head_weights)
    assert total(net, "flops_pair", {"attention"}) == 2 * net.attention_macs
    assert total(net, "moved_context") == net.kv_elements


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

GPT = {
    "title": "GPT",
    "kind": "decoder",
    "layers": 2,
    "width": 64,
    "heads": 4,
    "ffn": 256,
    "vocab": 100,
    "context": 32,
}
PICTURE = {"vocab": 0, "kind": "vision", "image": 32, "patch": 8, "channels": 3, "classes": 10}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kv_heads": 3}, "`heads` must be a multiple of `kv_heads`, got heads=4 and kv_heads=3"),
        ({"layers": 0}, "'x.layers'"),
        ({"width": None}, "'x.width'"),
        ({"heads": 5}, "'x.head_dim'"),
        ({"depth": 3}, "'x.depth'"),
        ({"norm": "batch"}, "'x.norm'"),
        ({"encoder_layers": 2}, "`encoder_layers` must be given for an encoder-decoder"),
        ({"kind": "encoder-decoder"}, "`encoder_layers` must be given for an encoder-decoder"),
        ({"vocab": 0}, "`vocab` must be positive for words"),
        ({"image": 32}, "image, patch, channels, classes must all be given for kind=vision"),
        ({"kind": "vision", "vocab": 0}, "must all be given for kind=vision"),
        ({**PICTURE, "context": 16}, "`context` must be (image / patch)^2 + 1"),
        ({**PICTURE, "image": 33, "context": 17}, "with whole patches"),
        ({"relative_buckets": 8}, "`relative_buckets` must be given for positions=relative"),
        ({"positions": "relative"}, "`relative_buckets` must be given for positions=relative"),
        ({"positions": "rotary", "head_dim": 15}, "`head_dim` must be even"),
        ({"positions": "rotary", "extra_positions": 2}, "`extra_positions` must be 0 unless"),
        ({"pooler": True}, "`token_types` and `pooler` must be left out unless kind=encoder"),
        ({"token_types": 2}, "`token_types` and `pooler` must be left out unless kind=encoder"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_place_and_rule(changes, words):
    with pytest.raises(InputError) as refusal:
        transformer_hyper.read("x", {**GPT, **changes}, where="file.yaml")
    message = str(refusal.value)
    assert message.startswith("file.yaml: 'x")
    assert words in message
    assert "\n" not in message


def test_a_picture_that_fits_its_patches_is_read():
    fits = transformer_hyper.read("x", {**GPT, **PICTURE, "context": 17}, where="file.yaml")
    assert fits.patches == 16


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
