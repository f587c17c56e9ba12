"""Requests on which the page's closed form and the executed mechanism answer the same question.

The mechanism loses nothing that it does not name, so the page is asked at `stream_efficiency` 1,
and its other constant, `layer_overhead`, is fitted on the mechanism as the page fits it on the
paper: on GPT-2 345M with 1, 2 and 4 boards at [64:64], by least squares of relative errors. What
is judged is whether one time per layer carries to other networks, boards, tiles and clocks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

from dse.mechanism import Case
from dse.provenance import Point

from .config import DATA

Settings = Mapping[str, object]
Run = Callable[[Settings], Mapping[str, float]]
"""Settings of a request -> what the mechanism says of it."""

FITTED: tuple[Settings, ...] = tuple({"workload": "gpt2-345m", "fpgas": p} for p in (1, 2, 4))
NETWORKS = ("gpt2", "gpt2-345m", "gpt2-774m", "gpt2-1.5b")
BOARDS = (1, 2, 4)


def tile(depth: int, lanes: int) -> dict[str, object]:
    """A tile as settings."""
    return {"depth": depth, "lanes": lanes}


TILES = (tile(64, 16), tile(32, 32), tile(128, 8))
"""Shapes of 1024 products per cycle, as many as the memory feeds."""
CLOCKS = ("100 MHz", "200 MHz", "300 MHz")
SMALL, LARGE = {"workload": "gpt2-345m", "fpgas": 1}, {"workload": "gpt2-1.5b", "fpgas": 4}
QUANTITIES = ("latency", "tokens_per_second", "achieved_flops")
"""What is published and the mechanism answers too."""


def groups() -> dict[str, Sequence[Settings]]:
    """One thing changed at a time, then networks, boards, tiles and clocks in all pairs."""
    both = (SMALL, LARGE)
    lengths = ((32, 1), (128, 256), (512, 512))
    pairs = [
        {"workload": net, "fpgas": p, **shape, "clock": CLOCKS[(i + j + k) % 3]}
        for (i, net), (j, p), (k, shape) in product(
            enumerate(NETWORKS), enumerate(BOARDS), enumerate(TILES)
        )
    ]
    return {
        "fitted": FITTED,
        "networks": [
            {"workload": net, "fpgas": p} for net in NETWORKS if net != "gpt2-345m" for p in BOARDS
        ],
        "long ring": [{"workload": net, "fpgas": 8} for net in ("gpt2-345m", "gpt2-1.5b")],
        "wide heads": [{"workload": "gpt3-xl-1.3b-16-heads", "fpgas": p} for p in BOARDS],
        "context": [
            {**base, "input_tokens": a, "output_tokens": b} for base in both for a, b in lengths
        ],
        "tile": [{**base, **shape} for base in both for shape in TILES[1:]],
        "narrow tile": [
            {**base, **shape} for base in both for shape in (tile(64, 8), tile(32, 16))
        ],
        "wide tile": [
            {**base, **shape} for base in both for shape in (tile(64, 32), tile(128, 16))
        ],
        "few columns": [{**base, **tile(16, 64)} for base in both],
        "slow clock": [{**base, "clock": "100 MHz"} for base in both],
        "fast clock": [{**base, "clock": "300 MHz"} for base in both],
        "all pairs": pairs,
    }


def overhead(run: Run) -> float:
    """Time per layer that the page needs to come nearest to the mechanism on the fitted cases."""
    found = [run(settings) for settings in FITTED]
    weights = [1 / answer["token_time"] ** 2 for answer in found]
    pulls = [w * answer["layer_overhead"] for w, answer in zip(weights, found, strict=True)]
    return sum(pulls) / sum(weights)


def name(group: str, settings: Settings) -> str:
    """A case by what it sets."""
    return f"{group}: {' '.join(map(str, settings.values()))}"


def cases(run: Run) -> Iterable[Case]:
    """The designed sample."""
    ideal = {"stream_efficiency": 1.0, "layer_overhead": overhead(run)}
    for group, members in groups().items():
        for inputs in members:
            use = "fit" if group == "fitted" else "check"
            yield Case(name(group, inputs), {**inputs, **ideal}, inputs, use, group)


def published(points: Sequence[Point] = DATA.points) -> Iterable[Case]:
    """The published points that are times of a request."""
    return [Case(p.id, {}, p.settings, p.use) for p in points if p.quantity in QUANTITIES]
