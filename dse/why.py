"""Why this design and not that one: what it misses, what would free it, and what beats it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse import answers, picks, registry, units
from dse.comparison import Comparison
from dse.differences import differences
from dse.errors import InputError, unknown
from dse.evaluate import Table
from dse.margins import Bound, bounds
from dse.prices import in_words
from dse.relaxation import Change, Measure, Neighbourhood, measure, neighbourhood
from dse.search import Progress
from dse.spec import Array, Config, Mask
from dse.standing import ROUNDING, Searched, beats, searched
from dse.store import Run, find
from dse.study import Study, load, overlaid
from dse.winners import listed, points_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verdict:
    """How a design stands, in a word and in a sentence."""

    kind: str
    """`not covered`, `cannot run`, `misses`, `unknown`, `front`, `dominated`, `undominated` or
    `alone`."""
    text: str


@dataclass(frozen=True)
class Why:
    """A design explained: its verdict, and what would change it."""

    name: str
    near: Neighbourhood
    searched: Searched
    verdict: Verdict
    troubles: tuple[str, ...]
    """What keeps it from running, or from being covered: rules, flags, unknown answers."""
    bounds: tuple[Bound, ...]
    goal: str
    """What the changes reach; empty for a design on the front, which needs none."""
    measure: Measure
    """What the changes are ranked by."""
    changes: tuple[Change, ...]
    """The nearest change of each varied knob that reaches the goal, the cheapest first."""
    running: tuple[Change, ...]
    """The same for nothing but running at all, where the design does not."""
    dominators: int
    """Designs of the front that dominate it; those of a design that is not accepted, too."""
    rival: Comparison | None
    """The design and the nearest of them; where none dominates it and it is not accepted, the
    nearest of the front."""

    @property
    def study(self) -> Study:
        """The study that the design is judged by."""
        return self.searched.study

    @property
    def stuck(self) -> list[str]:
        """Varied knobs of which no single change reaches the goal."""
        able = {change.knob for change in self.changes}
        return [path for path in self.near.moved if path not in able] if self.goal else []

    @property
    def differences(self) -> list[str]:
        """How the design stands to its rival in each objective, a sentence each."""
        if self.rival is None:
            return []
        return differences(self.rival, [o.metric for o in self.study.objectives])

    def priced(self) -> AbstractContextManager[None]:
        """The prices that all of it stands on, for whoever shows it."""
        return _priced_as(self.study)

    def as_json(self) -> dict[str, Any]:
        """The explanation as scripts read it; what is unknown is null."""
        return {
            "model": self.study.page.slug,
            "study": self.study.slug,
            "design": self.name,
            "prices": in_words(self.study.prices),
            "verdict": {"kind": self.verdict.kind, "text": self.verdict.text},
            "outside": dict(self.near.outside),
            "troubles": list(self.troubles),
            "constraints": [bound.as_json() for bound in self.bounds],
            "changes": {
                "goal": self.goal,
                "ranked_by": self.measure.text,
                "unit": self.measure.unit,
                "knobs": [change.as_json() for change in self.changes],
                "makes_it_run": [change.as_json() for change in self.running],
                "none_of": self.stuck,
            },
            "dominated_by": self.dominators,
            "differences": self.differences,
            "comparison": None if self.rival is None else self.rival.as_json(),
            "searched": self.searched.as_json(),
            "warnings": list(self.study.warnings),
        }

    def to_pandas(self) -> pd.DataFrame:
        """One row a single change that reaches the goal, the cheapest first."""
        import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

        names = ("knob", "was", "value", "opens", "cost", "others")
        frame = pd.DataFrame([c.as_json() for c in self.changes], columns=list(names))
        frame.attrs["units"] = {"cost": self.measure.unit}
        return frame


def explain(
    model: str | Path,
    study: str | Path = "",
    settings: Mapping[str, object] | None = None,
    *,
    budget: int | None = None,
    prices: str | Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Why:
    """A design held against a study: its constraints, its front, and what one change would do.

    What a design leaves open is as the study fixes it. It is priced at the study's prices.

    Args:
        model: slug of the study's page, path of a design file, or `RUN:NAME`.
        study: slug or path of a study, which is searched here and now, or a run; by default the
            run that the design is named of.
        settings: what is laid over the design.
        budget: most designs that the search of a study prices.
        prices: a price file laid over the shipped list; never other than a run's own.
        jobs: threads.
        progress: called with designs done, designs in all and the size of the front.

    Raises:
        InputError: a design or study that does not fit, or a design of another page.
    """
    name = str(model)
    asked, run = _asked(name, str(study), budget, prices)
    slug, held, place = answers.named(name)
    if registry.model(slug).slug != asked.page.slug:
        raise InputError(
            f"'{name}' is a design of '{slug}', but {asked.slug} asks about '{asked.page.slug}'; "
            "name a study of that model"
        )
    fixed = asked.document["set"]
    with _priced_as(asked):
        laid = overlaid(
            fixed if isinstance(fixed, Mapping) else {}, overlaid(held, settings or {})
        )
        config = registry.starting_point(asked.page, laid, place=place)
        near = neighbourhood(asked, config)
        found = searched(asked, run, near, jobs=jobs, progress=progress)
        return _explained(name, config, near, found)


def _asked(
    model: str, study: str, budget: int | None, prices: str | Path | None
) -> tuple[Study, Run | None]:
    """The study that a design is judged by, and the run if it has one."""
    pick = picks.read(model)
    if not study and pick is None:
        raise InputError(
            f"name a study or a run to judge {model} by: --study STUDY; see 'dse list studies'"
        )
    known = registry.data_files("studies")
    if study in known or Path(study).suffix in (".yaml", ".yml"):
        search = {} if budget is None else {"budget": budget}
        return load(study, search=search, prices=prices), None
    run = pick.run if pick and not study else _run(study, known)
    if budget is not None:
        raise InputError(f"{run.path} is a run, which is searched already; drop --budget")
    if prices is not None and registry.overlay(prices) != run.overlay():
        raise InputError(f"{run.path} was searched at other prices; drop --prices, or search anew")
    return run.study(), run


def _run(name: str, studies: Mapping[str, object]) -> Run:
    try:
        return find(name)
    except InputError as error:
        if Path(name).suffix or "/" in name:
            raise InputError(f"--study: {error}") from None
        raise unknown("study or run", name, studies) from None


def _priced_as(study: Study) -> AbstractContextManager[None]:
    own = study.document.get("prices")
    return registry.priced_by(registry.overlay(own) if isinstance(own, Mapping) else None)


def _explained(name: str, config: Config, near: Neighbourhood, found: Searched) -> Why:
    study, table = near.study, near.table
    known = np.all([o.ranks(table[o.metric]) for o in study.objectives], axis=0)
    points = np.where(known[:, None], points_of(study, table), np.nan)
    over = beats(found.points, points[:1])[0]
    accepted, runs = bool(table["accepted"][0]), bool(table["feasible"][0])
    dominators = np.zeros_like(over) if _on_front(found, near) else over
    goal = _goal(accepted=accepted, dominated=bool(dominators.any()))
    reached = table["accepted"] & (~found.beaten(points) if accepted else True)
    held, ranked = bounds(near), measure(near, found.front)
    rival = None
    if goal and found.front is not None:
        place = _rival(found, found.front, near, dominators, points[0])
        rival = _compared(name, config, found, found.front, place)
    return Why(
        name=name,
        near=near,
        searched=found,
        verdict=_verdict(near, found, held, dominators, points[0]),
        troubles=() if runs else tuple(_troubles(near, config)),
        bounds=held,
        goal=goal,
        measure=ranked,
        changes=near.nearest(reached, ranked) if goal else (),
        running=() if runs else near.nearest(table["feasible"], ranked),
        dominators=int(dominators.sum()),
        rival=rival,
    )


def _goal(*, accepted: bool, dominated: bool) -> str:
    """What a single change should reach; nothing where nothing is amiss."""
    if not accepted:
        return "meets every constraint and can be compared"
    return "is dominated by no design of the front" if dominated else ""


def _on_front(found: Searched, near: Neighbourhood) -> bool:
    """Whether the design is one of the front's: all its knobs are, whatever rounding did."""
    if found.front is None or near.outside:
        return False
    own = {axis.path: near.table[axis.path][:1] for axis in near.space.axes}
    same = np.ones(found.size, dtype=np.bool_)
    for path, value in found.study.space.canonical(own).items():
        same &= found.front[path] == value
    return bool(same.any())


