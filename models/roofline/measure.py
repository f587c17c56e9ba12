"""Measures a machine: products of matrices, streams beyond the caches, the cost of a call.

The least of several repetitions is what the machine does undisturbed; the median says how far a
usual one lies above it. The cost of a call is taken off before a rate is formed, because the page
adds it again. A product's own prediction is the plain roof of these rates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Generic

import numpy as np

from dse.calibrate import Calibration, Line
from dse.devices import Device
from dse.provenance import Number, Row, Source
from dse.spec import leaf
from dse.terminal import Tick
from dse.units import show

from .config import GIVEN
from .layers import B, Layer
from .model import MODEL, compute_time, memory_time, operator_time

SQUARES = (128, 256, 512, 1024, 2048, 4096, 8192)
"""Sizes of square products, until one would take longer than `LONGEST`."""
SHAPES = ((1, 4096, 4096), (16, 1024, 4096), (256, 3072, 768), (1024, 768, 3072), (1024, 1024, 64))
"""M, N, K of a transformer's layers, which no rate is read off."""
LONGEST = 0.75
"""Seconds of the longest product."""
REPEATS, MOST_REPEATS = 5, 200
BUDGET = 0.5
"""Seconds of repeating one kernel, unless the fewest repetitions need more."""
BURST = 1e-3
"""Seconds of one repetition at least, so that neither clock nor waiting counts."""
MOST_CALLS = 10_000
STREAM, LEAST_STREAM, MOST_STREAM = 4.0, 2.0**26, 2.0**29
"""Bytes of an array of a stream: so many last caches, but at least and at most these."""
CALM = 0.1
"""Most that a usual repetition lies above the least on a machine left alone."""
TINY = 16
"""Numbers of an operator that is all call."""
WIDTHS = {"fp64": 8, "fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2}
STREAMS = {"copy": 2, "triad": 3}
"""Arrays that a stream reads or writes."""
CLEAR = 10.0
"""Times the call that a kernel must take before the call is taken off it."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the least and the median of several repetitions."""

    best: float
    median: float
    repeats: int

    @property
    def spread(self) -> float:
        """How far a usual repetition lies above the least."""
        return self.median / self.best - 1


@dataclass(frozen=True)
class Product:
    """A measured product of matrices."""

    m: int
    n: int
    k: int
    number: str
    timing: Timing

    @property
    def flops(self) -> float:
        """Operations."""
        return 2.0 * self.m * self.n * self.k

    @property
    def moved(self) -> float:
        """Bytes of both operands and the result."""
        elements = self.m * self.k + self.k * self.n + self.m * self.n
        return float(WIDTHS[self.number] * elements)

    @property
    def name(self) -> str:
        """Shape and format."""
        return f"{self.m} x {self.n} x {self.k} {self.number}"


@dataclass(frozen=True)
class Rates:
    """What a machine reaches: operations by format, bytes by stream, seconds of a call."""

    peaks: Mapping[str, float]
    streams: Mapping[str, float]
    call: float

    @property
    def bandwidth(self) -> float:
        """That of the better stream."""
        return max(self.streams.values())

    def predicted(self, one: Product) -> float:
        """Seconds of a product by the plain roof and the cost of a call."""
        whole = leaf(1.0)
        work = operator_time(
            compute=compute_time(
                flops=leaf(one.flops), peak=leaf(self.peaks[one.number]), efficiency=whole
            ),
            memory=memory_time(
                bytes_=leaf(one.moved), bandwidth=leaf(self.bandwidth), efficiency=whole
            ),
        )
        return self.call + float(work)


def timed(layer: Layer[B], call: Callable[[], None]) -> Timing:
    """Time of one call: warmed up, then repeated within the budget, several calls at a time."""

    def burst(calls: int) -> float:
        start = layer.now()
        for _ in range(calls):
            call()
        layer.synchronise()
        return max(layer.now() - start, 1e-9) / calls

    burst(1)
    calls, estimate = 1, burst(1)
    while calls < MOST_CALLS and calls * estimate < BURST:
        calls = min(MOST_CALLS, max(2 * calls, math.ceil(BURST / estimate)))
        estimate = burst(calls)
    repeats = int(np.clip(BUDGET / (calls * estimate), REPEATS, MOST_REPEATS))
    found = [burst(calls) for _ in range(repeats)]
    return Timing(min(found), median(found), repeats)


@dataclass(frozen=True)
class Steps(Generic[B]):
    """What is measured on a layer, one step at a time."""

    layer: Layer[B]

    def call(self) -> Timing:
        """Time of an operator too small to work."""
        buffer = self.layer.allocate(TINY, 1, "fp32")
        return timed(self.layer, partial(self.layer.tiny, buffer))

    def stream(self, name: str, length: int) -> Timing:
        """Time of a copy or a triad over arrays of so many numbers of single precision."""
        first, second, target = (self.layer.allocate(length, 1, "fp32") for _ in range(3))
        if name == "copy":
            return timed(self.layer, partial(self.layer.copy, first, target))
        return timed(self.layer, partial(self.layer.triad, first, second, target))

    def product(self, m: int, n: int, k: int, number: str) -> Product:
        """Time of one product of matrices."""
        left, right, out = (
            self.layer.allocate(rows, columns, number)
            for rows, columns in ((m, k), (k, n), (m, n))
        )
        call = partial(self.layer.multiply, left, right, out, number)
        return Product(m, n, k, number, timed(self.layer, call))

    def products(self, number: str) -> Iterator[Product | None]:
        """Products of one format; nothing in the place of a square that would take too long."""
        last = 0.0
        for size in SQUARES:
            found = None if 8 * last > LONGEST else self.product(size, size, size, number)
            last = found.timing.best if found else math.inf
            yield found
        for m, n, k in SHAPES:
            yield self.product(m, n, k, number)

    def length(self) -> int:
        """Numbers of an array that no cache holds."""
        size = np.clip(STREAM * (self.layer.cache or MOST_STREAM), LEAST_STREAM, MOST_STREAM)
        return int(size) // WIDTHS["fp32"]


def session(layer: Layer[B], progress: Tick) -> Session:
    """All measurements of a layer, in order."""
    steps = Steps(layer)
    total = 1 + len(STREAMS) + len(layer.formats) * (len(SQUARES) + len(SHAPES))
    call, streams, length = steps.call(), {}, steps.length()
    progress(1, total)
    for name in STREAMS:
        streams[name] = steps.stream(name, length)
        progress(1 + len(streams), total)
    products: list[Product] = []
    every = (one for number in layer.formats for one in steps.products(number))
    for done, one in enumerate(every, 2 + len(streams)):
        products += [one] if one else []
        progress(done, total)
    return Session(call, streams, length, products)


def rates(
    call: float, streams: Mapping[str, float], length: int, products: Iterable[Product]
) -> Rates:
    """Rates of what was measured; the peak of a format is that of its quickest square."""
    peaks: dict[str, float] = {}
    for one in products:
        if one.m == one.n == one.k:
            rate = one.flops / working(one.timing.best, call)
            peaks[one.number] = max(peaks.get(one.number, 0.0), rate)
    moved = {name: count * length * WIDTHS["fp32"] for name, count in STREAMS.items()}
    return Rates(peaks, {n: moved[n] / working(t, call) for n, t in streams.items()}, call)


def working(time: float, call: float) -> float:
    """Time without the call; whole where the call is much of it, as their difference is noise."""
    return time - call if time > CLEAR * call else time


def regime(one: Product, found: Rates) -> str:
    """What binds a product on the roof, short ones apart."""
    if one.timing.best < GIVEN("least_operator_time"):
        return "brief"
    arithmetic = one.flops / found.peaks[one.number]
    return "compute" if arithmetic >= one.moved / found.bandwidth else "memory"


@dataclass(frozen=True)
class Session:
    """All that was measured on a machine."""

    call: Timing
    streams: Mapping[str, Timing]
    length: int
    """Numbers of an array of a stream."""
    products: Sequence[Product]

    def rates(self, without: Product | None = None) -> Rates:
        """Rates read off it, perhaps with a product left out."""
        streams = {name: timing.best for name, timing in self.streams.items()}
        kept = (one for one in self.products if one is not without)
        return rates(self.call.best, streams, self.length, kept)

    def lines(self) -> tuple[Line, ...]:
        """Every product beside what the rates say of it, its own share in them left out too."""
        found = self.rates()
        return tuple(
            Line(
                name=one.name,
                regime=regime(one, found),
                measured=one.timing.best,
                after=found.predicted(one),
                left_out=self.rates(without=one).predicted(one),
                spread=one.timing.spread,
            )
            for one in self.products
        )

    def numbers(self, source: Source) -> dict[str, Number]:
        """The rates as numbers of a device, each with how it was measured."""
        found, size = self.rates(), show(self.length * WIDTHS["fp32"], "B")
        streams = {
            f"{name}_bandwidth": _number(rate, "B/s", source, f"arrays of {size}", timing)
            for name, rate, timing in (
                (name, found.streams[name], self.streams[name]) for name in self.streams
            )
        }
        best = max(found.streams, key=lambda name: found.streams[name])
        return {
            **{f"peak_{number}": self._peak(number, source) for number in found.peaks},
            "memory_bandwidth": streams[f"{best}_bandwidth"],
            **streams,
            "call_time": _number(found.call, "s", source, "a few signs turned", self.call),
        }

    def _peak(self, number: str, source: Source) -> Number:
        squares = [p for p in self.products if p.number == number and p.m == p.n == p.k]
        best = max(squares, key=lambda p: p.flops / working(p.timing.best, self.call.best))
        rate = self.rates().peaks[number]
        return _number(rate, "FLOP/s", source, f"{best.m} cubed", best.timing)

    def rows(self) -> tuple[dict[str, object], ...]:
        """What was measured, as a device file keeps it."""
        streams = {
            name: {"bytes": STREAMS[name] * self.length * WIDTHS["fp32"]} for name in self.streams
        }
        return (
            {"operator": "call", **_seconds(self.call)},
            *({"operator": k, **streams[k], **_seconds(t)} for k, t in self.streams.items()),
            *(
                {"operator": "gemm", "m": p.m, "n": p.n, "k": p.k, "dtype": p.number}
                | _seconds(p.timing)
                for p in self.products
            ),
        )


def _seconds(timing: Timing) -> dict[str, object]:
    return {
        "seconds": float(f"{timing.best:.4g}"),
        "median": float(f"{timing.median:.4g}"),
        "repeats": timing.repeats,
    }


def _number(value: float, unit: str, source: Source, what: str, timing: Timing) -> Number:
    usual = f"{what}; least of {timing.repeats}, the median lies {timing.spread:.1%} above"
    return Number(value=float(f"{value:.4g}"), unit=unit, source=source, note=usual)


def slug(name: str) -> str:
    """A machine's name as a file and a catalog can hold it.

    >>> slug("Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz")
    'intel-xeon-gold-6148-2-40ghz'
    """
    words = re.sub(r"\((R|TM)\)|CPU|Processor", " ", name)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "device"


def doubts(timings: Sequence[Timing], environment: Mapping[str, object]) -> tuple[str, ...]:
    """Warnings where something else ran: before the start, or by how repetitions scatter."""
    usual = median(timing.spread for timing in timings)
    load, cores, threads = (
        float(str(environment.get(k, 0))) for k in ("load", "cores", "threads")
    )
    found = []
    if load > max(0.0, cores - threads / 2):
        found.append(f"a load of {load:.1f} on {cores:.0f} cores before the start")
    if usual > CALM:
        found.append(f"the median repetition lies {usual:.0%} above the least")
    again = "the machine was busy; measure again when it is idle, or with OMP_NUM_THREADS=1"
    return tuple(f"{reason}: {again}" for reason in found)


def calibration(layer: Layer[B], progress: Tick, *, date: str) -> Calibration:
    """A machine measured: a device that says what it is, and the knobs that go with it."""
    environment = {"date": date, **layer.environment()}
    found = session(layer, progress)
    source = Source(where=f"measured by 'dse calibrate' on {date}", kind="measured")
    row: Row = {
        "title": layer.name,
        **found.numbers(source),
        **layer.facts(),
        "measured": Number(value=1.0, unit="1", source=source),
    }
    device = Device(
        kind=layer.kind,
        slug=slug(layer.name),
        row=row,
        note=f"{layer.name}, {source.where}; power, price and all that is not here are unknown",
        environment=environment,
        measured=found.rows(),
    )
    timings = [*found.streams.values(), *(one.timing for one in found.products)]
    settings = {
        "precision": "fp32",
        "compute_efficiency": 1,
        "memory_efficiency": 1,
        "dispatch_time": f"{found.call.best * 1e6:.3g} us",
    }
    return Calibration(
        page=MODEL.slug,
        device=device,
        knob="device",
        settings=settings,
        lines=found.lines(),
        warnings=doubts(timings, environment),
    )
