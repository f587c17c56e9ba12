"""The records of the joint page: what it reads of networks, devices and policies."""

from __future__ import annotations

import math
from typing import Annotated

from dse import provenance
from dse.spec import Branch, Operator, Real, Record, Unit, leaf

from ..dfx import model as dfx
from ..flashneuron import config as flashneuron
from ..roofline import model as roofline

DATA = provenance.sheet(__package__)
GIVEN = DATA.default
UNKNOWN, OFF = leaf(math.nan), leaf(0.0)

Count = Annotated[Real, Unit("1")]
Seconds = Annotated[Real, Unit("s")]


class Network(dfx.Decoder, flashneuron.Trained, roofline.Network):
    """What the page reads of a network: a transformer, or branches that a head joins."""

    layers: Count = OFF
    width: Count = OFF
    heads: Count = OFF
    head_dim: Count = OFF
    vocab: Count = OFF
    matrix_weights: Count = OFF
    head_weights: Count = OFF
    kv_elements: Count = OFF
    decoder: Count = OFF
    activation_token: Count = OFF
    activation_pair: Count = OFF
    operators: tuple[Operator, ...] = ()
    attention_macs: Count = OFF
    """Products of attention per token and token of context, over all layers."""
    branches: tuple[Branch, ...] = ()
    """Parts that may run on different devices, the head last; empty for a transformer."""


class Switch(Record):
    """Whether something is done: 1 or 0."""

    on: Count


class Gpu(roofline.Device):
    """What serving reads of a GPU; a price may be unknown."""

    power: Annotated[Real, Unit("W")]
    multiprocessors: Count
    host_bandwidth: Annotated[Real, Unit("B/s")]
    price: Annotated[Real, Unit("USD")] = UNKNOWN


class TrainingGpu(flashneuron.Device):
    """What training reads of a GPU; price and NVLink may be unknown."""

    power: Annotated[Real, Unit("W")]
    price: Annotated[Real, Unit("USD")] = UNKNOWN
    nvlink_bandwidth: Annotated[Real, Unit("B/s")] = UNKNOWN


class Cpu(Record):
    """What serving reads of a CPU; its peak is that of FP32, whatever the weights are held in."""

    peak_fp32: Annotated[Real, Unit("FLOP/s")]
    memory_bandwidth: Annotated[Real, Unit("B/s")]
    llc_capacity: Annotated[Real, Unit("B")]
    cores: Count
    power: Annotated[Real, Unit("W")]
    price: Annotated[Real, Unit("USD")] = UNKNOWN


class Target(Record):
    """Where requests are served: a 1 beside every kind of device of a replica."""

    on_gpu: Count
    on_cpu: Count
    on_dfx: Count


class Precision(roofline.Precision):
    """How weights are held and multiplied, and what that costs in quality."""

    quality_loss: Count


class Assignment(Record):
    """A split over GPU and CPU: bit i is set where part i runs on the CPU."""

    code: Count
    """Below 0 the split of least latency is taken."""
    parts: Count
    """Parts it speaks of; 0 for any number."""


class DriveLink(Record):
    """The slot of a drive."""

    bandwidth: Annotated[Real, Unit("B/s")]


class Zones(Record):
    """How a drive uses blocks of one bit a cell."""

    cache: Count
    """1 where all writes enter SLC and what survives is folded into TLC."""
    dual: Count
    """1 where short-lived data is written to SLC and the rest to TLC."""


class SlcCells(Record):
    """Pages and blocks of the flash, as programmed."""

    bits_per_cell: Count
    read_time: Seconds
    program_time: Seconds
    endurance: Count
    page_size: Annotated[Real, Unit("B")]


class Cells(SlcCells):
    """The same of the flash as it is, and how much of it a die has."""

    planes_per_die: Count
    die_capacity: Annotated[Real, Unit("B")]


class Tuner(Record):
    """How schedules are found."""

    time_ratio: Count
    """Time of an operator over its best schedule; 1 where trials decide."""
    transfer: Count
    """Share of the predictor's rank correlation that holds on a new task."""
    searches: Count
    """1 where schedules are measured."""
    learned: Count
    """Rank correlation of a predictor that learns while tuning."""
    one_shot: Count
    """1 where a predictor trained before ranks all candidates once."""
    eager: Count
    """1 where a framework starts unfused kernels one by one."""


class Fusion(Record):
    """How far operators are fused."""

    kernels: Count
    """Kernels of a layer."""
    regret_ratio: Count
    """What a larger search space multiplies the excess time of found schedules with."""
    build_ratio: Count
    """The same of the time to build and measure one."""
    instructions: Count
    """Instructions of a fused operator over those of a single one."""
    others_left: Count
    """Share of the small operators that remain by themselves."""
    recovered: Count
    """Share of the operators that a decompiler still recognises."""


class Compiler(Record):
    """Code for the CPU."""

    instructions: Count
    """Instructions of an operator over those of Glow."""


class Vector(Record):
    """Vector instructions on the CPU."""

    peak_share: Count
    """Share of the CPU's peak that they reach."""
    avx512: Count
