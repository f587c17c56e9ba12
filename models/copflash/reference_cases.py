"""Where the closed form and the executed drive answer the same question.

Designed sample. Laws: victim, spare and pages per block on the axes of the sheet's table, and
corners of the page's range. Hot and cold: three skews by two spares. SLC: three sizes by two
spares. Training: from one job whose checkpoints and dataset turn over within the run, one thing at
a time. The page then takes a step as long as its compute time, and requests as whole pages.
"""

import itertools
from collections.abc import Iterator, Mapping

from dse.mechanism import Case

from .config import DATA

COMPARED = {
    "write_amplification": "write_amplification",
    "separated_amplification": "separated_amplification",
    "slc_blocks": "eadm_blocks",  # elsewhere it is a setting of both
    "lifetime": "lifetime",
}
"""Metric of the page -> quantity of the reference."""

Settings = Mapping[str, object]

STILL = {"parameters": 0, "activation_token": 0, "activation_pair": 0}
QUIET: Settings = {"dataset": 0, "workload": STILL}
"""A job that writes nothing: the page's law is read, whatever it costs."""
PAGES_IN_ALL, MOST_BLOCKS, LEAST_BLOCKS = 2**17, 8192, 512
SPARE_BLOCKS = 160
"""With fewer spare blocks a drive shows that it is not endless."""


def blocks_for(spare: float, pages: float) -> int:
    """Blocks of a drive on which a law of many blocks holds."""
    wanted = max(PAGES_IN_ALL / pages, SPARE_BLOCKS * (1 + spare) / spare)
    return int(min(max(wanted, LEAST_BLOCKS), MOST_BLOCKS))


def law(
    group: str, traffic: str, victim: str, spare: float, pages: int, choices: int = 10
) -> Case:
    """A law under uniform traffic, over TLC blocks or blocks in SLC mode."""
    asked = {
        "victim": victim,
        "overprovision": spare,
        "pages_per_block": pages,
        "choices": choices,
    }
    slc = traffic == "uniform-slc"
    page = {"zones": "dual", "slc_fraction": 0.9, "workload": STILL | {"activation_token": 1e6}}
    held = pages / 3 if slc else pages
    ran = asked | {"traffic": traffic, "blocks": blocks_for(spare, held)}
    name = f"{traffic}-{victim}-{pages}-{spare:g}" + (f"-{choices}" * (victim == "d_choices"))
    return Case(name, {**QUIET, **(page if slc else {}), **asked}, ran, group=group)


def laws() -> Iterator[Case]:
    """Uniform traffic."""
    for spare, pages in itertools.product((0.07, 0.1, 0.2, 0.28, 0.5, 1.0), (32, 64, 128, 256)):
        yield law("greedy", "uniform", "greedy", spare, pages)
    for spare, pages in itertools.product((0.07, 0.1, 0.28, 0.5, 1.0), (32, 64, 256)):
        yield law("oldest first", "uniform", "lru", spare, pages)
    for spare, choices in itertools.product((0.1, 0.3), (2, 10)):
        yield law("d-choices", "uniform", "d_choices", spare, 64, choices)
    yield law("d-choices", "uniform", "d_choices", 0.2, 32, 32)
    for spare in (0.1, 0.3, 1.0):
        yield law("random", "uniform", "random", spare, 64)
    for spare, pages in ((0.05, 64), (0.05, 16), (0.2, 16), (0.1, 512)):
        yield law("greedy, corners", "uniform", "greedy", spare, pages)
    for spare, pages in itertools.product((0.1, 0.3), (32, 96, 256)):
        yield law("greedy in SLC mode", "uniform-slc", "greedy", spare, pages)


