"""What is executed: kernels in order, the tensors they touch, and when each of those may travel.

A program is read from a trace file or built as a chain of layers. Lifetimes follow from the
kernels alone: a tensor is idle between two kernels that touch it, and may leave after the last
forward kernel that does.
"""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Kernel:
    """Its time [s] and the tensors it touches, each once."""

    time: float
    touched: tuple[int, ...]


@dataclass(frozen=True)
class Tensor:
    """Its bytes, and what it is: kept for good, scratch of single kernels, or written by a ReLU."""

    size: float
    resident: bool = False
    scratch: bool = False
    relu: bool = False

    @property
    def moves(self) -> bool:
        """Whether it is born and dies, so that it may travel in between."""
        return not (self.resident or self.scratch)


@dataclass(frozen=True)
class Program:
    """Kernels in order; those from `loss` on are the backward pass."""

    kernels: tuple[Kernel, ...]
    tensors: tuple[Tensor, ...]
    loss: int

    @cached_property
    def uses(self) -> tuple[tuple[int, ...], ...]:
        """Kernels that touch each tensor, in order."""
        found: list[list[int]] = [[] for _ in self.tensors]
        for index, kernel in enumerate(self.kernels):
            for tensor in kernel.touched:
                found[tensor].append(index)
        return tuple(map(tuple, found))

    def birth(self, tensor: int) -> int:
        """The kernel that makes it."""
        return self.uses[tensor][0]

    def death(self, tensor: int) -> int:
        """The first kernel that no longer needs it."""
        return self.uses[tensor][-1] + 1

    def issue(self, tensor: int) -> int:
        """Start of the last idle interval that begins by the loss kernel; -1 for none."""
        used = self.uses[tensor]
        idle = (
            first + 1
            for first, then in zip(used, used[1:], strict=False)
            if then > first + 1 and first < self.loss
        )
        return max(idle, default=-1)

    @cached_property
    def candidates(self) -> tuple[int, ...]:
        """Tensors of the forward pass that outlive the loss kernel, by first touch."""
        seen = dict.fromkeys(i for kernel in self.kernels[: self.loss] for i in kernel.touched)
        return tuple(i for i in seen if self.tensors[i].moves and self.death(i) > self.loss)

    @cached_property
    def resident_bytes(self) -> float:
        """Bytes of what never leaves."""
        return sum(tensor.size for tensor in self.tensors if tensor.resident)

    @cached_property
    def widest_kernel(self) -> float:
        """Most bytes that one kernel touches."""
        return max(
            sum(self.tensors[i].size for i in kernel.touched) for kernel in self.kernels
        )

    @cached_property
    def widest_moving(self) -> float:
        """Most bytes that one kernel touches of what is not resident."""
        return max(
            sum(self.tensors[i].size for i in kernel.touched if not self.tensors[i].resident)
            for kernel in self.kernels
        )
