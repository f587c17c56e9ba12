"""What a machine reaches: calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dse import calibrate as calibrations
from dse import reached, verbs
from dse.options import AsJson, Output
from dse.show import listing
from dse.terminal import console, note, print_json, progress

app = typer.Typer()


@app.command()
def calibrate(
    what: Annotated[
        str | None, typer.Argument(help="cpu, cuda, gemm ...; left out: what there is.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="A CSV of what you measured: m,n,k,dtype,seconds[,batch].")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="The device it was measured on: a slug, or its file.")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Measure this machine, or read what you measured, into a device file for --set."""
    if what is None:
        _list(as_json)
        return
    with progress("steps measured") as tick:
        found = verbs.calibrate(what, against=against, device=device, output=output, progress=tick)
    if as_json:
        print_json(found.as_json())
        return
    for warning in found.warnings:
        note(f"warning: {warning}")
    reached.calibration(console(), found)


def _list(as_json: bool) -> None:
    known = {name: one.text for name, one in calibrations.calibrators().items()}
    if as_json:
        print_json(known)
        return
    listing(console(), {"calibrations": known})
