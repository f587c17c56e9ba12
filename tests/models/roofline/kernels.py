"""Measured kernels of the bulk data as arrays, and the laws' answers beside them.

Traps: in NeuSight's files the output of linear and bmm is M x K and the contraction is N; its
FP32 ran on CUDA cores, not in TF32; a start costs what the measuring protocol makes it cost.
"""

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dse import registry
from dse.spec import Array
from models.roofline import products
from models.roofline.config import Device, Precision
from models.roofline.model import peak
from models.roofline.products import Law

NEUSIGHT = {
    "Tesla V100-PCIE-32GB": "v100-pcie-32gb",
    "NVIDIA A100-PCIE-40GB": "a100-pcie-40gb",
    "NVIDIA A100 80GB PCIe": "a100-pcie-80gb",
}
FLOORS = {"aic": "graph", "vidur": "profiler", "neusight": "events"}
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
    batched: Array
    time: Array
    network: Array
    """Whose layer it is, where the source says so."""

    def rows(self, chosen: Array) -> "Products":
        shape = tuple(column[chosen] for column in self.shape)
        found = (shape, self.batched[chosen], self.time[chosen], self.network[chosen])
        return Products(self.name, self.device, self.precision, *found)  # type: ignore[arg-type] # mypy loses the length of the tuple

    def thinned(self, count: int) -> "Products":
        """About so many rows, evenly along M, N and K."""
        m, n, k, _ = self.shape
        step = max(1, len(m) // count)
        return self.rows(np.lexsort((k, n, m))[step // 2 :: step])

    def predicted(self, laws: Mapping[str, Law], starts: Mapping[str, float]) -> Array:
        """Seconds by the calibrated law, the protocol's start included."""
        start = starts[FLOORS[self.name.split()[0]]]
        given = {"width": self.precision.width, "device": self.device}
        if not self.precision.fp32:
            rate = peak(self.device, self.precision)
            return start + products.tensor_time(
                shape=self.shape, peak=rate, law=laws["tensor"], **given
            )
        time = np.empty_like(self.time)
        for batched in (False, True):
            chosen = self.batched == batched
            shape = tuple(column[chosen] for column in self.shape)
            time[chosen] = products.vector_time(
                shape=shape,  # type: ignore[arg-type] # mypy loses the length of the tuple
                batched=batched,
                law=laws["vector"],
                **given,
            )
        return start + time

    def regimes(self) -> dict[str, Array]:
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


def _set(name: str, device: str, precision: str, **columns: Array) -> Products:
    count = len(columns["time"])
    empty = {"batch": np.ones(count), "batched": np.zeros(count, bool), "network": np.zeros(count)}
    found = empty | columns
    return Products(
        name=name,
        device=board(device),
        precision=format_(precision),
        shape=(found["m"], found["n"], found["k"], found["batch"]),
        batched=found["batched"],
        time=found["time"],
        network=found["network"],
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
    shape = {name: column(rows, name) for name in "mnk"}
    time = column(rows, "latency") * 1e-3
    return _set(f"aic {chip}", f"{chip}-sxm-80gb", "bf16", time=time, **shape)


def _vidur(folder: Path, chip: str, device: str) -> Products:
    parts: list[dict[str, Array]] = []
    for number, path in enumerate(sorted(folder.glob(f"vidur_{chip}_*"))):
        rows = read(path)
        given = {name: column(rows, name) for name in VIDUR_COLUMNS}
        gated = np.array([row["use_gated_mlp"] == "True" for row in rows])
        for operator, (n, k) in _vidur_linears(given, gated).items():
            time = column(rows, f"time_stats.{operator}.median") * 1e-3
            found = {"m": given["num_tokens"], "n": n, "k": k, "time": time}
            parts.append({**found, "network": np.full(len(time), number)})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return _set(f"vidur {chip}", device, "fp16", **columns)


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
    found = []
    for kind in ("linear", "bmm"):
        rows = [r for r in read(folder / f"neusight_{kind}_fit.csv.gz") if r["Device"] == device]
        columns = {name: column(rows, name) for name in ("B", "M", "N", "K", "Latency")}
        found.append({**columns, "bmm": np.full(len(rows), kind == "bmm")})
    joined = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    return _set(
        f"neusight {NEUSIGHT[device]}",
        NEUSIGHT[device],
        "fp32",
        m=joined["M"],
        n=joined["K"],
        k=joined["N"],
        batch=joined["B"],
        batched=joined["bmm"],
        time=joined["Latency"] * 1e-3,
    )


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
