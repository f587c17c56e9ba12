"""One question a file: a page, what is fixed, what varies, what is wanted and what must hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from dse import documents, registry, units
from dse.errors import InputError, unknown
from dse.space import Axis, Constraint, Space, parse_clauses, parse_constraint
from dse.spec import AnyModel, Config, Knob, Metric, Record, kind_of, knobs

Method = Literal["auto", "grid", "random", "qmc", "nsga2", "nsga3", "tpe", "gp"]


class AxisSpec(BaseModel):
    """How one knob varies: choices, or a range from low to high."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    choices: list[str | float] | Literal["all"] | None = None
    """Values or slugs; `all` takes every row of the catalog that the page can read."""
    low: str | float | None = None
    """Lower end of a range, with its unit or in SI."""
    high: str | float | None = None
    """Upper end of a range."""
    log: bool = False
    """Spread levels and samples evenly in the logarithm."""
    integer: bool = False
    """Only whole numbers."""
    step: str | float | None = None
    """Distance between neighbours; without it a range is continuous."""
    levels: Annotated[int, Field(ge=2, le=10_000)] | None = None
    """How many levels an exhaustive search visits."""
    when: str | None = None
    """Condition on other knobs; where it fails, this knob keeps its default."""


class SearchSpec(BaseModel):
    """How the space is searched when the command line does not say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    method: Method = "auto"
    """`auto` enumerates when the grid fits the budget, else NSGA-II."""
    budget: Annotated[int, Field(ge=1, le=10**12)] = 1_000_000
    """Most designs that are evaluated."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Same seed, same result."""


class StudyFile(BaseModel):
    """The YAML form of a study."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True
    )

    question: str
    """What is asked, in words."""
    model: str
    """Slug of the page that prices a design."""
    fixed: Annotated[dict[str, Any], Field(alias="set")] = {}
    """Knobs that do not vary, dotted or nested."""
    space: dict[str, AxisSpec | list[str | float] | Literal["all"]] = {}
    """Knobs that vary, by dotted path."""
    objectives: Annotated[list[str], Field(min_length=1)]
    """Metrics to improve, each in the page's better direction."""
    constraints: list[str] = []
    """Bounds that must hold, for example 'latency <= 500 ms'."""
    compare: str | None = None
    """A varied category: the best of each of its choices is shown even where it loses."""
    search: SearchSpec = SearchSpec()
    """Method, budget and seed."""


@dataclass(frozen=True)
class Objective:
    """A metric to improve; `sign` is +1 where smaller is better, -1 where larger is."""

    metric: str
    sign: float


@dataclass(frozen=True)
class Study:
    """A question ready to be searched."""

    slug: str
    question: str
    page: AnyModel
    space: Space
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    compare: str | None
    search: SearchSpec
    warnings: tuple[str, ...]
    document: Mapping[str, object]

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The page's metrics."""
        return self.page.metrics


def nest(settings: Mapping[str, object]) -> dict[str, object]:
    """Dotted settings as nested ones: {'a.b': 1} -> {'a': {'b': 1}}.

    Raises:
        InputError: a name is both a knob and a group.
    """
    found: dict[str, Any] = {}
    for path, value in settings.items():
        *groups, name = path.split(".")
        place = found
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise InputError(f"'{path}': '{group}' is set as a knob and as a group")
        if isinstance(value, Mapping) and isinstance(place.get(name), dict):
            place[name] |= nest({str(k): v for k, v in value.items()})
        else:
            place[name] = nest(dict(value)) if isinstance(value, Mapping) else value
    return found


def parse_settings(pairs: Iterable[str]) -> dict[str, object]:
    """Read `--set a.b=c` pairs; a value is a YAML scalar such as 4, gpt2-xl or 3.2 GB/s.

    Raises:
        InputError: no equals sign, no name, or a value that is not YAML.
    """
    found: dict[str, object] = {}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        if not equals or not path.strip() or not text.strip():
            raise InputError(f"--set '{pair}' must read key=value, for example --set fpgas=4")
        found[path.strip()] = documents.parse(text, name=f"--set {path.strip()}")
    return found


