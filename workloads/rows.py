"""Rows of a family's data file: read once, validated, each with one of the file's sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from dse import documents, provenance
from dse.errors import InputError, unknown
from dse.spec import Workload

S = TypeVar("S", bound=BaseModel)
W = TypeVar("W", bound=Workload)


@dataclass(frozen=True)
class Shelf(Generic[S, W]):
    """A family's data file: the sizes of its networks, and the networks that they define."""

    kind: type[S]
    data: str
    """Name of the file, beside this module."""
    network: Callable[[S], W]

    @cached_property
    def _sizes(self) -> Mapping[str, S]:
        return load(self.kind, self.data)

    @cached_property
    def _networks(self) -> Mapping[str, W]:
        return {slug: self.network(found) for slug, found in self._sizes.items()}

    def structures(self) -> Mapping[str, S]:
        """The sizes of every network of the data file, by slug; read once."""
        return self._sizes

    def networks(self) -> Mapping[str, W]:
        """Every network of the family, by slug; made once."""
        return self._networks

    def described(self, row: Mapping[str, object], place: str) -> W:
        """The network of a workload file, whose values are those of a row of the data file."""
        return self.network(read(self.kind, row, place))


def load(kind: type[S], name: str) -> Mapping[str, S]:
    """The sizes of every network of a data file beside this module, by slug.

    Raises:
        InputError: a network without a known source, or with sizes of no sense.
    """
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return listed(kind, cast("Mapping[str, object]", documents.parse(text, name=name)), name)


def listed(kind: type[S], document: Mapping[str, object], name: str) -> Mapping[str, S]:
    """The sizes of every network of a document, by slug; see `load`."""
    sources = provenance.read_sources(document, where=name)
    found: dict[str, S] = {}
    for slug, row in cast("Mapping[str, Mapping[str, object]]", document["networks"]).items():
        source = str(row.get("source", ""))
        if source not in sources:
            raise InputError(f"{name}: '{slug}.source': {unknown('source', source, sources)}")
        sizes = {key: value for key, value in row.items() if key != "source"}
        found[slug] = read(kind, {"slug": slug, **sizes}, name)
    return found


def read(kind: type[S], row: Mapping[str, object], where: str) -> S:
    """The sizes of one row.

    Raises:
        InputError: an unknown field, a wrong value or sizes that do not fit one another.
    """
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join((str(row.get("slug", "network")), *map(str, first["loc"])))
        why = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: '{path}': {why}; correct that row") from None


def single(structures: Mapping[str, S], slug: str, tokens: int) -> S:
    """A network whose sample is one token.

    Raises:
        InputError: an unknown network, or more than one token.
    """
    if slug not in structures:
        raise unknown("network", slug, structures)
    if tokens != 1:
        raise InputError(
            f"`tokens == 1` must hold for '{slug}', whose sample is one token, got {tokens}"
        )
    return structures[slug]
