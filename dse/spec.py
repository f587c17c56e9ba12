"""The bases of every page: a design is a config, a batch is the same config with arrays.

Four rules make the one idea hold. `Config.batched` is the only door for arrays. Leaves are `Real`.
Every category is a `Record`, a row of numbers. `evaluate(config) -> Result`, nothing beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar, cast

import numpy as np
from pydantic import BaseModel, ConfigDict

from dse.errors import InputError, shorten, unknown
from dse.provenance import Sheet
from dse.records import Array as Array
from dse.records import Branch as Branch
from dse.records import Mask as Mask
from dse.records import Operator as Operator
from dse.records import Real as Real
from dse.records import Record as Record
from dse.records import Strict
from dse.records import Workload as Workload
from dse.records import leaf as leaf
from dse.tags import Bounds as Bounds
from dse.tags import Catalog as Catalog
from dse.tags import Symbol as Symbol
from dse.tags import Unit as Unit
from dse.training import Training


class Config(Strict):
    """A design of one page: knobs, nested groups of knobs and records."""

    model_config = ConfigDict(allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: object) -> None:
        """Refuse a default of a whole group: a knob's default stands in one place, beside it."""
        super().__pydantic_init_subclass__(**options)
        for name, info in cls.model_fields.items():
            if issubclass(kind_of(cls, name), Config) and not info.is_required():
                raise TypeError(f"{cls.__name__}.{name}: a group takes no default; its knobs do")

    @classmethod
    def batched(cls, columns: Mapping[str, object], base: Self | None = None) -> Self:
        """The same config with arrays at the named leaves: the one door for arrays.

        Args:
            columns: dotted path -> numbers of any shape, or a `Record` (perhaps of arrays).
            base: config that the other leaves are taken from; without it their defaults.

        Raises:
            InputError: an unknown path, a record of the wrong class or a leaf left open.
        """
        return cls._batched(columns, base, "")

    @classmethod
    def _batched(cls, columns: Mapping[str, object], base: Self | None, prefix: str) -> Self:
        parts: dict[str, dict[str, object]] = {}
        for path, column in columns.items():
            head, dot, rest = path.partition(".")
            if head not in cls.model_fields or (dot and not rest):
                names = [f"{prefix}{name}" for name in cls.model_fields]
                raise unknown("knob", f"{prefix}{path}", names)
            parts.setdefault(head, {})[rest] = column
        values = {
            name: cls._leaf(name, parts.get(name, {}), getattr(base, name, None), prefix)
            for name in cls.model_fields
        }
        return cast("Self", cls.model_construct(**values))

    @classmethod
    def _leaf(cls, name: str, given: Mapping[str, object], base: object, prefix: str) -> Any:  # noqa: ANN401 - a leaf is an array, a record or a group
        kind, path = kind_of(cls, name), f"{prefix}{name}"
        inner = {rest: column for rest, column in given.items() if rest}
        if "" in given:
            base = given[""] if issubclass(kind, BaseModel) else _cast(given[""], path)
        if "" in given and issubclass(kind, BaseModel) and not isinstance(base, kind):
            raise InputError(f"'{path}' must be a {kind.__name__}, got {type(base).__name__}")
        if issubclass(kind, Config):
            return kind._batched(inner, cast("Config | None", base), f"{path}.")
        if inner:
            raise unknown("knob", f"{path}.{next(iter(inner))}", [path])
        if base is None and cls.model_fields[name].is_required():
            raise InputError(f"'{path}' must be given: it has no default")
        return cls.model_fields[name].default if base is None else base

    def echo(self) -> dict[str, object]:
        """The config as plain data that needs no file; slugs for records of a catalog."""
        return {name: whole(getattr(self, name)) for name in type(self).model_fields}


def _cast(value: Any, path: str) -> Array:  # noqa: ANN401 - whatever NumPy can read
    """Float64 numbers; arrays of other libraries that speak NumPy's protocol stay theirs."""
    if hasattr(value, "__array_function__") and not isinstance(value, np.ndarray | np.generic):
        return cast("Array", value.astype(np.float64))
    try:
        found = np.asarray(value)
    except ValueError:
        raise InputError(f"'{path}' must be numbers of one shape, got a ragged list") from None
    if found.dtype.kind not in "fiub":
        raise InputError(f"'{path}' must be numbers, got {shorten(repr(value))}")
    return found.astype(np.float64, copy=False)


