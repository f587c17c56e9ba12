"""Operators: names, work, elements moved and elements saved, against counts made by hand."""

import math

import pytest

from workloads.transformer import Transformer, hyperparameters, networks

MATRIX_KINDS = {"gemm", "convolution"}
WHOLE_SEQUENCE = {"pooler", "patch_embedding", "class_head"}
SLUGS = sorted(networks())
DECODERS = [slug for slug in SLUGS if networks()[slug].decoder]
ODD = {"gpt3-xl-1.3b", "gpt3-13b"}
GPT_LIKE = [slug for slug in SLUGS if slug.startswith(("gpt2", "gpt3")) and slug not in ODD]


def total(net: Transformer, leaf: str, kinds: set[str] | None = None) -> float:
    picked = (op for op in net.operators if kinds is None or op.kind in kinds)
    return math.fsum(getattr(op, leaf) for op in picked)


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


def test_llama_trains_without_dropout_and_saves_both_halves_of_its_gate():
    net = networks()["llama2-7b"]
    assert net.activation_token == net.layers * (8 * net.width + 3 * net.ffn)
    assert net.activation_pair == net.layers * net.heads


def test_t5_saves_what_is_counted_by_hand_and_its_encoding_once():
    net = networks()["t5-small"]
    inner = net.heads * net.head_dim
    encoder = 5 * net.width + 4 * inner + net.ffn
    decoder = 7.5 * net.width + 8 * inner + net.ffn
    assert net.activation_token == pytest.approx(6 * (encoder + decoder) + net.width, rel=1e-14)
    assert net.activation_pair == 2.5 * 3 * 6 * net.heads


def test_a_block_with_cross_attention_has_three_norms_and_three_residuals():
    calls = {op.slug: op.calls for op in networks()["t5-small"].operators}
    assert (calls["encoder_norm"], calls["decoder_norm"]) == (2 * 6 + 1, 3 * 6 + 1)
    assert (calls["encoder_residual"], calls["decoder_residual"]) == (2 * 6, 3 * 6)


@pytest.mark.parametrize(
    ("slug", "operator", "leaf", "operations"),
    [
        ("gpt2", "softmax", "pair", 5),
        ("gpt2", "norm", "token", 7),
        ("gpt2", "activation", "token", 8),
        ("opt-125m", "activation", "token", 1),
        ("llama2-7b", "norm", "token", 4),
        ("llama2-7b", "activation", "token", 5),
        ("llama2-7b", "positions", "token", 3),
    ],
)
def test_operations_per_element_are_the_assumed_ones(slug, operator, leaf, operations):
    found = next(op for op in networks()[slug].operators if op.slug == operator)
    assert getattr(found, f"flops_{leaf}") == operations * getattr(found, f"output_{leaf}")


def test_rotary_positions_turn_the_shared_keys_once():
    net = networks()["llama3-8b"]
    turned = next(op for op in net.operators if op.slug == "positions")
    assert turned.output_token == net.layers * (net.heads + net.kv_heads) * net.head_dim


def test_a_picture_moves_each_pixel_once_into_its_patches():
    net = networks()["vit-b-16"]
    patches = next(op for op in net.operators if op.slug == "patch_embedding")
    # 197 tokens share the work of 196 patches: no binary fraction, a few ulp.
    moved = 3 * 224**2 + 196 * 768
    assert patches.moved_token * net.context == pytest.approx(moved, rel=1e-14)
