"""The command that says which knob matters: sensitivity."""

from __future__ import annotations

from typing import Annotated, cast, get_args

import typer

from dse import levers, units
from dse.errors import placed, unknown
from dse.options import AsJson, Prices, Seed, Settings
from dse.sensitivity import Asked
from dse.sobol import SAMPLES, Scale
from dse.study import parse_settings
from dse.terminal import console, print_json, progress
from dse.weighing import weigh

app = typer.Typer()


@app.command()
def sensitivity(
    name: Annotated[
        str,
        typer.Argument(
            metavar="DESIGN|STUDY|RUN",
            help="A model's or a study's slug, a file of either, RUN:NAME, or a run.",
        ),
    ],
    settings: Settings = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="A metric to explain; again for more.")
    ] = None,
    knobs: Annotated[
        list[str] | None, typer.Option("--knob", help="A knob of a design; again for more.")
    ] = None,
    reach: Annotated[
        str | None,
        typer.Option("--range", help="How far a design's numbers move; '10 %' if left."),
    ] = None,
    samples: Annotated[int, typer.Option(help="Rows of the sample, a power of two.")] = SAMPLES,
    seed: Seed = None,
    scale: Annotated[
        str, typer.Option(help="ln or plain; auto takes ln of what spans a decade.")
    ] = "auto",
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Say which knobs matter: Sobol indices, single changes, and the one that helps most."""
    if scale not in get_args(Scale):
        raise unknown("scale", scale, get_args(Scale))
    with placed("--range"):
        share = None if reach is None else units.parse(reach, "1")
    asked = Asked(
        metrics=tuple(metrics or ()),
        knobs=tuple(knobs or ()),
        reach=share,
        samples=samples,
        seed=seed or 0,
        scale=cast("Scale", scale),
    )
    given = parse_settings(settings or [])
    with progress("designs") as tick:
        found = weigh(name, asked, settings=given, prices=prices, progress=tick)
    if as_json:
        print_json(found.as_json())
        return
    levers.sensitivity(console(), found)
