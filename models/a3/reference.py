"""A3's mechanism, executed: selection, post-scoring, fixed-point attention and its pipeline.

Attentions are drawn by seed, Gaussian ones or those of a small trained memory network. Each is
answered exactly and approximately, in floating point and in the chip's integers, and a stream of
them passes the pipeline with the candidates and kept rows that it really has. The parts stand in
`queues`, `fixed_point`, `cycles` and `draws`. A run takes the fast equivalent of the two heaps,
which tests hold equal to them. Nothing here reads the page's model.

The trained attention has the width it was trained with, and its scores spread as they do: its runs
do not read `spread`; `score_spread` says how far.
"""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from dse.errors import InputError
from dse.mechanism import Reference
from dse.spec import Array, Bounds, Catalog, Config, Metric, Real, Record, Symbol, Unit

from . import cycles, draws, queues, stories
from .cases import cases, published
from .config import GIVEN, Count, Cycles, Scan
from .fixed_point import FixedPoint


class Source(Record):
    """Where attentions come from."""

    trained: Annotated[Real, Unit("1")]
    """1 for the memory network, else Gaussian."""
    question: Annotated[Real, Unit("1")]
    """Which question the network is asked."""


class Drawing(Config):
    """Attentions to draw, and the machine that answers them."""

    attention: Annotated[Source, Catalog("a3.attention", "gaussian"), Symbol("A")]
    """Gaussian matrices, or those of a trained memory network."""
    rows: Annotated[
        Real, Field(ge=2), Unit("1"), Symbol("n"), Bounds(16, 1024, log=True, integer=True)
    ] = GIVEN("rows")
    """Keys that a query is compared with, or sentences of a story."""
    width: Annotated[Count, Symbol("d"), Bounds(16, 128, log=True, integer=True)] = GIVEN("width")
    """Elements of a key."""
    iterations: Annotated[Count, Symbol("M"), Bounds(1, 512, log=True, integer=True)] = GIVEN(
        "iterations"
    )
    """Steps of candidate selection."""
    threshold: Annotated[
        Real, Field(gt=0, le=1), Unit("1"), Symbol("T"), Bounds(0.005, 0.5, log=True)
    ] = GIVEN("threshold")
    """Weight below which a candidate is dropped, as a share of the largest."""
    spread: Annotated[Real, Field(gt=0), Unit("1"), Symbol("s"), Bounds(0.5, 8)] = GIVEN("spread")
    """Standard deviation of Gaussian scores."""
    fraction_bits: Annotated[Count, Symbol("f"), Bounds(2, 6, integer=True)] = GIVEN(
        "fraction_bits"
    )
    """Fraction bits of the inputs."""
    clock: Annotated[Real, Field(gt=0), Unit("Hz"), Symbol("f_c"), Bounds(1e8, 2e9, log=True)] = (
        GIVEN("clock")
    )
    """Clock of the pipeline."""
    scan: Annotated[Scan, Catalog("a3.scan", "hidden"), Symbol("S")]
    """Whether the scan for candidates is exposed."""
    fill: Annotated[Cycles, Symbol(r"\alpha"), Bounds(0, 40, integer=True)] = GIVEN(
        "reference.fill"
    )
    """Cycles in which a module's registers fill and empty."""
    drawn: Annotated[
        Real, Field(ge=1), Unit("1"), Symbol("N"), Bounds(1, 10_000, log=True, integer=True)
    ] = GIVEN("reference.drawn")
    """Attentions drawn."""
    seed: Annotated[
        Real, Field(ge=0), Unit("1"), Symbol("r"), Bounds(0, 1_000_000, integer=True)
    ] = GIVEN("reference.seed")
    """Seed of the draws."""


SEEN = (
    "candidates",
    "kept_rows",
    "recall",
    "candidate_mass",
    "kept_mass",
    "fallback",
    "score_spread",
    "output_error",
    "quantisation_error",
    "stored_output_error",
)
"""What is seen of each attention; means of the first ones are reported, medians of errors."""


def run(config: Drawing) -> dict[str, float]:
    """Draw, answer and count."""
    seen = np.array([_answered(config, attention) for attention in _attentions(config)])
    columns = dict(zip(SEEN, seen.T, strict=True))
    found = {
        name: float(np.median(column) if name.endswith("_error") else column.mean())
        for name, column in columns.items()
    }
    shares = {
        "candidate_share": found["candidates"] / float(config.rows),
        "kept_share": found["kept_rows"] / float(config.rows),
    }
    return {**found, **shares, **_times(config, columns["candidates"], columns["kept_rows"])}


def _attentions(config: Drawing) -> Iterator[draws.Attention]:
    rng, count, rows = np.random.default_rng(int(config.seed)), int(config.drawn), int(config.rows)
    width = int(config.width)
    if not config.attention.trained:
        return draws.gaussian(
            rng, count=count, rows=rows, width=width, spread=float(config.spread)
        )
    if width != GIVEN("calibrated_width"):
        least = f"{GIVEN('calibrated_width'):g}"
        raise InputError(f"a trained attention has width {least}, got {width}; set width={least}")
    question = stories.QUESTIONS[int(config.attention.question)]
    return draws.trained(rng, count=count, rows=rows, question=question)


