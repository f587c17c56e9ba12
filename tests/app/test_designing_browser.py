"""The Design page in a real browser: what is moved, typed, pinned, loaded and undone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import server
from dse import registry, units
from dse.cli import app as commands
from dse.roofs import roofs

from .test_browser import ARGUMENTS, CHROMIUM, Seen
from .test_browser_papers import clean
from .test_server import listening

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")

TEXT = "([name, text]) => document.querySelector(name)?.innerText.trim() === text"
OTHER = "([name, text]) => document.querySelector(name)?.innerText.trim() !== text"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with listening(server.create(None)) as address:
        yield f"{address}design"


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


def opened(seen: Seen, address: str):
    """The page with its numbers and the first chart."""
    seen.page.goto(address)
    seen.page.wait_for_selector("#design-terms-graph .js-plotly-plot .barlayer")
    return seen.page


def shown(page, metric: str) -> str:
    return page.inner_text(f"#design-{metric}-value")


def becomes(page, name: str, text: str) -> None:
    page.wait_for_function(TEXT, arg=[name, text])


def changes(page, metric: str, before: str) -> str:
    """A metric once it is no longer what it was."""
    page.wait_for_function(OTHER, arg=[f"#design-{metric}-value", before])
    return shown(page, metric)


def saved(page, what: str, folder: Path) -> Path:
    """A file that the page saves."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=what).first.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def evaluated(file: Path) -> dict:
    """What `dse eval FILE --json` prints."""
    came = CliRunner().invoke(commands, ["eval", str(file), "--json"])
    assert came.exit_code == 0, came.output
    return json.loads(came.stdout)["metrics"]


def number(value: float | str) -> float:
    return float("inf") if value == "infinite" else float(value)


def said(entry: dict) -> str:
    """A metric that a command printed, as the page shows it."""
    if isinstance(entry["value"], bool):
        return "yes" if entry["value"] else "no"
    return (
        "unknown" if entry["value"] is None else units.show(number(entry["value"]), entry["unit"])
    )


@pytest.mark.parametrize(
    ("slug", "knob", "metric"),
    [("codesign", "output_tokens", "latency"), ("dfx", "input_tokens", "latency")],
)
def test_a_slider_changes_the_numbers_to_those_of_the_command_line(
    seen: Seen, url: str, tmp_path: Path, slug: str, knob: str, metric: str
):
    page = opened(seen, f"{url}?model={slug}")
    before = shown(page, metric)
    page.get_by_label(f"{knob}, from").focus()
    page.keyboard.press("PageUp")
    assert changes(page, metric, before) != before
    printed = evaluated(saved(page, "Design as YAML", tmp_path))
    for name, entry in printed.items():
        becomes(page, f"#design-{name}-value", said(entry))
    page.wait_for_function("knob => location.search.includes(knob)", arg=f"&{knob}=")
    assert clean(seen, url.removesuffix("design"))


