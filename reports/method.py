"""How the designs were searched: space, method, how the front grew, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dse import figures, units
from dse.archive import VOLUME
from dse.evaluate import Table, evaluate
from dse.pareto import grounded, hypervolume, nondominated
from dse.search import method_of
from dse.space import Axis
from dse.spec import Array
from dse.study import Study
from dse.winners import points_of

from .section import Block, Context, DataTable, Facts, Figure, Paragraph, Section
from .wording import words

CHOICES = 12
"""Choices of a category that are written out."""

RANDOM = 4096
"""Random designs that the front is held against."""

SEED = 0
"""Of the random designs."""


def build(context: Context) -> list[Block]:
    """The search in facts, the space in a table, its growth in a figure."""
    return [
        Facts(_facts(context)),
        _space(context),
        *_growth(context),
        Paragraph(_beside_random(context)),
        *_left_out(context),
    ]


def _facts(context: Context) -> list[tuple[str, str]]:
    facts, study = context.environment, context.study
    size = "continuous" if study.space.continuous else f"{facts['grid']:,} designs"
    share = 100 * facts["accepted"] / max(facts["designs"], 1)
    return [
        ("Method", _method(str(facts["method"]))),
        ("Space", f"{len(study.space.axes)} knobs, {size}"),
        ("Budget and seed", f"{study.search.budget:,} designs, seed {facts['seed']}"),
        ("Designs priced", f"{_priced(facts)} in {units.show(facts['seconds'], 's')}"),
        (
            "Accepted",
            f"{facts['accepted']:,} ({share:.3g} %) feasible and within every constraint",
        ),
        *(
            ("Not compared", f"{count:,} more, whose {words(metric)} is unknown or infinite")
            for metric, count in facts.get("not_compared", {}).items()
        ),
        ("On the front", f"{len(context.front):,}"),
        ("Finished", "yes" if facts["finished"] else "no: it was interrupted"),
    ]


def _priced(facts: Mapping[str, Any]) -> str:
    repeats = facts.get("repeats", 0)
    return f"{facts['designs']:,}" + (f" ({repeats:,} of them repeats)" if repeats else "")


def _method(name: str) -> str:
    known = {
        "grid": "grid: every combination of levels, so the front is exact on them",
        "random": "random: independent uniform samples",
        "qmc": "qmc: a scrambled Sobol sequence",
        "nsga2": "nsga2: a genetic search by non-dominated sorting; near the front, not exact",
        "nsga3": "nsga3: a genetic search by reference points; near the front, not exact",
        "tpe": "tpe: tree-structured Parzen estimators; near the front, not exact",
        "gp": "gp: Gaussian processes; near the front, not exact",
    }
    return known.get(name, name)


def _space(context: Context) -> DataTable:
    axes = context.study.space.axes
    return DataTable(
        ["Knob", "Varies over", "Only if"],
        [[words(a.path), _range(a), " and ".join(map(str, a.when)) or "always"] for a in axes],
        "The knobs that vary. A knob whose condition fails keeps its default and adds no design.",
        widths=(25, 50, 25),
    )


def _range(axis: Axis) -> str:
    if axis.rows:
        shown = ", ".join(axis.labels[:CHOICES])
        more = len(axis.labels) - CHOICES
        return f"{shown} and {more} more" if more > 0 else shown
    if len(axis.values) and len(axis.values) <= CHOICES:
        return ", ".join(units.show(value, axis.unit) for value in axis.values)
    ends = axis.values or (axis.low, axis.high)
    low, high = units.show(min(ends), axis.unit), units.show(max(ends), axis.unit)
    levels = f"{len(axis.values)} levels" if axis.values else "continuous"
    return f"{low} to {high}, {levels}{', logarithmic' if axis.log else ''}"


def _growth(context: Context) -> list[Block]:
    history = [dict(row) for row in context.history]
    if len({row["designs"] for row in history}) < 3:
        return []
    chart = figures.growth(history)
    return [Figure(figures.svg(chart), chart.caption)]


def _beside_random(context: Context) -> str:
    """How much of the front as many random designs find, or as many as are priced quickly."""
    if not context.feasible:
        return "There is no front to hold against that of random designs."
    count = min(context.environment["designs"], _affordable(context.study))
    volumes = beside_random(context.study, context.front, context.designs, count)
    if volumes is None:
        return (
            "The front is not held against that of random designs: its hypervolume in so many "
            "objectives would take too long."
        )
    found, first = volumes
    whole = count == context.environment["designs"]
    beside = (
        f"; the first {count:,} of this search had reached {100 * first:.3g} %"
        if first is not None and not whole
        else ""
    )
    budget = "as many" if whole else f"{count:,}"
    return (
        f"Random search at equal budget: {budget} random designs, seed {SEED}, dominate "
        f"{100 * found:.3g} % of the hypervolume of this front{beside}."
    )


def _affordable(study: Study) -> int:
    """Random designs that are priced in a moment; bounds that ask for a probability are dear."""
    drawn = bool(study.page.uncertain)
    sure = drawn and any(limit.confidence is not None for limit in study.constraints)
    return RANDOM // 16 if sure else RANDOM


def beside_random(
    study: Study, front: Table, designs: Table, count: int
) -> tuple[float, float | None] | None:
    """Hypervolume of random designs, and of the first of a search, over that of its front.

    Args:
        study: what was searched.
        front: its front.
        designs: what was priced, with the number of each as `row`.
        count: random designs that are priced, and first ones that are taken.

    Returns:
        both shares, the second None where not all of those are at hand or an order of levels says
        nothing; nothing where the front is too large for its hypervolume.
    """
    best = points_of(study, front)
    if best.shape[1] > 3 and len(best) > VOLUME:
        return None
    table = evaluate(study, study.space.sample(_shares(study, count)))
    early = designs.take(designs["row"] < count)
    told = len(early) == count and method_of(study) != "grid"
    found = points_of(study, table.take(table["accepted"]))
    first = points_of(study, early.take(early["accepted"])) if told else found
    ever = np.concatenate([best, found, first])
    final = grounded(best, ever)
    low, high = final.min(axis=0), final.max(axis=0)
    reference = high + 0.1 * np.where(high > low, high - low, np.abs(high) + 1.0)
    volumes = [_volume(points, ever, reference) for points in (best, found, first)]
    return volumes[1] / volumes[0], volumes[2] / volumes[0] if told else None


def _shares(study: Study, count: int) -> Array:
    width = max(len(study.space.axes), 1)
    return np.random.default_rng(SEED).random((count, width))


def _volume(points: Array, ever: Array, reference: Array) -> float:
    return hypervolume(grounded(points[nondominated(points)], ever), reference)


def _left_out(context: Context) -> list[Block]:
    left = context.environment["left_out"]
    if not left:
        return [Paragraph("No choice of a catalog was left out.")]
    reasons: dict[str, list[str]] = {}
    for slug, reason in left.items():
        reasons.setdefault(_general(str(reason), slug), []).append(slug)
    return [
        DataTable(
            ["Left out", "Why"],
            [[", ".join(slugs), reason] for reason, slugs in reasons.items()],
            "Rows of catalogs that no design uses.",
            widths=(55, 45),
        )
    ]


def _general(reason: str, slug: str) -> str:
    """A reason without the row it was given for, so that equal reasons join."""
    return reason.removeprefix(f"'{slug}' ")


SECTION = Section(order=65, title="How it was searched", build=build)
