"""A run of the toy, and the explorer opened on it."""

from pathlib import Path

import pytest

from app.context import Context
from dse.search import search
from dse.store import Run, create

from . import toy as toys


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch):
    """The toy page, found by its slug like any other."""
    return toys.install(monkeypatch)


@pytest.fixture
def run(toy, tmp_path: Path) -> Run:
    """A finished search of the toy."""
    question = toys.study()
    return search(question, create(question, output=tmp_path / "toy" / "first")).run


@pytest.fixture
def context(run: Run) -> Context:
    """The explorer on that run."""
    return Context(run)
