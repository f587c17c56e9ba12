r"""The joint system, first part: serve a decoder on GPUs or on a ring of FPGAs under a load.

Question: which serving target, of which kind and how many, meets a load at what latency, energy
and cost? A request waits for its batch and its turn, then its prompt and its tokens are computed
by the `dfx` page or by the aggregate roofline below; power and prices turn both into cost.

| symbol       | name                                   | unit      | where            |
|--------------|----------------------------------------|-----------|------------------|
| n_in, n_out  | input_tokens, output_tokens            | token     | scenario         |
| lambda       | request_rate                           | request/s | scenario         |
| B, rho       | serve.batch, serve.replicas            | 1         | Sec. 3.5         |
| R, nu, t_d   | time_ratio, kernels, dispatch_time     | 1, 1, s   | Sec. 3.1         |
| eta_c, eta_m | compute_efficiency, memory_efficiency  | 1         | Sec. 2           |
| N            | matrix_weights + head_weights          | 1         | Sec. 3.2         |
| p, d, l, f   | dfx.fpgas, dfx.depth, dfx.lanes, clock | 1, Hz     | page `dfx`       |
| S, u         | service_time, utilisation              | s, 1      | Sec. 3.5         |
| H            | horizon                                | s         | scenario         |

Sections are those of the project's sheet on the joint system. No paper has measured it: **no
published joint point exists**, so this page has no fit or check rows; its parts carry theirs.

Assumptions: Poisson arrivals into one queue (M/D/1-like), a batch waits until it is full, equal
requests, FP16 keys and values, one GPU a replica, power from busy seconds.
Range: decoders of 0.1 to 13 billion parameters, contexts to 2048 tokens, u below 0.95.

Where we differ from the sheet: matrices on FPGAs are padded to whole tiles and attention counts
only beyond the calibrated context, as the `dfx` page has it; training joins in a later issue.

Known weak regimes: near u = 0.95 -, real queues are longer; the eager runtime's 60 us dispatch
decides GPU against FPGA (sweep `serve.runtime`); FPGA power does not grow with the clock -;
boards other than the U280 take its measured power.
"""

from __future__ import annotations

import numpy as np

from dse import provenance
from dse.spec import Array, Mask, Metric, Model, Monotone, Paper, Result, Rule

from ..dfx import model as dfx
from ..roofline import model as roofline
from .platform import Platform
from .serving import batching_time, gpu_fits, gpu_terms, queueing_time, served_power, utilisation
from .training import fits, quality_loss, step, stored_loss, training
from .training import flags as training_flags

DATA = provenance.sheet(__package__)
GIVEN = DATA.default
TRAINED = (
    "throughput",
    "retrain_time",
    "offloaded_bytes",
    "drive_lifetime",
    "training_power",
    "training_capital",
)
"""What the training half answers by name."""


def _appliance(config: Platform) -> dfx.Appliance:
    """The ring as the `dfx` page knows it."""
    ring = config.dfx
    return dfx.Appliance.batched(
        {
            "workload": config.workload,
            "fpga": ring.fpga,
            "fpgas": ring.fpgas,
            "depth": ring.depth,
            "lanes": ring.lanes,
            "clock": ring.clock,
            "input_tokens": config.input_tokens,
            "output_tokens": config.output_tokens,
        }
    )


