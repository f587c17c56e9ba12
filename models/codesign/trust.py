"""By which law GPU times are priced, and the knobs that hold what is uncertain of other pages.

A knob of `Trust` is truth over prediction of one page's metric. It is no choice of a designer: it
is 1, the prediction itself, unless an interval draws it from the errors of that page's check rows
or somebody asks what if.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dse.spec import Bounds, Catalog, Config, Symbol

from ..roofline import config as roofline
from .rows import GIVEN, Count

Ratio = Annotated[Count, Field(gt=0), Bounds(0.05, 20, log=True)]


class Law(Config):
    """How GPU times come about: the `roofline` page's forms."""

    form: Annotated[roofline.Form, Catalog("roofline.form", "datasheet"), Symbol("f")]
    """The roof of the datasheet, or kernels as measured ones say; GPUs and transformers only."""
    train_kernels: Annotated[
        roofline.Kernels, Catalog("roofline.kernels", "listed"), Symbol(r"\kappa_t")
    ]
    """What the kernels of a training step do; the calibrated form alone reads it."""
    serve_kernels: Annotated[
        roofline.Kernels, Catalog("roofline.kernels", "listed"), Symbol(r"\kappa_s")
    ]
    """The same of a GPU that serves."""


class Trust(Config):
    """Truth over prediction of what other pages say: 1 unless the interval draws it."""

    training_time: Annotated[Ratio, Symbol(r"\epsilon_t")] = GIVEN("trust.training_time")
    """Of the training GPU's time, starts of kernels included; 1 unless the interval draws it."""
    serving_time: Annotated[Ratio, Symbol(r"\epsilon_g")] = GIVEN("trust.serving_time")
    """Of the serving GPU's time, the same; 1 unless the interval draws it."""
    cpu_time: Annotated[Ratio, Symbol(r"\epsilon_c")] = GIVEN("trust.cpu_time")
    """Of the serving CPU's time, the same; 1 unless the interval draws it."""
    offload: Annotated[Ratio, Symbol(r"\epsilon_o")] = GIVEN("trust.offload")
    """Of the time that drives and links take in a step; 1 unless the interval draws it."""
    drive_life: Annotated[Ratio, Symbol(r"\epsilon_w")] = GIVEN("trust.drive_life")
    """Of the drives' lifetime, its cap left as it is; 1 unless the interval draws it."""
    ring_time: Annotated[Ratio, Symbol(r"\epsilon_r")] = GIVEN("trust.ring_time")
    """Of a token's time on a ring of FPGAs; 1 unless the interval draws it."""
    ring_power: Annotated[Ratio, Symbol(r"\epsilon_p")] = GIVEN("trust.ring_power")
    """Of a board's power, idle and busy; 1 unless the interval draws it."""
    split: Annotated[Ratio, Symbol(r"\epsilon_d")] = GIVEN("trust.split")
    """Of the latency of parts on both devices of a pair; 1 unless the interval draws it."""
    candidates: Annotated[Ratio, Symbol(r"\epsilon_C")] = GIVEN("trust.candidates")
    """Of the rows that A3 selects, all at most; 1 unless the interval draws it."""
    kept_rows: Annotated[Ratio, Symbol(r"\epsilon_K")] = GIVEN("trust.kept_rows")
    """Of the rows that its threshold leaves, all at most; 1 unless the interval draws it."""
    regret: Annotated[Ratio, Symbol(r"\epsilon_R")] = GIVEN("trust.regret")
    """Of a found schedule's time over the best, 1 at least; 1 unless the interval draws it."""
    instructions: Annotated[Ratio, Symbol(r"\epsilon_i")] = GIVEN("trust.instructions")
    """Of the instructions that a decompiler meets; 1 unless the interval draws it."""
    recovered: Annotated[Ratio, Symbol(r"\epsilon_x")] = GIVEN("trust.recovered")
    """Of the chance to recover all operators, 1 at most; 1 unless the interval draws it."""
