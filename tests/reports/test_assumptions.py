from reports import assumptions
from reports.section import Context
from reports.wording import UNSURE
from tests.reports import made


def test_every_constant_of_the_page_stands_with_value_kind_and_source(answered: Context):
    rows = made.rows(made.tables(assumptions.build(answered))[0])
    assert rows["efficiency"] == ["0.5", "fitted", "fitted on f1 to f3"]
    assert rows["overhead"] == ["2 ms", "fitted", "fitted on f1 to f3"]


def test_unsure_numbers_are_marked_and_no_others(answered: Context):
    for table in made.tables(assumptions.build(answered)):
        unsure = [i for i, row in enumerate(table.rows) if row[2] in UNSURE]
        assert list(table.marked) == unsure


def test_rates_of_the_price_list_are_dated(answered: Context):
    prices = made.tables(assumptions.build(answered))[-1]
    assert answered.prices in prices.caption
    assert "electricity" in made.rows(prices)


def test_a_knob_that_the_study_sets_is_not_listed_as_an_assumption(searched):
    context = made.context(searched(set={"items": 8, "overhead": "1 ms"}))
    assert "overhead" not in made.rows(made.tables(assumptions.build(context))[0])


def test_devices_of_the_recommended_designs_stand_with_their_sources(boards: Context):
    rows = made.rows(made.tables(assumptions.build(boards))[1])
    used = {boards.best.words("fpga")[i] for i in range(len(boards.best))}
    assert {name.partition(":")[0] for name in rows} == used
    assert all(kind and source for _, kind, source in rows.values())


def test_notes_of_the_page_are_printed(boards: Context):
    said = made.words(assumptions.build(boards))
    notes = boards.study.page.data.notes
    here = {name for name, note in notes.items() if note in said}
    assert here
    assert here == set(notes) - set(assumptions.READ_ELSEWHERE)


def test_a_number_is_listed_if_and_only_if_it_moves_the_answer(boards: Context):
    page = boards.study.page
    listed = set(made.rows(made.tables(assumptions.build(boards))[0]))
    # cost and latency of the boards, and whether they fit; not their power, not the GPUs' rivals
    assert {"stream efficiency", "layer overhead"} <= listed
    assert not {"board power", "gpu power", "gpu price"} & listed
    assert len(listed) < len(page.data.parameters)
