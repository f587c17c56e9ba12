"""What a replayed tuning run is: the table, the tuner, its predictor and how that is trained."""

from typing import Annotated

from pydantic import Field

from dse.spec import Bounds, Catalog, Config, Real, Record, Symbol, Unit

from .annealing import Chains
from .config import GIVEN, OFF, Count, Tuner, Whole
from .genetic import Breeding
from .replay import Loop

Share = Annotated[Real, Field(ge=0, le=1), Unit("1")]
Positive = Annotated[Real, Field(gt=0), Unit("1")]


class Replayed(Record):
    """Where the table comes from: a file, kernels measured here, or parts that add up."""

    file: str = ""
    """Path of a table, under the folder of bulk data unless it is a whole one; empty = none."""
    matmul: Count = OFF
    """Edge of a matrix product that is compiled and timed on this machine; 0 = not."""
    knobs: Count = OFF
    levels: Count = OFF
    spread: Count = OFF
    rugged: Count = OFF
    """Of a table that is made up: see `made_up`."""


class Learner(Record):
    """What predicts the speed of a variant."""

    network: Count = OFF
    """1 for the paper's network, else ridge regression with a Gaussian kernel."""


class Explorer(Record):
    """What searches the predictor's scores; neither of both ranks every variant."""

    annealing: Count = OFF
    genetic: Count = OFF


class Training(Config):
    """How the predictor is trained."""

    hidden: Annotated[Whole, Symbol("f"), Bounds(8, 1024, integer=True)] = GIVEN(
        "reference.training.hidden"
    )
    """Width of a layer's inner part."""
    layers: Annotated[Whole, Symbol("L"), Bounds(1, 6, integer=True)] = GIVEN(
        "reference.training.layers"
    )
    """Layers of the network."""
    epochs: Annotated[Whole, Symbol("E"), Bounds(1, 1000, integer=True)] = GIVEN(
        "reference.training.epochs"
    )
    """Passes over as many samples as the set holds; the rate falls as a cosine over them."""
    batch: Annotated[Whole, Symbol("b"), Bounds(8, 4096, integer=True)] = GIVEN(
        "reference.training.batch"
    )
    """Samples between two updates of the weights."""
    rate: Annotated[Positive, Symbol(r"\eta"), Bounds(1e-5, 0.1, log=True)] = GIVEN(
        "reference.training.rate"
    )
    """Adam's learning rate at the start."""
    decay: Annotated[Share, Symbol(r"\lambda"), Bounds(0, 0.1)] = GIVEN("reference.training.decay")
    """Weight decay."""
    bins: Annotated[Whole, Symbol("B"), Bounds(1, 1000, integer=True)] = GIVEN(
        "reference.training.bins"
    )
    """Bins of the label histogram that the sampler levels; 1 = draw evenly."""
    held: Annotated[Share, Symbol("v"), Bounds(0, 0.5)] = GIVEN("reference.training.held")
    """Share of the set that judges the epochs."""


class Replay(Config):
    """A tuning run over a table, repeated with several seeds."""

    kernel: Annotated[Replayed, Catalog("oneshot.table", "made_up"), Symbol("Q")]
    """The kernel, as the table of its variants that is replayed."""
    tuner: Annotated[Tuner, Catalog("oneshot.tuner", "one_shot"), Symbol("A")]
    """The tuner."""
    learner: Annotated[Learner, Catalog("oneshot.learner", "network"), Symbol("M")]
    """The one-shot tuner's predictor; the iterative one always learns by regression."""
    search: Annotated[Explorer, Catalog("oneshot.search", "all"), Symbol("O")]
    """What searches the predictor's scores."""
    trials: Annotated[Whole, Symbol("m"), Bounds(1, 4096, integer=True)] = GIVEN("trials")
    """Variants measured."""
    train_size: Annotated[
        Whole, Field(ge=4), Symbol("n_{tr}"), Bounds(30, 10_000, integer=True)
    ] = GIVEN("train_size")
    """Variants that the predictor is trained on."""
    explored: Annotated[Share, Symbol("x"), Bounds(0, 1, integer=True)] = GIVEN(
        "reference.explored"
    )
    """1 if they are the trials of an iterative tuner, 0 if they are drawn evenly."""
    failing: Annotated[Share, Symbol("z"), Bounds(0, 1, integer=True)] = GIVEN("reference.failing")
    """1 if variants that fail stand in the space too, 0 if they are known and left out."""
    seeds: Annotated[Whole, Symbol("S"), Bounds(1, 1000, integer=True)] = GIVEN("reference.seeds")
    """Runs averaged."""
    first_seed: Annotated[Count, Field(ge=0), Symbol("s"), Bounds(0, 1e6, integer=True)] = GIVEN(
        "reference.first_seed"
    )
    """Seed of the first run."""
    training: Training


CHAINS = Chains(
    count=int(GIVEN("reference.chains")),
    steps=int(GIVEN("reference.steps")),
    patience=int(GIVEN("reference.patience")),
)
BREEDING = Breeding(
    population=int(GIVEN("reference.population")),
    generations=int(GIVEN("reference.generations")),
    elites=int(GIVEN("reference.elites")),
    mutation=float(GIVEN("reference.mutation")),
    patience=int(GIVEN("reference.tries")),
)
LOOP = Loop(
    plan=int(GIVEN("plan")),
    surprise=float(GIVEN("reference.surprise")),
    reach=float(GIVEN("reference.reach")),
    noise=float(GIVEN("reference.noise")),
)
