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


def test_coverage_is_that_of_the_pages_error_models(boards: Context):
    blocks = validation.build(boards)
    table = next(t for t in made.tables(blocks) if "Inside 90 % intervals" in t.header)
    for slug, rows, covered, share, _ in table.rows:
        found = coverage(slug)
        assert (int(rows.replace(",", "")), int(covered.replace(",", ""))) == (
            found.rows,
            found.covered,
        )
        assert share == f"{100 * found.share:.1f} %"
    assert [row[0] for row in table.rows] == [
        p.slug for p in boards.pages if coverage(p.slug).rows
    ]
    (figure,) = (f for f in made.figures(blocks) if "binomial" in f.caption)
    assert f"dfx {coverage('dfx').covered} of {coverage('dfx').rows}" in figure.caption


def test_a_page_without_coverage_says_so(answered: Context):
    said = made.words(validation.build(replace(answered, validation=[row("check", 0.1)])))
    assert "No check row could be held against an interval." in said


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
