"""DUET executed: a network built layer by layer, cut into subgraphs, profiled, placed and run.

The graph is built from the shapes of its tensors (`networks`), cut at its forks and joins
(`graph`), each subgraph is timed alone on both devices (`profiler`), the scheduler places them
(`scheduler`), and a pass is run event by event over two devices and one link (`simulator`).
Nothing here reads the page's equations; both read the same knobs, devices and assumed sizes.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial

from dse.errors import InputError
from dse.mechanism import Reference
from dse.spec import Metric

from . import networks
from .execution import Execution
from .graph import Graph, Partition, partition
from .networks import ELEMENT, GIVEN
from .profiler import Device, Wire, tasks
from .sample import cases
from .scheduler import Latency, correct, exhaustive, greedy
from .simulator import CPU, GPU, Place, Task, simulate

COMPARED = (
    "latency",
    "latency_cpu",
    "latency_gpu",
    "optimum",
    "speedup_over_cpu",
    "speedup_over_gpu",
)
"""What the page answers too, under the same names."""

PATHS = ("a", "b", "c", "d")

Build = Callable[[str, tuple[str, ...]], str]
"""Name of a part and who it reads -> name of its last operator."""


def devices(config: Execution) -> tuple[Device, Device]:
    """The CPU with its last cache, and the GPU, which keeps no parameters."""
    cpu, gpu, stream = config.cpu, config.gpu, float(config.memory_efficiency)
    near = stream * float(cpu.memory_bandwidth)
    return (
        Device(
            rate=float(config.cpu_efficiency * cpu.peak_fp32),
            bandwidth=near,
            launch=float(config.cpu_launch),
            cache=float(cpu.llc_capacity),
            cache_bandwidth=near * float(config.cache_ratio),
        ),
        Device(
            rate=float(config.gpu_efficiency * gpu.peak_fp32),
            bandwidth=stream * float(gpu.memory_bandwidth),
            launch=float(config.gpu_launch),
        ),
    )


def parts(config: Execution, graph: Graph) -> dict[str, Build]:
    """What a path may hold, in the order in which it runs there."""
    batch, width = float(config.batch), float(config.encoder.width)
    words, wide = float(config.sequence), float(GIVEN["wide_inputs"])
    deep = [GIVEN["deep_inputs"], *[float(config.ffn_width)] * int(config.ffn_layers)]
    stages = [getattr(config.cnn, f"stage_{i}") for i in (1, 2, 3, 4)]
    return {
        "wide": partial(
            networks.linear_layers, graph, sizes=[wide, 1.0], rows=batch,
            given=ELEMENT * batch * wide,
        ),
        "deep": partial(
            networks.linear_layers, graph, sizes=deep, rows=batch,
            given=ELEMENT * batch * deep[0],
        ),
        "linear": partial(
            networks.linear_layers, graph, sizes=[width, GIVEN["classes"]], rows=batch
        ),
        "rnn": partial(
            networks.lstm, graph, layers=int(config.rnn_layers), hidden=float(config.hidden),
            steps=int(config.sequence), batch=batch,
        ),
        "cnn": partial(
            networks.resnet, graph, blocks=tuple(int(count) for count in stages),
            deep=bool(config.cnn.bottleneck), image=int(config.cnn.image),
            classes=int(config.cnn.classes), batch=batch, fusion=float(config.fusion),
        ),
        "answer": partial(networks.answer, graph, width=width, words=words, batch=batch),
    }  # fmt: skip


def trunk(config: Execution, graph: Graph) -> tuple[str, ...]:
    """The encoder, where there is one."""
    one = config.encoder
    if not config.graph.encoder:
        return ()
    if config.sequence > one.context:
        raise InputError(f"`sequence <= {one.context:g}` must hold, got {config.sequence:g}")
    return (
        networks.bert(
            graph, "trunk", layers=int(one.layers), width=float(one.width),
            inner=float(one.inner), heads=float(one.heads), words=float(config.sequence),
            batch=float(config.batch), fusion=float(config.fusion),
        ),
    )  # fmt: skip


def network(config: Execution) -> Graph:
    """The graph of operators: trunk, paths, join.

    Raises:
        InputError: a graph without a path, or a sentence that the trunk does not take.
    """
    graph = Graph()
    ends: list[str] = []
    first = trunk(config, graph)
    for path in PATHS:
        last = first
        for part, build in parts(config, graph).items():
            if getattr(config.graph, f"{part}_{path}", 0):
                last = (build(f"{path}.{part}", last),)
        ends += last if last != first else ()
    if not ends:
        raise InputError("graph must have a path; set graph to a row, or switch on cnn_d")
    if config.graph.join:
        rows = float(config.batch)
        numbers = sum(op.out_bytes for op in graph.ops if op.name in ends) / (ELEMENT * rows)
        networks.linear_layers(graph, "join", tuple(ends), sizes=[numbers, 1.0], rows=rows)
    return graph


def _sides(found: Partition, place: Place) -> dict[str, float]:
    """For each part of the page's graphs whether it runs on the GPU; 0 where it is absent."""
    where = {
        op.name.partition(".")[0]: float(place[number])
        for number, subgraph in enumerate(found.subgraphs)
        for op in subgraph.ops
    }
    names = {"trunk": "trunk", **{f"path_{p}": p for p in PATHS}, "join": "join"}
    return {f"{name}_on_gpu": where.get(key, 0.0) for name, key in names.items()}


