"""What the joint page says of itself: its answers, warnings, promises and techniques."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dse.spec import Metric, Model, Monotone, Technique

from ..roofline import coverage
from .kernels import EXTRAPOLATED
from .platform import Platform
from .training import memory


def batch_alone(config: Platform) -> Mapping[str, object]:
    """The batch of a design, or the largest that fits its GPU alone."""
    alone = np.maximum(memory(config).alone, 1.0)
    return {"train.batch": float(np.minimum(config.train.batch, alone))}


METRICS = {
    "latency": Metric("s", "min", "mean time from a request's arrival to its answer"),
    "service_time": Metric("s", "min", "time a batch is being served"),
    "tokens_per_second": Metric("token/s", "max", "most tokens or answers, all replicas busy"),
    "utilisation": Metric("1", "", "share of time that a replica serves"),
    "throughput": Metric("sequence/s", "max", "sequences trained per second, all GPUs"),
    "accumulated_throughput": Metric(
        "sequence/s", "", "the same batch by gradient accumulation, without drives"
    ),
    "retrain_time": Metric("s", "min", "time of one training job"),
    "step_time": Metric(
        "s",
        "min",
        "time of one training step",
        ("forward_time", "backward_time", "all_reduce_time", "exposed_transfer", "drive_stall"),
    ),
    "forward_time": Metric("s", "", "of it, the forward pass"),
    "backward_time": Metric("s", "", "of it, the backward pass and the update"),
    "all_reduce_time": Metric("s", "", "of it, adding up gradients of several GPUs"),
    "exposed_transfer": Metric("s", "min", "of it, offloading that compute does not hide"),
    "drive_stall": Metric("s", "min", "of it, waiting for the drives to clean up"),
    "offloaded_bytes": Metric("B", "min", "saved tensors that leave one GPU in a step"),
    "slc_fraction": Metric("1", "", "share of the blocks in SLC mode"),
    "drive_lifetime": Metric(
        "s", "max", "until a zone of the drives is worn out, 1000 years at most"
    ),
    "devices": Metric("1", "min", "GPUs, CPUs or FPGAs that serve, a pair counts once"),
    "training_power": Metric("W", "min", "mean power of training over the year"),
    "power": Metric("W", "min", "mean power of serving under the load, hosts included"),
    "energy_per_token": Metric("J/token", "min", "energy per token or answer, hosts included"),
    "device_energy_per_token": Metric("J/token", "min", "the same of the devices alone"),
    "training_capital": Metric("USD", "min", "training GPUs, their hosts and drives"),
    "capital_cost": Metric("USD", "min", "all devices, drives and hosts at the listed prices"),
    "energy_cost": Metric("USD", "min", "electricity over the horizon"),
    "replacement_cost": Metric("USD", "min", "drives bought again as they wear out"),
    "tuning_cost": Metric("USD", "min", "machine hours of tuning"),
    "cost": Metric(
        "USD",
        "min",
        "capital, electricity, worn drives and tuning over the horizon",
        ("capital_cost", "energy_cost", "replacement_cost", "tuning_cost"),
    ),
    "tuning_time": Metric(
        "s", "min", "machine time of tuning: training GPU, serving GPU, serving CPU"
    ),
    "quality_loss": Metric("1", "min", "share of answer quality given up"),
    "recovery_time": Metric(
        "s",
        "max",
        "to recover the network from its CPU binary; endless where none is, which is out of the"
        " tool's scope and not the same as safe",
    ),
    "exposed_share": Metric("1", "min", "expected share of the parameters that come back"),
    "feasible": Model.FEASIBLE,
}

FLAGS = {
    "dfx": "DFX at a tile or clock it was not calibrated on",
    "positions": "more tokens than the network was trained on",
    "a3_rows": "A3 beyond the 320 rows it was sized for: nothing is known of its quality there",
    "a3_steps": "A3 with fewer steps than n/8: beyond its aggressive setting",
    **{name: f"a GPU in use, {coverage.WORDS[name]}" for name in EXTRAPOLATED},
}

REMARKS = {
    "power": "FPGA energy rests on a remembered 45 W a board, which DFX's headline contradicts",
    "batch": "the GPU answers a batch at once, DFX one request a time: compare at this load",
    "data_parallel": "training GPUs are data-parallel only; nothing hides their all-reduce",
    "cleaning": "the step waits for the drive to clean up",
    "drive": "the drive cannot absorb the checkpoints: they come faster than it moves data",
    "load": "requests come faster than they are served: the queue has no end",
    "uncalibrated": "calibrated, but CPUs and A3's selection keep the datasheet's law",
    "lifts": "the attacker's tool cannot lift AVX-512: nothing counts as exposed, no proof of it",
}

SEARCHED: dict[str, object] = {"train.mode": "train", "compile.tuner": "oneshot"}
"""Where schedules are searched."""
TUNED = {**SEARCHED, "trust.regret": 1}
"""Where what they leave over the best hangs on trials and samples."""
RING: dict[str, object] = {"serve.target": "dfx", "serve.batch": 1, "dfx.fpga": "u280"}
"""Where boards answer; the U280 may stand in a ring of any size."""
OFFLOADED: dict[str, object] = {
    "train.mode": "train",
    "train.offload": "on",
    "train.fp16_store": "on",
    "train.precision": "fp32",
    "workload": "gpt2",
}
"""Where a step of a small network may or may not fit its GPU."""
TRAINED: dict[str, object] = {"train.mode": "train"}
"""Where something is trained."""
PAIRED: dict[str, object] = {"serve.target": "duet", "duet.assignment": "gc"}
"""Where both devices have a part."""
SELECTED: dict[str, object] = {"serve.target": "gpu", "a3.on": "on", "workload": "gpt2"}
"""Where attention is over candidates."""

MONOTONE = (
    Monotone("compile.trials", "throughput", 1, given=TUNED),
    Monotone("compile.trials", "latency", -1),
    Monotone("compile.trials", "energy_per_token", -1),
    Monotone("compile.trials", "tuning_time", 1),
    Monotone("compile.train_size", "throughput", 1, given=TUNED),
    Monotone("compile.train_size", "latency", -1),
    Monotone("compile.train_size", "tuning_time", 1),
    Monotone("drive.count", "throughput", 1),
    Monotone("drive.count", "drive_lifetime", 1),
    Monotone("drive.count", "capital_cost", 1),
    Monotone("drive.dies", "throughput", 1),
    Monotone("drive.dies", "drive_lifetime", 1),
    Monotone("drive.dies", "capital_cost", 1),
    Monotone("serve.replicas", "latency", -1),
    Monotone("serve.replicas", "capital_cost", 1),
    Monotone("serve.replicas", "energy_per_token", 1),
    Monotone("dfx.fpgas", "service_time", -1, given={**RING, "workload": "gpt3-xl-1.3b"}),
    Monotone("dfx.clock", "service_time", -1, given={**RING, "dfx.fpgas": 1, "dfx.depth": 16}),
    Monotone("a3.m", "quality_loss", -1),
    Monotone("a3.m", "service_time", 1),
    Monotone(
        "a3.units", "service_time", -1, given={**RING, "dfx.fpgas": 1, "a3.on": "on", "a3.m": 0.5}
    ),
    Monotone("request_rate", "utilisation", 1),
    Monotone("electricity", "cost", 1),
    Monotone("horizon", "cost", 1),
    Monotone("memory_efficiency", "service_time", -1),
    Monotone("compute_efficiency", "service_time", -1),
    Monotone("output_tokens", "service_time", 1),
    Monotone(
        "train.host_link",
        "throughput",
        1,
        given={**OFFLOADED, "train.gpus": 8, "train.tokens": 1024, "drive.count": 8},
    ),
    Monotone("train.sequences", "retrain_time", 1),
    Monotone("train.jobs_per_year", "drive_lifetime", -1),
    Monotone("train.checkpoint_interval", "drive_lifetime", 1),
    Monotone("train.batch", "quality_loss", 1, given={**OFFLOADED, "train.tokens": 128}),
    Monotone("trust.training_time", "throughput", -1, given=TRAINED),
    Monotone("trust.offload", "throughput", -1, given={**OFFLOADED, "train.tokens": 1024}),
    Monotone("trust.drive_life", "drive_lifetime", 1, given=TRAINED),
    Monotone("trust.serving_time", "service_time", 1, given={"serve.target": "gpu"}),
    Monotone("trust.cpu_time", "service_time", 1, given={"serve.target": "cpu"}),
    Monotone("trust.split", "service_time", 1, given=PAIRED),
    Monotone("trust.ring_time", "latency", 1, given=RING),
    Monotone("trust.ring_power", "energy_per_token", 1, given=RING),
    Monotone("trust.candidates", "service_time", 1, given=SELECTED),
    Monotone("trust.kept_rows", "service_time", 1, given=SELECTED),
    Monotone("trust.regret", "throughput", -1, given=SEARCHED),
)

TECHNIQUES = (
    Technique(
        "offload",
        "FlashNeuron: tensors leave for the drives, off with the batch that fits without",
        {"train.offload": "off"},
        entails=batch_alone,
    ),
    Technique("fp16", "saved tensors are stored in FP16", {"train.fp16_store": "off"}),
    Technique(
        "hybrid",
        "Cop-Flash: two zones, sorted by lifetime, sized by wear",
        {"drive.zones": "tlc", "drive.lii": "off"},
    ),
    Technique("tuned", "One-Shot Tuner: schedules are searched", {"compile.tuner": "default"}),
    Technique("a3", "A3: attention over candidates", {"a3.on": "off"}),
    Technique("ring", "DFX: FPGAs serve", {"serve.target": "gpu"}, {"serve.target": "dfx"}),
    Technique(
        "split",
        "DUET: CPU and GPU serve together, off on the GPU alone",
        {"serve.target": "gpu"},
        {"serve.target": "duet"},
    ),
)
