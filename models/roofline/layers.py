"""The machines a calibration can measure: NumPy on this CPU, PyTorch on a CUDA GPU.

Both sit behind one small protocol, so the same steps measure either, and a made-up one in tests.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.provenance import Number, Source
from dse.terminal import CORES

B = TypeVar("B")
"""What a layer allocates."""

TOLD = Source(where="as the operating system or the driver says", kind="secondary")
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
BLOCK = 2**14
"""Numbers of one step of the triad: its three blocks stay in a core's own cache."""
SCALE = 3.0


class Layer(Protocol[B]):
    """What a calibration asks of a machine; work may be queued until `synchronise`."""

    kind: str
    """The catalog whose rows it is like."""
    name: str
    """What the machine calls itself."""
    formats: tuple[str, ...]
    """Number formats that it multiplies in."""
    cache: float | None
    """Bytes of its last cache, if it says so."""

    def facts(self) -> Mapping[str, Number]:
        """What the machine says of itself: memory, cores, caches."""

    def environment(self) -> Mapping[str, object]:
        """Threads, versions of libraries, and what else tells how far to trust it."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""

    def allocate(self, rows: int, columns: int, number: str) -> B:
        """A matrix of numbers of that format, filled."""

    def multiply(self, left: B, right: B, out: B, number: str) -> None:
        """The product of two matrices."""

    def copy(self, source: B, target: B) -> None:
        """All numbers of one array into another."""

    def triad(self, first: B, second: B, target: B) -> None:
        """Target is first plus a multiple of second: two reads and a write."""

    def tiny(self, buffer: B) -> None:
        """An operator too small to work: what is left is the cost of a call."""

    def synchronise(self) -> None:
        """Wait until all that was asked is done."""


def told(value: float, unit: str) -> Number:
    """A number that the machine says of itself."""
    return Number(value=float(value), unit=unit, source=TOLD)


def filled(rows: int, columns: int) -> NDArray[np.float64]:
    """Numbers from 0.5 to 1.5 that repeat: neither zeros, which save power, nor subnormal."""
    pattern = 0.5 + np.arange(997) / 996
    return np.resize(pattern, (rows, columns))


Matrix = NDArray[Any]


class Cpu:
    """This CPU through NumPy: its BLAS multiplies, and all threads it may use copy."""

    kind = "cpus"
    formats: tuple[str, ...] = ("fp32", "fp64")

    def __init__(self) -> None:
        self.name = _processor()
        self.cache = _last_cache()
        self._threads = _threads()
        self._pool = ThreadPoolExecutor(self._threads)

    def facts(self) -> Mapping[str, Number]:
        """Cores, last cache and memory as the operating system says."""
        found = {"cores": told(CORES, "1")}
        if self.cache is not None:
            found["llc_capacity"] = told(self.cache, "B")
        if memory := _memory():
            found["memory_capacity"] = told(memory, "B")
        return found

    def environment(self) -> Mapping[str, object]:
        """Threads, the load of the last minute, versions."""
        blas: Any = np.show_config(mode="dicts")
        used = blas.get("Build Dependencies", {}).get("blas", {})
        return {
            "threads": self._threads,
            "cores": CORES,
            **({"load": round(os.getloadavg()[0], 2)} if hasattr(os, "getloadavg") else {}),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "blas": f"{used.get('name', 'unknown')} {used.get('version', '')}".strip(),
            "system": platform.system(),
            "machine": platform.machine(),
        }

    def now(self) -> float:
        """Seconds."""
        return time.perf_counter()

    def allocate(self, rows: int, columns: int, number: str) -> Matrix:
        """A matrix in memory that was touched."""
        return filled(rows, columns).astype(np.float32 if number == "fp32" else np.float64)

    def multiply(self, left: Matrix, right: Matrix, out: Matrix, number: str) -> None:
        """The BLAS product; the format is that of the matrices."""
        np.matmul(left, right, out=out)

    def copy(self, source: Matrix, target: Matrix) -> None:
        """Each thread its share."""
        self._shared(lambda part: np.copyto(target[part], source[part]), len(target))

    def triad(self, first: Matrix, second: Matrix, target: Matrix) -> None:
        """Each thread its share, block by block, so that the scaled block stays in its cache."""

        def run(part: slice) -> None:
            for start in range(part.start, part.stop, BLOCK):
                block = slice(start, min(start + BLOCK, part.stop))
                np.multiply(second[block], SCALE, out=target[block])
                np.add(first[block], target[block], out=target[block])

        self._shared(run, len(target))

    def tiny(self, buffer: Matrix) -> None:
        """A few signs turned."""
        np.negative(buffer, out=buffer)

    def synchronise(self) -> None:
        """NumPy has nothing queued."""

    def _shared(self, run: Callable[[slice], None], length: int) -> None:
        """NumPy's own loops use one thread and free the interpreter, so threads share them."""
        ends = [length * i // self._threads for i in range(self._threads + 1)]
        parts = [slice(ends[i], ends[i + 1]) for i in range(self._threads)]
        done, _ = wait([self._pool.submit(run, part) for part in parts])
        for one in done:
            one.result()


def _threads() -> int:
    """Threads that BLAS takes: what its variables ask for, else the cores we may use."""
    asked = [os.environ[name] for name in THREADS if os.environ.get(name, "").isdecimal()]
    return max(1, min(CORES, int(asked[0]))) if asked else CORES


def _processor() -> str:
    """The CPU's name, as Linux says it, else what Python knows."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(\S.*)$", text, re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine() or "cpu"


def _last_cache() -> float | None:
    """Bytes of the largest cache that Linux lists for a core."""
    found = []
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        size = re.fullmatch(r"(\d+)([KMG])\s*", path.read_text(encoding="utf-8"))
        if size:
            found.append(int(size[1]) * 1024.0 ** (1 + "KMG".index(size[2])))
    return max(found, default=None)


def _memory() -> float | None:
    """Bytes of memory, where the operating system tells."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None


AMPERE = 8
"""The compute capability that brought TF32 and BF16."""


class Cuda:
    """The first CUDA GPU through PyTorch, which is only looked for when one is made."""

    kind = "gpus"

    def __init__(self) -> None:
        self._torch: Any = _torch()
        self._facts: Any = self._torch.cuda.get_device_properties(0)
        self.name = str(self._facts.name)
        size = getattr(self._facts, "L2_cache_size", None)
        self.cache = None if size is None else float(size)
        modern = ("tf32", "fp16", "bf16") if self._facts.major >= AMPERE else ("fp16",)
        self.formats: tuple[str, ...] = ("fp32", *modern)

    def facts(self) -> Mapping[str, Number]:
        """Memory, multiprocessors, generation and L2 cache as the driver says."""
        generation = self._facts.major + self._facts.minor / 10
        found = {
            "memory_capacity": told(self._facts.total_memory, "B"),
            "multiprocessors": told(self._facts.multi_processor_count, "1"),
            "compute_capability": told(generation, "1"),
        }
        return found if self.cache is None else {**found, "l2_capacity": told(self.cache, "B")}

    def environment(self) -> Mapping[str, object]:
        """Versions."""
        return {
            "python": platform.python_version(),
            "torch": str(self._torch.__version__),
            "cuda": str(self._torch.version.cuda),
            "system": platform.system(),
        }

    def now(self) -> float:
        """Seconds."""
        return time.perf_counter()

    def allocate(self, rows: int, columns: int, number: str) -> Any:  # noqa: ANN401 - a tensor
        """A matrix on the device."""
        names = {"fp16": "float16", "bf16": "bfloat16", "fp64": "float64"}
        kind = getattr(self._torch, names.get(number, "float32"))
        return self._torch.from_numpy(filled(rows, columns)).to(device="cuda", dtype=kind)

    def multiply(self, left: Any, right: Any, out: Any, number: str) -> None:  # noqa: ANN401 - tensors
        """The library's product; TF32 is a way to multiply matrices of single precision."""
        self._torch.set_float32_matmul_precision("high" if number == "tf32" else "highest")
        self._torch.matmul(left, right, out=out)

    def copy(self, source: Any, target: Any) -> None:  # noqa: ANN401 - tensors
        """One kernel."""
        target.copy_(source)

    def triad(self, first: Any, second: Any, target: Any) -> None:  # noqa: ANN401 - tensors
        """One kernel."""
        self._torch.add(first, second, alpha=SCALE, out=target)

    def tiny(self, buffer: Any) -> None:  # noqa: ANN401 - a tensor
        """One kernel of a few signs turned."""
        buffer.neg_()

    def synchronise(self) -> None:
        """Wait for the device."""
        self._torch.cuda.synchronize()


def _torch() -> Any:  # noqa: ANN401 - a module without types here
    """PyTorch, if it is there and sees a GPU.

    Raises:
        InputError: it is absent, or sees none.
    """
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        raise InputError(
            "calibrating a GPU needs PyTorch; install the extra: pip install 'dse-codesign[cuda]'"
        ) from None
    if not torch.cuda.is_available():
        raise InputError("PyTorch sees no CUDA GPU; run this on a machine with one")
    return torch
