"""The verbs: parse, call, print. Exit 0 is fine, 1 means the answer is no, 2 wrong input.

130 is an interrupt, and 141 that whoever read the output went away, as `head` does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from dse import agreement, documents, registry, side_by_side, sweeping, swept, switches, verbs
from dse import show as shown
from dse import simulate as mechanisms
from dse.answers import priced_like
from dse.choice import chosen
from dse.comparison import parse_variants
from dse.errors import InputError, unknown
from dse.study import parse_settings
from dse.terminal import CORES, console, note, print_json, progress, unread

app = typer.Typer(
    name="dse",
    help="Prices AI systems in microseconds, says how sure it is, and finds the best designs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Fix a knob, a.b=c; may be given again.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Threads (or processes).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Same seed, same result.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where the result goes.")]

Prices = Annotated[
    Path | None, typer.Option("--prices", help="Your own prices, laid over the shipped ones.")
]

DESIGN = "A model's slug, a design file (.yaml), or RUN:NAME, as RUN:balanced or RUN:3."


@app.command("list")
def list_(
    kind: Annotated[
        str | None, typer.Argument(help="models, studies, workloads, gpus ...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what has a name: models, studies, workloads, devices."""
    found = verbs.listing()
    if kind is not None:
        if kind not in found:
            raise unknown("kind of thing", kind, found)
        found = {kind: found[kind]}
    if as_json:
        print_json(found)
        return
    shown.listing(console(), found)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A model, study, workload or device.")],
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Show one thing whole: knobs with sources, a network's counts, a device's numbers."""
    with registry.priced_by(prices):
        facts = shown.facts(name)
    if as_json:
        print_json(facts)
        return
    shown.card(console(), facts)


@app.command("eval")
def eval_(
    model: Annotated[str, typer.Argument(help=DESIGN)],
    settings: Settings = None,
    trace: Annotated[
        Path | None, typer.Option(help="A profile of kernels, for a model that reads one.")
    ] = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Price one design, with its breakdown, bottleneck and warnings."""
    files = {} if trace is None else {"trace": trace}
    with priced_like([model], prices):
        given = parse_settings(settings or [])
        answer = verbs.evaluate(model, given, files=files, prices=prices)
        if as_json:
            print_json(answer)
            return
        shown.answer(console(), answer)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def simulate(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A model's slug.")],
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Execute a model's mechanism once; every knob of it is an option: --memory '40 GiB'.

    So is every kind of file that it reads: --trace FILE. 'dse show MODEL' lists them.
    """
    if model.startswith("-"):
        raise InputError(f"name the model first: dse simulate MODEL {model} ...")
    laid = parse_settings(settings or [])
    options = mechanisms.given(mechanisms.reference(model), context.args)
    if doubled := laid.keys() & options.keys():
        raise InputError(f"{min(doubled)} is given as an option and by --set; drop one")
    start = perf_counter()
    answer = verbs.simulate(model, laid | options)
    if as_json:
        print_json(answer)
        return
    shown.simulation(console(), answer, perf_counter() - start)


@app.command()
def compare(
    designs: Annotated[list[str], typer.Argument(help=DESIGN)],
    settings: Settings = None,
    variants: Annotated[
        list[str] | None,
        typer.Option("--with", help="A variant of the one design, a.b=c,d=e; again for more."),
    ] = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Put designs of one model side by side: knobs that differ, metrics, every term."""
    with priced_like(designs, prices):
        given, over = parse_settings(settings or []), parse_variants(variants or [])
        found = verbs.comparison(designs, given, variants=over, prices=prices)
        if as_json:
            print_json(found.as_json())
            return
        side_by_side.comparison(console(), found)


@app.command()
def ablate(
    model: Annotated[str, typer.Argument(help=DESIGN)],
    settings: Settings = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="A metric to explain; again for more.")
    ] = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Switch a design's techniques off and on in all combinations: which compose, which cancel."""
    with priced_like([model], prices):
        found = verbs.ablation(model, parse_settings(settings or []), prices=prices)
        if as_json:
            print_json(found.as_json(metrics or []))
            return
        switches.ablation(console(), found, metrics or [])


@app.command()
def sweep(
    model: Annotated[str, typer.Argument(help="A model's slug.")],
    over: Annotated[
        list[str],
        typer.Option("--over", help="knob=1,2,4 or knob=low..high:levels[:log] or knob=all"),
    ],
    settings: Settings = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="A metric to show; again for more.")
    ] = None,
    jobs: Jobs = CORES,
    output: Output = None,
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """Price every combination of a few knobs."""
    knobs, fixed = sweeping.parse_over(over), parse_settings(settings or [])
    with registry.priced_by(prices):
        page = registry.model(model)
        chosen(page, metrics or [])
        table = sweeping.priced(model, knobs, fixed, jobs=jobs)
        refusals = sweeping.refusals(model, knobs, table, fixed)
        listed = shown.at_prices(page, registry.prices())
    if output is not None:
        shown.save_csv(table, output)
        note(f"{len(table)} designs{listed} written to {output}")
    elif as_json:
        print_json(shown.records(table))
    else:
        title = f"{model}: {len(table)} designs{listed}"
        swept.sweep(console(), page, table, title=title, asked=metrics or [])
    for text in refusals:
        note(f"not covered, shown as infeasible: {text}")


