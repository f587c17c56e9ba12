"""What the binary gives away, Sec. 3.7: only code on a CPU is in the decompiler's reach.

Code of GPUs and circuits of FPGAs are out of the tool's scope. That is not the same as safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from dse.spec import Array, Operator

from ..dnd.recovery import operator_time, parameter_time, recovery_probability
from .platform import Platform
from .rows import GIVEN
from .split import Served

MULTIPLY = ("gemm", "attention", "convolution")


class Binary(NamedTuple):
    """A part of the network as code for the CPU."""

    copies: Array
    """Functions made of each operator: 1, or 2 where both phases of a decoder are there."""
    exposed: Array
    """1 where its parameters lie in the binary."""
    products: Array
    others: Array
    kinds: Array
    weights: Array


class Exposed(NamedTuple):
    """What a decompiler gets."""

    recovery_time: Array
    """Infinite where nothing runs on a CPU [s]."""
    share: Array
    """Expected share of the parameters that come back."""


def _calls(operators: Sequence[Operator], *, multiply: bool) -> Array:
    chosen = [op.calls for op in operators if (op.kind in MULTIPLY) == multiply]
    return reduce(np.add, chosen, np.zeros(()))


def binaries(config: Platform, served: Served) -> list[Binary]:
    """The code on the CPU, part by part; the phases of a decoder share their weights."""
    net = config.workload
    lifted = config.attacker.lifts_avx512.on + (1 - config.compile.vector.avx512)
    reach = np.where(config.serve.target.on_cpu > 0, np.minimum(lifted, 1.0), 0.0)
    there = [reach * part for part in served.on_cpu]
    if net.branches:
        return [
            Binary(one, one, b.products, b.others, b.kinds, b.weights)
            for one, b in zip(there, net.branches, strict=True)
        ]
    kinds = np.asarray(float(len({op.kind for op in net.operators})))
    products = _calls(net.operators, multiply=True)
    others = _calls(net.operators, multiply=False)
    weights = net.matrix_weights + net.head_weights
    copies, exposed = there[0] + there[1], np.maximum(there[0], there[1])
    return [Binary(copies, exposed, products, others, kinds, weights)]


def function_time(config: Platform, kind: str) -> Array:
    """Time to decompile one operator that multiplies, or one other [s], Sec. 3.7."""
    settings = config.compile
    fused = np.where(settings.tuner.eager > 0, 1.0, settings.fusion.instructions)
    return GIVEN("retries") * operator_time(
        coefficient=GIVEN(f"{kind}_cost"),
        instructions=config.trust.instructions
        * (GIVEN(f"{kind}_instructions") * settings.compiler.instructions * fused),
        loops=GIVEN(f"{kind}_loops"),
    )


def exposure(config: Platform, served: Served) -> Exposed:
    """Time to recover what runs on the CPU, and how much of it comes back, Sec. 3.7."""
    fusion, eager = config.compile.fusion, np.greater(config.compile.tuner.eager, 0)
    product, other = function_time(config, "product"), function_time(config, "other")
    other = other * np.where(eager, 1.0, fusion.others_left)
    quantised = np.greater(config.serve.precision.int8, 0)
    extract = np.where(quantised, 0.0, GIVEN("extract_time"))
    bulk = config.attacker.bulk_extract.on
    time = share = held = np.zeros(())
    for part in binaries(config, served):
        read = parameter_time(
            parameters=part.weights, solve_time=extract, functions=part.products, bulk=bulk
        )
        chance = recovery_probability(support=GIVEN("kind_coverage"), types=part.kinds)
        chance = np.minimum(config.trust.recovered * chance, 1.0)
        functions = part.products * product + part.others * other
        time = time + part.copies * functions + part.exposed * read
        share = share + part.exposed * part.weights * chance
        held = held + part.weights
    recognised = np.where(eager, 1.0, fusion.recovered)
    recognised = recognised * np.where(quantised, GIVEN("quantised_share"), 1.0)
    return Exposed(
        recovery_time=np.where(time > 0, time, np.inf),
        share=recognised * share / np.where(held > 0, held, 1.0),
    )