def evaluate(config: Platform) -> Result:
    """Compose the equations; terms and resources are seconds of one request."""
    serve, rate = config.serve, config.request_rate
    on_dfx = np.greater(serve.target.on_dfx, 0)
    ring = dfx.evaluate(_appliance(config))
    gpu, gpu_raw = gpu_terms(config)
    ring_terms = {
        "weights": ring.terms["matrices"] + ring.terms["head"],
        "attention": ring.terms["attention"],
        "launch": ring.terms["layers"],
    }
    served = {name: np.where(on_dfx, ring_terms[name], gpu[name]) for name in gpu}
    service_time = served["weights"] + served["attention"] + served["launch"]
    load = utilisation(
        service_time=service_time, batch=serve.batch, replicas=serve.replicas, request_rate=rate
    )
    waits = {
        "batching": batching_time(batch=serve.batch, request_rate=rate),
        "queueing": queueing_time(
            utilisation=load, service_time=service_time, replicas=serve.replicas
        ),
    }
    terms = {**waits, **served}
    serves = np.where(on_dfx, ring.metrics["feasible"], gpu_fits(config)) > 0
    one = step(config)
    trained = training(config, one)
    metrics = {
        "latency": waits["batching"] + waits["queueing"] + service_time,
        "service_time": service_time,
        "tokens_per_second": serve.replicas * serve.batch * config.output_tokens / service_time,
        "utilisation": load,
        **_bill(config, served, trained, on_dfx),
        "quality_loss": quality_loss(
            serving=np.where(on_dfx, 0.0, serve.precision.quality_loss),
            training=stored_loss(config),
        ),
        **{name: trained[name] for name in TRAINED},
        "feasible": serves
        & (load < GIVEN("busiest"))
        & fits(config, one, trained["retrain_time"]),
    }
    raw = {"compute": "compute", "memory": "memory", "launch": "layers"}
    resources = {
        name: np.where(on_dfx, ring.resources[theirs], gpu_raw[name])
        for name, theirs in raw.items()
    }
    flags = _flags(config, ring, one, load)
    return Result(metrics=metrics, terms=terms, resources={**resources, **waits}, flags=flags)


def _bill(
    config: Platform, served: dict[str, Array], trained: dict[str, Array], on_dfx: Mask
) -> dict[str, Array]:
    """Devices, power and cost over the horizon, Sec. 3.6 and 3.9."""
    serve, gpu, ring = config.serve, config.serve.gpu, config.dfx
    devices = serve.replicas * np.where(on_dfx, ring.fpgas, 1.0)
    hosts = np.ceil(devices / GIVEN("devices_per_host"))
    computing = served["weights"] + served["attention"]
    idle_gpu = GIVEN("idle_share") * gpu.power
    added = GIVEN("fpga_busy_power") - GIVEN("fpga_idle_power")
    power = served_power(
        idle=np.where(on_dfx, GIVEN("fpga_idle_power"), idle_gpu),
        busy=np.where(on_dfx, ring.fpgas * added, gpu.power - idle_gpu),
        busy_time=np.where(on_dfx, computing + served["launch"], computing),
        rate=config.request_rate / serve.batch,
        devices=devices,
        hosts=hosts,
    )
    price = np.where(on_dfx, ring.fpga.price, gpu.price)
    capital = devices * price + hosts * config.host + trained["training_capital"]
    energy = (power + trained["training_power"]) * config.horizon * config.electricity
    return {
        "devices": devices,
        "power": power,
        "energy_per_token": power / (config.request_rate * config.output_tokens),
        "capital_cost": capital,
        "energy_cost": energy,
        "replacement_cost": trained["replacement_cost"],
        "cost": capital + energy + trained["replacement_cost"],
    }


def _flags(config: Platform, ring: Result, one: Result, load: Array) -> dict[str, Mask]:
    on_dfx = np.greater(config.serve.target.on_dfx, 0)
    beyond = [ring.flags[name] for name in dfx.MODEL.flags]
    outside = beyond[0]
    for mask in beyond[1:]:
        outside = outside | mask
    return {
        "dfx": on_dfx & outside,
        "power": on_dfx & ring.flags["power"],
        "batch": ~on_dfx & np.greater(config.serve.batch, 1),
        "load": np.greater_equal(load, GIVEN("busiest")),
        **training_flags(config, one),
    }


def _on_dfx(rule: Rule[dfx.Appliance]) -> Rule[Platform]:
    """A rule of the `dfx` page, asked only where FPGAs serve."""
    return Rule(
        f"{rule.text}, where serve.target is dfx",
        lambda c: (c.serve.target.on_dfx == 0) | rule.holds(_appliance(c)),
        rule.way_out,
    )


