"""The layers of a convolutional network: a graph with shapes, and what is counted from it.

All counts are whole numbers for one image. A multiply-accumulate (MAC) is two floating-point
operations. Biases are parameters, but their additions are no MACs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dse.errors import InputError

Kind = Literal[
    "image",
    "convolution",
    "depthwise",
    "norm",
    "activation",
    "pooling",
    "add",
    "scale",
    "concat",
    "dropout",
    "linear",
]
"""What a layer does; a convolution with one channel a group is `depthwise`."""

Function = Literal["", "relu", "relu6", "sigmoid", "max", "average", "global"]
"""Which activation or pooling; `global` is the average over a whole map."""

Kernel = int | tuple[int, int]
"""Side of a square window, or its height and width."""

RELUS = ("relu", "relu6")

Whole = Annotated[int, Field(gt=0)]
"""A size that is at least one."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: what it reads, the shape of what it writes, and its work."""

    name: str
    kind: Kind
    inputs: tuple[int, ...]
    """Numbers of the layers whose outputs it reads."""
    channels: int
    height: int
    width: int
    parameters: int = 0
    macs: int = 0
    """Of convolutions and linear layers only."""
    window: int = 1
    """Elements of input behind one element of output, for poolings."""
    function: Function = ""
    in_place: bool = False
    """Whether it writes over its input, as activations do."""
    module: bool = True
    """False for the poolings that torchvision calls as functions: a hook does not see them."""
    auxiliary: bool = False
    """Part of a head that exists in training only."""

    @property
    def elements(self) -> int:
        """Elements of output."""
        return self.channels * self.height * self.width


