"""What a drive under training traffic is: the flash, its management, the network and the job."""

from typing import Annotated

from pydantic import Field

from dse import provenance
from dse.spec import Bounds, Catalog, Config, Real, Record, Symbol, Unit, leaf

DATA = provenance.sheet(__package__)
GIVEN = DATA.default

Count = Annotated[Real, Unit("1")]
Switch = Annotated[Real, Unit("1")]
Positive = Annotated[Real, Field(gt=0), Unit("1")]
Share = Annotated[Real, Field(ge=0, le=1), Unit("1"), Bounds(0, 1)]
Bytes = Annotated[Real, Unit("B")]
Seconds = Annotated[Real, Field(gt=0), Unit("s")]
Rate = Annotated[Real, Field(gt=0), Unit("B/s")]
Scale = Annotated[Real, Field(gt=0), Unit("1"), Bounds(0.2, 5, log=True)]


class Trained(Record):
    """What the page reads of a network; a sample is a sequence or a picture."""

    parameters: Count
    activation_token: Count
    """Elements saved for the backward pass per token."""
    activation_pair: Count
    """Elements saved for the backward pass per pair of tokens."""
    context: Annotated[Real, Unit("token")] = leaf(1.0)
    """Most tokens of a sample; 1 for a picture."""


class Flash(Record):
    """What the page reads of blocks run in one mode."""

    bits_per_cell: Positive
    read_time: Seconds
    program_time: Seconds
    erase_time: Seconds
    endurance: Positive
    """Programs and erases that a block stands."""
    page_size: Annotated[Real, Field(gt=0), Unit("B")]
    planes_per_die: Positive


class Die(Flash):
    """What the page reads of a die in its native mode."""

    die_capacity: Annotated[Real, Field(gt=0), Unit("B")]


class Victim(Record):
    """Which block is cleaned next; a 1 beside the law that stands for it."""

    random: Switch = leaf(0.0)
    lru: Switch = leaf(0.0)
    greedy: Switch = leaf(0.0)
    d_choices: Switch = leaf(0.0)
    agarwal: Switch = leaf(0.0)


class Zones(Record):
    """How blocks in SLC mode are used."""

    slc: Switch
    """1 if some blocks run in SLC mode."""
    folds: Switch
    """1 if all writes enter there and what survives is copied to TLC."""


class Mechanism(Record):
    """A mechanism of the paper, on or off."""

    on: Switch


class Rating(Record):
    """What a vendor promises of a drive, in place of the laws of wear; 0 if there is none."""

    capacity: Bytes = leaf(0.0)
    writes: Bytes = leaf(0.0)
    """That the host may write in all, at the workload of JESD219."""