def hot_cold(writes: float, data: float, spare: float) -> Case:
    """Hot pages as a step's bytes and cold ones as the dataset, cleaned oldest first."""
    raw, per_day = 2.048e12, 1
    user = raw / (1 + spare)
    step, cold = data * user, (1 - data) * user
    asked = {"victim": "lru", "overprovision": spare, "pages_per_block": 64}
    page = {
        "workload": STILL | {"activation_token": step / 4},
        "batch": 1,
        "tokens": 1,
        "dataset": cold * (1 - 1e-9),
        "refresh_interval": cold / (step * (1 - writes) / writes * per_day) * 86400,
        "steps_per_day": per_day,
        "compute_time": 1000,
        "coalesced": 1,
    }
    ran = {"traffic": "hot-cold", "hot_writes": writes, "hot_data": data}
    ran |= {"blocks": 3 * blocks_for(spare, 64) // 2}
    return Case(
        f"hot-{writes:g}-{data:g}-{spare:g}", asked | page, asked | ran, group="hot and cold"
    )


BASE: Settings = {
    "compute_time": 100,
    "steps_per_day": 500,
    "checkpoint_interval": 1000,
    "refresh_interval": 86400,
    "dataset": 5e11,
}
APART: Settings = {"zones": "dual", "lii": "on"}
EADM: Settings = {**APART, "eadm": "on"}
AT_ONCE: Settings = {"spread": 0}


def trained(group: str, name: str, knobs: Settings, ran: Settings | None = None) -> Case:
    """The base job with some knobs set for both, and some for the executed drive only."""
    both = {**BASE, **knobs}
    return Case(f"training-{name}", {**both, "coalesced": 1}, {**both, **(ran or {})}, group=group)


def training() -> Iterator[Case]:
    """Training traffic: lifetimes apart, mixed, learned, and zones that EADM sizes."""
    for (zones, states), (ran, when) in itertools.product(
        itertools.product(("tlc", "dual"), (0, 1)),
        (({}, "between tensors"), (AT_ONCE, "at once")),
    ):
        name, knobs = (
            f"{zones}-{states}-{when.split()[-1]}",
            {"zones": zones, "state_share": states},
        )
        yield trained(f"LII, {when}", f"apart-{name}", {**knobs, "lii": "on"}, ran)
        yield trained(f"no LII, {when}", f"mixed-{name}", knobs, ran)
    for spare in (0.07, 0.5):
        knobs = {"overprovision": spare}
        group = "LII, little spare" if spare < 0.1 else "LII, between tensors"
        yield trained(group, f"apart-{spare:g}", {**knobs, **APART})
        yield trained("no LII, between tensors", f"mixed-{spare:g}", knobs)
    yield trained("LII, little spare", "apart-tlc-0.07", {"overprovision": 0.07, "lii": "on"})
    still = {"refresh_interval": 31_536_000, "dataset": 1e12, "checkpoint_interval": 60_000}
    yield trained("no LII, between tensors", "mixed-still", still)
    for victim in ("random", "d_choices"):
        yield trained("no LII, between tensors", f"mixed-{victim}", {"victim": victim})
    for spare in (0.1, 0.2, 0.5):
        knobs = {"victim": "lru", "overprovision": spare}
        yield trained("no LII, oldest first", f"mixed-lru-{spare:g}", knobs)
    for lii in ("off", "on"):
        yield trained("cache", f"cache-{lii}", {"zones": "cache", "lii": lii})
    yield trained("LII, learned", "learned", APART, {"marks": "learned"})
    for misses in (0.05, 0.2):
        yield trained("LII, missed", f"missed-{misses:g}", APART, {"misses": misses})
    yield from adapted()


def adapted() -> Iterator[Case]:
    """EADM: the split that it reaches."""
    longer = {"steps": 5000, **AT_ONCE}
    for share in (0.1, 0.3, 1.0):
        yield trained("EADM", f"eadm-{share:g}", {**EADM, "activation_share": share}, longer)
    yield trained("EADM", "eadm-saved", {**EADM, "checkpoint_interval": 200}, longer)
    yield trained("EADM, squeezed", "eadm-1TB", {**EADM, "dataset": 1e12}, longer)
    knobs = {**EADM, "slc_endurance_scale": 0.3}
    yield trained("EADM, squeezed", "eadm-scaled", knobs, longer)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from laws()
    for (writes, data), spare in itertools.product(
        ((0.8, 0.2), (0.9, 0.1), (0.95, 0.05)), (0.07, 0.28)
    ):
        yield hot_cold(writes, data, spare)
    yield from training()


def published() -> Iterator[Case]:
    """Points of a simulator, an abstract's and our own earlier one's."""
    for point in DATA.points:
        if point.quantity != "write_amplification" or point.settings["victim"] == "agarwal":
            continue
        spare = float(str(point.settings["overprovision"]))
        pages = float(str(point.settings.get("pages_per_block", DATA.default("pages_per_block"))))
        ran = {"traffic": "uniform", "blocks": blocks_for(spare, pages)}
        yield Case(point.id, {}, {**point.settings, **ran})
