"""The registry knows the toy beside the real pages."""

import pytest

from . import toy as toys


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch):
    """The toy page, found by its slug like any other."""
    return toys.install(monkeypatch)
