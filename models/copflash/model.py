r"""Cop-Flash (IEEE CLOUD 2022): training with its tensors on a drive of SLC and TLC blocks.

Question: how many years does the drive last under training traffic, and at what bandwidth?

Literature-based. The paper's text, formulas and results were not found. Two mechanisms are known
by name: LII marks writes by the lifetime of their data, EADM sizes the zones by their wear. The
model around them is the flash literature's, and no row of data.yaml is a result of the paper.

| symbol     | name                                    | unit   | where                          |
|------------|-----------------------------------------|--------|--------------------------------|
| f, R       | slc_blocks; pages in SLC mode over TLC  | 1      | `wear`; 1/3                    |
| OP, x, b   | overprovision, filled, pages_per_block  | 1      | `amplification`                |
| A_S, A_T   | slc_amplification, tlc_amplification    | 1      | by `victim`, or 1 with LII     |
| k          | endurance of TLC over SLC               | 1      | catalog and two scales         |
| w_S, w_T   | wear of the zones                       | 1/B    | per byte that the host writes  |
| D_s, D_m   | short and medium bytes of a step        | B      | `traffic`                      |
| r          | rounding                                | 1      | unaligned requests fill pages  |
| T, T_c     | step_time, compute_time                 | s      | `timing`                       |
| s          | share of the writes that SLC takes      | 1      |                                |

The defaults are the conventional drive: TLC only, greedy cleaning, lifetimes mixed, full. Then
`write_amplification` is the law's own value. Cop-Flash is zones=dual, lii=on, eadm=on: with LII a
block's pages die together, nothing is copied, and `write_amplification` is 1; of a cache it counts
the copies into TLC. It never counts rounding, which wears the drive as well.

Assumptions: a job of so many steps a day, whatever their speed. Short bytes go to SLC, then medium
ones while they fit, the rest and all long bytes to TLC. Mixed data are uniform over their pool,
and a zone's spare is the drive's; with LII, and in a cache, the SLC zone needs none. Short and
medium bytes are read once. EADM keeps room for long data in TLC and, if it can, for a step in SLC;
there its split does not feed back on the step's time, so $f^*$ is a closed form. Cleaning and
folding run while the GPU computes.
Range: spare of 2 to 100 %, blocks of 16 to 1024 pages, up to 32 choices.

Where we differ from the paper: not known. Of the sheet: TBW counts all blocks, as its L_0 does,
not only what the drive offers; d-choices is solved as a stationary recursion, not in time steps.

Known weak regimes (sign of the bias of the lifetime), measured on the executed drive of
`reference`, which agrees with the laws under uniform traffic to 0.2 %:
- No LII (flag `uniform`): training's data are not uniform. Amplification under greedy or d-choices
  is 8 to 210 % too high, most where little outlives its step and in two zones: lifetime to -68 %.
  Oldest first is 38 to 41 % too low if long bytes are written between tensors: lifetime to +70 %.
  A random block: 2 %. For random hot and cold pages in the same blocks it is 4 to 35 % too low.
- LII with little spare (flag `shared`): checkpoints and dataset share TLC blocks. At 7 % spare
  these had 1.1 to 2.1, not 1: lifetime to +11 %. With 20 % of the writes in a random class: +10 %.
- EADM: the split is met to 3.3 %, lifetime to +2.5 %.
- Greedy is 0.6 % too low at 32 pages and 10 % spare, to 4 % in blocks below 32 pages.
- The worst block has 1 to 8 times its zone's mean wear, as data that stay are not moved: +.
Not executed: reads, retention and the wear of converting blocks +; EADM that leaves a tiny SLC
zone, which wears out first -. Bandwidth knows no queue depth and no controller: +.
"""

from typing import cast

import numpy as np

from dse.spec import Array, Mask, Metric, Model, Monotone, Paper, Result, Rule, leaf
from dse.units import DAY

from .config import DATA, GIVEN, Drive
from .daily import byte_wear, daily, endurance, hot_cold, rates
from .timing import step_time
from .traffic import Traffic, traffic
from .wear import wear_imbalance
from .zones import (
    Clock,
    Route,
    clock,
    mixed_amplification,
    raw_capacity,
    route,
    slc_blocks,
    slc_zone,
    tlc_zone,
)

__all__ = ["MODEL", "Drive", "evaluate"]


def _fits(config: Drive, load: Traffic, way: Route, blocks: Array) -> Mask:
    """Whether the data fit where they go."""
    rated = config.rating.capacity
    room = (1 - blocks) * raw_capacity(config) / (1 + config.overprovision)
    # A split that capacity decides fills TLC to the last byte.
    own = load.kept + way.tlc <= room * (1 + GIVEN("slack"))
    promised = load.kept + load.step() <= rated
    return np.logical_or(np.logical_and(rated > 0, promised), np.logical_and(rated <= 0, own))


