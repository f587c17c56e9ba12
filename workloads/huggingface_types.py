"""What each covered `model_type` of a Hugging Face config means beyond the sizes it names.

Rules and defaults are those of the transformers library, compared with its configuration classes
[code: 5.23.0]; the tests hold parameter counts of public networks of each type against them. One
difference is meant: since version 5 the library ties T5 v1.1 and mT5 whatever their configs say.
Here a config is believed, because the published weights of those networks hold a head apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["decoder", "encoder", "encoder-decoder", "vision"]

Row = Mapping[str, object]
"""Hyper-parameters by name, perhaps not all of them."""

Sizes = Mapping[str, int]

_SIZES: Mapping[str, tuple[str, ...]] = {
    "width": ("hidden_size", "n_embd", "d_model"),
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "heads": ("num_attention_heads", "n_head", "num_heads", "n_heads"),
    "ffn": ("intermediate_size", "n_inner", "ffn_dim", "d_ff"),
    "vocab": ("vocab_size",),
    "context": ("max_position_embeddings", "n_positions", "n_ctx"),
}
_GROUPED = {**_SIZES, "kv_heads": ("num_key_value_heads",), "head_dim": ("head_dim",)}
_SEGMENTS = {**_SIZES, "token_types": ("type_vocab_size",)}


@dataclass(frozen=True)
class Architecture:
    """The rules of one `model_type`."""

    kind: Kind
    fixed: Row
    """Hyper-parameters that every network of the type has."""
    activation: str
    """The activation where the config names none."""
    sizes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _SIZES)
    """Hyper-parameter -> names it goes by in a config."""
    open: Mapping[str, Callable[[Sizes], int] | None] = field(default_factory=dict)
    """Sizes that may be left out, and what they are then; None leaves it to the family."""
    switches: Mapping[str, Mapping[object, Row]] = field(default_factory=dict)
    """Field -> covered value -> what it sets; the first is what a missing field means."""
    tied: bool = True
    """Whether the head is the embedding where the config does not say."""
    dropout: bool = True
    """Whether training drops where the config does not say."""
    window: bool = False
    """Whether `sliding_window` holds without being switched on."""
    offset: int = 0
    """Rows of the position table that no token takes, counted in the config's context."""


_OFF: Mapping[object, Row] = {False: {}}
_ONE_KIND: Mapping[str, Mapping[object, Row]] = {
    "is_decoder": _OFF,
    "add_cross_attention": _OFF,
    "position_embedding_type": {"absolute": {}},
}
_ROOT_NORM = {"norm": "rms", "positions": "rotary"}
_LLAMA = {**_ROOT_NORM, "gated": True, "bias": "none"}
_HEADS_FOLLOW = {"kv_heads": None, "head_dim": None}
_HEAD_DIM_FOLLOWS = {"head_dim": None}

