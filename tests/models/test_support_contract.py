"""`support` and `eval` never disagree: of any settings of any page, in verdict and in words."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry, verdicts
from dse.errors import InputError
from dse.spec import AnyModel, Knob, knobs
from dse.study import nest

EVERY_PAGE = pytest.mark.parametrize("slug", registry.slugs())


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
@settings(max_examples=120)
@given(data=st.data())
def test_a_design_is_covered_exactly_where_eval_prices_it(slug: str, data: st.DataObject) -> None:
    page = registry.model(slug)
    document = data.draw(designs(page, most=6))
    mask, reasons = verdicts.covered(page, document)
    said = refusal(page, document)
    assert reasons[()] == said
    assert bool(mask) == (said == "")


@EVERY_PAGE
@settings(max_examples=25)
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
