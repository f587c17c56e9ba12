"""One design as plain settings: from a URL, a page's defaults or a row of a table, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

import numpy as np
from pydantic import ValidationError

from dse import documents, registry, units
from dse.answers import Answer, answer, of_document
from dse.errors import InputError, shorten, unknown
from dse.evaluate import Table, evaluate
from dse.space import Constraint, Space
from dse.spec import AnyModel, Config, Knob, Record, at, knobs
from dse.study import Study, nest

from .compared import configured

Settings = dict[str, float | str]
"""Dotted knob -> SI number, or the slug of a category."""

LENGTH = 16_000
"""Longest query that is read: no two designs need more."""

VIEW = ("run", "pinned", "metric", "roof")
"""What a query says beside the design: no page has a knob of these names."""


@dataclass(frozen=True)
class Asked:
    """What a URL asks for, and what of it was refused, in words."""

    page: AnyModel
    settings: Settings
    problems: tuple[str, ...]
    pinned: Settings | None = None
    """The design that it is held against."""
    metric: str = ""
    """The metric whose single changes are shown."""
    roof: str = ""
    """Whose operators are on the roof."""


def flatten(config: Config) -> Settings:
    """A config as dotted settings."""
    found: Settings = {}
    for path, knob in knobs(type(config)).items():
        value = at(config, path)
        found[path] = str(value.slug) if knob.catalog else float(value)
    return found


def row_settings(study: Study, table: Table, row: int) -> Settings:
    """A row of a study's designs as settings, the study's fixed knobs included."""
    found = flatten(study.space.base)
    for axis in study.space.axes:
        value = float(table[axis.path][row])
        found[axis.path] = axis.labels[int(value)] if axis.rows else value
    return found


def entered(knob: Knob, text: str) -> float | str:
    """What a person typed for a knob, as a setting.

    Raises:
        InputError: a slug nobody knows, or text that is no quantity of the knob's unit.
    """
    if knob.catalog:
        rows = registry.catalog(knob.catalog.name)
        if text not in rows:
            raise InputError(f"{knob.path}: {unknown('choice', text, rows)}")
        return text
    try:
        return units.parse(_number(text), knob.unit)
    except ValueError as error:
        raise InputError(f"{knob.path}: {error}") from None


def _number(text: str) -> float | str:
    """A bare number, which is SI, or the text as it is."""
    try:
        return float(text)
    except ValueError:
        return text


def shown(knob: Knob, value: float | str) -> str:
    """A setting as a person reads it and may type it."""
    return value if isinstance(value, str) else units.show(value, knob.unit, 6)


def query(page: AnyModel, settings: Mapping[str, float | str], **view: str) -> str:
    """The URL's query that reproduces a design: the page, and every knob off its default.

    Args:
        page: the model.
        settings: the design.
        view: what else is to be seen, by the names of `VIEW`; empty ones are left out.
    """
    seen = {name: text for name, text in view.items() if text}
    texts = {path: _text(value) for path, value in _off(page, settings).items()}
    return "?" + urlencode({"model": page.slug, **texts, **seen}, safe="/ :,=")


def called(page: AnyModel, settings: Mapping[str, float | str]) -> str:
    """A design in one word, as Compare takes it: `dfx:fpgas=2,cores=4`, or `dfx` alone."""
    texts = [f"{path}={_text(value)}" for path, value in _off(page, settings).items()]
    return f"{page.slug}:{','.join(texts)}" if texts else page.slug


def beside(page: AnyModel, settings: Settings, pinned: Settings | None) -> str:
    """The link that holds a design against the pinned one, term by term."""
    names = [called(page, one) for one in (pinned, settings) if one]
    return "/compare?" + urlencode([("design", name) for name in names], safe=":,=/ ")


def _off(page: AnyModel, settings: Mapping[str, float | str]) -> Settings:
    """The settings that are not the page's defaults."""
    start = flatten(registry.starting_point(page))
    return {path: value for path, value in settings.items() if value != start[path]}


def _text(value: float | str) -> str:
    """A setting as a link holds it."""
    return value if isinstance(value, str) else _shortest(value)


def _shortest(value: float) -> str:
    """The fewest digits that read back as the same number."""
    return repr(float(value)).removesuffix(".0")


