"""Measured streaming kernels of the bulk data: NeuSight's in FP32, vidur's of a serving engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dse.spec import Array
from models.roofline import streams
from models.roofline.config import Device
from models.roofline.streams import Law

from .kernels import NEUSIGHT, board, column, read

TWO_INPUTS = ("add", "mul", "div", "pow")
CYCLES = {
    "input_layernorm": "norm_cycles",
    "post_attention_layernorm": "norm_cycles",
    "attn_rope": "rotary_cycles",
    "mlp_act": "activation_cycles",
    "emb": "lookup_cycles",
    "add": "",
}
"""Operator of vidur -> the constant of its issue."""

ROWS = {"softmax": streams.softmax_time, "norm": streams.norm_time}
LONG = 70e-6
"""LLMCompass' shorter times are those of the host."""


@dataclass(frozen=True)
class Streams:
    """Measured streaming kernels of one kind on one device."""

    kind: str
    board: str
    rows: Array
    length: Array
    moved: Array
    """Elements moved per element, of what is neither softmax nor norm."""
    time: Array
    width: float = 4.0
    cycles: str = ""
    inputs: float = 1.0
    """What an activation reads per output."""
    starts: float = 1.0

    @property
    def device(self) -> Device:
        return board(self.board)

    def predicted(self, law: Law, start: float) -> Array:
        """Seconds by the calibrated law, the protocol's start included."""
        width, rows = np.asarray(self.width), {"rows": self.rows, "length": self.length}
        cycles = np.asarray(getattr(law, self.cycles) * self.inputs if self.cycles else 0.0)
        if self.kind in ROWS:
            return start + ROWS[self.kind](
                **rows, width=width, device=self.device, cycles=cycles, law=law
            )
        time = streams.elementwise_time(
            elements=self.rows * self.length,
            moved=self.moved,
            width=width,
            cycles=cycles,
            device=self.device,
            law=law,
        )
        return self.starts * start + time


@cache
def single(data: Path) -> dict[str, tuple[Streams, ...]]:
    """NeuSight's kernels by kind, one set a device."""
    files = {"elementwise": "elem", "softmax": "softmax", "norm": "ln"}
    return {
        kind: tuple(
            _single(data / f"kernels/neusight_{name}_fit.csv.gz", kind, device)
            for device in NEUSIGHT
        )
        for kind, name in files.items()
    }


def _single(path: Path, kind: str, device: str) -> Streams:
    rows = [row for row in read(path) if row["Device"] == device]
    two = np.array([row.get("OPName") in TWO_INPUTS for row in rows])
    return Streams(
        kind=kind,
        board=NEUSIGHT[device],
        rows=column(rows, "B"),
        length=column(rows, "H"),
        moved=np.where(two, 3.0, 2.0),
        time=column(rows, "Latency") * 1e-3,
    )


@cache
def serving(data: Path) -> tuple[Streams, ...]:
    """The serving engine's kernels in FP16, one set an operator of a network on a device."""
    found = []
    for chip, slug in (("a100", "a100-sxm-80gb"), ("a40", "a40")):
        for path in sorted((data / "kernels").glob(f"vidur_{chip}_*")):
            rows = read(path)
            names = [name for name in CYCLES if f"time_stats.{name}.median" in rows[0]]
            found += [_serving(rows, name, slug) for name in names]
    return tuple(found)


def _serving(rows: list[dict[str, str]], operator: str, slug: str) -> Streams:
    gated = rows[0]["use_gated_mlp"] == "True"
    given = {name: column(rows, name) for name in ("n_embd", "n_head", "n_kv_head")}
    ranks = column(rows, "num_tensor_parallel_workers")
    heads = (given["n_head"] + given["n_kv_head"]) * given["n_embd"] / given["n_head"]
    length = {
        "attn_rope": heads / ranks,
        "mlp_act": column(rows, "n_expanded_embd") / ranks,
    }.get(operator, given["n_embd"])
    cycles = CYCLES[operator]
    if not gated:  # phi-2, the one network with layer norms
        cycles = cycles.replace("norm_cycles", "layer_cycles")
    # Where attention and feed-forward stand side by side (no gate: phi-2), two sums are one entry.
    sums = 2.0 if operator == "add" and not gated else 1.0
    moved = {"mlp_act": 3.0 if gated else 2.0, "add": 3.0 * sums}.get(operator, 2.0)
    return Streams(
        kind="norm" if "layernorm" in operator else "elementwise",
        board=slug,
        rows=column(rows, "num_tokens"),
        length=length,
        moved=np.asarray(moved),
        time=column(rows, f"time_stats.{operator}.median") * 1e-3,
        width=2.0,
        cycles=cycles,
        inputs=2.0 if operator == "mlp_act" and gated else 1.0,
        starts=sums,
    )


@cache
def compass(data: Path, kind: str) -> Streams:
    """LLMCompass' softmax or norm in FP16 on an A100, rows that the device takes long over."""
    name = {"softmax": "softmax", "norm": "layernorm"}[kind]
    table = np.loadtxt(data / f"kernels/llmcompass_{name}_A100.csv", delimiter=",")
    rows, length, rate = table.T
    time = rows * length / (rate * 1e9)
    long = time > LONG
    return Streams(
        kind=kind,
        board="a100-sxm-80gb",
        rows=rows[long],
        length=length[long],
        moved=np.asarray(2.0),
        time=time[long],
        width=2.0,
        cycles={"softmax": "softmax_cycles", "norm": "layer_cycles"}[kind],
    )


def law_of(constants: Mapping[str, float]) -> Law:
    """The page's law with these constants in place of its own."""
    return Law.model_validate({**streams.LAW.model_dump(), **constants})
