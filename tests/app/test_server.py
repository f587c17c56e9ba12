"""The server: on loopback only, every request answered, mistakes in words."""

import json
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from dash import Dash, html
from flask.testing import FlaskClient
from waitress import wasyncore

from app import explore, papers, server, validation
from app.context import Context
from app.page import Page
from dse import registry, verbs
from dse.errors import InputError
from dse.store import Run

from .test_front import text_of


@pytest.fixture
def client(run: Run) -> FlaskClient:
    return server.create(run).server.test_client()


def post(client: FlaskClient, output: str, inputs: dict) -> dict:
    """What the browser would send for the callback that writes `output`, and its answer."""
    listed = client.get("/_dash-dependencies").get_json()
    spec = next(entry for entry in listed if output in entry["output"])
    ids = [part.rpartition(".") for part in spec["output"].strip(".").split("...")]
    outputs = [{"id": head, "property": tail} for head, _, tail in ids]
    body = {
        "output": spec["output"],
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "inputs": [
            {**i, "value": inputs.get(f"{i['id']}.{i['property']}")} for i in spec["inputs"]
        ],
        "state": [
            {**i, "value": inputs.get(f"{i['id']}.{i['property']}")} for i in spec.get("state", [])
        ],
        "changedPropIds": [f"{i['id']}.{i['property']}" for i in spec["inputs"]],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    return answer.get_json()


def test_pages_are_found_in_order_without_being_named():
    found = server.pages()
    assert [page.order for page in found] == sorted(page.order for page in found)
    assert found[0] == explore.PAGE
    assert found.index(papers.PAGE) < found.index(validation.PAGE)


def test_the_first_request_answers_with_nothing_from_elsewhere(client: FlaskClient):
    html_text = client.get("/").get_data(as_text=True)
    assert "dse explorer" in html_text
    assert "explorer.css" in html_text
    assert "//cdn" not in html_text
    assert 'src="http' not in html_text
    assert 'href="http' not in html_text


def test_every_asset_is_served_and_names_no_other_machine(client: FlaskClient):
    files = sorted(server.ASSETS.iterdir())
    assert {path.suffix for path in files} == {".css", ".js"}
    for path in files:
        with client.get(f"/assets/{path.name}") as answer:
            assert answer.status_code == 200
        assert "http" not in path.read_text(encoding="utf-8")


def view(**changes: object) -> dict[str, object]:
    """What the browser keeps of the Explore page as it opens."""
    stores = {
        "explore-run-store.data": "toy/first",
        "explore-limits-store.data": {"latency<=": 0.06, "cost<=": None},
        "explore-selection-store.data": {},
        "explore-pins-store.data": [],
    }
    menus = {"explore-x-menu.value": "latency", "explore-y-menu.value": "cost"}
    return {**stores, **menus, **changes}


def test_a_url_is_answered_with_the_page_it_names(client: FlaskClient):
    location = {"app-url-location.pathname": "/", "app-url-location.search": "?pin=3"}
    text = json.dumps(post(client, "app-page-main", location))
    assert "How fast is the toy" in text
    assert '"data": [3]' in text


def test_a_view_is_answered_with_the_link_that_reproduces_it(client: FlaskClient):
    moved = view(**{"explore-limits-store.data": {"latency<=": 0.02, "cost<=": None}})
    answer = post(client, "explore-link-anchor", moved)["response"]
    assert answer["explore-link-anchor"]["href"] == "?run=toy/first&bound=latency<=0.02"


def test_axes_are_answered_with_a_figure_and_its_caption(client: FlaskClient):
    answer = post(client, "explore-front-graph.figure", view())["response"]
    assert answer["explore-front-graph"]["figure"]["data"][0]["type"] == "scattergl"
    assert answer["explore-front-caption"]["children"].startswith("Predictions")


def test_a_wrong_request_is_told_on_the_page_without_a_trace(client: FlaskClient):
    lost = view(**{"explore-run-store.data": "toy/tai"})
    answer = post(client, "explore-link-anchor", lost)
    told = answer["sideUpdate"]["app-message-alert"]["children"]
    assert told.startswith("no run 'toy/tai'")


def test_a_defect_is_told_by_its_name_alone(client: FlaskClient, caplog):
    broken = view(**{"explore-pins-store.data": 3})
    answer = post(client, "explore-link-anchor", broken)
    told = answer["sideUpdate"]["app-message-alert"]["children"]
    assert told == "The explorer failed here (TypeError); the terminal has the details."
    assert "Traceback" not in json.dumps(answer)
    assert "a callback failed" in caplog.text


def test_a_path_without_a_page_lists_the_pages(context: Context):
    text = text_of(server.route(server.pages(), context, "/tai", ""))
    assert "There is no page at /tai" in text
    assert "Explore" in text


def test_a_layout_that_is_refused_says_why(context: Context):
    def refuse(_: Context, search: str) -> html.Div:
        raise InputError(f"cannot show {search}")

    page = Page(order=1, path="/", title="No", layout=refuse, register=explore.register)
    assert "cannot show ?a=b" in text_of(server.route((page,), context, "/", "?a=b"))


def test_two_servers_share_nothing(run: Run, toy):
    one, other = (server.create(opened).server.test_client() for opened in (run, None))
    assert post(one, "explore-front-graph.figure", view())["response"]
    told = post(other, "explore-front-graph.figure", view())["sideUpdate"]
    assert "no run 'toy/first'" in json.dumps(told)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "example.org"])
