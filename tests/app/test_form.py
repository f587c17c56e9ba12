"""The form that asks for a search: what it asks for, and what it refuses in words."""

import base64

import pytest

from app import form
from app.form import OWN, Form
from dse import documents
from dse.errors import InputError
from dse.prices import laid_over
from dse.registry import overlay
from dse.study import load

from .test_front import text_of
from .test_runs import DOCUMENT

TEXT = documents.dump(DOCUMENT)


def own(text: str = TEXT, **changes: str) -> Form:
    return Form(**{"study": OWN, "name": "Batches.yaml", "text": text, **changes})


def data(content: bytes) -> str:
    return "data:application/x-yaml;base64," + base64.b64encode(content).decode()


def test_an_empty_form_asks_for_the_study_as_it_is() -> None:
    assert form.asked(Form(study="gpt2-serving")).document == load("gpt2-serving").document


def test_what_is_filled_in_lies_over_the_study() -> None:
    filled = Form(
        study="gpt2-serving",
        method="random",
        budget="2,000",
        seed=" 7 ",
        settings="serve.replicas=2\n\n serve.target = gpu \n",
    )
    same = load(
        "gpt2-serving",
        settings={"serve.replicas": 2, "serve.target": "gpu"},
        search={"method": "random", "budget": 2000, "seed": 7},
    )
    assert form.asked(filled).document == same.document


def test_a_pasted_study_is_named_as_a_folder_may_be() -> None:
    assert form.asked(own()).slug == "batches"
    assert form.asked(own(name="../../etc/Passwd")).slug == "etc-passwd"
    assert form.asked(own(name="")).slug == "pasted"


def test_the_prices_of_the_run_that_a_server_opened_have_no_say_in_a_new_study() -> None:
    prices = {"date": "2026-12-01", "prices": {"t4": {"value": 12345, "unit": "USD"}}}
    with laid_over(overlay(prices)):
        study = form.asked(Form(study="gpt2-serving"))
    assert "prices" not in study.document


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        (Form(study="gpt2-servin"), "unknown study 'gpt2-servin'; did you mean gpt2-serving"),
        (Form(study="/etc/hosts.yaml"), "unknown study '/etc/hosts.yaml'"),
        (Form(study="gpt2-serving", budget="few"), "'--budget' .* got 'few'"),
        (Form(study="gpt2-serving", seed="-1"), "'--seed' .* got '-1'"),
        (Form(study="gpt2-serving", method="luck"), "'--method' .* got 'luck'"),
        (
            Form(study="gpt2-serving", settings="replicas"),
            "setting 'replicas' must read key=value",
        ),
        (Form(study="gpt2-serving", settings="serve.replica=2"), "unknown knob 'serve.replica'"),
        (own(""), "batches.yaml: there is no text; upload a YAML file or paste it"),
        (own("question: [a"), r"batches.yaml:\d: not readable as YAML"),
        (own("- a\n- b"), "batches.yaml: must hold 'key: value' lines"),
        (own("x" * (documents.LARGEST + 1)), "batches.yaml: larger than"),
        (own(TEXT.replace("latency", "latenzy")), "batches.yaml: objectives: .* did you mean"),
        (own(TEXT + "extra: 1\n"), "batches.yaml: 'extra' is not known here"),
        (own(TEXT.replace("batch:", "bach:")), "batches.yaml: .*'bach'.* did you mean batch"),
    ],
)
def test_what_does_not_fit_is_one_line_with_the_place(filled: Form, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        form.asked(filled)
    assert "\n" not in str(caught.value)


def test_a_link_fills_the_form_again() -> None:
    filled = Form("gpt2-serving", method="random", budget="9", seed="1", settings="a=b & c\nd=3 W")
    assert form.read(form.query(filled, run="a/b")) == (filled, [])
    assert "run=a/b" in form.query(filled, run="a/b")


def test_a_link_holds_no_text_of_a_study_of_ones_own() -> None:
    assert form.query(own()) == "?study=own&name=Batches.yaml"


def test_a_form_begins_with_the_study_of_the_run_that_is_watched() -> None:
    assert form.read("?run=gpt2-serving/1", "gpt2-serving")[0].study == "gpt2-serving"
    assert form.read("?run=mine/1", "mine")[0].study in form.studies()


def test_what_a_link_misspells_is_left_out_and_said() -> None:
    filled, problems = form.read("?study=gpt2-servin&method=luck&budget=9")
    assert filled.study in form.studies()
    assert (filled.method, filled.budget) == ("", "9")
    assert "unknown study 'gpt2-servin'; did you mean gpt2-serving" in problems[0]
    assert "unknown method 'luck'" in problems[1]


def test_an_uploaded_file_is_its_text() -> None:
    assert form.uploaded(data(TEXT.encode()), "a.yaml") == TEXT


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (data(b"\xff\xfe\x00"), "a.png: not UTF-8 text"),
        ("data:,%%%", "a.png: not UTF-8 text"),
        (data(b"x" * 2 * documents.LARGEST), "a.png: larger than"),
    ],
)
def test_an_upload_that_is_no_study_is_refused_in_words(contents: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        form.uploaded(contents, "a.png")


def test_what_a_search_would_do_is_said_before_it_starts() -> None:
    told = form.told(form.asked(own()))
    assert "400 designs by random, seed 3, for latency, tokens_per_second" in told


def test_every_method_is_offered_with_its_words_and_every_control_has_a_label() -> None:
    text = text_of(form.panel(Form(study="gpt2-serving")))
    assert "Budget" in text
    assert set(form.METHODS) == {option["value"] for option in form._methods()}
