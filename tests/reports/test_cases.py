"""Runs that a report must bear: few and many objectives, many designs, odd names, no checks."""

import re
from pathlib import Path

import pytest

from dse import store
from dse.search import search
from dse.study import build
from reports import document
from reports.section import Context
from tests.dse import toy
from tests.reports import made, printed
from tests.reports.conftest import Searched
from tests.reports.printed import needs_poppler
from tests.reports.test_document import LEFTOVERS

pytestmark = needs_poppler

SEVEN = [
    *("latency", "tokens_per_second", "energy", "energy_per_token", "cost"),
    *("cost_effectiveness", "speedup"),
]
LONG = "a-very-long-name-" * 12 + "end"


def clean(pdf: Path) -> str:
    """The text of a report with every section and nothing left over."""
    text = printed.text(pdf)
    titles = [section.title for section in document.sections()]
    assert [title for title in titles if title not in text] == []
    assert LEFTOVERS.findall(text) == []
    return text


def report(searched: Searched, **changes: object) -> Path:
    return document.write(searched(**changes), date=made.DATE)


def test_one_objective_is_drawn_against_what_it_costs(searched: Searched):
    text = clean(report(searched, objectives=["throughput"]))
    assert "The objectives are throughput (higher is better)." in text
    assert re.search("[Bb]est throughput", text)


def test_seven_objectives_fit_the_page_and_each_is_drawn(tmp_path: Path):
    document_of = {
        "question": "Which boards are good at everything?",
        "model": "dfx",
        "set": {"workload": "gpt2-1.5b"},
        "space": {"fpga": "all", "fpgas": [1, 2, 4], "clock": ["150 MHz", "200 MHz"]},
        "objectives": SEVEN,
    }
    study = build("seven", document_of, place="seven")
    run = store.create(study, output=tmp_path / "seven" / "run")
    search(study, run)
    pdf = document.write(run, date=made.DATE)
    text = clean(pdf)
    assert [goal for goal in SEVEN if f"{goal.replace('_', ' ')} (" not in text] == []
    assert len(printed.pages(pdf)) <= 16
    drawn = re.findall(r"Figure \d+\. Predictions of the page 'dfx' for seven", text)
    assert len(drawn) == 4  # seven in pairs, the last with the first


def test_a_study_without_constraints_says_so(searched: Searched):
    assert "The study sets no constraint." in clean(report(searched, constraints=[]))


def test_a_million_designs_have_a_report_of_the_usual_length(searched: Searched):
    spread = {
        "chip": ["tiny", "small", "large"],
        "chips": [1, 2, 4],
        "link.bandwidth": {"low": "2 GB/s", "high": "32 GB/s", "log": True},
    }
    many = {"method": "random", "budget": 1_000_000, "seed": 1}
    pdf = report(searched, space=spread, search=many)
    text = clean(pdf)
    assert "Of 1,000,000 designs" in text
    assert "an even sample of all that were priced" in text
    assert len(printed.pages(pdf)) <= 14
    assert pdf.stat().st_size < 2_000_000


def test_long_names_break_and_stay_on_the_page(tmp_path: Path, searched: Searched):
    assert searched  # the registry knows the toy
    study = build(LONG, toy.document(question=f"what of {LONG}?"), place="toy.yaml")
    run = store.create(study, output=tmp_path / LONG / "run")
    search(study, run)
    text = clean(document.write(run, date=made.DATE))
    assert printed.squeezed(LONG) in printed.squeezed(text)


def test_greek_and_cyrillic_are_printed_as_they_are(searched: Searched):
    question = "Πόσο μεγάλη μηχανή αρκεί; Какая машина достаточна?"
    text = clean(report(searched, question=question))
    assert question in text
    assert "fonts cover" not in text


@pytest.mark.parametrize(
    ("words", "named"), [("多大", "CJK"), ("كبيرة", "ARABIC"), ("गति", "DEVANAGARI")]
)
def test_other_scripts_are_named_in_a_warning(searched: Searched, words: str, named: str):
    text = clean(report(searched, question=f"how big {words} is enough?"))
    assert "Warning: this report's fonts cover Latin, Greek and Cyrillic" in text
    assert f"x {named}" in text
    assert words not in text


def test_a_page_without_check_rows_is_unchecked_in_words(searched: Searched):
    text = clean(report(searched))
    assert "unchecked" in text
    assert "what they rest on is unchecked" in text
    assert "The total has no interval: nothing was checked." in text


def test_a_bound_that_asks_for_a_probability_is_judged_by_the_interval(boards: Context):
    text = clean(document.write(boards.run, date=made.DATE))
    assert "latency at most 4 s with a probability of 90 %" in text
    assert re.search(r"spare \d", text)


def test_a_study_in_which_nothing_can_run_has_a_report(searched: Searched):
    text = clean(report(searched, set={"items": 1024}, space={"chip": ["tiny"], "chips": [1, 2]}))
    assert "Not one of" in text
    assert "no design can run at all" in text


def test_a_front_of_one_design_has_a_report(searched: Searched):
    text = clean(report(searched, space={"chip": ["small"], "chips": [2]}))
    assert "Of 1 design 1 meets every constraint" in text
