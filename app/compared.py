"""The designs that are compared: what names them in a link, and what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase
from urllib.parse import parse_qs, urlencode

from dse import documents, picks, registry
from dse.answers import answer, of_document
from dse.comparison import Comparison
from dse.errors import InputError, shorten, unknown
from dse.spec import AnyModel, Config, knobs
from dse.study import flat, nest, parse_settings

from .columns import Opened
from .context import Context

MOST = 6
"""Most designs side by side: more columns are no longer read."""

LENGTH = 2**14
"""Longest query that is read, and longest name of one design in it."""

ROW = "row:"
"""What stands before the number of a design among all that a run holds."""

NEXT = re.compile(r",(?=\s*[\w.]+\s*=)")
"""Where one setting of a design ends and the next begins."""


@dataclass(frozen=True)
class Design:
    """One design of a comparison, or in words why it cannot be compared."""

    letter: str
    name: str
    """What names it: `balanced`, `3`, `row:812`, `dfx` or `dfx:fpgas=2,cores=4`."""
    page: AnyModel | None = None
    config: Config | None = None
    refusal: str = ""

    @property
    def title(self) -> str:
        """Its letter and its name, less the page that all share, cut to what a column holds."""
        page, _, settings = self.name.partition(":")
        own = settings if self.page is not None and page == self.page.slug else self.name
        return f"{self.letter} {shorten(own or self.name, most=24)}"


@dataclass(frozen=True)
class Asked:
    """What a URL asks to compare, and what of it was left out, in words."""

    names: tuple[str, ...]
    problems: tuple[str, ...] = ()
    ablate: str = ""
    """Letter of the design whose techniques are switched off and on."""
    metric: str = ""


def asked(search: str) -> Asked:
    """What a query such as `?design=balanced&design=dfx:fpgas=2&ablate=A` asks for."""
    if len(search) > LENGTH:
        return Asked((), (f"The link is longer than {LENGTH:,} characters; it was not read.",))
    pairs = parse_qs(search.removeprefix("?"))
    names = list(dict.fromkeys(name.strip() for name in pairs.get("design", [])))
    said = f"The link names {len(names)} designs; the first {MOST} are compared."
    return Asked(
        names=tuple(names[:MOST]),
        problems=(said,) if len(names) > MOST else (),
        ablate=pairs.get("ablate", [""])[-1],
        metric=pairs.get("metric", [""])[-1],
    )


def link(asked: Asked, run: str) -> str:
    """The query that reproduces a comparison; the run only where a design is named by it."""
    one = {
        "run": run if any(map(of_run, asked.names)) else "",
        "ablate": asked.ablate,
        "metric": asked.metric,
    }
    pairs = [(key, value) for key, value in one.items() if value]
    return "?" + urlencode([*pairs, *(("design", name) for name in asked.names)], safe=":,=/")


def of_run(name: str) -> bool:
    """Whether a name means something only in a run."""
    return name.partition(":")[0] not in registry.slugs()


def first(context: Context) -> tuple[str, ...]:
    """What is compared when the URL names nothing: two different designs that the run found."""
    options = offered(context)
    return tuple(options)[:2] if len(options) > 1 else ()


def offered(context: Context) -> dict[str, str]:
    """Designs that the run names: name -> what it is. None without a run."""
    snapshot = context.readable()
    if snapshot is None or context.run is None:
        return {}
    whys: dict[int, str] = {}
    for line in context.run.lines("best.csv"):
        whys.setdefault(int(line["row"]), line["why"])
    named = {_shortest(why): why for why in whys.values()}
    return named | {str(n): f"front, row {n}" for n in range(1, len(snapshot.front) + 1)}


def _shortest(why: str) -> str:
    """The shortest of the names that `best.csv` gives a design."""
    names = why.removesuffix(", dominated").split(", ")
    return min((name.removeprefix("best ") for name in names), key=len)


def read(context: Context, name: str) -> tuple[AnyModel, Config]:
    """The design that a name means: of a page with settings, or of the run.

    Raises:
        InputError: nobody knows the name, or the page does not cover the design.
    """
    if of_run(name):
        return _run_design(context, name)
    slug, _, text = name.partition(":")
    settings = parse_settings(NEXT.split(text), option=slug) if text.strip() else {}
    return configured(slug, settings)


def configured(slug: str, settings: Mapping[str, object]) -> tuple[AnyModel, Config]:
    """A page and one design of it; no setting reads a file of this machine.

    Raises:
        InputError: anything in it that does not fit the page.
    """
    page = registry.model(slug)
    laid = flat(settings)
    for path, knob in knobs(page.config).items():
        given = laid.get(path)
        if knob.catalog and isinstance(given, str) and registry.is_file(given):
            raise InputError(
                f"{path}: '{shorten(given)}' is a file, which the explorer does not open; name a "
                "row of the catalog, or write its numbers into the design"
            )
    return page, registry.configure(page, nest(laid))


def _run_design(context: Context, name: str) -> tuple[AnyModel, Config]:
    opened = context.opened()
    if opened is None:
        wrong = unknown("page", name.partition(":")[0], registry.slugs())
        raise InputError(f"{wrong}; no run is open that could name a design '{shorten(name)}'")
    study, row = opened.study, _row(opened, name)
    settings = picks.settings_of(study, opened.designs([row]))
    return study.page, registry.configure(study.page, settings)


def _row(opened: Opened, name: str) -> int:
    """The number of a design among all that the run holds.

    Raises:
        InputError: the run has no such design.
    """
    run, count = opened.run, opened.count
    front = [int(line["row"]) for line in run.lines("front.csv")]
    number = name.removeprefix(ROW)
    if number.isdecimal():
        counted, start, rows = ("run", 0, range(count)) if number != name else ("front", 1, front)
        if not start <= int(number) < start + len(rows):
            raise InputError(
                f"there is no design {shorten(number)} in the {counted}; its rows count from "
                f"{start} to {start + len(rows) - 1}"
            )
        return int(rows[int(number) - start])
    best = picks.best_of(run)
    if name not in best:
        wrong = unknown("design", name, [*best, *registry.slugs()])
        raise InputError(
            f"{wrong}; 1 to {len(front)} are rows of the front, {ROW}0 to {ROW}{count - 1} of the "
            "run, and PAGE:knob=value,... any design of a page"
        )
    return best[name]


def of_file(text: str, file: str) -> str:
    """The name of the design that a YAML file holds, as a link takes it.

    Raises:
        InputError: broken YAML, no design file, or a design that its page does not cover.
    """
    if len(text) > LENGTH:
        raise InputError(f"{file}: longer than {LENGTH:,} characters, which no link holds")
    slug, settings = of_document(documents.parse(text, name=file), file)
    page, _ = configured(slug, settings)
    given = nest(settings)
    pairs = {path: _under(given, path) for path in knobs(page.config)}
    said = [f"{path}={_scalar(value)}" for path, value in pairs.items() if value is not None]
    return f"{slug}:{','.join(said)}" if said else slug


def _under(settings: Mapping[str, object], path: str) -> object:
    """What nested settings hold at a knob: a value, the numbers of a row, or nothing."""
    found: object = settings
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _scalar(value: object) -> str:
    """A value as one line of YAML that reads back as the same."""
    plain = isinstance(value, str) and re.fullmatch(r"[\w.%/$*^ -]+", value)
    if plain and documents.parse(str(value)) == value:
        return str(value)
    return json.dumps(value).removesuffix(".0")


@dataclass(frozen=True)
class Compared:
    """The designs that were asked for, and the comparison of those that can be compared."""

    designs: tuple[Design, ...]
    found: Comparison | None = None

    @property
    def shown(self) -> list[Design]:
        """The designs that are compared, in order."""
        return [design for design in self.designs if not design.refusal]

    def lettered(self, letter: str) -> Design | None:
        """The design of a letter, if it can be compared."""
        return next((design for design in self.shown if design.letter == letter), None)


def read_all(context: Context, names: Sequence[str]) -> Compared:
    """Designs read, not priced; the first that can be read says the page that all must share."""
    designs: list[Design] = []
    page: AnyModel | None = None
    for letter, name in zip(ascii_uppercase, names[:MOST], strict=False):
        design = _design(context, letter, name, page)
        page = page or design.page
        designs.append(design)
    return Compared(tuple(designs))


def compared(context: Context, names: Sequence[str]) -> Compared:
    """Designs read, and priced where there are two to compare."""
    found = read_all(context, names)
    page = found.shown[0].page if found.shown else None
    configs = [design.config for design in found.shown if design.config is not None]
    if page is None or len(configs) < 2:
        return found
    answers = tuple(answer(page, config) for config in configs)
    titles = tuple(design.title for design in found.shown)
    return replace(found, found=Comparison(page, titles, tuple(configs), answers))


def _design(context: Context, letter: str, name: str, shared: AnyModel | None) -> Design:
    try:
        page, config = read(context, name)
    except InputError as error:
        return Design(letter, name, refusal=str(error))
    if shared is not None and shared is not page:
        said = f"it is of page '{page.slug}' and the first of '{shared.slug}'"
        return Design(letter, name, refusal=f"{said}; only designs of one page can be compared")
    return Design(letter, name, page, config)


def added(context: Context, names: Sequence[str], name: str) -> list[str]:
    """The names with one more design.

    Raises:
        InputError: it is there already, is one too many, of another page, or cannot be read.
    """
    name = name.strip()
    if not name:
        raise InputError("no design is named; type a name such as row:12, or choose one")
    if name in names:
        letter = ascii_uppercase[list(names).index(name)]
        raise InputError(f"'{shorten(name)}' is there already, as {letter}")
    if len(names) >= MOST:
        raise InputError(f"{MOST} designs fit side by side; remove one to add another")
    if len(name) > LENGTH:
        raise InputError(f"a design's name has at most {LENGTH:,} characters, got {len(name):,}")
    read(context, name)
    together = [*names, name]
    if refusal := read_all(context, together).designs[-1].refusal:
        raise InputError(f"'{shorten(name)}' cannot be added: {refusal}")
    return together
