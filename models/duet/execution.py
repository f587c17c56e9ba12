"""What the reference is given: the page's knobs, and the shapes of its networks by their names."""

from typing import Annotated

from dse.spec import Bounds, Catalog, Record, Symbol

from .config import GIVEN, OFF, Count, Setting, Switch


class ResNet(Record):
    """What a convolutional path is built from."""

    stage_1: Count
    """Residual blocks of the first stage."""
    stage_2: Count
    stage_3: Count
    stage_4: Count
    bottleneck: Switch = OFF
    """1 for blocks of three convolutions, else two."""
    image: Count
    """Pixels of a side."""
    classes: Count


class Bert(Record):
    """What a trunk is built from."""

    layers: Count
    width: Count
    heads: Count
    inner: Count
    """Width inside the feed-forward network."""
    context: Count
    """Most tokens of a sample."""


class Execution(Setting):
    """A network to build, cut, place and run."""

    cnn: Annotated[ResNet, Catalog("duet.resnet", "resnet18"), Symbol("N_c")]
    """The network of a convolutional path."""
    encoder: Annotated[Bert, Catalog("duet.bert", "bert-base"), Symbol("N_e")]
    """The network of the trunk."""
    barriers: Annotated[Switch, Symbol("b"), Bounds(0, 1, integer=True)] = GIVEN("barriers")
    """1 if phases wait for one another and for the link, 0 for queues."""
    retreat: Annotated[Switch, Symbol("s"), Bounds(0, 1, integer=True)] = GIVEN("retreat")
    """1 if the correction may fall back to a single device."""