def evaluate(config: Drive) -> Result:
    """Compose the equations; terms and resources are seconds of a step."""
    load, mixed = traffic(config), mixed_amplification(config, config.pages_per_block)
    zones = slc_zone(config), tlc_zone(config, mixed)
    blocks = slc_blocks(config, load, *zones)
    way = route(config, load, blocks)
    took = clock(config, load, way, *zones)
    day = daily(config, load, way, took.time)
    wear = byte_wear(config, day, load, blocks, zones)
    terms = _terms(config, took)
    training = config.steps_per_day * took.time
    ends = endurance(config, day, wear, blocks)
    amplified = day.slc_share * zones[0].amplification + day.tlc_share * zones[1].amplification
    metrics = {
        **ends,
        "write_amplification": amplified,
        "slc_amplification": zones[0].amplification,
        "tlc_amplification": zones[1].amplification,
        "mixed_amplification": mixed,
        "separated_amplification": hot_cold(config, day, load),
        **rates(config, day, load, way, zones),
        "step_time": took.time,
        "cleaning_time": took.cleaning,
        "training_share": training / DAY,
        "slc_blocks": blocks,
        "slc_writes": day.slc_share,
        "wear_imbalance": wear_imbalance(slc_wear=wear[0], tlc_wear=wear[1]),
        "written_short": day.short,
        "written_medium": day.medium,
        "written_long": day.long,
        "written_per_day": day.short + day.medium + day.long,
        "rounding": load.rounding,
        "feasible": cast("Array", _feasible(config, load, way, took, blocks)),
    }
    resources = {
        "compute": config.compute_time,
        "transfer": took.transfer,
        "cleaning": took.cleaning,
        "clock": took.share * took.time,
    }
    return Result(metrics, terms, resources, _flags(config, load, way, metrics))


def _terms(config: Drive, took: Clock) -> dict[str, Array]:
    """Exposed times of a step: compute hides its transfers first, then its cleaning.

    What comes by the clock, checkpoints and fresh data with their cleaning, is a term of its own.
    """
    alone = {"compute": config.compute_time, "clock_share": leaf(0.0)}
    unclean = step_time(busy=took.transfer, **alone)
    own = step_time(busy=took.transfer + took.cleaning, **alone)
    return {
        "compute": config.compute_time,
        "exposed_transfer": unclean - config.compute_time,
        "exposed_cleaning": own - unclean,
        "exposed_clock": took.time - own,
    }


def _feasible(config: Drive, load: Traffic, way: Route, took: Clock, blocks: Array) -> Mask:
    in_time = config.steps_per_day * took.time <= DAY
    # A cache of no blocks has nowhere to put what enters it.
    cached = (config.zones.folds == 0) | (blocks > 0)
    able = in_time & cached & (took.share < GIVEN("most_busy"))
    found: Mask = np.logical_and(_fits(config, load, way, blocks), able)
    return found


def _shared(config: Drive, load: Traffic, metrics: dict[str, Array]) -> Mask:
    """Whether dead checkpoints beside live data fill TLC's spare before the dataset is renewed."""
    saved = load.checkpoint * metrics["training_share"]
    spare = config.overprovision / (1 + config.overprovision)
    room = spare * (1 - metrics["slc_blocks"]) * raw_capacity(config)
    data = GIVEN("shared_data") * (load.refresh + saved)
    found: Mask = (saved * config.refresh_interval > room) & (load.refresh > data)
    return found


def _flags(config: Drive, load: Traffic, way: Route, metrics: dict[str, Array]) -> dict[str, Mask]:
    always = np.equal(config.zones.slc, config.zones.slc)
    rated = np.greater(config.rating.writes, 0)
    two = np.greater(config.zones.slc, 0)
    wide = np.greater_equal(2 * config.choices, config.pages_per_block)
    mixed = np.equal(config.lii.on, 0)
    return {
        "rating": rated,
        "uniform": mixed & np.equal(config.victim.random, 0) & ~rated,
        "shared": ~mixed & _shared(config, load, metrics) & ~rated,
        "literature": always,
        "endurance": ~rated,
        "overflow": two & np.greater(load.step(), way.held),
        "choices": np.greater(config.victim.d_choices, 0) & wide & (config.lii.on == 0),
        "longest": metrics["lifetime"] >= GIVEN("longest_life"),
    }


SPLIT = {"zones": "dual", "eadm": "off"}
"""Where `slc_fraction` says how the blocks are split."""

