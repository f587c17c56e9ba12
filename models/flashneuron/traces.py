"""A profile of kernels, read strictly: what a trace file may hold, and the sums a page needs.

The file is JSON, plain or gzip, or the same as CSV. JSON holds `net`, `batch`, `loss_kernel`
(index of the first backward kernel), `kernels` as lists [name, time in ms, inputs, outputs] and
`tensors` as id -> [bytes, 1 if it never leaves, birth, death, offload issue kernel], where -1
stands for "not": death -1 is workspace. A CSV line starts with one of `net batch loss_kernel
kernel tensor` and lists the same values, tensor ids of a kernel parted by spaces. JSON with
`traceEvents` is an export of PyTorch's profiler: see `profiler`.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import cast

from dse import registry
from dse.errors import InputError, placed, shorten, unknown
from dse.units import MILLI

from . import profiler

LIMIT = 100_000_000
"""Bytes of a file, unpacked."""

NEEDED = ("batch", "loss_kernel", "kernels", "tensors")
OPTIONAL = ("net", "source", "tensor_fields", "kernel_fields", "published_total_ms")
TENSOR_FIELDS = 5
KERNEL_FIELDS = 4
CSV_LINES = {"net": 1, "source": 1, "batch": 1, "loss_kernel": 1, "kernel": 4, "tensor": 6}
"""First word of a line -> values that follow."""
NOT = -1
"""Stands for a birth, death or issue kernel that a tensor does not have."""


@dataclass(frozen=True)
class Kernel:
    """One kernel: its time [s] and the tensors it touches, each once."""

    name: str
    time: float
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @cached_property
    def touched(self) -> tuple[int, ...]:
        """Inputs and then outputs, each once."""
        return tuple(dict.fromkeys((*self.inputs, *self.outputs)))


@dataclass(frozen=True)
class Tensor:
    """One tensor: its bytes and the kernels between which it lives."""

    size: float
    resident: bool
    birth: int
    death: int
    """First kernel that no longer needs it; -1 for workspace and residents."""
    issue: int
    """Kernel after which its offload may start; -1 for none."""


@dataclass(frozen=True)
class Profile:
    """A trace as read: kernels in order, tensors by id, and where the backward pass starts."""

    net: str
    batch: int
    loss: int
    kernels: tuple[Kernel, ...]
    tensors: Mapping[int, Tensor]

    def resident_bytes(self) -> float:
        """W: tensors that never leave."""
        return sum(tensor.size for tensor in self.tensors.values() if tensor.resident)

    def workspace_bytes(self) -> float:
        """w: most that one kernel touches."""
        sizes = (sum(self.tensors[i].size for i in kernel.touched) for kernel in self.kernels)
        return max(sizes)

    def candidates(self) -> tuple[int, ...]:
        """Tensors of the forward pass that outlive the loss kernel, by first touch."""
        seen = dict.fromkeys(i for kernel in self.kernels[: self.loss] for i in kernel.touched)
        return tuple(i for i in seen if self._outlives(self.tensors[i]))

    def _outlives(self, tensor: Tensor) -> bool:
        return not tensor.resident and tensor.death > self.loss

    def relu_share(self) -> float:
        """Share of the candidates' bytes that a ReLU wrote."""
        forward = self.kernels[: self.loss]
        relus = {i for k in forward if k.name.lower().startswith("relu") for i in k.outputs}
        sizes = {i: self.tensors[i].size for i in self.candidates()}
        written = sum(size for i, size in sizes.items() if i in relus)
        return written / total if (total := sum(sizes.values())) else 0.0


