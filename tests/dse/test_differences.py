"""Sentences on how two designs differ: by how much, and what most of it comes from."""

from dataclasses import replace
from typing import Any

import pytest

from dse.comparison import Comparison, compare
from dse.differences import differences
from dse.spec import Metric
from tests.dse import toy as toys

FIRST = {"items": 8, "chip": "small", "chips": 2, "link": {"lanes": 1}}
"""80 ms of compute, 8 ms of transfer, 2 ms of overhead; 1050 dollars and 42 watts."""


@pytest.fixture(autouse=True)
def known(toy: Any) -> None:
    """The toy, while the registry knows its page."""


def beside(**other: object) -> Comparison:
    return compare(["toy"], FIRST, {"other": other})


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"link.lanes": 2}, "latency is 4 ms more, all from transfer"),
        ({"chips": 1}, "latency is 80 ms less, all from compute"),
        ({"chips": 4, "link.lanes": 2}, "latency is 44 ms more, of which 40 ms from compute"),
        (
            {"chips": 4, "link.bandwidth": "4 GB/s"},
            "latency is 32 ms more: 40 ms more from compute, 8 ms back from the rest",
        ),
        ({"cached": 0}, "latency is the same"),
    ],
)
def test_a_total_is_taken_apart_by_its_terms(other: dict[str, object], sentence: str) -> None:
    assert differences(beside(**other), ["latency"]) == [sentence]


def test_a_metric_is_taken_apart_by_the_parts_that_its_page_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # not a sum in earnest, only a metric of which the page says so
    said = {**toys.TOY.metrics, "cost": Metric("USD", "min", "", ("power", "needed"))}
    monkeypatch.setattr(toys, "TOY", replace(toys.TOY, metrics=said))
    cost = differences(beside(chips=4), ["cost"])[0]
    assert cost == "cost is $1,000 less, of which $40 from power"


def test_what_is_no_sum_is_told_whole_and_the_total_follows() -> None:
    told = differences(beside(chips=4), ["power"])
    assert told == ["power is 40 W less", "latency is 40 ms more, all from compute"]


def test_what_is_unknown_of_one_is_not_told() -> None:
    assert differences(beside(chip="unpriced"), ["cost"])[0] == "cost is not known of both"
