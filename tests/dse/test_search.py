"""Space in, evaluated designs out: exact, repeatable, and undisturbed by whatever stops it."""

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from dse import archive, documents, evaluate, registry, sampler, store
from dse import search as searching
from dse.errors import InputError
from dse.evaluate import Table
from dse.search import Outcome, draw_of, method_of, search, total_of
from dse.spec import Result
from dse.store import Run
from dse.study import Study
from tests.dse import toy as toys
from tests.dse.test_evaluate import assert_equal
from tests.dse.test_pareto import reference

pytestmark = pytest.mark.usefixtures("toy")

BUDGETS = {"grid": 324, "random": 300, "qmc": 300, "nsga2": 200, "nsga3": 200, "tpe": 50}
METHODS = pytest.mark.parametrize("method", BUDGETS)
RESULT = ("front.csv", "best.csv", "history.csv", "config.yaml")


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and parts so small that the toy has many of them."""
    monkeypatch.setattr(evaluate, "BLOCK", 32)
    monkeypatch.setattr(searching, "BLOCK", 32)
    monkeypatch.setattr(searching, "PART", 64)


def asked(method: str, *, seed: int = 3, **changes: object) -> Study:
    options = {"method": method, "budget": BUDGETS[method], "seed": seed}
    return toys.study(**({"search": options} | changes))


def fresh(study: Study, path: Path, **options: object) -> Outcome:
    return search(study, store.create(study, output=path), **options)  # type: ignore[arg-type]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def assert_same_result(one: Path, other: Path) -> None:
    assert_equal(Run(one).designs(), Run(other).designs())
    for name in RESULT:
        assert (one / name).read_text() == (other / name).read_text(), name
    ours, theirs = Run(one).environment(), Run(other).environment()
    for facts in (ours, theirs):
        del facts["date"], facts["seconds"]
    assert ours == theirs


def brute_force(constraint: float) -> set[tuple[str, ...]]:
    """The front of the toy's study, each design priced and compared alone."""
    bandwidths = [2e9, 8e9, 32e9]
    caches = [(0, 1e6), (1, 1e6), (1, 64e6)]
    kept, points = [], []
    for chip, chips, bandwidth, lanes, (cached, cache) in product(
        ["tiny", "small", "large"], [1, 2, 4], bandwidths, [1, 4, 7], caches
    ):
        if lanes > 4 * chips:
            continue
        document = {
            "items": 8,
            "chip": chip,
            "chips": chips,
            "link": {"bandwidth": bandwidth, "lanes": lanes},
            "cached": cached,
            "cache": cache,
        }
        metrics = toys.price_machine(registry.configure(toys.TOY, document)).metrics  # type: ignore[arg-type]
        if metrics["feasible"] and metrics["energy"] <= constraint:
            held = f"{cache:g}" if cached else ""
            kept.append(tuple(map(str, (chip, float(chips), lanes, cached, held))))
            points.append([float(metrics["latency"]), float(metrics["cost"])])
    return {kept[i] for i in np.flatnonzero(reference(np.array(points)))}


def test_the_front_of_a_grid_is_that_of_brute_force(tmp_path: Path):
    outcome = fresh(asked("grid"), tmp_path / "run")
    front = rows_of(outcome.run.path / "front.csv")
    found = {
        (
            row["chip"],
            row["chips [1]"],
            str(int(float(row["link.lanes [1]"]))),
            str(int(float(row["cached [1]"]))),
            f"{float(row['cache [B]']):g}" if row["cache [B]"] else "",
        )
        for row in front
    }
    assert found == brute_force(50.0)
    assert len(front) == outcome.archive.size


@METHODS
def test_a_run_holds_every_design_and_the_front_is_that_of_the_stored(tmp_path: Path, method: str):
    study = asked(method)
    outcome = fresh(study, tmp_path / "run")
    designs = outcome.run.designs()
    assert len(designs) == BUDGETS[method] == outcome.archive.seen
    assert outcome.finished
    assert outcome.feasible
    good = np.flatnonzero(designs["accepted"])
    points = archive.points_of(study, designs.take(good))
    best = designs.take(good[reference(points)])
    knobs = [best[axis.path] for axis in study.space.axes]
    distinct = {tuple(row) for row in np.stack(knobs, axis=1).tolist()}
    front = outcome.run.front()
    assert len(front) == len(distinct)
    assert {tuple(r) for r in np.stack([front[a.path] for a in study.space.axes], 1)} == distinct
    assert (front["energy"] <= 50).all()
    facts = outcome.run.environment()
    assert (facts["method"], facts["designs"], facts["accepted"], facts["finished"]) == (
        method,
        len(designs),
        len(good),
        True,
    )


