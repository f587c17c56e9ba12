"""Convolutional networks: VGG, ResNet, DenseNet, MobileNet, SqueezeNet, Inception and SENet.

A network is its sizes (`cnn.yaml`); its structure (`cnn_resnet.py` and its neighbours) lists the
layers, and counts, operators and the training view follow from that list. All numbers are for
one image. An image is one token with a context of one, so that the laws of the operators hold
with t = c = 1: images a batch are the sequences of the other families.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, cast

from dse import documents, provenance
from dse.errors import InputError, unknown
from dse.spec import Family, Real, Unit, Workload, leaf
from dse.training import TrainingView

from . import cnn_layers, cnn_training, rows
from .cnn_chain import DenseNet, MobileNetV1, MobileNetV2, SqueezeNet, Vgg
from .cnn_inception import Inception
from .cnn_layers import Layer, Structure
from .cnn_operators import operators
from .cnn_resnet import PreActivation, ResNet, SeNet

DATA = "cnn.yaml"
"""Where the sizes stand, beside this module."""

STRUCTURES: Mapping[str, type[Structure]] = {
    "resnet": ResNet,
    "preactivation": PreActivation,
    "senet": SeNet,
    "densenet": DenseNet,
    "vgg": Vgg,
    "mobilenet-v1": MobileNetV1,
    "mobilenet-v2": MobileNetV2,
    "squeezenet": SqueezeNet,
    "inception": Inception,
}
"""What can list its layers, by the name that a row of data gives."""


class Cnn(Workload):
    """A convolutional network: what pages read of it, per image."""

    macs: Annotated[Real, Unit("MAC")]
    """MACs of convolutions and linear layers; an auxiliary head does not run."""
    convolution_outputs: Annotated[Real, Unit("1")]
    """Elements that convolutions write."""
    layer_outputs: Annotated[Real, Unit("1")]
    """Elements that convolutions, norms, poolings and linear layers write.

    Poolings that torchvision calls as functions are left out, because hooks do not see them.
    """
    feature_elements: Annotated[Real, Unit("1")]
    """Layer outputs, and those of sums, products and concatenations; activations are in place.

    Times four bytes this is the published activation memory of a forward pass that frees nothing.
    """
    image: Annotated[Real, Unit("1")]
    """Side of the picture."""
    classes: Annotated[Real, Unit("1")]
    """Classes that the picture is sorted into."""
    activation_token: Annotated[Real, Unit("1")]
    """Numbers of four bytes saved for the backward pass, an auxiliary head included."""
    activation_pair: Annotated[Real, Unit("1")] = leaf(0.0)
    """None: an image has no context."""
    relu_share: Annotated[Real, Unit("1")] = leaf(0.0)
    """Share of the saved bytes that a ReLU (or ReLU6) wrote."""


def network(structure: Structure, layers: tuple[Layer, ...]) -> Cnn:
    """The network of a structure and its layers."""
    seen = cnn_layers.outputs(layers, "convolution", "depthwise", "norm", "pooling", "linear")
    view = cnn_training.view(structure.slug, layers)
    return Cnn(
        slug=structure.slug,
        title=structure.title,
        family="cnn",
        parameters=cnn_layers.parameters(layers),
        operators=operators(layers),
        macs=cnn_layers.macs(layers),
        convolution_outputs=cnn_layers.outputs(layers, "convolution", "depthwise"),
        layer_outputs=seen,
        feature_elements=seen + cnn_layers.outputs(layers, "add", "scale", "concat"),
        image=structure.image,
        classes=structure.classes,
        activation_token=view.activation_bytes / cnn_training.ELEMENT,
        relu_share=cnn_training.relu_share(view),
    )


def read(document: Mapping[str, object]) -> Mapping[str, Structure]:
    """The structure of each network of a data file, by slug.

    Raises:
        InputError: a network without a known source, an unknown structure or a wrong size.
    """
    sources = provenance.read_sources(document, where=DATA)
    listed = document.get("networks")
    if not isinstance(listed, Mapping):
        raise InputError(f"{DATA}: 'networks' must hold 'key: value' lines, got {listed!r}")
    return {slug: _structure(slug, row, sources) for slug, row in listed.items()}


def _structure(slug: str, row: object, sources: Mapping[str, object]) -> Structure:
    if not isinstance(row, Mapping):
        raise InputError(f"{DATA}: '{slug}' must hold 'key: value' lines, got {row!r}")
    source = str(row.get("source", ""))
    if source not in sources:
        raise InputError(f"{DATA}: '{slug}.source': {unknown('source', source, sources)}")
    return validated({"slug": slug, **{k: v for k, v in row.items() if k != "source"}}, DATA)


def validated(row: Mapping[str, object], where: str) -> Structure:
    """The structure that a row of data describes.

    Raises:
        InputError: an unknown structure, a missing size or a wrong one.
    """
    name = str(row.get("structure", ""))
    if name not in STRUCTURES:
        place = f"{where}: '{row.get('slug', 'network')}.structure'"
        raise InputError(f"{place}: {unknown('structure', name, STRUCTURES)}")
    return rows.read(STRUCTURES[name], row, where)


@cache
def structures() -> Mapping[str, Structure]:
    """The structure of every network of the data file, by slug."""
    text = resources.files(__package__).joinpath(DATA).read_text(encoding="utf-8")
    return read(cast("Mapping[str, object]", documents.parse(text, name=DATA)))


@cache
def layers(slug: str) -> tuple[Layer, ...]:
    """The layers of a network in forward order; number 0 is the image."""
    if slug not in structures():
        raise unknown("network", slug, structures())
    return structures()[slug].layers()


@cache
def networks() -> Mapping[str, Workload]:
    """Every network of the family, by slug."""
    return {slug: network(found, layers(slug)) for slug, found in structures().items()}


@cache
def training(slug: str, tokens: int = 1) -> TrainingView:
    """What training a network keeps per image.

    Raises:
        InputError: an unknown network, or an image of more than one token.
    """
    rows.single(structures(), slug, tokens)
    return cnn_training.view(slug, layers(slug))


def described(row: Mapping[str, object], place: str) -> Cnn:
    """The network of a workload file, whose values are those of a row of the data file."""
    structure = validated({"slug": "network", **row}, place)
    try:
        graph = structure.layers()
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    return network(structure, graph)


FAMILY = Family(
    slug="cnn",
    title="Convolutional networks",
    networks=networks,
    training=training,
    read=described,
)
