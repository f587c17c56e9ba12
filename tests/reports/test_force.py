"""A file that stands is kept: without --force, when a build fails, and when it is killed."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dse import cli
from dse.errors import InputError
from reports import document, paper, printing
from tests.reports import made
from tests.reports.conftest import Searched

TINY = printing.content(kind="k", title="t", subtitle="s", date="d", parts=[])
PRINTED = printing.pdf(TINY)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report of one page is short, as only its file counts here."""
    real = paper.describe

    def describe(slug: str, *, date: str) -> dict[str, Any]:
        return TINY if slug == "dfx" else real(slug, date=date)

    monkeypatch.setattr(paper, "describe", describe)


def write(path: Path | None = None, **asked: Any) -> Path:
    return document.write("dfx", date=made.DATE, path=path, **asked)


@pytest.mark.parametrize("name", ["held.pdf", "held.html"])
def test_a_file_that_exists_is_not_overwritten(name: str, tmp_path: Path):
    held = tmp_path / name
    held.write_text("mine")
    with pytest.raises(InputError, match=r"exists; add --force, or choose another --output"):
        write(held)
    assert held.read_text() == "mine"
    assert write(held, force=True) == held
    assert held.read_bytes()[:5] in (b"%PDF-", b"<!doc")


def test_a_run_refuses_a_held_output_and_replaces_its_own_report(
    searched: Searched, tmp_path: Path
):
    run, held = searched(), tmp_path / "held.pdf"
    held.write_text("mine")
    with pytest.raises(InputError, match="add --force"):
        document.write(run, date=made.DATE, path=held)
    first = document.write(run, date=made.DATE).read_bytes()
    assert document.write(run, date="2027-01-01").read_bytes() != first


def test_the_refusal_comes_before_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(paper, "describe", lambda *_, **__: pytest.fail("work was begun"))
    held = tmp_path / "held.pdf"
    held.touch()
    with pytest.raises(InputError, match="exists"):
        write(held)


def test_a_folder_is_refused_even_by_force(tmp_path: Path):
    with pytest.raises(InputError, match="must be a file"):
        write(tmp_path, force=True)


def test_a_page_goes_to_a_place_of_its_own_and_is_replaced_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    assert write() == Path("out/reports/dfx.pdf")
    assert write().read_bytes() == PRINTED
    assert write(form="html") == Path("out/reports/dfx.html")


@pytest.mark.parametrize(
    ("name", "form", "begins"),
    [
        ("a.pdf", "", b"%PDF"),
        ("a.HTML", "", b"<!doctype"),
        ("a", "", b"%PDF"),
        ("a", "html", b"<!doctype"),
    ],
)
def test_the_suffix_says_what_is_printed(name: str, form: str, begins: bytes, tmp_path: Path):
    assert write(tmp_path / name, form=form).read_bytes().startswith(begins)


def test_a_suffix_that_contradicts_the_format_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"must end in \.html, as --format says"):
        write(tmp_path / "a.pdf", form="html")
    assert not list(tmp_path.iterdir())


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(InputError, match="pdf"):
        write(form="docx")


def test_an_unknown_page_names_the_closest_one():
    with pytest.raises(InputError, match="dfx"):
        document.write("dfy", date=made.DATE)


REFUSED = {
    "nothing named": ([], "name one of them"),
    "two named": (["out/x", "--paper", "dfx"], "name one of them"),
    "all named": (["--paper", "dfx", "--validation"], "name one of them"),
    "unknown run": (["no-such-run"], "no-such-run"),
    "unknown page": (["--paper", "dfy"], "dfx"),
    "unknown format": (["--paper", "dfx", "--format", "docx"], "docx"),
    "held output": (["--paper", "dfx", "--output", "held.pdf"], "--force"),
    "folder that is not there": (["--paper", "dfx", "-o", "no/such/a.pdf"], "--output"),
}


@pytest.mark.parametrize(("arguments", "named"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_one_line_that_names_the_way_out(
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    Path("held.pdf").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", *arguments])
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert named in said.err
    assert [path.name for path in tmp_path.rglob("*")] == ["held.pdf"]


def test_the_command_says_where_the_report_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", "--paper", "dfx", "--format", "html", "--date", made.DATE])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "report: out/reports/dfx.html\n"
    assert Path("out/reports/dfx.html").read_text(encoding="utf-8") == printing.html(TINY).decode()


KILLED = """
import os, signal, sys
from pathlib import Path
from reports import document
document._described = lambda *_: {}
document.pdf = lambda described: b"%PDF"
step = sys.argv[2]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if step == "print":
    document.pdf = die
if step == "replace":
    Path.replace = die
document.write("dfx", date="d", path=Path(sys.argv[1]), force=True)
"""


@pytest.mark.parametrize("step", ["print", "replace"])
@pytest.mark.parametrize("held", [True, False])
def test_a_killed_build_leaves_no_broken_file(step: str, held: bool, tmp_path: Path):
    target = tmp_path / "report.pdf"
    if held:
        target.write_text("whole")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target), step], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.exists() == held
    assert not held or target.read_text() == "whole"
    assert write(target, force=True).read_bytes() == PRINTED
