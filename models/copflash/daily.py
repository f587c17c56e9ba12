"""A day of the job on the drive: bytes by lifetime, wear, rates and what the drive endures."""

from typing import NamedTuple

import numpy as np

from dse.spec import Array, leaf
from dse.units import DAY

from .amplification import live_spare, lru, separated
from .config import GIVEN, Drive
from .timing import bandwidth
from .traffic import Traffic, share_of
from .wear import capacity, drive_writes_per_day, lifetime, zone_wear
from .zones import (
    Route,
    Zone,
    bits_ratio,
    bus_rate,
    raw_capacity,
    reading_time,
    settling_time,
    writing_time,
)


class Daily(NamedTuple):
    """Bytes that the host writes in a day, and the shares that SLC and TLC program of them."""

    short: Array
    medium: Array
    long: Array
    slc_share: Array
    tlc_share: Array

    def total(self) -> Array:
        """All of them."""
        return self.short + self.medium + self.long


def daily(config: Drive, load: Traffic, way: Route, time: Array) -> Daily:
    """A day with its steps, each of which takes so long."""
    steps, folds = config.steps_per_day, config.zones.folds
    long = load.long_daily(steps * time)
    whole = steps * load.step() + long
    slc = share_of(part=steps * way.slc + folds * long, whole=whole, otherwise=folds)
    tlc = share_of(part=steps * way.tlc + long, whole=whole, otherwise=leaf(1.0))
    return Daily(steps * load.short, steps * load.medium, long, slc, tlc)


def byte_wear(
    config: Drive, day: Daily, load: Traffic, blocks: Array, zones: tuple[Zone, Zone]
) -> tuple[Array, Array]:
    """Shares of their lives that a byte of the host takes of the SLC and of the TLC blocks."""
    raw, (slc, tlc) = raw_capacity(config), zones
    first = zone_wear(
        writes=load.rounding * day.slc_share * slc.amplification,
        size=blocks * bits_ratio(config) * raw,
        endurance=slc.endurance,
    )
    second = zone_wear(
        writes=load.rounding * day.tlc_share * tlc.amplification,
        size=(1 - blocks) * raw,
        endurance=tlc.endurance,
    )
    return first, second


def rates(
    config: Drive, day: Daily, load: Traffic, way: Route, zones: tuple[Zone, Zone]
) -> dict[str, Array]:
    """Bandwidths of the mix that is written and read."""
    slc, tlc = zones
    caps = {"link": config.link_bandwidth, "bus": bus_rate(config, load)}
    held = share_of(part=way.held, whole=load.step(), otherwise=leaf(0.0))
    writing = writing_time(load, day.slc_share, slc, tlc)
    behind = day.slc_share * slc.clean + day.tlc_share * settling_time(config, slc, tlc)
    return {
        "bandwidth": bandwidth(byte_time=writing, **caps),
        "sustained_bandwidth": bandwidth(byte_time=writing + load.rounding * behind, **caps),
        "read_bandwidth": bandwidth(byte_time=reading_time(load, held, slc, tlc), **caps),
    }


def hot_cold(config: Drive, day: Daily, load: Traffic) -> Array:
    """Amplification of a TLC drive that only keeps short and medium bytes apart from long ones."""
    spare = live_spare(spare=config.overprovision, filled=config.filled)
    user = raw_capacity(config) / (1 + config.overprovision) * config.filled
    writes = share_of(part=day.short + day.medium, whole=day.total(), otherwise=leaf(0.0))
    data = np.minimum(load.step() / user, 1.0)
    halved = separated(spare=spare, writes=writes, data=data, split=leaf(0.5))
    return np.minimum(halved, lru(spare=spare))


def endurance(
    config: Drive, day: Daily, wear: tuple[Array, Array], blocks: Array
) -> dict[str, Array]:
    """Capacity and what may be written, by the laws of wear or as a vendor rates it."""
    rating, longest = config.rating, GIVEN("longest_life")
    ratio = bits_ratio(config) * (1 - config.zones.folds)
    flash = capacity(raw=raw_capacity(config), fraction=blocks, bits_ratio=ratio)
    size = np.where(rating.capacity > 0, rating.capacity, flash / (1 + config.overprovision))
    law = lifetime(slc_wear=wear[0], tlc_wear=wear[1], longest=leaf(np.inf))
    total = np.where(rating.writes > 0, rating.writes, law)
    rate = day.total() / DAY
    return {
        "capacity": size,
        "writable": total,
        "rewrites": share_of(part=total, whole=size, otherwise=leaf(0.0)),
        "drive_writes_per_day": drive_writes_per_day(
            writable=total, capacity=size, days=config.warranty / DAY
        ),
        "lifetime": np.minimum(share_of(part=total, whole=rate, otherwise=longest), longest),
    }