def _rival(
    found: Searched, whole: Table, near: Neighbourhood, dominators: Mask, point: Array
) -> int:
    """The nearest design of the front: that which fewest settings make of this one.

    Of equally near ones it is the best, all objectives added up in ranges of the front.
    """
    places = np.flatnonzero(dominators if dominators.any() else np.ones(found.size))
    front = whole.take(places)
    used = found.study.space.active({a.path: front[a.path] for a in found.study.space.axes})
    set_anew = np.zeros(len(front))
    for path, mask in used.items():
        differs = front[path] != near.table[path][0]
        set_anew += mask & (differs | np.logical_not(near.used[path][0]))
    with np.errstate(invalid="ignore"):
        lost = ((found.points[places] - point) / found.span).sum(axis=1)
    return int(places[np.lexsort((lost, set_anew))[0]])


def _compared(name: str, config: Config, found: Searched, front: Table, place: int) -> Comparison:
    """The design beside one of the front's, term by term."""
    page = found.study.page
    settings = picks.settings_of(found.study, front.take(np.array([place])))
    other = registry.starting_point(page, settings)
    both = (config, other)
    names = (name, found.name_of(place) or "the front's")
    return Comparison(page, names, both, tuple(answers.answer(page, one) for one in both))


def _troubles(near: Neighbourhood, config: Config) -> Iterator[str]:
    """All that the page tells of why a design cannot run, or is not covered."""
    page = near.study.page
    yield from (r.refusal for r in page.rules if not np.all(r.holds(config)))
    told = answers.answer(page, config)
    if not told["metrics"]["feasible"]["value"]:
        yield f"'{page.slug}' calls it infeasible: {page.metrics['feasible'].text}"
    values = {name: told["metrics"][name]["value"] for name in page.metrics}
    if lost := [name for name, value in values.items() if value is None]:
        yield f"unknown here: {listed(lost)}"
    ends = [n for n, v in values.items() if v == np.inf and page.metrics[n].sense != "max"]
    if ends:
        yield f"without end: {listed(ends)}"
    yield from told["warnings"]


