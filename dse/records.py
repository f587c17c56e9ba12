"""Rows of numbers: leaves, records of catalogs, and what every network says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from dse.errors import InputError
from dse.tags import Unit

Array: TypeAlias = NDArray[np.float64]
"""Float64 numbers of any shape; a scalar is shape ()."""

Mask: TypeAlias = NDArray[np.bool_]
"""Truths of any shape."""

if TYPE_CHECKING:
    Real: TypeAlias = Array
else:
    Real = float
"""A leaf of a config: an array to the type checker, a float to pydantic."""


def leaf(value: float) -> Real:
    """A number as the default of a leaf."""
    return cast("Real", value)


class Strict(BaseModel):
    """Frozen, no unknown fields, docstrings as descriptions."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        ser_json_inf_nan="constants",
    )


class Record(Strict):
    """One row of a catalog: the numbers a page reads of a device, a network or a policy.

    A page declares the fields it needs; `pick` takes them from any row that has them. A field
    whose default is NaN may be unknown; the others must be known.
    """

    slug: str = ""
    """Name of the row, or the file that holds it; empty in a batch over several rows."""

    @model_validator(mode="before")
    @classmethod
    def _leave_unknown_open(cls, row: Any) -> Any:  # noqa: ANN401 - whatever pydantic was given
        """A number that may be unknown may be given as NaN or null, as JSON does."""
        if not isinstance(row, Mapping):
            return row
        return {k: v for k, v in row.items() if not (_open(cls, k) and _unknown(v))}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A number that may be unknown has no default in a schema: JSON knows no NaN."""
        found = handler(schema)
        fields = handler.resolve_ref_schema(found).get("properties", {})
        for name in fields.keys() & cls.model_fields.keys():
            if _open(cls, name):
                fields[name].pop("default", None)
        return found

    @classmethod
    def pick(cls, row: Mapping[str, object]) -> Self:
        """The fields of this record out of a wider row.

        Raises:
            InputError: the row lacks a number that this record must know.
        """
        needed = (name for name, info in cls.model_fields.items() if info.is_required())
        if missing := [name for name in needed if name not in row]:
            raise InputError(f"'{row.get('slug', 'row')}' has no known {', '.join(missing)}")
        return cls.model_validate({k: row[k] for k in cls.model_fields if k in row})

    @property
    def own(self) -> bool:
        """Whether the row stands in a person's file and not in a catalog."""
        return self.slug.endswith((".yaml", ".yml"))

    def numbers(self) -> dict[str, object]:
        """All that is known of the row, its slug too, as plain data."""
        known = {k: v for k, v in self.model_dump().items() if not _unknown(v)}
        return known if self.slug else {k: v for k, v in known.items() if k != "slug"}

    @classmethod
    def take(cls, rows: Sequence[Self], code: NDArray[np.intp]) -> Self:
        """Columns of `rows[code]`, shape of `code`; equal values stay scalar."""
        values = {
            name: _gather([getattr(row, name) for row in rows], code) for name in cls.model_fields
        }
        return cast("Self", cls.model_construct(**cast("dict[str, Any]", values)))


def _gather(column: Sequence[object], code: NDArray[np.intp]) -> object:
    first = column[0]
    if all(value == first for value in column):
        return first
    if isinstance(first, str):
        return ""
    if isinstance(first, Record):
        return type(first).take(cast("Sequence[Record]", column), code)
    if isinstance(first, tuple):
        tuples = cast("Sequence[tuple[Record, ...]]", column)
        names = [item.slug for item in first]
        if any([item.slug for item in value] != names for value in tuples):
            raise InputError("rows of different families cannot be one knob; split the study")
        return tuple(_gather(item, code) for item in zip(*tuples, strict=True))
    return np.take(np.array(column, dtype=np.float64), code)


def _open(kind: type[Record], name: str) -> bool:
    """Whether a field may be unknown."""
    return name in kind.model_fields and _unknown(kind.model_fields[name].default)


def _unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


class Operator(Record):
    """One operator of a network as a law in b sequences, t new tokens and c tokens of context.

    Counts are elements and floating-point operations; bytes are elements times the width of the
    precision in use. Per pass: flops = b t (flops_token + c flops_pair).
    """

    kind: str
    """gemm, attention, softmax, norm, elementwise, embedding or convolution."""
    calls: Annotated[Real, Unit("1")] = leaf(1.0)
    """Kernels started per pass."""
    flops_token: Annotated[Real, Unit("FLOP")] = leaf(0.0)
    """Operations per sequence and new token."""
    flops_pair: Annotated[Real, Unit("FLOP")] = leaf(0.0)
    """Operations per sequence, new token and token of context."""
    weights: Annotated[Real, Unit("1")] = leaf(0.0)
    """Parameters read once per pass."""
    moved_token: Annotated[Real, Unit("1")] = leaf(0.0)
    """Elements read and written per sequence and new token, weights left out."""
    moved_pair: Annotated[Real, Unit("1")] = leaf(0.0)
    """Elements read and written per sequence, new token and token of context."""
    moved_context: Annotated[Real, Unit("1")] = leaf(0.0)
    """Elements read per sequence and token of context: keys and values."""
    output_token: Annotated[Real, Unit("1")] = leaf(0.0)
    """Elements of output per sequence and new token."""
    output_pair: Annotated[Real, Unit("1")] = leaf(0.0)
    """Elements of output per sequence, new token and token of context."""
    saved_token: Annotated[Real, Unit("1")] = leaf(0.0)
    """Elements saved for the backward pass per sequence and token."""
    saved_pair: Annotated[Real, Unit("1")] = leaf(0.0)
    """Elements saved for the backward pass per sequence, token and token of context."""


class Branch(Record):
    """One of the parts that a network's answer is joined from; all numbers are of one sample."""

    flops: Annotated[Real, Unit("FLOP")]
    """Operations."""
    weights: Annotated[Real, Unit("1")]
    """Parameters."""
    steps: Annotated[Real, Unit("1")] = leaf(1.0)
    """Times the parameters are read, one after the other."""
    kernels: Annotated[Real, Unit("1")]
    """Kernels started, unfused."""
    fusible: Annotated[Real, Unit("1")] = leaf(1.0)
    """1 where a compiler may fuse kernels, 0 where steps keep them apart."""
    gpu_share: Annotated[Real, Unit("1")] = leaf(1.0)
    """Share of a GPU's usual compute efficiency that its shapes reach."""
    input_bytes: Annotated[Real, Unit("B")]
    """What enters it from outside."""
    output_bytes: Annotated[Real, Unit("B")]
    """What it hands on."""
    products: Annotated[Real, Unit("1")]
    """Operators that multiply matrices or convolve."""
    others: Annotated[Real, Unit("1")]
    """All other operators."""
    kinds: Annotated[Real, Unit("1")]
    """Kinds of operators."""
    joins: Annotated[Real, Unit("1")] = leaf(0.0)
    """1 for the part that joins the others."""


class Workload(Record):
    """A network: what every family can say of itself. Families add their own numbers."""

    title: str
    family: str
    parameters: Annotated[Real, Unit("1")]
    """Trained parameters."""
    operators: tuple[Operator, ...]
    """Operators of one pass, equal layers added up."""
