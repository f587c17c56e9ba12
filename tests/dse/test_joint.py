"""Errors drawn together: a joining page's interval is what the parts' error models imply."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
import pytest
from pydantic import Field
from scipy import stats

from dse import interval, joint, registry
from dse.axes import joint as space_of
from dse.grounds import NOTHING, grounds, movers
from dse.interval import Error
from dse.provenance import Sheet
from dse.spec import (
    Array,
    Bounds,
    Catalog,
    Config,
    Metric,
    Model,
    Paper,
    Real,
    Record,
    Result,
    Symbol,
    Uncertain,
    Unit,
    leaf,
)

Ratio = Annotated[Real, Field(gt=0), Unit("1"), Symbol("x"), Bounds(0.05, 20, log=True)]


class Trust(Config):
    """Truth over prediction."""

    first: Ratio = leaf(1.0)
    """Of the first board."""
    second: Ratio = leaf(1.0)
    """Of the second board."""
    other: Ratio = leaf(1.0)
    """Of something else."""


class Board(Record):
    """A board."""

    rate: Annotated[Real, Unit("1/s")]


class Pair(Config):
    """Two boards, one after the other."""

    first: Annotated[Board, Catalog("boards", "a"), Symbol("f")]
    """The first."""
    second: Annotated[Board, Catalog("boards", "a"), Symbol("s")]
    """The second."""
    trust: Trust


BOARDS = {"a": {"slug": "a", "rate": 1.0}, "b": {"slug": "b", "rate": 1.0}}


def evaluate(pair: Pair) -> Result:
    one, two = pair.trust.first / pair.first.rate, pair.trust.second / pair.second.rate
    zero = np.zeros_like(np.asarray(one))
    return Result(
        metrics={
            "time": one + two,
            "ratio": one / two,
            "price": zero + 3.0,
            "unchecked": pair.trust.other + zero,
            "feasible": zero + 1.0,
        },
        terms={"one": one, "two": two},
        resources={"one": one},
    )


PAGE = Model(
    slug="pair",
    paper=Paper("", "", "", 2026, "", ""),
    config=Pair,
    evaluate=evaluate,
    metrics={
        "time": Metric("s", "min", ""),
        "ratio": Metric("1", "min", ""),
        "price": Metric("USD", "min", ""),
        "unchecked": Metric("1", "min", ""),
        "feasible": Model.FEASIBLE,
    },
    total="time",
    data=Sheet("pair", {}, {}, {}, (), {}),
    uncertain={
        "trust.first": Uncertain("dfx", "latency", per="first"),
        "trust.second": Uncertain("dfx", "latency", per="second"),
        "trust.other": Uncertain("dfx", "cost"),
    },
)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, str, str], Config]:
    """A design of two boards; `own` is the share of the error that is each board's own."""

    def build(own: float, first: str, second: str) -> Config:
        known = {("token_time", ""): Error(0.2, 9, 99, own, "published", 9.0)}
        monkeypatch.setattr(interval, "own_errors", lambda slug: known)
        boards = {slug: Board.model_validate(row) for slug, row in BOARDS.items()}
        return Pair.batched({"first": boards[first], "second": boards[second], "trust": Trust()})

    return build


def reach(level: float = 0.90) -> float:
    return float(0.2 * stats.t.ppf(0.5 + level / 2, 9))


def width(config: Config, name: str) -> float:
    """ln of high over low, for 90 %."""
    low, high = joint.spans(PAGE, config, PAGE.evaluate(config))[name]
    return float(np.log(high / low))


def test_one_board_twice_errs_once(pair):
    # the sum of two times that err alike errs as each does, and their ratio not at all
    config = pair(1.0, "a", "a")
    assert width(config, "time") == pytest.approx(2 * reach(), rel=0.03)  # 2048 strata
    assert np.isnan(width(config, "ratio"))


def test_boards_that_err_apart_make_a_sum_surer_and_a_ratio_less_sure(pair):
    # the same pages' error, all of it a board's own
    config = pair(1.0, "a", "b")
    assert width(config, "time") < 0.85 * 2 * reach()
    assert width(config, "ratio") == pytest.approx(np.sqrt(2) * 2 * reach(), rel=0.1)


