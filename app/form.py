"""The form that asks for a search: a shipped study or one's own, and how it is searched."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import get_args
from urllib.parse import parse_qs, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dse import documents, registry
from dse.errors import InputError, unknown
from dse.search import method_of, require, total_of
from dse.study import Method, Study, build, load, parse_settings

from .page import aria
from .runs import apart

OWN = "own"
"""Stands for a study of one's own in the menu of studies."""

LENGTH = 8000
"""Longest query that is read: no form needs more."""

METHODS = {
    "auto": "auto: the whole grid where it fits the budget, else nsga2",
    "grid": "grid: every design",
    "random": "random: designs by chance",
    "qmc": "qmc: evenly spread designs",
    "nsga2": "nsga2: an evolution of designs",
    "nsga3": "nsga3: an evolution for many objectives",
    "tpe": "tpe: learns what is good",
    "gp": "gp: learns from few designs, slowly",
}
"""What each method is, in words."""


@dataclass(frozen=True)
class Form:
    """What a person filled in, as text; what is empty is as the study says."""

    study: str = ""
    name: str = ""
    """What a study of one's own is called."""
    text: str = ""
    """Its YAML."""
    method: str = ""
    budget: str = ""
    seed: str = ""
    settings: str = ""
    """`knob=value` lines."""

    @property
    def own(self) -> bool:
        """Whether it asks for a study of one's own."""
        return self.study == OWN


def studies() -> list[str]:
    """Slugs of the shipped studies."""
    return list(registry.data_files("studies"))


def read(search: str, study: str = "") -> tuple[Form, list[str]]:
    """The form as a URL's query fills it, and what of the query was refused, in words.

    The text of a study of one's own is in no URL.

    Args:
        search: the query.
        study: what is asked first when the query names none, if it is a shipped study.
    """
    found = parse_qs(search.removeprefix("?")[:LENGTH])
    shipped = studies()
    first = study if study in shipped else next(iter(shipped), OWN)
    problems: list[str] = []

    def last(name: str, known: Collection[str] = (), usual: str = "") -> str:
        given = found.get(name, [usual])[-1]
        if not known or given in (*known, usual):
            return given
        problems.append(f"In the link, it is left out: {unknown(name, given, known)}")
        return usual

    filled = Form(
        study=last("study", (*shipped, OWN), first),
        name=last("name"),
        method=last("method", METHODS),
        budget=last("budget"),
        seed=last("seed"),
        settings="\n".join(found.get("set", [])),
    )
    return filled, problems


def query(form: Form, **shown: str) -> str:
    """The URL's query of a form filled in like this, beside what else is `shown`."""
    lines = [line.strip() for line in form.settings.splitlines() if line.strip()]
    pairs = [
        *shown.items(),
        ("study", form.study),
        ("name", form.name if form.own else ""),
        ("method", form.method),
        ("budget", form.budget),
        ("seed", form.seed),
        *(("set", line) for line in lines),
    ]
    return "?" + urlencode([(name, text) for name, text in pairs if text], safe="/ ")


def asked(form: Form) -> Study:
    """The study that a form asks for, at its own prices and no others.

    Raises:
        InputError: anything that does not fit, with its line, path and way out.
    """
    lines = [line for line in form.settings.splitlines() if line.strip()]
    given = {"method": form.method, "budget": _plain(form.budget), "seed": _plain(form.seed)}
    chosen = {key: value for key, value in given.items() if value}

    def built() -> Study:
        fixed = parse_settings(lines, option="setting")
        if not form.own and form.study not in studies():
            raise unknown("study", form.study, studies())
        if not form.own:
            return load(form.study, settings=fixed, search=chosen)
        slug = slug_of(form.name)
        place = f"{slug}.yaml"
        document = _document(form.text, place)
        return build(slug, document, place=place, settings=fixed, search=chosen)

    study = apart(built)
    require(study)
    return study


def _plain(number: str) -> str:
    """A whole number as people type it, without its commas."""
    return number.strip().replace(",", "")


def slug_of(name: str) -> str:
    """A name as a folder of runs is called: small letters, digits and dashes.

    >>> slug_of("My Study.yaml")
    'my-study'
    """
    stem = re.sub(r"\.ya?ml$", "", name.strip().lower())
    return re.sub(r"[^a-z0-9]+", "-", stem)[:60].strip("-") or "pasted"


