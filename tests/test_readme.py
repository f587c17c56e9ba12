"""The README says what the tool says today."""

import re
from pathlib import Path

import pytest

from dse import registry, verbs
from dse.cross import Errors, Line

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def errors(found: dict[str, Errors], use: str) -> str:
    """Mean and worst error of one use, as the README prints them."""
    if use not in found:
        return ""
    kept = found[use]
    return f"{100 * kept.mean:.2f} %, {100 * kept.worst:.2f} % ({kept.rows})"


def cells(line: Line) -> list[str]:
    """Closed form to paper, closed form to mechanism, mechanism to paper."""
    executed = line.reference_published
    whole = errors(executed, "check") or errors(executed, "fit")
    return [
        errors(line.closed_published, "fit"),
        errors(line.closed_published, "check"),
        errors(line.closed_reference, "check"),
        whole,
    ]


def scoreboard() -> list[str]:
    """The lines that the README's table must hold."""
    return [
        f"| `{line.model}` | {' | '.join(cells(line))} |".replace("|  |", "| |").replace(
            "|  |", "| |"
        )
        for line in verbs.scoreboard()
    ]


def test_the_table_of_pages_shows_todays_errors() -> None:
    held = re.search(r"<!-- scoreboard.*?-->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert held is not None
    assert held[1].splitlines()[2:] == scoreboard(), "paste:\n" + "\n".join(scoreboard())


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
    from dse.cli import app

    names = {info.name or info.callback.__name__ for info in app.registered_commands}
    assert command in names


def test_its_python_lines_run() -> None:
    assert verbs.evaluate("dfx", {"fpgas": 2, "clock": "180 MHz"})["metrics"]["latency"]["value"]
    assert len(verbs.sweep("dfx", {"fpgas": "1,2,4"})) == 3
