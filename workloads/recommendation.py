"""Recommendation networks: DLRM and Wide & Deep.

Dense numbers go through a bottom network, one word of each table becomes a row of numbers, both
meet, and a top network turns them into one score. All numbers are for one sample, which is one
token with a context of one, so that the laws of the operators hold with t = c = 1. The tables
dwarf the rest but are touched a row at a time: `parameters` counts them, `weights` does not.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dse.spec import Family, Operator, Real, Unit, Workload, leaf
from dse.training import SavedTensor, TrainingView

from . import rows

DATA = "recommendation.yaml"
"""Where the sizes stand, beside this module."""

Whole = Annotated[int, Field(gt=0, le=10**12)]

_INDEX = 8.0
"""Bytes of the number of a row."""


class Structure(BaseModel):
    """The sizes that define a recommendation network."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slug: str
    """Name in the catalog, lower-case."""
    title: str
    """Name as people say it."""
    interaction: Literal["dot", "concatenate"]
    """How vectors meet: products of all pairs beside the dense vector, or side by side."""
    dense: Whole
    """Numbers of a sample that are no words."""
    embedding_width: Whole
    """Numbers of a row of a table."""
    bottom: tuple[Whole, ...]
    """Outputs of the layers over the dense numbers."""
    top: Annotated[tuple[Whole, ...], Field(min_length=1)]
    """Outputs of the layers after the vectors met."""
    rows: Annotated[tuple[Whole, ...], Field(min_length=1)]
    """Rows of each table."""
    wide: bool = False
    """Whether a linear model over the words and dense numbers is added."""

    @model_validator(mode="after")
    def _dot_products_need_equal_widths(self) -> Self:
        if self.interaction == "dot" and self.dense_width != self.embedding_width:
            raise ValueError(
                "the last of `bottom` must be `embedding_width` for interaction=dot, "
                f"got {self.dense_width} and {self.embedding_width}"
            )
        return self

    @property
    def dense_width(self) -> int:
        """Numbers of the dense vector where it meets the words."""
        return (self.dense, *self.bottom)[-1]

    @property
    def vectors(self) -> int:
        """Vectors that meet: one a table, and the dense one."""
        return len(self.rows) + 1

    @property
    def met(self) -> int:
        """Numbers that enter the top network."""
        if self.interaction == "dot":
            return self.vectors * (self.vectors - 1) // 2 + self.dense_width
        return len(self.rows) * self.embedding_width + self.dense_width

    @property
    def bottom_layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of the bottom layers."""
        return tuple(pairwise((self.dense, *self.bottom)))

    @property
    def top_layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of the top layers."""
        return tuple(pairwise((self.met, *self.top)))

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of all linear layers."""
        return self.bottom_layers + self.top_layers

    @property
    def wide_parameters(self) -> int:
        """One weight a row and dense number, and a bias."""
        return sum(self.rows) + self.dense + 1 if self.wide else 0


class Recommender(Workload):
    """A recommendation network: what pages read of it, per sample."""

    mlp_parameters: Annotated[Real, Unit("1")]
    """Weights and biases of the linear layers."""
    macs: Annotated[Real, Unit("MAC")]
    """MACs of the linear layers; products of pairs are left out, as the catalog does."""
    table_rows: Annotated[Real, Unit("1")]
    """Rows of all tables."""
    table_parameters: Annotated[Real, Unit("1")]
    """Numbers in all tables, without the linear model's."""
    tables: Annotated[Real, Unit("1")]
    """Embedding tables."""
    embedding_width: Annotated[Real, Unit("1")]
    """Numbers of a row of a table."""
    activation_token: Annotated[Real, Unit("1")]
    """Numbers of four bytes saved for the backward pass."""
    activation_pair: Annotated[Real, Unit("1")] = leaf(0.0)
    """None: a sample has no context."""


def network(found: Structure) -> Recommender:
    """The network of these sizes."""
    table_rows = sum(found.rows)
    mlp = sum(inputs * outputs + outputs for inputs, outputs in found.layers)
    held = table_rows * found.embedding_width
    return Recommender(
        slug=found.slug,
        title=found.title,
        family="recommendation",
        parameters=mlp + held + found.wide_parameters,
        operators=operators(found),
        mlp_parameters=mlp,
        macs=sum(inputs * outputs for inputs, outputs in found.layers),
        table_rows=table_rows,
        table_parameters=held,
        tables=len(found.rows),
        embedding_width=found.embedding_width,
        activation_token=view(found).activation_bytes / 4,
    )


