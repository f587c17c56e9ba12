from dataclasses import replace

from dse import registry
from dse.residuals import coverage
from dse.validate import Row
from reports import validation
from reports.section import Context
from reports.wording import UNSURE
from tests.reports import made


def row(use: str, error: float, kind: str = "table") -> Row:
    return Row(
        model="toy",
        id=f"{use}-{error}",
        use=use,
        quantity="token_time",
        unit="s",
        published=0.5,
        predicted=0.5 * (1 + error),
        error=error,
        kind=kind,
        where="Table 1",
    )


def test_each_page_has_a_line_a_use_with_its_worst_row(answered: Context):
    rows = [row("fit", 0.01), row("check", 0.2), row("check", -0.4)]
    summary, worst = made.tables(validation.build(replace(answered, validation=rows)))
    assert [r[:3] for r in summary.rows] == [["toy", "fit", "1"], ["toy", "check", "2"]]
    assert [r[3:6] for r in summary.rows] == [
        ["1 %", "1 %", "fit-0.01"],
        ["30 %", "40 %", "check--0.4"],
    ]
    assert [r[1] for r in worst.rows] == ["check--0.4", "check-0.2"]
    assert "no constant has seen" in worst.caption


def test_of_many_check_rows_the_worst_are_written_out_and_the_rest_is_pointed_to(
    answered: Context,
):
    rows = [row("check", 0.1 * n) for n in range(1, 9)]
    blocks = validation.build(replace(answered, validation=rows))
    assert [r[1] for r in made.tables(blocks)[-1].rows] == [
        "check-0.8",
        "check-0.7000000000000001",
        "check-0.6000000000000001",
    ]
    assert "dse report --validation" in made.words(blocks)


def test_a_page_with_fit_rows_alone_says_that_nothing_was_checked(answered: Context):
    blocks = validation.build(replace(answered, validation=[row("fit", 0.1)]))
    assert "nothing that no constant has seen was held against it" in made.words(blocks)


def test_a_row_shows_published_predicted_and_the_signed_error(answered: Context):
    table = made.tables(validation.build(replace(answered, validation=[row("check", -0.1)])))[-1]
    assert table.rows[0][2:7] == ["token time", "500 ms", "450 ms", "unchecked", "-10 %"]


def test_rows_of_an_unsure_kind_are_marked(answered: Context):
    rows = [row("check", 0.1), *(row("check", 0.1, kind) for kind in UNSURE[:2])]
    table = made.tables(validation.build(replace(answered, validation=rows)))[-1]
    assert list(table.marked) == [1, 2]
    assert table.mark == "unsure"


def test_pages_that_play_no_part_are_named_and_not_judged(answered: Context):
    said = made.words(validation.build(replace(answered, idle=["a3", "dnd"])))
    assert "joins a3 and dnd too" in said


def test_points_are_drawn_only_where_one_unit_makes_their_errors_visible(answered: Context):
    same = [row("check", 0.1), row("fit", 0.2)]
    mixed = [*same, replace(same[0], unit="J")]
    drawn = [
        len(made.figures(validation.build(replace(answered, validation=rows))))
        for rows in (same, mixed)
    ]
    assert drawn == [1, 0]


def test_a_page_without_published_points_says_that_its_error_is_unknown(answered: Context):
    blocks = validation.build(replace(answered, validation=[]))
    assert made.tables(blocks) == []
    assert "The page toy has no published point" in made.words(blocks)


def test_coverage_is_that_of_the_pages_error_models(boards: Context):
    summary = made.tables(validation.build(boards))[0]
    for page, use, *_, covered in summary.rows:
        found = coverage(page)
        told = f"{found.covered:,} of {found.rows:,} ({100 * found.low:.0f} to "
        assert covered.startswith(told) if use == "check" else covered == ""


def test_a_page_without_coverage_says_so(answered: Context):
    said = made.words(validation.build(replace(answered, validation=[row("check", 0.1)])))
    assert "no row could be held against an interval" in said


def test_a_prediction_stands_beside_its_interval(boards: Context):
    check = made.tables(validation.build(boards))[-1]
    place = check.header.index("90 % interval")
    for row in check.rows:
        ground = boards.grounds[row[0], row[1].replace("\u200b", "")]
        assert (row[place] == "unchecked") == (ground.low != ground.low)
        assert (" to " in row[place]) == (ground.low == ground.low)


def test_a_page_that_joins_others_says_whose_errors_it_holds(answered: Context):
    joined = replace(answered, pages=[registry.model("codesign")], validation=[])
    said = made.words(validation.build(joined))
    assert "The page codesign has no published point of its own: its intervals join" in said
