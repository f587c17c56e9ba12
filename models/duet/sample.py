"""Inputs on which page and reference answer the same question, by regime.

Designed sample: `grid` crosses every graph with batch, depth of the convolutional path and size of
the recurrent one. Each other regime moves away from the defaults in one direction, on every graph:
policies, a link slow or free, starts of kernels free or dear, no fusion, short sentences, other
devices. `anywhere` is a Latin hypercube over all bounded knobs: each knob's range is cut into as
many equal parts as there are designs of a graph, and each part is met once.
"""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from dse.mechanism import Case
from dse.spec import knobs

from .config import DATA, Setting

GRAPHS = tuple(DATA.tables["graph"])
SPREAD, SEED = 8, 0
"""Designs of each graph anywhere inside the bounds, and the seed of their order."""

GRID = {"batch": (1, 8, 64), "cnn": ("resnet18", "resnet50"), "hidden": (128, 1024)}

REGIMES: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "policy": tuple({"policy": slug} for slug in ("cpu", "gpu", "greedy", "exhaustive")),
    "slow-link": (
        {"link_bandwidth": 1e9, "link_latency": 1e-4},
        {"link_bandwidth": 1e9, "link_latency": 1e-4, "batch": 8},
        {"link_bandwidth": 2e9, "link_latency": 0.0},
    ),
    "free-link": ({"link_bandwidth": 64e9, "link_latency": 0.0},),
    "starts": (
        {"gpu_launch": 0.0, "cpu_launch": 0.0},
        {"gpu_launch": 2e-5},
        {"cpu_launch": 1e-5},
    ),
    "unfused": ({"fusion": 0.0}, {"fusion": 0.5, "batch": 4}),
    "short": ({"sequence": 5}, {"sequence": 20, "rnn_layers": 3}),
    "devices": (
        {"gpu": "t4"},
        {"gpu": "a100-pcie-40gb", "cpu": "epyc-7502"},
        {"gpu": "h200-sxm-141gb", "cpu": "xeon-8480-plus"},
    ),
}
"""Regime -> settings beside the defaults."""


def cases() -> Iterator[Case]:
    """The designed sample."""
    for graph in GRAPHS:
        for values in product(*GRID.values()):
            yield _case("grid", {"graph": graph, **dict(zip(GRID, values, strict=True))})
        for regime, rows in REGIMES.items():
            for row in rows:
                yield _case(regime, {"graph": graph, **row})
        for number, row in enumerate(_anywhere(GRAPHS.index(graph))):
            yield _case("anywhere", {"graph": graph, **row}, f"{graph}-{number}")


def _case(group: str, settings: Mapping[str, object], name: str = "") -> Case:
    words = name or "-".join(_word(knob, value) for knob, value in settings.items())
    return Case(f"{group}-{words}", settings, settings, group=group)


def _word(knob: str, value: object) -> str:
    return str(value) if isinstance(value, str) else f"{knob}={value:g}"


def _anywhere(stream: int) -> list[dict[str, float]]:
    """A Latin hypercube over the knobs that page and reference share."""
    rng = np.random.default_rng([SEED, stream])
    columns: dict[str, list[float]] = {}
    for knob in knobs(Setting).values():
        if knob.bounds is None:
            continue
        low, high = knob.bounds.low, knob.bounds.high
        share = (rng.permutation(SPREAD) + rng.random(SPREAD)) / SPREAD
        spread = low * (high / low) ** share if knob.bounds.log else low + (high - low) * share
        columns[knob.path] = (np.round(spread) if knob.bounds.integer else spread).tolist()
    return [{path: column[i] for path, column in columns.items()} for i in range(SPREAD)]
