"""What a run has found so far, read from its folder a little at a time: cheap however large it is.

The front comes from `front.csv`, the designs behind it are an even sample of what is stored, and
importances are PED-ANOVA's over such a sample.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dse import figures
from dse.archive import Archive, points_of
from dse.chart import Chart
from dse.errors import InputError
from dse.evaluate import BLOCK, Table, evaluate
from dse.search import draw_of, method_of
from dse.space import Axis
from dse.store import Run
from dse.study import Study

from .runs import stored

if TYPE_CHECKING:
    import pyarrow as pa

DRAWN = 4000
"""Designs of the sample that is drawn behind a front."""

WEIGHED = 2000
"""Designs of the sample that importances are of."""

FEWEST = 50
"""Designs below which importances say nothing."""

READ = 16
"""Parts that a sample of many designs is read from."""

REDRAWN = 50_000
"""Most designs that are priced anew to be compared with."""


def sample(run: Run, names: Sequence[str], limit: int) -> pa.Table:
    """Some columns of an even sample of the stored designs; idle knobs are null.

    Raises:
        InputError: a part is broken, or there is none yet.
    """
    import pyarrow as pa  # noqa: PLC0415 - a second of import that the live pages save
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    parts = run.parts
    if not parts:
        raise InputError(f"{run.path}: no designs are stored yet; wait, or resume the search")
    some = np.unique(np.linspace(0, len(parts) - 1, READ).astype(int))
    chosen = parts if stored(run) <= limit else [parts[i] for i in some]
    found = []
    for part in chosen:
        try:
            found.append(pq.read_table(part, columns=list(dict.fromkeys(names))))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{part}: not readable ({error}); delete it to resume") from None
    whole = pa.concat_tables(found)
    return whole.take(np.unique(np.linspace(0, len(whole) - 1, limit).astype(int)))


def designs(run: Run, study: Study, names: Sequence[str]) -> Table:
    """Some columns of a sample of the stored designs, as charts take them."""
    compared = [study.compare] if study.compare else []
    wanted = [*names, *compared, "accepted", "extrapolates"]
    found = sample(run, wanted, DRAWN)
    columns = {n: _column(study, n, found.column(n).to_pylist()) for n in found.column_names}
    units = {f.name: (f.metadata or {}).get(b"unit", b"").decode() for f in found.schema}
    return Table(columns, {k: v for k, v in units.items() if v}, _labels(study, columns))


def _labels(study: Study, names: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    return {n: a.labels for n, a in study.space.by_path.items() if a.rows and n in names}


def _column(study: Study, name: str, cells: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Numbers, truths or slugs as a column; a knob that plays no part takes its default."""
    axis = study.space.by_path.get(name)
    default = np.nan if axis is None else axis.default
    if axis is not None and axis.rows:
        codes = {slug: float(i) for i, slug in enumerate(axis.labels)}
        return np.array([default if cell in (None, "") else codes[cell] for cell in cells])
    if cells and all(cell in (True, False, "True", "False") for cell in cells):
        return np.array([cell in (True, "True") for cell in cells])
    return np.array([default if cell in (None, "") else float(cell) for cell in cells])


def front_of(run: Run, study: Study, like: Table) -> Table:
    """The front as it was last written, chances included; no rows of `like` before that."""
    lines = run.lines("front.csv")
    if not lines:
        return like.take(np.zeros(0, dtype=np.intp))
    heads = {head: head.partition(" [") for head in lines[0]}
    columns = {
        name: _column(study, name, [line[head] for line in lines])
        for head, (name, _, _) in heads.items()
    }
    units = {name: unit.removesuffix("]") for name, _, unit in heads.values() if unit}
    return Table(columns, units, _labels(study, columns))


def front(run: Run, study: Study, *, x: str, y: str) -> Chart:
    """The front in two columns before an even sample of what is stored.

    Raises:
        InputError: nothing is stored yet, or no such column.
    """
    behind = designs(run, study, [x, y])
    whole = front_of(run, study, behind)
    if len(whole) == 0:
        behind = designs(run, study, [x, y, *(axis.path for axis in study.space.axes)])
        whole = behind.take(np.zeros(0, dtype=np.intp))
    chart = figures.front(study, behind, whole, x=x, y=y, limit=DRAWN)
    return replace(chart, caption=f"{_sampled(run, len(behind))}{chart.caption}")


def _sampled(run: Run, count: int) -> str:
    total = stored(run)
    return f"An even sample of {count:,} of {total:,} stored designs. " * (count < total)


