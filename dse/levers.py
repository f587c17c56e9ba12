"""Which knobs move a metric, as a terminal shows it: indices with bars, then single changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from dse import units
from dse.grids import new_grid
from dse.moves import Setting
from dse.outcome import at_prices
from dse.sensitivity import JUDGED, Sensitivity
from dse.sobol import LEVEL, Indices
from dse.spec import knobs
from dse.tornado import Best, Swing, change

METRICS = 4
"""Metrics of a design that are shown when nobody chose any."""

ROWS = 10
"""Knobs of one table; a script gets them all."""

SMALL = 0.01
"""Total order below which a knob is only named."""

LISTED = 8
"""Most knobs without a line of their own that are named."""

FACTOR = 10.0
"""Ratio from which a change is told as a factor and not in percent."""

WIDTH = 20
"""Characters of a bar for an index of 1."""

EIGHTHS = " ▏▎▍▌▋▊▉"

JUDGEMENTS = {"feasible": "whether a design can run", "accepted": "whether it meets every bound"}
"""What is said of truths that have indices."""


def sensitivity(out: Console, found: Sensitivity) -> None:
    """What was sampled, then each metric that anything moves, then what was left out."""
    _opening(out, found)
    telling = [name for name in found.metrics if _tells(found, name)]
    ranked = [name for name in telling if name not in JUDGED]
    cut = found.study is None and not found.asked.metrics
    shown = ranked[:METRICS] if cut else ranked
    for name in [*shown, *(name for name in telling if name in JUDGED)]:
        _metric(out, found, name)
    if left := [name for name in ranked if name not in shown]:
        out.print(f"not shown: {_some(left, len(left))}; ask for them by --metric")
    silent = [name for name in found.metrics if name not in telling and name not in JUDGED]
    if silent:
        out.print(f"nothing moves: {_some(silent, len(silent))}")
    _closing(out, found)


def _tells(found: Sensitivity, metric: str) -> bool:
    """Whether there is anything to say of a metric; too few rows is something, constant is not."""
    indices = found.indices.get(metric)
    moved = any(swing.size > 0 for swing in found.swings(metric))
    return moved or (indices is not None and indices.refusal != "constant")


def _opening(out: Console, found: Sensitivity) -> None:
    if found.study is not None:
        out.print(escape(found.study.question))
        where = f"over the space of {found.study.slug}"
    else:
        share = units.show(100 * found.reach, "1")
        where = f"around the design, numbers within {share} %, categories as they stand"
    if not found.indices:
        out.print(f"{found.page.slug}: no number varies, so there are no indices")
    else:
        stuck = found.designs - found.runs
        count = f"{found.designs:,} designs"
        left = f"; {stuck:,} of them cannot run and are left out" if stuck else ""
        size = f"{found.asked.samples:,} rows, seed {found.asked.seed}"
        out.print(escape(f"{found.page.slug}: {count} sampled {where} ({size}){left}"))
    if said := at_prices(found.page, found.prices):
        out.print(f"costs are{escape(said)}")
    out.print()


def _metric(out: Console, found: Sensitivity, metric: str) -> None:
    """Indices of one metric, its single changes, and the one that helps most."""
    out.print(f"[bold]{escape(metric)}[/bold]{escape(_heading(found, metric))}")
    if metric in found.indices:
        _indices(out, found.indices[metric])
    swings = [swing for swing in found.swings(metric) if swing.size > 0]
    if swings:
        _swings(out, found, metric, swings)
    drawn = found.tornado
    best = drawn.best(metric) if drawn is not None and metric in drawn.metrics else None
    if best is not None:
        out.print(escape(_help(found, best)))
    if text := _measure_first(found.drivers.get(metric)):
        out.print(f"  {escape(text)}")
    out.print()


def _heading(found: Sensitivity, metric: str) -> str:
    if metric in JUDGED:
        return f", {JUDGEMENTS[metric]}"
    facts, drawn = found.page.metrics[metric], found.tornado
    better = {"min": ", lower is better", "max": ", higher is better"}.get(facts.sense, "")
    if drawn is None or not drawn.runs_here:
        return better
    return f"{better}: {units.show(drawn.here[metric], facts.unit)} as it stands"


def _indices(out: Console, indices: Indices) -> None:
    if indices.refusal:
        out.print(f"  no indices: {indices.refusal}")
        return
    named = f"ln({indices.metric})" if indices.ln else indices.metric
    grid = new_grid(
        f"variance of {named}",
        "total",
        f"{100 * LEVEL:.0f} % interval",
        "",
        "first",
        right=(1, 2, 4),
    )
    told = [i for i in indices.ranked if indices.total[i] >= SMALL]
    for i in told[:ROWS]:
        low, high = indices.total_ends[:, i]
        grid.add_row(
            escape(indices.inputs[i]),
            f"{indices.total[i]:.2f}",
            "unknown" if math.isnan(low) else f"{low:.2f} to {high:.2f}",
            bar(float(indices.total[i])),
            _hundredths(float(indices.first[i])),
        )
    out.print(grid)
    for words, some in (
        ("less", told[ROWS:]),
        (f"below {SMALL}", [i for i in indices.ranked if 0 < indices.total[i] < SMALL]),
        ("no effect", [i for i in indices.ranked if indices.total[i] == 0]),
    ):
        if some:
            out.print(f"  {words}: {_some([indices.inputs[i] for i in some])}")
    if indices.approximate:
        share = f"{indices.left_out:,} of {indices.designs:,} designs"
        out.print(f"  approximate: {share} hold no value, {indices.rows:,} rows compare")


def bar(share: float) -> str:
    """A share of 1 as a bar of text.

    >>> bar(0.51), bar(-0.1)
    ('██████████▎', '')
    """
    whole, part = divmod(round(8 * WIDTH * min(max(share, 0.0), 1.0)), 8)
    return ("█" * whole + EIGHTHS[part]).rstrip()


def _swings(out: Console, found: Sensitivity, metric: str, swings: Sequence[Swing]) -> None:
    unit, all_knobs = found.page.metrics[metric].unit, knobs(found.page.config)
    fixed = found.tornado.fixed if found.tornado else set()
    grid = new_grid("one change at a time", "stands at", "least", "most", "elasticity", right=(4,))
    for swing in swings[:ROWS]:
        knob_unit = all_knobs[swing.knob].unit
        ends = ((swing.low, swing.low_at), (swing.high, swing.high_at))
        cells = [_end(value, unit, at, knob_unit, swing.setting) for value, at in ends]
        grid.add_row(
            escape(swing.knob + " (fitted)" * (swing.knob in fixed)),
            escape(written(swing.setting, knob_unit)),
            *map(escape, cells),
            "" if swing.elasticity is None else _hundredths(swing.elasticity, "+"),
        )
    out.print(grid)
    if len(swings) > ROWS:
        out.print(f"  less: {_some([swing.knob for swing in swings[ROWS:]])}")


def _end(value: float, unit: str, at: Setting, knob_unit: str, here: Setting) -> str:
    where = "as it stands" if at == here else f"at {written(at, knob_unit)}"
    return f"{units.show(value, unit)} {where}"


def written(setting: Setting, unit: str) -> str:
    """A setting as people read it: a slug, or a number with its unit."""
    return setting if isinstance(setting, str) else units.show(setting, unit or "1")


def _help(found: Sensitivity, best: Best) -> str:
    """The change that helps most, and what it costs elsewhere."""
    unit = knobs(found.page.config)[best.knob].unit
    facts = found.page.metrics
    value = units.show(best.value, facts[best.metric].unit)
    text = (
        f"helps most: {best.knob} = {written(best.setting, unit)}, {value}"
        f"{_relative(best.here, best.value)}"
    )
    here = found.tornado.here if found.tornado else {}
    worse = [
        f"{name} {units.show(worst, facts[name].unit)}{_relative(here[name], worst)}"
        for name, worst in best.worsens.items()
    ]
    more = f" and {len(worse) - 3} more" if len(worse) > 3 else ""
    return f"  {text}" + (f"; worsens {', '.join(worse[:3])}{more}" if worse else "")


def _measure_first(errors: Indices | None) -> str:
    """Which error the interval of a metric rests on most; nothing where none moves it."""
    if errors is None or errors.refusal:
        return ""
    told = [
        f"{errors.inputs[i]} ({errors.total[i]:.2f} of the variance)"
        for i in errors.ranked
        if errors.total[i] >= SMALL
    ]
    more = f"; then {', '.join(told[1:])}" if len(told) > 1 else ""
    return f"unsure of {errors.metric}: measure {told[0]} first{more}" if told else ""


def _relative(here: float, there: float) -> str:
    """A change against the design: in percent, as a factor where it is more than tenfold."""
    share = change(here, there)
    if not math.isfinite(share):
        return ""
    return f" ({100 * share:+.3g} %)" if share < FACTOR - 1 else f" (x{there / here:.3g})"


def _hundredths(value: float, sign: str = "-") -> str:
    """Two decimals, and no sign before a zero."""
    return f"{round(value, 2) + 0.0:{sign}.2f}"


def _some(names: Sequence[str], most: int = LISTED) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return escape(", ".join(names[:most]) + more)


def _closing(out: Console, found: Sensitivity) -> None:
    if found.indices:
        out.print(
            "total: share of the variance that a knob has a hand in; first: what it does alone. "
            "Where totals add up to more than 1, knobs act together"
        )
    drawn = found.tornado
    if drawn is None:
        out.print("no design of the sample can run, so nothing was changed alone")
        return
    if found.study is not None:
        known = knobs(found.page.config)
        told = ", ".join(f"{k}={written(v, known[k].unit)}" for k, v in drawn.start.items())
        out.print(escape(f"single changes are made from {told}"))
    if not drawn.runs_here:
        _freed(out, found)
    skipped = {knob: drawn.counts(knob) for knob in drawn.start}
    told_of = [
        f"{knob} {out_of} of {tried}" for knob, (tried, out_of) in skipped.items() if out_of
    ]
    if told_of:
        out.print(f"skipped, not covered or unable to run: {_some(told_of)}")
    for reason, names in _by_reason(drawn.still).items():
        out.print(f"left alone, since {escape(reason)}: {_some(names)}")


def _freed(out: Console, found: Sensitivity) -> None:
    """What makes a design run that cannot."""
    drawn = found.tornado
    freed = drawn.frees() if drawn else []
    units_of = {path: knob.unit for path, knob in knobs(found.page.config).items()}
    told = [f"{knob} = {written(setting, units_of[knob])}" for knob, setting in freed]
    free = (
        f"{len(told)} single changes free it: {_some(told)}" if told else "no single change does"
    )
    out.print(f"the design cannot run as it stands; {free}")


def _by_reason(still: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, reason in still.items():
        found.setdefault(reason, []).append(path)
    return found
