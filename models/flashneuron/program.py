"""What is executed: kernels in order, the tensors they touch, and when each of those may travel.

A program is read from a trace or built as a chain of layers. Lifetimes follow from the kernels
alone: a tensor is idle between two kernels that touch it, and may leave in the last such interval
that begins by the loss kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from dse.spec import Real, Record, Unit, leaf

from .config import GIVEN, OFF, Bytes, Count, Seconds, Switch


class Kernel(Record):
    """Its time and the tensors it touches, each once, by their place among the tensors."""

    time: Seconds
    touched: tuple[int, ...]


class Tensor(Record):
    """Its bytes, and a 1 where it never leaves, serves single kernels or was written by a ReLU."""

    size: Bytes
    resident: Switch = OFF
    scratch: Switch = OFF
    relu: Switch = OFF

    @cached_property
    def moves(self) -> bool:
        """Whether it is born and dies, so that it may travel in between."""
        return not (self.resident or self.scratch)


class Recorded(Record):
    """A step as recorded, or the numbers of a chain of layers where no kernels are listed."""

    loss: Annotated[Count, Field(ge=0)] = OFF
    """Index of the first backward kernel."""
    kernels: tuple[Kernel, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    link_bandwidth: Annotated[Real, Field(gt=0), Unit("B/s")] = GIVEN("trace_link")
    """Of the machine that was profiled, one direction."""
    layers: Annotated[Count, Field(ge=2)] = leaf(2.0)
    """Of the chain."""
    forward_time: Seconds = OFF
    """Of the chain, in equal parts a layer."""
    backward_time: Seconds = OFF
    """Of the chain, in equal parts a layer."""
    activations: Bytes = OFF
    """Saved by the chain; a layer saves one tensor."""
    taper: Annotated[Count, Field(gt=0)] = leaf(1.0)
    """The first layer's saved bytes over the last one's."""
    resident: Bytes = OFF
    """Weights of the chain, in equal parts a layer."""
    scratch: Bytes = OFF
    """What each kernel of the chain needs for itself."""


@dataclass(frozen=True)
class Program:
    """Kernels in order; those from `loss` on are the backward pass."""

    kernels: Sequence[Kernel]
    tensors: Sequence[Tensor]
    loss: int

    @cached_property
    def uses(self) -> tuple[tuple[int, ...], ...]:
        """Kernels that touch each tensor, in order."""
        found: list[list[int]] = [[] for _ in self.tensors]
        for index, kernel in enumerate(self.kernels):
            for tensor in kernel.touched:
                found[tensor].append(index)
        return tuple(map(tuple, found))

    def death(self, tensor: int) -> int:
        """The first kernel that no longer needs it."""
        return self.uses[tensor][-1] + 1

    def issue(self, tensor: int) -> int:
        """Start of the last idle interval that begins by the loss kernel; -1 for none."""
        pairs = pairwise(self.uses[tensor])
        idle = (last + 1 for last, then in pairs if then > last + 1 and last < self.loss)
        return max(idle, default=-1)

    def moving(self, kernel: Kernel) -> list[int]:
        """Tensors of a kernel that are born and die."""
        return [i for i in kernel.touched if self.tensors[i].moves]

    @cached_property
    def candidates(self) -> tuple[int, ...]:
        """Tensors of the forward pass that outlive the loss kernel, by first touch."""
        seen = dict.fromkeys(i for kernel in self.kernels[: self.loss] for i in kernel.touched)
        return tuple(i for i in seen if self.tensors[i].moves and self.death(i) > self.loss)

    @cached_property
    def ready(self) -> tuple[float, ...]:
        """Compute time before each kernel, and of all."""
        return (0.0, *np.cumsum([float(kernel.time) for kernel in self.kernels]).tolist())

    def resident_bytes(self) -> float:
        """Bytes of what never leaves."""
        return float(sum(tensor.size for tensor in self.tensors if tensor.resident))

    def workspace_bytes(self, *, resident: bool = True) -> float:
        """Most bytes that one kernel touches, with or without what never leaves."""
        return max(
            sum(
                float(self.tensors[i].size)
                for i in kernel.touched
                if resident or not self.tensors[i].resident
            )
            for kernel in self.kernels
        )


def program(recorded: Recorded) -> Program:
    """The program of a recorded step, or the chain that its numbers describe."""
    if recorded.kernels:
        return Program(recorded.kernels, recorded.tensors, int(recorded.loss))
    return _chain(recorded)


def _chain(recorded: Recorded) -> Program:
    """Layers that save one tensor each; a backward kernel turns one gradient into the next.

    Tensors of layer n: weights 3 n, saved 3 n + 1, its gradient 3 n + 2; scratch stands last.
    """
    layers = int(recorded.layers)
    shares = np.geomspace(float(recorded.taper), 1.0, layers)
    saved = (float(recorded.activations) * shares / shares.sum()).tolist()
    tensors = [
        tensor
        for size in saved
        for tensor in (
            Tensor(size=recorded.resident / layers, resident=leaf(1.0)),
            Tensor(size=leaf(size)),
            Tensor(size=leaf(size)),
        )
    ]
    scratch = 3 * layers
    forward = [(3 * n, 3 * n + 1, *([3 * n - 2] if n else ()), scratch) for n in range(layers)]
    backward = [
        (3 * n, 3 * n + 1, 3 * n + 2, *([3 * n - 1] if n else ()), scratch)
        for n in reversed(range(layers))
    ]
    times = [recorded.forward_time / layers] * layers + [recorded.backward_time / layers] * layers
    kernels = [
        Kernel(time=time, touched=touched)
        for time, touched in zip(times, (*forward, *backward), strict=True)
    ]
    return Program(
        kernels, [*tensors, Tensor(size=recorded.scratch, scratch=leaf(1.0))], loss=layers
    )
