"""Collects what the sections of a report read: the run's files, once, and the pages in use."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from dse import registry, validate
from dse.archive import Archive, explain_infeasible
from dse.certainty import widened, with_chances
from dse.confidence import judged
from dse.errors import InputError
from dse.evaluate import Table
from dse.grounds import movers
from dse.prices import in_words
from dse.spec import AnyModel
from dse.store import Run
from dse.study import Study
from dse.trust_charts import grounds_of

from .section import Context

SAMPLE = 500_000
"""Designs that are held in memory for figures; of more, an even sample is."""

RECOMMENDED = 3
"""Designs that are recommended: the cheapest, the fastest and the balanced one, say."""

RIVALS = 2
"""Balanced designs of other choices that are told beside them."""

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
    front, (why, best) = _front_rows(run), _answered(run, study)
    designs, kept, archive = _read(run, study, np.union1d(front, best), int(facts["designs"]))
    told = with_chances(run, "best.csv", widened(study, _picked(kept, best)), best)
    nearest = designs.take(NONE) if archive.nearest is None else archive.nearest
    joined = pages(study.page)
    used = in_use(study, told if len(front) else nearest.take(np.arange(len(nearest)) < 1), joined)
    return Context(
        run=run,
        study=study,
        designs=designs,
        front=with_chances(run, "front.csv", _picked(kept, front), front),
        best=told,
        why=why if len(front) else ["nearest"],
        nearest=widened(study, nearest),
        misses=[] if len(front) else explain_infeasible(archive),
        history=run.history(),
        environment=facts,
        validation=[row for page in used for row in validate.rows(page.slug)],
        grounds={(p.slug, i): g for p in used for i, g in grounds_of(p.slug).items()},
        pages=used,
        idle=[page.slug for page in joined if page not in used],
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


def _answered(run: Run, study: Study) -> tuple[list[str], Rows]:
    """What the designs of the answer are best at, and their numbers, in the order of best.csv.

    Of many objectives the one in money and then the first ones have their best design shown.
    """
    lines = _lines(run, "best.csv")
    money = {o.metric: study.metrics[o.metric].unit.startswith("USD") for o in study.objectives}
    goals = sorted(money, key=lambda metric: not money[metric])
    wanted = ["balanced", *(f"best {goal}" for goal in goals)]
    place = {part: i for i, line in enumerate(lines) for part in line["why"].split(", ")}
    found = list(dict.fromkeys(place[name] for name in wanted if name in place))
    rivals = [i for i, line in enumerate(lines) if line["why"].startswith("balanced ")]
    shown = sorted([*found[:RECOMMENDED], *[i for i in rivals if i not in found][:RIVALS]])
    rows = np.array([int(lines[i]["row"]) for i in shown], dtype=np.intp)
    return [lines[i]["why"] for i in shown], rows


def in_use(study: Study, shown: Table, joined: Sequence[AnyModel]) -> tuple[AnyModel, ...]:
    """The study's page, and of those it joins the ones that some designs rest on.

    A page that holds the errors of others says by them which it leans on; a page that takes
    another one's law for its own always does.
    """
    page, own = study.page, {axis.path: shown[axis.path] for axis in study.space.axes}
    if not page.uncertain:
        return tuple(joined)
    names = [page.total, *judged(study)]
    moving = [
        movers(page, study.space.config({path: column[row] for path, column in own.items()}))
        for row in range(len(shown))
    ]
    leant = {page.uncertain[k].page for found in moving for name in names for k in found[name]}
    return tuple(p for p in joined if p is page or p.slug in leant)


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