def load(
    name: str,
    *,
    settings: Mapping[str, object] | None = None,
    search: Mapping[str, object] | None = None,
) -> Study:
    """A study by slug or path, with knobs fixed and search settings laid over it.

    Raises:
        InputError: an unknown study, a broken file, or anything in it that does not fit the page.
    """
    files = registry.data_files("studies")
    path = files.get(name) or Path(name)
    if name not in files and path.suffix not in (".yaml", ".yml"):
        raise InputError(f"{unknown('study', name, files)} or give the path of a .yaml file")
    place = f"studies/{name}.yaml" if name in files else name
    return build(path.stem, documents.read(path), place=place, settings=settings, search=search)


def build(
    slug: str,
    document: Mapping[str, object],
    *,
    place: str,
    settings: Mapping[str, object] | None = None,
    search: Mapping[str, object] | None = None,
) -> Study:
    """A study from its document; see `load`."""
    try:
        file = StudyFile.model_validate(dict(document))
        spec = SearchSpec.model_validate(file.search.model_dump() | dict(search or {}))
    except ValidationError as error:
        raise InputError(registry.explain(error, place=place)) from None
    page = registry.model(file.model)
    fixed = nest(file.fixed | dict(settings or {}))
    varied = {
        path: _spec(axis) for path, axis in file.space.items() if path not in (settings or {})
    }
    base = registry.starting_point(page, fixed, place=place)
    space, warnings = _space(page, base, varied, place)
    bounds = {name: metric.unit for name, metric in page.metrics.items()}
    return Study(
        slug=slug,
        question=" ".join(file.question.split()),
        page=page,
        space=space,
        objectives=tuple(_objective(page, name, place) for name in file.objectives),
        constraints=tuple(_placed(place, text, bounds) for text in file.constraints),
        compare=_compared(space, file, place),
        search=spec,
        warnings=warnings,
        document=dict(document)
        | {"set": fixed, "search": spec.model_dump()}
        | {"space": {path: document["space"][path] for path in varied}},  # type: ignore[index]
    )


def _compared(space: Space, file: StudyFile, place: str) -> str | None:
    """The knob to compare; none where it no longer varies."""
    path = file.compare
    if path is None or (path in file.space and path not in space.by_path):
        return None
    varied = [axis.path for axis in space.axes if axis.rows]
    if path not in varied:
        raise InputError(f"{place}: compare: {unknown('varied category', path, varied)}")
    return path


def _placed(place: str, text: str, bounds: Mapping[str, str]) -> Constraint:
    try:
        return parse_constraint(text, bounds)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _spec(given: AxisSpec | list[str | float] | str) -> AxisSpec:
    if isinstance(given, AxisSpec):
        return given
    return AxisSpec(choices=given)


def _objective(page: AnyModel, name: str, place: str) -> Objective:
    ranked = {key for key, metric in page.metrics.items() if metric.sense}
    if name not in ranked:
        raise InputError(f"{place}: objectives: {unknown('objective', name, ranked)}")
    return Objective(name, 1.0 if page.metrics[name].sense == "min" else -1.0)


def _space(
    page: AnyModel, base: Config, varied: Mapping[str, AxisSpec], place: str
) -> tuple[Space, tuple[str, ...]]:
    known = knobs(page.config)
    axes: list[Axis] = []
    left_out: dict[str, str] = {}
    warnings: list[str] = []
    for path, spec in varied.items():
        where = f"{place}: space.{path}"
        if path not in known:
            raise InputError(f"{place}: space: {unknown('knob', path, known)}")
        try:
            axis, left = _axis(page, base, known[path], spec)
        except (InputError, ValueError) as error:
            raise InputError(f"{where}: {error}") from None
        warnings += _outside(known[path], axis)
        left_out |= left
        axes.append(axis)
    return _checked(Space(base, tuple(axes), left_out), place), tuple(warnings)


def _checked(space: Space, place: str) -> Space:
    """Every condition must read a knob of the space, and a value that the knob can take."""
    for axis in space.axes:
        for clause in axis.when:
            where = f"{place}: space.{axis.path}: when"
            if clause.name not in space.by_path:
                raise InputError(f"{where}: {unknown('varied knob', clause.name, space.by_path)}")
            operands = (
                clause.operand.strip("[]").split(",") if clause.op == "in" else [clause.operand]
            )
            for operand in operands:
                try:
                    space.by_path[clause.name].value(operand.strip())
                except ValueError as error:
                    raise InputError(f"{where}: {error}") from None
    return space