MODEL = Model(
    slug="codesign",
    paper=Paper.of(DATA, "Which serving platform meets a load, at what latency, energy and cost?"),
    config=Platform,
    evaluate=evaluate,
    metrics={
        "latency": Metric("s", "min", "mean time from a request's arrival to its last token"),
        "service_time": Metric("s", "min", "time a batch is being served"),
        "tokens_per_second": Metric("token/s", "max", "most output tokens, all replicas busy"),
        "utilisation": Metric("1", "", "share of time that a replica serves"),
        "devices": Metric("1", "min", "GPUs or FPGAs, all replicas"),
        "power": Metric("W", "min", "mean power under the load, hosts included"),
        "energy_per_token": Metric("J/token", "min", "energy per output token, hosts included"),
        "capital_cost": Metric("USD", "min", "devices and hosts at the listed prices"),
        "energy_cost": Metric("USD", "min", "electricity over the horizon"),
        "replacement_cost": Metric("USD", "min", "drives bought again as they wear out"),
        "cost": Metric(
            "USD",
            "min",
            "capital, electricity and worn drives over the horizon",
            ("capital_cost", "energy_cost", "replacement_cost"),
        ),
        "quality_loss": Metric("1", "min", "share of answer quality given up"),
        "throughput": Metric("sequence/s", "max", "sequences trained per second, all GPUs"),
        "retrain_time": Metric("s", "min", "time of one training job"),
        "offloaded_bytes": Metric("B", "min", "saved tensors that leave one GPU in a step"),
        "drive_lifetime": Metric("s", "max", "until the drives' rated writes are spent"),
        "training_power": Metric("W", "min", "mean power of training over the year"),
        "training_capital": Metric("USD", "min", "training GPUs, their hosts and drives"),
        "feasible": Model.FEASIBLE,
    },
    total="latency",
    data=DATA,
    flags={
        "dfx": "DFX beyond what it was calibrated on: see the warnings of the dfx page",
        "offload": "offloading beyond what it was fitted on: see the flashneuron page",
    },
    remarks={
        "power": "FPGA energy rests on a remembered 45 W a board, which the headline contradicts",
        "batch": "the GPU answers a batch at once, DFX one request a time: compare at this load",
        "data_parallel": "training GPUs are data-parallel only; nothing hides their all-reduce",
        "load": "requests come faster than they are served: the queue has no end",
    },
    rules=(
        Rule(
            "workload is a decoder",
            lambda c: c.workload.decoder == 1,
            "set workload to a network that writes text, such as gpt2-1.5b",
        ),
        Rule(
            "the GPU's peak at this precision is known",
            lambda c: (
                (c.serve.target.on_gpu == 0)
                | ~np.isnan(roofline.peak(c.serve.gpu, c.serve.precision))
            ),
            "set serve.precision to fp16, or serve.gpu to one that lists the peak",
        ),
        Rule(
            "the training GPU's peak at this precision is known",
            lambda c: (
                (c.train.mode.active == 0)
                | ~np.isnan(roofline.peak(c.train.gpu, c.train.precision))
            ),
            "set train.precision to fp32, or train.gpu to one that lists the peak",
        ),
        Rule(
            "serve.batch == 1 on dfx",
            lambda c: (c.serve.target.on_dfx == 0) | (c.serve.batch == 1),
            "set serve.batch to 1: DFX answers one request at a time",
        ),
        *map(_on_dfx, dfx.MODEL.rules),
    ),
    monotone=(
        Monotone("serve.replicas", "latency", -1),
        Monotone("serve.replicas", "capital_cost", 1),
        Monotone("request_rate", "utilisation", 1),
        Monotone("electricity", "cost", 1),
        Monotone("horizon", "cost", 1),
        Monotone("memory_efficiency", "service_time", -1),
        Monotone("compute_efficiency", "service_time", -1),
        Monotone("dfx.fpgas", "service_time", -1),
        Monotone("dfx.clock", "service_time", -1),
        Monotone("output_tokens", "service_time", 1),
        Monotone("train.drives", "throughput", 1),
        Monotone("train.drives", "training_capital", 1),
        Monotone("train.host_link", "throughput", 1),
        Monotone("train.sequences", "retrain_time", 1),
        Monotone("train.jobs_per_year", "drive_lifetime", -1),
    ),
    note=DATA.notes["published"],
)
