"""Designs of the page on DnD, and what it says of published points."""

from dse import registry, validate
from dse.provenance import Point
from dse.spec import Result
from models.dnd.config import Binary
from models.dnd.model import MODEL

LENET = {
    "parameters": 5994,
    "operators": [
        {"slug": "convolution", "kind": "convolution", "calls": 2},
        {"slug": "activation", "kind": "elementwise", "calls": 2},
        {"slug": "pooling", "kind": "elementwise", "calls": 2},
        {"slug": "linear", "kind": "gemm", "calls": 1},
    ],
}
"""The network of the tool's own MNIST binary."""


def design(**knobs: object) -> Binary:
    found = registry.configure(MODEL, knobs)
    assert isinstance(found, Binary)
    return found


def priced(**knobs: object) -> Result:
    return MODEL.evaluate(design(**knobs))


def metric(name: str, **knobs: object) -> float:
    return float(priced(**knobs).metrics[name])


def error(point: Point) -> float:
    return validate.predict(MODEL, point) / point.number.value - 1


def point(name: str) -> Point:
    return next(one for one in MODEL.data.points if one.id == name)
