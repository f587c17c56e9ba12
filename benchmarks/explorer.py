"""What a person waits for in the explorer, measured in Debian's Chromium with software rendering.

Slider to updated numbers on the Design page of codesign; a brush over 200,000 points; the first
load beside that of a bare Dash page in the same run; and opening a run of ten million designs.
Machines differ and are shared: seconds judge this run alone.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import Dash, dcc, html
from waitress import wasyncore

from app import server
from dse import store
from dse.search import search
from dse.store import Run
from dse.study import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REPEATS = 9
WAIT = 300_000
"""Milliseconds until a browser that answers nothing counts as broken."""

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]

STUDY: dict[str, object] = {
    "question": "How do many designs look?",
    "model": "dfx",
    "space": {
        "fpgas": [1, 2, 4, 8],
        "lanes": {"low": 4, "high": 64},
        "depth": {"low": 16, "high": 256},
        "clock": {"low": "100 MHz", "high": "300 MHz"},
        "stream_efficiency": {"low": 0.2, "high": 1.0},
    },
    "objectives": ["latency", "energy_per_token", "cost"],
}


def searched(folder: Path, name: str, count: int, bound: str) -> Run:
    """A random search of so many designs."""
    document = {
        **STUDY,
        "constraints": [bound],
        "search": {"method": "random", "budget": count, "seed": 0},
    }
    study = build(name, document, place=name)
    return search(study, store.create(study, output=folder / name / "run"), jobs=2).run


@contextmanager
def listening(app: Dash) -> Iterator[str]:
    """The address of an app that answers on a free port until the block ends."""
    bound, ended = server.bind(app, port=0), threading.Event()

    def answer() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.05, map=bound._map, count=1)
        bound.task_dispatcher.shutdown()
        wasyncore.close_all(bound._map)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.effective_port}/"
    finally:
        ended.set()
        thread.join()


def bare() -> Dash:
    """The smallest Dash page that shows a figure."""
    app = Dash("bare", enable_mcp=False)
    figure = {"data": [{"type": "scattergl", "x": [1, 2], "y": [1, 2], "mode": "markers"}]}
    app.layout = html.Div(dcc.Graph(id="bare-front-graph", figure=figure))
    return app


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def loaded(page: Page, url: str, *marks: str) -> None:
    """Open a page until each mark is there."""
    page.goto(url)
    for mark in marks:
        page.wait_for_selector(mark)


EXPLORE = ("#explore-front-graph .xtitle", "#explore-front-grid .ag-row")


def first_load(browser: Browser, url: str, *marks: str) -> float:
    """Median seconds of a load by a browser that has seen nothing before."""
    return statistics.median(first_open(browser, url, *marks) for _ in range(5))


def fresh(browser: Browser) -> Page:
    """A page without any cache."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(WAIT)
    return page


SLIDE = """done => new Promise(resolve => {
    const slider = [...document.querySelectorAll('input[type=range]')].filter(
        item => item.id.includes('design-knob-range') && !item.disabled)[0];
    const panel = document.querySelector('#design-result-panel');
    const watch = new MutationObserver(() => {
        watch.disconnect();
        resolve(performance.now() - began);
    });
    watch.observe(panel, {childList: true, subtree: true, characterData: true});
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
    const value = Number(slider.value);
    const middle = (Number(slider.max) + Number(slider.min)) / 2;
    set.call(slider, value > middle ? value - 3 : value + 3);
    const began = performance.now();
    slider.dispatchEvent(new Event('input', {bubbles: true}));
})"""
"""Milliseconds from a moved slider to changed numbers."""


def slider(browser: Browser, url: str) -> float:
    """Median milliseconds from a knob of codesign to its numbers."""
    page = fresh(browser)
    loaded(page, f"{url}design?model=codesign", "#design-result-panel table")
    page.wait_for_timeout(3000)
    times = []
    for _ in range(REPEATS + 2):
        times.append(float(page.evaluate(SLIDE)))
        page.wait_for_timeout(1500)
    page.context.close()
    return statistics.median(times[2:])


