"""What was asked, and the answer in two sentences."""

from __future__ import annotations

from dse.certainty import CHANCES, HEAD, chance, grouped, of_column
from dse.spec import knobs
from dse.study import Objective
from dse.winners import flat_warnings

from .section import Block, Context, Facts, Paragraph, Section
from .wording import (
    SENSES,
    active,
    at_prices,
    bound,
    cell,
    held,
    listed,
    quantity,
    setting,
    sure,
    words,
)

NAMED = 4
"""Knobs that name the balanced design in the verdict; the table of designs holds them all."""


def verdict(context: Context) -> str:
    """The answer in two sentences: how many designs hold, and which one to look at first."""
    facts = context.environment
    if not context.feasible:
        tried = f"Not one of {_count(facts['designs'])} meets every constraint."
        return f"{tried} What keeps them out: {listed(context.misses)}."
    goals = [words(objective.metric) for objective in context.study.objectives]
    at_once = " at once" if len(goals) > 1 else ""
    meet = "meets" if facts["accepted"] == 1 else "meet"
    return (
        f"Of {_count(facts['designs'])} {facts['accepted']:,} {meet} every constraint, and no "
        f"other design beats {len(context.front):,} of them in {listed(goals)}{at_once}. "
        f"The balanced one {_reached(context, context.balanced)}{at_prices(context)}"
        f"{_rivals(context) or _alone(context)}."
    )


def _count(designs: int) -> str:
    return f"{designs:,} design{'s' * (designs != 1)}"


def _reached(context: Context, row: int) -> str:
    reached = [
        f"{words(o.metric)} {sure(context.best, o.metric, row)}" for o in context.study.objectives
    ]
    return f"({_named(context, row)}) reaches {listed(reached)}"


def _rivals(context: Context) -> str:
    """What the best design of every other compared choice reaches, dominated or not."""
    said = ""
    for row, why in enumerate(context.why):
        name, *rest = why.split(", ")
        if name.startswith("balanced "):
            beaten = " and is dominated" if "dominated" in rest else ""
            said += f"; the {name} {_reached(context, row)}{beaten}"
    return said


def _named(context: Context, row: int) -> str:
    """The knobs that tell a recommended design from others, categories first."""
    study, best = context.study, context.best
    axes = [axis for axis in study.space.axes if active(study, best, axis.path)[row]]
    chosen = sorted(axes, key=lambda axis: not axis.rows)[:NAMED]
    named = [(words(axis.path), cell(best, axis.path, row)) for axis in chosen]
    return ", ".join(f"{name} {value}" for name, value in named) or "the only design"


def _alone(context: Context) -> str:
    """How far each objective goes when the others do not count."""
    if len(context.best) < 2:
        return ""
    ends = [f"{words(o.metric)} {_end(context, o)}" for o in context.study.objectives]
    return f"; taken alone, each objective goes as far as {listed(ends)}"


def _end(context: Context, objective: Objective) -> str:
    column = context.front[objective.metric]
    end = column.min() if objective.sign > 0 else column.max()
    return quantity(float(end), context.study.metrics[objective.metric].unit)


def build(context: Context) -> list[Block]:
    """The question, the verdict, and what the study wants and holds fixed."""
    study = context.study
    paper = study.page.paper
    return [
        Paragraph(study.question, "quote"),
        Paragraph(verdict(context), "verdict"),
        *([Paragraph(_certainty(context))] if context.feasible else []),
        *(Paragraph(f"Warning: {text}.", "warning") for text in _warnings(context)),
        Facts(
            [
                *_group("Objective", [_goal(context, o) for o in study.objectives]),
                *_group("Constraint", [bound(study, limit) for limit in study.constraints]),
                *_group("Held fixed", _held(context)),
                ("Page", f"{study.page.slug}: {paper.title} ({paper.venue} {paper.year})"),
            ]
        ),
    ]


def _certainty(context: Context) -> str:
    """What the brackets of the verdict are, and how likely the balanced design keeps its place."""
    goals = [objective.metric for objective in context.study.objectives]
    known = {words(goal): of_column(context.best, goal) for goal in goals}
    belongs, meets = (float(context.best[name][context.balanced]) for name in CHANCES)
    return (
        f"Brackets hold {HEAD}s; what they rest on is {'; '.join(grouped(known))}. With errors "
        f"drawn from them, the balanced design is not dominated in {chance(belongs)} of draws and "
        f"meets every constraint in {chance(meets)}."
    )


def _group(name: str, texts: list[str]) -> list[tuple[str, str]]:
    """Facts of one kind; the first carries the name."""
    return [(name if i == 0 else "", text) for i, text in enumerate(texts)]


def _warnings(context: Context) -> list[str]:
    """What makes the answer weaker than it looks."""
    found = list(context.study.warnings)
    if context.feasible:
        found += flat_warnings(context.study, context.front, context.constant)
    if not context.environment["finished"]:
        found.append("the search was interrupted, so some designs were never priced")
    if context.feasible and context.best["extrapolates"].any():
        found.append("a recommended design lies outside the range its page is meant for")
    return found


def _goal(context: Context, objective: Objective) -> str:
    metric = context.study.metrics[objective.metric]
    return f"{words(objective.metric)}, {SENSES[metric.sense]}: {metric.text}"


def _held(context: Context) -> list[str]:
    """Settings that the study holds fixed, in one line."""
    units = {path: knob.unit for path, knob in knobs(context.study.page.config).items()}
    said = [
        f"{words(path)} {setting(value, units[path])}"
        for path, value in held(context.study).items()
    ]
    return [", ".join(said)] if said else []


SECTION = Section(order=10, title="Question and answer", build=build)
