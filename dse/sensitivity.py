"""Which knob matters: Sobol indices over a whole region, and one change at a time from a design.

For a study the region is its space; an axis whose condition does not hold has no effect there.
For a design it is the numbers around it, categories as they stand; where it joins pages, the
errors that its intervals rest on are weighed as well, and the largest is to be measured first.
Designs that are not covered or cannot run are left out of every metric; that they are is a metric
of its own, `feasible`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dse import moves, registry, tornado
from dse.choice import chosen, numbers
from dse.drivers import drivers
from dse.errors import InputError, unknown
from dse.evaluate import evaluate, keep_memory
from dse.moves import REACH
from dse.provenance import Sheet
from dse.sobol import SAMPLES, Columns, Indices, Input, Progress, Scale, indices, silent
from dse.space import Space
from dse.spec import AnyModel, Config, Mask, knobs
from dse.study import Study
from dse.tornado import Best, Swing, Tornado

if TYPE_CHECKING:
    import pandas as pd

JUDGED = ("feasible", "accepted")
"""Truths about a design that have indices too: whether it can run, and meets every constraint."""


@dataclass(frozen=True)
class Asked:
    """How sensitivities are asked for."""

    metrics: tuple[str, ...] = ()
    """By default a study's objectives and bounded metrics, a page's total and ranked metrics."""
    knobs: tuple[str, ...] = ()
    """Knobs of a design; by default all but networks."""
    reach: float | None = None
    """Share of itself by which a design's numbers move; `REACH` by default."""
    samples: int = SAMPLES
    """Rows of the Sobol sample, a power of two."""
    seed: int = 0
    scale: Scale = "auto"
    """Whether indices are of a metric's logarithm."""


