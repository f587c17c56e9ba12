"""What a page of the explorer is. A new page is one new file with `PAGE = Page(...)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import Dash
from dash.development.base_component import Component

from .context import Context

Layout = Callable[[Context, str], Component]
"""What a page shows, from what is opened and the URL's query such as `?model=dfx&fpgas=2`."""


def aria(**names: str) -> dict[str, Any]:
    """Attributes for screen readers: `aria(label="Pages")` is `aria-label="Pages"`."""
    return {f"aria-{name}": text for name, text in names.items()}


@dataclass(frozen=True)
class Page:
    """One page, as discovery finds it: where it stands, what it shows, and how it answers."""

    order: int
    path: str
    title: str
    layout: Layout
    register: Callable[[Dash, Context], None]
