"""Error models: worked by hand, honest where little is known, and right where truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dse import interval, registry
from dse.errors import InputError
from dse.interval import FEW, Group, fitted, models, together


def group(name: str, errors: list[float], metric: str = "latency", kind: str = "table") -> Group:
    return Group.of(metric, "", "paper", name, kind, errors)


def five(*squares: float) -> list[Group]:
    return [group(str(i), [math.sqrt(square)]) for i, square in enumerate(squares)]


def test_each_group_counts_once_however_many_rows_it_has():
    # mean squares 0.01 and 0.04, whatever the rows; with three more of 0: 0.05 / 5 = 0.01
    groups = [group("many", [0.1, -0.1] * 50), group("one", [0.2]), *five(0, 0, 0)]
    error = fitted(groups, pooled=9.0)
    assert error.scale == pytest.approx(math.sqrt(0.01 * (1 + 1 / 5)))
    assert error.rows == 104
    assert not error.few


def test_of_few_groups_the_pages_own_mean_square_is_one_more():
    # one exact row, page at 0.04: (0 + 0.04) / 2, and a new group adds its own
    error = fitted([group("lucky", [0.0])], pooled=0.04)
    assert error.scale == pytest.approx(math.sqrt(0.02 * 2))
    assert error.few
    assert error.words() == "1 row of 1 group, few"


def test_the_reach_is_students_t_of_as_many_degrees_as_groups():
    error = fitted(five(0.01, 0.01, 0.01, 0.01, 0.01), pooled=0.0)
    assert error.reach(0.95) == pytest.approx(error.scale * stats.t.ppf(0.95, 5))
    assert error.reach(0.5) == pytest.approx(0.0)


def test_what_rows_of_a_group_share_is_told_from_what_is_their_own():
    shared = fitted([group(str(i), [0.1, 0.1]) for i in range(FEW)], pooled=0.0)
    own = fitted([group(str(i), [0.1, -0.1]) for i in range(FEW)], pooled=0.0)
    assert shared.own == pytest.approx(0.0)
    assert own.own == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kinds", "tier"),
    [
        (["measured", "measured", "table"], "measured-calibrated"),
        (["table", "text", "derived"], "published"),
        (["measured", "derived"], "literature"),
        (["memory"], "literature"),
    ],
)
def test_the_tier_is_that_of_most_rows_and_the_weaker_of_a_tie(kinds: list[str], tier: str):
    assert fitted([group(k, [0.1], kind=k) for k in kinds], pooled=0.0).tier == tier


def test_a_mechanism_alone_is_literature():
    executed = Group.of("latency", "", "mechanism", "cases", "executed", [0.1] * 1000)
    assert fitted([executed], pooled=0.0).tier == "literature"
    assert fitted([executed, group("one", [0.1])], pooled=0.0).tier == "published"


def test_errors_of_predictions_that_stand_on_others_add_in_squares():
    one = fitted(five(*[0.01] * 5), pooled=0.0)
    other = fitted(five(*[0.04] * 5), pooled=0.0)
    both = together(one, other)
    assert both.scale == pytest.approx(math.hypot(one.scale, other.scale))
    assert 5 < both.freedom < 10  # Welch and Satterthwaite: more than either alone, less than both


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.floats(0.5, 0.99))
def test_wider_errors_never_make_a_narrower_interval(errors: list[float], share: float):
    narrow = fitted([group(str(i), [e]) for i, e in enumerate(errors)], pooled=0.0)
    wide = fitted([group(str(i), [2 * e]) for i, e in enumerate(errors)], pooled=0.0)
    assert wide.reach(share) >= narrow.reach(share) - 1e-12


def test_intervals_hold_nine_in_ten_of_new_groups_whose_truth_is_drawn():
    # 400 pages of 8 groups with a shared and an own part; each judged on a ninth group
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(400):
        rows = 0.1 * rng.standard_normal((9, 1)) + 0.05 * rng.standard_normal((9, 4))
        seen = [group(str(i), list(row)) for i, row in enumerate(rows[:8])]
        reach = models(seen)["latency", ""].reach(0.95)
        inside.append(np.abs(rows[8, 0]) <= reach)
    assert 0.87 <= np.mean(inside) <= 0.94  # 0.90 with a standard error of 0.015


def test_a_file_that_is_no_list_of_groups_is_refused_in_a_line(tmp_path, monkeypatch):
    path = tmp_path / "residuals.yaml"
    path.write_text("groups: [{metric: latency, colour: red}]\n")
    monkeypatch.setattr(interval, "place_of", lambda slug: path)
    interval.forget()
    with pytest.raises(InputError, match=r"holds no errors of check rows.*dse validate --write"):
        interval.groups("dfx")
    interval.forget()


def test_a_group_is_read_back_as_it_was_written():
    for known in (
        group("a", [0.1, -0.2]),
        Group("m", "r", "left out", "s", "measured", 9, 1.0, 0.5),
    ):
        assert Group.read(**known.plain()) == known  # type: ignore[arg-type]


def test_a_rate_errs_as_its_time_does_the_other_way():
    page = registry.model("dfx")
    assert interval.judged_by(page, "tokens_per_second") == ("token_time", -1)
    assert interval.judged_by(page, "token_time") == ("token_time", 1)
    result = page.evaluate(registry.configure(page, {}, place=""))
    spans = interval.spans(page, result)
    low, high = (float(end) for end in spans["latency"])
    assert low < float(result.metrics["latency"]) < high
    slow, fast = (float(end) for end in spans["tokens_per_second"])
    assert slow * high == pytest.approx(fast * low)  # both are 64 tokens


def test_a_share_is_never_more_than_all():
    page = registry.model("a3")
    result = page.evaluate(registry.configure(page, {}, place=""))
    assert float(interval.spans(page, result)["recall"][1]) <= 1.0


def test_what_was_not_checked_has_no_interval():
    page = registry.model("dfx")
    result = page.evaluate(registry.configure(page, {}, place=""))
    assert all(math.isnan(float(end)) for end in interval.spans(page, result)["cost"])
