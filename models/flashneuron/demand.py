r"""What a step asks for, by roofline or from a trace: times and bytes as lines in the batch.

Everything here is $y(b) = y_0 + y_1 b$: forward and backward time, activations, resident bytes
and working set. A page that has value and slope at one batch has them at all.
"""

from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np

from dse.spec import Array, Operator, leaf

from ..roofline import model as roofline
from .config import GIVEN, Step

ONE = leaf(1.0)


class Line(NamedTuple):
    """A quantity at the step's batch, and what one sample more adds."""

    value: Array
    slope: Array

    def at(self, batch: Array, here: Array) -> Array:
        """The quantity at another batch.

        >>> float(Line(value=7.0, slope=2.0).at(batch=1.0, here=3.0))
        3.0
        """
        return self.value + self.slope * (batch - here)


@dataclass(frozen=True)
class Demand:
    """What one step asks for; seconds and bytes."""

    batch: Array
    forward: Line
    backward: Line
    activations: Line
    resident: Line
    workspace: Line

    def idle_bytes(self) -> Line:
        """Resident bytes and working set: what is there whatever is offloaded."""
        slope = self.resident.slope + self.workspace.slope
        return Line(self.resident.value + self.workspace.value, slope)

    def compute_time(self) -> Line:
        """Both passes, without any transfer."""
        slope = self.forward.slope + self.backward.slope
        return Line(self.forward.value + self.backward.value, slope)


def saved_bytes(*, per_token: Array, per_pair: Array, tokens: Array, width: Array) -> Array:
    r"""Activations of one sample, $a = w (a_1 s + a_2 s^2)$ with width w [derived].

    >>> saved_bytes(per_token=10.0, per_pair=2.0, tokens=3.0, width=4.0)
    192.0
    """
    return width * tokens * (per_token + per_pair * tokens)


def forward_intercept(
    *, sample_compute: Array, half_batch: Array, weights: Array, calls: Array, dispatch_time: Array
) -> Array:
    r"""Time of a forward pass that no sample adds to, $t_0 = b_h t_c + t_W + k t_d$ [derived].

    Half the rate at batch b_h, the weights read once and the kernels started. In ms:

    >>> forward_intercept(
    ...     sample_compute=10.0, half_batch=4.0, weights=5.0, calls=100.0, dispatch_time=0.05
    ... )
    50.0
    """
    return half_batch * sample_compute + weights + calls * dispatch_time


def update_time(*, parameters: Array, bandwidth: Array, efficiency: Array) -> Array:
    r"""Time of the optimizer, $28\,\mathrm{B}\,N / (\eta_m B)$, Adam in FP32 [derived].

    >>> round(float(update_time(parameters=340e6, bandwidth=900e9, efficiency=0.75)), 5)
    0.0141
    """
    return GIVEN("optimizer_traffic") * parameters / (efficiency * bandwidth)


def _sample_times(config: Step, tokens: Array) -> tuple[Array, Array]:
    """Of one more sample: its arithmetic alone, and its time with memory-bound operators."""
    device, precision = config.gpu, config.precision
    # Times are linear in the work, so those of one operation and one element do for all.
    flop_time = roofline.compute_time(
        flops=ONE, peak=roofline.peak(device, precision), efficiency=config.compute_efficiency
    )
    element_time = roofline.memory_time(
        bytes_=precision.width,
        bandwidth=device.memory_bandwidth,
        efficiency=config.memory_efficiency,
    )
    work = [_work(operator, tokens) for operator in config.workload.operators]
    times = [
        roofline.operator_time(compute=flops * flop_time, memory=elements * element_time)
        for flops, elements in work
    ]
    return reduce(np.add, [flops for flops, _ in work]) * flop_time, reduce(np.add, times)


def _work(operator: Operator, tokens: Array) -> tuple[Array, Array]:
    """Operations and elements moved of one sample."""
    flops = tokens * (operator.flops_token + tokens * operator.flops_pair)
    fresh = operator.moved_token + operator.moved_context
    return flops, tokens * (fresh + tokens * operator.moved_pair)


def by_roofline(config: Step, batch: Array) -> Demand:
    """The demand of a network on a GPU; the backward pass takes twice the forward's time."""
    net, device, width = config.workload, config.gpu, config.precision.width
    tokens = np.minimum(config.tokens, net.context)
    stream = {"bandwidth": device.memory_bandwidth, "efficiency": config.memory_efficiency}
    arithmetic, sample = _sample_times(config, tokens)
    fixed = forward_intercept(
        sample_compute=arithmetic,
        half_batch=config.half_batch,
        weights=roofline.memory_time(bytes_=net.parameters * width, **stream),
        calls=reduce(np.add, [operator.calls for operator in net.operators]),
        dispatch_time=config.dispatch_time,
    )
    forward = fixed + sample * batch
    update = update_time(parameters=net.parameters, **stream)
    per_sample = saved_bytes(
        per_token=net.activation_token, per_pair=net.activation_pair, tokens=tokens, width=width
    )
    used, none = config.workspace_share * per_sample, 0.0 * batch
    return Demand(
        batch=batch,
        forward=Line(forward, sample),
        backward=Line(2 * forward + update, 2 * sample),
        activations=Line(per_sample * batch, per_sample),
        resident=Line(GIVEN("state_size") * net.parameters + none, none),
        workspace=Line(used * batch, used),
    )


def demand(config: Step) -> tuple[Demand, Demand]:
    """What is priced, and the roofline's answer at the same batch beside it."""
    trace, traced = config.trace, np.greater(config.trace.batch, 0)
    roof = by_roofline(config, np.where(traced, trace.batch, config.batch))

    def chosen(measured: Array, slope: Array, line: Line) -> Line:
        value = np.where(traced, measured, line.value)
        return Line(value, np.where(traced, slope, line.slope))

    priced = Demand(
        batch=roof.batch,
        forward=chosen(trace.forward_time, trace.forward_slope, roof.forward),
        backward=chosen(trace.backward_time, trace.backward_slope, roof.backward),
        activations=chosen(trace.activations, trace.activations_slope, roof.activations),
        resident=chosen(trace.resident, trace.resident_slope, roof.resident),
        workspace=chosen(trace.workspace, trace.workspace_slope, roof.workspace),
    )
    return priced, roof