def growth(run: Run) -> Chart:
    """How the hypervolume grew, as it was last written."""
    return figures.growth(run.history())


@dataclass(frozen=True)
class Importance:
    """Which knobs tell the best tenth of the designs from the rest."""

    designs: int
    """Designs that meet every constraint, of the sample."""
    shares: Mapping[str, Mapping[str, float]]
    """Objective, or `the front` for all of them -> knob -> share, which sum to 1."""


FRONT = "the front"


def importance(run: Run, study: Study) -> Importance:
    """PED-ANOVA of a sample of the stored designs that meet every constraint.

    Watanabe, Bansal and Hutter, IJCAI 2023, as Optuna has it, with its rule for knobs that play
    no part in a design.

    Raises:
        InputError: too few designs, or nothing varies.
    """
    names = [axis.path for axis in study.space.axes]
    metrics = [objective.metric for objective in study.objectives]
    if not names:
        raise InputError("nothing varies in this study, so no knob can matter")
    found = sample(run, [*names, *metrics, "accepted"], WEIGHED)
    rows = [row for row in found.to_pylist() if row["accepted"]]
    points = [[o.sign * row[o.metric] for o in study.objectives] for row in rows]
    known = [i for i, point in enumerate(points) if np.isfinite(point).all()]
    if len(known) < FEWEST:
        raise InputError(
            f"{len(known)} of {len(found)} sampled designs meet every constraint, and importances "
            f"need {FEWEST}; search on, or loosen a constraint"
        )
    return Importance(
        len(known), _shares(study, [rows[i] for i in known], [points[i] for i in known])
    )


def _shares(
    study: Study, rows: Sequence[Mapping[str, Any]], points: Sequence[list[float]]
) -> dict[str, dict[str, float]]:
    import optuna  # noqa: PLC0415 - a second that the live pages save

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    asker = optuna.create_study(directions=["minimize"] * len(study.objectives))
    asker.add_trials([_trial(study, *pair) for pair in zip(rows, points, strict=True)])
    targets: dict[str, Any] = {
        objective.metric: (lambda trial, i=i: trial.values[i])
        for i, objective in enumerate(study.objectives)
    }
    if len(targets) > 1:
        targets[FRONT] = None
    with warnings.catch_warnings():  # it says that low is good, which is how points are signed
        warnings.simplefilter("ignore", UserWarning)
        return {
            name: optuna.importance.get_param_importances(
                asker, evaluator=evaluator, target=target
            )
            for name, target in targets.items()
        }


def _trial(study: Study, row: Mapping[str, Any], point: list[float]) -> Any:  # noqa: ANN401
    import optuna  # noqa: PLC0415 - as above

    played = [axis for axis in study.space.axes if row[axis.path] is not None]
    pairs = {axis.path: _distributed(axis, row[axis.path]) for axis in played}
    return optuna.trial.create_trial(
        params={path: value for path, (value, _) in pairs.items()},
        distributions={path: distribution for path, (_, distribution) in pairs.items()},
        values=point,
    )


def _distributed(axis: Axis, value: Any) -> tuple[Any, Any]:  # noqa: ANN401 - as Optuna takes it
    """A knob's value and what it was drawn from; levels count by their number."""
    from optuna import distributions  # noqa: PLC0415 - as above

    if axis.rows:
        return value, distributions.CategoricalDistribution(axis.labels)
    if axis.values:
        return axis.values.index(value), distributions.IntDistribution(0, len(axis.values) - 1)
    return value, distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def beside_random(run: Run, study: Study) -> str:
    """How the hypervolume compares with as many designs drawn at random, in words."""
    count, method = stored(run), method_of(study)
    if method == "random" or count > REDRAWN or not run.lines("front.csv"):
        return ""
    drawn = Archive(study)
    draw = draw_of(replace(study, search=study.search.model_copy(update={"method": "random"})))
    if draw is None:
        return ""
    for start in range(0, count, BLOCK):
        drawn.add(evaluate(study, draw(start, min(start + BLOCK, count))))
    if drawn.front is None:
        return f"{count:,} designs drawn at random hold none that meets every constraint."
    both = [(count, points_of(study, drawn.front))]
    own = Archive(study, seen=count, front=front_of(run, study, drawn.front), snapshots=both)
    there, here = (row["hypervolume"] for row in own.history())
    if not np.isfinite([there, here]).all() or here <= 0:
        return ""
    return (
        f"{count:,} designs drawn at random reach {there / here:.1%} of the hypervolume that "
        f"{method} reaches with as many."
    )
