"""What training a convolutional network keeps for its backward pass.

The rule is that of eager frameworks in FP32 [memory: PyTorch's derivative formulas], each buffer
counted once however many layers save it:

- a convolution and a linear layer save their input, for the gradient of the weights;
- a batch norm saves its input; its statistics do not grow with the batch and are left out;
- a ReLU (and ReLU6, sigmoid) works in place and saves its output, which is also what the next
  convolution saves; so convolution, norm and ReLU keep two buffers, not three;
- a max pooling saves its input, and where each maximum stood: eight bytes per output;
- an average pooling saves its input, a global one only sizes;
- a gate times a map saves both; dropout saves a mask of one byte an element;
- sums and concatenations save nothing, but what a concatenation wrote may be saved behind it.

The image is kept for the first convolution. The loss is left out: a thousand elements an image.
Forward step i is layer i + 1, as number 0 is the image; its backward step is 2 n - 1 - i.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dse.training import SavedTensor, TrainingView

from .cnn_layers import RELUS, Layer, parameters

ELEMENT, INDEX, MASK = 4.0, 8.0, 1.0
"""Bytes of a number in FP32, of the place of a maximum, and of a mask."""

_NEEDS_INPUT = ("convolution", "depthwise", "norm", "linear")


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved tensor, and the layers it comes from and goes to."""

    writer: int
    """Layer that writes it last: the ReLU, where one works in place."""
    first_reader: int
    """First layer that saves it: the last to need it in the backward pass."""
    last_reader: int
    """Last layer that saves it: the one it is counted under."""
    elements: int
    element_size: float
    suffix: str = ""


def kept(layers: Sequence[Layer]) -> tuple[Kept, ...]:
    """What all layers save, each buffer once, in the order it is written."""
    writers = _writers(layers)
    readers: dict[int, list[int]] = {}
    for number, layer in enumerate(layers):
        for source in _saves(layer, number):
            readers.setdefault(writers[source], []).append(number)
    buffers = [
        Kept(writer, min(found), max(found), layers[writer].elements, ELEMENT)
        for writer, found in readers.items()
    ]
    return tuple(sorted((*buffers, *_extras(layers)), key=lambda one: (one.writer, one.suffix)))


def _writers(layers: Sequence[Layer]) -> list[int]:
    """For each layer, the layer that writes its output's buffer last."""
    writers = list(range(len(layers)))
    for number, layer in enumerate(layers):
        if layer.in_place:
            writers[layer.inputs[0]] = number
    return writers


def _saves(layer: Layer, number: int) -> tuple[int, ...]:
    """Layers whose outputs this layer saves; its own number stands for its own output."""
    if layer.kind in _NEEDS_INPUT or layer.function in {"max", "average"}:
        return layer.inputs
    if layer.kind == "scale":
        return layer.inputs
    return (number,) if layer.kind == "activation" else ()


def _extras(layers: Sequence[Layer]) -> Iterator[Kept]:
    """What is saved beside buffers: places of maxima and masks of dropout."""
    for number, layer in enumerate(layers):
        if layer.function == "max":
            yield Kept(number, number, number, layer.elements, INDEX, ".indices")
        if layer.kind == "dropout":
            yield Kept(number, number, number, layer.elements, MASK, ".mask")


def workspace(layers: Sequence[Layer]) -> int:
    """Elements of the largest layer's inputs and output; in place they are one buffer."""
    return max(
        sum(layers[source].elements for source in layer.inputs)
        + (0 if layer.in_place else layer.elements)
        for layer in layers[1:]
    )


def view(network: str, layers: Sequence[Layer]) -> TrainingView:
    """The training view of one image."""
    steps = len(layers) - 1
    return TrainingView(
        network=network,
        steps=steps,
        tensors=tuple(_tensor(one, layers[one.writer], steps) for one in kept(layers)),
        parameters=float(parameters(layers)),
        workspace=float(workspace(layers)),
    )


def relu_share(training: TrainingView) -> float:
    """Share of the saved bytes that a ReLU (or ReLU6) wrote; 0 where nothing is saved."""
    written = sum(one.elements * one.element_size for one in training.tensors if one.relu)
    return written / training.activation_bytes if written else 0.0


def _tensor(one: Kept, writer: Layer, steps: int) -> SavedTensor:
    plain = one.element_size == ELEMENT
    return SavedTensor(
        name=f"{writer.name}{one.suffix}",
        elements=float(one.elements),
        element_size=one.element_size,
        birth=max(one.writer - 1, 0),
        last_use=2 * steps - one.first_reader,
        relu=plain and writer.function in RELUS,
        fp16=plain,
    )
