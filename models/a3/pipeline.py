"""Cycles, multiplications and energy of the exact and of the approximate pipeline.

Arguments are in cycles and counts and broadcast. [memory] is unverified, [derived] was worked out
here, [critique] is a published account of the paper.
"""

import math

import numpy as np

from dse.provenance import Row
from dse.spec import Array

from .config import DATA, GIVEN

STAGES = ("selection", "dot_product", "exponent", "output")
SETTING = ("share", "threshold", "least_loss", "most_loss")


def _value(row: Row, field: str) -> float:
    """A number of a table."""
    number = row[field]
    return math.nan if isinstance(number, str) else number.value


def _of_stage(stage: str, field: str) -> float:
    """Area or power of a stage: its logic and its memory."""
    modules = DATA.tables["modules"].values()
    return math.fsum(_value(row, field) for row in modules if row["stage"] == stage)


AREA = {stage: _of_stage(stage, "area") for stage in STAGES}
POWER = {stage: _of_stage(stage, "power") for stage in STAGES}


def base_interval(*, rows: Array) -> Array:
    r"""Cycles between two queries of the exact pipeline, $n + 9$ [memory].

    >>> float(base_interval(rows=320))
    329.0
    """
    return rows + GIVEN("base_interval_fill")


def base_latency(*, rows: Array) -> Array:
    r"""Cycles of one exact query, $3 n + 27$ [memory]: three stages, one row per cycle each.

    >>> float(base_latency(rows=320))
    987.0
    """
    return 3 * rows + GIVEN("base_latency_fill")


def interval(
    *, iterations: Array, candidates: Array, kept_rows: Array, interval_fill: Array
) -> Array:
    r"""Cycles between two queries, $\max(M, C, K) + \alpha_T$ [derived].

    >>> float(interval(iterations=40, candidates=36, kept_rows=3, interval_fill=9))
    49.0
    """
    return np.maximum(np.maximum(iterations, candidates), kept_rows) + interval_fill


def latency(
    *, iterations: Array, candidates: Array, kept_rows: Array, latency_fill: Array, scan: Array
) -> Array:
    r"""Cycles of one query, $M + C + 2 K + \alpha_L$ [memory] and those of the scan.

    >>> float(latency(iterations=40, candidates=36, kept_rows=3, latency_fill=48, scan=20))
    150.0
    """
    return iterations + candidates + 2 * kept_rows + latency_fill + scan


def scan_time(*, rows: Array) -> Array:
    r"""Cycles to look through the greedy scores, $n / 16$ [memory].

    >>> float(scan_time(rows=320))
    20.0
    """
    return rows / GIVEN("scan_rows")


def sorting(*, rows: Array, width: Array, queries: Array, sort_rate: Array) -> Array:
    r"""Cycles of sorting the key columns, per query, $d n \log_2 n / (r_s Q)$ [derived].

    >>> round(float(sorting(rows=320, width=64, queries=320, sort_rate=1)), 1)
    532.6
    """
    return width * rows * np.log2(rows) / (sort_rate * queries)


def work_share(
    *, rows: Array, width: Array, iterations: Array, candidates: Array, kept_rows: Array
) -> Array:
    r"""Multiplications over those of exact attention, $(2 M + C d + K d) / (2 n d)$ [derived].

    >>> float(work_share(rows=100, width=64, iterations=16, candidates=8, kept_rows=1.5))
    0.05
    """
    return (2 * iterations / width + candidates + kept_rows) / (2 * rows)


def energy(*, active: Array, stage: str) -> Array:
    """Energy of a stage's active cycles [J], logic and memory; powers are from [memory].

    >>> round(1e9 * float(energy(active=36, stage="dot_product")), 3)
    0.619
    """
    return active * (POWER[stage] / GIVEN("power_clock"))


def accuracy_loss(*, rows: Array, iterations: Array, threshold: Array) -> Array:
    """Middle of the published loss at the paper's two settings [critique]; unknown elsewhere.

    >>> round(float(accuracy_loss(rows=320, iterations=40, threshold=0.1)), 4)
    0.085
    """
    found: Array = np.asarray(math.nan)
    for setting in DATA.tables["settings"].values():
        share, cut, least, most = (_value(setting, name) for name in SETTING)
        same = np.equal(iterations, np.floor(share * rows)) & np.isclose(threshold, cut)
        found = np.where(same, (least + most) / 2, found)
    return found
