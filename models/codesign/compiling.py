"""Equations of compiling: what tuning leaves over the best schedule, and the hours it takes."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from dse.provenance import Number
from dse.spec import Array, leaf

from .platform import Compile, Platform
from .rows import DATA, GIVEN

LIBRARY_RATIO = cast("Number", DATA.tables["tuner"]["framework"]["time_ratio"]).value
"""Time of a vendor's kernel over the best schedule, which no tuner has to reach."""
ONE = leaf(1.0)


class Code(NamedTuple):
    """What the rest of the platform sees of the compiler."""

    time_ratio: Array
    """Time of a tuned operator over its best schedule, R."""
    kernels: Array
    """Kernels of a layer, nu."""
    dispatch_time: Array
    """Time to start one on a GPU, t_d [s]."""
    cpu_dispatch_time: Array
    """The same on a CPU [s]."""
    device_time: Array
    """Tuning time of one device, h [s]."""


def rank_correlation(*, train_size: Array) -> Array:
    r"""Rank correlation of a predictor by its training samples, Sec. 3.1: $1 - 24.4\,n^{-0.974}$.

    >>> round(float(rank_correlation(train_size=1000)), 4)
    0.9708
    """
    gap = GIVEN("correlation_gap") * train_size ** -GIVEN("correlation_exponent")
    return np.maximum(0.0, 1 - gap)


def found_ratio(
    *, trials: Array, correlation: Array, regret_ratio: Array, trust: Array = ONE
) -> Array:
    r"""Time of the best schedule found, Sec. 3.1: $1 + 1.02 (m e^{9 \rho})^{-0.42} r_\varphi$.

    At most that of an untuned schedule; `trust` is truth over it, which the best one bounds.
    64 trials of One-Shot at 1000 samples, fused by pattern:

    >>> round(float(found_ratio(trials=64, correlation=0.6 * 0.9708, regret_ratio=1.1)), 5)
    1.02164
    """
    law = trials ** -GIVEN("regret_exponent") * np.exp(
        -GIVEN("regret_exponent") * GIVEN("rank_gain") * correlation
    )
    found = np.minimum(1 + GIVEN("regret_scale") * law * regret_ratio, GIVEN("untuned_ratio"))
    return np.maximum(trust * found, 1.0)


def trial_time(*, build_ratio: Array) -> Array:
    r"""Time to build and measure one schedule [s]: $h_\varphi (t_b / P_b + t_m)$.

    >>> round(float(trial_time(build_ratio=1.0)), 4)
    0.2105
    """
    return build_ratio * (GIVEN("build_time") / GIVEN("builders") + GIVEN("measure_time"))


def device_time(settings: Compile) -> Array:
    r"""Tuning time of one device [s], Sec. 3.1.

    Trials of every task; refits of an iterative tuner; one ranking of the candidates and a share
    of the predictor's training for One-Shot.
    """
    tuner, tasks = settings.tuner, settings.tasks
    ranked = GIVEN("early_stop") * GIVEN("candidates") * GIVEN("predict_time")
    trials = settings.trials * trial_time(build_ratio=settings.fusion.build_ratio)
    refits = np.ceil(settings.trials / GIVEN("plan")) * (GIVEN("refit_time") + ranked)
    samples = GIVEN("training_tasks") * settings.train_size
    learned = samples * trial_time(build_ratio=np.ones(())) / settings.deployments
    search = trials + np.where(tuner.one_shot > 0, ranked, refits)
    return tuner.searches * (tasks * search + tuner.one_shot * learned)


def compiled(config: Platform) -> Code:
    """What the compiler and its tuner make of a network, Sec. 3.1."""
    settings, tuner = config.compile, config.compile.tuner
    known = rank_correlation(train_size=settings.train_size)
    ratio = found_ratio(
        trials=settings.trials,
        correlation=tuner.learned + tuner.transfer * known,
        regret_ratio=settings.fusion.regret_ratio,
        trust=config.trust.regret,
    )
    eager = np.greater(tuner.eager, 0)
    return Code(
        time_ratio=np.where(tuner.searches > 0, ratio, tuner.time_ratio),
        kernels=np.where(eager, GIVEN("unfused_kernels"), settings.fusion.kernels),
        dispatch_time=np.where(eager, settings.eager_dispatch_time, settings.dispatch_time),
        cpu_dispatch_time=np.where(
            eager, GIVEN("cpu_eager_dispatch_time"), GIVEN("cpu_dispatch_time")
        ),
        device_time=device_time(settings),
    )


def tuning_time(*, device_time: Array, devices: Array) -> Array:
    """Tuning time of all different devices that run tuned code [s], Sec. 3.1.

    W1: only the training GPU is tuned, as FPGAs run fixed circuits.

    >>> round(float(tuning_time(device_time=4360.32, devices=1)) / 3600, 4)
    1.2112
    """
    return device_time * devices
