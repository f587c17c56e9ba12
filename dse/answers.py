"""One design: what names it, and its answer as plain data, as people and scripts read it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dse import documents, files, picks, registry, simulate, units
from dse.errors import InputError, shorten
from dse.grounds import as_json, grounds
from dse.mechanism import AnyReference
from dse.spec import AnyModel, Config, Knob, Result, at, knobs
from dse.study import overlaid

Answer = dict[str, Any]
"""An evaluation as scripts read it: model, metrics, terms, resources, bottleneck, warnings."""


def design(
    model: str,
    settings: Mapping[str, object] | None = None,
    paths: Mapping[str, Path] | None = None,
) -> tuple[AnyModel, Config]:
    """A page and one design of it.

    Args:
        model: slug of a page, path of a design file, or `RUN:NAME` for a design of a run.
        settings: what is laid over it.
        paths: kind -> file that the page reads; all settings lie over it.

    Raises:
        InputError: anything in it that does not fit the page.
    """
    slug, held, place = named(model)
    page = registry.model(slug)
    laid = _laid_under(page, paths, overlaid(held, settings or {}))
    return page, registry.configure(page, laid, place=place)


def named(model: str) -> tuple[str, Mapping[str, object], str]:
    """What a name stands for: slug of the page, settings, and the place of mistakes in them.

    Raises:
        InputError: a file that names no page, or a run without that design.
    """
    pick = picks.read(model)
    if pick is not None:
        return *pick.settings(), model
    if Path(model).suffix not in (".yaml", ".yml"):
        return model, {}, ""
    return *of_document(documents.read(Path(model)), model), model


def of_document(document: object, place: str) -> tuple[str, Mapping[str, object]]:
    """What the content of a design file stands for: slug of the page, and settings.

    Raises:
        InputError: it is no mapping, names no page, or its settings are none.
    """
    if not isinstance(document, Mapping) or "model" not in document:
        raise InputError(f"{place}: a design file needs 'model' and 'set'; no model is named")
    held = document.get("set") or {}
    if not isinstance(held, Mapping):
        raise InputError(f"{place}: set: must hold 'knob: value' lines, got {shorten(repr(held))}")
    return str(document["model"]), held


@contextmanager
def priced_like(models: Iterable[str], prices: str | Path | None) -> Iterator[None]:
    """Price by the given list, or by the one that the designs' runs were searched with.

    Raises:
        InputError: runs of different lists, which no comparison may mix.
    """
    found = {pick.overlay for pick in map(picks.read, models) if pick and prices is None}
    if len(found) > 1:
        raise InputError("the runs were searched at different prices; give one list by --prices")
    with registry.priced_by(prices or next(iter(found), None)):
        yield


def _laid_under(
    page: AnyModel, paths: Mapping[str, Path] | None, settings: Mapping[str, object]
) -> dict[str, object]:
    """What files stand for, with the settings laid over it, nested."""
    for kind in (paths or {}).keys() - page.readers.keys():
        readers = [slug for slug in registry.slugs() if kind in registry.model(slug).readers]
        raise files.refuse(page.slug, kind, readers)
    return files.laid_under(page.readers, settings, paths)


def answer(page: AnyModel, config: Config) -> Answer:
    """A scalar design priced, as plain data; what is unknown is None."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result = page.evaluate(config)
    sure = grounds(page, config, result)
    metrics = {
        name: {
            "value": _plain(result.metrics[name], truth=name == "feasible"),
            "unit": metric.unit,
            **as_json(sure[name]),
        }
        for name, metric in page.metrics.items()
    }
    return {
        "model": page.slug,
        "metrics": metrics,
        "terms": {name: _plain(value) for name, value in result.terms.items()},
        "resources": {name: _plain(value) for name, value in result.resources.items()},
        "bottleneck": result.bottleneck(),
        "warnings": warnings_of(page, config, result),
    }


def outcome(found: AnyReference, config: Config) -> Answer:
    """A mechanism run once, as plain data; what is unknown is None."""
    came_out = simulate.run(found, config)
    metrics = {
        name: {"value": _said(came_out[name]), "unit": metric.unit, "low": None, "high": None}
        for name, metric in found.quantities.items()
    }
    return {"model": found.slug, "metrics": metrics, "warnings": beyond(config)}


def _said(value: object) -> float | bool | str | None:
    """Words as they are; truths and numbers as JSON has them."""
    if isinstance(value, str):
        return value
    return _plain(value, truth=isinstance(value, bool | np.bool_))


def _plain(value: object, *, truth: bool = False) -> float | bool | None:
    number = float(np.asarray(value))
    if truth:
        return bool(number)
    return None if math.isnan(number) else number


def warnings_of(page: AnyModel, config: Config, result: Result) -> list[str]:
    """Why a prediction should be trusted less: raised flags, and knobs beyond their range."""
    words = {**page.flags, **page.remarks}
    raised = [words[name] for name, mask in result.flags.items() if bool(np.all(mask))]
    return raised + beyond(config) + registry.idle_rates(page)


def beyond(config: Config) -> list[str]:
    """A warning for every knob outside the range it is meant for."""
    found = (_beyond(knob, at(config, knob.path)) for knob in knobs(type(config)).values())
    return [text for text in found if text]


def _beyond(knob: Knob, value: object) -> str:
    if knob.bounds is None or not isinstance(value, float | int):
        return ""
    if knob.bounds.low <= value <= knob.bounds.high:
        return ""
    low, high, given = (
        units.show(number, knob.unit) for number in (knob.bounds.low, knob.bounds.high, value)
    )
    return f"{knob.path} = {given} lies outside {low} to {high}, which the page is meant for"
