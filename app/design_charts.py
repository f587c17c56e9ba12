"""The charts of one design: what its total is made of, its roof, and what one change would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dse import figures, levers_charts, registry, roofline_chart, tornado, units
from dse.answers import Answer
from dse.breakdown import broken_down, nothing
from dse.chart import Chart, words
from dse.errors import InputError
from dse.levers import written
from dse.roofs import Roof, roofs
from dse.side_by_side import ratio
from dse.spec import AnyModel, knobs
from dse.tornado import Best, Tornado

from . import design
from .compared import configured
from .design import Settings

TOLD = 3
"""Most metrics that a helpful change makes worse and that are named."""

FREED = 8
"""Most single changes that are named by which a design runs."""


def terms(page: AnyModel, settings: Mapping[str, object]) -> tuple[Chart | None, str]:
    """What a design's total is made of, or in words why there is no such chart."""
    priced = design.price(page, settings)
    if priced.answer is None:
        return None, priced.refusal
    metrics = {name: _number(entry["value"]) for name, entry in priced.answer["metrics"].items()}
    broken = broken_down(page, metrics, _terms(priced.answer))
    if broken is None:
        return None, f"{nothing(page)}."
    total = priced.answer["metrics"][broken.metric]
    chart = figures.breakdown(page, broken, (total["low"], total["high"]))
    return chart, chart.caption


def _terms(answer: Answer) -> dict[str, float]:
    return {name: _number(value) for name, value in answer["terms"].items()}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def roofs_of(page: AnyModel, settings: Mapping[str, object]) -> Sequence[Roof]:
    """The roofs of a design; none where the page declares none, or refuses it."""
    try:
        return roofs(*configured(page.slug, settings))
    except InputError:
        return ()


def roofline(found: Sequence[Roof], name: str) -> Chart | None:
    """The roof of a name, else the first."""
    named = [roof for roof in found if roof.name == name]
    return roofline_chart.roofline((named or found)[0]) if found else None


@dataclass(frozen=True)
class Levers:
    """What single changes do to one metric: a chart, words, and the change that helps most."""

    chart: Chart | None
    said: str
    helps: Settings = field(default_factory=dict)
    """Knob -> setting; nothing where no change helps."""


def levers(page: AnyModel, settings: Mapping[str, object], metric: str) -> Levers:
    """Every knob of a design changed alone.

    Args:
        page: the model.
        settings: the design.
        metric: whose change is drawn.
    """
    try:
        found = tornado.around(*configured(page.slug, settings))
    except InputError as error:
        return Levers(None, str(error))
    if not found.runs_here:
        return Levers(None, _frees(found))
    if all(swing.size == 0 for swing in found.swings(metric)):
        return Levers(None, f"No single change moves {words(metric).lower()}.")
    chart, best = levers_charts.tornado(found, metric), found.best(metric)
    if best is None:
        return Levers(chart, f"No single change makes {words(metric).lower()} better.")
    return Levers(chart, _helps(found, best), {best.knob: best.setting})


def _helps(found: Tornado, best: Best) -> str:
    """The change that helps most, and what it costs elsewhere."""
    at = written(best.setting, knobs(found.page.config)[best.knob].unit)
    said = (
        f"Helps most: {best.knob} = {at}, which gives {_reached(found, best.metric, best.value)}"
    )
    worse = [f"{name} to {_reached(found, name, to)}" for name, to in best.worsens.items()]
    more = f" and {len(worse) - TOLD} more" if len(worse) > TOLD else ""
    return said + (f"; it worsens {', '.join(worse[:TOLD])}{more}." if worse else ".")


def _reached(found: Tornado, metric: str, value: float) -> str:
    """What a metric becomes, and how that stands to the design."""
    unit = found.page.metrics[metric].unit
    change = ratio(value, found.here[metric], unit)
    return units.show(value, unit) + (f" ({change})" if change else "")


def _frees(found: Tornado) -> str:
    """The single changes by which a design runs that cannot."""
    known = knobs(found.page.config)
    told = [f"{path} = {written(at, known[path].unit)}" for path, at in found.frees()]
    if not told:
        return "This design cannot run, and no single change lets it."
    more = f" and {len(told) - FREED} more" if len(told) > FREED else ""
    return f"This design cannot run. With one change it does: {'; '.join(told[:FREED])}{more}."


def rows_of(page: AnyModel, settings: Mapping[str, object]) -> dict[str, list[str]]:
    """Knob and slug of each row that a design takes -> its numbers, each with where it stands."""
    found: dict[str, list[str]] = {}
    for path, knob in knobs(page.config).items():
        if knob.catalog is not None and (told := _numbers(knob.catalog.name, str(settings[path]))):
            found[f"{path} = {settings[path]}"] = told
    return found


def _numbers(catalog: str, slug: str) -> list[str]:
    """The numbers of a row in words; none of a network, which its family works out."""
    slugged, _, table = catalog.partition(".")
    if catalog == "workloads":
        return []
    rows = registry.model(slugged).data.tables[table] if table else registry.devices(catalog)
    held = {k: n for k, n in rows.get(slug, {}).items() if not isinstance(n, str)}
    listed = {} if table else registry.prices().tables["prices"]["prices"]
    price = listed.get(slug)
    if price is not None and not isinstance(price, str):
        held["price"] = price
    return [
        f"{words(name)} {units.show(n.value, n.unit)}: {n.source.where} ({n.source.kind})"
        for name, n in held.items()
    ]