@METHODS
def test_the_same_seed_gives_the_same_result_on_any_number_of_threads(tmp_path: Path, method: str):
    fresh(asked(method), tmp_path / "toy" / "one")
    fresh(asked(method), tmp_path / "toy" / "two", jobs=3)
    assert_same_result(tmp_path / "toy" / "one", tmp_path / "toy" / "two")


@pytest.mark.parametrize("method", BUDGETS.keys() - {"grid"})
def test_another_seed_gives_other_designs(tmp_path: Path, method: str):
    tables = [
        fresh(asked(method, seed=seed), tmp_path / str(seed)).run.designs() for seed in (1, 2)
    ]
    assert not np.array_equal(tables[0]["latency"], tables[1]["latency"])


def test_processes_give_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evaluate, "_start_worker", toys.start_worker)
    fresh(asked("grid"), tmp_path / "toy" / "one")
    fresh(asked("grid"), tmp_path / "toy" / "two", jobs=2, pool="processes")
    assert_same_result(tmp_path / "toy" / "one", tmp_path / "toy" / "two")


@pytest.mark.parametrize("method", ["random", "qmc"])
def test_samples_fill_the_range(method: str):
    space = {"clock": {"low": 1e9, "high": 2e9}, "chips": [1, 2, 4]}
    study = asked(method, space=space)
    draw = draw_of(study)
    assert draw is not None
    columns = draw(0, 256)
    shares = (columns["clock"] - 1e9) / 1e9
    counts = np.histogram(shares, bins=8, range=(0, 1))[0]
    assert (counts == 32).all() if method == "qmc" else (abs(counts - 32) < 20).all()


def test_a_low_discrepancy_sequence_does_not_depend_on_the_blocks():
    draw = draw_of(asked("qmc"))
    assert draw is not None
    whole = draw(0, 300)
    spans = [(low, min(low + 37, 300)) for low in range(0, 300, 37)]
    forth = [draw(*span) for span in spans]
    back = [draw(*span) for span in reversed(spans)]
    for path, column in whole.items():
        for parts in (forth, back[::-1]):
            np.testing.assert_array_equal(np.concatenate([p[path] for p in parts]), column)


def test_a_budget_beyond_the_sequence_is_refused():
    with pytest.raises(InputError, match="qmc ends after 4 billion designs; lower the budget"):
        searching.require(toys.study(search={"method": "qmc", "budget": 2**33}))


@pytest.mark.parametrize(
    ("space", "budget", "method", "total"),
    [
        (toys.SPACE, 10_000, "nsga2", 10_000),
        (dict(toys.SPACE) | {"link.bandwidth": [8e9]}, 10_000, "grid", 108),
        (dict(toys.SPACE) | {"link.bandwidth": [8e9]}, 100, "nsga2", 100),
        ({}, 100, "grid", 1),
    ],
)
def test_auto_enumerates_where_that_is_exact_and_fits(
    space: Mapping[str, object], budget: int, method: str, total: int
):
    study = toys.study(space=dict(space), search={"method": "auto", "budget": budget})
    assert method_of(study) == method
    assert total_of(study) == total


@METHODS
def test_a_study_that_varies_nothing_has_one_design(tmp_path: Path, method: str):
    outcome = fresh(asked(method, space={}), tmp_path / "run")
    assert (outcome.archive.seen, outcome.archive.size) == (1, 1)
    assert_equal(search(asked(method, space={}), outcome.run).run.designs(), outcome.run.designs())


@METHODS
def test_where_nothing_is_feasible_the_nearest_designs_are_told(tmp_path: Path, method: str):
    outcome = fresh(asked(method, constraints=["latency <= 1 us"]), tmp_path / "run")
    assert outcome.finished
    assert not outcome.feasible
    assert not (outcome.run.path / "front.csv").exists()
    (line,) = archive.explain_infeasible(outcome.archive)
    assert line.startswith("'latency <= 1 us' is missed by")
    nearest = outcome.archive.nearest
    assert nearest is not None
    designs = outcome.run.designs()
    priced = designs.take(np.isfinite(designs["cost"]) & designs["feasible"])
    assert nearest["violation"][0] == priced["violation"].min()