class Managed(Config):
    """What decides which bytes are written where: flash, its management, network and job."""

    workload: Annotated[Trained, Catalog("workloads", "bert-large"), Symbol("N")]
    """The network that is trained."""
    slc: Annotated[Flash, Catalog("nand", "slc-mode"), Symbol("S")]
    """Blocks with one bit a cell."""
    tlc: Annotated[Die, Catalog("nand", "tlc-3d"), Symbol("T")]
    """The other blocks, and the die."""
    zones: Annotated[Zones, Catalog("copflash.zones", "tlc"), Symbol("Z")]
    """TLC alone, an SLC cache that folds, or two zones by lifetime."""
    lii: Annotated[Mechanism, Catalog("copflash.lii", "off"), Symbol("LII")]
    """Whether pages that die together share blocks, which then need no copies."""
    eadm: Annotated[Mechanism, Catalog("copflash.eadm", "off"), Symbol("EADM")]
    """Whether two zones are sized so that both wear alike; then `slc_fraction` is not read."""
    victim: Annotated[Victim, Catalog("copflash.victim", "greedy"), Symbol("V")]
    """Which block is cleaned where lifetimes are mixed."""
    slc_fraction: Annotated[Share, Symbol("f")] = GIVEN("slc_fraction")
    """Share of the blocks in SLC mode, if there are zones and EADM does not choose it."""
    dies: Annotated[Count, Field(ge=1), Symbol("n"), Bounds(8, 512, log=True, integer=True)] = (
        GIVEN("dies")
    )
    """Dies of the drive, or of all drives side by side."""
    overprovision: Annotated[
        Real, Field(gt=0), Unit("1"), Symbol("OP"), Bounds(0.02, 1, log=True)
    ] = GIVEN("overprovision")
    """Spare flash over what the drive offers."""
    filled: Annotated[Real, Field(gt=0, le=1), Unit("1"), Symbol("x"), Bounds(0.3, 1)] = GIVEN(
        "filled"
    )
    """Share of what it offers that holds data; the rest is trimmed."""
    pages_per_block: Annotated[
        Count, Field(ge=4), Symbol("b"), Bounds(16, 1024, log=True, integer=True)
    ] = GIVEN("pages_per_block")
    """TLC pages of a block; in SLC mode it holds a third."""
    choices: Annotated[Count, Field(ge=1), Symbol("d"), Bounds(1, 32, integer=True)] = GIVEN(
        "choices"
    )
    """Random blocks among which `d_choices` cleans the best."""
    tlc_endurance_scale: Annotated[Scale, Symbol(r"PE_T / PE_{T,0}")] = GIVEN(
        "tlc_endurance_scale"
    )
    """Erases that a TLC block stands, over those of the catalog."""
    slc_endurance_scale: Annotated[Scale, Symbol(r"PE_S / PE_{S,0}")] = GIVEN(
        "slc_endurance_scale"
    )
    """The same of a block in SLC mode."""
    batch: Annotated[Count, Field(ge=1), Symbol("B_s"), Bounds(1, 512, log=True, integer=True)] = (
        GIVEN("batch")
    )
    """Samples of a step."""
    tokens: Annotated[
        Real, Field(ge=1), Unit("token"), Symbol("s"), Bounds(1, 4096, log=True, integer=True)
    ] = GIVEN("tokens")
    """Length of a sample, at most what the network takes."""
    activation_share: Annotated[Share, Symbol("a_s")] = GIVEN("activation_share")
    """Share of the saved activations that a step writes and reads back: short-lived."""
    gradient_share: Annotated[Share, Symbol("a_g")] = GIVEN("gradient_share")
    """Share of the gradients that does so: short-lived."""
    state_share: Annotated[Share, Symbol("a_m")] = GIVEN("state_share")
    """Share of weights and optimizer states rewritten there each step: medium-lived."""
    dataset: Annotated[Bytes, Field(ge=0), Symbol("D"), Bounds(0, 10e12)] = GIVEN("dataset")
    """Training data on the drive: long-lived."""
    refresh_interval: Annotated[Seconds, Symbol(r"\tau_D"), Bounds(86400, 1e9, log=True)] = GIVEN(
        "refresh_interval"
    )
    """Time in which all of it is written anew."""
    checkpoint_interval: Annotated[Seconds, Symbol(r"\tau"), Bounds(60, 86400, log=True)] = GIVEN(
        "checkpoint_interval"
    )
    """Training time between two checkpoints: long-lived."""
    compute_time: Annotated[Seconds, Symbol("T_c"), Bounds(0.01, 100, log=True)] = GIVEN(
        "compute_time"
    )
    """Time of a step without the drive."""
    steps_per_day: Annotated[Positive, Symbol("n_d"), Bounds(1, 1e5, log=True)] = GIVEN(
        "steps_per_day"
    )
    """Steps of the job; the drive's wear follows from them, not from how fast they are done."""


class Drive(Managed):
    """A drive, how it is managed, and what training writes to it."""

    rating: Annotated[Rating, Catalog("copflash.rating", "none"), Symbol("R")]
    """A vendor's rating that stands in for capacity and wear."""
    channels: Annotated[Count, Field(ge=1), Symbol("n_c"), Bounds(1, 64, integer=True)] = GIVEN(
        "channels"
    )
    """Buses between controller and dies."""
    channel_bandwidth: Annotated[Rate, Symbol("B_c"), Bounds(0.2e9, 4e9, log=True)] = GIVEN(
        "channel_bandwidth"
    )
    """Rate of one of them."""
    link_bandwidth: Annotated[Rate, Symbol("B"), Bounds(1e9, 64e9, log=True)] = GIVEN(
        "link_bandwidth"
    )
    """Rate of the host's link, one direction."""
    request_size: Annotated[
        Real, Field(ge=512), Unit("B"), Symbol("x"), Bounds(4096, 2**26, log=True)
    ] = GIVEN("request_size")
    """Bytes of one request, which starts at any sector."""
    coalesced: Annotated[Share, Symbol("a_c")] = GIVEN("coalesced")
    """Share of the requests that a buffer merges into whole pages."""
    warranty: Annotated[Seconds, Symbol("Y"), Bounds(3e7, 4e8)] = GIVEN("warranty")
    """Time over which drive writes per day are counted."""
