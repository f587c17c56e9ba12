"""What a name stands for when sensitivities are asked: a design, a study, or a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dse import documents, registry
from dse.answers import design, priced_like
from dse.errors import InputError, unknown
from dse.picks import best_of, read
from dse.sensitivity import Asked, Sensitivity, of_design, of_study
from dse.sobol import Progress, silent
from dse.store import Run, find
from dse.study import load

PREFERRED = "balanced"
"""The design of a run around which single changes are made, where the run names it."""


def weigh(
    name: str,
    asked: Asked,
    *,
    settings: Mapping[str, object] | None = None,
    prices: str | Path | None = None,
    progress: Progress = silent,
) -> Sensitivity:
    """The sensitivities of a design, of a study's space, or of a run's around its best design.

    Args:
        name: slug of a page or of a study, path of a design or study file, `RUN:NAME` for a
            design of a run, or a run itself.
        asked: what is wanted.
        settings: laid over a design, or fixed in a study.
        prices: a price file laid over the shipped list; a run keeps its own.
        progress: called with designs done and designs in all.

    Raises:
        InputError: nobody has that name, or anything in it that does not fit.
    """
    if _is_study(name):
        study = load(name, settings=settings, prices=prices)
        return of_study(study, asked, progress=progress)
    if name in registry.slugs() or _is_design(name):
        with priced_like([name], prices):
            page, config = design(name, settings)
            return of_design(page, config, asked, progress=progress)
    run = _run(name)
    if settings or prices:
        raise InputError(
            f"{name} is a run and stays as it was; name its study for --set, --prices"
        )
    return of_study(run.study(), asked, start=_start(run), progress=progress)


def _is_study(name: str) -> bool:
    """Whether a name is a study's; a file is one where it asks for objectives."""
    if name in registry.data_files("studies"):
        return True
    path = Path(name)
    return path.suffix in (".yaml", ".yml") and "objectives" in documents.read(path)


def _is_design(name: str) -> bool:
    """Whether a name is a design file or `RUN:NAME`."""
    return Path(name).suffix in (".yaml", ".yml") or read(name) is not None


def _run(name: str) -> Run:
    try:
        return find(name)
    except InputError:
        if "/" in name:
            raise
        known = (*registry.slugs(), *registry.data_files("studies"))
        raise unknown("model, study or run", name, known) from None


def _start(run: Run) -> dict[str, float] | None:
    """The balanced design of a run, or the first that it calls best; none where it found none."""
    best = best_of(run)
    if not best:
        return None
    row = best.get(PREFERRED, next(iter(best.values())))
    found = run.design(row)
    return {axis.path: float(found[axis.path][0]) for axis in run.study().space.axes}