def _answered(config: Drawing, attention: draws.Attention) -> tuple[float, ...]:
    """What is seen of one attention, in the order of `SEEN`."""
    keys, values, query = attention
    iterations, threshold = int(config.iterations), float(config.threshold)
    products = keys * query
    greedy = queues.greedy_scores(products, iterations)
    found, scores = queues.positive(greedy), products.sum(axis=1)
    kept = found[queues.post_score(scores[found], threshold)]
    weights = queues.softmax(scores)
    exact = weights @ values
    stored = FixedPoint(int(config.fraction_bits))
    few = stored.attend_to_few(*attention, iterations=iterations, threshold=threshold)
    return (
        found.size,
        kept.size,
        float(np.argmax(scores) in found),
        weights[found].sum(),
        weights[kept].sum(),
        float(not np.any(greedy > 0)),
        float(scores.std()),
        _distance(queues.softmax(scores[kept]) @ values[kept], exact),
        _distance(stored.attend(*attention), exact),
        _distance(few, exact),
    )


def _distance(found: Array, exact: Array) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def _times(config: Drawing, candidates: Array, kept_rows: Array) -> dict[str, float]:
    """Times, energies and ratios of the stream, exact and approximate."""
    rows, fill, clock = int(config.rows), int(config.fill), float(config.clock)
    counts = list(
        zip(candidates.astype(int).tolist(), kept_rows.astype(int).tolist(), strict=True)
    )

    def approximate(*, scan: bool) -> cycles.Timing:
        shape = {"rows": rows, "iterations": int(config.iterations), "fill": fill}
        stream = [
            cycles.approximate(**shape, candidates=c, kept_rows=k, scan=scan) for c, k in counts
        ]
        return cycles.timed(stream)

    base = cycles.timed([cycles.exact(rows=rows, fill=fill)])
    hidden, exposed = approximate(scan=False), approximate(scan=True)
    taken = exposed if config.scan.exposed else hidden
    spent, whole = cycles.energy(taken, clock=clock), cycles.energy(base, clock=clock)
    return {
        "interval": taken.interval / clock,
        "latency": taken.latency / clock,
        "base_interval": base.interval / clock,
        "base_latency": base.latency / clock,
        "throughput_gain": base.interval / taken.interval,
        "latency_gain": base.latency / taken.latency,
        "latency_gain_low": base.latency / exposed.latency,
        "latency_gain_high": base.latency / hidden.latency,
        **{f"cycles_{module}": count for module, count in taken.active.items()},
        "cycles_fill": taken.fills,
        "energy": spent,
        "base_energy": whole,
        "energy_gain": whole / spent,
    }


QUANTITIES = {
    "interval": Metric("s", "min", "time between two answers of a stream"),
    "latency": Metric("s", "min", "time of one query"),
    "base_interval": Metric("s", "", "time between two answers of the exact pipeline"),
    "base_latency": Metric("s", "", "time of one query of the exact pipeline"),
    "throughput_gain": Metric("1", "max", "exact over approximate interval"),
    "latency_gain": Metric("1", "max", "exact over approximate latency"),
    "latency_gain_low": Metric("1", "max", "the same, the scan exposed"),
    "latency_gain_high": Metric("1", "max", "the same, the scan hidden"),
    "candidates": Metric("1", "min", "rows that get an exact score"),
    "kept_rows": Metric("1", "min", "rows that get a softmax weight and an output"),
    "candidate_share": Metric("1", "min", "candidates over rows"),
    "kept_share": Metric("1", "min", "kept rows over rows"),
    "recall": Metric("1", "max", "share of queries whose best row is a candidate"),
    "candidate_mass": Metric("1", "max", "softmax weight of the candidates"),
    "kept_mass": Metric("1", "max", "softmax weight of the kept rows"),
    "fallback": Metric("1", "min", "share of queries without a positive greedy score"),
    "score_spread": Metric("1", "", "standard deviation of a query's scores, mean over queries"),
    "output_error": Metric("1", "min", "median relative error of the output, floating point"),
    "quantisation_error": Metric("1", "min", "the same of exact attention in fixed point"),
    "stored_output_error": Metric("1", "min", "the same of approximate attention in fixed point"),
    **{
        f"cycles_{module}": Metric("cycle", "min", f"in which {module} works on rows, per query")
        for module in cycles.STAGE
    },
    "cycles_fill": Metric("cycle", "min", "in which registers fill and empty, per query"),
    "energy": Metric("J", "min", "of one query, powers from memory"),
    "base_energy": Metric("J", "", "of one query of the exact pipeline, powers from memory"),
    "energy_gain": Metric("1", "max", "exact over approximate energy, powers from memory"),
}

COMPARED = (
    "interval",
    "latency",
    "throughput_gain",
    "latency_gain",
    "candidates",
    "kept_rows",
    "recall",
    "candidate_mass",
    "kept_mass",
    "quantisation_error",
    "energy",
)
"""Metrics that page and reference both have, under one name."""

REFERENCE = Reference(
    slug="a3",
    text="queues, post-scoring and fixed-point attention on drawn matrices, and their pipeline",
    config=Drawing,
    run=run,
    quantities=QUANTITIES,
    compared={name: name for name in COMPARED},
    cases=cases,
    published=published,
)
