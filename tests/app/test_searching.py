"""The Search page: a study started in the browser is a run like any other, whoever looks at it."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import form, runs, searching, server
from app.context import Context
from dse import documents, store
from dse.errors import InputError
from dse.search import search
from dse.store import Run, create
from dse.study import build

from .test_browser import CHROMIUM, Seen
from .test_browser import browser as browser
from .test_front import text_of
from .test_runs import DOCUMENT, aged, asleep, study, unfinished, until
from .test_runs import empty as empty
from .test_runs import ended as ended
from .test_runs import folder as folder
from .test_server import listening

sleeping = asleep

LONG = {**DOCUMENT, "search": {"method": "random", "budget": 800_000, "seed": 1}}
"""Seconds of search, stored in two parts: time to stop it after the first."""


def shown(search: str = "") -> str:
    return text_of(searching.layout(Context(), search))


def test_the_page_is_found_by_discovery() -> None:
    assert searching.PAGE in server.pages()


def test_the_page_says_what_becomes_of_a_search_when_it_is_closed() -> None:
    assert "it goes on when this page or the explorer is closed" in shown()


def test_a_link_to_a_run_shows_its_question(ended: Run) -> None:
    assert DOCUMENT["question"] in shown(f"?run={runs.name_of(ended)}")


def test_a_link_to_no_run_is_answered_in_words_and_the_rest_stands(ended: Run) -> None:
    text = shown("?run=batches/nothing")
    assert "no run 'batches/nothing' in out" in text
    assert "Start a search" in text


def test_a_run_whose_study_cannot_be_read_is_shown_with_the_reason(empty: Run) -> None:
    (empty.path / "config.yaml").write_text("question: [")
    assert "not readable as YAML" in shown(f"?run={runs.name_of(empty)}")


def test_axes_come_from_the_link_where_the_study_has_them(ended: Run) -> None:
    name = runs.name_of(ended)
    page = str(searching.layout(Context(), f"?run={name}&x=energy&y=nonsense"))
    assert "value='energy'" in page
    assert "value='tokens_per_second'" in page
    assert "nonsense" not in page


def test_what_is_watched_follows_its_folder(ended: Run) -> None:
    found = searching.looked(ended)
    assert found["state"] == "Finished."
    assert (found["done"], found["most"]) == ("400", "400")
    assert found["pausing"]
    assert found["resuming"]
    assert found["interval"] == searching.IDLE
    unfinished(ended)
    aged(ended)
    found = searching.looked(ended)
    assert found["state"] == "Paused."
    assert found["pausing"]
    assert not found["resuming"]


def test_the_page_looks_often_only_while_something_runs(sleeping, empty: Run) -> None:
    assert searching.looked(None)["interval"] == searching.IDLE
    assert searching.act(Context(), runs.name_of(empty), "resume") == ""
    assert searching.looked(None)["interval"] == searching.TICK
    assert searching.act(Context(), runs.name_of(empty), "pause") == ""
    assert sleeping[0].wait() == -signal.SIGINT


def test_a_second_tab_that_resumes_the_same_run_is_told(sleeping, empty: Run) -> None:
    one, other = Context(), Context()
    assert searching.act(one, runs.name_of(empty), "resume") == ""
    told = searching.act(other, runs.name_of(empty), "resume")
    assert "is being searched already" in told
    assert len(sleeping) == 1


def test_a_start_that_is_refused_makes_nothing() -> None:
    query, refusal = searching.begun(form.Form(study="gpt2-serving", budget="none"))
    assert query == ""
    assert "'--budget'" in refusal
    assert not store.ROOT.exists()


def test_a_start_links_to_its_run(sleeping) -> None:
    filled = form.Form(form.OWN, name="batches", text=documents.dump(DOCUMENT))
    query, refusal = searching.begun(filled)
    assert refusal == ""
    assert query.startswith("?run=batches/")
    assert runs.named(query.removeprefix("?run=").partition("&")[0]).study().slug == "batches"


def test_a_run_without_designs_is_drawn_in_words(empty: Run) -> None:
    found = searching.drawn(empty, "latency", "tokens_per_second", dark=False)
    assert found["front_caption"] == "No designs are stored yet."
    assert found["growth_caption"] == "No front was written yet."


def test_a_redrawn_figure_keeps_a_persons_zoom(ended: Run) -> None:
    pair = [searching.drawn(ended, "latency", "energy", dark=dark) for dark in (False, True)]
    kept = [each["front"].layout.uirevision for each in pair]
    assert kept[0] == kept[1]


def test_what_mattered_is_a_table_or_words(ended: Run, empty: Run) -> None:
    assert "PED-ANOVA" in text_of(searching.mattered(ended))
    assert "no designs are stored yet" in text_of(searching.mattered(empty))


def test_a_request_for_no_run_is_refused_in_words(ended: Run) -> None:
    with pytest.raises(InputError, match="no run is watched; choose one of the list"):
        searching.opened(Context(), "")
    assert "no run 'a/b'" in searching.act(Context(), "a/b", "pause")


def test_other_runs_than_are_shown_bring_a_new_list_and_else_only_cells(ended: Run) -> None:
    found = searching.looked(None)
    name = runs.name_of(ended)
    there = [{"id": {"run": name, "what": what}} for what in ("state", "designs", "rate", "left")]
    same = searching._anew(found["table"], found["cells"], there)
    assert same["table"] is searching.no_update
    assert same["cells"][:2] == ["finished", "400"]
    assert searching._anew(found["table"], found["cells"], [])["table"] is found["table"]


# In a browser.


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    with listening(server.create(None)) as address:
        yield address + "search"


class Searched(Seen):
    """The Search page in a browser."""

    def open(self, address: str):
        self.page.goto(address)
        self.page.wait_for_selector("#search-link-anchor[href^='/search']")
        self.page.wait_for_selector("#search-runs-table :is(table, p)")
        return self.page


def upload(page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a YAML file").press("Enter")
    chooser.value.set_files(str(file))


def said(page, text: str) -> None:
    page.wait_for_selector(f"#search-state-status:has-text('{text}')")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_a_search_of_a_closed_page_goes_on_and_paused_ends_as_if_it_had_not_been(browser, url):
    first = Searched(browser)
    page = first.open(f"{url}?study=own&name=batches")
    page.fill("#search-yaml-input", "question: [")
    page.click("#search-name-input")
    page.wait_for_selector("#search-form-alert:has-text('batches.yaml:1: not readable as YAML')")
    page.fill("#search-yaml-input", documents.dump(LONG))
    page.click("#search-name-input")
    page.wait_for_selector("#search-form-status:has-text('800,000 designs by random, seed 1')")
    page.click("#search-start-button")
    said(page, "Running")
    link = page.url
    assert "run=batches/" in link
    assert first.errors == []
    page.close()

    run = runs.runs()[0]
    until(lambda: run.parts)
    number = runs.number(run)
    assert number is not None
    os.kill(number, signal.SIGSTOP)  # else it may end before the browser has opened
    again = Searched(browser)
    page = again.open(link)
    said(page, "Running")
    page.click("#search-pause-button")
    os.kill(number, signal.SIGCONT)
    said(page, "Paused")
    stopped = runs.state(run)
    assert 0 < stopped.done < 800_000

    other = Searched(browser)
    other.open(link)
    said(other.page, "Paused")
    other.page.click("#search-resume-button")
    said(other.page, "Finished")
    assert "800,000 designs stored" in other.page.inner_text("#search-facts-text")
    other.page.wait_for_selector("#search-front-graph .legend")
    assert again.errors == other.errors == []
    assert [r for r in other.requests if not r.startswith((url[:-6], "data:", "blob:"))] == []
    page.close()
    other.page.close()

    whole = build("batches", LONG, place="batches.yaml")
    same = search(whole, create(whole, output=Path("same"))).run
    for name in ("front.csv", "best.csv"):
        assert (run.path / name).read_text() == (same.path / name).read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_a_finished_run_is_drawn_weighed_and_reached_by_keys(browser, url, ended: Run):
    seen = Searched(browser, color_scheme="dark")
    page = seen.open(url)
    page.get_by_role("link", name=runs.name_of(ended)).press("Enter")
    said(page, "Finished")
    page.wait_for_selector("#search-front-graph .legend")
    assert f"run={runs.name_of(ended)}" in page.url
    page.get_by_role("button", name="Weigh the knobs").press("Enter")
    page.wait_for_selector("#search-weigh-panel table")
    assert "batch" in page.inner_text("#search-weigh-panel table")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('main input, main textarea, main progress')]
            .filter(item => item.getAttribute('aria-hidden') !== 'true' && item.type !== 'file')
            .filter(item => !item.labels.length && !item.getAttribute('aria-label'))
            .map(item => item.outerHTML)"""
    )
    assert nameless == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert seen.errors == []
    page.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_an_upload_fills_the_form_and_a_picture_is_refused(browser, url, tmp_path):
    seen = Searched(browser)
    page = seen.open(url)
    page.click("#search-own-details summary")
    file = tmp_path / "my picture.yaml"
    file.write_bytes(b"\x89PNG\r\n\xff\xfe")
    upload(page, file)
    page.wait_for_selector("#search-form-alert:has-text('not UTF-8 text; give a YAML file')")
    file.write_text(documents.dump({**DOCUMENT, "model": "rooflin"}))
    upload(page, file)
    page.wait_for_selector("#search-form-alert:has-text('did you mean roofline?')")
    assert page.input_value("#search-name-input") == "my-picture"
    assert "Traceback" not in page.content()
    page.close()


def test_a_study_made_of_the_forms_text_is_the_files(folder: Path) -> None:
    filled = form.Form(form.OWN, name="batches", text=documents.dump(DOCUMENT))
    assert json.dumps(form.asked(filled).document) == json.dumps(study().document)
