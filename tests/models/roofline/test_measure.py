"""Calibration recovers the machine it is given, and says how it knows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import documents, registry
from dse.calibrate import Calibration
from dse.errors import InputError
from dse.provenance import Number
from models.roofline import layers, measure
from models.roofline.calibrate import CALIBRATORS
from models.roofline.measure import Product, Timing, calibration, rates, slug, timed, working

from .made_layer import Made


def quiet(done: int, total: int, front: int = 0) -> None:
    """Progress that nobody reads."""


def value(found: Calibration, name: str) -> float:
    number = found.device.row[name]
    assert isinstance(number, Number)
    return number.value


def made(**changes: Any) -> Made:
    plain: dict[str, Any] = {
        "speeds": {"fp32": 2e11, "fp64": 1e11},
        "bandwidth": 2e10,
        "latency": 5e-7,
    }
    return Made(**{**plain, **changes})


MACHINES = st.builds(
    Made,
    speeds=st.fixed_dictionaries(
        {"fp32": st.floats(2e10, 2e13), "fp64": st.floats(1e10, 1e13)},
        optional={"fp16": st.floats(1e11, 1e15)},
    ),
    bandwidth=st.floats(5e9, 4e12),
    latency=st.floats(1e-7, 2e-5),
    jitter=st.sampled_from([0.0, 0.02, 0.3]),
    triad_share=st.floats(0.5, 2.0),
    seed=st.integers(0, 99),
)


DIGITS = 1 + 1e-3
"""A file keeps four digits."""


def within(got: float, amount: float, true: float, layer: Made) -> bool:
    """Whether a rate is what the layer's jitter can make of it.

    Jitter only slows. At most the call stays in the time; where it is taken off, the kernel took
    `CLEAR` calls or more, so the call's own jitter is at most a share of one of them.
    """
    slowest = (layer.latency + amount / true) * (1 + layer.jitter)
    quickest = amount / true * (1 - layer.jitter / (measure.CLEAR - 1))
    return amount / slowest / DIGITS <= got <= amount / quickest * DIGITS


@settings(max_examples=25)
@given(layer=MACHINES)
def test_a_calibration_recovers_the_machine_it_is_given(layer: Made):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "MOST_REPEATS", 10)  # a made-up clock needs no patience
        patch.setattr(measure, "BURST", 1e-4)
        found = calibration(layer, quiet, date="2026-11-25")
    call = value(found, "call_time")
    assert layer.latency / DIGITS <= call <= layer.latency * (1 + layer.jitter) * DIGITS
    moved = {str(r["operator"]): float(str(r.get("bytes", 0))) for r in found.device.measured}
    for name, share in (("copy", 1.0), ("triad", layer.triad_share)):
        rate = value(found, f"{name}_bandwidth")
        assert within(rate, moved[name], layer.bandwidth * share, layer)
    both = [value(found, f"{name}_bandwidth") for name in ("copy", "triad")]
    assert value(found, "memory_bandwidth") == max(both)
    for number, true in layer.speeds.items():
        size = largest(found, number)
        bound_by_traffic = 1.5 * measure.WIDTHS[number] * true / layer.bandwidth > size
        if not bound_by_traffic:
            assert within(value(found, f"peak_{number}"), 2 * size**3, true, layer)


def largest(found: Calibration, number: str) -> float:
    """Size of the largest square that was measured."""
    rows = [r for r in found.device.measured if r.get("dtype") == number]
    return max(float(str(r["m"])) for r in rows if r["m"] == r["n"] == r["k"])


def test_a_machine_without_jitter_is_recovered_to_the_digits_of_the_file():
    found = calibration(made(), quiet, date="2026-11-25")
    told = {"peak_fp32": 2e11, "peak_fp64": 1e11, "memory_bandwidth": 2e10, "call_time": 5e-7}
    for name, true in told.items():
        assert value(found, name) == pytest.approx(true, rel=1e-3)
    # without jitter the roof and the call are the machine itself
    assert max(e.error for e in found.errors()) < 1e-3
    assert found.warnings == ()


def test_the_spread_of_repetitions_is_recorded_and_a_busy_machine_is_told():
    found = calibration(made(jitter=0.5), quiet, date="2026-11-25")
    spreads = [line.spread for line in found.lines]
    assert 0 < max(spreads) <= 0.5
    calm = calibration(made(jitter=0.01), quiet, date="2026-11-25")
    assert calm.warnings == ()
    # one call a repetition, as long products are, scatters by half of the jitter
    busy = measure.doubts([Timing(1.0, 1.25, 5)], {})
    assert "lies 25% above the least: the machine was busy" in busy[0]
    loaded = measure.doubts([Timing(1.0, 1.0, 5)], {"load": 1.5, "cores": 2, "threads": 2})
    assert "a load of 1.5 on 2 cores before the start" in loaded[0]
    alone = {"load": 1.4, "cores": 2, "threads": 1}
    assert measure.doubts([Timing(1.0, 1.0, 5)], alone) == ()


def test_the_least_of_the_repetitions_counts_and_every_one_is_waited_for():
    layer = made()
    before = layer.waited
    timing = timed(layer, lambda: layer.copy(*[layer.allocate(2**20, 1, "fp32")] * 2))
    assert timing.repeats >= measure.REPEATS
    assert layer.waited - before >= timing.repeats + 2
    assert timing.best == pytest.approx(5e-7 + 2**23 / 2e10, rel=1e-9)
    assert timing.spread == pytest.approx(0, abs=1e-9)


def test_a_product_that_would_take_too_long_is_left_out():
    found = calibration(made(speeds={"fp32": 1e9}), quiet, date="2026-11-25")
    # 2 x 512^3 / 1e9 is 0.27 s, and eight times that is over the longest
    assert largest(found, "fp32") == 512


def test_progress_counts_up_to_its_total():
    seen: list[tuple[int, int]] = []
    calibration(made(), lambda done, total, front=0: seen.append((done, total)), date="")
    assert [done for done, _ in seen] == list(range(1, seen[0][1] + 1))


def test_the_peak_is_judged_without_the_product_that_told_it():
    one = Product(64, 64, 64, "fp32", Timing(1e-3, 1e-3, 5))
    two = Product(64, 64, 64, "fp32", Timing(2e-3, 2e-3, 5))
    streams = {name: Timing(1e-3, 1e-3, 5) for name in measure.STREAMS}
    session = measure.Session(Timing(1e-9, 1e-9, 5), streams, 2**20, [one, two])
    first, second = session.lines()
    assert first.after == pytest.approx(1e-3, rel=1e-3)
    assert first.left_out == pytest.approx(2e-3, rel=1e-3)
    assert second.after == second.left_out == pytest.approx(1e-3, rel=1e-3)


def test_rates_worked_by_hand():
    square = Product(100, 100, 100, "fp32", Timing(2.1e-3, 3e-3, 5))
    found = rates(1e-4, {"copy": 1.1e-3, "triad": 3e-3}, 1000, [square])
    assert found.peaks["fp32"] == pytest.approx(2e6 / 2e-3)
    assert found.streams["copy"] == pytest.approx(2 * 4000 / 1e-3)
    assert found.streams["triad"] == pytest.approx(3 * 4000 / 2.9e-3)
    assert found.bandwidth == found.streams["copy"]
    # 120 kB at 8 MB/s take 15 ms, which is longer than the arithmetic
    assert found.predicted(square) == pytest.approx(1e-4 + 15e-3)


def test_a_time_that_is_mostly_call_is_not_split():
    assert working(5e-6, 1e-6) == 5e-6
    assert working(50e-6, 1e-6) == pytest.approx(49e-6)


@given(name=st.text(max_size=30))
def test_any_name_makes_a_slug(name: str):
    assert slug(name).replace("-", "a").isalnum()
    assert slug(name).isascii()


def test_what_was_not_measured_stays_unknown_and_every_number_has_its_kind():
    found = calibration(made(), quiet, date="2026-11-25")
    assert not {"power", "price", "base_clock"} & found.device.row.keys()
    kinds = {k: n.source.kind for k, n in found.device.row.items() if isinstance(n, Number)}
    assert kinds["peak_fp32"] == kinds["memory_bandwidth"] == kinds["call_time"] == "measured"
    assert kinds["cores"] == kinds["memory_capacity"] == "secondary"
    assert found.device.environment == {"date": "2026-11-25", "threads": 2, "library": "made up"}
    assert found.device.slug == "made-2-0ghz"


def test_a_measured_machine_is_taken_at_its_word(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    found = calibration(made(), quiet, date="2026-11-25")
    (tmp_path / "cpu.yaml").write_text(documents.dump(found.device.document()))
    page = registry.model("roofline")
    config = registry.configure(page, {"device": "cpu.yaml", **found.settings})
    result = page.evaluate(config)
    assert not result.flags["plain"]
    flops, time = float(result.metrics["flops"]), float(result.metrics["latency"])
    assert flops / 2e11 * 0.99 <= time
    assert np.isnan(result.metrics["energy"])


def test_this_cpu_has_the_operators_of_a_layer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layers, "CORES", 2)
    cpu = layers.Cpu()
    left, right = (cpu.allocate(3, 3, "fp64") for _ in range(2))
    out = cpu.allocate(3, 3, "fp64")
    cpu.multiply(left, right, out, "fp64")
    np.testing.assert_allclose(out, left @ right)
    source, target = cpu.allocate(100_001, 1, "fp32"), cpu.allocate(100_001, 1, "fp32")
    target[:] = 0
    cpu.copy(source, target)
    np.testing.assert_array_equal(source, target)
    cpu.triad(source, source, target)
    np.testing.assert_allclose(target, (1 + layers.SCALE) * source, rtol=1e-6)
    cpu.tiny(target)
    np.testing.assert_allclose(target, -(1 + layers.SCALE) * source, rtol=1e-6)
    cpu.synchronise()
    assert cpu.now() <= cpu.now()
    assert cpu.name
    assert {"threads", "numpy", "blas"} <= cpu.environment().keys()
    assert all(number.source.kind == "secondary" for number in cpu.facts().values())


@pytest.mark.parametrize(("asked", "threads"), [("1", 1), ("64", 2), ("", 2), ("many", 2)])
def test_threads_are_those_that_blas_is_asked_to_take(
    asked: str, threads: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(layers, "CORES", 2)
    for name in layers.THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert layers.Cpu().environment()["threads"] == threads


class Tensor:
    """A tensor as the layer uses one, over NumPy."""

    def __init__(self, numbers: Any) -> None:
        self.numbers = numbers

    def to(self, *, device: str, dtype: type) -> "Tensor":
        assert device == "cuda"
        return Tensor(self.numbers.astype(dtype))

    def copy_(self, source: "Tensor") -> None:
        self.numbers[...] = source.numbers

    def neg_(self) -> None:
        self.numbers *= -1


class Torch:
    """PyTorch as the layer calls it, on a made-up GPU."""

    float16, float32, from_numpy = np.float16, np.float32, Tensor
    precision = ""

    @classmethod
    def set_float32_matmul_precision(cls, name: str) -> None:
        cls.precision = name

    @staticmethod
    def matmul(left: Tensor, right: Tensor, *, out: Tensor) -> None:
        out.numbers[...] = left.numbers @ right.numbers

    @staticmethod
    def add(first: Tensor, second: Tensor, *, alpha: float, out: Tensor) -> None:
        out.numbers[...] = first.numbers + alpha * second.numbers

    __version__ = "2.9"

    class version:
        cuda = "12.8"

    class cuda:
        seen = True

        @classmethod
        def is_available(cls) -> bool:
            return cls.seen

        @staticmethod
        def get_device_properties(_: int) -> Any:
            facts = {"name": "Made GPU", "L2_cache_size": 2**25, "major": 9, "minor": 0}
            return type("Facts", (), facts | {"total_memory": 8e9, "multi_processor_count": 10})

        @staticmethod
        def synchronize() -> None: ...


def test_a_gpu_says_what_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layers.importlib, "import_module", lambda _: Torch)
    gpu = layers.Cuda()
    assert gpu.formats == ("fp32", "tf32", "fp16", "bf16")
    assert {k: n.value for k, n in gpu.facts().items()} == {
        "memory_capacity": 8e9,
        "multiprocessors": 10,
        "compute_capability": 9,
        "l2_capacity": 2**25,
    }
    assert gpu.environment()["torch"] == "2.9"


def test_a_gpu_has_the_operators_of_a_layer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layers.importlib, "import_module", lambda _: Torch)
    gpu = layers.Cuda()
    left, right, out = (gpu.allocate(3, 3, "fp32") for _ in range(3))
    for number, mode in (("tf32", "high"), ("fp32", "highest")):
        gpu.multiply(left, right, out, number)
        assert Torch.precision == mode
    np.testing.assert_array_equal(out.numbers, left.numbers @ right.numbers)
    gpu.triad(left, right, out)
    np.testing.assert_array_equal(out.numbers, left.numbers + layers.SCALE * right.numbers)
    gpu.copy(left, out)
    gpu.tiny(out)
    np.testing.assert_array_equal(out.numbers, -left.numbers)
    assert gpu.allocate(2, 2, "fp16").numbers.dtype == np.float16
    gpu.synchronise()


def test_without_pytorch_or_a_gpu_there_is_one_line(monkeypatch: pytest.MonkeyPatch):
    def absent(_: str) -> None:
        raise ModuleNotFoundError

    run: Any = CALIBRATORS["cuda"].run
    monkeypatch.setattr(layers.importlib, "import_module", absent)
    with pytest.raises(InputError, match=r"needs PyTorch; install the extra: pip install 'dse-co"):
        run(quiet)
    monkeypatch.setattr(layers.importlib, "import_module", lambda _: Torch)
    monkeypatch.setattr(Torch.cuda, "seen", False)
    with pytest.raises(InputError, match="PyTorch sees no CUDA GPU"):
        run(quiet)