def _verdict(
    near: Neighbourhood,
    found: Searched,
    held: tuple[Bound, ...],
    dominators: Mask,
    point: Array,
) -> Verdict:
    """How the design stands: the first that holds, from not covered to on the front."""
    study, table = near.study, near.table
    own = study.space.config({a.path: table[a.path][:1] for a in study.space.axes})
    if broken := [r.refusal for r in study.page.rules if not np.all(r.holds(own))]:
        return Verdict("not covered", f"the page does not cover it: {listed(broken)}")
    missed = [bound for bound in held if bound.missed]
    misses = f"misses {listed([bound.words for bound in missed])}"
    if not table["feasible"][0]:
        also = f", and it {misses}" if missed else ""
        return Verdict("cannot run", f"it cannot run{also}")
    if missed:
        return Verdict("misses", f"it {misses}")
    lost = [o.metric for o in study.objectives if not o.ranks(table[o.metric])[0]]
    if lost:
        values = listed([f"its {n} is {_told(study, n, float(table[n][0]))}" for n in lost])
        return Verdict("unknown", f"it meets every constraint, but {values}: not to be compared")
    if dominators.any():
        n = int(dominators.sum())
        return Verdict("dominated", f"it is dominated by {n:,} of {found.size:,} on the front")
    return _undominated(near, found, point)


def _undominated(near: Neighbourhood, found: Searched, point: Array) -> Verdict:
    if found.front is None:
        return Verdict("alone", "it meets every constraint, as nothing does that was searched")
    if _on_front(found, near):
        return Verdict("front", f"it is on the front, one of {found.size:,}")
    worse = int(beats(point[None, :], found.points).sum())
    ties = np.isclose(found.points, point, rtol=ROUNDING, atol=0.0).all(axis=1).sum()
    if ties:
        return Verdict("undominated", f"it ties with {ties:,} of {found.size:,} on the front")
    where = "it lies outside the study" if near.outside else "the search did not come to it"
    said = f"no design of the front dominates it, though {where}"
    return Verdict("undominated", f"{said}; it dominates {worse:,} of the {found.size:,}")


def _told(study: Study, metric: str, value: float) -> str:
    return units.show(value, study.metrics[metric].unit)
