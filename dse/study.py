"""One question a file: a page, what is fixed, what varies, what is wanted and what must hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dse import documents, registry
from dse.axes import AxisSpec, Varied, joint, with_rows
from dse.axes import field_of as field_of
from dse.errors import InputError, explain, placed, unknown
from dse.joint import has_interval
from dse.prices import in_force
from dse.provenance import Sheet
from dse.space import Constraint, Space, parse_constraint
from dse.spec import AnyModel, Array, Config, Mask, Metric, Record, at

Method = Literal["auto", "grid", "random", "qmc", "nsga2", "nsga3", "tpe", "gp"]


class SearchSpec(BaseModel):
    """How the space is searched when the command line does not say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    method: Method = "auto"
    """`auto` enumerates when the grid fits the budget, else NSGA-II."""
    budget: Annotated[int | None, Field(ge=1, le=10**12)] = None
    """Most designs that are evaluated; by default a million, fewer for a method that learns."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Same seed, same result."""


BUDGETS = {"nsga2": 10_000, "nsga3": 10_000, "tpe": 1_000, "gp": 200}
"""Designs that a method which learns prices by default: its proposals take about a minute."""

BUDGET = 1_000_000
"""Designs that every other method prices by default."""


class Search(SearchSpec):
    """How a space is searched, with the budget settled."""

    budget: int = BUDGET


def method_in_use(method: Method, space: Space, budget: int) -> Method:
    """What prices the designs: `auto` enumerates when the grid is exact and fits the budget.

    A space without axes has one design, which any method would only repeat.
    """
    if space.axes and method != "auto":
        return method
    return "grid" if not space.continuous and space.size <= budget else "nsga2"


class StudyFile(BaseModel):
    """The YAML form of a study."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    question: str
    """What is asked, in words."""
    model: str
    """Slug of the page that prices a design."""
    fixed: Annotated[dict[str, Any], Field(alias="set")] = {}
    """Knobs that do not vary, dotted or nested."""
    space: dict[str, Varied] = {}
    """Knobs that vary, by dotted path."""
    objectives: Annotated[list[str], Field(min_length=1)]
    """Metrics to improve, each in the page's better direction."""
    constraints: list[str] = []
    """Bounds that must hold, for example 'latency <= 500 ms'."""
    compare: str | None = None
    """A varied category: the best of each of its choices is shown even where it loses."""
    search: SearchSpec = SearchSpec()
    """Method, budget and seed."""
    prices: dict[str, Any] | None = None
    """Own prices laid over the shipped ones: date, prices, rates, as in a price file."""


WORDS = [
    *("set" if name == "fixed" else name for name in StudyFile.model_fields),
    *AxisSpec.model_fields,
    *SearchSpec.model_fields,
]
"""Every word that a study file may use."""


@dataclass(frozen=True)
class Objective:
    """A metric to improve; `sign` is +1 where smaller is better, -1 where larger is."""

    metric: str
    sign: float

    def ranks(self, values: Array) -> Mask:
        """Which values can be compared: finite ones, and infinity where larger is better."""
        return np.isfinite(values) | (np.isposinf(values) & (self.sign < 0))


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
    search: Search
    warnings: tuple[str, ...]
    document: Mapping[str, object]
    prices: Sheet
    """The price list that its devices are priced by."""

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The page's metrics."""
        return self.page.metrics


def nest(settings: Mapping[str, object]) -> dict[str, object]:
    """Dotted settings as nested ones: {'a.b': 1} -> {'a': {'b': 1}}.

    Raises:
        InputError: a name is both a knob and a group, or a knob is set twice.
    """
    found: dict[str, Any] = {}
    for path, value in flat(settings).items():
        *groups, name = path.split(".")
        place = found
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise InputError(f"'{path}': '{group}' is set as a knob and as a group")
        if isinstance(place.get(name), dict):
            raise InputError(f"'{path}' is set as a knob and as a group")
        place[name] = value
    return found


