"""Everything that is known of a page, read once, for the report of it and for that of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse import cross, registry, scores, validate
from dse.choice import numbers
from dse.cross import Beside, Crossing
from dse.exposition import Exposition, exposition
from dse.grounds import Ground, grounds
from dse.scores import Card, Score
from dse.spec import AnyModel, Result
from dse.trust_charts import grounds_of
from dse.validate import Row


@dataclass(frozen=True)
class Dossier:
    """What a page, its mechanism and its paper say of one another; nothing hangs on the clock."""

    page: AnyModel
    told: Exposition
    result: Result
    """What the page says of its default design."""
    sure: Mapping[str, Ground]
    """Metric of the default design -> what it rests on."""
    rows: tuple[Row, ...]
    """Published points with their predictions."""
    grounds: Mapping[str, Ground]
    """Published point -> what its prediction rests on."""
    executed: Mapping[str, Beside]
    """Published point -> what the mechanism says of it, where it could be run."""
    crossing: Crossing | None
    note: str
    """Why the mechanism's answers are missing though there is one."""
    card: Card
    date: str

    def score(self, comparison: str, use: str) -> Score | None:
        """The score of one comparison and use, where there are such rows."""
        found = [s for s in self.card.scores if (s.comparison, s.use) == (comparison, use)]
        return found[0] if found else None

    @property
    def ranked(self) -> list[str]:
        """Metrics that play a part at the defaults: the total, what is published most, others."""
        published = Counter(row.quantity for row in self.rows)
        sensed = [name for name in numbers(self.page) if self.page.metrics[name].sense]
        names = [self.page.total, *(name for name, _ in published.most_common()), *sensed]
        known = {n: float(self.result.metrics[n]) for n in dict.fromkeys(names)}
        return [name for name, value in known.items() if np.isfinite(value) and value]


def gather(slug: str, *, date: str) -> Dossier:
    """What is known of a page; no mechanism is executed, its kept answers are read.

    Raises:
        InputError: no such page.
    """
    page = registry.model(slug)
    config = registry.configure(page, {}, place=slug)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = page.evaluate(config)
    crossing, note = cross.from_kept(slug)
    return Dossier(
        page=page,
        told=exposition(page),
        result=result,
        sure=grounds(page, config, result),
        rows=tuple(validate.rows(slug)),
        grounds=grounds_of(slug),
        executed={point.id: point for point in crossing.points} if crossing else {},
        crossing=crossing,
        note=note,
        card=scores.card(slug, crossing, note),
        date=date,
    )