def test_without_torch_a_gaussian_process_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sampler, "find_spec", lambda _: None)
    study = toys.study(search={"method": "gp"})
    run = store.create(study, output=tmp_path / "run")
    with pytest.raises(InputError, match="method gp needs PyTorch; install the extra"):
        search(study, run)
    assert [path.name for path in run.path.iterdir()] == ["config.yaml"]


def test_progress_counts_designs_up_to_all_of_them(tmp_path: Path):
    told: list[tuple[int, int, int]] = []
    outcome = fresh(
        asked("grid"), tmp_path / "run", progress=lambda *numbers: told.append(numbers)
    )
    assert [done for done, _, _ in told] == [*range(32, 324, 32), 324]
    assert {total for _, total, _ in told} == {324}
    assert told[-1][2] == outcome.archive.size


def interrupt_at(call: int) -> Callable[[int, int, int], None]:
    """A person who presses Ctrl-C at the n-th tick of the progress bar."""
    calls = iter(range(10**6))

    def tick(*_: int) -> None:
        if next(calls) == call:
            raise KeyboardInterrupt

    return tick


@METHODS
@pytest.mark.parametrize("call", [0, 2])
def test_an_interrupted_run_goes_on_to_the_uninterrupted_result(
    tmp_path: Path, method: str, call: int
):
    study = asked(method)
    fresh(study, tmp_path / "toy" / "whole")
    outcome = fresh(study, tmp_path / "toy" / "cut", progress=interrupt_at(call), jobs=2)
    assert not outcome.finished
    stored = outcome.run.designs()
    assert 0 < len(stored) < BUDGETS[method]
    assert outcome.archive.seen == len(stored) == outcome.run.environment()["designs"]
    assert len(outcome.run.front()) == outcome.archive.size
    again = search(outcome.run.study(), outcome.run, progress=interrupt_at(0))
    assert not again.finished
    assert search(again.run.study(), again.run, jobs=2).finished
    assert_same_result(tmp_path / "toy" / "whole", tmp_path / "toy" / "cut")


@pytest.mark.parametrize("call", [0, 1, 5])
@pytest.mark.parametrize(
    ("owner", "name", "after"),
    [
        (archive.Archive, "_count_known", False),
        (archive.Archive, "_extend_front", True),
        (Run, "append", False),
        (Run, "append", True),
        (searching, "_conclude", False),
    ],
)
def test_an_interrupt_at_an_awkward_moment_loses_and_doubles_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    after: bool,
    call: int,
):
    monkeypatch.setattr(searching, "FLUSH", 0.0)
    study = asked("grid")
    fresh(study, tmp_path / "toy" / "whole")
    action, interrupt = getattr(owner, name), interrupt_at(call)

    def struck(*given: object, **named: object) -> None:
        if not after:
            interrupt(0, 0, 0)
        action(*given, **named)
        if after:
            interrupt(0, 0, 0)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, struck)
        outcome = fresh(study, tmp_path / "toy" / "cut")
    assert not outcome.finished
    assert outcome.archive.seen == sum(len(table) for table in outcome.run.tables())
    assert search(study, outcome.run).finished
    assert_same_result(tmp_path / "toy" / "whole", tmp_path / "toy" / "cut")


CHILD = """
import sys, time
from pathlib import Path
from dse import evaluate, search, store
from tests.dse import toy
toy.install()
evaluate.BLOCK = search.BLOCK = 32
search.PART, search.FLUSH = 64, 0.0
options = {"method": sys.argv[2], "budget": int(sys.argv[3]), "seed": 3}
study = toy.study(search=options)
run = store.create(study, output=Path(sys.argv[1]))
search.search(study, run, jobs=2, progress=lambda *_: time.sleep(0.05))
"""


@pytest.mark.parametrize("method", ["grid", "random", "nsga2", "tpe"])
def test_a_killed_run_can_be_read_and_goes_on_to_the_uninterrupted_result(
    tmp_path: Path, method: str
):
    cut = tmp_path / "toy" / "cut"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(cut), method, str(BUDGETS[method])])
    try:
        while len(Run(cut).parts) < 2 and child.poll() is None:
            time.sleep(0.005)
    finally:
        child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "it ended before it was killed"
    run = Run(cut)
    stored = len(run.designs())
    assert 0 < stored < BUDGETS[method]
    assert run.study().search == asked(method).search
    assert search(run.study(), run).finished
    fresh(asked(method), tmp_path / "toy" / "whole")
    assert_same_result(tmp_path / "toy" / "whole", cut)


