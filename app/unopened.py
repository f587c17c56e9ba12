"""The Explore page without a run that it could show: what to do, and the runs there are."""

from __future__ import annotations

from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dse import registry

from . import runs
from .context import Context

LISTED = 8
"""Most runs that are offered."""


def moved(search: str) -> Component:
    """A link from before designs had a page of their own."""
    query = "?" + search.removeprefix("?")
    return html.Div(
        [
            dcc.Store(id="explore-moved-store", data=f"/design{query}"),
            html.H1("One design has a page of its own"),
            html.P(dcc.Link("Open the design of this link", href=f"/design{query}")),
        ],
        id="explore-page-body",
    )


def empty() -> Component:
    """What to do while there is no run."""
    studies = ", ".join(registry.data_files("studies")) or "none yet"
    searched = "Start one on the ", dcc.Link("Search page", href="/search"), ", or type "
    return html.Div(
        [
            html.H1("No run is open"),
            html.P([*searched, html.Code("dse search STUDY"), " in a terminal."]),
            html.P(f"Studies: {studies}."),
            html.P(["Without a run, ", dcc.Link("a single design", href="/design"), " is live."]),
            *_others(),
        ],
        id="explore-page-body",
        className="explore-empty",
    )


def refused(here: Context, reason: str) -> Component:
    """Why a run cannot be shown, and where to go on with it."""
    name = "" if here.run is None else runs.name_of(here.run)
    href = "/search?" + urlencode({"run": name}, safe="/")
    return html.Div(
        [
            html.H1("This run cannot be shown"),
            html.P(reason, role="alert", className="refusal"),
            html.P(["See it on the ", dcc.Link("Search page", href=href), "."]),
            *_others(),
        ],
        id="explore-page-body",
        className="explore-empty",
    )


def _others() -> list[Component]:
    """The runs that could be opened, the last first."""
    names = [runs.name_of(run) for run in runs.runs()[:LISTED]]
    if not names:
        return []
    links = [html.Li(dcc.Link(n, href="/?" + urlencode({"run": n}, safe="/"))) for n in names]
    return [html.H2("Runs"), html.Ul(links, id="explore-runs-list")]
