"""What training a transformer keeps: the law's bytes, and the life of each tensor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.training import TrainingView
from workloads import transformer_hyper, transformer_training
from workloads.transformer import FAMILY, hyperparameters, network, networks, training

SLUGS = sorted(networks())
WORDS = [slug for slug in SLUGS if hyperparameters()[slug].kind != "vision"]
RELU = [slug for slug in SLUGS if slug.startswith(("opt-", "t5-"))]


def short(slug: str) -> TrainingView:
    """The view at few tokens, or at the whole picture."""
    hyper = hyperparameters()[slug]
    return training(slug, hyper.context if hyper.kind == "vision" else 16)


def law(slug: str, tokens: int) -> float:
    net = networks()[slug]
    return 4 * (tokens * net.activation_token + tokens**2 * net.activation_pair)


def test_the_family_offers_the_view():
    assert FAMILY.training is training


def test_activations_of_gpt2_345m_equal_the_worked_number_of_the_joint_model():
    # A of column W1: 12 sequences of 512 tokens in fp32; six digits are given.
    view = training("gpt2-345m", 512)
    assert 12 * view.activation_bytes == pytest.approx(22.3473e9, rel=5e-6)


@pytest.mark.parametrize("slug", WORDS)
@pytest.mark.parametrize("tokens", [1, 7, 512])
def test_the_tensors_add_up_to_the_law_to_the_last_digit(slug, tokens):
    assert training(slug, tokens).activation_bytes == law(slug, tokens)


@pytest.mark.parametrize("slug", ["vit-b-16", "vit-l-16"])
def test_a_picture_adds_up_to_the_law_over_all_its_patches(slug):
    context = hyperparameters()[slug].context
    assert training(slug, context).activation_bytes == law(slug, context)


@given(
    st.integers(1, 6),
    st.integers(1, 64),
    st.integers(1, 8),
    st.integers(1, 4),
    st.sampled_from(["gelu", "relu", "silu"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 64),
)
def test_any_decoder_keeps_what_the_law_says(
    layers, width, heads, shared, activation, gated, dropout, tokens
):
    row = {
        "title": "any", "kind": "decoder", "layers": layers, "width": width,
        "heads": heads * shared, "kv_heads": heads, "head_dim": 6, "ffn": 3 * width,
        "vocab": 11, "context": 64, "activation": activation, "gated": gated, "dropout": dropout,
    }  # fmt: skip
    hyper = transformer_hyper.read("any", row, where="test")
    net, view = network(hyper), transformer_training.view(hyper, tokens)
    elements = tokens * net.activation_token + tokens**2 * net.activation_pair
    assert view.activation_bytes == 4 * elements
    assert view.resident_bytes() == 16 * net.parameters


def test_the_share_that_relus_wrote_of_a_block_counted_by_hand():
    row = {
        "title": "toy", "kind": "decoder", "layers": 3, "width": 4, "heads": 2, "ffn": 16,
        "vocab": 11, "context": 8, "activation": "relu", "dropout": False,
    }  # fmt: skip
    # Per token: inputs of norms, projections and feed-forward 5 x 4, queries, keys and values
    # 3 x 4, and 16 that the ReLU wrote; per pair the softmax of two heads, which two kernels
    # share: 32 + 16 + 8 x 2.
    toy = network(transformer_hyper.read("toy", row, where="test"))
    assert toy.relu_share == 16 / (32 + 16 + 16)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_share_that_relus_wrote_is_that_of_the_view_at_a_full_context(slug):
    view = training(slug, hyperparameters()[slug].context)
    written = sum(one.elements * one.element_size for one in view.tensors if one.relu)
    assert networks()[slug].relu_share == pytest.approx(written / view.activation_bytes, rel=1e-12)
    assert (written > 0) == (slug in RELU)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_tensor_is_born_going_forward_and_used_going_back(slug):
    view = short(slug)
    for tensor in view.tensors:
        assert 0 <= tensor.birth < view.steps <= tensor.last_use < 2 * view.steps
        assert tensor.birth + tensor.last_use <= 2 * view.steps - 1
        assert tensor.elements > 0


@pytest.mark.parametrize("slug", SLUGS)
def test_tensors_stand_in_forward_order_under_names_that_differ(slug):
    tensors = short(slug).tensors
    births = [tensor.birth for tensor in tensors]
    assert births == sorted(births)
    assert len({tensor.name for tensor in tensors}) == len(tensors)


@pytest.mark.parametrize("slug", SLUGS)
def test_only_the_feed_forward_networks_of_opt_and_t5_keep_relus(slug):
    relus = [tensor.name for tensor in short(slug).tensors if tensor.relu]
    assert len(relus) == (networks()[slug].layers if slug in RELU else 0)
    assert all(name.endswith(".ffn_down.input") for name in relus)


@pytest.mark.parametrize("slug", SLUGS)
def test_masks_take_half_an_element_and_are_all_that_fp16_cannot_shrink(slug):
    for tensor in short(slug).tensors:
        mask = tensor.name.endswith(".mask")
        assert tensor.element_size == (2 if mask else 4)
        assert tensor.fp16 is not mask


def test_networks_that_train_without_dropout_keep_no_masks():
    names = [tensor.name for tensor in short("llama2-7b").tensors]
    assert names
    assert not any("dropout" in name for name in names)


def test_a_block_of_gpt2_keeps_the_tensors_counted_by_hand():
    view = training("gpt2", 10)
    block = {t.name.removeprefix("layer.3."): t for t in view.tensors if "layer.3." in t.name}
    assert {name: t.elements for name, t in block.items()} == {
        **dict.fromkeys(["norm1.input", "qkv.input", "queries", "keys", "values"], 7680),
        **dict.fromkeys(["softmax", "softmax_dropout.mask", "softmax_dropout"], 1200),
        **dict.fromkeys(["projection.input", "projection_dropout.mask"], 7680),
        **dict.fromkeys(["norm2.input", "ffn_up.input", "ffn_dropout.mask"], 7680),
        **dict.fromkeys(["activation.input", "ffn_down.input"], 30720),
    }
    # Nine kernels up to the first sum of a block, six up to the second; embedding and head.
    assert view.steps == 1 + 12 * (9 + 6) + 1


def test_later_layers_let_go_of_their_tensors_sooner():
    last = {t.name: t.last_use for t in training("gpt2", 10).tensors}
    uses = [last[f"layer.{layer}.qkv.input"] for layer in range(12)]
    assert uses == sorted(uses, reverse=True)


def test_t5_keeps_its_encoding_once_until_the_first_decoder_layer_is_done():
    view = training("t5-small", 10)
    encoding = [t for t in view.tensors if t.name == "encoding"]
    assert [t.elements for t in encoding] == [10 * 512]
    later = [t.last_use for t in view.tensors if t.name.startswith("decoder.1.")]
    assert encoding[0].last_use > max(later)


def test_the_workspace_of_gpt2_is_its_logits_and_of_a_picture_its_feed_forward_network():
    assert training("gpt2-345m", 512).workspace == 512 * (1024 + 50257)
    assert training("vit-b-16", 197).workspace == 197 * 2 * 3072


@pytest.mark.parametrize(("slug", "tokens"), [("gpt2", 0), ("gpt2", 1025), ("vit-b-16", 1)])
def test_tokens_beyond_the_context_and_parts_of_pictures_are_refused(slug, tokens):
    with pytest.raises(InputError, match="<= tokens <="):
        training(slug, tokens)


def test_an_unknown_network_gets_the_closest_names():
    with pytest.raises(InputError, match="gpt2-345m"):
        training("gpt2-354m", 16)
