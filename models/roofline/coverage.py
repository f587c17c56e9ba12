"""What the calibrated form covers: rules that refuse, and flags where no kernel was measured."""

from functools import reduce

import numpy as np

from dse.spec import Array, Mask, Rule

from .config import DATA, GIVEN, Pass
from .operators import alike

KNOWN = ("power", "multiprocessors", "base_clock", "boost_clock", "l2_capacity", "stacked")
HALF = ("fp16", "bf16")
FORMATS = ("fp32", "tf32", *HALF)

WORDS = {
    "brief": "calibrated, kernels average under 20 us: errors of 6 to 21 % a kernel, and the cost"
    " of a start is the host's own",
    "throttled": "calibrated FP32 outside 12.8 to 17.7 W a TFLOPS: how far a board lowers its"
    " clock is extrapolated; boards under 100 W may come out too fast",
    "unmeasured": "calibrated TF32, or tensor cores before Ampere or after Hopper: no kernel of"
    " these was measured",
    "uncached": "calibrated, and the row of the device lists no L1 cache: all rows of softmax and"
    " most of norms count as read again, an upper estimate",
}


REMARKS = {
    "datasheet": "datasheet form: its efficiencies are assumed; `form` has a measured one",
    "decode": "calibrated, and tokens attend to a longer context: that part is 20 to 25 % off",
}


def flags(config: Pass, brief: Mask) -> dict[str, Mask]:
    """Where the calibrated form extrapolates, and where its errors are larger."""
    device, precision = config.device, config.precision
    calibrated, single = on(config), np.greater(precision.fp32, 0.0)
    allowed, age = device.power / device.peak_fp32, device.compute_capability
    span = np.logical_or(allowed < GIVEN("least_allowance"), allowed > GIVEN("most_allowance"))
    generation = np.logical_or(age < GIVEN("least_capability"), age > GIVEN("most_capability"))
    strange = np.logical_or(generation, np.greater(precision.tf32, 0.0))
    return {
        "brief": np.logical_and(calibrated, brief),
        "throttled": calibrated & single & span,
        "decode": np.logical_and(calibrated, config.context > config.tokens),
        "unmeasured": calibrated & np.logical_not(single) & strange,
        "uncached": np.logical_and(calibrated, np.isnan(device.l1_capacity)),
    }


def on(config: Pass) -> Mask:
    """Whether the calibrated form is set."""
    return np.greater(config.form.calibrated, 0.0)


def plain(config: Pass) -> Mask:
    """Whether a datasheet is taken at its word; rates that were measured are reached."""
    whole = np.equal(config.compute_efficiency, 1) & np.equal(config.memory_efficiency, 1)
    return np.logical_and(whole, np.equal(config.device.measured, 0))


def implied(premise: Mask, holds: Mask) -> Mask:
    """A rule that only binds where its premise holds."""
    return np.logical_or(np.logical_not(premise), holds)


def _any(config: Pass, formats: tuple[str, ...]) -> Mask:
    switches: list[Array] = [getattr(config.precision, name) for name in formats]
    return np.greater(reduce(np.add, switches), 0.0)


def _known(config: Pass) -> Mask:
    total: Array = np.asarray(config.device.compute_capability)
    for name in KNOWN:
        total = total + getattr(config.device, name)
    return np.logical_not(np.isnan(total))


def _fused(config: Pass) -> Mask:
    return np.logical_and(on(config), np.greater(config.kernels.fused, 0.0))


def _shaped(config: Pass) -> Mask:
    """Heads are known, and no operator adds up layers of unlike shapes."""
    found = [alike(operator) for operator in config.workload.operators]
    return reduce(np.logical_and, found, np.greater(config.workload.heads, 0.0))


def _tensor_cores(config: Pass) -> Mask:
    single = np.greater(config.precision.fp32, 0.0)
    least = DATA.default("first_tensor_capability")
    return np.logical_or(single, config.device.compute_capability >= least)


def _usual_group(config: Pass) -> Mask:
    net = config.workload
    return np.less_equal(net.heads, GIVEN("largest_group") * net.kv_heads)


RULES: tuple[Rule[Pass], ...] = (
    Rule(
        "the shapes of the network's kernels are known to the calibrated form",
        lambda c: implied(on(c), _shaped(c)),
        "set workload to a transformer, or form to datasheet",
    ),
    Rule(
        "the calibrated form knows the precision",
        lambda c: implied(on(c), _any(c, FORMATS)),
        "set precision to fp32, tf32, fp16 or bf16, or form to datasheet",
    ),
    Rule(
        "clocks, caches and multiprocessors of the device are known to the calibrated form",
        lambda c: implied(on(c), _known(c)),
        "set device to an NVIDIA GPU whose row has them, or form to datasheet",
    ),
    Rule(
        "the device has tensor cores for the precision in the calibrated form",
        lambda c: implied(on(c), implied(_known(c), _tensor_cores(c))),
        "set precision to fp32, device to a GPU from Volta on, or form to datasheet",
    ),
    Rule(
        "fused attention runs in half precision",
        lambda c: implied(_fused(c), _any(c, HALF)),
        "set precision to fp16 or bf16, or kernels to listed",
    ),
    Rule(
        "fused attention has at most 8 heads to one of keys and values",
        lambda c: implied(_fused(c), _usual_group(c)),
        "set workload to a network with fewer, or kernels to listed: more switch to other kernels",
    ),
)
