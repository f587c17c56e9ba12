"""Searches that learn: Optuna proposes a generation, the page prices it as one array."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from dse.archive import points_of
from dse.errors import InputError
from dse.evaluate import Table, evaluate
from dse.spec import Array
from dse.study import Study

GENERATION = {"nsga2": 64, "nsga3": 64, "tpe": 16, "gp": 4}
"""Designs that Optuna is asked for at once."""


def _distributions(study: Study) -> dict[str, Any]:
    from optuna.distributions import (  # noqa: PLC0415 - only Optuna's methods need it
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    found: dict[str, Any] = {}
    for axis in study.space.axes:
        if axis.rows:
            choices = [axis.labels[int(code)] for code in axis.values]
            found[axis.path] = CategoricalDistribution(choices)
        elif axis.values:
            found[axis.path] = IntDistribution(0, len(axis.values) - 1)
        else:
            found[axis.path] = FloatDistribution(axis.low, axis.high, log=axis.log)
    return found


def _columns(study: Study, asked: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """What Optuna asked for as columns, inactive knobs at their defaults."""
    columns = {}
    for axis in study.space.axes:
        given = [params[axis.path] for params in asked]
        if axis.rows:
            columns[axis.path] = np.array([axis.labels.index(name) for name in given], dtype=float)
        else:
            columns[axis.path] = axis.grid[given] if axis.values else np.array(given)
    return study.space.canonical(columns)


def _sampler(method: str, seed: int) -> Any:  # noqa: ANN401 - Optuna is imported only here
    from optuna import exceptions, samplers  # noqa: PLC0415 - only Optuna's methods need it

    size = GENERATION[method]
    with warnings.catch_warnings():  # our pin of Optuna is what keeps its interface still
        warnings.simplefilter("ignore", exceptions.ExperimentalWarning)
        if method == "nsga2":
            return samplers.NSGAIISampler(population_size=size, seed=seed)
        if method == "nsga3":
            return samplers.NSGAIIISampler(population_size=size, seed=seed)
        if method == "tpe":
            return samplers.TPESampler(seed=seed)
        return samplers.GPSampler(seed=seed)


def require(method: str) -> None:
    """Check that what a method needs is installed.

    Raises:
        InputError: it needs an extra that is not there.
    """
    if method == "gp" and find_spec("torch") is None:
        raise InputError(
            "method gp needs PyTorch; install the extra 'dse-codesign[gp]' or use tpe"
        )


def generations(study: Study, method: str) -> Iterator[Table]:
    """Priced generations until the budget is spent; the same seed proposes the same designs."""
    import optuna  # noqa: PLC0415 - 0.2 s that other methods save

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    minimise = optuna.study.StudyDirection.MINIMIZE
    asker = optuna.create_study(
        directions=[minimise] * len(study.objectives),
        sampler=_sampler(method, study.search.seed),
    )
    distributions = _distributions(study)
    size, budget = GENERATION[method], study.search.budget
    for start in range(0, budget, size):
        trials = [asker.ask(distributions) for _ in range(min(size, budget - start))]
        table = evaluate(study, _columns(study, [trial.params for trial in trials]))
        _tell(study, asker, trials, table)
        yield table


def _tell(study: Study, asker: Any, trials: Sequence[Any], table: Table) -> None:  # noqa: ANN401
    from optuna.trial import TrialState  # noqa: PLC0415 - only Optuna's methods need it

    points = points_of(study, table)
    missed = [c.violation(table[c.column]) for c in study.constraints]
    for i, trial in enumerate(trials):
        if not (points[i] < np.inf).all():  # false for NaN too; -inf is infinitely good
            asker.tell(trial, state=TrialState.FAIL)
            continue
        trial.set_constraint("feasible", 0.0 if table["feasible"][i] else 1.0)
        for constraint, violation in zip(study.constraints, missed, strict=True):
            trial.set_constraint(constraint.text, float(violation[i]))
        asker.tell(trial, points[i].tolist())
