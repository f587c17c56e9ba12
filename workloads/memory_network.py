"""Memory networks: MemN2N and its key-value form, one question against n memories.

A question is one token (t = 1) and its memories are the context (c = n), so that the laws say
what happens at any number of memories. A hop scores every memory, weighs them and adds the sum to
the question, transformed by a matrix:

    MACs of a hop = 2 n d + d^2

The candidate answers (every word) come last. Memories are bags of words, looked up twice: as what
is compared and as what is summed. The answer's table is its product's matrix.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dse.spec import Family, Operator, Real, Unit, Workload
from dse.training import SavedTensor, TrainingView

from . import rows

DATA = "memory_network.yaml"
"""Where the sizes stand, beside this module."""

Whole = Annotated[int, Field(gt=0, le=10**9)]

SIDES = 2
"""Every memory is looked up as a key and as a value."""

_SOFTMAX_COST = 5
"""Operations per score [assumed], as for transformers."""


class Structure(BaseModel):
    """The sizes that define a memory network."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slug: str
    """Name in the catalog, lower-case."""
    title: str
    """Name as people say it."""
    width: Whole
    """Numbers of a memory."""
    hops: Whole
    """Times that the memories are read."""
    memories: Whole
    """Memories of a usual question."""
    vocab: Whole
    """Words that are known, each a possible answer."""
    tables: Annotated[int, Field(ge=2, le=1000)]
    """Tables of word vectors, the answer's included."""
    transforms: Whole
    """Matrices between hops: one that all share, or one each."""
    timed: bool = False
    """Whether the place of a memory has a vector of its own, as key and as value."""
    words: Whole
    """Words of a usual memory."""

    @property
    def parameters(self) -> int:
        """Trained parameters."""
        places = SIDES * self.memories if self.timed else 0
        return self.width * (self.vocab * self.tables + self.width * self.transforms + places)

    @property
    def hop_macs(self) -> int:
        """MACs of one hop at the usual number of memories."""
        return 2 * self.memories * self.width + self.width**2


class MemoryNetwork(Workload):
    """A memory network: what pages read of it, per question."""

    width: Annotated[Real, Unit("1")]
    """Numbers of a memory."""
    hops: Annotated[Real, Unit("1")]
    """Times that the memories are read."""
    context: Annotated[Real, Unit("token")]
    """Memories of a usual question."""
    macs: Annotated[Real, Unit("MAC")]
    """MACs of all hops at that context; the answer is left out."""
    attention_macs: Annotated[Real, Unit("MAC")]
    """MACs of scores and weighted sums per memory."""
    head_weights: Annotated[Real, Unit("1")]
    """MACs of the answer."""
    activation_token: Annotated[Real, Unit("1")]
    """Elements saved for the backward pass per question."""
    activation_pair: Annotated[Real, Unit("1")]
    """Elements saved for the backward pass per memory."""


def network(found: Structure) -> MemoryNetwork:
    """The network of these sizes."""
    table = operators(found)
    return MemoryNetwork(
        slug=found.slug,
        title=found.title,
        family="memory_network",
        parameters=found.parameters,
        operators=table,
        width=found.width,
        hops=found.hops,
        context=found.memories,
        macs=found.hops * found.hop_macs,
        attention_macs=2 * found.hops * found.width,
        head_weights=found.width * found.vocab,
        activation_token=sum(operator.saved_token for operator in table),
        activation_pair=sum(operator.saved_pair for operator in table),
    )


def operators(found: Structure) -> tuple[Operator, ...]:
    """The operators of one question; all networks have the same six."""
    width, hops = found.width, found.hops
    return (
        Operator(
            slug="embedding",
            kind="embedding",
            calls=SIDES + 1,
            flops_pair=SIDES * (found.words - 1) * width,
            moved_context=SIDES * (found.words + 1) * width,
            output_pair=SIDES * width,
            saved_pair=2 * found.words,
        ),
        Operator(
            slug="scores",
            kind="attention",
            calls=hops,
            flops_pair=2 * hops * width,
            moved_token=hops * width,
            moved_pair=hops,
            moved_context=hops * width,
            output_pair=hops,
            saved_token=hops * width,
            saved_pair=width,
        ),
        Operator(
            slug="softmax",
            kind="softmax",
            calls=hops,
            flops_pair=_SOFTMAX_COST * hops,
            moved_pair=2 * hops,
            output_pair=hops,
            saved_pair=hops,
        ),
        Operator(
            slug="values",
            kind="attention",
            calls=hops,
            flops_pair=2 * hops * width,
            moved_token=hops * width,
            moved_pair=hops,
            moved_context=hops * width,
            output_token=hops * width,
            saved_pair=width,
        ),
        _transform(found),
        _answer(found),
    )


def _transform(found: Structure) -> Operator:
    """The question between hops; its input is saved with the scores."""
    width, hops = found.width, found.hops
    return Operator(
        slug="transform",
        kind="gemm",
        calls=hops,
        flops_token=2 * hops * width**2,
        weights=found.transforms * width**2,
        moved_token=2 * hops * width,
        output_token=hops * width,
    )


def _answer(found: Structure) -> Operator:
    """Every word is a candidate; its probability is saved."""
    return Operator(
        slug="answer",
        kind="gemm",
        calls=1,
        flops_token=2 * found.width * found.vocab,
        weights=found.width * found.vocab,
        moved_token=found.width + found.vocab,
        output_token=found.vocab,
        saved_token=found.width + found.vocab,
    )


def view(found: Structure) -> TrainingView:
    """What training keeps of one question with its usual memories.

    Forward steps: the look-up, each hop, the answer. [derived] from the rule of eager frameworks.
    """
    steps, read = found.hops + 2, found.memories
    last = 2 * steps - 1
    words = SavedTensor("words", float(read * found.words), 8.0, 0, last, relu=False, fp16=False)
    tensors = [
        words,
        _kept("keys", read * found.width, 0, last - 1),
        _kept("values", read * found.width, 0, last - 1),
        _kept("answer", found.width, steps - 2, steps),
        _kept("probabilities", found.vocab, steps - 1, steps),
    ]
    for hop in range(1, found.hops + 1):
        tensors.append(_kept(f"question {hop}", found.width, hop - 1, last - hop))
        tensors.append(_kept(f"weights {hop}", read, hop, last - hop))
    largest = SIDES * read * (found.words + 1) * found.width
    return TrainingView(
        network=found.slug,
        steps=steps,
        tensors=tuple(tensors),
        parameters=float(found.parameters),
        workspace=float(max(largest, found.width + found.vocab)),
    )


def _kept(name: str, elements: int, birth: int, last_use: int) -> SavedTensor:
    return SavedTensor(name, float(elements), 4.0, birth, last_use, relu=False, fp16=True)


SHELF = rows.Shelf(Structure, DATA, network)
structures, networks, described = SHELF.structures, SHELF.networks, SHELF.described


def training(slug: str, tokens: int = 1) -> TrainingView:
    """What training a network keeps per question.

    Raises:
        InputError: an unknown network, or a sample of more than one question.
    """
    return view(rows.single(structures(), slug, tokens))


FAMILY = Family(
    slug="memory_network",
    title="Memory networks",
    networks=networks,
    training=training,
    read=described,
)
