"""One design: what names it, and its answer as plain data, as people and scripts read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dse import documents, registry, units
from dse.errors import InputError, placed
from dse.spec import AnyModel, Config, Knob, Result, at, knobs
from dse.study import flat, nest

Answer = dict[str, Any]
"""An evaluation as scripts read it: model, metrics, terms, resources, bottleneck, warnings."""


def design(
    model: str,
    settings: Mapping[str, object] | None = None,
    files: Mapping[str, Path] | None = None,
) -> tuple[AnyModel, Config]:
    """A page and one design of it; `model` is a slug or the path of a design file.

    Raises:
        InputError: anything in it that does not fit the page.
    """
    if Path(model).suffix not in (".yaml", ".yml"):
        page = registry.model(model)
        return page, registry.configure(page, _laid_under(page, files, settings or {}))
    document = documents.read(Path(model))
    if "model" not in document:
        raise InputError(f"{model}: a design file needs 'model' and 'set'; no model is named")
    page = registry.model(str(document["model"]))
    held = document.get("set") or {}
    if not isinstance(held, Mapping):
        raise InputError(f"{model}: set: must hold 'knob: value' lines, got {held!r}")
    laid = _laid_under(page, files, {**held, **(settings or {})})
    return page, registry.configure(page, laid, place=model)


def _laid_under(
    page: AnyModel, files: Mapping[str, Path] | None, settings: Mapping[str, object]
) -> dict[str, object]:
    """What files stand for, with the settings laid over it, nested."""
    found: dict[str, object] = {}
    for kind, path in (files or {}).items():
        if kind not in page.readers:
            readers = [slug for slug in registry.slugs() if kind in registry.model(slug).readers]
            known = f"models that do: {', '.join(readers) or 'none'}"
            raise InputError(f"'{page.slug}' reads no {kind}; drop --{kind}; {known}")
        with placed(f"--{kind} {path}"):
            found |= flat(page.readers[kind](path))
    return nest({**found, **flat(settings)})


def answer(page: AnyModel, config: Config) -> Answer:
    """A scalar design priced, as plain data; what is unknown or infinite is null."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result = page.evaluate(config)
    metrics = {
        name: {
            "value": _plain(result.metrics[name], truth=name == "feasible"),
            "unit": metric.unit,
            "low": None,
            "high": None,
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


def _plain(value: object, *, truth: bool = False) -> float | bool | None:
    number = float(np.asarray(value))
    if truth:
        return bool(number)
    return number if math.isfinite(number) else None


def warnings_of(page: AnyModel, config: Config, result: Result) -> list[str]:
    """Why a prediction should be trusted less: raised flags, and knobs beyond their range."""
    words = {**page.flags, **page.remarks}
    raised = [words[name] for name, mask in result.flags.items() if bool(np.all(mask))]
    beyond = (_beyond(knob, at(config, knob.path)) for knob in knobs(page.config).values())
    idle = registry.idle_rates(page)
    return raised + [text for text in beyond if text] + idle


def _beyond(knob: Knob, value: object) -> str:
    if knob.bounds is None or not isinstance(value, float | int):
        return ""
    if knob.bounds.low <= value <= knob.bounds.high:
        return ""
    low, high, given = (
        units.show(number, knob.unit) for number in (knob.bounds.low, knob.bounds.high, value)
    )
    return f"{knob.path} = {given} lies outside {low} to {high}, which the page is meant for"
