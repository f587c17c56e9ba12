"""Training on the executed drive: the job's bytes in pages of a smaller drive, and what came out.

The drive keeps its pages per block and has fewer blocks, so a page stands for more bytes. What the
job writes is counted here anew, not by the page's equations.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dse.spec import Array
from dse.units import DAY

from .config import GIVEN
from .executed import Executed
from .ftl import Ftl
from .lifetimes import Learned
from .streams import Event, Job, Replay, setting_up, step_events
from .zones_ftl import CLASSES, LONG, MEDIUM, SHORT, SLC, TLC, Balance, Layout, Zoned

EDGES = np.array([0.95, 1.5])
"""Steps that short-lived and medium data live at most, where lives are learned."""
ROOM = 64
"""Logical pages beside the data, for what rounds up."""


def job_of(config: Executed) -> Job:
    """Bytes of the job, and steps between what comes by the clock."""
    network, element = config.workload, GIVEN("element_size")
    tokens = min(config.tokens, network.context)
    saved = sum(
        count * tokens**power
        for count, power in ((network.activation_token, 1), (network.activation_pair, 2))
    )
    states = GIVEN("state_size") * network.parameters
    return Job(
        short=float(
            element * config.activation_share * config.batch * saved
            + element * config.gradient_share * network.parameters
        ),
        medium=float(config.state_share * states),
        states=float(states),
        interval=float(config.checkpoint_interval / config.compute_time),
        dataset=float(config.dataset),
        refresh=float(config.refresh_interval / DAY * config.steps_per_day),
        spread=bool(config.spread),
    )


class Plan(NamedTuple):
    """A drive of fewer blocks, and the job in its pages."""

    layout: Layout
    job: Job
    page_size: float
    """Bytes that a page stands for."""
    areas: tuple[int, int, int]
    """Logical pages of each class."""
    balance: Balance | None


class Demand(NamedTuple):
    """Pages that live at once."""

    short: float
    medium: float
    long: float

    def step(self) -> float:
        """Pages of a step."""
        return self.short + self.medium


def demanded(job: Job, page_size: float, extra: Sequence[Event]) -> Demand:
    """Of the job, and of events that come again every step."""
    own = (job.short, job.medium, job.dataset + job.states)
    more = [
        sum(e.size * (np.ceil(e.death) - np.floor(e.birth)) for e in extra if e.kind == kind)
        for kind in (SHORT, MEDIUM, LONG)
    ]
    return Demand(*(float(a + b) / page_size for a, b in zip(own, more, strict=True)))


def planned(config: Executed, extra: Sequence[Event] = ()) -> Plan:
    """The layout that the config asks for, filled with data that never change.

    Raises:
        ValueError: data that do not fit.
    """
    job, blocks, pages = job_of(config), int(config.blocks), int(config.pages_per_block)
    size = float(config.dies * config.tlc.die_capacity) / (blocks * pages)
    demand, spared = demanded(job, size, extra), float(1 + config.overprovision)
    sorts, folds = bool(config.lii.on), bool(config.zones.folds)
    roomy = 1.0 if sorts or folds else spared  # mixed lifetimes need spare in SLC too
    streams = CLASSES if sorts else 1
    balance = _balance(config, demand, roomy, streams) if _adapts(config) else None
    narrow, slc = config.slc_pages(), round(float(config.slc_fraction) * blocks)
    if balance is not None:
        most = blocks + streams - balance.least[TLC]
        slc = min(max(slc, balance.least[SLC] - streams), most)
    slc *= int(config.zones.slc)
    room = (blocks - slc) * pages / spared
    held = demand.long + max(demand.step() - slc * narrow / roomy, 0.0)
    if room < held or slc < 0:
        raise ValueError("the data do not fit; set dataset or slc_fraction lower")
    # What EADM may turn over is left free; elsewhere data that stay fill the drive.
    still = 0.0 if balance else max(room * float(config.filled) - held, 0.0)
    areas = (
        int(demand.short) + ROOM,
        int(demand.medium) + ROOM,
        int(demand.long + still) + ROOM,
    )
    misses, spare = float(config.misses), 1 - 1 / roomy
    layout = Layout(blocks, pages, narrow, slc, sum(areas), folds, sorts, spare, misses)
    return Plan(layout, job._replace(still=still * size), size, areas, balance)


def _adapts(config: Executed) -> bool:
    return bool(config.eadm.on and config.zones.slc and not config.zones.folds)


def _balance(config: Executed, demand: Demand, roomy: float, streams: int) -> Balance:
    """What EADM keeps: blocks for a step in SLC and for long data in TLC, and the open ones."""
    pages = float(config.pages_per_block) / (1 + float(config.overprovision))
    least = (
        int(np.ceil(demand.step() * roomy / config.slc_pages())) + streams,
        int(np.ceil(demand.long / pages)) + streams,
    )
    return Balance(config.endurance(), float(config.eadm_band), int(config.eadm_period), least)


def drive_of(config: Executed, plan: Plan, kind: type[Ftl] = Ftl) -> Zoned:
    """The drive; `kind` lets a test break a rule of the layer below."""
    learns = bool(config.marks.learned and config.lii.on)
    logical, gain = plan.layout.logical, float(config.gain)
    return Zoned(
        plan.layout,
        victim=config.chooser(),
        rng=np.random.default_rng(int(config.seed)),
        balance=plan.balance,
        learned=Learned(logical=logical, edges=EDGES, gain=gain) if learns else None,
        kind=kind,
    )


class Counts(NamedTuple):
    """What a drive has done so far; by zone, SLC first."""

    written: Array
    programmed: Array
    erases: Array
    folded: Array

    @classmethod
    def of(cls, ftl: Ftl) -> "Counts":
        """The drive's counters."""
        entered = np.array(ftl.written, np.float64).reshape(2, -1).sum(axis=1)
        programmed, erases = np.array(ftl.programmed, np.float64), ftl.erases.sum(axis=1) * 1.0
        return cls(entered, programmed, erases, np.array([0.0, ftl.folded]))

    def since(self, before: "Counts") -> "Counts":
        """What was done after that."""
        return Counts(*(now - then for now, then in zip(self, before, strict=True)))


