"""What a tuning run is: the tuner, the kernels it tunes, its predictor and its costs."""

from typing import Annotated

import numpy as np
from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Real, Record, Symbol, Unit, leaf

DATA = provenance.sheet(__package__)
GIVEN = DATA.default

OFF = leaf(0.0)

Count = Annotated[Real, Unit("1")]
Whole = Annotated[Real, Field(ge=1), Unit("1")]
Ratio = Annotated[Real, Field(ge=1), Unit("1")]
Seconds = Annotated[Real, Field(ge=0), Unit("s")]
Correlation = Annotated[Real, Field(ge=0, le=1), Unit("1"), Bounds(0, 1)]


class Kernel(Record):
    """All variants of a kernel, sorted: how much longer than the best the p-th percentile takes.

    `p0_5` is the time at the best 0.5 % over the best time; `p100` is the slowest one's.
    """

    space: Whole
    """Valid variants."""
    p0_01: Ratio
    p0_02: Ratio
    p0_05: Ratio
    p0_1: Ratio
    p0_2: Ratio
    p0_5: Ratio
    p1: Ratio
    p2: Ratio
    p5: Ratio
    p10: Ratio
    p15: Ratio
    p20: Ratio
    p30: Ratio
    p40: Ratio
    p50: Ratio
    p60: Ratio
    p70: Ratio
    p80: Ratio
    p90: Ratio
    p95: Ratio
    p98: Ratio
    p99_5: Ratio
    p100: Ratio
    learned: Count = OFF
    """1 if the learning curve was fitted on this kernel."""


NAMES = tuple(name for name in Kernel.model_fields if name[0] == "p")
SHARES = np.array([float(name[1:].replace("_", ".")) for name in NAMES]) / 100
"""Quantiles of a kernel: their names, and the share of all variants that each ends."""


class Law(Record):
    """How the times of a kernel's variants are spread."""

    normal: Count = OFF
    """1 if their logs are taken to be normal, as wide as the kernel's own."""


class Tuner(Record):
    """What a tuner does; random search does none of it."""

    one_shot: Count = OFF
    """1 if it ranks once with a predictor that was trained on other runs."""
    iterative: Count = OFF
    """1 if it trains on its own trials and ranks again after every batch."""
    exhaustive: Count = OFF
    """1 if it measures every variant."""


class Optimiser(Record):
    """The search over a predictor's scores."""

    candidates: Whole
    """Variants scored when it runs to its end."""


class Costs(Config):
    """Seconds of the single steps."""

    build: Annotated[Seconds, Symbol("t_b"), Bounds(0.01, 10, log=True)] = GIVEN("costs.build")
    """To compile one variant."""
    measure: Annotated[Seconds, Symbol("t_m"), Bounds(0.01, 10, log=True)] = GIVEN("costs.measure")
    """To run one variant often enough on the device."""
    features: Annotated[Seconds, Symbol("t_{feat}"), Bounds(1e-5, 1e-2, log=True)] = GIVEN(
        "costs.features"
    )
    """To extract the features of one candidate, on one core."""
    predict: Annotated[Seconds, Symbol("t_{nn}"), Bounds(1e-7, 1e-3, log=True)] = GIVEN(
        "costs.predict"
    )
    """To score one candidate."""
    refit: Annotated[Seconds, Symbol("t_{fit}"), Bounds(0.1, 100, log=True)] = GIVEN("costs.refit")
    """To train the iterative tuner's model again."""
    network_fit: Annotated[Seconds, Symbol("t_{train}"), Bounds(10, 1e5, log=True)] = GIVEN(
        "costs.network_fit"
    )
    """To train the one-shot predictor on its measured set."""
    training: Annotated[Seconds, Symbol("T_{train}"), Bounds(0, 1e6)] = GIVEN("costs.training")
    """All that the predictor costs before its first use; 0 = from the set's size."""


