"""Explore in a real browser: it loads, its parts are linked, and it calls nobody."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from matplotlib.path import Path as Polygon

from app import server
from dse import verbs
from dse.search import search
from dse.store import Run, create

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
WAIT = 25_000
"""Milliseconds before a browser that answers nothing counts as broken; passing takes far less."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        toys.install(patch)
        question = toys.study()
        folder: Path = tmp_path_factory.mktemp("out") / "toy" / "first"
        yield search(question, create(question, output=folder)).run


@pytest.fixture(scope="module")
def url(searched: Run) -> Iterator[str]:
    with listening(server.create(searched)) as address:
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
        self.page.wait_for_selector("#explore-front-graph .legend")
        self.page.wait_for_selector("#explore-lines-graph .parcoords .axis")
        self.page.wait_for_selector("#explore-front-grid .ag-row")
        return self.page


@pytest.fixture
def seen(browser) -> Iterator[Seen]:
    found = Seen(browser)
    yield found
    found.page.close()


@pytest.fixture
def stored(searched: Run) -> pd.DataFrame:
    """The run's designs, as pandas reads them."""
    return pd.read_parquet(searched.path / "designs.parquet")


STATUS = {"bounds": "#explore-remaining-status", "selection": "#explore-selection-status"}


def says(page, which: str, text: str) -> str:
    """What the page says of bounds or the selection once it holds a text."""
    page.wait_for_function(
        "([name, text]) => document.querySelector(name).innerText.includes(text)",
        arg=[STATUS[which], text],
    )
    return page.inner_text(STATUS[which])


def link_holds(page, text: str) -> str:
    """The address once it holds a text."""
    page.wait_for_function("text => decodeURI(location.search).includes(text)", arg=text)
    return page.url


def place(page, across: float, up: float) -> tuple[float, float]:
    """Where a point of the front's plot lies on the screen, from display units of its axes."""
    return page.evaluate(
        """([x, y]) => {
            const plot = document.querySelector('#explore-front-graph .js-plotly-plot');
            const box = plot.getBoundingClientRect(), layout = plot._fullLayout;
            return [box.left + layout._size.l + layout.xaxis.d2p(x),
                    box.top + layout._size.t + layout.yaxis.d2p(y)];
        }""",
        [across, up],
    )


def corner(page, kind: str) -> tuple[float, float]:
    """The lowest or largest values of the front in the plot, in display units."""
    return page.evaluate(
        """kind => {
            const plot = document.querySelector('#explore-front-graph .js-plotly-plot');
            const front = plot._fullData.find(trace => trace.name === 'front');
            return [Math[kind](...front.x), Math[kind](...front.y)];
        }""",
        kind,
    )


def drag(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def tick(page, row: int) -> None:
    """Tick a row of the table by the place it stands at."""
    page.locator(f"#explore-front-grid .ag-row[row-index='{row}'] .ag-checkbox-input").click()


def test_the_page_loads_without_an_error_or_a_request_off_the_machine(seen, url):
    page = seen.open(url)
    assert "How fast is the toy" in page.inner_text("h1")
    says(page, "bounds", "96 of 144 designs that can run remain")
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith((url, "data:", "blob:"))] == []
    assert len(seen.requests) > 10


def test_a_key_on_a_slider_changes_the_count_to_that_of_pandas(seen, url, stored):
    page = seen.open(url)
    says(page, "bounds", "96 of 144")
    slider = page.get_by_label("Latency at most, slider")
    slider.focus()
    page.keyboard.press("PageDown")
    address = link_holds(page, "bound=latency<=")
    limit = float(unquote(address).partition("latency<=")[2].partition("&")[0])
    count = int((stored["feasible"] & (stored["latency"] <= limit)).sum())
    assert count != 96
    says(page, "bounds", f"{count} of 144 designs that can run remain")
    box = page.get_by_label("Latency at most", exact=True)
    box.fill("20 ms")
    box.press("Enter")
    count = int((stored["feasible"] & (stored["latency"] <= 0.02)).sum())
    said = says(page, "bounds", f"{count} of 144")
    assert "'Latency at most 20 ms' binds most" in said
    page.get_by_role("button", name="Back to the study's bounds").click()
    says(page, "bounds", "96 of 144")
    assert seen.errors == []


def test_nonsense_for_a_bound_is_answered_in_words(seen, url):
    page = seen.open(url)
    box = page.get_by_label("Latency at most", exact=True)
    box.fill("20 apples")
    box.press("Enter")
    page.wait_for_selector("#explore-bounds-alert:not(:empty)")
    assert "Latency at most: '20 apples'" in page.inner_text("#explore-bounds-alert")


