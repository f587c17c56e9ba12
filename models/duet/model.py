r"""DUET (Zhang et al., IPDPS 2021): subgraphs of a network on a CPU and a GPU.

Question: which subgraphs run on the CPU, which on the GPU, and what latency results?
A graph is cut into phases. A stretch without branches is one subgraph; between a fork and a join
each branch is one. A subgraph is timed on both devices, then a scheduler places them.

| symbol       | name                           | unit     | where                              |
|--------------|--------------------------------|----------|------------------------------------|
| t            | time of a subgraph             | s        | [derived] roofline, on each device |
| c            | transfer_time                  | s        | [derived] link_latency, _bandwidth |
| L(a)         | latency of a placement a       | s        | [derived] phases with barriers     |
| k_D, k_C     | gpu_launch, cpu_launch         | s        | to start a kernel                  |
| eta_D, eta_C | gpu_efficiency, cpu_efficiency | 1        | of the peak                        |
| r            | cache_ratio                    | 1        | last cache over memory             |
| phi          | fusion                         | 1        | of what a compiler can fuse        |
| B, T         | batch, sequence                | 1, token | what is run                        |
| L, H         | rnn_layers, hidden             | 1        | recurrent paths                    |
| L_f, W       | ffn_layers, ffn_width          | 1        | the deep path                      |

The paper's text could not be read: its three mechanisms and two bands are known from its abstract
[secondary], phases and scheduling from memory. Every equation here is [derived].

Assumptions: FP32 on both devices and the link; a device runs one subgraph at a time; phases end
in a barrier, and transfers between them overlap nothing; tables of embeddings stay with the host,
which hands over gathered numbers to wide and deep paths; weights lie in their device's memory,
and a pass begins with a cold cache.
The correction takes the move, swap or retreat to one device that lowers the whole latency most,
transfers included, until none does; the greedy start sees no transfers. All 64 placements are
priced, so `optimum` is exact for the phase form. No policy looks at the GPU's memory: `feasible`
does afterwards.
Range: one of the graphs of the table; PCIe, one CPU, one GPU, inference.

Where we differ from the paper: times come from a roofline, not from profiled kernels; phases have
barriers, the runtime has queues; a trunk's output is moved once for all paths that read it; trunk
and join are subgraphs of their own even beside a single path, where DUET would see no fork.

Known weak regimes (sign of the bias of latency): small batches on the GPU -, convolutions reach
less than half of the peak; recurrent layers that fit the GPU's cache +, they are read from memory
here; CPUs with AVX-512 -, their peaks count the base clock; many small kernels on the CPU -,
threads meet after each.

Against the reference, which overlaps transfers and takes a roof for each kernel (`dse validate
duet --cross`): tensors of one path that travel while another computes +, up to 29 % for two paths
of pictures behind a slow link and 14 % beside a GPU much faster than its link (remark `overlap`);
convolutional networks of which some layers are bound by memory -, up to 9 %, as they share a roof.
"""

from functools import reduce
from typing import cast

import numpy as np

from dse.spec import Array, Mask, Metric, Model, Monotone, Paper, Rests, Result, Rule

from .assembly import costs, footprints, present, sides
from .config import (
    DATA,
    GIVEN,
    Accelerator,
    Encoder,
    Graph,
    Pictures,
    Placement,
    Policy,
    Processor,
)
from .schedule import (
    ALL,
    JOIN,
    PATHS,
    TRUNK,
    Codes,
    Costs,
    busy_times,
    corrected,
    exhaustive,
    greedy,
    latencies,
    parts,
    picked,
    placement,
    switched,
)
from .subgraphs import cached

__all__ = [
    "MODEL",
    "Accelerator",
    "Encoder",
    "Graph",
    "Pictures",
    "Placement",
    "Policy",
    "Processor",
    "evaluate",
]

NAMES = ("path_a", "path_b", "path_c", "path_d", "trunk", "join")


def evaluate(config: Placement) -> Result:
    """Compose the equations; terms and resources are seconds of one pass."""
    found = costs(config)
    table = latencies(found)
    code, latency, left = _under_policy(config, found, table)
    placed = placement(code, found.present)
    terms, optimum = parts(found, placed), np.min(table, axis=-1)
    on_cpu, on_gpu = np.take(table, 0, axis=-1), np.take(table, ALL, axis=-1)
    resources, held = _resources(found, placed, terms), footprints(config)
    footprint = reduce(np.add, [place * size for place, size in zip(placed, held, strict=True)])
    metrics = {
        "latency": latency,
        "speedup_over_gpu": on_gpu / latency,
        "speedup_over_cpu": on_cpu / latency,
        "latency_gpu": on_gpu,
        "latency_cpu": on_cpu,
        "optimum": optimum,
        "regret": latency / optimum - 1,
        "transfer_time": terms["transfers"],
        "cpu_share": resources["cpu"] / (resources["cpu"] + resources["gpu"]),
        **{f"{name}_on_gpu": placed[s] for s, name in enumerate(NAMES)},
        "gpu_footprint": footprint,
        "feasible": cast("Array", np.less_equal(footprint, config.gpu.memory_capacity)),
    }
    flags = _flags(config, left, latency=latency, gpu=on_gpu, cpu=on_cpu)
    much = np.greater(terms["transfers"], GIVEN("much_moved") * latency)
    flags["overlap"] = np.logical_and(much, _overlapping(found, placed))
    return Result(metrics=metrics, terms=terms, resources=resources, flags=flags)


