from dataclasses import replace

import numpy as np

from dse.certainty import span
from dse.evaluate import Table
from reports import best
from reports.section import Context, DataTable
from tests.reports import made


def table(context: Context) -> DataTable:
    return made.tables(best.build(context))[0]


def test_every_knob_and_every_metric_has_a_row_and_every_design_a_column(answered: Context):
    rows = made.rows(table(answered))
    assert {"chip", "chips", "link bandwidth", "cached", "latency", "cost", "utilisation"} <= set(
        rows
    )
    assert table(answered).header[-1] == "Known from"
    assert len(table(answered).header) == 2 + len(answered.best)
    assert {len(cells) for cells in rows.values()} == {1 + len(answered.best)}


def test_what_is_the_same_in_all_designs_is_one_line_and_no_row(answered: Context):
    # the study holds 8 items, and each needs 200 MB
    assert "needed" not in made.rows(table(answered))
    said = made.words(best.build(answered))
    assert "The same in all, at three digits: needed 1.6 GB." in said


def test_a_single_design_keeps_every_row(answered: Context):
    one = replace(answered, best=answered.best.take(np.array([0])), why=answered.why[:1])
    assert "needed" in made.rows(table(one))
    assert "The same in all" not in made.words(best.build(one))


def test_the_objectives_are_the_marked_rows(answered: Context):
    shown = table(answered)
    assert [shown.rows[i][0] for i in shown.marked] == ["latency", "cost"]
    assert shown.mark == "important"


def test_costs_are_at_dated_prices(answered: Context):
    assert f"at the prices of {answered.prices}" in table(answered).caption


def test_a_knob_whose_condition_fails_is_not_shown_as_if_it_counted(answered: Context):
    rows = made.rows(table(answered))
    without = [i for i, cached in enumerate(rows["cached"]) if cached == "0"]
    assert without
    assert "cache" not in rows or all(rows["cache"][i] == "not used" for i in without)


def test_a_knob_that_no_shown_design_uses_takes_no_row(answered: Context):
    kept = np.flatnonzero(answered.best["cached"] == 0)
    why = [answered.why[row] for row in kept]
    context = replace(answered, best=answered.best.take(kept), why=why)
    assert len(context.best)
    assert "cache" not in made.rows(table(context))


def test_a_raised_flag_of_the_page_names_the_designs_it_concerns(answered: Context):
    study = answered.study
    fast = Table(answered.best.columns, answered.best.units, answered.best.labels)
    over = replace(study.space, base=study.space.base.batched({"clock": 1.9e9}, study.space.base))
    context = replace(answered, study=replace(study, space=over), best=fast)
    assert "no chip was measured above 1.5 GHz" in made.words(best.build(context))
    assert "no chip was measured" not in made.words(best.build(answered))


def test_nothing_is_recommended_when_nothing_is_feasible(empty: Context):
    assert "No design is recommended" in made.words(best.build(empty))


def test_no_more_designs_are_recommended_than_fit_side_by_side(answered: Context):
    assert 1 <= len(answered.recommended) <= 3
    assert any("balanced" in why for why in answered.why)
    assert np.all(answered.best["accepted"])


def test_intervals_stand_below_their_metrics_and_say_what_they_are_known_from(boards: Context):
    shown = table(boards)
    at = [row[0] for row in shown.rows].index("latency")
    assert boards.recommended == list(range(len(boards.best)))
    assert shown.rows[at][-1] == "published"
    assert shown.rows[at + 1][0] == "90 % interval"
    for i in range(len(boards.best)):
        low, high = (boards.best[f"latency_{end}"][i] for end in ("low", "high"))
        assert low < boards.best["latency"][i] < high
        assert shown.rows[at + 1][1 + i] == span(low, high, "s")
    rows = made.rows(shown)
    assert rows["cost"][-1] == "unchecked"
    assert shown.rows[[row[0] for row in shown.rows].index("cost") + 1][0] != "90 % interval"


def test_chances_are_those_that_the_search_wrote(boards: Context):
    lines = boards.run.lines("best.csv")
    rows = made.rows(table(boards))
    for name, said in (
        ("chance_nondominated", "chance to be non-dominated"),
        ("chance_constraints", "chance to meet all constraints"),
    ):
        written = [f"{100 * float(line[f'{name} [1]']):.0f} %" for line in lines]
        assert rows[said][:-1] == written[: len(boards.best)]


def test_a_page_that_was_never_checked_has_no_intervals(answered: Context):
    shown = table(answered)
    assert "90 % interval" not in made.rows(shown)
    assert made.rows(shown)["latency"][-1] == "unchecked"
