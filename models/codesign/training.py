"""Equations of training: data-parallel GPUs that share drives, wear, and the job's time."""

from __future__ import annotations

import numpy as np

from dse import provenance
from dse.spec import Array, Mask, Record, Result

from ..flashneuron import model as flashneuron
from ..flashneuron.config import Step, Trace
from .platform import Platform

GIVEN = provenance.sheet(__package__).default
NO_TRACE = Trace(slug="none")


def shared_bandwidth(*, drive: Array, drives: Array, host_link: Array, gpus: Array) -> Array:
    r"""Rate of the drives for one GPU [B/s], $\min(N_d B, B_{host}) / g$ [derived].

    >>> float(shared_bandwidth(drive=3e9, drives=4, host_link=24e9, gpus=2)) / 1e9
    6.0
    """
    return np.minimum(drives * drive, host_link) / gpus


def all_reduce_time(*, parameters: Array, gpus: Array, link: Array) -> Array:
    r"""Time to add up FP32 gradients on a ring [s], $\frac{2 (g - 1)}{g} \frac{4 N}{b}$ [derived].

    Nothing hides it here, which is the slow side: frameworks overlap part with the backward pass.

    >>> float(all_reduce_time(parameters=3e8, gpus=4, link=12e9))
    0.15
    """
    return 2 * (gpus - 1) / gpus * GIVEN("gradient_size") * parameters / link


def drive_lifetime(*, written_limit: Array, drives: Array, written_per_second: Array) -> Array:
    r"""Time until the drives' rated writes are spent [s], capped at 1000 years, Sec. 3.3.

    One drive of 1200 TB under 1.52 GB/s, in days:

    >>> life = drive_lifetime(written_limit=1.2e15, drives=1, written_per_second=1.52e9)
    >>> round(float(life) / 86400, 2)
    9.14
    """
    slowest = written_limit * drives / GIVEN("longest_life")
    return written_limit * drives / np.maximum(written_per_second, slowest)


def replacement_cost(*, price: Array, drives: Array, lifetime: Array, horizon: Array) -> Array:
    r"""Drives bought again as they wear out [USD], Sec. 3.9: $\max(0, H / life - 1) N_d c_d$.

    >>> float(replacement_cost(price=400, drives=2, lifetime=1.0, horizon=3.0))
    1600.0
    """
    return np.maximum(horizon / lifetime - 1, 0.0) * drives * price


def quality_loss(*, serving: Array, training: Array) -> Array:
    r"""Share of quality given up, Sec. 3.8: $1 - (1 - q_s)(1 - q_t)$, taken as independent.

    >>> round(float(quality_loss(serving=0.008, training=0.001)), 6)
    0.008992
    """
    return 1 - (1 - serving) * (1 - training)


def stored_loss(config: Platform) -> Array:
    """Loss of tensors stored in FP16 between the passes, where any are, Sec. 3.8."""
    train = config.train
    stored = train.compression.fp16 * train.precision.compressible
    offloads = np.maximum(train.store.ssd, train.store.host)
    return train.mode.active * offloads * stored * GIVEN("stored_fp16_loss")


def _fabric(config: Platform) -> Array:
    """Bandwidth between the GPUs of a node: NVLink where it is listed, else the host's slots."""
    train = config.train
    slots = np.minimum(train.gpu.host_bandwidth, train.host_link / train.gpus)
    nvlink = train.gpu.nvlink_bandwidth
    return np.where(np.isnan(nvlink), slots, nvlink)


def step(config: Platform) -> Result:
    """One step of one GPU, by the `flashneuron` page, at its share of the drives."""
    train = config.train
    share = {"drives": train.drives, "host_link": train.host_link, "gpus": train.gpus}
    write = shared_bandwidth(drive=train.drive.write_bandwidth, **share)
    read = shared_bandwidth(drive=train.drive.read_bandwidth, **share)
    records: dict[str, Record] = {
        "workload": config.workload,
        "gpu": train.gpu,
        "trace": NO_TRACE,
        "precision": train.precision,
        "store": train.store,
        "compression": train.compression,
    }
    numbers = {
        "batch": train.batch,
        "tokens": train.tokens,
        "ssd_bandwidth": write,
        "read_ratio": read / write,
        "compute_efficiency": config.compute_efficiency,
        "memory_efficiency": config.memory_efficiency,
    }
    return flashneuron.evaluate(Step.batched({**records, **numbers}))


def fits(config: Platform, one: Result, retrain_time: Array) -> Mask:
    """Whether the network fits the GPU and all jobs fit into the year; true without training."""
    idle = np.equal(config.train.mode.active, 0)
    in_time = np.less_equal(retrain_time * config.train.jobs_per_year, GIVEN("year"))
    return idle | (np.not_equal(one.metrics["feasible"], 0) & in_time)


def flags(config: Platform, one: Result) -> dict[str, Mask]:
    """What makes the training half less sure, and what it takes for granted."""
    active = np.greater(config.train.mode.active, 0)
    beyond = one.flags["workspace"] | one.flags["room"] | one.flags["batch"]
    return {
        "offload": active & beyond,
        "data_parallel": active & np.greater(config.train.gpus, 1),
    }


def training(config: Platform, one: Result) -> dict[str, Array]:
    """What the training half answers, Sec. 3.2 to 3.9; zeros where nothing is trained."""
    train = config.train
    active = np.greater(train.mode.active, 0)
    wait = all_reduce_time(
        parameters=config.workload.parameters, gpus=train.gpus, link=_fabric(config)
    )
    time = one.metrics["iteration_time"] + wait
    rate = train.gpus * train.batch / time
    job = train.sequences / rate
    busy_share = np.minimum(train.jobs_per_year * job / GIVEN("year"), 1.0)
    computing = (one.terms["forward"] + one.terms["backward"]) / time
    on_drive = active & np.greater(train.store.ssd, 0)
    drives = np.where(on_drive, train.drives, 0.0)
    written = train.gpus * one.metrics["written_short"] + one.metrics["written_long"]
    life = drive_lifetime(
        written_limit=train.drive.written_limit,
        drives=train.drives,
        written_per_second=np.where(on_drive, busy_share * written / time, 0.0),
    )
    price = np.where(on_drive, train.drive.price, 0.0)
    hosts = np.ceil(train.gpus / GIVEN("devices_per_host"))
    gpu_power = train.gpu.power * (GIVEN("idle_share") + (1 - GIVEN("idle_share")) * computing)
    others = hosts * GIVEN("host_power") + drives * GIVEN("drive_power")
    bought = train.gpus * train.gpu.price + hosts * config.host + drives * price
    found = {
        "throughput": rate,
        "retrain_time": job,
        "offloaded_bytes": one.metrics["offloaded_bytes"],
        "training_power": busy_share * (train.gpus * gpu_power + others),
        "training_capital": bought,
        "replacement_cost": replacement_cost(
            price=price, drives=drives, lifetime=life, horizon=config.horizon
        ),
    }
    return {
        **{name: np.where(active, value, 0.0) for name, value in found.items()},
        "drive_lifetime": life,
    }
