"""Measured fused attention of the bulk data: aiconfigurator's A100, prefill and decoding."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from dse.spec import Array, Mask
from models.roofline import fused
from models.roofline.fused import Law

from .kernels import board, column, read

LEAST_CONTEXT = 64
"""Shorter contexts take other kernels."""
GROUPS = (1, 4, 8)
"""Heads to one of keys and values that a fit sees."""


@dataclass(frozen=True)
class Attention:
    """Measured attention kernels."""

    batch: Array
    tokens: Array
    context: Array
    heads: Array
    kv_heads: Array
    head_dim: Array
    time: Array

    @property
    def group(self) -> Array:
        return self.heads / self.kv_heads

    def rows(self, chosen: Mask) -> Self:
        return replace(self, **{name: value[chosen] for name, value in vars(self).items()})

    def predicted(self, law: Law) -> Array:
        """Seconds by the calibrated law."""
        device = board("a100-sxm-80gb")
        shape = {name: value for name, value in vars(self).items() if name != "time"}
        return fused.attention_time(
            **shape, width=np.asarray(2.0), peak=device.peak_bf16, device=device, law=law
        )


@cache
def measured(data: Path, phase: str) -> Attention:
    """Rows of `context` (prefill) or `generation` (decoding)."""
    rows = read(data / f"kernels/aiconfigurator_a100_sxm_{phase}_attention_perf.csv.gz")
    heads, kept = column(rows, "num_heads"), column(rows, "num_key_value_heads")
    fresh = column(rows, "isl")
    return Attention(
        batch=column(rows, "batch_size"),
        tokens=fresh,
        context=fresh + column(rows, "step"),
        heads=heads,
        kv_heads=np.where(kept == 0, heads, kept),
        head_dim=column(rows, "head_dim"),
        time=column(rows, "latency") * 1e-3,
    )


def decoded(data: Path) -> Attention:
    """The rows of decoding that the law is for."""
    found = measured(data, "generation")
    return found.rows((found.context >= LEAST_CONTEXT) & np.isin(found.group, GROUPS))


def law_of(constants: Mapping[str, float]) -> Law:
    """The page's law with these constants in place of its own."""
    return Law.model_validate({**fused.LAW.model_dump(), **constants})