def plain(value: object) -> object:
    """A leaf or group as plain data: a record's slug, or its known numbers where it has none."""
    if isinstance(value, Config):
        return value.echo()
    if isinstance(value, Record):
        return value.slug or value.numbers()
    return value


def whole(value: object) -> object:
    """The same, with all numbers of a row that stands in a file, which may change."""
    return value.numbers() if isinstance(value, Record) and value.own else plain(value)


def kind_of(config: type[BaseModel], name: str) -> type:
    """The class of a field: a `Config`, a `Record` or float."""
    annotation = config.model_fields[name].annotation
    return annotation if isinstance(annotation, type) else float


def at(config: Config, path: str) -> Any:  # noqa: ANN401 - a record or a number
    """The value at a dotted path of a config."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


@dataclass(frozen=True)
class Knob:
    """What is known of one knob of a page, by its dotted path."""

    path: str
    unit: str
    symbol: str
    bounds: Bounds | None
    catalog: Catalog | None
    text: str
    default: object


def knobs(config: type[Config], prefix: str = "") -> dict[str, Knob]:
    """Every knob of a config, nested groups included: dotted path -> knob."""
    found: dict[str, Knob] = {}
    for name, info in config.model_fields.items():
        path, kind = f"{prefix}{name}", kind_of(config, name)
        if issubclass(kind, Config):
            found |= knobs(kind, f"{path}.")
            continue
        tags = {type(tag): tag for tag in info.metadata}
        catalog = cast("Catalog | None", tags.get(Catalog))
        found[path] = Knob(
            path=path,
            unit=cast("Unit", tags.get(Unit, Unit(""))).symbol,
            symbol=cast("Symbol", tags.get(Symbol, Symbol(""))).text,
            bounds=cast("Bounds | None", tags.get(Bounds)),
            catalog=catalog,
            text=" ".join((info.description or "").split()),
            default=catalog.default if catalog else info.default,
        )
    return found


@dataclass(frozen=True)
class Result:
    """What a page says of its designs; every array has the batch's shape or broadcasts to it.

    `terms` are exposed times (or costs) that sum to the model's total. `resources` are raw times
    of what works in parallel; the largest is the bottleneck. `flags` mark designs whose
    prediction needs words: the page's flags and remarks. `metrics["feasible"]` is true or false.
    """

    metrics: Mapping[str, Array]
    terms: Mapping[str, Array]
    resources: Mapping[str, Array]
    flags: Mapping[str, Mask] = field(default_factory=dict)

    def bottleneck(self) -> str:
        """The busiest resource of a single design."""
        return max(self.resources, key=lambda name: float(self.resources[name]))


@dataclass(frozen=True)
class Metric:
    """A page's answer: its unit, which way is better, and the metrics it is the sum of."""

    unit: str
    sense: str
    text: str
    parts: tuple[str, ...] = ()
    error: str = ""
    """The metric whose check rows speak for this one too, as those of latency for throughput:
    `latency`, or `1/latency` where it goes the other way; its own rows by default."""
    most: float = math.inf
    """The largest value there can be, as 1 of a share, which no interval exceeds."""
    least: float = 0.0
    """The smallest, as 1 of a write amplification."""


@dataclass(frozen=True)
class Paper:
    """The publication a page is about, and the question the page answers."""

    title: str
    authors: str
    venue: str
    year: int
    doi: str
    question: str

    @classmethod
    def of(cls, data: Sheet, question: str) -> Self:
        """The publication that a page's data.yaml names."""
        facts = data.paper
        return cls(
            title=facts["title"],
            authors=facts["authors"],
            venue=facts["venue"],
            year=int(facts["year"]),
            doi=facts["doi"],
            question=question,
        )


@dataclass(frozen=True)
class Monotone:
    """A promise: as `knob` goes up, `metric` never falls (+1) or never rises (-1).

    It holds of every design. Where few designs show it, `given` names those that do.
    """

    knob: str
    metric: str
    sign: int
    given: Mapping[str, object] = field(default_factory=dict)
    """Dotted knob -> a setting under which the metric changes at all."""


