"""What training keeps: saved-for-backward tensors, weights, gradients and optimizer state.

A family of networks gives the view; the offload pages read it. Sizes are laws in the batch b:
every tensor has elements per sample, resident bytes do not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class SavedTensor:
    """One tensor kept from the forward pass for the backward pass."""

    name: str
    elements: float
    """Elements per sample."""
    element_size: float
    """Bytes of one element as trained in FP32: 4, or 1 for a mask."""
    birth: int
    """Index of the forward step that makes it, from 0."""
    last_use: int
    """Index of the step that needs it last; backward steps count on after the forward ones."""
    relu: bool
    """Output of a ReLU: many zeros, so it compresses as sparse rows."""
    fp16: bool
    """May be stored in FP16 and widened again: 4-byte elements that no integer or mask holds."""


@dataclass(frozen=True)
class TrainingView:
    """A network as the offload scheduler sees it, at a fixed sample (sequence length, image)."""

    network: str
    steps: int
    """Forward steps; the backward pass has as many, in reverse."""
    tensors: tuple[SavedTensor, ...]
    parameters: float
    """Trained parameters."""
    workspace: float
    """Elements of the largest step's inputs and outputs, per sample."""

    @property
    def activation_bytes(self) -> float:
        """Bytes per sample kept for the backward pass: the slope of A(b)."""
        return sum(tensor.elements * tensor.element_size for tensor in self.tensors)

    def resident_bytes(self, *, bytes_per_parameter: float = 16.0) -> float:
        """W: weights, gradients and two Adam moments in FP32 by default, whatever the batch."""
        return self.parameters * bytes_per_parameter

    @property
    def workspace_bytes(self) -> float:
        """The slope of w(b): FP32 bytes per sample of the largest step."""
        return 4.0 * self.workspace


Training = Callable[[str, int], TrainingView]
"""Network slug and tokens (1 for an image) -> its training view."""
