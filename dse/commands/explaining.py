"""The command that says why one design and not another: why."""

from __future__ import annotations

from typing import Annotated

import typer

from dse import reasons, verbs
from dse.options import DESIGN, AsJson, Jobs, Prices, Settings
from dse.study import parse_settings
from dse.terminal import CORES, console, print_json, progress

app = typer.Typer()


@app.command()
def why(
    model: Annotated[str, typer.Argument(metavar="DESIGN", help=DESIGN)],
    study: Annotated[
        str, typer.Option(help="A study, which is searched, or a run; a RUN:NAME's own if left.")
    ] = "",
    settings: Settings = None,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Most designs that a study is searched for.")
    ] = None,
    jobs: Jobs = CORES,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Say why a design and not another: what it misses, what frees it, what dominates it.

    What the design leaves open is as the study fixes it.
    """
    with progress("designs, front {task.fields[front]}") as tick:
        found = verbs.why(
            model,
            study,
            parse_settings(settings or []),
            budget=budget,
            prices=prices,
            jobs=jobs,
            progress=tick,
        )
    with found.priced():
        if as_json:
            print_json(found.as_json())
            return
        reasons.why(console(), found)
