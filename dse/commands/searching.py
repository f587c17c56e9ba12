"""Commands around a run: search, app."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dse import registry, verbs
from dse import show as shown
from dse.commands.reporting import today
from dse.errors import InputError, unknown
from dse.options import AsJson, Jobs, Output, Prices, Seed, Settings
from dse.study import parse_settings
from dse.terminal import CORES, console, note, print_json, progress

app = typer.Typer()


@app.command()
def search(
    study: Annotated[str, typer.Argument(help="A study's slug, or a study file.")] = "",
    settings: Settings = None,
    method: Annotated[
        str | None, typer.Option(help="grid, random, qmc, nsga2, nsga3, tpe, gp or auto.")
    ] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="Most designs evaluated.")] = None,
    seed: Seed = None,
    jobs: Jobs = CORES,
    pool: Annotated[str, typer.Option(help="threads or processes.")] = "threads",
    output: Output = None,
    resume: Annotated[str | None, typer.Option(help="A run to continue.")] = None,
    prices: Prices = None,
    report: Annotated[bool, typer.Option(help="Write the PDF report at the end.")] = True,
    as_json: AsJson = False,
) -> None:
    """Search a study for its best designs; ends with a run folder and its report."""
    if not study and resume is None:
        raise InputError("name a study, or a run with --resume; 'dse list studies' names them")
    if pool not in ("threads", "processes"):
        raise unknown("pool", pool, ["threads", "processes"])
    with progress("designs, front {task.fields[front]}") as tick:
        outcome = verbs.search(
            study,
            settings=parse_settings(settings or []),
            method=method,
            budget=budget,
            seed=seed,
            jobs=jobs,
            pool="threads" if pool == "threads" else "processes",
            output=output,
            resume=resume,
            prices=prices,
            progress=tick,
        )
    if report and outcome.finished:
        verbs.report(outcome.run, date=today())
    if as_json:
        print_json(shown.outcome_json(outcome))
    else:
        shown.outcome(console(), outcome)
    if not outcome.finished:
        note(f"interrupted; go on with: dse search --resume {outcome.run.path}")
        raise typer.Exit(130)
    raise typer.Exit(0 if outcome.feasible else 1)


@app.command("app")
def app_(
    run: Annotated[str | None, typer.Argument(help="A run; the last one by default.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8050,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
) -> None:
    """Open the explorer on this machine's loopback."""
    from dse.store import find, latest  # noqa: PLC0415 - only this verb needs it

    chosen = find(run) if run else latest()
    server: Any = registry.module("app", "server")
    server.serve(chosen, port=port, open_browser=open_browser)
