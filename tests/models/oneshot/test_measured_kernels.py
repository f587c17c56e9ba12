"""Real kernels: variants are right programs, times come from this machine and read back."""

from pathlib import Path

import numpy as np
import pytest

from dse import simulate
from dse.errors import InputError
from models.oneshot import measured_kernels as kernels
from models.oneshot import sources
from models.oneshot.measured_kernels import Timing, Variant
from models.oneshot.replay_config import Replayed
from models.oneshot.tables import read

SIZE = 24
needs_compiler = pytest.mark.skipif(
    kernels.compiler() is None, reason="no C compiler 'cc' on this machine"
)


def product_sum() -> float:
    """The checksum that a right program prints."""
    i = np.arange(SIZE)
    a = np.broadcast_to(i % 7 - 3, (SIZE, SIZE)).T
    b = np.broadcast_to(i % 5 - 2, (SIZE, SIZE))
    weights = 1 + (i[:, None] + 2 * i) % 3
    return float(np.sum((a @ b) * weights))


@needs_compiler
def test_every_kind_of_variant_computes_the_product():
    # One tile that divides the size and one that does not, every order, both unrollings.
    chosen = [
        Variant(*tiles, order, unroll)
        for tiles, order, unroll in zip(
            [(8, 24, 7), (5, 4, 24), (24, 24, 24)], kernels.ORDERS, (1, 4, 4), strict=True
        )
    ]
    found = kernels.measure(chosen, size=SIZE, repeats=3)
    assert [timing.checksum for timing in found] == [product_sum()] * 3
    assert all(0 < timing.seconds < 1 for timing in found)
    assert all(timing.spread >= 0 for timing in found)
    assert all(timing.compile_seconds > 0 for timing in found)


@needs_compiler
def test_a_variant_that_does_not_compile_has_failed_and_the_others_go_on():
    bad = Variant(8, 8, 8, "ij", 1)
    found = kernels.measure([bad, Variant(8, 8, 8, "ijk", 1)], size=SIZE, repeats=1)
    assert np.isinf(found[0].seconds)
    assert np.isfinite(found[1].seconds)


def test_no_compiler_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernels, "compiler", lambda: None)
    with pytest.raises(InputError, match="C compiler 'cc'"):
        kernels.measure([], size=SIZE, repeats=1)


def test_variants_are_all_combinations_that_fit():
    found = kernels.variants(SIZE, tiles=(8, 16, 32), unrolls=(1, 4))
    assert len(found) == len(set(found)) == 2**3 * 3 * 2


def timings() -> list[Timing]:
    chosen = kernels.variants(16, tiles=(4, 16), unrolls=(1, 4))
    return [
        Timing(variant, 1e-6 * (3 + number % 7), 0.02, 0.1, 0.0)
        for number, variant in enumerate(chosen)
    ] + [Timing(Variant(8, 8, 8, "ijk", 1))]


def test_timings_are_written_in_the_format_that_tables_have(tmp_path: Path):
    path = tmp_path / "own.csv"
    kernels.write(timings(), path)
    written, kept = read(path), kernels.table_of(timings())
    assert written.names == kept.names == kernels.NAMES
    np.testing.assert_allclose(written.seconds, kept.seconds)
    np.testing.assert_array_equal(written.values, kept.values)
    assert np.isinf(written.seconds[-1])


def test_kernels_of_this_machine_are_one_table_among_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernels, "measure", lambda *_, **__: timings())
    sources._measured.cache_clear()
    found = simulate.reference("oneshot")
    config = simulate.configure(found, {"kernel": "here", "train_size": 20, "trials": 4})
    assert float(config.kernel.matmul) > 0
    outcome = simulate.run(found, config)
    assert outcome["variants"] == len(timings()) - 1
    assert outcome["best_time"] == pytest.approx(3e-6)
    sources._measured.cache_clear()
    sources.task.cache_clear()


def test_a_made_up_record_is_not_measured():
    assert not Replayed(knobs=2, levels=2, spread=0.5).matmul
