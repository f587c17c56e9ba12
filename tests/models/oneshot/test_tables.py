"""Measured tables: what the page carries of them, and how a table of one's own is read."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from dse import verbs
from dse.errors import InputError
from models.oneshot.config import NAMES, SHARES
from models.oneshot.model import MODEL
from models.oneshot.selection import cells, moments
from models.oneshot.tables import kernel_of, read, settings, times

from .test_selection import FILES, kernel


@pytest.mark.parametrize("slug", FILES)
def test_the_page_s_quantiles_are_those_of_the_table(data: Path, slug: str):
    found = kernel_of(times(data / FILES[slug]))
    row = MODEL.data.tables["kernel"][slug]
    stored = {name: row[name].value for name in ("space", *NAMES)}
    # Five digits are stored.
    assert stored == pytest.approx(found, rel=6e-5)


def test_the_gemm_table_has_the_facts_that_the_page_rests_on(data: Path):
    logs = np.log(times(data / FILES["gemm"]))
    assert len(logs) == 17_956
    assert logs.std() == pytest.approx(0.546, abs=5e-4)
    assert (logs.mean() - logs.min()) / logs.std() == pytest.approx(1.83, abs=5e-3)
    draws = np.random.default_rng(7).permuted(np.tile(logs, (200, 1)), axis=1)[:, :64]
    # 200 draws with a standard deviation of 0.07; published 1.176 to 1.179.
    assert np.exp(draws.min(axis=1) - logs.min()).mean() == pytest.approx(1.178, abs=0.015)


def test_invalid_variants_do_not_count(data: Path):
    assert len(times(data / FILES["convolution"])) == 5_256


@pytest.mark.parametrize(("slug", "spread"), [("gemm", 0.5462), ("convolution", 0.5138)])
def test_cells_keep_the_spread_of_the_log_times(slug: str, spread: float):
    grid = cells(kernel(slug))
    assert np.sum(grid.share) == pytest.approx(1, rel=1e-12)
    # A cell stands for its mean.
    found = moments(score=grid.score, share=grid.share)[1]
    assert found == pytest.approx(spread, rel=0.02)


def test_a_table_of_one_s_own_is_priced(tmp_path: Path, data: Path):
    theirs = verbs.evaluate("oneshot", files={"table": data / FILES["convolution"]})
    ours = verbs.evaluate("oneshot", {"kernel": "convolution"})
    assert theirs["metrics"]["regret"]["value"] == pytest.approx(
        ours["metrics"]["regret"]["value"], rel=1e-4
    )
    # Four variants, all measured: the best is found.
    path = tmp_path / "own.csv"
    path.write_text("tile,time_s,valid\n1,2.0,1\n2,1.0,1\n4,0.1,0\n8,3.0,1\n16,4.0,1\n")
    assert settings(path)["kernel"]["space"] == 4
    found = verbs.evaluate("oneshot", {"tuner": "random"}, files={"table": path})
    assert found["metrics"]["measured"]["value"] == 4
    assert found["metrics"]["regret"]["value"] == pytest.approx(1, abs=1e-9)
    # One of four at random: the mean of 1, 2, 3 and 4 over the best. The cells' lines between
    # four points give 2.62.
    one = verbs.evaluate("oneshot", {"tuner": "random", "trials": 1}, files={"table": path})
    assert one["metrics"]["regret"]["value"] == pytest.approx(2.5, rel=0.06)


def test_ties_and_a_table_of_one_variant_are_no_trouble(tmp_path: Path):
    path = tmp_path / "tied.csv"
    for rows in ("7\n", "7\n7\n", "7\n7\n9\n"):
        path.write_text("time_ms\n" + rows)
        for tuner in ("one_shot", "iterative", "random", "exhaustive"):
            found = verbs.evaluate("oneshot", {"tuner": tuner}, files={"table": path})
            assert found["metrics"]["regret"]["value"] == pytest.approx(1, abs=1e-9)


def test_quantiles_are_ranks_of_the_table():
    ladder = kernel_of([float(i) for i in range(1, 10_001)])
    for name, share in zip(NAMES, SHARES, strict=True):
        assert ladder[name] == pytest.approx(10_000 * share)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tile,seconds\n1,2\n", "needs a column time_ms or time_s"),
        ("", "needs a column"),
        ("time_ms\n", "at least one valid variant"),
        ("time_ms,valid\n1,0\n", "at least one valid variant"),
        ("time_ms\n1\n-2\n", "line 3: time_ms must be above 0"),
        ("time_ms\nfast\n", "line 2: time_ms must be above 0, got 'fast'"),
        ("time_ms\nnan\n", "line 2"),
        ("knob,time_ms\n1\n", "line 2"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, words: str):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        settings(path)


def test_knob_columns_are_kept_and_words_become_places(tmp_path: Path):
    path = tmp_path / "own.csv"
    path.write_text(
        "tile,order,time_ms,compile_s_or_ms,spread,valid\n"
        "4,kij,2.0,9,0.1,1\n8,ijk,5.0,9,0.1,1\n8,kij,none,,,0\n"
    )
    found = read(path)
    assert found.names == ("tile", "order")
    assert found.values.tolist() == [[4, 1], [8, 0], [8, 1]]
    assert found.seconds == pytest.approx([0.002, 0.005, np.inf])
    assert found.running().values.tolist() == [[4, 1], [8, 0]]


def test_the_measured_tables_have_their_knobs(data: Path):
    gemm, convolution = (read(data / FILES[slug]) for slug in FILES)
    # KWG, KWI, STRM, STRN and PRECISION never vary, nor do the filter's height and width.
    assert (gemm.values.shape, convolution.values.shape) == ((17_956, 15), (6_768, 8))
    assert [int((np.ptp(t.values, axis=0) > 0).sum()) for t in (gemm, convolution)] == [10, 6]
    assert not set(gemm.names) & {"time_ms", "compile_s_or_ms", "valid"}


def test_a_line_that_lacks_a_knob_is_refused(tmp_path: Path):
    path = tmp_path / "own.csv"
    path.write_text("time_ms,tile\n1.0,4\n2.0\n")
    with pytest.raises(InputError, match="line 3: tile must be given"):
        read(path)


def test_a_broken_file_is_refused_in_one_line(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        settings(tmp_path / "absent.csv")
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(b"time_ms\n1\n" * 99)[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        settings(torn)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"time_ms\n\xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        settings(binary)
