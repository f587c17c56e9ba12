"""Designs per second of every page and of a search end to end, beside a bare NumPy kernel.

The kernel is a fixed chain of 30 elementwise operations on blocks of 2^15 float64 numbers on one
core. Machines differ and are shared, so read the ratio; seconds are printed to judge the run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dse import registry, search, store
from dse.evaluate import BLOCK, keep_memory
from dse.spec import AnyModel, Config, Record, kind_of, knobs
from dse.study import build, field_of

REPEATS = 5
BLOCKS = 8
VARIED = 5
"""Numeric knobs of a page that carry arrays; a category carries one more."""


def best_rate(work: Callable[[], int]) -> float:
    """Designs per second of the fastest of a few runs: the others were disturbed."""
    rates = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        done = work()
        rates.append(done / (time.perf_counter() - began))
    return max(rates)


def kernel_rate() -> float:
    """Rows per second of the bare kernel."""
    rng = np.random.default_rng(0)
    first, second = rng.random(BLOCK) + 1.0, rng.random(BLOCK) + 1.0

    def work() -> int:
        for _ in range(BLOCKS):
            value = first
            for _ in range(10):
                value = np.maximum(value * second, first) + second
        return BLOCKS * BLOCK

    return best_rate(work)


def page_batch(page: AnyModel) -> Config:
    """A block of random designs: five numeric knobs and every device catalog vary."""
    rng = np.random.default_rng(1)
    base = registry.starting_point(page)
    columns: dict[str, object] = {}
    numeric = [k for k in knobs(page.config).values() if k.bounds is not None]
    for knob in numeric[:VARIED]:
        assert knob.bounds is not None
        low, high = knob.bounds.low, knob.bounds.high
        values = rng.uniform(low, high, BLOCK)
        columns[knob.path] = np.round(values) if knob.bounds.integer else values
    for knob in knobs(page.config).values():
        if knob.catalog is not None and knob.catalog.name in registry.device_kinds():
            owner, name = field_of(page.config, knob.path)
            kind: type[Record] = kind_of(owner, name)
            rows = list(registry.covered(kind, knob.catalog.name)[0].values())
            columns[knob.path] = kind.take(rows, rng.integers(0, len(rows), BLOCK))
    batch: Config = page.config.batched(columns, base)
    return batch


def page_rate(page: AnyModel) -> float:
    """Designs per second of one page on one core."""
    batch = page_batch(page)

    def work() -> int:
        with np.errstate(all="ignore"):
            for _ in range(BLOCKS):
                page.evaluate(batch)
        return BLOCKS * BLOCK

    return best_rate(work)


def search_rate(jobs: int) -> tuple[float, int]:
    """Designs per second of an exhaustive search: evaluate, filter, front, Parquet."""
    document: dict[str, object] = {
        "question": "how fast is a search?",
        "model": "codesign",
        "set": {"workload": "gpt2-1.5b", "serve": {"target": "dfx"}},
        "space": {
            "dfx.fpga": "all",
            "dfx.fpgas": [1, 2, 4, 8],
            "dfx.depth": [16, 32, 64, 128],
            "dfx.lanes": [8, 16, 32],
            "dfx.clock": {"low": 150e6, "high": 250e6, "step": 1e6},
            "serve.replicas": {"low": 1, "high": 8},
            "request_rate": [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4],
        },
        "objectives": ["latency", "energy_per_token", "cost"],
        "constraints": ["latency <= 5 s"],
        "search": {"method": "grid", "budget": 10**7},
    }
    study = build("benchmark", document, place="benchmark")
    rates = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            run = store.create(study, output=Path(folder) / "run")
            ended = search.search(study, run, jobs=jobs)
            rates.append(ended.archive.seen / ended.seconds)
    return max(rates), study.space.size


def main() -> None:
    """Print the table; `--json` for scripts."""
    keep_memory()
    kernel = kernel_rate()
    rows: list[dict[str, object]] = [{"what": "bare kernel, one core", "rate": kernel}]
    rows += (
        {"what": f"page {slug}, one core", "rate": page_rate(registry.model(slug))}
        for slug in registry.slugs()
    )
    for jobs in (1, 2):
        rate, size = search_rate(jobs)
        rows.append({"what": f"search end to end, {size:,} designs, {jobs} threads", "rate": rate})
    for row in rows:
        row["ratio"] = float(str(row["rate"])) / kernel
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    for row in rows:
        rate = float(str(row["rate"])) / 1e6
        sys.stdout.write(f"{row['what']:55s} {rate:8.2f} M/s {row['ratio']:8.3f} of the kernel\n")


if __name__ == "__main__":
    main()
