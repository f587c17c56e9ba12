"""What the Explore page saves: designs as CSV and YAML, figures as SVG and HTML, the report."""

from __future__ import annotations

import base64
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dse import picks, registry, verbs
from dse.errors import InputError
from dse.evaluate import Table
from dse.store import Run

from .columns import Opened
from .compare_files import as_yaml
from .runs import name_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST = 100_000
"""Most designs of one CSV: a browser holds it in memory before it is saved."""

File = dict[str, object]
"""A file as a browser saves it: content, filename and type."""


def designs(opened: Opened, rows: NDArray[np.intp]) -> File:
    """Designs as CSV: units in the header, SI in full, empty where a knob plays no part.

    Raises:
        InputError: more than a browser saves at once.
    """
    if len(rows) > MOST:
        raise InputError(
            f"{len(rows):,} designs are selected and a browser saves {MOST:,} at once; select "
            f"fewer, or read {opened.run.path / 'designs.parquet'}, which holds all"
        )
    table = opened.designs(rows)
    frame = table.to_pandas()
    active = opened.study.space.active({a.path: table[a.path] for a in opened.study.space.axes})
    for axis in opened.study.space.axes:
        if axis.when:
            frame[axis.path] = frame[axis.path].where(active[axis.path])
    heads = {n: f"{n} [{table.units[n]}]" for n in table.columns if table.units.get(n)}
    text = frame.rename(columns=heads).to_csv(index=False, lineterminator="\n")
    return {"content": text, "filename": f"{_stem(opened)}-designs.csv", "type": "text/csv"}


def design(opened: Opened, row: int) -> File:
    """One design as YAML, as `dse eval FILE` takes it."""
    study = opened.study
    config = registry.configure(study.page, picks.settings_of(study, _knobs(opened, row)))
    text = as_yaml(study.page, config)
    return {
        "content": text,
        "filename": f"{_stem(opened)}-design-{row}.yaml",
        "type": "application/yaml",
    }


def _knobs(opened: Opened, row: int) -> Table:
    return opened.designs([row], [axis.path for axis in opened.study.space.axes])


def _stem(opened: Opened) -> str:
    return name_of(opened.run).replace("/", "-")


def as_svg(opened: Opened, text: str, kind: str) -> File:
    """A figure for print."""
    return {"content": text, "filename": f"{_stem(opened)}-{kind}.svg", "type": "image/svg+xml"}


def as_html(opened: Opened, shown: Figure, kind: str) -> File:
    """A figure as a page of its own that asks nobody for anything."""
    text = shown.to_html(include_plotlyjs=True, config={"displaylogo": False})
    return {"content": text, "filename": f"{_stem(opened)}-{kind}.html", "type": "text/html"}


def report(opened: Opened) -> File:
    """The run's PDF report: the one in its folder where it is newer than the front, else fresh.

    Raises:
        InputError: the run is not finished, or its report cannot be made.
    """
    own = opened.run.path / "report.pdf"
    data = own.read_bytes() if _current(own, opened.run) else _fresh(opened.run)
    return {
        "content": base64.b64encode(data).decode(),
        "filename": f"{_stem(opened)}.pdf",
        "type": "application/pdf",
        "base64": True,
    }


def _current(report: Path, run: Run) -> bool:
    front = run.path / "front.csv"
    return (
        report.exists()
        and front.exists()
        and report.stat().st_mtime_ns >= front.stat().st_mtime_ns
    )


def _fresh(run: Run) -> bytes:
    today = datetime.now(UTC).date().isoformat()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.pdf"
        return verbs.report(run, date=today, path=path).read_bytes()
