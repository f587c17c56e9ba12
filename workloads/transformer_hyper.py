"""The hyper-parameters of a transformer, and what can be counted from them alone.

All counts are whole numbers. A multiply-accumulate (MAC) is two floating-point operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dse.errors import InputError

Whole = Annotated[int, Field(gt=0)]
"""A count that is at least one."""

Count = Annotated[int, Field(ge=0)]
"""A count that may be zero."""

PICTURE_FIELDS = ("image", "patch", "channels", "classes")


class Hyperparameters(BaseModel):
    """The sizes and switches that define a transformer.

    Left out, `kv_heads` is `heads`, `head_dim` is `width / heads` and `embedding_width` is
    `width`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slug: str
    """Name in the catalog, lower-case."""
    title: str
    """Name as people say it."""
    kind: Literal["decoder", "encoder", "encoder-decoder", "vision"]
    """What the network is for; `vision` is an encoder over patches of a picture."""
    layers: Whole
    """Blocks; in an encoder-decoder those of the decoder."""
    encoder_layers: Count = 0
    """Blocks of the encoder of an encoder-decoder."""
    width: Whole
    """Elements of a token between blocks."""
    heads: Whole
    """Attention heads."""
    kv_heads: Whole
    """Heads of keys and values; fewer than `heads` in grouped-query attention."""
    head_dim: Whole
    """Elements of a head."""
    ffn: Whole
    """Inner width of the feed-forward network."""
    context: Whole
    """Tokens of the longest sequence."""
    vocab: Count = 0
    """Rows of the word embedding."""
    embedding_width: Count
    """Elements of a row of the word embedding; OPT-350m projects to and from `width`."""
    gated: bool = False
    """Whether the feed-forward network multiplies its activation by a second projection."""
    tied: bool = True
    """Whether the LM head is the word embedding."""
    bias: Literal["all", "qkv", "none"] = "all"
    """Which linear layers of a block have a bias."""
    norm: Literal["layer", "rms"] = "layer"
    """Layer norm has a scale and a shift, RMS norm a scale."""
    final_norm: bool = True
    """Whether a norm follows the last block."""
    embedding_norm: bool = False
    """Whether a norm follows the embedding."""
    positions: Literal["learned", "rotary", "relative"] = "learned"
    """How a token knows its place."""
    extra_positions: Count = 0
    """Rows of a position table beyond `context`; each stack has a table."""
    relative_buckets: Count = 0
    """Distances that a relative bias tells apart, in each stack."""
    token_types: Count = 0
    """Rows of the segment embedding."""
    pooler: bool = False
    """Whether a linear layer over the first token follows the blocks."""
    activation: Literal["gelu", "relu", "silu"] = "gelu"
    """The activation of the feed-forward network."""
    dropout: bool = True
    """Whether training drops attention probabilities and the outputs of both halves of a block."""
    image: Count = 0
    """Side of the picture."""
    patch: Count = 0
    """Side of a patch."""
    channels: Count = 0
    """Channels of the picture."""
    classes: Count = 0
    """Classes that the picture is sorted into."""

    @model_validator(mode="before")
    @classmethod
    def _usual_sizes(cls, values: object) -> object:
        if not isinstance(values, Mapping):
            return values
        width, heads = values.get("width"), values.get("heads")
        usual = {"kv_heads": heads, "embedding_width": width}
        if isinstance(width, int) and isinstance(heads, int) and heads > 0 and width % heads == 0:
            usual["head_dim"] = width // heads
        return {**{key: size for key, size in usual.items() if size is not None}, **values}

    @model_validator(mode="after")
    def _heads_share_evenly(self) -> Self:
        if self.heads % self.kv_heads:
            raise ValueError(
                "`heads` must be a multiple of `kv_heads`, "
                f"got heads={self.heads} and kv_heads={self.kv_heads}"
            )
        return self

    @model_validator(mode="after")
    def _only_encoder_decoders_have_two_stacks(self) -> Self:
        if (self.encoder_layers > 0) != (self.kind == "encoder-decoder"):
            raise ValueError(
                "`encoder_layers` must be given for an encoder-decoder and for nothing else, "
                f"got kind={self.kind} and encoder_layers={self.encoder_layers}"
            )
        return self

    @model_validator(mode="after")
    def _words_or_pictures(self) -> Self:
        if (self.vocab > 0) == (self.kind == "vision"):
            raise ValueError(
                "`vocab` must be positive for words and zero for pictures, "
                f"got kind={self.kind} and vocab={self.vocab}"
            )
        return self

    @model_validator(mode="after")
    def _pictures_have_a_size(self) -> Self:
        given = [name for name in PICTURE_FIELDS if getattr(self, name)]
        if len(given) != (len(PICTURE_FIELDS) if self.kind == "vision" else 0):
            raise ValueError(
                f"{', '.join(PICTURE_FIELDS)} must all be given for kind=vision and for "
                f"nothing else, got kind={self.kind} and {', '.join(given) or 'none of them'}"
            )
        return self

    @model_validator(mode="after")
    def _context_is_the_patches_and_the_class_token(self) -> Self:
        if self.kind == "vision" and (self.image % self.patch or self.context != self.patches + 1):
            raise ValueError(
                "`context` must be (image / patch)^2 + 1 with whole patches, "
                f"got context={self.context}, image={self.image} and patch={self.patch}"
            )
        return self

    @model_validator(mode="after")
    def _buckets_go_with_relative_positions(self) -> Self:
        if (self.relative_buckets > 0) != (self.positions == "relative"):
            raise ValueError(
                "`relative_buckets` must be given for positions=relative and for nothing else, "
                f"got positions={self.positions} and relative_buckets={self.relative_buckets}"
            )
        return self

    @model_validator(mode="after")
    def _rotary_positions_turn_pairs(self) -> Self:
        if self.positions == "rotary" and self.head_dim % 2:
            raise ValueError(
                f"`head_dim` must be even for positions=rotary, got head_dim={self.head_dim}"
            )
        return self

    @model_validator(mode="after")
    def _extra_positions_need_a_table(self) -> Self:
        if self.extra_positions and self.positions != "learned":
            raise ValueError(
                "`extra_positions` must be 0 unless positions=learned, "
                f"got positions={self.positions} and extra_positions={self.extra_positions}"
            )
        return self

    @model_validator(mode="after")
    def _segments_and_poolers_belong_to_encoders(self) -> Self:
        if self.kind != "encoder" and (self.token_types or self.pooler):
            raise ValueError(
                "`token_types` and `pooler` must be left out unless kind=encoder, "
                f"got kind={self.kind}, token_types={self.token_types} and pooler={self.pooler}"
            )
        return self

    @property
    def query(self) -> int:
        """Elements of a token's queries, and of the attention's output."""
        return self.heads * self.head_dim

    @property
    def key(self) -> int:
        """Elements of a token's keys, and of its values."""
        return self.kv_heads * self.head_dim

    @property
    def patches(self) -> int:
        """Patches of a picture."""
        return (self.image // self.patch) ** 2

    @property
    def attention_matrix(self) -> int:
        """Weights of the four projections of one attention."""
        return self.width * (self.query + 2 * self.key) + self.query * self.width

    @property
    def ffn_matrix(self) -> int:
        """Weights of one feed-forward network."""
        return (3 if self.gated else 2) * self.width * self.ffn

    @property
    def attentions(self) -> int:
        """Attentions of the network: one a block, and one more in a block with cross-attention."""
        return self.encoder_layers + self.layers * (2 if self.encoder_layers else 1)

    @property
    def blocks(self) -> int:
        """Blocks of all stacks."""
        return self.encoder_layers + self.layers

    @property
    def block_matrices(self) -> int:
        """Weights that multiply every token in the blocks: their linear MACs per token."""
        return self.attentions * self.attention_matrix + self.blocks * self.ffn_matrix

    @property
    def head_macs(self) -> int:
        """MACs of the LM head per token, for a head that spans the full width."""
        return 0 if self.kind in {"encoder", "vision"} else self.width * self.vocab

    @property
    def attention_macs(self) -> int:
        """MACs of scores and weighted values per token and token of context."""
        return 2 * self.attentions * self.query

    @property
    def patch_macs(self) -> int:
        """MACs that turn the patches of one picture into tokens."""
        return self.width * self.channels * self.image**2 if self.kind == "vision" else 0

    @property
    def sequence_macs(self) -> int:
        """MACs once per sequence: pooler, patch embedding and class head."""
        return self.pooler * self.width**2 + self.patch_macs + self.width * self.classes

    @property
    def kv_elements(self) -> int:
        """Keys and values that generation caches per token; only decoders cache."""
        return 2 * self.layers * self.key if self.kind == "decoder" else 0

    @property
    def norm_parameters(self) -> int:
        """Parameters of one norm."""
        return self.width * (2 if self.norm == "layer" else 1)

    def norms(self, layers: int, *, cross: bool = False) -> int:
        """Norms of a stack: one before or after each half of a block, and those at its ends."""
        return (3 if cross else 2) * layers + self.final_norm + self.embedding_norm


def parameters(hyper: Hyperparameters) -> int:
    """Trained parameters of the network with its head; equal to published totals."""
    return (
        hyper.block_matrices
        + _block_biases(hyper)
        + _norms(hyper)
        + _positions(hyper)
        + (_picture(hyper) if hyper.kind == "vision" else _words(hyper))
        + hyper.pooler * (hyper.width**2 + hyper.width)
    )


def _block_biases(hyper: Hyperparameters) -> int:
    projected = hyper.query + 2 * hyper.key
    if hyper.bias == "none":
        return 0
    if hyper.bias == "qkv":
        return hyper.attentions * projected
    inner = (2 if hyper.gated else 1) * hyper.ffn
    return hyper.attentions * (projected + hyper.width) + hyper.blocks * (inner + hyper.width)


def _norms(hyper: Hyperparameters) -> int:
    count = hyper.norms(hyper.layers, cross=hyper.encoder_layers > 0)
    if hyper.encoder_layers:
        count += hyper.norms(hyper.encoder_layers)
    return count * hyper.norm_parameters


def _positions(hyper: Hyperparameters) -> int:
    stacks = 2 if hyper.encoder_layers else 1
    if hyper.positions == "learned":
        return stacks * (hyper.context + hyper.extra_positions) * hyper.width
    return stacks * hyper.relative_buckets * hyper.heads


def _words(hyper: Hyperparameters) -> int:
    narrow = hyper.embedding_width != hyper.width
    projections = 2 * hyper.embedding_width * hyper.width if narrow else 0
    headed = hyper.kind != "encoder" and not hyper.tied
    tables = (2 if headed else 1) * hyper.vocab * hyper.embedding_width
    return tables + projections + hyper.token_types * hyper.width


def _picture(hyper: Hyperparameters) -> int:
    pixels = hyper.channels * hyper.patch**2
    class_token = hyper.width
    return (pixels + 1) * hyper.width + class_token + (hyper.width + 1) * hyper.classes


def read(slug: str, row: Mapping[str, object], *, where: str) -> Hyperparameters:
    """The hyper-parameters of one row of data.

    Raises:
        InputError: an unknown field, a wrong value or sizes that do not fit one another.
    """
    try:
        return Hyperparameters.model_validate({"slug": slug, **row})
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join((slug, *map(str, first["loc"])))
        why = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: '{path}': {why}; correct that row") from None
