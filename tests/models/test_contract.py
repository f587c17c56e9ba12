"""What every page promises, found by discovery: a new page is tested by being there."""

import json
from typing import Any

import numpy as np
import pytest

from dse import registry
from dse.ablation import values_of
from dse.provenance import KINDS
from dse.spec import AnyModel, Config, Monotone, Record, kind_of, knobs
from tests.models import designs

PAGES = registry.slugs()
EVERY_PAGE = pytest.mark.parametrize("slug", PAGES)
CLOSE = {"rtol": 1e-12, "atol": 0.0}
"""Sums of a few terms in another order differ by a few ulps, no more."""


def evaluated(page: AnyModel, config: Config) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return page.evaluate(config)


def test_there_are_pages() -> None:
    assert {"codesign", "dfx", "roofline"} <= set(PAGES)


@EVERY_PAGE
def test_a_page_says_who_it_is_and_what_it_answers(slug: str) -> None:
    page = registry.model(slug)
    assert page.slug == slug
    assert page.paper.question.endswith("?")
    assert page.total in page.metrics
    assert "feasible" in page.metrics
    assert any(metric.sense for metric in page.metrics.values())
    assert all(m.sense in ("min", "max", "") and m.text for m in page.metrics.values())


@EVERY_PAGE
def test_every_knob_has_unit_symbol_bounds_text_and_source(slug: str) -> None:
    page = registry.model(slug)
    for knob in knobs(page.config).values():
        place = f"{slug}: {knob.path}"
        assert knob.text, f"{place} has no docstring"
        assert knob.symbol, f"{place} has no symbol"
        if knob.catalog is not None:
            owner, name = designs.field_of(page.config, knob.path)
            assert issubclass(kind_of(owner, name), Record), place
            continue
        assert knob.unit, f"{place} has no unit"
        assert knob.bounds is not None, f"{place} has no bounds"
        assert knob.bounds.low <= knob.default <= knob.bounds.high, place
        number = page.data.parameters.get(knob.path)
        assert number is not None, f"{place} has no entry in data.yaml"
        assert number.value == knob.default, f"{place}: data.yaml says {number.value}"


@EVERY_PAGE
def test_every_number_of_the_page_has_a_source_of_a_known_kind(slug: str) -> None:
    data = registry.model(slug).data
    rows = [row for table in data.tables.values() for row in table.values()]
    tabled = [n for row in rows for n in row.values() if not isinstance(n, str)]
    numbers = [*data.parameters.values(), *tabled, *(point.number for point in data.points)]
    assert numbers
    assert all(n.source.kind in KINDS and n.source.where for n in numbers)


@EVERY_PAGE
def test_constants_are_fitted_on_fit_points_only(slug: str) -> None:
    data = registry.model(slug).data
    fit = {point.id for point in data.select("fit")}
    check = {point.id for point in data.select("check")}
    used = {name for number in data.parameters.values() for name in number.fitted_on}
    assert used <= fit
    assert not used & check
    assert not fit or "fit" in data.notes, "a fit states its objective in notes.fit"


@EVERY_PAGE
def test_knobs_and_metrics_do_not_share_names(slug: str) -> None:
    page = registry.model(slug)
    assert not knobs(page.config).keys() & page.metrics.keys()


@EVERY_PAGE
def test_a_design_survives_json(slug: str) -> None:
    page = registry.model(slug)
    for config in designs.draw(page, 5, seed=7):
        text = json.dumps(config.echo(), allow_nan=False)
        assert registry.configure(page, json.loads(text)) == config


@EVERY_PAGE
def test_a_scalar_equals_a_one_element_array_and_the_row_of_a_batch(slug: str) -> None:
    page = registry.model(slug)
    configs = designs.draw(page, 24, seed=7)
    batch = flattened(evaluated(page, designs.stacked(page, configs)), len(configs))
    for row, config in enumerate(configs):
        alone = flattened(evaluated(page, config), 1)
        one = flattened(evaluated(page, designs.stacked(page, [config])), 1)
        assert alone.keys() == one.keys() == batch.keys()
        for name, value in alone.items():
            np.testing.assert_allclose(one[name], value, err_msg=f"{slug}: {name}", **CLOSE)
            np.testing.assert_allclose(batch[name][row], value[0], err_msg=name, **CLOSE)