PLACE = """share => {
    const plot = document.querySelector('#explore-front-graph .js-plotly-plot');
    const box = plot.getBoundingClientRect(), size = plot._fullLayout._size;
    return [box.left + size.l + share[0] * size.w, box.top + size.t + share[1] * size.h];
}"""


def brush(browser: Browser, url: str) -> tuple[float, float]:
    """Median seconds from the end of a box over the points to its count, and to its table."""
    page = fresh(browser)
    loaded(page, url, *EXPLORE)
    page.wait_for_timeout(5000)
    counted: list[float] = []
    listed: list[float] = []
    for turn in range(REPEATS):
        start, end = (
            page.evaluate(PLACE, [share, share])
            for share in (0.2 + 0.01 * turn, 0.8 - 0.01 * turn)
        )
        before = {
            name: page.inner_text(f"#explore-{name}")
            for name in ("selection-status", "table-caption")
        }
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(*end, steps=3)
        began = time.perf_counter()
        page.mouse.up()
        for name, times in (("selection-status", counted), ("table-caption", listed)):
            page.wait_for_function(
                "([name, before]) => document.querySelector(name).innerText !== before",
                arg=[f"#explore-{name}", before[name]],
            )
            times.append(time.perf_counter() - began)
        page.wait_for_timeout(1000)
    page.context.close()
    return statistics.median(counted), statistics.median(listed)


def told(text: str) -> None:
    """A line of the answer, as soon as it is known."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def opening(browser: Browser, run: Run) -> tuple[float, float]:
    """Seconds until a large run is shown by a server that has not read it, and again."""
    with listening(server.create(run)) as url:
        return tuple(first_open(browser, url, *EXPLORE) for _ in range(2))  # type: ignore[return-value]


def first_open(browser: Browser, url: str, *marks: str) -> float:
    """Seconds until each mark is there, in a browser that has seen nothing before."""
    page = fresh(browser)
    took = seconds(lambda: loaded(page, url, *marks))
    page.context.close()
    return took


def measure(browser: Browser, folder: Path, many: int) -> None:
    """Print every figure."""
    small = searched(folder, "small", 20_000, "latency <= 1 s")
    points = searched(folder, "points", 525_000, "latency <= 100 s")
    with listening(bare()) as url:
        base = first_load(browser, url, "#bare-front-graph .xtick")
    with listening(server.create(small)) as url:
        explorer = first_load(browser, url, *EXPLORE)
        told(f"first load: {explorer:.2f} s, {explorer / base:.2f} of a bare page ({base:.2f} s)")
        told(f"slider to numbers on codesign: {slider(browser, url):.0f} ms, median")
    with listening(server.create(points)) as url:
        count, (counted, listed) = drawn(browser, url), brush(browser, url)
        told(f"brush over {count:,} points: {counted:.2f} s to the count, {listed:.2f} s to rows")
    large = searched(folder, "large", many, "latency <= 100 s")
    cold, warm = opening(browser, large)
    told(f"opening {many:,} designs: {cold:.2f} s, then {warm:.2f} s")


def drawn(browser: Browser, url: str) -> int:
    """Points that the front's plot shows."""
    page = fresh(browser)
    loaded(page, url, *EXPLORE)
    count: Any = page.evaluate(
        "() => document.querySelector('#explore-front-graph .js-plotly-plot')"
        "._fullData.reduce((sum, trace) => sum + trace.x.length, 0)"
    )
    page.context.close()
    return int(count)


def main() -> None:
    """Measure in one browser; a temporary folder holds the runs."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only this needs it

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--designs", type=int, default=10**7, help="of the large run")
    many = asked.parse_args().designs
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium here; install Debian's package 'chromium'")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        measure(browser, Path(folder), many)
        browser.close()


if __name__ == "__main__":
    main()
