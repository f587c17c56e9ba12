"""Runs as folders: which there are, how far each is, and starting, pausing and resuming one.

Nothing is remembered here: what a page shows is read from the run's folder, so a second tab, a
reopened page or another server sees the same. A search is a child process that runs the CLI's
`dse search --resume`; what it prints goes to `search.log`, which stays locked while it lives. The
lock ends with the process however it ends, so no number of a dead process is ever believed.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

from dse import documents, store
from dse.errors import InputError, closest, shorten
from dse.search import require, total_of
from dse.store import Run
from dse.study import BUDGET, BUDGETS, Study
from dse.terminal import CORES

Word = Literal["running", "elsewhere", "finished", "paused", "broken"]

LOG = "search.log"
"""What the last search of a run printed: locked while that process lives, its number on top."""

FRESH = 15.0
"""Seconds after the last write until a run that we did not start counts as paused."""

PROBES = 20
"""Tries to lock a log: another tab that looks at it holds it for microseconds."""

FAILED = re.compile(r"([\w.]*(Error|Exception))\b")
"""The last line of a defect, or of a machine that ran out of something."""

T = TypeVar("T")


@dataclass(frozen=True)
class State:
    """How a run stands, as its folder says."""

    run: Run
    word: Word
    done: int = 0
    total: int | None = None
    """Designs in all; none while nobody has said."""
    seconds: float | None = None
    """Time spent searching, over all sittings."""
    said: str = ""
    """Why it is broken, or the line that its search ended with."""
    date: str = ""

    @property
    def name(self) -> str:
        """The run as a URL names it, `study/run`."""
        return name_of(self.run)

    @property
    def alive(self) -> bool:
        """Whether some process works on it."""
        return self.word in ("running", "elsewhere")

    @property
    def rate(self) -> float | None:
        """Designs a second over the time spent searching."""
        return self.done / self.seconds if self.seconds and self.done else None

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at this rate."""
        if self.total is None or self.rate is None:
            return None
        return max(self.total - self.done, 0) / self.rate


def name_of(run: Run) -> str:
    """A run as a URL names it: the last two parts of its path."""
    return "/".join(run.path.parts[-2:])


def named(name: str) -> Run:
    """The run of `out/` that a URL names.

    Raises:
        InputError: no such run, with the closest.
    """
    parts = Path(name).parts
    path = store.ROOT / name
    inside = len(parts) == 2 and ".." not in parts and not Path(name).is_absolute()
    if inside and "\0" not in name and (path / "config.yaml").is_file():
        return Run(path)
    known = [name_of(run) for run in runs()]
    raise InputError(
        f"no run '{shorten(name)}' in {store.ROOT}; {closest(shorten(name), known)}; "
        "choose one of the list"
    )


def runs() -> list[Run]:
    """Every run of `out/`, the last started first."""
    found = store.ROOT.glob("*/*/config.yaml")
    return [Run(p.parent) for p in sorted(found, key=lambda p: p.parent.name, reverse=True)]


def state(run: Run) -> State:
    """How a run stands; what cannot be read makes it broken, with the reason."""
    try:
        return _state(run)
    except InputError as error:
        word: Word = "running" if held(run) else "broken"
        return State(run, word, said=str(error))


def _state(run: Run) -> State:
    facts: dict[str, Any] = run.environment() if run.stamped else {}
    done, date = stored(run), str(facts.get("date", ""))[:16].replace("T", " ")
    seconds = float(facts["seconds"]) if "seconds" in facts else None
    if facts.get("finished"):
        return State(run, "finished", done, done, seconds, date=date)
    total, word, said = _total(run, facts), _word(run), _last_error(run)
    if word == "paused" and said:
        word = "broken"
    if word in ("running", "elsewhere"):
        said, seconds = "", _so_far(run, seconds)
    return State(run, word, done, total, seconds, said, date)


def _so_far(run: Run, seconds: float | None) -> float | None:
    """Time spent searching when the last part was written; none before it is known."""
    parts = run.parts
    if seconds is None or not parts:
        return None
    return seconds + max(_written(parts[-1]) - _written(run.path / "environment.json"), 0.0)


def _word(run: Run) -> Word:
    if held(run):
        return "running"
    last = max(map(_written, (run.path / "config.yaml", _stamp(run), *run.parts[-1:])))
    fresh = time.time() - last < FRESH and last > _written(run.path / LOG)
    return "elsewhere" if fresh else "paused"


def _stamp(run: Run) -> Path:
    return run.path / "environment.json"