class Structure(BaseModel):
    """What every structure of network says of itself; `layers` lists its graph."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slug: str
    """Name in the catalog, lower-case."""
    title: str
    """Name as people say it."""
    image: Whole = 224
    """Side of the picture."""
    classes: Whole = 1000
    """Classes that the picture is sorted into."""

    def layers(self) -> tuple[Layer, ...]:
        """The layers in forward order; number 0 is the image."""
        raise NotImplementedError


class Graph:
    """Builds a list of layers: each method appends one and returns its number."""

    IMAGE = 0
    """Number of the image, which every graph begins with."""

    def __init__(self, side: int) -> None:
        self._layers = [Layer("image", "image", (), channels=3, height=side, width=side)]

    def __getitem__(self, number: int) -> Layer:
        return self._layers[number]

    def layers(self) -> tuple[Layer, ...]:
        """What was built so far."""
        return tuple(self._layers)

    def _add(self, layer: Layer) -> int:
        if min(layer.channels, layer.height, layer.width) < 1:
            shape = f"{layer.channels} x {layer.height} x {layer.width}"
            raise InputError(
                f"layer '{layer.name}': its output must not be empty, got {shape}; "
                "give a larger picture or more channels"
            )
        self._layers.append(layer)
        return len(self._layers) - 1

    def convolution(
        self,
        name: str,
        source: int,
        channels: int,
        kernel: Kernel,
        *,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        bias: bool = False,
    ) -> int:
        """A convolution; left out, `padding` keeps the size at stride 1."""
        given, (down, across) = self[source], _sides(kernel)
        if given.channels % groups or channels % groups:
            both = f"{given.channels} and {channels}"
            raise InputError(f"layer '{name}': 'groups' must divide {both} channels, got {groups}")
        height = _steps(given.height, down, stride, down // 2 if padding is None else padding)
        width = _steps(given.width, across, stride, across // 2 if padding is None else padding)
        per_output = given.channels // groups * down * across
        return self._add(
            Layer(
                name,
                "depthwise" if 1 < groups == given.channels else "convolution",
                (source,),
                channels,
                height,
                width,
                parameters=channels * (per_output + bias),
                macs=channels * height * width * per_output,
                auxiliary=given.auxiliary,
            )
        )

    def linear(self, name: str, source: int, outputs: int) -> int:
        """A linear layer with bias over all elements of its input."""
        given = self[source]
        macs = given.elements * outputs
        return self._add(
            Layer(
                name,
                "linear",
                (source,),
                outputs,
                1,
                1,
                parameters=macs + outputs,
                macs=macs,
                auxiliary=given.auxiliary,
            )
        )

    def _same(
        self, name: str, kind: Kind, inputs: tuple[int, ...], function: Function = ""
    ) -> int:
        """A layer without parameters whose output has the shape of its first input."""
        given = self[inputs[0]]
        return self._add(
            Layer(
                name,
                kind,
                inputs,
                given.channels,
                given.height,
                given.width,
                function=function,
                in_place=kind == "activation",
                auxiliary=given.auxiliary,
            )
        )

    def norm(self, name: str, source: int) -> int:
        """Batch norm: a scale and a shift a channel."""
        given = self[source]
        return self._add(
            Layer(
                name,
                "norm",
                (source,),
                given.channels,
                given.height,
                given.width,
                parameters=2 * given.channels,
                auxiliary=given.auxiliary,
            )
        )

    def activation(self, name: str, source: int, function: Function = "relu") -> int:
        """A ReLU or another activation, written over its input."""
        return self._same(name, "activation", (source,), function)

    def dropout(self, name: str, source: int) -> int:
        """Dropout: in training only."""
        return self._same(name, "dropout", (source,))

    def add(self, name: str, *sources: int) -> int:
        """The sum of outputs of one shape."""
        return self._same(name, "add", sources)

    def scale(self, name: str, source: int, gate: int) -> int:
        """Each channel times its gate."""
        return self._same(name, "scale", (source, gate))

    def concat(self, name: str, *sources: int) -> int:
        """Channels of all sources, one after another."""
        first, channels = self[sources[0]], sum(self[source].channels for source in sources)
        return self._add(Layer(name, "concat", sources, channels, first.height, first.width))

    def pooling(
        self,
        name: str,
        source: int,
        function: Function,
        kernel: int,
        *,
        stride: int,
        padding: int = 0,
        ceil: bool = False,
        module: bool = True,
        auxiliary: bool = False,
    ) -> int:
        """The maximum or the average of each window; `ceil` keeps a window that sticks out."""
        given = self[source]
        return self._add(
            Layer(
                name,
                "pooling",
                (source,),
                given.channels,
                _steps(given.height, kernel, stride, padding, ceil=ceil),
                _steps(given.width, kernel, stride, padding, ceil=ceil),
                window=kernel**2,
                function=function,
                module=module,
                auxiliary=auxiliary or given.auxiliary,
            )
        )

    def global_pooling(self, name: str, source: int) -> int:
        """The average of each channel's map."""
        given, window = self[source], self[source].height * self[source].width
        layer = Layer(
            name, "pooling", (source,), given.channels, 1, 1, window=window, function="global"
        )
        return self._add(layer)

    def convolution_norm(
        self,
        name: str,
        source: int,
        channels: int,
        kernel: Kernel,
        *,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        function: Function = "relu",
    ) -> int:
        """A convolution, its batch norm and, unless `function` is empty, its activation."""
        out = self.convolution(
            name, source, channels, kernel, stride=stride, padding=padding, groups=groups
        )
        out = self.norm(f"{name}.bn", out)
        return self.activation(f"{name}.relu", out, function) if function else out


def _sides(kernel: Kernel) -> tuple[int, int]:
    return (kernel, kernel) if isinstance(kernel, int) else kernel


def _steps(size: int, kernel: int, stride: int, padding: int, *, ceil: bool = False) -> int:
    """Positions of a window along one side; with `ceil` the last may stick out."""
    room = size + 2 * padding - kernel
    return (-(-room // stride) if ceil else room // stride) + 1


def parameters(layers: Sequence[Layer]) -> int:
    """Trained parameters, auxiliary head included."""
    return sum(layer.parameters for layer in layers)


def macs(layers: Sequence[Layer]) -> int:
    """MACs of convolutions and linear layers in one forward pass, auxiliary head left out."""
    return sum(layer.macs for layer in layers if not layer.auxiliary)


def outputs(layers: Sequence[Layer], *kinds: Kind) -> int:
    """Elements that layers of these kinds write, as hooks on torchvision's modules see them."""
    return sum(
        layer.elements
        for layer in layers
        if layer.kind in kinds and layer.module and not layer.auxiliary
    )
