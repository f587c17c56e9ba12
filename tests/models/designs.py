"""Random designs of any page, inside its bounds: what every contract test draws from."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from dse import registry
from dse.errors import InputError
from dse.spec import AnyModel, Config, Knob, Record, knobs
from dse.study import field_of, nest


def settings(page: AnyModel, seed: int) -> dict[str, Any]:
    """A random design as dotted settings; integers where the knob is one."""
    rng = np.random.default_rng(seed)
    return {knob.path: _value(page, knob, rng) for knob in knobs(page.config).values()}


def _value(page: AnyModel, knob: Knob, rng: np.random.Generator) -> Any:
    if knob.catalog is not None:
        return str(rng.choice(_choices(page.slug, knob.path)))
    assert knob.bounds is not None, f"{page.slug}: {knob.path} has no bounds"
    low, high = knob.bounds.low, knob.bounds.high
    if knob.bounds.integer:
        return float(rng.integers(int(low), int(high) + 1))
    share = rng.random()
    return float(low * (high / low) ** share if knob.bounds.log else low + share * (high - low))


@cache
def _choices(slug: str, path: str) -> list[str]:
    page = registry.model(slug)
    return sorted(priced_rows(page, knobs(page.config)[path]))


def priced_rows(page: AnyModel, knob: Knob) -> dict[str, Record]:
    """Rows of a knob's catalog of the default's family, with a price where the page reads one."""
    owner, name = field_of(page.config, knob.path)
    kind: Any = owner.model_fields[name].annotation
    assert knob.catalog is not None
    fit, _ = registry.covered(kind, knob.catalog.name)
    default = fit[knob.catalog.default]
    return {slug: row for slug, row in fit.items() if _priced(row) and _stacks(default, row)}


def _priced(row: Record) -> bool:
    return not np.isnan(getattr(row, "price", 0.0))


def _stacks(default: Record, row: Record) -> bool:
    """Whether both are of one family, so that they can be rows of one batch."""
    try:
        type(default).take([default, row], np.arange(2))
    except InputError:
        return False
    return True


def covered(page: AnyModel, config: Config) -> bool:
    """Whether every rule of the page holds for a scalar config."""
    return all(bool(np.all(rule.holds(config))) for rule in page.rules)


def draw(
    page: AnyModel, count: int, *, seed: int, given: Mapping[str, object] | None = None
) -> list[Config]:
    """Covered designs with these settings, deterministic; the first ones of a longer draw."""
    fixed = tuple(sorted((given or {}).items()))
    return list(_drawn(page.slug, max(count, LEAST), seed, fixed)[:count])


LEAST = 64
"""Designs drawn at once: most refusals are paid for once a seed."""


@cache
def _drawn(
    slug: str, count: int, seed: int, fixed: tuple[tuple[str, object], ...]
) -> tuple[Config, ...]:
    page = registry.model(slug)
    found: list[Config] = []
    for offset in range(200 * count):
        document = nest({**settings(page, seed * 100_003 + offset), **dict(fixed)})
        config = registry.starting_point(page, document)
        if covered(page, config):
            found.append(config)
        if len(found) == count:
            return tuple(found)
    raise AssertionError(f"{page.slug}: only {len(found)} of {count} random designs are covered")


def stacked(page: AnyModel, configs: list[Config]) -> Config:
    """Scalar designs as one batch."""
    columns: dict[str, object] = {}
    for knob in knobs(page.config).values():
        values = [at(config, knob.path) for config in configs]
        if isinstance(values[0], Record):
            columns[knob.path] = type(values[0]).take(values, np.arange(len(values)))
        else:
            columns[knob.path] = np.array(values)
    return page.config.batched(columns, configs[0])


def at(config: Config, path: str) -> Any:
    """The value at a dotted path."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value
