"""Equations of serving: waits, aggregate roofline, power. Sections are the joint sheet's."""

from __future__ import annotations

import numpy as np

from dse import provenance
from dse.spec import Array, Mask

from ..roofline import model as roofline
from .platform import Platform

GIVEN = provenance.sheet(__package__).default


def attention_bytes(*, kv_elements: Array, context: Array) -> Array:
    r"""Keys and values read for one token [B], Sec. 3.5: $2\,\mathrm{B} \cdot kv \cdot \bar n$.

    >>> float(attention_bytes(kv_elements=49152, context=95.5))
    9388032.0
    """
    return GIVEN("kv_element_size") * kv_elements * context


def batching_time(*, batch: Array, request_rate: Array) -> Array:
    r"""Mean wait until a batch is full [s], Sec. 3.5: $(B - 1) / (2 \lambda)$.

    >>> float(batching_time(batch=5, request_rate=0.8))
    2.5
    """
    return (batch - 1) / (2 * request_rate)


def utilisation(
    *, service_time: Array, batch: Array, replicas: Array, request_rate: Array
) -> Array:
    r"""Share of time that a replica serves, Sec. 3.5: $u = \lambda S / (B \rho)$.

    >>> round(float(utilisation(service_time=0.696132, batch=1, replicas=1, request_rate=0.8)), 6)
    0.556906
    """
    return request_rate * service_time / (batch * replicas)


def queueing_time(*, utilisation: Array, service_time: Array, replicas: Array) -> Array:
    r"""Mean wait for a free replica [s], Sec. 3.5: $\frac{u}{2(1-u)} \frac{S}{\rho}$, u capped.

    >>> round(float(queueing_time(utilisation=0.556906, service_time=0.696132, replicas=1)), 5)
    0.43747
    """
    load = np.minimum(utilisation, GIVEN("busiest"))
    wait: Array = load / (2 * (1 - load)) * service_time / replicas
    return wait


def served_power(
    *, idle: Array, busy: Array, busy_time: Array, rate: Array, devices: Array, hosts: Array
) -> Array:
    r"""Mean power of the platform [W], Sec. 3.6: idle devices, busy seconds, hosts.

    $n P_{idle} + r\, t_{busy} P_{busy} + h P_{host}$, with r the batches per second and P_busy
    what being busy adds. One U280 of W1, 0.8 requests/s of 0.696132 s:

    >>> w1 = served_power(idle=27, busy=18, busy_time=0.696132, rate=0.8, devices=1, hosts=1)
    >>> round(float(w1) / (0.8 * 64), 5)
    2.67626
    """
    return devices * idle + rate * busy_time * busy + hosts * GIVEN("host_power")


def gpu_terms(config: Platform) -> tuple[dict[str, Array], dict[str, Array]]:
    """Exposed and raw times of one batch on one GPU, Sec. 3.5."""
    net, gpu, serve = config.workload, config.serve.gpu, config.serve
    peak = roofline.peak(gpu, serve.precision)
    speed = {"peak": peak, "efficiency": config.compute_efficiency / serve.runtime.time_ratio}
    stream = {
        "bandwidth": gpu.memory_bandwidth,
        "efficiency": config.memory_efficiency / serve.runtime.time_ratio,
    }
    n_in, n_out, batch = config.input_tokens, config.output_tokens, serve.batch
    weights = net.matrix_weights + net.head_weights
    token_flops = roofline.compute_time(flops=2 * weights * batch, **speed)
    once = roofline.memory_time(bytes_=weights * serve.precision.width, **stream)
    prompt_pairs = roofline.compute_time(flops=net.attention_macs * n_in * n_in * batch, **speed)
    context = n_in + (n_out - 1) / 2
    read = attention_bytes(kv_elements=net.kv_elements, context=context) * batch
    written_pairs = n_out * roofline.memory_time(bytes_=read, **stream)
    runtime = serve.runtime
    terms = {
        "weights": np.maximum(n_in * token_flops, once) + n_out * np.maximum(token_flops, once),
        "attention": prompt_pairs + written_pairs,
        "launch": (1 + n_out) * runtime.kernels * runtime.dispatch_time * net.layers,
    }
    raw = {
        "compute": (n_in + n_out) * token_flops + prompt_pairs,
        "memory": (1 + n_out) * once + written_pairs,
        "launch": terms["launch"],
    }
    return terms, raw


def gpu_fits(config: Platform) -> Mask:
    """Whether weights and keys and values fit into the GPU, Sec. 3.5."""
    net, serve = config.workload, config.serve
    tokens = config.input_tokens + config.output_tokens
    held = attention_bytes(kv_elements=net.kv_elements, context=tokens) * serve.batch
    weights = (net.matrix_weights + net.head_weights) * serve.precision.width
    fits: Mask = weights + held <= GIVEN("usable_memory") * serve.gpu.memory_capacity
    return fits
