"""The errors behind the intervals: gathered from check rows alone, and what they cover."""

import math

import pytest
from scipy import stats

from dse import interval, registry, residuals
from dse.interval import Group


def of(metric: str, name: str, *errors: float, against: str = "mechanism") -> Group:
    return Group.of(metric, "", against, name, "executed", errors)


def test_a_fit_point_is_no_check_row():
    page = registry.model("dfx")
    points = {point.id for point in page.data.select("check")}
    paper = [row for row in residuals.gathered("dfx") if row.against == "paper"]
    assert len(paper) == len(points) == 5


def test_an_error_is_ln_of_truth_over_prediction_turned_where_a_rate_stands_for_a_time():
    # the paper's rate of 5.58 against ours of 5.497: the time is shorter by as much
    rows = [row for row in residuals.gathered("dfx") if row.group == "four-boards"]
    assert any(row.error == pytest.approx(-math.log(5.58 / 5.4968), abs=1e-3) for row in rows)


def test_a_set_that_a_fit_left_out_counts_by_its_bias_and_spread():
    page = registry.model("roofline")
    kept = page.data.tables["left_out_rows"]["aic-h100-from-aic-a100"]
    (found,) = [g for g in residuals.left_out(page) if g.name == "aic-h100-from-aic-a100"]
    bias, spread = kept["bias"].value, kept["spread"].value
    assert found.square == pytest.approx(math.log1p(bias) ** 2 + spread**2, abs=1e-6)
    assert (found.rows, found.kind) == (35700, "measured")


def test_no_measured_row_counts_in_two_groups():
    names = {group.name for group in residuals.left_out(registry.model("roofline"))}
    assert not any("llama" in name or "phi" in name for name in names)  # parts of vidur's sets


def test_binomial_ends_are_those_of_clopper_and_pearson():
    found = stats.binomtest(18, 20).proportion_ci(0.95, method="exact")
    assert residuals.binomial(18, 20) == pytest.approx((found.low, found.high))
    assert residuals.binomial(20, 20)[1] == 1.0
    assert residuals.binomial(0, 20)[0] == 0.0


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch):
    """What a page's file of errors holds."""

    def hold(*groups: Group) -> None:
        monkeypatch.setattr(interval, "groups", lambda slug: groups)

    return hold


def test_a_group_is_judged_by_the_others_only(kept):
    # each alone would hold itself; by the other's 0.1, a row of 9 lies far outside
    kept(of("m", "a", 0.1, 0.1), of("m", "b", 9.0))
    found = residuals.coverage("any")
    assert (found.covered, found.rows) == (2, 3)


def test_a_group_without_another_exact_counts_and_mirrored_metrics_do_not_count(kept):
    kept(
        of("alone", "a", 0.1),
        of("exact", "a", 0.0, 0.0),
        of("exact", "b", 0.0),
        of("time", "a", 0.1, -0.2),
        of("time", "b", 0.2),
        of("rate", "a", -0.1, 0.2),
        of("rate", "b", -0.2),
    )
    assert residuals.coverage("any").rows == 3


def test_a_file_is_as_long_as_there_are_groups_and_absent_where_nothing_was_checked():
    text = residuals.text("dfx")
    assert text.count("\n- ") == len(residuals.all_groups("dfx"))
    assert residuals.text("codesign") == ""
