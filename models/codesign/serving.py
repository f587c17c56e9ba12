"""Equations of serving, Sec. 3.5 and 3.6: waits, a batch on each kind of device, power."""

from __future__ import annotations

import numpy as np

from dse.spec import Array, Branch, Mask

from ..dfx.model import dsp_blocks, memory_footprint, stream_rate
from ..roofline import model as roofline
from . import attention, kernels
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


def _roofed(
    config: Platform,
    *,
    peak: Array,
    stream: Array,
    ratio: Array,
    launch: Array,
    approximate: Array,
) -> tuple[Times, Times]:
    """A prompt and a token of a batch on one device by its datasheet, Sec. 3.5."""
    net, batch, n_in = config.workload, config.serve.batch, config.input_tokens
    rate = config.compute_efficiency * peak
    weights = net.matrix_weights + net.head_weights
    read = ratio * weights * config.serve.precision.width / stream
    token = ratio * 2 * weights * batch / rate
    pairs = ratio * net.attention_macs * n_in * n_in * batch / rate
    prompt = Times(np.maximum(n_in * token, read), pairs, launch)
    kept = GIVEN("kv_element_size") * net.kv_elements * context_rows(config) * batch
    each = np.where(config.a3.on.on > 0, approximate, ratio * kept / stream)
    return prompt, Times(np.maximum(token, read), each, launch)


def _measured(config: Platform, code: Code, approximate: Array) -> tuple[Times, Times]:
    """The same on the GPU by measured kernels; of A3's selection none was measured."""
    n_in, selects = config.input_tokens, np.greater(config.a3.on.on, 0)
    prompt = kernels.serving_pass(config, tokens=n_in, context=n_in)
    token = kernels.serving_pass(config, tokens=np.ones(()), context=context_rows(config))
    found = []
    for one, selected in ((prompt, np.asarray(False)), (token, selects)):
        busy = kernels.busy(one, config, code)
        scored = np.where(selected, approximate, busy.attention)
        launch = kernels.launch_time(
            config,
            code,
            working=busy.weights + scored,
            held=np.where(selected, 0.0, busy.held),
        )
        found.append(Times(busy.weights, scored, launch))
    return found[0], found[1]


def _phases(config: Platform, passes: tuple[Times, Times], trust: Array) -> tuple[Times, Times]:
    """Prefill and decode of a batch from one pass of each; `trust` is truth over their times."""
    fresh = trust * (1 - config.prompt_cached.on)
    written = trust * config.output_tokens
    prompt, token = passes
    return Times(*(fresh * time for time in prompt)), Times(*(written * time for time in token))


def _gpu_phases(config: Platform, code: Code) -> tuple[Times, Times]:
    """Prefill and decode on the GPU of a replica."""
    gpu = config.serve.gpu
    fast = config.memory_efficiency * gpu.memory_bandwidth
    approximate = attention.device_time(
        config,
        rows=context_rows(config),
        rate=GIVEN("gather_gpu") * fast,
        parallel=GIVEN("heads_per_multiprocessor") * gpu.multiprocessors,
        step_time=GIVEN("select_time_gpu"),
    )
    passes = _roofed(
        config,
        peak=roofline.peak(gpu, config.serve.precision),
        stream=fast,
        ratio=code.time_ratio,
        launch=code.kernels * config.workload.layers * code.dispatch_time,
        approximate=approximate,
    )
    asked = kernels.serves(config)
    # A batch that is all datasheet does not pay for the calibrated form.
    if np.any(asked):
        pairs = zip(_measured(config, code, approximate), passes, strict=True)
        prompt, token = (
            Times(*(np.where(asked, *both) for both in zip(ours, roofed, strict=True)))
            for ours, roofed in pairs
        )
        passes = prompt, token
    return _phases(config, passes, config.trust.serving_time)


def _cpu_phases(config: Platform, code: Code) -> tuple[Times, Times]:
    """Prefill and decode on the CPU of a replica, always by its datasheet."""
    cpu = config.serve.cpu
    slow = config.memory_efficiency * cpu.memory_bandwidth
    passes = _roofed(
        config,
        peak=cpu.peak_fp32 * config.compile.vector.peak_share,
        stream=slow,
        ratio=code.time_ratio,
        launch=code.kernels * config.workload.layers * code.cpu_dispatch_time,
        approximate=attention.device_time(
            config,
            rows=context_rows(config),
            rate=GIVEN("gather_cpu") * slow,
            parallel=cpu.cores,
            step_time=GIVEN("select_time_cpu"),
        ),
    )
    return _phases(config, passes, config.trust.cpu_time)


def decoder_parts(config: Platform, code: Code) -> list[Part]:
    """Prefill and decode on the GPU and on the CPU of a replica."""
    pairs = zip(_gpu_phases(config, code), _cpu_phases(config, code), strict=True)
    return [Part(*pair) for pair in pairs]


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
    ratio, none, trust = code.time_ratio, np.zeros(()), config.trust
    ours, theirs = trust.serving_time, trust.cpu_time
    return Part(
        Times(ours * ratio * fast, none, ours * calls * code.dispatch_time),
        Times(theirs * ratio * slow, none, theirs * calls * code.cpu_dispatch_time),
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
    passes = config.trust.ring_time * (prompt + config.output_tokens)
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
