"""Random designs of any page, inside its bounds: what every contract test draws from."""

from typing import Any

import numpy as np

from dse import registry
from dse.spec import AnyModel, Config, Knob, Record, knobs
from dse.study import field_of, nest


def settings(page: AnyModel, seed: int) -> dict[str, Any]:
    """A random design as dotted settings; integers where the knob is one."""
    rng = np.random.default_rng(seed)
    return {knob.path: _value(page, knob, rng) for knob in knobs(page.config).values()}


def _value(page: AnyModel, knob: Knob, rng: np.random.Generator) -> Any:
    if knob.catalog is not None:
        return str(rng.choice(sorted(known_rows(page, knob))))
    assert knob.bounds is not None, f"{page.slug}: {knob.path} has no bounds"
    low, high = knob.bounds.low, knob.bounds.high
    if knob.bounds.integer:
        return float(rng.integers(int(low), int(high) + 1))
    share = rng.random()
    return float(low * (high / low) ** share if knob.bounds.log else low + share * (high - low))


def known_rows(page: AnyModel, knob: Knob) -> dict[str, Record]:
    """Rows of a knob's catalog in which the page knows every number."""
    owner, name = field_of(page.config, knob.path)
    kind: Any = owner.model_fields[name].annotation
    assert knob.catalog is not None
    fit, _ = registry.covered(kind, knob.catalog.name)
    return {slug: row for slug, row in fit.items() if _known(row)}


def _known(row: Record) -> bool:
    numbers = [value for value in dict(row).values() if isinstance(value, float)]
    return bool(np.isfinite(numbers).all())


def covered(page: AnyModel, config: Config) -> bool:
    """Whether every rule of the page holds for a scalar config."""
    return all(bool(np.all(rule.holds(config))) for rule in page.rules)


def draw(page: AnyModel, count: int, *, seed: int) -> list[Config]:
    """Distinct covered designs, deterministic."""
    found: list[Config] = []
    for offset in range(200 * count):
        document = nest(settings(page, seed * 100_003 + offset))
        config = registry.starting_point(page, document)
        if covered(page, config):
            found.append(config)
        if len(found) == count:
            return found
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
    return page.config.batch(columns, configs[0])


def at(config: Config, path: str) -> Any:
    """The value at a dotted path."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value
