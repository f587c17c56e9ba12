"""What stands in the binary: functions by class, with their instructions and loops."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from dse.spec import Array, Operator, leaf

from .config import GIVEN, Binary

CONVOLUTION = ("convolution",)
PRODUCT = ("gemm", "attention")
SEEN = ("convolution", "gemm", "norm", "elementwise", "softmax")
"""Kinds of operators that the binaries of the paper and of its code hold."""


@dataclass(frozen=True)
class Functions:
    """Equal functions of one class of operators."""

    count: Array
    instructions: Array
    """Of one function."""
    loops: Array
    """Of one function."""

    def work(self) -> Array:
        """Instructions times loops of one function."""
        return self.instructions * self.loops


def calls(operators: Sequence[Operator], kinds: Sequence[str]) -> Array:
    """Operators of these kinds in a network."""
    return reduce(np.add, [one.calls for one in operators if one.kind in kinds], leaf(0.0))


def named(operators: Sequence[Operator], slug: str) -> Array:
    """Operators of this name in a network."""
    return reduce(np.add, [one.calls for one in operators if one.slug == slug], leaf(0.0))


def fused(*, norms: Array, activations: Array, convolutions: Array, products: Array) -> Array:
    r"""Operators without a function of their own where the compiler fuses [derived].

    $\min(n_{norm}, n_{conv}) + \min(n_{act}, n_{conv} + n_{fc})$: a norm folds into the weights of
    its convolution, an activation moves into the loop nest of the product before it.

    >>> float(fused(norms=20, activations=17, convolutions=20, products=1))
    37.0
    """
    folded = np.minimum(norms, convolutions)
    return folded + np.minimum(activations, convolutions + products)


def operator_types(operators: Sequence[Operator]) -> Array:
    """Distinct types in use: kinds, but elementwise operators by name as their functions differ.

    >>> relu, add = ({"kind": "elementwise", "slug": name} for name in ("activation", "add"))
    >>> float(operator_types([Operator(**relu), Operator(**add), Operator(kind="gemm")]))
    3.0
    """
    found: dict[str, Array] = {}
    for one in operators:
        name = one.slug if one.kind == "elementwise" else one.kind
        found[name] = found.get(name, leaf(0.0)) + one.calls
    used = [np.where(np.greater(count, 0), 1.0, 0.0) for count in found.values()]
    return reduce(np.add, used, leaf(0.0))


def unseen(operators: Sequence[Operator]) -> Array:
    """Operators of kinds that no binary of the paper held."""
    strange = {one.kind for one in operators} - set(SEEN)
    return calls(operators, sorted(strange))


def in_network(config: Binary) -> dict[str, Functions]:
    """Functions of the whole network: LeNet's under Glow, scaled by compiler and ISA."""
    operators = config.workload.operators
    total = reduce(np.add, [one.calls for one in operators], leaf(0.0))
    conv, product = calls(operators, CONVOLUTION), calls(operators, PRODUCT)
    gone = fused(
        norms=calls(operators, ("norm",)),
        activations=named(operators, "activation"),
        convolutions=conv,
        products=product,
    )
    other = total - conv - product - config.compiler.fuses * gone
    longer = config.instructions * config.compiler.expansion * config.isa.expansion
    size, nest = longer / GIVEN("instructions"), config.loops / GIVEN("loops")
    return {
        "conv": Functions(conv, longer, config.loops),
        "fc": Functions(product, size * GIVEN("fc_instructions"), nest * GIVEN("fc_loops")),
        "other": Functions(other, size * GIVEN("other_instructions"), nest * GIVEN("other_loops")),
    }


def functions(config: Binary) -> dict[str, Functions]:
    """Functions that are taken apart, by class: a network's, or the one that is given."""
    whole, found = np.greater(config.operator.whole, 0), in_network(config)
    return {
        name: Functions(
            np.where(whole, group.count, getattr(config.operator, name)),
            np.where(whole, group.instructions, config.instructions),
            np.where(whole, group.loops, config.loops),
        )
        for name, group in found.items()
    }
