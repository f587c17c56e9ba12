"""One verdict on designs, in the words of `eval`, over boxes of them."""

from dataclasses import replace

import pytest

from dse import registry
from dse.errors import InputError
from dse.verdicts import covered, read, verdict


def said(settings: dict[str, object]) -> str:
    with pytest.raises(InputError) as error:
        registry.configure(registry.model("toy"), settings)
    return str(error.value)


def test_a_row_without_a_number_that_the_page_needs_is_refused(toy):
    mask, reasons = covered(toy.TOY, {"chip": "unfinished"})
    assert not mask
    assert reasons[()] == "chip: 'unfinished' has no known rate" == said({"chip": "unfinished"})


def test_a_number_that_its_knob_does_not_take_is_refused_before_any_rule(toy):
    mask, reasons = covered(toy.TOY, {"link": {"lanes": 9}, "efficiency": 2})
    assert not mask
    assert reasons[()] == said({"link": {"lanes": 9}, "efficiency": 2})
    assert reasons[()].startswith("'efficiency' should be less than or equal to 1, got 2")


def test_of_two_bad_settings_the_one_that_is_read_first_is_named(toy):
    """Rows and groups are read before the numbers beside them."""
    settings = {"items": 0, "link.bandwidth": -1, "chip": "nobody"}
    _, reasons = covered(toy.TOY, settings)
    assert reasons[()].startswith("chip: unknown chip 'nobody'")
    _, reasons = covered(toy.TOY, {"items": 0, "link.bandwidth": -1})
    assert reasons[()].startswith("'link.bandwidth'")


def test_a_rule_refuses_the_corner_of_a_box_that_breaks_it(toy):
    """Four lanes a chip: one chip takes 4, two take 8."""
    axes = {"chips": [1, 2], "link.lanes": [4, 5, 8, 9]}
    mask, reasons = covered(toy.TOY, {}, axes)
    assert mask.tolist() == [[True, False, False, False], [True, True, True, False]]
    assert set(reasons[~mask]) == {"`link.lanes <= 4 chips` must hold; set link.lanes lower"}


def test_what_is_varied_stands_in_the_place_of_what_is_set(toy):
    mask, _ = covered(toy.TOY, {"chips": 0}, {"chips": [1, 2]})
    assert mask.tolist() == [True, True]
    mask, _ = covered(toy.TOY, {"chips": 0}, {"items": [1, 2]})
    assert mask.tolist() == [False, False]


def test_a_name_that_is_no_knob_is_wrong_input(toy):
    with pytest.raises(InputError, match="unknown knob 'chps'; did you mean chips"):
        covered(toy.TOY, {"chps": 2})


def test_a_verdict_knows_flags_unknowns_and_what_runs(toy):
    """A batch of 16 needs 3.2 GB: two tiny chips have 2 GB; above 1.5 GHz the page warns."""
    axes = {"chip": ["tiny", "small", "unpriced", "unfinished"], "clock": [1e9, 2e9]}
    found = verdict(toy.TOY, {}, axes)
    assert found.covered.tolist() == [[True, True]] * 3 + [[False, False]]
    assert found.admitted.tolist() == found.covered.tolist()
    assert found.runs.tolist() == [[False, False], [True, True], [True, True], [False, False]]
    assert found.flags["fast"].tolist() == [[False, True]] * 3 + [[False, False]]
    assert found.unknown["cost"].tolist() == [[False] * 2] * 2 + [[True] * 2, [False] * 2]
    assert not found.unknown["latency"].any()


def test_a_page_is_not_asked_to_price_what_its_rules_refuse(toy):
    def burst(config):
        raise ZeroDivisionError

    page = replace(toy.TOY, evaluate=burst)
    assert not verdict(page, {"chips": 1, "link.lanes": 8}).covered
    with pytest.raises(ZeroDivisionError):
        verdict(page, {"chips": 2, "link.lanes": 8})


def test_networks_of_unlike_structure_share_one_box():
    """Rows of different families cannot be columns of one batch; the box splits them itself."""
    page = registry.model("roofline")
    nets = ["gpt2", "resnet18", "bert-base", "vgg16"]
    mask, _ = covered(page, {}, {"workload": nets, "batch": [1, 2, 0]})
    assert mask.tolist() == [[True, True, False]] * 4


def test_a_row_that_breaks_its_record_is_refused_in_one_line(toy, monkeypatch):
    """A number that pydantic refuses is no crash of `eval`, and not covered."""
    rows = {**toy.CHIPS, "odd": {**toy.CHIPS["tiny"], "slug": "odd", "power": "much"}}
    monkeypatch.setattr(registry, "catalog", lambda name: rows)
    registry._rows.cache_clear()
    registry._listed.cache_clear()
    try:
        _, reasons = covered(toy.TOY, {"chip": "odd"})
        assert reasons[()] == said({"chip": "odd"})
        assert reasons[()].startswith("chip: odd: 'power'")
        _, left = registry.covered(toy.Chip, "toy.chips")
        assert left["odd"].startswith("'power'")
    finally:
        registry._rows.cache_clear()
        registry._listed.cache_clear()


def test_settings_are_read_as_the_page_reads_them(toy):
    assert read(toy.TOY, "clock", ["2 GHz", 1e9, -1]) == (2e9, 1e9, None)
    small, missing = read(toy.TOY, "chip", ["small", "nobody"])
    assert small.rate == 400.0
    assert missing is None
