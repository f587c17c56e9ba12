"""What the pages of a report look like, small and grey; run as a script to keep them anew.

python -m tests.reports.pictures
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dse import store
from dse.search import search
from reports import document
from tests.dse import toy
from tests.reports import made

KEPT = Path(__file__).parent / "pictures"
"""One picture a page."""

PAGES = range(1, 5)
"""Pages that are kept: later ones hold times, versions and the machine."""

DOTS = 36
"""To the inch: enough to see a table slip, and a few kilobytes a page."""

WHITE = 255


def printed() -> bytes:
    """The toy's report, printed where its run has a path that is the same everywhere."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        study = toy.study()
        run = store.create(study, output=Path("out/toy/run"))
        search(study, run)
        return document.write(run, date=made.DATE).read_bytes()


def pages(pdf: bytes) -> Iterator[NDArray[np.float64]]:
    """The pages that are kept, each as grey values from 0 to 1."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.pdf"
        path.write_bytes(pdf)
        for number in PAGES:
            one = ["-f", str(number), "-l", str(number)]
            drawn = subprocess.run(
                ["pdftoppm", "-gray", "-png", "-r", str(DOTS), *one, str(path)],
                check=True,
                capture_output=True,
            )
            yield grey(drawn.stdout)


def grey(png: bytes | Path) -> NDArray[np.float64]:
    """A picture as grey values from 0 to 1."""
    source = png if isinstance(png, Path) else io.BytesIO(png)
    with Image.open(source) as picture:
        return np.asarray(picture.convert("L"), dtype=np.float64) / WHITE


def kept() -> list[NDArray[np.float64]]:
    """The pictures that pages are held against."""
    return [grey(path) for path in sorted(KEPT.glob("*.png"))]


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Mean difference of two pages' grey values, each thinned to 16 levels; 1 for other sizes."""
    return float(np.mean(np.abs(one - other))) if one.shape == other.shape else 1.0


def keep() -> None:
    """Draw the pages and keep them, in 16 greys."""
    toy.install()
    KEPT.mkdir(exist_ok=True)
    for number, page in zip(PAGES, pages(printed()), strict=True):
        picture = Image.fromarray((page * WHITE).astype(np.uint8)).quantize(16)
        picture.save(KEPT / f"page-{number}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(keep())