def flattened(result: Any, rows: int) -> dict[str, Any]:
    """Every array of a result by name, as columns of `rows` numbers."""
    groups = ("metrics", "terms", "resources", "flags")
    return {
        f"{group}.{name}": np.broadcast_to(value, (rows,))
        for group in groups
        for name, value in getattr(result, group).items()
    }


@EVERY_PAGE
def test_knobs_of_different_shapes_broadcast(slug: str) -> None:
    page = registry.model(slug)
    base = designs.draw(page, 1, seed=7)[0]
    numeric = [k for k in knobs(page.config).values() if k.catalog is None]
    first, second = numeric[0], numeric[-1]
    tall = np.full((3, 1), designs.at(base, first.path))
    wide = np.full((1, 4), designs.at(base, second.path))
    batch = page.config.batched({first.path: tall, second.path: wide}, base)
    alone, many = evaluated(page, base), evaluated(page, batch)
    for name, value in alone.metrics.items():
        shape = np.broadcast_shapes(np.shape(many.metrics[name]), (3, 4))
        assert shape == (3, 4)
        np.testing.assert_allclose(np.broadcast_to(many.metrics[name], shape), value, **CLOSE)


@EVERY_PAGE
def test_answers_are_finite_inside_the_bounds(slug: str) -> None:
    page = registry.model(slug)
    configs = designs.draw(page, 64, seed=7)
    result = evaluated(page, designs.stacked(page, configs))
    optional = set(page.data.notes.get("may_be_unknown", "").split())
    for name in page.metrics.keys() - optional:
        assert np.isfinite(result.metrics[name]).all(), f"{slug}: {name}"
    for group in (result.terms, result.resources):
        for name, value in group.items():
            assert np.isfinite(value).all(), f"{slug}: {name}"
            assert (np.asarray(value) >= 0).all(), f"{slug}: {name} is negative"


@EVERY_PAGE
def test_terms_sum_to_the_total_and_parts_to_their_metric(slug: str) -> None:
    page = registry.model(slug)
    result = evaluated(page, designs.stacked(page, designs.draw(page, 64, seed=7)))
    total = sum(result.terms.values())
    np.testing.assert_allclose(total, result.metrics[page.total], **CLOSE)
    for name, metric in page.metrics.items():
        if metric.parts:
            parts = sum(result.metrics[part] for part in metric.parts)
            np.testing.assert_allclose(parts, result.metrics[name], **CLOSE)


@EVERY_PAGE
def test_every_flag_has_its_words_and_every_answer_its_metric(slug: str) -> None:
    page = registry.model(slug)
    result = evaluated(page, designs.draw(page, 1, seed=7)[0])
    assert result.metrics.keys() == page.metrics.keys()
    assert result.flags.keys() == page.flags.keys() | page.remarks.keys()
    assert not page.flags.keys() & page.remarks.keys()
    assert all(np.asarray(mask).dtype == np.bool_ for mask in result.flags.values())
    assert result.bottleneck() in result.resources


def promises() -> list[tuple[str, int]]:
    counts = [(slug, len(registry.model(slug).monotone)) for slug in PAGES]
    return [(slug, i) for slug, count in counts for i in range(count)]


def test_every_page_promises_something_monotone() -> None:
    assert {slug for slug, _ in promises()} == set(PAGES)


def promised_designs(page: AnyModel, promise: Monotone) -> list[Config]:
    """Designs of the whole page, half of them where the promise says that it can be seen."""
    assert promise.knob not in promise.given
    if not promise.given:
        return designs.draw(page, 60, seed=7)
    seen = designs.draw(page, 30, seed=7, given=promise.given)
    return [*designs.draw(page, 30, seed=7), *seen]