def operators(found: Structure) -> tuple[Operator, ...]:
    """The operators of one pass; all networks have the same six, some of them idle.

    The product of all vectors with one another is run in full, though half of it is kept.
    """
    tables, width = len(found.rows), found.embedding_width
    hidden = sum(outputs for _, outputs in found.layers)
    dot = found.interaction == "dot"
    product = found.vectors**2 if dot else 0
    gathered = tables * width + found.dense_width
    return (
        _gather("embedding", tables, width, saved=2 * tables),
        _gather("wide", tables if found.wide else 0, 1, saved=0),
        _linear("bottom", found.bottom_layers),
        Operator(
            slug="interaction",
            kind="gemm",
            calls=1,
            flops_token=2 * product * width,
            moved_token=gathered + (product if dot else gathered),
            output_token=found.met,
            saved_token=gathered if dot else 0,
        ),
        _linear("top", found.top_layers),
        Operator(
            slug="activation",
            kind="elementwise",
            calls=len(found.layers),
            flops_token=hidden,
            moved_token=2 * hidden,
            output_token=hidden,
            saved_token=found.top[-1] + sum(found.bottom[-1:]),
        ),
    )


def _gather(slug: str, tables: int, width: int, *, saved: int) -> Operator:
    """A row of each table; the backward pass needs the numbers of the rows."""
    return Operator(
        slug=slug,
        kind="embedding",
        calls=tables,
        moved_token=2 * tables * width,
        output_token=tables * width,
        saved_token=saved,
    )


def _linear(slug: str, layers: tuple[tuple[int, int], ...]) -> Operator:
    """Layers one after another; each saves its input, which a ReLU before it keeps as well."""
    weights = sum(inputs * outputs for inputs, outputs in layers)
    biases = sum(outputs for _, outputs in layers)
    return Operator(
        slug=slug,
        kind="gemm",
        calls=len(layers),
        flops_token=2 * weights,
        weights=weights + biases,
        moved_token=sum(inputs + outputs for inputs, outputs in layers),
        output_token=biases,
        saved_token=sum(inputs for inputs, _ in layers),
    )


def view(found: Structure) -> TrainingView:
    """What training keeps of one sample: inputs of layers and of products, numbers of rows.

    Forward steps: the look-up, each bottom layer, the meeting, each top layer; a layer's
    activation works in place and keeps its output, most often the next layer's input.
    [derived] from the rule of eager frameworks.
    """
    steps = len(found.layers) + 2
    meeting = 1 + len(found.bottom)
    last = 2 * steps - 1
    tensors = [
        SavedTensor("words", float(len(found.rows)), _INDEX, 0, last, relu=False, fp16=False)
    ]
    firsts = [*range(1, meeting), *range(meeting + 1, steps)]
    for step, (inputs, _) in zip(firsts, found.layers, strict=True):
        behind_layer = step not in (1, meeting + 1)
        tensors.append(_kept(f"input {step}", inputs, step - 1, last - step, relu=behind_layer))
    if found.bottom:
        tensors.append(
            _kept("dense", found.bottom[-1], meeting - 1, last - meeting + 1, relu=True)
        )
    if found.interaction == "dot":
        gathered = found.vectors * found.embedding_width
        tensors.append(_kept("vectors", gathered, meeting, last - meeting, relu=False))
    tensors.append(_kept("score", found.top[-1], steps - 1, steps, relu=False))
    return TrainingView(
        network=found.slug,
        steps=steps,
        tensors=tuple(tensors),
        parameters=float(
            sum((inputs + 1) * outputs for inputs, outputs in found.layers)
            + sum(found.rows) * found.embedding_width
            + found.wide_parameters
        ),
        workspace=float(max(inputs + outputs for inputs, outputs in found.layers)),
    )


def _kept(name: str, elements: int, birth: int, last_use: int, *, relu: bool) -> SavedTensor:
    return SavedTensor(name, float(elements), 4.0, birth, last_use, relu=relu, fp16=True)


SHELF = rows.Shelf(Structure, DATA, network)
structures, networks, described = SHELF.structures, SHELF.networks, SHELF.described


def training(slug: str, tokens: int = 1) -> TrainingView:
    """What training a network keeps per sample.

    Raises:
        InputError: an unknown network, or a sample of more than one token.
    """
    return view(rows.single(structures(), slug, tokens))


FAMILY = Family(
    slug="recommendation",
    title="Recommendation networks",
    networks=networks,
    training=training,
    read=described,
)
