"""Measured kernels of the bulk data as arrays, and the laws' answers beside them.

Traps: in NeuSight's files the output of linear and bmm is M x K and the contraction is N; its
FP32 ran on CUDA cores, not in TF32; a start costs what the measuring protocol makes it cost.
"""

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dse import registry
from dse.spec import Array, Mask
from models.roofline import products
from models.roofline.config import Device, Precision
from models.roofline.model import peak
from models.roofline.products import Law

NEUSIGHT = {
    "Tesla V100-PCIE-32GB": "v100-pcie-32gb",
    "NVIDIA A100-PCIE-40GB": "a100-pcie-40gb",
    "NVIDIA A100 80GB PCIe": "a100-pcie-80gb",
}
FLOORS = {"aic": "graph", "vidur": "profiler", "neusight": "events", "llmcompass": "events"}
"""Source -> the protocol whose start its times hold."""
REGIMES = ("under 20 us", "memory", "compute")


@dataclass(frozen=True)
class Products:
    """Measured products of matrices of one source on one device."""

    name: str
    device: Device
    precision: Precision
    shape: tuple[Array, Array, Array, Array]
    """M, N, K and how many."""
    batched: Mask
    time: Array
    network: NDArray[np.intp]
    """Whose layer it is, where the source says so."""

    def rows(self, chosen: NDArray[np.intp] | Mask) -> Self:
        m, n, k, batch = (column[chosen] for column in self.shape)
        return replace(
            self,
            shape=(m, n, k, batch),
            batched=self.batched[chosen],
            time=self.time[chosen],
            network=self.network[chosen],
        )

    def thinned(self, count: int) -> Self:
        """About so many rows, evenly along M, N and K."""
        m, n, k, _ = self.shape
        step = max(1, len(m) // count)
        return self.rows(np.lexsort((k, n, m))[step // 2 :: step])

    def predicted(self, laws: Mapping[str, Law], starts: Mapping[str, float]) -> Array:
        """Seconds by the calibrated law, the protocol's start included."""
        start = starts[FLOORS[self.name.split()[0]]]
        if self.precision.fp32:
            return start + self._single(laws["vector"])
        time = products.tensor_time(
            shape=self.shape,
            width=self.precision.width,
            peak=peak(self.device, self.precision),
            device=self.device,
            law=laws["tensor"],
        )
        return start + time

    def _single(self, law: Law) -> Array:
        time = np.empty_like(self.time)
        for batched in (False, True):
            chosen = self.rows(self.batched == batched)
            time[self.batched == batched] = products.vector_time(
                shape=chosen.shape,
                width=self.precision.width,
                device=self.device,
                batched=batched,
                law=law,
            )
        return time

    def regimes(self) -> dict[str, Mask]:
        """Rows by what binds them on the plain roof, short ones apart."""
        m, n, k, batch = self.shape
        moved = self.precision.width * batch * (m * k + k * n + m * n)
        memory = moved / self.device.memory_bandwidth
        arithmetic = 2 * batch * m * n * k / peak(self.device, self.precision)
        short, bound = self.time < 20e-6, memory > arithmetic
        masks = (short, ~short & bound, ~short & ~bound)
        return dict(zip(REGIMES, masks, strict=True))


def read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def column(rows: Sequence[Mapping[str, str]], name: str) -> Array:
    return np.array([float(row[name]) for row in rows])


def _set(
    name: str,
    device: str,
    precision: str,
    *,
    shape: tuple[Array, Array, Array],
    time: Array,
    network: NDArray[np.intp] | None = None,
) -> Products:
    """Single products; the time is in ms, as every file has it."""
    count = len(time)
    return Products(
        name=name,
        device=board(device),
        precision=format_(precision),
        shape=(*shape, np.ones(count)),
        batched=np.zeros(count, dtype=np.bool_),
        time=time * 1e-3,
        network=np.zeros(count, dtype=np.intp) if network is None else network,
    )


def board(slug: str) -> Device:
    found = registry.record(Device, "gpus", slug)
    assert isinstance(found, Device)
    return found


def format_(slug: str) -> Precision:
    found = registry.record(Precision, "roofline.precision", slug)
    assert isinstance(found, Precision)
    return found


def _aiconfigurator(folder: Path, chip: str) -> Products:
    (path,) = folder.glob(f"aiconfigurator_{chip}_sxm_gemm_*")
    rows = read(path)
    shape = (column(rows, "m"), column(rows, "n"), column(rows, "k"))
    time = column(rows, "latency")
    return _set(f"aic {chip}", f"{chip}-sxm-80gb", "bf16", shape=shape, time=time)


def _vidur(folder: Path, chip: str, device: str) -> Products:
    parts = []
    for number, path in enumerate(sorted(folder.glob(f"vidur_{chip}_*"))):
        rows = read(path)
        given = {name: column(rows, name) for name in VIDUR_COLUMNS}
        gated = np.array([row["use_gated_mlp"] == "True" for row in rows])
        for operator, (n, k) in _vidur_linears(given, gated).items():
            time = column(rows, f"time_stats.{operator}.median")
            parts.append((given["num_tokens"], n, k, time, np.full(len(time), number)))
    m, n, k, time, network = (np.concatenate(one) for one in zip(*parts, strict=True))
    return _set(f"vidur {chip}", device, "fp16", shape=(m, n, k), time=time, network=network)


VIDUR_COLUMNS = (
    "num_tokens",
    "num_tensor_parallel_workers",
    "n_embd",
    "n_expanded_embd",
    "n_head",
    "n_kv_head",
)


def _vidur_linears(given: Mapping[str, Array], gated: Array) -> dict[str, tuple[Array, Array]]:
    width, ffn = given["n_embd"], given["n_expanded_embd"]
    ranks = given["num_tensor_parallel_workers"]
    heads = (given["n_head"] + 2 * given["n_kv_head"]) * width / given["n_head"]
    return {
        "attn_pre_proj": (heads / ranks, width),
        "attn_post_proj": (width, width / ranks),
        "mlp_up_proj": (np.where(gated, 2, 1) * ffn / ranks, width),
        "mlp_down_proj": (width, ffn / ranks),
    }


def _neusight(folder: Path, device: str) -> Products:
    files = {kind: read(folder / f"neusight_{kind}_fit.csv.gz") for kind in ("linear", "bmm")}
    rows = [
        {**row, "bmm": str(int(kind == "bmm"))}
        for kind, found in files.items()
        for row in found
        if row["Device"] == device
    ]
    shape = (column(rows, "M"), column(rows, "K"), column(rows, "N"))
    slug = NEUSIGHT[device]
    one = _set(f"neusight {slug}", slug, "fp32", shape=shape, time=column(rows, "Latency"))
    return replace(one, shape=(*shape, column(rows, "B")), batched=column(rows, "bmm") > 0)


@cache
def measured_products(data: Path) -> dict[str, Products]:
    """Every set of measured products of matrices, by source and device."""
    folder = data / "kernels"
    found = [
        *(_aiconfigurator(folder, chip) for chip in ("a100", "h100")),
        _vidur(folder, "a100", "a100-sxm-80gb"),
        _vidur(folder, "a40", "a40"),
        *(_neusight(folder, device) for device in NEUSIGHT),
    ]
    return {one.name: one for one in found}


def compass_products(data: Path) -> Products:
    """LLMCompass' products on an A100, which no fit sees."""
    text = (data / "kernels/llmcompass_matmul_A100.csv").read_text(encoding="utf-8")
    cells = [line.replace("ms", "").split(",") for line in text.splitlines() if line]
    m, n, k, time = np.array([[float(cell) for cell in row[:4]] for row in cells]).T
    return _set("llmcompass a100", "a100-sxm-80gb", "fp16", shape=(m, n, k), time=time)
