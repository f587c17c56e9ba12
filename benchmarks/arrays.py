"""The same equations on another library's arrays: CuPy against NumPy, values and rates.

`python -m benchmarks.arrays` needs CuPy and a GPU; nothing else in the project does.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from dse import registry
from dse.spec import AnyModel, knobs

ROWS = 2**22
REPEATS = 5


def columns(page: AnyModel) -> dict[str, np.ndarray[Any, Any]]:
    """Random values for every numeric knob, inside its bounds."""
    rng = np.random.default_rng(1)
    found = {}
    for knob in knobs(page.config).values():
        if knob.bounds is None:
            continue
        values = rng.uniform(knob.bounds.low, knob.bounds.high, ROWS)
        found[knob.path] = np.round(values) if knob.bounds.integer else values
    return found


def main() -> None:
    """Print per page: worst relative difference, and both rates."""
    import cupy as cp  # noqa: PLC0415 - an optional library

    for slug in registry.slugs():
        page = registry.model(slug)
        base, host = registry.starting_point(page), columns(registry.model(slug))
        device = {path: cp.asarray(value) for path, value in host.items()}

        def on_host(page: AnyModel = page, base: Any = base, held: Any = host) -> Any:
            with np.errstate(all="ignore"):
                return page.evaluate(page.config.batched(held, base)).metrics

        def on_device(page: AnyModel = page, base: Any = base, held: Any = device) -> Any:
            found = page.evaluate(page.config.batched(held, base)).metrics
            cp.cuda.Device().synchronize()
            return found

        ours, theirs = on_host(), on_device()
        worst = max(_difference(ours[name], cp.asnumpy(theirs[name])) for name in ours)
        rates = [ROWS / _fastest(work) / 1e6 for work in (on_host, on_device)]
        kinds = sum(isinstance(value, cp.ndarray) for value in theirs.values())
        sys.stdout.write(
            f"{slug}: {kinds} of {len(theirs)} metrics on the GPU, worst relative difference "
            f"{worst:.1e}; NumPy {rates[0]:.1f} M/s, CuPy {rates[1]:.1f} M/s\n"
        )


def _difference(ours: Any, theirs: Any) -> float:
    ours, theirs = np.broadcast_arrays(np.asarray(ours, float), np.asarray(theirs, float))
    known = np.isfinite(ours) & (ours != 0)
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return float("inf")
    return float(np.abs(theirs[known] / ours[known] - 1).max(initial=0.0))


def _fastest(work: Any) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()
