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
from dse.certainty import widened, with_chances
from dse.errors import InputError
from dse.evaluate import Table
from dse.prices import in_words
from dse.spec import AnyModel
from dse.store import Run
from dse.study import Study
from dse.trust_charts import grounds_of

from .section import Context

SAMPLE = 500_000
"""Designs that are held in memory for figures; of more, an even sample is."""

MOST = 5
"""Recommended designs: more would not fit side by side, and nobody chooses among more."""

NONE = np.zeros(0, dtype=np.intp)
Rows = NDArray[np.intp]
"""Numbers of designs, in the order in which they were stored."""


def gather(run: Run, *, date: str) -> Context:
    """Everything a report says of a run.

    Raises:
        InputError: the run's search never came to an end, or its study does not fit any more.
    """
    if not (run.path / "environment.json").exists():
        raise InputError(f"{run.path}: its search never ended; continue it with --resume first")
    facts = run.environment()
    study = replace(run.study(), slug=str(facts["study"]))
    front, (why, best) = _front_rows(run), _recommended(run)
    designs, kept, archive = _read(run, study, np.union1d(front, best), int(facts["designs"]))
    used = pages(study.page)
    return Context(
        run=run,
        study=study,
        designs=designs,
        front=with_chances(run, "front.csv", _picked(kept, front), front),
        best=with_chances(run, "best.csv", widened(study, _picked(kept, best)), best),
        why=why if len(front) else ["nearest"],
        nearest=widened(study, designs.take(NONE) if archive.nearest is None else archive.nearest),
        misses=[] if len(front) else explain_infeasible(archive),
        history=run.history(),
        environment=facts,
        validation=[row for page in used for row in validate.rows(page.slug)],
        grounds={(p.slug, i): g for p in used for i, g in grounds_of(p.slug).items()},
        pages=used,
        prices=in_words(study.prices),
        date=date,
    )


def _read(run: Run, study: Study, wanted: Rows, total: int) -> tuple[Table, Table, Archive]:
    """An even sample of all designs, the wanted ones, and what came nearest when none is."""
    archive, sample, kept = Archive(study), [], []
    for table in _numbered(run):
        sample.append(table.take(table["row"] % ceil(total / SAMPLE) == 0))
        kept.append(table.take(np.isin(table["row"], wanted)))
        if len(wanted) == 0:
            archive.add(table)
    if not sample:
        raise InputError(f"{run.path}: the run holds no designs; search again")
    return Table.concat(sample), Table.concat(kept), archive


def _numbered(run: Run) -> Iterator[Table]:
    """The run's designs part by part, with the number of each."""
    start = 0
    for table in run.tables():
        row = np.arange(start, start + len(table))
        yield Table({"row": row, **table.columns}, table.units, table.labels)
        start += len(table)


def _picked(kept: Table, rows: Rows) -> Table:
    """The designs of some numbers, in their order; `kept` is in the order of the run."""
    return kept.take(np.searchsorted(kept["row"], rows))


def _lines(run: Run, name: str) -> list[dict[str, str]]:
    """What a CSV of the run holds; nothing when the search found nothing feasible."""
    path = run.path / name
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _front_rows(run: Run) -> Rows:
    """Numbers of the designs on the front, as the search wrote them."""
    return np.array([int(line["row"]) for line in _lines(run, "front.csv")], dtype=np.intp)


def _recommended(run: Run) -> tuple[list[str], Rows]:
    """What at most `MOST` of the best designs are best at, and their numbers.

    Balanced designs come before those that are best at one objective only.
    """
    lines = _lines(run, "best.csv")
    ranked = sorted(range(len(lines)), key=lambda i: "balanced" not in lines[i]["why"])
    shown = [lines[i] for i in sorted(ranked[:MOST])]
    rows = np.array([int(line["row"]) for line in shown], dtype=np.intp)
    return [line["why"] for line in shown], rows


def pages(page: AnyModel) -> tuple[AnyModel, ...]:
    """A page, then those its modules import or whose errors it holds, and theirs in turn."""
    found = [page.slug]
    for slug in found:
        held = {uncertain.page for uncertain in registry.model(slug).uncertain.values()}
        found += sorted((_imported(slug) | held) - set(found))
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
