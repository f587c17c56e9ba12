"""How a study says that a knob varies, and the axis that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import ceil, floor
from numbers import Real as Number
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from dse import registry, units
from dse.errors import InputError, explain, placed, unknown
from dse.space import Axis, Clause, Space, parse_clauses
from dse.spec import AnyModel, Catalog, Config, Knob, Record, at, kind_of, knobs

MOST = 100_000
"""Levels of one knob; a range with more is better left continuous."""


def _value(given: object) -> object:
    if isinstance(given, str) or given is None:
        return given
    if isinstance(given, bool) or not isinstance(given, Number):
        raise InputError(f"must be a number or text with its unit, got {given!r}")
    return float(given)


def _choices(given: object) -> object:
    if given is None or (isinstance(given, str) and given == "all"):
        return given
    if not isinstance(given, list | tuple):
        raise InputError(f"must be a list of values, or 'all', got {given!r}")
    if None in given or len(given) == 0:
        raise InputError("must name at least one value, and none of them empty")
    return [item if isinstance(item, Mapping) else _value(item) for item in given]


Value = Annotated[str | float, BeforeValidator(_value, json_schema_input_type=str | float)]
"""A number in SI, or text with its unit, or a slug."""

Choices = list[Value | dict[str, Any]] | Literal["all"]
"""Values or slugs; a mapping is a row of one's own, as a run's echo holds that of a file."""


class AxisSpec(BaseModel):
    """How one knob varies: choices, or a range from low to high."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    choices: Annotated[
        Choices | None, BeforeValidator(_choices, json_schema_input_type=Choices | None)
    ] = None
    """Values or slugs; `all` takes every row of the catalog that the page can read."""
    low: Value | None = None
    """Lower end of a range, with its unit or in SI."""
    high: Value | None = None
    """Upper end of a range."""
    log: bool = False
    """Spread levels and samples evenly in the logarithm."""
    integer: bool = False
    """Only whole numbers."""
    step: Value | None = None
    """Distance between neighbours; without it a range is continuous."""
    levels: Annotated[int, Field(ge=2, le=10_000)] | None = None
    """How many levels an exhaustive search visits."""
    when: str | None = None
    """Condition on other knobs; where it fails, this knob keeps its default."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        ranged = self.model_fields_set & {"low", "high", "log", "integer", "step", "levels"}
        if self.choices is not None and ranged:
            raise InputError(f"has choices and {', '.join(sorted(ranged))}; drop one or the other")
        if self.step is not None and (self.levels is not None or self.log):
            raise InputError("has a step beside levels or log; drop one or the other")
        return self


def _spec(given: object) -> object:
    """A list of choices and 'all' stand for themselves."""
    if isinstance(given, list | tuple | str):
        return {"choices": given}
    if not isinstance(given, Mapping | AxisSpec):
        raise InputError(f"must be a list of choices, 'all', or low and high, got {given!r}")
    return given


Varied = Annotated[AxisSpec, BeforeValidator(_spec, json_schema_input_type=AxisSpec | Choices)]
"""An axis as a study file writes it, in full or as its choices alone."""


def field_of(config: type[Config], path: str) -> tuple[type[Config], str]:
    """The class and the field name that a dotted path ends in."""
    head, _, rest = path.partition(".")
    if not rest:
        return config, head
    kind: type[Any] = kind_of(config, head)
    return field_of(kind, rest)


def reader(config: type[Config], path: str) -> Callable[[object], float]:
    """What reads a setting of a numeric knob, as the config itself does.

    Returns:
        setting -> SI number; raises `InputError` for what the knob does not take.
    """
    owner, name = field_of(config, path)
    number = Annotated[(float, *owner.model_fields[name].metadata)]
    adapter = TypeAdapter(number, config=ConfigDict(allow_inf_nan=False))

    def read(setting: object) -> float:
        try:
            return float(adapter.validate_python(setting))
        except ValidationError as error:
            raise InputError(explain(error, prefix=path)) from None

    return read


def joint(
    page: AnyModel, base: Config, varied: Mapping[str, AxisSpec], *, place: str
) -> tuple[Space, tuple[str, ...]]:
    """The joint space of a study's axes, and where it leaves the range its page is meant for.

    A condition on a knob that is fixed is settled here: where it holds it is dropped, where it
    fails its axis is.

    Raises:
        InputError: an unknown knob, a value that does not fit it, or conditions in a circle.
    """
    known = knobs(page.config)
    axes: dict[str, Axis] = {}
    left_out: dict[str, str] = {}
    for path, spec in varied.items():
        if path not in known:
            raise InputError(f"{place}: space: {unknown('knob', path, known)}")
        with placed(f"{place}: space.{path}"):
            axes[path], left = _axis(page, base, known[path], spec)
        left_out |= left
    with placed(place):
        settled = _settled(page, base, axes)
        space = Space(base, tuple(settled.values()), left_out)
        space.refuse_circles()
    warnings = [text for path, axis in settled.items() for text in _outside(known[path], axis)]
    return space, tuple(warnings)


def _settled(page: AnyModel, base: Config, axes: Mapping[str, Axis]) -> Mapping[str, Axis]:
    """The axes with conditions on one another only."""
    kept: dict[str, Axis] = {}
    for path, axis in axes.items():
        with placed(f"space.{path}: when"):
            read = [_read(page, base, axes, clause) for clause in axis.when]
        fixed = [(r, c) for r, c in zip(read, axis.when, strict=True) if c.name not in axes]
        if all(knob.holds(clause, np.array(knob.default)) for knob, clause in fixed):
            still = tuple(clause for clause in axis.when if clause.name in axes)
            kept[path] = replace(axis, when=still)
    return kept if len(kept) == len(axes) else _settled(page, base, kept)


def _read(page: AnyModel, base: Config, axes: Mapping[str, Axis], clause: Clause) -> Axis:
    """The knob that a condition reads, after checking that the two fit."""
    known = knobs(page.config)
    if clause.name not in known:
        raise unknown("knob", clause.name, known)
    read = axes.get(clause.name) or _fixed(page, base, known[clause.name])
    if read.rows and clause.op not in ("==", "!=", "in"):
        raise InputError(f"'{clause}' orders a category; use ==, != or in")
    can = dict.fromkeys((*read.values, read.default))
    for operand in read.operands(clause):
        if read.values and clause.op in ("==", "!=", "in") and operand not in can:
            shown = ", ".join(map(read.show, list(can)[:12]))
            raise InputError(f"{read.path} is never {read.show(operand)}; it takes {shown}")
    return read


def _fixed(page: AnyModel, base: Config, knob: Knob) -> Axis:
    """A knob that does not vary, so that conditions can read it."""
    value = at(base, knob.path)
    if knob.catalog is None:
        return Axis(knob.path, knob.unit, float(value))
    owner, name = field_of(page.config, knob.path)
    kind: type[Any] = kind_of(owner, name)
    fit, _ = registry.covered(kind, knob.catalog.name)
    rows = tuple((fit | {value.slug: value}).values())
    return Axis(knob.path, "", float(rows.index(value)), rows=rows)


def _axis(page: AnyModel, base: Config, knob: Knob, spec: AxisSpec) -> tuple[Axis, dict[str, str]]:
    owner, name = field_of(page.config, knob.path)
    when = parse_clauses(spec.when) if spec.when is not None else ()
    default = at(base, knob.path)
    if knob.catalog is not None:
        kind: type[Any] = kind_of(owner, name)
        rows, left = _rows(kind, knob.catalog, spec)
        return replace(_category(knob.path, rows, default, idle=bool(when)), when=when), left
    found = _numeric(knob, spec, reader(page.config, knob.path))
    return replace(found, default=float(default), when=when), {}


def _category(path: str, rows: tuple[Record, ...], default: Record, *, idle: bool) -> Axis:
    """Codes into rows; a default that is no choice is the last row where the knob may be idle."""
    values = tuple(float(code) for code in range(len(rows)))
    slugs = [row.slug for row in rows]
    if default.slug in slugs:
        return Axis(path, "", float(slugs.index(default.slug)), values, rows=rows)
    if not idle:
        return Axis(path, "", 0.0, values, rows=rows)
    return Axis(path, "", float(len(rows)), values, rows=(*rows, default))


def _rows(
    kind: type[Record], catalog: Catalog, spec: AxisSpec
) -> tuple[tuple[Record, ...], dict[str, str]]:
    if spec.choices == "all":
        fit, left = registry.covered(kind, catalog.name)
        return tuple(fit.values()), left
    if not spec.choices:
        raise InputError("a category needs choices: a list of names, or 'all'")
    rows = tuple(_row(kind, catalog, given) for given in spec.choices)
    _once([row.slug for row in rows], str)
    return rows, {}


def _row(kind: type[Record], catalog: Catalog, given: object) -> Record:
    if not isinstance(given, Mapping):
        return registry.record(kind, catalog.name, str(given), catalog.also)
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise InputError(explain(error)) from None


def with_rows(axis: object, rows: Iterable[Record]) -> object:
    """An axis as a study writes it, with the numbers of rows in the place of their files."""
    if isinstance(axis, Mapping):
        return {k: with_rows(v, rows) if k == "choices" else v for k, v in axis.items()}
    own = {row.slug: row.numbers() for row in rows if row.own}
    return [own.get(str(item), item) for item in axis] if isinstance(axis, list) else axis


def _once(values: Iterable[Any], show: Callable[[Any], str]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise InputError(f"choices hold {show(value)} twice; drop one")
        seen.add(value)


def _numeric(knob: Knob, spec: AxisSpec, number: Callable[[object], float]) -> Axis:
    empty = Axis(knob.path, knob.unit, 0.0)
    if spec.choices == "all":
        raise InputError("'all' is for categories; give a list of values, or low and high")
    if spec.choices is not None:
        values = tuple(number(value) for value in spec.choices)
        _once(values, lambda value: units.show(value, knob.unit))
        return replace(empty, values=values)
    if spec.low is None or spec.high is None:
        raise InputError("needs choices, or low and high")
    low, high = number(spec.low), number(spec.high)
    if not low < high:
        raise InputError(f"`low < high` must hold, got low={spec.low}, high={spec.high}")
    if spec.log and low <= 0:
        raise InputError(f"`low > 0` must hold on a log range, got low={spec.low}")
    levels = _levels(knob, spec, low, high)
    return replace(empty, values=levels, low=low, high=high, log=spec.log, levels=spec.levels or 9)


def _levels(knob: Knob, spec: AxisSpec, low: float, high: float) -> tuple[float, ...]:
    """The levels of a stepped or whole-number range; none for a continuous one."""
    integer = spec.integer or bool(knob.bounds and knob.bounds.integer)
    if spec.step is not None:
        return _stepped(knob, low, high, units.parse(spec.step, knob.unit), integer=integer)
    if not integer:
        return ()
    first, last = ceil(low), floor(high)
    if first >= last:
        raise InputError("at least two whole numbers must lie between low and high")
    if spec.levels is None:
        return _stepped(knob, first, last, 1.0, integer=True)
    spread = np.geomspace if spec.log else np.linspace
    return tuple(np.unique(np.round(spread(first, last, spec.levels))).tolist())


def _stepped(
    knob: Knob, low: float, high: float, step: float, *, integer: bool
) -> tuple[float, ...]:
    if not 0 < step <= high - low:
        raise InputError(
            f"`0 < step <= high - low` must hold, got step={units.show(step, knob.unit)}"
        )
    count = floor((high - low) / step * (1 + 1e-12)) + 1
    if count > MOST:
        raise InputError(f"{count:,} levels are more than {MOST:,}; give levels, or a wider step")
    # fifteen digits: 0.1 + 2 * 0.1 is the 0.3 that a person would write in a condition
    levels = tuple(float(f"{low + step * i:.15g}") for i in range(count))
    if integer and any(level != round(level) for level in levels):
        raise InputError("only whole numbers fit; choose low and step so")
    return levels


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