class Tuning(Config):
    """A tuning run over the tasks of a network."""

    tuner: Annotated[Tuner, Catalog("oneshot.tuner", "one_shot"), Symbol("A")]
    """The tuner."""
    kernel: Annotated[Kernel, Catalog("oneshot.kernel", "gemm"), Symbol("Q(u)")]
    """The kind of kernel that every task is taken to be."""
    law: Annotated[Law, Catalog("oneshot.law", "measured"), Symbol("L")]
    """The kernel's own quantiles, or the textbook's normal law: a bound, not a prediction."""
    optimiser: Annotated[Optimiser, Catalog("oneshot.optimiser", "sa"), Symbol("O")]
    """What searches the candidates: simulated annealing or a genetic algorithm."""
    trials: Annotated[Whole, Symbol("m"), Bounds(1, 4096, log=True, integer=True)] = GIVEN(
        "trials"
    )
    """Variants measured per task."""
    candidates: Annotated[
        Real, Field(ge=0), Unit("1"), Symbol("n"), Bounds(0, 200_000, integer=True)
    ] = GIVEN("candidates")
    """Variants scored per search; 0 = those of the optimiser."""
    early_stop: Annotated[
        Real, Field(gt=0, le=1), Unit("1"), Symbol(r"\varphi"), Bounds(0.05, 1)
    ] = GIVEN("early_stop")
    """Share of the optimiser's candidates scored before it stops."""
    train_size: Annotated[Whole, Symbol("n_{tr}"), Bounds(30, 10_000, log=True, integer=True)] = (
        GIVEN("train_size")
    )
    """Measured variants per training task."""
    training_tasks: Annotated[Whole, Symbol("K_{tr}"), Bounds(1, 1000, log=True, integer=True)] = (
        GIVEN("training_tasks")
    )
    """Tasks that the predictor is trained on."""
    overall_correlation: Annotated[Correlation, Symbol(r"\rho")] = GIVEN("overall_correlation")
    """Rank correlation of prediction and time; 0 = from the learning curve."""
    top_correlation: Annotated[Correlation, Symbol(r"\rho_{10}")] = GIVEN("top_correlation")
    """The same within the true best tenth, if that is worse than the overall one implies; 0 = not.
    """
    learning_onset: Annotated[Real, Field(gt=0), Unit("1"), Symbol("n_0"), Bounds(1, 200)] = GIVEN(
        "learning_onset"
    )
    """Calibrated: training size below which the predictor ranks nothing."""
    learning_exponent: Annotated[Real, Field(gt=0), Unit("1"), Symbol("b"), Bounds(0.2, 2)] = (
        GIVEN("learning_exponent")
    )
    """Calibrated: how fast the missing correlation falls with the training size."""
    error_scale: Annotated[Real, Field(gt=0), Unit("1"), Symbol(r"\kappa"), Bounds(0.3, 3)] = (
        GIVEN("error_scale")
    )
    """Calibrated: error of the predictor over that of a normal pair of its rank correlation."""
    tasks: Annotated[Whole, Symbol("K"), Bounds(1, 500, log=True, integer=True)] = GIVEN("tasks")
    """Tuned tasks of the network."""
    deployments: Annotated[Whole, Symbol("k"), Bounds(1, 10_000, log=True, integer=True)] = GIVEN(
        "deployments"
    )
    """Networks tuned with one trained predictor, which share its cost."""
    iterative_trials: Annotated[Whole, Symbol("N"), Bounds(64, 4096, log=True, integer=True)] = (
        GIVEN("iterative_trials")
    )
    """Trials per task of the iterative tuner that the run is compared with."""
    plan: Annotated[Whole, Symbol("P"), Bounds(8, 512, log=True, integer=True)] = GIVEN("plan")
    """Trials that an iterative tuner measures between two fits."""
    builders: Annotated[Whole, Symbol("P_b"), Bounds(1, 64, log=True, integer=True)] = GIVEN(
        "builders"
    )
    """Builds and feature extractions that run side by side."""
    costs: Costs
