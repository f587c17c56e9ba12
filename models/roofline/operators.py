r"""Operators of a network as kernels of a shape, priced by the calibrated form.

An operator's laws in tokens hold the shape of each of its calls as long as all calls are alike,
as they are in a transformer: a linear layer that makes o outputs of a token in f FLOP has a
contraction of f / 2o. Where layers of unlike shapes are added up, the page refuses the network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dse.spec import Array, Mask, Operator, leaf

from .calibrated import attention_time, elementwise_time, gemm_time, norm_time, softmax_time
from .config import Device, Kernels, Pass, Precision
from .streams import LAW

ONE, NONE, SINGLE = leaf(1.0), leaf(0.0), 4.0
SLACK = 0.05
"""Share by which layers under one name may differ: a head with narrow projections does by 1 %."""


@dataclass(frozen=True)
class Site:
    """Where and on what an operator runs; all numbers broadcast."""

    batch: Array
    tokens: Array
    context: Array
    peak: Array
    pace: Array
    device: Device
    precision: Precision
    kernels: Kernels


Cost = tuple[Array, Array]
"""Seconds of all kernels of an operator, their starts left out, and how many start."""


def per_call(amount: Array, calls: Array) -> Array:
    """An amount of all calls for one of them; 0 where there is none."""
    return amount / np.maximum(calls, 1.0)


def ratio(part: Array, whole: Array) -> Array:
    """A quotient, 0 where both are 0."""
    return part / np.where(np.equal(whole, 0.0), 1.0, whole)


def linear_shape(operator: Operator) -> tuple[Array, Array, Array]:
    r"""Rows per token, N and K of one call of linear layers.

    $f / 2W$, $N = W / kK$ and $K = f / 2o$ [derived]: f and o are FLOP and outputs per token, W
    weights, k calls. A layer that runs once a sequence has fewer rows than tokens.
    """
    k = ratio(operator.flops_token, 2.0 * operator.output_token)
    n = ratio(operator.weights, operator.calls * k)
    return ratio(operator.flops_token, 2.0 * operator.weights), n, k


def alike(operator: Operator) -> Mask:
    """Whether calls of linear layers have one shape: then they move what that shape moves."""
    if operator.kind not in ("gemm", "convolution"):
        return np.asarray(True)
    rows, n, k = linear_shape(operator)
    moved = operator.calls * rows * (n + k)
    return np.less_equal(np.abs(moved - operator.moved_token), SLACK * operator.moved_token)


def product(operator: Operator, site: Site, *, kernels: Array = ONE) -> Cost:
    """Linear layers; `kernels` share the outputs of a call."""
    rows, n, k = linear_shape(operator)
    calls = operator.calls * kernels
    time = gemm_time(
        m=site.batch * site.tokens * rows,
        n=n / kernels,
        k=k,
        peak=site.peak,
        pace=site.pace,
        device=site.device,
        precision=site.precision,
    )
    return calls * time, calls


def heads_of(operator: Operator) -> tuple[Array, Array]:
    """Heads and elements of a head of scores or weighted values."""
    heads = per_call(operator.moved_pair, operator.calls)
    return heads, ratio(operator.flops_pair, 2.0 * operator.moved_pair)


def separate(operator: Operator, site: Site) -> Array:
    """Time of scores or weighted values as batched products, one a head."""
    heads, head_dim = heads_of(operator)
    scores = np.greater(operator.output_pair, 0.0)
    return gemm_time(
        m=site.tokens,
        n=np.where(scores, site.context, head_dim),
        k=np.where(scores, head_dim, site.context),
        batch=site.batch * heads,
        peak=site.peak,
        pace=site.pace,
        device=site.device,
        precision=site.precision,
        batched=True,
    )


def together(operator: Operator, site: Site) -> Array:
    """Time of fused attention, charged to the scores; the weighted values come with them."""
    heads, head_dim = heads_of(operator)
    kv_heads = per_call(ratio(operator.moved_context, head_dim), operator.calls)
    time = attention_time(
        batch=site.batch,
        tokens=site.tokens,
        context=site.context,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        width=site.precision.width,
        peak=site.peak,
        pace=site.pace,
        device=site.device,
    )
    return np.where(np.greater(operator.output_pair, 0.0), time, 0.0)


def attention(operator: Operator, site: Site) -> Cost:
    """Scores or weighted values, apart or fused; fused attention holds its own starts."""
    fused = np.greater(site.kernels.fused, 0.0)
    time = np.where(fused, together(operator, site), separate(operator, site))
    return operator.calls * time, np.where(fused, 0.0, operator.calls)


def softmax(operator: Operator, site: Site) -> Cost:
    """Softmax over the context, and what else a framework does to scores; nothing if fused."""
    rows = site.batch * site.tokens * per_call(operator.output_pair, operator.calls)
    time = softmax_time(
        rows=rows,
        length=site.context,
        width=site.precision.width,
        device=site.device,
        cycles=issue(site, LAW.softmax_cycles),
    )
    extra = elementwise_time(
        elements=rows * site.context,
        moved=site.kernels.pair_moved,
        width=site.precision.width,
        device=site.device,
    )
    left = np.where(np.greater(site.kernels.fused, 0.0), 0.0, operator.calls)
    return left * (time + extra), left * (1.0 + site.kernels.pair_calls)


def issue(site: Site, cycles: Array) -> Array:
    """Cycles an element in half precision; single precision was seen to be bound by traffic."""
    return np.where(site.precision.width < SINGLE, cycles, 0.0)


def norm(operator: Operator, site: Site) -> Cost:
    """Norms over the width, each of a token; a layer norm has two parameters an element."""
    layered = np.greater(operator.weights, operator.output_token)
    cycles = np.where(layered, LAW.layer_cycles, LAW.norm_cycles)
    time = norm_time(
        rows=site.batch * site.tokens,
        length=per_call(operator.output_token, operator.calls),
        width=site.precision.width,
        device=site.device,
        cycles=issue(site, cycles),
    )
    return operator.calls * time, operator.calls


def streamed(
    operator: Operator, site: Site, *, cycles: Array = NONE, further: Array = NONE
) -> Array:
    """Time of one call of a kernel over outputs, and of kernels that move `further` elements."""
    pairs = site.tokens * site.context * operator.output_pair
    outputs = site.tokens * operator.output_token + pairs
    moved_pairs = site.tokens * site.context * operator.moved_pair
    moved = site.tokens * operator.moved_token + moved_pairs
    return elementwise_time(
        elements=site.batch * per_call(outputs, operator.calls),
        moved=ratio(moved, outputs) + further,
        width=site.precision.width,
        device=site.device,
        cycles=cycles,
    )


def elementwise(operator: Operator, site: Site) -> Cost:
    """Sums, and what is streamed once like them."""
    return operator.calls * streamed(operator, site), operator.calls


def activation(operator: Operator, site: Site) -> Cost:
    """An activation, of which an eager framework makes several kernels."""
    inputs = ratio(operator.moved_token, operator.output_token) - 1.0
    time = streamed(
        operator,
        site,
        cycles=issue(site, inputs * LAW.activation_cycles),
        further=site.kernels.activation_moved,
    )
    return operator.calls * time, operator.calls * (1.0 + site.kernels.activation_calls)


def positions(operator: Operator, site: Site) -> Cost:
    """Learned positions are sums; rotary ones read and write once, and take their cycles."""
    rotary = np.equal(operator.moved_token, 2.0 * operator.output_token)
    cycles = issue(site, np.where(rotary, LAW.rotary_cycles, 0.0))
    return operator.calls * streamed(operator, site, cycles=cycles), operator.calls


def residual(operator: Operator, site: Site) -> Cost:
    """Two sums a layer; copies that a framework makes of the width are counted here."""
    layers = operator.calls / 2.0
    copies = elementwise_time(
        elements=site.batch * site.tokens * per_call(operator.output_token, operator.calls),
        moved=site.kernels.token_moved,
        width=site.precision.width,
        device=site.device,
    )
    summed, calls = elementwise(operator, site)
    return summed + layers * copies, calls + layers * site.kernels.token_calls


def lookup(operator: Operator, site: Site) -> Cost:
    """Rows of an embedding."""
    cycles = issue(site, LAW.lookup_cycles)
    return operator.calls * streamed(operator, site, cycles=cycles), operator.calls


def projections(operator: Operator, site: Site) -> Cost:
    """Queries, keys and values, in one kernel or in three."""
    return product(operator, site, kernels=site.kernels.linears)


Pricing = Callable[[Operator, Site], Cost]
KINDS: Mapping[str, Pricing] = {
    "gemm": product,
    "convolution": product,
    "attention": attention,
    "softmax": softmax,
    "norm": norm,
    "elementwise": elementwise,
    "embedding": lookup,
}
"""Kind of an operator -> its law."""
NAMES: Mapping[str, Pricing] = {
    "qkv": projections,
    "activation": activation,
    "positions": positions,
    "residual": residual,
}
"""Operators that are more than their kind, by the last word of their name."""


def priced(operator: Operator, site: Site) -> Cost:
    """Seconds of an operator's kernels and how many of them start."""
    price = NAMES.get(operator.slug.rpartition("_")[2], KINDS[operator.kind])
    return price(operator, site)


def costs(config: Pass, peak: Array) -> dict[str, Cost]:
    """Cost of every operator of a pass by its name."""
    site = Site(
        batch=config.batch,
        tokens=config.tokens,
        context=config.context,
        peak=peak,
        pace=config.pace,
        device=config.device,
        precision=config.precision,
        kernels=config.kernels,
    )
    return {
        one.slug or f"operator_{index}": priced(one, site)
        for index, one in enumerate(config.workload.operators)
    }
