"""What a page declares is found in its room, and is nothing where it declares nothing."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from dse import curves, registry
from dse.curves import Curve

CURVE = Curve(title="Speed", knob="chips", metrics=("latency",), text="More is faster.")


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "folder", lambda _: SimpleNamespace(__path__=[str(tmp_path)]))
    curves.declared.cache_clear()
    (tmp_path / "toy").mkdir()
    yield tmp_path / "toy"
    curves.declared.cache_clear()


def test_a_page_without_curves_has_none(room: Path):
    assert curves.declared("toy") == ()


def test_the_curves_of_a_room_are_found_in_order(room: Path, monkeypatch: pytest.MonkeyPatch):
    (room / "curves.py").touch()
    named = SimpleNamespace(CURVES=[CURVE, CURVE])
    monkeypatch.setattr(registry, "module", lambda folder, name: named)
    assert curves.declared("toy") == (CURVE, CURVE)


def test_anything_else_is_refused_by_its_place(room: Path, monkeypatch: pytest.MonkeyPatch):
    (room / "curves.py").touch()
    monkeypatch.setattr(registry, "module", lambda folder, name: SimpleNamespace(CURVES=["x"]))
    with pytest.raises(TypeError, match=r"models/toy/curves.py: CURVES must hold"):
        curves.declared("toy")
