"""The README says what the tool says today."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from dse import registry, scoreboard, verbs
from dse.cli import app
from tests import todays

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_scoreboard_is_todays() -> None:
    held = re.search(r"<!-- scoreboard.*?-->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert held is not None
    today = scoreboard.markdown(list(todays.cards().values()))
    assert held[1] == today, f"paste what 'dse validate --markdown' prints:\n{today}"


def test_every_page_is_named_with_its_question() -> None:
    for slug in registry.slugs():
        assert f"| `{slug}` | {registry.model(slug).paper.question} |" in README


def test_it_opens_with_a_picture_and_exactly_two_commands() -> None:
    commands = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert commands == ["pip install uv && uv run dse search gpt2-platform\n", "uv run pytest\n"]
    picture = re.search(r"!\[.*?\]\((.*?)\)", README)
    assert picture is not None
    assert (Path(__file__).parent.parent / picture[1]).read_text().startswith("<?xml")


@pytest.mark.parametrize("command", re.findall(r"^\| `dse (\w+)", README, re.MULTILINE))
def test_every_verb_it_shows_exists(command: str) -> None:
    assert command in get_command(app).commands


def test_its_python_lines_run() -> None:
    assert verbs.evaluate("dfx", {"fpgas": 2, "clock": "180 MHz"})["metrics"]["latency"]["value"]
    assert len(verbs.sweep("dfx", {"fpgas": "1,2,4"})) == 3
