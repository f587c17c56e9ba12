"""The toy page, for every test of the framework that asks for it."""

import pytest

from tests.dse import toy as toys


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch):
    """The module of the toy, while the registry knows its page."""
    toys.install(monkeypatch.setattr)
    return toys
