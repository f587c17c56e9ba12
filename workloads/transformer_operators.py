"""The operators of a transformer, as laws in sequences, new tokens and context.

Each operator stands for all layers. Conventions, all of them about eager kernels:

- Linear layers: queries, keys and values are one kernel, so are the two halves of a gated
  feed-forward network. Biases ride along: neither their parameters (under 0.2 % of a block)
  nor their additions are counted.
- Elements moved are inputs and outputs; keys and values are read once per sequence.
  Tables that all sequences share (rotary angles, relative biases) are left out.
- `_COST` holds the operations per element of what is no matrix product [assumed].
- Work done once per sequence (pooler, patch embedding, class head) is spread over the tokens of
  a full context: exact for pictures, for shorter texts the pooler comes out smaller than it is.
- An encoder-decoder is one pass over source and target. The laws know one t and one c, so they
  hold for t new tokens on both sides with c = t: training, not generation.

Elements saved for the backward pass add up, for a block as in GPT, to 17 elements of width per
token and 2.5 per head and pair of tokens [memory: the count of Korthikanti et al. 2022, in bytes
34 s b h + 5 a s^2 b with two-byte elements]. Its tensors, each counted where it is read: inputs
of both norms 2, input of the qkv projection 1, queries and keys 2, values 1, input of the output
projection 1, input of the first feed-forward layer 1, of the activation 4, of the second layer 4,
two dropout masks 2 x 0.5; per pair the softmax 1, its dropout mask 0.5 and what dropout left of
it 1. A mask has one byte where an element has two, hence one half; in fp32 the law keeps that
half, so it says 3 to 11 % more than one-byte masks would take. A ReLU keeps only its output,
which the second layer keeps anyway. What stands outside the blocks (final norm, head, loss) saves
nothing here, as in the law: the logits of GPT-2 345M at 512 tokens would add 5.5 %.
"""

from __future__ import annotations

from dse.spec import Operator

from .transformer_hyper import Hyperparameters

_COST = {"softmax": 5, "layer": 7, "rms": 4, "gelu": 8, "relu": 1, "silu": 4, "rotary": 3}
_MASK = 0.5


def operators(hyper: Hyperparameters) -> tuple[Operator, ...]:
    """The operators of one pass, in the order of the network, with names that differ."""
    if hyper.kind == "encoder-decoder":
        return (
            _embedding(hyper, sides=2),
            *_stack(hyper, hyper.encoder_layers, prefix="encoder_"),
            *_stack(hyper, hyper.layers, prefix="decoder_", cross=True),
            *_cross_attention(hyper),
            _lm_head(hyper),
        )
    entry = _patch_embedding(hyper) if hyper.kind == "vision" else _embedding(hyper)
    return (entry, *_stack(hyper, hyper.layers), _exit(hyper))


def _stack(
    hyper: Hyperparameters, layers: int, *, prefix: str = "", cross: bool = False
) -> tuple[Operator, ...]:
    width, projected = hyper.width, hyper.query + 2 * hyper.key
    return (
        _positions(hyper, layers, prefix),
        _norm(hyper, layers, prefix, cross=cross),
        _linear(f"{prefix}qkv", layers, width, projected, saved=width),
        *_attention(hyper, layers, prefix),
        _linear(f"{prefix}projection", layers, hyper.query, width, saved=_projected(hyper)),
        *_feed_forward(hyper, layers, prefix),
        _residual(hyper, layers, prefix, halves=3 if cross else 2),
    )


def _linear(
    slug: str, layers: int, inputs: int, outputs: int, *, saved: float, calls: int = 1
) -> Operator:
    return Operator(
        slug=slug,
        kind="gemm",
        calls=layers * calls,
        flops_token=2 * layers * inputs * outputs,
        weights=layers * inputs * outputs,
        moved_token=layers * (inputs + outputs),
        output_token=layers * outputs,
        saved_token=layers * saved,
    )


def _projected(hyper: Hyperparameters) -> float:
    """What an output projection saves: its input and the mask of the dropout behind it."""
    return hyper.query + hyper.dropout * _MASK * hyper.width


def _attention(hyper: Hyperparameters, layers: int, prefix: str) -> tuple[Operator, ...]:
    """Scores, softmax and weighted values of all heads."""
    return (
        _scores(hyper, layers, f"{prefix}scores"),
        _softmax(hyper, layers, f"{prefix}softmax"),
        _values(hyper, layers, f"{prefix}values"),
    )


def _scores(hyper: Hyperparameters, layers: int, slug: str) -> Operator:
    return Operator(
        slug=slug,
        kind="attention",
        calls=layers,
        flops_pair=2 * layers * hyper.query,
        moved_token=layers * hyper.query,
        moved_pair=layers * hyper.heads,
        moved_context=layers * hyper.key,
        output_pair=layers * hyper.heads,
        saved_token=layers * (hyper.query + hyper.key),
    )


def _softmax(hyper: Hyperparameters, layers: int, slug: str) -> Operator:
    scores = layers * hyper.heads
    return Operator(
        slug=slug,
        kind="softmax",
        calls=layers,
        flops_pair=_COST["softmax"] * scores,
        moved_pair=2 * scores,
        output_pair=scores,
        saved_pair=(1 + hyper.dropout * _MASK) * scores,
    )


def _values(hyper: Hyperparameters, layers: int, slug: str) -> Operator:
    return Operator(
        slug=slug,
        kind="attention",
        calls=layers,
        flops_pair=2 * layers * hyper.query,
        moved_token=layers * hyper.query,
        moved_pair=layers * hyper.heads,
        moved_context=layers * hyper.key,
        output_token=layers * hyper.query,
        saved_token=layers * hyper.key,
        saved_pair=hyper.dropout * layers * hyper.heads,
    )


