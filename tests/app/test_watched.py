"""What a run has found so far: cheap to read, and the same as the whole folder says."""

from pathlib import Path

import numpy as np
import pytest

from app import watched
from dse.archive import Archive
from dse.errors import InputError
from dse.search import search
from dse.store import Run, create
from dse.study import Study, build

from . import toy as toys

METRICS = ["latency", "cost"]


@pytest.fixture
def question(toy) -> Study:
    return toys.study()


@pytest.fixture
def split(run: Run, question: Study, tmp_path: Path) -> Run:
    """The same run, stored in many parts."""
    whole = run.designs()
    parted = create(question, output=tmp_path / "parted")
    for start in range(0, len(whole), 4):
        parted.append([whole.take(np.arange(start, min(start + 4, len(whole))))], start=start)
    return parted


def test_a_small_run_is_sampled_whole_however_many_parts_it_has(run: Run, split: Run) -> None:
    assert len(split.parts) > watched.READ
    names = ["chip", *METRICS]
    assert watched.sample(split, names, 1000).equals(watched.sample(run, names, 1000))


def test_a_sample_is_even_and_no_larger_than_asked(split: Run) -> None:
    found = watched.sample(split, METRICS, 20)
    assert found.column_names == METRICS
    assert 15 <= len(found) <= 20


def test_a_large_run_is_read_in_a_few_parts(split: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    read: list[Path] = []
    table = pq.read_table
    monkeypatch.setattr(
        pq, "read_table", lambda p, columns: read.append(p) or table(p, columns=columns)
    )
    watched.sample(split, METRICS, 20)
    assert len(read) == watched.READ
    assert {split.parts[0], split.parts[-1]} <= set(read)


def test_a_run_without_designs_has_no_sample(question: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no designs are stored yet"):
        watched.sample(create(question, output=tmp_path / "empty"), METRICS, 10)


def test_a_broken_part_is_named(split: Run) -> None:
    split.parts[3].write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"part-000000000012\.parquet: not readable"):
        watched.sample(split, METRICS, 1000)


def test_the_designs_of_a_sample_are_those_that_are_stored(run: Run, question: Study) -> None:
    found, whole = watched.designs(run, question, METRICS), run.designs()
    assert len(found) == len(whole)
    for name in (*METRICS, "accepted", "extrapolates"):
        np.testing.assert_array_equal(found[name], whole[name])
        assert found.units.get(name) == whole.units.get(name)


def test_the_front_is_the_one_that_the_folder_holds(run: Run, question: Study) -> None:
    found = watched.front_of(run, question, run.designs())
    whole = run.front()
    assert len(found) == len(whole) > 1
    for name, column in whole.columns.items():
        np.testing.assert_array_equal(found[name], column)
    assert found.labels == whole.labels


def test_a_knob_that_plays_no_part_takes_its_default_and_a_blank_number_is_unknown() -> None:
    study = build(
        "idle",
        {
            "question": "q",
            "model": "roofline",
            "space": {
                "precision": ["fp16", "fp32"],
                "batch": {"choices": [2, 4], "when": "precision == fp32"},
            },
            "objectives": ["latency"],
        },
        place="idle.yaml",
    )
    axis = study.space.by_path["batch"]
    assert watched._column(study, "batch", ["", "4.0", None]).tolist() == [
        axis.default,
        4.0,
        axis.default,
    ]
    assert watched._column(study, "precision", ["fp32", "fp16"]).tolist() == [1.0, 0.0]
    assert np.isnan(watched._column(study, "energy", ["", "nan"])).all()
    assert watched._column(study, "accepted", ["True", "False"]).tolist() == [True, False]


def test_the_chart_draws_the_whole_front_before_the_sample(run: Run, question: Study) -> None:
    chart = watched.front(run, question, x="latency", y="cost")
    assert (chart.frame["series"] == "front").sum() == len(run.front())
    assert "sample" not in chart.caption


def test_a_sample_is_said_to_be_one(
    run: Run, question: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "DRAWN", 30)
    chart = watched.front(run, question, x="latency", y="cost")
    assert chart.caption.startswith(f"An even sample of 30 of {len(run.designs())} stored designs")


def test_designs_are_drawn_before_a_first_front_is_written(split: Run, question: Study) -> None:
    chart = watched.front(split, question, x="latency", y="cost")
    assert set(chart.frame["series"]) == {"designs"}


def test_importances_find_the_knob_that_alone_decides(run: Run, question: Study) -> None:
    found = watched.importance(run, question)
    assert set(found.shares) == {*METRICS, watched.FRONT}
    for shares in found.shares.values():
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["chip"] < 0.05  # no objective of the toy knows its chip
    assert max(found.shares["cost"], key=found.shares["cost"].__getitem__) == "memory.bandwidth"


def test_importances_do_not_depend_on_which_way_an_objective_is_better(tmp_path: Path) -> None:
    document = {
        "question": "At one batch, is the least latency the most tokens per second?",
        "model": "roofline",
        "space": {
            "compute_efficiency": {"low": 0.05, "high": 1},
            "memory_efficiency": {"low": 0.05, "high": 1},
            "dispatch_time": {"low": 0, "high": "100 us"},
        },
        "objectives": ["latency", "tokens_per_second"],
        "search": {"method": "random", "budget": 400},
    }
    study = build("up", document, place="up.yaml")
    run = search(study, create(study, output=tmp_path / "up")).run
    shares = watched.importance(run, study).shares
    assert shares["latency"] == pytest.approx(shares["tokens_per_second"])


def test_too_few_designs_have_no_importance(toy, tmp_path: Path) -> None:
    study = toys.study(constraints=["latency <= 4 ms"])
    run = search(study, create(study, output=tmp_path / "few")).run
    with pytest.raises(InputError, match=r"of \d+ sampled designs meet every constraint"):
        watched.importance(run, study)


def test_a_complete_grid_is_never_beaten_by_chance(toy, tmp_path: Path) -> None:
    space = {"memory.bandwidth": [1e9, 1e10, 1e11], "requests": {"low": 1, "high": 8}}
    study = toys.study(space=space)
    said = watched.beside_random(search(study, create(study, output=tmp_path / "g")).run, study)
    share = float(said.partition(" reach ")[2].partition("%")[0])
    assert 10 < share <= 100


def test_the_volume_of_chance_is_that_of_its_own_front(run: Run, question: Study) -> None:
    front = watched.front_of(run, question, run.designs())
    archive = Archive(question, seen=1, front=front)
    archive.snapshots = [(1, np.array([[front["latency"].max(), front["cost"].max()]]))]
    small, whole = (row["hypervolume"] for row in archive.history())
    assert 0 < small < whole


def test_random_sampling_is_not_compared_with_itself(toy, tmp_path: Path) -> None:
    study = toys.study(search={"method": "random", "budget": 100})
    run = search(study, create(study, output=tmp_path / "random")).run
    assert watched.beside_random(run, study) == ""


def test_the_growth_is_the_history_of_the_folder(run: Run) -> None:
    frame = watched.growth(run).frame
    assert frame["designs"].tolist() == [row["designs"] for row in run.history()]
