"""Options that several commands take, each worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Fix a knob, a.b=c; may be given again.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Threads (or processes).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Same seed, same result.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where the result goes.")]

Prices = Annotated[
    Path | None, typer.Option("--prices", help="Your own prices, laid over the shipped ones.")
]

DESIGN = "A model's slug, a design file (.yaml), or RUN:NAME, as RUN:balanced or RUN:3."