def test_what_all_boards_share_cancels_in_a_ratio(pair):
    assert np.isnan(width(pair(0.0, "a", "b"), "ratio"))
    assert width(pair(0.5, "a", "b"), "ratio") == pytest.approx(2 * reach(), rel=0.1)


def test_a_wider_level_makes_a_wider_interval(pair):
    config = pair(0.5, "a", "b")
    result = PAGE.evaluate(config)
    spans = [joint.spans(PAGE, config, result, level)["time"] for level in (0.5, 0.9, 0.99)]
    assert spans[0][0] > spans[1][0] > spans[2][0]
    assert spans[0][1] < spans[1][1] < spans[2][1]


def test_what_no_error_moves_or_nobody_checked_has_no_interval_and_says_so(pair):
    config = pair(0.5, "a", "b")
    found = grounds(PAGE, config, PAGE.evaluate(config))
    assert found["price"].basis == NOTHING
    assert np.isnan(found["unchecked"].low)
    assert (found["unchecked"].tier, found["unchecked"].basis) == ("assumed", NOTHING)
    assert found["time"].tier == "published"
    assert found["time"].basis == "errors of dfx latency"


def test_a_regime_without_check_rows_borrows_the_widest_error_and_says_so():
    known = {
        ("time", ""): Error(0.1, 9, 99, 0.5, "published", 9.0),
        ("time", "weak"): Error(0.4, 3, 9, 0.5, "published", 3.0),
    }
    found = interval.error_in(known, "time", "unseen")
    assert found is not None
    assert (found.scale, found.tier) == (0.4, "assumed")
    assert found.words() == "none here, elsewhere 9 rows of 3 groups, few"
    assert interval.error_in(known, "cost", "unseen") is None


def test_the_errors_that_move_a_metric_are_found(pair):
    moved = movers(PAGE, pair(0.5, "a", "b"))
    assert moved["time"] == moved["ratio"] == ["trust.first", "trust.second"]
    assert moved["price"] == []
    assert moved["unchecked"] == ["trust.other"]


def test_draws_are_the_same_for_the_same_seed_and_others_for_another(pair):
    config = pair(0.5, "a", "b")
    one, same = (joint.sampled(PAGE, config, ["time"], seed=1)["time"] for _ in range(2))
    other = joint.sampled(PAGE, config, ["time"], seed=2)["time"]
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_batch_is_drawn_as_its_designs_are(monkeypatch: pytest.MonkeyPatch):
    page = registry.model("dfx")
    base = registry.starting_point(page, {}, place="")
    from dse.axes import AxisSpec  # a space of two knobs, one of them a category

    varied = {"fpgas": AxisSpec(choices=[1, 2, 4])}
    space, _ = space_of(page, base, varied, place="")
    columns = {"fpgas": np.array([1.0, 2.0, 4.0])}
    (found,) = joint.batches(page, space, columns, ["latency", "tokens_per_second"], draws=4000)
    assert found["latency"].shape == (3, 4000)
    spread = np.quantile(found["latency"][1], 0.95) / np.median(found["latency"][1])
    assert np.log(spread) == pytest.approx(
        interval.errors("dfx")["token_time", ""].reach(0.95), rel=0.1
    )
    product = found["latency"] * found["tokens_per_second"]
    assert np.allclose(product, product[:, :1])  # tokens over a time and the time err as one


def test_a_draw_in_which_a_metric_is_unknown_counts_as_its_worst():
    samples: Array = np.array([[1.0, 2.0, np.nan, 3.0]])
    low, high = joint.ends(PAGE, "time", samples, (0.05, 0.95))
    assert (low[0], high[0]) == (1.0, np.inf)


def test_draws_that_many_share_cannot_be_changed(pair):
    drawn = joint.Drawn("parts", "rate", 16, 0)
    with pytest.raises(ValueError, match="read-only"):
        drawn.normal("shared")[0] = 0.0
    assert drawn.normal("shared") is joint.Drawn("parts", "rate", 16, 0).normal("shared")
