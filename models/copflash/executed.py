"""What the executed mechanism is given: the page's drive and job, and what only it knows."""

from typing import Annotated

from pydantic import Field

from dse.spec import Bounds, Catalog, Real, Record, Symbol, Unit, leaf

from .config import DATA, Count, Managed, Positive, Share, Switch
from .ftl import Victim, best_of, greedy, oldest


class Pattern(Record):
    """What is written: the job, or single pages at random."""

    random: Switch = leaf(0.0)
    slc: Switch = leaf(0.0)
    """1 if the blocks are in SLC mode."""
    hot: Switch = leaf(0.0)
    """1 if some pages are written more often than others."""


class Marks(Record):
    """Where LII has the class of a write from."""

    learned: Switch = leaf(0.0)


class Executed(Managed):
    """A drive and what is written to it; a step takes its compute time."""

    traffic: Annotated[Pattern, Catalog("copflash.traffic", "training"), Symbol("t")]
    """The job, or single pages at random."""
    marks: Annotated[Marks, Catalog("copflash.marks", "given"), Symbol("m")]
    """Where LII has the class of a write from."""
    blocks: Annotated[
        Count, Field(ge=8), Symbol("N"), Bounds(128, 8192, log=True, integer=True)
    ] = DATA.default("reference.blocks")
    """Blocks that stand for all of the drive's; the laws hold for many."""
    fills: Annotated[Count, Field(ge=1), Symbol("n_f"), Bounds(1, 64, log=True)] = DATA.default(
        "reference.fills"
    )
    """How often random traffic writes all data; the second half counts."""
    steps: Annotated[
        Count, Field(ge=2), Symbol("n_s"), Bounds(10, 1e5, log=True, integer=True)
    ] = DATA.default("reference.steps")
    """Steps of training; the second half counts."""
    spread: Annotated[Switch, Symbol("s_l"), Bounds(0, 1, integer=True)] = DATA.default(
        "reference.spread"
    )
    """1 if long-lived bytes are written between tensors all the time, 0 if when they are due."""
    hot_writes: Annotated[Share, Symbol("r")] = DATA.default("reference.hot_writes")
    """Share of random writes that go to hot pages."""
    hot_data: Annotated[Positive, Field(lt=1), Symbol("f_h"), Bounds(0.01, 0.99)] = DATA.default(
        "reference.hot_data"
    )
    """Share of the pages that are hot."""
    hot_split: Annotated[Positive, Field(lt=1), Symbol("a"), Bounds(0.01, 0.99)] = DATA.default(
        "reference.hot_split"
    )
    """Share of the spare blocks that hot pages get where they have a pool of their own."""
    misses: Annotated[Share, Symbol("m_r")] = DATA.default("reference.misses")
    """Share of training's writes whose class is drawn at random."""
    gain: Annotated[Positive, Field(le=1), Symbol("g"), Bounds(0.01, 1)] = DATA.default(
        "reference.gain"
    )
    """Weight of the newest life where lives are learned."""
    eadm_band: Annotated[Share, Symbol(r"\theta")] = DATA.default("reference.eadm_band")
    """Wear difference over the larger wear that EADM lets be."""
    eadm_period: Annotated[
        Count, Field(ge=1), Symbol("K"), Bounds(1, 1024, log=True, integer=True)
    ] = DATA.default("reference.eadm_period")
    """Erases between two looks of EADM."""
    seed: Annotated[Real, Field(ge=0), Unit("1"), Symbol("s_r"), Bounds(0, 1e6, integer=True)] = (
        DATA.default("reference.seed")
    )
    """Of all that is random."""

    def slc_pages(self) -> int:
        """Whole pages of a block in SLC mode."""
        return int(self.pages_per_block * self.slc.bits_per_cell / self.tlc.bits_per_cell)

    def endurance(self) -> tuple[float, float]:
        """Erases that a block stands in SLC and in TLC mode."""
        slc = self.slc.endurance * self.slc_endurance_scale
        return float(slc), float(self.tlc.endurance * self.tlc_endurance_scale)

    def chooser(self) -> Victim:
        """How the victim is chosen.

        Raises:
            ValueError: a law that no policy stands behind.
        """
        if self.victim.agarwal:
            raise ValueError("agarwal is a law of greedy; set victim to greedy")
        if self.victim.greedy:
            return greedy
        return (
            oldest
            if self.victim.lru
            else best_of(int(self.choices) if self.victim.d_choices else 1)
        )
