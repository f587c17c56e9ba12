"""What a page covers around a design: choice by choice, number by number, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse import answers, registry
from dse.prices import in_words
from dse.ranges import Range, ranges
from dse.spec import AnyModel, Knob, Mask, Record, knobs
from dse.study import overlaid
from dse.verdicts import Settings, Verdict, read, verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Kind:
    """One way in which a page takes designs: several designs share it."""

    status: str
    """The worst of covered, unknown (a metric), warns (extrapolates), cannot run, refused."""
    flags: tuple[str, ...]
    """Flags and remarks of the page that they raise."""
    unknown: tuple[str, ...]
    """Metrics that are not known of them."""
    missing: tuple[str, ...]
    """Numbers that their rows lack and those metrics need; none where no row is at fault."""
    reason: str
    """Why they are refused, without the names of knob and row where it is the row."""


@dataclass(frozen=True)
class Cover:
    """A box of designs, each of one of a few kinds."""

    axes: Mapping[str, tuple[str, ...]]
    """Knob -> choices; one knob or two."""
    kinds: tuple[Kind, ...]
    """Most designs first."""
    codes: NDArray[np.intp]
    """The kind of each design, one dimension a knob."""
    reasons: NDArray[np.object_]
    """Why a design is refused, in the words of `eval`; empty where it is covered."""
    admitted: Mask
    """Designs of which the page can read every setting."""

    @property
    def held(self) -> int:
        """Designs that are covered."""
        return int(np.sum(self.reasons == ""))

    def spread(self) -> float:
        """Share of the designs that the page can read which are of another kind than most."""
        count = np.bincount(self.codes[self.admitted])
        return 1.0 - float(count.max() / count.sum()) if count.size else 0.0


@dataclass(frozen=True)
class Support:
    """What a page covers around one design."""

    page: AnyModel
    place: str
    """The file or run that the design is of; empty where a page's slug was given."""
    reason: str
    """Why the design itself is refused; empty where it is covered."""
    kind: Kind
    answer: answers.Answer
    """What `eval` says of it; empty where it is refused."""
    choices: tuple[Cover, ...]
    """Every category alone, the rest as in the design."""
    ranges: tuple[Range, ...]
    """Every number alone, the rest as in the design."""
    matrix: Cover | None
    """Two categories together; none on a page that has fewer."""
    prices: str
    """Which price list is in force."""

    def as_json(self) -> dict[str, Any]:
        """All of it, as scripts read it."""
        return {
            "model": self.page.slug,
            "covered": not self.reason,
            "reason": self.reason or None,
            "feasible": None if self.reason else self.kind.status != "cannot run",
            "warnings": self.answer.get("warnings", []),
            "prices": self.prices,
            "metrics": metric_rows(self),
            "choices": choice_rows(self.choices),
            "ranges": [asdict(found) for found in self.ranges],
            "matrix": None if self.matrix is None else _matrix_json(self.matrix),
        }


def metric_rows(found: Support) -> list[dict[str, object]]:
    """Every metric of the page: whether it is known of the design, and how it was checked."""
    told = found.answer.get("metrics", {})
    return [
        {
            "metric": name,
            "unit": metric.unit,
            "known": told[name]["value"] is not None if name in told else None,
            "tier": told[name]["tier"] if name in told else None,
        }
        for name, metric in found.page.metrics.items()
    ]


def choice_rows(covers: Sequence[Cover]) -> list[dict[str, object]]:
    """Every choice of every category, one row each."""
    return [
        {
            "knob": knob,
            "choice": slug,
            "verdict": kind.status,
            "flags": list(kind.flags),
            "unknown": list(kind.unknown),
            "missing": list(kind.missing),
            "reason": cover.reasons[i] or None,
        }
        for cover in covers
        for knob, slugs in cover.axes.items()
        for i, slug in enumerate(slugs)
        for kind in [cover.kinds[cover.codes[i]]]
    ]


def _matrix_json(cover: Cover) -> dict[str, object]:
    rows, columns = ({"knob": knob, "choices": list(s)} for knob, s in cover.axes.items())
    return {
        "rows": rows,
        "columns": columns,
        "kinds": [asdict(kind) for kind in cover.kinds],
        "cells": cover.codes.tolist(),
        "reasons": [[text or None for text in row] for row in cover.reasons.tolist()],
    }


