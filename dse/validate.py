"""Published against predicted, fit and check rows apart, and the refit of fitted constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from dse import registry, units
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
    feasible: bool = True
    """Whether the page calls the published design feasible."""


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
    return priced(page, point, constants)[point.quantity]


def priced(
    page: AnyModel, point: Point, constants: Mapping[str, object] | None = None
) -> dict[str, float]:
    """All metrics of the page where a point was published.

    Raises:
        InputError: settings, a quantity or a unit that the page does not have.
    """
    place = f"models/{page.slug}/data.yaml: points.{point.id}"
    settings = nest(dict(point.settings) | dict(constants or {}))
    if point.quantity not in page.metrics:
        raise InputError(f"{place}: {unknown('quantity', point.quantity, page.metrics)}")
    unit = page.metrics[point.quantity].unit
    if units.si(unit) != units.si(point.number.unit):
        raise InputError(f"{place}: published in {point.number.unit}, predicted in {unit}")
    with np.errstate(divide="ignore", invalid="ignore"):
        result = page.evaluate(registry.configure(page, settings, place=place))
    return {name: float(value) for name, value in result.metrics.items()}


def relative_error(predicted: float, published: float) -> float:
    """How far a prediction is off, as a share of what was published; infinite beside a zero."""
    if published == 0:
        return 0.0 if predicted == 0 else math.copysign(math.inf, predicted)
    return predicted / published - 1.0


def rows(slug: str) -> list[Row]:
    """Every published point of a page with its prediction."""
    page = registry.model(slug)
    found = []
    for point in page.data.points:
        metrics = priced(page, point)
        predicted, published = metrics[point.quantity], point.number.value
        found.append(
            Row(
                model=slug,
                id=point.id,
                use=point.use,
                quantity=point.quantity,
                unit=point.number.unit,
                published=published,
                predicted=predicted,
                error=relative_error(predicted, published),
                kind=point.number.source.kind,
                where=point.number.source.where,
                feasible=bool(metrics["feasible"]),
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
    """A row as scripts read it; what is unknown or infinite is null."""
    keep = ("model", "id", "use", "quantity", "unit", "published", "predicted", "error")
    plain = {key: value for key, value in asdict(row).items() if key in keep}
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in plain.items()
    }


def fitted_constants(page: AnyModel) -> dict[str, tuple[str, ...]]:
    """The page's knobs that were fitted, and the points they were fitted on."""
    return {
        path: number.fitted_on
        for path, number in page.data.parameters.items()
        if number.source.kind == "fitted" and path in knobs(page.config)
    }


def left_out(page: AnyModel) -> list[Summary]:
    """Errors on each group of points when the constants are fitted on the others only."""
    fitted = {point.group for point in page.data.select("fit")} - {""}
    found = []
    for group in sorted(fitted) if len(fitted) > 1 else ():
        constants = fit(page, without=group)
        points = [point for point in page.data.points if point.group == group]
        errors = [abs(predict(page, p, constants) / p.number.value - 1.0) for p in points]
        mean = float(np.mean(errors))
        found.append(Summary(page.slug, f"without {group}", len(errors), mean, max(errors)))
    return found


def fit(page: AnyModel, *, without: str | None = None) -> dict[str, float]:
    """Refit the fitted knobs of a page: least squares of relative errors on their fit points.

    Args:
        page: the model.
        without: a group of points that the fit does not see.

    Returns:
        knob path -> value; equal to `data.yaml` when that is fresh.

    Raises:
        InputError: the page has no fitted knob, or was fitted on a point that is not a fit point.
    """
    constants = fitted_constants(page)
    wanted = {name for names in constants.values() for name in names}
    known = [point for point in page.data.select("fit") if point.id in wanted]
    if not constants:
        raise InputError(
            f"{page.slug}: no knob of the page was fitted, so there is nothing to fit"
        )
    if lost := wanted - {point.id for point in known}:
        raise InputError(f"{page.slug}: fitted on {min(lost)}, which is no fit point of the page")
    points = [point for point in known if without is None or point.group != without]
    published = np.array([point.number.value for point in points])
    start = {path: page.data.parameters[path].value for path in constants}

    def predicted(values: Mapping[str, float]) -> Array:
        return np.array([predict(page, point, values) for point in points])

    return solve(page, start, predicted, published).values


@dataclass(frozen=True)
class Solved:
    """Constants as least squares of relative errors leave them."""

    values: dict[str, float]
    slopes: Array
    """How the relative errors move with each constant, as a share of its size: rows, constants."""


def solve(
    page: AnyModel,
    start: Mapping[str, float],
    predicted: Callable[[Mapping[str, float]], Array],
    reference: Array,
) -> Solved:
    """Fit knobs of a page by least squares of relative errors, within the knobs' bounds.

    Args:
        page: the model.
        start: knob path -> value that the fit starts from, in SI.
        predicted: values of the knobs -> predictions, shape (rows,).
        reference: what they should be, none of them zero, shape (rows,).
    """
    from scipy.optimize import least_squares  # noqa: PLC0415 - a second that other verbs save

    at = np.array(list(start.values()))
    size = np.where(at == 0, 1.0, np.abs(at))

    def residuals(scale: Array) -> Array:
        values = dict(zip(start, (scale * size).tolist(), strict=True))
        return np.asarray(predicted(values) / reference - 1.0)

    low, high = _ends(page, list(start))
    inside = np.clip(at, low, high) / size
    found = least_squares(
        residuals, inside, bounds=(low / size, high / size), xtol=1e-12, ftol=1e-12
    )
    return Solved(dict(zip(start, (found.x * size).tolist(), strict=True)), found.jac)


def _ends(page: AnyModel, paths: Sequence[str]) -> tuple[Array, Array]:
    """The ranges that fitted knobs must stay in, so that no step of a fit leaves the page."""
    bounds = [knobs(page.config)[path].bounds for path in paths]
    low = np.array([found.low if found else -np.inf for found in bounds])
    high = np.array([found.high if found else np.inf for found in bounds])
    return low, high