def flat(settings: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested settings as dotted ones: {'a': {'b': 1}} -> {'a.b': 1}.

    Raises:
        InputError: a knob is set twice.
    """
    found: dict[str, object] = {}
    for name, value in settings.items():
        path = f"{prefix}{name}"
        inner = flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
        if doubled := found.keys() & inner.keys():
            raise InputError(f"'{min(doubled)}' is set twice; drop one")
        found |= inner
    return found


def overlaid(low: Mapping[str, object], high: Mapping[str, object]) -> dict[str, object]:
    """Nested settings of which those in `high` win over those in `low`."""
    top = flat(high)
    return nest({path: v for path, v in flat(low).items() if not _touches(path, top)} | top)


def _touches(path: str, settings: Mapping[str, object]) -> bool:
    """Whether a dotted path is set, in whole, in part, or by its group."""
    return any(f"{path}.".startswith(f"{p}.") or p.startswith(f"{path}.") for p in settings)


def parse_settings(pairs: Iterable[str], *, option: str = "--set") -> dict[str, object]:
    """Read `a.b=c` pairs of an option; a value is a YAML scalar: 4, gpt2-xl or 3.2 GB/s.

    Raises:
        InputError: no equals sign, no name, or a value that is not YAML.
    """
    found: dict[str, object] = {}
    for pair in pairs:
        path, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or not path or not text:
            raise InputError(
                f"{option} '{pair}' must read key=value, for example {option} fpgas=4"
            )
        if path in found:
            raise InputError(f"{option} {path} is given twice; drop one")
        found[path] = documents.parse(text, name=f"{option} {path}")
    return found


def load(
    name: str,
    *,
    settings: Mapping[str, object] | None = None,
    search: Mapping[str, object] | None = None,
    prices: str | Path | None = None,
) -> Study:
    """A study by slug or path, with knobs fixed, search settings and prices laid over it.

    A price file takes the place of the study's own prices.

    Raises:
        InputError: an unknown study, a broken file, or anything in it that does not fit the page.
    """
    files = registry.data_files("studies")
    path = files.get(name) or Path(name)
    if name not in files and path.suffix not in (".yaml", ".yml"):
        raise InputError(f"{unknown('study', name, files)} or give the path of a .yaml file")
    place = f"studies/{name}.yaml" if name in files else name
    document = documents.read(path)
    if prices is not None:
        document["prices"] = registry.overlay(prices).document
    return build(path.stem, document, place=place, settings=settings, search=search)


def build(
    slug: str,
    document: Mapping[str, object],
    *,
    place: str,
    settings: Mapping[str, object] | None = None,
    search: Mapping[str, object] | None = None,
) -> Study:
    """A study from its document; see `load`."""
    file = _validated(StudyFile, document, place=place)
    own = None
    if file.prices is not None:
        named = {"file": Path(place).name, **file.prices}
        own = registry.overlay(named, place=f"{place}: prices")
    with registry.priced_by(own):
        return _built(slug, file, document, place, settings or {}, search or {})


def _built(
    slug: str,
    file: StudyFile,
    document: Mapping[str, object],
    place: str,
    settings: Mapping[str, object],
    search: Mapping[str, object],
) -> Study:
    """A study whose devices are priced by the list in force, which its echo keeps."""
    given = flat(settings)
    chosen = _validated(SearchSpec, search, prefix="--").model_dump(exclude_unset=True)
    asked = SearchSpec.model_validate(_own_budget(file.search, chosen) | chosen)
    with placed(f"{place}: model"):
        page = registry.model(file.model)
    where = f"{place} with --set" if given else place
    with placed(where):
        fixed = overlaid(file.fixed, given)
    varied = {path: axis for path, axis in file.space.items() if not _touches(path, given)}
    base = registry.starting_point(page, fixed, place=where)
    space, warnings = joint(page, base, varied, place=place)
    compare, laid = _compared(space, file, place), in_force()
    spec = _settled(asked, space)
    return Study(
        slug=slug,
        question=_printable(file.question),
        page=page,
        space=space,
        objectives=_objectives(page, file.objectives, place),
        constraints=_constraints(page, space, file.constraints, place),
        compare=compare,
        search=spec,
        warnings=(
            *warnings,
            *_cut_short(space, spec),
            *_ends_early(space, asked, spec),
            *registry.idle_rates(page),
        ),
        document=_echo(document, varied, space)
        | {"set": lasting(base, fixed), "search": asked.model_dump(exclude_none=True)}
        | ({"compare": compare} if compare else {})
        | ({"prices": laid.document} if laid else {}),
        prices=registry.prices(),
    )


def _printable(text: str) -> str:
    """A text on one line, without the control characters that steer a terminal."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


T = TypeVar("T", bound=BaseModel)


def _validated(
    kind: type[T], given: Mapping[str, object], *, place: str = "", prefix: str = ""
) -> T:
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        line = explain(error, place=place, prefix=prefix, known=WORDS)
        raise InputError(line) from None


def lasting(base: Config, settings: Mapping[str, object]) -> dict[str, object]:
    """Nested settings with the numbers of rows that files hold: a run outlives its files."""
    named = {path: at(base, path) for path in flat(settings)}
    own = {k: v.numbers() for k, v in named.items() if isinstance(v, Record) and v.own}
    return overlaid(settings, own)


def _echo(
    document: Mapping[str, object], varied: Mapping[str, AxisSpec], space: Space
) -> dict[str, object]:
    """What a study was asked, without what no longer varies, and with the rows of files."""
    written = cast("Mapping[str, object]", document.get("space", {}))
    rows = {path: axis.rows for path, axis in space.by_path.items()}
    kept = {p: with_rows(axis, rows.get(p, ())) for p, axis in written.items() if p in varied}
    return {k: v for k, v in document.items() if k != "compare"} | {"space": kept}


def _compared(space: Space, file: StudyFile, place: str) -> str | None:
    """The knob to compare; none where it no longer varies."""
    path = file.compare
    if path is None or (path in file.space and path not in space.by_path):
        return None
    varied = [axis.path for axis in space.axes if axis.rows]
    if path not in varied:
        raise InputError(f"{place}: compare: {unknown('varied category', path, varied)}")
    return path


def _objectives(page: AnyModel, names: Sequence[str], place: str) -> tuple[Objective, ...]:
    ranked = {key for key, metric in page.metrics.items() if metric.sense}
    _refuse_doubles(names, f"{place}: objectives")
    for name in names:
        if name in page.metrics and name not in ranked:
            raise InputError(
                f"{place}: objectives: '{name}' has no better direction; bound it in constraints"
            )
        if name not in ranked:
            raise InputError(f"{place}: objectives: {unknown('objective', name, ranked)}")
    signs = {"min": 1.0, "max": -1.0}
    return tuple(Objective(name, signs[page.metrics[name].sense]) for name in names)


def _constraints(
    page: AnyModel, space: Space, texts: Sequence[str], place: str
) -> tuple[Constraint, ...]:
    bounds = {name: metric.unit for name, metric in page.metrics.items()}
    _refuse_doubles(texts, f"{place}: constraints")
    with placed(place):
        found = tuple(parse_constraint(text, bounds) for text in texts)
    for constraint in found:
        if constraint.confidence and not has_interval(page, space, constraint.metric):
            raise InputError(
                f"{place}: constraint '{constraint.text}': nothing was checked of "
                f"{constraint.metric}, so no probability is known; drop 'with ... %'"
            )
    return found


def _refuse_doubles(names: Sequence[str], where: str) -> None:
    doubled = [name for i, name in enumerate(names) if name in names[:i]]
    if doubled:
        raise InputError(f"{where}: '{doubled[0]}' stands twice; drop one")


def _own_budget(written: SearchSpec, chosen: Mapping[str, object]) -> dict[str, object]:
    """A file's search, less a budget beyond what another method, chosen over it, can spend."""
    method = str(chosen.get("method", written.method))
    changed = method != written.method and method in BUDGETS
    beyond = changed and (written.budget or 0) > BUDGETS[method]
    return written.model_dump(exclude={"budget"} if beyond else None)


def _settled(asked: SearchSpec, space: Space) -> Search:
    """The search with the budget that is given, or else the one that suits the method."""
    method = method_in_use(asked.method, space, asked.budget or BUDGET)
    budget = asked.budget or BUDGETS.get(method, BUDGET)
    return Search(method=asked.method, budget=budget, seed=asked.seed)


def _ends_early(space: Space, asked: SearchSpec, spec: Search) -> list[str]:
    """Where nobody set a budget and the method has a small one: what it is, and how to change."""
    method = method_in_use(spec.method, space, spec.budget)
    if asked.budget is not None or method not in BUDGETS:
        return []
    return [
        f"no budget is set for {method}, so it ends after {spec.budget:,} designs; --budget or "
        "search.budget sets another"
    ]


def _cut_short(space: Space, spec: Search) -> list[str]:
    """A warning where a grid is larger than what may be evaluated of it."""
    if spec.method != "grid" or space.size <= spec.budget:
        return []
    return [
        f"the budget covers the first {spec.budget:,} of {space.size:,} designs of the grid, "
        "which is one corner of the space; raise the budget, or choose random or nsga2"
    ]