_GPT2 = Architecture(
    kind="decoder",
    fixed={},
    activation="gelu",
    open={"ffn": lambda sizes: 4 * sizes["width"]},
    switches={"add_cross_attention": _OFF},
)
_GPT_NEOX = Architecture(
    kind="decoder",
    fixed={"positions": "rotary"},
    activation="gelu",
    switches={"attention_bias": {True: {}}},
    tied=False,
    dropout=False,
)
_OPT = Architecture(
    kind="decoder",
    fixed={"extra_positions": 2},
    activation="relu",
    sizes={**_SIZES, "embedding_width": ("word_embed_proj_dim",)},
    open={"embedding_width": None},
    switches={
        "do_layer_norm_before": {True: {}, False: {"final_norm": False}},
        "_remove_final_layer_norm": {False: {}, True: {"final_norm": False}},
        "enable_bias": {True: {}, False: {"bias": "none"}},
        "layer_norm_elementwise_affine": {True: {}},
    },
)
_LLAMA_TYPE = Architecture(
    kind="decoder",
    fixed=_LLAMA,
    activation="silu",
    sizes=_GROUPED,
    open=_HEADS_FOLLOW,
    switches={"attention_bias": _OFF, "mlp_bias": _OFF},
    tied=False,
    dropout=False,
)
_MISTRAL = Architecture(
    kind="decoder",
    fixed=_LLAMA,
    activation="silu",
    sizes=_GROUPED,
    open=_HEAD_DIM_FOLLOWS,
    tied=False,
    dropout=False,
    window=True,
)
_QWEN2 = Architecture(
    kind="decoder",
    fixed={**_LLAMA, "bias": "qkv"},
    activation="silu",
    sizes=_GROUPED,
    open=_HEAD_DIM_FOLLOWS,
    tied=False,
    dropout=False,
)
_GEMMA = Architecture(
    kind="decoder",
    fixed=_LLAMA,
    activation="gelu",
    sizes=_GROUPED,
    switches={"attention_bias": _OFF},
    dropout=False,
)
_PHI3 = Architecture(
    kind="decoder",
    fixed=_LLAMA,
    activation="silu",
    sizes=_GROUPED,
    open=_HEADS_FOLLOW,
    tied=False,
    dropout=False,
    window=True,
)
_STABLELM = Architecture(
    kind="decoder",
    fixed={**_LLAMA, "norm": "layer"},
    activation="silu",
    sizes=_GROUPED,
    open=_HEAD_DIM_FOLLOWS,
    switches={
        "use_qkv_bias": {False: {}, True: {"bias": "qkv"}},
        "qk_layernorm": _OFF,
        "use_parallel_residual": _OFF,
    },
    tied=False,
    dropout=False,
)
_STARCODER2 = Architecture(
    kind="decoder",
    fixed={"positions": "rotary"},
    activation="gelu",
    sizes=_GROUPED,
    open=_HEAD_DIM_FOLLOWS,
    switches={
        "use_bias": {True: {}, False: {"bias": "none"}},
        "norm_type": {"layer_norm": {}},
    },
    window=True,
)
_ENCODER = {"embedding_norm": True, "final_norm": False}
_BERT = Architecture(
    kind="encoder",
    fixed={**_ENCODER, "pooler": True},
    activation="gelu",
    sizes=_SEGMENTS,
    open={"token_types": lambda _: 2},
    switches=_ONE_KIND,
)
_ROBERTA = Architecture(
    kind="encoder",
    fixed={**_ENCODER, "pooler": True, "extra_positions": 2},
    activation="gelu",
    sizes=_SEGMENTS,
    open={"token_types": lambda _: 2},
    switches={**_ONE_KIND, "pad_token_id": {1: {}}},
    offset=2,
)
_DISTILBERT = Architecture(
    kind="encoder",
    fixed=_ENCODER,
    activation="gelu",
    sizes={**_SIZES, "width": ("dim", "hidden_size"), "ffn": ("hidden_dim",)},
)
_STACKS = {"encoder_layers": ("num_layers",), "layers": ("num_decoder_layers",)}
_T5_FIXED = {"bias": "none", "norm": "rms", "positions": "relative"}
_T5_SIZES = {
    **_SIZES,
    **_STACKS,
    "head_dim": ("d_kv",),
    "relative_buckets": ("relative_attention_num_buckets",),
}
_T5_OPEN: Mapping[str, Callable[[Sizes], int] | None] = {
    "layers": lambda sizes: sizes["encoder_layers"],
    "relative_buckets": lambda _: 32,
    "context": lambda _: 512,  # it enters no count, and the networks were trained on 512
}
_T5 = Architecture(
    kind="encoder-decoder",
    fixed=_T5_FIXED,
    activation="relu",
    sizes=_T5_SIZES,
    open=_T5_OPEN,
)
_MT5 = Architecture(
    kind="encoder-decoder",
    fixed=_T5_FIXED,
    activation="gated-gelu",
    sizes=_T5_SIZES,
    open=_T5_OPEN,
    tied=False,
)
_BART_SIZES = {
    **_SIZES,
    "encoder_layers": ("encoder_layers",),
    "layers": ("decoder_layers",),
    "heads": ("encoder_attention_heads", "decoder_attention_heads"),
    "ffn": ("encoder_ffn_dim", "decoder_ffn_dim"),
}
_BART = Architecture(
    kind="encoder-decoder",
    fixed={**_ENCODER, "extra_positions": 2},
    activation="gelu",
    sizes=_BART_SIZES,
)
_MBART = Architecture(
    kind="encoder-decoder",
    fixed={"embedding_norm": True, "extra_positions": 2},
    activation="gelu",
    sizes=_BART_SIZES,
)
_VIT = Architecture(
    kind="vision",
    fixed={},
    activation="gelu",
    sizes={
        **{size: _SIZES[size] for size in ("width", "layers", "heads", "ffn")},
        "image": ("image_size",),
        "patch": ("patch_size",),
        "channels": ("num_channels",),
    },
    switches={"qkv_bias": {True: {}}},
    dropout=False,
)

TYPES: Mapping[str, Architecture] = {
    "gpt2": _GPT2,
    "gpt_neox": _GPT_NEOX,
    "opt": _OPT,
    "llama": _LLAMA_TYPE,
    "mistral": _MISTRAL,
    "qwen2": _QWEN2,
    "gemma": _GEMMA,
    "phi3": _PHI3,
    "stablelm": _STABLELM,
    "starcoder2": _STARCODER2,
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": _DISTILBERT,
    "t5": _T5,
    "mt5": _MT5,
    "bart": _BART,
    "mbart": _MBART,
    "vit": _VIT,
}
"""Covered types by the name a config gives."""
