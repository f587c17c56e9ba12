"""Templates: which operator a store is, and its loads by their part in it.

Sum(Mul) under a reduction is a convolution where the output has places beside its channels, else
a linear layer; a top-level Add is an addition; a max is a pooling, or an activation where it is
against 0; a mean is an average pooling; shares of exponentials are a softmax.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .affine import Affine
from .control_flow import Unsupported
from .expressions import (
    Counter,
    Effect,
    Expression,
    Gate,
    Group,
    Held,
    Load,
    Number,
    Reduce,
    affines,
    gated,
    group,
    loads,
    walk,
)
from .normal import extents, merged


@dataclass(frozen=True)
class Region:
    """Where constants are mapped."""

    start: int
    end: int

    def holds(self, address: Affine) -> bool:
        """Whether an address starts in it."""
        return self.start <= address.constant < self.end


@dataclass(frozen=True)
class Lifted:
    """An operator as found, before its attributes are."""

    kind: str
    effect: Effect
    """The store without an activation, counters merged as far as all addresses allow."""
    reads: tuple[Load, ...]
    """Activations."""
    fused: bool = False
    """Whether an activation follows in the same loop nest."""
    weight: Load | None = None
    bias: Load | None = None
    counters: tuple[Counter, ...] = ()
    """Of the reduction."""
    share: float = 1.0
    """What a reduction is multiplied with."""


def lifted(effects: tuple[Effect, ...], constants: Region) -> Lifted:
    """The operator that a function's stores are.

    Raises:
        Unsupported: no template matches.
    """
    if len(effects) != 1:
        raise Unsupported(f"{len(effects)} stores that are not one")
    effect = merged(effects[0])
    _affine(effect)
    rest = _rectified(effect.value)
    if rest is None:
        return _matched(effect, constants)
    if isinstance(rest, Load):
        return Lifted("relu", effect, (rest,))
    inner = _matched(Effect(effect.address, rest, effect.counters), constants)
    return replace(inner, fused=True)


def _affine(effect: Effect) -> None:
    """Every value is known and every address moves with counters only."""
    if any(isinstance(part, Held) for part in walk(effect.value)):
        raise Unsupported("a value that one iteration of a loop does not tell")
    known = extents(effect).keys()
    for one in (effect.address, *affines(effect.value)):
        if one.names() - known:
            raise Unsupported("an address or test that is no sum of multiples of loop counters")


def _rectified(value: Expression) -> Expression | None:
    """What is compared with 0, if anything is."""
    if isinstance(value, Group) and value.op == "max" and Number(0.0) in value.parts:
        return group("max", *(part for part in value.parts if part != Number(0.0)))
    return None


def _matched(effect: Effect, constants: Region) -> Lifted:
    match effect.value:
        case Group("sum", (Load() as first, Load() as second)):
            return Lifted("add", effect, (first, second))
        case Reduce("max", counters, Load() as read):
            return Lifted("maxpool", effect, (read,), counters=counters)
        case Group("product", (Number(share), Reduce("sum", counters, Load() as read))) | Group(
            "product", (Reduce("sum", counters, Load() as read), Number(share))
        ):
            return Lifted("avgpool", effect, (read,), counters=counters, share=share)
        case Group("sum", (Load() as bias, Reduce("sum") as total)) | Group(
            "sum", (Reduce("sum") as total, Load() as bias)
        ):
            return _product(effect, total, bias, constants)
        case Group("div", (Group("exp"), Reduce("sum"))):
            found = [load for load in loads(effect.value) if load.address.names()]
            if len({load.address.constant for load in found}) == 1:
                return Lifted("softmax", effect, (found[-1],))
    raise Unsupported("no template matches what is computed")


def _product(effect: Effect, total: Reduce, bias: Load, constants: Region) -> Lifted:
    """A reduction over products of an activation and a constant, and what it starts from."""
    inner = total.value
    tests: tuple[Affine, ...] = ()
    if isinstance(inner, Gate):
        tests, inner = inner.tests, inner.value
    match inner:
        case Group("product", (Load() as one, Load() as other)):
            pair = (one, other)
        case _:
            raise Unsupported("no template matches what is computed")
    weights = [load for load in pair if constants.holds(load.address)]
    if len(weights) != 1 or not constants.holds(bias.address):
        raise Unsupported("a product without weights among the constants")
    read = pair[0] if weights[0] is pair[1] else pair[1]
    channels = _sharing(effect.counters, weights[0])
    if any(read.address.coefficient(name) for name, _ in channels):
        raise Unsupported("depthwise: the input moves with the output channel")
    places = len(channels) < len(effect.counters)
    skeleton = group("sum", bias, Reduce("sum", total.counters, gated(tests, read)))
    return Lifted(
        kind="conv" if places else "gemm",
        effect=Effect(effect.address, skeleton, effect.counters),
        reads=(read,),
        weight=weights[0],
        bias=bias,
        counters=total.counters,
    )


def _sharing(counters: Iterable[Counter], load: Load) -> list[Counter]:
    return [counter for counter in counters if load.address.coefficient(counter[0])]
