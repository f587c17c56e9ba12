"""What the Compare page saves: the table, the figures, and each design for `dse eval`."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from dse import documents, figures
from dse.certainty import known_from
from dse.comparison import GROUPS, Comparison
from dse.errors import InputError, unknown
from dse.prices import in_force
from dse.spec import AnyModel, Config, Record, at, knobs
from dse.spec import whole as in_full
from dse.study import nest

from .compare_tables import charts
from .compared import Compared
from .context import Context

File = dict[str, str]
"""A file as a browser saves it: content, filename and type."""


def whole(context: Context, found: Compared, what: str) -> File:
    """The `table`, or a figure by its kind.

    Raises:
        InputError: there is nothing to compare, or no such figure.
    """
    if found.found is None:
        raise InputError("there is no comparison to save; add a second design")
    stem = f"compare-{found.found.page.slug}"
    if what == "table":
        return {"content": as_csv(found.found), "filename": f"{stem}.csv", "type": "text/csv"}
    drawn = charts(context, found)
    if what not in drawn:
        raise unknown("figure", what, drawn)
    text = figures.svg(drawn[what])
    return {"content": text, "filename": f"{stem}-{what}.svg", "type": "image/svg+xml"}


def single(found: Compared, name: str) -> File:
    """One design as YAML.

    Raises:
        InputError: it is none of the comparison.
    """
    design = next((design for design in found.shown if design.name == name), None)
    if design is None or design.page is None or design.config is None:
        raise unknown("design", name, [design.name for design in found.shown])
    stem = re.sub(r"[^\w.-]+", "-", name)[:60]
    text = as_yaml(design.page, design.config)
    return {"content": text, "filename": f"{stem}.yaml", "type": "application/yaml"}


def as_yaml(page: AnyModel, config: Config) -> str:
    """A design as `dse eval FILE` takes it: every knob, and whatever only this run prices so."""
    settings = {path: _lasting(at(config, path)) for path in knobs(page.config)}
    return documents.dump({"model": page.slug, "set": nest(settings)})


def _lasting(value: object) -> object:
    """A leaf as a file keeps it; a priced row with its numbers where they are a person's own."""
    if isinstance(value, Record) and in_force() and "price" in type(value).model_fields:
        return value.numbers()
    return in_full(value)


def as_csv(found: Comparison) -> str:
    """The table, a line a design: SI numbers in full, units in the header, empty where unknown."""
    page, settings = found.page, knobs(found.page.config)
    total = page.metrics[page.total].unit
    columns: dict[str, Sequence[object]] = {"design": found.names}
    for path, row in found.differing.items():
        columns[_head(path, settings[path].unit)] = row
    for name, metric in page.metrics.items():
        held = [of["metrics"][name] for of in found.answers]
        columns[_head(name, metric.unit)] = [of["value"] for of in held]
        if name != "feasible":
            columns |= {
                _head(f"{name}_{end}", metric.unit): [of[end] for of in held]
                for end in ("low", "high")
            }
            columns[f"{name}_tier"] = [known_from(of) for of in held]
    for group in GROUPS:
        columns |= {_head(f"{group}.{n}", total): row for n, row in found.values(group).items()}
    columns["bottleneck"] = [of["bottleneck"] for of in found.answers]
    columns["warnings"] = ["; ".join(of["warnings"]) for of in found.answers]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return stream.getvalue()


def _head(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
