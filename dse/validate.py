"""Published against predicted, fit and check rows apart, and the refit of fitted constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from dse import registry
from dse.errors import InputError, unknown
from dse.provenance import Point
from dse.spec import AnyModel, Array, knobs
from dse.study import nest


@dataclass(frozen=True)
class Row:
    """One published point beside what the page predicts; numbers in SI."""

    model: str
    id: str
    use: str
    quantity: str
    unit: str
    published: float
    predicted: float
    error: float
    """Relative: predicted / published - 1."""
    kind: str
    """How the published number is known."""
    where: str


@dataclass(frozen=True)
class Summary:
    """Errors of one page's rows of one use."""

    model: str
    use: str
    rows: int
    mean: float
    worst: float


def predict(page: AnyModel, point: Point, constants: Mapping[str, object] | None = None) -> float:
    """The page's answer where a point was published."""
    place = f"models/{page.slug}/data.yaml: points.{point.id}"
    settings = nest(dict(point.settings) | dict(constants or {}))
    metrics = page.evaluate(registry.configure(page, settings, place=place)).metrics
    if point.quantity not in metrics:
        raise InputError(f"{place}: {unknown('quantity', point.quantity, metrics)}")
    return float(metrics[point.quantity])


def rows(slug: str) -> list[Row]:
    """Every published point of a page with its prediction."""
    page = registry.model(slug)
    found = []
    for point in page.data.points:
        predicted = predict(page, point)
        published = point.number.value
        found.append(
            Row(
                model=slug,
                id=point.id,
                use=point.use,
                quantity=point.quantity,
                unit=point.number.unit,
                published=published,
                predicted=predicted,
                error=predicted / published - 1.0,
                kind=point.number.source.kind,
                where=point.number.source.where,
            )
        )
    return found


def summaries(found: Sequence[Row]) -> list[Summary]:
    """Mean and worst absolute error by page and use."""
    groups: dict[tuple[str, str], list[float]] = {}
    for row in found:
        groups.setdefault((row.model, row.use), []).append(abs(row.error))
    return [
        Summary(model, use, len(errors), float(np.mean(errors)), max(errors))
        for (model, use), errors in groups.items()
    ]


def as_json(row: Row) -> dict[str, object]:
    """A row as scripts read it."""
    keep = ("model", "id", "use", "quantity", "unit", "published", "predicted", "error")
    return {key: value for key, value in asdict(row).items() if key in keep}


def fitted_constants(page: AnyModel) -> dict[str, tuple[str, ...]]:
    """The page's knobs that were fitted, and the points they were fitted on."""
    return {
        path: number.fitted_on
        for path, number in page.data.parameters.items()
        if number.source.kind == "fitted" and path in knobs(page.config)
    }


def fit(page: AnyModel) -> dict[str, float]:
    """Refit the fitted knobs of a page: least squares of relative errors on their fit points.

    Returns:
        knob path -> value; equal to `data.yaml` when that is fresh.

    Raises:
        InputError: the page has no fitted knob, or was fitted on a point that is not a fit point.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415 - a second that other verbs save

    constants = fitted_constants(page)
    wanted = {name for names in constants.values() for name in names}
    points = [point for point in page.data.select("fit") if point.id in wanted]
    if not constants or len(points) < len(wanted):
        raise InputError(f"{page.slug}: nothing to fit, or a constant names points of another use")
    start = np.array([page.data.parameters[path].value for path in constants])

    def residuals(scale: Array) -> Array:
        values = dict(zip(constants, scale * start, strict=True))
        return np.array([predict(page, p, values) / p.number.value - 1.0 for p in points])

    found = least_squares(residuals, np.ones(len(start)), xtol=1e-12, ftol=1e-12)
    return dict(zip(constants, (found.x * start).tolist(), strict=True))
