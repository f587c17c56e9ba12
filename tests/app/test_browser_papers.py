"""Papers and Validation in a real browser: every page loads clean, sliders move, rows lead on."""

from collections.abc import Iterator

import pytest

from app import server
from dse import registry
from dse.curves import declared

from .test_browser import ARGUMENTS, CHROMIUM, Seen
from .test_server import listening

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")

DRAWN = """count => {
    const plots = [...document.querySelectorAll('.curve .js-plotly-plot')];
    return plots.length >= count && plots.every(plot => plot._fullData && plot._fullData.length);
}"""
"""Whether so many curves, and all of the page, show their lines."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with listening(server.create(None)) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def seen(browser) -> Iterator[Seen]:
    found = Seen(browser)
    yield found
    found.page.close()


def clean(seen: Seen, url: str) -> bool:
    """Whether nothing complained and nobody else was asked."""
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith((url, "data:", "blob:"))] == []
    return seen.page.inner_text("#app-message-alert") == ""


@pytest.mark.parametrize("slug", registry.slugs())
def test_a_paper_loads_with_its_curves_and_formulas(seen: Seen, url: str, slug: str):
    page = seen.page
    page.goto(f"{url}papers?model={slug}")
    page.wait_for_function(DRAWN, arg=len(declared(slug)))
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('.maths')].map(one => {"
        " const box = one.getBoundingClientRect();"
        " const mask = getComputedStyle(one).maskImage;"
        " return Math.min(box.width, box.height, mask.startsWith('url(') ? 1 : 0); })"
    )
    assert len(sizes) > 5
    assert min(sizes) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert clean(seen, url)


def curve(page) -> list[float]:
    """The numbers of the first line that is drawn."""
    return page.evaluate(
        "() => [...document.querySelector('.curve .js-plotly-plot')._fullData"
        ".find(one => one.fill !== 'toself').y]"
    )


def test_a_key_on_a_slider_moves_the_curve_and_the_link(seen: Seen, url: str):
    page = seen.page
    page.goto(f"{url}papers?model=dfx")
    page.wait_for_function(DRAWN, arg=1)
    before = curve(page)
    slider = page.get_by_label("Clock", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function(
        "before => document.querySelector('.curve .js-plotly-plot')._fullData"
        ".find(one => one.fill !== 'toself').y[0] > before",
        arg=before[0],
    )
    page.wait_for_function("() => location.search.includes('clock=100000000')")
    moved = curve(page)
    page.reload()
    page.wait_for_function(DRAWN, arg=1)
    assert curve(page) == moved
    assert clean(seen, url)


def test_a_line_of_the_scoreboard_leads_to_its_rows(seen: Seen, url: str):
    page = seen.page
    page.goto(f"{url}validation?model=dfx")
    page.wait_for_function(
        "() => document.querySelector('#validation-board-status')?.innerText.startsWith('Scored')"
    )
    assert page.inner_text("#validation-rows-title").startswith(
        "Rows of dfx: closed form to paper"
    )
    page.locator("#validation-board-grid .ag-row[row-index='1'] .ag-cell").first.click()
    page.wait_for_function("() => location.search.includes('model=a3')")
    page.wait_for_function(
        "() => document.querySelector('#validation-rows-title').innerText.includes('a3')"
    )
    page.wait_for_selector("#validation-rows-grid .ag-row[row-index='0']")
    assert "%" in page.inner_text("#validation-rows-grid .ag-row[row-index='0']")
    page.wait_for_selector("#validation-calibration-graph .legend")
    assert clean(seen, url)