def support(
    model: str | Path | None = None,
    settings: Settings | None = None,
    *,
    prices: str | Path | None = None,
) -> pd.DataFrame:
    """Every choice of a page around a design, one row each, or of all pages how many they cover.

    Columns: knob, choice, verdict, flags, unknown, missing, reason; of all pages model, knob,
    covered, of. `support_of(...)` holds the rest: the design's own verdict, numbers, pairs.

    Args:
        model: slug of a page, path of a design file, or `RUN:NAME`; all pages by default.
        settings: dotted knob -> value, laid over the design.
        prices: a price file that is laid over the shipped list.

    Raises:
        InputError: no such page, or a name that is no knob of it.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

    if model is None:
        return pd.DataFrame(overview())
    return pd.DataFrame(choice_rows(support_of(model, settings, prices=prices).choices))


def support_of(
    model: str | Path,
    settings: Settings | None = None,
    *,
    prices: str | Path | None = None,
) -> Support:
    """What a page covers around a design; see `support`."""
    with answers.priced_like([str(model)], prices):
        return _around(str(model), settings)


def _around(model: str, settings: Settings | None) -> Support:
    slug, held, place = answers.named(model)
    page, laid = registry.model(slug), overlaid(held, settings or {})
    whole = verdict(page, laid)
    reason = str(whole.reasons[()])
    config = None if reason else registry.configure(page, laid, place=place)
    choices = {knob.path: choice(page, laid, knob) for knob in _categories(page)}
    (kind,), _ = _sorted_out(page, whole, whole.reasons, _nothing(()))
    if kind.status in ("covered", "unknown") and config is not None and answers.beyond(config):
        kind = replace(kind, status="warns")
    return Support(
        page=page,
        place=place,
        reason=reason,
        kind=kind,
        answer={} if config is None else answers.answer(page, config),
        choices=tuple(choices.values()),
        ranges=ranges(page, laid),
        matrix=_matrix(page, laid, choices),
        prices=in_words(registry.prices()),
    )


def overview() -> list[dict[str, object]]:
    """How many networks, devices or other choices each page covers at its defaults."""
    return [
        {"model": slug, "knob": knob.path, "covered": cover.held, "of": cover.codes.size}
        for slug in registry.slugs()
        for page in [registry.model(slug)]
        for knob in main(page)
        for cover in [choice(page, {}, knob)]
    ]


def _categories(page: AnyModel) -> list[Knob]:
    return [knob for knob in knobs(page.config).values() if knob.catalog]


def main(page: AnyModel) -> list[Knob]:
    """The categories that a person asks of first: networks and devices, or else all of them."""
    telling = ("workloads", *registry.device_kinds())
    found = [k for k in _categories(page) if k.catalog and k.catalog.name in telling]
    return found or _categories(page)


def choice(page: AnyModel, settings: Settings, knob: Knob) -> Cover:
    """Every row of a category's catalog, the rest as in the settings."""
    slugs = _rows(knob)
    axes = {knob.path: slugs}
    found = verdict(page, settings, axes)
    missing = _missing(page, settings, knob, found)
    return _cover(page, axes, found, missing)


def _rows(knob: Knob) -> tuple[str, ...]:
    return tuple(registry.catalog(knob.catalog.name)) if knob.catalog else ()


def _matrix(page: AnyModel, settings: Settings, choices: Mapping[str, Cover]) -> Cover | None:
    """The pair of categories that tells most: a network and a device where the page has both."""

    def tells(knob: Knob) -> tuple[float, int]:
        cover = choices[knob.path]
        return cover.spread(), cover.codes.size

    asked = sorted(main(page), key=tells, reverse=True)
    nets = [knob for knob in asked if knob.catalog and knob.catalog.name == "workloads"]
    boards = [knob for knob in asked if knob not in nets]
    pair = (nets[0], boards[0]) if nets and boards else tuple(asked[:2])
    if len(pair) < 2:
        return None
    axes = {knob.path: _rows(knob) for knob in pair}
    found = verdict(page, settings, axes)
    return _cover(page, axes, found, _nothing(found.covered.shape))


def _nothing(shape: tuple[int, ...]) -> NDArray[np.object_]:
    return np.full(shape, "", dtype=object)


