"""Where the run was computed, and the command that computes it again."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import cast

from dse import documents, registry, study
from dse.errors import InputError

from .section import Block, Context, Facts, Paragraph, Section

PRINTERS = ("typst", "matplotlib")
"""What draws and sets the report itself."""


def build(context: Context) -> list[Block]:
    """Versions and commit, then the command."""
    facts = context.environment
    libraries = ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
    return [
        Facts(
            [
                ("Searched", str(facts["date"]).replace("T", " ")),
                ("Reported", context.date),
                ("Commit", str(facts["commit"]) or "unknown: an installed package"),
                ("Python", f"{facts['python']} on {facts['system']} ({facts['machine']})"),
                ("Libraries", libraries),
                ("Printed with", ", ".join(f"{name} {version(name)}" for name in PRINTERS)),
            ]
        ),
        Paragraph("The same designs, front and report come out of"),
        Paragraph(command(context), "code"),
        Paragraph(
            "The run folder holds the study as it was searched (config.yaml), every design "
            "(designs.parquet), the front (front.csv) and the designs above (best.csv)."
        ),
    ]


def command(context: Context) -> str:
    """The command that searches the same designs again."""
    spec = context.study.search
    if _shipped(context):
        asked = f"--method {context.environment['method']} --budget {spec.budget}"
        return f"dse search {context.study.slug} {asked} --seed {spec.seed}"
    return f"dse search {context.run.path / 'config.yaml'}"


def _shipped(context: Context) -> bool:
    """Whether the study comes with the package and was searched as it comes."""
    slug, echo = context.study.slug, context.study.document
    if slug not in registry.data_files("studies"):
        return False
    try:
        shipped = study.load(slug, search=cast("Mapping[str, object]", echo["search"]))
    except InputError:
        return False
    return documents.dump(shipped.document) == documents.dump(echo)


SECTION = Section(order=80, title="Environment and reproduction", build=build)
