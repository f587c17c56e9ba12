"""A run read a column at a time: what the Parquet holds, and no more than was asked for."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from app import columns, explore
from app.columns import Opened
from dse.certainty import CHANCES, with_chances
from dse.errors import InputError
from dse.store import create

from . import toy as toys


@pytest.fixture
def opened(context) -> Opened:
    return context.opened()


@pytest.fixture
def stored(run) -> pd.DataFrame:
    """What pandas reads of the run."""
    return pd.read_parquet(run.path / "designs.parquet")


@pytest.mark.parametrize("name", ["latency", "cost", "memory.bandwidth", "accepted"])
def test_a_column_is_what_the_parquet_holds(opened, stored, name):
    np.testing.assert_array_equal(opened.column(name), stored[name])
    assert opened.column(name) is opened.column(name)


def test_a_category_comes_as_codes_of_its_labels(opened, stored):
    table = opened.table(["chip"])
    assert list(table.words("chip")) == list(stored["chip"])


def test_an_unknown_column_is_refused_with_the_closest(opened):
    with pytest.raises(InputError, match="latency"):
        opened.column("latencie")


def test_designs_come_in_the_order_of_their_numbers_asked_for(opened, stored):
    table = opened.designs([7, 3, 140])
    assert list(table["row"]) == [7, 3, 140]
    np.testing.assert_array_equal(table["cost"], stored["cost"][[7, 3, 140]])
    assert list(table.words("chip")) == list(stored["chip"][[7, 3, 140]])


def test_numbers_span_parts(opened, run, stored):
    run.append(list(run.tables()))
    both = Opened(run)
    assert both.count == 288
    np.testing.assert_array_equal(
        both.designs([200, 3, 143])["cost"], stored["cost"][[56, 3, 143]]
    )
    np.testing.assert_array_equal(both.column("cost")[144:], stored["cost"])


@pytest.mark.parametrize("row", [-1, 144])
def test_a_design_that_is_not_stored_is_refused(opened, row):
    with pytest.raises(InputError, match="rows count from 0 to 143"):
        opened.designs([row])


def test_the_front_is_the_stored_one_by_its_first_objective_with_chances(opened, run):
    front = opened.front
    assert list(front["latency"]) == sorted(front["latency"])
    kept = with_chances(run, "front.csv", run.front())
    kept = kept.take(np.argsort(kept["latency"], kind="stable"))
    for name in ("latency", "cost", "chip", "requests", "memory.bandwidth", *CHANCES):
        np.testing.assert_array_equal(front[name], kept[name])
    np.testing.assert_array_equal(front["cost"], opened.column("cost")[front["row"]])


def test_opening_the_page_reads_no_column_that_it_neither_judges_by_nor_draws(
    context, monkeypatch
):
    read: list[str] = []
    whole = pq.read_table

    def heard(part, columns=None, **kept):
        read.extend(columns or ["all"])
        return whole(part, columns=columns, **kept)

    monkeypatch.setattr(pq, "read_table", heard)
    explore.layout(context, "")
    assert set(read) == {"feasible", "accepted", "latency", "cost"}
    assert len(read) == len(set(read))


def test_a_sample_is_even_and_keeps_to_its_mask(opened):
    mask = opened.column("accepted")
    rows = opened.sampled(mask, 10)
    assert len(rows) == 10
    assert mask[rows].all()
    gaps = np.diff(np.searchsorted(np.flatnonzero(mask), rows))
    assert gaps.max() - gaps.min() <= 1
    assert len(opened.sampled(mask, 1000)) == mask.sum()


def test_columns_beyond_what_is_held_leave_memory_but_not_the_answer(opened, monkeypatch):
    monkeypatch.setattr(columns, "HELD", 1)
    first = opened.column("latency").copy()
    opened.column("cost")
    np.testing.assert_array_equal(opened.column("latency"), first)
    assert len(opened._held) == 1


def test_a_run_without_designs_says_what_to_do(toy, tmp_path):
    empty = create(toys.study(), output=tmp_path / "toy" / "empty")
    with pytest.raises(InputError, match="holds no designs yet; resume its search"):
        Opened(empty)


def test_a_broken_part_is_named(opened, run):
    run.parts[0].write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"part-.*not readable"):
        opened.column("latency")


def test_a_run_is_opened_anew_only_when_it_has_grown(context, run):
    first = context.opened()
    assert context.opened() is first
    run.append(list(run.tables()))
    assert context.opened().count == 2 * first.count