def placed(
    config: Execution, table: tuple[Task, ...], phases: tuple[tuple[int, ...], ...],
    latency: Latency,
) -> Place:  # fmt: skip
    """The policy's placement."""
    policy = config.policy
    if policy.exhaustive:
        return exhaustive(len(table), latency)
    if policy.correction:
        return correct(greedy(table, phases), latency, retreat=bool(config.retreat))
    if policy.greedy:
        return greedy(table, phases)
    return (GPU if policy.gpu else CPU,) * len(table)


def run(config: Execution) -> Mapping[str, float | bool | str]:
    """A pass under the policy, beside passes on one device and under the best placement."""
    found = partition(network(config))
    wire = Wire(float(config.link_latency), float(config.link_bandwidth))
    table = tasks(found, devices(config), wire)
    barriers = found.phases if config.barriers else ()

    @cache
    def latency(place: Place) -> float:
        return simulate(table, place, barriers=barriers).makespan

    count = len(table)
    place = placed(config, table, found.phases, latency)
    trace = simulate(table, place, barriers=barriers)
    alone = [latency((device,) * count) for device in (CPU, GPU)]
    optimum = latency(exhaustive(count, latency))
    return {
        "latency": trace.makespan,
        "latency_cpu": alone[CPU],
        "latency_gpu": alone[GPU],
        "speedup_over_cpu": alone[CPU] / trace.makespan,
        "speedup_over_gpu": alone[GPU] / trace.makespan,
        "optimum": optimum,
        "regret": trace.makespan / optimum - 1,
        "cpu_busy": trace.busy[0],
        "gpu_busy": trace.busy[1],
        "link_busy": trace.busy[2],
        "subgraphs": float(count),
        "phases": float(len(found.phases)),
        **_sides(found, place),
    }


SECONDS = {
    "latency": "time of one pass under the policy",
    "latency_cpu": "everything on the CPU",
    "latency_gpu": "everything on the GPU",
    "optimum": "under the best of all placements",
    "cpu_busy": "the CPU at work",
    "gpu_busy": "the GPU at work",
    "link_busy": "the link at work",
}

REFERENCE = Reference(
    slug="duet",
    text="a network cut at forks and joins, profiled, placed and run over two devices and a link",
    config=Execution,
    run=run,
    quantities={
        **{name: Metric("s", "min", text) for name, text in SECONDS.items()},
        "speedup_over_gpu": Metric("1", "max", "against everything on the GPU"),
        "speedup_over_cpu": Metric("1", "max", "against everything on the CPU"),
        "regret": Metric("1", "min", "latency above the best placement's, as a share of it"),
        "subgraphs": Metric("1", "", "parts that the network is cut into"),
        "phases": Metric("1", "", "stretches and forks that follow one another"),
        **{
            f"{name}_on_gpu": Metric(
                "1", "", f"1 if {name} runs on the GPU; 0 if on the CPU or absent"
            )
            for name in ("path_a", "path_b", "path_c", "path_d", "trunk", "join")
        },
    },
    compared={name: name for name in COMPARED},
    cases=cases,
)
