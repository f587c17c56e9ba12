"""What the Design page saves evaluates to what it shows."""

import base64
import csv
import io
import json

import pytest
from typer.testing import CliRunner

from app import design, design_files
from app.context import Context
from dse import registry
from dse.cli import app as commands
from dse.errors import InputError

from .test_design import DEFAULTS


@pytest.mark.parametrize("slug", registry.slugs())
def test_a_saved_design_evaluates_to_the_same_numbers(slug, tmp_path):
    page = registry.model(slug)
    settings = design.flatten(registry.starting_point(page))
    file = design_files.design_yaml(page, settings)
    path = tmp_path / file["filename"]
    path.write_text(file["content"])
    came = CliRunner().invoke(commands, ["eval", str(path), "--json"])
    printed = {k: v["value"] for k, v in json.loads(came.stdout)["metrics"].items()}
    answer = design.price(page, settings).answer["metrics"]
    shown = {
        k: "infinite" if v["value"] == float("inf") else v["value"] for k, v in answer.items()
    }
    assert printed == shown
    assert design.of_file(file["content"], "own.yaml") == (page, settings)


def test_numbers_are_saved_in_si_with_intervals_and_what_they_rest_on():
    page = registry.model("dfx")
    settings = design.flatten(registry.starting_point(page))
    rows = list(csv.DictReader(io.StringIO(design_files.numbers_csv(page, settings)["content"])))
    answer = design.price(page, settings).answer["metrics"]
    assert [row["metric"] for row in rows] == list(answer)
    (latency,) = (row for row in rows if row["metric"] == "latency")
    held = answer["latency"]
    assert [float(latency[end]) for end in ("value", "low", "high")] == [
        held[end] for end in ("value", "low", "high")
    ]
    assert (latency["unit"], latency["known from"]) == ("s", held["tier"])
    assert latency["basis"] == held["basis"]


@pytest.mark.parametrize(("kind", "asked"), [("terms", ""), ("levers", "latency")])
def test_figures_are_saved_as_svg(toy, kind, asked):
    file = design_files.figure_svg(toy, DEFAULTS, kind, asked)
    assert file["filename"] == f"toy-{kind}.svg"
    assert file["content"].lstrip().startswith("<?xml")


def test_what_a_design_does_not_have_is_not_saved(toy):
    with pytest.raises(InputError, match="there is no figure to save"):
        design_files.figure_svg(toy, DEFAULTS, "roof", "")
    with pytest.raises(InputError, match="`requests < 32` must hold"):
        design_files.numbers_csv(toy, {**DEFAULTS, "requests": 32.0})


def test_the_report_of_a_run_is_saved_where_it_was_written(context, run):
    with pytest.raises(InputError, match="this run has no report"):
        design_files.report_pdf(context)
    (run.path / "report.pdf").write_bytes(b"%PDF-1.7")
    file = design_files.report_pdf(context)
    assert base64.b64decode(file["content"]) == b"%PDF-1.7"
    assert file["filename"] == "toy-first.pdf"
    with pytest.raises(InputError, match="this run has no report"):
        design_files.report_pdf(Context())


def sent(content: bytes) -> str:
    return f"data:text/yaml;base64,{base64.b64encode(content).decode()}"


def test_an_uploaded_file_is_text():
    assert design_files.uploaded(sent(b"model: toy"), "own.yaml") == "model: toy"


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (sent(b"\xff\xfe"), "own.yaml: not UTF-8 text; give a YAML file"),
        ("data:;base64,?", "own.yaml: not UTF-8 text"),
        (sent(b"#" * 70_000), "own.yaml: longer than 65,536 characters"),
    ],
)
def test_an_uploaded_file_that_is_no_design_is_refused(contents, words):
    with pytest.raises(InputError, match=words):
        design_files.uploaded(contents, "own.yaml")
