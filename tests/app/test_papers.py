"""Every page that prices is shown with its question, its published rows and its sources."""

import pytest

from app import papers
from app.context import Context
from dse import registry, validate
from dse.errors import InputError
from dse.spec import knobs

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


def test_fit_and_check_rows_are_drawn_apart():
    figure = papers.points("dfx", dark=False)
    assert {"fit", "check"} <= {trace.name for trace in figure.data}


def test_an_unknown_page_is_refused_with_the_closest():
    with pytest.raises(InputError, match="flashneuron"):
        papers.layout(Context(), "?model=flashneurom")


def test_without_a_name_the_first_page_is_shown():
    first = registry.model(registry.slugs()[0])
    assert first.paper.question in text_of(papers.layout(Context(), ""))