@app.command()
def search(
    study: Annotated[str, typer.Argument(help="A study's slug, or a study file.")] = "",
    settings: Settings = None,
    method: Annotated[
        str | None, typer.Option(help="grid, random, qmc, nsga2, nsga3, tpe, gp or auto.")
    ] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="Most designs evaluated.")] = None,
    seed: Seed = None,
    jobs: Jobs = CORES,
    pool: Annotated[str, typer.Option(help="threads or processes.")] = "threads",
    output: Output = None,
    resume: Annotated[str | None, typer.Option(help="A run to continue.")] = None,
    prices: Prices = None,
    report: Annotated[bool, typer.Option(help="Write the PDF report at the end.")] = True,
    as_json: AsJson = False,
) -> None:
    """Search a study for its best designs; ends with a run folder and its report."""
    if not study and resume is None:
        raise InputError("name a study, or a run with --resume; 'dse list studies' names them")
    if pool not in ("threads", "processes"):
        raise unknown("pool", pool, ["threads", "processes"])
    with progress("designs, front {task.fields[front]}") as tick:
        outcome = verbs.search(
            study,
            settings=parse_settings(settings or []),
            method=method,
            budget=budget,
            seed=seed,
            jobs=jobs,
            pool="threads" if pool == "threads" else "processes",
            output=output,
            resume=resume,
            prices=prices,
            progress=tick,
        )
    if report and outcome.finished:
        verbs.report(outcome.run, date=_today())
    if as_json:
        print_json(shown.outcome_json(outcome))
    else:
        shown.outcome(console(), outcome)
    if not outcome.finished:
        note(f"interrupted; go on with: dse search --resume {outcome.run.path}")
        raise typer.Exit(130)
    raise typer.Exit(0 if outcome.feasible else 1)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


@app.command()
def validate(
    model: Annotated[str | None, typer.Argument(help="One model; all by default.")] = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="Execute the mechanism, and hold the model against it.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="With --cross: keep the answers for the scoreboard.")
    ] = False,
    jobs: Jobs = CORES,
    as_json: AsJson = False,
) -> None:
    """Compare published numbers with what the pages predict, fit and check apart."""
    if write and not cross:
        raise InputError("--write keeps what was executed; add --cross")
    if cross:
        _validate_cross(model, write, jobs, as_json)
        return
    rows = verbs.validation_rows(model)
    if as_json:
        print_json(verbs.validation_json(rows))
        return
    shown.validation(console(), rows, model)
    agreement.scoreboard(console(), verbs.scoreboard(model))


def _validate_cross(model: str | None, write: bool, jobs: int, as_json: bool) -> None:
    with progress("runs") as tick:
        found = verbs.crossings(model, keep=write, jobs=jobs, progress=tick)
    if as_json:
        print_json([crossing.as_json() for crossing in found])
        return
    agreement.crossings(console(), found)


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A Hugging Face config.json.")],
    name: Annotated[str, typer.Option(help="Slug of the network; the config's own if left.")] = "",
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Turn a network's config.json into a workload file for --set workload=FILE."""
    made = verbs.import_workload(source, name=name, output=output)
    if as_json:
        print_json(made)
        return
    for warning in made["warnings"]:
        note(f"warning: {warning}")
    console().print(f"{made['file']}: {made['title']}, {made['parameters']:,} parameters")


@app.command()
def schema(
    name: Annotated[str, typer.Argument(help="study, or a model's slug.")] = "study",
    write: Annotated[bool, typer.Option("--write", help="Refresh docs/schema.")] = False,
) -> None:
    """Print the JSON Schema of a study file or of a model's settings."""
    from dse import schema as schemas  # noqa: PLC0415 - only this verb needs it

    if not write:
        sys.stdout.write(schemas.text(name))
        return
    for path, text in schemas.files(Path("docs/schema")).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        documents.replace(path, text)
        note(f"wrote {path}")


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="A run folder, study/run, or a study (its latest).")],
    output: Output = None,
    date: Annotated[str | None, typer.Option(help="Date printed on it; today by default.")] = None,
) -> None:
    """Write a run's PDF report."""
    from dse.store import find  # noqa: PLC0415 - only this verb needs it

    path = verbs.report(find(run), date=date or _today(), path=output)
    console().print(f"report: {path}")


@app.command("app")
def app_(
    run: Annotated[str | None, typer.Argument(help="A run; the last one by default.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8050,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
) -> None:
    """Open the explorer on this machine's loopback."""
    from dse.store import find, latest  # noqa: PLC0415 - only this verb needs it

    chosen = find(run) if run else latest()
    server: Any = registry.module("app", "server")
    server.serve(chosen, port=port, open_browser=open_browser)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line; every mistake is one line on stderr and exit code 2."""
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as ended:  # Rich and Typer turn a closed pipe into exit 1, our "no"
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        code = unread()
    except InputError as error:
        code = _refuse(str(error))
    except TyperException as error:
        code = _refuse(_usage(error))
    except typer.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = unread()
    except OSError as error:
        code = _refuse(f"cannot read or write: {error}; give another place with --output")
    raise SystemExit(code or 0)


def _refuse(text: str) -> int:
    note("error: " + " ".join(text.split()))
    return 2


def _usage(error: TyperException) -> str:
    text: str = getattr(error, "format_message", lambda: str(error))()
    return f"{text.rstrip('.')}; 'dse --help' lists the verbs"


if __name__ == "__main__":
    main()
