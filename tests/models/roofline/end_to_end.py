"""Measured end-to-end times of NeuSight's networks, and the eager kernels that make them up.

The expansion of a network into kernels is that of the fact sheet (section 8), matched to measured
sums by operator; nothing is fitted on an end-to-end time. A start costs what it costs in a profile
(`launch.profiler`): eager calls queue up, so the events around a single call are not paid.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from dse.spec import Array
from models.roofline import products, streams
from models.roofline.config import Device
from models.roofline.products import Law

from .kernels import board

DEVICES = {"NVIDIA_A100-PCIE-40GB": "a100-pcie-40gb", "Tesla_V100-PCIE-32GB": "v100-pcie-32gb"}
BYTES = 4.0


@dataclass(frozen=True)
class Run:
    """One measured run beside the predictors published with it; seconds."""

    device: str
    network: str
    training: bool
    tokens: int
    batch: int
    measured: float
    neusight: float
    roofline: float


@cache
def runs(data: Path) -> tuple[Run, ...]:
    """The runs that all published predictors answer."""
    with (data / "kernels/neusight_e2e_fit.csv").open(encoding="utf-8") as lines:
        found = [row for row in csv.DictReader(lines) if row["pred_micro_e2e_ms"]]
    return tuple(_run(row) for row in found)


def _run(row: Mapping[str, str]) -> Run:
    network, mode, tokens, batch = row["run"].split("-")
    return Run(
        device=DEVICES[row["device"]],
        network=network,
        training=mode == "train",
        tokens=int(tokens),
        batch=int(batch),
        measured=float(row["measured_e2e_latency"]) * 1e-3,
        neusight=float(row["pred_neusight_e2e_ms"]) * 1e-3,
        roofline=float(row["pred_roofline_e2e_ms"]) * 1e-3,
    )


@dataclass
class Tape:
    """Kernels of a run, by kind: rows of sizes with a count."""

    training: bool
    linear: list[tuple[float, ...]] = field(default_factory=list)
    bmm: list[tuple[float, ...]] = field(default_factory=list)
    stream: list[tuple[float, ...]] = field(default_factory=list)
    softmax: list[tuple[float, ...]] = field(default_factory=list)
    norm: list[tuple[float, ...]] = field(default_factory=list)

    def multiply(self, m: float, n: float, k: float, count: float, *, bias: bool = True) -> None:
        """Linear layers; backward, two of the transposed shapes and the bias' gradient."""
        self.linear.append((m, n, k, 1, count))
        if self.training:
            self.linear += [(m, k, n, 1, count), (k, n, m, 1, count)]
            self.move(m * n, 4, count if bias else 0)

    def heads(self, many: float, m: float, n: float, k: float, count: float) -> None:
        """Batched products of all heads; backward, two of the transposed shapes."""
        self.bmm.append((m, n, k, many, count))
        if self.training:
            self.bmm += [(m, k, n, many, count), (k, n, m, many, count)]

    def move(self, elements: float, bytes_: float, count: float = 1, back: float = 0) -> None:
        """Elementwise kernels; `back` are the bytes per element of their backward pass."""
        self.stream.append((elements, bytes_, count))
        if self.training and back:
            self.stream.append((elements, back, count))

    def normalise(self, rows: float, length: float, count: float) -> None:
        """Layer norms; backward 16 B an element."""
        self.norm.append((rows, length, count))
        if self.training:
            self.stream.append((rows * length, 16, count))

    def weigh(self, rows: float, length: float, count: float) -> None:
        """Softmax; backward 20 B an element."""
        self.softmax.append((rows, length, count))
        if self.training:
            self.stream.append((rows * length, 20, count))


def kernels(run: Run, sizes: Mapping[str, float]) -> Tape:
    """The kernels of a run of a network with these sizes."""
    family = run.network.partition("_")[0]
    tape = Tape(run.training)
    write = {"bert": _bert, "opt": _opt, "switchxl4": _switch}.get(family, _gpt)
    write(tape, run.batch, run.tokens, sizes)
    return tape


def _attend(tape: Tape, batch: int, tokens: int, heads: float, size: float, layers: float) -> None:
    tape.heads(batch * heads, tokens, tokens, size, layers)
    tape.heads(batch * heads, tokens, size, tokens, layers)
    tape.weigh(batch * heads * tokens, tokens, layers)


def _drop(tape: Tape, scores: float, stream: float, logits: float, layers: float) -> None:
    """Dropout and loss, which only training has: 9 B each way, and 24 B each way."""
    if tape.training:
        tape.move(scores, 9, 2 * layers)
        tape.move(stream, 9, 4 * layers)
        tape.move(logits, 24, 2)


def _gpt(tape: Tape, batch: int, tokens: int, sizes: Mapping[str, float]) -> None:
    width, heads, layers = sizes["n_embd"], sizes["n_head"], sizes["n_layer"]
    rows, scores, vocab = batch * tokens, batch * heads * tokens**2, sizes["vocab_size"]
    for n, k in ((3 * width, width), (width, width), (4 * width, width), (width, 4 * width)):
        tape.multiply(rows, n, k, layers)
    _attend(tape, batch, tokens, heads, width / heads, layers)
    tape.move(scores, 8, layers, back=8)
    tape.move(scores, 8.5, layers, back=8.5)
    for bytes_, back in ((8, 8), (8, 8), (8, 8), (8, 26), (8, 12), (8, 0), (12, 0), (12, 23)):
        tape.move(4 * rows * width, bytes_, layers, back=back)
    tape.move(rows * width, 12, 2 * layers)
    tape.move(rows * width, 8, 2)
    tape.normalise(rows, width, 2 * layers + 1)
    tape.multiply(rows, vocab, width, 1, bias=False)
    _drop(tape, scores, rows * width, rows * vocab, layers)


