"""The operators of a network on the roof of a device, as the batch grows."""

from dse.curves import Curve, Lines
from dse.spec import Operator

from .config import Network, Pass
from .model import peak

SHOWN = 6
"""Operators that are drawn: those of most arithmetic."""

MOST = 512.0
"""The largest batch."""

BEYOND = 8.0
"""How far the flat part of the roof goes, in intensities at its edge."""


def on_roof(config: Pass) -> Lines:
    """A line for the slanted and the flat part of the roof, and one for each large operator."""
    net, device, width = config.workload, config.device, config.precision.width
    rate = config.compute_efficiency * peak(device, config.precision)
    edge = float(rate / (config.memory_efficiency * device.memory_bandwidth))
    fresh, read = float(config.tokens), 1e6
    slanted = Operator(
        kind="gemm", calls=0.0, weights=read, flops_token=edge * width * read / (MOST * fresh)
    )
    flat = Operator(
        kind="gemm",
        calls=0.0,
        weights=(BEYOND - 1) * fresh * read,
        moved_token=read,
        flops_token=BEYOND * edge * width * read,
    )
    whole = sorted(net.operators, key=lambda one: _work(one, config))[-SHOWN:]
    named = {"roof: memory": slanted, "roof: compute": flat}
    named |= {one.slug: one for one in net.operators if one in whole and _work(one, config) > 0}
    return {name: {"workload": _alone(net, one)} for name, one in named.items()}


def _work(one: Operator, config: Pass) -> float:
    """Operations of one sequence and token."""
    return float(one.flops_token + config.context * one.flops_pair)


def _alone(net: Network, one: Operator) -> Network:
    """A network of one operator."""
    return Network(
        parameters=0.0, operators=(Operator(**{**dict(one), "slug": ""}),), context=net.context
    )


ROOF = Curve(
    title="Operators on the roof",
    knob="batch",
    across="intensity",
    metrics=("achieved_flops",),
    text="Each operator alone, from batch 1 at its left end to 512. Those that read weights climb"
    " the slanted part with the batch; attention stays where it is.",
    lines=on_roof,
    levels=tuple(float(2**power) for power in range(10)),
    sliders=("workload", "device", "tokens", "context", "precision"),
    given={"form": "datasheet", "tokens": 1},
)

BATCH = Curve(
    title="Latency and tokens a second over the batch",
    knob="batch",
    metrics=("latency", "tokens_per_second"),
    text="While weights bind, a larger batch costs nothing.",
    lines={"decoding": {"tokens": 1.0}, "a prompt of 128": {"tokens": 128.0}},
    sliders=("workload", "device", "context", "form"),
)

CURVES = (ROOF, BATCH)