def test_a_box_selects_in_all_parts_and_its_design_saves_as_what_it_is(
    seen, url, stored, tmp_path
):
    page = seen.open(url)
    low, high = corner(page, "min"), corner(page, "max")
    drag(page, place(page, low[0] * 0.9, high[1]), place(page, 10.0, 0.5 * low[1]))
    address = link_holds(page, "brush=cost:")
    ranges = {
        name: [float(end) for end in rest.partition("&")[0].split("..")]
        for name, _, rest in (p.partition(":") for p in unquote(address).split("brush=")[1:])
    }
    accepted = stored[stored["accepted"]]
    wanted = accepted[
        accepted["latency"].between(*ranges["latency"]) & accepted["cost"].between(*ranges["cost"])
    ]
    assert 2 < len(wanted) < 96
    says(page, "selection", f"{len(wanted)} of 96 designs are selected")
    says_table(page, len(wanted))
    page.wait_for_function(RINGED, arg=len(wanted))
    assert page.evaluate(LINES_SELECTED) == len(wanted)
    tick(page, 0)
    says(page, "selection", "1 of 96 designs are selected, 1 of the front")
    with page.expect_download(timeout=8000) as saving:
        page.get_by_role("button", name="Design as YAML").click()
    path = tmp_path / "design.yaml"
    saving.value.save_as(path)
    row = int(saving.value.suggested_filename.rpartition("-")[2].removesuffix(".yaml"))
    found = verbs.evaluate(str(path))["metrics"]
    for name in ("latency", "cost", "power"):
        assert found[name]["value"] == stored[name][row]
    assert seen.errors == []


RINGED = """count => {
    const plot = document.querySelector('#explore-front-graph .js-plotly-plot');
    return plot._fullData.find(trace => trace.name === 'selected').x.length === count;
}"""

LINES_SELECTED = """() => {
    const plot = document.querySelector('#explore-lines-graph .js-plotly-plot');
    return [...plot._fullData[0].line.color].filter(look => look === 2).length;
}"""


def says_table(page, count: int) -> None:
    page.wait_for_function(
        "text => document.querySelector('#explore-table-caption').innerText.startsWith(text)",
        arg=f"{count} designs that are selected",
    )


def test_a_brush_along_an_axis_selects_in_the_scatter_and_the_table(seen, url, stored):
    page = seen.open(url)
    page.locator("#explore-lines-graph").scroll_into_view_if_needed()
    brush = page.locator("#explore-lines-graph .parcoords .axis-brush .background").nth(2)
    axis = brush.bounding_box()
    middle, bottom = axis["x"] + axis["width"] / 2, axis["y"] + axis["height"]
    drag(page, (middle, bottom - 12), (middle, bottom - 0.3 * axis["height"]))
    address = unquote(link_holds(page, "brush=requests:"))
    ends = [float(end) for end in address.partition("requests:")[2].partition("&")[0].split("..")]
    accepted = stored[stored["accepted"]]
    wanted = int(accepted["requests"].between(*ends).sum())
    assert 0 < wanted < 96
    says(page, "selection", f"{wanted} of 96 designs are selected")
    says_table(page, wanted)
    page.wait_for_function(
        RINGED,
        arg=wanted,
    )
    page.get_by_role("button", name="Drop the selection").click()
    says(page, "selection", "Nothing is selected")
    assert seen.errors == []


