"""What every command prints with: results on stdout, remarks and progress on stderr."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from rich.console import Console

UNREAD = 141
"""Exit code of a command that SIGPIPE ends, as a shell says it."""

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Cores of this machine that we may use."""

PIPED = 160
"""Columns of a table that goes into a file or a pipe."""


class Tick(Protocol):
    """Tells how far something is: steps done, steps in all, size of the front if there is one."""

    def __call__(self, done: int, total: int, front: int = 0) -> None:
        """Show it."""


def console() -> Console:
    """Where tables go."""
    width = None if sys.stdout.isatty() else PIPED
    return Console(width=width, highlight=False)


def print_json(value: object) -> None:
    """A result for scripts; JSON knows no infinity, so that is a word."""
    said = _said(value)
    sys.stdout.write(json.dumps(said, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def _said(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _said(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_said(held) for held in value]
    if isinstance(value, float) and math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return value


def unread() -> int:
    """Nobody reads our output any more: be quiet to the end.

    Returns:
        the exit code.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return UNREAD


def note(text: str) -> None:
    """A remark for the person, apart from the result."""
    sys.stderr.write(text + "\n")


@contextmanager
def progress(words: str) -> Iterator[Tick]:
    """A progress bar on a terminal, nothing when piped; Ctrl-C ends the work at the next tick.

    Python loses an interrupt that strikes inside a callback of a library; a tick raises it again.

    Args:
        words: what is counted; may hold `{task.fields[front]}`.
    """
    pressed = False

    def press(_signal: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    with _bar(words) as show, _handled(press):

        def tick(done: int, total: int, front: int = 0) -> None:
            if pressed:
                raise KeyboardInterrupt
            show(done, total, front)

        yield tick


@contextmanager
def _handled(press: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Ctrl-C calls `press` while the context lasts; only a main thread can be told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bar(words: str) -> Iterator[Callable[[int, int, int], None]]:
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich import progress as bars  # noqa: PLC0415 - only a terminal needs it

    columns = (
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn(words),
        bars.TimeRemainingColumn(),
    )
    bar = bars.Progress(*columns, console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task(words, total=None, front=0)
        yield lambda done, total, front: bar.update(task, completed=done, total=total, front=front)
