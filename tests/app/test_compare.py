"""The Compare page: what names a design, refusals in words, and numbers that are those of eval."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from dash import Dash
from flask.testing import FlaskClient

from app import compare, compare_tables, compared, server
from app.compared import MOST, Asked
from app.context import Context
from dse import cli, registry, units, verbs
from dse.errors import InputError

from .test_browser import CHROMIUM, Seen, browser, searched, url  # noqa: F401 - fixtures
from .test_compared import THREE, settings_of
from .test_front import text_of
from .test_server import post


def edit(context: Context, names: list[str], trigger: Any, **given: str) -> tuple[Any, str]:
    blank = dict.fromkeys(("typed", "pasted", "file", "chosen", "contents"))
    view = {"run": "", "designs": names}
    after, message = compare.edited(context, view, trigger, {**blank, **given})
    return after["designs"], message


class TestEdits:
    def test_a_design_is_added_by_name_and_from_the_run(self, context):
        assert edit(context, ["toy"], "compare-name-button", typed=" toy:requests=2 ") == (
            ["toy", "toy:requests=2"],
            "",
        )
        assert edit(context, [], "compare-run-menu", chosen="balanced") == (["balanced"], "")

    def test_what_cannot_be_added_leaves_the_designs_and_says_why(self, context):
        said = {
            name: edit(context, THREE, "compare-name-text", typed=name)
            for name in ("toy", "toy:requests=32", "", "dfx")
        }
        assert all(after == THREE for after, _ in said.values())
        assert said["toy"][1] == "'toy' is there already, as A"
        assert "`requests < 32` must hold" in said["toy:requests=32"][1]
        assert "no design is named" in said[""][1]

    def test_a_design_of_another_page_is_refused_in_words(self, monkeypatch, context, toy):
        known = registry.model
        monkeypatch.setattr(registry, "slugs", lambda: ("toy", "dfx"))
        monkeypatch.setattr(registry, "model", known)
        after, message = edit(context, ["toy"], "compare-name-text", typed="dfx")
        assert after == ["toy"]
        assert "it is of page 'dfx' and the first of 'toy'" in message

    def test_a_seventh_design_is_refused(self, context):
        names = [f"toy:requests={n}" for n in range(1, MOST + 1)]
        after, message = edit(context, names, "compare-name-text", typed="toy:requests=20")
        assert after == names
        assert message == "6 designs fit side by side; remove one to add another"

    def test_a_design_leaves_or_leads(self):
        button = {"index": "b"}
        names = ["a", "b", "c"]
        assert compare.rearranged(names, {**button, "type": "compare-design-remove"}) == ["a", "c"]
        leads = {**button, "type": "compare-design-first"}
        assert compare.rearranged(names, leads) == ["b", "a", "c"]
        assert compare.rearranged(["a"], leads) == ["a"]


def test_a_run_that_is_not_there_is_told_and_not_replaced(context, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no run 'toy/other'"):
        compare.layout(context, "?run=toy/other&design=balanced")


def encoded(text: str | bytes) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    return "data:application/yaml;base64," + base64.b64encode(content).decode()


class TestUploads:
    def test_an_uploaded_and_a_pasted_design_are_the_same(self, context):
        text = "model: toy\nset: {memory: {bandwidth: 20 GB/s}, requests: 2, chip: t4}\n"
        (up,), _ = edit(
            context, [], "compare-file-upload", contents=encoded(text), file="mine.yaml"
        )
        (pasted,), _ = edit(context, [], "compare-yaml-button", pasted=text)
        assert up == pasted == "toy:chip=t4,memory.bandwidth=20 GB/s,requests=2"
        assert settings_of(context, up)["memory"]["bandwidth"] == 2e10

    def test_numbers_survive_to_the_last_bit(self, context):
        given = 12345678901.234567
        name = compared.of_file(f"model: toy\nset: {{memory.bandwidth: {given!r}}}", "a.yaml")
        assert settings_of(context, name)["memory"]["bandwidth"] == given

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("model: toy\nset: {requests: [}", "mine.yaml:2: not readable as YAML"),
            ("just words", "mine.yaml: a design file needs 'model' and 'set'"),
            ("model: tai\nset: {}", "unknown model 'tai'"),
            ("model: toy\nset: 3", "mine.yaml: set: must hold 'knob: value' lines, got 3"),
            ("model: toy\nset: {requests: many}", "'requests'"),
            ("model: toy\nset: {requests: 40}", "`requests < 32` must hold"),
            (b"\xff\xfe\x00", "mine.yaml: not UTF-8 text; give a YAML file"),
            ("a: " + "x" * 10**5, "mine.yaml: longer than"),
        ],
    )
    def test_a_malformed_upload_is_one_line_and_changes_nothing(self, context, text, words):
        after, message = edit(
            context, ["toy"], "compare-file-upload", contents=encoded(text), file="mine.yaml"
        )
        assert after == ["toy"]
        assert words in message
        assert "\n" not in message
        assert "Traceback" not in message


class TestTable:
    def test_it_holds_what_differs_every_term_and_how_each_number_is_known(self, context):
        found = compared.compared(context, THREE)
        text = " ".join(map(text_of, filter(None, compare_tables.result(found))))
        for words in ("memory.bandwidth", "24 ms", "22 ms", "14 ms", "unchecked", "400 W", "70 W"):
            assert words in text
        assert "better" in text
        assert "Latency is the sum of" in text

    def test_better_and_worse_follow_the_direction_of_the_metric(self, context):
        found = compared.compared(context, ["toy", "toy:requests=2"])
        cells = {cell.id: text_of(cell) for cell in walk_cells(compare_tables.result(found))}
        assert "▲" in cells["compare-latency-B"]
        assert "better" in cells["compare-latency-B"]
        assert "▲" not in cells["compare-latency-A"]
        worse = compared.compared(context, ["toy:requests=2", "toy"])
        cells = {cell.id: text_of(cell) for cell in walk_cells(compare_tables.result(worse))}
        assert "▼" in cells["compare-latency-B"]
        assert "worse" in cells["compare-latency-B"]

    def test_fewer_than_two_designs_are_an_empty_state_in_words(self, context):
        for names in ([], ["toy"], ["toy", "nobody"]):
            found = compared.compared(context, names)
            text = " ".join(map(text_of, compare_tables.result(found)))
            assert "a comparison needs two of one page" in text
            assert compare_tables.charts(context, found) == {}

    def test_a_design_that_is_not_covered_keeps_its_letter_and_says_why(self, context):
        found = compared.compared(context, ["toy", "toy:requests=32", "toy:requests=2"])
        assert [design.letter for design in found.shown] == ["A", "C"]
        text = " ".join(map(text_of, compare_tables.listed(found)))
        assert "`requests < 32` must hold" in text

    def test_an_infeasible_design_is_compared_and_told(self, context):
        slow = "toy:requests=31,memory.bandwidth=100 MB/s"
        found = compared.compared(context, ["toy", slow])
        cells = {cell.id: text_of(cell) for cell in walk_cells(compare_tables.result(found))}
        assert "no" in cells["compare-feasible-B"]
        text = " ".join(map(text_of, filter(None, compare_tables.result(found))))
        assert "Caution (B): batches over 6 were never measured" in text

    def test_equal_designs_are_said_to_be_one(self, context):
        found = compared.compared(context, ["toy", "toy:requests=4"])
        text = " ".join(map(text_of, filter(None, compare_tables.result(found))))
        assert "No knob differs: the designs are one." in text
        assert "metrics equal in every design" in text


def walk_cells(parts: Any) -> Iterator[Any]:
    from .test_controls import walk

    for part in filter(None, parts):
        for item in walk(part):
            if str(getattr(item, "id", "")).startswith("compare-") and type(item).__name__ == "Td":
                yield item


class TestAblation:
    def brought(self, *given: Any) -> Any:
        view = {"run": "", "designs": ["codesign:compile.tuner=oneshot", "codesign"]}
        return compare.brought(Context(), view, *given)

    def test_factors_and_verdicts_are_those_of_ablate(self):
        text = text_of(self.brought("A", "latency"))
        terms = verbs.ablation("codesign", {"compile.tuner": "oneshot"}).terms("latency")
        assert f"x{terms[0].factor:.3g}" in text
        assert terms[0].verdict in text
        assert terms[0].techniques[0] in text

    def test_without_a_metric_the_first_that_changes_is_shown(self):
        trains = "codesign:workload=gpt2-345m,train.mode=train,train.batch=12,serve.target=none"
        view = {"run": "", "designs": [trains, "codesign"]}
        text = text_of(compare.brought(Context(), view, "A", None))
        assert "Latency of A" not in text  # it answers no request: latency is 0 in every cell
        for words in ("helps", "compose", "16 combinations"):
            assert words in text

    def test_nothing_is_worked_out_before_a_design_is_chosen(self, monkeypatch):
        def never(*_: object) -> None:
            raise AssertionError

        monkeypatch.setattr(compare.compare_ablation, "ablate", never)
        assert self.brought(None, None) is None

    def test_wrong_choices_are_refused_in_words(self):
        assert "choose one of: A, B" in text_of(self.brought("F", None))
        assert "unknown metric 'speed'" in text_of(self.brought("A", "speed"))

    def test_a_page_without_techniques_says_so(self, context):
        view = {"run": "", "designs": ["toy", "toy:requests=2"]}
        said = text_of(compare.brought(context, view, None, None))
        assert "'toy' declares no technique to switch off" in said


@pytest.fixture
def served(run) -> Dash:
    return server.create(run)


@pytest.fixture
def client(served: Dash) -> FlaskClient:
    return served.server.test_client()


class TestServed:
    def test_the_page_is_found_and_its_link_opens_it(self, client):
        location = {
            "app-url-location.pathname": "/compare",
            "app-url-location.search": "?design=toy&design=toy:requests=2",
        }
        text = json.dumps(post(client, "app-page-main", location))
        assert '"designs": ["toy", "toy:requests=2"]' in text

    def test_designs_are_answered_with_table_figures_and_captions(self, client):
        view = {"run": "toy/first", "designs": ["balanced", *THREE]}
        answer = post(client, "compare-result-panel", {"compare-designs-store.data": view})
        parts = answer["response"]
        assert "24 ms" in json.dumps(parts["compare-result-panel"])
        figure = parts["compare-made-of-graph"]["figure"]
        assert [trace["type"] for trace in figure["data"]] == ["bar", "bar"]
        assert figure["layout"]["showlegend"] is True
        assert parts["compare-gains-section"]["hidden"] is False

    def test_a_view_is_answered_with_its_link(self, client):
        view = {"run": "toy/first", "designs": ["balanced", "toy:requests=2"]}
        given = {"compare-designs-store.data": view, "compare-ablate-menu.value": "A"}
        answer = post(client, "compare-link-anchor", given)["response"]
        link = answer["compare-link-anchor"]["href"]
        assert compared.asked(link) == Asked(tuple(view["designs"]), ablate="A")

    def test_a_button_saves_and_one_that_has_just_appeared_does_not(self, client):
        assert "latency [s]" in saved(client, clicks=1)["content"]
        assert saved(client, clicks=None) == {}

    def test_a_wrong_view_is_told_without_a_trace(self, client):
        view = {"run": "toy/gone", "designs": ["balanced"]}
        answer = post(client, "compare-result-panel", {"compare-designs-store.data": view})
        told = answer["sideUpdate"]["app-message-alert"]["children"]
        assert "no run 'toy/gone'" in told
        assert "Traceback" not in json.dumps(answer)


def saved(client: FlaskClient, clicks: int | None) -> dict[str, str]:
    """What a click on 'Table as CSV' answers."""
    button = {"type": "compare-save-button", "index": "table"}
    body = {
        "output": "compare-file-download.data",
        "outputs": {"id": "compare-file-download", "property": "data"},
        "inputs": [[{"id": button, "property": "n_clicks", "value": clicks}], []],
        "state": [
            {
                "id": "compare-designs-store",
                "property": "data",
                "value": {"run": "toy/first", "designs": THREE},
            }
        ],
        "changedPropIds": ['{"index":"table","type":"compare-save-button"}.n_clicks'],
    }
    answer = client.post("/_dash-update-component", json=body)
    if answer.status_code == 204:
        return {}
    assert answer.status_code == 200
    return answer.get_json()["response"]["compare-file-download"]["data"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What `dse eval --json` prints of a design."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main(["eval", *arguments, "--json"])
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_a_third_design_is_added_in_the_browser_and_its_numbers_are_evals(
    browser,  # noqa: F811 - a fixture
    url,  # noqa: F811 - a fixture
    tmp_path,
    capsys,
):
    seen = Seen(browser)
    page = seen.page
    page.goto(f"{url}compare?design=toy&design=toy:requests=2")
    page.wait_for_selector("#compare-latency-B")
    page.get_by_label("Add by name").fill("toy:chip=t4,memory.bandwidth=20 GB/s")
    page.keyboard.press("Enter")
    page.wait_for_selector("#compare-latency-C")
    alone = printed(capsys, "toy", "--set", "chip=t4", "--set", "memory.bandwidth=20 GB/s")
    for name in ("latency", "cost", "power"):
        held = alone["metrics"][name]
        shown = page.inner_text(f"#compare-{name}-C .compare-value")
        assert shown == units.show(held["value"], held["unit"])
    assert compared.asked(page.evaluate("location.search")).names == tuple(THREE)
    page.reload()
    page.wait_for_selector("#compare-latency-C")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save design C as YAML for dse eval").click()
    path = tmp_path / "c.yaml"
    download.value.save_as(path)
    assert printed(capsys, str(path)) == alone
    page.get_by_label("Add by name").fill("toy:requests=many")
    page.keyboard.press("Enter")
    page.wait_for_selector("#compare-message-alert:not(:empty)")
    assert "requests" in page.inner_text("#compare-message-alert")
    page.get_by_role("button", name="Remove design A").press("Enter")
    page.wait_for_selector("#compare-latency-C", state="detached")
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith((url, "data:", "blob:"))] == []
    assert "Traceback" not in page.content()
    page.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_a_file_is_chosen_by_keys_and_read(browser, url):  # noqa: F811 - fixtures
    seen = Seen(browser)
    page = seen.page
    page.goto(f"{url}compare?design=toy")
    page.wait_for_selector("text=Nothing to compare yet")
    upload = {
        "name": "mine.yaml",
        "mimeType": "application/yaml",
        "buffer": b"model: toy\nset: {requests: 2}\n",
    }
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose or drop a design file").press("Enter")
    chooser.value.set_files([upload])
    page.wait_for_selector("#compare-latency-B")
    assert page.inner_text("#compare-latency-B .compare-value") == "22 ms"
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#compare-page-body input, #compare-page-body '
            + 'textarea, #compare-page-body button')]
            .filter(item => item.type !== 'file' && item.getAttribute('aria-hidden') !== 'true')
            .filter(item => !(item.labels && item.labels.length)
                && !item.getAttribute('aria-label') && !item.textContent.trim())
            .map(item => item.outerHTML)"""
    )
    assert nameless == []
    assert seen.errors == []
    page.close()
