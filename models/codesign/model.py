r"""The joint system of the seven papers: train, store, compile, serve, and what the binary tells.

Question: which training platform, drive, compile effort and serving target together meet the
load, the deadline, the drive's life and the quality, at what cost and exposure?

| symbol        | name                                          | unit      | where      |
|---------------|-----------------------------------------------|-----------|------------|
| R, nu, t_d    | time_ratio, kernels, dispatch_time            | 1, 1, s   | Sec. 3.1   |
| A, W, V, S    | saved, state, leaving, short                  | B         | Sec. 3.2   |
| T, f          | time, fraction: a step and its split of zones | s, 1      | Sec. 3.3   |
| e_S, e_T      | wear of a step, SLC and TLC                   | 1         | Sec. 3.3   |
| mu, C, K      | a3.m, candidate and kept rows                 | 1         | Sec. 3.4   |
| S_b, u        | service_time, utilisation                     | s, 1      | Sec. 3.5   |
| a             | duet.assignment                               | 1         | Sec. 3.5   |
| life, tco     | drive_lifetime, cost                          | s, USD    | Sec. 3.9   |

Sections are those of the project's sheet on the joint system. No paper has measured it: **no
published joint point exists**, so this page has no fit or check rows; its parts carry theirs.
Every joint result is a model's output.

Order of evaluation: compile, train with its drives (one closed fixed point), serve, expose, bill.

Assumptions: Poisson arrivals into one queue (M/D/1-like), a batch waits until it is full, equal
requests, FP16 keys and values, power from busy seconds, losses of quality are independent.
Range: transformers of 0.1 to 13 billion parameters, contexts to 16384 tokens, u below 0.95.

Where we differ from the sheet: several GPUs train data-parallel, and their all-reduce is exposed;
an encoder's attention counts all pairs; parameters in bulk are read as the `dnd` page has it.

Known weak regimes: near u = 0.95 -, real queues are longer; dispatch time and idle power decide
the target, see `notes.sensitivity`; A3 beyond 320 rows ?, nothing is known of its quality there;
prompts on FPGAs are charged a context they have not reached yet +; drives ignore queue depth and
controllers -; rounding to pages, 0.1 % at 1 MiB, is left out.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from dse import provenance
from dse.spec import Array, Mask, Model, Paper, Result

from . import attention
from .bill import Bill, bill, quality_loss
from .compiling import Code, compiled
from .exposure import exposure
from .facts import FLAGS, METRICS, MONOTONE, REMARKS, TECHNIQUES
from .platform import Platform
from .rules import RULES
from .serving import (
    batching_time,
    gpu_fits,
    on_devices,
    on_ring,
    queueing_time,
    ring_fits,
    utilisation,
)
from .split import Served, Times
from .training import Trained, accumulated_throughput, step

DATA = provenance.sheet(__package__)
GIVEN = DATA.default
WORKING = ("weights", "attention", "launch", "transfer")
"""Terms of a request that a device works on; the others are waits."""


def evaluate(config: Platform) -> Result:
    """Compose the equations; terms and resources are seconds of one request."""
    code = compiled(config)
    one = step(config, code)
    serve, target = config.serve, config.serve.target
    on_dfx = np.greater(target.on_dfx, 0)
    serves = np.greater(target.on_gpu + target.on_cpu + target.on_dfx, 0)
    served, ring = on_devices(config, code), on_ring(config)
    terms = _terms(config, served, ring, on_dfx, serves)
    busy = terms["weights"] + terms["attention"] + terms["launch"] + terms["transfer"]
    load = utilisation(
        service_time=busy,
        batch=serve.batch,
        replicas=serve.replicas,
        request_rate=config.request_rate,
    )
    money = bill(config, code, one, served, ring, on_dfx)
    fits = np.where(on_dfx, ring_fits(config), gpu_fits(config, served))
    trains = np.greater(config.train.mode.on, 0)
    in_time = money.retrain_time * config.train.jobs_per_year <= GIVEN("year")
    feasible = (np.logical_not(serves) | (fits & (load < GIVEN("busiest")))) & (
        np.logical_not(trains) | (one.fits & in_time)
    )
    metrics = {
        **_service(config, busy, terms, load),
        **_training(config, code, one, money, trains),
        **_money(config, money),
        **_given_away(config, one, served, on_dfx, serves, trains),
        "feasible": cast("Array", feasible),
    }
    return Result(
        metrics=metrics,
        terms=terms,
        resources={name: terms[name] for name in WORKING},
        flags=_flags(config, one, load, serves, trains),
    )


def _terms(
    config: Platform, served: Served, ring: Times, on_dfx: Mask, serves: Mask
) -> dict[str, Array]:
    """Exposed times of a request, waits first [s]; zeros where nothing is served."""
    serve, rate = config.serve, config.request_rate
    working = {
        "weights": np.where(on_dfx, ring.weights, served.times.weights),
        "attention": np.where(on_dfx, ring.attention, served.times.attention),
        "launch": np.where(on_dfx, ring.launch, served.times.launch),
        "transfer": np.where(on_dfx, 0.0, served.transfer),
    }
    busy = working["weights"] + working["attention"] + working["launch"] + working["transfer"]
    load = utilisation(
        service_time=busy, batch=serve.batch, replicas=serve.replicas, request_rate=rate
    )
    waits = {
        "batching": batching_time(batch=serve.batch, request_rate=rate),
        "queueing": queueing_time(utilisation=load, service_time=busy, replicas=serve.replicas),
    }
    return {name: np.where(serves, time, 0.0) for name, time in {**waits, **working}.items()}


def _answers(config: Platform) -> Array:
    """Tokens of a request; a network of branches gives one answer."""
    return np.ones(()) if config.workload.branches else config.output_tokens


def _service(
    config: Platform, busy: Array, terms: dict[str, Array], load: Array
) -> dict[str, Array]:
    """What a user meets."""
    serve = config.serve
    most = serve.replicas * serve.batch * _answers(config)
    return {
        "latency": terms["batching"] + terms["queueing"] + busy,
        "service_time": busy,
        "tokens_per_second": np.where(busy > 0, most / np.where(busy > 0, busy, 1.0), 0.0),
        "utilisation": load,
    }


def _training(
    config: Platform, code: Code, one: Trained, money: Bill, trains: Mask
) -> dict[str, Array]:
    """What training gives; zeros where nothing is trained."""
    found = {
        "throughput": money.throughput,
        "accumulated_throughput": accumulated_throughput(config, code, one),
        "retrain_time": money.retrain_time,
        "step_time": one.traffic.time,
        "offloaded_bytes": one.memory.leaving,
        "slc_fraction": one.fraction,
    }
    life = {"drive_lifetime": money.lifetime}
    return {**{name: np.where(trains, value, 0.0) for name, value in found.items()}, **life}


def _money(config: Platform, money: Bill) -> dict[str, Array]:
    """Power, energy and cost; energy per token counts hosts, power of devices does not."""
    rate = config.request_rate * _answers(config)
    return {
        "devices": money.devices,
        "training_power": money.training_power,
        "power": money.serving_power,
        "energy_per_token": money.serving_power / rate,
        "device_energy_per_token": money.device_power / rate,
        "training_capital": money.training_capital,
        "capital_cost": money.capital,
        "energy_cost": money.energy,
        "replacement_cost": money.replacement,
        "tuning_cost": money.tuning,
        "cost": money.capital + money.energy + money.replacement + money.tuning,
        "tuning_time": money.tuning_time,
    }


def _given_away(
    config: Platform, one: Trained, served: Served, on_dfx: Mask, serves: Mask, trains: Mask
) -> dict[str, Array]:
    """Quality lost, and what the binary tells."""
    halved = config.train.fp16_store.on * config.train.precision.compressible
    stored = trains & np.greater(halved * one.memory.leaving, 0)
    approximate = serves & np.greater(config.a3.on.on * config.workload.decoder, 0)
    seen = exposure(config, served)
    return {
        "quality_loss": quality_loss(
            serving=np.where(serves & ~on_dfx, config.serve.precision.quality_loss, 0.0),
            stored=np.where(stored, GIVEN("stored_fp16_loss"), 0.0),
            attention=np.where(approximate, attention.quality_loss(share=config.a3.m), 0.0),
        ),
        "recovery_time": seen.recovery_time,
        "exposed_share": seen.share,
    }


def _flags(
    config: Platform, one: Trained, load: Array, serves: Mask, trains: Mask
) -> dict[str, Mask]:
    ring, a3, target = config.dfx, config.a3, config.serve.target
    on_dfx = np.greater(target.on_dfx, 0)
    shape = np.not_equal(ring.depth, GIVEN("dfx.depth")) | np.not_equal(
        ring.lanes, GIVEN("dfx.lanes")
    )
    selects = serves & np.greater(a3.on.on, 0)
    avx512 = config.compile.vector.avx512 * (1 - config.attacker.lifts_avx512.on)
    rows = config.input_tokens + config.output_tokens
    return {
        "dfx": on_dfx & (shape | np.not_equal(ring.clock, GIVEN("dfx.clock"))),
        "a3_rows": selects & np.greater(rows, GIVEN("a3_rows")),
        "a3_steps": selects & np.less(a3.m, GIVEN("a3_least")),
        "power": on_dfx,
        "batch": serves & np.greater(target.on_gpu * config.serve.batch, 1),
        "data_parallel": trains & np.greater(config.train.gpus, 1),
        "cleaning": trains & np.greater(one.traffic.stall, 0),
        "drive": trains & np.greater_equal(one.traffic.clock_share, GIVEN("busiest_drive")),
        "load": serves & np.greater_equal(load, GIVEN("busiest")),
        "lifts": serves & np.greater(target.on_cpu * avx512, 0),
    }


MODEL = Model(
    slug="codesign",
    paper=Paper.of(
        DATA,
        "Which platform trains, compiles and serves a network within its limits, at what cost?",
    ),
    config=Platform,
    evaluate=evaluate,
    metrics=METRICS,
    total="latency",
    data=DATA,
    flags=FLAGS,
    remarks=REMARKS,
    rules=RULES,
    monotone=MONOTONE,
    techniques=TECHNIQUES,
    note=DATA.notes["published"],
)
