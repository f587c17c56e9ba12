r"""Placements of six subgraphs on two devices: their latency, and the policies that pick one.

Subgraphs are a trunk, four paths a to d, and a join: three phases with a barrier between them.
Latency in phase form: $L(a) = \sum_{phases} \max(\sum_{CPU} t, \sum_{GPU} t) + \sum c$. All 64
placements are priced at once, on a last axis; a placement is a whole number whose bits are 1 for
the GPU: bits 0 to 3 the paths, 4 the trunk, 5 the join. A policy only picks a number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from dse.spec import Array, Mask

from .config import GIVEN

Codes = NDArray[np.intp]
Number = TypeVar("Number", np.float64, np.intp)

PATHS, TRUNK, JOIN = range(4), 4, 5
SUBGRAPHS = 6
ALL = 2**SUBGRAPHS - 1
ON_GPU = [np.array([float(number >> path & 1) for number in range(16)]) for path in PATHS]
"""For each path, whether it is on the GPU in each of the paths' 16 placements."""


def _neighbours(code: int) -> list[int]:
    """A placement, those one move or swap away, and everything on one device; padded."""
    bits = [1 << one for one in range(SUBGRAPHS)]
    moves = [code ^ bit for bit in bits]
    pairs = combinations(bits, 2)
    swaps = [code ^ one ^ two for one, two in pairs if bool(code & one) != bool(code & two)]
    most = 3 + SUBGRAPHS + (SUBGRAPHS // 2) ** 2
    return ([code, *moves, *swaps, 0, ALL] + [code] * most)[:most]


NEIGHBOURS = np.array([_neighbours(code) for code in range(ALL + 1)])
"""For each placement all that a step of the correction may make of it, itself first."""


@dataclass(frozen=True)
class Costs:
    """Times of the six subgraphs, in the order of the bits; `inputs` and `outputs` of transfers.

    Transfers of `inputs` go from the CPU to a subgraph on the GPU, those of `outputs` from a
    subgraph to whoever reads it on the other device. `present` is 1 for a subgraph that exists;
    all costs of another are 0.
    """

    cpu: Sequence[Array]
    gpu: Sequence[Array]
    inputs: Sequence[Array]
    outputs: Sequence[Array]
    present: Sequence[Array]


def transfer_time(*, bytes_: Array, latency: Array, bandwidth: Array) -> Array:
    r"""Time of one tensor over the link, $t_l + n / B_l$, none for no bytes [derived].

    >>> float(transfer_time(bytes_=12e9, latency=1.0, bandwidth=12e9))
    2.0
    """
    return np.where(np.greater(bytes_, 0), latency + bytes_ / bandwidth, 0.0)


def phase_time(*, cpu: Array, gpu: Array) -> Array:
    r"""Time of a phase, $\max(\sum_{CPU} t, \sum_{GPU} t)$: each device runs its own in turn.

    >>> float(phase_time(cpu=2.0, gpu=3.0))
    3.0
    """
    return np.maximum(cpu, gpu)


def parts(costs: Costs, placed: Sequence[Array]) -> dict[str, Array]:
    """Exposed times of one placement by name; `placed` is 1 for the GPU, in the order of bits."""
    trunk, join = placed[TRUNK], placed[JOIN] * costs.present[JOIN]
    busy = busy_times(costs, placed)
    apart = [costs.present[p] * np.abs(placed[p] - trunk) for p in PATHS]
    moved = costs.outputs[TRUNK] * reduce(np.maximum, apart)
    given = _total(costs.inputs[s] * placed[s] for s in range(SUBGRAPHS))
    joined = _total(costs.outputs[p] * np.abs(placed[p] - join) for p in PATHS)
    return {
        "trunk": np.where(np.greater(trunk, 0), costs.gpu[TRUNK], costs.cpu[TRUNK]),
        "branches": phase_time(cpu=busy[0], gpu=busy[1]),
        "join": np.where(np.greater(join, 0), costs.gpu[JOIN], costs.cpu[JOIN]),
        "transfers": given + moved + joined + costs.outputs[JOIN] * join,
    }


def busy_times(costs: Costs, placed: Sequence[Array]) -> tuple[Array, Array]:
    """Times of the paths on the CPU and of those on the GPU, each added up."""
    cpu = _total((1 - placed[p]) * costs.cpu[p] for p in PATHS)
    return cpu, _total(placed[p] * costs.gpu[p] for p in PATHS)


def latencies(costs: Costs) -> Array:
    """Latency of all 64 placements, on a new last axis.

    Trunk and join only meet the paths, so that each of their four placements is one sum of three
    parts that all know the paths' placement only.
    """
    wide = Costs(*([np.expand_dims(one, -1) for one in group] for group in _groups(costs)))
    busy = busy_times(wide, ON_GPU)
    given = _total(wide.inputs[p] * ON_GPU[p] for p in PATHS)
    branches = phase_time(cpu=busy[0], gpu=busy[1]) + given
    first, last = [_trunk(wide, e) for e in (0, 1)], [_join(wide, j) for j in (0, 1)]
    return np.concatenate([first[e] + branches + last[j] for j in (0, 1) for e in (0, 1)], axis=-1)


def _groups(costs: Costs) -> tuple[Sequence[Array], ...]:
    return costs.cpu, costs.gpu, costs.inputs, costs.outputs, costs.present


def _trunk(wide: Costs, device: int) -> Array:
    """The trunk on a device, and its output to paths on the other one, moved once for all."""
    apart = [wide.present[p] * np.abs(ON_GPU[p] - device) for p in PATHS]
    moved: Array = wide.outputs[TRUNK] * reduce(np.maximum, apart)
    here = wide.gpu[TRUNK] + wide.inputs[TRUNK] if device else wide.cpu[TRUNK]
    return moved + here


def _join(wide: Costs, device: int) -> Array:
    """The join on a device, and what paths on the other one send it; an absent one is the CPU."""
    there = device * wide.present[JOIN]
    joined = _total(wide.outputs[p] * np.abs(ON_GPU[p] - there) for p in PATHS)
    crossed = wide.inputs[JOIN] + wide.outputs[JOIN]
    return joined + (wide.gpu[JOIN] + crossed if device else wide.cpu[JOIN])


def _total(parts: Iterable[Array]) -> Array:
    return reduce(np.add, parts)


def picked(table: NDArray[Number], code: Codes) -> NDArray[Number]:
    """The entry of the last axis that a number names, such as a placement's latency."""
    found: NDArray[Number] = np.take_along_axis(table, np.expand_dims(code, -1), axis=-1)
    return np.squeeze(found, axis=-1)


def exhaustive(table: Array) -> Codes:
    """The best placement; of equal ones the first, which leaves more on the CPU."""
    return cast("Codes", np.argmin(table, axis=-1))


def greedy(costs: Costs) -> Codes:
    """Longest first: each path goes where the phase then ends sooner; transfers are not seen.

    A path's length is its time on its faster device. Trunk and join go to their faster device.
    Ties go to the CPU, and to the path of the lower number.
    """
    code = _faster(costs, TRUNK) + _faster(costs, JOIN)
    ends: tuple[Array | float, Array | float] = (0.0, 0.0)
    for cpu, gpu, bit in _longest_first(costs):
        on_cpu, on_gpu = ends[0] + cpu, ends[1] + gpu
        go = np.less(np.maximum(ends[0], on_gpu), np.maximum(on_cpu, ends[1]))
        ends = (np.where(go, ends[0], on_cpu), np.where(go, on_gpu, ends[1]))
        code = code + np.where(go, bit, 0)
    return code


def _longest_first(costs: Costs) -> list[tuple[Array, Array, Codes]]:
    """The paths' times on both devices and their bits, sorted for each design by exchanges."""
    rows = [(costs.cpu[p], costs.gpu[p], cast("Codes", np.intp(1 << p))) for p in PATHS]
    for last in (3, 2, 1):
        for i in range(last):
            left, right = rows[i], rows[i + 1]
            later = np.less(np.minimum(*left[:2]), np.minimum(*right[:2]))
            pairs = list(zip(left, right, strict=True))
            rows[i] = tuple(np.where(later, r, x) for x, r in pairs)  # type: ignore[assignment]
            rows[i + 1] = tuple(np.where(later, x, r) for x, r in pairs)  # type: ignore[assignment]
    return rows


def _faster(costs: Costs, subgraph: int) -> Codes:
    """The bit of a subgraph that is faster on the GPU, else 0."""
    return np.where(np.less(costs.gpu[subgraph], costs.cpu[subgraph]), 1 << subgraph, 0)


def corrected(table: Array, start: Codes) -> tuple[Codes, Mask]:
    """From a start always the step that lowers the latency most; and whether one is left.

    A step moves a subgraph, swaps two on different devices, or leaves the GPU or CPU alone with
    everything: a sequential network falls back to one device, so may the others.

    Each step that changes a placement lowers its latency, so at most 64 steps end. The last of the
    steps taken here changes nothing where no move is left.
    """
    code = before = start + np.zeros_like(exhaustive(table))
    steps = NEIGHBOURS + 0 * np.sum(code)  # in the codes' kind of array, which need not be NumPy's
    for _ in range(int(GIVEN("steps"))):
        before, near = code, np.take(steps, code, axis=0)
        nearest = np.argmin(np.take_along_axis(table, near, axis=-1), axis=-1)
        code = picked(near, nearest)
    return code, np.not_equal(code, before)


def placement(code: Codes, present: Sequence[Array]) -> list[Array]:
    """For each subgraph 1 on the GPU and 0 on the CPU or absent, from a placement's number."""
    return [np.where(np.bitwise_and(code, 1 << s) > 0, present[s], 0.0) for s in range(SUBGRAPHS)]


def switched(
    alone: NDArray[Number], others: Mapping[str, NDArray[Number]], switches: Mapping[str, Array]
) -> NDArray[Number]:
    """The policy's number: that of the one switched on, or of the CPU alone.

    >>> float(switched(9.0, {"gpu": 8.0, "greedy": 7.0}, {"gpu": 0.0, "greedy": 1.0}))
    7.0
    """
    found = alone
    for name, number in others.items():
        found = np.where(np.greater(switches[name], 0), number, found)
    return found
