from dataclasses import replace

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


def test_fit_and_check_rows_stand_in_tables_of_their_own(answered: Context):
    rows = [row("fit", 0.01), row("check", 0.2), row("check", -0.4)]
    summary, fit, check = made.tables(validation.build(replace(answered, validation=rows)))
    assert [r[1] for r in fit.rows] == ["fit-0.01"]
    assert [r[1] for r in check.rows] == ["check-0.2", "check--0.4"]
    assert "no constant has seen" in check.caption
    assert [r[:3] for r in summary.rows] == [["toy", "fit", "1"], ["toy", "check", "2"]]
    assert [r[3:] for r in summary.rows] == [["1 %", "1 %"], ["30 %", "40 %"]]


def test_a_row_shows_published_predicted_and_the_signed_error(answered: Context):
    table = made.tables(validation.build(replace(answered, validation=[row("check", -0.1)])))[-1]
    assert table.rows[0][2:7] == ["token time", "500 ms", "450 ms", "unchecked", "-10 %"]


def test_rows_of_an_unsure_kind_are_marked(answered: Context):
    rows = [row("check", 0.1), *(row("check", 0.1, kind) for kind in UNSURE)]
    table = made.tables(validation.build(replace(answered, validation=rows)))[-1]
    assert list(table.marked) == [1, 2, 3]
    assert table.mark == "unsure"


def test_every_published_point_of_every_page_in_use_is_listed(answered: Context):
    listed = [r[1] for table in made.tables(validation.build(answered))[1:] for r in table.rows]
    published = [point.id for page in answered.pages for point in page.data.points]
    assert sorted(listed) == sorted(published)


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
