from dse import study
from reports import environment
from reports.section import Context
from tests.reports import made


def test_versions_and_dates_are_told(answered: Context):
    told = made.facts(environment.build(answered))
    assert told["Reported"] == made.DATE
    assert "numpy" in told["Libraries"]
    assert told["Printed with"].startswith("typst ")


def test_the_command_searches_the_very_same_study_again(answered: Context):
    command = environment.command(answered)
    program, verb, path = command.split()
    assert (program, verb) == ("dse", "search")
    again = study.load(path)
    assert again.document == answered.study.document
    assert again.search == answered.study.search
