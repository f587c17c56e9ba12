"""`support` and `eval` never disagree: of any settings of any page, in verdict and in words."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry, support, sweeping, verdicts
from dse.errors import InputError
from dse.spec import AnyModel, Config, Knob, kind_of, knobs
from dse.study import nest

EVERY_PAGE = pytest.mark.parametrize("slug", registry.slugs())


@cache
def around(slug: str) -> support.Support:
    """What a page covers around its defaults, asked once."""
    return support.support_of(slug)


def refusal(page: AnyModel, document: Any) -> str:
    """The words by which `eval` refuses settings; empty where it prices them."""
    try:
        registry.configure(page, nest(document))
    except InputError as error:
        return str(error)
    return ""


def rows(knob: Knob) -> list[str]:
    """All rows of a category's catalog, those included that the page cannot read."""
    assert knob.catalog is not None
    return list(registry.catalog(knob.catalog.name))


def values(knob: Knob) -> st.SearchStrategy[Any]:
    """Settings of a knob: whole catalogs and a stranger; numbers within bounds, beyond, absurd."""
    if knob.catalog is not None:
        return st.sampled_from([*rows(knob), "nobody"])
    assert knob.bounds is not None
    low, high = knob.bounds.low, knob.bounds.high
    within = st.floats(low, high)
    whole = st.integers(int(low), int(high))
    beyond = st.sampled_from([low - 1, 2 * high + 1, high / 3, 0, -1, 1e30, -0.5, 2**70])
    odd = st.sampled_from([float("inf"), float("nan"), "many", "3 parsec", True])
    return st.one_of(whole, whole, within, beyond, odd)


def designs(page: AnyModel, *, most: int) -> st.SearchStrategy[dict[str, Any]]:
    """Settings of a few knobs of a page."""
    known = knobs(page.config)
    chosen = st.lists(st.sampled_from(sorted(known)), max_size=most, unique=True)
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries({n: values(known[n]) for n in names})
    )


@EVERY_PAGE
@settings(max_examples=40)
@given(data=st.data())
def test_a_design_is_covered_exactly_where_eval_prices_it(slug: str, data: st.DataObject) -> None:
    page = registry.model(slug)
    document = data.draw(designs(page, most=6))
    mask, reasons = verdicts.covered(page, document)
    said = refusal(page, document)
    assert reasons[()] == said
    assert bool(mask) == (said == "")


@EVERY_PAGE
@settings(max_examples=10)
@given(data=st.data())
def test_a_box_of_designs_is_covered_where_eval_prices_each(
    slug: str, data: st.DataObject
) -> None:
    page = registry.model(slug)
    known = knobs(page.config)
    shared = data.draw(designs(page, most=2))
    paths = data.draw(
        st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=3, unique=True)
    )
    axes = {p: data.draw(st.lists(values(known[p]), min_size=1, max_size=3)) for p in paths}
    mask, reasons = verdicts.covered(page, shared, axes)
    assert mask.shape == reasons.shape == tuple(len(column) for column in axes.values())
    for index in np.ndindex(mask.shape):
        cell = {path: axes[path][i] for path, i in zip(axes, index, strict=True)}
        assert reasons[index] == refusal(page, {**shared, **cell})
        assert mask[index] == (reasons[index] == "")


@EVERY_PAGE
def test_every_pair_of_the_matrix_is_what_eval_says(slug: str) -> None:
    page = registry.model(slug)
    found = around(slug).matrix
    if found is None:
        assert len(support.main(page)) < 2
        return
    for index in np.ndindex(found.codes.shape):
        pairs = zip(found.axes.items(), index, strict=True)
        said = refusal(page, {path: slugs[i] for (path, slugs), i in pairs})
        assert found.reasons[index] == said
        assert (found.kinds[found.codes[index]].status == "refused") == (said != "")


@EVERY_PAGE
def test_every_choice_and_every_limit_is_what_eval_says(slug: str) -> None:
    page = registry.model(slug)
    found = around(slug)
    for row in support.choice_rows(found.choices):
        said = refusal(page, {str(row["knob"]): row["choice"]})
        assert (row["reason"] or "") == said
        assert (row["verdict"] == "refused") == (said != "")
    for number in found.ranges:
        runs = [end for run in number.covered for end in run]
        assert not any(refusal(page, {number.knob: end}) for end in runs)
        if number.refused is not None:
            assert refusal(page, {number.knob: number.refused}) == number.reason
        for limit, away in ((number.below, -1), (number.above, 1)):
            if limit is not None:
                step = 1 if knobs(page.config)[number.knob].bounds.integer else 1e-6
                size = abs(limit.value) or (number.high - number.low)
                past = limit.value + away * max(step, step * size)
                assert (refusal(page, {number.knob: limit.value}) == "") == limit.held
                assert refusal(page, {number.knob: past})


@EVERY_PAGE
def test_no_config_judges_across_its_fields(slug: str) -> None:
    """A batch would walk past it: what must hold across knobs is a `Rule` of the page."""

    def groups(config: type[Config]) -> Iterator[type[Config]]:
        yield config
        for name in config.model_fields:
            if issubclass(kind_of(config, name), Config):
                yield from groups(kind_of(config, name))

    for group in groups(registry.model(slug).config):
        assert not group.__pydantic_decorators__.model_validators
        assert not group.__pydantic_decorators__.field_validators


@EVERY_PAGE
def test_a_sweep_leaves_out_what_is_not_admitted_and_marks_what_is_refused(slug: str) -> None:
    page = registry.model(slug)
    categories = [knob for knob in knobs(page.config).values() if knob.catalog]
    single = [k for k in categories if k.catalog and k.catalog.name != "workloads"]
    boards = [knob for knob in single if knob in support.main(page)]
    for knob in boards or single:  # networks of several families cannot be one swept knob
        found = verdicts.verdict(page, {}, {knob.path: rows(knob)})
        table = sweeping.priced(slug, {knob.path: "all"})
        assert table.labels[knob.path] == tuple(np.array(rows(knob))[found.admitted])
        np.testing.assert_array_equal(table["feasible"] > 0, found.runs[found.admitted])
        said = sweeping.refusals(slug, {knob.path: "all"}, table)
        refused = set(found.reasons[found.admitted & ~found.covered])
        assert all(any(text.endswith(reason) for text in said) for reason in refused)