MODEL = Model(
    slug="copflash",
    weak=("uniform",),
    paper=Paper.of(
        DATA,
        "How many years does the drive last under training traffic, and at what bandwidth?",
    ),
    config=Drive,
    evaluate=evaluate,
    metrics={
        "lifetime": Metric("s", "max", "until the first zone is worn out; 1000 years at most"),
        "bandwidth": Metric("B/s", "max", "at which the host's mix is written, cleaning aside"),
        "sustained_bandwidth": Metric("B/s", "max", "the same while cleaning and folding keep up"),
        "read_bandwidth": Metric("B/s", "max", "at which a step's bytes are read back"),
        "write_amplification": Metric(
            "1", "min", "pages programmed per page written: by `victim`, 1 with LII", least=1.0
        ),
        "slc_amplification": Metric("1", "min", "of the SLC zone", error="write_amplification"),
        "tlc_amplification": Metric("1", "min", "of the TLC zone", error="write_amplification"),
        "mixed_amplification": Metric(
            "1", "min", "the law of `victim`, LII or not", error="write_amplification"
        ),
        "separated_amplification": Metric(
            "1", "min", "TLC only by LRU, hot and cold in blocks of their own, half the spare each"
        ),
        "drive_writes_per_day": Metric("1", "max", "DWPD over the warranty"),
        "writable": Metric("B", "max", "TBW: what the host may write in this mix"),
        "rewrites": Metric("1", "max", "the same in whole drives"),
        "capacity": Metric("B", "max", "what the drive offers"),
        "step_time": Metric("s", "min", "time of one training step"),
        "cleaning_time": Metric("s", "min", "garbage collection and folding of a step's bytes"),
        "training_share": Metric(
            "1", "min", "of the day that the job takes; over 1 it does not end"
        ),
        "slc_blocks": Metric("1", "", "share of the blocks in SLC mode", most=1.0),
        "slc_writes": Metric("1", "", "share of the host's writes that enter SLC", most=1.0),
        "wear_imbalance": Metric("1", "", "wear of SLC less TLC over the larger; 0 is balanced"),
        "written_short": Metric("B", "", "a day, dead at the end of its step"),
        "written_medium": Metric("B", "", "a day, rewritten by the next step"),
        "written_long": Metric("B", "", "a day: checkpoints and fresh data"),
        "written_per_day": Metric(
            "B", "min", "all of a day", ("written_short", "written_medium", "written_long")
        ),
        "rounding": Metric("1", "min", "bytes of touched pages over bytes requested"),
        "feasible": Model.FEASIBLE,
    },
    total="step_time",
    data=DATA,
    flags={
        "rating": "a vendor's rating, at the workload of JESD219, not at this traffic; bandwidth"
        " is still that of the dies that are set",
        "uniform": "lifetimes mixed: the law is of uniform pages; under training, executed, greedy"
        " copies less (lifetime up to 3 times) and oldest first more (lifetime down to 0.6 times)",
        "shared": "checkpoints and dataset share TLC blocks and fill their spare: some is copied",
    },
    remarks={
        "literature": "literature-based: the paper's text and results were not found",
        "endurance": "erases of 3D TLC and of its SLC mode are from memory: life scales with them",
        "overflow": "the SLC zone does not hold all of a step: the rest wears TLC",
        "choices": "nearly as many choices as pages in a block: the table is good to 0.6 %",
        "longest": "life is cut off at 1000 years",
    },
    rules=(
        Rule(
            "slc and tlc are one die: equal pages and planes, fewer bits a cell",
            lambda c: (
                (c.slc.page_size == c.tlc.page_size)
                & (c.slc.planes_per_die == c.tlc.planes_per_die)
                & (c.slc.bits_per_cell < c.tlc.bits_per_cell)
            ),
            "set slc to slc-mode and tlc to tlc-3d",
        ),
    ),
    monotone=(
        *(
            Monotone(knob, "lifetime", -1)
            for knob in (
                "batch",
                "tokens",
                "activation_share",
                "gradient_share",
                "state_share",
                "steps_per_day",
                "filled",
                "compute_time",
            )
        ),
        *(
            Monotone(knob, "lifetime", 1)
            for knob in (
                "refresh_interval",
                "checkpoint_interval",
                "coalesced",
                "request_size",
                "link_bandwidth",
            )
        ),
        Monotone("tlc_endurance_scale", "lifetime", 1, given={"rating": "none"}),
        Monotone("slc_endurance_scale", "lifetime", 1, given={"rating": "none", "zones": "dual"}),
        *(
            Monotone("overprovision", f"{name}_amplification", -1)
            for name in ("slc", "tlc", "mixed")
        ),
        Monotone("filled", "write_amplification", 1),
        Monotone("slc_fraction", "capacity", -1, given={"rating": "none", **SPLIT}),
        Monotone("slc_fraction", "bandwidth", 1, given={"dies": 8, **SPLIT}),
        Monotone("warranty", "drive_writes_per_day", -1),
        *(Monotone(knob, "bandwidth", 1) for knob in ("dies", "channels", "link_bandwidth")),
        *(Monotone(knob, "step_time", 1) for knob in ("batch", "compute_time")),
    ),
    note=DATA.notes["literature"],
)