def _written(path: Path) -> float:
    """When a file was last written; long ago where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def stored(run: Run) -> int:
    """Designs that the folder holds.

    Raises:
        InputError: the last part is broken.
    """
    import pyarrow as pa  # noqa: PLC0415 - a second of import that the live pages save
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    parts = run.parts
    if not parts:
        return 0
    try:
        rows = int(pq.read_metadata(parts[-1]).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{parts[-1]}: not readable ({error}); delete it to resume") from None
    return int(parts[-1].stem.removeprefix("part-")) + rows


def _total(run: Run, facts: dict[str, Any]) -> int:
    """Designs that the search will price: as it was asked, else as its study says."""
    method = facts.get("method")
    if method is None:
        return total_of(apart(run.study))
    asked = documents.read(run.path / "config.yaml").get("search")
    budget = asked.get("budget") if isinstance(asked, dict) else None
    most = int(budget or BUDGETS.get(method, BUDGET))
    return min(int(facts["grid"]), most) if method == "grid" else most


def _last_error(run: Run) -> str:
    """What the last search ended with where it failed; nothing otherwise."""
    try:
        text = (run.path / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    last = text.rstrip().rpartition("\n")[2]
    if last.startswith("error: "):
        return last.removeprefix("error: ")
    defect = FAILED.match(last)
    return f"the search failed ({defect[1]}); {run.path / LOG} has the details" if defect else ""


def held(run: Run) -> bool:
    """Whether a search that a page started still works on a run."""
    if not supported():
        return False
    try:
        with (run.path / LOG).open("rb") as log:
            return not _lock(log, shared=True)
    except OSError:
        return False


def supported() -> bool:
    """Whether this system has the locks and signals that searches are watched by."""
    return find_spec("fcntl") is not None


def _lock(log: IO[bytes], *, shared: bool = False) -> bool:
    """Lock a log, for as long as any process has it open; false where another holds it."""
    import fcntl  # noqa: PLC0415 - POSIX has it, see `supported`

    try:
        fcntl.flock(log, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start(study: Study) -> Run:
    """Begin to search a study in a fresh run folder of `out/`.

    Raises:
        InputError: a method that is not installed, or a folder that cannot be written.
    """
    require(study)
    _require_posix()
    try:
        run = store.create(study, output=None)
    except InputError as error:
        cause = str(error).rpartition(";")[0] or str(error)
        raise InputError(f"{cause}; open 'dse app' in a folder that you may write to") from None
    _begin(run)
    return run


def resume(run: Run) -> None:
    """Go on with a run in a process of its own; it outlives the server.

    Raises:
        InputError: it is finished, a process works on it already, or none can be started.
    """
    _require_posix()
    now = state(run)
    if now.word == "finished":
        raise InputError(f"{now.name} is finished; start its study again for another search")
    if now.alive:
        raise _taken(run)
    _begin(run)


def _begin(run: Run) -> None:
    with _claimed(run) as log:
        log.truncate(0)
        child = _spawned([sys.executable, "-m", "dse.cli", "search", *_options(run)], log)
        log.write(f"process {child.pid}\n".encode())
    threading.Thread(target=child.wait, daemon=True).start()  # so that it leaves no zombie


def _options(run: Run) -> Sequence[str]:
    """One core stays free, so that the pages answer meanwhile; answers do not depend on it."""
    return ["--resume", str(run.path), "--no-report", "--jobs", str(max(CORES - 1, 1))]


def _spawned(command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A child in a session of its own: what interrupts the server is not for it."""
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_interruptible,  # noqa: PLW1509 - one system call, and it takes no lock
        )
    except OSError as error:
        raise InputError(f"cannot start a search: {error.strerror}; end other programs") from None


def _interruptible() -> None:
    """Let an interrupt reach the child though a server in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _claimed(run: Run) -> IO[bytes]:
    """The run's log, locked: whoever comes second is told so."""
    try:
        log = (run.path / LOG).open("ab", buffering=0)
    except OSError as error:
        raise InputError(
            f"{run.path}: {error.strerror}; make the folder writable, then resume"
        ) from None
    for _ in range(PROBES):
        if _lock(log):
            return log
        time.sleep(0.01)
    log.close()
    raise _taken(run)


def _taken(run: Run) -> InputError:
    return InputError(f"{name_of(run)} is being searched already; pause it where it was started")


def _require_posix() -> None:
    if not supported():
        raise InputError("searches start from the browser on Linux and macOS; use 'dse search'")


def pause(run: Run) -> None:
    """Interrupt the search of a run, which stores all it has; `resume` goes on from there.

    Raises:
        InputError: no search that a page started works on it.
    """
    process = number(run) if held(run) else None
    if process is None:
        raise InputError(f"{name_of(run)} is not being searched from here; nothing to pause")
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(process, signal.SIGINT)


def number(run: Run) -> int | None:
    """The process that last searched a run; it lives only where the run is `held`."""
    with (run.path / LOG).open("rb") as log:
        found = re.match(rb"process (\d+)\n", log.read(40))
    return None if found is None else int(found[1])


def apart(call: Callable[[], T]) -> T:
    """What a call returns at nobody's own prices: the run that a server opened has no say."""
    return contextvars.Context().run(call)
