"""Reports as files: report."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Annotated

import typer

from dse import verbs
from dse.errors import InputError
from dse.options import Output
from dse.terminal import console, progress

app = typer.Typer()


@app.command()
def report(
    run: Annotated[
        str, typer.Argument(help="A run folder, study/run, or a study (its latest).")
    ] = "",
    paper: Annotated[
        str, typer.Option("--paper", metavar="MODEL", help="A model's own reproduction report.")
    ] = "",
    validation: Annotated[
        bool, typer.Option("--validation", help="The scoreboard of all models, and every row.")
    ] = False,
    form: Annotated[str, typer.Option("--format", help="pdf or html; by --output's suffix.")] = "",
    output: Output = None,
    force: Annotated[bool, typer.Option("--force", help="Replace --output if it exists.")] = False,
    date: Annotated[str, typer.Option(help="Date printed on it; today by default.")] = "",
) -> None:
    """Write the report of a run, of a model or of all models' validation, as PDF or HTML."""
    from dse.store import find  # noqa: PLC0415 - only this verb needs it

    if sum(map(bool, (run, paper, validation))) != 1:
        raise InputError("name one of them: a run, --paper MODEL or --validation")
    subject = find(run) if run else paper or "validation"
    with progress("models") if validation else nullcontext() as tick:
        path = verbs.report(
            subject, date=date or today(), path=output, form=form, force=force, tick=tick
        )
    console().print(f"report: {path}", soft_wrap=True)


def today() -> str:
    """The date that is printed on a report unless another one is asked for."""
    return datetime.now(UTC).date().isoformat()