def _feed_forward(hyper: Hyperparameters, layers: int, prefix: str) -> tuple[Operator, ...]:
    width, ffn, branches = hyper.width, hyper.ffn, 2 if hyper.gated else 1
    masked = hyper.dropout * _MASK * width
    return (
        _linear(f"{prefix}ffn_up", layers, width, branches * ffn, saved=width),
        Operator(
            slug=f"{prefix}activation",
            kind="elementwise",
            calls=layers,
            flops_token=layers * ffn * (_COST[hyper.activation] + hyper.gated),
            moved_token=layers * ffn * (branches + 1),
            output_token=layers * ffn,
            saved_token=layers * _activation_saves(hyper),
        ),
        _linear(f"{prefix}ffn_down", layers, ffn, width, saved=ffn + masked),
    )


def _activation_saves(hyper: Hyperparameters) -> int:
    if hyper.gated:
        return 2 * hyper.ffn
    return 0 if hyper.activation == "relu" else hyper.ffn


def _norm(hyper: Hyperparameters, layers: int, prefix: str, *, cross: bool) -> Operator:
    count, halves = hyper.norms(layers, cross=cross), 3 if cross else 2
    return Operator(
        slug=f"{prefix}norm",
        kind="norm",
        calls=count,
        flops_token=_COST[hyper.norm] * count * hyper.width,
        weights=count * hyper.norm_parameters,
        moved_token=2 * count * hyper.width,
        output_token=count * hyper.width,
        saved_token=halves * layers * hyper.width,
    )


def _residual(hyper: Hyperparameters, layers: int, prefix: str, *, halves: int) -> Operator:
    return _add(f"{prefix}residual", halves * layers, hyper.width)


def _add(slug: str, calls: int, width: int) -> Operator:
    """Sums of two vectors of the width: two reads and a write."""
    return Operator(
        slug=slug,
        kind="elementwise",
        calls=calls,
        flops_token=calls * width,
        moved_token=3 * calls * width,
        output_token=calls * width,
    )


def _positions(hyper: Hyperparameters, layers: int, prefix: str) -> Operator:
    """Learned places (and segments) are added once, rotary and relative ones in every layer."""
    slug = f"{prefix}positions"
    if hyper.positions == "learned":
        return _add(slug, 2 if hyper.token_types else 1, hyper.width)
    if hyper.positions == "relative":
        return Operator(
            slug=slug,
            kind="elementwise",
            calls=layers,
            flops_pair=layers * hyper.heads,
            moved_pair=2 * layers * hyper.heads,
            output_pair=layers * hyper.heads,
        )
    turned = layers * (hyper.query + hyper.key)
    return Operator(
        slug=slug,
        kind="elementwise",
        calls=layers,
        flops_token=_COST["rotary"] * turned,
        moved_token=2 * turned,
        output_token=turned,
    )


def _cross_attention(hyper: Hyperparameters) -> tuple[Operator, ...]:
    """The decoder's look at the source; all layers read the one output of the encoder."""
    layers, width = hyper.layers, hyper.width
    saved_once = width / layers
    return (
        _linear("cross_query", layers, width, hyper.query, saved=width),
        _linear("cross_keys_values", layers, width, 2 * hyper.key, saved=saved_once),
        *_attention(hyper, layers, "cross_"),
        _linear("cross_projection", layers, hyper.query, width, saved=_projected(hyper)),
    )


def _embedding(hyper: Hyperparameters, *, sides: int = 1) -> Operator:
    """A row of the table per token; `sides` is 2 where source and target share the table."""
    return Operator(
        slug="embedding",
        kind="embedding",
        calls=sides,
        moved_token=2 * sides * hyper.embedding_width,
        output_token=sides * hyper.embedding_width,
    )


def _patch_embedding(hyper: Hyperparameters) -> Operator:
    pixels = hyper.channels * hyper.patch**2
    share = hyper.patches / hyper.context
    return Operator(
        slug="patch_embedding",
        kind="convolution",
        flops_token=2 * hyper.patch_macs / hyper.context,
        weights=pixels * hyper.width,
        moved_token=share * (pixels + hyper.width),
        output_token=share * hyper.width,
    )


def _exit(hyper: Hyperparameters) -> Operator:
    if hyper.kind == "decoder":
        return _lm_head(hyper)
    outputs, slug = hyper.classes, "class_head"
    if hyper.kind == "encoder":
        outputs, slug = hyper.pooler * hyper.width, "pooler"
    return Operator(
        slug=slug,
        kind="gemm",
        calls=int(outputs > 0),
        flops_token=2 * hyper.width * outputs / hyper.context,
        weights=hyper.width * outputs,
        moved_token=(hyper.width + outputs) / hyper.context,
        output_token=outputs / hyper.context,
    )


def _lm_head(hyper: Hyperparameters) -> Operator:
    """The logits of every token; with a narrow embedding also the projections in and out.

    Both projections stand here so that all decoders have the same operators.
    """
    narrow, width = hyper.embedding_width, hyper.width
    projections = 0 if narrow == width else 2
    weights = narrow * hyper.vocab + projections * narrow * width
    return Operator(
        slug="lm_head",
        kind="gemm",
        calls=1 + projections,
        flops_token=2 * weights,
        weights=weights,
        moved_token=narrow + hyper.vocab + projections * (narrow + width),
        output_token=hyper.vocab + projections / 2 * (narrow + width),
    )
