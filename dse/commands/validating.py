"""How good the pages are: validate."""

from __future__ import annotations

from typing import Annotated

import typer

from dse import agreement, verbs
from dse import show as shown
from dse.errors import InputError
from dse.options import AsJson, Jobs
from dse.terminal import CORES, console, print_json, progress

app = typer.Typer()


@app.command()
def validate(
    model: Annotated[str | None, typer.Argument(help="One model; all by default.")] = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="Execute the mechanism, and hold the model against it.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="With --cross: keep the answers for the scoreboard.")
    ] = False,
    jobs: Jobs = CORES,
    as_json: AsJson = False,
) -> None:
    """Compare published numbers with what the pages predict, fit and check apart."""
    if write and not cross:
        raise InputError("--write keeps what was executed; add --cross")
    if cross:
        _validate_cross(model, write, jobs, as_json)
        return
    rows = verbs.validation_rows(model)
    if as_json:
        print_json(verbs.validation_json(rows))
        return
    shown.validation(console(), rows, model)
    agreement.scoreboard(console(), verbs.scoreboard(model))


def _validate_cross(model: str | None, write: bool, jobs: int, as_json: bool) -> None:
    with progress("runs") as tick:
        found = verbs.crossings(model, keep=write, jobs=jobs, progress=tick)
    if as_json:
        print_json([crossing.as_json() for crossing in found])
        return
    agreement.crossings(console(), found)
