"""From a design to the costs of its subgraphs: what they hold, what enters and leaves."""

from collections.abc import Mapping
from functools import reduce

import numpy as np

from dse.spec import Array, leaf

from .config import GIVEN, Placement
from .schedule import PATHS, SUBGRAPHS, Costs, transfer_time
from .subgraphs import (
    CHAINED,
    ELEMENT,
    FOLDED,
    Side,
    answer_time,
    answer_weights,
    layer_weights,
    layers_time,
    lstm_time,
    network_time,
)

ONE, NONE = leaf(1.0), leaf(0.0)

PARTS = (
    ("wide_a", "linear_a"),
    ("deep_b", "linear_b"),
    ("rnn_c", "cnn_c", "answer_c"),
    ("rnn_d", "cnn_d", "answer_d"),
    ("encoder",),
    ("join",),
)
"""Switches of a graph that each subgraph reads; what stands before `_` names the part."""


def sides(config: Placement) -> tuple[Side, Side]:
    """The CPU and the GPU as their kernels see them; a GPU keeps no weights between steps."""
    cpu, gpu = config.cpu, config.gpu
    return (
        Side(
            peak=cpu.peak_fp32,
            efficiency=config.cpu_efficiency,
            bandwidth=cpu.memory_bandwidth,
            memory_efficiency=config.memory_efficiency,
            launch=config.cpu_launch,
            cache=cpu.llc_capacity,
            cache_ratio=config.cache_ratio,
        ),
        Side(
            peak=gpu.peak_fp32,
            efficiency=config.gpu_efficiency,
            bandwidth=gpu.memory_bandwidth,
            memory_efficiency=config.memory_efficiency,
            launch=config.gpu_launch,
            cache=NONE,
            cache_ratio=ONE,
        ),
    )


def part_times(config: Placement, side: Side) -> dict[str, Array]:
    """Time of each part on a device."""
    batch, width, words = config.batch, config.encoder.width, config.sequence
    cnn, encoder = config.cnn.operators, config.encoder.operators
    inputs, classes = GIVEN("deep_inputs"), GIVEN("classes")
    deep = {"inputs": inputs, "width": config.ffn_width, "layers": config.ffn_layers}
    wide = {"inputs": GIVEN("wide_inputs"), "width": ONE, "layers": ONE}
    linear = {"inputs": width, "width": classes, "layers": ONE}
    join = {"inputs": joined(config), "width": ONE, "layers": ONE}
    rnn = {"layers": config.rnn_layers, "hidden": config.hidden, "sequence": words}
    image = {"batch": batch, "tokens": ONE, "fusion": config.fusion}
    return {
        "wide": layers_time(batch=batch, side=side, **wide),
        "deep": layers_time(batch=batch, side=side, **deep),
        "linear": layers_time(batch=batch, side=side, **linear),
        "rnn": lstm_time(batch=batch, side=side, **rnn),
        "answer": answer_time(batch=batch, width=width, sequence=words, side=side),
        "cnn": network_time(cnn, folded=FOLDED, side=side, **image),
        "encoder": network_time(encoder, folded=CHAINED, side=side, **image | {"tokens": words}),
        "join": layers_time(batch=batch, side=side, **join),
    }


def joined(config: Placement) -> Array:
    """Numbers a sample brings to the join: what all paths put out."""
    out = output_bytes(config)
    return _sum([_held(config, path, out) for path in PATHS]) / (ELEMENT * config.batch)


def part_weights(config: Placement) -> dict[str, Array]:
    """Parameters each part keeps on its device."""
    width, classes = config.encoder.width, GIVEN("classes")
    return {
        "wide": GIVEN("wide_inputs"),
        "deep": layer_weights(
            inputs=GIVEN("deep_inputs"), width=config.ffn_width, layers=config.ffn_layers
        ),
        "linear": width * classes,
        "rnn": 8 * config.hidden**2 * config.rnn_layers,
        "answer": answer_weights(width=width, classes=classes),
        "cnn": config.cnn.parameters,
        "encoder": config.encoder.parameters,
        "join": joined(config),
    }


def input_bytes(config: Placement) -> dict[str, Array]:
    """What each part reads of the model's inputs; words come as numbers of rows of a table."""
    batch, image = config.batch, config.cnn.image
    words = GIVEN("index") * batch * config.sequence
    return {
        "wide": ELEMENT * batch * GIVEN("wide_inputs"),
        "deep": ELEMENT * batch * GIVEN("deep_inputs"),
        "rnn": words,
        "cnn": ELEMENT * batch * GIVEN("colours") * image**2,
        "encoder": words,
    }


def output_bytes(config: Placement) -> dict[str, Array]:
    """What each part puts out."""
    classes = GIVEN("classes")
    numbers = {
        "wide": ONE,
        "deep": config.ffn_width,
        "linear": classes,
        "rnn": config.hidden,
        "answer": classes,
        "cnn": config.cnn.classes,
        "encoder": config.sequence * config.encoder.width,
        "join": ONE,
    }
    return {name: ELEMENT * config.batch * number for name, number in numbers.items()}


def footprints(config: Placement) -> list[Array]:
    """Bytes of parameters of each subgraph."""
    weights = part_weights(config)
    return [ELEMENT * _held(config, s, weights) for s in range(SUBGRAPHS)]


def costs(config: Placement) -> Costs:
    """Times and transfers of the six subgraphs."""
    cpu, gpu = (part_times(config, side) for side in sides(config))
    link = {"latency": config.link_latency, "bandwidth": config.link_bandwidth}

    def transfers(sizes: Mapping[str, Array]) -> list[Array]:
        held = (_held(config, s, sizes) for s in range(SUBGRAPHS))
        return [transfer_time(bytes_=size, **link) for size in held]

    return Costs(
        cpu=[_held(config, s, cpu) for s in range(SUBGRAPHS)],
        gpu=[_held(config, s, gpu) for s in range(SUBGRAPHS)],
        inputs=transfers(input_bytes(config)),
        outputs=transfers(output_bytes(config)),
        present=[present(config, s) for s in range(SUBGRAPHS)],
    )


def present(config: Placement, subgraph: int) -> Array:
    """1 for a subgraph that holds a part, else 0."""
    return reduce(np.maximum, [getattr(config.graph, name) for name in PARTS[subgraph]])


def _held(config: Placement, subgraph: int, amounts: Mapping[str, Array]) -> Array:
    """An amount of each part, added up over the parts that a subgraph holds."""
    found = [(getattr(config.graph, name), name.partition("_")[0]) for name in PARTS[subgraph]]
    return _sum([switch * amounts.get(part, NONE) for switch, part in found])


def _sum(amounts: list[Array]) -> Array:
    return reduce(np.add, amounts)
