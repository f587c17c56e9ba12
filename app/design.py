"""One design as plain settings: from a URL, a page's defaults or a row of a table, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

import numpy as np
from pydantic import ValidationError

from dse import registry, units, verbs
from dse.answers import Answer
from dse.errors import InputError, unknown
from dse.evaluate import Table, evaluate
from dse.space import Constraint, Space
from dse.spec import AnyModel, Config, Knob, at, knobs
from dse.study import Study, nest

Settings = dict[str, float | str]
"""Dotted knob -> SI number, or the slug of a category."""

LENGTH = 8000
"""Longest query that is read: no design needs more."""


@dataclass(frozen=True)
class Asked:
    """What a URL asks for, and what of it was refused, in words."""

    page: AnyModel
    settings: Settings
    problems: tuple[str, ...]


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


def query(page: AnyModel, settings: Mapping[str, float | str]) -> str:
    """The URL's query that reproduces a design: the page, and every knob off its default."""
    start = flatten(registry.starting_point(page))
    off = {path: value for path, value in settings.items() if value != start[path]}
    texts = {path: v if isinstance(v, str) else _shortest(v) for path, v in off.items()}
    return "?" + urlencode({"model": page.slug, **texts}, safe="/ ")


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
    slug = pairs.pop("model", default)
    problems: list[str] = []
    if slug not in registry.slugs():
        problems.append(f"{unknown('model', slug, registry.slugs())} Showing {default} instead.")
        slug, pairs = default, {}
    page = registry.model(slug)
    base = flatten(registry.starting_point(page))
    given, refused = _given(page, pairs)
    if start is not None and slug == default and not pairs:
        base |= start
    return Asked(page, base | given, (*problems, *refused))


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
        return Priced(verbs.evaluate(page.slug, nest(settings)))
    except (InputError, ValidationError) as error:
        return Priced(None, str(error).split("\n")[0])


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