def read(search: str, *, default: str, start: Settings | None = None) -> Asked:
    """What a URL's query asks for; what cannot be read is left out and said.

    Args:
        search: the query, `?model=dfx&fpgas=2`.
        default: the page when the query names none.
        start: the design when the query sets nothing; the page's defaults otherwise.
    """
    pairs = dict(parse_qsl(search.removeprefix("?")[:LENGTH]))
    view = {name: pairs.pop(name, "") for name in VIEW}
    slug = pairs.pop("model", default)
    problems: list[str] = []
    if slug not in registry.slugs():
        problems.append(f"{unknown('model', slug, registry.slugs())} Showing {default} instead.")
        slug, pairs, view = default, {}, dict.fromkeys(VIEW, "")
    page = registry.model(slug)
    base = flatten(registry.starting_point(page))
    given, refused = _given(page, pairs)
    if start is not None and slug == default and not pairs:
        base |= start
    pinned, unpinned = _pinned(page, view["pinned"])
    metric = view["metric"] if view["metric"] in page.metrics else ""
    if view["metric"] != metric:
        refused.append(f"In the link, {unknown('metric', view['metric'], page.metrics)}.")
    told = (*problems, *refused, *unpinned)
    return Asked(page, base | given, told, pinned, metric, view["roof"])


def _pinned(page: AnyModel, name: str) -> tuple[Settings | None, list[str]]:
    """The pinned design that a link names, and what of it was refused."""
    slug, _, text = name.partition(":")
    if not name:
        return None, []
    if slug != page.slug:
        said = f"In the link, the pinned design is of page '{shorten(slug)}', not '{page.slug}'."
        return None, [f"{said} Nothing is pinned."]
    pairs = dict(pair.partition("=")[::2] for pair in text.split(",") if pair)
    given, refused = _given(page, pairs)
    return flatten(registry.starting_point(page)) | given, refused


def _given(page: AnyModel, pairs: Mapping[str, str]) -> tuple[Settings, list[str]]:
    known = knobs(page.config)
    given: Settings = {}
    refused: list[str] = []
    for path, text in pairs.items():
        try:
            if path not in known:
                raise unknown("knob", path, known)
            given[path] = entered(known[path], text)
        except InputError as error:
            refused.append(f"In the link, {error}. The default is used.")
    return given, refused


@dataclass(frozen=True)
class Priced:
    """A design's numbers, or in words why there are none."""

    answer: Answer | None
    refusal: str = ""


def price(page: AnyModel, settings: Mapping[str, object]) -> Priced:
    """Price a design; what the page refuses comes back in words."""
    try:
        return Priced(answer(*configured(page.slug, settings)))
    except (InputError, ValidationError) as error:
        return Priced(None, str(error).split("\n")[0])


def of_file(text: str, file: str) -> tuple[AnyModel, Settings]:
    """The design that a YAML file holds, as the controls can show it.

    Raises:
        InputError: broken YAML, no design file, a design that its page does not cover, or a row
            with numbers of its own, which no menu lists.
    """
    slug, held = of_document(documents.parse(text, name=file), file)
    page, config = configured(slug, held)
    for path, knob in knobs(page.config).items():
        row = at(config, path)
        if isinstance(row, Record) and knob.catalog and not _listed(row, knob):
            raise InputError(
                f"{file}: {path} is a row with numbers of its own, which no menu here lists; "
                "compare it on the Compare page, or name a row of the catalog"
            )
    return page, flatten(config)


def _listed(row: Record, knob: Knob) -> bool:
    """Whether a row is the catalog's, to the last number."""
    catalog = knob.catalog.name if knob.catalog else ""
    return row.slug in registry.catalog(catalog) and row == registry.record(
        type(row), catalog, row.slug
    )


def missed(study: Study, settings: Mapping[str, object]) -> list[str]:
    """The study's constraints that a design misses, in words.

    They are judged as the search judges them: one that asks for a probability by the end of the
    metric's interval.
    """
    config = registry.configure(study.page, nest(settings))
    table = evaluate(replace(study, space=Space(config, ())), {})
    lines = []
    for constraint in study.constraints:
        reached = table[constraint.column]
        gap = float(constraint.violation(reached)[0])
        if np.isinf(gap):
            lines.append(f"'{constraint.text}' cannot be judged: {constraint.metric} is unknown.")
        elif gap > 0:
            told = f"'{constraint.text}' is missed by {gap:.3g} of its limit"
            lines.append(f"{told}{_at_confidence(study, constraint, float(reached[0]))}.")
    return lines


def _at_confidence(study: Study, constraint: Constraint, reached: float) -> str:
    """What a metric reaches with the probability that a constraint asks for."""
    if constraint.confidence is None:
        return ""
    value = units.show(reached, study.metrics[constraint.metric].unit)
    return f": with that probability it only reaches {value}"
