"""Recurrent networks: LSTM layers, as a language model or as two towers that share weights.

A tower reads a sentence word by word; two towers end in exp(-L1) of their last states. Laws are
per token of a sentence, for both towers together. What the laws cannot say: kernels of the
recurrence are counted for `length` tokens, whatever a page sets, and its weights are read once a
pass, though a layer that outgrows the cache is read again for every token (time comes out short).
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dse.errors import InputError, unknown
from dse.spec import Family, Operator, Real, Unit, Workload, leaf
from dse.training import SavedTensor, TrainingView

from . import rows

DATA = "recurrent.yaml"
"""Where the sizes stand, beside this module."""

Whole = Annotated[int, Field(gt=0, le=10**9)]

GATES = 4
"""Products of an LSTM cell: input, forget and output gate, and the candidate."""

KEPT = 7
"""Elements a cell keeps per hidden unit [derived]: four gates, cell, its tanh, hidden state."""

_CELL_COST = 30
"""Operations per hidden unit beside the products, bias and activations included [assumed]."""


class Structure(BaseModel):
    """The sizes that define a recurrent network."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slug: str
    """Name in the catalog, lower-case."""
    title: str
    """Name as people say it."""
    inputs: Whole
    """Numbers of a word."""
    hidden: Whole
    """Numbers of a state."""
    layers: Whole
    """LSTM layers, one on another."""
    biases: Annotated[int, Field(ge=1, le=2)] = 1
    """Bias vectors of a layer: one, or one for inputs and one for states."""
    towers: Annotated[int, Field(ge=1, le=2)] = 1
    """Sentences read by the same weights."""
    vocab: Annotated[int, Field(ge=0, le=10**9)] = 0
    """Words of a trained embedding and of the head; 0 where word vectors are given."""
    length: Whole
    """Tokens of a usual sentence."""

    @model_validator(mode="after")
    def _towers_are_compared_not_continued(self) -> Self:
        if self.towers > 1 and self.vocab:
            raise ValueError(
                "`vocab` must be left out for towers=2, which end in a score, "
                f"got vocab={self.vocab}"
            )
        return self

    @property
    def input_weights(self) -> int:
        """Weights on what comes from below, of all layers."""
        return GATES * self.hidden * (self.inputs + (self.layers - 1) * self.hidden)

    @property
    def state_weights(self) -> int:
        """Weights on the states, of all layers."""
        return GATES * self.hidden * self.hidden * self.layers

    @property
    def cell_parameters(self) -> int:
        """Weights and biases of all layers."""
        biases = self.biases * GATES * self.hidden * self.layers
        return self.input_weights + self.state_weights + biases

    @property
    def parameters(self) -> int:
        """Trained parameters: layers, and with a vocabulary its embedding and its head."""
        return self.cell_parameters + self.vocab * (self.inputs + self.hidden + 1)


class Recurrent(Workload):
    """A recurrent network: what pages read of it."""

    hidden: Annotated[Real, Unit("1")]
    """Numbers of a state."""
    layers: Annotated[Real, Unit("1")]
    """LSTM layers."""
    towers: Annotated[Real, Unit("1")]
    """Sentences read by the same weights."""
    context: Annotated[Real, Unit("token")]
    """Tokens of a usual sentence."""
    macs: Annotated[Real, Unit("MAC")]
    """MACs of the layers per token of one tower."""
    head_weights: Annotated[Real, Unit("1")]
    """MACs of the head per token, 0 without one."""
    activation_token: Annotated[Real, Unit("1")]
    """Elements saved for the backward pass per token, of all towers."""
    activation_pair: Annotated[Real, Unit("1")] = leaf(0.0)
    """None: a state stands for the context."""


def network(found: Structure) -> Recurrent:
    """The network of these sizes."""
    table = operators(found)
    return Recurrent(
        slug=found.slug,
        title=found.title,
        family="recurrent",
        parameters=found.parameters,
        operators=table,
        hidden=found.hidden,
        layers=found.layers,
        towers=found.towers,
        context=found.length,
        macs=found.input_weights + found.state_weights,
        head_weights=found.vocab * found.hidden,
        activation_token=sum(operator.saved_token for operator in table),
    )


