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
GPUs may be priced by measured kernels (`roofline.form`). Those hold a library's efficiency: then R
counts over the library's own 1.1, efficiencies and the half batch are left aside, every start is
paid once (`kernels`). CPUs, FPGAs and A3's selection keep their laws. Knobs of `trust` hold truth
over prediction of other pages, 1 unless an interval draws them; `uncertain` says whose.

Known weak regimes: near u = 0.95 -, real queues are longer; dispatch time and idle power decide
the target, see `notes.sensitivity`; what a tuner leaves -, by 4.5 % in the mean and 15 % at worst
on the rows of page `oneshot`, whose own law is 3.4 % off; GPUs by datasheet in FP32 +, 40 % on the
rows of page `roofline`; A3 beyond 320 rows ?, nothing is known of its quality there; prompts on
FPGAs are charged a context they have not reached yet +; drives without LII +, their write
amplification follows uniform traffic, which training is not (page `copflash`: 8 to 210 %); drives
ignore queue depth and controllers -; rounding to pages, 0.1 % at 1 MiB, and the memory of hosts
and CPUs are left out.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple, cast

import numpy as np

from dse import provenance
from dse.spec import Array, Mask, Model, Paper, Result

from . import attention, kernels
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
from .uncertain import UNCERTAIN

DATA = provenance.sheet(__package__)
GIVEN = DATA.default


class Parts(NamedTuple):
    """What the parts of a platform came to, before they are put into words."""

    code: Code
    trained: Trained
    served: Served
    ring: Times
    working: dict[str, Array]
    """Terms of a request that a device works on [s]."""
    busy: Array
    """Their sum, the service time of a batch [s]."""
    load: Array
    """Share of time that a replica serves."""
    on_dfx: Mask
    serves: Mask
    trains: Mask


def _parts(config: Platform) -> Parts:
    """Compile, train, serve: the order of Sec. 3."""
    serve, target = config.serve, config.serve.target
    on_dfx = np.greater(target.on_dfx, 0)
    serves = np.greater(target.on_gpu + target.on_cpu + target.on_dfx, 0)
    code = compiled(config)
    served, ring = on_devices(config, code), on_ring(config)
    pairs = zip(Times._fields, ring, served.times, strict=True)
    working = {name: np.where(on_dfx, boards, others) for name, boards, others in pairs}
    working["transfer"] = np.where(on_dfx, 0.0, served.transfer)
    working = {name: np.where(serves, time, 0.0) for name, time in working.items()}
    busy = reduce(np.add, working.values())
    load = utilisation(
        service_time=busy,
        batch=serve.batch,
        replicas=serve.replicas,
        request_rate=config.request_rate,
    )
    trains = np.greater(config.train.mode.on, 0)
    one = step(config, code)
    return Parts(code, one, served, ring, working, busy, load, on_dfx, serves, trains)


def evaluate(config: Platform) -> Result:
    """Compose the equations; terms and resources are seconds of one request."""
    found = _parts(config)
    money = bill(config, found.code, found.trained, found.served, found.ring, found.on_dfx)
    waits = _waits(config, found)
    metrics = {
        **_service(config, found, waits),
        **_training(config, found, money),
        **_money(config, money),
        **_given_away(config, found),
        "feasible": cast("Array", _feasible(config, found, money)),
    }
    return Result(
        metrics=metrics,
        terms={**waits, **found.working},
        resources={**found.working, **_step_resources(found)},
        flags=_flags(config, found),
    )


def _step_resources(found: Parts) -> dict[str, Array]:
    """What a step keeps busy, where a platform only trains; else requests are asked about [s]."""
    load, drives = found.trained.load, found.trained.traffic
    only = found.trains & np.logical_not(found.serves)
    busy = {
        "step_compute": load.forward + load.backward,
        "step_transfer": drives.transfer,
        "step_all_reduce": load.wait,
    }
    return {name: np.where(only, time, 0.0) for name, time in busy.items()}


def _waits(config: Platform, found: Parts) -> dict[str, Array]:
    """What a request waits for before it is served [s]."""
    serve = config.serve
    waits = {
        "batching": batching_time(batch=serve.batch, request_rate=config.request_rate),
        "queueing": queueing_time(
            utilisation=found.load, service_time=found.busy, replicas=serve.replicas
        ),
    }
    return {name: np.where(found.serves, time, 0.0) for name, time in waits.items()}