@pytest.mark.parametrize(("slug", "index"), promises())
def test_declared_monotonicities_hold_on_random_pairs_and_are_seen(slug: str, index: int) -> None:
    page = registry.model(slug)
    promise = page.monotone[index]
    bounds = knobs(page.config)[promise.knob].bounds
    assert bounds is not None
    rng = np.random.default_rng(index)
    compared = changed = 0
    for config in promised_designs(page, promise):
        ends = np.sort(rng.uniform(bounds.low, bounds.high, 2))
        low, high = np.round(ends) if bounds.integer else ends
        pair = page.config.batched({promise.knob: np.array([low, high])}, config)
        if not all(np.all(rule.holds(pair)) for rule in page.rules):
            continue
        result = evaluated(page, pair)
        before, after = np.broadcast_to(result.metrics[promise.metric], (2,))
        gain, slack = promise.sign * (after - before), 1e-12 * abs(before)
        assert gain >= -slack, (config.echo(), low, high)
        compared += 1
        changed += bool(gain > slack)
    assert compared >= 10, "too few covered pairs to say anything"
    assert changed >= 3, f"{promise} is never seen: give it settings under which it is"


class Dispatched(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of another library: no ndarray, but it speaks NumPy's two protocols."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value, dtype=np.float64)

    def astype(self, dtype: Any) -> "Dispatched":
        return wrapped(self.value.astype(dtype))  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return bool(self.value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return wrapped(getattr(ufunc, method)(*map(unwrapped, inputs), **kwargs))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(func(*map(unwrapped, args), **kwargs))


def wrapped(found: Any) -> Any:
    """A result of NumPy as an array of the other library, its type kept."""
    held = Dispatched(0.0)
    held.value = found
    return held


def unwrapped(value: Any) -> Any:
    if isinstance(value, Dispatched):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(map(unwrapped, value))
    return value


@EVERY_PAGE
def test_arrays_of_another_library_flow_through(slug: str) -> None:
    page = registry.model(slug)
    base = designs.draw(page, 1, seed=7)[0]
    numeric = [k.path for k in knobs(page.config).values() if k.catalog is None]
    values = {path: np.array([designs.at(base, path)] * 2) for path in numeric}
    foreign = {path: Dispatched(value) for path, value in values.items()}
    theirs = evaluated(page, page.config.batched(dict(foreign), base))
    ours = evaluated(page, page.config.batched(dict(values), base))
    assert any(isinstance(value, Dispatched) for value in theirs.metrics.values())
    for name, value in ours.metrics.items():
        np.testing.assert_array_equal(unwrapped(theirs.metrics[name]), value)


@EVERY_PAGE
def test_defaults_make_a_design_that_can_be_priced(slug: str) -> None:
    page = registry.model(slug)
    result = evaluated(page, registry.configure(page))
    assert bool(result.metrics["feasible"]) in (True, False)


@EVERY_PAGE
def test_every_declared_technique_can_be_switched_off(slug: str) -> None:
    page = registry.model(slug)
    names = [technique.slug for technique in page.techniques]
    assert len(set(names)) == len(names)
    assert not set(names) & (page.metrics.keys() | knobs(page.config).keys())
    told = [(technique.off, technique.on) for technique in page.techniques]
    assert all(pair not in told[:i] for i, pair in enumerate(told)), "rivals must state their `on`"
    for technique in page.techniques:
        assert technique.text
        assert technique.off, f"{slug}: {technique.slug} sets no knob"
        base = registry.configure(page)
        off: Any = values_of(page, base, technique, technique.off)
        on = values_of(page, base, technique, technique.on)
        assert not any(off.get(path) == value for path, value in on.items())
        for path, value in off.items():
            bounds = knobs(page.config)[path].bounds
            assert bounds is None or bounds.low <= value <= bounds.high, f"{slug}: {path}"


@EVERY_PAGE
def test_the_batch_of_a_page_is_not_bound_to_one_dimension(slug: str) -> None:
    page = registry.model(slug)
    configs = designs.draw(page, 6, seed=7)
    flat = evaluated(page, designs.stacked(page, configs))
    numeric = [k for k in knobs(page.config).values() if k.catalog is None]
    cube = {
        k.path: np.array([designs.at(c, k.path) for c in configs]).reshape(2, 3) for k in numeric
    }
    records = {
        k.path: type(rows[0]).take(rows, np.arange(6).reshape(2, 3))
        for k in knobs(page.config).values()
        if k.catalog is not None
        for rows in [[designs.at(c, k.path) for c in configs]]
    }
    shaped = evaluated(page, page.config.batched({**cube, **records}, configs[0]))
    for name, value in flat.metrics.items():
        broadcast = np.broadcast_to(value, (6,)).reshape(2, 3)
        np.testing.assert_allclose(np.broadcast_to(shaped.metrics[name], (2, 3)), broadcast)
