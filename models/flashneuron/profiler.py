"""An export of PyTorch's profiler as a trace: what it says of one step, and what it does not.

The file is the Chrome trace of `torch.profiler.profile(record_shapes=True, profile_memory=True)`.
Its form is [memory: PyTorch's profiler]; this was written without a real export at hand, and was
tried on none. Of the last `ProfilerStep#N` with both passes, or of a file without such steps:

- The backward pass starts at the first `autograd::engine::evaluate_function`; the forward pass at
  the first op that shares a sequence number with one. The rest, the optimizer too, is backward.
- Times are those of kernels, by the moment of their launch; kernels without a link to an op or a
  launch are left out (-), and so are copies. Without any kernel in the file it is the time that
  CPU ops run, each moment once, and the number of kernels is 0.
- W is the allocated total where the forward pass starts: gradients that the backward pass makes
  anew are not in it (-). A is the growth from there to the start of the backward pass; what the
  step still holds by then without need, such as its input, is in it (+).
- w is the most that a pass holds beyond what stays: forward, the total less the least total from
  then to the backward pass; backward, less the least total since its start. Saved tensors that a
  kernel touches are not in it (-); gradients that stay are, as far as they outgrow what is
  freed (+).
- The batch is the leading dimension of what the first forward op reads: its first input, or the
  second of an embedding. Where that is another number, set `trace.batch`.

The profiler does not name saved tensors: their sizes and what a ReLU wrote stay unknown, so
`candidates`, `surplus` and `relu_share` keep what they are, nothing is rounded to whole tensors,
and the sums are an estimate.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

from dse.errors import InputError, shorten
from dse.units import MICRO

KEY = "traceEvents"
"""What tells an export of the profiler from other traces."""

BACKWARD = "autograd::engine::evaluate_function"
STEP = "ProfilerStep#"
LAUNCHES = ("cuda_runtime", "cuda_driver")
CATEGORIES = ("cpu_op", "kernel", "user_annotation", *LAUNCHES)
CUDA, CPU = 1, 0
"""Device types of memory events."""
READS_SECOND = ("aten::embedding",)
"""Ops whose first input is a table of weights."""
LARGEST = 1e18
"""Bound of every number: microseconds since 1970 and bytes are below."""


@dataclass(frozen=True)
class Span:
    """A complete event: microseconds of its start and end."""

    name: str
    start: float
    end: float
    args: Mapping[str, object]

    def number(self, key: str) -> int | None:
        """A whole number among its arguments, such as an id; None where there is none."""
        value = self.args.get(key)
        return value if isinstance(value, int) and value >= 0 else None


@dataclass(frozen=True)
class Total:
    """The allocated bytes after a memory event of a device, and what the event added."""

    time: float
    allocated: float
    added: float
    device: tuple[float, float]


@dataclass
class Export:
    """What is read of a file: spans by category, in order of time, and totals."""

    spans: dict[str, list[Span]] = field(default_factory=lambda: {key: [] for key in CATEGORIES})
    totals: list[Total] = field(default_factory=list)


@dataclass(frozen=True)
class Passes:
    """Both passes of one step, in microseconds, and the forward ops that backward ones name."""

    start: float
    turn: float
    end: float
    forward: Sequence[Span]


def sums(document: Mapping[str, object]) -> dict[str, object]:
    """The record `Trace` of an export, as settings.

    Raises:
        InputError: what is no export of a training step, or was recorded without what is needed.
    """
    export = _export(document[KEY])
    passes = _last(export)
    kernels = _kernels(export, passes)
    return {
        "batch": float(_batch(passes.forward)),
        **_times(export, passes, kernels),
        **_bytes(export, passes),
        "kernels": float(len(kernels)),
    }


def _export(events: object) -> Export:
    if not isinstance(events, list):
        raise InputError(f"'{KEY}' must be a list of events")
    found = Export()
    for index, event in enumerate(events):
        if not isinstance(event, Mapping):
            raise InputError(f"'{KEY}.{index}' must be an object")
        _take(event, found, f"{KEY}.{index}")
    for spans in found.spans.values():
        spans.sort(key=lambda span: span.start)
    found.totals.sort(key=lambda total: total.time)
    return found


def _take(event: Mapping[str, object], found: Export, where: str) -> None:
    """Keep one event, if it is of a kind that is read."""
    phase, category, name = (event.get(key) for key in ("ph", "cat", "name"))
    args = event.get("args", {})
    if not isinstance(args, Mapping):
        raise InputError(f"'{where}.args' must be an object")
    if phase == "X" and category in CATEGORIES:
        start, time = _number(event, "ts", where), _number(event, "dur", where)
        found.spans[str(category)].append(Span(str(name), start, start + time, args))
    elif phase == "i" and name == "[memory]":
        kind, number = (_number(args, key, where) for key in ("Device Type", "Device Id"))
        allocated = _number(args, "Total Allocated", where)
        added = _number(args, "Bytes", where, least=-LARGEST)
        time = _number(event, "ts", where)
        found.totals.append(Total(time, allocated, added, (kind, number)))


def _number(values: Mapping[str, object], key: str, where: str, *, least: float = 0.0) -> float:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"'{where}' needs a number '{key}', got {shorten(repr(value))}")
    if not least <= value < LARGEST:
        rule = "finite" if least else "finite and not negative"
        raise InputError(f"'{where}': '{key}' must be {rule}, got {shorten(repr(value))}")
    return float(value)


def _last(export: Export) -> Passes:
    """Both passes of the last step that has them."""
    marks = [one for one in export.spans["user_annotation"] if one.name.startswith(STEP)]
    for mark in reversed(marks or [Span("file", 0.0, inf, {})]):
        ops = [op for op in export.spans["cpu_op"] if mark.start <= op.start <= mark.end]
        if passes := _passes(ops, mark.end):
            return passes
    raise InputError(
        "holds no step with a forward and a backward pass that share sequence numbers;"
        " profile a training step"
    )


def _passes(ops: Sequence[Span], end: float) -> Passes | None:
    """Both passes of these ops, or None where one is missing."""
    back = [op for op in ops if op.name.startswith(BACKWARD)]
    named = {op.number("Sequence number") for op in back} - {None}
    apart = [op for op in ops if op.number("Sequence number") in named and not _within(op, back)]
    if not apart or apart[0].start >= back[0].start:
        return None
    turn = back[0].start
    if apart[-1].start > turn:
        raise InputError(
            "a step must hold one forward and one backward pass;"
            " call the profiler's step() after each iteration"
        )
    return Passes(apart[0].start, turn, end, apart)


def _within(op: Span, back: Sequence[Span]) -> bool:
    """Whether an op runs in one of these, which follow each other."""
    before = bisect_right(back, op.start, key=lambda one: one.start)
    return before > 0 and op.start <= back[before - 1].end


def _batch(forward: Sequence[Span]) -> int:
    """The leading dimension of what the first op reads; sums in place read no sample."""
    for op in forward:
        if (dims := op.args.get("Input Dims")) and not op.name.endswith("_"):
            place = 1 if op.name in READS_SECOND else 0
            found = dims[place] if isinstance(dims, list) and len(dims) > place else None
            if isinstance(found, list) and found and type(found[0]) is int and found[0] > 0:
                return found[0]
    raise InputError("says no shape of a forward op's input; record with record_shapes=True")


def _kernels(export: Export, passes: Passes) -> list[tuple[float, float]]:
    """Moment of launch and time of each kernel of a step; microseconds."""
    ops = _moments(export.spans["cpu_op"], "External id")
    launched = _moments((one for key in LAUNCHES for one in export.spans[key]), "correlation")
    found = []
    for kernel in export.spans["kernel"]:
        moment = launched.get(kernel.number("correlation"))
        moment = ops.get(kernel.number("External id")) if moment is None else moment
        if moment is not None and passes.start <= moment <= passes.end:
            found.append((moment, kernel.end - kernel.start))
    if export.spans["kernel"] and not found:
        raise InputError("no kernel is linked to an op of the step; record CPU and CUDA together")
    return found


def _moments(spans: Iterable[Span], key: str) -> dict[int | None, float]:
    """When the span of each id started."""
    return {number: one.start for one in spans if (number := one.number(key)) is not None}


def _times(
    export: Export, passes: Passes, kernels: Sequence[tuple[float, float]]
) -> dict[str, float]:
    """Time of both passes [s]: of kernels, or of CPU ops where there is no kernel."""
    forward = sum(time for moment, time in kernels if moment < passes.turn)
    backward = sum(time for moment, time in kernels if moment >= passes.turn)
    if not kernels:
        forward = _busy(export.spans["cpu_op"], passes.start, passes.turn)
        backward = _busy(export.spans["cpu_op"], passes.turn, passes.end)
    if not (forward > 0 and backward > 0):
        raise InputError("forward and backward pass must take time")
    return {"forward_time": forward * MICRO, "backward_time": backward * MICRO}


def _busy(ops: Iterable[Span], start: float, end: float) -> float:
    """Time from start to end in which any op runs, each moment once."""
    time = 0.0
    for op in ops:
        stop = min(op.end, end)
        time += max(stop - max(op.start, start), 0.0)
        start = max(start, stop)
    return time


def _bytes(export: Export, passes: Passes) -> dict[str, float]:
    """Resident bytes, activations and working set from the memory events."""
    kind = CUDA if export.spans["kernel"] else CPU
    totals = [one for one in export.totals if one.device[0] == kind and one.time <= passes.end]
    if len({one.device for one in totals}) > 1:
        raise InputError("memory of several GPUs; profile one process with one GPU")
    inside = [one for one in totals if one.time >= passes.start]
    if not inside:
        raise InputError("has no [memory] events of the step; record with profile_memory=True")
    before = [one.allocated for one in totals if one.time < passes.start]
    resident = before[-1] if before else max(inside[0].allocated - inside[0].added, 0.0)
    forward = [resident, *(one.allocated for one in inside if one.time < passes.turn)]
    backward = [forward[-1], *(one.allocated for one in inside if one.time >= passes.turn)]
    if forward[-1] <= resident:
        raise InputError("the forward pass saves nothing: allocated bytes must grow")
    return {
        "resident": resident,
        "activations": forward[-1] - resident,
        "workspace": max(_excess(forward[::-1]), _excess(backward)),
    }


def _excess(totals: Sequence[float]) -> float:
    """Most that a total stands above the least one so far."""
    return max(one - least for one, least in zip(totals, accumulate(totals, min), strict=True))