def _feasible(config: Platform, found: Parts, money: Bill) -> Mask:
    """Whether both halves run: memory, load, drives, and all jobs within the year."""
    fits = np.where(found.on_dfx, ring_fits(config), gpu_fits(config, found.served))
    answers = fits & (found.load < GIVEN("busiest"))
    in_time = money.retrain_time * config.train.jobs_per_year <= GIVEN("year")
    learns = found.trained.fits & in_time
    runs: Mask = np.where(found.serves, answers, True) & np.where(found.trains, learns, True)
    return runs


def _answers(config: Platform) -> Array:
    """Tokens of a request; a network of branches gives one answer."""
    return np.ones(()) if config.workload.branches else config.output_tokens


def _service(config: Platform, found: Parts, waits: dict[str, Array]) -> dict[str, Array]:
    """What a user meets."""
    serve, busy = config.serve, found.busy
    most = serve.replicas * serve.batch * _answers(config)
    return {
        "latency": waits["batching"] + waits["queueing"] + busy,
        "service_time": busy,
        "tokens_per_second": np.where(busy > 0, most / np.where(busy > 0, busy, 1.0), 0.0),
        "utilisation": found.load,
    }


def _training(config: Platform, found: Parts, money: Bill) -> dict[str, Array]:
    """What training gives; zeros where nothing is trained."""
    one = found.trained
    given = {
        "throughput": money.throughput,
        "accumulated_throughput": accumulated_throughput(config, found.code, one),
        "retrain_time": money.retrain_time,
        "step_time": one.traffic.time,
        "forward_time": one.load.forward,
        "backward_time": one.load.backward,
        "all_reduce_time": one.load.wait,
        "exposed_transfer": one.traffic.exposed,
        "drive_stall": one.traffic.stall,
        "offloaded_bytes": one.memory.leaving,
        "slc_fraction": one.fraction,
    }
    zeroed = {name: np.where(found.trains, value, 0.0) for name, value in given.items()}
    return {**zeroed, "drive_lifetime": money.lifetime}


def _money(config: Platform, money: Bill) -> dict[str, Array]:
    """Power, energy and cost; hosts are left out of the energy of devices alone."""
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


def _given_away(config: Platform, found: Parts) -> dict[str, Array]:
    """Quality lost, and what the binary tells."""
    train, serves = config.train, found.serves
    halved = train.fp16_store.on * train.precision.compressible
    stored = found.trains & np.greater(halved * found.trained.memory.leaving, 0)
    approximate = serves & np.greater(config.a3.on.on * config.workload.decoder, 0)
    on_others = serves & np.logical_not(found.on_dfx)
    seen = exposure(config, found.served)
    return {
        "quality_loss": quality_loss(
            serving=np.where(on_others, config.serve.precision.quality_loss, 0.0),
            stored=np.where(stored, GIVEN("stored_fp16_loss"), 0.0),
            attention=np.where(approximate, attention.quality_loss(share=config.a3.m), 0.0),
        ),
        "recovery_time": seen.recovery_time,
        "exposed_share": seen.share,
    }


def _flags(config: Platform, found: Parts) -> dict[str, Mask]:
    ring, a3, target = config.dfx, config.a3, config.serve.target
    on_dfx, serves, trains = found.on_dfx, found.serves, found.trains
    drives = found.trained.traffic
    shape = np.not_equal(ring.depth, GIVEN("dfx.depth")) | np.not_equal(
        ring.lanes, GIVEN("dfx.lanes")
    )
    writes = np.greater(config.workload.decoder, 0)
    selects = serves & writes & np.greater(a3.on.on, 0)
    avx512 = config.compile.vector.avx512 * (1 - config.attacker.lifts_avx512.on)
    rows = config.input_tokens + config.output_tokens
    return {
        "dfx": on_dfx & (shape | np.not_equal(ring.clock, GIVEN("dfx.clock"))),
        "positions": (serves & writes & np.greater(rows, config.workload.context))
        | (trains & np.greater(config.train.tokens, config.workload.context)),
        "a3_rows": selects & np.greater(rows, GIVEN("a3_rows")),
        "a3_steps": selects & np.less(a3.m, GIVEN("a3_least")),
        "power": on_dfx,
        "batch": serves & np.greater(target.on_gpu * config.serve.batch, 1),
        "data_parallel": trains & np.greater(config.train.gpus, 1),
        "cleaning": trains & np.greater(drives.stall, 0),
        "drive": trains & np.greater_equal(drives.clock_share, GIVEN("busiest_drive")),
        "load": serves & np.greater_equal(found.load, GIVEN("busiest")),
        "lifts": serves & np.greater(target.on_cpu * avx512, 0),
        **kernels.flags(config),
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
    uncertain=UNCERTAIN,
    note=DATA.notes["published"],
)
