"""The operators of a convolutional network: equal kinds of layers added up.

An image is one token with a context of one, so all numbers stand under `*_token`. All networks
have the same seven operators, some of them idle, so that they can be one knob. Conventions:

- Biases ride along: they are weights, but their additions are not counted.
- Every layer reads its inputs and writes its output; nothing is fused. Elements stay in place
  where activations do, which does not spare the traffic.
- Norms use known statistics, as in inference. Dropout and the auxiliary head do not run.
- `_COST` holds the operations per element of what is no product of matrices [assumed].
- What an operator saves is counted in numbers of four bytes, under the layer that reads it last.

Adding up hides that some layers of a kind are bound by arithmetic and others by memory: a roof
over the sum is at or below the sum of the roofs, so times come out short: on a V100 by up to 15 %
in FP16 (ResNet-34, one image; 6 % on ResNet-50) and 8 % in FP32 [derived, 1 and 32 images].
"""

from __future__ import annotations

from collections.abc import Sequence

from dse.spec import Operator

from .cnn_layers import Kind, Layer
from .cnn_training import ELEMENT, kept

KINDS: dict[str, tuple[str, tuple[Kind, ...]]] = {
    "convolution": ("convolution", ("convolution",)),
    "depthwise": ("convolution", ("depthwise",)),
    "norm": ("norm", ("norm",)),
    "activation": ("elementwise", ("activation",)),
    "pooling": ("elementwise", ("pooling",)),
    "elementwise": ("elementwise", ("add", "scale", "concat", "dropout")),
    "linear": ("gemm", ("linear",)),
}
"""Name of an operator -> its kind, and the kinds of layers it adds up."""

_COST = {"norm": 2, "relu": 1, "relu6": 2, "sigmoid": 4, "add": 1, "scale": 1}


def operators(layers: Sequence[Layer]) -> tuple[Operator, ...]:
    """The seven operators of one forward pass."""
    saved = _saved(layers)
    return tuple(
        _operator(
            name,
            kind,
            [
                (layer, sum(layers[source].elements for source in layer.inputs), saved[number])
                for number, layer in enumerate(layers)
                if layer.kind in kinds and not layer.auxiliary
            ],
        )
        for name, (kind, kinds) in KINDS.items()
    )


def _operator(name: str, kind: str, rows: Sequence[tuple[Layer, int, float]]) -> Operator:
    """One operator from its layers, each with the elements it reads and those it saves."""
    runs = [(layer, read) for layer, read, _ in rows if layer.kind != "dropout"]
    return Operator(
        slug=name,
        kind=kind,
        calls=len(runs),
        flops_token=sum(_flops(layer) for layer, _ in runs),
        weights=sum(layer.parameters for layer, _ in runs),
        moved_token=sum(read + layer.elements for layer, read in runs),
        output_token=sum(layer.elements for layer, _ in runs),
        saved_token=sum(saved for _, _, saved in rows),
    )


def _flops(layer: Layer) -> int:
    if layer.macs:
        return 2 * layer.macs
    if layer.kind == "pooling":
        return layer.window * layer.elements
    return _COST.get(layer.function or layer.kind, 0) * layer.elements


def _saved(layers: Sequence[Layer]) -> list[float]:
    """For each layer the numbers of four bytes that are counted under it."""
    saved = [0.0] * len(layers)
    for one in kept(layers):
        saved[one.last_reader] += one.elements * one.element_size / ELEMENT
    return saved
