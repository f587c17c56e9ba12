"""Commands that look things up: list, show, schema, import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dse import documents, registry, verbs
from dse import show as shown
from dse.errors import unknown
from dse.options import AsJson, Output, Prices
from dse.terminal import console, note, print_json

app = typer.Typer()


@app.command("list")
def list_(
    kind: Annotated[
        str | None, typer.Argument(help="models, studies, workloads, gpus ...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what has a name: models, studies, workloads, devices."""
    found = verbs.listing()
    if kind is not None:
        if kind not in found:
            raise unknown("kind of thing", kind, found)
        found = {kind: found[kind]}
    if as_json:
        print_json(found)
        return
    shown.listing(console(), found)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A model, study, workload or device.")],
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Show one thing whole: knobs with sources, a network's counts, a device's numbers."""
    with registry.priced_by(prices):
        facts = shown.facts(name)
    if as_json:
        print_json(facts)
        return
    shown.card(console(), facts)


@app.command()
def schema(
    name: Annotated[str, typer.Argument(help="study, or a model's slug.")] = "study",
    write: Annotated[bool, typer.Option("--write", help="Refresh docs/schema.")] = False,
) -> None:
    """Print the JSON Schema of a study file or of a model's settings."""
    from dse import schema as schemas  # noqa: PLC0415 - only this verb needs it

    if not write:
        sys.stdout.write(schemas.text(name))
        return
    for path, text in schemas.files(Path("docs/schema")).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        documents.replace(path, text)
        note(f"wrote {path}")


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A Hugging Face config.json.")],
    name: Annotated[str, typer.Option(help="Slug of the network; the config's own if left.")] = "",
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Turn a network's config.json into a workload file for --set workload=FILE."""
    made = verbs.import_workload(source, name=name, output=output)
    if as_json:
        print_json(made)
        return
    for warning in made["warnings"]:
        note(f"warning: {warning}")
    console().print(f"{made['file']}: {made['title']}, {made['parameters']:,} parameters")
