"""Multi-task networks: MT-DNN, an encoder that several small heads share.

The encoder is one of the transformer family's. A head is a linear layer over the first token: for
a sentence with its classes, for a similarity or a ranking with one number. A pair of sentences is
read by an answer module (SAN): the second sentence is summed up into a state, a GRU then looks at
the first one for some steps, and each step's classes are averaged. Weights of all heads count;
work counts that of one pair with the most classes, spread over the tokens of a full context.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dse.errors import unknown
from dse.spec import Family, Operator, Real, Unit
from dse.training import TrainingView

from . import rows, transformer
from .transformer import Transformer
from .transformer_hyper import Hyperparameters

DATA = "multitask.yaml"
"""Where the heads stand, beside this module."""

Classes = tuple[Annotated[int, Field(gt=0, le=10**6)], ...]


class Structure(BaseModel):
    """The encoder and the heads of a multi-task network."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slug: str
    """Name in the catalog, lower-case."""
    title: str
    """Name as people say it."""
    encoder: str
    """Slug of the encoder that all tasks share."""
    sentences: Classes
    """Classes of each task over one sentence."""
    pairs: Annotated[Classes, Field(min_length=1)]
    """Classes of each task over a pair of sentences."""
    scores: Annotated[int, Field(ge=0, le=10**6)]
    """Tasks that end in one number: similarity and ranking."""
    steps: Annotated[int, Field(gt=0, le=1000)]
    """Looks that the answer module takes at the first sentence."""


class Multitask(Transformer):
    """A multi-task network: an encoder's numbers, with heads in `parameters` and `operators`."""

    head_parameters: Annotated[Real, Unit("1")]
    """Parameters of all heads."""


def head_parameters(found: Structure, width: int) -> int:
    """Parameters of all heads on an encoder of this width, biases included.

    A pair has two vectors of attention weights, a GRU, a matrix between both sentences, and
    classes over state, summary, their difference and their product.
    """
    linear = sum((width + 1) * classes for classes in (*found.sentences, *([1] * found.scores)))
    pairs = sum(
        width + _gru(width) + width**2 + (4 * width + 1) * classes for classes in found.pairs
    )
    return linear + pairs


def _gru(width: int) -> int:
    """Three gates over input and state, with a bias for each side."""
    return 3 * (2 * width**2 + 2 * width)


def network(found: Structure) -> Multitask:
    """The network of an encoder and its heads.

    Raises:
        InputError: an encoder that nobody knows.
    """
    known = {s: h for s, h in transformer.hyperparameters().items() if h.kind == "encoder"}
    if found.encoder not in known:
        raise unknown("encoder", found.encoder, known)
    hyper = known[found.encoder]
    base, heads = transformer.network(hyper), head_parameters(found, hyper.width)
    held = dict(base) | {
        "slug": found.slug,
        "title": found.title,
        "family": "multitask",
        "parameters": base.parameters + heads,
        "operators": (*base.operators, _heads(found, hyper, heads)),
        "head_parameters": heads,
    }
    return Multitask.model_validate(held)


def _heads(found: Structure, hyper: Hyperparameters, weights: int) -> Operator:
    """The answer module of one pair: its GRU a step, and two looks at every token."""
    width, context = hyper.width, hyper.context
    step = 7 * width**2 + 4 * width * max(found.pairs)
    return Operator(
        slug="task_heads",
        kind="gemm",
        calls=4 * found.steps,
        flops_token=2 * (found.steps * step / context + (found.steps + 1) * width),
        weights=weights,
        moved_token=(found.steps + 1) * width,
        output_token=max(found.pairs) / context,
    )


SHELF = rows.Shelf(Structure, DATA, network)
structures, networks, described = SHELF.structures, SHELF.networks, SHELF.described


def training(slug: str, tokens: int) -> TrainingView:
    """What training keeps per sequence: the encoder's tensors, and the parameters of all.

    What a head keeps is left out: a few vectors beside the encoder's thousands.

    Raises:
        InputError: an unknown network, or tokens that the encoder does not take.
    """
    if slug not in structures():
        raise unknown("network", slug, structures())
    encoder = transformer.training(structures()[slug].encoder, tokens)
    return replace(encoder, network=slug, parameters=float(networks()[slug].parameters))


FAMILY = Family(
    slug="multitask",
    title="Multi-task networks",
    networks=networks,
    training=training,
    read=described,
)
