"""What a page's executable reference is: the paper's mechanism itself, run for one input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from dse.spec import C, Metric, Reader


@dataclass(frozen=True)
class Case:
    """An input on which the closed form of a page and its reference answer the same question."""

    id: str
    settings: Mapping[str, object]
    """Dotted knob of the page -> setting. A `Path` under a kind of file the page reads is that
    file, over which the other settings lie; the same holds for `inputs`."""
    inputs: Mapping[str, object]
    """Dotted knob of the reference -> setting."""
    use: str = "check"
    """`fit` where a constant of the page was fitted on it, else `check`."""
    group: str = ""
    """Inputs that belong together, to tell weak regimes apart."""


@dataclass(frozen=True)
class Reference(Generic[C]):
    """A page's mechanism, as discovery finds it: `REFERENCE` of `models/<slug>/reference.py`."""

    slug: str
    text: str
    """What is executed, in a sentence."""
    config: type[C]
    """Its inputs; every leaf is a scalar."""
    run: Callable[[C], Mapping[str, float | bool | str]]
    """Inputs -> quantity -> what came out; words say why a run failed."""
    quantities: Mapping[str, Metric]
    compared: Mapping[str, str] = field(default_factory=dict)
    """Metric of the page -> quantity of the reference that it must equal."""
    cases: Callable[[], Iterable[Case]] | None = None
    """The designed sample on which both are held against each other, read when asked for."""
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """Kinds of files it can be given beside its settings, such as a trace."""
    published: Callable[[], Iterable[Case]] | None = None
    """The published points that it can be run for: a case's `id` is the point's, its `settings`
    stay empty, because the point has them. The quantity that answers is the one compared with the
    point's metric, else the one of its name."""


AnyReference = Reference[Any]
"""A reference whose config class is only known at run time."""