def _cover(
    page: AnyModel,
    axes: Mapping[str, tuple[str, ...]],
    found: Verdict,
    missing: NDArray[np.object_],
) -> Cover:
    kinds, codes = _sorted_out(page, found, _without_names(axes, found.reasons), missing)
    return Cover(axes, kinds, codes, found.reasons, found.admitted)


def _without_names(
    axes: Mapping[str, tuple[str, ...]], reasons: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Reasons that name a row, in words that rows have in common."""
    texts, code = np.unique(reasons.astype(str), return_inverse=True)
    common = np.array([_common(axes, str(text)) for text in texts], dtype=object)
    return common[code].reshape(reasons.shape)


def _common(axes: Mapping[str, tuple[str, ...]], reason: str) -> str:
    """One reason: "gpu: 'p4' has no known power" as "gpu has no known power"."""
    for path, slugs in axes.items():
        name, has, rest = reason.removeprefix(f"{path}: '").partition("' has ")
        if has and name in slugs:
            return f"{path} has {rest}"
    return reason


def _sorted_out(
    page: AnyModel, found: Verdict, reasons: NDArray[np.object_], missing: NDArray[np.object_]
) -> tuple[tuple[Kind, ...], NDArray[np.intp]]:
    """The kinds of designs in a box, most designs first, and the kind of each."""
    texts, why = np.unique(reasons.astype(str), return_inverse=True)
    lacks, what = np.unique(missing.astype(str), return_inverse=True)
    told = [found.runs, *found.flags.values(), *found.unknown.values(), why, what]
    columns = np.stack([np.reshape(column, -1).astype(np.intp) for column in told], axis=1)
    each, code, count = np.unique(columns, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(-count, kind="stable")
    kinds = []
    for row in each[order].tolist():
        runs, *masks, text, lack = row
        flags = tuple(n for n, on in zip(found.flags, masks, strict=False) if on)
        unknown = tuple(
            n for n, on in zip(found.unknown, masks[len(found.flags) :], strict=True) if on
        )
        reason, lacking = str(texts[text]), tuple(str(lacks[lack]).split())
        status = _status(page, reason, runs=bool(runs), flags=flags, unknown=unknown)
        kinds.append(Kind(status, flags, unknown, lacking, reason))
    return tuple(kinds), np.argsort(order)[code].reshape(found.covered.shape)


def _status(
    page: AnyModel, reason: str, *, runs: bool, flags: Sequence[str], unknown: Sequence[str]
) -> str:
    """The worst that is to be said of a design; a remark alone is no warning."""
    said = {
        "refused": bool(reason),
        "cannot run": not runs,
        "warns": any(name in page.flags for name in flags),
        "unknown": bool(unknown),
        "covered": True,
    }
    return next(status for status, true in said.items() if true)


def _missing(
    page: AnyModel, settings: Settings, knob: Knob, found: Verdict
) -> NDArray[np.object_]:
    """Numbers that each row lacks and an unknown metric needs, apart by spaces, shape (rows,).

    A number is needed when a metric stays unknown with all the other numbers of the row filled
    in from its neighbours.
    """
    unknown = np.array(list(found.unknown.values()))
    rows: tuple[Record, ...] = read(page, knob.path, _rows(knob))
    tried = [
        (i, name, _filled(rows[i], [row for row in rows if row is not None], name))
        for i in np.flatnonzero(unknown.any(axis=0)).tolist()
        for name in _open(rows[i])
    ]
    lacks = _nothing(found.covered.shape)
    if not tried:
        return lacks
    again = verdict(page, settings, {knob.path: [row for _, _, row in tried]})
    still = np.array(list(again.unknown.values()))
    for (i, name, _), left in zip(tried, still.T, strict=True):
        if np.any(left & unknown[:, i]):
            lacks[i] = f"{lacks[i]} {name}".strip()
    return lacks


def _open(row: Record) -> list[str]:
    """The numbers of a row that are not known."""
    return [name for name, value in row if isinstance(value, float) and isnan(value)]


def _filled(row: Record, rows: Sequence[Record], but: str) -> Record:
    """A row with its unknown numbers taken from the first row that knows them, but for one."""
    known = {
        name: next((v for r in rows if not isnan(v := getattr(r, name))), 1.0)
        for name in _open(row)
        if name != but
    }
    return type(row).model_validate({**dict(row), **known})