def test_a_lasso_selects_what_lies_inside(seen, url, stored):
    page = seen.open(url)
    page.get_by_label("selects a lasso").check()
    low, high = corner(page, "min"), corner(page, "max")
    corners = [
        (0.9 * low[0], 0.5 * low[1]),
        (0.9 * low[0], 1.1 * high[1]),
        (high[0], 0.5 * low[1]),
    ]
    places = [place(page, *point) for point in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for point in [*places[1:], places[0]]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()
    lasso = unquote(link_holds(page, "lasso=latency;cost;")).partition("cost;")[2].split("&")[0]
    inside = Polygon([[float(end) for end in pair.split(",")] for pair in lasso.split(";")])
    accepted = stored[stored["accepted"]]
    wanted = int(inside.contains_points(accepted[["latency", "cost"]].to_numpy()).sum())
    assert 0 < wanted < 96
    says(page, "selection", f"{wanted} of 96 designs are selected")
    assert seen.errors == []


def test_ticked_rows_are_pinned_and_lead_to_compare(seen, url):
    page = seen.open(url)
    tick(page, 0)
    tick(page, 2)
    says(page, "selection", "2 of 96 designs are selected, 2 of the front")
    page.get_by_role("button", name="Pin for Compare").click()
    link = page.locator("#explore-compare-anchor")
    link.wait_for()
    assert link.inner_text() == "Compare 2 pinned"
    assert link.get_attribute("href").startswith("/compare?run=toy/first&design=row:")
    link_holds(page, "pin=")
    page.locator("#explore-pins-list button").first.click()
    page.wait_for_function(
        "() => document.querySelector('#explore-compare-anchor').innerText === 'Compare 1 pinned'"
    )


def test_the_button_opens_one_design_and_says_when_there_is_none(seen, url):
    page = seen.open(url)
    page.get_by_role("button", name="Open the design").click()
    page.wait_for_selector("#explore-action-alert:not(:empty)")
    assert "one design must be selected, none is" in page.inner_text("#explore-action-alert")
    tick(page, 1)
    says(page, "selection", "1 of 96")
    page.get_by_role("button", name="Open the design").click()
    page.wait_for_url("**/design?model=toy&**")


def test_a_click_on_a_point_opens_its_design_and_back_returns_to_the_view(seen, url):
    page = seen.open(url + "?bound=cost<=50000")
    at = place(
        page,
        *page.evaluate(
            """() => {
            const plot = document.querySelector('#explore-front-graph .js-plotly-plot');
            const best = plot._fullData.find(trace => trace.name === 'best');
            return [best.x[0], best.y[0]];
        }"""
        ),
    )
    page.mouse.move(*at)
    page.wait_for_selector("#explore-front-graph .hovertext")
    page.mouse.click(*at)
    page.wait_for_url("**/design?model=toy&**")
    page.go_back()
    page.wait_for_selector("#explore-front-graph .legend")
    assert "bound=cost<=50000" in unquote(page.url)


def test_a_link_reproduces_the_view(seen, url, stored):
    page = seen.open(url + "?x=power&bound=latency<=0.02&brush=requests:2..4&pin=5,6")
    wanted = stored["feasible"] & (stored["latency"] <= 0.02) & stored["requests"].between(2, 4)
    says(page, "selection", f"{wanted.sum()} of ")
    says_table(page, int(wanted.sum()))
    assert page.locator("#explore-compare-anchor").inner_text() == "Compare 2 pinned"
    link_holds(page, "x=power&bound=latency<=0.02&brush=requests:2..4&pin=5,6")
    assert page.text_content("#explore-front-graph .xtitle") == "Power [W]"


def test_two_tabs_do_not_disturb_each_other(browser, url):
    one, other = Seen(browser), Seen(browser)
    first, second = one.open(url + "?bound=latency<=0.02"), other.open(url + "?x=power")
    tick(first, 0)
    says(first, "selection", "1 of ")
    box = second.get_by_label("Cost at most", exact=True)
    box.fill("$9000")
    box.press("Enter")
    link_holds(second, "bound=cost<=9000")
    says(second, "selection", "Nothing is selected")
    assert "bound=latency<=0.02" in unquote(first.url)
    assert "cost" not in unquote(first.url)
    assert one.errors == other.errors == []
    one.page.close()
    other.page.close()


def test_a_malformed_link_is_answered_in_words(seen, url):
    page = seen.open(url + "?x=tai&%F0%9F=3&rows=1,2x&lasso=;;;")
    said = page.inner_text("#explore-link-alert")
    assert "unknown column 'tai'" in said
    assert "'2x' is no design of this run" in said
    assert "Traceback" not in page.content()
    assert seen.errors == []


def test_an_old_link_to_a_design_leads_to_its_page(seen, url):
    seen.page.goto(url + "?model=toy&requests=2")
    seen.page.wait_for_url("**/design?model=toy&requests=2*")


def test_the_page_follows_a_dark_system(browser, url):
    dark = Seen(browser, color_scheme="dark")
    page = dark.open(url)
    ink, back = page.evaluate(
        "() => ['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])"
    )
    assert (ink, back) == ("rgb(230, 233, 239)", "rgb(20, 23, 28)")
    page.close()


@pytest.mark.parametrize("width", [768, 1280])
def test_nothing_is_wider_than_the_screen(seen, url, width):
    seen.page.set_viewport_size({"width": width, "height": 900})
    page = seen.open(url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_input_has_a_name_for_screen_readers(seen, url):
    page = seen.open(url)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.explore-bounds input, .choosers button')]
            .filter(item => item.getAttribute('aria-hidden') !== 'true')
            .filter(item => !item.labels.length && !item.getAttribute('aria-label'))
            .map(item => item.outerHTML)"""
    )
    assert nameless == []
