"""Designs of one page side by side: where they differ, what each answers, term by term."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dse.answers import Answer, answer, design
from dse.breakdown import Breakdown, broken_down
from dse.certainty import known_from
from dse.errors import InputError, placed
from dse.spec import AnyModel, Config, at, knobs, plain
from dse.study import overlaid, parse_settings

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("terms", "resources")
"""The parts of an answer that hold plain numbers by name."""


@dataclass(frozen=True)
class Comparison:
    """Priced designs of one page; the others are compared with the first."""

    page: AnyModel
    names: tuple[str, ...]
    configs: tuple[Config, ...]
    answers: tuple[Answer, ...]
    """What each design answers, as `dse eval` says it."""

    @cached_property
    def differing(self) -> dict[str, list[object]]:
        """The knobs that differ: dotted path -> value in each design, slugs for records."""
        values = {k: [plain(at(c, k)) for c in self.configs] for k in knobs(self.page.config)}
        return {path: row for path, row in values.items() if any(v != row[0] for v in row)}

    def named(self, group: str) -> list[str]:
        """Every term or resource that some design has, largest of the first design first."""
        found = dict.fromkeys(name for held in self.answers for name in held[group])
        return sorted(found, key=lambda name: -(self.answers[0][group].get(name) or 0.0))

    def values(self, group: str) -> dict[str, Sequence[float | None]]:
        """Terms or resources: name -> value in each design; 0 where a design has none."""
        return {n: [held[group].get(n, 0.0) for held in self.answers] for n in self.named(group)}

    def made_of(self) -> Breakdown[Sequence[float | None]] | None:
        """The total, or the metric in its place, and what it is made of in each design."""
        metrics = {
            name: [held["metrics"][name]["value"] for held in self.answers]
            for name in self.page.metrics
        }
        return broken_down(self.page, metrics, self.values("terms"))

    def as_json(self) -> Answer:
        """The designs as scripts read them; terms and resources of each are its own."""
        return {
            "model": self.page.slug,
            "differ": list(self.differing),
            "designs": [
                {
                    "name": name,
                    "knobs": {path: row[i] for path, row in self.differing.items()},
                    **{key: value for key, value in found.items() if key != "model"},
                }
                for i, (name, found) in enumerate(zip(self.names, self.answers, strict=True))
            ],
        }

    def to_pandas(self) -> pd.DataFrame:
        """A row a design; columns are pairs such as `("metrics", "latency")`.

        Beside a metric stand `latency_low`, `latency_high` and `latency_tier`;
        `frame.attrs["units"]` holds the units of knobs and metrics, by name.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

        columns: dict[tuple[str, str], Sequence[object]] = {
            ("knobs", path): row for path, row in self.differing.items()
        }
        for name in self.page.metrics:
            values = [found["metrics"][name]["value"] for found in self.answers]
            columns["metrics", name] = values if name == "feasible" else _known(values)
            if name != "feasible":
                columns |= self._sure(name)
        for group in GROUPS:
            for name in self.named(group):
                columns[group, name] = _known(held[group].get(name) for held in self.answers)
        columns["", "bottleneck"] = [found["bottleneck"] for found in self.answers]
        columns["", "warnings"] = [len(found["warnings"]) for found in self.answers]
        frame = pd.DataFrame(columns, index=pd.Index(self.names, name="design"))
        units = {path: knob.unit for path, knob in knobs(self.page.config).items() if knob.unit}
        metrics = {n: m.unit for n, m in self.page.metrics.items()}
        ends = {f"{n}_{end}": unit for n, unit in metrics.items() for end in ("low", "high")}
        frame.attrs["units"] = units | metrics | ends
        return frame

    def _sure(self, name: str) -> dict[tuple[str, str], Sequence[object]]:
        """Columns of a metric's intervals and tiers."""
        found = [held["metrics"][name] for held in self.answers]
        ends = {("metrics", f"{name}_{k}"): _known(m[k] for m in found) for k in ("low", "high")}
        return {**ends, ("metrics", f"{name}_tier"): [known_from(metric) for metric in found]}


def _known(values: Iterable[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def compare(
    designs: Sequence[str],
    settings: Mapping[str, object],
    variants: Mapping[str, Mapping[str, object]],
) -> Comparison:
    """Designs of one page, and variants laid over the only design there is.

    Args:
        designs: slugs, paths of design files, or `RUN:NAME` for designs of runs.
        settings: laid over every design.
        variants: name -> settings that are laid over the design and its settings.

    Raises:
        InputError: fewer than two designs, designs of several pages, or one that does not fit.
    """
    if variants and len(designs) != 1:
        raise InputError(f"--with varies one design, got {len(designs)}; name one, or drop --with")
    if len(designs) + len(variants) < 2:
        raise InputError("a comparison needs two designs; name another, or vary it by --with")
    read = {name: design(name, settings) for name in designs}
    page = _shared({name: found for name, (found, _) in read.items()})
    configs = [read[name][1] for name in designs]
    for name, over in variants.items():
        with placed(f"--with {name}"):
            configs.append(design(designs[0], overlaid(settings, over))[1])
    answers = tuple(answer(page, config) for config in configs)
    return Comparison(page, (*designs, *variants), tuple(configs), answers)


def _shared(pages: Mapping[str, AnyModel]) -> AnyModel:
    """The page that all designs are of."""
    (first, page), *others = pages.items()
    for name, other in others:
        if other.slug != page.slug:
            raise InputError(
                f"designs must share their model to be compared, got {first} of '{page.slug}' "
                f"and {name} of '{other.slug}'; compare those of one model"
            )
    return page


def parse_variants(texts: Iterable[str]) -> dict[str, dict[str, object]]:
    """Read `--with 'a=1,b.c=2 GB/s'`: a variant's name is its text.

    Raises:
        InputError: a part that is not `knob=value`, or a variant given twice.

    >>> parse_variants(["chips=4, price=1,000 USD"])
    {'chips=4, price=1,000 USD': {'chips': 4, 'price': '1,000 USD'}}
    """
    found: dict[str, dict[str, object]] = {}
    for text in texts:
        if text in found:
            raise InputError(f"--with '{text}' is given twice; drop one")
        found[text] = parse_settings(re.split(r",(?=\s*[\w.]+\s*=)", text), option="--with")
    return found
