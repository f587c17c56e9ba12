"""Commands that price designs: eval, simulate, compare, ablate, sweep."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from dse import registry, side_by_side, sweeping, swept, switches, verbs
from dse import show as shown
from dse import simulate as mechanisms
from dse.answers import priced_like
from dse.choice import chosen
from dse.comparison import parse_variants
from dse.errors import InputError
from dse.options import DESIGN, AsJson, Jobs, Output, Prices, Settings
from dse.study import parse_settings
from dse.terminal import CORES, console, note, print_json

app = typer.Typer()


@app.command("eval")
def eval_(
    model: Annotated[str, typer.Argument(help=DESIGN)],
    settings: Settings = None,
    trace: Annotated[
        Path | None, typer.Option(help="A profile of kernels, for a model that reads one.")
    ] = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Price one design, with its breakdown, bottleneck and warnings."""
    files = {} if trace is None else {"trace": trace}
    with priced_like([model], prices):
        given = parse_settings(settings or [])
        answer = verbs.evaluate(model, given, files=files, prices=prices)
        if as_json:
            print_json(answer)
            return
        shown.answer(console(), answer)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def simulate(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A model's slug.")],
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Execute a model's mechanism once; every knob of it is an option: --memory '40 GiB'.

    So is every kind of file that it reads: --trace FILE. 'dse show MODEL' lists them.
    """
    if model.startswith("-"):
        raise InputError(f"name the model first: dse simulate MODEL {model} ...")
    laid = parse_settings(settings or [])
    options = mechanisms.given(mechanisms.reference(model), context.args)
    if doubled := laid.keys() & options.keys():
        raise InputError(f"{min(doubled)} is given as an option and by --set; drop one")
    start = perf_counter()
    answer = verbs.simulate(model, laid | options)
    if as_json:
        print_json(answer)
        return
    shown.simulation(console(), answer, perf_counter() - start)


@app.command()
def compare(
    designs: Annotated[list[str], typer.Argument(help=DESIGN)],
    settings: Settings = None,
    variants: Annotated[
        list[str] | None,
        typer.Option("--with", help="A variant of the one design, a.b=c,d=e; again for more."),
    ] = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Put designs of one model side by side: knobs that differ, metrics, every term."""
    with priced_like(designs, prices):
        given, over = parse_settings(settings or []), parse_variants(variants or [])
        found = verbs.comparison(designs, given, variants=over, prices=prices)
        if as_json:
            print_json(found.as_json())
            return
        side_by_side.comparison(console(), found)


@app.command()
def ablate(
    model: Annotated[str, typer.Argument(help=DESIGN)],
    settings: Settings = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="A metric to explain; again for more.")
    ] = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Switch a design's techniques off and on in all combinations: which compose, which cancel."""
    with priced_like([model], prices):
        found = verbs.ablation(model, parse_settings(settings or []), prices=prices)
        if as_json:
            print_json(found.as_json(metrics or []))
            return
        switches.ablation(console(), found, metrics or [])


@app.command()
def sweep(
    model: Annotated[str, typer.Argument(help="A model's slug.")],
    over: Annotated[
        list[str],
        typer.Option("--over", help="knob=1,2,4 or knob=low..high:levels[:log] or knob=all"),
    ],
    settings: Settings = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="A metric to show; again for more.")
    ] = None,
    jobs: Jobs = CORES,
    output: Output = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Price every combination of a few knobs."""
    knobs, fixed = sweeping.parse_over(over), parse_settings(settings or [])
    with registry.priced_by(prices):
        page = registry.model(model)
        chosen(page, metrics or [])
        table = sweeping.priced(model, knobs, fixed, jobs=jobs)
        refusals = sweeping.refusals(model, knobs, table, fixed)
        listed = shown.at_prices(page, registry.prices())
    if output is not None:
        shown.save_csv(table, output)
        note(f"{len(table)} designs{listed} written to {output}")
    elif as_json:
        print_json(shown.records(table))
    else:
        title = f"{model}: {len(table)} designs{listed}"
        swept.sweep(console(), page, table, title=title, asked=metrics or [])
    for text in refusals:
        note(f"not covered, shown as infeasible: {text}")
