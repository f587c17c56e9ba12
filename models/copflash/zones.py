"""The zones at work: what each costs, what goes where, and what EADM makes of their sizes.

EADM (Erase-aware Adaptive Dual-zone Management) sizes the zones by their wear; how the paper does
it was not found. Here it holds the split at which both wear alike, as far as capacity allows.
"""

from typing import NamedTuple, cast

import numpy as np

from dse.spec import Array, leaf

from . import amplification as laws
from .config import GIVEN, Drive, Flash
from .timing import byte_time, cleaning_time, mixed_time, step_time, transfer_time
from .traffic import Traffic, share_of
from .wear import balanced_fraction


class Zone(NamedTuple):
    """Blocks of one mode: seconds per byte over all planes, and what wears them."""

    program: Array
    read: Array
    clean: Array
    amplification: Array
    endurance: Array


class Route(NamedTuple):
    """Bytes of a step: first written to SLC, held there to its end, and programmed in TLC."""

    slc: Array
    held: Array
    tlc: Array


class Clock(NamedTuple):
    """What a step takes; seconds, and a share of all time."""

    transfer: Array
    cleaning: Array
    share: Array
    """Of what comes by the clock: checkpoints and fresh data, and the cleaning they bring."""
    time: Array


def bits_ratio(config: Drive) -> Array:
    """Pages of a block in SLC mode over those it has as TLC."""
    return config.slc.bits_per_cell / config.tlc.bits_per_cell


def raw_capacity(config: Drive) -> Array:
    """Bytes of all blocks as TLC."""
    return config.dies * config.tlc.die_capacity


def mixed_amplification(config: Drive, pages: Array) -> Array:
    """The chosen law where the data of a block of so many pages live for different times."""
    spare = laws.live_spare(spare=config.overprovision, filled=config.filled)
    chosen = {
        "random": laws.random_victim(spare=spare),
        "lru": laws.lru(spare=spare),
        "greedy": laws.greedy(spare=spare, pages=pages),
        "d_choices": laws.d_choices(spare=spare, pages=pages, choices=config.choices),
        "agarwal": laws.agarwal(spare=spare),
    }
    picked = [np.where(getattr(config.victim, n) > 0, law, 0.0) for n, law in chosen.items()]
    return cast("Array", sum(picked))


def _zone(config: Drive, flash: Flash, *, pages: Array, amplified: Array, scale: Array) -> Zone:
    planes, size = config.dies * config.tlc.planes_per_die, config.tlc.page_size
    program = byte_time(page_time=flash.program_time, planes=planes, page_size=size)
    read = byte_time(page_time=flash.read_time, planes=planes, page_size=size)
    clean = cleaning_time(
        amplification=amplified,
        copy_time=read + program,
        erase_time=flash.erase_time,
        block_size=planes * pages * size,
    )
    return Zone(program, read, clean, amplified, scale * flash.endurance)


def slc_zone(config: Drive) -> Zone:
    """Blocks in SLC mode; a cache frees them whole, by folding, and so does LII."""
    plain = np.maximum(config.lii.on, config.zones.folds)
    pages = config.pages_per_block * bits_ratio(config)
    return _zone(
        config,
        config.slc,
        pages=pages,
        amplified=np.where(plain > 0, 1.0, mixed_amplification(config, pages)),
        scale=config.slc_endurance_scale,
    )


def tlc_zone(config: Drive, mixed: Array) -> Zone:
    """Blocks in TLC mode."""
    return _zone(
        config,
        config.tlc,
        pages=config.pages_per_block,
        amplified=np.where(config.lii.on > 0, 1.0, mixed),
        scale=config.tlc_endurance_scale,
    )


def _offered(config: Drive) -> Array:
    """Bytes that an SLC zone of all blocks has for a step: mixed lifetimes need spare there."""
    whole = np.maximum(config.lii.on, config.zones.folds) > 0
    return (
        raw_capacity(config) * bits_ratio(config) / np.where(whole, 1.0, 1 + config.overprovision)
    )


