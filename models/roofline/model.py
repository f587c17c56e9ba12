r"""Roofline (Williams et al., CACM 2009): one pass of a network on a GPU, from its datasheet.

Question: how long does one pass of this network take on that device, and what binds it?
In the datasheet form each operator takes the longer of its arithmetic and its traffic; in the
calibrated form its kernels take what measured kernels say. Starting kernels comes on top.

| symbol       | name                                  | unit        | where                     |
|--------------|---------------------------------------|-------------|---------------------------|
| b            | batch                                 | sequence    | what is run               |
| t, c         | tokens, context                       | token       | what is run               |
| F, Q         | flops, bytes_moved                    | FLOP, B     | laws of the operators     |
| P, B_w       | peak, bandwidth                       | FLOP/s, B/s | datasheet                 |
| eta_c, eta_m | compute_efficiency, memory_efficiency | 1           | of a good schedule        |
| w            | width                                 | B           | of an element             |
| k, t_d, t_h  | calls, dispatch_time, host_time       | 1, s, s     | kernels; device, host     |
| I            | intensity                             | FLOP/B      | F / Q                     |

Arguments carry these units; all broadcast. Equations without a mark are the paper's roof solved
for time; [derived] is ours. Those of the calibrated form stand in `products`, `streams` and
`fused`, functions of shapes in `calibrated`; `operators` reads a network as kernels, `coverage`
says what is refused and flagged.

Assumptions: kernels run one after another; every operator reads its inputs from memory and writes
its outputs there; weights, activations and cache have one width; every operator is held against
the peak of the precision, which only products of matrices come near. Prefill is t = c: each new
token meets all c keys, mask or not; decoding is t = 1 against a cache of c tokens.
Range: GPUs of the catalog, measured devices, operators above 20 us; calibrated, transformers on
NVIDIA GPUs from Volta on (FP32 from Pascal on), in FP32, TF32, FP16 and BF16, at any efficiencies.
`dse calibrate` makes a device of a machine (`measure`) and re-anchors a GPU by GEMMs (`anchor`).

Where we differ from the paper: its roof is attainable performance over intensity for a kernel;
here it is solved for time, scaled by two efficiencies, and summed over operators with a launch
cost. With 1, 1 and 0 it is the plain roofline; of the paper's ceilings only efficiencies are kept.

Known weak regimes (sign of the bias of latency): plain datasheet on products of matrices -, too
fast by 25 to 55 % on most measured sets; operators under 20 us -, tiles do not fill the device;
fused or cached kernels +, as traffic is counted in full; causal prefill +, the masked half is
counted; activations are left out of the memory footprint -. Calibrated, on devices left out
(`data.yaml`, left_out_rows): kernels under 20 us 12 to 20 %, + on H100; products bound by memory 6
to 10 %, by arithmetic 4 to 9 %; softmax 8 to 12 %, - on V100; layer norm in half precision +, 25
%; decoding in fused kernels 20 to 25 %, + in groups of 2 to 8 at long contexts.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import cast

import numpy as np

from dse.spec import Array, Metric, Model, Monotone, Operator, Paper, Result, Rule, leaf

from . import coverage
from .config import DATA, GIVEN, Device, Network, Pass, Precision
from .operators import costs

__all__ = [
    "MODEL",
    "Device",
    "Network",
    "Pass",
    "Precision",
    "compute_time",
    "evaluate",
    "memory_time",
    "operator_time",
    "peak",
]

FLOPS = ("flops_token", "flops_pair")
MOVED = ("weights", "moved_token", "moved_pair", "moved_context")
ONCE = leaf(1.0)


def peak(device: Device, precision: Precision) -> Array:
    """Peak rate of a device at a precision, from its datasheet; unknown where it lists none.

    >>> v100 = dict(memory_bandwidth=900e9, memory_capacity=16e9, power=250, peak_fp32=14.13e12)
    >>> float(peak(Device(**v100, peak_fp16=112e12), Precision(width=2, fp16=1))) / 1e12
    112.0
    """
    rate = device.peak_fp32
    for name in ("tf32", "fp16", "bf16", "fp8", "int8"):
        rate = np.where(getattr(precision, name) > 0, getattr(device, f"peak_{name}"), rate)
    return rate


def weighed(*, coefficients: Mapping[str, Array], amounts: Mapping[str, Array]) -> Array:
    r"""What an operator does, $\sum_i a_i x_i$: coefficients times the amounts they belong to.

    FLOP: $b t\, a_1 + b t c\, a_2$; elements moved: $a_3 + b t\, a_4 + b t c\, a_5 + b c\, a_6$,
    as ordered in `FLOPS` and `MOVED` [derived]. Linear, so times of the amounts give the time.

    >>> law = {"flops_token": 2.0, "flops_pair": 0.5}
    >>> float(weighed(coefficients=law, amounts={"flops_token": 8.0, "flops_pair": 64.0}))
    48.0
    """
    parts = [amounts[name] * factor for name, factor in coefficients.items()]
    return reduce(np.add, parts)


def compute_time(*, flops: Array, peak: Array, efficiency: Array) -> Array:
    r"""Time of the arithmetic, $F / (\eta_c P)$.

    >>> float(compute_time(flops=1e12, peak=100e12, efficiency=0.5))
    0.02
    """
    return flops / (peak * efficiency)


def memory_time(*, bytes_: Array, bandwidth: Array, efficiency: Array) -> Array:
    r"""Time of the traffic, $Q / (\eta_m B_w)$.

    >>> float(memory_time(bytes_=9e9, bandwidth=900e9, efficiency=0.5))
    0.02
    """
    return bytes_ / (bandwidth * efficiency)


def operator_time(*, compute: Array, memory: Array) -> Array:
    r"""The roof solved for time: $\max(t_{compute}, t_{memory})$, both overlapping in full.

    >>> float(operator_time(compute=0.02, memory=0.03))
    0.03
    """
    return np.maximum(compute, memory)


def memory_footprint(
    *, parameters: Array, kv_elements: Array, cached: Array, width: Array
) -> Array:
    r"""Weights and cache, $w (N + b c\, kv)$ with `cached` $b c$; activations are left out.

    >>> float(memory_footprint(parameters=1e9, kv_elements=1e5, cached=2000, width=2))
    2400000000.0
    """
    return width * (parameters + cached * kv_elements)


def _law(operators: Sequence[Operator], names: Sequence[str]) -> dict[str, Array]:
    """Coefficients by name, added up over operators."""
    return {name: reduce(np.add, [getattr(one, name) for one in operators]) for name in names}


def _amounts(config: Pass) -> tuple[dict[str, Array], dict[str, Array]]:
    """What the coefficients count: of `FLOPS` in tokens and pairs, of `MOVED` in elements."""
    fresh, cached = config.batch * config.tokens, config.batch * config.context
    pairs = fresh * config.context
    done = zip(FLOPS, (fresh, pairs), strict=True)
    return dict(done), dict(zip(MOVED, (ONCE, fresh, pairs, cached), strict=True))


def _operator_times(
    operators: Sequence[Operator], computing: Mapping[str, Array], moving: Mapping[str, Array]
) -> dict[str, Array]:
    """Time of each operator by its name, from the times of the amounts."""
    times = {}
    for index, operator in enumerate(operators):
        compute = weighed(coefficients=_law([operator], FLOPS), amounts=computing)
        memory = weighed(coefficients=_law([operator], MOVED), amounts=moving)
        name = operator.slug or f"operator_{index}"
        times[name] = operator_time(compute=compute, memory=memory)
    return times


def launch_time(*, calls: Array, dispatch: Array, host: Array, working: Array) -> Array:
    r"""What starting kernels adds to their work, $\max(k t_d, k t_h - t_{work})$ [derived].

    The host dispatches while the device works: it is waited for only where kernels are shorter.

    >>> float(launch_time(calls=100, dispatch=5e-6, host=30e-6, working=1e-3))
    0.002
    """
    return np.maximum(calls * dispatch, calls * host - working)


def _chosen(
    config: Pass, rate: Array, roof: Mapping[str, Array]
) -> tuple[dict[str, Array], Array]:
    """Time of each operator by the form that is set, and the kernels that start.

    A batch that is all datasheet does not pay for the calibrated form.
    """
    calls = _law(config.workload.operators, ["calls"])["calls"]
    calibrated = coverage.on(config)
    if not np.any(calibrated):
        return dict(roof), calls
    found = costs(config, rate)
    times = {name: np.where(calibrated, found[name][0], time) for name, time in roof.items()}
    started = reduce(np.add, [count for _, count in found.values()])
    return times, np.where(calibrated, started, calls)


def evaluate(config: Pass) -> Result:
    """Compose the equations; terms and resources are seconds of one pass."""
    net, device, width = config.workload, config.device, config.precision.width
    rate, (done, moved) = peak(device, config.precision), _amounts(config)
    ideal = coverage.on(config)
    speed = {"peak": rate, "efficiency": np.where(ideal, 1.0, config.compute_efficiency)}
    stream = {
        "bandwidth": device.memory_bandwidth,
        "efficiency": np.where(ideal, 1.0, config.memory_efficiency),
    }
    computing = {name: compute_time(flops=n, **speed) for name, n in done.items()}
    moving = {name: memory_time(bytes_=n * width, **stream) for name, n in moved.items()}
    terms, calls = _chosen(config, rate, _operator_times(net.operators, computing, moving))
    working = reduce(np.add, terms.values())
    launch = launch_time(
        calls=calls, dispatch=config.dispatch_time, host=config.host_time, working=working
    )
    latency = working + launch
    flops_law, moved_law = _law(net.operators, FLOPS), _law(net.operators, MOVED)
    flops = weighed(coefficients=flops_law, amounts=done)
    bytes_moved = width * weighed(coefficients=moved_law, amounts=moved)
    stored = {"kv_elements": net.kv_elements, "cached": moved["moved_context"], "width": width}
    footprint = memory_footprint(parameters=net.parameters, **stored)
    metrics = {
        "latency": latency,
        "tokens_per_second": done["flops_token"] / latency,
        "energy": device.power * latency,
        "flops": flops,
        "bytes_moved": bytes_moved,
        "intensity": flops / bytes_moved,
        "achieved_flops": flops / latency,
        "utilisation": flops / (latency * rate),
        "memory_footprint": footprint,
        "feasible": cast("Array", footprint <= device.memory_capacity),
    }
    resources = {
        "compute": weighed(coefficients=flops_law, amounts=computing),
        "memory": weighed(coefficients=moved_law, amounts=moving),
        "launch": launch,
    }
    brief = working < calls * GIVEN("least_operator_time")
    roofed = np.logical_not(coverage.on(config))
    flags = {
        "small": brief & roofed,
        "length": np.greater(config.tokens, net.context),
        "context": config.context < config.tokens,
        "plain": coverage.plain(config) & roofed,
        "datasheet": roofed,
        **coverage.flags(config, brief),
    }
    terms["launch"] = launch
    return Result(metrics=metrics, terms=terms, resources=resources, flags=flags)


SHORT: dict[str, object] = {"workload": "gpt2", "batch": 1, "tokens": 1, "dispatch_time": 0}
"""Where kernels end before the host has dispatched the next."""

MODEL = Model(
    slug="roofline",
    weak=("datasheet", "decode", "unmeasured", "throttled"),
    paper=Paper.of(
        DATA, "How long does one pass of this network take on that device, and what binds it?"
    ),
    config=Pass,
    evaluate=evaluate,
    metrics={
        "latency": Metric("s", "min", "time of one pass"),
        "tokens_per_second": Metric("token/s", "max", "new tokens a second", error="1/latency"),
        "energy": Metric("J", "min", "energy of one pass at the power limit: an upper end"),
        "flops": Metric("FLOP", "", "operations of one pass"),
        "bytes_moved": Metric("B", "", "traffic of one pass to and from memory"),
        "intensity": Metric("FLOP/B", "", "operations per byte moved"),
        "achieved_flops": Metric("FLOP/s", "max", "operations per second", error="1/latency"),
        "utilisation": Metric("1", "max", "share of the peak", error="1/latency", most=1.0),
        "memory_footprint": Metric("B", "min", "weights and cache on the device"),
        "feasible": Model.FEASIBLE,
    },
    total="latency",
    data=DATA,
    flags={
        "small": "operators average under 20 us: a lower estimate, tiles are not modelled",
        "length": "more tokens than the network takes at once; a picture is 1 token of context 1",
        "context": "context below tokens: counts a window, not the whole prompt",
        "plain": "plain datasheet: 25 to 55 % too fast on most measured products of matrices",
        **coverage.WORDS,
    },
    remarks=coverage.REMARKS,
    rules=(
        Rule(
            "the device's peak at this precision is known",
            lambda c: ~np.isnan(peak(c.device, c.precision)),
            "set precision to one the GPU lists (fp32 always; fp16 from Volta, tf32 and bf16 from"
            " Ampere, fp8 from Ada and Hopper), or device to another GPU",
        ),
        *coverage.RULES,
    ),
    monotone=(
        *(
            Monotone(knob, "latency", 1)
            for knob in ("batch", "tokens", "context", "dispatch_time")
        ),
        Monotone("host_time", "latency", 1, given=SHORT),
        *(Monotone(f"{part}_efficiency", "latency", -1) for part in ("compute", "memory")),
        Monotone("pace", "latency", -1),
    ),
)