def field_of(config: type[Config], path: str) -> tuple[type[Config], str]:
    """The class and the field name that a dotted path ends in."""
    head, _, rest = path.partition(".")
    if not rest:
        return config, head
    kind: type[Any] = kind_of(config, head)
    return field_of(kind, rest)


def _leaf(config: Config, path: str) -> Any:  # noqa: ANN401 - a record or a number
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _axis(page: AnyModel, base: Config, knob: Knob, spec: AxisSpec) -> tuple[Axis, dict[str, str]]:
    owner, name = field_of(page.config, knob.path)
    when = parse_clauses(spec.when) if spec.when else ()
    default = _leaf(base, knob.path)
    if knob.catalog is not None:
        kind: type[Any] = kind_of(owner, name)
        rows, left = _rows(kind, knob.catalog.name, spec, default)
        code = next((i for i, row in enumerate(rows) if row.slug == default.slug), 0)
        values = tuple(float(i) for i in range(len(rows)))
        return Axis(knob.path, "", float(code), values, rows=rows, when=when), left
    info = owner.model_fields[name]
    adapter = TypeAdapter(Annotated[(float, *info.metadata)])
    return replace(_numeric(knob, spec, adapter), default=float(default), when=when), {}


def _rows(
    kind: type[Record], catalog: str, spec: AxisSpec, default: Record
) -> tuple[tuple[Record, ...], dict[str, str]]:
    if spec.choices == "all":
        fit, left = registry.covered(kind, catalog)
        return tuple(fit.values()), left
    if not spec.choices:
        raise InputError("a category needs choices: a list of names, or 'all'")
    return tuple(registry.record(kind, catalog, str(slug)) for slug in spec.choices), {}


def _numeric(knob: Knob, spec: AxisSpec, adapter: TypeAdapter[float]) -> Axis:
    def number(value: str | float | None) -> float:
        try:
            return float(adapter.validate_python(value))
        except ValidationError as error:
            raise InputError(registry.explain(error, prefix=knob.path)) from None

    empty = Axis(knob.path, knob.unit, 0.0)
    if isinstance(spec.choices, list) and spec.choices:
        return replace(empty, values=tuple(number(value) for value in spec.choices))
    if spec.low is None or spec.high is None:
        raise InputError("needs choices, or low and high")
    integer = spec.integer or bool(knob.bounds and knob.bounds.integer)
    low, high = number(spec.low), number(spec.high)
    if not low < high:
        raise InputError(f"`low < high` must hold, got low={spec.low}, high={spec.high}")
    if spec.log and low <= 0:
        raise InputError(f"`low > 0` must hold on a log range, got low={spec.low}")
    step = units.parse(spec.step, knob.unit) if spec.step is not None else 0.0
    if spec.step is not None and not 0 < step <= high - low:
        raise InputError(f"`0 < step <= high - low` must hold, got step={spec.step}")
    levels = _levels(low, high, step=step, integer=integer, log=spec.log, count=spec.levels)
    return replace(empty, values=levels, low=low, high=high, log=spec.log, levels=spec.levels or 9)


def _levels(
    low: float, high: float, *, step: float, integer: bool, log: bool, count: int | None
) -> tuple[float, ...]:
    """The levels of a stepped or whole-number range; none for a continuous one."""
    if step:
        return tuple(low + step * np.arange(int((high - low) / step * (1 + 1e-12)) + 1))
    if not integer:
        return ()
    if count is None:
        return tuple(np.arange(low, high + 1.0))
    spread = np.geomspace if log else np.linspace
    return tuple(np.unique(np.round(spread(low, high, count))))


def _outside(knob: Knob, axis: Axis) -> list[str]:
    """A warning where an axis leaves the range the page is meant for."""
    if knob.bounds is None:
        return []
    ends = axis.values or (axis.low, axis.high)
    low, high = min(ends), max(ends)
    if low >= knob.bounds.low and high <= knob.bounds.high:
        return []
    given, meant = (
        " to ".join(units.show(end, knob.unit) for end in pair)
        for pair in ((low, high), (knob.bounds.low, knob.bounds.high))
    )
    return [f"{knob.path} varies over {given}, the page is meant for {meant}: extrapolation"]
