"""Transformers: GPT-2, GPT-3, OPT, LLaMA, Mistral, Qwen, BERT, T5 and vision transformers.

A network is its hyper-parameters (`transformer.yaml`); counts and operators follow from them.
Leaves of `Transformer` are the numbers that the closed forms of the pages read; `operators` is
the same work, operator by operator. For a sequence of s tokens with c tokens of context each,

    MACs = s (matrix_weights + head_weights + c attention_macs) + sequence_macs

where causal attention over the sequence itself has c = (s + 1) / 2 on average. Norms, softmax,
activations and biases are left out of these MACs; they are in `operators` under their own kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Annotated, cast

from dse import documents, provenance
from dse.errors import InputError, unknown
from dse.spec import Family, Operator, Real, Unit, Workload, leaf
from dse.training import TrainingView

from . import transformer_hyper, transformer_training
from .transformer_hyper import Hyperparameters
from .transformer_operators import operators

DATA = "transformer.yaml"
"""Where the hyper-parameters stand, beside this module."""


class Transformer(Workload):
    """A transformer network: what pages read of it, in elements and multiply-accumulates."""

    layers: Annotated[Real, Unit("1")]
    """Blocks, of both stacks in an encoder-decoder."""
    width: Annotated[Real, Unit("1")]
    """Elements of a token between blocks."""
    heads: Annotated[Real, Unit("1")]
    """Attention heads."""
    kv_heads: Annotated[Real, Unit("1")]
    """Heads of keys and values."""
    head_dim: Annotated[Real, Unit("1")]
    """Elements of a head."""
    ffn: Annotated[Real, Unit("1")]
    """Inner width of the feed-forward network."""
    vocab: Annotated[Real, Unit("1")]
    """Rows of the word embedding; 0 for pictures."""
    context: Annotated[Real, Unit("token")]
    """Tokens of the longest sequence."""
    matrix_weights: Annotated[Real, Unit("1")]
    """Weights of the linear layers in all blocks, which are their MACs per token."""
    head_weights: Annotated[Real, Unit("1")]
    """MACs of the LM head per token, 0 without one.

    Counted at full width, as the catalog does: OPT-350m's narrower head is in its operators.
    """
    attention_macs: Annotated[Real, Unit("MAC")]
    """MACs of scores and weighted values per token and token of context."""
    sequence_macs: Annotated[Real, Unit("MAC")]
    """MACs once per sequence: pooler, patch embedding, class head."""
    kv_elements: Annotated[Real, Unit("1")]
    """Keys and values cached per token; 0 where nothing is cached."""
    decoder: Annotated[Real, Unit("1")]
    """1 where the network generates tokens with a cache, else 0.

    0 for an encoder-decoder: its encoder runs once, which the law of one token does not say.
    """
    activation_token: Annotated[Real, Unit("1")]
    """Elements saved for the backward pass per token, of all blocks."""
    activation_pair: Annotated[Real, Unit("1")]
    """Elements saved for the backward pass per pair of tokens, of all blocks."""
    relu_share: Annotated[Real, Unit("1")] = leaf(0.0)
    """Share of the saved bytes that a ReLU wrote, at a full context.

    Less than at shorter samples, which save fewer pairs: what hangs on it is never overstated.
    """


def network(hyper: Hyperparameters) -> Transformer:
    """The network that has these hyper-parameters."""
    table = operators(hyper)
    return Transformer(
        slug=hyper.slug,
        title=hyper.title,
        family="transformer",
        parameters=transformer_hyper.parameters(hyper),
        operators=table,
        layers=hyper.blocks,
        width=hyper.width,
        heads=hyper.heads,
        kv_heads=hyper.kv_heads,
        head_dim=hyper.head_dim,
        ffn=hyper.ffn,
        vocab=hyper.vocab,
        context=hyper.context,
        matrix_weights=hyper.block_matrices,
        head_weights=hyper.head_macs,
        attention_macs=hyper.attention_macs,
        sequence_macs=hyper.sequence_macs,
        kv_elements=hyper.kv_elements,
        decoder=float(hyper.kind == "decoder"),
        activation_token=sum(operator.saved_token for operator in table),
        activation_pair=sum(operator.saved_pair for operator in table),
        relu_share=_relu_share(hyper, table),
    )


def _relu_share(hyper: Hyperparameters, table: Iterable[Operator]) -> float:
    """What the training view says of a full context, without making its tensors."""
    if hyper.activation != "relu" or hyper.gated:
        return 0.0
    saved = [one.saved_token + hyper.context * one.saved_pair for one in table]
    return float(hyper.blocks * hyper.ffn / sum(saved))


def _mapping(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InputError(f"{DATA}: '{place}' must hold 'key: value' lines, got {value!r}")
    return cast("Mapping[str, object]", value)


def rows(document: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Each network of a data file: its slug, and its values with those its group shares.

    Raises:
        InputError: a group that is no mapping, or a network without one of the file's sources.
    """
    sources = provenance.read_sources(document, where=DATA)
    for name, value in _mapping(document.get("groups"), "groups").items():
        group = _mapping(value, name)
        shared = _mapping(group.get("shared", {}), f"{name}.shared")
        for slug, row in _mapping(group.get("networks"), f"{name}.networks").items():
            merged = {**shared, **_mapping(row, slug)}
            source = str(merged.pop("source", ""))
            if source not in sources:
                raise InputError(f"{DATA}: '{slug}.source': {unknown('source', source, sources)}")
            yield slug, merged


@cache
def hyperparameters() -> Mapping[str, Hyperparameters]:
    """The hyper-parameters of every network of the data file, by slug."""
    text = resources.files(__package__).joinpath(DATA).read_text(encoding="utf-8")
    document = _mapping(documents.parse(text, name=DATA), "document")
    return {slug: transformer_hyper.read(slug, row, where=DATA) for slug, row in rows(document)}


@cache
def networks() -> Mapping[str, Workload]:
    """Every network of the family, by slug."""
    return {slug: network(hyper) for slug, hyper in hyperparameters().items()}


def described(row: Mapping[str, object], place: str) -> Transformer:
    """The network of a workload file, whose values are those of a row of the data file."""
    slug = str(row.get("slug", "network"))
    return network(transformer_hyper.read(slug, row, where=place))


def training(slug: str, tokens: int) -> TrainingView:
    """What training a network keeps per sequence of so many tokens.

    Raises:
        InputError: an unknown network, or more tokens than its context.
    """
    if slug not in hyperparameters():
        raise unknown("network", slug, hyperparameters())
    return transformer_training.view(hyperparameters()[slug], tokens)


FAMILY = Family(
    slug="transformer",
    title="Transformers",
    networks=networks,
    training=training,
    read=described,
)
