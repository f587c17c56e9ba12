"""What drives the interval of a design: which error of a prediction to measure first.

A page that joins others holds truth over prediction of each in a knob (`Model.uncertain`). Sobol
indices over the errors of those pages say what share of a metric's spread each brings. An error
is one input wherever it stands; where several rows of a category have it, as two GPUs do, what
they share is one input and what each has alone another. Two pieces of one Student's t are taken
as independent, which keeps its variance but not its exact shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse import interval, joint, registry
from dse.interval import Error
from dse.sobol import Columns, Indices, Input, indices
from dse.spec import AnyModel, Array, Config, at
from dse.tornado import answers

INNER = 0.98
"""Share of each error that is drawn: Student's t of two groups has no finite variance."""


@dataclass(frozen=True)
class _Source:
    """The error that one knob of a design holds."""

    knob: str
    name: str
    """Page and metric whose check rows speak of it."""
    row: str
    """The category's row that it is of; empty where rows err alike."""
    sign: int
    error: Error

    def ratio(self, columns: Columns, parts: Mapping[str, float]) -> Array:
        """Truth over prediction, drawn: the parts of the error are shares of its distribution."""
        from scipy.special import stdtrit  # noqa: PLC0415 - 60 ms that listing and help save

        drawn = (
            weight * stdtrit(self.error.freedom, columns[name]) for name, weight in parts.items()
        )
        return np.asarray(np.exp(self.sign * self.error.scale * sum(drawn)))


def drivers(
    page: AnyModel, config: Config, metrics: Sequence[str], *, samples: int, seed: int = 0
) -> dict[str, Indices]:
    """Sobol indices of metrics over the errors of the pages that a design joins.

    Args:
        page: the model; one that joins no others has a single error and nothing to rank.
        config: a design of scalars.
        metrics: those wanted; one that no checked error moves has a refusal.
        samples: rows of the sample, a power of two.
        seed: same seed, same result.

    Returns:
        metric -> indices, of its logarithm where it is positive; inputs are named by page, metric
        and row.
    """
    sources = _sources(page, config)
    if not sources:
        return {}
    parts = _parts(sources)
    names = dict.fromkeys(name for held in parts.values() for name in held)

    def price(columns: Columns) -> Columns:
        ratios = {s.knob: s.ratio(columns, parts[s.knob]) for s in sources}
        rows = len(next(iter(columns.values())))
        _, found = answers(page, type(config).batched(ratios, config), rows)
        return {name: found[name] for name in metrics}

    inputs = [Input(name, _inner) for name in names]
    return indices(inputs, price, samples=samples, seed=seed, scale="ln")


def _inner(shares: Array) -> Array:
    """Shares of an error's whole distribution that lie in its inner part."""
    return np.asarray(0.5 + INNER * (shares - 0.5))


def _sources(page: AnyModel, config: Config) -> list[_Source]:
    """The errors of a design that were checked."""
    found = []
    for knob, uncertain in page.uncertain.items():
        judged, sign = interval.judged_by(registry.model(uncertain.page), uncertain.metric)
        where = joint.regimes(uncertain, config)
        regime = next(name for name, mask in where.items() if bool(np.all(mask)))
        known = interval.own_errors(uncertain.page)
        error = interval.error_in(known, judged, regime)
        row = str(at(config, uncertain.per).slug) if uncertain.per else ""
        if error is not None:
            found.append(_Source(knob, f"{uncertain.page} {judged}", row, sign, error))
    return found


def _parts(sources: Sequence[_Source]) -> dict[str, dict[str, float]]:
    """Knob -> the inputs that its error is the sum of, and how much of each."""
    rows: dict[str, set[str]] = {}
    for source in sources:
        rows.setdefault(source.name, set()).add(source.row)
    found = {}
    for source in sources:
        alone = f"{source.name} of {source.row}" if source.row else source.name
        own = source.error.own if len(rows[source.name]) > 1 else 1.0
        common = {f"{source.name} in common": np.sqrt(1 - own)} if own < 1 else {}
        found[source.knob] = {**common, alone: np.sqrt(own)}
    return found