@dataclass(frozen=True)
class Sensitivity:
    """Which knobs move the metrics of a design or of a study."""

    page: AnyModel
    study: Study | None
    """The study whose space was sampled; none for a design."""
    asked: Asked
    metrics: tuple[str, ...]
    indices: Mapping[str, Indices]
    """Metric -> indices; none where no number varies."""
    designs: int
    """Designs of the sample."""
    runs: int
    """Those of them that are covered and can run."""
    tornado: Tornado | None
    """Single changes of a design; none for a study where nothing runs."""
    prices: Sheet
    """The price list that devices are priced by."""
    drivers: Mapping[str, Indices] = field(default_factory=dict)
    """Metric -> indices over the errors behind its interval, for a design that joins pages."""

    @property
    def reach(self) -> float:
        """Share of itself by which a design's numbers move."""
        return REACH if self.asked.reach is None else self.asked.reach

    def swings(self, metric: str) -> list[Swing]:
        """How far each knob alone moves a metric, the farthest first."""
        known = self.tornado is not None and metric in self.tornado.metrics
        return self.tornado.swings(metric) if known and self.tornado else []

    def to_pandas(self) -> pd.DataFrame:
        """A row for each metric and knob, the largest total order of a metric first.

        Columns: metric, knob, total and first with their ends, ln (whether of the logarithm), and
        of the single changes low, low_at, high, high_at, elasticity; NaN where there is none.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

        frame = pd.DataFrame(row for metric in self.metrics for row in self._rows(metric))
        frame.attrs["units"] = {n: m.unit for n, m in self.page.metrics.items()} | {
            path: knob.unit for path, knob in knobs(self.page.config).items()
        }
        return frame

    def _rows(self, metric: str) -> list[dict[str, object]]:
        orders = {str(row["knob"]): row for row in _orders(self.indices.get(metric))}
        changes = {swing.knob: _swing(swing) for swing in self.swings(metric)}
        return [
            {"metric": metric, "knob": knob, "ln": self._ln(metric)}
            | orders.get(knob, {})
            | changes.get(knob, {})
            for knob in dict.fromkeys((*orders, *changes))
        ]

    def _ln(self, metric: str) -> bool:
        return metric in self.indices and self.indices[metric].ln

    def as_json(self) -> dict[str, object]:
        """Everything as scripts read it; what is unknown is null."""
        return {
            "model": self.page.slug,
            "study": self.study.slug if self.study else None,
            "range": None if self.study else self.reach,
            "samples": self.asked.samples,
            "seed": self.asked.seed,
            "designs": self.designs,
            "runs": self.runs,
            "metrics": {metric: self._metric(metric) for metric in self.metrics},
            "changes": _changes(self.tornado) if self.tornado else None,
        }

    def _metric(self, metric: str) -> dict[str, object]:
        found, drawn = self.indices.get(metric), self.tornado
        facts = self.page.metrics.get(metric)
        best = drawn.best(metric) if drawn and metric in drawn.metrics else None
        return {
            "unit": facts.unit if facts else "1",
            "better": facts.sense if facts else "max",
            "ln": self._ln(metric),
            "left_out": found.left_out if found else None,
            "rows": found.rows if found else None,
            "approximate": found.approximate if found else None,
            "refusal": found.refusal or None if found else "no number varies",
            "indices": _orders(found),
            "here": _known(drawn.here[metric]) if drawn and metric in drawn.here else None,
            "swings": [{"knob": s.knob, **_swing(s)} for s in self.swings(metric)],
            "best": _best(best) if best else None,
            "interval_driven_by": _orders(self.drivers.get(metric), "error"),
        }


def _orders(found: Indices | None, what: str = "knob") -> list[dict[str, object]]:
    """Indices as rows, the largest total order first; none where there are none."""
    if found is None or found.refusal:
        return []
    return [
        {
            what: found.inputs[i],
            "total": _known(found.total[i]),
            "total_low": _known(found.total_ends[0, i]),
            "total_high": _known(found.total_ends[1, i]),
            "first": _known(found.first[i]),
            "first_low": _known(found.first_ends[0, i]),
            "first_high": _known(found.first_ends[1, i]),
        }
        for i in found.ranked
    ]


def _swing(swing: Swing) -> dict[str, object]:
    return {
        "low": swing.low,
        "low_at": swing.low_at,
        "high": swing.high,
        "high_at": swing.high_at,
        "elasticity": swing.elasticity,
    }


def _best(best: Best) -> dict[str, object]:
    worsens = {name: _known(value) for name, value in best.worsens.items()}
    return {**vars(best), "worsens": worsens}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _changes(found: Tornado) -> dict[str, object]:
    """What was tried around the design, as plain data."""
    counts = {knob: found.counts(knob) for knob in found.start}
    return {
        "runs_as_it_stands": found.runs_here,
        "start": dict(found.start),
        "tried": {knob: tried for knob, (tried, _) in counts.items()},
        "skipped": {knob: skipped for knob, (_, skipped) in counts.items() if skipped},
        "left_alone": dict(found.still),
        "frees": [{"knob": knob, "setting": setting} for knob, setting in found.frees()],
    }


@dataclass
class _Sampled:
    """Prices blocks of a sample, and counts what can run."""

    price: Callable[[Columns], tuple[Mask, Columns]]
    """Columns of knobs -> which designs can run, and their metrics."""
    designs: int = 0
    runs: int = 0

    def __call__(self, columns: Columns) -> Columns:
        runs, metrics = self.price(columns)
        self.designs += len(runs)
        self.runs += int(np.sum(runs))
        held = {name: np.where(runs, values, np.nan) for name, values in metrics.items()}
        return held | {name: metrics[name] for name in JUDGED if name in metrics}


def of_design(
    page: AnyModel, config: Config, asked: Asked, *, progress: Progress = silent
) -> Sensitivity:
    """Which knobs of a page matter around a scalar design.

    Raises:
        InputError: an unknown metric or knob, a share or a size that does not fit.
    """
    names = chosen(page, asked.metrics)
    reach = REACH if asked.reach is None else asked.reach
    changed = tornado.around(page, config, reach=reach, asked=asked.knobs)
    axes, _ = moves.ranges_of(page, config, reach=reach, asked=asked.knobs)
    space = Space(config, tuple(axes.values()))

    def price(columns: Columns) -> tuple[Mask, Columns]:
        runs, metrics = tornado.answers(page, space.config(columns), _size(columns))
        return runs, {**{name: metrics[name] for name in names}, "feasible": runs.astype(float)}

    sampled = _Sampled(price)
    found = _indices(space, sampled, asked, progress) if axes else {}
    return Sensitivity(
        page=page,
        study=None,
        asked=asked,
        metrics=(*names, "feasible"),
        indices=found,
        designs=sampled.designs,
        runs=sampled.runs,
        tornado=changed,
        prices=registry.prices(),
        drivers=drivers(page, config, names, samples=asked.samples, seed=asked.seed),
    )


def of_study(
    study: Study,
    asked: Asked,
    *,
    start: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> Sensitivity:
    """Which axes of a study matter over its space.

    Args:
        study: the study.
        asked: what is wanted.
        start: the design from which single changes are made, as `moves.along` takes it; by
            default the study's own starting point.
        progress: called with designs done and designs in all.

    Raises:
        InputError: an unknown metric, an option that only designs take, or a study of one design.
    """
    if asked.knobs or asked.reach is not None:
        raise InputError(
            "--knob and --range are for a design; a study varies what its file says, "
            "drop them or fix an axis by --set"
        )
    names = _wanted(study, asked.metrics)
    judged = JUDGED if study.constraints else JUDGED[:1]

    def price(columns: Columns) -> tuple[Mask, Columns]:
        table = evaluate(study, study.space.canonical(columns))
        return table["feasible"], {name: table[name].astype(float) for name in (*names, *judged)}

    sampled = _Sampled(price)
    found = _indices(study.space, sampled, asked, progress)
    begun = start if start is not None else moves.start_of(study, seed=asked.seed)
    changed = None if begun is None else tornado.along(study, begun)
    return Sensitivity(
        page=study.page,
        study=study,
        asked=asked,
        metrics=(*names, *judged),
        indices=found,
        designs=sampled.designs,
        runs=sampled.runs,
        tornado=changed,
        prices=study.prices,
    )


def _wanted(study: Study, asked: Sequence[str]) -> list[str]:
    for name in asked:
        if name not in numbers(study.page):
            raise unknown("metric", name, numbers(study.page))
    own = [o.metric for o in study.objectives] + [c.metric for c in study.constraints]
    return [name for name in dict.fromkeys(asked or own) if name != "feasible"]


def _indices(
    space: Space, sampled: _Sampled, asked: Asked, progress: Progress
) -> dict[str, Indices]:
    keep_memory()
    inputs = [Input(axis.path, axis.at) for axis in space.axes]
    return indices(
        inputs,
        sampled,
        samples=asked.samples,
        seed=asked.seed,
        scale=asked.scale,
        progress=progress,
    )


def _size(columns: Columns) -> int:
    return len(next(iter(columns.values())))
