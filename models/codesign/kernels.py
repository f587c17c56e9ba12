r"""GPU times by the calibrated form of the `roofline` page: kernels as measured ones say.

What is measured is a vendor's library. Three things keep it from being counted twice:
- A tuned schedule takes R over the best one, the library R_lib = 1.1 (tuner `framework`), so a
  measured time is scaled by R / R_lib. Both efficiencies and the half batch are left aside: what
  a kernel reaches of the datasheet is what was measured.
- Starts are those of the compiler, k = nu a layer, in both forms; of `roofline.kernels` only what
  they do counts. Fused attention holds its own three a layer, which are taken off.
- The host of an eager framework dispatches while the device works: it is waited for where kernels
  are shorter, $\max(k t_d, k t_e - t_{work})$, t_d of `compile.dispatch_time` and t_e of
  `compile.eager_dispatch_time`. Compiled code is replayed and pays k t_d.

Small operators that a compiler fuses away move nothing; the rest streams as measured. [derived]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dse.spec import Array, Mask, leaf

from ..roofline import coverage, operators
from ..roofline import model as roofline
from ..roofline.calibrated import elementwise_time
from .compiling import LIBRARY_RATIO, Code
from .exposure import MULTIPLY
from .platform import Platform
from .rows import GIVEN

ONE = leaf(1.0)
SCORED = ("attention", "softmax")
"""Kinds of operators that a token does with the context."""


class Pass(NamedTuple):
    """What one pass keeps a GPU busy with, its starts left out."""

    weights: Array
    """Linear layers and small operators [s]."""
    attention: Array
    """Scores, softmax and weighted values [s]."""
    held: Array
    """Starts that fused attention holds in its time."""


def training_pass(config: Platform, batch: Array) -> roofline.Pass:
    """A forward pass of the training GPU, as the `roofline` page knows it."""
    train = config.train
    return roofline.Pass.batched(
        {
            "workload": config.workload,
            "device": train.gpu,
            "precision": train.precision,
            "batch": batch,
            "tokens": train.tokens,
            "context": train.tokens,
            "form": config.roofline.form,
            "kernels": config.roofline.train_kernels,
        }
    )


def serving_pass(config: Platform, *, tokens: Array, context: Array) -> roofline.Pass:
    """A pass of the serving GPU over new tokens of a batch, as the `roofline` page knows it."""
    serve = config.serve
    return roofline.Pass.batched(
        {
            "workload": config.workload,
            "device": serve.gpu,
            "precision": serve.precision,
            "batch": serve.batch,
            "tokens": tokens,
            "context": context,
            "form": config.roofline.form,
            "kernels": config.roofline.serve_kernels,
        }
    )


def trains(config: Platform) -> Mask:
    """Whether a training GPU is priced by measured kernels."""
    return np.greater(config.roofline.form.calibrated * config.train.mode.on, 0)


def serves(config: Platform) -> Mask:
    """Whether a serving GPU is priced by measured kernels."""
    return np.greater(config.roofline.form.calibrated * config.serve.target.on_gpu, 0)


def busy(one: roofline.Pass, config: Platform, code: Code) -> Pass:
    """Device time of a pass by measured kernels, tuned and fused as the compiler has them."""
    found = operators.costs(one, roofline.peak(one.device, one.precision)).values()
    eager = np.greater(config.compile.tuner.eager, 0)
    left = np.where(eager, 1.0, config.compile.fusion.others_left)
    weights = attention = held = np.zeros(())
    for operator, (time, starts) in zip(one.workload.operators, found, strict=True):
        working = time if operator.kind in MULTIPLY else left * time
        if operator.kind in SCORED:
            attention, held = attention + working, held + operator.calls - starts
        else:
            weights = weights + working
    tuned = code.time_ratio / LIBRARY_RATIO
    return Pass(tuned * weights, tuned * attention, np.maximum(held, 0.0))


def launch_time(config: Platform, code: Code, *, working: Array, held: Array) -> Array:
    """What starting the kernels of a pass adds to their work [s], see the module."""
    settings = config.compile
    eager = np.greater(settings.tuner.eager, 0)
    return roofline.launch_time(
        calls=np.maximum(code.kernels * config.workload.layers - held, 0.0),
        dispatch=settings.dispatch_time,
        host=np.where(eager, settings.eager_dispatch_time, 0.0),
        working=working,
    )


def forward_time(config: Platform, code: Code, batch: Array) -> Array:
    """Forward pass of a training step [s]; every token meets all others, mask or not."""
    found = busy(training_pass(config, batch), config, code)
    working = found.weights + found.attention
    return working + launch_time(config, code, working=working, held=found.held)


def update_time(config: Platform, weights: Array) -> Array:
    """Adam over all weights [s], a stream of FP32 numbers."""
    return elementwise_time(
        elements=weights,
        moved=GIVEN("update_traffic") / GIVEN("gradient_size"),
        width=GIVEN("gradient_size"),
        device=config.train.gpu,
    )


class Use(NamedTuple):
    """One of the two uses of a GPU, as the `roofline` page asks about it."""

    measured: Callable[[Platform], Mask]
    """Whether measured kernels price it."""
    one: Callable[[Platform], roofline.Pass]
    """A pass on it, as short as can be."""


TRAINING = Use(trains, lambda c: training_pass(c, ONE))
SERVING = Use(serves, lambda c: serving_pass(c, tokens=ONE, context=ONE))
EXTRAPOLATED = ("throttled", "unmeasured", "uncached")
"""Flags of the `roofline` page that a GPU in use raises here."""


def _raised(config: Platform, use: Use) -> dict[str, Mask]:
    """Flags of the calibrated form that a GPU raises, where it is priced so."""
    asked = use.measured(config)
    if not np.any(asked):
        return dict.fromkeys(EXTRAPOLATED, asked)
    raised = coverage.flags(use.one(config), np.asarray(False))
    return {name: np.logical_and(asked, raised[name]) for name in EXTRAPOLATED}


def flags(config: Platform) -> dict[str, Mask]:
    """Where no kernel of a GPU in use was measured, and what keeps the datasheet's law."""
    target = config.serve.target
    training, serving = _raised(config, TRAINING), _raised(config, SERVING)
    calibrated = np.greater(config.roofline.form.calibrated, 0)
    selects = target.on_gpu * config.a3.on.on * config.workload.decoder
    others = np.greater(target.on_cpu + selects, 0)
    return {
        **{name: np.logical_or(training[name], serving[name]) for name in EXTRAPOLATED},
        "uncalibrated": np.logical_and(calibrated, others),
    }
