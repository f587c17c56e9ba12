"""How the designs were searched: space, method, how the front grew, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dse import figures, units
from dse.space import Axis

from .section import Block, Context, DataTable, Facts, Figure, Paragraph, Section
from .wording import words

CHOICES = 12
"""Choices of a category that are written out."""


def build(context: Context) -> list[Block]:
    """The search in facts, the space in a table, its growth in a figure."""
    return [
        Facts(_facts(context)),
        _space(context),
        *_growth(context),
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


SECTION = Section(order=60, title="How it was searched", build=build)
