"""What the mechanisms answered: run over their cases, kept beside the page, read again.

`models/<slug>/cross.json` holds the answers, because runs may take minutes. It is made by
`dse validate SLUG --cross --write`. An answer counts only while its inputs are today's.
"""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from dse import documents, registry, simulate
from dse.errors import InputError
from dse.mechanism import AnyReference, Case
from dse.simulate import Outcome
from dse.spec import Config

Tick = Callable[[int, int], None]
"""Told of runs done and runs in all."""


@dataclass(frozen=True)
class Plan:
    """What is to be run of one mechanism."""

    reference: AnyReference
    cases: tuple[Case, ...]
    published: tuple[Case, ...]

    @classmethod
    def of(cls, found: AnyReference) -> Plan:
        """The cases of a mechanism and the published points it can be run for."""
        cases = tuple(found.cases()) if found.cases else ()
        published = tuple(found.published()) if found.published else ()
        return cls(found, cases, published)

    @property
    def runs(self) -> tuple[tuple[str, Case], ...]:
        """Every run, under the key that its answer is kept by."""
        cases = tuple((f"case {case.id}", case) for case in self.cases)
        return cases + tuple((f"point {case.id}", case) for case in self.published)

    def wanted(self, key: str) -> set[str]:
        """Quantities that are kept of a run: of a case what is judged, of a point all."""
        if key.startswith("point "):
            return set(self.reference.quantities)
        return {*self.reference.compared.values(), "feasible", "reason"}

    def config(self, case: Case) -> Config:
        """The inputs of one run."""
        place = f"models/{self.reference.slug}/reference.py: {case.id}"
        return simulate.configure(self.reference, case.inputs, place=place)


@dataclass(frozen=True)
class Answer:
    """What one run answered, and a digest of its inputs."""

    inputs: str
    outcome: Outcome


Answers = Mapping[str, Answer]
"""Key of a run -> its answer."""


def digest(config: Config) -> str:
    """Twelve characters that change with any input."""
    text = json.dumps(config.echo(), sort_keys=True, default=float)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def answer(plan: Plan, key: str, case: Case) -> Answer:
    """Run one case; words and truths stay, numbers become Python's."""
    config = plan.config(case)
    outcome = simulate.run(plan.reference, config)
    names = [name for name in outcome if name in plan.wanted(key)]
    return Answer(digest(config), {name: _plain(outcome[name]) for name in names})


def _plain(value: float | bool | str | np.generic) -> float | bool | str:
    if isinstance(value, str | bool):
        return value
    return bool(value) if isinstance(value, np.bool_) else float(value)


def execute(
    plans: Sequence[Plan], tick: Tick | None = None, *, jobs: int = 1
) -> Iterator[Answers]:
    """Run every case of every plan, one plan after the other, in so many processes."""
    total, done = sum(len(plan.runs) for plan in plans), 0
    results = _results(plans, jobs)
    for plan in plans:
        found = {}
        for key, _ in plan.runs:
            found[key], done = next(results), done + 1
            if tick is not None:
                tick(done, total)
        yield found
    results.close()


def _results(plans: Sequence[Plan], jobs: int) -> Generator[Answer, None, None]:
    """The answers in order; a process finds the mechanism again by its slug."""
    if jobs == 1:
        yield from (answer(plan, key, case) for plan in plans for key, case in plan.runs)
        return
    runs = [(plan.reference.slug, key) for plan in plans for key, _ in plan.runs]
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_start_worker) as pool:
        try:
            yield from pool.map(_work, runs)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker() -> None:
    """An interrupt ends the process that waits for the answers, not each worker with words."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _plan(slug: str) -> Plan:
    return Plan.of(simulate.reference(slug))


def _work(run: tuple[str, str]) -> Answer:
    slug, key = run
    return answer(_plan(slug), key, dict(_plan(slug).runs)[key])


def place_of(slug: str) -> Path:
    """Where the answers of a mechanism are kept."""
    return Path(registry.folder("models").__path__[0], slug, "cross.json")


def write(slug: str, answers: Answers) -> Path:
    """Keep the answers, a line each."""
    lines = (
        f"{json.dumps(key)}: {json.dumps([found.inputs, dict(found.outcome)])}"
        for key, found in answers.items()
    )
    path = place_of(slug)
    documents.replace(path, "{\n" + ",\n".join(lines) + "\n}\n")
    return path


def kept(slug: str) -> Answers:
    """The answers that were kept; none if there is no file.

    Raises:
        InputError: a file that `write` did not make.
    """
    path = place_of(slug)
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {key: Answer(str(inputs), dict(outcome)) for key, (inputs, outcome) in rows.items()}
    except (ValueError, TypeError, AttributeError) as error:
        way_out = f"make it again by 'dse validate {slug} --cross --write'"
        raise InputError(f"{path}: holds no answers ({error}); {way_out}") from None


def stale(plan: Plan, answers: Answers) -> list[str]:
    """Runs without an answer to today's inputs, and answers that no run asks for."""
    wanted = {key: digest(plan.config(case)) for key, case in plan.runs}
    held = {key: found.inputs for key, found in answers.items()}
    return sorted(k for k in wanted.keys() | held.keys() if wanted.get(k) != held.get(k))
