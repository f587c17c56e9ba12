"""Networks of parallel branches and a head that joins them, such as Wide & Deep over pictures.

The branches do not depend on one another, so they may run on different devices. A network is
its branches (`branched.yaml`); all numbers are of one sample.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dse.spec import Branch, Family, Operator, Workload

from . import rows

DATA = "branched.yaml"
"""Where the branches stand, beside this module."""


_ELEMENT = 4.0
"""Bytes of a number between branches."""


class Structure(BaseModel):
    """The branches that make a network, the head last."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slug: str
    """Name in the catalog, lower-case."""
    title: str
    """Name as people say it."""
    branches: Annotated[tuple[Branch, ...], Field(min_length=2, max_length=6)]
    """Branches in any order, then the head; six at most, as a scheduler tries every split."""

    @model_validator(mode="after")
    def _the_last_branch_alone_joins(self) -> Self:
        joins = [float(branch.joins) for branch in self.branches]
        if joins != [0.0] * (len(joins) - 1) + [1.0]:
            raise ValueError(f"the last branch alone has `joins: 1`, got {joins}")
        return self


class Branched(Workload):
    """A network of branches: what pages read of it."""

    branches: tuple[Branch, ...]
    """The branches, the head last."""


def network(found: Structure) -> Branched:
    """The network of these branches."""
    return Branched(
        slug=found.slug,
        title=found.title,
        family="branched",
        parameters=sum(branch.weights for branch in found.branches),
        operators=tuple(map(_operator, found.branches)),
        branches=found.branches,
    )


def _operator(branch: Branch) -> Operator:
    """A branch as one law, for pages that ask for operators and not for branches."""
    return Operator(
        slug=branch.slug,
        kind="gemm",
        calls=branch.kernels,
        flops_token=branch.flops,
        weights=branch.weights * branch.steps,
        moved_token=(branch.input_bytes + branch.output_bytes) / _ELEMENT,
        output_token=branch.output_bytes / _ELEMENT,
    )


SHELF = rows.Shelf(Structure, DATA, network)
structures, networks, described = SHELF.structures, SHELF.networks, SHELF.described


FAMILY = Family(
    slug="branched",
    title="Networks of parallel branches",
    networks=networks,
    read=described,
)
