"""Runs as folders: their state is what the folder says, and one process at most works on each."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from app import runs
from dse import store
from dse.errors import InputError
from dse.search import search
from dse.store import Run, create
from dse.study import Study, build

DOCUMENT = {
    "question": "Which batch is fastest?",
    "model": "roofline",
    "space": {
        "batch": {"low": 1, "high": 64, "integer": True},
        "tokens": {"low": 16, "high": 1024},
    },
    "objectives": ["latency", "tokens_per_second"],
    "search": {"method": "random", "budget": 400, "seed": 3},
}

SLEEPS = ["sleep", "600"]
"""A search that never ends by itself."""


def study(**changes: object) -> Study:
    return build("batches", {**DOCUMENT, **changes}, place="batches.yaml")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def empty() -> Run:
    """A run whose search was never begun, last touched long ago."""
    run = create(study(), output=None)
    aged(run)
    return run


@pytest.fixture
def ended() -> Run:
    question = study()
    return search(question, create(question, output=None)).run


def aged(run: Run) -> None:
    """Nothing in the folder was written within the last minute."""
    then = time.time() - 60
    for path in run.path.rglob("*"):
        os.utime(path, (then, then))


def unfinished(run: Run) -> None:
    path = run.path / "environment.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "finished": False, "designs": 300}))


def until(holds) -> None:
    """Wait for another process; one that never comes is broken."""
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch):
    """Searches that never end by themselves, in the order in which they were started."""
    started: list[subprocess.Popen] = []
    spawn = runs._spawned

    def spawned(_command, log):
        started.append(spawn(SLEEPS, log))
        return started[-1]

    monkeypatch.setattr(runs, "_spawned", spawned)
    yield started
    for child in started:
        child.kill()
        child.wait()


def test_a_started_search_ends_as_the_same_search_of_the_command_line() -> None:
    run = runs.start(study())
    until(lambda: not runs.state(run).alive)
    state = runs.state(run)
    question = study()
    same = search(question, create(question, output=Path("same"))).run
    assert (state.word, state.done, state.total) == ("finished", 400, 400)
    assert (run.path / "front.csv").read_text() == (same.path / "front.csv").read_text()
    with pytest.raises(InputError, match="is finished; start its study again"):
        runs.resume(run)


def test_a_search_that_stops_at_once_says_its_one_line(empty: Run) -> None:
    (empty.path / "config.yaml").write_text("question: q\nmodel: rooflin\nobjectives: [latency]\n")
    runs.resume(empty)
    until(lambda: not runs.held(empty))
    state = runs.state(empty)
    assert state.word == "broken"
    assert "unknown model 'rooflin'; did you mean roofline?" in state.said
    assert "Traceback" not in state.said


def test_a_search_is_running_while_its_process_lives_and_paused_after(asleep, empty: Run) -> None:
    runs.resume(empty)
    assert runs.state(empty).word == "running"
    with pytest.raises(InputError, match="is being searched already"):
        runs.resume(empty)
    runs.pause(empty)
    assert asleep[0].wait() == -signal.SIGINT
    until(lambda: not runs.held(empty))
    assert runs.state(empty).word == "paused"
    with pytest.raises(InputError, match="nothing to pause"):
        runs.pause(empty)


def test_of_many_that_resume_a_run_at_once_one_does(asleep, empty: Run) -> None:
    barrier, refused = threading.Barrier(6), []

    def resume() -> None:
        barrier.wait()
        try:
            runs.resume(empty)
        except InputError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=resume) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asleep) == 1
    assert len(refused) == 5
    assert all("is being searched already" in text for text in refused)


def test_a_killed_search_is_paused_whoever_has_its_number_now(asleep, empty: Run) -> None:
    runs.resume(empty)
    asleep[0].kill()
    until(lambda: not runs.held(empty))
    mine = f"process {os.getpid()}\n"
    (empty.path / runs.LOG).write_text(mine)
    assert runs.state(empty).word == "paused"
    with pytest.raises(InputError, match="nothing to pause"):
        runs.pause(empty)


def test_a_search_leaves_the_group_that_an_interrupt_of_the_server_reaches(
    asleep, empty: Run
) -> None:
    runs.resume(empty)
    assert os.getpgid(asleep[0].pid) != os.getpgid(0)


def test_a_run_that_a_terminal_writes_is_running_elsewhere(ended: Run) -> None:
    unfinished(ended)
    state = runs.state(ended)
    assert state.word == "elsewhere"
    with pytest.raises(InputError, match="already; pause it where it was started"):
        runs.resume(ended)
    aged(ended)
    assert runs.state(ended).word == "paused"


def test_progress_counts_what_is_stored_and_expects_the_rest_at_its_rate(ended: Run) -> None:
    unfinished(ended)
    path = ended.path / "config.yaml"
    path.write_text(path.read_text().replace("budget: 400", "budget: 1000"))
    facts = json.loads((ended.path / "environment.json").read_text())
    (ended.path / "environment.json").write_text(json.dumps({**facts, "seconds": 4.0}))
    aged(ended)
    state = runs.state(ended)
    assert (state.word, state.done, state.total) == ("paused", 400, 1000)
    assert state.rate == 100.0
    assert state.left == 6.0


def test_what_a_search_will_price_is_known_before_it_has_stored_anything(empty: Run) -> None:
    state = runs.state(empty)
    assert (state.done, state.total, state.rate, state.left) == (0, 400, None, None)


@pytest.mark.parametrize(
    ("last", "word", "said"),
    [
        ("error: out: no space left; make room\n", "broken", "out: no space left; make room"),
        ("Traceback ...\nMemoryError\n", "broken", "failed (MemoryError)"),
        ("Traceback ...\nKeyboardInterrupt\n", "paused", ""),
        ("interrupted; go on with: dse search --resume out/a\n", "paused", ""),
        ("", "paused", ""),
    ],
)
def test_the_last_line_of_a_search_says_whether_it_failed(empty: Run, last, word, said) -> None:
    (empty.path / runs.LOG).write_text(f"process 1\n{last}")
    state = runs.state(empty)
    assert state.word == word
    assert said in state.said


@pytest.mark.parametrize("name", ["environment.json", "designs.parquet/part-000000000000.parquet"])
def test_a_folder_that_cannot_be_read_is_broken_with_the_file(ended: Run, name) -> None:
    unfinished(ended)
    (ended.path / name).write_text("nonsense")
    state = runs.state(ended)
    assert state.word == "broken"
    assert name.rpartition("/")[2] in state.said


def test_runs_are_listed_with_the_last_one_first(empty: Run) -> None:
    later = Path("out/batches/99990101-000000")
    create(study(), output=later)
    assert [run.path for run in runs.runs()] == [later, empty.path]


def test_a_run_is_found_by_the_name_it_is_listed_by(empty: Run) -> None:
    assert runs.named(runs.name_of(empty)).path == empty.path


@pytest.mark.parametrize(
    "name", ["batches", "a/b", "../x/y", "/etc", "batches/../..", "a\0/b", "a/b/c"]
)
def test_a_name_that_is_no_run_of_the_folder_is_refused_in_words(empty: Run, name) -> None:
    with pytest.raises(InputError, match=r"no run '.*' in out; .* choose one of the list"):
        runs.named(name)


def test_a_folder_that_cannot_be_written_is_told_with_the_way_out(asleep) -> None:
    Path("out").write_text("in the way")
    with pytest.raises(InputError, match=r"^out.*; open 'dse app' in a folder that you may write"):
        runs.start(study())
    assert asleep == []


def test_a_method_that_is_not_installed_makes_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dse.sampler.find_spec", lambda name: None)
    with pytest.raises(InputError, match="gp needs PyTorch"):
        runs.start(study(search={"method": "gp"}))
    assert not store.ROOT.exists()


def test_a_system_without_locks_is_told_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch, empty: Run
) -> None:
    monkeypatch.setattr(runs, "find_spec", lambda name: None)
    assert not runs.held(empty)
    with pytest.raises(InputError, match="Linux and macOS; use 'dse search'"):
        runs.resume(empty)


def test_a_run_is_named_alike_by_the_page_and_the_command_line(ended: Run) -> None:
    assert store.find(runs.name_of(ended)).path == ended.path
