"""A run folder: whole at any moment, readable by anybody, found by its name."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dse import documents, store
from dse.errors import InputError
from dse.evaluate import Table, evaluate
from dse.search import search
from dse.store import Run, create, find, latest
from tests.dse import toy as toys
from tests.dse.test_documents import Killed
from tests.dse.test_evaluate import assert_equal

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create(toys.study(), output=tmp_path / "toy" / "run")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(start: int = 0, stop: int = 324) -> Table:
    study = toys.study()
    return evaluate(study, study.space.grid(start, stop))


def test_a_fresh_run_holds_the_question_and_answers_it_again(run: Run):
    assert [path.name for path in run.path.iterdir()] == ["config.yaml"]
    again = run.study()
    study = toys.study()
    assert (again.slug, again.space, again.search) == (study.slug, study.space, study.search)


def test_a_run_in_a_folder_of_its_own_keeps_the_name_of_its_study(tmp_path: Path):
    study = toys.study()
    run = create(study, output=tmp_path / "elsewhere" / "run")
    search(study, run)
    assert run.study().slug == study.slug == "toy"


@pytest.mark.parametrize("left", ["config.yaml", "designs.parquet"])
def test_an_occupied_folder_is_refused_and_left_alone(tmp_path: Path, left: str):
    (tmp_path / left).write_text("mine")
    with pytest.raises(InputError, match="already holds a run; choose another --output or use"):
        create(toys.study(), output=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [left]
    assert (tmp_path / left).read_text() == "mine"


def test_a_folder_with_other_things_may_take_a_run(tmp_path: Path):
    (tmp_path / "notes.txt").touch()
    assert create(toys.study(), output=tmp_path).path == tmp_path


def test_a_folder_below_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="Not a directory; choose another --output"):
        create(toys.study(), output=tmp_path / "file" / "run")
    with pytest.raises(InputError, match="File exists; choose another --output"):
        create(toys.study(), output=tmp_path / "file")


@pytest.mark.usefixtures("here")
def test_a_closed_root_is_refused():
    Path("out").touch()
    with pytest.raises(InputError, match="choose another --output"):
        create(toys.study(), output=None)


@pytest.mark.usefixtures("here")
def test_runs_of_one_second_get_folders_of_their_own():
    runs = [create(toys.study(), output=None) for _ in range(5)]
    assert len({made.path for made in runs}) == 5
    assert all(made.path.parent == Path("out/toy") for made in runs)


@pytest.mark.usefixtures("here")
def test_a_run_is_found_by_path_by_study_and_by_both():
    first = create(toys.study(), output=None)
    last = create(toys.study(), output=None)
    assert find(str(first.path)) == first
    assert find(f"toy/{first.path.name}") == first
    assert find("toy") == last
    assert latest() == last


@pytest.mark.usefixtures("here")
def test_an_unknown_run_gets_the_closest_names():
    create(toys.study(), output=None)
    with pytest.raises(InputError, match="no run 'tpy'; did you mean toy"):
        find("tpy")


@pytest.mark.usefixtures("here")
def test_without_any_run_there_is_no_last_one():
    assert latest() is None
    with pytest.raises(
        InputError, match="no run 'toy'; known: none; 'dse search STUDY' makes one"
    ):
        find("toy")


def test_designs_come_back_as_they_were(run: Run):
    run.append([table(0, 100), table(100, 200)])
    run.append([table(200, 324)])
    assert_equal(run.designs(), table())
    assert [len(part) for part in run.tables()] == [200, 124]


ANY_FLOAT = st.floats(width=64) | st.sampled_from([np.nan, np.inf, -np.inf, -0.0, 5e-324])


@settings(max_examples=50)
@given(
    arrays.arrays(np.float64, 7, elements=ANY_FLOAT),
    arrays.arrays(np.bool_, 7),
    arrays.arrays(np.intp, 7, elements=st.integers(0, 2)),
    arrays.arrays(np.int64, 7),
)
def test_any_column_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: np.ndarray,
    truths: np.ndarray,
    codes: np.ndarray,
    counts: np.ndarray,
):
    columns = {"x": numbers, "sure": truths, "chip": codes.astype(float), "n": counts}
    given_ = Table(columns, {"x": "B/s"}, {"chip": ("tiny", 'µ, "quoted"', "")})
    run = Run(tmp_path_factory.mktemp("run"))
    run.append([given_])
    found = run.designs()
    assert_equal(found, given_)
    np.testing.assert_array_equal(np.signbit(found["x"]), np.signbit(numbers))


def test_any_tool_reads_the_dataset_with_slugs_and_units(run: Run):
    import pyarrow.dataset as ds

    run.append([table(0, 150)])
    run.append([table(150, 324)])
    frame = pd.read_parquet(run.path / "designs.parquet")
    pd.testing.assert_frame_equal(
        frame.astype({"chip": object}), table().to_pandas(), check_dtype=False
    )
    schema = ds.dataset(run.path / "designs.parquet").schema
    assert schema.field("latency").metadata == {b"unit": b"s"}


def test_a_knob_that_plays_no_part_is_null_in_the_file_and_its_default_when_read(run: Run):
    axes = {
        "cached": [0, 1],
        "cache": {"choices": ["64 MB", "1 GB"], "when": "cached == 1"},
        "chip": {"choices": ["large", "tiny"], "when": "cached == 1"},
    }
    study = toys.study(space=axes)
    priced = evaluate(study, study.space.grid(0, study.space.size))
    run.append([priced], space=study.space)
    frame = pd.read_parquet(run.path / "designs.parquet")
    idle = frame["cached"] == 0
    assert idle.any()
    for path in ("cache", "chip"):
        np.testing.assert_array_equal(frame[path].isna(), idle)
    assert not frame["latency"].isna().any()
    assert_equal(run.designs(), priced)


def test_a_part_in_which_every_design_lacks_a_knob_comes_back_too(run: Run):
    axes = {"cached": [0, 1], "chip": {"choices": ["large", "tiny"], "when": "cached == 1"}}
    study = toys.study(space=axes)
    priced = evaluate(study, study.space.grid(0, study.space.size))
    halves = [priced.take(priced["cached"] == code) for code in (0, 1)]
    for half in halves:
        run.append([half], space=study.space)
    assert_equal(run.designs(), Table.concat(halves))
    frame = pd.read_parquet(run.path / "designs.parquet")  # parts whose fields say different
    assert frame["chip"].isna().sum() == len(halves[0])


@pytest.mark.parametrize("moment", ["open", "replace"])
def test_a_kill_while_a_part_is_written_leaves_whole_parts_only(
    run: Run, monkeypatch: pytest.MonkeyPatch, moment: str
):
    run.append([table(0, 100)])

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, moment, kill)
        with pytest.raises(Killed):
            run.append([table(100, 324)])
    assert_equal(run.designs(), table(0, 100))
    run.append([table(100, 324)])
    assert_equal(run.designs(), table())


def test_a_part_that_was_cut_short_is_not_read(run: Run):
    run.append([table(0, 100)])
    (part,) = run.parts
    (part.parent / f".{part.name}.123-abc").write_bytes(part.read_bytes()[:1000])
    assert_equal(run.designs(), table(0, 100))
    assert len(pd.read_parquet(run.path / "designs.parquet")) == 100


def test_a_part_written_twice_counts_once(run: Run):
    run.append([table(0, 100)], start=0)
    run.append([table(100, 200)], start=100)
    run.append([table(100, 324)], start=100)
    assert_equal(run.designs(), table())


def test_a_missing_part_is_told_instead_of_shifting_the_rest(run: Run):
    run.append([table(0, 100)])
    run.append([table(100, 324)])
    run.parts[0].unlink()
    with pytest.raises(InputError, match="designs from number 0 on are missing"):
        run.designs()


def test_a_broken_part_is_told_by_name(run: Run):
    run.append([table(0, 100)])
    run.parts[0].write_bytes(b"PAR1 no more")
    with pytest.raises(
        InputError, match=r"part-0+\.parquet: not readable .*; delete it to resume"
    ):
        run.designs()


def test_a_full_disk_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents, "replace", full)
    with pytest.raises(InputError, match="No space left on device; make room, then --resume"):
        run.append([table(0, 10)])


def test_a_run_without_designs_says_so(run: Run):
    for read in (run.designs, run.front):
        with pytest.raises(InputError, match="the run holds no designs yet; resume its search"):
            read()
    assert run.parts == []
    assert run.history() == []


def test_a_table_as_csv_has_units_slugs_and_every_digit(run: Run):
    given_ = table(0, 50)
    run.write_csv("some.csv", given_, why=["x"] * 50)
    with (run.path / "some.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:4] == ["why", "chip", "chips [1]", "link.bandwidth [B/s]"]
    assert [row["chip"] for row in rows] == list(given_.words("chip"))
    assert [float(row["latency [s]"]) for row in rows] == given_["latency"].tolist()
    assert {row["accepted"] for row in rows} <= {"True", "False"}


def test_the_front_is_read_back_from_its_rows(run: Run):
    run.append([table(0, 100)])
    run.append([table(100, 324)])
    rows = np.array([3, 99, 100, 323])
    chosen = table().take(rows)
    run.write_csv("front.csv", Table({"row": rows, **chosen.columns}, chosen.units, chosen.labels))
    assert_equal(run.front(), chosen)


def test_a_run_without_front_has_an_empty_one(run: Run):
    run.append([table(0, 100)])
    assert len(run.front()) == 0


def test_the_history_is_read_back(run: Run):
    rows = [
        {"designs": 10, "front": 2, "hypervolume": 0.1},
        {"designs": 20, "front": 3, "hypervolume": 1 / 3},
    ]
    run.write_history(rows)
    assert run.history() == rows


def test_the_stamp_tells_versions_machine_and_facts(run: Run):
    assert not run.stamped
    run.stamp(study="toy", designs=3, finished=False)
    assert run.stamped
    facts = run.environment()
    assert (facts["study"], facts["designs"], facts["finished"]) == ("toy", 3, False)
    assert set(facts["libraries"]) == set(store.LIBRARIES)
    assert facts["date"].endswith("+00:00")


@pytest.mark.parametrize("content", [None, "", "{"])
def test_an_absent_or_broken_stamp_is_told(run: Run, content: str | None):
    if content is not None:
        (run.path / "environment.json").write_text(content)
    with pytest.raises(InputError, match=r"environment\.json: not there or broken; resume"):
        run.environment()


def test_the_stamp_is_strict_json(run: Run):
    run.stamp(seconds=1.5, left_out={"a": "b"})

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads((run.path / "environment.json").read_text(), parse_constant=refuse)


def test_nothing_temporary_is_left_behind(run: Run):
    run.append([table(0, 10)])
    run.write_csv("front.csv", table(0, 10))
    run.stamp()
    hidden = [name for _, _, names in os.walk(run.path) for name in names if name[0] == "."]
    assert hidden == []
