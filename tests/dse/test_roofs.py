"""Roofs of every page that declares them: operators stay under them, and are all there."""

import pytest

from dse import registry, roofs
from dse.roofs import Ran

DECLARED = [
    s
    for s in registry.slugs()
    if roofs.roofs(registry.model(s), registry.starting_point(registry.model(s)))
]


def of(slug: str, **settings: object):
    page = registry.model(slug)
    return roofs.roofs(page, registry.starting_point(page, settings))


def test_some_page_declares_roofs():
    assert DECLARED


@pytest.mark.parametrize("slug", DECLARED)
def test_no_operator_of_a_datasheet_is_above_its_roof(slug):
    for roof in of(slug):
        for one in filter(lambda one: one.known, roof.ran):
            roofed = min(roof.peak, roof.bandwidth * one.flops / one.moved)
            assert 0 < one.flops / one.time <= roofed * (1 + 1e-12)  # rounding


def test_a_pass_has_all_its_operators_with_the_times_of_its_terms():
    page = registry.model("roofline")
    config = registry.starting_point(page)
    (roof,) = roofs.roofs(page, config)
    result = page.evaluate(config)
    assert {one.name: one.time for one in roof.ran} == {
        name: float(time) for name, time in result.terms.items() if name != "launch"
    }
    assert sum(one.flops for one in roof.ran) == pytest.approx(result.metrics["flops"])
    assert sum(one.moved for one in roof.ran) == pytest.approx(result.metrics["bytes_moved"])


def test_what_computes_nothing_has_no_place_on_a_roof():
    assert not Ran("embedding", "embedding", 0.0, 6e3, 1e-8).known
    assert Ran("qkv", "gemm", 1e9, 6e3, 1e-8).known


def test_a_page_without_a_roof_has_none():
    assert of("dnd") == ()


def test_a_platform_has_a_roof_for_each_thing_its_gpus_run():
    assert [roof.name.partition(" on ")[0] for roof in of("codesign")] == ["a token", "a prompt"]
    training = of("codesign", train={"mode": "train"}, serve={"target": "cpu"})
    assert [roof.name.partition(" on ")[0] for roof in training] == ["training"]
