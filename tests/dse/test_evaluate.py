"""Designs in, priced designs out: the same table however the work is split."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import evaluate as evaluating
from dse import registry
from dse.evaluate import Table, evaluate, stream
from dse.spec import Result
from dse.study import Study
from tests.dse import toy as toys

pytestmark = pytest.mark.usefixtures("toy")


def assert_equal(one: Table, other: Table) -> None:
    assert list(one.columns) == list(other.columns)
    assert one.units == other.units
    assert one.labels == other.labels
    for name, column in one.columns.items():
        assert column.dtype == other[name].dtype
        np.testing.assert_array_equal(column, other[name], err_msg=name)


def whole(study: Study) -> Table:
    return evaluate(study, study.space.grid(0, study.space.size))


def streamed(study: Study, **options: object) -> Table:
    size = study.space.size
    tables = stream(study, study.space.grid, start=0, stop=size, **options)  # type: ignore[arg-type]
    return Table.concat(list(tables))


def test_a_table_holds_knobs_metrics_and_judgement_with_units_and_labels():
    study = toys.study()
    table = whole(study)
    assert list(table.columns) == [
        *study.space.by_path,
        *toys.TOY.metrics,
        "violation",
        "accepted",
        "extrapolates",
    ]
    assert table.units["link.bandwidth"] == "B/s"
    assert table.units["cost"] == "USD"
    assert table.units["violation"] == "1"
    assert table.labels == {"chip": ("tiny", "small", "large", "unpriced")}
    assert len(table) == study.space.size


def test_every_row_is_the_design_priced_alone():
    study = toys.study()
    table = whole(study)
    for row in range(0, len(table), 7):
        settings = {path: float(table[path][row]) for path in study.space.by_path}
        settings["chip"] = table.words("chip")[row]
        document = {"items": 8, "link": {}} | {k: v for k, v in settings.items() if "." not in k}
        document["link"] = {k[5:]: v for k, v in settings.items() if "." in k}
        config = registry.starting_point(toys.TOY, document)
        metrics = toys.price_machine(config).metrics  # type: ignore[arg-type]
        for name in toys.TOY.metrics.keys() - {"feasible"}:
            np.testing.assert_array_equal(table[name][row], metrics[name], err_msg=name)
        covered = bool(toys.few_lanes(config))  # type: ignore[arg-type]
        assert table["feasible"][row] == (covered and metrics["feasible"] > 0)


@pytest.mark.parametrize("block", [1, 7, 100, 10_000])
@pytest.mark.parametrize("jobs", [1, 3])
def test_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch, block: int, jobs: int):
    study = toys.study()
    monkeypatch.setattr(evaluating, "BLOCK", block)
    assert_equal(streamed(study, jobs=jobs), whole(study))


def test_processes_give_the_same_table_in_the_same_order(monkeypatch: pytest.MonkeyPatch):
    study = toys.study()
    monkeypatch.setattr(evaluating, "BLOCK", 50)
    monkeypatch.setattr(evaluating, "_start_worker", toys.start_worker)
    assert_equal(streamed(study, jobs=2, pool="processes"), whole(study))


def test_a_worker_prices_the_study_it_was_started_with(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evaluating, "_WORKER", {})
    study = toys.study()
    evaluating._start_worker(study.slug, dict(study.document))
    columns = dict(study.space.grid(0, 9))
    assert_equal(evaluating._work(columns), evaluate(study, columns))


def test_a_block_in_the_middle_is_the_middle_of_the_whole(monkeypatch: pytest.MonkeyPatch):
    study = toys.study()
    monkeypatch.setattr(evaluating, "BLOCK", 40)
    tables = list(stream(study, study.space.grid, start=40, stop=130, jobs=2))
    assert [len(table) for table in tables] == [40, 40, 10]
    assert_equal(Table.concat(tables), whole(study).take(np.arange(40, 130)))


def test_the_page_that_fails_fails_the_stream():
    study = toys.study()

    def broken(start: int, stop: int) -> dict[str, np.ndarray]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(stream(study, broken, start=0, stop=10, jobs=2))


def test_a_design_with_an_unknown_objective_is_never_accepted():
    table = whole(toys.study(constraints=[]))
    unpriced = table.words("chip") == "unpriced"
    assert unpriced.any()
    assert np.isnan(table["cost"][unpriced]).all()
    assert not table["accepted"][unpriced].any()
    assert table["feasible"][unpriced].any()


def test_a_design_with_an_unknown_bound_is_never_accepted():
    table = whole(toys.study(objectives=["latency"], constraints=["cost <= 1 M$"]))
    unpriced = table.words("chip") == "unpriced"
    assert (table["violation"][unpriced] == np.inf).all()
    assert not table["accepted"][unpriced].any()


@pytest.mark.parametrize(("name", "value"), [("latency", np.inf), ("feasible", np.nan)])
def test_what_is_not_finite_is_never_accepted(name: str, value: float):
    study = toys.study(constraints=[])

    def price(config: toys.Machine) -> Result:
        result = toys.price_machine(config)
        return replace(result, metrics={**result.metrics, name: np.asarray(value)})

    assert whole(study)["accepted"].any()
    page = replace(toys.TOY, evaluate=price)
    assert not whole(replace(study, page=page))["accepted"].any()


def test_a_design_that_breaks_a_rule_is_priced_but_not_feasible():
    table = whole(toys.study(space={"chips": [1, 2], "link.lanes": [4, 8]}))
    np.testing.assert_array_equal(table["feasible"], [True, False, True, True])
    assert np.isfinite(table["latency"]).all()


def test_what_the_page_flags_extrapolates():
    table = whole(toys.study(space={"clock": ["1 GHz", "2 GHz"]}))
    np.testing.assert_array_equal(table["extrapolates"], [False, True])


def test_violations_of_all_constraints_add_up():
    constraints = ["latency <= 1 ms", "power <= 1 W"]
    both = whole(toys.study(constraints=constraints))["violation"]
    apart = [whole(toys.study(constraints=[text]))["violation"] for text in constraints]
    np.testing.assert_array_equal(both, apart[0] + apart[1])
    assert (both > 0).all()


def test_a_study_that_varies_nothing_has_one_row():
    table = whole(toys.study(space={}))
    assert len(table) == 1
    assert table["accepted"].all()


@given(st.lists(st.integers(0, 323), max_size=20), st.integers(1, 323))
def test_taking_and_joining_are_those_of_the_rows(rows: list[int], cut: int):
    table = whole(toys.study())
    index = np.array(rows, dtype=np.intp)
    taken = table.take(index)
    np.testing.assert_array_equal(taken["latency"], table["latency"][index])
    parts = [table.take(np.arange(cut)), table.take(np.arange(cut, len(table)))]
    assert_equal(Table.concat(parts), table)


def test_a_frame_has_slugs_and_units():
    frame = whole(toys.study()).to_pandas()
    assert set(frame["chip"]) == {"tiny", "small", "large", "unpriced"}
    assert frame.attrs["units"]["latency"] == "s"
    assert frame["accepted"].dtype == bool
    assert len(frame) == 324
