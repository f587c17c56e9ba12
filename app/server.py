"""The explorer as a web server on this machine's loopback; no request ever leaves it."""

from __future__ import annotations

import logging
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, dcc, html, set_props
from dash.development.base_component import Component
from waitress import create_server

from dse import registry
from dse.errors import InputError
from dse.store import Run

from .context import Context
from .page import Page, aria

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ASSETS = Path(__file__).parent / "assets"
DARK = "function () { return window.matchMedia('(prefers-color-scheme: dark)').matches; }"

Wsgi = Callable[[Any, Any], Iterable[bytes]]
"""A WSGI application."""

LOG = logging.getLogger(__name__)


def pages() -> tuple[Page, ...]:
    """Every page of the explorer, in order: each file of `app` that names a `PAGE`."""
    found = registry.members("app", Page, "PAGE").values()
    return tuple(sorted(found, key=lambda page: page.order))


def create(run: Run | None) -> Dash:
    """The explorer for a run, or for live pages alone when there is none."""
    context = Context(run)
    app = Dash(
        __name__,
        assets_folder=str(ASSETS),
        title="dse explorer",
        update_title="",
        suppress_callback_exceptions=True,
        on_error=tell,
        enable_mcp=False,
    )
    known = pages()
    app.layout = shell(known)
    for page in known:
        page.register(app, context)

    @app.callback(
        Output("app-page-main", "children"),
        Input("app-url-location", "pathname"),
        Input("app-url-location", "search"),
    )
    def on_url(path: str, search: str) -> Component:
        return route(known, context, path, search)

    app.server.wsgi_app = _priced(app.server.wsgi_app, run)
    app.clientside_callback(  # type: ignore[no-untyped-call]
        DARK, Output("app-theme-store", "data"), Input("app-url-location", "pathname")
    )
    return app


def _priced(serve: Wsgi, run: Run | None) -> Wsgi:
    """Every answer at the run's own prices, where it was searched with such."""
    prices = None if run is None else run.overlay()

    def within(environ: Any, start: Any) -> Iterable[bytes]:  # noqa: ANN401 - as WSGI has them
        with registry.priced_by(prices):
            return serve(environ, start)

    return within


def shell(known: tuple[Page, ...]) -> Component:
    """What surrounds every page: a skip link, the pages, and where mistakes are told."""
    links = [dcc.Link(page.title, href=page.path) for page in known]
    return html.Div(
        [
            dcc.Location(id="app-url-location", refresh=False),
            dcc.Store(id="app-theme-store"),
            html.A("Skip to the page", href="#app-page-main", className="skip"),
            html.Header([html.Strong("dse explorer"), html.Nav(links, **aria(label="Explorer"))]),
            html.Div(id="app-message-alert", role="alert", className="refusal"),
            html.Main("Loading …", id="app-page-main", tabIndex="-1"),
        ],
        id="app-shell-body",
    )


def route(known: tuple[Page, ...], context: Context, path: str, search: str) -> Component:
    """The page of a path, or in words why there is none."""
    for page in known:
        if page.path == path:
            return _laid_out(page, context, search or "")
    links = [html.Li(dcc.Link(page.title, href=page.path)) for page in known]
    return html.Div([html.H1(f"There is no page at {path}"), html.Ul(links)])


def _laid_out(page: Page, context: Context, search: str) -> Component:
    try:
        return page.layout(context, search)
    except InputError as error:
        return html.Div([html.H1("This page cannot be shown"), html.P(str(error), role="alert")])


def tell(error: Exception) -> None:
    """Show a callback's mistake on the page in words; the log has the details of a defect."""
    if isinstance(error, InputError):
        text = str(error)
    else:
        LOG.error("a callback failed", exc_info=error)
        text = f"The explorer failed here ({type(error).__name__}); the terminal has the details."
    set_props("app-message-alert", {"children": text})


def bind(app: Dash, *, host: str = LOOPBACK[0], port: int = 8050, public: bool = False) -> Any:  # noqa: ANN401 - waitress ships without types
    """A waitress server that listens but does not yet answer; its `effective_port` is known.

    Raises:
        InputError: a host that others can reach without having been asked for, or a taken port.
    """
    if host not in LOOPBACK and not public:
        raise InputError(
            f"`host` must be one of {', '.join(LOOPBACK)}, got '{host}': the explorer has no "
            "password; pass public=True to let others in"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another --port"
        ) from None
    return create_server(app.server, sockets=[listener], threads=8, ident="dse")


def announce(url: str) -> None:
    """Say where the explorer is."""
    sys.stdout.write(f"dse explorer: {url} (Ctrl+C ends it)\n")
    sys.stdout.flush()


def serve(
    run: Run | None,
    *,
    host: str = LOOPBACK[0],
    port: int = 8050,
    open_browser: bool = False,
    public: bool = False,
    on_ready: Callable[[str], None] = announce,
) -> None:
    """Serve the explorer until a person ends it.

    Args:
        run: what to open; without it the page works on live designs.
        host: an address of this machine.
        port: 0 takes a free one.
        open_browser: open the address in the browser as well.
        public: let other machines in; there is no password.
        on_ready: told the address once the server listens.

    Raises:
        InputError: see `bind`.
    """
    server = bind(create(run), host=host, port=port, public=public)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{server.effective_port}/"
    on_ready(url)
    if open_browser:
        webbrowser.open(url)
    server.run()
