"""Equations of energy and cost, Sec. 3.6 and 3.9; power comes from busy seconds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dse.spec import Array, Mask

from .compiling import Code, tuning_time
from .platform import Platform
from .rows import GIVEN
from .serving import served_power
from .split import Served, Times
from .training import Trained


def drive_lifetime(*, wear: Array, steps_per_second: Array) -> Array:
    r"""Time until the first zone is worn out [s], $1 / (n\, e)$, capped at 1000 years, Sec. 3.3.

    W1, 1.21667e6 steps a year that take 1.00349e-7 of a zone each, in years:

    >>> year = 365.25 * 86400
    >>> life = drive_lifetime(wear=1.00349e-7, steps_per_second=1.21667e6 / year)
    >>> round(float(life) / year, 4)
    8.1906
    """
    longest = GIVEN("longest_life")
    return 1 / np.maximum(wear * steps_per_second, 1 / longest)


def replacement_cost(*, price: Array, lifetime: Array, horizon: Array) -> Array:
    r"""Drives bought again as they wear out [USD], Sec. 3.9: $\max(0, H / life - 1) c$.

    >>> float(replacement_cost(price=800, lifetime=1.0, horizon=3.0))
    1600.0
    """
    return np.maximum(horizon / lifetime - 1, 0.0) * price


def quality_loss(*, serving: Array, stored: Array, attention: Array) -> Array:
    r"""Share of quality given up, Sec. 3.8: $1 - \prod (1 - q_i)$, taken as independent.

    >>> round(float(quality_loss(serving=0.008, stored=0.001, attention=0.0)), 6)
    0.008992
    """
    return 1 - (1 - serving) * (1 - stored) * (1 - attention)


class Bill(NamedTuple):
    """Power and money of a platform."""

    throughput: Array
    retrain_time: Array
    lifetime: Array
    training_power: Array
    training_capital: Array
    devices: Array
    serving_power: Array
    device_power: Array
    """Of it, without hosts."""
    capital: Array
    energy: Array
    replacement: Array
    tuning: Array
    tuning_time: Array


def drives_price(config: Platform) -> Array:
    """Controllers and flash of all drives [USD], Sec. 3.9."""
    drive = config.drive
    flash = drive.flash * drive.dies * drive.tlc.die_capacity
    return drive.count * (drive.controller + flash)


def _training(config: Platform, one: Trained) -> dict[str, Array]:
    """Rates, power and purchase of the training half; nothing where nothing is trained."""
    train, found = config.train, one.traffic
    active = train.mode.on
    rate = train.gpus * train.batch / found.time
    job = train.sequences / rate
    jobs = train.jobs_per_year / GIVEN("year")
    steps = active * jobs * train.sequences / (train.gpus * train.batch)
    hosts = np.ceil(train.gpus / GIVEN("devices_per_host"))
    idle = config.idle_share
    computing = one.load.forward + one.load.backward
    gpus = train.gpus * train.gpu.power * (idle * found.time + (1 - idle) * computing)
    drives = GIVEN("drive_power") * config.drive.count
    others = (hosts * GIVEN("host_power") + drives) * found.time
    worn = np.maximum(one.slc_wear, one.tlc_wear) / config.trust.drive_life
    wear = np.where(active > 0, worn, 0.0)
    bought = train.gpus * train.gpu.price + hosts * config.host + drives_price(config)
    return {
        "throughput": np.where(active > 0, rate, 0.0),
        "retrain_time": np.where(active > 0, job, 0.0),
        "lifetime": drive_lifetime(wear=wear, steps_per_second=steps),
        "training_power": np.where(active > 0, steps * (gpus + others), 0.0),
        "training_capital": np.where(active > 0, bought, 0.0),
    }


def _serving(config: Platform, served: Served, ring: Times, on_dfx: Mask) -> dict[str, Array]:
    """Devices, their price and mean power under the load, Sec. 3.6 and 3.9."""
    serve, target = config.serve, config.serve.target
    serves = np.greater(target.on_gpu + target.on_cpu + target.on_dfx, 0)
    replicas = np.where(serves, serve.replicas, 0.0)
    boards = np.where(on_dfx, config.dfx.fpgas, 1.0)
    hosts = np.ceil(replicas * boards / GIVEN("devices_per_host"))
    board_idle = config.trust.ring_power * GIVEN("fpga_idle_power")
    added = config.trust.ring_power * (GIVEN("fpga_busy_power") - GIVEN("fpga_idle_power"))
    gpu_added = (GIVEN("gpu_busy_power") - config.idle_share) * serve.gpu.power
    cpu_added = GIVEN("cpu_busy_power") * serve.cpu.power
    together = served.gpu_busy * gpu_added + served.cpu_busy * cpu_added
    busy = np.where(on_dfx, ring.total * boards * added, together)
    idle_gpu = target.on_gpu * config.idle_share * serve.gpu.power
    power = served_power(
        idle=np.where(on_dfx, board_idle, idle_gpu),
        busy=busy,
        rate=config.request_rate / serve.batch,
        devices=replicas * boards,
        hosts=hosts,
    )
    none = np.zeros(())
    price = (
        np.where(on_dfx, boards * config.dfx.fpga.price, none)
        + np.where(target.on_gpu > 0, serve.gpu.price, none)
        + np.where(target.on_cpu > 0, serve.cpu.price, none)
    )
    bought = np.where(serves, replicas * price, 0.0) + hosts * config.host
    return {
        "devices": replicas * boards,
        "serving_power": np.where(serves, power, 0.0),
        "device_power": np.where(serves, power - hosts * GIVEN("host_power"), 0.0),
        "serving_capital": bought,
    }


def bill(
    config: Platform, code: Code, one: Trained, served: Served, ring: Times, on_dfx: Mask
) -> Bill:
    """Energy and cost over the horizon at the listed prices, Sec. 3.6 and 3.9."""
    trained, serving = _training(config, one), _serving(config, served, ring, on_dfx)
    capital = trained["training_capital"] + serving.pop("serving_capital")
    power = trained["training_power"] + serving["serving_power"]
    target = config.serve.target
    tuned = config.train.mode.on + target.on_gpu + target.on_cpu
    hours = tuning_time(device_time=code.device_time, devices=tuned)
    again = replacement_cost(
        price=drives_price(config), lifetime=trained["lifetime"], horizon=config.horizon
    )
    return Bill(
        **trained,
        **serving,
        capital=capital,
        energy=power * config.horizon * config.electricity,
        replacement=np.where(config.train.mode.on > 0, again, 0.0),
        tuning=config.machine_hour * hours,
        tuning_time=hours,
    )
