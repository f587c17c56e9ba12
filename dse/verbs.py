"""The verbs as functions: what a command prints, a script gets as data in one line.

from dse import verbs
verbs.evaluate("dfx", {"fpgas": 4})["metrics"]["latency"]["value"]
verbs.sweep("dfx", {"fpgas": "1,2,4"})            # a pandas frame
verbs.compare(["a.yaml", "b.yaml"])               # a pandas frame, a row a design
verbs.validate("dfx")                             # a pandas frame
verbs.simulate("flashneuron", {"memory": "16 GiB"})["metrics"]["iteration_time"]["value"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dse import documents, registry, sweeping
from dse import scoreboard as scoreboards
from dse import simulate as mechanisms
from dse import validate as validation
from dse.ablation import Ablation
from dse.ablation import ablate as ablate_design
from dse.against import Against
from dse.against import against as held_against
from dse.answers import Answer, answer, design, outcome, priced_like
from dse.calibrate import calibrate as calibrate
from dse.certainty import widened, with_chances
from dse.choice import chosen
from dse.comparison import Comparison
from dse.comparison import compare as compare_designs
from dse.cross import Crossing
from dse.cross import cross as run_cross
from dse.errors import InputError
from dse.executed import Tick
from dse.scores import Card, cards
from dse.search import Outcome, Pool, Progress, require
from dse.search import search as run_search
from dse.sensitivity import Asked
from dse.store import Run, create, find
from dse.study import load
from dse.support import support as support
from dse.weighing import weigh
from dse.why import explain

if TYPE_CHECKING:
    import pandas as pd

Place: TypeAlias = str | Path
"""A file or folder; where a slug or `RUN:NAME` may stand too, that is text."""


def evaluate(
    model: Place,
    settings: Mapping[str, object] | None = None,
    *,
    files: Mapping[str, Place] | None = None,
    prices: Place | None = None,
) -> Answer:
    """Price one design.

    Args:
        model: slug of a page, path of a design file, or `RUN:NAME` for a design of a run.
        settings: dotted knob -> SI number, text with a unit, or slug.
        files: kind -> file that the page reads, such as `{"trace": path}`; settings lie over it.
        prices: a price file that is laid over the shipped list.

    Raises:
        InputError: a knob, value, rule or file that does not fit.
    """
    with priced_like([str(model)], prices):
        return answer(*design(str(model), settings, _paths(files)))


def _paths(files: Mapping[str, Place] | None) -> dict[str, Path]:
    return {kind: Path(place) for kind, place in (files or {}).items()}


def simulate(
    model: str,
    settings: Mapping[str, object] | None = None,
    *,
    files: Mapping[str, Place] | None = None,
) -> Answer:
    """Execute a page's mechanism once: `model`, `metrics` and `warnings`, as `evaluate` has them.

    Args:
        model: slug of a page with a mechanism.
        settings: dotted knob of the mechanism -> SI number, text with a unit, or slug.
        files: kind -> file that it reads, such as `{"trace": path}`; settings lie over it.

    Raises:
        InputError: a page without a mechanism, or a knob, value or file that does not fit.
    """
    found = mechanisms.reference(model)
    return outcome(found, mechanisms.configure(found, settings, _paths(files)))


def comparison(
    designs: Sequence[Place],
    settings: Mapping[str, object] | None = None,
    *,
    variants: Mapping[str, Mapping[str, object]] | None = None,
    prices: Place | None = None,
) -> Comparison:
    """Designs side by side; see `compare`."""
    named = [str(place) for place in designs]
    with priced_like(named, prices):
        return compare_designs(named, settings or {}, variants or {})


def compare(
    designs: Sequence[Place],
    settings: Mapping[str, object] | None = None,
    *,
    variants: Mapping[str, Mapping[str, object]] | None = None,
    prices: Place | None = None,
) -> pd.DataFrame:
    """Designs of one page side by side, one row a design.

    Columns are pairs: `frame["metrics", "latency"]`, the knobs that differ, terms, resources;
    `frame.attrs["units"]` holds the units of knobs and metrics.

    Args:
        designs: slugs of one page, paths of design files, or `RUN:NAME` for designs of runs.
        settings: dotted knob -> value, laid over every design.
        variants: name -> settings; each is laid over the only design that is named.
        prices: a price file laid over the shipped list; by default the list of the named runs.

    Raises:
        InputError: fewer than two designs, designs of several pages, or one that does not fit.
    """
    return comparison(designs, settings, variants=variants, prices=prices).to_pandas()


def ablation(
    model: Place,
    settings: Mapping[str, object] | None = None,
    *,
    prices: Place | None = None,
) -> Ablation:
    """A design with its techniques off and on in all combinations; see `ablate`."""
    with priced_like([str(model)], prices):
        return ablate_design(*design(str(model), settings))


def ablate(
    model: Place,
    settings: Mapping[str, object] | None = None,
    *,
    metrics: Sequence[str] = (),
    prices: Place | None = None,
) -> pd.DataFrame:
    """What each set of a design's techniques brings, one row a term, largest first.

    Columns: metric, techniques, ln (the terms of a metric add up to ln of all on over all off),
    factor, verdict. `ablation(...).cells.to_pandas()` holds the priced combinations.

    Args:
        model: slug of a page, path of a design file, or `RUN:NAME` for a design of a run.
        settings: dotted knob -> value, laid over the design.
        metrics: by default the page's total and every metric with a better direction.
        prices: a price file that is laid over the shipped list.

    Raises:
        InputError: an unknown metric, or a design without a technique to switch.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

    found = ablation(model, settings, prices=prices)
    return pd.DataFrame(
        {"metric": metric, **term.as_json()}
        for metric in chosen(found.page, metrics)
        for term in found.terms(metric)
    )


