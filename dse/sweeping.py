"""A sweep: every combination of a few knobs of a page, as a study without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dse import documents, registry
from dse.certainty import widened
from dse.errors import InputError
from dse.evaluate import Table, refused, stream
from dse.search import draw_of, total_of
from dse.spec import AnyModel, knobs
from dse.study import Study, build

DRAWN = 2048
"""Most designs of a page that joins others that get intervals: each is priced many times."""


def asked(
    model: str,
    over: Mapping[str, str | Sequence[object]],
    settings: Mapping[str, object] | None = None,
) -> Study:
    """The grid of a sweep as a study without a file."""
    page = registry.model(model)
    document: dict[str, object] = {
        "question": f"how {page.slug} answers over {', '.join(over)}",
        "model": model,
        "set": dict(settings or {}),
        "space": {path: _axis(page, path, text) for path, text in over.items()},
        "objectives": [next(n for n, metric in page.metrics.items() if metric.sense)],
        "search": {"method": "grid", "budget": 10**9},
    }
    return build(model, document, place="sweep")


def _axis(page: AnyModel, path: str, text: str | Sequence[object]) -> object:
    """`1,2,4` as choices; `low..high`, `low..high:levels` or with `:log` as a range."""
    if not isinstance(text, str):
        return list(text)
    low, dots, rest = text.partition("..")
    if not dots:
        if text.strip() == "all":
            return "all"
        return [_scalar(part, path) for part in text.split(",")]
    high, *options = rest.split(":")
    known = knobs(page.config).get(path)
    axis: dict[str, object] = {"low": _scalar(low, path), "high": _scalar(high, path)}
    counts = [option for option in options if option != "log"]
    if counts:
        axis["levels"] = _scalar(counts[0], path)
    axis["log"] = "log" in options or bool(known and known.bounds and known.bounds.log)
    return axis


def parse_over(texts: Sequence[str]) -> dict[str, str]:
    """Read `--over knob=values`: the values stay text.

    Raises:
        InputError: a text without values, or a knob that is given twice.

    >>> parse_over(["fpgas=1,2,4"])
    {'fpgas': '1,2,4'}
    """
    found: dict[str, str] = {}
    for pair in texts:
        path, equals, text = pair.partition("=")
        if not equals or not text.strip():
            raise InputError(f"--over '{pair}' must read knob=values, for example fpgas=1,2,4")
        if path.strip() in found:
            raise InputError(f"--over {path.strip()} is given twice; list its values in one")
        found[path.strip()] = text
    return found


def _scalar(text: str, path: str) -> object:
    if not text.strip():
        raise InputError(f"--over {path}: an empty value; write {path}=1,2,4 or {path}=1..8:4")
    return documents.parse(text.strip(), name=f"--over {path}")


def priced(
    model: str,
    over: Mapping[str, str | Sequence[object]],
    settings: Mapping[str, object] | None = None,
    *,
    jobs: int = 1,
    prices: str | Path | None = None,
) -> Table:
    """Every combination of the swept values, priced; see `verbs.sweep`.

    Intervals and tiers stand beside the metrics; more than `DRAWN` designs of a page that joins
    others have none.
    """
    with registry.priced_by(prices):
        study = asked(model, over, settings)
    draw = draw_of(study)
    if draw is None:
        raise InputError("a sweep enumerates; use 'dse search' for a sampled space")
    count = total_of(study)
    tables = stream(study, draw, start=0, stop=count, jobs=jobs)
    if study.page.uncertain and count > DRAWN:
        return Table.concat(list(tables))
    return Table.concat([widened(study, table) for table in tables])


def refusals(
    model: str,
    over: Mapping[str, str | Sequence[object]],
    table: Table,
    settings: Mapping[str, object] | None = None,
) -> list[str]:
    """Why designs of a sweep are not covered by the page, with their number."""
    found = refused(asked(model, over, settings), table)
    return [f"{count:,} of {len(table):,} designs: {text}" for text, count in found.items()]