def train(
    config: Executed, kind: type[Ftl] = Ftl, extra: Sequence[Event] = ()
) -> dict[str, float]:
    """Run the job on a drive; its second half counts.

    Args:
        config: drive and job.
        kind: the layer below.
        extra: further events of a step, with times from its start, as of a schedule.
    """
    plan = planned(config, extra)
    drive = drive_of(config, plan, kind)
    steps = int(config.steps)
    replay = Replay(drive, page_size=plan.page_size, areas=plan.areas)
    replay.play(setting_up(plan.job))
    before = Counts.of(drive.ftl)
    for step in range(1, steps + 1):
        if step == steps // 2 + 1:
            before = Counts.of(drive.ftl)
        mine = [e._replace(birth=e.birth + step, death=e.death + step) for e in extra]
        replay.play(sorted(step_events(plan.job, step) + mine, key=lambda e: e.birth))
    done = Counts.of(drive.ftl).since(before)
    return _answers(config, drive, done, steps - steps // 2)


def _answers(config: Executed, drive: Zoned, done: Counts, steps: int) -> dict[str, float]:
    ftl, host = drive.ftl, float(done.written.sum())
    blocks = np.array([ftl.blocks_of(SLC), ftl.blocks_of(TLC)], np.float64)
    # A stream's open block is beside the size of its zone.
    streams = len(ftl.streams) // 2
    sized = np.maximum(blocks - [streams if drive.two else 0, streams], 1.0)
    rates = done.erases / (sized * np.array(config.endurance())) / steps
    entered = done.written + done.folded
    amplified = done.programmed / np.where(entered > 0, entered, np.inf)
    life = 1 / rates.max() if rates.max() > 0 else np.inf
    larger = rates.max()
    share = float((sized[SLC] if drive.two else 0.0) / drive.layout.blocks)
    return {
        "write_amplification": float(done.programmed.sum() / host),
        "slc_amplification": float(amplified[SLC]),
        "tlc_amplification": float(amplified[TLC]),
        "slc_writes": float(done.written[SLC] / host),
        "slc_blocks": share,
        "eadm_blocks": share if drive.balance else math.nan,
        "steps_of_life": float(life),
        "lifetime": float(life / config.steps_per_day * DAY),
        "wear_imbalance": float((rates[SLC] - rates[TLC]) / larger) if larger > 0 else 0.0,
        "worst_block": _uneven(config, ftl, int(rates.argmax())),
        "erases": float(done.erases.sum()),
    }


def _uneven(config: Executed, ftl: Ftl, pool: int) -> float:
    """Wear of a zone's most worn block over the mean of its blocks, erases in both modes."""
    worn = (ftl.erases / np.array(config.endurance())[:, None]).sum(axis=0)[ftl.pool == pool]
    return float(worn.max() / worn.mean()) if worn.max() > 0 else 1.0
