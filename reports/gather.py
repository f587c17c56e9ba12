"""Collects what the sections of a report read: the run's files, once, and the pages in use."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from dse import registry, validate
from dse.archive import Archive, explain_infeasible
from dse.errors import InputError
from dse.evaluate import Table
from dse.spec import AnyModel
from dse.store import Run
from dse.study import Study

from .section import Context

SAMPLE = 500_000
"""Designs that are held in memory for figures; of more, an even sample is."""

MOST = 4
"""Recommended designs: more would not fit side by side, and nobody chooses among more."""


def gather(run: Run, *, date: str) -> Context:
    """Everything a report says of a run.

    Raises:
        InputError: the run's search never came to an end, or its study does not fit any more.
    """
    if not (run.path / "environment.json").exists():
        raise InputError(f"{run.path}: its search never ended; continue it with --resume first")
    facts = run.environment()
    study = replace(run.study(), slug=str(facts["study"]))
    archive, designs = _designs(study, run, total=int(facts["designs"]))
    nothing = designs.take(np.zeros(len(designs), dtype=np.bool_))
    why, best = (["nearest"], nothing) if archive.front is None else _recommended(archive)
    used = pages(study.page)
    return Context(
        run=run,
        study=study,
        designs=designs,
        front=nothing if archive.front is None else archive.front,
        best=best,
        why=why,
        nearest=nothing if archive.nearest is None else archive.nearest,
        misses=explain_infeasible(archive) if archive.front is None else (),
        history=run.history(),
        environment=facts,
        validation=[row for page in used for row in validate.rows(page.slug)],
        pages=used,
        prices=registry.prices().paper["date"],
        date=date,
    )


def _designs(study: Study, run: Run, *, total: int) -> tuple[Archive, Table]:
    """The front, or the nearest designs without one, and an even sample of all designs."""
    wanted = _front_rows(run)
    archive, sample = Archive(study), []
    for table in _numbered(run):
        sample.append(table.take(table["row"] % ceil(total / SAMPLE) == 0))
        kept = table if wanted is None else table.take(np.isin(table["row"], wanted))
        if len(kept):
            archive.add(kept)
    if not sample:
        raise InputError(f"{run.path}: the run holds no designs; search again")
    return archive, Table.concat(sample)


def _numbered(run: Run) -> Iterator[Table]:
    """The run's designs part by part, with the number of each."""
    start = 0
    for table in run.tables():
        row = np.arange(start, start + len(table))
        yield Table({"row": row, **table.columns}, table.units, table.labels)
        start += len(table)


def _front_rows(run: Run) -> NDArray[np.int64] | None:
    """Numbers of the designs on the front, as the search wrote them; none when nothing holds."""
    path = run.path / "front.csv"
    if not path.exists():
        return None
    with path.open(encoding="utf-8", newline="") as stream:
        return np.array([int(row["row"]) for row in csv.DictReader(stream)])


def _recommended(archive: Archive) -> tuple[list[str], Table]:
    """At most `MOST` of the best designs; the balanced one is always among them."""
    why, best = archive.best()
    ranked = sorted(range(len(why)), key=lambda row: "balanced" not in why[row])
    rows = sorted(ranked[:MOST])
    return [why[row] for row in rows], best.take(np.array(rows, dtype=np.intp))


def pages(page: AnyModel) -> tuple[AnyModel, ...]:
    """A page, then those its modules import, directly or through one another."""
    found = [page.slug]
    for slug in found:
        found += sorted(_imported(slug) - set(found))
    return (page, *(registry.model(slug) for slug in found[1:]))


def _imported(slug: str) -> set[str]:
    """Pages that something in a page's modules comes from."""
    root = f"{registry.folder('models').__name__}."
    own = [m for name, m in list(sys.modules.items()) if name.startswith(f"{root}{slug}.")]
    homes = {_home(value) for module in own for value in vars(module).values()}
    inside = (home.removeprefix(root) for home in homes if home.startswith(root))
    return {name.partition(".")[0] for name in inside} & set(registry.slugs())


def _home(value: object) -> str:
    """The module a name was defined in; a module is its own home."""
    attribute = "__name__" if isinstance(value, ModuleType) else "__module__"
    return str(getattr(value, attribute, ""))