def route(config: Drive, load: Traffic, fraction: Array) -> Route:
    """Where a step goes when so many blocks run in SLC mode; short bytes first."""
    held = config.zones.slc * np.minimum(load.step(), fraction * _offered(config))
    over = load.step() - held
    return Route(slc=held + config.zones.folds * over, held=held, tlc=over)


def writing_time(load: Traffic, share: Array, slc: Zone, tlc: Zone) -> Array:
    """Seconds a byte written, of which a share enters SLC; incomplete pages are read first."""
    write = mixed_time(slc_share=share, slc_time=slc.program, tlc_time=tlc.program)
    read = mixed_time(slc_share=share, slc_time=slc.read, tlc_time=tlc.read)
    return load.rounding * write + load.reread * read


def reading_time(load: Traffic, share: Array, slc: Zone, tlc: Zone) -> Array:
    """Seconds a byte read, of which a share lies in SLC."""
    return load.rounding * mixed_time(slc_share=share, slc_time=slc.read, tlc_time=tlc.read)


def settling_time(config: Drive, slc: Zone, tlc: Zone) -> Array:
    """Seconds behind a byte that ends in TLC: its cleaning, and its copy out of a cache."""
    return tlc.clean + config.zones.folds * (slc.read + tlc.program)


def bus_rate(config: Drive, load: Traffic) -> Array:
    """Bytes a second that all buses carry for the host, as pages travel whole."""
    return config.channels * config.channel_bandwidth / load.rounding


def clock(config: Drive, load: Traffic, way: Route, slc: Zone, tlc: Zone) -> Clock:
    """Times of a step that goes this way."""
    folds, step, zones = config.zones.folds, load.step(), (slc, tlc)
    rate = np.minimum(config.link_bandwidth, bus_rate(config, load))
    entering = share_of(part=way.slc, whole=step, otherwise=folds)
    lying = share_of(part=way.held, whole=step, otherwise=leaf(0.0))
    there = writing_time(load, entering, *zones)
    back = reading_time(load, lying, *zones)
    transfer = transfer_time(written=step, byte_time=there, rate=rate) + transfer_time(
        written=step, byte_time=back, rate=rate
    )
    behind = settling_time(config, *zones)
    cleaning = load.rounding * (way.slc * slc.clean + way.tlc * behind)
    rhythm = load.checkpoint + load.refresh
    told = transfer_time(written=rhythm, byte_time=writing_time(load, folds, *zones), rate=rate)
    after = load.rounding * rhythm * (folds * slc.clean + behind)
    share = np.minimum(told + after, GIVEN("most_busy"))
    time = step_time(compute=config.compute_time, busy=transfer + cleaning, clock_share=share)
    return Clock(transfer, cleaning, share, time)


def slc_blocks(config: Drive, load: Traffic, slc: Zone, tlc: Zone) -> Array:
    r"""Share of the blocks in SLC mode: none, as set, or $f^*$ within what capacity allows.

    Inside its bounds all of a step fits the SLC zone, so its time does not depend on the split.
    """
    raw, step, days = raw_capacity(config), load.step(), config.steps_per_day
    most = np.clip(1 - (1 + config.overprovision) * load.kept / raw, 0.0, 1.0)
    least = np.minimum(step / _offered(config), most)
    all_fits = Route(slc=step, held=step, tlc=np.zeros_like(step))
    time = clock(config, load, all_fits, slc, tlc).time
    balanced = balanced_fraction(
        slc_writes=days * step * slc.amplification,
        tlc_writes=load.long_daily(days * time) * tlc.amplification,
        endurance_ratio=tlc.endurance / slc.endurance,
        pages_ratio=bits_ratio(config),
    )
    adapts = (config.eadm.on > 0) & (config.zones.folds == 0)
    chosen = np.where(adapts, np.clip(balanced, least, most), config.slc_fraction)
    return config.zones.slc * chosen
