"""The Explore page: its layout for a URL, moved bounds, and many clients at once."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from app import explore, front, server, sliders
from app.columns import Opened
from app.context import Context
from app.front import Axes
from dse import store
from dse.density_chart import Density
from dse.errors import InputError
from dse.search import search
from dse.store import create
from dse.study import build

from . import toy as toys
from .test_controls import walk
from .test_front import text_of
from .test_server import listening

MANY = {
    "question": "How do a million designs look?",
    "model": "dfx",
    "space": {
        "fpgas": [1, 2, 4, 8],
        "lanes": {"low": 4, "high": 64},
        "depth": {"low": 16, "high": 256},
        "clock": {"low": "100 MHz", "high": "300 MHz"},
    },
    "objectives": ["latency", "energy_per_token", "cost"],
    "constraints": ["latency <= 1 s"],
    "search": {"method": "random", "budget": 10**6, "seed": 0},
}


def parts(component) -> dict:
    return {p.id: p for p in walk(component) if isinstance(getattr(p, "id", None), str)}


def kept(page) -> dict:
    found = parts(page)
    return {kind: found[explore.store(kind)].data for kind in explore.STORES}


def test_a_run_opens_at_its_studys_bounds_with_nothing_selected(context):
    assert kept(explore.layout(context, "")) == {
        "run": "toy/first",
        "limits": {"latency<=": 0.06, "cost<=": None},
        "selection": {},
        "pins": [],
    }


def test_a_link_sets_the_view_that_the_page_opens_with(context):
    page = explore.layout(context, "?x=cost&colour=power&bound=latency<=20 ms&rows=3&pin=1,2")
    state, found = kept(page), parts(page)
    assert state["limits"]["latency<="] == 0.02
    assert (state["selection"]["rows"], state["pins"]) == ([3], [1, 2])
    axes = [found[menu].value for menu in explore.MENUS]
    assert axes == ["cost", "cost", "power"]


def test_what_a_link_gets_wrong_is_said_on_the_page(context):
    page = explore.layout(context, "?x=latencie&bound=cost")
    said = text_of(parts(page)["explore-link-alert"])
    assert "unknown column 'latencie'; did you mean latency?" in said
    assert "'cost' must read like latency<=50 ms" in said


def test_without_a_run_the_page_says_what_to_do(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROOT", tmp_path)
    text = text_of(explore.layout(Context(), ""))
    assert "No run is open" in text
    assert "dse search STUDY" in text
    assert "Search page" in text


def test_without_a_run_those_of_the_folder_are_offered(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROOT", tmp_path)
    question = toys.study()
    search(question, create(question, output=tmp_path / "toy" / "second"))
    (listed,) = [
        p
        for p in walk(explore.layout(Context(), ""))
        if getattr(p, "id", "") == "explore-runs-list"
    ]
    assert [item.children.href for item in listed.children] == ["/?run=toy/second"]
    assert "How fast is the toy" in text_of(explore.layout(Context(), "?run=toy/second"))


def test_a_run_that_is_not_there_is_refused(context):
    with pytest.raises(InputError, match="no run 'toy/third'"):
        explore.layout(context, "?run=toy/third")


def test_a_run_that_cannot_be_read_is_told_in_words(toy, tmp_path):
    broken = create(toys.study(), output=tmp_path / "toy" / "broken")
    text = text_of(explore.layout(Context(broken), ""))
    assert "the run holds no designs yet; resume its search" in text


def test_a_link_to_one_design_leads_to_its_own_page(context):
    page = parts(explore.layout(context, "?model=toy&requests=3"))
    assert page["explore-moved-store"].data == "/design?model=toy&requests=3"


def test_every_id_names_page_thing_and_kind(context):
    ids = [i for i in parts(explore.layout(context, "?pin=3")) if i]
    assert ids
    assert all(len(i.split("-")) >= 3 and i.startswith("explore-") for i in ids)


def test_a_moved_slider_and_a_typed_limit_change_one_bound(context):
    opened = context.opened()
    limits = sliders.starting(sliders.bounds(opened))
    typed = {"type": "explore-bound-text", "index": "latency<="}
    assert explore.moved(opened, limits, typed, "20 ms") == ({**limits, "latency<=": 0.02}, "")
    slid = {"type": "explore-bound-range", "index": "cost<="}
    after, message = explore.moved(opened, limits, slid, "0")
    assert (after["cost<="], message) == (opened.column("cost").min(), "")
    assert explore.moved(opened, after, "explore-bounds-button", 1) == (limits, "")


def test_a_mistyped_limit_changes_nothing_and_is_told(context):
    opened = context.opened()
    limits = sliders.starting(sliders.bounds(opened))
    typed = {"type": "explore-bound-text", "index": "latency<="}
    after, message = explore.moved(opened, limits, typed, "20 apples")
    assert after == limits
    assert message.startswith("Latency at most: '20 apples'")


def asked(url: str, latency: float) -> dict:
    """What the server answers a browser whose slider stands at a limit."""
    ids = [{"index": key, "type": "explore-bound-effect"} for key in ("latency<=", "cost<=")]
    effect = '{"index":["ALL"],"type":"explore-bound-effect"}.children'
    limits = {"latency<=": latency, "cost<=": None}
    body = {
        "output": f"..explore-remaining-status.children...{effect}..",
        "outputs": [
            {"id": "explore-remaining-status", "property": "children"},
            [{"id": i, "property": "children"} for i in ids],
        ],
        "inputs": [{"id": "explore-limits-store", "property": "data", "value": limits}],
        "state": [{"id": "explore-run-store", "property": "data", "value": "toy/first"}],
        "changedPropIds": ["explore-limits-store.data"],
    }
    request = urllib.request.Request(
        f"{url}_dash-update-component",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["response"]


def test_twenty_clients_at_once_get_the_counts_of_pandas(run):
    stored = pd.read_parquet(run.path / "designs.parquet")
    limits = [0.003 + 0.0031 * client for client in range(20)]
    with listening(server.create(run)) as url, ThreadPoolExecutor(20) as clients:
        for _ in range(3):
            answers = list(clients.map(lambda limit: asked(url, limit), limits))
            for limit, answer in zip(limits, answers, strict=True):
                count = int((stored["feasible"] & (stored["latency"] <= limit)).sum())
                said = answer["explore-remaining-status"]["children"][0]["props"]["children"]
                assert said.startswith(f"{count} of 144 designs that can run remain")


@pytest.fixture(scope="module")
def million(tmp_path_factory) -> Opened:
    folder: Path = tmp_path_factory.mktemp("many") / "many" / "run"
    question = build("many", MANY, place="many.yaml")
    return Opened(search(question, create(question, output=folder), jobs=2).run)


def test_a_million_designs_are_counted_as_pandas_does(million):
    stored = pd.read_parquet(
        million.run.path / "designs.parquet", columns=["feasible", "latency", "cost"]
    )
    limits = {**sliders.starting(sliders.bounds(million)), "latency<=": 1.7, "cost<=": 2e4}
    inside = (stored["latency"] <= 1.7) & (stored["cost"] <= 2e4)
    wanted = stored["feasible"] & inside
    assert million.count == 10**6
    assert sliders.judged(million, limits).count == wanted.sum() > 1000


def test_a_million_designs_are_drawn_as_a_density_that_holds_them_all(million):
    limits = dict.fromkeys(sliders.bounds(million))
    found = front.drawn(million, Axes("latency", "energy_per_token"), limits)
    assert isinstance(found, Density)
    assert found.counts.sum() == million.base.sum() > front.DRAWN
    figure, _ = front.scatter(
        million, Axes("latency", "energy_per_token", "clock"), limits, dark=True
    )
    assert len(figure.to_json()) < 4e6


def test_a_million_designs_open_as_a_page(million):
    page = explore.layout(Context(million.run), "")
    assert "1,000,000 designs priced" in text_of(page)
