"""What the pages cover: support."""

from __future__ import annotations

from typing import Annotated

import typer

from dse import coverage
from dse.errors import InputError
from dse.options import DESIGN, AsJson, Prices, Settings
from dse.study import parse_settings
from dse.support import overview, support_of
from dse.terminal import console, print_json

app = typer.Typer()


@app.command()
def support(
    model: Annotated[str | None, typer.Argument(help=f"{DESIGN} All models by default.")] = None,
    settings: Settings = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Say what a model covers around a design, and why not the rest; exit 1 if not the design."""
    given = parse_settings(settings or [])
    if model is None:
        if given or prices:
            raise InputError("--set and --prices are of one design; name its model first")
        rows = overview()
        if as_json:
            print_json(rows)
        else:
            coverage.pages(console(), rows)
        return
    found = support_of(model, given, prices=prices)
    if as_json:
        print_json(found.as_json())
    else:
        coverage.support(console(), found)
    raise typer.Exit(1 if found.reason else 0)