def test_a_step_back_undoes_a_knob_and_a_step_forward_redoes_it(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=dfx")
    first = shown(page, "latency")
    for knob in ("input_tokens", "output_tokens"):
        before, start = shown(page, "latency"), page.evaluate("location.search")
        page.get_by_label(f"{knob}, from").focus()
        page.keyboard.press("PageUp")
        changes(page, "latency", before)
        page.wait_for_function("start => location.search !== start", arg=start)
    last, middle = shown(page, "latency"), before
    page.go_back()
    becomes(page, "#design-latency-value", middle)
    page.go_back()
    becomes(page, "#design-latency-value", first)
    page.go_forward()
    page.go_forward()
    becomes(page, "#design-latency-value", last)
    assert seen.errors == []


def test_a_pinned_design_stays_beside_what_follows(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=dfx&fpgas=1")
    before = shown(page, "latency")
    page.get_by_role("button", name="Pin this design").click()
    becomes(page, "#design-latency-pinned", before)
    page.get_by_label("fpgas", exact=True).fill("4")
    page.keyboard.press("Enter")
    after = changes(page, "latency", before)
    assert page.inner_text("#design-latency-pinned") == before
    row = page.inner_text("tr:has(#design-latency-pinned)")
    assert "▲" in row
    page.wait_for_function("location.search.includes('pinned=dfx:fpgas=1')")
    page.reload()
    becomes(page, "#design-latency-pinned", before)
    assert shown(page, "latency") == after
    link = page.get_by_role("link", name="Term by term").get_attribute("href")
    assert link == "/compare?design=dfx:fpgas=1&design=dfx"
    page.get_by_role("button", name="Unpin").click()
    page.wait_for_selector("#design-latency-pinned", state="detached")
    assert seen.errors == []


def test_typed_text_sets_a_knob_and_nonsense_is_answered_in_words(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=dfx")
    before = shown(page, "latency")
    box = page.get_by_label("clock", exact=True)
    box.fill("0.1 GHz")
    box.press("Enter")
    changed = changes(page, "latency", before)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.box input, input.box')]"
        ".some(box => box.value === '100 MHz')"
    )
    box.fill("20 apples")
    box.press("Enter")
    page.wait_for_selector("#design-knob-alert:not(:empty)")
    assert "clock: '20 apples' is not" in page.inner_text("#design-knob-alert")
    assert shown(page, "latency") == changed


def test_a_change_made_while_another_is_priced_is_not_lost(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=dfx")
    page.get_by_label("fpgas", exact=True).fill("2")
    page.get_by_label("output_tokens, from").focus()  # which sends the box
    page.keyboard.press("PageUp")
    page.wait_for_function(
        "() => location.search.includes('fpgas=2') && location.search.includes('output_tokens=')"
    )
    assert seen.errors == []


def test_a_folded_group_opens_by_key_and_stays_open_over_defaults(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=codesign")
    assert page.get_by_label("serve.batch, from").count() == 0
    page.get_by_text("serve (", exact=False).focus()
    page.keyboard.press("Enter")
    page.get_by_label("serve.batch, from").wait_for()
    before = shown(page, "latency")
    page.get_by_label("serve.batch, from").focus()
    page.keyboard.press("PageUp")
    changes(page, "latency", before)
    page.get_by_role("button", name="Defaults").click()
    becomes(page, "#design-latency-value", before)
    page.get_by_label("serve.batch, from").wait_for()
    page.get_by_text("errors held at 1").wait_for()
    assert seen.errors == []


def test_operators_stand_under_the_roof_of_their_device(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=roofline&batch=4")
    page.wait_for_selector("#design-roof-graph .legend")
    marks = page.evaluate(
        "() => document.querySelector('#design-roof-graph .js-plotly-plot')._fullData"
        ".filter(one => one.mode === 'markers').reduce((sum, one) => sum + one.x.length, 0)"
    )
    config = registry.starting_point(registry.model("roofline"), {"batch": 4})
    (roof,) = roofs(registry.model("roofline"), config)
    assert marks == sum(one.known for one in roof.ran)


def test_the_change_that_helps_most_is_told_drawn_and_tried(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=dfx&metric=latency")
    page.wait_for_selector("#design-levers-graph .barlayer")
    said = page.inner_text("#design-helps-text")
    assert said.startswith("Helps most: ")
    before = shown(page, "latency")
    page.get_by_role("button", name="Try that change").click()
    assert f"which gives {changes(page, 'latency', before)} (" in said
    assert seen.errors == []


def test_a_design_file_is_loaded_and_a_broken_one_is_answered_in_one_line(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=dfx")
    before = shown(page, "latency")
    page.get_by_text("Load a design file").click()
    files = page.locator("#design-file-upload input[type=file]")
    files.set_input_files(
        {"name": "mine.yaml", "mimeType": "text/yaml", "buffer": b"model: dfx\nset: {fpgas: 2}\n"}
    )
    changes(page, "latency", before)
    for name, content, words in (
        ("broken.yaml", b"model: [dfx", "broken.yaml:1: not readable as YAML"),
        ("bytes.yaml", b"\xff\xfe", "bytes.yaml: not UTF-8 text"),
        ("other.yaml", b"model: dnd\n", "a design of page 'dnd', not of 'dfx'"),
        ("wrong.yaml", b"model: dfx\nset: {fpga: 3090}\n", "fpga"),
    ):
        files.set_input_files({"name": name, "mimeType": "text/yaml", "buffer": content})
        page.wait_for_function(
            "words => document.querySelector('#design-knob-alert').innerText.includes(words)",
            arg=words,
        )
        assert "\n" not in page.inner_text("#design-knob-alert").strip()
    assert seen.errors == []


def test_a_malformed_link_is_answered_in_words(seen: Seen, url: str):
    page = opened(seen, f"{url}?model=dfx&reqests=3&fpgas=many&pinned=dnd&%F0%9F=3")
    told = page.inner_text("#design-link-alert")
    assert "unknown knob 'reqests'" in told
    assert "fpgas: 'many' is not a number" in told
    assert "the pinned design is of page 'dnd'" in told
    assert "Traceback" not in page.content()
    assert clean(seen, url.removesuffix("design"))


def test_two_tabs_do_not_disturb_each_other(browser, url: str):
    context = browser.new_context()
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(f"{url}?model=dfx&fpgas=1")
        tab.wait_for_selector("#design-latency-value")
    start = shown(tabs[0], "latency")
    tabs[0].get_by_label("fpgas", exact=True).fill("2")
    tabs[0].keyboard.press("Enter")
    tabs[1].get_by_label("output tokens", exact=True).fill("512 token")
    tabs[1].keyboard.press("Enter")
    one, other = (changes(tab, "latency", start) for tab in tabs)
    assert one != other
    for tab, knob in zip(tabs, ("fpgas=2", "output_tokens=512"), strict=True):
        tab.wait_for_function("knob => location.search.includes(knob)", arg=knob)
        tab.reload()
    becomes(tabs[0], "#design-latency-value", one)
    becomes(tabs[1], "#design-latency-value", other)
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (820, "dark")])
def test_every_part_has_a_name_and_fits_the_width(browser, url: str, width: int, scheme: str):
    seen = Seen(browser, color_scheme=scheme)
    seen.page.set_viewport_size({"width": width, "height": 1000})
    page = opened(seen, f"{url}?model=codesign&pinned=codesign:output_tokens=8")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#design-page-body input')]
            .filter(item => item.type !== 'file' && item.getAttribute('aria-hidden') !== 'true')
            .filter(item => !item.labels.length && !item.getAttribute('aria-label'))
            .map(item => item.outerHTML)"""
    )
    assert nameless == []
    page.close()