def _document(text: str, place: str) -> Mapping[str, object]:
    if not text.strip():
        raise InputError(f"{place}: there is no text; upload a YAML file or paste it")
    if len(text.encode()) > documents.LARGEST:
        raise InputError(f"{place}: larger than {documents.LARGEST} bytes, which no study needs")
    found = documents.parse(text, name=place)
    if not isinstance(found, Mapping):
        raise InputError(f"{place}: must hold 'key: value' lines, as the files of studies/ do")
    return {str(key): value for key, value in found.items()}


def uploaded(contents: str, name: str) -> str:
    """The text of a file that the browser sent as a data URL.

    Raises:
        InputError: too large, or not UTF-8 text.
    """
    data = contents.partition(",")[2]
    if len(data) > 2 * documents.LARGEST:
        raise InputError(f"{name}: larger than {documents.LARGEST} bytes, which no study needs")
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise InputError(f"{name}: not UTF-8 text; give a YAML file") from None


def told(study: Study) -> str:
    """What a search of a study would do, in words."""
    wanted = ", ".join(objective.metric for objective in study.objectives)
    bounds = "; ".join(constraint.text for constraint in study.constraints)
    count = f"{total_of(study):,} designs by {method_of(study)}, seed {study.search.seed}"
    within = f" within {bounds}" if bounds else ""
    return f"{study.question} Searches {count}, for {wanted}{within}."


def panel(form: Form) -> Component:
    """The form; what it asks for is said below it before it starts."""
    return html.Section(
        [
            html.H2("Start a search"),
            _field("Study", "study", _menu("study", _choices(), form.study or None)),
            _own(form),
            _field("Method", "method", _menu("method", _methods(), form.method or None)),
            html.Div(
                [_text("Budget", "budget", form.budget), _text("Seed", "seed", form.seed)],
                className="pair",
            ),
            _settings(form),
            html.Div(id="search-form-alert", role="alert", className="refusal"),
            html.P(
                "Checking …", id="search-form-status", className="caption", **aria(live="polite")
            ),
            html.Div(
                [
                    html.Button("Start", id="search-start-button", className="main"),
                    html.A("Link to this form", id="search-link-anchor", href=""),
                ],
                className="actions",
            ),
        ],
        className="card ask",
    )


def _choices() -> list[dict[str, str]]:
    shipped = [{"label": slug, "value": slug} for slug in studies()]
    return [*shipped, {"label": "a study of your own (YAML below)", "value": OWN}]


def _methods() -> list[dict[str, str]]:
    return [{"label": METHODS[name], "value": name} for name in get_args(Method)]


def _menu(kind: str, options: list[dict[str, str]], value: str | None) -> Component:
    return dcc.Dropdown(
        id=f"search-{kind}-menu",
        options=options,
        value=value,
        clearable=kind != "study",
        searchable=False,
        placeholder="as the study says",
    )


def _field(label: str, kind: str, control: Component) -> Component:
    named = html.Label(label, htmlFor=getattr(control, "id", f"search-{kind}-menu"))
    return html.Div([named, control], className="field")


def _text(label: str, kind: str, value: str) -> Component:
    box = dcc.Input(
        id=f"search-{kind}-input",
        type="text",
        inputMode="numeric",
        value=value,
        debounce=0.4,
        placeholder="as the study says",
    )
    return _field(label, kind, box)


def _own(form: Form) -> Component:
    upload = dcc.Upload(html.Button("Upload a YAML file", type="button"), id="search-yaml-upload")
    name = dcc.Input(id="search-name-input", type="text", value=form.name, debounce=0.4)
    text = dcc.Textarea(
        id="search-yaml-input",
        value=form.text,
        rows=8,
        spellCheck=False,
        persistence=True,
        persistence_type="session",
    )
    return html.Details(
        [
            html.Summary("A study of your own"),
            upload,
            _field("Name of its runs", "name", name),
            _field("YAML, as in studies/", "yaml", text),
        ],
        open=form.own,
        id="search-own-details",
    )


def _settings(form: Form) -> Component:
    box = dcc.Textarea(
        id="search-settings-input",
        value=form.settings,
        rows=2,
        spellCheck=False,
        placeholder="serve.replicas=2",
    )
    return _field("Settings, a knob=value a line", "settings", box)
