"""What a page declares of the operators that a design runs: how far each is from the roof.

`models/<slug>/roof.py` names a function `roofs`: a design -> the roofs of the devices that compute
in it, with the operators under each (Williams et al., CACM 2009). A page without one has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dse import registry
from dse.spec import AnyModel, Config


@dataclass(frozen=True)
class Ran:
    """What one operator of a pass did."""

    name: str
    kind: str
    flops: float
    """Operations [FLOP]."""
    moved: float
    """Traffic to and from memory [B]."""
    time: float
    """Seconds."""

    @property
    def known(self) -> bool:
        """Whether it has a place on a roof; one that only moves bytes has none."""
        return min(self.flops, self.moved, self.time) > 0


@dataclass(frozen=True)
class Roof:
    """A device and the operators of one pass on it."""

    name: str
    """What is passed, and on what: told apart by it where a design has several."""
    peak: float
    """Operations per second [FLOP/s]."""
    bandwidth: float
    """Bytes per second [B/s]."""
    ran: tuple[Ran, ...]
    text: str = ""
    """What is left out of the times."""


@cache
def _declares(slug: str) -> bool:
    return (Path(registry.folder("models").__path__[0], slug) / "roof.py").is_file()


def roofs(page: AnyModel, config: Config) -> Sequence[Roof]:
    """The roofs of a scalar design; none where its page declares none or nothing computes."""
    if not _declares(page.slug):
        return ()
    found: Sequence[Roof] = registry.module("models", f"{page.slug}.roof").roofs(config)
    return tuple(found)
