"""Curves of a page follow sliders, menus and the link; an unmoved slider sets nothing new."""

from urllib.parse import parse_qsl

import pytest

from app import design, paper_curves, papers
from app.context import Context
from dse import registry
from dse.curves import Timeline, declared
from dse.spec import knobs

from .test_front import text_of

DFX = registry.model("dfx")


def placed(page, curve, asked) -> dict[str, object]:
    """Where the controls of a curve stand at first."""
    found = paper_curves.controls(page, None)
    start = paper_curves.start_of(page, curve, asked)
    return {k: v if found[k].choices else found[k].position(v) for k, v in start.items()}


@pytest.mark.parametrize("slug", registry.slugs())
def test_a_page_shows_every_curve_with_its_sliders(slug: str):
    page = registry.model(slug)
    shown = text_of(papers.layout(Context(), f"?model={slug}"))
    for curve in declared(slug):
        assert curve.title in shown
        for path in curve.sliders:
            assert paper_curves.words(path) in shown
    assert page.paper.question in shown


@pytest.mark.parametrize("slug", registry.slugs())
def test_unmoved_sliders_leave_the_defaults_exact(slug: str):
    page = registry.model(slug)
    for curve in declared(slug):
        settings = paper_curves.settings_of(page, curve, {}, placed(page, curve, {}))
        assert settings == paper_curves.start_of(page, curve, {})
        charts = paper_curves.charts(page, curve, settings)
        assert len(charts) == len(paper_curves.graphs(page, curve))


def test_a_slider_moves_the_curve():
    (curve,) = declared("dfx")
    still = placed(DFX, curve, {})
    before = paper_curves.charts(DFX, curve, paper_curves.settings_of(DFX, curve, {}, still))
    moved = {**still, "clock": 0}
    settings = paper_curves.settings_of(DFX, curve, {}, moved)
    assert settings["clock"] == 100e6
    after = paper_curves.charts(DFX, curve, settings)
    assert (after[0].frame["token_time"] > before[0].frame["token_time"]).all()


def test_a_link_sets_the_sliders_and_what_no_slider_moves():
    (curve,) = declared("dfx")
    asked = {"clock": 250e6, "stream_efficiency": 0.3}
    settings = paper_curves.settings_of(DFX, curve, asked, placed(DFX, curve, asked))
    assert settings["clock"] == 250e6
    assert settings["stream_efficiency"] == 0.3


def parts_of(page, number: int, places) -> list:
    kinds = {True: "menu", False: "range"}
    found = paper_curves.controls(page, None)
    return [
        (paper_curves.part(kinds[bool(found[k].choices)], number, k), v) for k, v in places.items()
    ]


def test_the_link_holds_what_was_moved_and_reads_back():
    duet = registry.model("duet")
    timeline, policies = declared("duet")
    assert isinstance(timeline, Timeline)
    first, second = placed(duet, timeline, {}), placed(duet, policies, {})
    unmoved = [*parts_of(duet, 0, first), *parts_of(duet, 1, second)]
    assert paper_curves.link(duet, {}, unmoved) == "/papers?model=duet"
    moved = [
        *parts_of(duet, 0, {**first, "graph": "siamese", "batch": 100}),
        *parts_of(duet, 1, second),
    ]
    link = paper_curves.link(duet, {}, moved)
    assert dict(parse_qsl(link.partition("?")[2]))["graph"] == "siamese"
    read = design.read(link.partition("?")[2], default="duet")
    asked = paper_curves.moved_by(duet, read.settings)
    found = paper_curves.settings_of(duet, timeline, asked, placed(duet, timeline, asked))
    assert found["graph"] == "siamese"
    assert found["batch"] == paper_curves.controls(duet, None)["batch"].value(100)


def test_a_malformed_link_is_answered_in_words():
    shown = text_of(papers.layout(Context(), "?model=dfx&clok=1&clock=apples"))
    assert "unknown knob 'clok'" in shown
    assert "clock: 'apples' is not" in shown
    assert "Time and energy of a token" in shown


def test_a_timeline_of_a_refused_design_is_empty_and_says_the_rule():
    duet = registry.model("duet")
    settings = {"graph": "mt_dnn", "sequence": 600.0}
    (chart,) = paper_curves.charts(duet, declared("duet")[0], settings)
    assert len(chart.frame) == 0
    assert chart.caption.startswith("Nothing runs: `sequence <= context")


def test_every_graph_has_a_name_of_its_own():
    page = registry.model("dnd")
    names = [paper_curves.graphs(page, curve) for curve in declared("dnd")]
    assert names == [("stack",), ("recovery_time",)]
    assert knobs(page.config)["workload"].catalog is not None