def _under_policy(config: Placement, found: Costs, table: Array) -> tuple[Codes, Array, Mask]:
    """The policy's placement, its latency, and whether its correction was cut short."""
    start, policy = greedy(found), config.policy
    better, left = corrected(table, start)
    best = exhaustive(table)
    start, cpu = start + 0 * best, 0 * best
    codes = {"gpu": cpu + ALL, "greedy": start, "correction": better, "exhaustive": best}
    times = {name: picked(table, code) for name, code in codes.items()}
    switches = {name: getattr(policy, name) for name in codes}
    cut = np.logical_and(left, np.greater(policy.correction, 0))
    code = switched(cpu, codes, switches)
    return code, switched(picked(table, cpu), times, switches), cut


def _resources(found: Costs, placed: list[Array], terms: dict[str, Array]) -> dict[str, Array]:
    """Busy times of the devices and the link."""
    cpu, gpu = busy_times(found, placed)
    for s in (TRUNK, JOIN):
        cpu, gpu = cpu + (1 - placed[s]) * found.cpu[s], gpu + placed[s] * found.gpu[s]
    return {"cpu": cpu, "gpu": gpu, "link": terms["transfers"]}


def _overlapping(found: Costs, placed: list[Array]) -> Mask:
    """Whether paths compute while the tensors of others travel, and the phase waits for both."""
    cpu, gpu = busy_times(found, placed)
    several = np.greater(reduce(np.add, [placed[path] for path in PATHS]), 1)
    return np.logical_or(several, np.greater(cpu, gpu))


def _flags(
    config: Placement, left: Mask, *, latency: Array, gpu: Array, cpu: Array
) -> dict[str, Mask]:
    towers = config.graph.rnn_c + config.graph.rnn_d
    starts = towers * config.rnn_layers * config.sequence * config.gpu_launch
    held = cached(weights=config.rnn_layers * 8 * config.hidden**2, side=sides(config)[0])
    return {
        "launch": np.greater(starts, gpu / 2),
        "cache": np.logical_and(held, np.greater(towers, 0)),
        "single": np.greater_equal(latency, np.minimum(cpu, gpu)),
        "unfinished": left,
    }


TIMES = (
    "latency",
    "latency_gpu",
    "latency_cpu",
    "optimum",
    "speedup_over_gpu",
    "speedup_over_cpu",
)
"""What takes the kernel times of `roofline` for granted; in a ratio of devices none cancels."""

MODEL = Model(
    slug="duet",
    weak=("overlap",),
    rests={name: Rests("roofline", "latency", "datasheet", ("", "overlap")) for name in TIMES},
    paper=Paper.of(
        DATA, "Which subgraphs run on the CPU, which on the GPU, and what latency results?"
    ),
    config=Placement,
    evaluate=evaluate,
    metrics={
        "latency": Metric("s", "min", "time of one pass under the policy"),
        "speedup_over_gpu": Metric("1", "max", "against everything on the GPU"),
        "speedup_over_cpu": Metric("1", "max", "against everything on the CPU"),
        "latency_gpu": Metric("s", "min", "everything on the GPU"),
        "latency_cpu": Metric("s", "min", "everything on the CPU"),
        "optimum": Metric("s", "min", "under the best of all placements"),
        "regret": Metric("1", "min", "latency above the best placement's, as a share of it"),
        "transfer_time": Metric("s", "min", "exposed time on the link"),
        "cpu_share": Metric("1", "", "share of the busy time that the CPU takes", most=1.0),
        **{
            f"{name}_on_gpu": Metric(
                "1", "", f"1 if {name} runs on the GPU; 0 if on the CPU or absent"
            )
            for name in NAMES
        },
        "gpu_footprint": Metric("B", "min", "parameters on the GPU"),
        "feasible": Model.FEASIBLE,
    },
    total="latency",
    data=DATA,
    remarks={
        "launch": "kernel starts of recurrent steps are most of the GPU's time: see gpu_launch",
        "cache": "recurrent weights are taken to stay in the CPU's last cache: see cache_ratio",
        "single": "one device alone is as fast: nothing is gained by a split",
        "overlap": "transfers are much of the latency and may overlap other paths: an upper bound",
        "unfinished": "the correction still found a move in its last step",
    },
    rules=(
        Rule(
            "graph has a path",
            lambda c: np.greater(reduce(np.maximum, [present(c, p) for p in PATHS]), 0),
            "set graph to a row of the table, or switch on a path such as cnn_d",
        ),
        Rule(
            "sequence <= context of the encoder, where the graph has one",
            lambda c: np.logical_or(
                np.equal(c.graph.encoder, 0), np.less_equal(c.sequence, c.encoder.context)
            ),
            "set sequence to at most the encoder's context, 512 for bert-base",
        ),
        Rule(
            "encoder has no task heads of its own",
            lambda c: np.equal(c.encoder.head_parameters, 0),
            "set encoder to the network without heads, such as bert-base",
        ),
    ),
    monotone=(
        *(
            Monotone(knob, "optimum", 1)
            for knob in (
                "batch",
                "rnn_layers",
                "hidden",
                "sequence",
                "ffn_width",
                "link_latency",
                "gpu_launch",
                "cpu_launch",
            )
        ),
        *(
            Monotone(knob, "optimum", -1)
            for knob in (
                "link_bandwidth",
                "gpu_efficiency",
                "cpu_efficiency",
                "memory_efficiency",
                "fusion",
            )
        ),
        Monotone(
            "ffn_layers", "optimum", 1, given={"graph": "wide_and_deep", "batch": 1, "sequence": 1}
        ),
        Monotone("cache_ratio", "optimum", -1, given={"graph": "mt_dnn", "batch": 1}),
        Monotone("gpu_launch", "latency_gpu", 1),
        Monotone("cpu_launch", "latency_cpu", 1),
    ),
)
