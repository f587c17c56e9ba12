"""The fits of the calibrated form: robust least squares of log ratios, sets weighing the same.

The objective is the pseudo-Huber loss of ln(predicted / measured) with delta 0.05, averaged over
the rows of a set (one source on one device) and added up over sets.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.optimize import least_squares

from dse.spec import Array
from models.roofline import fused, streams
from models.roofline.products import TENSOR, VECTOR, Law

from . import attention_measured, streams_measured
from .attention_measured import Attention
from .kernels import FLOORS, Products
from .streams_measured import Streams

DELTA = 0.05
"""Log ratio from which on an error counts linearly: 5 %."""
SHARED = ("memory_share", "l2_rate", "split_time", "quantised", "overlap")
OWN = ("ceiling", "edge", "prologue")

Constants = Mapping[str, float]


def minimised(residuals: Callable[[Constants], Sequence[Array]], start: Constants) -> Constants:
    """Constants at the least robust error, each a multiple of where it started."""
    names, first = list(start), np.array(list(start.values()))

    def losses(scale: Array) -> Array:
        return robust(residuals(dict(zip(names, np.abs(scale) * first, strict=True))))

    steps = {"diff_step": 1e-3, "xtol": 1e-5, "ftol": 1e-6, "max_nfev": 40}
    found = least_squares(losses, np.ones(len(names)), **steps)
    return dict(zip(names, (np.abs(found.x) * first).tolist(), strict=True))


def robust(parts: Sequence[Array]) -> Array:
    """Signed roots of the loss of every log ratio, each set divided by its rows."""
    found = []
    for ratio in parts:
        loss = 2 * DELTA**2 * (np.sqrt(1 + (ratio / DELTA) ** 2) - 1)
        found.append(np.sign(ratio) * np.sqrt(loss / len(ratio)))
    return np.concatenate(found)


def laws_of(constants: Constants) -> dict[str, Law]:
    """Laws whose fitted constants are these; the others are the page's."""
    shared = {name: constants[name] for name in SHARED if name in constants}

    def own(kind: str) -> dict[str, float]:
        prefix = f"{kind}."
        return {k.removeprefix(prefix): v for k, v in constants.items() if k.startswith(prefix)}

    return {
        kind: Law.model_validate({**law.model_dump(), **shared, **own(kind)})
        for kind, law in (("tensor", TENSOR), ("vector", VECTOR))
    }


def starts_of(constants: Constants) -> dict[str, float]:
    """Time to start a kernel by measuring protocol."""
    return {name: constants[f"launch.{name}"] for name in set(FLOORS.values())}


def page_constants(launch: Mapping[str, float]) -> dict[str, float]:
    """What the page holds, as a fit names it."""
    own = {
        f"{kind}.{name}": float(getattr(law, name))
        for kind, law in (("tensor", TENSOR), ("vector", VECTOR))
        for name in OWN
    }
    shared = {name: float(getattr(TENSOR, name)) for name in SHARED}
    return {**shared, **own, **{f"launch.{name}": time for name, time in launch.items()}}


def fitted_products(
    sets: Sequence[Products],
    launch: Mapping[str, float],
    *,
    count: int = 1200,
    free: Sequence[str] = (),
) -> Constants:
    """Constants of products of matrices on about so many rows of each set.

    Constants that no set speaks of keep the page's values, and where some are named as `free`
    all others do.
    """
    thin = [one.thinned(count) for one in sets]
    given = page_constants(launch)
    spoken = {FLOORS[one.name.split()[0]] for one in sets}
    kinds = {"vector" if one.precision.fp32 else "tensor" for one in sets}
    silent = {f"launch.{name}" for name in launch.keys() - spoken} | {
        name for name in given for kind in {"tensor", "vector"} - kinds if name.startswith(kind)
    }

    def residuals(constants: Constants) -> list[Array]:
        every = {**given, **constants}
        laws, starts = laws_of(every), starts_of(every)
        return [np.log(one.predicted(laws, starts) / one.time) for one in thin]

    sought = {n: v for n, v in given.items() if n not in silent and (not free or n in free)}
    return {**given, **minimised(residuals, sought)}


STREAMS = {
    "elementwise": ("stacked_share",),
    "softmax": ("softmax_moved", "softmax_fits", "softmax_ramp"),
    "norm": ("norm_moved", "norm_fits", "norm_ramp"),
}
"""Kind of a streaming kernel -> the constants it tells; the first comes before the others."""
SERVING = (
    "plain_share",
    "norm_cycles",
    "layer_cycles",
    "activation_cycles",
    "rotary_cycles",
    "lookup_cycles",
)
PREFILL = ("ceiling", "prologue", "tail", "memory_share", "prefill_start")
DECODE = ("stream_share", "head_time", "group_time", "decode_start", "ramp")


def fitted_streams(sets: Mapping[str, Sequence[Streams]], start: float) -> Constants:
    """Constants of FP32 streaming kernels; `start` is where the protocol's start is looked for."""
    found = {"start": start}
    for kind, names in STREAMS.items():
        free = {name: float(getattr(streams.LAW, name)) for name in names}
        if kind == "elementwise":
            free["start"] = start
        found |= minimised(_streaming(sets[kind], found), free)
    return found


def fitted_serving(sets: Sequence[Streams], known: Constants, start: float) -> Constants:
    """Constants of a serving engine's kernels, beside those of FP32 that are known."""
    free = {name: float(getattr(streams.LAW, name)) for name in SERVING}
    return minimised(_streaming(sets, known), {**free, "start": start})


def fitted_issue(one: Streams, known: Constants) -> Constants:
    """Cycles of a softmax in half precision; its start is that of the other eager kernels."""
    return minimised(_streaming([one], known), {one.cycles: float(streams.LAW.softmax_cycles)})


def _streaming(sets: Sequence[Streams], known: Constants) -> Callable[[Constants], list[Array]]:
    def residuals(constants: Constants) -> list[Array]:
        every = {**known, **constants}
        law = streams_measured.law_of({k: v for k, v in every.items() if k != "start"})
        return [np.log(one.predicted(law, every["start"]) / one.time) for one in sets]

    return residuals


def fitted_attention(rows: Attention, names: Sequence[str]) -> Constants:
    """Constants of fused attention, of a prompt or of decoding."""

    def residuals(constants: Constants) -> list[Array]:
        return [np.log(rows.predicted(attention_measured.law_of(constants)) / rows.time)]

    return minimised(residuals, {name: float(getattr(fused.LAW, name)) for name in names})
