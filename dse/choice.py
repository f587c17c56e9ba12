"""Which metrics of a page are shown: those that are asked for, or those that a person ranks by."""

from __future__ import annotations

from collections.abc import Sequence

from dse.errors import unknown
from dse.spec import AnyModel


def numbers(page: AnyModel) -> list[str]:
    """The metrics that are numbers: all but the truth whether a design can run."""
    return [name for name in page.metrics if name != "feasible"]


def chosen(page: AnyModel, asked: Sequence[str] = ()) -> list[str]:
    """The metrics that are asked for; by default the total and all with a better direction.

    Raises:
        InputError: the page has no such metric, or it is a truth and no number.
    """
    for name in asked:
        if name not in numbers(page):
            raise unknown("metric", name, numbers(page))
    ranked = (name for name in numbers(page) if page.metrics[name].sense)
    return list(dict.fromkeys(asked or (page.total, *ranked)))