def test_a_run_that_broke_off_tells_how_far_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(searching, "FLUSH", 0.0)

    def fail(done: int, *_: int) -> None:
        if done > 200:
            raise MemoryError

    study = asked("grid")
    run = store.create(study, output=tmp_path / "run")
    with pytest.raises(MemoryError):
        search(study, run, progress=fail)
    facts = run.environment()
    assert not facts["finished"]
    assert facts["designs"] == len(run.designs()) == 224
    assert len(run.front()) > 0
    assert run.history()[-1]["designs"] == 224


def contents(path: Path) -> dict[str, tuple[bytes, int]]:
    files = (file for file in path.rglob("*") if file.is_file())
    return {str(f): (f.read_bytes(), f.stat().st_mtime_ns) for f in files}


@METHODS
def test_a_finished_run_is_read_back_and_left_as_it_is(tmp_path: Path, method: str):
    study = asked(method, compare="chip")
    outcome = fresh(study, tmp_path / "run")
    before = contents(tmp_path)
    again = search(study, outcome.run)
    assert contents(tmp_path) == before
    assert again.finished
    assert again.seconds == pytest.approx(outcome.seconds, abs=1e-3)  # as rounded in the stamp
    assert again.archive.front is not None
    assert outcome.archive.front is not None
    assert_equal(again.archive.front, outcome.archive.front)
    assert_equal(again.archive.best()[1], outcome.archive.best()[1])
    assert again.archive.history() == outcome.archive.history()
    assert again.archive.left_out() == outcome.archive.left_out()


@METHODS
def test_a_run_that_would_go_on_otherwise_than_it_began_is_refused(tmp_path: Path, method: str):
    study = asked(method)
    outcome = fresh(study, tmp_path / "run", progress=interrupt_at(1))
    before = contents(tmp_path)

    def dearer(config: toys.Machine) -> Result:
        result = toys.price_machine(config)
        return replace(result, metrics={**result.metrics, "cost": result.metrics["cost"] + 1})

    changed = replace(study, page=replace(toys.TOY, evaluate=dearer))
    with pytest.raises(InputError, match=r"other versions \(its cost differs on replay\); start"):
        search(changed, outcome.run)
    assert contents(tmp_path) == before


def test_a_run_of_another_study_is_refused(tmp_path: Path):
    outcome = fresh(asked("grid"), tmp_path / "run", progress=interrupt_at(1))
    other = asked("grid", space={"chips": [1, 2]})
    with pytest.raises(InputError, match="differs on replay"):
        search(other, outcome.run)


def test_designs_are_written_in_time_even_if_a_part_never_fills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(searching, "PART", 10**9)
    monkeypatch.setattr(searching, "FLUSH", 0.0)
    outcome = fresh(asked("grid"), tmp_path / "often")
    assert len(outcome.run.parts) == 11
    monkeypatch.setattr(searching, "FLUSH", 1e9)
    assert len(fresh(asked("grid"), tmp_path / "once").run.parts) == 1


def test_parts_are_as_large_as_they_should_be(tmp_path: Path):
    sizes = [len(table) for table in fresh(asked("grid"), tmp_path / "run").run.tables()]
    assert sizes == [64, 64, 64, 64, 64, 4]


def test_the_warnings_of_a_study_are_stamped(tmp_path: Path):
    study = toys.study(search={"method": "grid", "budget": 100})
    outcome = fresh(study, tmp_path / "run")
    (warning,) = outcome.run.environment()["warnings"]
    assert warning.startswith("the budget covers the first 100 of 324 designs")


def test_a_table_is_read_back_in_the_portions_of_the_search(tmp_path: Path):
    study = asked("nsga2")
    outcome = fresh(study, tmp_path / "run")
    sizes = [len(table) for table in searching._stored(study, outcome.run)]
    assert sizes == [64, 64, 64, 8]
    assert_equal(Table.concat(list(searching._stored(study, outcome.run))), outcome.run.designs())


def test_the_echo_of_a_run_is_what_was_searched(tmp_path: Path):
    outcome = fresh(asked("random"), tmp_path / "toy" / "run")
    again = outcome.run.study()
    assert documents.dump(again.document) == (outcome.run.path / "config.yaml").read_text()
    assert again.space == asked("random").space
