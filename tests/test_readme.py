"""The README says what the tool says today."""

import re
from pathlib import Path

import pytest

from dse import registry, validate, verbs

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def errors(slug: str, use: str) -> str:
    """Mean and worst error of a page's rows of one use, as the README prints them."""
    for summary in validate.summaries(validate.rows(slug)):
        if summary.use == use:
            pair = f"{100 * summary.mean:.2f} %, {100 * summary.worst:.2f} %"
            return f"{pair} ({summary.rows} rows)"
    return "no published point"


def scoreboard() -> list[str]:
    """The lines that the README's table must hold."""
    return [
        f"| `{slug}` | {registry.model(slug).paper.question} "
        f"| {errors(slug, 'fit')} | {errors(slug, 'check')} |"
        for slug in registry.slugs()
    ]


def test_the_table_of_pages_shows_todays_errors() -> None:
    held = re.search(r"<!-- scoreboard.*?-->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert held is not None
    assert held[1].splitlines()[2:] == scoreboard(), "paste:\n" + "\n".join(scoreboard())


def test_it_opens_with_a_picture_and_exactly_two_commands() -> None:
    commands = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert commands == ["pip install uv && uv run dse search gpt2-platform\n", "uv run pytest\n"]
    picture = re.search(r"!\[.*?\]\((.*?)\)", README)
    assert picture is not None
    assert (Path(__file__).parent.parent / picture[1]).read_text().startswith("<?xml")


@pytest.mark.parametrize("command", re.findall(r"^\| `dse (\w+)", README, re.MULTILINE))
def test_every_verb_it_shows_exists(command: str) -> None:
    from dse.cli import app

    names = {info.name or info.callback.__name__ for info in app.registered_commands}
    assert command in names


def test_its_python_lines_run() -> None:
    assert verbs.evaluate("dfx", {"fpgas": 2, "clock": "180 MHz"})["metrics"]["latency"]["value"]
    assert len(verbs.sweep("dfx", {"fpgas": "1,2,4"})) == 3