def settings(path: Path) -> dict[str, object]:
    """What a trace file stands for: the record `trace`, and the network where it is known.

    Raises:
        InputError: a file that is missing, too large or not a trace, in one line.
    """
    document = _document(path)
    if profiler.KEY in document:
        return {"trace": profiler.sums(document)}
    profile = profile_of(document)
    found: dict[str, object] = {"trace": sums(profile)}
    plain = _plain(profile.net)
    same = [slug for slug in registry.networks() if _plain(slug) == plain]
    return found | ({"workload": same[0]} if same else {})


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def sums(profile: Profile) -> dict[str, object]:
    """The record `Trace` of a profile, as settings."""
    forward = sum(kernel.time for kernel in profile.kernels[: profile.loss])
    backward = sum(kernel.time for kernel in profile.kernels[profile.loss :])
    sizes = [profile.tensors[i].size for i in profile.candidates()]
    return {
        "batch": float(profile.batch),
        "forward_time": forward,
        "backward_time": backward,
        "activations": sum(sizes),
        "resident": profile.resident_bytes(),
        "workspace": profile.workspace_bytes(),
        "relu_share": profile.relu_share(),
        "kernels": float(len(profile.kernels)),
        "candidates": [{"size": size} for size in sizes],
    }


def read(path: Path) -> Profile:
    """A trace file, JSON (perhaps gzip) or CSV.

    Raises:
        InputError: a file that is missing, too large or not a trace, in one line.
    """
    return profile_of(_document(path))


