"""Equations of serving, Sec. 3.5 and 3.6: waits, a batch on each kind of device, power."""

from __future__ import annotations

import numpy as np

from dse.spec import Array, Branch, Mask

from ..dfx.model import dsp_blocks, memory_footprint, stream_rate
from ..roofline import model as roofline
from . import attention
from .compiling import Code
from .platform import Platform
from .rows import GIVEN
from .split import Part, Served, Times, chained, forked


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


def served_power(*, idle: Array, busy: Array, rate: Array, devices: Array, hosts: Array) -> Array:
    r"""Mean power of the platform [W], Sec. 3.6: idle devices, joules of a batch, hosts.

    $n P_{idle} + r\, E + h P_{host}$, with r the batches per second and E what being busy adds
    to a batch. One U280 of W1, 0.8 requests/s of 0.696132 s at 18 W:

    >>> w1 = served_power(idle=27, busy=0.696132 * 18, rate=0.8, devices=1, hosts=1)
    >>> round(float(w1) / (0.8 * 64), 5)
    2.67626
    """
    return devices * idle + rate * busy + hosts * GIVEN("host_power")


def context_rows(config: Platform) -> Array:
    r"""Mean rows of the cache while text is written, $\bar n = n_{in} + (n_{out} - 1) / 2$."""
    return config.input_tokens + (config.output_tokens - 1) / 2


def cache_bytes(config: Platform, tokens: Array) -> Array:
    """Keys and values of one request; A3 keeps a sorted copy of the keys beside them, Sec. 3.4."""
    kept = GIVEN("kv_element_size") * config.workload.kv_elements * tokens
    return kept * (1 + config.a3.on.on)


def _phases(
    config: Platform,
    *,
    peak: Array,
    stream: Array,
    ratio: Array,
    launch: Array,
    approximate: Array,
) -> tuple[Times, Times]:
    """Prefill and decode of a batch on one device, Sec. 3.5."""
    net, batch, n_in = config.workload, config.serve.batch, config.input_tokens
    rate = config.compute_efficiency * peak
    weights = net.matrix_weights + net.head_weights
    read = ratio * weights * config.serve.precision.width / stream
    token = ratio * 2 * weights * batch / rate
    fresh = 1 - config.prompt_cached.on
    pairs = ratio * net.attention_macs * n_in * n_in * batch / rate
    prefill = Times(fresh * np.maximum(n_in * token, read), fresh * pairs, fresh * launch)
    kept = GIVEN("kv_element_size") * net.kv_elements * context_rows(config) * batch
    each = np.where(config.a3.on.on > 0, approximate, ratio * kept / stream)
    written = config.output_tokens
    decode = Times(written * np.maximum(token, read), written * each, written * launch)
    return prefill, decode


def decoder_parts(config: Platform, code: Code) -> list[Part]:
    """Prefill and decode on the GPU and on the CPU of a replica."""
    gpu, cpu, net = config.serve.gpu, config.serve.cpu, config.workload
    rows = context_rows(config)
    fast = config.memory_efficiency * gpu.memory_bandwidth
    slow = config.memory_efficiency * cpu.memory_bandwidth
    calls = code.kernels * net.layers
    ours = _phases(
        config,
        peak=roofline.peak(gpu, config.serve.precision),
        stream=fast,
        ratio=code.time_ratio,
        launch=calls * code.dispatch_time,
        approximate=attention.device_time(
            config,
            rows=rows,
            rate=GIVEN("gather_gpu") * fast,
            parallel=GIVEN("heads_per_multiprocessor") * gpu.multiprocessors,
            step_time=GIVEN("select_time_gpu"),
        ),
    )
    theirs = _phases(
        config,
        peak=cpu.peak_fp32 * config.compile.vector.peak_share,
        stream=slow,
        ratio=code.time_ratio,
        launch=calls * code.cpu_dispatch_time,
        approximate=attention.device_time(
            config,
            rows=rows,
            rate=GIVEN("gather_cpu") * slow,
            parallel=cpu.cores,
            step_time=GIVEN("select_time_cpu"),
        ),
    )
    return [Part(*pair) for pair in zip(ours, theirs, strict=True)]