C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Rule(Generic[C]):
    """What must hold for a design to be covered at all; scalars that break it are refused."""

    text: str
    holds: Callable[[C], Mask]
    way_out: str

    @property
    def refusal(self) -> str:
        """The words by which a design that breaks it is refused, wherever that happens."""
        return f"`{self.text}` must hold; {self.way_out}"


@dataclass(frozen=True)
class Technique:
    """Something a design does that it could leave: what `dse ablate` switches off and on.

    Where several techniques are off, their settings are laid over the design in the order the
    page declares them: of two that set one knob the later wins.
    """

    slug: str
    text: str
    off: Mapping[str, object]
    """Dotted knob -> the setting that switches it off; on is the design as it stands."""
    on: Mapping[str, object] = field(default_factory=dict)
    """Dotted knob -> the setting by which a design has it, where any but the off one may be a
    rival's: a category of three serving targets needs it, a switch does not."""
    entails: Callable[[Any], Mapping[str, object]] | None = None
    """Design -> further settings of off that hang on it, as the batch that fits without it."""

    def off_in(self, config: Config) -> Mapping[str, object]:
        """The settings that switch it off in a design."""
        return {**self.off, **(self.entails(config) if self.entails else {})}


@dataclass(frozen=True)
class Uncertain(Generic[C]):
    """What a knob stands for that holds truth over prediction of a page, 1 unless it is drawn.

    A page that joins others has one for each of their predictions that it uses, so that an error
    two of its parts share is one error.
    """

    page: str
    metric: str
    per: str = ""
    """Category knob whose rows err apart, as GPUs do; a row errs alike wherever it stands."""
    regimes: Callable[[C], Mapping[str, Mask]] | None = None
    """Design -> the weak regimes of that page that its use falls in; none by default."""


@dataclass(frozen=True)
class Rests:
    """That a page takes another page's prediction for granted, so that its error adds."""

    page: str
    metric: str
    regime: str = ""
    """The weak regime of that page which it uses."""
    where: tuple[str, ...] = ("",)
    """The page's own regimes in which it does so."""


Reader: TypeAlias = Callable[[Path], Mapping[str, object]]
"""A file -> the settings it stands for; raises `InputError` in one line."""


@dataclass(frozen=True)
class Model(Generic[C]):
    """A page, as discovery finds it."""

    slug: str
    paper: Paper
    config: type[C]
    evaluate: Callable[[C], Result]
    metrics: Mapping[str, Metric]
    total: str
    data: Sheet
    flags: Mapping[str, str] = field(default_factory=dict)
    """Words of each flag that marks a prediction as an extrapolation."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """Words of each flag that only asks to be read with care."""
    rules: tuple[Rule[C], ...] = ()
    monotone: tuple[Monotone, ...] = ()
    note: str = ""
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """Kinds of files the page can be given beside its settings, such as a trace."""
    techniques: tuple[Technique, ...] = ()
    """What an ablation switches, in the order in which the settings of off ones are laid."""
    weak: tuple[str, ...] = ()
    """Flags and remarks under which the page errs otherwise: the first one that is raised names
    the regime whose check rows count for a design."""
    rests: Mapping[str, Rests] = field(default_factory=dict)
    """Metric -> what its own check rows take for granted, as an executed mechanism does the times
    of kernels."""
    uncertain: Mapping[str, Uncertain[C]] = field(default_factory=dict)
    """Dotted knob -> the prediction of another page whose error it holds."""

    FEASIBLE: ClassVar[Metric] = Metric("1", "", "whether the design can run at all")


AnyModel: TypeAlias = Model[Any]
"""A page whose config class is only known at run time."""


@dataclass(frozen=True)
class Family:
    """A network family, as discovery finds it: a module of `workloads/` names one `FAMILY`."""

    slug: str
    title: str
    networks: Callable[[], Mapping[str, Workload]]
    training: Training | None = None
    """Slug and tokens -> training view; a family without one is not trained here."""
    read: Callable[[Mapping[str, object], str], Workload] | None = None
    """Document of a workload file and its place -> network; without it the family takes none."""
