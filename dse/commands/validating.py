"""How good the pages are: validate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dse import agreement, scoreboard, verbs
from dse import show as shown
from dse.cross import Crossing
from dse.errors import InputError
from dse.options import AsJson, Jobs, Output, Settings
from dse.scores import Card, card
from dse.study import parse_settings
from dse.terminal import CORES, console, note, print_json, progress

app = typer.Typer()


@app.command()
def validate(
    model: Annotated[str | None, typer.Argument(help="One model; all by default.")] = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="Execute the mechanism, and hold the model against it.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Keep the scores, and with --cross the answers.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the scoreboard as Markdown, and only it.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Your measurements: knobs, metrics [unit].")
    ] = None,
    fit: Annotated[
        list[str] | None, typer.Option("--fit", help="Fit this knob on them; again for more.")
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit the model's own fitted constants on them.")
    ] = False,
    settings: Settings = None,
    skip: Annotated[
        bool, typer.Option("--skip-refused", help="Leave out rows that the model refuses.")
    ] = False,
    jobs: Jobs = CORES,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Compare published numbers, mechanisms or your measurements with what the pages predict.

    --output FOLDER gets the scoreboard as CSV, JSON and Markdown, and every row behind it.
    """
    if against is None:
        _refuse("needs --against CSV", fit=fit, refit=refit, set=settings, skip_refused=skip)
        if output is not None:
            scoreboard.refuse_held(output)
        crossed = _crossed(model, write, jobs) if cross else None
        if write:
            _keep(model)
        _show(model, crossed, output, markdown=markdown, as_json=as_json)
        return
    _refuse("does not go with --against", cross=cross, write=write, markdown=markdown)
    _refuse("does not go with --against; add --json, and > FILE", output=output)
    if fit and refit:
        raise InputError("--refit fits the model's own constants, --fit others; drop one")
    named = fit if fit else [] if refit else None
    _against(model, against, settings or [], named, skip=skip, as_json=as_json)


def _refuse(why: str, **given: object) -> None:
    """Refuse the first option that is given."""
    for name in (name for name, value in given.items() if value):
        raise InputError(f"--{name.replace('_', '-')} {why}")


def _crossed(model: str | None, keep: bool, jobs: int) -> list[Crossing]:
    with progress("runs") as tick:
        return verbs.crossings(model, keep=keep, jobs=jobs, progress=tick)


def _keep(model: str | None) -> None:
    """Write what is kept beside each page."""
    with progress("pages") as tick:
        paths = verbs.keep_scores(model, progress=tick)
    for path in paths:
        note(f"wrote {path}")


def _show(
    model: str | None,
    crossed: Sequence[Crossing] | None,
    output: Path | None,
    *,
    markdown: bool,
    as_json: bool,
) -> None:
    """The scoreboard as files or Markdown, or every row of it."""
    if output is not None or markdown:
        live = None if crossed is None else [card(found.model, found) for found in crossed]
        cards = _cards(model) if live is None else live
        if output is None:
            sys.stdout.write(scoreboard.markdown(cards))
            return
        names = ", ".join(path.name for path in scoreboard.write(cards, output))
        note(f"{names} written to {output}")
    elif crossed is not None and as_json:
        print_json([found.as_json() for found in crossed])
    elif crossed is not None:
        agreement.crossings(console(), crossed)
    elif as_json:
        print_json(verbs.validation_json(verbs.validation_rows(model)))
    else:
        shown.validation(console(), verbs.validation_rows(model), model)
        agreement.scoreboard(console(), _cards(model))


def _cards(model: str | None) -> list[Card]:
    with progress("pages") as tick:
        return verbs.scoreboard(model, progress=tick)


def _against(
    model: str | None,
    path: Path,
    settings: Sequence[str],
    fit: Sequence[str] | None,
    *,
    skip: bool,
    as_json: bool,
) -> None:
    if model is None:
        raise InputError(f"name the model: dse validate MODEL --against {path}")
    given = parse_settings(settings)
    with progress("fits") as tick:
        found = verbs.against(model, path, given, fit=fit, skip=skip, progress=tick)
    if as_json:
        print_json(found.as_json())
        return
    agreement.against(console(), found)