def test_a_host_that_others_reach_is_refused_unless_asked_for(toy, host):
    with pytest.raises(InputError, match=f"`host` must be one of .* got '{host}'.* no password"):
        server.serve(None, host=host, port=0)


def test_a_taken_port_is_refused_with_the_way_out(toy):
    app = server.create(None)
    first = server.bind(app, port=0)
    try:
        with pytest.raises(InputError, match="choose another --port"):
            server.bind(app, port=int(first.effective_port))
    finally:
        release(first)


def release(bound) -> None:
    """Close what a waitress server that was never run, or runs no more, still holds open."""
    bound.task_dispatcher.shutdown()
    for channel in list(bound.active_channels.values()):
        channel.handle_close()  # its buffers may be files
    wasyncore.close_all(bound._map)


@contextmanager
def listening(app: Dash):
    """The address of an explorer that answers on a free port until the block ends."""
    bound, ended = server.bind(app, port=0), threading.Event()

    def answer() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.1, map=bound._map, count=1)
        release(bound)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.effective_port}/"
    finally:
        ended.set()
        thread.join()


def test_the_explorer_answers_on_loopback(run: Run):
    with listening(server.create(run)) as url, urllib.request.urlopen(url) as answer:
        assert b"dse explorer" in answer.read()


def test_serving_tells_the_address_once_it_listens(toy, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    opened: list[str] = []
    bound: list = []
    bind = server.bind

    def keep(*given, **named):
        bound.append(bind(*given, **named))
        monkeypatch.setattr(bound[0], "run", lambda: None)
        return bound[0]

    monkeypatch.setattr(server, "bind", keep)
    monkeypatch.setattr(server.webbrowser, "open", opened.append)
    server.serve(None, port=0, open_browser=True, on_ready=told.append)
    release(bound[0])
    assert told == opened == [f"http://127.0.0.1:{bound[0].effective_port}/"]


def test_the_default_announcement_names_the_address(capsys):
    server.announce("http://127.0.0.1:8050/")
    assert capsys.readouterr().out == "dse explorer: http://127.0.0.1:8050/ (Ctrl+C ends it)\n"


def test_importing_the_app_reads_no_file_and_keeps_no_state():
    assert not any(isinstance(v, Context | Dash | Run) for v in vars(explore).values())
    assert Path(server.ASSETS).is_dir()


def test_a_run_searched_at_own_prices_is_explored_at_them(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("date: 2026-12-01\nprices:\n  t4: {value: 12345, unit: USD}\n")
    ended = verbs.search("gpt2-serving", budget=64, prices=own, output=tmp_path / "run")
    served = server.create(ended.run).server
    served.add_url_rule("/price", view_func=lambda: str(registry.catalog("gpus")["t4"]["price"]))
    assert served.test_client().get("/price").text == "12345.0"
    assert registry.catalog("gpus")["t4"]["price"] == 2000.0
