"""Steps on which the page and the reference are held against each other.

A full factorial of chains of layers, built and not recorded, on 40 GiB: activations against
memory, what never leaves, scratch of a kernel, the forward pass's share of compute, transfer
against compute, and whether early layers save more. No constant was fitted on any of them.
Groups name what sets a chain apart from the rows that were published.
"""

from collections.abc import Iterator
from itertools import product

from dse.mechanism import Case

from .config import GIVEN
from .program import Program, Recorded, program

LAYERS = 100.0
COMPUTE = 30.0
"""Seconds of both passes; only ratios matter."""
BATCH = 64.0
"""Any number: without slopes the page's batches stay unknown."""
ACTIVATIONS = (1.25, 2.5)
"""Over memory."""
RESIDENT = (0.01, 0.4)
"""Share of memory."""
SCRATCH = (0.02, 0.25)
"""Share of memory."""
FORWARD = (0.1, 0.35)
"""Share of compute."""
TRANSFER = (0.2, 0.6, 2.0)
"""Both ways, over compute."""
TAPER = (1.0, 8.0)
"""First layer's saved bytes over the last one's."""


def cases() -> Iterator[Case]:
    """Every chain of the factorial."""
    memory = float(GIVEN("trace_memory"))
    for design in product(ACTIVATIONS, RESIDENT, SCRATCH, FORWARD, TRANSFER, TAPER):
        saved, resident, scratch, forward, transfer, taper = design
        chain = {
            "layers": LAYERS,
            "forward_time": forward * COMPUTE,
            "backward_time": (1 - forward) * COMPUTE,
            "activations": saved * memory,
            "resident": resident * memory,
            "scratch": scratch * memory,
            "taper": taper,
        }
        steps = program(Recorded.model_validate(chain))
        leaving = saved * memory - memory + steps.resident_bytes() + steps.workspace_bytes()
        # Rounded, so that the inputs are the same to the last digit on every machine.
        rate = round(2 * leaving / (transfer * COMPUTE), -6)
        both = {"memory": memory, "ssd_bandwidth": rate}
        yield Case(
            id="-".join(f"{value:g}" for value in design),
            settings={"trace": sums(steps), **both},
            inputs={"trace": chain, **both},
            group=group(forward=forward, scratch=scratch),
        )


def group(*, forward: float, scratch: float) -> str:
    """What sets a chain apart: a short forward pass, a wide working set, or nothing."""
    named = [
        name
        for name, odd in (("short", forward == FORWARD[0]), ("wide", scratch == SCRATCH[-1]))
        if odd
    ]
    return "-".join(named) or "usual"


def sums(steps: Program) -> dict[str, object]:
    """What the page reads of a program: sums over its kernels and tensors."""
    sizes = [float(steps.tensors[i].size) for i in steps.candidates]
    return {
        "batch": BATCH,
        "forward_time": steps.ready[steps.loss],
        "backward_time": steps.ready[-1] - steps.ready[steps.loss],
        "activations": sum(sizes),
        "resident": steps.resident_bytes(),
        "workspace": steps.workspace_bytes(),
        "kernels": float(len(steps.kernels)),
        "candidates": [{"size": size} for size in sizes],
    }