def _opt(tape: Tape, batch: int, tokens: int, sizes: Mapping[str, float]) -> None:
    width, heads = sizes["hidden_size"], sizes["num_attention_heads"]
    layers, inner = sizes["num_hidden_layers"], sizes["ffn_dim"]
    rows, scores = batch * tokens, batch * heads * tokens**2
    tape.multiply(rows, width, width, 4 * layers)
    tape.multiply(rows, inner, width, layers)
    tape.multiply(rows, width, inner, layers)
    _attend(tape, batch, tokens, heads, width / heads, layers)
    tape.move(scores, 12, 2 * layers)
    tape.move(rows * width, 8, 4 * layers)
    tape.move(rows * inner, 8, layers)
    tape.move(rows * width, 12, 2 * layers)
    tape.normalise(rows, width, 2 * layers + 1)
    tape.multiply(rows, sizes["vocab_size"], width, 1)


def _bert(tape: Tape, batch: int, tokens: int, sizes: Mapping[str, float]) -> None:
    width, heads = sizes["hidden_size"], sizes["num_attention_heads"]
    layers, inner = sizes["num_hidden_layers"], sizes["intermediate_size"]
    rows, scores = batch * tokens, batch * heads * tokens**2
    tape.multiply(rows, width, width, 4 * layers)
    tape.multiply(rows, inner, width, layers)
    tape.multiply(rows, width, inner, layers)
    _attend(tape, batch, tokens, heads, width / heads, layers)
    tape.move(scores, 8, layers, back=8)
    tape.move(scores, 12, layers)
    tape.move(rows * inner, 8, layers, back=12)
    tape.move(rows * width, 12, 2 * layers)
    tape.normalise(rows, width, 2 * layers + 1)
    if tape.training:
        tape.multiply(rows, width, width, 1)
        tape.multiply(rows, sizes["vocab_size"], width, 1)
    _drop(tape, scores, rows * width, rows * sizes["vocab_size"], layers)


def _switch(tape: Tape, batch: int, tokens: int, sizes: Mapping[str, float]) -> None:
    """T5 with four experts in every other layer: attention of encoder, decoder and across."""
    width, heads, layers = sizes["d_model"], sizes["num_heads"], sizes["num_layers"]
    inner, query = sizes["d_ff"], sizes["num_heads"] * sizes["d_kv"]
    rows, scores, experts = batch * tokens, batch * heads * tokens**2, sizes["num_experts"]
    tape.multiply(rows, query, width, 9 * layers)
    tape.multiply(rows, width, query, 3 * layers)
    for _ in range(3):
        _attend(tape, batch, tokens, heads, sizes["d_kv"], layers)
    tape.move(scores, 12, 3 * layers)
    for share, count in ((1, layers), (1 / experts, experts * layers)):
        tape.multiply(rows * share, inner, width, count)
        tape.multiply(rows * share, width, inner, count)
        tape.move(rows * share * inner, 8, count)
    tape.move(rows * width, 40, 5 * layers)
    tape.move(rows * width, 12, (5 + experts) * layers)
    tape.multiply(rows, sizes["vocab_size"], width, 1)


def network(data: Path, name: str) -> dict[str, float]:
    """Sizes of one of NeuSight's networks."""
    text = (data / f"kernels/neusight_models/{name}.json").read_text(encoding="utf-8")
    found = json.loads(text)
    return {key: float(v) for key, v in found.items() if isinstance(v, int | float)}


def predicted(tape: Tape, device: Device, law: Law, start: float) -> float:
    """Seconds of all kernels, one after another, each with its start."""
    total = sum(_products(tape, device, law, start))
    width = np.asarray(BYTES)
    elements, bytes_, count = _columns(tape.stream)
    moved = streams.elementwise_time(
        elements=elements, moved=bytes_ / BYTES, width=width, device=device
    )
    total += float(np.sum(count * (start + moved)))
    for rows, law_of in ((tape.softmax, streams.softmax_time), (tape.norm, streams.norm_time)):
        if rows:
            many, length, count = _columns(rows)
            time = law_of(rows=many, length=length, width=width, device=device)
            total += float(np.sum(count * (start + time)))
    return total


def _products(tape: Tape, device: Device, law: Law, start: float) -> list[float]:
    found = []
    for rows, batched in ((tape.linear, False), (tape.bmm, True)):
        m, n, k, many, count = _columns(rows)
        time = products.vector_time(
            shape=(m, n, k, many),
            width=np.asarray(BYTES),
            device=device,
            batched=batched,
            law=law,
        )
        found.append(float(np.sum(count * (start + time))))
    return found


def _columns(rows: list[tuple[float, ...]]) -> list[Array]:
    return list(np.array(rows, dtype=np.float64).T)


def shapes(tape: Tape) -> set[tuple[float, float]]:
    """N and K of a network's linear layers, by which its measured kernels are known."""
    return {(n, k) for _, n, k, _, _ in tape.linear}


def on(run: Run) -> Device:
    """The device of a run."""
    return board(run.device)
