"""Every page that prices is shown with its question, its published rows and its sources."""

from dataclasses import replace

import pytest

from app import papers
from app.context import Context
from dse import figures, registry, validate
from dse.errors import InputError
from dse.facts import publication
from dse.residuals import coverage
from dse.spec import knobs
from dse.trust_charts import grounds_of

from .test_front import text_of


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_page_shows_its_question_knobs_metrics_and_points(slug):
    page = registry.model(slug)
    shown = text_of(papers.layout(Context(), f"?model={slug}"))
    assert page.paper.question in shown
    assert all(path in shown for path in knobs(page.config))
    assert all(name in shown for name in page.metrics)
    assert all(row.id in shown for row in validate.rows(slug))
    assert ("No published point" in shown) == (not page.data.points)
    assert "None" not in shown.replace("None of", "")


@pytest.mark.parametrize("slug", registry.slugs())
def test_a_page_says_everything_once_and_in_words(slug):
    page = registry.model(slug)
    shown = text_of(papers.layout(Context(), f"?model={slug}"))
    assert "may be unknown" not in shown
    assert "may_be_unknown" not in shown
    if page.note:
        assert shown.count(page.note) == 1
    assert f"{page.paper.year}. none" not in shown


def test_a_paper_without_a_doi_ends_after_its_year():
    paper = registry.model("codesign").paper
    assert publication(replace(paper, doi="none")).endswith(f"{paper.year}.")
    assert publication(replace(paper, doi="")).endswith(f"{paper.year}.")
    assert publication(replace(paper, doi="none; x.org")).endswith(f"{paper.year}. x.org")
    assert publication(replace(paper, doi="10.1/2")).endswith(f"{paper.year}. 10.1/2")


def test_fit_and_check_rows_are_drawn_apart():
    figure = figures.plotly(papers.points("dfx"))
    assert {"fit", "check"} <= {trace.name for trace in figure.data}


def test_a_page_says_how_many_check_rows_its_intervals_hold():
    found = coverage("dfx")
    shown = text_of(papers.layout(Context(), "?model=dfx"))
    assert f"{found.covered} of {found.rows} check rows" in shown
    (line,) = (trace for trace in papers.held("dfx", dark=False).data if trace.name == "dfx")
    at = list(line.x).index(90)
    assert line.y[at] == pytest.approx(100 * found.share)


def test_every_prediction_has_an_interval_with_its_tier_or_is_unchecked():
    grounds = grounds_of("oneshot")
    shown = text_of(papers.layout(Context(), "?model=oneshot"))
    assert shown.count("unchecked") == sum(g.low != g.low for g in grounds.values())
    known = next(g for g in grounds.values() if g.low == g.low)
    assert f"{known.tier}: {known.basis}" in shown


def test_an_unknown_page_is_refused_with_the_closest():
    with pytest.raises(InputError, match="flashneuron"):
        papers.layout(Context(), "?model=flashneurom")


def test_without_a_name_the_first_page_is_shown():
    first = registry.model(registry.slugs()[0])
    assert first.paper.question in text_of(papers.layout(Context(), ""))
