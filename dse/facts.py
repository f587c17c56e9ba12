"""Everything known of a model, study, workload or device, as plain data."""

from __future__ import annotations

from collections.abc import Mapping

from dse import documents, registry, simulate, verbs
from dse.errors import unknown
from dse.grids import Facts, in_settings
from dse.prices import in_words
from dse.spec import AnyModel, Config, Knob, Paper, knobs


def facts(name: str) -> Facts:
    """Everything known of a model, study, workload or device.

    Raises:
        InputError: nobody has that name.
    """
    if name in registry.slugs():
        return _model_facts(registry.model(name))
    if name in registry.networks():
        net = registry.networks()[name].model_dump()
        operators = [_operator(row) for row in net.pop("operators")]
        return {"kind": "workload", **net, "operators": operators}
    for kind in registry.device_kinds():
        if name in registry.devices(kind):
            return _device_facts(kind, name)
    files = registry.data_files("studies")
    if name in files:
        return {"kind": "study", "slug": name, **documents.read(files[name])}
    known = [slug for entries in verbs.listing().values() for slug in entries]
    raise unknown("name", name, known)


def _operator(row: Mapping[str, object]) -> Facts:
    return {key: value for key, value in row.items() if value not in (0.0, "")}


def _device_facts(kind: str, name: str) -> Facts:
    words = {k: v for k, v in registry.devices(kind)[name].items() if isinstance(v, str)}
    numbers = _device_numbers(kind, name)
    priced = {"prices": in_words(registry.prices())} if numbers[-1]["name"] == "price" else {}
    return {"kind": kind, "slug": name, **words, **priced, "numbers": numbers}


def _device_numbers(kind: str, name: str) -> list[Facts]:
    rows = [
        {"name": key, "value": n.value, "unit": n.unit, "kind": n.source.kind}
        | {"source": n.source.where, "note": n.note}
        for key, n in registry.devices(kind)[name].items()
        if not isinstance(n, str)
    ]
    listed = registry.prices().tables["prices"]["prices"].get(name)
    if listed is not None and not isinstance(listed, str):
        source = {"kind": listed.source.kind, "source": listed.source.where, "note": listed.note}
        rows.append({"name": "price", "value": listed.value, "unit": listed.unit, **source})
    return rows


def publication(paper: Paper) -> str:
    """Who published what and where, with its DOI or address if it has one."""
    found = paper.doi.removeprefix("none").lstrip("; ")
    said = f"{paper.authors}: {paper.title}. {paper.venue} {paper.year}."
    return f"{said} {found}" if found else said


def _model_facts(page: AnyModel) -> Facts:
    return {
        "kind": "model",
        "slug": page.slug,
        "question": page.paper.question,
        "paper": publication(page.paper),
        "note": page.note,
        "knobs": knob_rows(page, page.config),
        "metrics": [
            {"metric": name, "unit": m.unit, "better": m.sense, "text": m.text}
            for name, m in page.metrics.items()
        ],
        "techniques": [
            {"technique": t.slug, "text": t.text, "off": in_settings(t.off)}
            for t in page.techniques
        ],
        **_mechanism_facts(page),
        "points": {use: len(page.data.select(use)) for use in ("fit", "check")},
        "notes": dict(page.data.notes),
    }


def _mechanism_facts(page: AnyModel) -> Facts:
    """What `dse simulate` executes, what it takes and what it answers."""
    found = simulate.find(page.slug)
    if found is None:
        return {}
    return {
        "simulate": found.text,
        "simulate takes": knob_rows(page, found.config),
        "simulate answers": [
            {"quantity": name, "unit": quantity.unit, "text": quantity.text}
            for name, quantity in found.quantities.items()
        ],
    }


def knob_rows(page: AnyModel, config: type[Config]) -> list[Facts]:
    """Every knob of a page's design, or of its mechanism: unit, symbol, range, default, source."""
    return [_knob_row(page, knob) for knob in knobs(config).values()]


def _knob_row(page: AnyModel, knob: Knob) -> Facts:
    bounds = knob.bounds
    return {
        "knob": knob.path,
        "symbol": knob.symbol,
        "unit": knob.unit,
        "low": bounds.low if bounds else None,
        "high": bounds.high if bounds else None,
        "default": knob.default,
        "choices": knob.catalog.name if knob.catalog else None,
        "source": _source(page, knob),
        "text": knob.text,
    }


def _source(page: AnyModel, knob: Knob) -> str:
    """Where a knob's default comes from; a category's rows carry a source for each number."""
    named = page.data.parameters
    number = named.get(f"reference.{knob.path}", named.get(knob.path))
    if knob.catalog is not None:
        return f"catalog {knob.catalog.name}: each number with its own source"
    return f"{number.source.where} ({number.source.kind})" if number else ""