why = explain
"""Why a design and not another; `.to_pandas()` lists the single changes that free it."""


def sensitivity(
    name: Place,
    settings: Mapping[str, object] | None = None,
    *,
    asked: Asked | None = None,
    prices: Place | None = None,
) -> pd.DataFrame:
    """Which knobs matter, a row for each metric and knob; see `Sensitivity.to_pandas`.

    The name is a design's, a study's or a run's; see `weighing.weigh`.
    """
    return weigh(str(name), asked or Asked(), settings=settings, prices=prices).to_pandas()


def sweep(
    model: str,
    over: Mapping[str, str | Sequence[object]],
    settings: Mapping[str, object] | None = None,
    *,
    jobs: int = 1,
    prices: Place | None = None,
) -> pd.DataFrame:
    """Every combination of the swept values as a frame, units in `frame.attrs["units"]`.

    Args:
        model: slug of a page.
        over: dotted knob -> `1,2,4`, `low..high:levels`, `low..high:levels:log` or `all`.
        settings: knobs that stay fixed.
        jobs: threads.
        prices: a price file that is laid over the shipped list.
    """
    return sweeping.priced(model, over, settings, jobs=jobs, prices=prices).to_pandas()


def search(
    study: Place,
    *,
    settings: Mapping[str, object] | None = None,
    method: str | None = None,
    budget: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    pool: Pool = "threads",
    output: Place | None = None,
    resume: Place | None = None,
    prices: Place | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Search a study; `outcome.archive.front.to_pandas()` is the front.

    Args:
        study: slug, or path of a study file; ignored when a run is resumed.
        settings: knobs fixed beside the study's own.
        method: grid, random, qmc, nsga2, nsga3, tpe or gp; the study's own by default.
        budget: most designs evaluated.
        seed: same seed, same result.
        jobs: threads or processes.
        pool: `threads`, or `processes` for a page that holds the interpreter.
        output: run folder; by default a fresh one in `out/`.
        resume: a run to continue, at the prices it began with.
        prices: a price file that is laid over the shipped list, in the place of the study's own.
        progress: called with designs done, designs in all, size of the front.
    """
    chosen = {"method": method, "budget": budget, "seed": seed}
    study, folder = str(study), None if output is None else Path(output)
    laid = {key: value for key, value in chosen.items() if value is not None}
    if resume is not None:
        run = find(str(resume))
        if settings or laid or prices:
            raise InputError(
                "--resume continues a run as it was; drop --set, --prices and the search options"
            )
        asked = run.study()
        named = str(run.environment().get("study", study)) if run.stamped else study
        if folder is not None or study not in ("", named):
            raise InputError(f"{resume} holds '{named}'; drop the other study and --output")
    else:
        asked = load(study, settings=settings, search=laid, prices=prices)
        require(asked)
        run = create(asked, output=folder)
    told = {} if progress is None else {"progress": progress}
    return run_search(asked, run, jobs=jobs, pool=pool, **told)


def validate(model: str | None = None, *, cross: bool = False) -> pd.DataFrame:
    """Published against predicted, one row a point, for a page or for all.

    With `cross` the closed form against the page's executed mechanism, one row a metric of a case.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that a scalar evaluation saves

    if cross:
        return pd.DataFrame([asdict(row) for found in crossings(model) for row in found.rows])
    return pd.DataFrame(validation_json(validation_rows(model)))


def crossings(
    model: str | None = None, *, keep: bool = False, jobs: int = 1, progress: Tick | None = None
) -> list[Crossing]:
    """Closed form, executed mechanism and paper held against each other, for a page or for all.

    Args:
        model: slug of a page with a mechanism; every such page by default.
        keep: whether the mechanisms' answers are written beside the pages, for `scoreboard`.
        jobs: processes.
        progress: called with runs done and runs in all.
    """
    slugs = mechanisms.slugs() if model is None else (model,)
    return run_cross(slugs, progress, keep=keep, jobs=jobs)


def scoreboard(model: str | None = None, *, progress: Tick | None = None) -> list[Card]:
    """Scores of a page or of all: against the paper, and against and of the mechanism."""
    return cards(registry.slugs() if model is None else (model,), progress)


def against(
    model: str,
    path: Place,
    settings: Mapping[str, object] | None = None,
    *,
    fit: Sequence[str] | None = None,
    skip: bool = False,
    progress: Tick | None = None,
) -> Against:
    """A page held against a CSV file of measurements, `.to_pandas()` a row a measured value.

    An empty `fit` fits the page's own fitted constants; see `dse.against.against`.
    """
    return held_against(model, Path(path), settings=settings, fit=fit, skip=skip, tick=progress)


def keep_scores(model: str | None = None, *, progress: Tick | None = None) -> list[Path]:
    """Keep what works today, and how well, beside a page or all; the files that were written."""
    return scoreboards.keep(registry.slugs() if model is None else (model,), progress)


def validation_json(rows: list[validation.Row]) -> list[dict[str, object]]:
    """Validation rows as scripts read them."""
    return [validation.as_json(row) for row in rows]


def validation_rows(model: str | None) -> list[validation.Row]:
    """Rows of one page, or of every page that has published points."""
    chosen = registry.slugs() if model is None else (model,)
    return [row for slug in chosen for row in validation.rows(slug)]


def front(run: Place) -> pd.DataFrame:
    """The front of a stored run: intervals and tiers beside metrics, and chances of designs."""
    kept = find(str(run))
    wide = widened(kept.study(), kept.front())
    return with_chances(kept, "front.csv", wide).to_pandas()


def report(subject: Run | str, *, date: str, path: Place | None = None, **asked: object) -> Path:
    """The report of a run, of a page by its slug, or of all pages (`validation`), as a file.

    `asked` is the form (pdf, html), force and tick; see `reports.document.write`.
    """
    write = registry.module("reports", "document").write
    written: Path = write(subject, date=date, path=Path(path) if path else None, **asked)
    return written


def import_workload(source: Place, *, name: str = "", output: Place | None = None) -> Answer:
    """Turn a Hugging Face `config.json` into a workload file, which `workload=FILE` names.

    Args:
        source: the config.
        name: slug of the network; by default the name that the config gives.
        output: the file to write; by default `<slug>.yaml`, which must not exist yet.

    Returns:
        file, slug, title, parameters and warnings.

    Raises:
        InputError: no config, a network that is not covered, or a file in the way.
    """
    reader = registry.module("workloads", "huggingface")
    made = reader.convert(reader.read(Path(source)), name=name, place=str(source))
    net = registry.described(made.document, place=str(source))
    path = Path(output or f"{net.slug}.yaml")
    if output is None and path.exists():
        raise InputError(f"{path} exists; choose --output, or another --name")
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"--output {path} must end in .yaml, or no knob can name it")
    count, warnings = int(net.parameters), list(made.warnings)
    told = ["made by 'dse import'", f"{count:,} parameters", *warnings]
    _write(path, "".join(f"# {line}\n" for line in told) + documents.dump(made.document))
    known = {"slug": net.slug, "title": net.title, "parameters": count, "warnings": warnings}
    return {"file": str(path), **known}


def _write(path: Path, text: str) -> None:
    try:
        documents.replace(path, text)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; choose another --output") from None


def listing() -> dict[str, dict[str, str]]:
    """Everything that has a slug: models, studies, workloads and devices, with a line each."""
    files = registry.data_files("studies")
    questions = {slug: str(documents.read(p).get("question", "")) for slug, p in files.items()}
    return {
        "models": {slug: registry.model(slug).paper.question for slug in registry.slugs()},
        "studies": {slug: " ".join(text.split()) for slug, text in questions.items()},
        "workloads": {slug: net.title for slug, net in registry.networks().items()},
        **{
            kind: {slug: str(row.get("title", "")) for slug, row in registry.devices(kind).items()}
            for kind in registry.device_kinds()
        },
    }
