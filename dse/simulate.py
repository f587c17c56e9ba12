"""A page's mechanism, executed: found by slug, configured from settings and files, run once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from dse import documents, files, registry
from dse.errors import InputError, closest, shorten
from dse.mechanism import AnyReference, Reference
from dse.spec import Config, knobs

Outcome = Mapping[str, float | bool | str]
"""Quantity -> what came out of a run."""


def _room(slug: str) -> Path:
    return Path(registry.folder("models").__path__[0], slug)


def slugs() -> tuple[str, ...]:
    """The pages whose mechanism can be executed: their `reference.py` names a `REFERENCE`."""
    return tuple(slug for slug in registry.slugs() if find(slug) is not None)


@cache
def find(slug: str) -> AnyReference | None:
    """The mechanism of a page, if there is one."""
    if not (_room(slug) / "reference.py").is_file():
        return None
    found = getattr(registry.module("models", f"{slug}.reference"), "REFERENCE", None)
    if found is not None and not isinstance(found, Reference):
        raise TypeError(f"models/{slug}/reference.py: REFERENCE must be a dse.mechanism.Reference")
    return found


def reference(slug: str) -> AnyReference:
    """The mechanism of a page.

    Raises:
        InputError: an unknown page, or one without a mechanism to run.
    """
    page = registry.model(slug)
    found = find(page.slug)
    if found is None:
        known = f"models that have one: {', '.join(slugs()) or 'none'}"
        raise InputError(f"'{page.slug}' has no mechanism to execute; {known}")
    return found


def configure(
    found: AnyReference,
    settings: Mapping[str, object] | None = None,
    paths: Mapping[str, Path] | None = None,
    *,
    place: str = "",
) -> Config:
    """The inputs of a run.

    Args:
        found: what is executed.
        settings: dotted or nested; a `Path` under a kind of file is read.
        paths: kind of file -> further files, such as a trace.
        place: where the settings stand, for messages.

    Raises:
        InputError: an unknown knob, or a value or a file that does not fit.
    """
    for kind in (paths or {}).keys() - found.readers.keys():
        raise files.refuse(found.slug, kind, [s for s in slugs() if kind in reference(s).readers])
    laid = files.laid_under(found.readers, settings or {}, paths)
    config: Config = registry.resolve(found.config, laid, place)
    return config


def run(found: AnyReference, config: Config) -> Outcome:
    """What came out, in the order in which the reference names its quantities."""
    outcome = found.run(config)
    return {name: outcome[name] for name in found.quantities}


def options(found: AnyReference) -> dict[str, str]:
    """What a command line may say -> knob or kind of file: `--ssd-bandwidth`, `--link-lanes`."""
    return {option(name): name for name in (*knobs(found.config), *found.readers)}


def option(name: str) -> str:
    """A knob or a kind of file as an option.

    >>> option("link.ssd_bandwidth")
    '--link-ssd-bandwidth'
    """
    return "--" + re.sub(r"[._]", "-", name)


def given(found: AnyReference, words: Sequence[str]) -> dict[str, object]:
    """Settings out of the options of a command line; those that name a file are paths.

    Raises:
        InputError: an option that is no knob, is given twice or lacks its value.
    """
    known = options(found)
    settings: dict[str, object] = {}
    for asked, text in _pairs(words):
        name = known.get(option(asked.removeprefix("--")))
        if name is None:
            near = closest(asked, [*known, "--set", "--json"])
            raise InputError(f"'{found.slug}' has no knob {shorten(asked)}; {near}")
        if not text.strip() or text.startswith("--"):
            raise InputError(f"{asked} needs a value; write {asked} VALUE")
        if name in settings:
            raise InputError(f"{asked} is given twice; drop one")
        file = name in found.readers
        settings[name] = Path(text) if file else documents.parse(text, name=asked)
    return settings


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, `--knob value` or `--knob=value`."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise InputError(f"'{shorten(word)}' belongs to no option; write --knob value")
        name, equals, text = word.partition("=")
        yield name, text if equals else next(rest, "")
