"""The explorer in a real browser: it loads, answers to keys and clicks, and calls nobody."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import server
from dse.search import search
from dse.store import create

from . import toy as toys
from .test_server import listening

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT = 60_000
"""Milliseconds before a browser that answers nothing counts as broken; passing takes far less."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        toys.install(patch)
        question = toys.study()
        folder: Path = tmp_path_factory.mktemp("out") / "toy" / "first"
        run = search(question, create(question, output=folder)).run
        with listening(server.create(run)) as address:
            yield address


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


class Seen:
    """A page with everything it asked for and complained about."""

    def __init__(self, browser, **look: str) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 900}, **look)
        self.page.set_default_timeout(WAIT)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def open(self, address: str):
        self.page.goto(address)
        self.page.wait_for_selector("#explore-latency-value")
        self.page.wait_for_selector("#explore-front-graph .legend")
        self.page.wait_for_selector(".ag-row")
        return self.page


@pytest.fixture
def seen(browser) -> Iterator[Seen]:
    found = Seen(browser)
    yield found
    found.page.close()


def latency(page) -> str:
    return page.inner_text("#explore-latency-value")


def changes(page, before: str) -> str:
    """The latency once it is no longer what it was."""
    page.wait_for_function(
        "before => { const cell = document.querySelector('#explore-latency-value');"
        " return cell && cell.innerText !== before; }",
        arg=before,
    )
    return latency(page)


def test_the_page_loads_without_an_error_or_a_request_off_the_machine(seen, url):
    page = seen.open(url)
    assert "How fast is the toy" in page.inner_text("h1")
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith((url, "data:", "blob:"))] == []
    assert len(seen.requests) > 10


def test_a_key_on_a_slider_changes_the_latency_and_the_link(seen, url):
    page = seen.open(url + "?model=toy&memory.bandwidth=1e10&requests=4")
    assert latency(page) == "24 ms"
    page.get_by_label("requests, from 1 request to 8 request").focus()
    page.keyboard.press("ArrowRight")
    assert changes(page, "24 ms") == "25 ms"
    assert page.get_by_label("requests", exact=True).input_value() == "5 request"
    assert page.evaluate("location.search") == "?model=toy&requests=5"
    assert seen.errors == []


def test_a_link_reproduces_the_design(seen, url):
    page = seen.open(url + "?model=toy&memory.bandwidth=20 GB/s&requests=2")
    assert latency(page) == "12 ms"
    assert page.get_by_label("bandwidth", exact=True).input_value() == "20 GB/s"


def test_typed_text_sets_a_knob_and_nonsense_is_answered_in_words(seen, url):
    page = seen.open(url + "?model=toy&requests=4")
    box = page.get_by_label("bandwidth", exact=True)
    box.fill("20 GB/s")
    box.press("Enter")
    assert changes(page, "24 ms") == "14 ms"
    box.fill("20 apples")
    box.press("Enter")
    page.wait_for_selector("#explore-knob-alert:not(:empty)")
    assert "memory.bandwidth: '20 apples' is not" in page.inner_text("#explore-knob-alert")
    assert latency(page) == "14 ms"


def test_a_click_on_a_point_loads_its_design(seen, url):
    page = seen.open(url)
    before = latency(page)
    assert before == "7.32 ms"
    place = page.evaluate(
        """() => {
            const plot = document.querySelector('#explore-front-graph .js-plotly-plot');
            const best = plot.data.findIndex(trace => trace.name === 'best');
            const at = [plot._fullData[best].x[0], plot._fullData[best].y[0]];
            const box = plot.getBoundingClientRect(), layout = plot._fullLayout;
            return [box.left + layout._size.l + layout.xaxis.d2p(at[0]),
                    box.top + layout._size.t + layout.yaxis.d2p(at[1])];
        }"""
    )
    page.mouse.move(*place)
    page.wait_for_selector("#explore-front-graph .hovertext")
    page.mouse.click(*place)
    assert changes(page, before) in ("3 ms", "36.6 ms")
    assert seen.errors == []


def test_a_selected_row_loads_its_design(seen, url):
    page = seen.open(url)
    page.locator(".ag-row[row-index='0'] .ag-cell").first.click()
    assert changes(page, "7.32 ms") == "3 ms"


def test_a_malformed_link_is_answered_in_words(seen, url):
    page = seen.open(url + "?model=tai&%F0%9F=3")
    assert "unknown model 'tai'" in page.inner_text("#explore-link-alert")
    assert "Traceback" not in page.content()
    assert seen.errors == []


def test_the_page_follows_a_dark_system(browser, url):
    dark = Seen(browser, color_scheme="dark")
    page = dark.open(url)
    ink, back = page.evaluate(
        "() => ['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])"
    )
    assert (ink, back) == ("rgb(230, 233, 239)", "rgb(20, 23, 28)")
    page.close()


def test_every_input_has_a_name_for_screen_readers(seen, url):
    page = seen.open(url)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.sidebar input')]
            .filter(item => item.getAttribute('aria-hidden') !== 'true')
            .filter(item => !item.labels.length && !item.getAttribute('aria-label'))
            .map(item => item.outerHTML)"""
    )
    assert nameless == []
