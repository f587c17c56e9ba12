"""Which predictions of other pages the platform takes for granted, and in which weak regime.

Names of regimes are those pages' own flags and remarks; a regime that is not named is the usual
one. What no check row of its page speaks of has no knob: A3's loss of accuracy, hours of tuning,
memory and prices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dse.spec import Mask, Uncertain

from ..duet.config import GIVEN as DUET
from ..oneshot.config import GIVEN as ONESHOT
from ..roofline import coverage
from ..roofline import model as roofline
from .compiling import compiled
from .kernels import SERVING, TRAINING, Use
from .platform import Platform
from .serving import on_devices


def _gpu(use: Use) -> Callable[[Platform], Mapping[str, Mask]]:
    """Regimes of the training GPU or of the serving one."""

    def found(config: Platform) -> Mapping[str, Mask]:
        one = use.one(config)
        raised = coverage.flags(one, np.asarray(False))
        raised = {**raised, "datasheet": np.logical_not(coverage.on(one))}
        return {name: raised[name] for name in roofline.MODEL.weak}

    return found


def _cpu(config: Platform) -> Mapping[str, Mask]:
    """A CPU keeps the datasheet's law; no CPU was checked, it is taken to err as GPUs do."""
    return {"datasheet": np.greater_equal(config.serve.target.on_cpu, 0)}


def _drives(config: Platform) -> Mapping[str, Mask]:
    """Without LII the law is of uniform pages."""
    return {"uniform": np.equal(config.drive.lii.on * config.drive.zones.dual, 0)}


def _split(config: Platform) -> Mapping[str, Mask]:
    """Branches may compute while others' tensors travel; a decoder's parts wait for each other."""
    served = on_devices(config, compiled(config))
    latency = served.times.total + served.transfer
    branched = np.asarray(len(config.workload.branches) > 0)
    return {"overlap": branched & (served.transfer > DUET("much_moved") * latency)}


def _tuner(config: Platform) -> Mapping[str, Mask]:
    """Few trials of a predictor of few samples: a rare gross miss weighs more."""
    settings = config.compile
    unsure = np.less(settings.train_size, ONESHOT("sure_train_size"))
    few = np.less(settings.trials, ONESHOT("sure_trials"))
    return {"misses": np.greater(settings.tuner.one_shot, 0) & unsure & few}


UNCERTAIN: dict[str, Uncertain[Platform]] = {
    "trust.training_time": Uncertain("roofline", "latency", "train.gpu", _gpu(TRAINING)),
    "trust.serving_time": Uncertain("roofline", "latency", "serve.gpu", _gpu(SERVING)),
    "trust.cpu_time": Uncertain("roofline", "latency", "serve.cpu", _cpu),
    "trust.offload": Uncertain("flashneuron", "iteration_time"),
    "trust.drive_life": Uncertain("copflash", "lifetime", regimes=_drives),
    "trust.ring_time": Uncertain("dfx", "latency", "dfx.fpga"),
    "trust.ring_power": Uncertain("dfx", "energy", "dfx.fpga"),
    "trust.split": Uncertain("duet", "latency", regimes=_split),
    "trust.candidates": Uncertain("a3", "candidates"),
    "trust.kept_rows": Uncertain("a3", "kept_rows"),
    "trust.regret": Uncertain("oneshot", "regret", regimes=_tuner),
    "trust.instructions": Uncertain("dnd", "binary_instructions"),
    "trust.recovered": Uncertain("dnd", "recovery_probability"),
}
