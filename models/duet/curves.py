"""What CPU and GPU do when, and where a split gains over one device."""

from collections.abc import Sequence

from dse.curves import Curve, Span, Timeline
from dse.spec import Result

from .assembly import costs
from .config import Placement
from .schedule import JOIN, PATHS, SUBGRAPHS, TRUNK

NAMES = ("path a", "path b", "path c", "path d", "trunk", "join")
LANES = ("CPU", "GPU")
ORDER = ("CPU", "link", "GPU")
"""Lanes from top to bottom."""


def spans(config: Placement, result: Result) -> Sequence[Span]:
    """The pass that the page prices: transfers are not overlapped, paths of a device in turn."""
    found = costs(config)
    side = [int(result.metrics[f"{name.replace(' ', '_')}_on_gpu"]) for name in NAMES]
    there = [bool(present) for present in found.present]
    times = [float((found.gpu if side[s] else found.cpu)[s]) for s in range(SUBGRAPHS)]
    given = sum(float(found.inputs[s]) * side[s] for s in range(SUBGRAPHS))
    fork = float(found.outputs[TRUNK]) * any(there[p] and side[p] != side[TRUNK] for p in PATHS)
    join = sum(float(found.outputs[p]) * (side[p] != side[JOIN]) for p in PATHS)
    back = float(found.outputs[JOIN]) * side[JOIN]
    happening = [Span("link", "inputs", 0.0, given)]
    happening.append(Span(LANES[side[TRUNK]], "trunk", given, times[TRUNK]))
    happening.append(Span("link", "outputs", given + times[TRUNK], fork))
    begin = given + times[TRUNK] + fork
    ends = [begin, begin]
    for path in PATHS:
        device = side[path]
        happening.append(Span(LANES[device], NAMES[path], ends[device], times[path]))
        ends[device] += times[path]
    end = max(ends)
    happening.append(Span("link", "outputs", end, join))
    happening.append(Span(LANES[side[JOIN]], "join", end + join, times[JOIN]))
    happening.append(Span("link", "outputs", end + join + times[JOIN], back))
    happening.sort(key=lambda one: (ORDER.index(one.lane), one.start))
    return [one for one in happening if one.length > 0]


PASS = Timeline(
    title="One pass on both devices",
    text="Paths of one device run in turn, those of the other beside them; the link moves what"
    " crosses, and the page lets nothing overlap it.",
    spans=spans,
    sliders=("graph", "batch", "sequence", "hidden", "policy"),
)

POLICIES = Curve(
    title="Latency over the batch, by policy",
    knob="batch",
    metrics=("latency",),
    text="Where the lines of one device cross, a split gains most.",
    lines={
        "all on the CPU": {"policy": "cpu"},
        "all on the GPU": {"policy": "gpu"},
        "greedy, corrected": {"policy": "greedy_correction"},
        "best of all placements": {"policy": "exhaustive"},
    },
    sliders=("graph", "sequence", "hidden", "link_bandwidth"),
)

CURVES = (PASS, POLICIES)