def operators(found: Structure) -> tuple[Operator, ...]:
    """The operators of one pass; all networks have the same six, some of them idle."""
    hidden, cells = found.hidden, found.layers * found.towers
    below = found.inputs + (found.layers - 1) * hidden
    return (
        _embedding(found),
        _product(found, "input", found.input_weights, below, calls=1),
        _product(found, "state", found.state_weights, found.layers * hidden, calls=found.length),
        Operator(
            slug="cell",
            kind="elementwise",
            calls=cells * found.length,
            flops_token=_CELL_COST * cells * hidden,
            weights=found.biases * GATES * hidden * found.layers,
            moved_token=(2 * GATES + 3) * cells * hidden,
            output_token=2 * cells * hidden,
            saved_token=KEPT * cells * hidden,
        ),
        Operator(
            slug="head",
            kind="gemm",
            calls=int(found.vocab > 0),
            flops_token=2 * hidden * found.vocab,
            weights=(hidden + 1) * found.vocab,
            moved_token=hidden + found.vocab if found.vocab else 0,
            output_token=found.vocab,
            saved_token=found.vocab,
        ),
        _score(found),
    )


def _embedding(found: Structure) -> Operator:
    return Operator(
        slug="embedding",
        kind="embedding",
        calls=found.towers,
        moved_token=2 * found.towers * found.inputs,
        output_token=found.towers * found.inputs,
        saved_token=2 if found.vocab else 0,
    )


def _product(found: Structure, slug: str, weights: int, inputs: int, *, calls: int) -> Operator:
    """Products of all layers with one side; inputs of upper layers are states, saved there."""
    outputs = GATES * found.hidden * found.layers
    return Operator(
        slug=slug,
        kind="gemm",
        calls=found.towers * found.layers * calls,
        flops_token=2 * found.towers * weights,
        weights=weights,
        moved_token=found.towers * (inputs + outputs),
        output_token=found.towers * outputs,
        saved_token=found.towers * found.inputs if slug == "input" else 0,
    )


def _score(found: Structure) -> Operator:
    """The distance of two last states, once a pair of sentences, spread over their tokens."""
    each = found.hidden / found.length if found.towers > 1 else 0.0
    return Operator(
        slug="score",
        kind="elementwise",
        calls=int(found.towers > 1),
        flops_token=3 * each,
        moved_token=2 * each,
        output_token=each / found.hidden,
        saved_token=each,
    )


def view(found: Structure, tokens: int) -> TrainingView:
    """What training keeps of one sample of so many tokens; a layer is one step, so is its end.

    [derived] from the rule of eager frameworks.
    """
    steps, read = found.layers + 1, tokens * found.towers
    last = 2 * steps - 1
    tensors = [_kept("inputs", found.inputs * read, 0, last)]
    if found.vocab:
        words = SavedTensor("words", float(tokens), 8.0, 0, last, relu=False, fp16=False)
        tensors += [words, _kept("probabilities", found.vocab * tokens, steps - 1, steps)]
    if found.towers > 1:
        tensors.append(_kept("signs", found.hidden, steps - 1, steps))
    for layer in range(found.layers):
        kept = KEPT * found.hidden * read
        tensors.append(_kept(f"layer {layer}", kept, layer, last - layer))
    largest = max(found.inputs + found.hidden, 2 * found.hidden * (found.layers > 1))
    return TrainingView(
        network=found.slug,
        steps=steps,
        tensors=tuple(tensors),
        parameters=float(found.parameters),
        workspace=float(max(largest * read, (found.hidden + found.vocab) * tokens)),
    )


def _kept(name: str, elements: int, birth: int, last_use: int) -> SavedTensor:
    return SavedTensor(name, float(elements), 4.0, birth, last_use, relu=False, fp16=True)


SHELF = rows.Shelf(Structure, DATA, network)
structures, networks, described = SHELF.structures, SHELF.networks, SHELF.described


def training(slug: str, tokens: int) -> TrainingView:
    """What training a network keeps per sample of so many tokens a tower.

    Raises:
        InputError: an unknown network, or no token.
    """
    if slug not in structures():
        raise unknown("network", slug, structures())
    if tokens < 1:
        raise InputError(f"`tokens >= 1` must hold for '{slug}', got tokens={tokens}; set it to 1")
    return view(structures()[slug], tokens)


FAMILY = Family(
    slug="recurrent",
    title="Recurrent networks",
    networks=networks,
    training=training,
    read=described,
)