def _branch(config: Platform, branch: Branch, code: Code) -> Part:
    """A branch on the GPU and on the CPU; steps read all weights again, Sec. 3.5."""
    gpu, cpu, precision = config.serve.gpu, config.serve.cpu, config.serve.precision
    held = branch.weights * precision.width
    flops = config.serve.batch * branch.flops / config.compute_efficiency
    read = held * branch.steps / config.memory_efficiency
    cached = (held <= cpu.llc_capacity) & np.greater(branch.steps, 1)
    near = np.where(cached, GIVEN("llc_speedup"), 1.0)
    fused = np.where(branch.fusible > 0, code.kernels / GIVEN("unfused_kernels"), 1.0)
    calls = branch.kernels * fused
    peak = roofline.peak(gpu, precision) * branch.gpu_share
    fast = np.maximum(flops / peak, read / gpu.memory_bandwidth)
    lanes = cpu.peak_fp32 * config.compile.vector.peak_share
    slow = np.maximum(flops / lanes, read / (near * cpu.memory_bandwidth))
    ratio, none = code.time_ratio, np.zeros(())
    return Part(
        Times(ratio * fast, none, calls * code.dispatch_time),
        Times(ratio * slow, none, calls * code.cpu_dispatch_time),
    )


def on_devices(config: Platform, code: Code) -> Served:
    """A batch on the GPU, the CPU or both; a network of branches forks, a decoder is a chain."""
    branches = config.workload.branches
    if branches:
        return forked(config, [_branch(config, one, code) for one in branches], held(config))
    prompt = cache_bytes(config, config.input_tokens) * config.serve.batch
    return chained(config, decoder_parts(config, code), prompt, held(config))


def on_ring(config: Platform) -> Times:
    """A request on a ring of FPGAs, token after token, by the streams of the `dfx` page.

    Fitted on the same four points as the sheet, with attention counted from the first token;
    the `dfx` page charges it beyond its calibrated context and pads matrices to whole tiles.
    """
    net, ring = config.workload, config.dfx
    stream = stream_rate(
        depth=ring.depth,
        lanes=ring.lanes,
        clock=ring.clock,
        bandwidth=ring.fpga.hbm_bandwidth,
        stream_efficiency=GIVEN("stream_efficiency"),
    )
    tile = ring.depth * ring.lanes / stream
    read = attention.ring_time(config, rows=context_rows(config), tile_time=tile)
    prompt = (1 - config.prompt_cached.on) * config.input_tokens
    passes = prompt + config.output_tokens
    weights = (net.matrix_weights + net.head_weights) / (ring.fpgas * stream)
    layers = net.layers * GIVEN("layer_overhead")
    return Times(passes * weights, passes * read, passes * layers)


def held(config: Platform) -> Mask:
    """Whether weights, keys and values fit into the GPU, Sec. 3.5."""
    net, serve = config.workload, config.serve
    tokens = config.input_tokens + config.output_tokens
    cached = cache_bytes(config, tokens) * serve.batch
    branches = sum((one.weights for one in net.branches), np.zeros(()))
    weights = (net.matrix_weights + net.head_weights + branches) * serve.precision.width
    fits: Mask = weights + cached <= GIVEN("usable_memory") * serve.gpu.memory_capacity
    return fits


def gpu_fits(config: Platform, served: Served) -> Mask:
    """Whether the GPU holds its part, if any is there."""
    return held(config) | served.all_on_cpu


def ring_fits(config: Platform) -> Mask:
    """Whether weights, keys and values fit into the boards, and the cores into each, Sec. 3.5."""
    net, ring, a3 = config.workload, config.dfx, config.a3
    held = memory_footprint(
        weights=net.matrix_weights + net.head_weights,
        kv_elements=net.kv_elements * (1 + a3.on.on),
        tokens=config.input_tokens + config.output_tokens,
        fpgas=ring.fpgas,
    )
    units = a3.on.on * attention.unit_dsp(units=a3.units, columns=net.head_dim)
    cores = dsp_blocks(depth=ring.depth, lanes=ring.lanes) + units
    return (held <= ring.fpga.hbm_capacity) & (cores <= ring.fpga.dsp)