def _document(path: Path) -> Mapping[str, object]:
    text = _text(path)
    return _from_csv(text) if ".csv" in path.suffixes else _from_json(text)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "damaged gzip"
        raise InputError(f"cannot be read: {why}; name a trace file") from None
    if len(data) > LIMIT:
        raise InputError(f"at most {LIMIT // 10**6} MB unpacked are read; shorten the trace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("is neither JSON, gzip of JSON nor CSV in UTF-8") from None


def _from_json(text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text, parse_constant=_refused)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON: {shorten(str(error))}") from None
    if not isinstance(document, dict):
        raise InputError(f"must be an object with {', '.join(NEEDED)}")
    return document


def _refused(name: str) -> float:
    raise InputError(f"numbers must be finite, got {name}")


def _from_csv(text: str) -> Mapping[str, object]:
    kernels: list[object] = []
    tensors: dict[str, object] = {}
    document: dict[str, object] = {"kernels": kernels, "tensors": tensors}
    for number, line in enumerate(csv.reader(io.StringIO(text)), 1):
        if not line:
            continue
        with placed(f"line {number}"):
            _csv_line(line[0], line[1:], document, kernels, tensors)
    return document


def _csv_line(
    word: str,
    rest: list[str],
    document: dict[str, object],
    kernels: list[object],
    tensors: dict[str, object],
) -> None:
    """Take in one line of a CSV trace."""
    if word not in CSV_LINES:
        raise unknown("kind of line", word, CSV_LINES)
    if len(rest) != CSV_LINES[word]:
        raise InputError(f"'{word}' takes {CSV_LINES[word]} values, got {len(rest)}")
    try:
        if word == "kernel":
            touched = [[int(i) for i in part.split()] for part in rest[2:]]
            kernels.append([rest[0], float(rest[1]), *touched])
        elif word == "tensor":
            if rest[0] in tensors:
                raise ValueError(rest[0])  # noqa: TRY301 - the same words as for other values
            tensors[rest[0]] = [int(value) for value in rest[1:]]
        else:
            document[word] = rest[0] if word in ("net", "source") else int(rest[0])
    except ValueError:
        raise InputError(f"'{word}' has a value that is no number, or an id twice") from None


def profile_of(document: Mapping[str, object]) -> Profile:
    """A profile out of what a file holds, every rule checked.

    Raises:
        InputError: the first rule that does not hold.
    """
    for key in document:
        if key not in (*NEEDED, *OPTIONAL):
            raise unknown("key", str(key), [*NEEDED, *OPTIONAL])
    if missing := [key for key in NEEDED if key not in document]:
        raise InputError(f"a trace needs {', '.join(NEEDED)}; no {', '.join(missing)}")
    tensors = _tensors(document["tensors"])
    kernels = _kernels(document["kernels"], tensors)
    loss = _whole(document["loss_kernel"], 1, len(kernels) - 1, "loss_kernel")
    found = Profile(
        net=shorten(str(document.get("net", ""))),
        batch=_whole(document["batch"], 1, 10**9, "batch"),
        loss=loss,
        kernels=kernels,
        tensors=tensors,
    )
    for index, tensor in tensors.items():
        _check_life(tensor, len(kernels), f"tensors.{index}")
    if not all(sum(k.time for k in part) > 0 for part in (kernels[:loss], kernels[loss:])):
        raise InputError("forward and backward pass must take time; check loss_kernel")
    return found


def _tensors(given: object) -> dict[int, Tensor]:
    if not isinstance(given, Mapping) or not given:
        raise InputError("'tensors' must map ids to lists")
    return {_id(key): _tensor(row, f"tensors.{shorten(key)}") for key, row in given.items()}


def _id(key: str) -> int:
    if not (key.isascii() and key.isdecimal() and len(key) < 10):
        raise InputError(f"'tensors': ids must be whole numbers, got '{shorten(key)}'")
    return int(key)


def _tensor(row: object, where: str) -> Tensor:
    if not isinstance(row, list) or len(row) != TENSOR_FIELDS:
        raise InputError(f"'{where}' must be [bytes, resident, birth, death, issue]")
    size, resident, *life = row
    birth, death, issue = (_whole(value, NOT, 10**9, where) for value in life)
    return Tensor(
        size=_whole(size, 0, 2**50, f"{where} bytes"),
        resident=_whole(resident, 0, 1, f"{where} resident") == 1,
        birth=birth,
        death=death,
        issue=issue,
    )


def _check_life(tensor: Tensor, kernels: int, where: str) -> None:
    """A tensor is born before it dies, within the trace."""
    if tensor.death != NOT and tensor.birth >= tensor.death:
        raise InputError(f"'{where}': birth < death must hold, got {tensor.birth}, {tensor.death}")
    if max(tensor.birth, tensor.issue) >= kernels or tensor.death > kernels:
        raise InputError(f"'{where}' lives beyond the last of {kernels} kernels")


def _kernels(given: object, tensors: Mapping[int, Tensor]) -> tuple[Kernel, ...]:
    if not isinstance(given, list) or len(given) < 2:
        raise InputError("'kernels' must be a list of at least two kernels")
    return tuple(_kernel(row, tensors, f"kernels.{i}") for i, row in enumerate(given))


def _kernel(row: object, tensors: Mapping[int, Tensor], where: str) -> Kernel:
    if not isinstance(row, list) or len(row) != KERNEL_FIELDS or not isinstance(row[0], str):
        raise InputError(f"'{where}' must be [name, time in ms, inputs, outputs]")
    name, time, inputs, outputs = row
    if isinstance(time, bool) or not isinstance(time, int | float):
        raise InputError(f"'{where}': time must be a number of ms, got {shorten(repr(time))}")
    if not (0 <= time < 1e12 and isfinite(time)):
        raise InputError(f"'{where}': time must be finite and not negative, got {time}")
    touched = [_touched(part, tensors, where) for part in (inputs, outputs)]
    return Kernel(name=name, time=time * MILLI, inputs=touched[0], outputs=touched[1])


def _touched(given: object, tensors: Mapping[int, Tensor], where: str) -> tuple[int, ...]:
    if not isinstance(given, list):
        raise InputError(f"'{where}': inputs and outputs must be lists of ids")
    for index in given:
        if isinstance(index, bool) or not isinstance(index, int) or index not in tensors:
            raise InputError(f"'{where}': no tensor {shorten(repr(index))}")
    return tuple(cast("list[int]", given))


def _whole(value: object, low: int, high: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        given = shorten(repr(value))
        raise InputError(f"'{where}' must be a whole number from {low} to {high}, got {given}")
    return value
